//! Why the kernel sent a signal: what the functions on its own stack mean.
//!
//! A pure function of their names. Names are inlined differently from kernel to kernel, so each cause is known by any of
//! several functions, and a cause that none of them shows is left to the rules of [`origin`](crate::event::origin).

/// What the kernel was doing when it sent the signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A call of the kill family, or a relative of it.
    Call,
    /// A CPU timer or a CPU limit was checked.
    CpuTimer,
    /// A timer of real time expired.
    Timer,
    /// A process group lost its last connection with a parent of its session while a member was stopped.
    OrphanedGroup,
    /// A BPF program called `bpf_send_signal()`.
    Bpf,
    /// The init of a pid namespace ended.
    NamespaceEnd,
    /// `reboot(2)` inside a pid namespace.
    Reboot,
    /// `PTRACE_ATTACH`.
    TracerAttached,
    /// `PTRACE_KILL`, and whatever else a call of `ptrace(2)` sends.
    TracerCalled,
    /// A tracer ended that had asked for that (`PTRACE_O_EXITKILL`).
    TracerEnded,
    /// A traced process is signalled on behalf of its tracer.
    Tracer,
    /// A terminal: a key, a hang-up, job control, a resize.
    Terminal,
    /// Ctrl-Alt-Del.
    CtrlAltDel,
    /// Another virtual console came to the front.
    ConsoleSwitch,
    /// Input or output became possible, a lease was broken, a directory changed (`F_SETOWN`).
    Io,
    /// A message came to an empty queue (`mq_notify`).
    MessageQueue,
    /// The OOM killer.
    Oom,
    /// A page of memory is damaged.
    MemoryFailure,
    /// `cgroup.kill` was written.
    CgroupKill,
    /// A child stopped, went on or ended.
    Child,
    /// A seccomp filter.
    Seccomp,
    /// There was no room for the frame of a handler on its stack, or it could not be written.
    HandlerFrame,
    /// A perf event (`sigtrap`).
    Perf,
    /// A `SysRq` key, or a write to `/proc/sysrq-trigger`.
    Sysrq,
    /// `execve` failed past the point where there was something to return to.
    ExecFailed,
    /// Syscall user dispatch.
    UserDispatch,
}

/// What a stack says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Explanation {
    /// What the kernel was doing.
    pub cause: Option<Cause>,
    /// An interrupt did it: the running task has nothing to do with it.
    pub in_interrupt: bool,
    /// The functions that sent it, the innermost first, without the tracer's own and the senders' helpers: only where
    /// they say no cause.
    pub functions: Vec<String>,
}

/// Of each cause any of these shows it; the innermost function that shows one decides. A name that ends in `*` is a beginning.
const SHOWN_BY: &[(Cause, &[&str])] = &[
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
const INTERRUPTS: &[&str] = &[
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
const TASK_WORK: &[&str] =
    &["task_work_run", "exit_to_user_mode_loop", "irqentry_exit_to_user_mode", "do_notify_resume"];

/// What forces a fatal signal on a task, for several reasons: where the frame of a handler is set up it is for that.
const FORCING: &[&str] = &["force_sigsegv", "force_fatal_sig"];
/// The frame of a handler is set up below these.
const DELIVERING: &[&str] = &["arch_do_signal_or_restart", "do_signal"];
/// A restartable sequence whose memory is bad is below these as well.
const RESTARTABLE: &[&str] = &["rseq_*", "__rseq_*"];

/// What a task does on its way out of a signal that ends it: `get_signal()` is behind these as well.
const ENDING: &[&str] = &["do_exit", "do_group_exit", "vfs_coredump", "do_coredump"];

/// What every signal's stack begins with, and says nothing.
const HELPERS: &[&str] = &[
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
fn is_one_of(function: &str, names: &[&str]) -> bool {
    let whole = function.split('.').next().unwrap_or(function);
    names.iter().any(|name| match name.strip_suffix('*') {
        Some(beginning) => whole.starts_with(beginning),
        None => whole == *name,
    })
}

/// Is this function of use to [`explain`]? Nothing else needs to be looked up.
pub fn is_wanted(function: &str) -> bool {
    SHOWN_BY.iter().any(|(_, names)| is_one_of(function, names))
        || is_one_of(function, INTERRUPTS)
        || is_one_of(function, TASK_WORK)
        || is_one_of(function, &["kill_pgrp", "__kill_pgrp_info", "get_signal"])
        || [ENDING, FORCING, DELIVERING, RESTARTABLE].iter().any(|names| is_one_of(function, names))
}

/// What the functions of a stack say, the innermost first. Those that nobody asked for may be missing, as empty names.
#[allow(clippy::needless_pass_by_value)] // an iterator
pub fn explain<'a>(stack: impl Iterator<Item = &'a str> + Clone) -> Explanation {
    // what is done before the interrupt is left, on the way back to the program, is the task's own
    let of_interrupt = stack.clone().position(|function| is_one_of(function, INTERRUPTS));
    let of_task = stack.clone().position(|function| is_one_of(function, TASK_WORK));
    let in_interrupt = match (of_interrupt, of_task) {
        (Some(interrupt), Some(task)) => interrupt < task,
        (interrupt, _) => interrupt.is_some(),
    };
    // behind an interrupt is what it met, and behind the end of a task what ended it: neither sent anything
    let interrupted = of_interrupt.filter(|_| in_interrupt).unwrap_or(usize::MAX);
    let ended = stack.clone().position(|function| is_one_of(function, &["do_exit"])).map(|place| place + 1);
    let own = interrupted.min(ended.unwrap_or(usize::MAX));
    let has = |names: &[&str]| stack.clone().take(own).any(|function| is_one_of(function, names));
    // what is nearest to the signal says more than what led to that: an execve opens a file, which somebody watches
    let shown_by = |function| SHOWN_BY.iter().find(|(_, names)| is_one_of(function, names));
    let mut cause = stack.clone().take(own).find_map(shown_by).map(|(cause, _)| *cause);
    // kill_orphaned_pgrp() may have been inlined into do_exit(); a terminal goes through kill_pgrp()
    if cause.is_none() && has(&["do_exit"]) && has(&["__kill_pgrp_info"]) && !has(&["kill_pgrp"]) {
        cause = Some(Cause::OrphanedGroup);
    }
    // kernel/signal.c: ptrace_signal() queues a signal again that its tracer let through and that is blocked by now
    if cause.is_none() && has(&["get_signal"]) && !has(ENDING) && !has(TASK_WORK) {
        cause = Some(Cause::Tracer);
    }
    if cause.is_none() && has(FORCING) && has(DELIVERING) && !has(RESTARTABLE) {
        cause = Some(Cause::HandlerFrame);
    }
    Explanation { cause, in_interrupt, functions: Vec::new() }
}

/// Names of the functions that sent it, without those that say nothing.
pub fn sending_functions<'a>(stack: impl Iterator<Item = &'a str>) -> Vec<String> {
    stack
        .skip_while(|function| function.is_empty() || is_one_of(function, HELPERS))
        .filter(|function| !function.is_empty())
        // of one that has been unloaded meanwhile this is another's name: a symbol has no end
        .map(|function| if function.starts_with("bpf_prog_") { "bpf_prog" } else { function })
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(stack: &str) -> Option<Cause> {
        explain(stack.split_whitespace()).cause
    }

    /// As recorded on 6.18, and as it would look where more is inlined.
    #[test]
    fn each_stack_shows_its_cause() {
        for (stack, shown) in [
            ("posix_cpu_timers_work task_work_run irqentry_exit_to_user_mode", Cause::CpuTimer),
            ("__kill_pgrp_info kill_orphaned_pgrp do_exit", Cause::OrphanedGroup),
            ("__kill_pgrp_info do_exit do_group_exit", Cause::OrphanedGroup),
            ("ptrace_attach __x64_sys_ptrace do_syscall_64", Cause::TracerAttached),
            ("exit_ptrace do_exit", Cause::TracerEnded),
            ("ptrace_request arch_ptrace __x64_sys_ptrace do_syscall_64", Cause::TracerCalled),
            ("reboot_pid_ns __do_sys_reboot", Cause::Reboot),
            ("zap_pid_ns_processes do_exit", Cause::NamespaceEnd),
            ("__kill_pgrp_info kill_pgrp isig n_tty_receive_signal_char", Cause::Terminal),
            ("__kill_pgrp_info kill_pgrp disassociate_ctty do_exit", Cause::Terminal),
            ("tty_signal_session_leader __tty_hangup.part.0 tty_release", Cause::Terminal),
            ("send_sigio kill_fasync anon_pipe_write vfs_write", Cause::Io),
            ("bpf_send_signal_common bpf_send_signal bpf_prog_0123456789abcdef_x", Cause::Bpf),
            ("oom_kill_process out_of_memory", Cause::Oom),
            ("oom_kill_process moom_callback", Cause::Oom),
            ("force_sigsegv arch_do_signal_or_restart", Cause::HandlerFrame),
            ("force_fatal_sig bprm_execve do_execveat_common", Cause::ExecFailed),
            (
                "send_sigio_to_task send_sigio kill_fasync do_dentry_open open_exec load_elf_binary bprm_execve",
                Cause::Io,
            ),
            ("__oom_kill_process oom_kill_process memory_max_write cgroup_file_write", Cause::Oom),
            ("send_sigio kill_fasync handle_mm_fault x64_setup_rt_frame handle_signal", Cause::Io),
            ("zap_pid_ns_processes do_exit reboot_pid_ns __do_sys_reboot", Cause::NamespaceEnd),
            ("__kill_pgrp_info kill_orphaned_pgrp do_exit __seccomp_filter", Cause::OrphanedGroup),
            ("do_send_sig_info kill_something_info __x64_sys_kill", Cause::Call),
            ("do_notify_parent do_exit", Cause::Child),
            ("cgroup_kill_write kernfs_fop_write_iter vfs_write", Cause::CgroupKill),
        ] {
            assert_eq!(cause(stack), Some(shown), "{stack}");
        }
        assert_eq!(cause("amdgpu_vm_fault do_something"), None);
        assert_eq!(cause("do_exit __seccomp_filter syscall_trace_enter"), None, "a parent-death signal");
        assert_eq!(cause("force_sigsegv __rseq_handle_notify_resume arch_do_signal_or_restart"), None);
        assert_eq!(cause("pipe_write io_write io_wq task_work_run get_signal"), None, "of io_uring");
        assert_eq!(cause("get_signal arch_do_signal_or_restart"), Some(Cause::Tracer));
        let pdeathsig = "do_exit do_group_exit get_signal arch_do_signal_or_restart";
        assert_eq!(cause(pdeathsig), None, "what an ending task sends is not put back by it");
        assert_eq!(cause("anon_pipe_write __kernel_write vfs_coredump get_signal"), None);
    }

    #[test]
    fn an_interrupt_is_nobodys_doing_and_the_way_back_from_one_is() {
        let in_interrupt = |stack: &str| explain(stack.split_whitespace()).in_interrupt;
        assert!(in_interrupt("it_real_fn __hrtimer_run_queues sysvec_apic_timer_interrupt vfs_write"));
        assert!(!in_interrupt(
            "posix_cpu_timers_work task_work_run irqentry_exit_to_user_mode asm_sysvec_apic_timer_interrupt"
        ));
        let met = "some_driver handle_irq_event common_interrupt asm_common_interrupt kill_something_info __x64_sys_kill";
        let explanation = explain(met.split_whitespace());
        assert_eq!((explanation.cause, explanation.in_interrupt), (None, true), "the call was only met");
        assert!(!in_interrupt("send_sigio kill_fasync anon_pipe_write vfs_write"));
    }

    #[test]
    fn an_unknown_sender_is_named_by_its_functions() {
        let stack = "bpf_prog_1_on_signal_generate bpf_trace_run5 __send_signal_locked do_send_sig_info amdgpu_fault worker";
        assert_eq!(sending_functions(stack.split_whitespace()), ["amdgpu_fault", "worker"]);
    }
}
