/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What both sides know of the wire: its version, its kinds of records, and the limits of what they hold.
 */
#ifndef KILLSNOOP_WIRE_CONSTANTS_H
#define KILLSNOOP_WIRE_CONSTANTS_H

#include "kernel_types/types.h"

enum wire_constant {
	WIRE_VERSION = 8,
	/* Ancestors of one side, at most: what -d may ask for. */
	MAX_ANCESTORS = 32,
	MAX_CHAIN = MAX_ANCESTORS + 1,
	/* argv bytes shown of an ancestor, and live title bytes kept of a source. */
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
	 * The largest record of a signal: two disjoint chains of 32 ancestors, all with a name of their own, a title, spawners
	 * that are gone. What does not fit is cut from the far end of the last chain.
	 */
	RECORD_MAX = 12 * 1024,
};

enum wire_kind {
	RECORD_SIGNAL = 1,
	RECORD_IMAGE = 2, /* what a process runs: before the first record that refers to it */
	RECORD_END = 3, /* a process ended: after a signal, or by one that this tracer's hook has not seen */
	RECORD_OOM = 4, /* the OOM killer marked its victim, just after the signal */
	RECORD_ATTEMPT = 5, /* a call that sends signals failed, or only asked (signal 0) */
	RECORD_CGROUP = 6,  /* a cgroup was made, or got another name */
	RECORD_TITLE = 7,   /* not of the ring: what the iterator that reads titles writes */
	RECORD_REQUEST = 8, /* a command was executed that asks others to act on processes */
};

#endif
