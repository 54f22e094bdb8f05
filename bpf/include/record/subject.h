/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source and target: what only they have of a process, beside what ancestors have.
 */
#ifndef KILLSNOOP_RECORD_SUBJECT_H
#define KILLSNOOP_RECORD_SUBJECT_H

#include "record/process.h"

/* Room that source or target may need. */
#define SUBJECT_ROOM (sizeof(struct wire_named) + TITLE_BYTES + NODENAME_BYTES + 8)

static __always_inline void describe_task(struct wire_task *facts, struct task_struct *task,
					  struct task_struct *leader)
{
	write_task(facts, untrusted_view(task), untrusted_view(leader), BY_LOADS);
}

/* What a target has where the thread that stands for it, its leader, has exited and others live. */
BPF_GLOBAL_FUNC int write_living(struct wire_named *named, struct wire_task *facts, u64 address)
{
	struct task_struct *living = living_thread(address);

	if (!named || !facts || !living)
		return 0;
	named->name.uid = BPF_CORE_READ(living, cred, euid.val);
	write_thread(facts, living, BY_COPYING);
	return 0;
}

/* Writes up to `size` bytes at the end of the record; clipped, which its room excludes. */
#define AT_THE_END(record, room, length, size) \
	((record) + AT_MOST((room) - (size), *(volatile u32 *)(length)))

/*
 * The process, by its name and its image. `member` as in describe(). A process that ends has no address space any more: the
 * exec id says whether its identity is of its last image.
 */
static __always_inline struct wire_named *
append_subject_image(u8 *record, const u32 room, u32 *length, struct task_struct *leader,
		     struct task_struct *member, struct identity_handle *found, struct spawner *spawner,
		     struct candidate *candidate)
{
	u32 at = *(volatile u32 *)length & ~7U;
	struct wire_named *named;
	u64 mm;

	if (at > room - SUBJECT_ROOM)
		return NULL;
	named = (struct wire_named *)(record + at);
	describe(named, leader, member);
	mm = AS_NUMBER(&found->mm, mm_of(member));
	*length = at + refer_to_image(named, leader, member, found, mm, candidate, false);
	write_spawner(spawner, found);
	return named;
}

/* What comes behind it, last. */
static __always_inline void append_rest(u8 *record, const u32 room, u32 *length, struct wire_task *facts,
					struct task_struct *task)
{
	struct uts_namespace *uts = own_uts_namespace(task);
	u32 kept = 0;

	if (uts)
		kept = copy_nodename(AT_THE_END(record, room, length, NODENAME_BYTES), uts);
	facts->nodename_kept = (u16)kept;
	*length = PAD8(*(volatile u32 *)length + kept);
}

#endif
