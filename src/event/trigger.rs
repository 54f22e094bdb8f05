//! The process that was on the CPU where a signal has no source, if it says something of the cause.

use super::numbers::{CONT, HUP};
use super::origin::{Origin, is_ptrace_kill};
use super::signal_event::SignalEvent;
use crate::record::{PF_EXITING, PF_KTHREAD, ProcessFacts, SigInfo, Snapshot, word};

impl<'a> SignalEvent<'a> {
    /// The process that was on the CPU, where that says something of the cause and is not the source.
    pub fn trigger(&self) -> Option<&ProcessFacts<'a>> {
        // A hang-up comes from the process that lets the terminal go, in or just after a call; memory runs out anywhere.
        // Everything else may be an interrupt's in any process.
        let is_hang_up = self.verdict.origin == Origin::Tty && matches!(self.facts.signal, HUP | CONT);
        let at_work = self.facts.in_syscall
            || self.facts.current.flags & PF_EXITING != 0
            || is_hang_up
            || self.verdict.origin == Origin::Oom;
        let at_work = at_work || self.facts.explanation.is_some();
        let worth = at_work
            && may_be_trigger(&self.facts, self.verdict.origin)
            && (self.verdict.origin != Origin::Child || self.current_is_the_child());
        let worth = worth || self.verdict.is_undecided;
        (!self.verdict.origin.has_source() && worth).then(|| self.current())
    }

    /// Is the running process the child that this SIGCHLD is about? A process that exits also notifies the reaper of
    /// the zombies that it leaves. The siginfo names the child by its pid in the target's namespace.
    fn current_is_the_child(&self) -> bool {
        let (current, target) = (&self.facts.current, &self.facts.target);
        let SigInfo::Given { fields, .. } = self.facts.info else { return false };
        let child = word(&fields, 0);
        if target.namespace_level == 0 {
            child == self.current().pid
        } else {
            current.namespace_inode == target.namespace_inode && child == current.namespace_pid
        }
    }
}

/// Could the running task say something of the cause (it closed the terminal, its thread ended)? The
/// idle task and kernel threads cannot.
pub(super) fn may_be_trigger(facts: &Snapshot<'_>, origin: Origin) -> bool {
    let is_process = facts.current.tid != 0 && facts.current.flags & PF_KTHREAD == 0;
    if let Some(explanation) = &facts.explanation {
        return is_process && !explanation.in_interrupt && (origin == Origin::Oom || !facts.is_to_itself());
    }
    is_process
        && (origin == Origin::Oom || !facts.is_to_itself())
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
