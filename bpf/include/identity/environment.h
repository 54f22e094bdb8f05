/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Environment variables that were asked for, as they were at exec. All of this is off unless some were: the verifier
 * sees that settings.variables is 0, and drops it.
 */
#ifndef KILLSNOOP_IDENTITY_ENVIRONMENT_H
#define KILLSNOOP_IDENTITY_ENVIRONMENT_H

#include "identity/store.h"

/* Bytes of a variable that are looked at together; one that is longer is not kept. */
#define VARIABLE_BYTES 4096
/* Variables that are looked at, at most; a longer one counts as several. */
#define VARIABLES_LOOKED_AT 8192

struct environment {
	u32 kept;
	u32 flags; /* PROCESS_ENV_*, of one that was seeded; else the identity has them */
	u8 bytes[ENVIRONMENT_BYTES];
};
_Static_assert(sizeof(struct environment) == 1960, "an environment must fill its slab and no more");
TASK_STORAGE(environments, struct environment);
/* Written from user space, of what ran before the tracer. */
TASK_STORAGE(seeded_environments, struct environment);

/* As identity_scratches: twice the number of possible CPUs, where variables are asked for. */
struct environment_scratch {
	u64 next; /* address of the variable at hand */
	u64 end;
	u32 is_middle; /* it began before */
	u32 kept;
	u32 flags;
	u32 reserved;
	u8 line[VARIABLE_BYTES];
	u8 bytes[ENVIRONMENT_BYTES + VARIABLE_BYTES];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct environment_scratch);
} environment_scratches SEC(".maps");

static __always_inline bool is_asked_for(const struct environment_scratch *scratch)
{
	const u64 *line = (const u64 *)scratch->line;

#pragma unroll
	for (u32 i = 0; i < MAX_VARIABLES; i++) {
		u64 differs = 0;

		if (i >= settings.variables)
			break;
#pragma unroll
		for (u32 word = 0; word < VARIABLE_NAME / 8; word++)
			differs |=
				(line[word] ^ settings.variable[i][word]) & settings.variable_mask[i][word];
		if (!differs)
			return true;
	}
	return false;
}

static long look_at_variable(u32 index __attribute__((unused)), void *context)
{
	struct environment_scratch *scratch = *(struct environment_scratch **)context;
	u64 next = *(volatile u64 *)&scratch->next;
	u32 was_middle = *(volatile u32 *)&scratch->is_middle, kept = *(volatile u32 *)&scratch->kept, length;
	s64 copied;

	if (next >= *(volatile u64 *)&scratch->end)
		return 1;
	copied = bpf_probe_read_user_str(scratch->line, VARIABLE_BYTES, (void *)next);
	if (copied <= 0) {
		scratch->flags |= PROCESS_ENV_LOST;
		return 1;
	}
	length = (u32)copied;
	/* without a NUL of its own */
	scratch->is_middle = length >= VARIABLE_BYTES;
	scratch->next = next + (length >= VARIABLE_BYTES ? VARIABLE_BYTES - 1 : length);
	if (was_middle || !is_asked_for(scratch))
		return 0;
	if (length >= VARIABLE_BYTES || kept + length > ENVIRONMENT_BYTES) {
		scratch->flags |= PROCESS_ENV_CUT;
		return 0;
	}
	bpf_probe_read_kernel(scratch->bytes + AT_MOST(ENVIRONMENT_BYTES, kept),
			      AT_MOST(VARIABLE_BYTES, length), scratch->line);
	scratch->kept = kept + length;
	return 0;
}

/* What current was exec'd with, in slot `slot`; returns PROCESS_ENV_* flags. Runs while the identity is written. */
static __always_inline u32 remember_environment(struct task_struct *task, struct mm_struct *mm, u32 slot)
{
	struct environment_scratch *scratch;
	struct environment *environment;

	if (!settings.variables || !have_bpf_loop())
		return 0;
	scratch = bpf_map_lookup_elem(&environment_scratches, &slot);
	if (!scratch)
		return PROCESS_ENV_LOST;
	scratch->next = BPF_CORE_READ(mm, env_start);
	scratch->end = BPF_CORE_READ(mm, env_end);
	scratch->is_middle = 0;
	scratch->kept = 0;
	scratch->flags = 0;
	bpf_loop(VARIABLES_LOOKED_AT, look_at_variable, &scratch, 0);
	if (*(volatile u64 *)&scratch->next < *(volatile u64 *)&scratch->end)
		scratch->flags |= PROCESS_ENV_CUT;
	if (!*(volatile u32 *)&scratch->kept) {
		bpf_task_storage_delete(&environments, task);
		return scratch->flags;
	}
	environment = bpf_task_storage_get(&environments, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!environment)
		return PROCESS_ENV_LOST;
	bpf_probe_read_kernel(environment->bytes, ENVIRONMENT_BYTES, scratch->bytes);
	environment->kept = scratch->kept;
	return scratch->flags;
}

static __always_inline struct environment *environment_of(const struct identity_ref *known)
{
	if (known->seeded)
		return bpf_task_storage_get(&seeded_environments, known->owner, NULL, 0);
	return bpf_task_storage_get(&environments, known->owner, NULL, 0);
}

/* A child has its forker's until it execs. */
static __always_inline u32 inherit_environment(struct task_struct *child, const struct identity_ref *from)
{
	struct environment *to, *environment;

	if (!settings.variables)
		return 0;
	environment = environment_of(from);
	if (!environment)
		return from->seeded ? PROCESS_ENV_LOST : 0;
	to = bpf_task_storage_get(&environments, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!to)
		return PROCESS_ENV_LOST;
	bpf_probe_read_kernel(to->bytes, ENVIRONMENT_BYTES, environment->bytes);
	to->kept = environment->kept;
	return environment->flags;
}

#endif
