/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The terminal of a process, and the one that it had at exec. A name is used only if it is certain to be the right one.
 */
#ifndef KILLSNOOP_IDENTITY_TERMINAL_H
#define KILLSNOOP_IDENTITY_TERMINAL_H

#include "identity/store.h"

/*
 * The name of a task's terminal, empty if it has none. A terminal that hangs up at this moment may be freed while its
 * name is copied: it is believed only if the task still has it afterwards.
 */
static __always_inline void copy_tty_of(struct signal_struct *signal, struct tty_struct *tty, u8 *name)
{
	name[0] = 0;
	if (!tty)
		return;
	bpf_core_read_str(name, TTY_BYTES, &tty->name);
	if (BPF_CORE_READ(signal, tty) != tty)
		name[0] = 0;
}

static __always_inline void copy_tty(struct task_struct *task, u8 *name)
{
	struct signal_struct *signal = BPF_CORE_READ(task, signal);

	copy_tty_of(signal, BPF_CORE_READ(signal, tty), name);
}

/*
 * Does this terminal belong to the session of a process, and has it this name? It may have been freed since. Where it hangs
 * up (__tty_hangup()) the session is still there when the processes of the session are signalled.
 */
static __always_inline bool is_terminal_of(struct tty_struct *tty, struct task_struct *task, const u8 *name)
{
	u8 now[TTY_BYTES] = {};
	const u64 *a = (const u64 *)now, *b = (const u64 *)name;
	struct pid *session;

	if (!tty)
		return false;
	session = BPF_CORE_READ(tty, ctrl.session);
	bpf_core_read_str(now, sizeof(now), &tty->name);
	return session && session == BPF_CORE_READ(task, signal, pids[PIDTYPE_SID]) && a[0] == b[0] &&
	       a[1] == b[1];
}

/* Is it the first process of its session? Of a task that has been released nothing is known. */
static __always_inline bool leads_session(struct task_struct *leader)
{
	struct pid *pid = BPF_CORE_READ(leader, thread_pid);

	return pid && pid == BPF_CORE_READ(leader, signal, pids[PIDTYPE_SID]);
}

/* In identity.terminal, beside the pointer: it was certainly the last of this process that hung up. */
#define TERMINAL_HUNG_UP 1ULL

static __always_inline struct tty_struct *terminal_of(const struct identity *identity)
{
	return (struct tty_struct *)(identity->terminal & ~TERMINAL_HUNG_UP);
}

/*
 * A terminal that hangs up belongs to its session until all of that is signalled, its leader first (__tty_hangup()). The
 * leader signals others when it ends (disassociate_ctty()), and the terminal is nobody's by then. So the one that is kept
 * of the leader is compared now, and forgotten where it is another, or where a leader that ends is itself among the others.
 */
static __always_inline void note_hangup(struct task_struct *leader, struct identity *identity)
{
	struct tty_struct *terminal = terminal_of(identity);

	if (!leads_session(leader) || BPF_CORE_READ(leader, signal, tty))
		return;
	if (is_terminal_of(terminal, leader, identity->tty))
		identity->terminal = (u64)terminal | TERMINAL_HUNG_UP;
	else
		identity->terminal = 0;
}

/* Is this process, which ends, the leader that signals the target for a terminal that has hung up, if any does? */
static __always_inline bool ends_session_of(struct task_struct *leader, struct task_struct *target)
{
	return leads_session(leader) && !BPF_CORE_READ(leader, signal, tty) &&
	       BPF_CORE_READ(leader, signal, pids[PIDTYPE_SID]) ==
		       BPF_CORE_READ(target, signal, pids[PIDTYPE_SID]);
}

static __always_inline void remember_tty(struct task_struct *task, struct identity *identity)
{
	struct signal_struct *signal = untrusted_view(task)->signal;

	__builtin_memset(identity->tty, 0, TTY_BYTES);
	identity->terminal = (u64)signal->tty;
	copy_tty_of(signal, (struct tty_struct *)identity->terminal, identity->tty);
	if (!identity->tty[0])
		identity->terminal = 0;
}

#endif
