/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters and lists that the structs of several subjects are made of (kernel_types/types.h).
 */
#ifndef KILLSNOOP_KERNEL_SHARED_H
#define KILLSNOOP_KERNEL_SHARED_H

#include "kernel_types/bpf.h"

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	s64 counter;
} atomic64_t;

typedef struct {
	s64 counter;
} atomic_long_t;

struct list_head {
	struct list_head *next;
} CORE;

struct ns_common {
	unsigned int inum;
} CORE;

struct hlist_node {
	struct hlist_node *next;
} CORE;

struct hlist_head {
	struct hlist_node *first;
} CORE;

#endif
