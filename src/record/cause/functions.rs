//! The kernel's functions by which a stack is read. A name that ends in `*` is a beginning.

use super::Cause;

/// Of each cause any of these shows it; the innermost function that shows one decides.
pub(super) const SHOWN_BY: &[(Cause, &[&str])] = &[
    (Cause::Child, &["do_notify_parent", "do_notify_parent_cldstop"]),
    (Cause::Bpf, &["bpf_send_signal*", "do_bpf_send_signal"]),
    (Cause::CgroupKill, &["cgroup_kill_write", "__cgroup_kill", "cgroup_kill_control", "cgroup_file_write"]),
    (Cause::Oom, &["oom_kill_process", "__oom_kill_process", "oom_kill_memcg_member"]),
    (Cause::Reboot, &["reboot_pid_ns"]),
    (Cause::NamespaceEnd, &["zap_pid_ns_processes"]),
    (Cause::TracerAttached, &["ptrace_attach"]),
    (Cause::TracerEnded, &["exit_ptrace"]),
    (
        Cause::TracerCalled,
        &[
            "ptrace_request",
            "compat_ptrace_request",
            "arch_ptrace",
            "compat_arch_ptrace",
            "__do_sys_ptrace",
            "__x64_sys_ptrace",
            "__ia32_sys_ptrace",
            "__ia32_compat_sys_ptrace",
            "__arm64_sys_ptrace",
            "__arm64_compat_sys_ptrace",
        ],
    ),
    (Cause::Perf, &["perf_sigtrap", "force_sig_perf", "send_sig_perf"]),
    (
        Cause::MessageQueue,
        &["__do_notify", "do_mq_timedsend", "__do_sys_mq_timedsend", "__x64_sys_mq_timedsend"],
    ),
    (
        Cause::MemoryFailure,
        &[
            "memory_failure*",
            "kill_procs",
            "kill_proc",
            "kill_accessing_process",
            "kill_me_maybe",
            "kill_me_now",
            "force_sig_mceerr",
            "send_sig_mceerr",
        ],
    ),
    (Cause::Sysrq, &["sysrq_handle_*", "send_sig_all", "__handle_sysrq"]),
    (Cause::CtrlAltDel, &["ctrl_alt_del", "fn_boot_it"]),
    (Cause::ConsoleSwitch, &["change_console", "complete_change_console"]),
    (Cause::ExecFailed, &["bprm_execve*", "load_elf_binary"]),
    (Cause::HandlerFrame, &["signal_setup_done", "setup_rt_frame", "x64_setup_rt_frame", "handle_signal"]),
    (Cause::UserDispatch, &["syscall_user_dispatch", "do_syscall_user_dispatch"]),
    (
        Cause::Seccomp,
        &["__seccomp_filter", "__secure_computing", "force_sig_seccomp", "seccomp_nack_syscall"],
    ),
    (
        Cause::Io,
        &[
            "send_sigio",
            "send_sigio_to_task",
            "send_sigurg",
            "sk_send_sigurg",
            "kill_fasync",
            "kill_pid_usb_asyncio",
        ],
    ),
    (
        Cause::CpuTimer,
        &[
            "posix_cpu_timers_work",
            "run_posix_cpu_timers",
            "handle_posix_cpu_timers",
            "check_rlimit",
            "check_thread_timers",
            "check_process_timers",
            "check_cpu_itimer",
            "cpu_timer_fire",
        ],
    ),
    (
        Cause::Timer,
        &[
            "it_real_fn",
            "posix_timer_fn",
            "posix_timer_event",
            "posix_timer_queue_signal",
            "alarm_handle_timer",
            "posixtimer_send_sigqueue",
            "send_sigqueue",
        ],
    ),
    (Cause::OrphanedGroup, &["kill_orphaned_pgrp"]),
    (
        Cause::Terminal,
        &[
            "isig",
            "__isig",
            "n_tty_*",
            "__tty_hangup*",
            "tty_hangup*",
            "do_tty_hangup",
            "tty_vhangup*",
            "disassociate_ctty",
            "tty_signal_session_leader",
            "tty_do_resize",
            "pty_resize",
            "__tty_check_change",
            "tty_check_change",
            "job_control",
            "tty_jobctrl_ioctl",
            "tty_signal",
            "__do_SAK",
            "do_SAK*",
            "vc_do_resize",
            "__vc_resize",
            "pty_write",
            "tty_ioctl",
            "tty_release*",
        ],
    ),
    (
        Cause::Call,
        &[
            "do_send_specific",
            "do_tkill",
            "kill_something_info",
            "kill_pid_info*",
            "__kill_pgrp_info_from_call",
            "do_rt_sigqueueinfo",
            "do_rt_tgsigqueueinfo",
            "do_pidfd_send_signal",
            "__x64_sys_kill",
            "__ia32_sys_kill",
            "__x64_sys_tkill",
            "__x64_sys_tgkill",
            "__x64_sys_rt_sigqueueinfo",
            "__x64_sys_rt_tgsigqueueinfo",
            "__x64_sys_pidfd_send_signal",
            "__do_sys_pidfd_send_signal",
            "__arm64_sys_kill",
            "__arm64_sys_tkill",
            "__arm64_sys_tgkill",
            "__arm64_sys_rt_sigqueueinfo",
            "__arm64_sys_rt_tgsigqueueinfo",
            "__arm64_sys_pidfd_send_signal",
            "__se_sys_kill",
            "__do_sys_kill",
        ],
    ),
];

/// Where an interrupt begins: what is behind these on the stack has nothing to do with it.
pub(super) const INTERRUPTS: &[&str] = &[
    "asm_sysvec_*",
    "sysvec_*",
    "__sysvec_*",
    "asm_common_interrupt",
    "common_interrupt",
    "__irq_exit_rcu",
    "irq_exit_rcu",
    "handle_softirqs*",
    "__do_softirq",
    "do_softirq*",
    "run_ksoftirqd",
    "irq_work_run*",
    "irq_work_single",
    "__hrtimer_run_queues",
    "el1_interrupt",
    "el0_interrupt",
    "el1h_64_irq*",
    "el0t_64_irq*",
    "gic_handle_irq",
    "call_on_irq_stack",
];

/// Past an interrupt's return to the program, the task works for itself again.
pub(super) const TASK_WORK: &[&str] =
    &["task_work_run", "exit_to_user_mode_loop", "irqentry_exit_to_user_mode", "do_notify_resume"];

/// What forces a fatal signal on a task, for several reasons: where the frame of a handler is set up it is for that.
pub(super) const FORCING: &[&str] = &["force_sigsegv", "force_fatal_sig"];
/// The frame of a handler is set up below these.
pub(super) const DELIVERING: &[&str] = &["arch_do_signal_or_restart", "do_signal"];
/// A restartable sequence whose memory is bad is below these as well.
pub(super) const RESTARTABLE: &[&str] = &["rseq_*", "__rseq_*"];

/// What a task does on its way out of a signal that ends it: `get_signal()` is behind these as well.
pub(super) const ENDING: &[&str] = &["do_exit", "do_group_exit", "vfs_coredump", "do_coredump"];

/// What every signal's stack begins with, and says nothing.
pub(super) const HELPERS: &[&str] = &[
    "bpf_prog_*",
    "bpf_trace_run*",
    "bpf_trampoline_*",
    "__bpf_trace_*",
    "bpf_get_stack*",
    "__bpf_get_stack",
    "__traceiter_*",
    "__send_signal*",
    "send_signal*",
    "do_send_sig_info",
    "group_send_sig_info",
    "__group_send_sig_info",
    "send_sig",
    "send_sig_info",
    "force_sig*",
    "kill_pgrp",
    "__kill_pgrp_info",
    "kill_pid",
    "do_send_specific",
    "perf_trace_*",
    "trace_event_raw_event_*",
    "do_trace_*",
    "arch_stack_walk*",
    "stack_trace_*",
    "get_perf_callchain",
    "perf_callchain*",
    "trace_call_bpf",
];

/// Is this function one of those? A part that the compiler split off is called `NAME.cold`, `NAME.isra.0`.
pub(super) fn is_one_of(function: &str, names: &[&str]) -> bool {
    let whole = function.split('.').next().unwrap_or(function);
    names.iter().any(|name| match name.strip_suffix('*') {
        Some(beginning) => whole.starts_with(beginning),
        None => whole == *name,
    })
}
