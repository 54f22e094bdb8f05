/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waking the reader costs the sender of the signal 4 to 20 µs; so it is woken only when it sleeps, or when
 * it waits with a timeout and much has come. The reader says which in reader.state (base/maps.h) before it
 * looks at the ring one last time; here the record is committed before the state is loaded (the commit is
 * an atomic exchange, a full barrier), so one of the two always sees the other.
 */
#ifndef KILLSNOOP_BASE_RING_H
#define KILLSNOOP_BASE_RING_H

#include "base/maps.h"

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

static __always_inline void emit(struct scratch *scratch, struct counters *counters)
{
	u32 length = scratch->length;

	if (length > RECORD_MAX)
		length = RECORD_MAX;
	if (bpf_ringbuf_output(&records, scratch->record, length, BPF_RB_NO_WAKEUP))
		counters->dropped_ring_full++;
	else
		counters->emitted++;
	wake_reader(counters);
}

#endif
