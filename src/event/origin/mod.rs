//! What brought a signal about, and how that is decided: a pure function of recorded facts.
//!
//! `current` is the source only where it sent the signal by a system call of its own, or used a kernel
//! service to (`cgroup.kill`). Everywhere else it merely was on the CPU, and is at most the trigger.

mod attributed;
mod cause;
mod decide;
mod without_stack;

pub use self::attributed::{AttributedSignal, Verdict};
pub use self::decide::attempt;
#[cfg(test)]
pub(super) use self::decide::decide;
pub(super) use self::without_stack::is_ptrace_kill;
pub use self::without_stack::of_end;
pub use super::syscall::pid_argument;

/// What brought the signal about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A process sent it.
    Process,
    /// A fault of the target's own instructions, or bad memory.
    Fault,
    /// A terminal: ^C, hang-up, resize, job control.
    Tty,
    /// A timer.
    Timer,
    /// The parent's thread ended (`PR_SET_PDEATHSIG`).
    ParentDeath,
    /// `cgroup.kill` was written.
    Cgroup,
    /// The init of its pid namespace ended.
    PidNamespace,
    /// A child stopped, went on or ended.
    Child,
    /// Input or output became possible, or impossible.
    Io,
    /// A resource limit.
    Rlimit,
    /// A seccomp filter.
    Seccomp,
    /// The OOM killer.
    Oom,
    /// A tracer caused it, or put it in the place of another.
    Ptrace,
    /// A BPF program (`bpf_send_signal()`).
    Bpf,
    /// A perf event that asks for a signal.
    Perf,
    /// The kernel, for a reason that these facts do not show.
    Kernel,
}

impl Origin {
    /// The word of the output contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Fault => "fault",
            Self::Tty => "tty",
            Self::Timer => "timer",
            Self::ParentDeath => "parent-death",
            Self::Cgroup => "cgroup",
            Self::PidNamespace => "pidns",
            Self::Child => "child",
            Self::Io => "io",
            Self::Rlimit => "rlimit",
            Self::Seccomp => "seccomp",
            Self::Oom => "oom",
            Self::Ptrace => "ptrace",
            Self::Bpf => "bpf",
            Self::Perf => "perf",
            Self::Kernel => "kernel",
        }
    }

    /// Did a process send it, or use a kernel service to?
    pub fn has_source(self) -> bool {
        matches!(self, Self::Process | Self::Cgroup)
    }
}

/// The reason that the kernel had, where its origin alone does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The process group was orphaned while a member was stopped.
    OrphanedGroup,
    /// `reboot(2)` in a pid namespace.
    Reboot,
    /// `SysRq`.
    Sysrq,
    /// Ctrl-Alt-Del.
    CtrlAltDel,
    /// Another virtual console came to the front.
    ConsoleSwitch,
    /// A damaged page of memory.
    MemoryFailure,
    /// The handler of the fault could not run.
    HandlerFailed,
    /// `execve` failed past its point of no return.
    ExecFailed,
    /// Syscall user dispatch.
    UserDispatch,
    /// `PTRACE_ATTACH`.
    Attach,
    /// `PTRACE_KILL`.
    PtraceKill,
    /// The tracer ended (`PTRACE_O_EXITKILL`).
    TracerEnded,
    /// A message came to an empty queue.
    MessageQueue,
}

impl Reason {
    /// The word of the output contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OrphanedGroup => "orphaned-pgrp",
            Self::Reboot => "reboot",
            Self::Sysrq => "sysrq",
            Self::CtrlAltDel => "ctrl-alt-del",
            Self::ConsoleSwitch => "console-switch",
            Self::MemoryFailure => "memory-failure",
            Self::HandlerFailed => "handler-failed",
            Self::ExecFailed => "exec-failed",
            Self::UserDispatch => "user-dispatch",
            Self::Attach => "attach",
            Self::PtraceKill => "ptrace-kill",
            Self::TracerEnded => "tracer-ended",
            Self::MessageQueue => "message-queue",
        }
    }
}

/// How many the sender addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One thread.
    Thread,
    /// One process.
    Process,
    /// A process group.
    ProcessGroup,
    /// `kill(-1)`.
    All,
    /// A whole cgroup.
    Cgroup,
}

impl Scope {
    /// The word of the output contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Thread => "thread",
            Self::Process => "process",
            Self::ProcessGroup => "process-group",
            Self::All => "all",
            Self::Cgroup => "cgroup",
        }
    }
}
