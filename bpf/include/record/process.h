/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One process in a record: who it is, and its argv if that is of the image that runs.
 *
 * The write position is kept in map memory and loaded again for each process: a variable offset that
 * stays in a register makes every turn of the loop a state of its own for the verifier.
 */
#ifndef KILLSNOOP_RECORD_PROCESS_H
#define KILLSNOOP_RECORD_PROCESS_H

#include "identity/lookup.h"
#include "record/reuse.h"
#include "record/task.h"

#define PAD8(length) (((length) + 7) & ~7U)
/* Room that one ancestor may need. */
#define ANCESTOR_ROOM (sizeof(struct wire_process) + ANCESTOR_ARGV + 8)

/* `member` as in write_process(). */
static __always_inline void describe(struct wire_process *process, struct task_struct *leader,
				     struct task_struct *member)
{
	write_process(process, leader, untrusted_view(member), BY_LOADS);
	/* of execve's steps the address space is the first: it is looked at after all this */
	generation_barrier();
}

/* Where the argument block lies, which is random at each exec; 0 without an address space. */
static __always_inline u64 argument_block_of(struct task_struct *member)
{
	struct mm_struct *mm = mm_of(member);

	return mm ? mm->arg_start : 0;
}

/*
 * Does the identity belong to the image that runs? execve first gives the task its new address space, then
 * its new comm, then raises the exec id, and only at its end runs our hook: an address space that is another
 * one shows an exec from its first step on (the old is not freed before, so the pointers differ), and an
 * exec id that is another one shows a hook that was missed. A process that has none any more is exiting.
 */
static __always_inline bool is_of_this_image(const struct identity_handle *found,
					     struct wire_process *process, struct task_struct *member, u64 mm)
{
	if (process->flags & PROCESS_BY_PLACE)
		return !mm || argument_block_of(member) == found->copy.image;
	if (found->copy.exec_id != process->exec_id)
		return false;
	/* with the forker's identity it was looked at already: same_image() */
	if (found->from_forker)
		return true;
	if (!mm || mm == found->copy.image)
		return true;
	process->exec_id++; /* execve will, in a moment */
	return false;
}

/* Is there an argv of the image that runs? If not, the flags say why. */
static __always_inline bool has_argv(struct wire_process *process, struct task_struct *member,
				     const struct identity_handle *found, u64 mm)
{
	process->flags = found->copy.flags | (found->seeded ? PROCESS_SEEDED : 0);
	if (found->generation & 1) {
		process->flags |= PROCESS_EXEC_RACE;
		return false;
	}
	if (!is_of_this_image(found, process, member, mm)) {
		process->flags |= PROCESS_MID_EXEC;
		return false;
	}
	return true;
}

/*
 * Finds the identity and says whether there is an argv to copy. False: nothing that could be shown, and
 * the flags say why.
 *
 * The exec hook looks whether it is wanted after it has written, and here it is looked again after asking (both with a
 * full barrier in between): so either it sends the identity, or it is seen here.
 */
static __always_inline bool look_up_argv(struct wire_process *process, struct task_struct *leader,
					 struct task_struct *member, struct identity_handle *found, u64 mm)
{
	if (leader->flags & PF_KTHREAD) {
		found->identity = 0;
		found->from_forker = 0;
		process->flags = PROCESS_NO_ARGV;
		return false;
	}
	find_identity(found, leader, member);
	if (!*(volatile u64 *)&found->identity) {
		process->flags = PROCESS_UNKNOWN;
		return false;
	}
	if (!has_argv(process, member, found, mm)) {
		if (found->from_forker)
			return false;
		ask_for_identity(leader);
		/* what execve changes */
		process->exec_id = (u32)leader->self_exec_id;
		process->uid = untrusted_view(member)->cred->euid.val;
		copy_comm(process->comm, leader);
		take_own(found, leader);
		if (!*(volatile u64 *)&found->identity ||
		    !has_argv(process, member, found, (u64)mm_of(member)))
			return false;
	}
	process->argv_total = found->copy.argv_total;
	return true;
}

/* Older than the tracer, or not known yet: who started it cannot be said. */
static __always_inline void write_spawner(struct spawner *spawner, const struct identity_handle *found)
{
	spawner->tgid = 0;
	if (!*(volatile u64 *)&found->identity || found->from_forker || found->seeded)
		return;
	spawner->tgid = found->copy.spawner_tgid;
	spawner->start = found->copy.spawner_start;
	spawner->exec_id = found->copy.spawner_exec_id;
}

/* After the copy: was it one argv, or a mixture of two? (None at all can be one as well.) */
static __always_inline void accept_argv(struct wire_process *process, const struct identity_handle *found,
					bool copied, u32 kept)
{
	if (copied && is_unchanged(found)) {
		process->argv_kept = (u16)kept;
		return;
	}
	process->flags |= PROCESS_EXEC_RACE;
	process->argv_total = 0;
}

/* Looks up and copies argv, up to what is kept of an ancestor. */
static __always_inline void append_argv(struct wire_process *process, u8 *bytes, struct task_struct *leader,
					u64 mm, struct identity_handle *found)
{
	u32 kept;

	if (!look_up_argv(process, leader, leader, found, mm))
		return;
	kept = found->copy.argv_kept;
	if (kept > ANCESTOR_ARGV) {
		process->flags |= PROCESS_CUT;
		kept = ANCESTOR_ARGV;
	}
	*(u64 *)(bytes + (kept & ~7U)) = 0;
	accept_argv(process, found,
		    found->argv &&
			    !bpf_probe_read_kernel(bytes, AT_MOST(ANCESTOR_ARGV, kept), (void *)found->argv),
		    kept);
}

/*
 * `record` has room for `room` bytes, a constant; its length is in map memory. False: no room. `scratch` is where the
 * record before is kept as well (record/reuse.h), or NULL.
 */
static __always_inline bool append_ancestor(u8 *record, const u32 room, u32 *length,
					    struct task_struct *leader, struct identity_handle *found,
					    struct spawner *spawner, struct scratch *scratch)
{
	u32 at = *(volatile u32 *)length & ~7U;
	struct wire_process *process;
	u32 kept;
	u64 mm;

	if (at > room - ANCESTOR_ROOM)
		return false;
	process = (struct wire_process *)(record + at);
	describe(process, leader, leader);
	mm = AS_NUMBER(&found->mm, mm_of(leader));
	if (!scratch || !recall_appended(scratch, process, at, mm)) {
		append_argv(process, (u8 *)(process + 1), leader, mm, found);
		write_spawner(spawner, found);
		if (scratch)
			note_appended(scratch, process, at, mm, 0);
	}
	/* from map memory: what is kept in registers is followed along every branch */
	kept = *(volatile u16 *)&process->argv_kept;
	if (!kept)
		process->arg_start = (u32)argument_block_of(leader);
	*length = at + sizeof(*process) + PAD8(kept);
	return true;
}

#endif
