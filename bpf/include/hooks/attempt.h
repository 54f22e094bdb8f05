/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What never becomes a signal: a call that fails, and signal 0, which only asks. Seen where the call returns: the
 * caller is current, alive, and described as any sender is. The process addressed is looked up as the call does it, in
 * the caller's own pid namespace, and outlined: the attempt did not end it.
 *
 * Kept apart from the signal hook, and loaded only on request. A call whose signal was queued is never reported here.
 */
#ifndef KILLSNOOP_HOOKS_ATTEMPT_H
#define KILLSNOOP_HOOKS_ATTEMPT_H

#include "record/ascent.h"
#include "record/repeat.h"
#include "record/snapshot.h"
#include "signal/select.h"
#include "signal/syscall.h"

/* Slots that are claimed. As many as CPUs and three more, where attempts are asked for. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scratch);
} attempt_scratches SEC(".maps");

#define EAGAIN 11

/* Slots to try: a program here may be preempted by another on its CPU, so a slot is claimed, not taken by CPU. */
#define SLOTS_TO_TRY 4

static __always_inline struct scratch *claim_scratch(void)
{
	u32 first = bpf_get_smp_processor_id();

#pragma unroll
	for (u32 i = 0; i < SLOTS_TO_TRY; i++) {
		u32 slot = first + i;
		struct scratch *scratch = bpf_map_lookup_elem(&attempt_scratches, &slot);

		if (scratch && !__sync_lock_test_and_set(&scratch->busy, 1))
			return scratch;
	}
	return NULL;
}

/* One step down the tree in which a pid namespace keeps its ids (lib/xarray.c). */
struct id_search {
	u64 entry;
	u32 number;
};

static long descend(u32 index __attribute__((unused)), void *context)
{
	struct id_search *search = context;
	u64 entry = search->entry;
	struct xa_node *node = (struct xa_node *)(entry - 2);
	u32 place, shift;

	/* include/linux/xarray.h: xa_is_node() */
	if ((entry & 3) != 2 || entry <= 4096)
		return 1;
	shift = BPF_CORE_READ(node, shift);
	place = search->number >> (shift & 31);
	search->entry = 0;
	if (place > 63)
		return 1;
	bpf_probe_read_kernel(&search->entry, sizeof(search->entry),
			      (void *)node + bpf_core_field_offset(struct xa_node, slots) + 8 * place);
	search->number &= (1U << (shift & 31)) - 1;
	return shift == 0;
}

/* Six bits a level, 22 bits at most (PID_MAX_LIMIT). */
#define ID_LEVELS 6

static __always_inline struct pid *find_pid(struct pid_namespace *namespace, u32 number)
{
	struct id_search search = { .number = number };

	search.entry = (u64)BPF_CORE_READ(namespace, idr.idr_rt.xa_head);
	BOUNDED_LOOP(ID_LEVELS, ID_LEVELS, descend, &search);
	return search.entry & 3 ? NULL : (struct pid *)search.entry;
}

/* The task of a struct pid, believed only if that task says the same. */
static __always_inline struct task_struct *task_of(struct pid *pid)
{
	struct task_struct *task;
	u64 link;

	if (!pid)
		return NULL;
	link = (u64)BPF_CORE_READ(pid, tasks[PIDTYPE_PID].first);
	if (!link)
		return NULL;
	task = (struct task_struct *)(link - bpf_core_field_offset(struct task_struct, pid_links));
	return BPF_CORE_READ(task, thread_pid) == pid ? task : NULL;
}

/* 6.9, cb12fd8e0dab ("pidfd: add pidfs"): the struct pid moved from the file to its inode. */
static __always_inline struct pid *pid_of_descriptor(struct task_struct *task, u32 descriptor)
{
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	u64 files = (u64)BPF_CORE_READ(table, fd), pid;
	struct file *file = NULL;

	if (descriptor >= BPF_CORE_READ(table, max_fds))
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), (void *)(files + 8ULL * descriptor));
	if (!file)
		return NULL;
	pid = (u64)BPF_CORE_READ(file, private_data);
	if (!pid)
		pid = (u64)BPF_CORE_READ(file, f_inode, i_private);
	return (struct pid *)pid;
}

/* The process that a call addresses; NULL for a group, for everybody, and where there is none. */
static __always_inline struct task_struct *addressed(struct task_struct *task,
						     const struct wire_syscall *call)
{
	s32 number = (s32)call->args[0];
	struct pid_namespace *namespace;
	struct pid *own, *pid;
	struct upid inner = {};
	u32 level;

	if (is_pidfd_kill(call)) {
		/* it stands for its group */
		if (call->args[3] & PIDFD_SIGNAL_PROCESS_GROUP)
			return NULL;
		pid = pid_of_descriptor(task, (u32)number);
	} else {
		/* of tgkill and rt_tgsigqueueinfo the process, not the thread, says who was meant */
		if (number <= 0)
			return NULL;
		own = BPF_CORE_READ(task, thread_pid);
		level = BPF_CORE_READ(own, level);
		bpf_probe_read_kernel(&inner, sizeof(inner),
				      (void *)own + bpf_core_field_offset(struct pid, numbers) +
					      level * bpf_core_type_size(struct upid));
		namespace = inner.ns;
		pid = find_pid(namespace, (u32)number);
	}
	return task_of(pid);
}

struct attempt_walk {
	struct scratch *scratch;
	struct ascent ascent;
};

static long append_attempt_ancestor(u32 index, void *context)
{
	struct attempt_walk *walk = context;
	struct scratch *scratch = walk->scratch;

	return ascend(&walk->ascent, index, BY_COPYING, scratch->record, RECORD_MAX, &scratch->length, NULL,
		      NULL, NULL);
}

/* The caller, as any sender, and its ancestors; the process addressed and its ancestors, in outline. */
static __always_inline void take_attempt(struct scratch *scratch, struct task_struct *current_task,
					 s64 returned)
{
	struct wire_signal *signal = (struct wire_signal *)scratch->record;
	struct subjects subjects = { .current_task = current_task,
				     .target = current_task,
				     .scratch = scratch };
	struct task_struct *target = addressed(current_task, &scratch->facts.call), *leader;
	struct walk walk = { .scratch = scratch };
	struct attempt_walk up = { .scratch = scratch };
	struct wire_attempt *attempt;
	u64 described;
	u32 at;

	begin_record(scratch, current_task, RECORD_ATTEMPT);
	append_subject(0, &subjects);
	described = AS_NUMBER(&scratch->found.mm, current_task);
	if (target)
		described = (u64)target;
	leader = BPF_CORE_READ((struct task_struct *)described, group_leader);
	outline_task(&signal->target, described);
	append_outline(scratch->record, RECORD_MAX, &scratch->length, (u64)leader);
	scratch->processes++;

	walk.next = current_task->group_leader;
	walk.target_next = walk.next;
	walk.beyond_next = walk.next;
	scratch->source_only = 1;
	begin_chain(scratch, SOURCE_CHAIN, settings.max_ancestors);
	BOUNDED_LOOP(MAX_ANCESTORS + 2, MAX_ANCESTORS + 2, walk_up, &walk);

	if (target) {
		up.ascent.next = BPF_CORE_READ(leader, real_parent, group_leader);
		BOUNDED_LOOP(MAX_ANCESTORS + 1, MAX_ANCESTORS + 1, append_attempt_ancestor, &up);
		scratch->processes += up.ascent.count;
		signal->target_ancestors = up.ascent.count;
		if (up.ascent.truncated)
			signal->flags |= SIGNAL_TARGET_TRUNCATED;
	}
	append_spawners(scratch, signal);
	at = *(volatile u32 *)&scratch->length & ~7U;
	if (at > RECORD_MAX - sizeof(*attempt))
		at = RECORD_MAX - sizeof(*attempt);
	attempt = (struct wire_attempt *)(scratch->record + at);
	attempt->returned = returned;
	attempt->has_target = target != NULL;
	scratch->length = at + sizeof(*attempt);
	signal->length = scratch->length;
}

/* False: there is no room. */
static __always_inline bool emit_attempt(struct scratch *scratch, struct task_struct *current_task,
					 s64 returned)
{
	u32 length;

	take_attempt(scratch, current_task, returned);
	length = *(volatile u32 *)&scratch->length;
	if (bpf_ringbuf_output(&records, scratch->record, AT_MOST(RECORD_MAX, length), BPF_RB_NO_WAKEUP))
		return false;
	charge(&scratch->candidate, length);
	return true;
}

static __always_inline void refuse_attempt(struct scratch *scratch, struct task_struct *current_task,
					   s64 returned, struct counters *counters)
{
	u64 source = AS_NUMBER(&scratch->found.mm, current_task);
	u64 target = (u64)addressed(current_task, &scratch->facts.call);

	if (count_repeat(scratch, source, target, RECORD_ATTEMPT, returned)) {
		COUNT(counters->attempts_folded);
		return;
	}
	note_loss(scratch->candidate.cause);
	COUNT(counters->attempts_dropped);
}

/* Is it worth a look? Most calls succeed. */
static __always_inline bool may_be_attempt(s64 returned)
{
	return returned < 0 || (returned == 0 && settings.probes);
}

/* A call of the kill family returns. */
static __noinline int see_attempt(s64 returned)
{
	struct task_struct *current_task = bpf_get_current_task_btf();
	struct counters *counters = cpu_counters();
	struct wire_syscall call;
	struct scratch *scratch;
	bool is_probe;
	u32 signal;

	if (!counters)
		return 0;
	read_syscall(current_task, CALL_IS_OVER, &call);
	if (!signal_argument(&call, &signal))
		return 0;
	is_probe = signal == 0;
	if (is_probe ? !settings.probes : returned >= 0 || !settings.failed)
		return 0;
	/* a full queue: the signal hook has reported it as result=overflow */
	if (returned == -EAGAIN && !settings.attempts_only)
		return 0;
	COUNT(counters->attempts);
	/* it ends nothing, and has no disposition */
	if (settings.only_fatal || settings.dispositions ||
	    (signal - 1 < 64 && !(settings.shown_signals & SIGNAL_BIT(signal)))) {
		COUNT(counters->attempts_filtered);
		return 0;
	}
	scratch = claim_scratch();
	if (!scratch) {
		COUNT(counters->attempts_dropped);
		return 0;
	}
	__builtin_memset(&scratch->facts, 0, sizeof(scratch->facts));
	scratch->facts.time = bpf_ktime_get_boot_ns();
	scratch->facts.signal = signal;
	scratch->facts.group = 1;
	scratch->facts.in_syscall = 1;
	scratch->facts.is_hashed = 1;
	scratch->facts.is_walked = 1;
	scratch->facts.is_sent = 1;
	scratch->facts.call = call;
	if (source_comm_is_ignored(&scratch->facts, current_task))
		COUNT(counters->attempts_filtered);
	else if (is_admitted(&scratch->candidate, current_task, ORDINARY) &&
		 emit_attempt(scratch, current_task, returned))
		COUNT(counters->attempts_emitted);
	else
		refuse_attempt(scratch, current_task, returned, counters);
	__sync_lock_test_and_set(&scratch->busy, 0);
	wake_reader(counters);
	return 0;
}

#endif
