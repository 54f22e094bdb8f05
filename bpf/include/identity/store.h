/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who a process is: argv as it was exec'd, kept with the task itself (task storage of the thread-group
 * leader), so that it lives exactly as long as the task, zombies included, with no table to overflow
 * and no pid to be used twice.
 *
 * Writers. `identity` is written by the hooks, each time by the process itself: at fork by its forker
 * before it can run, at exec by the exec'ing thread when it is the only one. `seeded` is written by the
 * seeding alone. So no value has two writers, and a reader prefers `identity` as soon as its
 * generation is not 0.
 *
 * Readers may come at any time from any CPU: the generation is odd while a value is written, and a
 * reader that finds it odd, or changed after copying, has read a mixture and says so.
 *
 * self_exec_id is the kernel's own count of execs of a task. A reader that finds another one in the task
 * than in the value knows that the exec hook has not run yet, or was missed: the argv kept is then not
 * this process's and is never shown.
 */
#ifndef KILLSNOOP_IDENTITY_STORE_H
#define KILLSNOOP_IDENTITY_STORE_H

#include "base/maps.h"

/* Which value holds argv; each class is whole in its own map. */
enum argv_class {
	ARGV_INLINE = 0,
	ARGV_MEDIUM = 1,
	ARGV_LARGE = 2,
	ARGV_CHAINED = 3, /* argv_large and, from ARGV_LARGE_BYTES on, argv_tail */
};

#ifdef __TARGET_ARCH_x86
/* Loads are not reordered with loads, nor stores with stores: the compiler alone must be held. */
#define generation_barrier() asm volatile("" ::: "memory")
#else
/*
 * An atomic that returns a value is the only full barrier that every supported kernel's BPF has. An exchange always
 * returns one; an addition whose result nobody uses is compiled to one that does not, and orders nothing (scripts/lint
 * looks at the object).
 */
#define generation_barrier()                                             \
	({                                                               \
		u64 word = 0, before;                                    \
		before = __sync_lock_test_and_set(&word, 1);             \
		asm volatile("" : : "r"(before), "r"(&word) : "memory"); \
	})
#endif

/* An atomic add whose result nobody uses orders nothing on arm64: the barriers are said. */
static __always_inline void begin_write(struct identity *identity)
{
	__sync_fetch_and_add(&identity->generation, 1);
	generation_barrier();
}

static __always_inline void end_write(struct identity *identity)
{
	generation_barrier();
	__sync_fetch_and_add(&identity->generation, 1);
}

static __always_inline u32 generation_of(struct identity *identity)
{
	u32 generation = *(volatile u32 *)&identity->generation;

	generation_barrier();
	return generation;
}

static __always_inline bool unchanged_since(struct identity *identity, u32 generation)
{
	generation_barrier();
	return *(volatile u32 *)&identity->generation == generation;
}

static __always_inline enum argv_class class_of(u32 length)
{
	if (length <= ARGV_INLINE_BYTES)
		return ARGV_INLINE;
	if (length <= ARGV_MEDIUM_BYTES)
		return ARGV_MEDIUM;
	if (length <= ARGV_LARGE_BYTES)
		return ARGV_LARGE;
	return ARGV_CHAINED;
}

/*
 * The name of a task's terminal, empty if it has none. A terminal that hangs up at this moment may be freed while its
 * name is copied: it is believed only if the task still has it afterwards.
 */
static __always_inline void copy_tty_of(struct signal_struct *signal, struct tty_struct *tty, u8 *name)
{
	name[0] = 0;
	if (!tty)
		return;
	bpf_core_read_str(name, TTY_BYTES, &tty->name);
	if (BPF_CORE_READ(signal, tty) != tty)
		name[0] = 0;
}

static __always_inline void copy_tty(struct task_struct *task, u8 *name)
{
	struct signal_struct *signal = BPF_CORE_READ(task, signal);

	copy_tty_of(signal, BPF_CORE_READ(signal, tty), name);
}

/*
 * Does this terminal belong to the session of a process, and has it this name? It may have been freed since. Where it hangs
 * up (__tty_hangup()) the session is still there when the processes of the session are signalled.
 */
static __always_inline bool is_terminal_of(struct tty_struct *tty, struct task_struct *task, const u8 *name)
{
	u8 now[TTY_BYTES] = {};
	const u64 *a = (const u64 *)now, *b = (const u64 *)name;
	struct pid *session;

	if (!tty)
		return false;
	session = BPF_CORE_READ(tty, ctrl.session);
	bpf_core_read_str(now, sizeof(now), &tty->name);
	return session && session == BPF_CORE_READ(task, signal, pids[PIDTYPE_SID]) && a[0] == b[0] &&
	       a[1] == b[1];
}

static __always_inline void remember_tty(struct task_struct *task, struct identity *identity)
{
	struct signal_struct *signal = view_of(task)->signal;

	__builtin_memset(identity->tty, 0, TTY_BYTES);
	identity->terminal = (u64)signal->tty;
	copy_tty_of(signal, (struct tty_struct *)identity->terminal, identity->tty);
	if (!identity->tty[0])
		identity->terminal = 0;
}

static __always_inline struct mm_struct *mm_of(struct task_struct *task)
{
	return view_of(task)->mm;
}

/*
 * Two processes run the same image if the address space was laid out by the same execve: the stack's
 * place is random anew at each. (Without randomisation two execs of one file with argument blocks of
 * one length look alike; this is asked only of a child that has not exec'd and its parent.)
 */
static __always_inline bool same_image(struct task_struct *child, struct task_struct *parent)
{
	struct mm_struct *a = mm_of(child), *b = mm_of(parent);

	if (!a || !b)
		return false;
	return a == b || (a->arg_start == b->arg_start && a->arg_end == b->arg_end &&
			  a->start_stack == b->start_stack && a->exe_file == b->exe_file);
}

/*
 * `time` is the sequence: no two signals to one process share one, and it is 0 while the rest is written. Writers hold the
 * siglock of the process; those who read do not.
 */
static __always_inline void copy_previous(struct wire_previous *to, const struct wire_previous *from)
{
	u64 time = *(volatile u64 *)&from->time;

	generation_barrier();
	__builtin_memcpy(to, from, sizeof(*to));
	generation_barrier();
	/* being written: nothing is better than a mixture */
	if (!time || *(volatile u64 *)&from->time != time)
		to->time = 0;
}

/* Where the identity of a process is. */
struct known {
	struct identity *identity;
	struct task_struct *owner; /* whose storage it is */
	bool seeded;
};

static __always_inline struct identity *own_identity(struct task_struct *leader, struct known *known)
{
	struct identity *identity = bpf_task_storage_get(&identities, leader, NULL, 0);

	known->owner = leader;
	known->seeded = false;
	if (identity && identity->generation)
		return identity;
	identity = bpf_task_storage_get(&seeded, leader, NULL, 0);
	if (identity && identity->generation) {
		known->seeded = true;
		return identity;
	}
	return NULL;
}

/* Where what happens to a process is noted, whatever else is known of it. */
static __always_inline struct identity *any_identity(struct task_struct *leader)
{
	struct identity *identity = bpf_task_storage_get(&identities, leader, NULL, 0);

	return identity ?: bpf_task_storage_get(&seeded, leader, NULL, 0);
}

/*
 * The leader is gone and other threads live: one of them may exec, and then only what was handed over is left. So what
 * happens meanwhile is handed over as well.
 */
static __always_inline void hand_over(struct handover *left, const struct identity *identity)
{
	left->signalled = identity->signalled;
	left->marks = identity->marks;
	left->child_death = identity->child_death;
	copy_previous(&left->previous, &identity->previous);
}

static __always_inline void refresh_handover(struct task_struct *leader, const struct identity *identity)
{
	struct handover_key key = { .start_time = leader->start_boottime, .tgid = leader->tgid };
	struct handover *left = bpf_map_lookup_elem(&handovers, &key);
	struct handover first = {};

	if (left) {
		hand_over(left, identity);
		return;
	}
	/* it went before the tracer came; or it is the end of the whole process */
	if (BPF_CORE_READ(leader, signal, live.counter) == 0)
		return;
	hand_over(&first, identity);
	bpf_map_update_elem(&handovers, &key, &first, BPF_ANY);
}

static __always_inline void mark(struct identity *identity, enum mark mark)
{
	if (identity && !(identity->marks & mark))
		__sync_fetch_and_or(&identity->marks, mark);
}

/* argv and the executable's path behind it are kept as one. */
static __always_inline u32 bytes_kept(const struct identity *identity)
{
	return *(volatile u32 *)&identity->argv_kept + *(volatile u32 *)&identity->exe_kept;
}

/* The value that holds the first bytes of argv, or NULL if it is being changed this very moment. */
static __always_inline const void *argv_bytes(const struct known *known, u32 bytes)
{
	enum argv_class class = class_of(bytes);
	struct argv_medium *medium;
	struct argv_large *large;

	if (class == ARGV_INLINE)
		return known->identity->argv;
	if (class == ARGV_MEDIUM) {
		if (known->seeded)
			medium = bpf_task_storage_get(&seeded_medium, known->owner, NULL, 0);
		else
			medium = bpf_task_storage_get(&argv_medium, known->owner, NULL, 0);
		return medium ? medium->argv : NULL;
	}
	if (known->seeded)
		large = bpf_task_storage_get(&seeded_large, known->owner, NULL, 0);
	else
		large = bpf_task_storage_get(&argv_large, known->owner, NULL, 0);
	return large ? large->argv : NULL;
}

static __always_inline const void *argv_tail_bytes(const struct known *known)
{
	struct argv_large *tail;

	if (known->seeded)
		tail = bpf_task_storage_get(&seeded_tail, known->owner, NULL, 0);
	else
		tail = bpf_task_storage_get(&argv_tail, known->owner, NULL, 0);
	return tail ? tail->argv : NULL;
}

/* Values that the new argv no longer uses go: an exec from a long to a short argv gives its memory back. */
static __always_inline void drop_unused_classes(struct task_struct *leader, u32 before, u32 after)
{
	enum argv_class old = class_of(before), now = class_of(after);

	if (old == now || old == ARGV_INLINE)
		return;
	if (old == ARGV_MEDIUM)
		bpf_task_storage_delete(&argv_medium, leader);
	if (old >= ARGV_LARGE && now < ARGV_LARGE)
		bpf_task_storage_delete(&argv_large, leader);
	if (old == ARGV_CHAINED)
		bpf_task_storage_delete(&argv_tail, leader);
}

#endif
