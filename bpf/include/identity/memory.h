/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory of another process, for programs that may sleep. A page of a file may be one that nobody serves
 * (FUSE), and the reader would sleep for ever, where no signal reaches it, with the memory map of that process
 * held: only anonymous memory is read, as /proc/PID/cmdline does (FOLL_ANON). The memory map is looked at without
 * waiting for it.
 */
#ifndef KILLSNOOP_IDENTITY_MEMORY_H
#define KILLSNOOP_IDENTITY_MEMORY_H

#include "base/verifier.h"
#include "identity/store.h"

enum area {
	AREA_OTHER = 0, /* not mapped, of a file, or of more than one mapping */
	AREA_OWN = 1,
	AREA_BUSY = 2, /* the memory map is being changed */
};

struct area_search {
	u64 start;
	u64 end;
	bool is_own;
};

static long look_at_area(struct task_struct *task __attribute__((unused)), struct vm_area_struct *area,
			 void *context)
{
	struct area_search *search = context;

	/* include/linux/mm.h: vma_is_anonymous() */
	search->is_own = !area->vm_ops && area->vm_start <= search->start && search->end <= area->vm_end;
	return 0;
}

/* Tries that take some microseconds: most changes of a memory map take no longer. */
#define AREA_TRIES 16

/* Are these bytes in one anonymous mapping? None are. */
static __always_inline enum area is_own_memory(struct task_struct *task, u64 start, u64 length)
{
	struct area_search search = { .start = start, .end = start + length };

	if (!length)
		return AREA_OWN;
	for (u32 i = 0; i < AREA_TRIES; i++) {
		/* -EBUSY; any other answer is about what is mapped there */
		if (bpf_find_vma(task, start, look_at_area, &search, 0) != -16)
			return *(volatile bool *)&search.is_own ? AREA_OWN : AREA_OTHER;
	}
	return AREA_BUSY;
}

/* Arguments whose pointers are looked at. */
#define ARGUMENTS_LOOKED_AT 63

/* What execve put at the top of the stack: argc, and a pointer to each argument. One reader at a time. */
struct block_check {
	u64 start;
	u32 bytes;     /* of the block, as far as it was read */
	u32 from;      /* where its first argument begins */
	u32 arguments; /* argc; 0: it is not known */
	u32 found;
	u32 is_narrow; /* a 32-bit program */
	u32 differs;
	u64 stack[1 + ARGUMENTS_LOOKED_AT];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct block_check);
} block_checks SEC(".maps");

struct block_walk {
	struct block_check *check;
	const u8 *bytes; /* ARGV_MAX of them */
};

static __always_inline u64 argument_pointer(const struct block_check *check, u32 index)
{
	u32 place = AT_MOST(ARGUMENTS_LOOKED_AT - 1, index);

	return check->is_narrow ? ((const u32 *)check->stack)[1 + place] : check->stack[1 + place];
}

/* Each argument is a string: before it another one ends. */
static long look_at_argument(u32 index, void *context)
{
	struct block_walk *walk = context;
	struct block_check *check = walk->check;
	u64 pointer = argument_pointer(check, index), at = pointer - check->start;

	if (index >= check->arguments)
		return 1;
	if (at == 0 || at >= *(volatile u32 *)&check->bytes)
		return 0;
	if (walk->bytes[AT_MOST(ARGV_MAX - 1, (u32)at - 1)] == 0)
		return 0;
	check->differs = 1;
	return 1;
}

#define EACH_BYTE(value) (0x0101010101010101ULL * (value))

static long count_ends(u32 index, void *context)
{
	struct block_walk *walk = context;
	struct block_check *check = walk->check;
	u32 at = index * 8, bytes = *(volatile u32 *)&check->bytes, from = *(volatile u32 *)&check->from;
	u64 word;

	if (at >= bytes || at > ARGV_MAX - 8)
		return 1;
	word = *(const u64 *)(walk->bytes + at);
	/* what is not of it ends nothing */
	if (bytes - at < 8)
		word |= ~0ULL << 8 * ((bytes - at) & 7);
	if (at + 8 <= from)
		return 0;
	if (at < from)
		word |= ~(~0ULL << 8 * ((from - at) & 7));
	word = ~(((word & EACH_BYTE(0x7f)) + EACH_BYTE(0x7f)) | word | EACH_BYTE(0x7f));
	check->found += (u32)((word >> 7) * EACH_BYTE(1) >> 56);
	return 0;
}

static __always_inline void read_stack(struct block_check *check, struct task_struct *task, u64 stack)
{
	u32 size = sizeof(check->stack);

	check->arguments = 0;
	check->is_narrow = stack < 1ULL << 32;
	if (is_own_memory(task, stack, size) != AREA_OWN) {
		/* a short stack of a small program */
		size = 64;
		if (is_own_memory(task, stack, size) != AREA_OWN)
			return;
	}
	__builtin_memset(check->stack, 0, sizeof(check->stack));
	if (bpf_copy_from_user_task(check->stack, AT_MOST(sizeof(check->stack), size), (void *)stack, task,
				    0))
		return;
	check->arguments = (u32)check->stack[0];
}

/*
 * Is the argument block that of the exec? A program that writes its title there (setproctitle, or `$0 = …` of scripts)
 * leaves another number of strings than argc, or others than argv points at, or a block that does not end with a NUL.
 * `bytes` is the block as far as ARGV_MAX goes. A title of exactly the same strings' lengths cannot be known for one.
 */
static __always_inline bool is_block_as_execd(const u8 *bytes, struct task_struct *task, struct mm_struct *mm,
					      u64 start, u64 length)
{
	u32 zero = 0, read = length > ARGV_MAX ? ARGV_MAX : (u32)length;
	struct block_check *check = bpf_map_lookup_elem(&block_checks, &zero);
	struct block_walk walk = { .check = check, .bytes = bytes };
	u64 first;
	u8 last = 0;

	if (!check || bpf_copy_from_user_task(&last, sizeof(last), (void *)(start + length - 1), task, 0))
		return true;
	if (last)
		return false;
	check->start = start;
	check->bytes = read;
	check->from = 0;
	check->found = 0;
	check->differs = 0;
	read_stack(check, task, BPF_CORE_READ(mm, start_stack));
	if (!check->arguments)
		return true;
	BOUNDED_LOOP(ARGUMENTS_LOOKED_AT, ARGUMENTS_LOOKED_AT, look_at_argument, &walk);
	if (*(volatile u32 *)&check->differs)
		return false;
	if (read < length)
		return true;
	/* started as an argument of the dynamic loader, which removes its own from argv */
	first = argument_pointer(check, 0) - start;
	if (first < read)
		check->from = (u32)first;
	BOUNDED_LOOP(ARGV_MAX / 8, ARGV_MAX / 8, count_ends, &walk);
	return *(volatile u32 *)&check->found == *(volatile u32 *)&check->arguments;
}

#endif
