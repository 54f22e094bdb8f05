/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One process in a record: who it is, and which image it runs. That is reported first, if it has not been (identity/report.h).
 *
 * The write position is kept in map memory and loaded again for each process: a variable offset that
 * stays in a register makes every turn of the loop a state of its own for the verifier.
 */
#ifndef KILLSNOOP_RECORD_PROCESS_H
#define KILLSNOOP_RECORD_PROCESS_H

#include "identity/report.h"
#include "record/task.h"

#define PAD8(length) (((length) + 7) & ~7U)

/* `member` as in write_process(). */
static __always_inline void describe(struct wire_named *named, struct task_struct *leader,
				     struct task_struct *member)
{
	write_process(named, leader, untrusted_view(member), BY_LOADS);
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
		return !mm || argument_block_of(member) == found->image;
	if (found->exec_id != process->exec_id)
		return false;
	/* with the forker's identity it was looked at already: same_image() */
	if (found->from_forker)
		return true;
	if (!mm || mm == found->image)
		return true;
	process->exec_id++; /* execve will, in a moment */
	return false;
}

/* Is there an argv of the image that runs? If not, the flags say why. */
static __always_inline bool has_argv(struct wire_process *process, struct task_struct *member,
				     const struct identity_handle *found, u64 mm)
{
	process->flags = PROCESS_NAMED | (found->flags & PROCESS_BY_PLACE);
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
 * Finds the identity and says whether there is an image to refer to. False: nothing that could be shown, and
 * the flags say why.
 *
 * The exec hook looks whether it is wanted after it has written, and here it is looked again after asking (both with a
 * full barrier in between): so either it sends the identity, or it is seen here.
 */
static __always_inline bool look_up_image(struct wire_named *named, struct task_struct *leader,
					  struct task_struct *member, struct identity_handle *found, u64 mm)
{
	struct wire_process *process = &named->process;

	if (leader->flags & PF_KTHREAD) {
		found->identity = 0;
		found->from_forker = 0;
		process->flags = PROCESS_NAMED | PROCESS_NO_ARGV;
		return false;
	}
	find_identity(found, leader, member);
	if (!*(volatile u64 *)&found->identity) {
		process->flags = PROCESS_NAMED | PROCESS_UNKNOWN;
		return false;
	}
	if (has_argv(process, member, found, mm))
		return true;
	if (found->from_forker)
		return false;
	ask_for_identity(leader);
	/* what execve changes */
	process->exec_id = (u32)leader->self_exec_id;
	named->name.uid = untrusted_view(member)->cred->euid.val;
	copy_comm(named->name.comm, leader);
	take_own(found, leader);
	return *(volatile u64 *)&found->identity && has_argv(process, member, found, (u64)mm_of(member));
}

/* Is the name that of the image, as it was reported? */
static __always_inline bool has_reported_name(const struct identity_handle *found,
					      const struct wire_name *name)
{
	const u64 *comm = (const u64 *)name->comm;

	return !((found->reported_comm[0] ^ comm[0]) | (found->reported_comm[1] ^ comm[1]) |
		 (found->reported_uid ^ name->uid));
}

/* Where it was found, for its mark; NULL where that is another process's. */
static __always_inline bool report_found(struct identity_handle *found, struct task_struct *leader,
					 struct wire_named *named, struct candidate *candidate)
{
	bool is_admitted = admits_image(candidate);

	if (found->from_forker)
		return report_image(found, NULL, named, candidate, is_admitted);
	if (found->seeded)
		return report_image(found, bpf_task_storage_get(&seeded, leader, NULL, 0), named, candidate,
				    is_admitted);
	return report_image(found, bpf_task_storage_get(&identities, leader, NULL, 0), named, candidate,
			    is_admitted);
}

/*
 * Refers to the image that the process runs, which was reported or is reported now. The bytes that the process takes of the
 * record: its name is left out where `may_be_nameless`, and the record has it already.
 */
static __always_inline u32 refer_to_image(struct wire_named *named, struct task_struct *leader,
					  struct task_struct *member, struct identity_handle *found, u64 mm,
					  struct candidate *candidate, bool may_be_nameless)
{
	struct wire_process *process = &named->process;

	if (look_up_image(named, leader, member, found, mm)) {
		if (*(volatile u32 *)&found->is_reported) {
			process->flags = PROCESS_REPORTED | PROCESS_NAMED;
			process->epoch = (u16)(found->state >> 32);
			if (may_be_nameless && has_reported_name(found, &named->name)) {
				process->flags = PROCESS_REPORTED;
				return sizeof(struct wire_process);
			}
			return sizeof(struct wire_named);
		}
		process->flags = PROCESS_NAMED | PROCESS_REPORTED;
		if (report_found(found, leader, named, candidate))
			return sizeof(struct wire_named);
		process->flags = PROCESS_NAMED | PROCESS_NOT_REPORTED;
	}
	named->name.arg_start = (u32)argument_block_of(member);
	if (settings.variables && !(process->flags & PROCESS_NO_ARGV))
		process->flags |= PROCESS_ENV_LOST;
	return sizeof(struct wire_named);
}

/* Older than the tracer, or not known yet: who started it cannot be said. */
static __always_inline void write_spawner(struct spawner *spawner, const struct identity_handle *found)
{
	spawner->tgid = 0;
	if (!*(volatile u64 *)&found->identity || found->from_forker || found->seeded)
		return;
	spawner->tgid = found->spawner_tgid;
	spawner->start = found->spawner_start;
	spawner->exec_id = found->spawner_exec_id;
}

/*
 * `record` has room for `room` bytes, a constant; its length is in map memory. False: no room.
 */
static __always_inline bool append_ancestor(u8 *record, const u32 room, u32 *length,
					    struct task_struct *leader, struct identity_handle *found,
					    struct spawner *spawner, struct candidate *candidate)
{
	u32 at = *(volatile u32 *)length & ~7U;
	struct wire_named *named;
	u64 mm;

	if (at > room - sizeof(*named))
		return false;
	named = (struct wire_named *)(record + at);
	describe(named, leader, leader);
	mm = AS_NUMBER(&found->mm, mm_of(leader));
	*length = at + refer_to_image(named, leader, leader, found, mm, candidate, true);
	write_spawner(spawner, found);
	return true;
}

#endif
