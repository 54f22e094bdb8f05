/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds the identity of a process for a record: its own, or its forker's while the fork hook has not run. What is
 * found are numbers in map memory; whether it is of the image that runs is asked in record/process.h.
 */
#ifndef KILLSNOOP_IDENTITY_LOOKUP_H
#define KILLSNOOP_IDENTITY_LOOKUP_H

#include "base/ring.h"
#include "identity/environment.h"
#include "identity/generation.h"

/*
 * What was found of a process, as numbers in map memory: the verifier would follow everything behind a look-up for each
 * map that the value may be of. Addresses are read by copying alone.
 */
struct identity_handle {
	u64 identity; /* 0: nothing */
	u64 argv;     /* of its first bytes, and of those from ARGV_LARGE_BYTES on; 0: it was being changed */
	u64 tail;
	u64 environment; /* 0: none of the variables asked for */
	u64 mm;          /* the address space that it has now */
	u64 state;       /* of identity.reported: what it is if this image was reported (identity/report.h) */
	u32 generation;
	u32 from_forker; /* the fork hook had not run: its forker's, of the same image */
	u32 seeded;
	u32 is_reported; /* the image was, with the name below */
	u64 reported_comm[TASK_COMM_LEN / 8];
	u32 reported_uid;
	u32 spawner_tgid;
	u64 spawner_start;
	u64 image;
	u32 spawner_exec_id;
	u32 flags;
	u32 exec_id;
	u32 argv_kept;
	u32 argv_total;
	u32 exe_kept;
};

/*
 * The bytes that it keeps of argv and the executable's path. A value that changes meanwhile counts as one that is being
 * written.
 */
BPF_GLOBAL_FUNC int read_found(struct identity_handle *found, struct identity *identity)
{
	u64 epoch;

	if (!found || !identity)
		return 0;
	found->identity = 0;
	found->generation = generation_of(identity);
	epoch = *(volatile u32 *)&reader.epoch;
	found->state = epoch << 32 | found->generation;
	found->is_reported = *(volatile u64 *)&identity->reported == found->state;
	generation_barrier();
	found->reported_comm[0] = ((volatile u64 *)identity->reported_comm)[0];
	found->reported_comm[1] = ((volatile u64 *)identity->reported_comm)[1];
	found->reported_uid = *(volatile u32 *)&identity->reported_uid;
	found->spawner_tgid = identity->spawner_tgid;
	found->spawner_start = identity->spawner_start;
	found->spawner_exec_id = identity->spawner_exec_id;
	found->image = identity->image;
	found->flags = identity->flags;
	found->exec_id = identity->exec_id;
	found->argv_kept = identity->argv_kept;
	found->argv_total = identity->argv_total;
	found->exe_kept = identity->exe_kept;
	generation_barrier();
	/* the name may be that of another epoch by now */
	if (*(volatile u64 *)&identity->reported != found->state)
		found->is_reported = 0;
	if (*(volatile u32 *)&identity->generation != found->generation)
		found->generation |= 1;
	found->tail = 0;
	found->environment = 0;
	/* more than there may be is a mixture */
	if (found->argv_kept > ARGV_MAX)
		found->argv_kept = ARGV_MAX;
	if (found->exe_kept > EXE_BYTES || found->argv_kept + found->exe_kept > ARGV_MAX)
		found->exe_kept = 0;
	return (int)(found->argv_kept + found->exe_kept);
}

static __always_inline void take(struct identity_handle *found, struct identity *identity,
				 struct task_struct *owner, bool seeded_one)
{
	u32 bytes = (u32)read_found(found, identity);

	found->identity = (u64)identity;
	found->argv = (u64)identity + __builtin_offsetof(struct identity, argv);
	found->seeded = seeded_one;
	if (seeded_one) {
		if (bytes > ARGV_MEDIUM_BYTES)
			found->argv = (u64)bpf_task_storage_get(&seeded_large, owner, NULL, 0);
		else if (bytes > ARGV_INLINE_BYTES)
			found->argv = (u64)bpf_task_storage_get(&seeded_medium, owner, NULL, 0);
		if (bytes > ARGV_LARGE_BYTES)
			found->tail = (u64)bpf_task_storage_get(&seeded_tail, owner, NULL, 0);
		if (settings.variables)
			found->environment = (u64)bpf_task_storage_get(&seeded_environments, owner, NULL, 0);
		return;
	}
	if (bytes > ARGV_MEDIUM_BYTES)
		found->argv = (u64)bpf_task_storage_get(&argv_large, owner, NULL, 0);
	else if (bytes > ARGV_INLINE_BYTES)
		found->argv = (u64)bpf_task_storage_get(&argv_medium, owner, NULL, 0);
	if (bytes > ARGV_LARGE_BYTES)
		found->tail = (u64)bpf_task_storage_get(&argv_tail, owner, NULL, 0);
	if (settings.variables)
		found->environment = (u64)bpf_task_storage_get(&environments, owner, NULL, 0);
}

/* The hooks' own value is preferred to that of the seeding. */
static __always_inline void take_own(struct identity_handle *found, struct task_struct *leader)
{
	struct identity *identity = bpf_task_storage_get(&identities, leader, NULL, 0);

	found->identity = 0;
	if (identity && identity->generation) {
		take(found, identity, leader, false);
		return;
	}
	identity = bpf_task_storage_get(&seeded, leader, NULL, 0);
	if (identity && identity->generation)
		take(found, identity, leader, true);
}

/*
 * A signal can reach a child before the fork hook has, or while it writes: it is in the pid hash some
 * microseconds before sched_process_fork. PF_FORKNOEXEC says that its argv is its forker's, and same_image() that
 * real_parent is of the forker's image (with CLONE_PARENT it need not be the forker).
 */
static __always_inline void find_identity(struct identity_handle *found, struct task_struct *leader,
					  struct task_struct *member)
{
	found->from_forker = 0;
	take_own(found, leader);
	if (!(leader->flags & PF_FORKNOEXEC) ||
	    (*(volatile u64 *)&found->identity && !(found->generation & 1)))
		return;
	found->identity = 0;
	/* one that is released already (current, in an interrupt) may point at a parent that is gone */
	if (BPF_CORE_READ(leader, thread_pid)) {
		struct task_struct *parent = leader->real_parent->group_leader;

		if (same_image(member, parent)) {
			take_own(found, parent);
			found->from_forker = 1;
			/* as that of the forker, at most */
			found->is_reported = 0;
		}
	}
}

/* In the middle of execve: the exec hook is asked for the identity that it is about to see. */
static __always_inline void ask_for_identity(struct task_struct *leader)
{
	struct identity *identity = any_identity(leader);

	if (identity)
		__sync_fetch_and_add(&identity->wanted, 1);
	generation_barrier();
}

static __always_inline bool is_unchanged(const struct identity_handle *found)
{
	u32 generation = 0;

	generation_barrier();
	bpf_probe_read_kernel(&generation, sizeof(generation), (void *)found->identity);
	return generation == found->generation;
}

#endif
