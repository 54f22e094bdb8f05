/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pids, namespaces and credentials, as far as they are used (kernel_types/types.h).
 */
#ifndef KILLSNOOP_KERNEL_IDS_H
#define KILLSNOOP_KERNEL_IDS_H

#include "kernel_types/shared.h"

enum pid_type { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID, PIDTYPE_MAX };

typedef struct {
	u32 val;
} kuid_t;

typedef struct {
	u32 val;
} kgid_t;

struct xa_node {
	unsigned char shift;
	void *slots[64];
} CORE;

struct xarray {
	void *xa_head;
} CORE;

struct idr {
	struct xarray idr_rt;
} CORE;

struct pid_namespace {
	struct ns_common ns;
	struct idr idr;
	unsigned int level;
} CORE;

struct upid {
	int nr;
	struct pid_namespace *ns;
} CORE;

struct pid {
	unsigned int level;
	struct hlist_head tasks[PIDTYPE_MAX];
	struct upid numbers[1];
} CORE;

struct uts_namespace;

struct nsproxy {
	struct uts_namespace *uts_ns;
	struct mnt_namespace *mnt_ns;
	struct net *net_ns;
} CORE;

struct mnt_namespace {
	struct ns_common ns;
} CORE;

struct net {
	struct ns_common ns;
} CORE;

struct user_namespace {
	struct ns_common ns;
} CORE;

struct new_utsname {
	char nodename[65];
} CORE;

struct uts_namespace {
	struct new_utsname name;
} CORE;

struct cred {
	struct user_namespace *user_ns;
	kuid_t uid;
	kgid_t gid;
	kuid_t euid;
	kgid_t egid;
} CORE;

#endif
