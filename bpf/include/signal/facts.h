/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the filters and the record need to know of one signal, as numbers in map memory.
 */
#ifndef KILLSNOOP_SIGNAL_FACTS_H
#define KILLSNOOP_SIGNAL_FACTS_H

#include "wire/wire.h"

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
	u32 is_sent;     /* by current, in a system call of its own */
	u32 is_hashed;   /* current has not been released: what it points at exists */
	u32 is_walked;   /* and may be the source */
	u32 may_end;     /* its default action ends a process */
	u32 hidden;      /* enum hidden_class */
	u32 filtered;    /* by a filter of the command line */
	u32 is_reported; /* a record reports it */
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

#endif
