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
    /// The event that reported the previous signal, and the origin of that.
    pub previous: Option<(u64, Origin)>,
    /// The event that reported what the source itself was sent last.
    pub last_signal_id: Option<u64>,
    /// The event that reported why the source's child died.
    pub child_death_id: Option<u64>,
    /// The kernel side counted it with others that are the same.
    pub repeated: Option<Repeated>,
}

/// An event that stands for others, and is the latest of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeated {
    /// How many there were, itself one of them.
    pub count: u64,
    /// When the first was (boot time, ns).
    pub first: u64,
}

/// A signal that came before another, or before an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierSignal {
    /// The event that reported it.
    pub id: Option<u64>,
    /// What brought it about, where an event reported it.
    pub origin: Option<Origin>,
    /// The signal.
    pub signal: Previous,
    /// Its siginfo is the one that the process took, and ended of.
    pub is_taken: bool,
}

impl EarlierSignal {
    /// The signal before an end, of those that are known: `reported` is the last of the number that it died of, as an
    /// event reported it. What it died of outranks what came last.
    pub fn before_end(end: &EndFacts<'_>, reported: Option<Self>) -> Option<Self> {
        // what was taken says who sent it
        let fits = |signal: &Previous| match (&signal.source, end.delivery.and_then(|taken| taken.pid())) {
            (Some(source), Some(pid)) => end.task.namespace_level > 0 || pid == 0 || pid == source.pid,
            _ => true,
        };
        let last = end.previous.map(|signal| Self { id: None, origin: None, signal, is_taken: false });
        match end.ending {
            Ending::Exit(_) => last,
            // it had a handler when it came, or none was printed; what a tracer or seccomp did is not what came before
            Ending::Signal { number, .. } if !end.explained => {
                let was_no_end = |signal: &Previous| signal.hidden || !signal.met_default;
                let last = last.filter(|last| last.signal.signal == number && was_no_end(&last.signal));
                last.filter(|_| origin::of_end(end).is_none())
            }
            Ending::Signal { number, .. } => {
                // one that no event reported (a filter, a full ring) may be the later one
                let last = last.filter(|last| last.signal.may_be_what_ended_it(number) && fits(&last.signal));
                match (reported, last) {
                    (Some(reported), Some(last)) if last.signal.time > reported.signal.time => Some(last),
                    (reported, last) => reported.or(last),
                }
            }
        }
    }

    /// It was taken, or met the default action, so the target died of it; one that was handled is only what came before.
    pub fn is_what_ended_it(&self) -> bool {
        self.is_taken || self.signal.met_default
    }

    /// The process that sent it, if one did.
    pub fn source(&self) -> Option<&PreviousSource> {
        self.signal.source.as_ref()
    }
}
