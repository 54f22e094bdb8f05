/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a record says of a task: the one list of its fields, for a task that the verifier knows (record/process.h,
 * record/subject.h) and for one that is any address (record/outline.h). Command lines are not written here.
 */
#ifndef KILLSNOOP_RECORD_TASK_H
#define KILLSNOOP_RECORD_TASK_H

#include "base/host.h"
#include "base/task.h"
#include "identity/terminal.h"

/*
 * What threads of one process do not share, its address space and credentials, is that of `member`: of source and target
 * the thread itself. A leader that has exited has no address space any more, and its credentials are those that it had
 * then.
 */
static __always_inline void write_process(struct wire_named *named, struct task_struct *leader,
					  struct task_struct *member, enum reading how)
{
	struct wire_process *process = &named->process;

	process->start_time = READ(how, leader, start_boottime);
	process->tgid = READ(how, leader, tgid);
	process->flags = PROCESS_NAMED;
	process->exec_id = (u32)READ(how, leader, self_exec_id);
	process->epoch = 0;
	process->title_kept = 0;
	if (how == BY_LOADS)
		copy_comm(named->name.comm, leader);
	else
		bpf_core_read(named->name.comm, sizeof(named->name.comm), &leader->comm);
	named->name.uid = READ(how, member, cred, euid.val);
	named->name.arg_start = 0;
}

/* What each thread has of its own: of one that has exited, another that lives stands for the process. */
static __always_inline void write_thread(struct wire_task *facts, struct task_struct *task, enum reading how)
{
	facts->cgroup = READ(how, task, cgroups, dfl_cgrp, kn, id);
	facts->legacy_cgroup = legacy_cgroup_of(task);
	facts->flags = READ(how, task, flags);
	facts->uid = READ(how, task, cred, uid.val);
	facts->gid = READ(how, task, cred, egid.val);
	facts->login_uid = login_uid_of(task, how);
	facts->state = state_of(task, how);
	write_namespaces(facts, READ(how, task, nsproxy), READ(how, task, cred, user_ns));
}

/* Which process it is to its own pid namespace. In the initial one there is nothing more to record. */
static __always_inline void write_namespace_pid(struct wire_task *facts, struct task_struct *leader,
						enum reading how)
{
	struct pid *pid = READ(how, leader, thread_pid);

	facts->namespace_pid = pid ? READ(how, leader, tgid) : 0;
	facts->namespace_inode = 0;
	facts->namespace_level = 0;
	if (pid && READ(how, pid, level)) {
		struct upid inner = {};
		u32 level = READ(how, pid, level);
		u64 number = 0;

		/* fetched as a number: the verifier allows no variable offset on a typed pointer */
		bpf_core_read(&number, sizeof(number), &leader->thread_pid);
		number +=
			bpf_core_field_offset(struct pid, numbers) + level * bpf_core_type_size(struct upid);
		bpf_probe_read_kernel(&inner, sizeof(inner), (void *)number);
		facts->namespace_pid = inner.nr;
		facts->namespace_inode = BPF_CORE_READ(inner.ns, ns.inum);
		facts->namespace_level = level;
	}
}

static __always_inline void write_task(struct wire_task *facts, struct task_struct *task,
				       struct task_struct *leader, enum reading how)
{
	struct signal_struct *signal = READ(how, task, signal);

	write_thread(facts, task, how);
	facts->tid = READ(how, task, pid);
	/* of the initial namespace */
	facts->pgid = READ(how, signal, pids[PIDTYPE_PGID], numbers[0].nr);
	facts->session = READ(how, signal, pids[PIDTYPE_SID], numbers[0].nr);
	write_namespace_pid(facts, leader, how);
	facts->exit_state = READ(how, leader, exit_state);
	facts->live = READ(how, signal, live.counter);
	facts->signal_flags = READ(how, signal, flags);
	facts->group_exit_code = READ(how, signal, group_exit_code);
	copy_tty_of(signal, READ(how, signal, tty), facts->tty);
	facts->nodename_kept = 0;
	facts->jobctl = (u32)READ(how, task, jobctl);
}

#endif
