/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The seeding: identities of the processes that ran before the hooks were attached. It writes maps of its own, and
 * never what a hook has written.
 */
#ifndef KILLSNOOP_IDENTITY_SEED_H
#define KILLSNOOP_IDENTITY_SEED_H

#include "base/host.h"
#include "identity/generation.h"
#include "identity/image.h"
#include "identity/long_argv.h"
#include "identity/memory.h"
#include "identity/terminal.h"
#include "identity/tree.h"
#include "identity/untracked.h"

struct seeding {
	u32 processes;
	u32 unreadable;
	/* how often the memory map of a process was being changed at that moment, or is stuck: to be seeded again */
	u32 busy;
	/* of PID 1, which not every host's iterator lists: so that user space can seed it from /proc */
	u32 init_exec_id;
	u64 init_image;
};
struct seeding seeding = {};

/* The seeding is one at a time. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct identity_scratch);
} seeding_scratch SEC(".maps");

/*
 * The first storage of a task may fail because the last of another tracer's is being deleted at that very
 * moment (kernel/bpf/bpf_local_storage.c: bpf_local_storage_update(), -EAGAIN: "return instead of retry to
 * keep things simple"). Hooks do not meet this: a child has no storage yet, and an exec'ing task has ours.
 */
static __always_inline struct identity *create_seeded(struct task_struct *task)
{
	struct identity *identity;

	identity = bpf_task_storage_get(&seeded, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!identity)
		identity = bpf_task_storage_get(&seeded, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!identity)
		identity = bpf_task_storage_get(&seeded, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	return identity;
}

static __always_inline void note_init(struct task_struct *task)
{
	struct task_struct *parent = BPF_CORE_READ(task, real_parent);

	if (BPF_CORE_READ(parent, tgid) != 1)
		return;
	seeding.init_exec_id = (u32)BPF_CORE_READ(parent, self_exec_id);
	seeding.init_image = (u64)BPF_CORE_READ(parent, mm);
	note_host(parent);
}

/*
 * The process may exec while its memory is read. The new address space is installed before self_exec_id
 * is raised: so both must be the same before and after, else what was read is nobody's argv.
 */
static __always_inline void seed_process(struct task_struct *task)
{
	struct identity_scratch *scratch;
	struct mm_struct *mm = mm_of(task);
	struct identity *identity;
	u32 kept, exec_id, slot = 0;
	u64 start, end, length;
	bool whole, is_in_tree;
	enum area area;

	note_init(task);
	scratch = bpf_map_lookup_elem(&seeding_scratch, &slot);
	if (!scratch || !mm || task->pid != task->tgid || (task->flags & PF_KTHREAD))
		return;
	is_in_tree = is_below_root(task);
	identity = bpf_task_storage_get(&identities, task, NULL, 0);
	if (identity && is_in_tree)
		mark(identity, MARK_IN_TREE);
	if (identity && identity->generation)
		return; /* a hook knows better */
	identity = create_seeded(task);
	if (!identity) {
		seeding.unreadable++;
		return;
	}
	if (is_in_tree)
		mark(identity, MARK_IN_TREE);
	adopt_untracked(task, identity);
	if (identity->generation)
		return; /* a second time, for those that were born while the first went on */
	exec_id = (u32)task->self_exec_id;
	start = BPF_CORE_READ(mm, arg_start);
	end = BPF_CORE_READ(mm, arg_end);
	length = end > start ? end - start : 0;
	kept = length > ARGV_MAX ? ARGV_MAX : (u32)length;

	area = is_own_memory(task, start, length);
	if (area == AREA_BUSY) {
		seeding.busy++;
		return;
	}
	whole = area == AREA_OWN &&
		!bpf_copy_from_user_task(scratch->bytes, AT_MOST(ARGV_MAX, kept), (void *)start, task, 0);
	scratch->argv_kept = whole ? kept : 0;
	scratch->flags = kept < length ? PROCESS_CUT : 0;
	if (whole && kept && !is_block_as_execd(scratch->bytes, task, mm, start, length)) {
		scratch->argv_kept = 0;
		scratch->flags = PROCESS_OVERWRITTEN;
	}
	add_exe(scratch, task, mm);

	begin_write(identity);
	kept = scratch->argv_kept + scratch->exe_kept;
	if (whole &&
	    (!is_allowed(task, identity, kept) ||
	     !store_bytes(&seeded_medium, &seeded_large, &seeded_tail, task, identity, scratch, kept)))
		keep_what_fits(identity, scratch);
	whole = whole && mm_of(task) == mm && (u32)task->self_exec_id == exec_id &&
		BPF_CORE_READ(mm, arg_start) == start && BPF_CORE_READ(mm, arg_end) == end;
	identity->flags = scratch->flags | (whole ? 0 : PROCESS_UNREADABLE | PROCESS_EXE_LOST);
	identity->exec_time = bpf_ktime_get_boot_ns();
	identity->exec_id = exec_id;
	identity->image = (u64)mm;
	remember_tty(task, identity);
	note_pending(task, identity);
	identity->argv_kept = whole ? scratch->argv_kept : 0;
	identity->exe_kept = whole ? scratch->exe_kept : 0;
	identity->argv_total = saturate(length);
	end_write(identity);
	if (whole)
		seeding.processes++;
	else
		seeding.unreadable++;
}

#endif
