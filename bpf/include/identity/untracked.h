/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happened to processes of which nothing is kept, until something is. No command line is kept here.
 */
#ifndef KILLSNOOP_IDENTITY_UNTRACKED_H
#define KILLSNOOP_IDENTITY_UNTRACKED_H

#include "identity/store.h"

/*
 * What happened to processes of which nothing is kept: the tracer could not seed them, or, before 6.2, a look-up from an
 * interrupt found the storage busy. Asked at the exit of a process whose own value does not explain its end.
 */
struct untracked {
	u64 signalled;
	u32 marks;
	u32 reserved;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct handover_key);
	__type(value, struct untracked);
} untracked_signals SEC(".maps");

static __always_inline void note_untracked(struct task_struct *leader, u64 signals, u32 marks)
{
	struct handover_key key = { .start_time = leader->start_boottime, .tgid = leader->tgid };
	struct untracked *noted = bpf_map_lookup_elem(&untracked_signals, &key);
	struct untracked first = { .signalled = signals, .marks = marks };

	if (!noted) {
		bpf_map_update_elem(&untracked_signals, &key, &first, BPF_ANY);
		return;
	}
	__sync_fetch_and_or(&noted->signalled, signals);
	__sync_fetch_and_or(&noted->marks, marks);
}

/* What was sent to a task before there was a value to note it in. */
static __always_inline void note_pending(struct task_struct *task, struct identity *identity)
{
	struct task_struct *view = untrusted_view(task);
	u64 pending = view->pending.signal.sig[0] | view->signal->shared_pending.signal.sig[0];

	if (pending)
		__sync_fetch_and_or(&identity->signalled, pending);
}

/* What happened to a process before it had a value. */
static __always_inline void adopt_untracked(struct task_struct *task, struct identity *identity)
{
	struct handover_key key = { .start_time = task->start_boottime, .tgid = task->tgid };
	struct untracked *noted = bpf_map_lookup_elem(&untracked_signals, &key);

	if (!noted)
		return;
	__sync_fetch_and_or(&identity->signalled, noted->signalled);
	__sync_fetch_and_or(&identity->marks, noted->marks | MARK_NO_HISTORY);
}

#endif
