/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The records that are not of a signal: what becomes known before or after one, and joins it in user space.
 */
#ifndef KILLSNOOP_WIRE_RECORDS_H
#define KILLSNOOP_WIRE_RECORDS_H

#include "wire/signal.h"

/* The siginfo that a thread took from the queue and is ending of: which of those that waited it was. */
struct wire_delivery {
	u8 signal; /* 0: none was seen */
	u8 reserved[3];
	s32 info_code;
	u8 info_fields[8]; /* the first bytes of _sifields, as they are */
};
_Static_assert(sizeof(struct wire_delivery) == 16, "wire_delivery has padding");

/*
 * The end of a process: of one that had been sent a signal, or by a signal that no record reports (injected by
 * ptrace, or do_exit() with its number: strict seccomp). Behind it `processes` × struct wire_process: the process
 * with all that a target has; its tracer, if it has one, which lives and can be asked; its ancestors.
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
	u16 explained; /* if it died of a signal: one of that number was seen to be sent */
	u16 thread;    /* this thread ended alone: its process goes on */
	struct wire_previous previous;
	struct wire_delivery delivery;
	struct wire_syscall call; /* what its registers hold */
	struct wire_task task;
};
_Static_assert(sizeof(struct wire_end) == 40 + sizeof(struct wire_previous) + sizeof(struct wire_delivery) +
						  sizeof(struct wire_syscall) + sizeof(struct wire_task),
	       "wire_end has padding");

/*
 * A command was executed that was asked for by name: one that asks a service manager or a container runtime for something.
 * Behind it `processes` × struct wire_process: the process with all that a source has but its title, and its ancestors.
 */
struct wire_request {
	u16 version;
	u16 kind;
	u32 length;
	u64 time;
	u32 processes;
	u32 truncated; /* the ancestors were cut before PID 1 */
	struct wire_task task;
};
_Static_assert(sizeof(struct wire_request) == 24 + sizeof(struct wire_task), "wire_request has padding");

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
_Static_assert(sizeof(struct wire_oom) == 104 + 8 * OOM_STACK + 8, "wire_oom has padding");

/* A cgroup was made, or got another name: its path follows, from the root of its hierarchy. */
struct wire_cgroup {
	u16 version;
	u16 kind;
	u32 length;
	u64 id;
	u32 hierarchy; /* 0: version 2 */
	u32 path_bytes;
};
_Static_assert(sizeof(struct wire_cgroup) == 24, "wire_cgroup has padding");

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
_Static_assert(sizeof(struct wire_title) == 40, "wire_title has padding");

#endif
