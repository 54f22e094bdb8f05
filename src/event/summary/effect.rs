//! What a sentence says of the effect of a signal on its target.

use crate::event::numbers::{CONT, KILL};
use crate::event::{Freezer, IgnoredBecause, Outcome, SignalEvent};
use crate::record::{Blocking, Disposition};

/// What is known of it at the instant of the signal, if it is worth a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// The target does this with it: `ignores`, ` by default`.
    Does(&'static str, &'static str),
    /// The target is in this state, and what follows from that: `is frozen: nothing happens until it is thawed`.
    Is(&'static str),
    /// What the kernel did: `already pending, merged`.
    Kernel(&'static str),
}

impl Effect {
    pub(super) fn of(event: &SignalEvent<'_>) -> Option<Self> {
        use Effect::{Does, Is, Kernel};
        Some(match (event.outcome()?, event.ignored_because()) {
            _ if event.is_continued() && event.freezer().is_none() => Is("was stopped and continues"),
            // SIGCONT continues the target whatever it does with the signal
            (_, Some(IgnoredBecause::Default)) if event.facts.signal == CONT => return None,
            (_, Some(IgnoredBecause::Set)) => Does("ignores", ""),
            (_, Some(IgnoredBecause::Default)) => Does("ignores", " by default"),
            (_, Some(IgnoredBecause::NamespaceInit)) => Does("ignored", " as PID 1 of its namespace"),
            (_, Some(IgnoredBecause::Exiting)) => Is(exiting(event)),
            (Outcome::Ignored, None) => Does("ignored", ""),
            (Outcome::AlreadyPending, _) => Kernel("already pending, merged"),
            (Outcome::Overflow, _) => Kernel("not delivered: no room in the queue of signals"),
            (Outcome::Queued | Outcome::InfoLost, _) => return queued(event),
        })
    }

    /// Behind the target: `sent SIGTERM to yes(9), which handles it`.
    pub(super) fn behind_target(self) -> String {
        match self {
            Self::Does(verb, how) => format!(", which {verb} it{how}"),
            Self::Is(state) => format!(", which {state}"),
            Self::Kernel(what) => format!("; {what}"),
        }
    }

    /// Behind the signal, in a sentence about the target: `yes(9)'s timer expired: SIGALRM, which it handles`.
    pub(super) fn behind_signal(self, target: &str) -> String {
        match self {
            Self::Does(verb, how) => format!(", which it {verb}{how}"),
            other => other.of_target(target),
        }
    }

    /// Where `which` and `it` would be another: `terminal of sh(9) was closed by tmux(7): SIGHUP; sh(9) handles it`.
    pub(super) fn of_target(self, target: &str) -> String {
        match self {
            Self::Does(verb, how) => format!("; {target} {verb} it{how}"),
            Self::Is(state) => format!("; {target} {state}"),
            Self::Kernel(what) => format!("; {what}"),
        }
    }
}

fn exiting(event: &SignalEvent<'_>) -> &'static str {
    if event.target_state() == Some("zombie") {
        "is already a zombie"
    } else if event.freezer() == Some(Freezer::Version1) {
        "is already being killed, but frozen: nothing happens until it is thawed"
    } else if event.target_state() == Some("disk-sleep") {
        "is already being killed, but in uninterruptible sleep"
    } else {
        "is already exiting"
    }
}

fn queued(event: &SignalEvent<'_>) -> Option<Effect> {
    use Effect::{Does, Is};
    let facts = &event.facts;
    Some(if is_held_by_freezer(event) {
        Is("is frozen: nothing happens until it is thawed")
    } else if facts.blocking == Blocking::Waited {
        Does("is waiting for", "")
    } else if facts.has_signalfd_reader {
        Is("blocks it and reads a signalfd")
    } else if facts.signal == KILL && event.target_state() == Some("disk-sleep") {
        Is("is in uninterruptible sleep and ends after that")
    } else if facts.blocking == Blocking::Blocked {
        Does("blocks", "")
    } else if is_held_by_stop(event) {
        Is("is stopped: nothing happens until it continues")
    } else if facts.disposition == Disposition::Handled {
        Does("handles", "")
    } else {
        return None;
    })
}

/// Does the signal wait for a thaw? What kills passes the freezer of version 2.
fn is_held_by_freezer(event: &SignalEvent<'_>) -> bool {
    match event.freezer() {
        Some(Freezer::Version1) => true,
        Some(Freezer::Version2) => event.facts.signal != KILL && !event.is_fatal(),
        None => false,
    }
}

/// Does the signal wait for SIGCONT? What stops a process is no news to one that is stopped.
fn is_held_by_stop(event: &SignalEvent<'_>) -> bool {
    let acts = matches!(event.facts.signal, KILL | CONT) || event.signal.stops_by_default();
    event.target_state() == Some("stopped") && !acts && !event.is_fatal()
}
