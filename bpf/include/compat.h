/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One shim per kernel change that this program meets, each with the kernel commit that made it.
 * "___flavour" suffixes are ignored by CO-RE: they are other versions of the same kernel struct.
 */
#ifndef KILLSNOOP_COMPAT_H
#define KILLSNOOP_COMPAT_H

#include "kernel_types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/* 5.14, 2f064a59a11f ("sched: Change task_struct::state"): `long state` became `unsigned int __state`. */
struct task_struct___state_after_5_14 {
	unsigned int __state;
} CORE;
struct task_struct___state_before_5_14 {
	long state;
} CORE;

static __always_inline u32 task_state(struct task_struct *task)
{
	struct task_struct___state_after_5_14 *after = (void *)task;
	if (bpf_core_field_exists(after->__state))
		return BPF_CORE_READ(after, __state);
	struct task_struct___state_before_5_14 *before = (void *)task;
	return (u32)BPF_CORE_READ(before, state);
}

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

/* loginuid is there only with CONFIG_AUDIT; -1 is the kernel's own "unset". */
struct task_struct___audit {
	kuid_t loginuid;
} CORE;

static __always_inline u32 task_login_uid(struct task_struct *task)
{
	struct task_struct___audit *audited = (void *)task;
	if (!bpf_core_field_exists(audited->loginuid))
		return (u32)-1;
	return BPF_CORE_READ(audited, loginuid.val);
}

/* 5.17, e6f2dd0f8067 ("bpf: Add bpf_loop helper"); where it is absent a plain bounded loop does the same. */
static __always_inline bool have_bpf_loop(void)
{
	return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop);
}

/* bpf_loop() where the kernel has it: verified once, not once a turn. */
#define REPEAT(limit, count, function, context)                                 \
	do {                                                                    \
		if (have_bpf_loop()) {                                          \
			bpf_loop(count, function, context, 0);                  \
		} else {                                                        \
			for (u32 turn = 0; turn < (limit); turn++)              \
				if (turn >= (count) || function(turn, context)) \
					break;                                  \
		}                                                               \
	} while (0)

/* 5.15, dd6e10fbd9fb ("bpf: Add bpf_task_pt_regs() helper"). */
static __always_inline bool have_task_pt_regs(void)
{
	return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs);
}

#endif
