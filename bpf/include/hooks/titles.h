/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The live titles of those that have one (setproctitle), read now and then: at a signal the memory of the target
 * cannot be read. They are written to the iterator's reader, and kept in user space alone.
 */
#ifndef KILLSNOOP_HOOKS_TITLES_H
#define KILLSNOOP_HOOKS_TITLES_H

#include "identity/argv.h"
#include "identity/generation.h"
#include "identity/memory.h"

/* One reader at a time. */
struct titles_scratch {
	struct wire_title record;
	u8 live[TITLE_BYTES];
	u8 argv[ARGV_LARGE_BYTES];
	u32 length;
	u32 differs;
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct titles_scratch);
} titles_scratch SEC(".maps");

static long compare_title(u32 index, void *context)
{
	struct titles_scratch *scratch = *(struct titles_scratch **)context;
	u32 at = index * 8, length = *(volatile u32 *)&scratch->length, left;
	u64 differs;

	if (at >= length || at > TITLE_BYTES - 8)
		return 1;
	differs = *(u64 *)(scratch->live + at) ^ *(u64 *)(scratch->argv + at);
	left = length - at;
	if (left < 8)
		differs &= ~(~0ULL << 8 * (left & 7));
	if (!differs)
		return 0;
	scratch->differs = 1;
	return 1;
}

/* Is the beginning of the block still that of argv? */
static __always_inline bool is_as_execd(struct titles_scratch *scratch, const struct identity_ref *known,
					u32 length)
{
	u32 bytes = bytes_kept(known->identity);
	const void *argv = argv_bytes(known, bytes);

	if (!argv)
		return true;
	if (bytes > ARGV_LARGE_BYTES)
		bytes = ARGV_LARGE_BYTES;
	if (bpf_probe_read_kernel(scratch->argv, AT_MOST(ARGV_LARGE_BYTES, bytes), argv))
		return true;
	scratch->length = length;
	scratch->differs = 0;
	BOUNDED_LOOP(TITLE_BYTES / 8, TITLE_BYTES / 8, compare_title, &scratch);
	return !*(volatile u32 *)&scratch->differs;
}

/* As copy_title() of record/title.h, of another process. */
static __always_inline void write_title(struct seq_file *seq, struct task_struct *task)
{
	struct mm_struct *mm = mm_of(task);
	struct titles_scratch *scratch;
	u32 zero = 0, kept, generation, flags = 0, exec_id;
	struct identity_ref known = {};
	u64 start, end, length;
	u8 last = 0;

	if (!mm || task->pid != task->tgid || task->flags & PF_KTHREAD)
		return;
	scratch = bpf_map_lookup_elem(&titles_scratch, &zero);
	known.identity = own_identity(task, &known);
	if (!scratch || !known.identity)
		return;
	generation = generation_of(known.identity);
	exec_id = (u32)task->self_exec_id;
	start = BPF_CORE_READ(mm, arg_start);
	end = BPF_CORE_READ(mm, arg_end);
	length = end > start ? end - start : 0;
	if (!length || generation & 1 || known.identity->exec_id != exec_id)
		return;
	if (is_own_memory(task, start, length) != AREA_OWN)
		return;
	kept = length > TITLE_BYTES ? TITLE_BYTES : (u32)length;
	if (bpf_copy_from_user_task(&last, sizeof(last), (void *)(end - 1), task, 0))
		return;
	if (last) {
		/* one string that may go on into the environment; as much of it as one mapping holds */
		u64 room = BPF_CORE_READ(mm, env_end);

		flags = PROCESS_TITLE_SPILT;
		room = room > start ? room - start : length;
		if (is_own_memory(task, start, room) != AREA_OWN)
			room = length;
		kept = room > TITLE_BYTES ? TITLE_BYTES : (u32)room;
	} else if (length > TITLE_BYTES) {
		flags = PROCESS_TITLE_CUT;
	}
	if (bpf_copy_from_user_task(scratch->live, AT_MOST(TITLE_BYTES, kept), (void *)start, task, 0))
		return;
	if (!(known.identity->flags & PROCESS_OVERWRITTEN) && length == known.identity->argv_total &&
	    is_as_execd(scratch, &known, length > TITLE_BYTES ? TITLE_BYTES : (u32)length) && !last)
		return;
	/* an exec in between: this would be nobody's */
	if (mm_of(task) != mm || !unchanged_since(known.identity, generation) ||
	    (u32)task->self_exec_id != exec_id)
		return;
	scratch->record.version = WIRE_VERSION;
	scratch->record.kind = RECORD_TITLE;
	scratch->record.length = sizeof(scratch->record) + kept;
	scratch->record.start_time = task->start_boottime;
	scratch->record.tgid = task->tgid;
	scratch->record.exec_id = exec_id;
	scratch->record.flags = flags;
	scratch->record.title_kept = kept;
	scratch->record.uid = BPF_CORE_READ(task, cred, euid.val);
	scratch->record.reserved = 0;
	bpf_seq_write(seq, scratch, sizeof(scratch->record) + AT_MOST(TITLE_BYTES, kept));
}

#endif
