/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The record of a signal or of an attempt, beside its processes.
 */
#ifndef KILLSNOOP_WIRE_SIGNAL_H
#define KILLSNOOP_WIRE_SIGNAL_H

#include "wire/process.h"

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
	BEHIND_TTY =
		1
		<< 3, /* the target's terminal, for signals that a terminal sends; it may be gone from it by now */
	BEHIND_TO_SOURCE = 1 << 4, /* struct wire_previous: the last signal that the source itself was sent */
	BEHIND_CHILD_DEATH = 1 << 5, /* CHILD_DEATH of the source's */
	BEHIND_LAST_FAULT =
		1 << 6, /* of a fault signal to current itself: the address of its last page fault */
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
_Static_assert(sizeof(struct wire_previous) == 40, "wire_previous has padding");

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

struct wire_syscall {
	s64 number;
	u64 args[4];
	u64 instruction_pointer;
	u32 abi; /* enum wire_abi */
	u32 active;
};
_Static_assert(sizeof(struct wire_syscall) == 56, "wire_syscall has padding");

struct wire_signal {
	u16 version;
	u16 kind; /* enum wire_kind */
	u32 length;
	u64 time; /* CLOCK_BOOTTIME, ns */
	u32 signal;
	u32 flags;
	s32 info_code;
	u8 result; /* enum of include/trace/events/signal.h: TRACE_SIGNAL_* */
	u8 info;   /* enum wire_info */
	u8 disposition;
	u8 max_ancestors;   /* of each side, as asked for: what is joined beyond that is not to be shown */
	u8 info_fields[16]; /* the first bytes of _sifields, as they are */
	u8 source_ancestors;
	u8 target_ancestors;
	u8 beyond_ancestors;
	u8 joins_at; /* place in the source's chain (0: itself); JOINS_NOWHERE: they do not meet */
	u8 spawners;
	u8 behind; /* enum wire_behind */
	u16 stack_frames;
	struct wire_previous previous; /* to the target */
	struct wire_syscall call;
	struct wire_task source; /* current, whether or not it is the source */
	struct wire_task target;
};
_Static_assert(sizeof(struct wire_signal) == 56 + sizeof(struct wire_previous) + sizeof(struct wire_syscall) +
						     2 * sizeof(struct wire_task),
	       "wire_signal has padding");

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
_Static_assert(sizeof(struct wire_limits) == 48, "wire_limits has padding");

/* Behind an attempt's processes. */
struct wire_attempt {
	s64 returned;   /* by the call: a negative errno, or 0 */
	u64 has_target; /* the target in the record is the one addressed; else it is the source once more */
};
_Static_assert(sizeof(struct wire_attempt) == 16, "wire_attempt has padding");

#endif
