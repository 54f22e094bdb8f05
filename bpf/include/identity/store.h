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

#include "base/settings.h"
#include "base/task.h"
#include "wire/wire.h"

/*
 * Size classes. A task-storage element is 72 bytes and its value, in a power-of-two slab: 424, 1,960 and
 * 8,104 fill theirs exactly, and 8,120 is the most that kernel 7.x ever allocates.
 */
#define ARGV_INLINE_BYTES 232
#define ARGV_MEDIUM_BYTES 1960
#define ARGV_LARGE_BYTES 8104
#define ARGV_MAX (2 * ARGV_LARGE_BYTES)

/* One process: a pid that is used again has another start. */
struct handover_key {
	u64 start_time;
	u32 tgid;
	u32 reserved;
};

/* Who started a process; a tgid of 0: that is not known. */
struct spawner {
	u64 start;
	u32 tgid;
	u32 exec_id; /* of the image that it ran then */
};

struct identity {
	u32 generation; /* odd while it is written; 0: nothing known yet */
	u32 flags;      /* PROCESS_UNREADABLE, _NO_MEMORY, _FROM_PROC, _CUT */
	u64 spawner_start;
	u32 spawner_tgid; /* who forked it: not real_parent, which changes */
	u32 spawner_exec_id;
	u32 exec_id; /* low half of task->self_exec_id when argv was read */
	u32 argv_kept;
	u32 argv_total;
	u32 exe_kept; /* bytes of the executable's path behind argv: names, the nearest first */
	/*
	 * Whose address space it is: the pointer itself, never followed. With PROCESS_BY_PLACE, where argv came
	 * from /proc, which shows neither this nor the exec id, the place of the argument block.
	 */
	u64 image;
	/* Which of its states was reported, and with which name: identity/report.h. */
	u64 reported;
	u8 reported_comm[TASK_COMM_LEN];
	u32 reported_uid;
	u32 long_argv; /* what it pays for values beside this one: identity/long_argv.h */
	u64 exec_time; /* CLOCK_BOOTTIME, ns; of the exec, or of the seeding */
	/* Signals, bit sig-1, that met the default action, which ends a process, and that a record reported or a filter refused. */
	u64 signalled;
	u32 wanted; /* a signal came while a new image ran without an identity: the exec hook emits it */
	u32 marks;  /* enum mark */
	/*
	 * Its terminal at exec, and the name of that as the kernel has it: at a hang-up the process has lost it before the
	 * signal comes. The pointer is no reference: what is read there shows whether it still is that terminal. Its lowest bit is
	 * TERMINAL_HUNG_UP.
	 */
	u8 tty[TTY_BYTES];
	u64 terminal;
	/* Written under the siglock of the process: one writer at a time. */
	struct wire_previous previous;
	struct wire_delivery delivery;
	u64 child_death; /* CHILD_DEATH of its child that died last */
	u8 argv[ARGV_INLINE_BYTES];
};
_Static_assert(sizeof(struct identity) == 424, "an identity must fill its slab and no more");

/* What happened to a process, kept with it; set atomically, never taken back. */
enum mark {
	MARK_FORKED = 1 << 0,           /* it has started processes */
	MARK_CHILD_LEFT_GHOST = 1 << 1, /* one of those has left a ghost */
	MARK_REPORTED = 1 << 2,         /* a record reported a signal that could have ended it */
	MARK_NO_HISTORY = 1 << 4,       /* something happened to it before there was a value to keep it in */
	MARK_IN_TREE = 1 << 5,          /* it is in a tree that was asked for, or was born there */
	MARK_ENDED = 1 << 3,            /* its end was seen */
};

struct argv_medium {
	u8 argv[ARGV_MEDIUM_BYTES];
};

struct argv_large {
	u8 argv[ARGV_LARGE_BYTES];
};

#define TASK_STORAGE(name_, value_)                      \
	struct {                                         \
		__uint(type, BPF_MAP_TYPE_TASK_STORAGE); \
		__uint(map_flags, BPF_F_NO_PREALLOC);    \
		__type(key, int);                        \
		__type(value, value_);                   \
	} name_ SEC(".maps")

/* Written by the hooks. */
TASK_STORAGE(identities, struct identity);
TASK_STORAGE(argv_medium, struct argv_medium);
TASK_STORAGE(argv_large, struct argv_large);
TASK_STORAGE(argv_tail, struct argv_large);

/* Written by the seeding alone (above: why it has maps of its own). */
TASK_STORAGE(seeded, struct identity);
TASK_STORAGE(seeded_medium, struct argv_medium);
TASK_STORAGE(seeded_large, struct argv_large);
TASK_STORAGE(seeded_tail, struct argv_large);

/* Where the identity of a process is. */
struct identity_ref {
	struct identity *identity;
	struct task_struct *owner; /* its storage holds it */
	bool seeded;
};

static __always_inline struct identity *own_identity(struct task_struct *leader, struct identity_ref *known)
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

static __always_inline void mark(struct identity *identity, enum mark mark)
{
	if (identity && !(identity->marks & mark))
		__sync_fetch_and_or(&identity->marks, mark);
}

#endif
