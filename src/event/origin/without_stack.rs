//! What can be said of the origin without the kernel's stack. The rules leave out what they cannot distinguish.

use super::{Origin, Reason, Verdict};
use crate::event::numbers::{
    ALRM, BUS, CONT, HUP, INT, IO, KILL, PIPE, PROF, QUIT, SYS, TRAP, TSTP, TTIN, TTOU, URG, VTALRM, WINCH,
    XCPU, XFSZ, is_fault_signal,
};
use crate::event::siginfo::{
    BUS_MCEERR_AO, BUS_MCEERR_AR, CodeFamily, SI_ASYNCIO, SI_KERNEL, SI_MESGQ, SI_SIGIO, SI_TIMER,
    SYS_SECCOMP, SYS_USER_DISPATCH, TRAP_PERF, exiting_child, family_of_code,
};
use crate::event::syscall::is_in_ptrace;
use crate::record::{EndFacts, Ending, PF_EXITING, ProcessFacts, SigInfo, Snapshot};

/// What can be said without the stack.
pub(super) fn by_rules(facts: &Snapshot<'_>) -> Verdict {
    let origin = origin_by_rules(facts);
    let reason = match (facts.signal, facts.info) {
        (BUS, SigInfo::Given { code: BUS_MCEERR_AR | BUS_MCEERR_AO, .. }) if origin == Origin::Fault => {
            Some(Reason::MemoryFailure)
        }
        (_, SigInfo::Given { code: SI_MESGQ, .. }) if origin == Origin::Io => Some(Reason::MessageQueue),
        // Wine runs Windows programs by it: the target's own system call, which it asked to get as a signal
        (SYS, SigInfo::Given { code: SYS_USER_DISPATCH, .. }) if facts.is_to_itself() => {
            Some(Reason::UserDispatch)
        }
        (KILL, _) if origin == Origin::Ptrace => Some(Reason::PtraceKill),
        _ => None,
    };
    Verdict { reason, ..Verdict::of(origin) }
}

#[allow(clippy::match_same_arms)] // the order of the rows is the meaning
fn origin_by_rules(facts: &Snapshot<'_>) -> Origin {
    let to_itself = facts.is_to_itself();
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
        // the kernel found bad memory, whatever was running
        (BUS, SigInfo::Given { code: BUS_MCEERR_AR | BUS_MCEERR_AO, .. }) => Origin::Fault,
        (signal, SigInfo::Given { code: code @ 1..=6, fields }) if !is_fault_signal(signal) || !to_itself => {
            match family_of_code(signal, code, fields, exiting_child(facts)) {
                CodeFamily::Child => Origin::Child,
                CodeFamily::Poll => Origin::Io,
                CodeFamily::Signal | CodeFamily::Unknown => Origin::Kernel,
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

/// kernel/ptrace.c: `PTRACE_KILL` sends it to the thread, without a siginfo (since 5.19).
pub(crate) fn is_ptrace_kill(facts: &Snapshot<'_>) -> bool {
    facts.signal == KILL && facts.info == SigInfo::None && !facts.group && !facts.is_to_itself()
}

fn leads_its_session(facts: &Snapshot<'_>) -> bool {
    facts.current_process().map(|process| process.pid) == Some(facts.current.session)
}

/// What an end without a signal was brought about by, where seccomp or a tracer has left its mark on the task. That
/// nothing was seen proves nothing: a tracer that let go of it leaves none.
pub fn of_end(facts: &EndFacts<'_>) -> Option<Origin> {
    let Ending::Signal { number, .. } = facts.ending else { return None };
    if let Some(taken) = facts.delivery {
        // a process took it from the queue, where a tracer's stands with the tracer's pid: seccomp ends without that
        let tracer = facts.tracer.and_then(|place| facts.processes.get(place)).filter(|_| facts.is_traced);
        let is_its = |tracer: &ProcessFacts<'_>| {
            taken.pid().is_some_and(|pid| facts.task.namespace_level > 0 || pid == tracer.pid)
        };
        return tracer.filter(|tracer| is_its(tracer)).map(|_| Origin::Ptrace);
    }
    // kernel/seccomp.c: SECCOMP_MODE_STRICT ends by SIGKILL, a filter (2) by SIGSYS; since 5.17 both are
    // SECCOMP_MODE_DEAD (3) when they end
    match (number, facts.seccomp_mode) {
        (KILL, 1 | 3) | (SYS, 2 | 3) => Some(Origin::Seccomp),
        _ if facts.is_traced => Some(Origin::Ptrace),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::decide;
    use super::*;
    use crate::event::samples::{about, exiting, facts, given, in_call, on_a_terminal, process, to_itself};
    use crate::event::trigger::may_be_trigger;
    use crate::record::Delivery;

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

    /// What was taken from the queue outranks the marks: seccomp takes nothing, and a tracer's has its own pid.
    #[test]
    fn an_end_by_what_was_taken_is_its_tracers_if_that_is_its_sender() {
        let taken = |number, seccomp_mode, pid| {
            let ending = Ending::Signal { number, core_dumped: false };
            let mut end = EndFacts { is_traced: true, seccomp_mode, ..EndFacts::of(process(100), ending) };
            end.processes.push(process(300));
            EndFacts { tracer: Some(1), delivery: Some(Delivery { code: 0, words: [pid, 0] }), ..end }
        };
        assert_eq!(of_end(&taken(15, 0, 300)), Some(Origin::Ptrace));
        assert_eq!(of_end(&taken(15, 0, 200)), None, "of another process");
        assert_eq!(of_end(&EndFacts { is_traced: false, ..taken(SYS, 2, 300) }), None);
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
}
