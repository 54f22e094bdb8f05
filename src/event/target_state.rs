//! What became of a signal at its target, and what the target was doing.

use super::numbers::CONT;
use super::signal_event::{SIGNAL_GROUP_EXIT, SignalEvent};
use crate::record::{Blocking, Disposition, Outcome, PF_EXITING, PF_KTHREAD};

/// `SIGNAL_CLD_CONTINUED`: SIGCONT came while the process was stopped, and it has not run since.
const SIGNAL_CLD_CONTINUED: u32 = 0x20;
/// `SIGNAL_UNKILLABLE`: init of a pid namespace.
const SIGNAL_UNKILLABLE: u32 = 0x40;
/// `EXIT_DEAD | EXIT_ZOMBIE` of include/linux/sched.h.
const EXIT_DONE: u32 = 0x30;
/// `JOBCTL_TRAP_FREEZE` of include/linux/sched/jobctl.h.
const JOBCTL_TRAP_FREEZE: u32 = 1 << 23;
/// `TASK_FROZEN` of include/linux/sched.h, since 6.1.
const TASK_FROZEN: u32 = 0x8000;
/// `PF_FROZEN` before 6.1; kernel threads alone use the bit since.
const PF_FROZEN: u32 = 0x1_0000;

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

/// Which freezer holds a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freezer {
    /// That of cgroups of version 1, and of a suspend: not even SIGKILL acts until the process is thawed.
    Version1,
    /// That of cgroups of version 2: SIGKILL acts at once.
    Version2,
}

impl SignalEvent<'_> {
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

    /// Nothing stands between it and the end of its target, which the kernel begins only when the target takes it, since a
    /// core is to be written first. No proof: a handler may come in between.
    pub fn is_about_to_dump_core(&self) -> bool {
        self.outcome() == Some(Outcome::Queued)
            && self.facts.disposition == Disposition::Default
            && self.signal.dumps_core_by_default()
            && self.facts.blocking != Blocking::Blocked
            && self.facts.target.signal_flags & SIGNAL_UNKILLABLE == 0
    }

    /// SIGCONT to a process that was stopped: it continues, whatever it does with the signal. One that a tracer holds continues
    /// when that lets it.
    pub fn is_continued(&self) -> bool {
        self.facts.signal == CONT
            && self.facts.target.signal_flags & SIGNAL_CLD_CONTINUED != 0
            && self.target_tracer().is_none()
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

    /// What the target was doing. Where this very signal may just have woken it, it is not known.
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
                // the reader of a signalfd is woken before this is looked at, whether the signal is blocked or not
                let was_not_woken =
                    was_not_woken && self.facts.signal != CONT && !self.facts.has_signalfd_reader;
                (is_current || was_not_woken).then_some("running")
            }
            state if state & 0x8 != 0 => Some("traced"),
            state if state & 0x4 != 0 => Some("stopped"),
            state if state & 0x1 != 0 || state & 0x402 == 0x402 => Some("sleeping"),
            state if state & 0x2 != 0 => Some("disk-sleep"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::event::samples::{event, facts, given};
    use crate::record::{Snapshot, Task};

    fn with(result: u32, target: Task) -> Snapshot<'static> {
        Snapshot { result, target, ..facts(15, given(0)) }
    }

    #[test]
    fn a_signal_is_ignored_for_the_first_reason_that_holds() {
        let lives = Task { tid: 200, live: 1, ..Task::default() };
        let init = Task { signal_flags: SIGNAL_UNKILLABLE, ..lives };
        let ignored = |result, disposition, target| {
            event(Snapshot { disposition, ..with(result, target) }).ignored_because()
        };
        for (disposition, target, reason) in [
            (Disposition::Ignored, lives, Some(IgnoredBecause::Set)),
            (Disposition::Ignored, Task { live: 0, ..lives }, Some(IgnoredBecause::Exiting)),
            (Disposition::Default, init, Some(IgnoredBecause::NamespaceInit)),
            (Disposition::Default, lives, None),
        ] {
            assert_eq!(ignored(1, disposition, target), reason);
            assert_eq!(ignored(0, disposition, target), None, "it was queued");
        }
    }

    #[test]
    fn a_core_is_about_to_be_written_where_nothing_stands_before_it() {
        let lives = Task { tid: 200, live: 1, ..Task::default() };
        let init = Task { signal_flags: SIGNAL_UNKILLABLE, ..lives };
        let quit = |target| Snapshot { signal: 3, disposition: Disposition::Default, ..with(0, target) };
        for (facts, is_deadly) in [
            (quit(lives), true),
            (quit(init), false),
            (Snapshot { signal: 15, ..quit(lives) }, false),
            (Snapshot { result: 1, ..quit(lives) }, false),
            (Snapshot { disposition: Disposition::Handled, ..quit(lives) }, false),
            (Snapshot { blocking: Blocking::Blocked, ..quit(lives) }, false),
        ] {
            let event = event(facts);
            assert_eq!((event.is_about_to_dump_core(), event.is_fatal()), (is_deadly, false), "{event:?}");
            assert_eq!(Event::Signal(Box::new(event)).header().is_deadly(), is_deadly);
        }
    }

    #[test]
    fn what_was_stopped_continues_with_sigcont_alone_and_not_for_a_tracer() {
        let stopped = Task { tid: 200, live: 1, signal_flags: SIGNAL_CLD_CONTINUED | 0x2, ..Task::default() };
        let runs = Task { signal_flags: 0x2, ..stopped };
        let cont = |result, target| Snapshot { signal: CONT, ..with(result, target) };
        for (facts, is_continued) in [
            (cont(1, stopped), true),
            (cont(0, stopped), true),
            // it was continued before, and has run since
            (cont(1, runs), false),
            (with(0, stopped), false),
            (Snapshot { target_tracer: Some(2), ..cont(1, stopped) }, false),
        ] {
            assert_eq!(event(facts.clone()).is_continued(), is_continued, "{facts:?}");
        }
    }

    #[test]
    fn a_running_target_may_have_been_woken_by_the_signal() {
        let target = Task { tid: 200, live: 1, ..Task::default() };
        let state = |result, target| event(with(result, target)).target_state();
        assert_eq!(state(0, target), None);
        assert_eq!(state(1, target), Some("running"), "it was ignored");
        for (target, known) in [
            (Task { tid: 100, ..target }, Some("running")),
            (Task { state: 0x1, ..target }, Some("sleeping")),
            (Task { state: 0x2, ..target }, Some("disk-sleep")),
            (Task { state: 0x4, ..target }, Some("stopped")),
            (Task { state: TASK_FROZEN, ..target }, Some("frozen")),
            (Task { exit_state: EXIT_DONE, live: 0, ..target }, Some("zombie")),
            (Task { exit_state: EXIT_DONE, ..target }, None),
        ] {
            assert_eq!(state(0, target), known);
        }
    }
}
