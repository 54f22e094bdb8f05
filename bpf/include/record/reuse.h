/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The record before, as far as this one is the same. A process that signals often is below the same
 * ancestors each time: their command lines stand in the scratch already, where they are to be, and are neither looked
 * up nor copied again.
 *
 * argv is what was exec'd: it is the same as long as the process runs the same image. Which process it is, and which
 * image, is looked up again each time; so are its comm, its uid and its parent.
 *
 * Bytes are believed only where nothing was written since. The processes of a record are appended one after the other:
 * so they are, up to the first that is not the same. Whatever else is written to the record may reach over the bytes of
 * the next process (a helper that fails fills all its room with zeros): forget_what_follows() comes before that.
 */
#ifndef KILLSNOOP_RECORD_REUSE_H
#define KILLSNOOP_RECORD_REUSE_H

#include "record/scratch.h"

/* Anything else says that something is missing, or is another's: that is looked up again. */
#define PROCESS_LASTING                                                                          \
	(PROCESS_NO_ARGV | PROCESS_CUT | PROCESS_FROM_PROC | PROCESS_SEEDED | PROCESS_BY_PLACE | \
	 PROCESS_EXE_LOST | PROCESS_OVERWRITTEN | PROCESS_EXE_UNREACHABLE)

static __always_inline void begin_reuse(struct reuse *reuse)
{
	reuse->same = reuse->appended;
	reuse->appended = 0;
}

/* The bytes behind what the record has so far are those of the record before no more. */
static __always_inline void forget_what_follows(struct scratch *scratch)
{
	scratch->reuse.same = 0;
}

static __always_inline void end_reuse(struct reuse *reuse, u32 processes)
{
	reuse->appended = processes < REUSE_PLACES ? processes : REUSE_PLACES;
}

/*
 * Is it what the record before had in this place? `process` was described a moment ago, and `image` looked at after
 * that: execve changes the address space first. If it is, one more than the bytes of its executable's path; else 0.
 */
static __always_inline u32 recall_appended(struct scratch *scratch, struct wire_process *process, u32 at,
					   u64 image)
{
	u32 place = AT_MOST(REUSE_PLACES - 1, *(volatile u32 *)&scratch->processes);
	struct reuse_entry *before = &scratch->reuse.process[place];
	u64 differs;

	/* asked at once: each branch would be a way of its own for the verifier */
	differs = (before->start_time ^ process->start_time) | (before->image ^ image);
	differs |= (before->at ^ at) | (before->tgid ^ process->tgid) | (before->exec_id ^ process->exec_id);
	if (differs || *(volatile u32 *)&scratch->processes >= *(volatile u32 *)&scratch->reuse.same)
		return 0;
	process->flags = before->flags;
	process->argv_total = before->argv_total;
	process->argv_kept = before->argv_kept;
	scratch->spawner = before->spawner;
	return 1 + before->exe_kept;
}

BPF_GLOBAL_FUNC int note_appended(struct scratch *scratch, struct wire_process *process, u32 at, u64 image,
				  u32 exe_kept)
{
	struct reuse_entry *appended;
	u32 place;

	if (!scratch || !process)
		return 0;
	/* what follows is written again */
	forget_what_follows(scratch);
	place = scratch->processes;
	if (place >= REUSE_PLACES)
		return 0;
	appended = &scratch->reuse.process[place];
	appended->at = process->flags & ~PROCESS_LASTING || scratch->found.from_forker ? NOWHERE : at;
	appended->start_time = process->start_time;
	appended->image = image;
	appended->spawner = scratch->spawner;
	appended->tgid = process->tgid;
	appended->exec_id = process->exec_id;
	appended->flags = process->flags;
	appended->argv_total = process->argv_total;
	appended->argv_kept = process->argv_kept;
	appended->exe_kept = (u16)exe_kept;
	return 0;
}

#endif
