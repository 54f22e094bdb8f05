//! Who really sent it: a pure function of recorded facts.
//!
//! `current` is the source only where it sent the signal by a system call of its own, or used a kernel
//! service to (`cgroup.kill`). Everywhere else it merely was on the CPU, and is at most the trigger.
//!
//! The order of the questions matters. A system call's number is stale outside the call, so it counts
//! only where the kernel side saw the task inside one, and only if the arguments name this very signal (an
//! interrupt may send another). After that, `via` outranks `si_code`, which is a sender's claim.

use crate::record::cause::Cause;
use crate::record::{
    EndFacts, Ending, OomFacts, PF_EXITING, PF_IO_WORKER, PF_KTHREAD, SigInfo, Snapshot, Syscall, SyscallAbi,
};

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
    /// The kernel, for a reason that these facts do not tell.
    Kernel,
}

impl Origin {
    /// The word of the output contract.
    pub fn name(self) -> &'static str {
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

/// What the kernel had for a reason, where its origin alone does not say.
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
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::OrphanedGroup,
        Self::Reboot,
        Self::Sysrq,
        Self::CtrlAltDel,
        Self::ConsoleSwitch,
        Self::MemoryFailure,
        Self::HandlerFailed,
        Self::ExecFailed,
        Self::UserDispatch,
        Self::Attach,
        Self::PtraceKill,
        Self::TracerEnded,
        Self::MessageQueue,
    ];

    /// The word of the output contract.
    pub fn name(self) -> &'static str {
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

/// How many the sender meant.
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
    pub fn name(self) -> &'static str {
        match self {
            Self::Thread => "thread",
            Self::Process => "process",
            Self::ProcessGroup => "process-group",
            Self::All => "all",
            Self::Cgroup => "cgroup",
        }
    }
}

/// The verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// What brought it about.
    pub origin: Origin,
    /// More about that, where it is known.
    pub reason: Option<Reason>,
    /// The system call, where it is known.
    pub via: Option<&'static str>,
    /// How many were meant, where it is known.
    pub scope: Option<Scope>,
    /// The code is a claim that this system call lets a sender make.
    pub code_forged: bool,
    /// The running task is traced, and its registers name this very signal: whether it sent it cannot be known.
    pub is_undecided: bool,
    /// The OOM killer may have sent it: what that says of its victim comes just after.
    pub may_be_oom: bool,
}

/// A signal of which is decided, once and for all that use it, what brought it about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributedSignal<'a> {
    /// The facts.
    pub snapshot: Box<Snapshot<'a>>,
    /// Where it came from.
    pub verdict: Verdict,
}

impl<'a> AttributedSignal<'a> {
    /// Decides. What the kernel's stack shows must be known by now, where it can be.
    pub fn new(snapshot: Box<Snapshot<'a>>) -> Self {
        let verdict = decide(&snapshot);
        Self { snapshot, verdict }
    }

    /// The OOM killer sent it: its own record has come.
    pub fn attach_oom(&mut self, oom: OomFacts) {
        self.verdict = Verdict { reason: oom.by_sysrq.then_some(Reason::Sysrq), ..Verdict::of(Origin::Oom) };
        self.snapshot.oom = Some(oom);
    }

    /// The same, apart from the bytes of the record.
    pub fn into_owned(self) -> AttributedSignal<'static> {
        AttributedSignal { snapshot: Box::new(self.snapshot.into_owned()), verdict: self.verdict }
    }
}

/// `include/uapi/linux/pidfd.h`.
const PIDFD_SIGNAL_THREAD: u64 = 1;
const PIDFD_SIGNAL_THREAD_GROUP: u64 = 2;
const PIDFD_SIGNAL_PROCESS_GROUP: u64 = 4;

const SI_USER: i32 = 0;
pub(crate) const SI_QUEUE: i32 = -1;
const SI_TIMER: i32 = -2;
pub(crate) const SI_MESGQ: i32 = -3;
const SI_ASYNCIO: i32 = -4;
const SI_SIGIO: i32 = -5;
const SI_TKILL: i32 = -6;
const SI_KERNEL: i32 = 128;
const TRAP_PERF: i32 = 6;
const SYS_SECCOMP: i32 = 1;
const SYS_USER_DISPATCH: i32 = 2;

pub(crate) const HUP: u8 = 1;
pub(crate) const INT: u8 = 2;
const QUIT: u8 = 3;
const ILL: u8 = 4;
const TRAP: u8 = 5;
const BUS: u8 = 7;
const FPE: u8 = 8;
/// `SIGKILL`.
pub const KILL: u8 = 9;
const SEGV: u8 = 11;
const PIPE: u8 = 13;
const ALRM: u8 = 14;
const CHLD: u8 = 17;
pub(crate) const CONT: u8 = 18;
const TSTP: u8 = 20;
const TTIN: u8 = 21;
const TTOU: u8 = 22;
const URG: u8 = 23;
const XCPU: u8 = 24;
pub(crate) const XFSZ: u8 = 25;
const VTALRM: u8 = 26;
const PROF: u8 = 27;
const WINCH: u8 = 28;
const IO: u8 = 29;
const SYS: u8 = 31;

fn is_fault_signal(signal: u8) -> bool {
    matches!(signal, ILL | TRAP | BUS | FPE | SEGV)
}

/// The calls that send a signal, and those through which `cgroup.kill` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Kill,
    Tkill,
    Tgkill,
    RtSigqueueinfo,
    RtTgsigqueueinfo,
    PidfdSendSignal,
    Write(&'static str),
}

impl Call {
    fn of(syscall: &Syscall) -> Option<Self> {
        use SyscallAbi::{Arm, Arm64, I386, X32, X86_64};
        let number = if syscall.abi == X32 { syscall.number & !0x4000_0000 } else { syscall.number };
        Some(match (syscall.abi, number) {
            (X86_64 | X32, 62) | (I386 | Arm, 37) | (Arm64, 129) => Self::Kill,
            (X86_64 | X32, 200) | (I386 | Arm, 238) | (Arm64, 130) => Self::Tkill,
            (X86_64 | X32, 234) | (I386, 270) | (Arm, 268) | (Arm64, 131) => Self::Tgkill,
            (X86_64, 129) | (X32, 524) | (I386 | Arm, 178) | (Arm64, 138) => Self::RtSigqueueinfo,
            (X86_64, 297) | (X32, 536) | (I386, 335) | (Arm, 363) | (Arm64, 240) => Self::RtTgsigqueueinfo,
            (_, 424) => Self::PidfdSendSignal,
            (X86_64 | X32, 1) | (I386 | Arm, 4) | (Arm64, 64) => Self::Write("write"),
            (X86_64, 20) | (X32, 516) | (I386 | Arm, 146) | (Arm64, 66) => Self::Write("writev"),
            (X86_64 | X32, 18) | (I386 | Arm, 181) | (Arm64, 68) => Self::Write("pwrite64"),
            (X86_64 | X32, 40) | (I386 | Arm, 187 | 239) | (Arm64, 71) => Self::Write("sendfile"),
            (X86_64, 296) | (X32, 535) | (I386, 334) | (Arm, 362) | (Arm64, 70) => Self::Write("pwritev"),
            (X86_64, 328) | (X32, 547) | (I386, 379) | (Arm, 393) | (Arm64, 287) => Self::Write("pwritev2"),
            (X86_64 | X32, 275) | (I386, 313) | (Arm, 340) | (Arm64, 76) => Self::Write("splice"),
            (X86_64 | X32, 326) | (I386, 377) | (Arm, 391) | (Arm64, 285) => Self::Write("copy_file_range"),
            (_, 426) => Self::Write("io_uring"),
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Tkill => "tkill",
            Self::Tgkill => "tgkill",
            Self::RtSigqueueinfo => "rt_sigqueueinfo",
            Self::RtTgsigqueueinfo => "rt_tgsigqueueinfo",
            Self::PidfdSendSignal => "pidfd_send_signal",
            Self::Write(name) => name,
        }
    }

    /// The argument that is the signal number; 32-bit, as the kernel reads it.
    fn signal_argument(self, args: &[u64; 4]) -> Option<u32> {
        match self {
            Self::Kill | Self::Tkill | Self::RtSigqueueinfo | Self::PidfdSendSignal => Some(args[1] as u32),
            Self::Tgkill | Self::RtTgsigqueueinfo => Some(args[2] as u32),
            Self::Write(_) => None,
        }
    }

    /// Could this call have left this siginfo? (`SigInfo::None`: `kill()` of 7.x.)
    fn may_leave(self, info: SigInfo) -> bool {
        match (self, info) {
            (Self::Write(_), _) | (_, SigInfo::Kernel) => false,
            (Self::Kill, SigInfo::Given { code, .. }) => code == SI_USER,
            (Self::Tkill | Self::Tgkill, SigInfo::Given { code, .. }) => code == SI_TKILL,
            (_, SigInfo::None | SigInfo::Given { .. }) => true,
        }
    }
}

/// Decides from the facts of one record.
fn decide(facts: &Snapshot<'_>) -> Verdict {
    let verdict = sender_or_kernel(facts);
    Verdict { may_be_oom: may_be_oom(facts, &verdict), ..verdict }
}

fn sender_or_kernel(facts: &Snapshot<'_>) -> Verdict {
    let shown = facts.explanation.as_ref().and_then(|explanation| explanation.cause);
    // what a tracer may have written into the registers is no evidence against the kernel's own stack
    if facts.is_traced_call && facts.explanation.is_some() && shown != Some(Cause::Call) {
        return without_a_sender(facts);
    }
    let call = facts.syscall.as_ref().and_then(|syscall| Some((Call::of(syscall)?, syscall.args)));
    // of a traced task the registers are there in any case
    let acts = facts.in_syscall || shown == Some(Cause::Call);
    let names_it = call.filter(|(call, args)| {
        call.signal_argument(args) == Some(u32::from(facts.signal))
            && call.may_leave(facts.info)
            && !facts.is_info_off_stack
    });
    // past a call that failed, task work may send for I/O from the same stack, while the registers hold the call still
    let is_past_it = facts.syscall.is_some_and(|call| !call.is_active) && may_be_io(facts.info);
    if let Some((call, args)) = names_it.filter(|_| acts && (!is_past_it || shown == Some(Cause::Call))) {
        return sent_by(call, &args, facts);
    }
    // where the stack is not known, a register that a tracer changed is no evidence against the call either
    if names_it.is_some() && (acts || facts.is_traced_call) && facts.explanation.is_none() {
        return Verdict { is_undecided: true, ..without_a_sender(facts) };
    }
    if !facts.has_registers && facts.in_syscall && is_claimed_by_a_sender(facts.info) {
        // before 5.15 there is only the siginfo to go by
        return Verdict::of(Origin::Process);
    }
    // the stack shows a call of the kill family, which the registers do not
    let in_interrupt = facts.explanation.as_ref().is_some_and(|explanation| explanation.in_interrupt);
    if shown == Some(Cause::Call)
        && !in_interrupt
        && facts.info != SigInfo::Kernel
        && facts.current.flags & (PF_KTHREAD | PF_EXITING) == 0
    {
        return Verdict::of(Origin::Process);
    }
    if is_of_cgroup_kill(facts) {
        let via = match call {
            _ if facts.current.flags & PF_IO_WORKER != 0 => Some("io_uring"),
            Some((call @ Call::Write(_), _)) => Some(call.name()),
            _ => None,
        };
        return Verdict { via, scope: Some(Scope::Cgroup), ..Verdict::of(Origin::Cgroup) };
    }
    without_a_sender(facts)
}

/// kernel/cgroup/cgroup.c sends SIGKILL to each thread, without a siginfo, from inside whichever call writes to the file;
/// nothing else does. Where the stack is known it says so itself.
fn is_of_cgroup_kill(facts: &Snapshot<'_>) -> bool {
    let has_signature = facts.signal == KILL && facts.info == SigInfo::None && !facts.group;
    let acts = facts.in_syscall || facts.current.flags & PF_IO_WORKER != 0;
    has_signature
        && match &facts.explanation {
            Some(explanation) => explanation.cause == Some(Cause::CgroupKill),
            None => acts && !is_in_ptrace(facts),
        }
}

/// kernel/ptrace.c: `PTRACE_KILL` sends it to the thread, without a siginfo (since 5.19).
fn is_ptrace_kill(facts: &Snapshot<'_>) -> bool {
    facts.signal == KILL && facts.info == SigInfo::None && !facts.group && !is_to_itself(facts)
}

fn is_in_ptrace(facts: &Snapshot<'_>) -> bool {
    use SyscallAbi::{Arm, Arm64, I386, X32, X86_64};
    facts.syscall.is_some_and(|call| {
        matches!(
            (call.abi, call.number & !0x4000_0000),
            (X86_64, 101) | (X32, 521) | (Arm64, 117) | (I386 | Arm, 26)
        )
    })
}

impl Verdict {
    /// Of an origin of which no more is known.
    fn of(origin: Origin) -> Self {
        Self {
            origin,
            reason: None,
            via: None,
            scope: None,
            code_forged: false,
            is_undecided: false,
            may_be_oom: false,
        }
    }
}

/// Are these codes that `F_SETSIG` brings?
fn may_be_io(info: SigInfo) -> bool {
    matches!(info, SigInfo::Given { code, .. } if code > 0 || code == SI_SIGIO)
}

/// By the kernel itself, for no reason that a siginfo has.
fn is_forced(info: SigInfo) -> bool {
    matches!(info, SigInfo::Kernel | SigInfo::Given { code: SI_KERNEL, .. })
}

fn is_claimed_by_a_sender(info: SigInfo) -> bool {
    matches!(info, SigInfo::Given { code: SI_USER | SI_QUEUE | SI_TKILL, .. })
}

fn sent_by(call: Call, args: &[u64; 4], facts: &Snapshot<'_>) -> Verdict {
    let pid = args[0] as u32 as i32;
    let scope = match call {
        Call::Kill if pid == -1 => Scope::All,
        Call::Kill if pid <= 0 => Scope::ProcessGroup,
        Call::Tkill | Call::Tgkill | Call::RtTgsigqueueinfo => Scope::Thread,
        // PIDFD_SIGNAL_THREAD and a pidfd of a thread address a thread
        Call::PidfdSendSignal if !facts.group => Scope::Thread,
        Call::PidfdSendSignal if args[3] & PIDFD_SIGNAL_PROCESS_GROUP != 0 => Scope::ProcessGroup,
        _ => Scope::Process,
    };
    let code_forged = match (call, facts.info) {
        (Call::RtSigqueueinfo | Call::RtTgsigqueueinfo, SigInfo::Given { code, .. }) => code != SI_QUEUE,
        // 6.9, e1fb1dc08e73: to a thread the kernel itself says SI_TKILL
        (Call::PidfdSendSignal, SigInfo::Given { code, .. }) => {
            code != SI_USER && code != SI_QUEUE && (facts.group || code != SI_TKILL)
        }
        _ => false,
    };
    Verdict { via: Some(call.name()), scope: Some(scope), code_forged, ..Verdict::of(Origin::Process) }
}

/// By the kernel's own stack; else by rules, which leave out what they cannot tell apart.
fn without_a_sender(facts: &Snapshot<'_>) -> Verdict {
    let cause = facts.explanation.as_ref().and_then(|explanation| explanation.cause);
    if let Some((origin, reason)) = cause.and_then(|cause| of_cause(cause, facts)) {
        return Verdict { reason, ..Verdict::of(origin) };
    }
    by_rules(facts)
}

/// None: the rules say more.
#[allow(clippy::match_same_arms)] // in the order of the causes
fn of_cause(cause: Cause, facts: &Snapshot<'_>) -> Option<(Origin, Option<Reason>)> {
    let kernel = |reason| (Origin::Kernel, Some(reason));
    // fs/exec.c: ptrace_event() of an exec under a tracer of old
    if facts.signal == TRAP
        && facts.info == SigInfo::None
        && is_to_itself(facts)
        && facts.target_tracer.is_some()
    {
        return Some((Origin::Ptrace, None));
    }
    Some(match cause {
        Cause::Call => return None,
        // a timer may ask for these as well, and has a siginfo
        Cause::CpuTimer if matches!(facts.signal, XCPU | KILL) && facts.info == SigInfo::Kernel => {
            (Origin::Rlimit, None)
        }
        Cause::CpuTimer | Cause::Timer => (Origin::Timer, None),
        Cause::OrphanedGroup => kernel(Reason::OrphanedGroup),
        Cause::Bpf => (Origin::Bpf, None),
        Cause::NamespaceEnd => (Origin::PidNamespace, None),
        Cause::Reboot => (Origin::PidNamespace, Some(Reason::Reboot)),
        Cause::TracerAttached => (Origin::Ptrace, Some(Reason::Attach)),
        Cause::TracerCalled if is_ptrace_kill(facts) => (Origin::Ptrace, Some(Reason::PtraceKill)),
        Cause::TracerCalled => (Origin::Ptrace, None),
        Cause::TracerEnded => (Origin::Ptrace, Some(Reason::TracerEnded)),
        // who has let it through may be gone by now
        Cause::Tracer if is_to_itself(facts) => (Origin::Ptrace, None),
        Cause::Tracer => return None,
        Cause::Terminal => (Origin::Tty, None),
        Cause::CtrlAltDel => kernel(Reason::CtrlAltDel),
        Cause::ConsoleSwitch => kernel(Reason::ConsoleSwitch),
        Cause::Io => (Origin::Io, None),
        Cause::MessageQueue => (Origin::Io, Some(Reason::MessageQueue)),
        Cause::Oom => (Origin::Oom, None),
        Cause::MemoryFailure => (Origin::Fault, Some(Reason::MemoryFailure)),
        Cause::CgroupKill => return None,
        Cause::Child => (Origin::Child, None),
        Cause::Seccomp => (Origin::Seccomp, None),
        Cause::HandlerFrame if is_fault_signal(facts.signal) && is_to_itself(facts) => {
            (Origin::Fault, Some(Reason::HandlerFailed))
        }
        Cause::HandlerFrame => return None,
        Cause::Perf => (Origin::Perf, None),
        Cause::Sysrq => kernel(Reason::Sysrq),
        Cause::ExecFailed
            if is_to_itself(facts) && matches!(facts.signal, SEGV | KILL) && is_forced(facts.info) =>
        {
            kernel(Reason::ExecFailed)
        }
        Cause::ExecFailed => return None,
        Cause::UserDispatch => kernel(Reason::UserDispatch),
    })
}

/// What can be said without the stack.
fn by_rules(facts: &Snapshot<'_>) -> Verdict {
    let origin = origin_by_rules(facts);
    let reason = match (facts.signal, facts.info) {
        (BUS, SigInfo::Given { code: 4 | 5, .. }) if origin == Origin::Fault => Some(Reason::MemoryFailure),
        (_, SigInfo::Given { code: SI_MESGQ, .. }) if origin == Origin::Io => Some(Reason::MessageQueue),
        // Wine runs Windows programs by it: the target's own system call, which it asked to get as a signal
        (SYS, SigInfo::Given { code: SYS_USER_DISPATCH, .. }) if is_to_itself(facts) => {
            Some(Reason::UserDispatch)
        }
        (KILL, _) if origin == Origin::Ptrace => Some(Reason::PtraceKill),
        _ => None,
    };
    Verdict { reason, ..Verdict::of(origin) }
}

#[allow(clippy::match_same_arms)] // the order of the rows is the meaning
fn origin_by_rules(facts: &Snapshot<'_>) -> Origin {
    let to_itself = is_to_itself(facts);
    let current = &facts.current;
    let exiting = current.flags & PF_EXITING != 0;
    let has_terminal = facts.tty[0] != 0;
    match (facts.signal, facts.info) {
        // the one call that sends it so, but for those that write to cgroup.kill
        (KILL, SigInfo::None) if is_ptrace_kill(facts) && facts.in_syscall && is_in_ptrace(facts) => {
            Origin::Ptrace
        }
        (_, SigInfo::Given { code: SI_TIMER, .. }) => Origin::Timer,
        (SYS, SigInfo::Given { code: SYS_SECCOMP, .. }) => Origin::Seccomp,
        (SYS, SigInfo::Given { code: SYS_USER_DISPATCH, .. }) => Origin::Kernel,
        // who opened the event is not known: it may be of another process
        (TRAP, SigInfo::Given { code: TRAP_PERF, .. }) if to_itself => Origin::Perf,
        (signal, SigInfo::Given { code, .. })
            if is_fault_signal(signal) && to_itself && (code > 0 || code == SI_KERNEL) =>
        {
            Origin::Fault
        }
        // BUS_MCEERR_AR, BUS_MCEERR_AO: the kernel found bad memory, whoever was running
        (BUS, SigInfo::Given { code: 4 | 5, .. }) => Origin::Fault,
        (signal, SigInfo::Given { code: code @ 1..=6, fields }) if !is_fault_signal(signal) || !to_itself => {
            match kind_of_code(signal, code, fields, exiting_child(facts)) {
                CodeKind::Child => Origin::Child,
                CodeKind::Poll => Origin::Io,
                CodeKind::Signal | CodeKind::Unknown => Origin::Kernel,
            }
        }
        (_, SigInfo::Given { code: SI_MESGQ | SI_SIGIO | SI_ASYNCIO, .. }) | (IO | URG, SigInfo::Kernel) => {
            Origin::Io
        }
        (ALRM | VTALRM | PROF, SigInfo::Kernel) => Origin::Timer,
        (XCPU, SigInfo::Kernel) => Origin::Rlimit,
        (XFSZ, SigInfo::None) if to_itself => Origin::Rlimit,
        (PIPE, SigInfo::None) if to_itself => Origin::Io,
        // a terminal that nobody knows is none
        (INT | QUIT | TSTP | WINCH | TTIN | TTOU, SigInfo::Kernel) if has_terminal => Origin::Tty,
        // an exiting task hangs up the terminal if it leads the session; else it orphaned stopped jobs
        (HUP | CONT, SigInfo::Kernel) if has_terminal && (!exiting || leads_its_session(facts)) => {
            Origin::Tty
        }
        (KILL, SigInfo::Kernel) if exiting && current.namespace_pid == 1 && current.namespace_level > 0 => {
            Origin::PidNamespace
        }
        // kernel/exit.c: forget_original_parent(); the target has another parent already
        (_, SigInfo::None) if exiting && !to_itself => Origin::ParentDeath,
        _ => Origin::Kernel,
    }
}

fn is_to_itself(facts: &Snapshot<'_>) -> bool {
    current_pid(facts) == target_pid(facts)
}

fn current_pid(facts: &Snapshot<'_>) -> Option<u32> {
    facts.current_chain.first().and_then(|&place| facts.processes.get(place)).map(|process| process.pid)
}

fn target_pid(facts: &Snapshot<'_>) -> Option<u32> {
    facts.target_chain.first().and_then(|&place| facts.processes.get(place)).map(|process| process.pid)
}

fn leads_its_session(facts: &Snapshot<'_>) -> bool {
    current_pid(facts) == Some(facts.current.session)
}

/// Can only the OOM killer, or nothing that is known, have sent this?
fn may_be_oom(facts: &Snapshot<'_>, verdict: &Verdict) -> bool {
    let is_kernels = facts.signal == KILL && facts.info == SigInfo::Kernel && facts.group;
    is_kernels
        && match verdict.origin {
            Origin::Oom => true,
            // a stack that was explained would have shown it
            Origin::Kernel => verdict.reason.is_none() && facts.explanation.is_none(),
            _ => false,
        }
}

/// The call that an attempt was made by, and whom it meant: as it was asked for, since nobody got a signal.
pub fn attempt(facts: &Snapshot<'_>) -> Verdict {
    let call = facts.syscall.as_ref().and_then(|syscall| Some((Call::of(syscall)?, syscall.args)));
    match call {
        // nobody was reached, so that only the flags tell; without them it is the kind of descriptor
        Some((call @ Call::PidfdSendSignal, args)) => {
            let scope = match args[3] {
                flags if flags & PIDFD_SIGNAL_THREAD != 0 => Some(Scope::Thread),
                flags if flags & PIDFD_SIGNAL_THREAD_GROUP != 0 => Some(Scope::Process),
                flags if flags & PIDFD_SIGNAL_PROCESS_GROUP != 0 => Some(Scope::ProcessGroup),
                _ => None,
            };
            Verdict { via: Some(call.name()), scope, ..Verdict::of(Origin::Process) }
        }
        Some((call, args)) => Verdict { code_forged: false, ..sent_by(call, &args, facts) },
        None => Verdict::of(Origin::Process),
    }
}

/// What the pid argument of an attempt was, in the caller's pid namespace; None of a pidfd.
pub fn pid_argument(facts: &Snapshot<'_>) -> Option<i32> {
    let syscall = facts.syscall.as_ref()?;
    match Call::of(syscall)? {
        Call::PidfdSendSignal | Call::Write(_) => None,
        _ => Some(syscall.args[0] as u32 as i32),
    }
}

/// What an end without a signal was brought about by, where seccomp or a tracer has left its mark on the task. That
/// nothing was seen proves nothing: a tracer that let go of it leaves none.
pub fn of_end(facts: &EndFacts<'_>) -> Option<Origin> {
    // kernel/seccomp.c: SECCOMP_MODE_STRICT ends by SIGKILL, a filter (2) by SIGSYS; since 5.17 both are
    // SECCOMP_MODE_DEAD (3) when they end
    let Ending::Signal { number, .. } = facts.ending else { return None };
    match (number, facts.seccomp_mode) {
        (KILL, 1 | 3) | (SYS, 2 | 3) => Some(Origin::Seccomp),
        _ if facts.is_traced => Some(Origin::Ptrace),
        _ => None,
    }
}

/// Could the running task say something of the cause (who closed the terminal, whose thread ended)? The
/// idle task and kernel threads cannot.
pub fn may_be_trigger(facts: &Snapshot<'_>, origin: Origin) -> bool {
    let is_process = facts.current.tid != 0 && facts.current.flags & PF_KTHREAD == 0;
    if let Some(explanation) = &facts.explanation {
        return is_process && !explanation.in_interrupt && (origin == Origin::Oom || !is_to_itself(facts));
    }
    is_process
        && (origin == Origin::Oom || !is_to_itself(facts))
        && (origin == Origin::Ptrace && is_ptrace_kill(facts)
            || matches!(
                origin,
                Origin::Oom
                    | Origin::Tty
                    | Origin::ParentDeath
                    | Origin::PidNamespace
                    | Origin::Child
                    | Origin::Kernel
            ))
}

/// What a positive `si_code` is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CodeKind {
    /// The signal has codes of its own (`SEGV_MAPERR`).
    Signal,
    /// `CLD_*`: a child stopped, continued or ended.
    Child,
    /// `POLL_*`: a file for which the target asked for signals (`F_SETOWN`, `F_SETSIG`).
    Poll,
    /// These facts do not say which of the two, or it is neither.
    Unknown,
}

/// The signals for which the kernel has codes of their own; `F_SETSIG` to one of these comes with `SI_SIGIO` instead
/// (include/linux/signal.h: `SIG_SPECIFIC_SICODES_MASK`).
fn has_own_codes(signal: u8) -> bool {
    is_fault_signal(signal) || matches!(signal, CHLD | SYS)
}

/// fs/fcntl.c: `band_table`, the poll mask that goes along with each `POLL_*`.
const BANDS: [u64; 6] = [0x41, 0x304, 0x441, 0x8, 0x82, 0x18];

/// `CLD_*` and `POLL_*` are the same numbers, and both may come with any signal: the former with one that `clone()`
/// asked for, the latter by `F_SETSIG`. What comes along is not the same: the child's pid and uid, or the band that the
/// code fixes. `exiting` is the running task as the target knows it, if that exits: pid, and uid.
fn kind_of_code(signal: u8, code: i32, fields: [u8; 16], exiting: Option<(u32, u32)>) -> CodeKind {
    if signal == CHLD {
        return CodeKind::Child;
    }
    let [pid, uid, ..] = words(fields);
    if has_own_codes(signal) {
        // a child that asked for such a signal at its end
        let is_of_child = matches!(code, 1..=3) && exiting == Some((pid, uid));
        return if is_of_child { CodeKind::Child } else { CodeKind::Signal };
    }
    let band = u64::from(pid) | u64::from(uid) << 32;
    let is_band = usize::try_from(code).ok().and_then(|code| BANDS.get(code.checked_sub(1)?)) == Some(&band);
    // kernel/signal.c: do_notify_parent(); that a child stops or continues is only ever a SIGCHLD
    let may_be_child = matches!(code, 1..=3) && i32::try_from(pid).is_ok_and(|pid| pid > 0);
    match (is_band, may_be_child) {
        // a child that has a band for its pid
        (true, true) if exiting == Some((pid, uid)) => CodeKind::Unknown,
        (true, _) => CodeKind::Poll,
        (false, true) => CodeKind::Child,
        (false, false) => CodeKind::Unknown,
    }
}

fn words(fields: [u8; 16]) -> [u32; 4] {
    let word = |place: usize| u32::from_ne_bytes([0, 1, 2, 3].map(|byte| fields[4 * place + byte]));
    [word(0), word(1), word(2), word(3)]
}

/// Pid and real uid of the running task, if it exits, as a siginfo for the target would have them. Of ids that a user
/// namespace maps only that they are not known is known: they are taken for 0.
fn exiting_child(facts: &Snapshot<'_>) -> Option<(u32, u32)> {
    let (current, target) = (&facts.current, &facts.target);
    let pid = if target.namespace_level == 0 {
        current_pid(facts)
    } else {
        Some(current.namespace_pid).filter(|_| current.namespace_inode == target.namespace_inode)
    };
    let uid = if target.user_namespace == 0 { current.uid } else { 0 };
    pid.filter(|_| current.flags & PF_EXITING != 0).map(|pid| (pid, uid))
}

/// The kernel's name of the `si_code` of a signal, where it has one and these facts say which.
pub fn code_of(facts: &Snapshot<'_>) -> Option<&'static str> {
    match facts.info {
        SigInfo::Given { code, fields } => {
            let shown = facts.explanation.as_ref().and_then(|explanation| explanation.cause);
            let kind = match shown {
                Some(Cause::Child) if matches!(code, 1..=6) => CodeKind::Child,
                _ => kind_of_code(facts.signal, code, fields, exiting_child(facts)),
            };
            code_name(facts.signal, code, kind)
        }
        SigInfo::Kernel => Some("SI_KERNEL"),
        // what the receiver is given
        SigInfo::None => Some("SI_USER"),
    }
}

/// By include/uapi/asm-generic/siginfo.h; those with two underscores are of architectures that are gone.
fn code_name(signal: u8, code: i32, kind: CodeKind) -> Option<&'static str> {
    let general = match code {
        SI_USER => "SI_USER",
        SI_QUEUE => "SI_QUEUE",
        SI_TIMER => "SI_TIMER",
        SI_MESGQ => "SI_MESGQ",
        SI_ASYNCIO => "SI_ASYNCIO",
        SI_SIGIO => "SI_SIGIO",
        SI_TKILL => "SI_TKILL",
        -7 => "SI_DETHREAD",
        -60 => "SI_ASYNCNL",
        SI_KERNEL => "SI_KERNEL",
        _ => "",
    };
    if !general.is_empty() {
        return Some(general);
    }
    let table: &[&str] = match signal {
        _ if kind == CodeKind::Child => {
            &["CLD_EXITED", "CLD_KILLED", "CLD_DUMPED", "CLD_TRAPPED", "CLD_STOPPED", "CLD_CONTINUED"]
        }
        _ if kind == CodeKind::Poll => {
            &["POLL_IN", "POLL_OUT", "POLL_MSG", "POLL_ERR", "POLL_PRI", "POLL_HUP"]
        }
        ILL => &[
            "ILL_ILLOPC",
            "ILL_ILLOPN",
            "ILL_ILLADR",
            "ILL_ILLTRP",
            "ILL_PRVOPC",
            "ILL_PRVREG",
            "ILL_COPROC",
            "ILL_BADSTK",
            "ILL_BADIADDR",
            "__ILL_BREAK",
            "__ILL_BNDMOD",
        ],
        FPE => &[
            "FPE_INTDIV",
            "FPE_INTOVF",
            "FPE_FLTDIV",
            "FPE_FLTOVF",
            "FPE_FLTUND",
            "FPE_FLTRES",
            "FPE_FLTINV",
            "FPE_FLTSUB",
            "__FPE_DECOVF",
            "__FPE_DECDIV",
            "__FPE_DECERR",
            "__FPE_INVASC",
            "__FPE_INVDEC",
            "FPE_FLTUNK",
            "FPE_CONDTRAP",
        ],
        SEGV => &[
            "SEGV_MAPERR",
            "SEGV_ACCERR",
            "SEGV_BNDERR",
            "SEGV_PKUERR",
            "SEGV_ACCADI",
            "SEGV_ADIDERR",
            "SEGV_ADIPERR",
            "SEGV_MTEAERR",
            "SEGV_MTESERR",
            "SEGV_CPERR",
        ],
        BUS => &["BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR", "BUS_MCEERR_AR", "BUS_MCEERR_AO"],
        TRAP => &["TRAP_BRKPT", "TRAP_TRACE", "TRAP_BRANCH", "TRAP_HWBKPT", "TRAP_UNK", "TRAP_PERF"],
        SYS => &["SYS_SECCOMP", "SYS_USER_DISPATCH"],
        _ => &[],
    };
    usize::try_from(code).ok().and_then(|code| table.get(code.checked_sub(1)?)).copied()
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::record::{ProcessFacts, Task};

    fn given(code: i32) -> SigInfo {
        SigInfo::Given { code, fields: [0; 16] }
    }

    fn process(pid: u32) -> ProcessFacts<'static> {
        ProcessFacts { start: u64::from(pid), ..ProcessFacts::named(pid, b"x") }
    }

    /// With these first fields: pid and uid of a child, or the two halves of a band.
    fn about(pid: u32, uid: u32, code: i32) -> SigInfo {
        let mut fields = [0; 16];
        fields[..4].copy_from_slice(&pid.to_ne_bytes());
        fields[4..8].copy_from_slice(&uid.to_ne_bytes());
        SigInfo::Given { code, fields }
    }

    /// Process 100 runs, process 200 is signalled; 200's parent is 1.
    fn facts(signal: u8, info: SigInfo) -> Snapshot<'static> {
        Snapshot {
            signal,
            info,
            in_syscall: false,
            current: Task { tid: 100, session: 50, ..Task::default() },
            processes: vec![process(100), process(200), process(1)],
            current_chain: vec![0, 2],
            target_chain: vec![1, 2],
            ..Snapshot::between(process(100), process(200))
        }
    }

    fn in_call(mut facts: Snapshot<'static>, number: i64, args: [u64; 4]) -> Snapshot<'static> {
        facts.syscall = Some(Syscall { abi: SyscallAbi::X86_64, number, args, is_active: true });
        facts.in_syscall = true;
        facts
    }

    fn to_itself(mut facts: Snapshot<'static>) -> Snapshot<'static> {
        facts.target_chain = facts.current_chain.clone();
        facts
    }

    fn on_a_terminal(mut facts: Snapshot<'static>) -> Snapshot<'static> {
        facts.tty[..4].copy_from_slice(b"pts3");
        facts
    }

    fn shown(cause: Cause, mut facts: Snapshot<'static>) -> Snapshot<'static> {
        let explanation = crate::record::cause::Explanation { cause: Some(cause), ..Default::default() };
        facts.explanation = Some(explanation);
        facts
    }

    #[test]
    fn a_child_s_end_has_the_codes_of_children_whatever_signal_it_asked_for() {
        let mut ending = facts(11, about(100, 0, 1));
        ending.current.flags |= PF_EXITING;
        assert_eq!((code_of(&ending), decide(&ending).origin), (Some("CLD_EXITED"), Origin::Child));
        let of_another = facts(11, about(99, 0, 1));
        assert_eq!(code_of(&of_another), Some("SEGV_MAPERR"));
        let explained = shown(Cause::Child, facts(7, about(99, 0, 2)));
        assert_eq!((code_of(&explained), decide(&explained).origin), (Some("CLD_KILLED"), Origin::Child));
    }

    /// The siginfo of a timer lies elsewhere; past a call that failed, that of I/O lies where the call's would.
    #[test]
    fn what_an_interrupt_or_task_work_brings_is_not_sent_by_the_call() {
        let mut timer = in_call(facts(10, given(SI_TIMER)), 129, [200, 10, 0, 0]);
        assert_eq!(decide(&timer).origin, Origin::Process);
        timer.is_info_off_stack = true;
        assert_eq!((decide(&timer).origin, decide(&timer).code_forged), (Origin::Timer, false));
        let mut input = in_call(facts(11, given(SI_SIGIO)), 129, [200, 11, 0, 0]);
        assert_eq!(decide(&input).origin, Origin::Process);
        if let Some(call) = &mut input.syscall {
            call.is_active = false;
        }
        assert!(decide(&input).is_undecided && decide(&input).origin == Origin::Io);
        assert_eq!(decide(&shown(Cause::Io, input.clone())).origin, Origin::Io);
        assert_eq!(decide(&shown(Cause::Call, input)).origin, Origin::Process);
    }

    /// Only that call and those that write to `cgroup.kill` send it so.
    #[test]
    fn a_tracer_that_kills_is_known_without_the_stack() {
        const PTRACE: i64 = 101;
        let to_the_process = in_call(facts(9, SigInfo::None), PTRACE, [0; 4]);
        let killed = Snapshot { group: false, ..in_call(facts(9, SigInfo::None), PTRACE, [0; 4]) };
        let verdict = decide(&killed);
        assert_eq!((verdict.origin, verdict.reason), (Origin::Ptrace, Some(Reason::PtraceKill)));
        assert!(may_be_trigger(&killed, verdict.origin));
        let in_an_interrupt = in_call(facts(9, SigInfo::Kernel), PTRACE, [0; 4]);
        for other in [to_the_process, in_an_interrupt] {
            assert_ne!(decide(&other).origin, Origin::Ptrace);
        }
    }

    #[test]
    fn the_kernels_stack_outranks_the_rules() {
        for (facts, origin, reason) in [
            (shown(Cause::Bpf, facts(2, SigInfo::Kernel)), Origin::Bpf, None),
            (
                shown(Cause::OrphanedGroup, facts(1, SigInfo::Kernel)),
                Origin::Kernel,
                Some(Reason::OrphanedGroup),
            ),
            (shown(Cause::CpuTimer, facts(KILL, SigInfo::Kernel)), Origin::Rlimit, None),
            (shown(Cause::CpuTimer, facts(PROF, SigInfo::Kernel)), Origin::Timer, None),
            (
                shown(Cause::TracerEnded, facts(KILL, SigInfo::Kernel)),
                Origin::Ptrace,
                Some(Reason::TracerEnded),
            ),
            (shown(Cause::Reboot, facts(KILL, SigInfo::Kernel)), Origin::PidNamespace, Some(Reason::Reboot)),
            (shown(Cause::Terminal, facts(1, SigInfo::Kernel)), Origin::Tty, None),
            (shown(Cause::CtrlAltDel, facts(2, SigInfo::Kernel)), Origin::Kernel, Some(Reason::CtrlAltDel)),
            (shown(Cause::Sysrq, facts(15, SigInfo::Kernel)), Origin::Kernel, Some(Reason::Sysrq)),
            // the victim's own instruction has not done anything
            (to_itself(facts(TRAP, given(TRAP_PERF))), Origin::Perf, None),
            // by F_SETSIG, as the peer exits: the rules would take it for a child's
            (shown(Cause::Io, exiting(facts(10, given(1)))), Origin::Io, None),
            (shown(Cause::Child, exiting(facts(10, given(1)))), Origin::Child, None),
        ] {
            let verdict = decide(&facts);
            assert_eq!((verdict.origin, verdict.reason), (origin, reason), "signal {}", facts.signal);
            assert_eq!(verdict.via, None);
        }
    }

    #[test]
    fn registers_that_a_tracer_may_have_written_are_no_evidence_against_the_stack() {
        let mut claimed = in_call(facts(14, SigInfo::None), 62, [200, 14, 0, 0]);
        assert_eq!(decide(&claimed).origin, Origin::Process);
        claimed.is_traced_call = true;
        assert_eq!(decide(&shown(Cause::Timer, claimed.clone())).origin, Origin::Timer);
        assert_eq!(decide(&shown(Cause::Call, claimed)).origin, Origin::Process);
    }

    #[test]
    fn a_traced_sender_without_evidence_is_undecided_and_never_the_kernel_for_certain() {
        let mut claimed = in_call(facts(15, SigInfo::None), 62, [200, 15, 0, 0]);
        claimed.in_syscall = false;
        assert!(!decide(&claimed).is_undecided, "what is left of its last call");
        claimed.is_traced_call = true;
        assert!(decide(&claimed).is_undecided);
        assert_eq!(decide(&shown(Cause::Call, claimed.clone())).origin, Origin::Process);
        assert!(!decide(&shown(Cause::Timer, claimed.clone())).is_undecided);
        claimed.signal = 10;
        assert!(!decide(&claimed).is_undecided, "its call is of another signal");
    }

    #[test]
    fn cgroup_kill_is_known_by_whichever_call_wrote_it() {
        let written =
            |number| Snapshot { group: false, ..in_call(facts(9, SigInfo::None), number, [3, 1, 1, 0]) };
        for (number, via) in
            [(296, Some("pwritev")), (328, Some("pwritev2")), (275, Some("splice")), (999, None)]
        {
            let verdict = decide(&written(number));
            assert_eq!((verdict.origin, verdict.via), (Origin::Cgroup, via), "{number}");
        }
        assert_eq!(decide(&written(101)).origin, Origin::Ptrace, "a tracer's");
        let mut worker = Snapshot { group: false, ..facts(9, SigInfo::None) };
        assert_ne!(decide(&worker).origin, Origin::Cgroup, "in no call");
        worker.current.flags |= PF_IO_WORKER;
        let verdict = decide(&worker);
        assert_eq!((verdict.origin, verdict.via), (Origin::Cgroup, Some("io_uring")));
    }

    fn exiting(mut facts: Snapshot<'static>) -> Snapshot<'static> {
        facts.current.flags |= PF_EXITING;
        facts
    }

    #[test]
    fn only_an_unexplained_sigkill_may_be_the_oom_killers() {
        assert!(decide(&facts(KILL, SigInfo::Kernel)).may_be_oom);
        assert!(decide(&shown(Cause::Oom, facts(KILL, SigInfo::Kernel))).may_be_oom);
        assert!(!decide(&shown(Cause::Reboot, facts(KILL, SigInfo::Kernel))).may_be_oom);
        assert!(!decide(&facts(KILL, SigInfo::None)).may_be_oom, "kill() of 7.x, cgroup.kill");
        assert!(!decide(&facts(15, SigInfo::Kernel)).may_be_oom);
        assert!(!decide(&Snapshot { group: false, ..facts(KILL, SigInfo::Kernel) }).may_be_oom);
        let mut dying_init = exiting(facts(KILL, SigInfo::Kernel));
        (dying_init.current.namespace_pid, dying_init.current.namespace_level) = (1, 1);
        assert!(!decide(&dying_init).may_be_oom, "it is the namespace's end");
    }

    #[test]
    fn an_end_without_a_signal_is_known_by_its_marks() {
        let end = |number, seccomp_mode, is_traced| {
            let ending = Ending::Signal { number, core_dumped: false };
            EndFacts { is_traced, seccomp_mode, ..EndFacts::of(process(100), ending) }
        };
        for (facts, origin) in [
            (end(KILL, 1, false), Some(Origin::Seccomp)),
            (end(15, 1, false), None),
            (end(KILL, 2, false), None),
            (end(KILL, 3, true), Some(Origin::Seccomp)),
            (end(SYS, 3, false), Some(Origin::Seccomp)),
            (end(SYS, 2, false), Some(Origin::Seccomp)),
            (end(15, 2, true), Some(Origin::Ptrace)),
            (end(15, 0, false), None),
            (EndFacts { is_traced: true, ..EndFacts::of(process(100), Ending::Exit(9)) }, None),
        ] {
            assert_eq!(of_end(&facts), origin, "{facts:?}");
        }
    }

    #[test]
    fn an_attempt_is_what_was_asked_for() {
        let minus = |pid: i64| pid as u64;
        for (number, args, scope, argument) in [
            (62, [200, 15, 0, 0], Some(Scope::Process), Some(200)),
            (62, [minus(-7), 15, 0, 0], Some(Scope::ProcessGroup), Some(-7)),
            (62, [minus(-1), 15, 0, 0], Some(Scope::All), Some(-1)),
            (234, [200, 201, 15, 0], Some(Scope::Thread), Some(200)),
            (424, [3, 15, 0, 0], None, None),
            (424, [3, 15, 0, 1], Some(Scope::Thread), None),
            (424, [3, 15, 0, 2], Some(Scope::Process), None),
            (424, [3, 15, 0, 4], Some(Scope::ProcessGroup), None),
        ] {
            let facts = in_call(facts(15, SigInfo::None), number, args);
            assert_eq!(attempt(&facts).scope, scope, "{args:?}");
            assert_eq!(pid_argument(&facts), argument, "{args:?}");
        }
    }

    #[test]
    fn the_kill_family_is_a_process_with_via_and_scope() {
        let minus = |pid: i64| pid as u64;
        for (number, args, info, via, scope) in [
            (62, [200, 15, 0, 0], given(0), "kill", Scope::Process),
            (62, [minus(-5), 15, 0, 0], given(0), "kill", Scope::ProcessGroup),
            (62, [0, 15, 0, 0], given(0), "kill", Scope::ProcessGroup),
            (62, [minus(-1), 15, 0, 0], given(0), "kill", Scope::All),
            (62, [200, 15, 0, 0], SigInfo::None, "kill", Scope::Process),
            (200, [200, 15, 0, 0], given(-6), "tkill", Scope::Thread),
            (234, [200, 200, 15, 0], given(-6), "tgkill", Scope::Thread),
            (129, [200, 15, 0, 0], given(-1), "rt_sigqueueinfo", Scope::Process),
            (297, [200, 200, 15, 0], given(-1), "rt_tgsigqueueinfo", Scope::Thread),
            (424, [3, 15, 0, 0], given(0), "pidfd_send_signal", Scope::Process),
        ] {
            let verdict = decide(&in_call(facts(15, info), number, args));
            assert_eq!(verdict.origin, Origin::Process, "{via}");
            assert_eq!(verdict.via, Some(via));
            assert_eq!(verdict.scope, Some(scope), "{via}");
            assert!(!verdict.code_forged, "{via}");
        }
    }

    #[test]
    fn a_claimed_code_is_called_forged_and_does_not_change_the_origin() {
        let verdict = decide(&in_call(facts(10, given(SI_TIMER)), 129, [200, 10, 0, 0]));
        assert_eq!((verdict.origin, verdict.code_forged), (Origin::Process, true));
    }

    #[test]
    fn a_pidfd_may_stand_for_a_thread_or_a_group() {
        let mut thread = in_call(facts(15, given(SI_TKILL)), 424, [3, 15, 0, 1]);
        thread.group = false;
        let verdict = decide(&thread);
        assert_eq!((verdict.scope, verdict.code_forged), (Some(Scope::Thread), false));
        let group = in_call(facts(15, given(SI_USER)), 424, [3, 15, 0, 4]);
        assert_eq!(decide(&group).scope, Some(Scope::ProcessGroup));
    }

    #[test]
    fn an_alarm_that_interrupts_kill_is_not_from_that_process() {
        let verdict = decide(&in_call(facts(14, SigInfo::Kernel), 62, [300, 15, 0, 0]));
        assert_eq!((verdict.origin, verdict.via), (Origin::Timer, None));
        let verdict = decide(&in_call(facts(14, SigInfo::Kernel), 62, [300, 14, 0, 0]));
        assert_eq!((verdict.origin, verdict.via), (Origin::Timer, None));
    }

    #[test]
    fn cgroup_kill_has_its_writer_as_source() {
        let mut written = in_call(facts(9, SigInfo::None), 1, [3, 0x7000, 1, 0]);
        written.group = false;
        let verdict = decide(&written);
        assert_eq!((verdict.origin, verdict.scope), (Origin::Cgroup, Some(Scope::Cgroup)));
        assert!(verdict.origin.has_source());
    }

    #[test]
    #[allow(clippy::large_stack_arrays)] // of a test
    fn signals_that_nobody_sent() {
        let mut init_dies = exiting(facts(9, SigInfo::Kernel));
        init_dies.current.namespace_pid = 1;
        init_dies.current.namespace_level = 1;
        // the target has its reaper for a parent already
        let parent_dies = exiting(facts(15, SigInfo::None));
        let mut leader_dies = exiting(facts(1, SigInfo::Kernel));
        leader_dies.current.session = 100;
        for (facts, origin) in [
            (facts(14, given(SI_TIMER)), Origin::Timer),
            (facts(14, SigInfo::Kernel), Origin::Timer),
            (exiting(facts(17, given(1))), Origin::Child),
            (to_itself(facts(11, given(1))), Origin::Fault),
            (to_itself(facts(11, given(SI_KERNEL))), Origin::Fault),
            (facts(7, given(5)), Origin::Fault),
            (to_itself(facts(31, given(1))), Origin::Seccomp),
            (to_itself(facts(13, SigInfo::None)), Origin::Io),
            (to_itself(facts(24, SigInfo::Kernel)), Origin::Rlimit),
            (to_itself(facts(25, SigInfo::None)), Origin::Rlimit),
            (on_a_terminal(facts(2, SigInfo::Kernel)), Origin::Tty),
            (on_a_terminal(facts(1, SigInfo::Kernel)), Origin::Tty),
            (on_a_terminal(leader_dies.clone()), Origin::Tty),
            (leader_dies, Origin::Kernel),
            (facts(2, SigInfo::Kernel), Origin::Kernel),
            (exiting(facts(1, SigInfo::Kernel)), Origin::Kernel),
            (init_dies, Origin::PidNamespace),
            (parent_dies, Origin::ParentDeath),
            (facts(9, SigInfo::Kernel), Origin::Kernel),
            // si_code 0 alone does not make a sender
            (facts(15, given(0)), Origin::Kernel),
        ] {
            let verdict = decide(&facts);
            assert_eq!(verdict.origin, origin, "signal {} {:?}", facts.signal, facts.info);
            assert_eq!(verdict.via, None);
        }
    }

    #[test]
    fn without_registers_only_a_senders_codes_make_a_sender() {
        let mut old = facts(15, given(0));
        old.has_registers = false;
        old.in_syscall = true;
        assert_eq!(decide(&old).origin, Origin::Process);
        old.info = given(SI_TIMER);
        assert_eq!(decide(&old).origin, Origin::Timer);
    }

    #[test]
    fn a_code_that_two_have_is_of_whose_fields_come_along() {
        for (facts, origin) in [
            (facts(17, about(300, 0, 5)), Origin::Child),
            // by a tracer that lets go of a zombie, so not by the child itself
            (facts(10, about(300, 0, 2)), Origin::Child),
            (exiting(facts(10, about(100, 0, 2))), Origin::Child),
            // a peer that exits closes its end of a pipe
            (exiting(facts(10, about(0x41, 0, 1))), Origin::Io),
            (exiting(facts(10, about(0x18, 0, 6))), Origin::Io),
            (facts(17, given(SI_SIGIO)), Origin::Io),
            (facts(10, given(SI_MESGQ)), Origin::Io),
            (facts(10, about(0, 0, 1)), Origin::Kernel),
            (facts(10, about(300, 0, 4)), Origin::Kernel),
            (facts(29, about(0x41, 0, 1)), Origin::Io),
            (facts(40, about(0x304, 0, 2)), Origin::Io),
            (to_itself(facts(31, given(2))), Origin::Kernel),
        ] {
            assert_eq!(decide(&facts).origin, origin, "signal {} {:?}", facts.signal, facts.info);
        }
    }

    #[test]
    fn a_child_that_has_a_band_for_its_pid_is_not_taken_for_a_file() {
        let mut child = exiting(facts(10, about(0x41, 7, 1)));
        child.processes[0].pid = 0x41;
        child.current.uid = 7;
        assert_eq!((decide(&child).origin, code_of(&child)), (Origin::Child, Some("CLD_EXITED")));
        // root's, so that the fields are those of a file with input as well
        (child.info, child.current.uid) = (about(0x41, 0, 1), 0);
        assert_eq!((decide(&child).origin, code_of(&child)), (Origin::Kernel, None));
        child.current.flags = 0;
        assert_eq!((decide(&child).origin, code_of(&child)), (Origin::Io, Some("POLL_IN")));
        // in a pid namespace of its own the target knows it by another pid
        let mut inner = exiting(facts(10, about(0x304, 0, 2)));
        (inner.target.namespace_level, inner.target.namespace_inode) = (1, 5);
        (inner.current.namespace_pid, inner.current.namespace_inode) = (0x304, 5);
        assert_eq!(decide(&inner).origin, Origin::Kernel);
        inner.current.namespace_inode = 6;
        assert_eq!(decide(&inner).origin, Origin::Io);
    }

    /// Every code of include/uapi/asm-generic/siginfo.h, as it is written there.
    #[rustfmt::skip]
    const CODES: &[(&[u8], &[&str])] = &[
        (&[ILL], &[
            "1 ILL_ILLOPC", "2 ILL_ILLOPN", "3 ILL_ILLADR", "4 ILL_ILLTRP", "5 ILL_PRVOPC", "6 ILL_PRVREG", "7 ILL_COPROC",
            "8 ILL_BADSTK", "9 ILL_BADIADDR", "10 __ILL_BREAK", "11 __ILL_BNDMOD", "12",
        ]),
        (&[FPE], &[
            "1 FPE_INTDIV", "2 FPE_INTOVF", "3 FPE_FLTDIV", "4 FPE_FLTOVF", "5 FPE_FLTUND", "6 FPE_FLTRES", "7 FPE_FLTINV",
            "8 FPE_FLTSUB", "9 __FPE_DECOVF", "10 __FPE_DECDIV", "11 __FPE_DECERR", "12 __FPE_INVASC", "13 __FPE_INVDEC",
            "14 FPE_FLTUNK", "15 FPE_CONDTRAP", "16",
        ]),
        (&[SEGV], &[
            "1 SEGV_MAPERR", "2 SEGV_ACCERR", "3 SEGV_BNDERR", "4 SEGV_PKUERR", "5 SEGV_ACCADI", "6 SEGV_ADIDERR",
            "7 SEGV_ADIPERR", "8 SEGV_MTEAERR", "9 SEGV_MTESERR", "10 SEGV_CPERR", "11",
        ]),
        (&[BUS], &[
            "1 BUS_ADRALN", "2 BUS_ADRERR", "3 BUS_OBJERR", "4 BUS_MCEERR_AR", "5 BUS_MCEERR_AO", "6",
        ]),
        (&[TRAP], &[
            "1 TRAP_BRKPT", "2 TRAP_TRACE", "3 TRAP_BRANCH", "4 TRAP_HWBKPT", "5 TRAP_UNK", "6 TRAP_PERF", "7",
        ]),
        (&[CHLD], &[
            "1 CLD_EXITED", "2 CLD_KILLED", "3 CLD_DUMPED", "4 CLD_TRAPPED", "5 CLD_STOPPED", "6 CLD_CONTINUED", "7",
        ]),
        (&[SYS], &["1 SYS_SECCOMP", "2 SYS_USER_DISPATCH", "3"]),
        (&[HUP, 10, 12, 15, IO, 34, 64], &["1", "4", "5", "6", "7"]),
        (&[HUP, SEGV, CHLD, IO, SYS, 64], &[
            "0 SI_USER", "128 SI_KERNEL", "-1 SI_QUEUE", "-2 SI_TIMER", "-3 SI_MESGQ", "-4 SI_ASYNCIO", "-5 SI_SIGIO",
            "-6 SI_TKILL", "-7 SI_DETHREAD", "-60 SI_ASYNCNL", "-8", "-61", "127", "129", "-2147483648", "2147483647",
        ]),
    ];

    #[test]
    fn codes_have_the_kernels_names() {
        for (signals, codes) in CODES {
            for (&signal, code) in
                signals.iter().flat_map(|signal| codes.iter().map(move |code| (signal, code)))
            {
                let (number, name) =
                    code.split_once(' ').map_or((*code, None), |(number, name)| (number, Some(name)));
                assert_eq!(code_of(&facts(signal, given(number.parse().unwrap()))), name, "{signal} {code}");
            }
        }
        assert_eq!(code_of(&facts(15, SigInfo::None)), Some("SI_USER"));
        assert_eq!(code_of(&facts(15, SigInfo::Kernel)), Some("SI_KERNEL"));
    }

    #[test]
    fn what_comes_along_says_whether_a_code_is_of_a_child_or_of_a_file() {
        for (code, band, file, child) in [
            (1, 0x41, "POLL_IN", Some("CLD_EXITED")),
            (2, 0x304, "POLL_OUT", Some("CLD_KILLED")),
            (3, 0x441, "POLL_MSG", Some("CLD_DUMPED")),
            (4, 0x8, "POLL_ERR", None),
            (5, 0x82, "POLL_PRI", None),
            (6, 0x18, "POLL_HUP", None),
        ] {
            for signal in [HUP, 10, IO, 64] {
                assert_eq!(code_of(&facts(signal, about(band, 0, code))), Some(file), "{signal} {code}");
                // a user's child with such a pid
                assert_eq!(code_of(&facts(signal, about(band, 1000, code))), child, "{signal} {code}");
                assert_eq!(code_of(&facts(signal, about(300, 0, code))), child, "{signal} {code}");
                assert_eq!(code_of(&facts(signal, about(u32::MAX, u32::MAX, code))), None, "{signal} {code}");
            }
        }
    }
}
