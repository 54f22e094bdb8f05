/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source and target: what only they have of a process, beside what ancestors have.
 */
#ifndef KILLSNOOP_RECORD_SUBJECT_H
#define KILLSNOOP_RECORD_SUBJECT_H

#include "record/process.h"

/* Room that source or target may need. */
#define SUBJECT_ROOM \
	(sizeof(struct wire_process) + ARGV_MAX + 8 + TITLE_BYTES + NODENAME_BYTES + ENVIRONMENT_BYTES + 16)

static __always_inline void describe_task(struct wire_task *facts, struct task_struct *task,
					  struct task_struct *leader)
{
	write_task(facts, untrusted_view(task), untrusted_view(leader), BY_LOADS);
}

/* What a target has where the thread that stands for it, its leader, has exited and others live. */
BPF_GLOBAL_FUNC int write_living(struct wire_process *process, struct wire_task *facts, u64 address)
{
	struct task_struct *living = living_thread(address);

	if (!process || !facts || !living)
		return 0;
	process->uid = BPF_CORE_READ(living, cred, euid.val);
	write_thread(facts, living, BY_COPYING);
	return 0;
}

/* Writes up to `size` bytes at the end of the record; clipped, which its room excludes. */
#define AT_THE_END(record, room, length, size) \
	((record) + AT_MOST((room) - (size), *(volatile u32 *)(length)))

/* Looks up and copies argv and the executable's path. */
static __always_inline void append_whole_argv(struct wire_process *process, struct wire_task *facts,
					      struct task_struct *leader, struct task_struct *member, u64 mm,
					      struct identity_handle *found)
{
	u32 bytes;

	if (!look_up_argv(process, leader, member, found, mm))
		return;
	bytes = (u32)clip_found(found);
	accept_argv(process, found, copy_whole_argv((u8 *)(process + 1), found, bytes),
		    *(volatile u32 *)&found->copy.argv_kept);
	if (!(process->flags & PROCESS_EXEC_RACE))
		facts->exe_kept = (u16)found->copy.exe_kept;
}

/*
 * The process and its argv, with the executable's path behind it. Its length is left as it is, not padded. `scratch` as
 * in append_ancestor(), `member` as in describe(). A process that ends has no address space any more: the exec id says
 * whether its identity is of its last image.
 */
static __always_inline struct wire_process *append_image(u8 *record, const u32 room, u32 *length,
							 struct wire_task *facts, struct task_struct *leader,
							 struct task_struct *member,
							 struct identity_handle *found,
							 struct spawner *spawner, struct scratch *scratch)
{
	u32 at = *(volatile u32 *)length & ~7U, kept, recalled = 0;
	struct wire_process *process;
	u64 mm;

	if (at > room - SUBJECT_ROOM)
		return NULL;
	process = (struct wire_process *)(record + at);
	describe(process, leader, member);
	mm = scratch ? AS_NUMBER(&found->mm, mm_of(member)) : 0;
	/* the environment is found with the identity */
	if (scratch && !settings.variables)
		recalled = (u32)recall_appended(scratch, process, at, mm);
	if (recalled) {
		facts->exe_kept = (u16)(recalled - 1);
	} else {
		append_whole_argv(process, facts, leader, member, mm, found);
		write_spawner(spawner, found);
		if (scratch)
			note_appended(scratch, process, at, mm, facts->exe_kept);
	}
	/* from map memory: what is kept in registers is followed along every branch */
	kept = *(volatile u16 *)&process->argv_kept;
	if (!kept)
		process->arg_start = (u32)argument_block_of(member);
	*length = at + sizeof(*process) + kept + *(volatile u16 *)&facts->exe_kept;
	return process;
}

/* To a record; the bytes. */
static __always_inline u32 copy_environment(u8 *to, struct wire_process *process,
					    const struct identity_handle *found)
{
	struct {
		u32 kept;
		u32 flags;
	} head = {};
	u32 kept;

	/* without its image nothing can be said of its environment */
	if (!*(volatile u64 *)&found->identity || process->flags & (PROCESS_EXEC_RACE | PROCESS_MID_EXEC)) {
		if (!(process->flags & PROCESS_NO_ARGV))
			process->flags |= PROCESS_ENV_LOST;
		return 0;
	}
	if (!found->environment) {
		/* the seeding covers every process, or has not come to this one */
		if (found->seeded)
			process->flags |= PROCESS_ENV_LOST;
		return 0;
	}
	bpf_probe_read_kernel(&head, sizeof(head), (void *)found->environment);
	process->flags |= head.flags;
	kept = head.kept;
	if (kept > ENVIRONMENT_BYTES ||
	    bpf_probe_read_kernel(to, AT_MOST(ENVIRONMENT_BYTES, kept),
				  (void *)found->environment +
					  __builtin_offsetof(struct environment, bytes)) ||
	    !is_unchanged(found)) {
		process->flags |= PROCESS_ENV_LOST;
		return 0;
	}
	return kept;
}

/* What comes behind it, last. `scratch` as in append_image(). */
static __always_inline void append_rest(u8 *record, const u32 room, u32 *length, struct wire_process *process,
					struct wire_task *facts, struct task_struct *task,
					const struct identity_handle *found, struct scratch *scratch)
{
	struct uts_namespace *uts = own_uts_namespace(task);
	u32 kept = 0;

	if (uts) {
		kept = copy_nodename(AT_THE_END(record, room, length, NODENAME_BYTES), uts);
		/* a name that could not be read is zeros over what follows */
		if (scratch && !kept)
			forget_what_follows(scratch);
	}
	facts->nodename_kept = (u16)kept;
	*length += kept;
	if (settings.variables) {
		kept = copy_environment(AT_THE_END(record, room, length, ENVIRONMENT_BYTES), process, found);
		facts->environment_kept = (u16)kept;
		*length += kept;
	}
	*length = PAD8(*(volatile u32 *)length);
}

#endif
