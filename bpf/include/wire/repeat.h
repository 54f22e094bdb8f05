/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Signals and attempts that found no room in the ring, counted with others that are the same. Not in the ring: elements of a map.
 */
#ifndef KILLSNOOP_WIRE_REPEAT_H
#define KILLSNOOP_WIRE_REPEAT_H

#include "wire/signal.h"

/* What is the same: both processes, the images that they run, and what makes a signal another one. */
struct repeat_key {
	u64 source_start;
	u64 target_start; /* of a call that addressed no process: its first argument */
	u64 generation;
	s64 returned; /* by the call of an attempt */
	s64 call;     /* the number of the system call, where one sent it */
	u8 info_fields[16];
	u32 source_tgid;
	u32 target_tgid;
	u32 source_exec;
	u32 target_exec;
	u32 signal;
	s32 code;
	u16 kind; /* enum wire_kind */
	u8 result;
	u8 disposition;
	u8 group;
	u8 info;
	u8 reserved[2];
};
_Static_assert(sizeof(struct repeat_key) == 88, "repeat_key has padding");

/* The first of them as its record would have been, then how many there were. */
struct repeat {
	struct wire_signal signal;
	struct wire_named process[2];
	u64 last_fault;              /* BEHIND_LAST_FAULT */
	struct wire_attempt attempt; /* of an attempt */
	u64 count;
	u64 last; /* boot time, ns */
};
_Static_assert(sizeof(struct repeat) == sizeof(struct wire_signal) + 2 * sizeof(struct wire_named) +
						sizeof(struct wire_attempt) + 24,
	       "repeat has padding");
#endif
