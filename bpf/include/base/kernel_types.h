/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel structs in use, trimmed to the fields in use and relocated against the running kernel's
 * BTF when the object is loaded (CO-RE). Nothing here is a layout: order and offsets mean nothing.
 * One list of all of them, so long as it is: a field is declared once.
 * A field that not every supported kernel has belongs to base/compat.h.
 */
#ifndef KILLSNOOP_BASE_KERNEL_TYPES_H
#define KILLSNOOP_BASE_KERNEL_TYPES_H

#include "base/kernel_constants.h"

typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;

#define true 1
#define false 0
#define NULL ((void *)0)

/* uapi/linux/bpf.h */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};
enum {
	BPF_ANY = 0,
	BPF_F_NO_PREALLOC = 1U << 0,
	BPF_F_MMAPABLE = 1U << 10,
	BPF_LOCAL_STORAGE_GET_F_CREATE = 1U << 0,
	BPF_RB_NO_WAKEUP = 1U << 0,
	BPF_RB_FORCE_WAKEUP = 1U << 1,
	BPF_RB_AVAIL_DATA = 0,
};
/* Only whether the running kernel has the enumerator is asked; CO-RE compares names, not values. */
enum bpf_func_id {
	BPF_FUNC_task_pt_regs = 175,
	BPF_FUNC_loop = 181,
};

/* include/linux/sched.h */
#define PF_FORKNOEXEC 0x00000040
/* include/linux/sched/signal.h */
#define SIGNAL_UNKILLABLE 0x00000040

/* include/linux/ptrace.h */
#define PT_PTRACED 0x00000001

#define CORE __attribute__((preserve_access_index))

enum pid_type { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID, PIDTYPE_MAX };

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	s64 counter;
} atomic64_t;

typedef struct {
	u32 val;
} kuid_t;

typedef struct {
	u32 val;
} kgid_t;

typedef struct {
	unsigned long sig[1];
} sigset_t;

struct list_head {
	struct list_head *next;
} CORE;

struct ns_common {
	unsigned int inum;
} CORE;

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

struct hlist_node {
	struct hlist_node *next;
} CORE;

struct hlist_head {
	struct hlist_node *first;
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

struct inode {
	void *i_private;
} CORE;

struct qstr {
	const unsigned char *name;
} CORE;

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
} CORE;

struct vfsmount {
	struct dentry *mnt_root;
} CORE;

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
} CORE;

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
} CORE;

struct fs_struct {
	struct path root;
} CORE;

struct file {
	struct path f_path;
	void *private_data;
	struct inode *f_inode;
} CORE;

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
} CORE;

struct files_struct {
	struct fdtable *fdt;
} CORE;

struct mm_struct {
	unsigned long start_stack;
	unsigned long arg_start;
	unsigned long arg_end;
	unsigned long env_start;
	unsigned long env_end;
	struct file *exe_file;
} CORE;

struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	void *vm_ops;
} CORE;

struct sigaction {
	void *sa_handler;
} CORE;

struct k_sigaction {
	struct sigaction sa;
} CORE;

struct wait_queue_head {
	struct list_head head;
} CORE;

typedef struct wait_queue_head wait_queue_head_t;

struct sighand_struct {
	wait_queue_head_t signalfd_wqh;
	struct k_sigaction action[64];
} CORE;

/* include/uapi/asm-generic/resource.h */
#define RLIMIT_CPU 0
#define RLIMIT_FSIZE 1
#define RLIMIT_RTTIME 15
#define RLIM_NLIMITS 16

struct rlimit {
	unsigned long rlim_cur;
	unsigned long rlim_max;
} CORE;

struct sigpending {
	sigset_t signal;
} CORE;

struct task_cputime_atomic {
	atomic64_t utime;
	atomic64_t stime;
} CORE;

struct thread_group_cputimer {
	struct task_cputime_atomic cputime_atomic;
} CORE;

struct signal_struct {
	atomic_t live;
	int nr_threads;
	struct list_head thread_head;
	int group_exit_code;
	unsigned int flags;
	struct pid *pids[PIDTYPE_MAX];
	struct tty_struct *tty;
	struct sigpending shared_pending;
	struct rlimit rlim[RLIM_NLIMITS];
	struct thread_group_cputimer cputimer;
} CORE;

struct tty_struct {
	char name[64];
	struct {
		struct pid *session;
	} ctrl;
} CORE;

struct kernfs_node {
	u64 id;
	const char *name;
} CORE;

typedef struct {
	s64 counter;
} atomic_long_t;

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

struct task_struct {
	void *stack;
	unsigned int flags;
	int exit_state;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct list_head children;
	struct pid *thread_pid;
	struct nsproxy *nsproxy;
	struct fs_struct *fs;
	struct hlist_node pid_links[PIDTYPE_MAX];
	struct files_struct *files;
	struct list_head thread_node;
	u64 start_boottime;
	u64 self_exec_id;
	struct mm_struct *mm;
	const struct cred *cred;
	struct signal_struct *signal;
	struct sighand_struct *sighand;
	sigset_t blocked;
	sigset_t real_blocked;
	struct sigpending pending;
	unsigned int ptrace;
	unsigned long jobctl;
	int exit_code;
	struct task_struct *parent;
	struct css_set *cgroups;
	char comm[TASK_COMM_LEN];
} CORE;

struct linux_binprm;

/* include/linux/signal_types.h; the values that stand in for a pointer are those of linux/sched/signal.h */
union __sifields {
	struct {
		int _pid;
		u32 _uid;
	} _kill;
} CORE;

struct kernel_siginfo {
	int si_code;
	union __sifields _sifields;
} CORE;

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	u64 seq_num;
} CORE;

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} CORE;

#endif
