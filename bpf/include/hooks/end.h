/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The end of a process: noted with its parent if a signal ended it, a ghost for those that it started, and a record
 * if a record reported a signal that could have ended it, or if it died of one that none reported (a signal injected by
 * ptrace and strict seccomp's kill never pass signal_generate), or if its end was asked for by its pid.
 *
 * The exit of the leader is not the end of the process: that is when the last thread goes (live == 0), and by then
 * the exit code is final. Several threads may see that at once: MARK_ENDED is set by one.
 */
#ifndef KILLSNOOP_HOOKS_END_H
#define KILLSNOOP_HOOKS_END_H

#include "base/hook_copy.h"
#include "base/loss.h"
#include "identity/ghost.h"
#include "identity/handover.h"
#include "record/ascent.h"
#include "record/subject.h"
#include "signal/history.h"
#include "signal/select.h"

/*
 * Where the exit hook builds the record of an end: as above, one element per CPU for each of its two copies.
 */
#define END_MAX (3 * 1024)
struct end_scratch {
	u32 length;
	u32 is_reported;
	struct identity_handle found;
	struct spawner spawner; /* not asked for */
	u32 died_of;            /* the number of a signal, or 0 */
	u32 left_ghost;
	struct candidate candidate;
	u64 tracer; /* struct task_struct *, never followed but by copying; 0: none */
	u8 record[END_MAX] __attribute__((aligned(8)));
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, struct end_scratch);
} end_scratches SEC(".maps");

struct end_walk {
	struct end_scratch *scratch;
	struct ascent ascent;
};

static long append_end_ancestor(u32 index, void *context)
{
	struct end_walk *walk = context;
	struct end_scratch *scratch = walk->scratch;

	return ascend(&walk->ascent, index, BY_LOADS, scratch->record, END_MAX, &scratch->length,
		      &scratch->found, &scratch->spawner, &scratch->candidate);
}

/* Who traces the thread that the exit code is of, and the seccomp mode of that: only where the end is reported. */
BPF_GLOBAL_FUNC int read_tracer(struct end_scratch *scratch, u64 address)
{
	struct task_struct *task = (struct task_struct *)address, *thread = task;
	struct wire_end *end;

	if (!scratch)
		return 0;
	end = (struct wire_end *)scratch->record;
	if (!end->thread && !(BPF_CORE_READ(task, signal, flags) & SIGNAL_GROUP_EXIT))
		thread = BPF_CORE_READ(task, group_leader);
	end->ptrace = BPF_CORE_READ(thread, ptrace);
	end->seccomp_mode = seccomp_mode(thread);
	scratch->tracer = end->ptrace & PT_PTRACED ? (u64)BPF_CORE_READ(thread, parent, group_leader) : 0;
	return 0;
}

static __always_inline void lose_end(struct end_scratch *scratch, struct counters *counters)
{
	note_loss(scratch->candidate.cause);
	COUNT(counters->ends_dropped);
}

/* What the process was is in the record; what it had, and those above it, follow. */
static __always_inline void emit_end(struct end_scratch *scratch, struct task_struct *task,
				     struct task_struct *leader, struct task_struct *parent,
				     struct counters *counters)
{
	struct wire_end *end = (struct wire_end *)scratch->record;
	struct end_walk walk = {};
	u32 length;
	u64 address;

	/* what may end a process does not compete with other signals of its user, and neither does its end */
	if (!is_admitted(&scratch->candidate, task, URGENT)) {
		lose_end(scratch, counters);
		return;
	}
	end->version = WIRE_VERSION;
	end->kind = RECORD_END;
	end->has_tracer = 0;
	__builtin_memset(&end->call, 0, sizeof(end->call));
	if (have_task_pt_regs())
		read_syscall(task, CALL_IS_OVER, &end->call);
	address = AS_NUMBER(&scratch->tracer, task);
	read_tracer(scratch, address);
	scratch->length = sizeof(*end);
	outline_task(&end->task, address);
	if (!append_subject_image(scratch->record, END_MAX, &scratch->length, leader, task, &scratch->found,
				  &scratch->spawner, &scratch->candidate))
		return;
	append_rest(scratch->record, END_MAX, &scratch->length, &end->task, task);

	if (scratch->tracer && append_outline(scratch->record, END_MAX, &scratch->length, scratch->tracer))
		end->has_tracer = 1;
	/* not before: the verifier would follow both along all branches above */
	walk.scratch = scratch;
	walk.ascent.next = parent;
	BOUNDED_LOOP(MAX_ANCESTORS + 1, MAX_ANCESTORS + 1, append_end_ancestor, &walk);
	end->processes = 1 + end->has_tracer + walk.ascent.count;
	end->truncated = walk.ascent.truncated;

	length = *(volatile u32 *)&scratch->length;
	end->length = length;
	if (bpf_ringbuf_output(&records, scratch->record, AT_MOST(END_MAX, length), BPF_RB_NO_WAKEUP)) {
		lose_end(scratch, counters);
	} else {
		COUNT(counters->ends_emitted);
		charge(&scratch->candidate, length);
	}
	wake_reader(counters);
}

/*
 * signal->group_exit_code is what wait() will return where the group exits as one; else the leader's own code. (The
 * last thread's misleads: the leader may be gone before it.)
 */
static __always_inline u32 status_of(struct task_struct *task)
{
	struct task_struct *view = untrusted_view(task);
	struct signal_struct *signal = view->signal;

	return signal->flags & SIGNAL_GROUP_EXIT ? signal->group_exit_code : view->group_leader->exit_code;
}

/*
 * What is noted of the end, and whether it is to be reported. The identity is of one of two maps: done with here, or the
 * verifier would follow the rest for each.
 */
static __always_inline void note_end(struct end_scratch *scratch, struct task_struct *task,
				     struct task_struct *leader, struct counters *counters, u32 copy)
{
	struct wire_end *end = (struct wire_end *)scratch->record;
	struct identity *identity = any_identity(leader);
	u32 number, marks, is_asked_for, is_kept = 1;

	is_asked_for = settings.reports_ends && is_listed(SELECT_TARGET_PID, leader->tgid, NULL);
	scratch->is_reported = 0;
	scratch->died_of = 0;
	scratch->left_ghost = 0;
	end->thread = 0;
	if (identity) {
		marks = __sync_fetch_and_or(&identity->marks, MARK_ENDED);
	} else {
		struct handover_key key = { .start_time = leader->start_boottime, .tgid = leader->tgid };
		struct untracked *noted = bpf_map_lookup_elem(&untracked_signals, &key);

		/* of a process of which nothing is kept nobody can say whether it was signalled before */
		if (noted) {
			marks = __sync_fetch_and_or(&noted->marks, MARK_ENDED);
		} else {
			if (!(task->flags & PF_KTHREAD))
				COUNT(counters->ends_unknown);
			/* user space takes the first of several */
			if (!is_asked_for)
				return;
			marks = 0;
			is_kept = 0;
		}
	}
	if (marks & MARK_ENDED)
		return;
	if (copy != 0 && is_kept)
		COUNT(counters->recovered_exits);
	end->time = bpf_ktime_get_boot_ns();
	end->status = status_of(task);
	number = *(volatile u32 *)&end->status & 0x7f;
	scratch->died_of = number <= 64 ? number : 0;
	end->explained = 1;
	if (number >= 1 && number <= 64) {
		end->explained = was_signalled(leader, identity, number);
		scratch->is_reported =
			identity && !end->explained && settings.shown_signals & SIGNAL_BIT(number);
	}
	if (marks & MARK_REPORTED || is_asked_for)
		scratch->is_reported = 1;
	end->previous.time = 0;
	end->delivery.signal = 0;
	if (!identity)
		return;
	copy_previous(&end->previous, &identity->previous);
	end->delivery = identity->delivery;
	scratch->left_ghost = leave_ghost(task, leader, identity, counters, copy);
}

/*
 * A thread that is killed while its process goes on: by a seccomp filter (SECCOMP_RET_KILL_THREAD), by strict seccomp, by an
 * oops. do_exit() has the number of a signal then, and none was sent. Where the group exits, and where another thread execs,
 * it is the process that ends its threads.
 */
static __always_inline bool is_killed_alone(struct task_struct *task)
{
	struct task_struct *view = untrusted_view(task);

	return view->exit_code & 0x7f && !(view->signal->flags & SIGNAL_GROUP_EXIT);
}

static __always_inline void note_thread_end(struct end_scratch *scratch, struct task_struct *task,
					    struct task_struct *leader)
{
	struct wire_end *end = (struct wire_end *)scratch->record;
	struct identity *identity = any_identity(leader);
	u32 number;

	scratch->died_of = 0;
	scratch->left_ghost = 0;
	end->thread = 1;
	end->explained = 0;
	end->time = bpf_ktime_get_boot_ns();
	end->status = untrusted_view(task)->exit_code;
	number = *(volatile u32 *)&end->status & 0x7f;
	scratch->is_reported = number >= 1 && number <= 64 && settings.shown_signals & SIGNAL_BIT(number);
	end->previous.time = 0;
	end->delivery.signal = 0;
	if (identity)
		copy_previous(&end->previous, &identity->previous);
}

static __always_inline void see_end(struct task_struct *task, struct counters *counters, u32 copy,
				    bool is_last)
{
	u32 slot = 2 * bpf_get_smp_processor_id() + copy;
	struct end_scratch *scratch = bpf_map_lookup_elem(&end_scratches, &slot);

	struct task_struct *leader, *parent;

	if (!scratch)
		return;
	/* followed once: each such step costs the verifier a millisecond and more */
	leader = task->group_leader;
	parent = leader->real_parent->group_leader;
	if (is_last)
		note_end(scratch, task, leader, counters, copy);
	else
		note_thread_end(scratch, task, leader);
	if (*(volatile u32 *)&scratch->is_reported && settings.outcomes && !settings.attempts_only)
		emit_end(scratch, task, leader, parent, counters);
	/* after the record: what the parent sends from now on may refer to it */
	if (*(volatile u32 *)&scratch->died_of || *(volatile u32 *)&scratch->left_ghost)
		note_with_parent(parent, leader->tgid, scratch->died_of,
				 ((struct wire_end *)scratch->record)->time, scratch->left_ghost);
}

/* The last thread that goes is the end of the process; a leader that goes before may be replaced by an exec. */
static __always_inline void see_exit(struct task_struct *task, struct counters *counters, enum hook_copy copy)
{
	bool is_last = untrusted_view(task)->signal->live.counter == 0;

	if (!is_last)
		leave_handover(task, counters, copy);
	if (is_last || is_killed_alone(task))
		see_end(task, counters, copy, is_last);
}

#endif
