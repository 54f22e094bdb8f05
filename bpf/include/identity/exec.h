/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * exec: the identity of a process becomes that of its new image. Written by the process itself, when it has one thread.
 */
#ifndef KILLSNOOP_IDENTITY_EXEC_H
#define KILLSNOOP_IDENTITY_EXEC_H

#include "base/ring.h"
#include "identity/argv.h"
#include "identity/environment.h"
#include "identity/generation.h"
#include "identity/handover.h"
#include "identity/image.h"
#include "identity/long_argv.h"
#include "identity/report.h"
#include "identity/terminal.h"
#include "identity/untracked.h"

/* Did a signal meet this task after its point of no return? Where it had no identity yet, the seed was marked. */
static __always_inline bool is_wanted(struct task_struct *task, struct identity *identity, bool is_first)
{
	struct identity *seed;

	generation_barrier();
	if (*(volatile u32 *)&identity->wanted) {
		identity->wanted = 0;
		return true;
	}
	if (!is_first)
		return false;
	seed = bpf_task_storage_get(&seeded, task, NULL, 0);
	return seed && *(volatile u32 *)&seed->wanted;
}

/* Sends what the exec hook has just kept. */
static __always_inline void emit_identity(struct task_struct *task, struct identity *identity,
					  struct identity_scratch *scratch, struct counters *counters)
{
	struct wire_named *of = &scratch->of;

	of->process.start_time = task->start_boottime;
	of->process.tgid = task->tgid;
	of->process.exec_id = (u32)task->self_exec_id;
	of->name.uid = BPF_CORE_READ(task, cred, euid.val);
	copy_comm(of->name.comm, task);
	take(&scratch->found, identity, task, false);
	if (put_image(&scratch->found, of, IMAGE_AWAITED))
		COUNT(counters->identities_emitted);
	else
		COUNT(counters->identities_dropped);
	wake_reader(counters);
}

/* The first value of a process that had none, or only the seeding's. */
static __always_inline void begin_identity(struct task_struct *task, struct identity *identity)
{
	struct identity *seed = bpf_task_storage_get(&seeded, task, NULL, 0);

	adopt_untracked(task, identity);
	if (seed) {
		__sync_fetch_and_or(&identity->signalled, seed->signalled);
		__sync_fetch_and_or(&identity->marks, seed->marks);
		if (!identity->child_death)
			identity->child_death = seed->child_death;
		if (!identity->previous.time)
			copy_previous(&identity->previous, &seed->previous);
	}
	note_pending(task, identity);
}

/* `task` is current and, since de_thread(), the leader and the only thread. */
static __always_inline void remember_exec(struct task_struct *task, int old_pid, struct counters *counters,
					  enum hook_copy copy)
{
	struct identity *identity =
		bpf_task_storage_get(&identities, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	u32 slot = 2 * bpf_get_smp_processor_id() + copy, before, wanted, charge;
	struct identity_scratch *scratch = bpf_map_lookup_elem(&identity_scratches, &slot);
	struct mm_struct *mm = mm_of(task);
	u64 start, end, length;
	bool is_first;

	if (!identity) {
		COUNT(counters->exec_no_memory);
		return;
	}
	if (!mm || !scratch)
		return;
	is_first = identity->generation == 0;
	if (is_first) {
		if (old_pid != task->pid)
			adopt_handover(task, identity);
		begin_identity(task, identity);
	}
	start = mm->arg_start;
	end = mm->arg_end;
	length = end > start ? end - start : 0;
	before = bytes_kept(identity);
	charge = identity->long_argv;
	read_own_image(scratch, task, mm, start, length);
	wanted = scratch->argv_kept + scratch->exe_kept;

	begin_write(identity);
	if (!is_allowed(task, identity, wanted) ||
	    !store_bytes(&argv_medium, &argv_large, &argv_tail, task, identity, scratch, wanted))
		keep_what_fits(identity, scratch);
	identity->flags = *(volatile u32 *)&scratch->flags | remember_environment(task, mm, slot);
	identity->exec_time = bpf_ktime_get_boot_ns();
	identity->exec_id = (u32)task->self_exec_id;
	identity->image = (u64)mm;
	identity->argv_kept = scratch->argv_kept;
	identity->exe_kept = scratch->exe_kept;
	identity->argv_total = saturate(length);
	remember_tty(task, identity);
	end_write(identity);

	drop_unused_classes(task, before, bytes_kept(identity));
	release_long_argv(charge);
	if (scratch->flags & PROCESS_NO_MEMORY)
		COUNT(counters->exec_no_memory);
	if (scratch->flags & PROCESS_UNREADABLE)
		COUNT(counters->exec_unreadable);
	if (is_wanted(task, identity, is_first))
		emit_identity(task, identity, scratch, counters);
}

/*
 * The second copy of the exec hook. On kernels whose tracepoints run programs preemptibly (7.x, RT) a program
 * that is preempted half-way is skipped for every other task on that CPU; its copy has a counter of its own. False: the first
 * was not.
 */
static __always_inline bool remember_missed_exec(struct task_struct *task, int old_pid,
						 struct counters *counters)
{
	struct identity *identity = bpf_task_storage_get(&identities, task, NULL, 0);

	if (identity && identity->generation && identity->exec_id == (u32)task->self_exec_id &&
	    identity->image == (u64)mm_of(task))
		return false;
	COUNT(counters->recovered_execs);
	remember_exec(task, old_pid, counters, SECOND_COPY);
	return true;
}

#endif
