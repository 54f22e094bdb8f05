/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every map, and why it has that size and type; every setting that user space makes before the load.
 */
#ifndef KILLSNOOP_BASE_MAPS_H
#define KILLSNOOP_BASE_MAPS_H

#include "base/compat.h"
#include "base/wire.h"

/*
 * Size classes. A task-storage element is 72 bytes and its value, in a power-of-two slab: 424, 1,960 and
 * 8,104 fill theirs exactly, and 8,120 is the most that kernel 7.x ever allocates.
 */
#define ARGV_INLINE_BYTES 280
#define ARGV_MEDIUM_BYTES 1960
#define ARGV_LARGE_BYTES 8104
#define ARGV_MAX (2 * ARGV_LARGE_BYTES)
/* Bytes of a live title that are compared at once. */
#define LIVE_BLOCK 64

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
	 * from /proc, which tells neither this nor the exec id, the place of the argument block.
	 */
	u64 image;
	/* up to here a record needs it (struct found) */
	u64 exec_time; /* CLOCK_BOOTTIME, ns; of the exec, or of the seeding */
	/* Signals, bit sig-1, that met the default action, which ends a process, and that a record told of or a filter refused. */
	u64 signalled;
	u32 wanted; /* a signal came while a new image ran without an identity: the exec hook emits it */
	u32 marks;  /* enum mark */
	/*
	 * Its terminal at exec, and the name of that as the kernel has it: at a hang-up the process has lost it before the
	 * signal comes. The pointer is no reference: what is read there shows whether it still is that terminal.
	 */
	u8 tty[TTY_BYTES];
	u64 terminal;
	/* Written under the siglock of the process: one writer at a time. */
	struct wire_previous previous;
	u64 child_death; /* CHILD_DEATH of its child that died last */
	u8 argv[ARGV_INLINE_BYTES];
};
_Static_assert(sizeof(struct identity) == 424, "an identity must fill its slab and no more");

/* What happened to a process, kept with it; set atomically, never taken back. */
enum mark {
	MARK_FORKED = 1 << 0,     /* it has started processes */
	MARK_BEREFT = 1 << 1,     /* one of those has left a ghost */
	MARK_TOLD = 1 << 2,       /* a record told of a signal that could have ended it */
	MARK_NO_HISTORY = 1 << 4, /* something happened to it before there was a value to keep it in */
	MARK_IN_TREE = 1 << 5,    /* it is in a tree that was asked for, or was born there */
	MARK_ENDED = 1 << 3,      /* its end was seen */
};

/*
 * What was found of a process, as numbers in map memory: the verifier would follow everything behind a look-up for each
 * map that the value may be of. Addresses are read by copying alone.
 */
struct found {
	u64 identity; /* 0: nothing */
	u64 argv;     /* of its first bytes, and of those from ARGV_LARGE_BYTES on; 0: it was being changed */
	u64 tail;
	u64 environment; /* 0: none of the variables asked for */
	u64 mm;          /* the address space that it has now */
	u32 generation;
	u32 flags; /* PROCESS_FROM_FORKER */
	u32 seeded;
	u32 reserved;
	struct identity copy; /* as far as a record needs it */
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

/* Written by the seeding alone (identity/store.h says why it has maps of its own). */
TASK_STORAGE(seeded, struct identity);
TASK_STORAGE(seeded_medium, struct argv_medium);
TASK_STORAGE(seeded_large, struct argv_large);
TASK_STORAGE(seeded_tail, struct argv_large);

/*
 * What the old leader leaves when another thread execs: the new leader is another task_struct with no
 * storage. An entry lives some microseconds, and its taker deletes it; LRU because a thread that dies
 * between de_thread() and the exec hook never takes it.
 */
struct handover_key {
	u64 start_time;
	u32 tgid;
	u32 reserved;
};
struct handover {
	u64 spawner_start;
	u32 spawner_tgid;
	u32 spawner_exec_id;
	u32 generation;
	u32 marks;
	u64 signalled;
	u64 child_death;
	struct wire_previous previous;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct handover_key);
	__type(value, struct handover);
} handovers SEC(".maps");

/* Who started a process; a tgid of 0: that is not known. */
struct spawner {
	u64 start;
	u32 tgid;
	u32 exec_id; /* of the image that it ran then */
};

/*
 * What is left of a process that ended before those that it started (identity/ghost.h). Each place of `ghost_places` names the
 * ghost that was put there last and the class of users that it is counted for, so that what goes for another is
 * chosen fairly, and counted. max_entries of both become the number asked for.
 */
struct ghost {
	struct spawner spawner;
	u32 generation; /* of its identity when it ended */
	u32 flags;
	u32 uid;
	u32 exec_id;
	u32 argv_total;
	u32 argv_kept;
	u8 comm[TASK_COMM_LEN];
	u8 argv[GHOST_ARGV];
};
_Static_assert(sizeof(struct ghost) == 16 + 24 + TASK_COMM_LEN + GHOST_ARGV, "ghost has padding");
struct ghost_place {
	u64 start_time;
	u32 tgid;
	u32 class; /* 0: free; GHOST_PLACE_BUSY: claimed by a program that puts one there */
};
#define GHOST_PLACE_BUSY 0xffffffffU
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct handover_key);
	__type(value, struct ghost);
} ghosts SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct ghost_place);
} ghost_places SEC(".maps");

/*
 * What happened to processes of which nothing is kept: the tracer could not seed them, or, before 6.2, a look-up from an
 * interrupt found the storage busy. Asked at the exit of a process whose own value does not explain its end.
 */
struct elsewhere {
	u64 signalled;
	u32 marks;
	u32 reserved;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct handover_key);
	__type(value, struct elsewhere);
} signalled_elsewhere SEC(".maps");

/* Set before the load to the bytes asked for. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 * 1024 * 1024);
} records SEC(".maps");

/*
 * What the filter and the record need to know of a signal. It is kept in map memory: what the verifier
 * does not know it need not follow along every branch.
 */
struct facts {
	u64 info_address;
	u64 action; /* where the target's handlers are */
	u32 signal;
	u32 result;
	u32 info; /* enum wire_info */
	s32 code;
	u32 disposition; /* enum wire_disposition */
	u32 group;
	u32 in_syscall;
	u32 to_itself;
	u32 is_sent;   /* by current, in a system call of its own */
	u32 is_hashed; /* current has not been released: what it points at is there */
	u32 is_walked; /* and may be the source */
	u32 may_end;   /* its default action ends a process */
	u32 hidden;    /* enum hidden_class */
	u32 filtered;  /* by a filter of the command line */
	u32 is_told;   /* a record tells of it */
	u64 time;
	struct wire_previous previous;  /* what the target had before this one */
	struct wire_previous to_source; /* and the source */
	u64 child_death;
	u32 no_history;
	u32 is_traced;    /* current is: its registers are no evidence */
	u32 in_tree;      /* SIGNAL_SOURCE_IN_TREE, SIGNAL_TARGET_IN_TREE */
	u32 is_io_worker; /* current is a thread that io_uring made: it works for its process */
	u32 is_exiting;   /* current is past the beginning of its exit */
	u32 is_on_stack;  /* its siginfo is on current's stack: a call of current built it, and no timer */
	u64 last_fault;   /* wire_signal.last_fault */
	struct wire_syscall call;
};

/* Processes of the record before (record/reuse.h): source, target, and two chains. */
#define AGAIN_PLACES (2 + 2 * MAX_CHAIN)
#define NOWHERE 0xffffffffU
struct appended {
	u64 start_time;
	u64 image; /* its address space: the pointer, never followed */
	struct spawner spawner;
	u32 tgid;
	u32 exec_id;
	u32 at; /* in the record; NOWHERE: it is to be asked anew */
	u32 flags;
	u32 generation;
	u32 argv_total;
	u16 argv_kept;
	u16 exe_kept;
	u32 reserved;
};
struct again {
	u32 appended; /* processes of the record before, from the first on; 0 while there is none */
	u32 same;     /* so many of them may be the same as now */
	struct appended process[AGAIN_PLACES];
};

/*
 * Where signal_generate builds its record: one element per CPU, for that program alone. A tracing program
 * never nests on a CPU, and one that is preempted (6.13 and later, RT) blocks itself for every other task
 * there, which the kernel counts as a recursion miss; so nobody else can be writing here. A plain array,
 * because a per-CPU one is limited to 32 KiB a value. max_entries becomes the number of possible CPUs.
 */
struct scratch {
	struct facts facts;
	u32 length;      /* bytes of record in use */
	u32 stage;       /* enum stage of record/snapshot.h */
	u32 count;       /* ancestors appended to the chain at hand */
	u32 depth;       /* ancestors that it may get */
	u32 at_subject;  /* the walk stands at source or target itself, which are in the record already */
	u32 source_only; /* the walk ends with the source's chain */
	u32 busy;        /* of a slot that is claimed (hooks/attempt.h) */
	u32 reserved;
	u64 ancestors;    /* one bit for each process of the source's chain: a quick "cannot be in it" */
	u32 source_count; /* processes of the source's chain, itself included */
	u32 joins_at;
	u32 processes;    /* in the record so far */
	u32 orphans;      /* processes of it whose parent is not who started them */
	u32 orphan_at;    /* the one at hand */
	u32 spawners;     /* told so far */
	u32 spawners_cut; /* and there are more */
	u32 reserved_too;
	struct found found; /* of the process appended last */
	struct spawner spawner;
	struct orphan {
		struct spawner spawner;
		u32 place;
		u32 reserved;
	} orphan[MAX_ORPHANS];
	u32 tgids[MAX_CHAIN + 1]; /* the source's chain */
	struct again again;
	/* the sender's argument block as it is now, to the end of its last block */
	u8 live[ARGV_MAX + LIVE_BLOCK] __attribute__((aligned(8)));
	u8 record[RECORD_MAX] __attribute__((aligned(8)));
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

/* Of attempts (hooks/attempt.h): slots that are claimed. As many as CPUs and three more, where attempts are asked for. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scratch);
} attempt_scratches SEC(".maps");

/*
 * Where an exec hook builds the record of an identity that a signal waits for: one element per CPU for each
 * of its two copies, since the second may run while the first is preempted. max_entries becomes twice the
 * number of possible CPUs.
 */
struct identity_scratch {
	struct wire_identity record;
	u8 bytes[ARGV_MAX + EXE_BYTES +
		 256]; /* argv and, behind it, the executable's path; then room for one name */
	u32 argv_kept;
	u32 exe_kept;
	u32 exe_used; /* while it is read */
	u32 flags;    /* PROCESS_* of what was read */
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, struct identity_scratch);
} identity_scratches SEC(".maps");

/*
 * Where the exit hook builds the record of an end: as above, one element per CPU for each of its two copies.
 */
#define END_MAX (48 * 1024)
struct end_scratch {
	u32 length;
	u32 is_told;
	struct found found;
	struct spawner spawner; /* not asked for */
	u32 died_of;            /* the number of a signal, or 0 */
	u32 left_ghost;
	u64 tracer; /* struct task_struct *, never followed but by copying; 0: none */
	u8 record[END_MAX] __attribute__((aligned(8)));
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, struct end_scratch);
} end_scratches SEC(".maps");

/* Where the OOM hook builds its record; kills by the OOM killer are serialised by a mutex of the kernel's. */
struct oom_scratch {
	struct wire_oom record;
	u8 path[OOM_PATH + 256];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct oom_scratch);
} oom_scratches SEC(".maps");

/* Why a signal was not reported though no filter asked for that (signal/hide.h). */
enum hidden_class {
	SHOWN = 0,
	HIDDEN_SELF = 1,
	HIDDEN_TIMER = 2,
	HIDDEN_FAULT = 3,
	HIDDEN_CHILD = 4,
	HIDDEN_TTY = 5,
	HIDDEN_IO = 6,
	HIDDEN_CLASSES = 7,
};

/*
 * One element per CPU, mapped into user space, so that it can be read at any time and after privileges
 * were dropped. The fields above the line are written by one program only, and no program nests on a CPU: a
 * plain increment loses nothing. generated = hidden + filtered + emitted + dropped, by construction of
 * signal_generate; missed calls of a program are in its own recursion_misses.
 */
struct counters {
	u64 generated;
	u64 emitted;
	u64 dropped_ring_full;
	u64 filtered;
	u64 hidden[HIDDEN_CLASSES];
	/* from here on several programs count, and one may be preempted by another: atomic adds, all rare */
	u64 exec_no_memory;
	u64 exec_unreadable;
	u64 fork_no_memory;
	u64 fork_unknown;
	u64 wakeups;
	u64 identities_emitted;
	u64 identities_dropped;
	u64 healed_execs; /* done by the second copy of a hook, since the first was skipped */
	u64 healed_forks;
	u64 healed_exits;
	u64 ends_emitted;
	u64 ends_dropped;
	u64 ooms_emitted;
	u64 ooms_dropped;
	u64 attempts; /* = attempts_filtered + attempts_emitted + attempts_dropped */
	u64 attempts_filtered;
	u64 attempts_emitted;
	u64 attempts_dropped;
	u64 cgroups_emitted;
	u64 cgroups_dropped;
	u64 ghosts_left;
	u64 ghosts_dropped; /* the oldest went for a newer one */
	u64 ends_unknown;   /* of processes without any value: whether they were signalled is not known */
	u64 reserved[6];    /* whole cache lines: CPUs do not share one */
};
_Static_assert(sizeof(struct counters) == 320, "counters must fill whole cache lines");
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct counters);
} counters SEC(".maps");

struct comm_key {
	u8 comm[TASK_COMM_LEN];
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct comm_key);
	__type(value, u8);
} ignored_source_comms SEC(".maps");

/* What a signal is asked for (signal/select.h). Of each side pid, uid and comm follow one another. */
enum select_key {
	SELECT_PID = 0, /* of source or target */
	SELECT_SOURCE_PID = 1,
	SELECT_SOURCE_UID = 2,
	SELECT_SOURCE_COMM = 3,
	SELECT_TARGET_PID = 4,
	SELECT_TARGET_UID = 5,
	SELECT_TARGET_COMM = 6,
	SELECT_TREE = 7, /* of source or target; by MARK_IN_TREE */
	SELECT_KEYS = 8,
};
struct select_value {
	u32 key;
	u32 number;
	u8 comm[TASK_COMM_LEN];
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct select_value);
	__type(value, u8);
} selected SEC(".maps");

/* The processes that the trees asked for begin at. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, u32);
	__type(value, u8);
} tree_roots SEC(".maps");

/* Whose hierarchy of version 1 is looked at, beside version 2: container managers put a container into each. */
enum legacy_controller {
	LEGACY_NONE = 0,
	LEGACY_MEMORY = 1,
	LEGACY_PIDS = 2,
};

/* Settings, made before the load: the verifier sees constants and drops what is off. */
struct settings {
	u64 shown_signals;    /* bit sig-1: passes the filter */
	u64 included_signals; /* bit sig-1: named by -i, so never hidden by default */
	u64 wake_at_bytes;    /* in the timed wait, wake the reader when this much is waiting */
	u32 max_ancestors;
	u32 show_all;
	u32 ignores_comms;
	u32 failed;            /* tell calls that fail */
	u32 probes;            /* tell calls with signal 0 */
	u32 attempts_only;     /* the signal hook is not there */
	u32 outcomes;          /* tell how those end that were signalled */
	u32 ghosts;            /* how many are kept */
	u32 variables;         /* how many environment variables are asked for */
	u32 legacy_controller; /* enum legacy_controller: whose hierarchy of version 1 tells of containers */
	u32 legacy_hierarchy;
	u32 selected;          /* bit enum select_key: is asked for */
	u32 tree_begins_below; /* the roots of trees are not in them */
	u32 tells_ends;        /* of the targets asked for by pid, signalled or not */
	u64 variable[MAX_VARIABLES][VARIABLE_NAME / 8];      /* their names, and "=" */
	u64 variable_mask[MAX_VARIABLES][VARIABLE_NAME / 8]; /* the bytes of each that count */
};
const volatile struct settings settings = {};

/*
 * The reader's state, in a cache line of its own (it is loaded by every signal and written by the reader
 * alone, but for the one store that claims a wake-up).
 */
enum reader_state {
	READER_DRAINING = 0,
	READER_ASLEEP = 1,
	READER_TIMED_WAIT = 2,
};
struct reader {
	u32 state;
	u32 reserved[31];
};
struct reader reader __attribute__((aligned(128))) = {};

/*
 * Nothing reads this: it puts the wire structs and enums into the object's type information, from which
 * user space's own are generated, so that there is no second copy to keep in step.
 */
struct wire_types {
	struct wire_signal signal;
	struct wire_process process;
	struct wire_identity identity;
	struct wire_end end;
	struct wire_oom oom;
	struct wire_limits limits;
	struct wire_attempt attempt;
	struct wire_cgroup cgroup;
	struct wire_title title;
	struct wire_spawner spawner;
	struct wire_previous previous;
	enum wire_previous_flag previous_flag;
	enum wire_spawner_flag spawner_flag;
	enum legacy_controller legacy_controller;
	enum select_key select_key;
	struct select_value select_value;
	enum wire_constant constant;
	enum wire_kind kind;
	enum wire_info info;
	enum wire_abi abi;
	enum wire_disposition disposition;
	enum wire_signal_flag signal_flag;
	enum wire_behind behind;
	enum wire_process_flag process_flag;
	enum hidden_class hidden_class;
	enum reader_state reader_state;
};
const volatile struct wire_types wire_types = {};

#define COUNT(counter) __sync_fetch_and_add(&(counter), 1)

static __always_inline struct counters *cpu_counters(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&counters, &cpu);
}

#endif
