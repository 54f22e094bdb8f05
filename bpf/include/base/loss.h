/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose records found no room, for the event that reports loss: by class, with a process of each. How many were lost in all
 * the counters know; here are no more classes than there is room for.
 */
#ifndef KILLSNOOP_BASE_LOSS_H
#define KILLSNOOP_BASE_LOSS_H

#include "base/admission.h"

/*
 * What is refused is kept for the reader by generation: it raises reader.generation, waits until no program
 * can still use the one before (an RCU grace period), and then takes the elements of that out. So none is counted twice, and
 * none is lost.
 */
struct loss_key {
	struct owner owner;
	u64 generation;
};
struct loss {
	u64 count;
	u64 repeats; /* of record/repeat.h that the class has */
	/* the process that lost more than half of it, if one did (Boyer and Moore's majority vote) */
	u64 votes;
	u64 cgroup;
	u32 busy; /* the vote is being counted */
	u32 uid;  /* real */
	u32 tgid;
	u32 reserved;
	u8 comm[TASK_COMM_LEN];
};
_Static_assert(sizeof(struct loss) == 64, "loss has padding");
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 128);
	__type(key, struct loss_key);
	__type(value, struct loss);
} losses SEC(".maps");

static __always_inline u64 generation_of_refusals(void)
{
	return *(volatile u32 *)&reader.generation;
}

static __always_inline void vote(struct loss *loss, struct task_struct *leader)
{
	u32 tgid = BPF_CORE_READ(leader, tgid);

	if (loss->tgid == tgid && loss->votes) {
		loss->votes++;
	} else if (loss->votes) {
		loss->votes--;
	} else {
		loss->tgid = tgid;
		loss->uid = BPF_CORE_READ(leader, cred, uid.val);
		loss->cgroup = BPF_CORE_READ(leader, cgroups, dfl_cgrp, kn, id);
		bpf_core_read(loss->comm, sizeof(loss->comm), &leader->comm);
		loss->votes = 1;
	}
}

/* What the class of this task has lost in this generation; NULL: there is no more room. */
static __always_inline struct loss *losses_of(u64 address)
{
	struct loss_key key = { .generation = generation_of_refusals() };
	struct loss none = {}, *loss;

	find_owner(&key.owner, address);
	loss = bpf_map_lookup_elem(&losses, &key);
	if (loss)
		return loss;
	bpf_map_update_elem(&losses, &key, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&losses, &key);
}

/* One record that this task caused is lost. */
BPF_GLOBAL_FUNC int note_loss(u64 address)
{
	struct task_struct *leader = BPF_CORE_READ((struct task_struct *)address, group_leader);
	struct loss *loss = losses_of(address);

	if (!loss)
		return 0;
	__sync_fetch_and_add(&loss->count, 1);
	/* pid and name are of one process: where two vote at once, one does not */
	if (__sync_lock_test_and_set(&loss->busy, 1))
		return 0;
	vote(loss, leader);
	__sync_lock_test_and_set(&loss->busy, 0);
	return 0;
}

#endif
