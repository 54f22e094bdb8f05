/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What --fatal and a condition on target.disposition refuse, exactly as user space would. Asked after a signal was noted with its
 * target: what is refused here still explains an end, and comes before another signal. So user space gets what may
 * do that, without its ancestors and command lines, and the kernel side leaves out the rest.
 */
#ifndef KILLSNOOP_SIGNAL_WANTED_H
#define KILLSNOOP_SIGNAL_WANTED_H

#include "base/settings.h"
#include "signal/disposition.h"
#include "signal/facts.h"
#include "signal/hide.h"

/* include/linux/sched/signal.h */
#define SIGNAL_UNKILLABLE 0x00000040
/* Those that leave a core by default, as Signal::dumps_core_by_default() of src/event/signal.rs. */
#define CORE_SIGNALS                                                                            \
	(SIGNAL_BIT(SIGQUIT) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGABRT) | \
	 SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGXCPU) |  \
	 SIGNAL_BIT(SIGXFSZ) | SIGNAL_BIT(SIGSYS))

/* As Header::is_deadly() of src/event/header.rs. The siglock is held: the record says the same. */
static __always_inline bool is_deadly(const struct facts *facts, struct task_struct *target)
{
	struct signal_struct *signal = untrusted_view(target)->signal;

	if (facts->result != TRACE_SIGNAL_DELIVERED)
		return false;
	if (signal->flags & SIGNAL_GROUP_EXIT && (u32)signal->group_exit_code == facts->signal)
		return true;
	return facts->disposition == DISPOSITION_DEFAULT && CORE_SIGNALS & SIGNAL_BIT(facts->signal) &&
	       !(signal->flags & SIGNAL_UNKILLABLE) &&
	       !(blocked_flags(target, facts->signal, facts->group) & SIGNAL_BLOCKED);
}

static __always_inline bool is_unwanted(const struct facts *facts, struct task_struct *target)
{
	if (settings.dispositions && !(settings.dispositions & 1U << (facts->disposition & 31)))
		return true;
	return settings.only_fatal && !is_deadly(facts, target);
}

#endif
