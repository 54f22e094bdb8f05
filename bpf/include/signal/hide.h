/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which signals are not worth a record: cheapest question first, everything before a byte is copied.
 *
 * Hidden by default is only what a process got from itself, or from a timer, a fault, a child, a resized
 * tty or I/O, and handles or ignores. In doubt it is shown: the full truth of origin is user space's
 * (src/event/origin/); here stand only the cases that are certain.
 */
#ifndef KILLSNOOP_SIGNAL_HIDE_H
#define KILLSNOOP_SIGNAL_HIDE_H

#include "base/counters.h"
#include "base/settings.h"
#include "signal/disposition.h"
#include "signal/facts.h"
#include "signal/syscall.h"

/* Never hidden, from any sender. */
#define NEVER_HIDDEN                                                                             \
	(SIGNAL_BIT(SIGABRT) | SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGSTOP) | \
	 SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU) | SIGNAL_BIT(SIGSYS))
#define FAULT_SIGNALS                                                                         \
	(SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGFPE) | \
	 SIGNAL_BIT(SIGSEGV))
#define TIMER_SIGNALS (SIGNAL_BIT(SIGALRM) | SIGNAL_BIT(SIGVTALRM) | SIGNAL_BIT(SIGPROF))
#define IO_SIGNALS (SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGIO))

/* include/trace/events/signal.h */
#define TRACE_SIGNAL_DELIVERED 0
#define TRACE_SIGNAL_IGNORED 1
#define TRACE_SIGNAL_OVERFLOW_FAIL 3

/*
 * Is this siginfo between the end of the task's kernel stack and its saved registers? Then a call of the task built it. That
 * of a timer, of a message queue and of AIO lies in an object of theirs, and an interrupt of the kernel has a stack of its own.
 */
static __always_inline bool is_on_stack(struct task_struct *task, u64 info)
{
	u64 stack = (u64)untrusted_view(task)->stack;

	return stack && info >= stack && info < (u64)bpf_task_pt_regs(task);
}

/*
 * Is current inside a system call of its own? Not the idle task, not a kernel thread, and not one that
 * is exiting, with registers left over from what it did last. An interrupt of a program leaves no number.
 *
 * On x86 the register of the result says so, which a tracer can change where the call begins, and let go before it runs.
 * The number and the arguments are what the kernel goes by. So a siginfo on the task's own stack is evidence as well.
 * kill() of 7.x has no siginfo, and names its target.
 */
static __always_inline bool in_system_call(struct task_struct *task, struct task_struct *target,
					   const struct facts *facts)
{
	const struct wire_syscall *call = &facts->call;

	if (task->tgid == 0 || task->flags & (PF_KTHREAD | PF_EXITING) || call->number < 0)
		return false;
	return call->active || facts->is_on_stack ||
	       (facts->info == INFO_NONE && may_send(call->number) &&
		(u32)call->args[0] == (u32)target->tgid);
}

/*
 * Can a call of current that sends have left this siginfo? An interrupt in the middle of the call brings those of others,
 * which lie elsewhere. Past the call, on the way back to the program, task work may send for I/O from the same stack; and
 * the call may never have run, where a filter of seccomp answered -ENOSYS in its place. The kernel lets nobody send a code
 * above 0 to another process.
 */
static __always_inline bool is_built_by_call(const struct facts *facts)
{
	if (facts->info != INFO_POINTER)
		return facts->info == INFO_NONE;
	if (!facts->is_on_stack || (facts->code > 0 && !facts->to_itself))
		return false;
	return facts->call.active || (facts->code <= 0 && facts->code != SI_SIGIO);
}

/* Did current send it, by a system call of its own? (Without registers: by what siginfo says.) */
static __always_inline bool sent_by_current(const struct facts *facts)
{
	if (facts->call.abi != ABI_NONE)
		return facts->in_syscall && is_built_by_call(facts) && sends(&facts->call, facts->signal);
	return facts->in_syscall && facts->info == INFO_POINTER && facts->code <= 0 &&
	       facts->code != SI_TIMER && facts->code != SI_MESGQ && facts->code != SI_ASYNCIO &&
	       facts->code != SI_SIGIO;
}

/*
 * Written by any call that can write, or by a worker of io_uring: nothing else in the kernel sends such a SIGKILL to a
 * thread from inside a call. (A tracer's goes through ptrace.)
 */
static __always_inline bool written_to_cgroup_kill(const struct facts *facts)
{
	if (facts->signal != 9 || facts->info != INFO_NONE || facts->group || facts->is_sent)
		return false;
	return facts->is_io_worker || (facts->in_syscall && !is_ptrace(&facts->call));
}

/* Did another process bring it about, by a call of its own? An interrupt, a kernel thread and an exit are nobody's call. */
static __always_inline bool caused_by_another(const struct facts *facts)
{
	return !facts->to_itself && (facts->in_syscall || facts->is_io_worker || facts->is_exiting);
}

static __always_inline enum hidden_class hidden_class_of(const struct facts *facts)
{
	u64 bit = SIGNAL_BIT(facts->signal);
	bool to_itself = facts->to_itself;
	bool is_pointer = facts->info == INFO_POINTER;

	/* a program that dispatches its own system calls (Wine) does so all the time */
	bool is_dispatched =
		facts->signal == SIGSYS && is_pointer && facts->code == SYS_USER_DISPATCH && to_itself;

	if (settings.show_all || (settings.included_signals & bit) || (NEVER_HIDDEN & bit && !is_dispatched))
		return SHOWN;
	/* a full queue: the one failure that this hook sees */
	if (facts->result == TRACE_SIGNAL_OVERFLOW_FAIL)
		return SHOWN;
	if (facts->disposition == DISPOSITION_DEFAULT && !(DEFAULT_IGNORED & bit))
		return SHOWN;
	if (facts->is_sent)
		return to_itself ? HIDDEN_SELF : SHOWN;
	if (is_dispatched)
		return HIDDEN_SELF;
	/* its registers are what its tracer wrote there: this may be a call that sends */
	if (facts->is_traced && may_send(facts->call.number))
		return SHOWN;
	if (facts->signal == SIGCHLD && is_pointer && facts->code >= 1 && facts->code <= 6)
		return HIDDEN_CHILD;
	if (is_pointer && facts->code == SI_TIMER && !facts->is_on_stack)
		return HIDDEN_TIMER;
	if (facts->info == INFO_KERNEL && (TIMER_SIGNALS & bit))
		return HIDDEN_TIMER;
	if (is_pointer && to_itself && facts->code > 0 && (FAULT_SIGNALS & bit)) {
		bool memory_error = facts->signal == SIGBUS &&
				    (facts->code == BUS_MCEERR_AR || facts->code == BUS_MCEERR_AO);
		/* of a perf event, which any process of the same user may have opened */
		bool event = facts->signal == SIGTRAP && facts->code == TRAP_PERF;

		return memory_error || event ? SHOWN : HIDDEN_FAULT;
	}
	if (facts->signal == SIGWINCH && facts->info == INFO_KERNEL)
		return HIDDEN_TTY;
	if (facts->signal == SIGPIPE && facts->info == INFO_NONE && to_itself)
		return HIDDEN_IO;
	/*
	 * F_SETOWN names any process, and F_SETSIG any signal: one that another process brings about is not hidden. Nor is
	 * one that by its number is not of I/O: who wrote is not known where a kernel thread hands it on.
	 */
	if ((IO_SIGNALS & bit) && !caused_by_another(facts) &&
	    (facts->info == INFO_KERNEL ||
	     (is_pointer && (facts->code == SI_SIGIO || (facts->code >= 1 && facts->code <= 6)))))
		return HIDDEN_IO;
	return SHOWN;
}

BPF_GLOBAL_FUNC int classify(struct facts *facts)
{
	if (!facts)
		return 0;
	facts->is_sent = sent_by_current(facts);
	facts->hidden = hidden_class_of(facts);
	return 0;
}

/* HUP, INT, QUIT, CONT, TSTP, TTIN, TTOU, WINCH */
#define TTY_SIGNALS                                                                            \
	(SIGNAL_BIT(SIGHUP) | SIGNAL_BIT(SIGINT) | SIGNAL_BIT(SIGQUIT) | SIGNAL_BIT(SIGCONT) | \
	 SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU) | SIGNAL_BIT(SIGWINCH))

/* Is it one that a terminal may have sent? */
static __always_inline bool is_from_tty(const struct facts *facts)
{
	return facts->info == INFO_KERNEL && TTY_SIGNALS & SIGNAL_BIT(facts->signal);
}

/* May a terminal hang up at this moment? */
static __always_inline bool is_hangup(const struct facts *facts)
{
	return facts->signal == SIGHUP && facts->info == INFO_KERNEL;
}

#endif
