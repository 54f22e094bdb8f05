/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The wire: what one ring record looks like. Fixed width, natural alignment, no padding that is not
 * named, host byte order. A record is self-contained: a lost one loses only itself.
 *
 *	struct wire_signal
 *	2                × (struct wire_process, its bytes, padded to 8)    current and the target
 *	source_ancestors × (the same)                                       of current, its parent first
 *	target_ancestors × (the same)                                       the target's own
 *	beyond_ancestors × (the same)                                       shared ones past the source's depth
 *
 *	spawners         × (struct wire_spawner, its process and bytes)     who started those whose parent is another now
 *	what wire_signal.behind names, in its order: struct wire_process of the tracers of source and target, struct wire_limits
 *	stack_frames     × u64                                              return addresses of the kernel functions that sent it
 *
 * The target's chain stops where it meets the source's: `joins_at` is the place in the source's chain
 * at which it goes on. The bytes behind a process are its argv (argv_kept of them, NUL separated), and behind
 * those of source and target what struct wire_task counts: the names of the executable's path, the nearest first
 * (exe_kept); of the source the live title (title_kept); the name of its host (nodename_kept); the environment
 * variables asked for (environment_kept, NUL separated).
 *
 * An attempt (RECORD_ATTEMPT) is laid out like a signal, with a struct wire_attempt behind it; the other kinds
 * are below.
 *
 * User space reads these structs from the object's own type information (src/wire.rs): there is no
 * second copy of them. Raise WIRE_VERSION with each change.
 */
#ifndef KILLSNOOP_BASE_WIRE_H
#define KILLSNOOP_BASE_WIRE_H

#include "base/kernel_types.h"

enum wire_constant {
	WIRE_VERSION = 7,
	/* Ancestors of one side, at most: what -d may ask for. */
	MAX_ANCESTORS = 32,
	MAX_CHAIN = MAX_ANCESTORS + 1,
	/* argv bytes kept of an ancestor, and live title bytes kept of a source. */
	ANCESTOR_ARGV = 1024,
	TITLE_BYTES = 1024,
	/* The path of an executable: its names, and how many of them. */
	EXE_BYTES = 512,
	EXE_NAMES = 32,
	/* argv bytes kept of a process that is gone. */
	GHOST_ARGV = 280,
	/* Who started whom, in one record: orphans that are asked for, and spawners written for all of them. */
	MAX_ORPHANS = 8,
	MAX_SPAWNERS = 16,
	/* utsname.nodename */
	NODENAME_BYTES = 65,
	/* The environment variables asked for, of one process; how many may be, and how long a name. */
	ENVIRONMENT_BYTES = 1952,
	MAX_VARIABLES = 8,
	VARIABLE_NAME = 64,
	/* A cgroup's path. */
	CGROUP_PATH = 1024,
	/* The name of a terminal, as the kernel has it: "pts3", "tty1". */
	TTY_BYTES = 16,
	/* Return addresses that a signal of the kernel's own is recorded with. */
	CAUSE_STACK = 48,
	/* The same of an OOM kill, and bytes of its cgroup's path. */
	OOM_STACK = 24,
	OOM_PATH = 1024,
	/* wire_signal.joins_at: the chains do not meet */
	JOINS_NOWHERE = 255,
	/*
	 * The largest record: both command lines whole (2 × 16,208 bytes, identity/store.h), two disjoint chains of 32
	 * ancestors with 1 KiB each, a title. What does not fit is cut from the far end of the last chain.
	 */
	RECORD_MAX = 104 * 1024,
};

enum wire_kind {
	RECORD_SIGNAL = 1,
	RECORD_IDENTITY = 2,
	RECORD_END = 3, /* a process ended: after a signal, or by one that this tracer's hook has not seen */
	RECORD_OOM = 4, /* the OOM killer marked its victim, just after the signal */
	RECORD_ATTEMPT = 5, /* a call that sends signals failed, or only asked (signal 0) */
	RECORD_CGROUP = 6,  /* a cgroup was made, or got another name */
	RECORD_TITLE = 7,   /* not of the ring: what the iterator that reads titles writes */
};

/* What stood in the place of the siginfo pointer. */
enum wire_info {
	INFO_NONE = 0,    /* SEND_SIG_NOINFO */
	INFO_KERNEL = 1,  /* SEND_SIG_PRIV */
	INFO_POINTER = 2, /* a siginfo: code, pid and uid below are its, and may be a sender's claim */
};

enum wire_abi {
	ABI_NONE = 0, /* the registers could not be had */
	ABI_X86_64 = 1,
	ABI_I386 = 2,
	ABI_X32 = 3,
	ABI_ARM64 = 4,
	ABI_ARM = 5,
};

enum wire_disposition {
	DISPOSITION_DEFAULT = 0,
	DISPOSITION_IGNORED = 1,
	DISPOSITION_HANDLED = 2,
};

/* wire_signal.flags */
enum wire_signal_flag {
	SIGNAL_GROUP = 1 << 0,            /* sent to the thread group, not to a thread */
	SIGNAL_BLOCKED = 1 << 1,          /* no thread that may take it has it open */
	SIGNAL_WAITED = 1 << 2,           /* blocked, but the target waits for it (sigwait) */
	SIGNAL_BLOCKED_UNKNOWN = 1 << 3,  /* more threads than were looked at */
	SIGNAL_SYSCALL = 1 << 4,          /* current was inside a system call: wire_signal.call holds */
	SIGNAL_SOURCE_TRUNCATED = 1 << 5, /* the source's chain was cut before PID 1 */
	SIGNAL_TARGET_TRUNCATED = 1 << 6, /* the target's chain was cut before PID 1 */
	SIGNAL_SPAWNERS_CUT = 1 << 8,     /* there are more spawners than there is room for */
	SIGNAL_NO_HISTORY = 1 << 7,      /* nothing is kept of the target: what came before cannot be known */
	SIGNAL_SOURCE_IN_TREE = 1 << 9,  /* current is in a tree that was asked for, and acts for itself */
	SIGNAL_TARGET_IN_TREE = 1 << 10, /* the target is in one */
	SIGNAL_STACK_LOST = 1 << 11,     /* the kernel stack was to be recorded and could not be read */
	SIGNAL_SIGNALFD = 1 << 12,       /* somebody waits at a signalfd of the target's */
	SIGNAL_TRACED_CALL =
		1 << 13, /* current is traced: its registers may be what its tracer wrote there */
	SIGNAL_INFO_ELSEWHERE =
		1 << 14, /* its siginfo is not on the stack of current: no call of current built it */
};

/* wire_signal.behind: what follows the spawners, in this order. */
enum wire_behind {
	BEHIND_SOURCE_TRACER = 1 << 0,
	BEHIND_TARGET_TRACER = 1 << 1,
	BEHIND_LIMITS = 1 << 2,
};

/* wire_process.flags: why bytes are missing. None of them set: argv is what was exec'd. */
enum wire_process_flag {
	PROCESS_NO_ARGV = 1 << 0, /* nothing to have: a kernel thread */
	PROCESS_UNKNOWN =
		1 << 1, /* no identity: a hook was missed, or older than the tracer and not seeded */
	PROCESS_EXEC_RACE = 1 << 2,    /* it was exec'ing while its argv was read */
	PROCESS_MID_EXEC = 1 << 3,     /* a new image is running for which the exec hook has not */
	PROCESS_UNREADABLE = 1 << 4,   /* the hook could not read the argument block */
	PROCESS_NO_MEMORY = 1 << 5,    /* the kernel had no memory for it */
	PROCESS_CUT = 1 << 7,          /* argv_kept of argv_total bytes: cut */
	PROCESS_FROM_PROC = 1 << 8,    /* user space seeded it from /proc */
	PROCESS_TITLE_LOST = 1 << 10,  /* the live title could not be read */
	PROCESS_TITLE_CUT = 1 << 11,   /* the live title is longer than TITLE_BYTES */
	PROCESS_TITLE_SPILT = 1 << 12, /* the title overwrote the end of argv: one string, not a list */
	PROCESS_SEEDED = 1 << 13,      /* older than the tracer: argv as read at seeding */
	PROCESS_BY_PLACE = 1 << 14,    /* its image is known by the place of its argument block, not by mm */
	PROCESS_EXE_LOST = 1 << 15,    /* the path of the executable could not be kept */
	PROCESS_ENV_CUT = 1 << 16,     /* more environment variables were asked for than could be kept */
	PROCESS_ENV_LOST = 1 << 17,    /* its environment could not be read */
	PROCESS_OVERWRITTEN = 1 << 18, /* it had written over its argv before the tracer came: a title */
	PROCESS_EXE_UNREACHABLE = 1 << 19, /* its executable is not below its root directory */
};

struct wire_process {
	u64 start_time; /* CLOCK_BOOTTIME, ns */
	u32 tgid;       /* in the initial pid namespace, as all ids here */
	u32 flags;
	u32 uid;     /* effective */
	u32 exec_id; /* low half of task->self_exec_id, of the image that runs */
	u32 reserved;
	u32 argv_total; /* bytes of the argument block, saturated */
	u16 argv_kept;
	u16 title_kept;
	u8 comm[TASK_COMM_LEN];
	u32 arg_start; /* low half of mm->arg_start, only where argv is missing: /proc may be asked for this image */
};

/* What only source and target have. */
struct wire_task {
	u64 cgroup;        /* id in the default hierarchy */
	u64 legacy_cgroup; /* and in the hierarchy of version 1 that is looked at, if one is */
	u32 tid;
	u32 flags; /* task->flags, PF_* */
	u32 uid;   /* real */
	u32 gid;   /* effective */
	u32 login_uid;
	u32 pgid;
	u32 session;
	u32 namespace_pid; /* its thread group id where it lives */
	u32 namespace_inode;
	u32 namespace_level;
	u32 state;      /* task->__state */
	u32 exit_state; /* of the leader */
	u32 live;       /* signal->live: threads that have not begun to exit */
	u32 signal_flags;
	u32 group_exit_code;
	/* inodes of namespaces; 0 where they are those of the host's PID 1, or cannot be had */
	u32 mount_namespace;
	u32 net_namespace;
	u32 reserved;
	u32 user_namespace;
	u16 exe_kept;
	u16 nodename_kept;
	u16 environment_kept;
	u16 namespaces_gone; /* it is past the point of its exit where it had any */
	u8 tty[TTY_BYTES];   /* its terminal */
	u32 jobctl;          /* the low half of task->jobctl, JOBCTL_* */
};

/* wire_previous.flags */
enum wire_previous_flag {
	PREVIOUS_SENT = 1 << 0,       /* a process sent it: the source holds */
	PREVIOUS_HIDDEN = 1 << 1,     /* no record reported it, since it is hidden by default */
	PREVIOUS_DEFAULT = 1 << 2,    /* it met the default action */
	PREVIOUS_PAGE_FAULT = 1 << 3, /* SIGSEGV or SIGBUS for an address of the target's own */
};

/* The last signal to a process that could have ended it. A time of 0: there was none. */
struct wire_previous {
	u64 time;
	u64 source_start;
	u32 source_tgid;
	u8 signal;
	u8 result; /* TRACE_SIGNAL_* */
	u8 flags;  /* enum wire_previous_flag */
	u8 reserved;
	u8 source_comm[TASK_COMM_LEN];
};

/*
 * A child's death by a signal, in one word, so that no reader meets half of it: from the lowest bit on its pid, the
 * signal, and when (boot time, in grains of about a millisecond; the upper bits are cut).
 */
enum child_death_shift {
	CHILD_DEATH_SIGNAL = 22,
	CHILD_DEATH_TIME = 29,
	CHILD_DEATH_GRAIN = 20, /* 1 << 20 ns */
};
#define CHILD_DEATH(tgid, signal, time)                      \
	((u64)(tgid) | (u64)(signal) << CHILD_DEATH_SIGNAL | \
	 (u64)(time) >> CHILD_DEATH_GRAIN << CHILD_DEATH_TIME)

/* wire_spawner.flags */
enum wire_spawner_flag {
	SPAWNER_EXITED = 1 << 0,       /* what follows was kept when it ended */
	SPAWNER_EXECED_SINCE = 1 << 1, /* it has run another program since it started the other */
};

/*
 * Who started a process whose parent is another now. The process behind it has its argv if it has ended; else only
 * its pid and start.
 */
struct wire_spawner {
	u32 of; /* place of the process in this record; those behind the chains are places too */
	u32 flags;
};

struct wire_syscall {
	s64 number;
	u64 args[4];
	u64 instruction_pointer;
	u32 abi; /* enum wire_abi */
	u32 active;
};

struct wire_signal {
	u16 version;
	u16 kind; /* enum wire_kind */
	u32 length;
	u64 time; /* CLOCK_BOOTTIME, ns */
	u32 signal;
	u32 flags;
	u32 result; /* enum of include/trace/events/signal.h: TRACE_SIGNAL_* */
	u32 info;   /* enum wire_info */
	s32 info_code;
	u32 reserved;
	u8 info_fields[16]; /* the first bytes of _sifields, as they are */
	u16 disposition;
	u16 max_ancestors; /* of each side, as asked for: what is joined beyond that is not to be shown */
	u8 source_ancestors;
	u8 target_ancestors;
	u8 beyond_ancestors;
	u8 joins_at; /* place in the source's chain (0: itself); JOINS_NOWHERE: they do not meet */
	u8 tty[TTY_BYTES]; /* the target's terminal, for signals that a terminal sends; it may be gone from it by now */
	u32 spawners;
	u16 behind; /* enum wire_behind */
	u16 stack_frames;
	u64 child_death; /* CHILD_DEATH of the source's; 0: none */
	u64 last_fault;  /* of a fault signal to current itself: the address of its last page fault */
	struct wire_previous previous;  /* to the target */
	struct wire_previous to_source; /* the last that the source itself was sent */
	struct wire_syscall call;
	struct wire_task source; /* current, whether or not it is the source */
	struct wire_task target;
};

/*
 * Resource limits of the target that the kernel sends a signal for, and what they are compared with. Behind SIGXCPU,
 * SIGXFSZ and SIGKILL that no process sent. ~0: no limit.
 */
struct wire_limits {
	u64 cpu_soft; /* RLIMIT_CPU, seconds */
	u64 cpu_hard;
	u64 rttime_soft; /* RLIMIT_RTTIME, microseconds */
	u64 rttime_hard;
	u64 fsize_soft; /* RLIMIT_FSIZE, bytes */
	u64 cpu_time;   /* user and system time of the process while a limit watches it, ns */
};

/*
 * The command line of an image that was in the middle of execve when a signal met it: sent by the exec hook
 * some microseconds after that signal's record, and joined with it in user space. argv_kept bytes follow.
 */
struct wire_identity {
	u16 version;
	u16 kind;
	u32 length;
	u64 start_time;
	u32 tgid;
	u32 exec_id;
	u32 flags; /* enum wire_process_flag */
	u32 argv_total;
	u32 argv_kept;
	u32 uid;      /* effective */
	u32 exe_kept; /* behind argv */
	u32 reserved;
	u8 comm[TASK_COMM_LEN];
};

/*
 * The end of a process: of one that had been sent a signal, or by a signal that no record reports (injected by
 * ptrace, or do_exit() with its number: strict seccomp). Behind it `processes` × struct wire_process: the process
 * with all that a target has; its tracer, if it has one, which is still there to be asked; its ancestors.
 */
struct wire_end {
	u16 version;
	u16 kind;
	u32 length;
	u64 time;
	u32 status; /* as wait() returns it */
	u32 ptrace; /* task->ptrace of its last thread */
	u32 seccomp_mode;
	u32 processes;
	u16 has_tracer;
	u16 truncated; /* the ancestors were cut before PID 1 */
	u32 explained; /* if it died of a signal: one of that number was seen to be sent */
	u32 thread;    /* this thread ended alone: its process goes on */
	u32 reserved;
	struct wire_previous previous;
	struct wire_syscall call; /* what its registers hold */
	struct wire_task task;
};

/* What the OOM killer's victim weighed, and where. Pages, not bytes. */
struct wire_oom {
	u16 version;
	u16 kind;
	u32 length;
	u64 time;
	u64 start_time;
	u32 tgid;
	u32 current_tid; /* the thread that allocated */
	s64 rss[4]; /* mm->rss_stat: file, anonymous, swap entries, shared; the kernel's approximate counters */
	u64 usage; /* of the memory cgroup nearest to its limit, of the victim's and those above */
	u64 limit;
	u64 cgroup; /* its id */
	/* current's, of the first 64 NUMA nodes: where its cpuset and its memory policy let it allocate */
	u64 cpuset_nodes;
	u64 policy_nodes;
	u64 stack[OOM_STACK]; /* return addresses: whether a cgroup's or the host's memory ran out */
	u32 stack_bytes;
	u32 path_bytes; /* behind this: its names, NUL-terminated, the nearest first */
};

/* A cgroup was made, or got another name: its path follows, from the root of its hierarchy. */
struct wire_cgroup {
	u16 version;
	u16 kind;
	u32 length;
	u64 id;
	u32 hierarchy; /* 0: version 2 */
	u32 path_bytes;
};

/* The live text of a process's argument block that differs from its argv: title_kept bytes follow. */
struct wire_title {
	u16 version;
	u16 kind;
	u32 length;
	u64 start_time;
	u32 tgid;
	u32 exec_id;
	u32 flags; /* enum wire_process_flag */
	u32 title_kept;
	u32 uid; /* effective */
	u32 reserved;
};

/* Behind an attempt's processes. */
struct wire_attempt {
	s64 returned;   /* by the call: a negative errno, or 0 */
	u32 has_target; /* the target in the record is the one addressed; else it is the source once more */
	u32 reserved;
};

_Static_assert(sizeof(struct wire_end) == 48 + sizeof(struct wire_previous) + sizeof(struct wire_syscall) +
						  sizeof(struct wire_task),
	       "wire_end has padding");
_Static_assert(sizeof(struct wire_oom) == 104 + 8 * OOM_STACK + 8, "wire_oom has padding");
_Static_assert(sizeof(struct wire_previous) == 40, "wire_previous has padding");
_Static_assert(sizeof(struct wire_cgroup) == 24, "wire_cgroup has padding");
_Static_assert(sizeof(struct wire_title) == 40, "wire_title has padding");
_Static_assert(sizeof(struct wire_attempt) == 16, "wire_attempt has padding");
_Static_assert(sizeof(struct wire_identity) == 64, "wire_identity has padding");
_Static_assert(sizeof(struct wire_process) == 56, "wire_process has padding");
_Static_assert(sizeof(struct wire_task) == 120, "wire_task has padding");
_Static_assert(sizeof(struct wire_syscall) == 56, "wire_syscall has padding");
_Static_assert(sizeof(struct wire_limits) == 48, "wire_limits has padding");
_Static_assert(sizeof(struct wire_signal) == 64 + TTY_BYTES + 24 + 2 * sizeof(struct wire_previous) +
						     sizeof(struct wire_syscall) +
						     2 * sizeof(struct wire_task),
	       "wire_signal has padding");

#endif
