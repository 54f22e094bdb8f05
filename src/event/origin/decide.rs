//! Did a process send it? The order of the questions matters.
//!
//! A system call's number is stale outside the call, so it counts only where the kernel side saw the task inside one, and only
//! if the arguments name this very signal (an interrupt may send another). After that, the call outranks `si_code`, which is a
//! sender's claim; and where no process sent it, the kernel's own stack outranks the rules.

use super::cause::of_cause;
use super::without_stack::by_rules;
use super::{Origin, Scope, Verdict};
use crate::event::numbers::KILL;
use crate::event::siginfo::{SI_QUEUE, SI_SIGIO, SI_TKILL, SI_USER, is_claimed_by_a_sender, may_be_io};
use crate::event::syscall::{
    Call, PIDFD_SIGNAL_PROCESS_GROUP, PIDFD_SIGNAL_THREAD, PIDFD_SIGNAL_THREAD_GROUP, is_in_ptrace,
};
use crate::record::cause::Cause;
use crate::record::{PF_EXITING, PF_IO_WORKER, PF_KTHREAD, SigInfo, Snapshot};

/// Decides from the facts of one record.
pub(crate) fn decide(facts: &Snapshot<'_>) -> Verdict {
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
            && call.may_leave(facts.info, facts.is_to_itself())
            && !facts.is_info_off_stack
    });
    // past a call that failed, task work may send for I/O from the same stack, while the registers hold the call still; that
    // of a call that never ran, since a filter of seccomp answered -ENOSYS in its place, looks active
    let may_be_claimed = matches!(facts.info, SigInfo::Given { code: SI_SIGIO, .. });
    let is_past_it =
        facts.syscall.is_some_and(|call| !call.is_active || may_be_claimed) && may_be_io(facts.info);
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

/// By the kernel's own stack; else by rules.
fn without_a_sender(facts: &Snapshot<'_>) -> Verdict {
    let cause = facts.explanation.as_ref().and_then(|explanation| explanation.cause);
    if let Some((origin, reason)) = cause.and_then(|cause| of_cause(cause, facts)) {
        return Verdict { reason, ..Verdict::of(origin) };
    }
    by_rules(facts)
}

/// The call that an attempt was made by, and whom it meant: as it was asked for, since nobody got a signal.
pub fn attempt(facts: &Snapshot<'_>) -> Verdict {
    let call = facts.syscall.as_ref().and_then(|syscall| Some((Call::of(syscall)?, syscall.args)));
    match call {
        // nobody was reached, so that only the flags say; without them it depends on the kind of descriptor
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

#[cfg(test)]
mod tests {
    use super::super::{Origin, Scope};
    use super::*;
    use crate::event::samples::{exiting, facts, given, in_call, shown, to_itself};
    use crate::event::siginfo::SI_TIMER;
    use crate::event::syscall::pid_argument;

    /// The siginfo of a timer lies elsewhere; past a call that failed, that of I/O lies where the call's would.
    #[test]
    fn what_an_interrupt_or_task_work_brings_is_not_sent_by_the_call() {
        let mut timer = in_call(facts(10, given(SI_TIMER)), 129, [200, 10, 0, 0]);
        assert_eq!(decide(&timer).origin, Origin::Process);
        timer.is_info_off_stack = true;
        assert_eq!((decide(&timer).origin, decide(&timer).code_forged), (Origin::Timer, false));
        let mut input = in_call(facts(11, given(SI_SIGIO)), 129, [200, 11, 0, 0]);
        // a call that a filter of seccomp answered in its place looks active as well
        for is_active in [true, false] {
            if let Some(call) = &mut input.syscall {
                call.is_active = is_active;
            }
            assert!(decide(&input).is_undecided && decide(&input).origin == Origin::Io);
            assert_eq!(decide(&shown(Cause::Io, input.clone())).origin, Origin::Io);
            assert_eq!(decide(&shown(Cause::Call, input.clone())).origin, Origin::Process);
        }
    }

    #[test]
    fn a_code_above_0_to_another_process_is_of_no_call() {
        let input = in_call(facts(15, given(1)), 424, [3, 15, 0, 0]);
        assert_eq!((decide(&input).origin, decide(&input).code_forged), (Origin::Kernel, false));
        let itself = to_itself(in_call(facts(15, given(1)), 424, [3, 15, 0, 0]));
        assert_eq!((decide(&itself).origin, decide(&itself).code_forged), (Origin::Process, true));
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
    fn without_registers_only_a_senders_codes_make_a_sender() {
        let mut old = facts(15, given(0));
        old.has_registers = false;
        old.in_syscall = true;
        assert_eq!(decide(&old).origin, Origin::Process);
        old.info = given(SI_TIMER);
        assert_eq!(decide(&old).origin, Origin::Timer);
    }
}
