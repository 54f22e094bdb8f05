/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The writers of identities: exec, fork, the hand-over between leaders, and the seeding of what ran before
 * the hooks were attached.
 */
#ifndef KILLSNOOP_IDENTITY_EXEC_H
#define KILLSNOOP_IDENTITY_EXEC_H

#include "base/host.h"
#include "base/ring.h"
#include "identity/environment.h"
#include "identity/exe.h"
#include "identity/memory.h"
#include "identity/store.h"
#include "signal/select.h"

/* Behind argv, which is in the scratch already: the executable's path, as far as both fit. */
static __always_inline void add_exe(struct identity_scratch *scratch, struct task_struct *task,
				    struct mm_struct *mm)
{
	append_exe(scratch, task, mm);
	if (scratch->exe_kept && scratch->argv_kept + scratch->exe_kept <= ARGV_MAX)
		return;
	/* no argv is so long that it could hide whose it is */
	if (scratch->exe_kept) {
		scratch->argv_kept = ARGV_MAX - AT_MOST(EXE_BYTES, scratch->exe_kept);
		scratch->flags |= PROCESS_CUT;
		append_exe(scratch, task, mm);
		if (scratch->exe_kept && scratch->argv_kept + scratch->exe_kept <= ARGV_MAX)
			return;
	}
	scratch->exe_kept = 0;
	scratch->flags |= PROCESS_EXE_LOST;
}

/*
 * Reads what current was exec'd with into the scratch; the pages were just written by execve. Lengths and flags stay
 * in map memory: what is kept in registers the verifier follows along every branch.
 */
static __always_inline void read_own_image(struct identity_scratch *scratch, struct task_struct *task,
					   struct mm_struct *mm, u64 start, u64 length)
{
	u32 kept = length > ARGV_MAX ? ARGV_MAX : (u32)length;

	scratch->argv_kept = kept;
	scratch->flags = kept < length ? PROCESS_CUT : 0;
	if (bpf_probe_read_user(scratch->bytes, AT_MOST(ARGV_MAX, kept), (void *)start)) {
		scratch->argv_kept = 0;
		scratch->flags |= PROCESS_UNREADABLE;
	}
	add_exe(scratch, task, mm);
}

/* Puts the bytes of the scratch where their length belongs; false: no memory. The maps are constants. */
static __always_inline bool store_bytes(void *medium_map, void *large_map, void *tail_map,
					struct task_struct *task, struct identity *identity,
					const struct identity_scratch *scratch, u32 total)
{
	struct argv_medium *medium;
	struct argv_large *large, *tail;

	if (total <= ARGV_INLINE_BYTES) {
		bpf_probe_read_kernel(identity->argv, AT_MOST(ARGV_INLINE_BYTES, total), scratch->bytes);
		return true;
	}
	if (total <= ARGV_MEDIUM_BYTES) {
		medium = bpf_task_storage_get(medium_map, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (!medium)
			return false;
		bpf_probe_read_kernel(medium->argv, AT_MOST(ARGV_MEDIUM_BYTES, total), scratch->bytes);
		return true;
	}
	large = bpf_task_storage_get(large_map, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!large)
		return false;
	bpf_probe_read_kernel(large->argv, AT_MOST(ARGV_LARGE_BYTES, total), scratch->bytes);
	if (total <= ARGV_LARGE_BYTES)
		return true;
	tail = bpf_task_storage_get(tail_map, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!tail)
		return false;
	total -= ARGV_LARGE_BYTES;
	bpf_probe_read_kernel(tail->argv, AT_MOST(ARGV_LARGE_BYTES, total),
			      scratch->bytes + ARGV_LARGE_BYTES);
	return true;
}

/* What fits the value that is there is better than nothing, and said to be cut. */
static __always_inline void keep_what_fits(struct identity *identity, struct identity_scratch *scratch)
{
	if (scratch->argv_kept > ARGV_INLINE_BYTES)
		scratch->argv_kept = ARGV_INLINE_BYTES;
	scratch->exe_kept = 0;
	bpf_probe_read_kernel(identity->argv, AT_MOST(ARGV_INLINE_BYTES, scratch->argv_kept), scratch->bytes);
	scratch->flags |= PROCESS_NO_MEMORY | PROCESS_CUT | PROCESS_EXE_LOST;
}

static __always_inline u32 saturate(u64 length)
{
	return length > 0xffffffffULL ? 0xffffffffU : (u32)length;
}

static __always_inline void take_handover(struct task_struct *task, struct identity *identity)
{
	struct handover_key key = { .start_time = task->start_boottime, .tgid = task->tgid };
	struct handover *left = bpf_map_lookup_elem(&handovers, &key);

	if (!left)
		return;
	identity->spawner_start = left->spawner_start;
	identity->spawner_tgid = left->spawner_tgid;
	identity->spawner_exec_id = left->spawner_exec_id;
	identity->generation = left->generation;
	__sync_fetch_and_or(&identity->signalled, left->signalled);
	__sync_fetch_and_or(&identity->marks, left->marks);
	/* what came in between is newer */
	if (!identity->child_death)
		identity->child_death = left->child_death;
	if (!identity->previous.time)
		copy_previous(&identity->previous, &left->previous);
	bpf_map_delete_elem(&handovers, &key);
}

/* Which of the two copies of a hook runs: each has scratch space of its own. */
enum hook_copy {
	FIRST_COPY = 0,
	SECOND_COPY = 1,
};

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
static __always_inline void emit_identity(struct task_struct *task, const struct identity *identity,
					  struct identity_scratch *scratch, struct counters *counters)
{
	u32 bytes = scratch->argv_kept + scratch->exe_kept;

	scratch->record.version = WIRE_VERSION;
	scratch->record.kind = RECORD_IDENTITY;
	scratch->record.length = sizeof(scratch->record) + bytes;
	scratch->record.start_time = task->start_boottime;
	scratch->record.tgid = task->tgid;
	scratch->record.exec_id = identity->exec_id;
	scratch->record.flags = identity->flags;
	scratch->record.argv_total = identity->argv_total;
	scratch->record.argv_kept = scratch->argv_kept;
	scratch->record.exe_kept = scratch->exe_kept;
	scratch->record.reserved = 0;
	scratch->record.uid = BPF_CORE_READ(task, cred, euid.val);
	copy_comm(scratch->record.comm, task);
	if (bpf_ringbuf_output(&records, scratch, sizeof(scratch->record) + AT_MOST(ARGV_MAX, bytes),
			       BPF_RB_NO_WAKEUP))
		COUNT(counters->identities_dropped);
	else
		COUNT(counters->identities_emitted);
	wake_reader(counters);
}

/* What was sent to a task before there was a value to note it in. */
static __always_inline void note_pending(struct task_struct *task, struct identity *identity)
{
	struct task_struct *view = view_of(task);
	u64 pending = view->pending.signal.sig[0] | view->signal->shared_pending.signal.sig[0];

	if (pending)
		__sync_fetch_and_or(&identity->signalled, pending);
}

/* What happened to a process before it had a value. */
static __always_inline void take_elsewhere(struct task_struct *task, struct identity *identity)
{
	struct handover_key key = { .start_time = task->start_boottime, .tgid = task->tgid };
	struct elsewhere *noted = bpf_map_lookup_elem(&signalled_elsewhere, &key);

	if (!noted)
		return;
	__sync_fetch_and_or(&identity->signalled, noted->signalled);
	__sync_fetch_and_or(&identity->marks, noted->marks | MARK_NO_HISTORY);
}

/* The first value of a process that had none, or only the seeding's. */
static __always_inline void begin_identity(struct task_struct *task, struct identity *identity)
{
	struct identity *seed = bpf_task_storage_get(&seeded, task, NULL, 0);

	take_elsewhere(task, identity);
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
	u32 slot = 2 * bpf_get_smp_processor_id() + copy, before;
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
			take_handover(task, identity);
		begin_identity(task, identity);
	}
	start = mm->arg_start;
	end = mm->arg_end;
	length = end > start ? end - start : 0;
	before = bytes_kept(identity);
	read_own_image(scratch, task, mm, start, length);

	begin_write(identity);
	if (!store_bytes(&argv_medium, &argv_large, &argv_tail, task, identity, scratch,
			 scratch->argv_kept + scratch->exe_kept))
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
	if (scratch->flags & PROCESS_NO_MEMORY)
		COUNT(counters->exec_no_memory);
	if (scratch->flags & PROCESS_UNREADABLE)
		COUNT(counters->exec_unreadable);
	if (is_wanted(task, identity, is_first))
		emit_identity(task, identity, scratch, counters);
}

/*
 * The second copy of the exec hook. On kernels whose tracepoints run programs preemptibly (7.x, RT) a program
 * that is preempted half-way is skipped for every other task on that CPU; its copy has a counter of its own.
 */
static __always_inline void remember_missed_exec(struct task_struct *task, int old_pid,
						 struct counters *counters)
{
	struct identity *identity = bpf_task_storage_get(&identities, task, NULL, 0);

	if (identity && identity->generation && identity->exec_id == (u32)task->self_exec_id &&
	    identity->image == (u64)mm_of(task))
		return;
	COUNT(counters->healed_execs);
	remember_exec(task, old_pid, counters, SECOND_COPY);
}

/* Copies what is in use of the forker's argv and path; false: no memory. */
static __always_inline bool copy_bytes(struct task_struct *child, struct identity *to,
				       const struct known *from, u32 kept)
{
	const void *argv = argv_bytes(from, kept);
	struct argv_medium *medium;
	struct argv_large *large, *tail;

	if (!argv)
		return false;
	if (kept <= ARGV_INLINE_BYTES)
		return !bpf_probe_read_kernel(to->argv, AT_MOST(ARGV_INLINE_BYTES, kept), argv);
	if (kept <= ARGV_MEDIUM_BYTES) {
		medium = bpf_task_storage_get(&argv_medium, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
		return medium && !bpf_probe_read_kernel(medium->argv, AT_MOST(ARGV_MEDIUM_BYTES, kept), argv);
	}
	large = bpf_task_storage_get(&argv_large, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!large)
		return false;
	if (kept <= ARGV_LARGE_BYTES)
		return !bpf_probe_read_kernel(large->argv, AT_MOST(ARGV_LARGE_BYTES, kept), argv);
	kept -= ARGV_LARGE_BYTES;
	if (bpf_probe_read_kernel(large->argv, ARGV_LARGE_BYTES, argv))
		return false;
	argv = argv_tail_bytes(from);
	tail = bpf_task_storage_get(&argv_tail, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	return argv && tail && !bpf_probe_read_kernel(tail->argv, AT_MOST(ARGV_LARGE_BYTES, kept), argv);
}

/* CLONE_PARENT: the child is not among the forker's children, by which a ghost is left. */
static __always_inline void note_fork(struct task_struct *leader, struct identity *child, bool is_anothers)
{
	struct identity *identity = any_identity(leader);

	if (!identity)
		return;
	/* for life, whoever its parent will be */
	if (identity->marks & MARK_IN_TREE)
		mark(child, MARK_IN_TREE);
	mark(identity, MARK_FORKED);
	if (is_anothers)
		mark(identity, MARK_BEREFT);
	if (leader->flags & PF_EXITING)
		refresh_handover(leader, identity);
}

/*
 * The forker's identity cannot change here: an exec by one of its other threads waits in de_thread() for
 * this one to die. A seeded one can, so its generation is looked at again.
 */
static __always_inline void remember_fork(struct task_struct *forker, struct task_struct *child,
					  struct counters *counters)
{
	struct task_struct *leader = forker->group_leader;
	struct identity *identity =
		bpf_task_storage_get(&identities, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	struct known from = {};
	u32 generation, kept;
	bool copied;

	if (!identity) {
		COUNT(counters->fork_no_memory);
		return;
	}
	note_pending(child, identity);
	note_fork(leader, identity, view_of(child)->real_parent->group_leader != leader);
	from.identity = own_identity(leader, &from);
	identity->spawner_start = leader->start_boottime;
	identity->spawner_tgid = leader->tgid;
	identity->spawner_exec_id = (u32)leader->self_exec_id;
	if (!from.identity) {
		COUNT(counters->fork_unknown);
		return; /* generation 0: nothing is claimed, and the seeding may still come by */
	}
	generation = generation_of(from.identity);
	if (generation & 1) {
		COUNT(counters->fork_unknown);
		return;
	}

	begin_write(identity);
	kept = bytes_kept(from.identity);
	copied = copy_bytes(child, identity, &from, kept);
	identity->argv_kept = copied ? from.identity->argv_kept : 0;
	identity->exe_kept = copied ? from.identity->exe_kept : 0;
	identity->argv_total = from.identity->argv_total;
	identity->exec_time = from.identity->exec_time;
	identity->exec_id = from.identity->exec_id;
	__builtin_memcpy(identity->tty, from.identity->tty, TTY_BYTES);
	identity->terminal = from.identity->terminal;
	identity->image = from.identity->flags & PROCESS_BY_PLACE ? from.identity->image : (u64)mm_of(child);
	identity->flags = from.identity->flags | (from.seeded ? PROCESS_SEEDED : 0) |
			  (copied ? 0 : PROCESS_NO_MEMORY | PROCESS_EXE_LOST);
	identity->flags |= inherit_environment(child, &from);
	if (!copied)
		COUNT(counters->fork_no_memory);
	if (!unchanged_since(from.identity, generation)) {
		identity->argv_kept = 0;
		identity->exe_kept = 0;
		identity->flags |= PROCESS_EXEC_RACE | PROCESS_EXE_LOST;
	}
	end_write(identity);
}

/*
 * Runs where a new task is woken for the first time, by its forker, with interrupts off: never skipped. The
 * run queue is locked: only for kernels whose local storage has an allocator of its own (probe.rs).
 */
static __always_inline void remember_missed_fork(struct task_struct *forker, struct task_struct *child,
						 struct counters *counters)
{
	if (bpf_task_storage_get(&identities, child, NULL, 0))
		return;
	remember_fork(forker, child, counters);
	if (bpf_task_storage_get(&identities, child, NULL, 0))
		COUNT(counters->healed_forks);
}

/* The leader exits and other threads live: one of them may be exec'ing, and become the leader. */
static __always_inline void leave_handover(struct task_struct *task, struct counters *counters,
					   enum hook_copy copy)
{
	struct identity *identity, *own;
	struct handover_key key = { .start_time = task->start_boottime, .tgid = task->tgid };
	struct handover left = {};

	if (task->pid != task->tgid)
		return;
	own = bpf_task_storage_get(&identities, task, NULL, 0);
	/* what happened to one that is older than the tracer is kept with the seeding's */
	identity = own ?: bpf_task_storage_get(&seeded, task, NULL, 0);
	if (!identity)
		return;
	if (copy == SECOND_COPY) {
		if (bpf_map_lookup_elem(&handovers, &key))
			return;
		COUNT(counters->healed_exits);
	}
	left.spawner_start = identity->spawner_start;
	left.spawner_tgid = identity->spawner_tgid;
	left.spawner_exec_id = identity->spawner_exec_id;
	left.generation = own ? own->generation : 0;
	hand_over(&left, identity);
	bpf_map_update_elem(&handovers, &key, &left, BPF_ANY);
}

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
	take_elsewhere(task, identity);
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
	whole = whole &&
		store_bytes(&seeded_medium, &seeded_large, &seeded_tail, task, identity, scratch,
			    scratch->argv_kept + scratch->exe_kept) &&
		mm_of(task) == mm && (u32)task->self_exec_id == exec_id &&
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
