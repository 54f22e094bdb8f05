/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the verifier has to be shown, or must not follow: casts, bounds and loops. Nothing here knows of signals.
 */
#ifndef KILLSNOOP_BASE_VERIFIER_H
#define KILLSNOOP_BASE_VERIFIER_H

#include "base/compat.h"

/*
 * 6.2, a35b9af4ec2c ("bpf: Add a kfunc for generic type cast"). Since 6.4 the verifier looks for each pointer that is read
 * from a trusted task in lists of safe fields, three searches through the whole BTF of the kernel each. A view is not
 * trusted: what it leads to is read at the same speed, is never searched for, and cannot be given to a helper that wants
 * a task.
 */
static __always_inline struct task_struct *untrusted_view(struct task_struct *task)
{
	if (bpf_ksym_exists(bpf_rdonly_cast))
		return bpf_core_cast(task, struct task_struct);
	return task;
}

/*
 * An argument that the verifier takes for a pointer, as the number that it may be: through map memory, where it is
 * forgotten what it was.
 */
#define AS_NUMBER(place, value) (*(volatile u64 *)(place) = (u64)(value), *(volatile u64 *)(place))

/*
 * A function that the verifier walks once and by itself, for all callers: afterwards it knows of the memory that was
 * handed over no more than its size. It cannot have a task; a NULL is to be excluded for each pointer.
 */
#define BPF_GLOBAL_FUNC __noinline

/*
 * A length for a helper, where the verifier must see the bound: the compiler knows it already and would
 * leave the comparison out, or make it on a copy of the register.
 */
#define AT_MOST(limit, length)                    \
	({                                        \
		u32 length_ = (length);           \
		asm volatile("" : "+r"(length_)); \
		if (length_ > (limit))            \
			length_ = (limit);        \
		length_;                          \
	})

/* bpf_loop() where the kernel has it: verified once, not once a turn. */
#define BOUNDED_LOOP(limit, count, function, context)                           \
	do {                                                                    \
		if (have_bpf_loop()) {                                          \
			bpf_loop(count, function, context, 0);                  \
		} else {                                                        \
			for (u32 turn = 0; turn < (limit); turn++)              \
				if (turn >= (count) || function(turn, context)) \
					break;                                  \
		}                                                               \
	} while (0)

#endif
