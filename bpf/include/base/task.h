/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a task says of its process, beyond a field of its own. Nothing is kept here, and nothing is written to a record.
 */
#ifndef KILLSNOOP_BASE_TASK_H
#define KILLSNOOP_BASE_TASK_H

#include "base/verifier.h"

/* The name of a task; it has no NUL that is not its own. Two loads are a tenth of the cost of a helper. */
static __always_inline void copy_comm(u8 *to, struct task_struct *task)
{
	const volatile u64 *from = (const volatile u64 *)untrusted_view(task)->comm;

	((u64 *)to)[0] = from[0];
	((u64 *)to)[1] = from[1];
}

/*
 * What pays for what a user brings about. A user namespace gives its members no other uids than those of their owner and the
 * owner's subordinate ones. The latter are given in ranges of 65,536 from 100,000 on: from there on 65,536 uids are one, or a
 * user with such a range could be as many as it likes. As owner_of() of src/base/bounded.rs.
 */
static __always_inline u32 owner_of(u32 uid)
{
	return uid >= 0x10000 ? 0x10000 + (uid >> 16) : uid;
}

static __always_inline struct mm_struct *mm_of(struct task_struct *task)
{
	return untrusted_view(task)->mm;
}

/*
 * Two processes run the same image if the address space was laid out by the same execve: the stack's
 * place is random at each. (Without randomisation two execs of one file with argument blocks of
 * one length look alike; this is asked only of a child that has not exec'd and its parent.)
 */
static __always_inline bool same_image(struct task_struct *child, struct task_struct *parent)
{
	struct mm_struct *a = mm_of(child), *b = mm_of(parent);

	if (!a || !b)
		return false;
	return a == b || (a->arg_start == b->arg_start && a->arg_end == b->arg_end &&
			  a->start_stack == b->start_stack && a->exe_file == b->exe_file);
}

static __always_inline bool has_exited(struct task_struct *task)
{
	return !mm_of(task) && !(task->flags & PF_KTHREAD);
}

/* Threads looked at before none is said to live. */
#define LIVING_THREADS 64

struct living_search {
	void *head;
	void *node;
	u64 thread; /* 0: none was found */
};

static long look_for_living(u32 index __attribute__((unused)), void *context)
{
	struct living_search *search = context;
	u64 mm = 0;
	void *thread;

	if (bpf_probe_read_kernel(&search->node, sizeof(search->node), search->node) ||
	    search->node == search->head)
		return 1;
	thread = search->node - bpf_core_field_offset(struct task_struct, thread_node);
	bpf_probe_read_kernel(&mm, sizeof(mm), thread + bpf_core_field_offset(struct task_struct, mm));
	if (!mm)
		return 0;
	search->thread = (u64)thread;
	return 1;
}

/* A thread of the same process that has not exited; 0: none. The siglock of the process is held. */
static __always_inline struct task_struct *living_thread(u64 address)
{
	struct task_struct *task = (struct task_struct *)address;
	struct living_search search = {};

	search.head = (void *)BPF_CORE_READ(task, signal);
	search.head += bpf_core_field_offset(struct signal_struct, thread_head);
	search.node = search.head;
	BOUNDED_LOOP(LIVING_THREADS, LIVING_THREADS, look_for_living, &search);
	return (struct task_struct *)search.thread;
}

/* Its effective user, as a record has it. */
BPF_GLOBAL_FUNC int read_living_uid(u64 address)
{
	struct task_struct *living = living_thread(address);

	return (int)BPF_CORE_READ(living ?: (struct task_struct *)address, cred, euid.val);
}

/* The leader of the process that traces this task; 0: none does. */
static __always_inline u64 tracer_of(struct task_struct *task)
{
	u64 tracer;

	if (!(untrusted_view(task)->ptrace & PT_PTRACED))
		return 0;
	tracer = (u64)BPF_CORE_READ(task, parent, group_leader);
	/* one that lets go clears the mark before the parent is the real one again */
	return BPF_CORE_READ(task, ptrace) & PT_PTRACED ? tracer : 0;
}

#endif
