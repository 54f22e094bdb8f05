/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is left of a process that ends before those that it started: its key, name and command line, and who started
 * it in turn. A daemon's double fork, or a shell that ended after "command &", would be nobody otherwise.
 *
 * A ghost is left only where somebody may ask for it: the process has children now, or had one that left a ghost.
 * How many there are is bounded: the oldest goes for the newest, and is counted.
 */
#ifndef KILLSNOOP_GHOST_H
#define KILLSNOOP_GHOST_H

#include "identity.h"

/* The exit hook's, as identity_scratches are the exec hook's: too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, struct ghost);
} ghost_scratches SEC(".maps");

u64 ghost_turn = 0;

/* Other threads of it may have left children that are not re-parented yet. */
static __always_inline bool has_children(struct task_struct *task)
{
	struct list_head *first = BPF_CORE_READ(task, children.next);

	return (u64)first != (u64)task + bpf_core_field_offset(struct task_struct, children) ||
	       BPF_CORE_READ(task, signal, nr_threads) > 1;
}

static __always_inline void make_room(const struct handover_key *key, struct counters *counters)
{
	u32 place = (u32)(__sync_fetch_and_add(&ghost_turn, 1) % settings.ghosts);
	struct handover_key *oldest = bpf_map_lookup_elem(&ghost_places, &place);

	if (!oldest)
		return;
	if (oldest->tgid && !bpf_map_delete_elem(&ghosts, oldest))
		COUNT(counters->ghosts_dropped);
	*oldest = *key;
}

/* True: it did. */
static __always_inline bool leave_ghost(struct task_struct *task, struct task_struct *leader,
					struct identity *own, struct counters *counters, u32 copy)
{
	u32 slot = 2 * bpf_get_smp_processor_id() + copy, kept;
	struct handover_key key = { .start_time = leader->start_boottime, .tgid = leader->tgid };
	struct ghost *ghost;
	struct known known = {};
	const void *argv;

	if (!(own->marks & MARK_FORKED) || !settings.ghosts ||
	    !(own->marks & MARK_BEREFT || has_children(task)))
		return false;
	ghost = bpf_map_lookup_elem(&ghost_scratches, &slot);
	if (!ghost)
		return false;
	__builtin_memset(ghost, 0, sizeof(*ghost));
	ghost->uid = BPF_CORE_READ(leader, cred, euid.val);
	ghost->exec_id = (u32)leader->self_exec_id;
	bpf_probe_read_kernel(ghost->comm, sizeof(ghost->comm), leader->comm);
	ghost->spawner.start = own->spawner_start;
	ghost->spawner.tgid = own->spawner_tgid;
	ghost->spawner.exec_id = own->spawner_exec_id;
	ghost->flags = PROCESS_UNKNOWN;
	known.identity = own_identity(leader, &known);
	if (known.identity) {
		kept = *(volatile u32 *)&known.identity->argv_kept;
		ghost->generation = generation_of(known.identity);
		ghost->flags = known.identity->flags | (known.seeded ? PROCESS_SEEDED : 0);
		argv = argv_bytes(&known, bytes_kept(known.identity));
		if (kept > GHOST_ARGV) {
			ghost->flags |= PROCESS_CUT;
			kept = GHOST_ARGV;
		}
		/* an execve that failed past its point of no return, or a hook that was missed */
		if (known.identity->exec_id != ghost->exec_id && !(ghost->flags & PROCESS_BY_PLACE)) {
			ghost->flags |= PROCESS_MID_EXEC;
		} else if (!argv || ghost->generation & 1 ||
			   bpf_probe_read_kernel(ghost->argv, AT_MOST(GHOST_ARGV, kept), argv)) {
			ghost->flags |= PROCESS_EXEC_RACE;
		} else {
			ghost->argv_kept = kept;
			ghost->argv_total = known.identity->argv_total;
		}
	}
	make_room(&key, counters);
	if (bpf_map_update_elem(&ghosts, &key, ghost, BPF_ANY))
		COUNT(counters->ghosts_dropped);
	else
		COUNT(counters->ghosts_left);
	return true;
}

#endif
