/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Both chains of ancestors. The target's stops where it meets the source's.
 *
 * RCU holds for the target, which is hashed (its siglock is held). current may not be, in an interrupt
 * past release_task(): its chain is walked only from inside a system call of its own.
 */
#ifndef KILLSNOOP_RECORD_CHAIN_H
#define KILLSNOOP_RECORD_CHAIN_H

#include "base/host.h"
#include "record/lineage.h"
#include "record/process.h"

enum stage {
	SOURCE_CHAIN,
	TARGET_CHAIN,
	BEYOND_CHAIN, /* shared ancestors that lie past the source's depth, but not past the target's */
	DONE,
};

static __always_inline u32 chain_bit(u32 tgid)
{
	return (tgid * 2654435769U) >> 26;
}

/* By hand: clang 14 crashes on a count of trailing zeros for this target. `bits` is not 0. */
static __always_inline u32 lowest_bit(u64 bits)
{
	u64 bit = bits & -bits;

	return !!(bit & 0xaaaaaaaaaaaaaaaaULL) | !!(bit & 0xccccccccccccccccULL) << 1 |
	       !!(bit & 0xf0f0f0f0f0f0f0f0ULL) << 2 | !!(bit & 0xff00ff00ff00ff00ULL) << 3 |
	       !!(bit & 0xffff0000ffff0000ULL) << 4 | !!(bit >> 32) << 5;
}

/* The place of tgid in the source's chain, or JOINS_NOWHERE. */
static __always_inline u32 place_in_source_chain(const struct scratch *scratch, u32 tgid)
{
	u64 matches = 0;

	if (!(scratch->ancestors >> chain_bit(tgid) & 1))
		return JOINS_NOWHERE;
#pragma unroll
	for (u32 i = 0; i < MAX_CHAIN; i++)
		matches |= ((u64)(scratch->tgids[i] ^ tgid) - 1) >> 63 << i;
	matches &= (1ULL << (scratch->source_count & 63)) - 1;
	return matches ? lowest_bit(matches) : JOINS_NOWHERE;
}

/* The source's chain is remembered, so that the target's can see where it meets it. */
static __always_inline void enter_source_chain(struct scratch *scratch, u32 tgid)
{
	u32 count = scratch->source_count;

	if (count < MAX_CHAIN) {
		scratch->tgids[count] = tgid;
		scratch->ancestors |= 1ULL << chain_bit(tgid);
	}
	scratch->source_count = count + 1;
}

/*
 * One loop walks all of it: the verifier goes through the body of a bpf_loop() once for each place that
 * calls it, and every pointer that it follows there costs it a search through the kernel's BTF.
 */
struct walk {
	struct task_struct *next;        /* leader of the process to append */
	struct task_struct *target_next; /* where the target's chain begins */
	struct task_struct *beyond_next; /* where the source's chain was cut */
	struct scratch *scratch;
};

static __always_inline void begin_chain(struct scratch *scratch, enum stage stage, u32 depth)
{
	scratch->stage = stage;
	scratch->depth = depth;
	scratch->count = 0;
	/* the beyond chain begins at a process that is not in the record, the others at their subject */
	scratch->at_subject = stage != BEYOND_CHAIN;
}

static __always_inline void end_chain(struct walk *walk, bool truncated)
{
	struct scratch *scratch = walk->scratch;
	struct wire_signal *signal = (struct wire_signal *)scratch->record;
	u32 stage = *(volatile u32 *)&scratch->stage, count = scratch->count;

	if (stage == SOURCE_CHAIN) {
		signal->source_ancestors = count;
		if (truncated)
			signal->flags |= SIGNAL_SOURCE_TRUNCATED;
		if (scratch->source_only) {
			scratch->stage = DONE;
			return;
		}
		walk->beyond_next = walk->next;
		walk->next = walk->target_next;
		begin_chain(scratch, TARGET_CHAIN, settings.max_ancestors);
		return;
	}
	if (stage == TARGET_CHAIN) {
		u32 joins_at = scratch->joins_at, has;

		signal->target_ancestors = count;
		signal->joins_at = joins_at;
		if (joins_at != JOINS_NOWHERE && (signal->flags & SIGNAL_SOURCE_TRUNCATED)) {
			/* The source's tree was cut; the target, nearer to the top, may have depth left. */
			has = count + scratch->source_count - joins_at;
			walk->next = walk->beyond_next;
			begin_chain(scratch, BEYOND_CHAIN,
				    has < settings.max_ancestors ? settings.max_ancestors - has : 0);
			return;
		}
	} else {
		signal->beyond_ancestors = count;
	}
	if (truncated)
		signal->flags |= SIGNAL_TARGET_TRUNCATED;
	scratch->stage = DONE;
}

static long walk_up(u32 index __attribute__((unused)), void *context)
{
	struct walk *walk = context;
	struct scratch *scratch = walk->scratch;
	struct task_struct *leader = walk->next, *parent;
	u32 stage = scratch->stage, tgid = leader->tgid;

	if (stage == DONE)
		return 1;
	/* followed once: each such step costs the verifier a millisecond and more */
	parent = leader->real_parent->group_leader;
	if (scratch->at_subject) {
		scratch->at_subject = 0;
		walk->next = parent;
		return 0;
	}
	/* above PID 1 and kthreadd there is only the idle task */
	if (tgid == 0) {
		end_chain(walk, false);
		return 0;
	}
	if (stage == TARGET_CHAIN) {
		scratch->joins_at = place_in_source_chain(scratch, tgid);
		if (scratch->joins_at != JOINS_NOWHERE) {
			end_chain(walk, false);
			return 0;
		}
	}
	if (scratch->count >= scratch->depth ||
	    !append_ancestor(scratch->record, RECORD_MAX, &scratch->length, leader, &scratch->found,
			     &scratch->spawner, &scratch->candidate)) {
		end_chain(walk, true);
		return 0;
	}
	/* the seeding has not met it, or there was none */
	if (tgid == 1 && !host.nsproxy)
		note_host(leader);
	note_orphan(scratch, parent);
	scratch->count++;
	if (stage == SOURCE_CHAIN)
		enter_source_chain(scratch, tgid);
	walk->next = parent;
	return 0;
}

/* Both chains and the part beyond, each with the turns at its subject and at its end. */
#define WALK_TURNS (3 * (MAX_ANCESTORS + 2) + 1)

#endif
