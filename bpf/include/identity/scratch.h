/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the hooks of exec and the seeding read an image before it is stored.
 */
#ifndef KILLSNOOP_IDENTITY_SCRATCH_H
#define KILLSNOOP_IDENTITY_SCRATCH_H

#include "identity/lookup.h"

/*
 * One element per CPU for each of the two copies of the exec hook, since the second may run while the first is
 * preempted. max_entries becomes twice the number of possible CPUs.
 */
struct identity_scratch {
	/* of an image that a signal waits for */
	struct identity_handle found;
	struct wire_named of;
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

#endif
