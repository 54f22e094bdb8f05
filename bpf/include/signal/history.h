/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What came before: which signals a process was sent, the last that could have ended it, and which of its children
 * died of one. Kept with the process; read at its next signal and at its end.
 */
#ifndef KILLSNOOP_SIGNAL_HISTORY_H
#define KILLSNOOP_SIGNAL_HISTORY_H

#include "base/task.h"
#include "identity/generation.h"
#include "identity/handover.h"
#include "identity/terminal.h"
#include "identity/untracked.h"
#include "signal/hide.h"

static __always_inline void note_signalled(struct identity *identity, u32 signal)
{
	if (!(identity->signalled & SIGNAL_BIT(signal)))
		__sync_fetch_and_or(&identity->signalled, SIGNAL_BIT(signal));
}

static __always_inline bool was_signalled(struct task_struct *leader, const struct identity *identity,
					  u32 signal)
{
	struct handover_key key = { .start_time = leader->start_boottime, .tgid = leader->tgid };
	struct untracked *noted;

	if (identity && identity->signalled & SIGNAL_BIT(signal))
		return true;
	noted = bpf_map_lookup_elem(&untracked_signals, &key);
	return noted && noted->signalled & SIGNAL_BIT(signal);
}

/*
 * Could it have ended its target, by its default action? Not one that was refused, nor one that came when something
 * else was ending it.
 */
static __always_inline bool may_end(const struct facts *facts, struct task_struct *target)
{
	if (NEVER_ENDS & SIGNAL_BIT(facts->signal) || facts->result == TRACE_SIGNAL_OVERFLOW_FAIL)
		return false;
	return facts->result != TRACE_SIGNAL_IGNORED ||
	       !(untrusted_view(target)->signal->flags & SIGNAL_GROUP_EXIT);
}

/*
 * What the target had before this signal, for the record. Where nothing is kept of it (the fork hook has not run yet, or
 * the value could not be had), the signals that came are noted elsewhere: none there, none before.
 */
static __always_inline void recall(struct facts *facts, struct task_struct *leader,
				   const struct identity *identity)
{
	facts->child_death = 0;
	facts->no_history = 0;
	if (identity) {
		facts->previous = identity->previous;
		facts->no_history = !facts->previous.time && identity->marks & MARK_NO_HISTORY;
	} else {
		struct handover_key key = { .start_time = leader->start_boottime, .tgid = leader->tgid };

		facts->previous.time = 0;
		facts->no_history = bpf_map_lookup_elem(&untracked_signals, &key) != NULL;
	}
}

/* What the source itself has met: it may pass on what it got. Its own signal to itself is noted already. */
static __always_inline void recall_source(struct facts *facts, const struct identity *source)
{
	facts->child_death = 0;
	facts->to_source.time = 0;
	if (!source)
		return;
	facts->child_death = *(volatile u64 *)&source->child_death;
	if (facts->to_itself)
		facts->to_source = facts->previous;
	else
		copy_previous(&facts->to_source, &source->previous);
}

/* glibc's SIGCANCEL and SIGSETXID: what its threads say to each other came before nothing. */
static __always_inline bool is_of_the_c_library(const struct facts *facts)
{
	return (facts->signal == KERNEL_SIGRTMIN || facts->signal == KERNEL_SIGRTMIN + 1) &&
	       facts->disposition != DISPOSITION_DEFAULT;
}

/* One of which the kernel keeps the address (fault_address_of()). */
static __always_inline bool is_page_fault(const struct facts *facts)
{
	return (facts->signal == SIGBUS || facts->signal == SIGSEGV) && facts->info == INFO_POINTER &&
	       facts->to_itself && !facts->is_sent && facts->code > 0 && facts->code < SI_KERNEL;
}

/*
 * The siglock of the target is held: no two write at once. One that is hidden by default (a profiler's timer, a
 * runtime's signal to itself) does not push out one that is not.
 */
static __always_inline void note_previous(struct identity *identity, const struct facts *facts,
					  struct task_struct *current_task, bool is_hidden)
{
	struct wire_previous *previous = &identity->previous;
	bool is_sent = facts->is_sent || written_to_cgroup_kill(facts);

	if (is_hidden && previous->time && !(previous->flags & PREVIOUS_HIDDEN))
		return;
	*(volatile u64 *)&previous->time = 0;
	generation_barrier();
	previous->signal = (u8)facts->signal;
	previous->result = (u8)facts->result;
	previous->flags = (is_sent ? PREVIOUS_SENT : 0) | (is_hidden ? PREVIOUS_HIDDEN : 0) |
			  (facts->disposition == DISPOSITION_DEFAULT ? PREVIOUS_DEFAULT : 0) |
			  (is_page_fault(facts) ? PREVIOUS_PAGE_FAULT : 0);
	previous->source_tgid = 0;
	previous->source_start = 0;
	if (is_sent) {
		struct task_struct *leader = untrusted_view(current_task)->group_leader;

		previous->source_tgid = leader->tgid;
		previous->source_start = leader->start_boottime;
		copy_comm(previous->source_comm, leader);
	}
	generation_barrier();
	*(volatile u64 *)&previous->time = facts->time;
}

/*
 * Does it explain that its target dies of this signal later? Not one that is hidden, or was ignored; nor one that was
 * handled when it came: the target may die of another, or of this one once it has no handler any more, and then the end is
 * reported, with what came before it.
 */
static __always_inline bool explains_an_end(const struct facts *facts)
{
	return facts->result != TRACE_SIGNAL_IGNORED &&
	       (facts->filtered || (facts->hidden == SHOWN && facts->disposition == DISPOSITION_DEFAULT));
}

/*
 * What came before goes into the facts, and this signal into what comes before the next. The identity is of one of two
 * maps: done with here, or the verifier would follow the rest of the program for each.
 */
static __always_inline void recall_and_note(struct facts *facts, struct task_struct *leader,
					    struct task_struct *current_task)
{
	struct identity *identity = any_identity(leader);

	if (facts->is_reported)
		recall(facts, leader, identity);
	if (identity && is_hangup(facts))
		note_hangup(leader, identity);
	if (!facts->may_end)
		return;
	if (!identity) {
		note_untracked(leader, explains_an_end(facts) ? SIGNAL_BIT(facts->signal) : 0,
			       facts->is_reported ? MARK_REPORTED : 0);
		return;
	}
	if (explains_an_end(facts))
		note_signalled(identity, facts->signal);
	if (!is_of_the_c_library(facts))
		note_previous(identity, facts, current_task, facts->hidden != SHOWN);
	if (facts->is_reported)
		mark(identity, MARK_REPORTED);
	if (leader->flags & PF_EXITING)
		refresh_handover(leader, identity);
}

/* With the parent: that this child died of a signal (0: of none), and whether it has left a ghost. */
static __always_inline void note_with_parent(struct task_struct *parent, u32 tgid, u32 signal, u64 time,
					     bool left_ghost)
{
	struct identity *identity = any_identity(parent);

	if (!identity)
		return;
	if (signal)
		*(volatile u64 *)&identity->child_death = CHILD_DEATH(tgid, signal, time);
	/* it is above those that may ask, and leaves a ghost as well */
	if (left_ghost)
		mark(identity, MARK_CHILD_LEFT_GHOST);
	if (BPF_CORE_READ(parent, flags) & PF_EXITING)
		refresh_handover(parent, identity);
}

#endif
