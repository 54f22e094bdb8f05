/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the saved user registers of current say about the system call it is in. The one file that
 * differs between architectures.
 *
 * The registers are stale in task work, in exit-by-signal and in interrupts: read_syscall() reports only
 * what they hold; who may believe them is decided by in_system_call() (signal/hide.h) and, with the number and
 * the arguments, by the pure function in user space (src/event/origin/).
 */
#ifndef KILLSNOOP_SIGNAL_SYSCALL_H
#define KILLSNOOP_SIGNAL_SYSCALL_H

#include "base/compat.h"
#include "wire/wire.h"

enum call_state {
	CALL_RUNS,
	CALL_IS_OVER,
};

#if defined(__TARGET_ARCH_x86)

struct pt_regs {
	unsigned long ax;
	unsigned long dx;
	unsigned long si;
	unsigned long di;
	unsigned long r10;
	unsigned long cx;
	unsigned long bx;
	unsigned long orig_ax;
	unsigned long ip;
} CORE;

/* arch/x86/include/asm/thread_info.h: TS_COMPAT, a 32-bit system call is active. */
#define TS_COMPAT 0x0002
struct thread_info {
	u32 status;
} CORE;
struct thread_struct___x86 {
	unsigned long cr2;
} CORE;
struct task_struct___x86 {
	struct thread_info thread_info;
	struct thread_struct___x86 thread;
} CORE;

/* Where the last page fault of a task was that became a signal. */
static __always_inline u64 fault_address_of(struct task_struct *task)
{
	return ((struct task_struct___x86 *)task)->thread.cr2;
}

/* The kernel reads an int: what the caller has in the upper half names no other call. */
static __always_inline s64 number_of(struct pt_regs *regs)
{
	return (s32)regs->orig_ax;
}

static __always_inline void read_syscall(struct task_struct *task,
					 enum call_state state __attribute__((unused)),
					 struct wire_syscall *call)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	struct task_struct___x86 *x86 = (void *)task;

	call->number = number_of(regs);
	/* entry code stores -ENOSYS before it dispatches and the result only on the way out */
	call->active = (s64)regs->ax == -38;
	call->instruction_pointer = regs->ip;
	call->abi = ABI_X86_64;
	call->args[0] = regs->di;
	call->args[1] = regs->si;
	call->args[2] = regs->dx;
	call->args[3] = regs->r10;
	if (x86->thread_info.status & TS_COMPAT) {
		call->abi = ABI_I386;
		call->args[0] = (u32)regs->bx;
		call->args[1] = (u32)regs->cx;
		call->args[2] = (u32)regs->dx;
		call->args[3] = (u32)regs->si;
	} else if (call->number & X32_SYSCALL_BIT) {
		call->abi = ABI_X32;
	}
}

#elif defined(__TARGET_ARCH_arm64)

struct user_pt_regs {
	u64 regs[31];
	u64 pc;
	u64 pstate;
} CORE;
struct pt_regs {
	u64 regs[31];
	u64 pc;
	u64 pstate;
	u64 orig_x0;
	s32 syscallno;
} CORE;
struct thread_struct___arm64 {
	unsigned long fault_address;
} CORE;
struct task_struct___arm64 {
	struct thread_struct___arm64 thread;
} CORE;

static __always_inline u64 fault_address_of(struct task_struct *task)
{
	return ((struct task_struct___arm64 *)task)->thread.fault_address;
}

static __always_inline s64 number_of(struct pt_regs *regs)
{
	return regs->syscallno;
}

static __always_inline void read_syscall(struct task_struct *task, enum call_state state,
					 struct wire_syscall *call)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

	call->number = number_of(regs);
	call->active = regs->syscallno != -1;
	call->instruction_pointer = regs->pc;
	/* PSR_MODE32_BIT: the 32-bit ARM numbers are another table */
	call->abi = regs->pstate & 0x10 ? ABI_ARM : ABI_ARM64;
	/* what the call itself reads; a tracer may have changed it since it was kept. Once it returns, it is the result */
	call->args[0] = state == CALL_RUNS ? regs->regs[0] : regs->orig_x0;
	call->args[1] = regs->regs[1];
	call->args[2] = regs->regs[2];
	call->args[3] = regs->regs[3];
}

#else
#error "no register file for this architecture: say -D__TARGET_ARCH_x86 or -D__TARGET_ARCH_arm64"
#endif

/*
 * Which calls send a signal, by ABI. Filtering in the kernel needs to know no more than that
 * it is one of them, and for which signal; which one it is, is user space's to say.
 *
 * tgkill and rt_tgsigqueueinfo have the signal as third argument, the others as second.
 */
static __always_inline bool is_thread_kill(const struct wire_syscall *call, s64 number)
{
	switch (call->abi) {
	case ABI_X86_64:
		return number == X86_64_TGKILL || number == X86_64_RT_TGSIGQUEUEINFO;
	case ABI_X32:
		return number == X86_64_TGKILL || number == X32_RT_TGSIGQUEUEINFO;
	case ABI_I386:
		return number == I386_TGKILL || number == I386_RT_TGSIGQUEUEINFO;
	case ABI_ARM64:
		return number == ARM64_TGKILL || number == ARM64_RT_TGSIGQUEUEINFO;
	case ABI_ARM:
		return number == ARM_TGKILL || number == ARM_RT_TGSIGQUEUEINFO;
	}
	return false;
}

static __always_inline bool is_process_kill(const struct wire_syscall *call, s64 number)
{
	if (number == PIDFD_SEND_SIGNAL)
		return call->abi != ABI_NONE;
	switch (call->abi) {
	case ABI_X86_64:
		return number == X86_64_KILL || number == X86_64_TKILL || number == X86_64_RT_SIGQUEUEINFO;
	case ABI_X32:
		return number == X86_64_KILL || number == X86_64_TKILL || number == X32_RT_SIGQUEUEINFO;
	case ABI_I386:
		return number == I386_KILL || number == I386_TKILL || number == I386_RT_SIGQUEUEINFO;
	case ABI_ARM:
		return number == ARM_KILL || number == ARM_TKILL || number == ARM_RT_SIGQUEUEINFO;
	case ABI_ARM64:
		return number == ARM64_KILL || number == ARM64_TKILL || number == ARM64_RT_SIGQUEUEINFO;
	}
	return false;
}

/* Can a call of this number be one that sends a signal, in any ABI? Asked of every system call of the host. */
static __always_inline bool may_send(s64 number)
{
	switch (number & ~(s64)X32_SYSCALL_BIT) {
#if defined(__TARGET_ARCH_x86)
	case X86_64_KILL:
	case X86_64_RT_SIGQUEUEINFO:
	case X86_64_TKILL:
	case X86_64_TGKILL:
	case X86_64_RT_TGSIGQUEUEINFO:
	case X32_RT_SIGQUEUEINFO:
	case X32_RT_TGSIGQUEUEINFO:
	case I386_KILL:
	case I386_RT_SIGQUEUEINFO:
	case I386_TKILL:
	case I386_TGKILL:
	case I386_RT_TGSIGQUEUEINFO:
#else
	case ARM64_KILL:
	case ARM64_TKILL:
	case ARM64_TGKILL:
	case ARM64_RT_SIGQUEUEINFO:
	case ARM64_RT_TGSIGQUEUEINFO:
	case ARM_KILL:
	case ARM_RT_SIGQUEUEINFO:
	case ARM_TKILL:
	case ARM_TGKILL:
	case ARM_RT_TGSIGQUEUEINFO:
#endif
	case PIDFD_SEND_SIGNAL:
		return true;
	}
	return false;
}

static __always_inline s64 plain_number(const struct wire_syscall *call)
{
	return call->abi == ABI_X32 ? call->number & ~(s64)X32_SYSCALL_BIT : call->number;
}

static __always_inline bool is_pidfd_kill(const struct wire_syscall *call)
{
	return plain_number(call) == PIDFD_SEND_SIGNAL && call->abi != ABI_NONE;
}

/* For which signal a call is; false if it is none of those that send one. */
static __always_inline bool signal_argument(const struct wire_syscall *call, u32 *signal)
{
	s64 number = plain_number(call);

	if (is_process_kill(call, number)) {
		*signal = (u32)call->args[1];
		return true;
	}
	*signal = (u32)call->args[2];
	return is_thread_kill(call, number);
}

/* Does this call send this signal? (An interrupt may bring another while the call runs.) */
static __always_inline bool sends(const struct wire_syscall *call, u32 signal)
{
	u32 named;

	return signal_argument(call, &named) && named == signal;
}

/* A tracer may send SIGKILL to its tracee by none of the ways of cgroup.kill, and all of its calls are ptrace. */
static __always_inline bool is_ptrace(const struct wire_syscall *call)
{
	switch (call->abi) {
	case ABI_X86_64:
		return call->number == X86_64_PTRACE;
	case ABI_X32:
		return (call->number & ~(s64)X32_SYSCALL_BIT) == X32_PTRACE;
	case ABI_ARM64:
		return call->number == ARM64_PTRACE;
	case ABI_I386:
		return call->number == I386_PTRACE;
	case ABI_ARM:
		return call->number == ARM_PTRACE;
	}
	return false;
}

#endif
