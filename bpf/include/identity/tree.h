/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether a process is in a tree that was asked for: born there, or below its root when the tracer came.
 */
#ifndef KILLSNOOP_IDENTITY_TREE_H
#define KILLSNOOP_IDENTITY_TREE_H

#include "base/settings.h"
#include "identity/store.h"

/* The processes that the trees asked for begin at. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TREE_ROOTS);
	__type(key, u32);
	__type(value, u8);
} tree_roots SEC(".maps");

struct ancestry {
	struct task_struct *next;
	bool is_found;
};

static long look_for_root(u32 index, void *context)
{
	struct ancestry *ancestry = context;
	struct task_struct *process = ancestry->next;
	u32 tgid = BPF_CORE_READ(process, tgid);

	if (tgid == 0)
		return 1;
	if (!(index == 0 && settings.tree_begins_below) && bpf_map_lookup_elem(&tree_roots, &tgid)) {
		ancestry->is_found = true;
		return 1;
	}
	ancestry->next = BPF_CORE_READ(process, real_parent, group_leader);
	return 0;
}

/*
 * The threads of the processes in those trees. A thread that execs becomes the leader, and what the leader before it left
 * may have been pushed out by others (identity/handover.h); this stays with the thread.
 */
TASK_STORAGE(threads_in_tree, u32);

/* How far above a process that is older than the tracer its root may be. */
#define TREE_DEPTH 256

/* Is it in a tree that was asked for? */
static __always_inline bool is_below_root(struct task_struct *task)
{
	struct ancestry ancestry = { .next = task };

	if (!(settings.selected & 1U << SELECT_TREE) || !have_bpf_loop())
		return false;
	bpf_loop(TREE_DEPTH, look_for_root, &ancestry, 0);
	return *(volatile bool *)&ancestry.is_found;
}

/*
 * Is it in a tree that was asked for? Kernel threads and the idle task, which run where a terminal or a timer sends, are in
 * none. One of which nothing is kept (a hook was skipped, or it is being born) is looked for among its ancestors.
 */
static __always_inline bool is_in_tree(struct task_struct *leader)
{
	struct identity *identity = any_identity(leader);

	if (identity)
		return identity->marks & MARK_IN_TREE;
	return leader->tgid != 0 && !(leader->flags & PF_KTHREAD) && is_below_root(leader);
}

#endif
