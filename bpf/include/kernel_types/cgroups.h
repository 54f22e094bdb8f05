/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cgroups, as far as they are used (kernel_types/types.h).
 */
#ifndef KILLSNOOP_KERNEL_CGROUPS_H
#define KILLSNOOP_KERNEL_CGROUPS_H

#include "kernel_types/shared.h"

struct kernfs_node {
	u64 id;
	const char *name;
} CORE;

struct page_counter {
	atomic_long_t usage;
	unsigned long max;
} CORE;

struct cgroup_root {
	int hierarchy_id;
} CORE;

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
} CORE;

struct mem_cgroup {
	struct cgroup_subsys_state css;
	struct page_counter memory;
} CORE;

struct cgroup {
	struct cgroup_root *root;
	struct kernfs_node *kn;
} CORE;

struct css_set {
	struct cgroup_subsys_state *subsys[16];
	struct cgroup *dfl_cgrp;
} CORE;

#endif
