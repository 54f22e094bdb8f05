/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What passes from one leader of a process to the next. A thread that execs becomes the leader, in another
 * task_struct that has no storage: the old leader leaves here what was known of the process.
 */
#ifndef KILLSNOOP_IDENTITY_HANDOVER_H
#define KILLSNOOP_IDENTITY_HANDOVER_H

#include "base/counters.h"
#include "base/hook_copy.h"
#include "identity/generation.h"
#include "identity/tree.h"

/*
 * What the old leader leaves when another thread execs: the new leader is another task_struct with no
 * storage. An entry lives some microseconds, and the program that reads it deletes it; LRU because a thread that dies
 * between de_thread() and the exec hook never reads it.
 */
struct handover {
	u64 spawner_start;
	u32 spawner_tgid;
	u32 spawner_exec_id;
	u32 generation;
	u32 marks;
	u64 signalled;
	u64 child_death;
	struct wire_previous previous;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct handover_key);
	__type(value, struct handover);
} handovers SEC(".maps");

/*
 * The leader is gone and other threads live: one of them may exec, and then only what was handed over is left. So what
 * happens meanwhile is handed over as well.
 */
static __always_inline void hand_over(struct handover *left, const struct identity *identity)
{
	left->signalled = identity->signalled;
	left->marks = identity->marks;
	left->child_death = identity->child_death;
	copy_previous(&left->previous, &identity->previous);
}

static __always_inline void refresh_handover(struct task_struct *leader, const struct identity *identity)
{
	struct handover_key key = { .start_time = leader->start_boottime, .tgid = leader->tgid };
	struct handover *left = bpf_map_lookup_elem(&handovers, &key);
	struct handover first = {};

	if (left) {
		hand_over(left, identity);
		return;
	}
	/* it went before the tracer came; or it is the end of the whole process */
	if (BPF_CORE_READ(leader, signal, live.counter) == 0)
		return;
	hand_over(&first, identity);
	bpf_map_update_elem(&handovers, &key, &first, BPF_ANY);
}

/*
 * What the old leader left was pushed out: what happened to the process is not known any more. Whether it is in a tree that
 * was asked for is.
 */
static __always_inline void begin_without_handover(struct task_struct *task, struct identity *identity)
{
	mark(identity, MARK_NO_HISTORY);
	if (bpf_task_storage_get(&threads_in_tree, task, NULL, 0) || is_below_root(task))
		mark(identity, MARK_IN_TREE);
}

static __always_inline void adopt_handover(struct task_struct *task, struct identity *identity)
{
	struct handover_key key = { .start_time = task->start_boottime, .tgid = task->tgid };
	struct handover *left = bpf_map_lookup_elem(&handovers, &key);

	if (!left) {
		begin_without_handover(task, identity);
		return;
	}
	identity->spawner_start = left->spawner_start;
	identity->spawner_tgid = left->spawner_tgid;
	identity->spawner_exec_id = left->spawner_exec_id;
	identity->generation = left->generation;
	__sync_fetch_and_or(&identity->signalled, left->signalled);
	__sync_fetch_and_or(&identity->marks, left->marks);
	/* what came in between is newer */
	if (!identity->child_death)
		identity->child_death = left->child_death;
	if (!identity->previous.time)
		copy_previous(&identity->previous, &left->previous);
	bpf_map_delete_elem(&handovers, &key);
}

/* The leader exits and other threads live: one of them may be exec'ing, and become the leader. */
static __always_inline void leave_handover(struct task_struct *task, struct counters *counters,
					   enum hook_copy copy)
{
	struct identity *identity, *own;
	struct handover_key key = { .start_time = task->start_boottime, .tgid = task->tgid };
	struct handover left = {};

	if (task->pid != task->tgid)
		return;
	own = bpf_task_storage_get(&identities, task, NULL, 0);
	/* what happened to one that is older than the tracer is kept with the seeding's */
	identity = own ?: bpf_task_storage_get(&seeded, task, NULL, 0);
	if (!identity)
		return;
	if (copy == SECOND_COPY) {
		if (bpf_map_lookup_elem(&handovers, &key))
			return;
		COUNT(counters->recovered_exits);
	}
	left.spawner_start = identity->spawner_start;
	left.spawner_tgid = identity->spawner_tgid;
	left.spawner_exec_id = identity->spawner_exec_id;
	left.generation = own ? own->generation : 0;
	hand_over(&left, identity);
	bpf_map_update_elem(&handovers, &key, &left, BPF_ANY);
}

#endif
