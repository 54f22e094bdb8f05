/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process seen from outside: what its task says, by copying, and not its command line. Such a process still
 * exists, so user space completes it by its key and the image that it ran.
 *
 * Nothing here is followed by the verifier: a task is any address, and costs it next to nothing.
 */
#ifndef KILLSNOOP_RECORD_OUTLINE_H
#define KILLSNOOP_RECORD_OUTLINE_H

#include "record/task.h"

BPF_GLOBAL_FUNC int outline(struct wire_named *named, u64 address)
{
	struct task_struct *leader = (struct task_struct *)address;

	if (!named)
		return 0;
	write_process(named, leader, leader, BY_COPYING);
	named->process.flags |= BPF_CORE_READ(leader, flags) & PF_KTHREAD ? PROCESS_NO_ARGV : PROCESS_UNKNOWN;
	named->name.arg_start = (u32)BPF_CORE_READ(leader, mm, arg_start);
	return 0;
}

BPF_GLOBAL_FUNC int outline_task(struct wire_task *facts, u64 address)
{
	struct task_struct *task = (struct task_struct *)address;

	if (!facts)
		return 0;
	write_task(facts, task, BPF_CORE_READ(task, group_leader), BY_COPYING);
	return 0;
}

/* As append_ancestor(). False: no room. */
static __always_inline bool append_outline(u8 *record, const u32 room, u32 *length, u64 leader)
{
	u32 at = *(volatile u32 *)length & ~7U;
	u8 *to;

	if (at > room - sizeof(struct wire_named))
		return false;
	/* bounded once more, and the pointer made now: 6.1 knows nothing of an offset that was put on the stack before */
	to = record + AT_MOST(room - sizeof(struct wire_named), at);
	asm volatile("" : "+r"(to));
	outline((struct wire_named *)to, leader);
	*length = at + sizeof(struct wire_named);
	return true;
}

#endif
