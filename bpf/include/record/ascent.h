/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ancestors of one process, its parent first, where there is no other chain that they could meet (that is
 * record/chain.h).
 */
#ifndef KILLSNOOP_RECORD_ASCENT_H
#define KILLSNOOP_RECORD_ASCENT_H

#include "record/outline.h"
#include "record/process.h"

struct ascent {
	struct task_struct *next; /* leader of the process to append */
	u32 count;
	bool truncated; /* cut before PID 1 */
};

/* The body of a loop. `record` as in append_ancestor(). By copying an ancestor is outlined, and nothing is looked up. */
static __always_inline long ascend(struct ascent *ascent, u32 turn, enum reading how, u8 *record,
				   const u32 room, u32 *length, struct identity_handle *found,
				   struct spawner *spawner, struct candidate *candidate)
{
	struct task_struct *leader = ascent->next, *parent;
	bool is_appended;

	/* above PID 1 and kthreadd there is only the idle task */
	if (READ(how, leader, tgid) == 0)
		return 1;
	/* followed once, before the ways part */
	parent = READ(how, leader, real_parent, group_leader);
	if (turn >= settings.max_ancestors)
		is_appended = false;
	else if (how == BY_LOADS)
		is_appended = append_ancestor(record, room, length, leader, found, spawner, candidate);
	else
		is_appended = append_outline(record, room, length, (u64)leader);
	if (!is_appended) {
		ascent->truncated = true;
		return 1;
	}
	ascent->count++;
	ascent->next = parent;
	return 0;
}

#endif
