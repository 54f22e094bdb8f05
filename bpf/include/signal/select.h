/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was asked for on the command line, as far as it can be decided before a byte is copied. User space asks the
 * rest, and may ask the same again: so nothing is refused here that it would not refuse. Whoever runs is taken for the
 * source where it may be one; whether it is, is for src/event/origin.rs to say.
 */
#ifndef KILLSNOOP_SIGNAL_SELECT_H
#define KILLSNOOP_SIGNAL_SELECT_H

#include "identity/store.h"
#include "record/subject.h"
#include "signal/hide.h"

static __always_inline bool is_listed(enum select_key key, u32 number, struct task_struct *named)
{
	struct select_value value = { .key = key, .number = number };

	if (named)
		bpf_probe_read_kernel_str(value.comm, sizeof(value.comm), named->comm);
	return bpf_map_lookup_elem(&selected, &value) != NULL;
}

static __always_inline bool is_asked(enum select_key key)
{
	return settings.selected & 1U << key;
}

/* One side: the three keys follow one another. The user is that of the thread, as in the record. */
static __always_inline bool side_passes(enum select_key pid, struct task_struct *leader, u32 user)
{
	enum select_key uid = pid + 1, comm = pid + 2;

	return !(is_asked(pid) && !is_listed(pid, leader->tgid, NULL)) &&
	       !(is_asked(uid) && !is_listed(uid, user, NULL)) &&
	       !(is_asked(comm) && !is_listed(comm, 0, leader));
}

/* `place` is map memory. */
static __always_inline u32 user_of_target(struct task_struct *target, u64 *place)
{
	if (is_asked(SELECT_TARGET_UID) && has_exited(target))
		return (u32)read_living_uid(AS_NUMBER(place, target));
	return view_of(target)->cred->euid.val;
}

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

/* Which sides are: the source's only where current acts for itself, and not in an interrupt that it has nothing to do with. */
static __always_inline bool find_trees(struct facts *facts, struct task_struct *current_task,
				       struct task_struct *target)
{
	facts->in_tree = 0;
	if (!is_asked(SELECT_TREE))
		return true;
	if (is_in_tree(target->group_leader))
		facts->in_tree |= SIGNAL_TARGET_IN_TREE;
	if ((facts->in_syscall || facts->is_exiting || facts->is_io_worker) &&
	    is_in_tree(current_task->group_leader))
		facts->in_tree |= SIGNAL_SOURCE_IN_TREE;
	return facts->in_tree;
}

/* By pid, user and name; trees are asked for once more is known (find_trees()). */
static __always_inline bool is_selected(struct task_struct *current_task, struct task_struct *target,
					u64 *place)
{
	struct task_struct *source, *leader;

	if (!settings.selected)
		return true;
	source = current_task->group_leader;
	leader = target->group_leader;
	return !(is_asked(SELECT_PID) && !is_listed(SELECT_PID, source->tgid, NULL) &&
		 !is_listed(SELECT_PID, leader->tgid, NULL)) &&
	       side_passes(SELECT_SOURCE_PID, source, view_of(current_task)->cred->euid.val) &&
	       side_passes(SELECT_TARGET_PID, leader, user_of_target(target, place));
}

#endif
