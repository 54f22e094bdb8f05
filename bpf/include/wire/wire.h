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
 * are in wire/records.h.
 *
 * User space reads these structs from the object's own type information (src/wire.rs): there is no
 * second copy of them. Raise WIRE_VERSION with each change.
 */
#ifndef KILLSNOOP_WIRE_WIRE_H
#define KILLSNOOP_WIRE_WIRE_H

#include "wire/process.h"
#include "wire/records.h"
#include "wire/signal.h"

#endif
