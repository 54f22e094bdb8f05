//! What the kernel's own stack says of the origin.

use super::without_stack::is_ptrace_kill;
use super::{Origin, Reason};
use crate::event::numbers::{KILL, SEGV, TRAP, XCPU, is_fault_signal};
use crate::event::siginfo::is_forced;
use crate::record::cause::Cause;
use crate::record::{SigInfo, Snapshot};

/// None: the rules say more.
#[allow(clippy::match_same_arms)] // in the order of the causes
pub(super) fn of_cause(cause: Cause, facts: &Snapshot<'_>) -> Option<(Origin, Option<Reason>)> {
    let kernel = |reason| (Origin::Kernel, Some(reason));
    // fs/exec.c: ptrace_event() of an exec under a tracer of old
    if facts.signal == TRAP
        && facts.info == SigInfo::None
        && facts.is_to_itself()
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
        Cause::Tracer if facts.is_to_itself() => (Origin::Ptrace, None),
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
        Cause::HandlerFrame if is_fault_signal(facts.signal) && facts.is_to_itself() => {
            (Origin::Fault, Some(Reason::HandlerFailed))
        }
        Cause::HandlerFrame => return None,
        Cause::Perf => (Origin::Perf, None),
        Cause::Sysrq => kernel(Reason::Sysrq),
        Cause::ExecFailed
            if facts.is_to_itself() && matches!(facts.signal, SEGV | KILL) && is_forced(facts.info) =>
        {
            kernel(Reason::ExecFailed)
        }
        Cause::ExecFailed => return None,
        Cause::UserDispatch => kernel(Reason::UserDispatch),
    })
}

#[cfg(test)]
mod tests {
    use super::super::decide;
    use super::*;
    use crate::event::numbers::PROF;
    use crate::event::samples::{exiting, facts, given, shown, to_itself};
    use crate::event::siginfo::TRAP_PERF;

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
}
