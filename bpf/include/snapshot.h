/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The picture of the instant: both processes and both chains of ancestors, in one record.
 *
 * RCU holds for the target, which is hashed (its siglock is held). current may not be, in an interrupt
 * past release_task(): its chain is walked only from inside a system call of its own.
 *
 * The write position is kept in map memory and loaded anew for each process: a variable offset that
 * stays in a register makes every turn of the loop a state of its own for the verifier.
 */
#ifndef KILLSNOOP_SNAPSHOT_H
#define KILLSNOOP_SNAPSHOT_H

#include "end.h"
#include "filter.h"
#include "identity.h"

#define PAD8(length) (((length) + 7) & ~7U)
/* Room that one ancestor may need. */
#define ANCESTOR_ROOM (sizeof(struct wire_process) + ANCESTOR_ARGV + 8)
/* Room that source or target may need. */
#define SUBJECT_ROOM (sizeof(struct wire_process) + ARGV_MAX + TITLE_BYTES + 16)

enum stage {
	SOURCE_CHAIN,
	TARGET_CHAIN,
	BEYOND_CHAIN, /* shared ancestors that lie past the source's depth, but not past the target's */
	DONE,
};

static __always_inline u32 chain_bit(u32 tgid)
{
	return (tgid * 2654435769U) >> 26;
}

/* By hand: clang 14 crashes on a count of trailing zeros for this target. `bits` is not 0. */
static __always_inline u32 lowest_bit(u64 bits)
{
	u64 bit = bits & -bits;

	return !!(bit & 0xaaaaaaaaaaaaaaaaULL) | !!(bit & 0xccccccccccccccccULL) << 1 |
	       !!(bit & 0xf0f0f0f0f0f0f0f0ULL) << 2 | !!(bit & 0xff00ff00ff00ff00ULL) << 3 |
	       !!(bit & 0xffff0000ffff0000ULL) << 4 | !!(bit >> 32) << 5;
}

/* The place of tgid in the source's chain, or JOINS_NOWHERE. */
static __always_inline u32 place_in_source_chain(const struct scratch *scratch, u32 tgid)
{
	u64 matches = 0;

	if (!(scratch->ancestors >> chain_bit(tgid) & 1))
		return JOINS_NOWHERE;
#pragma unroll
	for (u32 i = 0; i < MAX_CHAIN; i++)
		matches |= ((u64)(scratch->tgids[i] ^ tgid) - 1) >> 63 << i;
	matches &= (1ULL << (scratch->source_count & 63)) - 1;
	return matches ? lowest_bit(matches) : JOINS_NOWHERE;
}

static __always_inline void describe(struct wire_process *process, struct task_struct *leader)
{
	const struct cred *cred = leader->cred;

	process->start_time = leader->start_boottime;
	process->tgid = leader->tgid;
	process->flags = 0;
	process->uid = cred->euid.val;
	process->exec_id = (u32)leader->self_exec_id;
	process->generation = 0;
	process->argv_total = 0;
	process->argv_kept = 0;
	process->title_kept = 0;
	bpf_probe_read_kernel(process->comm, sizeof(process->comm), leader->comm);
	process->arg_start = 0;
}

/* Where the argument block lies, which is random anew at each exec; 0 without an address space. */
static __always_inline u64 argument_block_of(struct task_struct *leader)
{
	struct mm_struct *mm = mm_of(leader);

	return mm ? BPF_CORE_READ(mm, arg_start) : 0;
}

/*
 * Does the identity belong to the image that runs? execve first gives the task its new address space, then
 * its new comm, then raises the exec id, and only at its end runs our hook: an address space that is another
 * one shows an exec from its first step on (the old is not freed before, so the pointers differ), and an
 * exec id that is another one shows a hook that was missed. A process that has none any more is exiting.
 */
static __always_inline bool is_of_this_image(const struct known *known, struct wire_process *process,
					     struct task_struct *leader, u64 mm)
{
	const struct identity *identity = known->identity;

	if (process->flags & PROCESS_BY_PLACE) {
		return !mm || argument_block_of(leader) == identity->image;
	}
	if (identity->exec_id != process->exec_id)
		return false;
	/* with the forker's identity it was looked at already: same_image() */
	if (process->flags & PROCESS_FROM_FORKER)
		return true;
	if (!mm || mm == identity->image)
		return true;
	process->exec_id++; /* execve will, in a moment */
	return false;
}

/* Is there an argv of the image that runs? If not, the flags say why. */
static __always_inline bool has_argv(struct wire_process *process, struct task_struct *leader,
				     struct known *known, u64 mm)
{
	process->generation = generation_of(known->identity);
	process->flags = known->flags | known->identity->flags | (known->seeded ? PROCESS_SEEDED : 0);
	if (process->generation & 1) {
		process->flags |= PROCESS_EXEC_RACE;
		return false;
	}
	if (!is_of_this_image(known, process, leader, mm)) {
		process->flags |= PROCESS_MID_EXEC;
		return false;
	}
	return true;
}

/*
 * Finds the identity and says how much of argv there is to copy. False: nothing that could be shown, and
 * the flags say why. The generation goes into the process, to be compared after the copy.
 *
 * In the middle of execve the exec hook is asked for the identity that it is about to see. It looks whether
 * it is wanted after it has written, and here it is looked again after asking (both with a full barrier in
 * between): so either it sends the identity, or it is seen here.
 */
static __always_inline bool look_up_argv(struct wire_process *process, struct task_struct *leader,
					 struct known *known, u64 mm, u32 limit, u32 *to_copy)
{
	u32 kept;

	*to_copy = 0;
	if (leader->flags & PF_KTHREAD) {
		process->flags = PROCESS_NO_ARGV;
		return false;
	}
	find_identity(leader, known);
	if (!known->identity) {
		process->flags = PROCESS_UNKNOWN;
		return false;
	}
	if (!has_argv(process, leader, known, mm)) {
		if (known->flags & PROCESS_FROM_FORKER)
			return false;
		__sync_fetch_and_add(&known->identity->wanted, 1);
		generation_barrier();
		/* what execve changes; by copying, since this is rare */
		process->exec_id = (u32)leader->self_exec_id;
		process->uid = BPF_CORE_READ(leader, cred, euid.val);
		bpf_probe_read_kernel(process->comm, sizeof(process->comm), leader->comm);
		if (!has_argv(process, leader, known, (u64)mm_of(leader)))
			return false;
	}
	process->argv_total = known->identity->argv_total;
	kept = *(volatile u32 *)&known->identity->argv_kept;
	if (kept > limit) {
		process->flags |= PROCESS_CUT;
		kept = limit;
	}
	*to_copy = kept;
	return true;
}

/* After the copy: was it one argv, or a mixture of two? (None at all can be one as well.) */
static __always_inline u32 accept_argv(struct wire_process *process, const struct known *known, bool copied,
				       u32 kept)
{
	if (copied && unchanged_since(known->identity, process->generation)) {
		process->argv_kept = kept;
		return kept;
	}
	process->flags |= PROCESS_EXEC_RACE;
	process->argv_total = 0;
	return 0;
}

/* The source's chain is remembered, so that the target's can see where it meets it. */
static __always_inline void enter_source_chain(struct scratch *scratch, u32 tgid)
{
	u32 count = scratch->source_count;

	if (count < MAX_CHAIN) {
		scratch->tgids[count] = tgid;
		scratch->ancestors |= 1ULL << chain_bit(tgid);
	}
	scratch->source_count = count + 1;
}

static __always_inline struct wire_process *append_ancestor(struct scratch *scratch,
							    struct task_struct *leader)
{
	u32 at = *(volatile u32 *)&scratch->length & ~7U;
	struct wire_process *process;
	struct known known;
	u32 kept;
	u8 *bytes;

	if (at > RECORD_MAX - ANCESTOR_ROOM)
		return NULL;
	process = (struct wire_process *)(scratch->record + at);
	bytes = (u8 *)(process + 1);
	describe(process, leader);
	if (look_up_argv(process, leader, &known, (u64)leader->mm, ANCESTOR_ARGV, &kept) &&
	    kept <= ANCESTOR_ARGV) {
		/*
		 * Only an ancestor's first bytes are wanted, but they lie where the whole argv does: the
		 * class goes by what is kept there, not by what is taken from it.
		 */
		const void *argv = argv_bytes(&known, known.identity->argv_kept);

		*(u64 *)(bytes + (kept & ~7U)) = 0;
		kept = accept_argv(process, &known,
				   argv && !bpf_probe_read_kernel(bytes, AT_MOST(ANCESTOR_ARGV, kept), argv),
				   kept);
	}
	if (!kept)
		process->arg_start = (u32)argument_block_of(leader);
	scratch->length = at + sizeof(*process) + PAD8(kept);
	return process;
}

struct live_check {
	struct scratch *scratch;
	u32 words;
	bool differs;
};

/* The source is the first process of a record: its argv lies at a fixed place. */
#define SOURCE_ARGV (sizeof(struct wire_signal) + sizeof(struct wire_process))

static long compare_word(u32 index, void *context)
{
	struct live_check *check = context;
	u32 at = index * 8;

	if (index >= check->words || at > ARGV_MAX - 8)
		return 1;
	if (*(u64 *)(check->scratch->live + at) == *(u64 *)(check->scratch->record + SOURCE_ARGV + at))
		return 0;
	check->differs = true;
	return 1;
}

/*
 * The sender's argument block as it is now (setproctitle, or a sender that hides). Its pages are read
 * without faulting: one that is not resident leaves the title unknown, and the record says so.
 */
static __always_inline u32 copy_title(struct scratch *scratch, struct wire_process *process, u8 *to,
				      struct mm_struct *mm)
{
	u64 start, end, length;
	u32 kept;
	s64 copied;

	if (!mm)
		return 0;
	start = mm->arg_start;
	end = mm->arg_end;
	length = end > start ? end - start : 0;
	kept = length > ARGV_MAX ? ARGV_MAX : (u32)length;
	if (length == process->argv_total && kept == process->argv_kept) {
		struct live_check check = { .scratch = scratch, .words = (kept + 7) / 8 };

		if (kept == 0)
			return 0;
		*(u64 *)(scratch->live + ((kept - 1) & 0x3ff8)) = 0;
		if (bpf_probe_read_user(scratch->live, AT_MOST(ARGV_MAX, kept), (void *)start)) {
			process->flags |= PROCESS_TITLE_LOST;
			return 0;
		}
		REPEAT(ARGV_MAX / 8, check.words, compare_word, &check);
		if (!check.differs)
			return 0;
	}
	/*
	 * fs/proc/base.c: get_mm_cmdline(): the last byte of the block overwritten means that the title is
	 * one string, which may go on into the environment.
	 */
	u8 last = 0;

	if (length && bpf_probe_read_user(&last, sizeof(last), (void *)(end - 1))) {
		process->flags |= PROCESS_TITLE_LOST;
		return 0;
	}
	if (last) {
		copied = bpf_probe_read_user_str(to, TITLE_BYTES, (void *)start);
		if (copied <= 0 || copied > TITLE_BYTES) {
			process->flags |= PROCESS_TITLE_LOST;
			return 0;
		}
		process->flags |= PROCESS_TITLE_SPILT;
		if (copied == TITLE_BYTES)
			process->flags |= PROCESS_TITLE_CUT;
		process->title_kept = (u16)copied;
		return (u32)copied;
	}
	if (kept > TITLE_BYTES) {
		process->flags |= PROCESS_TITLE_CUT;
		kept = TITLE_BYTES;
	}
	if (bpf_probe_read_user(to, AT_MOST(TITLE_BYTES, kept), (void *)start)) {
		process->flags |= PROCESS_TITLE_LOST;
		return 0;
	}
	process->title_kept = (u16)kept;
	return kept;
}

/* Copies up to ARGV_MAX bytes, from one value or from two. */
static __always_inline bool copy_whole_argv(u8 *to, const struct known *known, u32 kept)
{
	const void *argv = argv_bytes(known, kept);

	if (!argv)
		return false;
	if (kept <= ARGV_LARGE_BYTES)
		return !bpf_probe_read_kernel(to, AT_MOST(ARGV_LARGE_BYTES, kept), argv);
	kept -= ARGV_LARGE_BYTES;
	if (bpf_probe_read_kernel(to, ARGV_LARGE_BYTES, argv))
		return false;
	argv = argv_tail_bytes(known);
	return argv && !bpf_probe_read_kernel(to + ARGV_LARGE_BYTES, AT_MOST(ARGV_LARGE_BYTES, kept), argv);
}

static __always_inline s32 pid_number(struct pid *pid)
{
	s32 number = 0;

	/* numbers[0] is the initial namespace's */
	if (pid)
		bpf_core_read(&number, sizeof(number), &pid->numbers[0].nr);
	return number;
}

static __always_inline void describe_task(struct wire_task *facts, struct task_struct *task,
					  struct task_struct *leader)
{
	struct signal_struct *signal = task->signal;
	const struct cred *cred = task->cred;
	struct pid *pid = leader->thread_pid;

	facts->cgroup = task->cgroups->dfl_cgrp->kn->id;
	facts->tid = task->pid;
	facts->flags = task->flags;
	facts->uid = cred->uid.val;
	facts->gid = cred->egid.val;
	facts->login_uid = task_login_uid(task);
	facts->pgid = pid_number(signal->pids[PIDTYPE_PGID]);
	facts->session = pid_number(signal->pids[PIDTYPE_SID]);
	facts->namespace_pid = 0;
	facts->namespace_inode = 0;
	facts->namespace_level = 0;
	if (pid) {
		struct upid inner = {};
		u32 level = pid->level;
		u64 number = 0;

		/* fetched as a number: the verifier allows no variable offset on a typed pointer */
		bpf_core_read(&number, sizeof(number), &leader->thread_pid);
		number +=
			bpf_core_field_offset(struct pid, numbers) + level * bpf_core_type_size(struct upid);
		bpf_probe_read_kernel(&inner, sizeof(inner), (void *)number);
		facts->namespace_pid = inner.nr;
		facts->namespace_inode = BPF_CORE_READ(inner.ns, ns.inum);
		facts->namespace_level = level;
	}
	facts->state = task_state(task);
	facts->exit_state = leader->exit_state;
	facts->live = signal->live.counter;
	facts->signal_flags = signal->flags;
	facts->group_exit_code = signal->group_exit_code;
	facts->reserved = 0;
}

/* The target's terminal, or the one that it has just lost. */
static __always_inline void name_tty(u8 *name, struct task_struct *target)
{
	struct identity *identity;

	copy_tty(target, name);
	if (name[0])
		return;
	identity = any_identity(target->group_leader);
	/* in another session it has had another one since, or none */
	if (identity && identity->tty_session && identity->tty_session == session_of(target))
		__builtin_memcpy(name, identity->tty, TTY_BYTES);
}

static __always_inline void describe_signal(struct wire_signal *signal, const struct facts *facts,
					    struct task_struct *target)
{
	signal->version = WIRE_VERSION;
	signal->time = bpf_ktime_get_boot_ns();
	signal->signal = facts->signal;
	signal->flags = facts->group ? SIGNAL_GROUP : 0;
	if (facts->in_syscall)
		signal->flags |= SIGNAL_SYSCALL;
	signal->flags |= blocked_flags(target, facts->signal, facts->group);
	signal->result = facts->result;
	signal->info = facts->info;
	signal->info_code = facts->code;
	signal->info_errno = facts->error;
	__builtin_memset(signal->info_fields, 0, sizeof(signal->info_fields));
	if (facts->info == INFO_POINTER)
		bpf_probe_read_kernel(signal->info_fields, sizeof(signal->info_fields),
				      (void *)facts->info_address +
					      bpf_core_field_offset(struct kernel_siginfo, _sifields));
	signal->disposition = (u16)facts->disposition;
	signal->max_ancestors = (u16)settings.max_ancestors;
	signal->source_ancestors = 0;
	signal->target_ancestors = 0;
	signal->beyond_ancestors = 0;
	signal->joins_at = JOINS_NOWHERE;
	__builtin_memset(signal->tty, 0, sizeof(signal->tty));
	if (is_from_tty(facts))
		name_tty(signal->tty, target);
	signal->call = facts->call;
}

struct subjects {
	struct task_struct *current_task;
	struct task_struct *target;
	struct scratch *scratch;
};

/* Turn 0: the source (or whoever runs), turn 1: the target. Each with its whole argv; a sender with its title. */
static long append_subject(u32 index, void *context)
{
	struct subjects *subjects = context;
	struct scratch *scratch = subjects->scratch;
	struct wire_signal *signal = (struct wire_signal *)scratch->record;
	struct task_struct *task, *leader;
	struct wire_process *process;
	struct known known;
	struct mm_struct *mm;
	u32 at, kept, title = 0;
	u8 *bytes;

	task = index ? subjects->target : subjects->current_task;
	scratch->stage = index ? TARGET_CHAIN : SOURCE_CHAIN;
	leader = task->group_leader;
	/* a thread that is released already, in an interrupt, may point at a leader that is gone */
	if (!index && !scratch->facts.is_hashed)
		leader = task;
	mm = leader->mm;
	describe_task(
		(struct wire_task *)((u8 *)&signal->source + AT_MOST(1, index) * sizeof(struct wire_task)),
		task, leader);

	at = *(volatile u32 *)&scratch->length & ~7U;
	if (at > RECORD_MAX - SUBJECT_ROOM)
		return 1;
	process = (struct wire_process *)(scratch->record + at);
	bytes = (u8 *)(process + 1);
	describe(process, leader);
	if (look_up_argv(process, leader, &known, (u64)mm, ARGV_MAX, &kept) && kept <= ARGV_MAX) {
		*(u64 *)(bytes + (kept & ~7U)) = 0;
		kept = accept_argv(process, &known, copy_whole_argv(bytes, &known, kept), kept);
	}
	if (!kept)
		process->arg_start = (u32)argument_block_of(leader);
	/* a current that is no source is not walked, so nothing can join its chain */
	if (*(volatile u32 *)&scratch->stage == SOURCE_CHAIN && scratch->facts.is_walked) {
		enter_source_chain(scratch, process->tgid);
		if (kept <= ARGV_MAX)
			title = copy_title(scratch, process, bytes + kept, mm);
	}
	scratch->length = at + sizeof(*process) + PAD8(kept + title);
	return 0;
}

/*
 * One loop walks all of it: the verifier goes through the body of a bpf_loop() once for each place that
 * calls it, and every pointer that it follows there costs it a search through the kernel's BTF.
 */
struct walk {
	struct task_struct *next;        /* leader of the process to append */
	struct task_struct *target_next; /* where the target's chain begins */
	struct task_struct *beyond_next; /* where the source's chain was cut */
	struct scratch *scratch;
};

static __always_inline void begin_chain(struct scratch *scratch, enum stage stage, u32 depth)
{
	scratch->stage = stage;
	scratch->depth = depth;
	scratch->count = 0;
	/* the beyond chain begins at a process that is not in the record, the others at their subject */
	scratch->at_subject = stage != BEYOND_CHAIN;
}

static __always_inline void end_chain(struct walk *walk, bool truncated)
{
	struct scratch *scratch = walk->scratch;
	struct wire_signal *signal = (struct wire_signal *)scratch->record;
	u32 stage = *(volatile u32 *)&scratch->stage, count = scratch->count;

	if (stage == SOURCE_CHAIN) {
		signal->source_ancestors = count;
		if (truncated)
			signal->flags |= SIGNAL_SOURCE_TRUNCATED;
		if (scratch->source_only) {
			scratch->stage = DONE;
			return;
		}
		walk->beyond_next = walk->next;
		walk->next = walk->target_next;
		begin_chain(scratch, TARGET_CHAIN, settings.max_ancestors);
		return;
	}
	if (stage == TARGET_CHAIN) {
		u32 joins_at = scratch->joins_at, has;

		signal->target_ancestors = count;
		signal->joins_at = joins_at;
		if (joins_at != JOINS_NOWHERE && (signal->flags & SIGNAL_SOURCE_TRUNCATED)) {
			/* The source's tree was cut; the target, nearer to the top, may have depth left. */
			has = count + scratch->source_count - joins_at;
			walk->next = walk->beyond_next;
			begin_chain(scratch, BEYOND_CHAIN,
				    has < settings.max_ancestors ? settings.max_ancestors - has : 0);
			return;
		}
	} else {
		signal->beyond_ancestors = count;
	}
	if (truncated)
		signal->flags |= SIGNAL_TARGET_TRUNCATED;
	scratch->stage = DONE;
}

static long walk_up(u32 index __attribute__((unused)), void *context)
{
	struct walk *walk = context;
	struct scratch *scratch = walk->scratch;
	struct task_struct *leader = walk->next;
	u32 stage = scratch->stage, tgid = leader->tgid;

	if (stage == DONE)
		return 1;
	if (scratch->at_subject) {
		scratch->at_subject = 0;
		walk->next = leader->real_parent->group_leader;
		return 0;
	}
	/* above PID 1 and kthreadd there is only the idle task */
	if (tgid == 0) {
		end_chain(walk, false);
		return 0;
	}
	if (stage == TARGET_CHAIN) {
		scratch->joins_at = place_in_source_chain(scratch, tgid);
		if (scratch->joins_at != JOINS_NOWHERE) {
			end_chain(walk, false);
			return 0;
		}
	}
	if (scratch->count >= scratch->depth || !append_ancestor(scratch, leader)) {
		end_chain(walk, true);
		return 0;
	}
	scratch->count++;
	if (stage == SOURCE_CHAIN)
		enter_source_chain(scratch, tgid);
	walk->next = leader->real_parent->group_leader;
	return 0;
}

/* Both chains and the part beyond, each with the turns at its subject and at its end. */
#define WALK_TURNS (3 * (MAX_ANCESTORS + 2) + 1)

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
}

static __always_inline void take_snapshot(struct scratch *scratch, struct task_struct *current_task,
					  struct task_struct *target)
{
	struct wire_signal *signal = (struct wire_signal *)scratch->record;
	struct subjects subjects = { .current_task = current_task, .target = target, .scratch = scratch };
	struct walk walk = { .scratch = scratch };

	begin_record(scratch, target, RECORD_SIGNAL);
	REPEAT(2, 2, append_subject, &subjects);

	walk.target_next = target->group_leader;
	walk.beyond_next = walk.target_next;
	if (scratch->facts.is_walked) {
		walk.next = current_task->group_leader;
		begin_chain(scratch, SOURCE_CHAIN, settings.max_ancestors);
	} else {
		walk.next = walk.target_next;
		begin_chain(scratch, TARGET_CHAIN, settings.max_ancestors);
	}
	REPEAT(WALK_TURNS, WALK_TURNS, walk_up, &walk);
	signal->length = scratch->length;
}

#endif
