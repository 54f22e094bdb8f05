/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is counted: of signals, of records, and of what could not be kept. Every loss has a counter, and nothing
 * else here says that something was lost.
 */
#ifndef KILLSNOOP_BASE_COUNTERS_H
#define KILLSNOOP_BASE_COUNTERS_H

#include "base/compat.h"

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
 * were dropped. The fields up to `hidden` are written by one program only, and no program nests on a CPU: a
 * plain increment loses nothing. generated = hidden + filtered + emitted + folded + dropped, by construction of
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
	u64 recovered_execs; /* done by the second copy of a hook, since the first was skipped */
	u64 recovered_forks;
	u64 recovered_exits;
	u64 ends_emitted;
	u64 ends_dropped;
	u64 ooms_emitted;
	u64 ooms_dropped;
	u64 attempts; /* = attempts_filtered + _emitted + _folded + _dropped */
	u64 attempts_filtered;
	u64 attempts_emitted;
	u64 attempts_dropped;
	u64 cgroups_emitted;
	u64 cgroups_dropped;
	u64 ghosts_left;
	u64 ghosts_dropped; /* the oldest went for a newer one */
	u64 ends_unknown;   /* of processes without any value: whether they were signalled is not known */
	u64 folded;         /* refused, and counted with others that are the same (record/repeat.h) */
	u64 attempts_folded;
	u64 requests_emitted;
	u64 requests_dropped;
	/* what was put in the ring of images, for records that refer to them, and what found no room there */
	u64 images_emitted;
	u64 images_dropped; /* whole cache lines: CPUs do not share one */
};
_Static_assert(sizeof(struct counters) == 320, "counters must fill whole cache lines");
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct counters);
} counters SEC(".maps");

#define COUNT(counter) __sync_fetch_and_add(&(counter), 1)

static __always_inline struct counters *cpu_counters(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&counters, &cpu);
}

#endif
