/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the record of a signal is built: what is in it so far.
 */
#ifndef KILLSNOOP_RECORD_SCRATCH_H
#define KILLSNOOP_RECORD_SCRATCH_H

#include "base/admission.h"
#include "identity/lookup.h"
#include "signal/facts.h"
#include "wire/repeat.h"

/*
 * Bytes of a live title that are compared at once, and of them in one step. The last byte of one value of a long argv is the
 * last of a chunk.
 */
#define LIVE_CHUNK (ARGV_LARGE_BYTES / 8)
#define LIVE_BLOCK 64

/*
 * Where signal_generate builds its record: one element per CPU, for that program alone. A tracing program
 * never nests on a CPU, and one that is preempted (6.13 and later, RT) blocks itself for every other task
 * there, which the kernel counts as a recursion miss; so nobody else can be writing here. A plain array,
 * because a per-CPU one is limited to 32 KiB a value. max_entries becomes the number of possible CPUs.
 */
struct scratch {
	struct facts facts;
	struct candidate candidate;
	struct repeat_key repeat;
	u32 length;      /* bytes of record in use */
	u32 stage;       /* enum stage of record/chain.h */
	u32 count;       /* ancestors appended to the chain at hand */
	u32 depth;       /* ancestors that it may get */
	u32 at_subject;  /* the walk stands at source or target itself, which are in the record already */
	u32 source_only; /* the walk ends with the source's chain */
	u32 busy;        /* of a slot that is claimed (hooks/attempt.h) */
	u32 reserved;
	u64 ancestors;    /* one bit for each process of the source's chain: a quick "cannot be in it" */
	u32 source_count; /* processes of the source's chain, itself included */
	u32 joins_at;
	u32 processes;    /* in the record so far */
	u32 orphans;      /* processes of it whose parent is not who started them */
	u32 orphan_at;    /* the one at hand */
	u32 spawners;     /* written so far */
	u32 spawners_cut; /* and there are more */
	u32 argv_kept;    /* of the source, and found to be of its image; else 0 */
	u32 argv_total;
	u64 tty[TTY_BYTES / 8];       /* the target's, of a signal that a terminal may have sent */
	struct identity_handle found; /* of the process appended last */
	struct spawner spawner;
	struct orphan {
		struct spawner spawner;
		u32 place;
		u32 reserved;
	} orphan[MAX_ORPHANS];
	u32 tgids[MAX_CHAIN + 1]; /* the source's chain */
	/* a chunk of the sender's argument block as it is now, and as it was, both to the end of their last block */
	u8 live[LIVE_CHUNK + 3 + LIVE_BLOCK] __attribute__((aligned(8)));
	u8 kept[LIVE_CHUNK + 3 + LIVE_BLOCK] __attribute__((aligned(8)));
	u8 record[RECORD_MAX] __attribute__((aligned(8)));
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

#endif
