//! What a sentence says of the effect of a signal on its target.

use crate::event::numbers::{CONT, KILL};
use crate::event::{Freezer, IgnoredBecause, Outcome, SignalEvent};
use crate::record::{Blocking, Disposition};

pub(super) fn effect(event: &SignalEvent<'_>) -> &'static str {
    match (event.outcome(), event.ignored_because()) {
        (_, Some(IgnoredBecause::Set)) => ", which ignores it",
        // it goes on whatever it does with the signal
        (_, Some(IgnoredBecause::Default)) if event.facts.signal == CONT => "",
        (_, Some(IgnoredBecause::Default)) => ", which ignores it by default",
        (_, Some(IgnoredBecause::NamespaceInit)) => ", which ignored it as PID 1 of its namespace",
        (_, Some(IgnoredBecause::Exiting)) if event.target_state() == Some("zombie") => ", a zombie already",
        (_, Some(IgnoredBecause::Exiting)) if event.freezer() == Some(Freezer::Version1) => {
            ", already being killed, which is frozen: nothing happens until it is thawed"
        }
        (_, Some(IgnoredBecause::Exiting)) if event.target_state() == Some("disk-sleep") => {
            ", already being killed, which is in uninterruptible sleep"
        }
        (_, Some(IgnoredBecause::Exiting)) => ", which was ending already",
        (Some(Outcome::Ignored), None) => ", which ignored it",
        (Some(Outcome::AlreadyPending), _) => ", where one was pending already",
        (Some(Outcome::Overflow), _) => ", whose queue was full: not delivered",
        (Some(Outcome::Queued | Outcome::InfoLost), _) if is_held_by_freezer(event) => {
            ", which is frozen: nothing happens until it is thawed"
        }
        (Some(Outcome::Queued | Outcome::InfoLost), _) if event.facts.blocking == Blocking::Waited => {
            ", which is waiting for it"
        }
        (Some(Outcome::Queued | Outcome::InfoLost), _) if event.facts.has_signalfd_reader => {
            ", which has it blocked and a signalfd read"
        }
        (Some(Outcome::Queued | Outcome::InfoLost), _)
            if event.facts.signal == KILL && event.target_state() == Some("disk-sleep") =>
        {
            ", which is in uninterruptible sleep: it ends when that does"
        }
        (Some(Outcome::Queued | Outcome::InfoLost), _) if event.facts.blocking == Blocking::Blocked => {
            ", which has it blocked"
        }
        (Some(Outcome::Queued | Outcome::InfoLost), _) if event.facts.disposition == Disposition::Handled => {
            ", which handles it"
        }
        _ => "",
    }
}

/// Does the signal wait for a thaw? What kills passes the freezer of version 2.
fn is_held_by_freezer(event: &SignalEvent<'_>) -> bool {
    match event.freezer() {
        Some(Freezer::Version1) => true,
        Some(Freezer::Version2) => event.facts.signal != KILL && !event.is_fatal(),
        None => false,
    }
}
