//! What an event is, in short. Who counts, folds, filters or colours events asks this, not the words that are printed.

use super::Event;
use super::authors::Author;
use super::flood::FloodKey;
use super::signal::Signal;
use crate::record::Outcome;

/// Kinds of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum EventKind {
    /// A signal was generated.
    #[default]
    Signal,
    /// A call failed, or only asked.
    Attempt,
    /// A process or a thread ended.
    Ended,
    /// A command was executed that asks others to act on processes.
    Request,
    /// Events were lost.
    Lost,
}

impl EventKind {
    /// The word of the output contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Signal => "signal",
            Self::Attempt => "attempt",
            Self::Ended => "ended",
            Self::Request => "request",
            Self::Lost => "lost",
        }
    }

    /// The one of this word.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Signal, Self::Attempt, Self::Ended, Self::Request, Self::Lost]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// Levels of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// What happened on the host.
    Info,
    /// What this program could not see.
    Warn,
}

impl Level {
    /// The word of the output contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warn => "WARN",
        }
    }
}

/// An event in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Header {
    /// Its kind.
    pub kind: EventKind,
    /// Its number in this run. None of loss.
    pub id: Option<u64>,
    /// The signal, if its number is one.
    pub signal: Option<Signal>,
    /// What became of the signal at its target, where that is known.
    pub outcome: Option<Outcome>,
    /// The signal is proven to end its target.
    pub is_fatal: bool,
    /// The signal is about to end its target, which leaves a core.
    pub dumps_core: bool,
    /// Of an end: only a thread ended.
    pub is_of_thread: bool,
    /// Of an end: the event that reported the signal before it.
    pub after: Option<u64>,
    /// Which flood it is of.
    pub flood: FloodKey,
    /// Who pays for the room that it takes. Of loss nobody.
    pub author: Author,
    /// It stands for so many that are the same, itself one of them; 0: for itself.
    pub repeated: u64,
}

impl Header {
    /// The level of its line.
    pub fn level(&self) -> Level {
        if self.kind == EventKind::Lost { Level::Warn } else { Level::Info }
    }

    /// The signal reached a process and ends it by default: the process may die of it or, where it handles or accepts
    /// it, exit.
    pub fn may_lead_to_an_end(&self) -> bool {
        let arrived = !matches!(self.outcome, Some(Outcome::Ignored | Outcome::Overflow));
        self.kind == EventKind::Signal && arrived && self.signal.is_some_and(Signal::ends_by_default)
    }

    /// A process ended.
    pub fn is_end_of_process(&self) -> bool {
        self.kind == EventKind::Ended && !self.is_of_thread
    }

    /// Nothing that may end a process has to wait behind what cannot.
    pub fn goes_first(&self) -> bool {
        self.is_deadly() || self.may_lead_to_an_end()
    }

    /// A signal that is proven to end its target or is about to, or an end.
    pub fn is_deadly(&self) -> bool {
        self.is_fatal || self.dumps_core || self.kind == EventKind::Ended
    }
}

impl Event<'_> {
    /// The event in short.
    pub fn header(&self) -> Header {
        match self {
            Self::Signal(event) => Header {
                kind: EventKind::Signal,
                id: Some(event.id),
                signal: Some(event.signal),
                outcome: event.outcome(),
                is_fatal: event.is_fatal(),
                dumps_core: event.is_about_to_dump_core(),
                repeated: event.context.repeated.map_or(0, |repeated| repeated.count),
                flood: event.flood(),
                author: event.author(),
                ..Header::default()
            },
            Self::Attempt(event) => Header {
                kind: EventKind::Attempt,
                id: Some(event.id),
                signal: event.signal(),
                repeated: event.context.repeated.map_or(0, |repeated| repeated.count),
                flood: event.flood(),
                author: event.author(),
                ..Header::default()
            },
            Self::End(event) => Header {
                kind: EventKind::Ended,
                id: Some(event.id),
                signal: event.signal,
                is_of_thread: event.facts.is_thread,
                after: event.after.as_ref().and_then(|after| after.id),
                flood: event.flood(),
                author: event.author(),
                ..Header::default()
            },
            Self::Request(event) => Header {
                kind: EventKind::Request,
                id: Some(event.id),
                flood: event.flood(),
                author: event.author(),
                ..Header::default()
            },
            Self::Lost(_) => Header { kind: EventKind::Lost, ..Header::default() },
        }
    }
}
