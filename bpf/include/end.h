/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The end of a process by a signal that no record tells of. A signal injected by ptrace and strict seccomp's kill
 * never pass signal_generate: only the exit shows them.
 *
 * The exit of the leader is not the end of the process: that is when the last thread goes (live == 0), and by then
 * the exit code is final. Several threads may see that at once; user space takes the first record of a process.
 */
#ifndef KILLSNOOP_END_H
#define KILLSNOOP_END_H

#include "effect.h"
#include "handshake.h"
#include "identity.h"
#include "outline.h"

/* What the signal hook leaves with the target, whatever else is known of it. */
static __always_inline struct identity *any_identity(struct task_struct *leader)
{
	struct identity *identity = bpf_task_storage_get(&identities, leader, NULL, 0);

	return identity ?: bpf_task_storage_get(&seeded, leader, NULL, 0);
}

static __always_inline void note_signalled(struct task_struct *leader, u32 signal)
{
	struct identity *identity = any_identity(leader);

	if (!identity) {
		struct handover_key key = { .start_time = leader->start_boottime, .tgid = leader->tgid };
		u64 *noted = bpf_map_lookup_elem(&signalled_elsewhere, &key);
		u64 signals = SIGNAL_BIT(signal) | (noted ? *noted : 0);

		bpf_map_update_elem(&signalled_elsewhere, &key, &signals, BPF_ANY);
		return;
	}
	if (!(identity->signalled & SIGNAL_BIT(signal)))
		__sync_fetch_and_or(&identity->signalled, SIGNAL_BIT(signal));
}

static __always_inline bool was_signalled(struct task_struct *leader, const struct identity *identity,
					  u32 signal)
{
	struct handover_key key = { .start_time = leader->start_boottime, .tgid = leader->tgid };
	u64 *noted;

	if (identity->signalled & SIGNAL_BIT(signal))
		return true;
	noted = bpf_map_lookup_elem(&signalled_elsewhere, &key);
	return noted && *noted & SIGNAL_BIT(signal);
}

struct end_walk {
	struct end_scratch *scratch;
	struct task_struct *next;
	u32 count;
	bool truncated;
};

static long append_end_ancestor(u32 index, void *context)
{
	struct end_walk *walk = context;
	struct end_scratch *scratch = walk->scratch;
	u32 at = *(volatile u32 *)&scratch->length;
	struct task_struct *leader = walk->next;

	if (BPF_CORE_READ(leader, tgid) == 0)
		return 1;
	if (index >= settings.max_ancestors || !append_outline(scratch->record, END_MAX, &at, leader)) {
		walk->truncated = true;
		return 1;
	}
	scratch->length = at;
	walk->count++;
	walk->next = BPF_CORE_READ(leader, real_parent, group_leader);
	return 0;
}

/* The process itself, with as much of its command line as there is. */
static __always_inline void append_ended(struct end_scratch *scratch, struct task_struct *leader)
{
	struct wire_process *process = (struct wire_process *)(scratch->record + sizeof(struct wire_end));
	u8 *bytes = (u8 *)(process + 1);
	struct known known = {};
	u32 kept = 0, copied = 0;
	const void *argv;

	outline(process, leader);
	known.identity = own_identity(leader, &known);
	/* execve that fails past its point of no return leaves the exec id of neither image */
	if (known.identity && known.identity->exec_id == process->exec_id) {
		process->generation = generation_of(known.identity);
		process->flags = known.identity->flags | (known.seeded ? PROCESS_SEEDED : 0);
		process->argv_total = known.identity->argv_total;
		kept = known.identity->argv_kept;
		argv = argv_bytes(&known, kept);
		copied = kept > ARGV_LARGE_BYTES ? ARGV_LARGE_BYTES : kept;
		if (!argv || process->generation & 1 ||
		    bpf_probe_read_kernel(bytes, AT_MOST(ARGV_LARGE_BYTES, copied), argv)) {
			copied = 0;
			process->argv_total = 0;
			process->flags |= PROCESS_EXEC_RACE;
		} else if (copied < kept) {
			process->flags |= PROCESS_CUT;
		}
		process->argv_kept = copied;
	}
	scratch->length = sizeof(struct wire_end) + sizeof(*process) + ((copied + 7) & ~7U);
}

/* `teller` is the thread whose exit code became that of the process. */
static __always_inline void emit_end(struct task_struct *task, struct task_struct *teller, u32 status,
				     struct counters *counters, u32 copy)
{
	u32 slot = 2 * bpf_get_smp_processor_id() + copy, length, at;
	struct end_scratch *scratch = bpf_map_lookup_elem(&end_scratches, &slot);
	struct task_struct *leader = task->group_leader;
	struct end_walk walk = {};
	struct wire_end *end;

	if (!scratch)
		return;
	end = (struct wire_end *)scratch->record;
	end->version = WIRE_VERSION;
	end->kind = RECORD_END;
	end->time = bpf_ktime_get_boot_ns();
	end->status = status;
	end->ptrace = BPF_CORE_READ(teller, ptrace);
	end->seccomp_mode = seccomp_mode(teller);
	end->has_tracer = 0;
	end->reserved = 0;
	outline_task(&end->task, task);
	append_ended(scratch, leader);

	if (end->ptrace & PT_PTRACED) {
		at = *(volatile u32 *)&scratch->length;
		if (append_outline(scratch->record, END_MAX, &at,
				   BPF_CORE_READ(teller, parent, group_leader))) {
			scratch->length = at;
			end->has_tracer = 1;
		}
	}
	walk.scratch = scratch;
	walk.next = BPF_CORE_READ(leader, real_parent, group_leader);
	REPEAT(MAX_ANCESTORS + 1, MAX_ANCESTORS + 1, append_end_ancestor, &walk);
	end->processes = 1 + end->has_tracer + walk.count;
	end->truncated = walk.truncated;

	length = *(volatile u32 *)&scratch->length;
	end->length = length;
	if (bpf_ringbuf_output(&records, scratch->record, AT_MOST(END_MAX, length), BPF_RB_NO_WAKEUP))
		COUNT(counters->ends_dropped);
	else
		COUNT(counters->ends_emitted);
	wake_reader(counters);
}

/*
 * signal->group_exit_code is what wait() will tell where the group exits as one; else the leader's own code. (The
 * last thread's misleads: the leader may be gone before it.)
 */
static __always_inline void report_unexplained_end(struct task_struct *task, struct counters *counters,
						   u32 copy)
{
	struct signal_struct *signal = BPF_CORE_READ(task, signal);
	struct task_struct *leader = task->group_leader;
	struct identity *identity;
	struct task_struct *teller = task;
	u32 status, number;

	if (BPF_CORE_READ(signal, flags) & SIGNAL_GROUP_EXIT) {
		status = BPF_CORE_READ(signal, group_exit_code);
	} else {
		status = BPF_CORE_READ(leader, exit_code);
		teller = leader;
	}
	number = status & 0x7f;
	if (number == 0 || number > 64 || !(settings.shown_signals & SIGNAL_BIT(number)))
		return;
	/* of a process without any value nobody can say whether it was signalled */
	identity = any_identity(leader);
	if (!identity || was_signalled(leader, identity, number))
		return;
	note_signalled(leader, number);
	emit_end(task, teller, status, counters, copy);
}

#endif
