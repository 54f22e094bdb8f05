//! An event: the facts of one record, judged once. Pure: what the host says besides is handed in.
//!
//! What formats print of it is in [`render`](crate::output::render).

mod attempt;
mod authors;
pub mod context;
mod end;
mod fault;
pub mod flood;
pub mod header;
mod loss;
pub(crate) mod numbers;
pub mod origin;
mod reboot;
mod refused_call;
pub mod relation;
mod request;
mod rlimit;
#[cfg(test)]
mod samples;
mod siginfo;
pub mod signal;
mod signal_event;
pub mod summary;
mod syscall;
mod target_state;
mod terminal;
mod trigger;

use self::context::{Context, EarlierSignal};
use self::origin::AttributedSignal;
use crate::enrich::surroundings::Surroundings;
use crate::record::Record;

pub use self::attempt::AttemptEvent;
pub use self::authors::{Author, Authors, Class, LossAuthor};
pub use self::end::EndEvent;
pub use self::loss::{Lost, LostEvent};
pub use self::reboot::Reboot;
pub use self::refused_call::RefusedCall;
pub use self::request::RequestEvent;
pub use self::rlimit::{Rlimit, RlimitValue};
pub use self::signal_event::SignalEvent;
pub use self::target_state::{Freezer, IgnoredBecause};
pub use self::terminal::tty_name;
pub use crate::base::clock::Clock;
pub use crate::record::Outcome;

/// One line of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<'a> {
    /// A signal.
    Signal(Box<SignalEvent<'a>>),
    /// A call that failed, or only asked.
    Attempt(Box<AttemptEvent<'a>>),
    /// An end: after a signal, or one that none explains.
    End(Box<EndEvent<'a>>),
    /// A command that asks a service manager or a container runtime for something.
    Request(Box<RequestEvent<'a>>),
    /// Lost records.
    Lost(LostEvent),
}

impl Event<'_> {
    /// When it was, or was reported: RFC 3339, UTC.
    pub fn utc(&self) -> String {
        match self {
            Self::Signal(event) => event.clock.utc(event.facts.time),
            Self::Attempt(event) => event.clock.utc(event.attempt.facts.time),
            Self::End(event) => event.clock.utc(event.facts.time),
            Self::Request(event) => event.clock.utc(event.facts.time),
            Self::Lost(event) => Clock::fixed(event.time).utc(0),
        }
    }
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
                let after = EarlierSignal::before_end(&facts, None);
                EndEvent::new(*facts, id, clock, watched_since, after, Surroundings::default())
                    .map(|event| Self::End(Box::new(event)))
            }
            Record::Request(facts) => RequestEvent::new(*facts, id, clock, Surroundings::default())
                .map(|event| Self::Request(Box::new(event))),
            Record::Image(_) | Record::Oom(_) | Record::Cgroup(_) => None,
        }
    }
}
