/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Gathers the facts of one signal from the arguments of the tracepoint, from current and from the target.
 */
#ifndef KILLSNOOP_SIGNAL_GATHER_H
#define KILLSNOOP_SIGNAL_GATHER_H

#include "base/task.h"
#include "signal/disposition.h"
#include "signal/history.h"
#include "signal/hide.h"
#include "signal/syscall.h"

/* What the filters ask for, which most signals do not pass. */
static __always_inline void gather_facts(struct facts *facts, u64 *ctx, struct task_struct *current_task,
					 struct task_struct *target)
{
	u64 info = AS_NUMBER(&facts->info_address, ctx[1]);

	facts->info = info > 1 ? INFO_POINTER : (u32)info;
	facts->code = 0;
	if (facts->info == INFO_POINTER)
		facts->code = BPF_CORE_READ((struct kernel_siginfo *)info, si_code);
	facts->signal = (u32)ctx[0];
	facts->group = (int)ctx[3] != 0;
	facts->result = (u32)ctx[4];
	facts->to_itself = current_task->tgid == target->tgid;
	facts->is_traced = untrusted_view(current_task)->ptrace & PT_PTRACED;
	facts->is_io_worker = current_task->flags & PF_IO_WORKER;
	facts->is_exiting = current_task->tgid != 0 && current_task->flags & PF_EXITING;
	facts->last_fault = 0;
	if (facts->to_itself && FAULT_SIGNALS & SIGNAL_BIT(facts->signal))
		facts->last_fault = fault_address_of(untrusted_view(current_task));
	facts->disposition = disposition_of(target, facts->signal, &facts->action);
	if (have_task_pt_regs()) {
		read_syscall(current_task, CALL_RUNS, &facts->call);
		facts->is_on_stack = info > 1 && is_on_stack(current_task, info);
		facts->in_syscall = in_system_call(current_task, target, facts);
	} else {
		facts->is_on_stack = 0;
		__builtin_memset(&facts->call, 0, sizeof(facts->call));
		facts->in_syscall = facts->info == INFO_POINTER && facts->code <= 0 &&
				    current_task->tgid != 0 &&
				    !(current_task->flags & (PF_KTHREAD | PF_EXITING));
	}
	facts->may_end = may_end(facts, target);
}

#endif
