/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A signal that a thread takes from the queue, to end of it: which of those that waited it is. Noted with the process, for
 * its end. A signal that waited may be taken by sigwait() or a signalfd, and of several the one that came last need not be
 * the first that is taken; and a tracer may put another in its place, which no other hook sees.
 *
 * One that is fatal as it comes is not seen here: the kernel ends the process at once, and its threads take a SIGKILL
 * that has no siginfo.
 */
#ifndef KILLSNOOP_HOOKS_DELIVER_H
#define KILLSNOOP_HOOKS_DELIVER_H

#include "identity/store.h"
#include "signal/disposition.h"

/* `info` may be one of the integers 0 and 1: it is read by copying alone. The siglock is held. */
static __always_inline void note_delivery(struct task_struct *task, u32 signal, struct kernel_siginfo *info,
					  const struct k_sigaction *action)
{
	struct wire_delivery delivery = {};
	struct identity *identity;

	if (signal < 1 || signal > 64 || NEVER_ENDS & SIGNAL_BIT(signal) || action->sa.sa_handler)
		return;
	if (bpf_core_read(&delivery.info_code, sizeof(delivery.info_code), &info->si_code) ||
	    bpf_core_read(delivery.info_fields, sizeof(delivery.info_fields), &info->_sifields))
		return;
	identity = any_identity(task->group_leader);
	if (!identity)
		return;
	delivery.signal = (u8)signal;
	identity->delivery = delivery;
}

#endif
