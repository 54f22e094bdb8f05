/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The programs, one for each hook, and nothing else: what they call is in include/.
 *
 * kernel_types/ is the kernel as it is, wire/ what a record looks like, base/ what everybody uses, identity/ who a process is, signal/
 * whether a signal is reported, record/ what is written of it, hooks/ what the other programs write. Each includes those
 * before it and its own, never those behind it; the wire is that low because an identity is kept as it is sent.
 */
#include "kernel_types/types.h"
#include <bpf/bpf_helpers.h>

#include "base/wire_types.h"
#include "hooks/attempt.h"
#include "hooks/cgroup.h"
#include "hooks/deliver.h"
#include "hooks/end.h"
#include "hooks/oom.h"
#include "hooks/request.h"
#include "hooks/titles.h"
#include "identity/exec.h"
#include "identity/fork.h"
#include "identity/long_argv.h"
#include "identity/seed.h"
#include "record/repeat.h"
#include "record/snapshot.h"
#include "signal/gather.h"
#include "signal/select.h"
#include "signal/urgency.h"
#include "signal/wanted.h"

char LICENSE[] SEC("license") = "GPL";

/*
 * proto: include/trace/events/signal.h: TP_PROTO(int sig, struct kernel_siginfo *info,
 *        struct task_struct *task, int group, int result)
 *
 * The arguments are taken from ctx by hand because `info` may be one of the integers 0 and 1, which the
 * verifier does not believe: it deletes a NULL check of the typed argument and lets a program that loads
 * through it fault the kernel. Made a number (AS_NUMBER) and read with bpf_probe_read_kernel it is harmless.
 */
SEC("tp_btf/signal_generate")
int on_signal_generate(u64 *ctx)
{
	struct task_struct *target = (struct task_struct *)ctx[2];
	struct task_struct *current_task = bpf_get_current_task_btf();
	struct counters *counters = cpu_counters();
	u32 signal = (u32)ctx[0];
	struct scratch *scratch;
	u32 cpu = bpf_get_smp_processor_id();
	bool is_refused;

	/* both have an element for every possible CPU */
	scratch = bpf_map_lookup_elem(&scratches, &cpu);
	if (!counters || !scratch || signal < 1 || signal > 64)
		return 0;
	counters->generated++;
	scratch->facts.filtered = !(settings.shown_signals & SIGNAL_BIT(signal)) ||
				  !is_selected(current_task, target, &scratch->facts.action);
	/* nothing of it is kept either */
	if (scratch->facts.filtered && NEVER_ENDS & SIGNAL_BIT(signal)) {
		counters->filtered++;
		return 0;
	}
	gather_facts(&scratch->facts, ctx, current_task, target);
	if (!find_trees(&scratch->facts, current_task, target))
		scratch->facts.filtered = 1;
	classify(&scratch->facts);
	if (scratch->facts.hidden == SHOWN && source_comm_is_ignored(&scratch->facts, current_task))
		scratch->facts.filtered = 1;
	scratch->facts.is_reported = scratch->facts.hidden == SHOWN && !scratch->facts.filtered;
	if (scratch->facts.is_reported || scratch->facts.may_end || is_hangup(&scratch->facts)) {
		scratch->facts.time = bpf_ktime_get_boot_ns();
		recall_and_note(&scratch->facts, target->group_leader, current_task);
	}
	if (scratch->facts.filtered) {
		counters->filtered++;
		return 0;
	}
	if (scratch->facts.hidden != SHOWN) {
		counters->hidden[AT_MOST(HIDDEN_CLASSES - 1, scratch->facts.hidden)]++;
		return 0;
	}
	is_refused = is_unwanted(&scratch->facts, target);
	/* nothing refers to it */
	if (is_refused && !scratch->facts.may_end) {
		counters->filtered++;
		return 0;
	}
	scratch->facts.is_hashed = untrusted_view(current_task)->thread_pid != NULL;
	/* by the number alone: what else shows that it sent the signal, user space may find on the kernel stack */
	scratch->facts.is_walked = (scratch->facts.in_syscall || scratch->facts.is_io_worker ||
				    (!scratch->facts.is_exiting && may_send(scratch->facts.call.number))) &&
				   scratch->facts.is_hashed;
	recall_source(&scratch->facts,
		      scratch->facts.is_walked ? any_identity(current_task->group_leader) : NULL);
	if (is_admitted(&scratch->candidate, is_caused_by_current(&scratch->facts) ? current_task : target,
			urgency_of(&scratch->facts))) {
		if (is_refused && has_outline(&scratch->facts, target))
			outline_unwanted(scratch, current_task, target);
		else
			take_snapshot(ctx, scratch, current_task, target);
		if (emit_signal(scratch, counters))
			return 0;
	}
	if (is_refused) {
		counters->filtered++;
		return 0;
	}
	refuse_signal(scratch, current_task, target, counters);
	wake_reader(counters);
	return 0;
}

/*
 * proto: include/trace/events/signal.h: TP_PROTO(int sig, struct kernel_siginfo *info,
 *        struct k_sigaction *ka)
 */
SEC("tp_btf/signal_deliver")
int on_signal_deliver(u64 *ctx)
{
	note_delivery(bpf_get_current_task_btf(), (u32)ctx[0], (struct kernel_siginfo *)ctx[1],
		      (struct k_sigaction *)ctx[2]);
	return 0;
}

/*
 * proto: include/trace/events/sched.h: TP_PROTO(struct task_struct *p, pid_t old_pid,
 *        struct linux_binprm *bprm)
 */
SEC("tp_btf/sched_process_exec")
int on_exec(u64 *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx[0];
	struct counters *counters = cpu_counters();

	if (!counters)
		return 0;
	remember_exec(task, (int)ctx[1], counters, FIRST_COPY);
	see_request(task, counters, FIRST_COPY);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int on_exec_again(u64 *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx[0];
	struct counters *counters = cpu_counters();

	if (counters && remember_missed_exec(task, (int)ctx[1], counters))
		see_request(task, counters, SECOND_COPY);
	return 0;
}

/* proto: include/trace/events/sched.h: TP_PROTO(struct task_struct *parent, struct task_struct *child) */
SEC("tp_btf/sched_process_fork")
int on_fork(u64 *ctx)
{
	struct task_struct *forker = (struct task_struct *)ctx[0];
	struct task_struct *child = (struct task_struct *)ctx[1];
	struct counters *counters = cpu_counters();

	/* kernel threads have no identity */
	if (!counters || child->flags & PF_KTHREAD)
		return 0;
	if (child->pid == child->tgid)
		remember_fork(forker, child, counters);
	else
		remember_thread(forker, child);
	return 0;
}

/* proto: include/trace/events/sched.h: sched_wakeup_template, TP_PROTO(struct task_struct *p) */
SEC("tp_btf/sched_wakeup_new")
int on_wakeup_new(u64 *ctx)
{
	struct task_struct *child = (struct task_struct *)ctx[0];
	struct counters *counters = cpu_counters();

	if (counters && child->pid == child->tgid && !(child->flags & PF_KTHREAD))
		remember_missed_fork(bpf_get_current_task_btf(), child, counters);
	return 0;
}

/* proto: include/trace/events/sched.h: TP_PROTO(struct task_struct *p[, bool group_dead]) */
SEC("tp_btf/sched_process_exit")
int on_exit(u64 *ctx)
{
	struct counters *counters = cpu_counters();

	if (counters)
		see_exit((struct task_struct *)ctx[0], counters, FIRST_COPY);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int on_exit_again(u64 *ctx)
{
	struct counters *counters = cpu_counters();

	if (counters)
		see_exit((struct task_struct *)ctx[0], counters, SECOND_COPY);
	return 0;
}

/*
 * When nobody can refer to a task any more. RCU calls it, with bottom halves off: one at a time on a CPU, never skipped.
 *
 * proto: include/trace/events/sched.h: sched_process_template, TP_PROTO(struct task_struct *p)
 */
SEC("tp_btf/sched_process_free")
int on_free(u64 *ctx)
{
	release_task((struct task_struct *)ctx[0]);
	return 0;
}

/*
 * proto: include/trace/events/oom.h: TP_PROTO(struct task_struct *task, uid_t uid), before 6.9 TP_PROTO(int pid): so
 * the first argument is taken as a number
 */
SEC("tp_btf/mark_victim")
int on_mark_victim(u64 *ctx)
{
	struct counters *counters = cpu_counters();

	if (counters)
		emit_oom(ctx, ctx[0], counters);
	return 0;
}

/*
 * Attempts, where the kernel has BPF trampolines: only calls of the kill family pay.
 * proto: arch/x86/include/asm/syscall_wrapper.h: long __x64_sys_NAME(const struct pt_regs *regs)
 */
#define FEXIT(name_, function_)                                           \
	SEC("fexit/" function_) int name_(u64 *ctx)                       \
	{                                                                 \
		if (!have_task_pt_regs() || !may_be_attempt((s64)ctx[1])) \
			return 0;                                         \
		return see_attempt((s64)ctx[1]);                          \
	}
#ifdef __TARGET_ARCH_x86
#define NATIVE "__x64_sys_"
#define COMPAT "__ia32_compat_sys_"
/* those without a pointer argument are one function for all ABIs elsewhere */
FEXIT(after_kill_32, "__ia32_sys_kill")
FEXIT(after_tkill_32, "__ia32_sys_tkill")
FEXIT(after_tgkill_32, "__ia32_sys_tgkill")
FEXIT(after_pidfd_send_signal_32, "__ia32_sys_pidfd_send_signal")
#else
#define NATIVE "__arm64_sys_"
#define COMPAT "__arm64_compat_sys_"
#endif
FEXIT(after_kill, NATIVE "kill")
FEXIT(after_tkill, NATIVE "tkill")
FEXIT(after_tgkill, NATIVE "tgkill")
FEXIT(after_pidfd_send_signal, NATIVE "pidfd_send_signal")
FEXIT(after_rt_sigqueueinfo, NATIVE "rt_sigqueueinfo")
FEXIT(after_rt_tgsigqueueinfo, NATIVE "rt_tgsigqueueinfo")
FEXIT(after_rt_sigqueueinfo_32, COMPAT "rt_sigqueueinfo")
FEXIT(after_rt_tgsigqueueinfo_32, COMPAT "rt_tgsigqueueinfo")

/* Loaded and attached for a moment, to see whether that is possible here. */
SEC("fexit/" NATIVE "kill")
int try_trampoline(u64 *ctx __attribute__((unused)))
{
	return 0;
}

/*
 * Attempts, where it has none. Every system call of the host pays for this.
 * proto: include/trace/events/syscalls.h: TP_PROTO(struct pt_regs *regs, long ret)
 */
SEC("tp_btf/sys_exit")
int on_sys_exit(u64 *ctx)
{
	struct pt_regs *regs = (struct pt_regs *)ctx[0];

	if (!have_task_pt_regs() || !may_be_attempt((s64)ctx[1]) || !may_send(number_of(regs)))
		return 0;
	return see_attempt((s64)ctx[1]);
}

/* proto: include/trace/events/cgroup.h: cgroup, TP_PROTO(struct cgroup *cgrp, const char *path) */
SEC("tp_btf/cgroup_mkdir")
int on_cgroup_mkdir(u64 *ctx)
{
	struct counters *counters = cpu_counters();

	if (counters)
		emit_cgroup(ctx[0], ctx[1], counters, 0);
	return 0;
}

SEC("tp_btf/cgroup_rename")
int on_cgroup_rename(u64 *ctx)
{
	struct counters *counters = cpu_counters();

	if (counters)
		emit_cgroup(ctx[0], ctx[1], counters, 1);
	return 0;
}

/* Run at the start by bpf(BPF_PROG_RUN): the clock that records have, which no time namespace shifts. */
SEC("syscall")
int read_clock(u64 *now)
{
	*now = bpf_ktime_get_boot_ns();
	return 0;
}

/* Sleepable, as the seeding; run now and then. */
SEC("iter.s/task")
int read_titles(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task)
		write_title(ctx->meta->seq, task);
	return 0;
}

/* Sleepable, so that it can read the memory of others; run once, after the hooks are attached. */
SEC("iter.s/task")
int seed(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task)
		seed_process(task);
	return 0;
}
