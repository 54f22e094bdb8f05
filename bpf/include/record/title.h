/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The live title of a sender: what its argument block says now, where that is not its argv (setproctitle, or a
 * sender that hides).
 */
#ifndef KILLSNOOP_RECORD_TITLE_H
#define KILLSNOOP_RECORD_TITLE_H

#include "record/reuse.h"

struct live_check {
	struct scratch *scratch;
	u32 blocks;
	bool differs;
};

/* The source is the first process of a record: its argv lies at a fixed place. */
#define SOURCE_ARGV (sizeof(struct wire_signal) + sizeof(struct wire_process))

static long compare_block(u32 index, void *context)
{
	struct live_check *check = context;
	u32 at = index * LIVE_BLOCK;
	u64 differs = 0;
	u64 *a, *b;

	if (index >= check->blocks || at > ARGV_MAX)
		return 1;
	a = (u64 *)(check->scratch->live + at);
	b = (u64 *)(check->scratch->record + SOURCE_ARGV + at);
#pragma unroll
	for (u32 i = 0; i < LIVE_BLOCK / 8; i++)
		differs |= a[i] ^ b[i];
	if (!differs)
		return 0;
	check->differs = true;
	return 1;
}

/*
 * The sender's argument block as it is now (setproctitle, or a sender that hides): from `start` to `end`. Its pages are
 * read without faulting: one that is not resident leaves the title unknown, and the record says so. The bytes that
 * were put behind the record's end.
 */
BPF_GLOBAL_FUNC int copy_title(struct scratch *scratch, u64 start, u64 end)
{
	u64 length = end > start ? end - start : 0;
	struct wire_process *process;
	u32 kept;
	s64 copied;
	u8 *to;

	if (!scratch)
		return 0;
	process = (struct wire_process *)(scratch->record + sizeof(struct wire_signal));
	to = scratch->record + AT_MOST(RECORD_MAX - TITLE_BYTES, *(volatile u32 *)&scratch->length);
	kept = length > ARGV_MAX ? ARGV_MAX : (u32)length;
	if (length == process->argv_total && kept == process->argv_kept) {
		struct live_check check = { .scratch = scratch,
					    .blocks = (kept + LIVE_BLOCK - 1) / LIVE_BLOCK };

		if (kept == 0)
			return 0;
		if (bpf_probe_read_user(scratch->live, AT_MOST(ARGV_MAX, kept), (void *)start)) {
			process->flags |= PROCESS_TITLE_LOST;
			return 0;
		}
		/* the last block is filled up with what it is compared with */
		bpf_probe_read_kernel(scratch->live + AT_MOST(ARGV_MAX, kept), LIVE_BLOCK,
				      scratch->record + SOURCE_ARGV + AT_MOST(ARGV_MAX, kept));
		BOUNDED_LOOP((ARGV_MAX + LIVE_BLOCK - 1) / LIVE_BLOCK, check.blocks, compare_block, &check);
		if (!check.differs)
			return 0;
	}
	/*
	 * fs/proc/base.c: get_mm_cmdline(): the last byte of the block overwritten means that the title is
	 * one string, which may go on into the environment.
	 */
	u8 last = 0;

	if (length && bpf_probe_read_user(&last, sizeof(last), (void *)(end - 1))) {
		process->flags |= PROCESS_TITLE_LOST;
		return 0;
	}
	/* what is written from here on, also by a helper that fails, reaches to where the target was */
	forget_what_follows(scratch);
	if (last) {
		copied = bpf_probe_read_user_str(to, TITLE_BYTES, (void *)start);
		if (copied <= 0 || copied > TITLE_BYTES) {
			process->flags |= PROCESS_TITLE_LOST;
			return 0;
		}
		process->flags |= PROCESS_TITLE_SPILT;
		if (copied == TITLE_BYTES)
			process->flags |= PROCESS_TITLE_CUT;
		process->title_kept = (u16)copied;
		return (int)copied;
	}
	if (kept > TITLE_BYTES) {
		process->flags |= PROCESS_TITLE_CUT;
		kept = TITLE_BYTES;
	}
	if (bpf_probe_read_user(to, AT_MOST(TITLE_BYTES, kept), (void *)start)) {
		process->flags |= PROCESS_TITLE_LOST;
		return 0;
	}
	process->title_kept = (u16)kept;
	return (int)kept;
}

#endif
