/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process seen from outside: what its task says, by copying, and not its command line. Such a process still
 * exists, so user space completes it by its key and the image that it ran.
 *
 * Nothing here is followed by the verifier: a task is any address, and costs it next to nothing.
 */
#ifndef KILLSNOOP_RECORD_OUTLINE_H
#define KILLSNOOP_RECORD_OUTLINE_H

#include "base/host.h"
#include "identity/terminal.h"

BPF_GLOBAL_FUNC int outline(struct wire_process *process, u64 address)
{
	struct task_struct *leader = (struct task_struct *)address;
	struct mm_struct *mm = BPF_CORE_READ(leader, mm);

	if (!process)
		return 0;

	process->start_time = BPF_CORE_READ(leader, start_boottime);
	process->tgid = BPF_CORE_READ(leader, tgid);
	process->flags = BPF_CORE_READ(leader, flags) & PF_KTHREAD ? PROCESS_NO_ARGV : PROCESS_UNKNOWN;
	process->uid = BPF_CORE_READ(leader, cred, euid.val);
	process->exec_id = (u32)BPF_CORE_READ(leader, self_exec_id);
	process->generation = 0;
	process->argv_total = 0;
	process->argv_kept = 0;
	process->title_kept = 0;
	bpf_core_read(process->comm, sizeof(process->comm), &leader->comm);
	process->arg_start = mm ? (u32)BPF_CORE_READ(mm, arg_start) : 0;
	return 0;
}

/* What one task says of itself, by copying. */
BPF_GLOBAL_FUNC int outline_task(struct wire_task *facts, u64 address)
{
	struct task_struct *task = (struct task_struct *)address;
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	struct signal_struct *signal = BPF_CORE_READ(task, signal);
	struct pid *pid = BPF_CORE_READ(leader, thread_pid);

	if (!facts)
		return 0;
	__builtin_memset(facts, 0, sizeof(*facts));
	facts->cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	facts->legacy_cgroup = legacy_cgroup_of(task);
	facts->tid = BPF_CORE_READ(task, pid);
	facts->flags = BPF_CORE_READ(task, flags);
	facts->uid = BPF_CORE_READ(task, cred, uid.val);
	facts->gid = BPF_CORE_READ(task, cred, egid.val);
	facts->login_uid = task_login_uid(task);
	facts->pgid = BPF_CORE_READ(signal, pids[PIDTYPE_PGID], numbers[0].nr);
	facts->session = BPF_CORE_READ(signal, pids[PIDTYPE_SID], numbers[0].nr);
	if (pid) {
		u32 level = BPF_CORE_READ(pid, level);
		struct upid inner = {};

		bpf_probe_read_kernel(&inner, sizeof(inner),
				      (void *)pid + bpf_core_field_offset(struct pid, numbers) +
					      level * bpf_core_type_size(struct upid));
		facts->namespace_pid = inner.nr;
		facts->namespace_inode = BPF_CORE_READ(inner.ns, ns.inum);
		facts->namespace_level = level;
	}
	facts->state = task_state(task);
	facts->exit_state = BPF_CORE_READ(leader, exit_state);
	facts->live = BPF_CORE_READ(signal, live.counter);
	facts->signal_flags = BPF_CORE_READ(signal, flags);
	facts->group_exit_code = BPF_CORE_READ(signal, group_exit_code);
	write_namespaces(facts, nsproxy_of(task), BPF_CORE_READ(task, cred, user_ns));
	facts->jobctl = (u32)BPF_CORE_READ(task, jobctl);
	copy_tty(task, facts->tty);
	return 0;
}

/* False: there is no room for it. */
static __always_inline bool append_outline(u8 *record, const u32 room, u32 *at, u64 leader)
{
	u32 place = *at & ~7U;
	u8 *to;

	if (place > room - sizeof(struct wire_process))
		return false;
	/* bounded once more, and the pointer made now: 6.1 knows nothing of an offset that was put on the stack before */
	to = record + AT_MOST(room - sizeof(struct wire_process), place);
	asm volatile("" : "+r"(to));
	outline((struct wire_process *)to, leader);
	*at = place + sizeof(struct wire_process);
	return true;
}

#endif
