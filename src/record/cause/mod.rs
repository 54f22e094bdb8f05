//! Why the kernel sent a signal: what the functions on its own stack mean.
//!
//! A pure function of their names. Names are inlined differently from kernel to kernel, so each cause is known by any of
//! several functions, and a cause that none of them shows is left to the rules of [`origin`](crate::event::origin).

mod functions;

use self::functions::{
    DELIVERING, ENDING, FORCING, HELPERS, INTERRUPTS, RESTARTABLE, SHOWN_BY, TASK_WORK, is_one_of,
};

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
