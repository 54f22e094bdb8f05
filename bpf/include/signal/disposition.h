/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the signal meets at its target: disposition, and whether any thread has it open. Read under the
 * siglock that the sender holds, so none of it moves meanwhile.
 */
#ifndef KILLSNOOP_SIGNAL_DISPOSITION_H
#define KILLSNOOP_SIGNAL_DISPOSITION_H

#include "base/verifier.h"
#include "wire/wire.h"

/* Threads looked at before "blocked" is called unknown. */
#define BLOCKED_THREADS 32

#define SIGNAL_BIT(sig) (1ULL << (-1 + (sig)))

/* Signals whose default action is to do nothing. */
#define DEFAULT_IGNORED \
	(SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH))

/* And those that stop a process: no end by one of them is possible. */
#define NEVER_ENDS                                                                           \
	(DEFAULT_IGNORED | SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | \
	 SIGNAL_BIT(SIGTTOU))

/* `place` is map memory: the verifier allows no variable offset on a typed pointer, so it becomes a number there. */
static __always_inline enum wire_disposition disposition_of(struct task_struct *task, u32 signal, u64 *place)
{
	u64 handler = 0, action = AS_NUMBER(place, untrusted_view(task)->sighand);

	action += bpf_core_field_offset(struct sighand_struct, action);
	action += (u64)(signal - 1) * bpf_core_type_size(struct k_sigaction);
	action += bpf_core_field_offset(struct k_sigaction, sa.sa_handler);
	bpf_probe_read_kernel(&handler, sizeof(handler), (void *)action);
	if (handler == 0)
		return DISPOSITION_DEFAULT;
	return handler == 1 ? DISPOSITION_IGNORED : DISPOSITION_HANDLED;
}

/* Does anybody wait at a signalfd of the process? Of which signals, only the descriptor knows. */
static __always_inline bool has_signalfd_reader(struct task_struct *task)
{
	struct sighand_struct *sighand = BPF_CORE_READ(task, sighand);
	u64 head = (u64)sighand + bpf_core_field_offset(struct sighand_struct, signalfd_wqh.head);

	return (u64)BPF_CORE_READ(sighand, signalfd_wqh.head.next) != head;
}

struct thread_search {
	void *head;
	void *node;
	u64 bit;
	u32 found; /* SIGNAL_BLOCKED_UNKNOWN until something is */
};

static long look_at_thread(u32 index __attribute__((unused)), void *context)
{
	struct thread_search *search = context;
	u64 blocked = 0, waited = 0;
	void *thread;

	if (bpf_probe_read_kernel(&search->node, sizeof(search->node), search->node))
		return 1;
	if (search->node == search->head) {
		search->found = SIGNAL_BLOCKED;
		return 1;
	}
	thread = search->node - bpf_core_field_offset(struct task_struct, thread_node);
	if (bpf_probe_read_kernel(&blocked, sizeof(blocked),
				  thread + bpf_core_field_offset(struct task_struct, blocked)))
		return 1;
	if (blocked & search->bit)
		return 0;
	bpf_probe_read_kernel(&waited, sizeof(waited),
			      thread + bpf_core_field_offset(struct task_struct, real_blocked));
	search->found = waited & search->bit ? SIGNAL_WAITED : 0;
	return 1;
}

static __always_inline u32 blocked_flags(struct task_struct *task, u32 signal, bool group)
{
	struct thread_search search = { .bit = SIGNAL_BIT(signal), .found = SIGNAL_BLOCKED_UNKNOWN };

	if (!(task->blocked.sig[0] & search.bit))
		return task->real_blocked.sig[0] & search.bit ? SIGNAL_WAITED : 0;
	if (!group)
		return SIGNAL_BLOCKED;

	/* Any other thread may take a signal of the group. */
	bpf_core_read(&search.head, sizeof(search.head), &task->signal);
	search.head += bpf_core_field_offset(struct signal_struct, thread_head);
	search.node = search.head;
	BOUNDED_LOOP(BLOCKED_THREADS, BLOCKED_THREADS, look_at_thread, &search);
	return search.found;
}

#endif
