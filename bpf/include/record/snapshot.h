/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The picture of the instant: both processes and both chains of ancestors, in one record.
 */
#ifndef KILLSNOOP_RECORD_SNAPSHOT_H
#define KILLSNOOP_RECORD_SNAPSHOT_H

#include "base/ring.h"
#include "record/cause.h"
#include "record/chain.h"
#include "record/subject.h"
#include "record/title.h"
#include "signal/hide.h"

static __always_inline void describe_signal(struct wire_signal *signal, const struct facts *facts,
					    struct task_struct *target)
{
	signal->version = WIRE_VERSION;
	signal->time = facts->time;
	signal->signal = facts->signal;
	signal->flags = facts->group ? SIGNAL_GROUP : 0;
	if (facts->in_syscall)
		signal->flags |= SIGNAL_SYSCALL;
	if (facts->no_history)
		signal->flags |= SIGNAL_NO_HISTORY;
	signal->flags |= facts->in_tree;
	if (facts->is_traced)
		signal->flags |= SIGNAL_TRACED_CALL;
	if (facts->info == INFO_POINTER && facts->call.abi != ABI_NONE && !facts->is_on_stack)
		signal->flags |= SIGNAL_INFO_ELSEWHERE;
	signal->flags |= blocked_flags(target, facts->signal, facts->group);
	if (signal->flags & SIGNAL_BLOCKED && has_signalfd_reader(target))
		signal->flags |= SIGNAL_SIGNALFD;
	signal->result = (u8)facts->result;
	signal->info = (u8)facts->info;
	signal->info_code = facts->code;
	__builtin_memset(signal->info_fields, 0, sizeof(signal->info_fields));
	if (facts->info == INFO_POINTER) {
		struct kernel_siginfo *info = (struct kernel_siginfo *)facts->info_address;

		bpf_core_read(signal->info_fields, sizeof(signal->info_fields), &info->_sifields);
	}
	signal->disposition = (u8)facts->disposition;
	signal->max_ancestors = (u8)settings.max_ancestors;
	signal->source_ancestors = 0;
	signal->target_ancestors = 0;
	signal->beyond_ancestors = 0;
	signal->joins_at = JOINS_NOWHERE;
	signal->call = facts->call;
	signal->spawners = 0;
	signal->behind = 0;
	signal->stack_frames = 0;
	signal->previous = facts->previous;
}

struct subjects {
	struct task_struct *current_task;
	struct task_struct *target;
	struct scratch *scratch;
};

/* Turn 0: the source (or what else is current), turn 1: the target. Each with its whole argv; a sender with its title. */
static long append_subject(u32 index, void *context)
{
	struct subjects *subjects = context;
	struct scratch *scratch = subjects->scratch;
	struct wire_signal *signal = (struct wire_signal *)scratch->record;
	struct task_struct *task, *leader;
	struct wire_named *named;
	struct wire_task *facts;
	u32 has_image;

	task = index ? subjects->target : subjects->current_task;
	scratch->stage = index ? TARGET_CHAIN : SOURCE_CHAIN;
	leader = task->group_leader;
	/* a thread that is released already, in an interrupt, may point at a leader that is gone */
	if (!index && !scratch->facts.is_hashed)
		leader = task;
	facts = (struct wire_task *)((u8 *)&signal->source + AT_MOST(1, index) * sizeof(struct wire_task));
	describe_task(facts, task, leader);
	named = append_subject_image(scratch->record, RECORD_MAX, &scratch->length, leader, task,
				     &scratch->found, &scratch->spawner, &scratch->candidate);
	if (!named)
		return 1;
	if (index && has_exited(task))
		write_living(named, facts, AS_NUMBER(&scratch->facts.action, task));
	/* a current that is no source is not walked, so nothing can join its chain */
	if (*(volatile u32 *)&scratch->stage == SOURCE_CHAIN && scratch->facts.is_walked) {
		struct mm_struct *mm = mm_of(task);

		enter_source_chain(scratch, named->process.tgid);
		has_image =
			*(volatile u32 *)&named->process.flags & (PROCESS_REPORTED | PROCESS_NOT_REPORTED);
		scratch->argv_kept = has_image ? scratch->found.argv_kept : 0;
		scratch->argv_total = has_image ? scratch->found.argv_total : 0;
		if (mm)
			scratch->length += (u32)copy_title(scratch, mm->arg_start, mm->arg_end);
	}
	append_rest(scratch->record, RECORD_MAX, &scratch->length, facts, task);
	if (*(volatile u32 *)&scratch->stage == TARGET_CHAIN || scratch->facts.is_walked)
		note_orphan(scratch, untrusted_view(leader)->real_parent->group_leader);
	else
		scratch->processes++;
	return 0;
}

static __always_inline void begin_record(struct scratch *scratch, struct task_struct *target,
					 enum wire_kind kind)
{
	struct wire_signal *signal = (struct wire_signal *)scratch->record;

	describe_signal(signal, &scratch->facts, target);
	signal->kind = kind;
	scratch->length = sizeof(*signal);
	scratch->ancestors = 0;
	scratch->source_count = 0;
	scratch->source_only = 0;
	scratch->joins_at = JOINS_NOWHERE;
	begin_lineage(scratch);
}

static __always_inline void take_snapshot(void *ctx, struct scratch *scratch,
					  struct task_struct *current_task, struct task_struct *target)
{
	struct wire_signal *signal = (struct wire_signal *)scratch->record;
	struct subjects subjects = { .current_task = current_task, .target = target, .scratch = scratch };
	struct walk walk = { .scratch = scratch };

	begin_record(scratch, target, RECORD_SIGNAL);
	BOUNDED_LOOP(2, 2, append_subject, &subjects);

	walk.target_next = target->group_leader;
	walk.beyond_next = walk.target_next;
	if (scratch->facts.is_walked) {
		walk.next = current_task->group_leader;
		begin_chain(scratch, SOURCE_CHAIN, settings.max_ancestors);
	} else {
		walk.next = walk.target_next;
		begin_chain(scratch, TARGET_CHAIN, settings.max_ancestors);
	}
	BOUNDED_LOOP(WALK_TURNS, WALK_TURNS, walk_up, &walk);
	append_spawners(scratch, signal);
	append_cause(ctx, scratch, signal, current_task, target);
	signal->length = scratch->length;
}

/* False: there is no room. */
static __always_inline bool emit_signal(struct scratch *scratch, struct counters *counters)
{
	u32 length = scratch->length;

	if (length > RECORD_MAX)
		length = RECORD_MAX;
	if (bpf_ringbuf_output(&records, scratch->record, length, BPF_RB_NO_WAKEUP))
		return false;
	counters->emitted++;
	charge(&scratch->candidate, length);
	wake_reader(counters);
	return true;
}

#endif
