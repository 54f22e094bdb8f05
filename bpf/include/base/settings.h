/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was asked for on the command line, as numbers. Written before the load: the verifier sees constants, and
 * drops what is off. Nothing here changes while a trace runs.
 */
#ifndef KILLSNOOP_BASE_SETTINGS_H
#define KILLSNOOP_BASE_SETTINGS_H

#include "wire/wire.h"

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

/* Entries of the maps that hold what was asked for: user space asks for no more. */
enum map_size {
	SELECTED_VALUES = 1024,
	TREE_ROOTS = 64,
	IGNORED_COMMS = 64,
	REQUEST_COMMS = 64,
};

/* The controller whose hierarchy of version 1 is read, beside version 2: container managers put a container into each. */
enum legacy_controller {
	LEGACY_NONE = 0,
	LEGACY_MEMORY = 1,
	LEGACY_PIDS = 2,
};

/* Settings, made before the load: the verifier sees constants and drops what is off. */
struct settings {
	u64 shown_signals;    /* bit sig-1: passes the filter */
	u64 included_signals; /* bit sig-1: named by -i, so never hidden by default */
	u64 ring_bytes;
	u32 segment_shift; /* an eighth of it */
	u32 requests;      /* report execs of the commands asked for by name */
	u64 wake_at_bytes; /* in the timed wait, wake the reader when this much is waiting */
	u32 max_ancestors;
	u32 show_all;
	u32 ignores_comms;
	u32 failed;            /* report calls that fail */
	u32 probes;            /* report calls with signal 0 */
	u32 attempts_only;     /* the signal hook is not attached */
	u32 outcomes;          /* report how signalled processes end */
	u32 ghosts;            /* how many are kept */
	u32 variables;         /* how many environment variables are asked for */
	u32 legacy_controller; /* enum legacy_controller: its hierarchy of version 1 names containers */
	u32 legacy_hierarchy;
	u32 selected;          /* bit enum select_key: is asked for */
	u32 tree_begins_below; /* the roots of trees are not in them */
	u32 only_fatal;        /* signals that end their target, and ends */
	u32 dispositions;      /* bit enum wire_disposition: passes; 0: all do */
	u32 reports_ends;      /* of the targets asked for by pid, signalled or not */
	u64 variable[MAX_VARIABLES][VARIABLE_NAME / 8];      /* their names, and "=" */
	u64 variable_mask[MAX_VARIABLES][VARIABLE_NAME / 8]; /* the bytes of each that count */
};
const volatile struct settings settings = {};

#endif
