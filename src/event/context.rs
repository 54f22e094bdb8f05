//! What an event has beside its own record: what the host says of its processes, and what came before it.

use crate::enrich::surroundings::Surroundings;
use crate::event::origin::{self, Origin};
use crate::record::{EndFacts, Ending, Previous, PreviousSource};

/// Beside a signal's or an attempt's record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Of the source.
    pub source: Surroundings,
    /// Of the target.
    pub target: Surroundings,
    /// The event that told of the previous signal, and what brought that about.
    pub previous: Option<(u64, Origin)>,
    /// The event that told of what the source itself got last.
    pub last_signal_id: Option<u64>,
    /// The event that told why the source's child died.
    pub child_death_id: Option<u64>,
}

/// The signal that came before an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    /// The event that told of it.
    pub id: Option<u64>,
    /// What brought it about, where an event told of it.
    pub origin: Option<Origin>,
    /// It.
    pub signal: Previous,
}

impl After {
    /// The signal before an end, of those that are known: `seen` is the last of the number that it died of, as an
    /// event told it. What it died of outranks what came last.
    pub fn of(end: &EndFacts<'_>, seen: Option<Self>) -> Option<Self> {
        let last = end.previous.map(|signal| Self { id: None, origin: None, signal });
        match end.ending {
            Ending::Exit(_) => last,
            // it had a handler when it came, or none was printed; what a tracer or seccomp did is not what came before
            Ending::Signal { number, .. } if !end.explained => {
                let was_no_end = |signal: &Previous| signal.hidden || !signal.met_default;
                let last = last.filter(|last| last.signal.signal == number && was_no_end(&last.signal));
                last.filter(|_| origin::of_end(end).is_none())
            }
            Ending::Signal { number, .. } => {
                // one that no event told of (a filter, a full ring) may be the later one
                let last = last.filter(|last| last.signal.may_be_what_ended_it(number));
                match (seen, last) {
                    (Some(seen), Some(last)) if last.signal.time > seen.signal.time => Some(last),
                    (seen, last) => seen.or(last),
                }
            }
        }
    }

    /// It met the default action, so the target died of it; one that was handled is only what came before.
    pub fn is_what_ended_it(&self) -> bool {
        self.signal.met_default
    }

    /// Who sent it, if a process did.
    pub fn source(&self) -> Option<&PreviousSource> {
        self.signal.source.as_ref()
    }
}
