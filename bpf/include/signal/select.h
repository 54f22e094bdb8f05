/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was asked for on the command line, as far as it can be decided before a byte is copied. User space asks the
 * rest, and may ask the same again: so nothing is refused here that it would not refuse. The
 * current task is assumed to be the source where it may be one; src/event/origin/ decides whether it is.
 */
#ifndef KILLSNOOP_SIGNAL_SELECT_H
#define KILLSNOOP_SIGNAL_SELECT_H

#include "identity/tree.h"
#include "signal/hide.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SELECTED_VALUES);
	__type(key, struct select_value);
	__type(value, u8);
} selected SEC(".maps");

struct comm_key {
	u8 comm[TASK_COMM_LEN];
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, IGNORED_COMMS);
	__type(key, struct comm_key);
	__type(value, u8);
} ignored_source_comms SEC(".maps");

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
	return untrusted_view(target)->cred->euid.val;
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
	       side_passes(SELECT_SOURCE_PID, source, untrusted_view(current_task)->cred->euid.val) &&
	       side_passes(SELECT_TARGET_PID, leader, user_of_target(target, place));
}

static __always_inline bool source_comm_is_ignored(const struct facts *facts,
						   struct task_struct *current_task)
{
	struct comm_key key = {};

	if (!settings.ignores_comms)
		return false;
	if (!facts->is_sent && !written_to_cgroup_kill(facts))
		return false;
	bpf_probe_read_kernel_str(key.comm, sizeof(key.comm), current_task->group_leader->comm);
	return bpf_map_lookup_elem(&ignored_source_comms, &key) != NULL;
}

#endif
