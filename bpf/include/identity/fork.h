/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fork: a child has its forker's identity until it execs. Written by the forker, before the child can run.
 */
#ifndef KILLSNOOP_IDENTITY_FORK_H
#define KILLSNOOP_IDENTITY_FORK_H

#include "base/counters.h"
#include "identity/argv.h"
#include "identity/environment.h"
#include "identity/generation.h"
#include "identity/handover.h"
#include "identity/long_argv.h"
#include "identity/terminal.h"
#include "identity/tree.h"
#include "identity/untracked.h"

/* Copies what is in use of the forker's argv and path, of which `argv` is the beginning; false: no memory. */
static __always_inline bool copy_bytes(struct task_struct *child, struct identity *to,
				       const struct identity_ref *from, const void *argv, u32 kept)
{
	struct argv_medium *medium;
	struct argv_large *large, *tail;

	if (kept <= ARGV_INLINE_BYTES)
		return !bpf_probe_read_kernel(to->argv, AT_MOST(ARGV_INLINE_BYTES, kept), argv);
	if (kept <= ARGV_MEDIUM_BYTES) {
		medium = bpf_task_storage_get(&argv_medium, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
		return medium && !bpf_probe_read_kernel(medium->argv, AT_MOST(ARGV_MEDIUM_BYTES, kept), argv);
	}
	large = bpf_task_storage_get(&argv_large, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!large)
		return false;
	if (kept <= ARGV_LARGE_BYTES)
		return !bpf_probe_read_kernel(large->argv, AT_MOST(ARGV_LARGE_BYTES, kept), argv);
	kept -= ARGV_LARGE_BYTES;
	if (bpf_probe_read_kernel(large->argv, ARGV_LARGE_BYTES, argv))
		return false;
	argv = argv_tail_bytes(from);
	tail = bpf_task_storage_get(&argv_tail, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	return argv && tail && !bpf_probe_read_kernel(tail->argv, AT_MOST(ARGV_LARGE_BYTES, kept), argv);
}

/* CLONE_PARENT: the child is not among the forker's children, by which a ghost is left. */
static __always_inline void note_fork(struct task_struct *leader, struct identity *child, bool is_anothers)
{
	struct identity *identity = any_identity(leader);

	if (!identity)
		return;
	/* for life, even if its parent changes */
	if (identity->marks & MARK_IN_TREE)
		mark(child, MARK_IN_TREE);
	mark(identity, MARK_FORKED);
	if (is_anothers)
		mark(identity, MARK_CHILD_LEFT_GHOST);
	if (leader->flags & PF_EXITING)
		refresh_handover(leader, identity);
}

/* A thread has the identity of its leader; that it is in a tree is noted with itself, for its own exec. */
static __always_inline void remember_thread(struct task_struct *forker, struct task_struct *thread)
{
	struct identity *identity;

	if (!(settings.selected & 1U << SELECT_TREE))
		return;
	identity = any_identity(forker->group_leader);
	if (identity && identity->marks & MARK_IN_TREE)
		bpf_task_storage_get(&threads_in_tree, thread, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

/*
 * The forker's identity cannot change here: an exec by one of its other threads waits in de_thread() for
 * this one to die. A seeded one can, so its generation is looked at again.
 */
static __always_inline void remember_fork(struct task_struct *forker, struct task_struct *child,
					  struct counters *counters)
{
	struct task_struct *leader = forker->group_leader;
	struct identity *identity =
		bpf_task_storage_get(&identities, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	struct identity_ref from = {};
	u32 generation, kept, argv_kept;
	const void *argv;
	bool copied;

	if (!identity) {
		COUNT(counters->fork_no_memory);
		return;
	}
	note_pending(child, identity);
	note_fork(leader, identity, untrusted_view(child)->real_parent->group_leader != leader);
	from.identity = own_identity(leader, &from);
	identity->spawner_start = leader->start_boottime;
	identity->spawner_tgid = leader->tgid;
	identity->spawner_exec_id = (u32)leader->self_exec_id;
	if (!from.identity) {
		COUNT(counters->fork_unknown);
		return; /* generation 0: nothing is claimed, and the seeding may still come by */
	}
	generation = generation_of(from.identity);
	if (generation & 1) {
		COUNT(counters->fork_unknown);
		return;
	}

	begin_write(identity);
	kept = bytes_kept(from.identity);
	argv = argv_bytes(&from, kept);
	copied = argv && is_allowed(child, identity, kept) && copy_bytes(child, identity, &from, argv, kept);
	argv_kept = from.identity->argv_kept;
	/* what fits the identity is kept of the argv in any case */
	if (!copied) {
		argv_kept = argv_kept > ARGV_INLINE_BYTES ? ARGV_INLINE_BYTES : argv_kept;
		if (!argv ||
		    bpf_probe_read_kernel(identity->argv, AT_MOST(ARGV_INLINE_BYTES, argv_kept), argv))
			argv_kept = 0;
	}
	identity->argv_kept = argv_kept;
	identity->exe_kept = copied ? from.identity->exe_kept : 0;
	identity->argv_total = from.identity->argv_total;
	identity->exec_time = from.identity->exec_time;
	identity->exec_id = from.identity->exec_id;
	__builtin_memcpy(identity->tty, from.identity->tty, TTY_BYTES);
	identity->terminal = from.identity->terminal & ~TERMINAL_HUNG_UP;
	identity->image = from.identity->flags & PROCESS_BY_PLACE ? from.identity->image : (u64)mm_of(child);
	identity->flags = from.identity->flags | (from.seeded ? PROCESS_SEEDED : 0) |
			  (copied ? 0 : PROCESS_NO_MEMORY | PROCESS_CUT | PROCESS_EXE_LOST);
	identity->flags |= inherit_environment(child, &from);
	if (!copied)
		COUNT(counters->fork_no_memory);
	if (!unchanged_since(from.identity, generation)) {
		identity->argv_kept = 0;
		identity->exe_kept = 0;
		identity->flags |= PROCESS_EXEC_RACE | PROCESS_EXE_LOST;
	}
	end_write(identity);
}

/*
 * Runs where a new task is woken for the first time, by its forker, with interrupts off: never skipped. The
 * run queue is locked: only for kernels whose local storage has an allocator of its own (probe.rs).
 */
static __always_inline void remember_missed_fork(struct task_struct *forker, struct task_struct *child,
						 struct counters *counters)
{
	if (bpf_task_storage_get(&identities, child, NULL, 0))
		return;
	remember_fork(forker, child, counters);
	if (bpf_task_storage_get(&identities, child, NULL, 0))
		COUNT(counters->recovered_forks);
}

#endif
