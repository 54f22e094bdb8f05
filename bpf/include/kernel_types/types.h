/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel structs in use, trimmed to the fields in use and relocated against the running kernel's
 * BTF when the object is loaded (CO-RE). Nothing here is a layout: order and offsets mean nothing. Tasks and
 * iterators are below, what a task leads to is in the headers beside this one.
 * A field that not every supported kernel has belongs to base/compat.h.
 */
#ifndef KILLSNOOP_KERNEL_TYPES_H
#define KILLSNOOP_KERNEL_TYPES_H

#include "kernel_types/cgroups.h"
#include "kernel_types/constants.h"
#include "kernel_types/files.h"
#include "kernel_types/ids.h"
#include "kernel_types/signals.h"

/* include/linux/sched.h */
#define PF_FORKNOEXEC 0x00000040

/* include/linux/ptrace.h */
#define PT_PTRACED 0x00000001

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
