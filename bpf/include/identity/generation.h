/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a value is read that another CPU may be writing: its generation is odd while it is written, and another one
 * afterwards. Nobody waits for anybody.
 */
#ifndef KILLSNOOP_IDENTITY_GENERATION_H
#define KILLSNOOP_IDENTITY_GENERATION_H

#include "identity/store.h"

#ifdef __TARGET_ARCH_x86
/* Loads are not reordered with loads, nor stores with stores: the compiler alone must be held. */
#define generation_barrier() asm volatile("" ::: "memory")
#else
/*
 * An atomic that returns a value is the only full barrier that every supported kernel's BPF has. An exchange always
 * returns one; an addition whose result nobody uses is compiled to one that does not, and orders nothing (scripts/lint
 * looks at the object).
 */
#define generation_barrier()                                             \
	({                                                               \
		u64 word = 0, before;                                    \
		before = __sync_lock_test_and_set(&word, 1);             \
		asm volatile("" : : "r"(before), "r"(&word) : "memory"); \
	})
#endif

/* An atomic add without a use of its result orders nothing on arm64, so the barriers are explicit. */
static __always_inline void begin_write(struct identity *identity)
{
	__sync_fetch_and_add(&identity->generation, 1);
	generation_barrier();
}

static __always_inline void end_write(struct identity *identity)
{
	generation_barrier();
	__sync_fetch_and_add(&identity->generation, 1);
}

static __always_inline u32 generation_of(struct identity *identity)
{
	u32 generation = *(volatile u32 *)&identity->generation;

	generation_barrier();
	return generation;
}

static __always_inline bool unchanged_since(struct identity *identity, u32 generation)
{
	generation_barrier();
	return *(volatile u32 *)&identity->generation == generation;
}

/*
 * `time` is the sequence: no two signals to one process share one, and it is 0 while the rest is written. Writers hold the
 * siglock of the process; those who read do not.
 */
static __always_inline void copy_previous(struct wire_previous *to, const struct wire_previous *from)
{
	u64 time = *(volatile u64 *)&from->time;

	generation_barrier();
	__builtin_memcpy(to, from, sizeof(*to));
	generation_barrier();
	/* being written: nothing is better than a mixture */
	if (!time || *(volatile u64 *)&from->time != time)
		to->time = 0;
}

#endif
