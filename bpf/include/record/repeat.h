/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Signals and attempts that were refused room in the ring, counted with others that are the same: one event stands for
 * all of them. The first of them leaves a record of itself, without ancestors and command lines: user space asks for the
 * command lines of those that still live, by the image that they ran. The reader takes them out by generation (base/loss.h).
 */
#ifndef KILLSNOOP_RECORD_REPEAT_H
#define KILLSNOOP_RECORD_REPEAT_H

#include "base/loss.h"
#include "record/outline.h"
#include "record/snapshot.h"
#include "wire/repeat.h"

/* So many of one class are kept in a generation: further ones are lost. */
#define REPEATS_OF_A_CLASS 32

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 512);
	__type(key, struct repeat_key);
	__type(value, struct repeat);
} repeats SEC(".maps");

/* A state that says nothing: what the target did when the last of them came is not known. */
#define STATE_UNKNOWN 0x40000000

static __always_inline void read_info_fields(struct repeat_key *key, const struct facts *facts)
{
	struct kernel_siginfo *info = (struct kernel_siginfo *)facts->info_address;

	if (facts->info == INFO_POINTER)
		bpf_core_read(key->info_fields, sizeof(key->info_fields), &info->_sifields);
}

static __always_inline void write_repeat_key(struct repeat_key *key, const struct facts *facts,
					     struct task_struct *source, struct task_struct *target)
{
	key->generation = generation_of_refusals();
	key->source_start = BPF_CORE_READ(source, start_boottime);
	key->source_tgid = BPF_CORE_READ(source, tgid);
	key->source_exec = (u32)BPF_CORE_READ(source, self_exec_id);
	key->target_start = facts->call.args[0];
	if (target) {
		key->target_start = BPF_CORE_READ(target, start_boottime);
		key->target_tgid = BPF_CORE_READ(target, tgid);
		key->target_exec = (u32)BPF_CORE_READ(target, self_exec_id);
	}
	key->call = facts->in_syscall ? facts->call.number : -1;
	key->signal = facts->signal;
	key->code = facts->code;
	key->result = (u8)facts->result;
	key->disposition = (u8)facts->disposition;
	key->group = (u8)facts->group;
	key->info = (u8)facts->info;
	read_info_fields(key, facts);
}

/* A process of it: what a title and variables would be is not known, and is flagged. */
static __always_inline void outline_subject(struct wire_named *named, struct wire_task *facts, u64 task)
{
	u64 leader = (u64)BPF_CORE_READ((struct task_struct *)task, group_leader);

	outline_task(facts, task);
	outline(named, leader);
	named->name.uid = BPF_CORE_READ((struct task_struct *)task, cred, euid.val);
	if (settings.variables && !(named->process.flags & PROCESS_NO_ARGV))
		named->process.flags |= PROCESS_ENV_LOST;
}

/* Where the record would have been; without what came before, which another of them may have been. */
static __always_inline void outline_refused(struct scratch *scratch, const struct repeat_key *key, u64 source,
					    u64 target)
{
	struct repeat *repeat = (struct repeat *)scratch->record;
	struct wire_signal *signal = &repeat->signal;
	const struct facts *facts = &scratch->facts;

	__builtin_memset(repeat, 0, sizeof(*repeat));
	signal->version = WIRE_VERSION;
	signal->kind = key->kind;
	signal->length = sizeof(*signal) + sizeof(repeat->process) + sizeof(repeat->last_fault);
	signal->time = facts->time;
	signal->signal = facts->signal;
	signal->flags = SIGNAL_SOURCE_TRUNCATED | SIGNAL_TARGET_TRUNCATED | facts->in_tree;
	if (facts->group)
		signal->flags |= SIGNAL_GROUP;
	if (facts->in_syscall)
		signal->flags |= SIGNAL_SYSCALL;
	if (key->kind == RECORD_SIGNAL)
		signal->flags |= SIGNAL_NO_HISTORY;
	if (facts->info == INFO_POINTER && facts->call.abi != ABI_NONE && !facts->is_on_stack)
		signal->flags |= SIGNAL_INFO_ELSEWHERE;
	signal->result = (u8)facts->result;
	signal->info = (u8)facts->info;
	signal->info_code = facts->code;
	__builtin_memcpy(signal->info_fields, key->info_fields, sizeof(signal->info_fields));
	signal->disposition = (u8)facts->disposition;
	signal->max_ancestors = (u8)settings.max_ancestors;
	signal->joins_at = JOINS_NOWHERE;
	signal->behind = BEHIND_LAST_FAULT;
	repeat->last_fault = facts->last_fault;
	signal->call = facts->call;
	outline_subject(&repeat->process[0], &signal->source, source);
	if (facts->is_walked)
		repeat->process[0].process.flags |= PROCESS_TITLE_LOST;
	outline_subject(&repeat->process[1], &signal->target, target ?: source);
	signal->target.state = STATE_UNKNOWN;
	if (key->kind == RECORD_ATTEMPT) {
		signal->length += sizeof(repeat->attempt);
		repeat->attempt.returned = key->returned;
		repeat->attempt.has_target = target != 0;
	}
	repeat->count = 1;
	repeat->last = facts->time;
}

/* Has the class of this task room for one more? */
BPF_GLOBAL_FUNC int may_begin_repeat(u64 cause)
{
	struct loss *of_class = losses_of(cause);

	return of_class && __sync_fetch_and_add(&of_class->repeats, 1) < REPEATS_OF_A_CLASS;
}

/*
 * Counts what was refused with others that are the same. 0: it finds no room here either. `source` is current and
 * `target` the task addressed, or 0. No BPF_GLOBAL_FUNC: before 6.2 the value of a map may not lie in what that gets.
 */
static __noinline int count_repeat(struct scratch *scratch, u64 source, u64 target, u32 kind, s64 returned)
{
	struct repeat_key *key = &scratch->repeat;
	struct repeat *repeat;

	__builtin_memset(key, 0, sizeof(*key));
	key->kind = (u16)kind;
	key->returned = returned;
	write_repeat_key(key, &scratch->facts, BPF_CORE_READ((struct task_struct *)source, group_leader),
			 BPF_CORE_READ((struct task_struct *)target, group_leader));
	repeat = bpf_map_lookup_elem(&repeats, key);
	if (!repeat) {
		if (!may_begin_repeat(scratch->candidate.cause))
			return 0;
		outline_refused(scratch, key, source, target);
		if (!bpf_map_update_elem(&repeats, key, scratch->record, BPF_NOEXIST))
			return 1;
		/* full, or another CPU was first */
		repeat = bpf_map_lookup_elem(&repeats, key);
		if (!repeat)
			return 0;
	}
	__sync_fetch_and_add(&repeat->count, 1);
	*(volatile u64 *)&repeat->last = scratch->facts.time;
	return 1;
}

/*
 * Is all that there is to say of it in its outline? Not where the kernel's stack, limits or a tracer are needed, where a terminal
 * may have sent it, where threads may block it, and where another thread stands for the target.
 */
static __always_inline bool has_outline(const struct facts *facts, struct task_struct *target)
{
	return !wants_stack(facts) && !is_from_tty(facts) && !has_exited(target) &&
	       !(untrusted_view(target)->ptrace & PT_PTRACED) &&
	       !((untrusted_view(target)->blocked.sig[0] | untrusted_view(target)->real_blocked.sig[0]) &
		 SIGNAL_BIT(facts->signal));
}

/* A signal that a filter refuses, for what refers to it: user space is not to look for command lines. */
BPF_GLOBAL_FUNC int write_unwanted(struct scratch *scratch, u64 source, u64 target)
{
	struct repeat *repeat;
	struct repeat_key *key;

	if (!scratch)
		return 0;
	repeat = (struct repeat *)scratch->record;
	key = &scratch->repeat;
	__builtin_memset(key, 0, sizeof(*key));
	key->kind = RECORD_SIGNAL;
	read_info_fields(key, &scratch->facts);
	outline_refused(scratch, key, source, target);
	repeat->signal.previous = scratch->facts.previous;
	repeat->signal.flags &= ~SIGNAL_NO_HISTORY;
	repeat->process[0].process.flags = PROCESS_NAMED | PROCESS_NO_ARGV;
	repeat->process[1].process.flags = PROCESS_NAMED | PROCESS_NO_ARGV;
	scratch->length = repeat->signal.length;
	return 0;
}

static __always_inline void outline_unwanted(struct scratch *scratch, struct task_struct *current_task,
					     struct task_struct *target)
{
	u64 source = AS_NUMBER(&scratch->found.mm, current_task);
	u64 address = AS_NUMBER(&scratch->found.mm, target);

	write_unwanted(scratch, source, address);
}

/* A signal that was refused, or found no room after all. */
static __always_inline void refuse_signal(struct scratch *scratch, struct task_struct *current_task,
					  struct task_struct *target, struct counters *counters)
{
	u64 source = AS_NUMBER(&scratch->found.mm, current_task);
	u64 address = AS_NUMBER(&scratch->found.mm, target);

	if (has_outline(&scratch->facts, target) &&
	    count_repeat(scratch, source, address, RECORD_SIGNAL, 0)) {
		counters->folded++;
		return;
	}
	note_loss(scratch->candidate.cause);
	counters->dropped_ring_full++;
}

#endif
