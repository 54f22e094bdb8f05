/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What explains a signal that no process sent by a system call: the kernel stack at the tracepoint, the resource
 * limits of the target, and who traces either side; and what else few signals have. It stands at the end of the record, so that
 * other signals do not pay for it.
 *
 * Nothing is decided here: names of functions belong to one kernel, and user space knows its symbols.
 */
#ifndef KILLSNOOP_RECORD_CAUSE_H
#define KILLSNOOP_RECORD_CAUSE_H

#include "base/task.h"
#include "identity/terminal.h"
#include "record/outline.h"
#include "record/scratch.h"
#include "signal/hide.h"

/* All of it, with what its alignment may cost. */
#define BEHIND_ROOM                                                               \
	(2 * sizeof(struct wire_named) + sizeof(struct wire_limits) + TTY_BYTES + \
	 sizeof(struct wire_previous) + 2 * sizeof(u64) + 8 * CAUSE_STACK + 8)

/* KILL, XCPU, XFSZ */
#define LIMIT_SIGNALS (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGXCPU) | SIGNAL_BIT(SIGXFSZ))

/*
 * A call of the kill family names its sender. So does the siginfo of a fault its own instruction, and that of SIGCHLD the
 * child. A tracer can change what the registers say.
 */
static __always_inline bool wants_stack(const struct facts *facts)
{
	if (facts->is_traced)
		return true;
	/* where the register of the result was changed, or the code is one of I/O, the stack has to show the call */
	if (facts->is_sent)
		return facts->call.abi != ABI_NONE && (!facts->call.active || facts->code == SI_SIGIO);
	if (facts->info != INFO_POINTER)
		return true;
	if (facts->signal == SIGCHLD)
		return false;
	return !(FAULT_SIGNALS & SIGNAL_BIT(facts->signal) && facts->to_itself && facts->code > 0 &&
		 facts->code < SI_KERNEL);
}

BPF_GLOBAL_FUNC int read_limits(struct wire_limits *limits, u64 address)
{
	struct task_struct *task = (struct task_struct *)address;
	struct signal_struct *signal = BPF_CORE_READ(task, signal);

	if (!limits)
		return 0;
	limits->cpu_soft = BPF_CORE_READ(signal, rlim[RLIMIT_CPU].rlim_cur);
	limits->cpu_hard = BPF_CORE_READ(signal, rlim[RLIMIT_CPU].rlim_max);
	limits->rttime_soft = BPF_CORE_READ(signal, rlim[RLIMIT_RTTIME].rlim_cur);
	limits->rttime_hard = BPF_CORE_READ(signal, rlim[RLIMIT_RTTIME].rlim_max);
	limits->fsize_soft = BPF_CORE_READ(signal, rlim[RLIMIT_FSIZE].rlim_cur);
	limits->cpu_time = BPF_CORE_READ(signal, cputimer.cputime_atomic.utime.counter) +
			   BPF_CORE_READ(signal, cputimer.cputime_atomic.stime.counter);
	return 0;
}

/* The target's terminal, or the one that it has just lost, or that the leader of its session lost before it ended. */
static __always_inline void name_tty(u8 *name, const struct facts *facts, struct task_struct *current_task,
				     struct task_struct *target)
{
	struct identity *identity;

	copy_tty(target, name);
	if (name[0])
		return;
	/* one that is released already, in an interrupt, may point at a leader that is gone */
	if (facts->is_exiting && facts->is_hashed && ends_session_of(current_task->group_leader, target)) {
		identity = any_identity(current_task->group_leader);
		if (identity && identity->terminal & TERMINAL_HUNG_UP) {
			__builtin_memcpy(name, identity->tty, TTY_BYTES);
			return;
		}
	}
	identity = any_identity(target->group_leader);
	/* it may have had another one since */
	if (identity && is_terminal_of(terminal_of(identity), target, identity->tty))
		__builtin_memcpy(name, identity->tty, TTY_BYTES);
}

static __always_inline void append_tracer(struct scratch *scratch, struct wire_signal *signal, u64 tracer,
					  enum wire_behind which)
{
	if (tracer && append_outline(scratch->record, RECORD_MAX, &scratch->length, tracer))
		signal->behind |= which;
}

static __always_inline void append_limits(struct scratch *scratch, struct wire_signal *signal, u64 target)
{
	u32 at = AT_MOST(RECORD_MAX - sizeof(struct wire_limits), *(volatile u32 *)&scratch->length & ~7U);
	u8 *to = scratch->record + at;

	asm volatile("" : "+r"(to));
	read_limits((struct wire_limits *)to, target);
	scratch->length = at + sizeof(struct wire_limits);
	signal->behind |= BEHIND_LIMITS;
}

/* Facts of the signal that few have, in words. */
static __always_inline void append_words(struct scratch *scratch, struct wire_signal *signal,
					 const u64 *words, u32 count, enum wire_behind which)
{
	u32 at = AT_MOST(RECORD_MAX - 64, *(volatile u32 *)&scratch->length & ~7U);
	u64 *to = (u64 *)(scratch->record + at);

	asm volatile("" : "+r"(to));
#pragma unroll
	for (u32 i = 0; i < count; i++)
		to[i] = words[i];
	scratch->length = at + count * sizeof(u64);
	signal->behind |= which;
}

static __always_inline void append_stack(void *ctx, struct scratch *scratch, struct wire_signal *signal)
{
	u32 at = AT_MOST(RECORD_MAX - 8 * CAUSE_STACK, *(volatile u32 *)&scratch->length & ~7U);
	s64 got = bpf_get_stack(ctx, scratch->record + at, 8 * CAUSE_STACK, 0);

	if (got < 8) {
		signal->flags |= SIGNAL_STACK_LOST;
		return;
	}
	signal->stack_frames = (u16)(got / 8);
	scratch->length = at + (u32)signal->stack_frames * 8;
}

/* Behind everything else. */
static __always_inline void append_cause(void *ctx, struct scratch *scratch, struct wire_signal *signal,
					 struct task_struct *current_task, struct task_struct *target)
{
	struct facts *facts = &scratch->facts;
	u64 address;

	if (*(volatile u32 *)&scratch->length > RECORD_MAX - BEHIND_ROOM) {
		signal->flags |= SIGNAL_STACK_LOST;
		return;
	}
	append_tracer(scratch, signal, tracer_of(current_task), BEHIND_SOURCE_TRACER);
	append_tracer(scratch, signal, tracer_of(target), BEHIND_TARGET_TRACER);
	if (!*(volatile u32 *)&facts->is_sent && LIMIT_SIGNALS & SIGNAL_BIT(facts->signal)) {
		address = AS_NUMBER(&scratch->found.mm, target);
		append_limits(scratch, signal, address);
	}
	if (is_from_tty(facts)) {
		__builtin_memset(scratch->tty, 0, sizeof(scratch->tty));
		name_tty((u8 *)scratch->tty, facts, current_task, target);
		if (*(volatile u8 *)scratch->tty)
			append_words(scratch, signal, scratch->tty, TTY_BYTES / 8, BEHIND_TTY);
	}
	if (*(volatile u64 *)&facts->to_source.time)
		append_words(scratch, signal, (const u64 *)&facts->to_source, sizeof(facts->to_source) / 8,
			     BEHIND_TO_SOURCE);
	if (*(volatile u64 *)&facts->child_death)
		append_words(scratch, signal, &facts->child_death, 1, BEHIND_CHILD_DEATH);
	if (*(volatile u64 *)&facts->last_fault)
		append_words(scratch, signal, &facts->last_fault, 1, BEHIND_LAST_FAULT);
	if (wants_stack(facts))
		append_stack(ctx, scratch, signal);
}

#endif
