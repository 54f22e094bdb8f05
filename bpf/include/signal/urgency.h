/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who pays for the record of a signal, and how urgent it is, for the admission to the ring (base/admission.h).
 */
#ifndef KILLSNOOP_SIGNAL_URGENCY_H
#define KILLSNOOP_SIGNAL_URGENCY_H

#include "base/admission.h"
#include "signal/hide.h"

/*
 * Whose doing is it, current's or the target's? An interrupt meets any process: what it brings is the target's own (a timer, I/O
 * that it asked for, the terminal of its session). Current's is what a call of its own sent, or built the siginfo of, or what
 * its exit brings: a user who lets orphans end is not to be PID 1.
 */
static __always_inline bool is_caused_by_current(const struct facts *facts)
{
	if (facts->is_sent || written_to_cgroup_kill(facts))
		return true;
	if (facts->is_on_stack)
		return facts->in_syscall || facts->is_exiting || facts->is_io_worker;
	return facts->is_exiting && facts->info != INFO_POINTER;
}

/* What is about to end its target, or does so when it is let through. */
static __always_inline enum urgency urgency_of(const struct facts *facts)
{
	return facts->may_end && facts->disposition == DISPOSITION_DEFAULT &&
			       facts->result == TRACE_SIGNAL_DELIVERED
		       ? URGENT
		       : ORDINARY;
}

#endif
