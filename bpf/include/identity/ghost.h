/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is left of a process that ends before those that it started: its key, name and command line, and who started
 * it in turn. A daemon's double fork, or a shell that ended after "command &", would be nobody otherwise.
 *
 * A ghost is left only where somebody may ask for it: the process has children now, or had one that left a ghost.
 * How many there are is bounded, and fairly: the oldest goes for the newest, and is counted, but a user who has more
 * than a share pays for it. So nobody who forks in a loop has the ghosts of others forgotten.
 */
#ifndef KILLSNOOP_IDENTITY_GHOST_H
#define KILLSNOOP_IDENTITY_GHOST_H

#include "base/counters.h"
#include "base/user_class.h"
#include "identity/argv.h"
#include "identity/generation.h"

/*
 * What is left of a process that ended before those that it started. Each place of `ghost_places` names the
 * ghost that was put there last and the class of users that it is counted for, so that what goes for another is
 * chosen fairly, and counted. max_entries of both become the number asked for.
 */
struct ghost {
	struct spawner spawner;
	u32 flags;
	u32 uid;
	u32 exec_id;
	u32 argv_total;
	u32 argv_kept;
	u32 reserved;
	u8 comm[TASK_COMM_LEN];
	u8 argv[GHOST_ARGV];
};
_Static_assert(sizeof(struct ghost) == 16 + 24 + TASK_COMM_LEN + GHOST_ARGV, "ghost has padding");
struct ghost_place {
	u64 start_time;
	u32 tgid;
	u32 class; /* 0: free; GHOST_PLACE_BUSY: claimed by a program that puts one there */
};
#define GHOST_PLACE_BUSY 0xffffffffU
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct handover_key);
	__type(value, struct ghost);
} ghosts SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct ghost_place);
} ghost_places SEC(".maps");

/* The exit hook's, as identity_scratches are the exec hook's: too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, struct ghost);
} ghost_scratches SEC(".maps");

/* So many places are looked at for one ghost. */
#define GHOST_PROBES 16

u64 ghost_turn = 0;
u32 ghosts_held[USER_CLASSES] = {};
/* Classes that have ghosts, without root's. */
u32 ghost_users = 0;

/* Other threads of it may have left children that are not re-parented yet. */
static __always_inline bool has_children(struct task_struct *task)
{
	struct list_head *first = BPF_CORE_READ(task, children.next);

	return (u64)first != (u64)task + bpf_core_field_offset(struct task_struct, children) ||
	       BPF_CORE_READ(task, signal, nr_threads) > 1;
}

/* What a class may keep whatever the others do: half is root's, and the users that have ghosts share the rest. */
static __always_inline u32 ghost_share(u32 class)
{
	u32 of_root = settings.ghosts / 2, users = *(volatile u32 *)&ghost_users;

	if (class == CLASS_ROOT)
		return of_root;
	return (settings.ghosts - of_root) / (users ? users : 1);
}

/* How many a class has. AT_MOST: the compiler knows what a class can be, and the verifier does not. */
static __always_inline u32 *ghosts_of(u32 class)
{
	return &ghosts_held[AT_MOST(USER_CLASSES - 1, class)];
}

/* One more in a class, or one less. */
static __always_inline void ghost_came(u32 class)
{
	if (!__sync_fetch_and_add(ghosts_of(class), 1) && class != CLASS_ROOT)
		__sync_fetch_and_add(&ghost_users, 1);
}

static __always_inline void ghost_went(u32 class)
{
	if (__sync_fetch_and_add(ghosts_of(class), -1) == 1 && class != CLASS_ROOT)
		__sync_fetch_and_add(&ghost_users, -1);
}

/* Whether it may be had for a ghost of this class: free, or of a class that has more than its share, or its own. */
static __always_inline bool is_ghost_place_for(u32 was, u32 class)
{
	if (!was)
		return true;
	return *(volatile u32 *)ghosts_of(was) + (was == class) > ghost_share(was);
}

static __always_inline void drop_ghost(const struct ghost_place *place, u32 class)
{
	struct handover_key key = { .start_time = place->start_time, .tgid = place->tgid };
	struct counters *counters = cpu_counters();

	ghost_went(class);
	if (!bpf_map_delete_elem(&ghosts, &key) && counters)
		COUNT(counters->ghosts_dropped);
}

/*
 * The number of a place that is the caller's until it writes a class there; -1: there is none. The oldest is looked at
 * first; where that is not to be had, some at random, since what a class may keep can be in one piece.
 */
BPF_GLOBAL_FUNC int claim_ghost_place(u32 class)
{
	struct ghost_place *place;
	u32 turn, at, was;

	for (turn = 0; turn < GHOST_PROBES; turn++) {
		at = turn ? bpf_get_prandom_u32() : (u32)__sync_fetch_and_add(&ghost_turn, 1);
		at %= settings.ghosts;
		place = bpf_map_lookup_elem(&ghost_places, &at);
		if (!place)
			break;
		was = *(volatile u32 *)&place->class;
		if (was != GHOST_PLACE_BUSY && is_ghost_place_for(was, class) &&
		    __sync_val_compare_and_swap(&place->class, was, GHOST_PLACE_BUSY) == was) {
			if (was)
				drop_ghost(place, was);
			return (int)at;
		}
	}
	return -1;
}

/* False: no room. */
static __always_inline bool put_ghost(const struct handover_key *key, const struct ghost *ghost, u32 class)
{
	int at = claim_ghost_place(class);
	struct ghost_place *place = bpf_map_lookup_elem(&ghost_places, &at);
	bool is_put;

	if (!place)
		return false;
	is_put = !bpf_map_update_elem(&ghosts, key, ghost, BPF_ANY);
	if (is_put) {
		ghost_came(class);
		place->start_time = key->start_time;
		place->tgid = key->tgid;
	}
	/* a full barrier, as the program that claims it next has one */
	__sync_lock_test_and_set(&place->class, is_put ? class : 0);
	return is_put;
}

/* True: it did. */
static __always_inline bool leave_ghost(struct task_struct *task, struct task_struct *leader,
					struct identity *own, struct counters *counters, u32 copy)
{
	u32 slot = 2 * bpf_get_smp_processor_id() + copy, kept, generation;
	struct handover_key key = { .start_time = leader->start_boottime, .tgid = leader->tgid };
	struct ghost *ghost;
	struct identity_ref known = {};
	const void *argv;

	if (!(own->marks & MARK_FORKED) || !settings.ghosts ||
	    !(own->marks & MARK_CHILD_LEFT_GHOST || has_children(task)))
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
		generation = generation_of(known.identity);
		ghost->flags = known.identity->flags | (known.seeded ? PROCESS_SEEDED : 0);
		argv = argv_bytes(&known, bytes_kept(known.identity));
		if (kept > GHOST_ARGV) {
			ghost->flags |= PROCESS_CUT;
			kept = GHOST_ARGV;
		}
		/* an execve that failed past its point of no return, or a hook that was missed */
		if (known.identity->exec_id != ghost->exec_id && !(ghost->flags & PROCESS_BY_PLACE)) {
			ghost->flags |= PROCESS_MID_EXEC;
		} else if (!argv || generation & 1 ||
			   bpf_probe_read_kernel(ghost->argv, AT_MOST(GHOST_ARGV, kept), argv)) {
			ghost->flags |= PROCESS_EXEC_RACE;
		} else {
			ghost->argv_kept = kept;
			ghost->argv_total = known.identity->argv_total;
		}
	}
	if (put_ghost(&key, ghost, user_class(leader)))
		COUNT(counters->ghosts_left);
	else
		COUNT(counters->ghosts_dropped);
	return true;
}

#endif
