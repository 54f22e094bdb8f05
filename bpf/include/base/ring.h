/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ring that all records go through, and how its reader is woken.
 *
 * Waking the reader costs the sender of the signal 4 to 20 µs; so it is woken only when it sleeps, or when it
 * waits with a timeout and much has come. The reader says which in reader.state before it looks at the ring one
 * last time; here the record is committed before the state is loaded (the commit is an atomic exchange, a full
 * barrier), so one of the two always sees the other.
 */
#ifndef KILLSNOOP_BASE_RING_H
#define KILLSNOOP_BASE_RING_H

#include "base/counters.h"
#include "base/settings.h"

/* Set before the load to the bytes asked for. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 * 1024 * 1024);
} records SEC(".maps");

/*
 * The reader's state, in a cache line of its own (it is loaded by every signal and written by the reader
 * alone, but for the one store that claims a wake-up).
 */
enum reader_state {
	READER_DRAINING = 0,
	READER_ASLEEP = 1,
	READER_TIMED_WAIT = 2,
};
struct reader {
	u32 state;
	u32 generation; /* of what is refused (base/loss.h) */
	u32 epoch;      /* images that were reported in another one are reported again (identity/report.h) */
	u32 unused[29];
};
struct reader reader __attribute__((aligned(128))) = {};

static __always_inline void wake_reader(struct counters *counters)
{
	u32 state = *(volatile u32 *)&reader.state;
	void *empty;

	if (state == READER_DRAINING)
		return;
	if (state == READER_TIMED_WAIT &&
	    bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA) <= settings.wake_at_bytes)
		return;
	empty = bpf_ringbuf_reserve(&records, 8, 0);
	if (!empty)
		return; /* full: the reader looks by itself when its wait ends */
	/* Two that claim the wake-up at once wake twice: harmless. */
	*(volatile u32 *)&reader.state = READER_DRAINING;
	COUNT(counters->wakeups);
	bpf_ringbuf_discard(empty, BPF_RB_FORCE_WAKEUP);
}

#endif
