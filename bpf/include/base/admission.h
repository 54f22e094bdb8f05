/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who may put a record into the ring. Everybody may while half of it is free; beyond that room is shared by class, so that
 * who fills the ring is refused and not who comes last. Decided before a record is made: a refusal is cheap. What becomes
 * of what is refused is decided elsewhere (record/repeat.h, base/loss.h).
 *
 * A class is a user, or for root a cgroup. It may hold a part of what is free: so there is room for the next one, however
 * many came before. The part is larger for what may end a process, and for ends, which are counted apart: a flood does not
 * hide even the kills of its own class. A class that has filled the first half holds more than its part, and nothing of it
 * is taken until the ring is half empty again. The very last is root's.
 *
 * What a class holds is counted only while the ring is fuller than the reader lets it become: usually a signal pays for one look
 * at its positions. It is counted by segments of the ring. One of which a part has been read is counted as a whole; what other CPUs
 * put in at this moment is not counted yet.
 */
#ifndef KILLSNOOP_BASE_ADMISSION_H
#define KILLSNOOP_BASE_ADMISSION_H

#include "base/host.h"
#include "base/ring.h"
#include "base/task.h"

/* Parts of the ring, as shifts of its size. */
enum ring_part {
	FREE_FOR_ALL = 1,
	OF_ROOT = 5, /* the last part */
};
#define RING_PART(part) (settings.ring_bytes >> (part))
/* Below this nothing is counted: above the quarter that the reader lets come before it is woken. */
#define COUNTED_FROM (RING_PART(2) + RING_PART(3))

/* What a class may hold, as shifts of what is free. */
enum share {
	SHARE_OF_ORDINARY = 4,
	SHARE_OF_URGENT = 2,
	SHARE_OF_URGENT_BY_ROOT = 0,
};

enum owner_kind {
	OWNER_USER = 0,   /* the id is a uid, or stands for a range of subordinate ones (owner_of()) */
	OWNER_CGROUP = 1, /* of root: the id of its cgroup */
};
struct owner {
	u64 id;
	u32 kind;
	u32 reserved;
};

/* What may end a process, and the end itself, does not compete with the rest of its class. */
enum urgency {
	ORDINARY = 0,
	URGENT = 1,
};

struct account_key {
	struct owner owner;
	u64 urgency;
};
/*
 * What lies in the ring is in no more than so many segments of an eighth of it. A position's segment has the slot of its number,
 * and nothing else in use has the same.
 */
enum account_size {
	SEGMENTS_IN_USE = 9,
	SEGMENTS = 16,
};
/* Of each: the number of the segment in the upper half, and the bytes of the class that end in it. */
struct account {
	u64 segment[SEGMENTS];
};
/*
 * A user that is forgotten has nothing to its account: that favours it. But it needs more users than this, and owner_of()
 * makes one of 65,536.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct account_key);
	__type(value, struct account);
} accounts SEC(".maps");

/* What a class begins with. Not on the stack, of which those that report an image have too little. */
const volatile struct account no_account = {};

/* A record on its way into the ring. */
struct candidate {
	struct account_key key;
	u64 cause;      /* the task that caused it; never followed but by copying */
	u32 is_counted; /* the ring is filling: the key holds */
	u32 urgency;
};

/* The class of the process that caused something, any task. */
static __always_inline void find_owner(struct owner *owner, u64 address)
{
	struct task_struct *task = (struct task_struct *)address;
	u32 uid = BPF_CORE_READ(task, cred, uid.val);

	/* the real one: a set-user-id program keeps that of its caller */
	owner->reserved = 0;
	owner->kind = uid ? OWNER_USER : OWNER_CGROUP;
	owner->id = owner_of(uid);
	if (!uid)
		owner->id = legacy_cgroup_of(task) ?: BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
}

static __always_inline u32 segment_of(u64 position)
{
	return (u32)(position >> settings.segment_shift);
}

/* What it holds in the ring. */
static __always_inline u64 held(struct account *account)
{
	u32 first = segment_of(bpf_ringbuf_query(&records, BPF_RB_CONS_POS));
	u64 bytes = 0;

#pragma unroll
	for (u32 i = 0; i < SEGMENTS_IN_USE; i++) {
		u64 segment = *(volatile u64 *)&account->segment[(first + i) % SEGMENTS];

		if (segment >> 32 == first + i)
			bytes += (u32)segment;
	}
	return bytes;
}

static __always_inline u32 share_of(const struct candidate *candidate, bool is_root)
{
	if (candidate->urgency == ORDINARY)
		return SHARE_OF_ORDINARY;
	return is_root ? SHARE_OF_URGENT_BY_ROOT : SHARE_OF_URGENT;
}

/* Where the ring is filling. */
BPF_GLOBAL_FUNC int admit_counted(struct candidate *candidate)
{
	u64 waiting = bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA), free;
	struct account *account;
	struct account_key key;
	bool is_root;

	if (!candidate)
		return 0;
	find_owner(&candidate->key.owner, candidate->cause);
	candidate->key.urgency = candidate->urgency;
	candidate->is_counted = 1;
	if (waiting <= RING_PART(FREE_FOR_ALL))
		return 1;
	is_root = candidate->key.owner.kind == OWNER_CGROUP;
	free = settings.ring_bytes > waiting ? settings.ring_bytes - waiting : 0;
	if (!is_root && free < RING_PART(OF_ROOT))
		return 0;
	key = candidate->key;
	account = bpf_map_lookup_elem(&accounts, &key);
	return !account || held(account) < free >> share_of(candidate, is_root);
}

/*
 * May a record that this task caused go into the ring? Usually it pays for no more than the first question.
 * `candidate` is map memory.
 */
static __always_inline bool is_admitted(struct candidate *candidate, struct task_struct *cause,
					enum urgency urgency)
{
	(void)AS_NUMBER(&candidate->cause, cause);
	candidate->is_counted = 0;
	candidate->urgency = urgency;
	if (bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA) <= COUNTED_FROM)
		return true;
	return admit_counted(candidate);
}

/* And the image of a process that this record is to refer to? */
static __always_inline bool admits_image(struct candidate *candidate)
{
	return bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA) <= COUNTED_FROM || admit_counted(candidate);
}

/* A record of so many bytes has gone into the ring. */
BPF_GLOBAL_FUNC int charge_counted(struct candidate *candidate, u32 length)
{
	u32 bytes = (length + 15) & ~7U, segment = segment_of(bpf_ringbuf_query(&records, BPF_RB_PROD_POS));
	u64 first = (u64)segment << 32 | bytes, before, *slot;
	struct account *account;
	struct account_key key;

	if (!candidate)
		return 0;
	/* before 6.2 no key or value of a map may lie in memory that was handed to such a function */
	key = candidate->key;
	account = bpf_map_lookup_elem(&accounts, &key);
	if (!account) {
		/* whichever CPU is first */
		bpf_map_update_elem(&accounts, &key, (const void *)&no_account, BPF_NOEXIST);
		account = bpf_map_lookup_elem(&accounts, &key);
		if (!account)
			return 0;
	}
	slot = &account->segment[segment % SEGMENTS];
	before = *(volatile u64 *)slot;
	/* what it counted has been read long ago: the first CPU begins it again */
	if (before >> 32 == segment || __sync_val_compare_and_swap(slot, before, first) != before)
		__sync_fetch_and_add(slot, bytes);
	return 0;
}

static __always_inline void charge(struct candidate *candidate, u32 length)
{
	if (*(volatile u32 *)&candidate->is_counted)
		charge_counted(candidate, length);
}

#endif
