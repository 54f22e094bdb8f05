/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The live title of a sender: what its argument block says now, where that is not its argv (setproctitle, or a
 * sender that hides).
 */
#ifndef KILLSNOOP_RECORD_TITLE_H
#define KILLSNOOP_RECORD_TITLE_H

#include "base/verifier.h"
#include "record/scratch.h"

#define LIVE_CHUNKS (ARGV_MAX / LIVE_CHUNK)
#define LIVE_BLOCKS ((LIVE_CHUNK + LIVE_BLOCK - 1) / LIVE_BLOCK)

/* Does the live chunk of so many bytes differ from what argv was? */
BPF_GLOBAL_FUNC int chunk_differs(struct scratch *scratch, u32 bytes)
{
	u32 end = AT_MOST(LIVE_CHUNK, bytes);
	u64 differs = 0;

	if (!scratch)
		return 1;
	/* the last block is filled up with what it is compared with */
	bpf_probe_read_kernel(scratch->live + end, LIVE_BLOCK, scratch->kept + end);
	/* no bpf_loop(): there is no more of the stack to have */
	for (u32 at = 0; at < LIVE_BLOCKS * LIVE_BLOCK && at < bytes; at += LIVE_BLOCK) {
		u64 *a = (u64 *)(scratch->live + at), *b = (u64 *)(scratch->kept + at);

#pragma unroll
		for (u32 i = 0; i < LIVE_BLOCK / 8; i++)
			differs |= a[i] ^ b[i];
	}
	return differs != 0;
}

struct live_check {
	struct scratch *scratch;
	u64 start;
	u32 differs;
	u32 is_lost;
};

static long compare_chunk(u32 index, void *context)
{
	struct live_check *check = context;
	struct scratch *scratch = check->scratch;
	u32 at = index * LIVE_CHUNK, bytes = *(volatile u32 *)&scratch->argv_kept;
	u64 argv = scratch->found.argv + at;

	if (at >= bytes || at >= ARGV_MAX)
		return 1;
	bytes -= at;
	if (at >= ARGV_LARGE_BYTES)
		argv = scratch->found.tail + at - ARGV_LARGE_BYTES;
	if (bytes > LIVE_CHUNK)
		bytes = LIVE_CHUNK;
	if (bpf_probe_read_user(scratch->live, AT_MOST(LIVE_CHUNK, bytes), (void *)(check->start + at))) {
		check->is_lost = 1;
		return 1;
	}
	if (bpf_probe_read_kernel(scratch->kept, AT_MOST(LIVE_CHUNK, bytes), (void *)argv) ||
	    chunk_differs(scratch, bytes)) {
		check->differs = 1;
		return 1;
	}
	return 0;
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
	if (length == scratch->argv_total && kept == scratch->argv_kept) {
		struct live_check check = { .scratch = scratch, .start = start };

		if (kept == 0)
			return 0;
		BOUNDED_LOOP(LIVE_CHUNKS, LIVE_CHUNKS, compare_chunk, &check);
		if (*(volatile u32 *)&check.is_lost) {
			process->flags |= PROCESS_TITLE_LOST;
			return 0;
		}
		if (!*(volatile u32 *)&check.differs)
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
