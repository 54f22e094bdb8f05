/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads what a process was exec'd with, argv and the path of its executable, and stores it with the process. What
 * does not fit is cut, and flagged.
 */
#ifndef KILLSNOOP_IDENTITY_IMAGE_H
#define KILLSNOOP_IDENTITY_IMAGE_H

#include "identity/exe.h"
#include "identity/scratch.h"

/* Behind argv, which is in the scratch already: the executable's path, as far as both fit. */
static __always_inline void add_exe(struct identity_scratch *scratch, struct task_struct *task,
				    struct mm_struct *mm)
{
	append_exe(scratch, task, mm);
	if (scratch->exe_kept && scratch->argv_kept + scratch->exe_kept <= ARGV_MAX)
		return;
	/* argv must not be able to push the path out */
	if (scratch->exe_kept) {
		scratch->argv_kept = ARGV_MAX - AT_MOST(EXE_BYTES, scratch->exe_kept);
		scratch->flags |= PROCESS_CUT;
		append_exe(scratch, task, mm);
		if (scratch->exe_kept && scratch->argv_kept + scratch->exe_kept <= ARGV_MAX)
			return;
	}
	scratch->exe_kept = 0;
	scratch->flags |= PROCESS_EXE_LOST;
}

/*
 * Reads what current was exec'd with into the scratch; the pages were just written by execve. Lengths and flags stay
 * in map memory: what is kept in registers the verifier follows along every branch.
 */
static __always_inline void read_own_image(struct identity_scratch *scratch, struct task_struct *task,
					   struct mm_struct *mm, u64 start, u64 length)
{
	u32 kept = length > ARGV_MAX ? ARGV_MAX : (u32)length;

	scratch->argv_kept = kept;
	scratch->flags = kept < length ? PROCESS_CUT : 0;
	if (bpf_probe_read_user(scratch->bytes, AT_MOST(ARGV_MAX, kept), (void *)start)) {
		scratch->argv_kept = 0;
		scratch->flags |= PROCESS_UNREADABLE;
	}
	add_exe(scratch, task, mm);
}

/* Puts the bytes of the scratch where their length belongs; false: no memory. The maps are constants. */
static __always_inline bool store_bytes(void *medium_map, void *large_map, void *tail_map,
					struct task_struct *task, struct identity *identity,
					const struct identity_scratch *scratch, u32 total)
{
	struct argv_medium *medium;
	struct argv_large *large, *tail;

	if (total <= ARGV_INLINE_BYTES) {
		bpf_probe_read_kernel(identity->argv, AT_MOST(ARGV_INLINE_BYTES, total), scratch->bytes);
		return true;
	}
	if (total <= ARGV_MEDIUM_BYTES) {
		medium = bpf_task_storage_get(medium_map, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (!medium)
			return false;
		bpf_probe_read_kernel(medium->argv, AT_MOST(ARGV_MEDIUM_BYTES, total), scratch->bytes);
		return true;
	}
	large = bpf_task_storage_get(large_map, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!large)
		return false;
	bpf_probe_read_kernel(large->argv, AT_MOST(ARGV_LARGE_BYTES, total), scratch->bytes);
	if (total <= ARGV_LARGE_BYTES)
		return true;
	tail = bpf_task_storage_get(tail_map, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!tail)
		return false;
	total -= ARGV_LARGE_BYTES;
	bpf_probe_read_kernel(tail->argv, AT_MOST(ARGV_LARGE_BYTES, total),
			      scratch->bytes + ARGV_LARGE_BYTES);
	return true;
}

/* No memory for a larger value: what fits the one that exists is kept, and flagged as cut. */
static __always_inline void keep_what_fits(struct identity *identity, struct identity_scratch *scratch)
{
	if (scratch->argv_kept > ARGV_INLINE_BYTES)
		scratch->argv_kept = ARGV_INLINE_BYTES;
	scratch->exe_kept = 0;
	bpf_probe_read_kernel(identity->argv, AT_MOST(ARGV_INLINE_BYTES, scratch->argv_kept), scratch->bytes);
	scratch->flags |= PROCESS_NO_MEMORY | PROCESS_CUT | PROCESS_EXE_LOST;
}

static __always_inline u32 saturate(u64 length)
{
	return length > 0xffffffffULL ? 0xffffffffU : (u32)length;
}

#endif
