//! An event: the facts of one record, judged once. What formats print of it is in [`fields`](crate::output::render).

pub mod context;
pub mod origin;
pub mod relation;
pub mod signal;
pub mod summary;

use std::borrow::Cow;

use self::context::{After, Context};
use self::origin::{AttributedSignal, Origin, Reason, Verdict};
use self::relation::Relation;
use self::signal::Signal;
pub use crate::base::clock::Clock;
use crate::enrich::surroundings::Surroundings;
pub use crate::record::Outcome;
use crate::record::{
    AttemptFacts, Blocking, ChildDeath, Disposition, EndFacts, Ending, PF_EXITING, PF_KTHREAD, Previous,
    PreviousSource, ProcessFacts, Record, SigInfo, Snapshot, Syscall, SyscallAbi,
};

/// A terminal's name, as `ps` writes it: `pts/3`, `tty1`. None if there is none.
pub fn tty_name(kernels: &[u8]) -> Option<String> {
    let end = kernels.iter().position(|&byte| byte == 0).unwrap_or(kernels.len());
    let name = String::from_utf8_lossy(&kernels[..end]);
    (!name.is_empty()).then(|| match name.strip_prefix("pts") {
        Some(number) if number.starts_with(|letter: char| letter.is_ascii_digit()) => {
            format!("pts/{number}")
        }
        _ => name.into_owned(),
    })
}

/// `SIGNAL_GROUP_EXIT` of include/linux/sched/signal.h.
const SIGNAL_GROUP_EXIT: u32 = 0x4;
/// `SIGNAL_UNKILLABLE`: init of a pid namespace.
const SIGNAL_UNKILLABLE: u32 = 0x40;
/// `EXIT_DEAD | EXIT_ZOMBIE` of include/linux/sched.h.
const EXIT_DONE: u32 = 0x30;

/// Why a signal was ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IgnoredBecause {
    /// `SIG_IGN`.
    Set,
    /// Its default action is to do nothing.
    Default,
    /// The target is the init of its pid namespace and has no handler.
    NamespaceInit,
    /// The target was ending already.
    Exiting,
}

/// A resource limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rlimit {
    /// As `setrlimit(2)` calls it.
    pub name: &'static str,
    /// The hard limit; else the soft one.
    pub is_hard: bool,
    /// How much it allows.
    pub value: RlimitValue,
}

/// In its own unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RlimitValue {
    /// Nanoseconds.
    Time(u64),
    /// Bytes.
    Bytes(u64),
}

/// Which freezer holds a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freezer {
    /// That of cgroups of version 1, and of a suspend: not even SIGKILL acts until the process is thawed.
    Version1,
    /// That of cgroups of version 2: SIGKILL acts at once.
    Version2,
}

/// A call of `reboot(2)` in a pid namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reboot {
    /// `restart` or `halt`.
    pub command: &'static str,
    /// What the parent of the namespace's init finds in its wait status.
    pub parent_reads: Signal,
}

/// Who refused which system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedCall {
    /// Its number in the table of `arch`.
    pub number: i64,
    /// `AUDIT_ARCH_*` of include/uapi/linux/audit.h.
    pub arch: u32,
    /// Where in the program the call is.
    pub address: u64,
}

impl RefusedCall {
    /// The name of the architecture, as the `syscalls` tables call it.
    pub fn arch_name(&self) -> Option<&'static str> {
        Some(match self.arch {
            AUDIT_ARCH_X86_64 => "x86_64",
            AUDIT_ARCH_I386 => "i386",
            AUDIT_ARCH_AARCH64 => "aarch64",
            AUDIT_ARCH_ARM => "arm",
            _ => return None,
        })
    }

    /// The name of the call, where the table has it.
    pub fn name(&self) -> Option<&'static str> {
        let number = usize::try_from(self.number).ok()?;
        match self.arch {
            // x32 shares the numbers below 512 and marks them
            AUDIT_ARCH_X86_64 => syscalls::x86_64::Sysno::new(number & !0x4000_0000).map(|call| call.name()),
            AUDIT_ARCH_I386 => syscalls::x86::Sysno::new(number).map(|call| call.name()),
            AUDIT_ARCH_AARCH64 => syscalls::aarch64::Sysno::new(number).map(|call| call.name()),
            AUDIT_ARCH_ARM => syscalls::arm::Sysno::new(number).map(|call| call.name()),
            _ => None,
        }
    }

    /// Of the registers of a task.
    fn of_registers(call: &Syscall, address: u64) -> Self {
        let arch = match call.abi {
            SyscallAbi::X86_64 | SyscallAbi::X32 => AUDIT_ARCH_X86_64,
            SyscallAbi::I386 => AUDIT_ARCH_I386,
            SyscallAbi::Arm64 => AUDIT_ARCH_AARCH64,
            SyscallAbi::Arm => AUDIT_ARCH_ARM,
        };
        Self { number: call.number, arch, address }
    }
}

/// include/uapi/linux/audit.h.
const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;
const AUDIT_ARCH_I386: u32 = 0x4000_0003;
const AUDIT_ARCH_AARCH64: u32 = 0xc000_00b7;
const AUDIT_ARCH_ARM: u32 = 0x4000_0028;

/// One signal, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignalEvent<'a> {
    /// Counter of this run.
    pub id: u64,
    /// To print times with.
    pub clock: Clock,
    /// The facts.
    pub facts: Snapshot<'a>,
    /// The signal.
    pub signal: Signal,
    /// Where it came from.
    pub verdict: Verdict,
    /// What the source is to the target, where there is one and it is known.
    pub relation: Option<Relation>,
    /// What is known beside the record.
    pub context: Context,
}

/// What a source got is worth saying for so long, in nanoseconds.
const LAST_SIGNAL_COUNTS_FOR: u64 = 1_000_000_000;
/// A handler that raises the signal of its fault again does it within so long, in nanoseconds.
const FAULT_COUNTS_FOR: u64 = 1_000_000_000;
/// `JOBCTL_TRAP_FREEZE` of include/linux/sched/jobctl.h.
const JOBCTL_TRAP_FREEZE: u32 = 1 << 23;
/// `TASK_FROZEN` of include/linux/sched.h, since 6.1.
const TASK_FROZEN: u32 = 0x8000;
/// `PF_FROZEN` before 6.1; kernel threads alone use the bit since.
const PF_FROZEN: u32 = 0x1_0000;

/// A death of the source's child is worth telling for so long, in nanoseconds.
const CHILD_DEATH_COUNTS_FOR: u64 = 1_000_000_000;

impl<'a> SignalEvent<'a> {
    /// Judges one record. None for a record without a target or of an impossible signal number, which
    /// [`decode`](crate::record::decode) does not let through.
    pub fn of(signal: AttributedSignal<'a>, id: u64, clock: Clock, context: Context) -> Option<Self> {
        let (facts, verdict) = (*signal.snapshot, signal.verdict);
        let signal = Signal::new(facts.signal)?;
        facts.processes.get(*facts.target_chain.first()?)?;
        facts.processes.get(*facts.current_chain.first()?)?;
        let relation = if verdict.origin.has_source() { Relation::of(&facts, &context) } else { None };
        Some(Self { id, clock, facts, signal, verdict, relation, context })
    }

    /// The same of a record by itself, for tests.
    #[cfg(test)]
    pub(crate) fn new(facts: Snapshot<'a>, id: u64, clock: Clock, context: Context) -> Option<Self> {
        Self::of(AttributedSignal::new(Box::new(facts)), id, clock, context)
    }

    /// The last signal to the target before this one that could have ended it.
    pub fn previous(&self) -> Option<&Previous> {
        self.facts.previous.as_ref()
    }

    /// What the source itself got from another process less than a second before: it may be passing that on.
    pub fn last_signal(&self) -> Option<(&Previous, &PreviousSource)> {
        let own = self.source()?;
        let last = self.facts.to_source.as_ref()?;
        let from = last.source.as_ref()?;
        let is_recent = last.time <= self.facts.time && self.facts.time - last.time < LAST_SIGNAL_COUNTS_FOR;
        // what was ignored was never there
        let arrived = Outcome::of(last.result) != Some(Outcome::Ignored);
        (is_recent && arrived && (from.pid, from.start) != (own.pid, own.start)).then_some((last, from))
    }

    /// The child of the source that died of a signal less than a second before.
    pub fn child_death(&self) -> Option<ChildDeath> {
        self.source()?;
        let death = self.facts.child_death?;
        // its time is rounded down; a death that came after this signal was taken is not "before"
        (death.time <= self.facts.time
            && self.facts.time - death.time < CHILD_DEATH_COUNTS_FOR + ChildDeath::GRAIN)
            .then_some(death)
    }

    /// The process that was running, source or not.
    pub fn current(&self) -> &ProcessFacts<'a> {
        &self.facts.processes[self.facts.current_chain[0]]
    }

    /// The target.
    pub fn target(&self) -> &ProcessFacts<'a> {
        &self.facts.processes[self.facts.target_chain[0]]
    }

    /// The source, where there is one.
    pub fn source(&self) -> Option<&ProcessFacts<'a>> {
        self.verdict.origin.has_source().then(|| self.current())
    }

    /// Who was on the CPU, where that tells something and is not the source.
    pub fn trigger(&self) -> Option<&ProcessFacts<'a>> {
        // A hang-up comes from whoever lets the terminal go, in or just after a call; memory runs out anywhere.
        // Everything else may be an interrupt's in any process.
        let is_hang_up =
            self.verdict.origin == Origin::Tty && matches!(self.facts.signal, origin::HUP | origin::CONT);
        let at_work = self.facts.in_syscall
            || self.facts.current.flags & PF_EXITING != 0
            || is_hang_up
            || self.verdict.origin == Origin::Oom;
        let at_work = at_work || self.facts.explanation.is_some();
        let worth = at_work
            && origin::may_be_trigger(&self.facts, self.verdict.origin)
            && (self.verdict.origin != Origin::Child || self.current_is_the_child());
        let worth = worth || self.verdict.is_undecided;
        (!self.verdict.origin.has_source() && worth).then(|| self.current())
    }

    /// Is the running process the child that this SIGCHLD is about? A dying father also tells the reaper of the
    /// zombies that he leaves. The siginfo names the child by its pid in the target's namespace.
    fn current_is_the_child(&self) -> bool {
        let (current, target) = (&self.facts.current, &self.facts.target);
        let SigInfo::Given { fields, .. } = self.facts.info else { return false };
        let child = u32::from_ne_bytes([fields[0], fields[1], fields[2], fields[3]]);
        if target.namespace_level == 0 {
            child == self.current().pid
        } else {
            current.namespace_inode == target.namespace_inode && child == current.namespace_pid
        }
    }

    /// Does the running process go on, though the running thread ends?
    pub fn current_lives_on(&self) -> bool {
        self.facts.current.live > 0 && self.facts.current.signal_flags & SIGNAL_GROUP_EXIT == 0
    }

    /// What became of it; None for a result that this build does not know.
    pub fn outcome(&self) -> Option<Outcome> {
        Outcome::of(self.facts.result)
    }

    /// Proven to be what ends the target: the group exit that it set is there, with its number.
    pub fn is_fatal(&self) -> bool {
        self.outcome() == Some(Outcome::Queued)
            && self.facts.target.signal_flags & SIGNAL_GROUP_EXIT != 0
            && self.facts.target.group_exit_code == u32::from(self.facts.signal)
    }

    /// Why it was ignored, if it was.
    pub fn ignored_because(&self) -> Option<IgnoredBecause> {
        if self.outcome() != Some(Outcome::Ignored) {
            return None;
        }
        let target = &self.facts.target;
        // a leader that is gone says nothing of the process while other threads live
        let ending = target.live == 0 || target.signal_flags & SIGNAL_GROUP_EXIT != 0;
        Some(match self.facts.disposition {
            _ if ending => IgnoredBecause::Exiting,
            Disposition::Ignored => IgnoredBecause::Set,
            _ if self.signal.is_ignored_by_default() => IgnoredBecause::Default,
            Disposition::Default if target.signal_flags & SIGNAL_UNKILLABLE != 0 => {
                IgnoredBecause::NamespaceInit
            }
            _ => return None,
        })
    }

    /// The kernel's name of the code, or its number; None where there was no siginfo.
    pub fn code(&self) -> Option<Cow<'static, str>> {
        match (origin::code_of(&self.facts), self.facts.info) {
            (Some(name), _) => Some(name.into()),
            (None, SigInfo::Given { code, .. }) => Some(code.to_string().into()),
            (None, _) => None,
        }
    }

    /// Address and instruction of a fault, where the siginfo has them; the instruction only where it is the
    /// target's own.
    pub fn fault(&self) -> Option<(u64, Option<u64>)> {
        match self.facts.info {
            SigInfo::Given { code, fields }
                if self.verdict.origin == Origin::Fault && (1..128).contains(&code) =>
            {
                let address = u64::from_ne_bytes(fields[..8].try_into().ok()?);
                let is_own = self.current().pid == self.target().pid;
                let instruction = self.facts.instruction_pointer;
                Some((address, (is_own && instruction != 0).then_some(instruction)))
            }
            // the registers are still those of the instruction whose handler could not run
            _ if self.verdict.reason == Some(Reason::HandlerFailed) && self.comes_of_a_fault() => {
                let instruction = self.facts.instruction_pointer;
                Some((self.facts.last_fault?, (instruction != 0).then_some(instruction)))
            }
            // a handler that raises the signal of its fault again: where that was is still known
            _ if self.is_raised_again() => Some((self.facts.last_fault?, None)),
            _ => None,
        }
    }

    /// Did the target's handler of a fault send this signal, to have the default action after all?
    pub fn is_raised_again(&self) -> bool {
        let is_own = self.current().pid == self.target().pid && self.current().start == self.target().start;
        self.verdict.origin == Origin::Process
            && is_own
            && self.facts.last_fault.is_some()
            && self.comes_of_a_fault()
    }

    /// Was the signal before this one a page fault of the target's, for the same signal, a moment ago? Then the address that
    /// the kernel keeps is of that one.
    fn comes_of_a_fault(&self) -> bool {
        self.previous().is_some_and(|previous| {
            previous.is_page_fault
                && previous.signal == self.facts.signal
                && self.facts.time.saturating_sub(previous.time) < FAULT_COUNTS_FOR
        })
    }

    /// The resource limit that it was sent for, where it is known.
    pub fn rlimit(&self) -> Option<Rlimit> {
        if self.verdict.origin != Origin::Rlimit {
            return None;
        }
        let limits = self.facts.limits.as_ref()?;
        if self.facts.signal == origin::XFSZ {
            let value = RlimitValue::Bytes(limits.file_size?);
            return Some(Rlimit { name: "RLIMIT_FSIZE", is_hard: false, value });
        }
        // kernel/time/posix-cpu-timers.c: SIGKILL at the hard limit, SIGXCPU at the soft one
        let is_hard = self.facts.signal == origin::KILL;
        let place = usize::from(is_hard);
        #[allow(clippy::match_same_arms)] // the order of the rows is the meaning
        let (name, value) = match (limits.cpu[place], limits.real_time[place]) {
            (Some(cpu), None) => ("RLIMIT_CPU", cpu),
            (None, Some(real_time)) => ("RLIMIT_RTTIME", real_time),
            (Some(cpu), Some(_)) if limits.cpu_time >= cpu => ("RLIMIT_CPU", cpu),
            (Some(_), Some(real_time)) => ("RLIMIT_RTTIME", real_time),
            (None, None) => return None,
        };
        Some(Rlimit { name, is_hard, value: RlimitValue::Time(value) })
    }

    /// What `reboot(2)` was asked for that ended the target's pid namespace.
    pub fn reboot(&self) -> Option<Reboot> {
        if self.verdict.reason != Some(Reason::Reboot) {
            return None;
        }
        // kernel/pid_namespace.c: reboot_pid_ns(); include/uapi/linux/reboot.h
        match self.facts.syscall?.args[2] as u32 {
            0x0123_4567 | 0xa1b2_c3d4 => {
                Some(Reboot { command: "restart", parent_reads: Signal::new(origin::HUP)? })
            }
            0xcdef_0123 | 0x4321_fedc => {
                Some(Reboot { command: "halt", parent_reads: Signal::new(origin::INT)? })
            }
            _ => None,
        }
    }

    /// Which system call a seccomp filter refused.
    pub fn refused_call(&self) -> Option<RefusedCall> {
        match self.facts.info {
            // struct _sigsys of include/uapi/asm-generic/siginfo.h
            SigInfo::Given { fields, .. } if self.verdict.origin == Origin::Seccomp => Some(RefusedCall {
                address: u64::from_ne_bytes(fields[..8].try_into().ok()?),
                number: i64::from(i32::from_ne_bytes(fields[8..12].try_into().ok()?)),
                arch: u32::from_ne_bytes(fields[12..].try_into().ok()?),
            }),
            _ => None,
        }
    }

    /// The process that traces the target.
    pub fn target_tracer(&self) -> Option<&ProcessFacts<'a>> {
        self.facts.processes.get(self.facts.target_tracer?)
    }

    /// The process that traces the source.
    pub fn source_tracer(&self) -> Option<&ProcessFacts<'a>> {
        self.source()?;
        self.facts.processes.get(self.facts.current_tracer?)
    }

    /// Which freezer holds the target, if one does.
    pub fn freezer(&self) -> Option<Freezer> {
        let target = &self.facts.target;
        if target.flags & PF_KTHREAD != 0 {
            return None;
        }
        if target.state & TASK_FROZEN != 0 || target.flags & PF_FROZEN != 0 {
            return Some(Freezer::Version1);
        }
        (target.jobctl & JOBCTL_TRAP_FREEZE != 0).then_some(Freezer::Version2)
    }

    /// Should the kernel's stack say why, and does it not?
    pub fn is_unexplained(&self) -> bool {
        let facts = &self.facts;
        !self.verdict.origin.has_source()
            && facts.explanation.is_none()
            && (facts.stack_lost || !facts.stack.is_empty())
    }

    /// The terminal that sent it, as `ps` writes it: `pts/3`, `tty1`.
    pub fn tty(&self) -> Option<String> {
        (self.verdict.origin == Origin::Tty).then(|| tty_name(&self.facts.tty)).flatten()
    }

    /// The value that came along (`sigqueue()`): as the sender wrote it, `sival_int` and `sival_ptr`.
    pub fn value(&self) -> Option<(i32, u64)> {
        match self.facts.info {
            SigInfo::Given { code: origin::SI_QUEUE | origin::SI_MESGQ, fields } => {
                let value = u64::from_ne_bytes(fields[8..].try_into().ok()?);
                // a union: the integer is its first four bytes
                let integer = i32::from_ne_bytes(fields[8..12].try_into().ok()?);
                Some((integer, value))
            }
            _ => None,
        }
    }

    /// What the target was doing. Where this very signal may just have woken it, nobody can tell.
    pub fn target_state(&self) -> Option<&'static str> {
        let target = &self.facts.target;
        if target.exit_state & EXIT_DONE != 0 {
            // a leader that is gone while other threads live says nothing of the process
            return (target.live == 0).then_some("zombie");
        }
        if target.flags & PF_EXITING != 0 {
            return Some("exiting");
        }
        if self.freezer().is_some() {
            return Some("frozen");
        }
        // include/linux/sched.h: TASK_*
        match target.state {
            0 => {
                let is_current = target.tid == self.facts.current.tid;
                // SIGCONT wakes what is stopped before it is looked whether it is ignored
                let was_not_woken =
                    self.outcome() != Some(Outcome::Queued) || self.facts.blocking == Blocking::Blocked;
                // who reads a signalfd is woken before this is looked at, whether the signal is blocked or not
                let was_not_woken =
                    was_not_woken && self.facts.signal != origin::CONT && !self.facts.has_signalfd_reader;
                (is_current || was_not_woken).then_some("running")
            }
            state if state & 0x8 != 0 => Some("traced"),
            state if state & 0x4 != 0 => Some("stopped"),
            state if state & 0x1 != 0 || state & 0x402 == 0x402 => Some("sleeping"),
            state if state & 0x2 != 0 => Some("disk-sleep"),
            _ => None,
        }
    }

    /// The nearest process that is above both.
    pub fn common_ancestor(&self) -> Option<u32> {
        self.verdict.origin.has_source().then_some(())?;
        let source = self.facts.current_chain.get(1..)?;
        let mut target = self.facts.target_chain.get(1..)?.iter();
        target
            .find(|place| source.contains(place))
            .and_then(|&place| self.facts.processes.get(place))
            .map(|process| process.pid)
    }
}

/// A process that ended after a signal, or of one which no event explains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndEvent<'a> {
    /// Counter of this run.
    pub id: u64,
    /// To print times with.
    pub clock: Clock,
    /// The facts.
    pub facts: EndFacts<'a>,
    /// What it died of, if it was a signal.
    pub signal: Option<Signal>,
    /// What a signal that was not seen came from, where it has left a mark.
    pub origin: Option<Origin>,
    /// It may have been sent before anybody watched.
    pub is_older: bool,
    /// The signal before the end: the one that it died of, or the last that could have ended it.
    pub after: Option<After>,
    /// What the host says of it.
    pub surroundings: Surroundings,
}

impl<'a> EndEvent<'a> {
    /// Judges one record; signals have been watched since then (boot time, ns). None for a record of nobody.
    pub fn new(
        facts: EndFacts<'a>,
        id: u64,
        clock: Clock,
        watched_since: u64,
        after: Option<After>,
        surroundings: Surroundings,
    ) -> Option<Self> {
        let signal = match facts.ending {
            Ending::Signal { number, .. } => Some(Signal::new(number)?),
            Ending::Exit(_) => None,
        };
        let is_older = facts.processes.first()?.start < watched_since;
        let origin = match origin::of_end(&facts) {
            _ if facts.explained || signal.is_none() => None,
            // one that waited, blocked, from before would come by way of a tracer as well
            Some(Origin::Ptrace) if is_older => None,
            origin => origin,
        };
        Some(Self { id, clock, facts, signal, origin, is_older, after, surroundings })
    }

    /// A death by a signal that nobody was seen to send.
    pub fn is_unexplained(&self) -> bool {
        self.signal.is_some() && !self.facts.explained && self.after.is_none()
    }

    /// Who died.
    pub fn target(&self) -> &ProcessFacts<'a> {
        &self.facts.processes[0]
    }

    /// Which system call seccomp refused, of a thread or a process that it ended without a signal.
    pub fn refused_call(&self) -> Option<RefusedCall> {
        let is_refused = self.origin == Some(Origin::Seccomp) && self.is_unexplained();
        let call = self.facts.syscall.filter(|_| is_refused)?;
        Some(RefusedCall::of_registers(&call, self.facts.instruction_pointer))
    }

    /// Who traced it.
    pub fn tracer(&self) -> Option<&ProcessFacts<'a>> {
        self.facts.processes.get(self.facts.tracer?)
    }
}

/// A call that failed, or only asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptEvent<'a> {
    /// Counter of this run.
    pub id: u64,
    /// To print times with.
    pub clock: Clock,
    /// The facts.
    pub attempt: AttemptFacts<'a>,
    /// The call, and whom it addressed.
    pub verdict: Verdict,
    /// What the source is to the target, where there is one and it is known.
    pub relation: Option<Relation>,
    /// What is known beside the record.
    pub context: Context,
}

impl<'a> AttemptEvent<'a> {
    /// Judges one record. None for a record of nobody.
    pub fn new(attempt: AttemptFacts<'a>, id: u64, clock: Clock, context: Context) -> Option<Self> {
        let facts = &attempt.facts;
        facts.processes.get(*facts.target_chain.first()?)?;
        facts.processes.get(*facts.current_chain.first()?)?;
        let verdict = origin::attempt(facts);
        let relation = if attempt.has_target { Relation::of(facts, &context) } else { None };
        Some(Self { id, clock, attempt, verdict, relation, context })
    }

    /// Who tried.
    pub fn source(&self) -> &ProcessFacts<'a> {
        let facts = &self.attempt.facts;
        &facts.processes[facts.current_chain[0]]
    }

    /// Who was addressed, if that is one process and it is there.
    pub fn target(&self) -> Option<&ProcessFacts<'a>> {
        let facts = &self.attempt.facts;
        self.attempt.has_target.then(|| &facts.processes[facts.target_chain[0]])
    }

    /// The signal, where the number is one's.
    pub fn signal(&self) -> Option<Signal> {
        u8::try_from(self.attempt.signal).ok().and_then(Signal::new)
    }

    /// Signal 0: nothing was to be sent.
    pub fn is_probe(&self) -> bool {
        self.attempt.signal == 0
    }

    /// The name of the errno, or `permitted` of a signal 0 that could have been sent.
    pub fn result(&self) -> String {
        match self.attempt.returned {
            0 => "permitted".to_owned(),
            returned => error_name(returned),
        }
    }
}

/// Who answers a system call in place of the kernel (seccomp's user notification) may return any number.
fn error_name(returned: i64) -> String {
    errno_name(returned).map_or_else(|| format!("errno {}", returned.unsigned_abs()), str::to_owned)
}

/// Those that the kill family returns (kernel/signal.c), by their numbers on x86 and ARM.
fn errno_name(returned: i64) -> Option<&'static str> {
    Some(match returned {
        -1 => "EPERM",
        -3 => "ESRCH",
        -9 => "EBADF",
        -11 => "EAGAIN",
        -12 => "ENOMEM",
        -13 => "EACCES",
        -14 => "EFAULT",
        -22 => "EINVAL",
        -38 => "ENOSYS",
        _ => return None,
    })
}

/// Records that were lost since the last such event, by cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lost {
    /// The ring was full.
    pub ring_full: u64,
    /// The program was skipped because it was running on that CPU already.
    pub recursion: u64,
    /// The record could not be decoded.
    pub undecodable: u64,
    /// Attempts for which there was no room.
    pub attempts: u64,
    /// Ends that no signal explains, for which there was no room.
    pub ends: u64,
    /// What the OOM killer said of a victim, for which there was no room or whose hook was skipped: its signal is then
    /// reported as the kernel's.
    pub ooms: u64,
    /// Paths of new cgroups, for which there was no room or whose hook was skipped: they are then looked for among those that are there.
    pub cgroups: u64,
    /// Lines for which an output had no room.
    pub lines: u64,
}

impl Lost {
    /// All of them.
    pub fn total(self) -> u64 {
        self.of_signals() + self.attempts + self.ends + self.ooms + self.cgroups + self.lines
    }

    /// Those that were signals.
    pub fn of_signals(self) -> u64 {
        self.ring_full + self.recursion + self.undecodable
    }

    /// What is new since `earlier`.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            ring_full: self.ring_full.saturating_sub(earlier.ring_full),
            recursion: self.recursion.saturating_sub(earlier.recursion),
            undecodable: self.undecodable.saturating_sub(earlier.undecodable),
            attempts: self.attempts.saturating_sub(earlier.attempts),
            ends: self.ends.saturating_sub(earlier.ends),
            ooms: self.ooms.saturating_sub(earlier.ooms),
            cgroups: self.cgroups.saturating_sub(earlier.cgroups),
            lines: self.lines.saturating_sub(earlier.lines),
        }
    }
}

/// Loss, told in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LostEvent {
    /// UTC nanoseconds of the telling.
    pub time: i128,
    /// What was lost.
    pub lost: Lost,
}

/// One line of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<'a> {
    /// A signal.
    Signal(Box<SignalEvent<'a>>),
    /// A call that failed, or only asked.
    Attempt(Box<AttemptEvent<'a>>),
    /// An end: after a signal, or one that none explains.
    End(Box<EndEvent<'a>>),
    /// Lost records.
    Lost(LostEvent),
}

impl<'a> Event<'a> {
    /// The event of one record by itself; signals have been watched since then (boot time, ns). None for a record
    /// that only adds to another, and for one of nobody.
    pub fn judge(record: Record<'a>, id: u64, clock: Clock, watched_since: u64) -> Option<Self> {
        match record {
            Record::Signal(facts) => {
                SignalEvent::of(AttributedSignal::new(facts), id, clock, Context::default())
                    .map(|event| Self::Signal(Box::new(event)))
            }
            Record::Attempt(facts) => AttemptEvent::new(*facts, id, clock, Context::default())
                .map(|event| Self::Attempt(Box::new(event))),
            Record::End(facts) => {
                let after = After::of(&facts, None);
                EndEvent::new(*facts, id, clock, watched_since, after, Surroundings::default())
                    .map(|event| Self::End(Box::new(event)))
            }
            Record::Identity(_) | Record::Oom(_) | Record::Cgroup(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_call_returned_has_a_name() {
        for (returned, name) in [(-1, "EPERM"), (-77, "errno 77"), (i64::MIN, "errno 9223372036854775808")] {
            assert_eq!(error_name(returned), name);
        }
    }
}
