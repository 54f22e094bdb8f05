//! What makes two events one flood, and who pays for the room that an event takes: decided of the facts alone, so that every
//! output folds the same and shares its room the same way.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::LazyLock;

use super::authors::Author;
use super::header::EventKind;
use super::origin::{self, Reason, Scope};
use super::{AttemptEvent, EndEvent, RequestEvent, SignalEvent};
use crate::record::{Comm, Outcome, ProcessFacts, ProcessKey, Task};

/// Users choose much of what is hashed: without a secret one of them could make two floods look like one.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// What events of one flood have in common: one signal from one source to one target, and what is printed of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct FloodKey {
    /// The kind of event.
    pub kind: EventKind,
    /// The process that sent it, if one did.
    pub source: Option<ProcessKey>,
    /// The process that it is about, if it is one.
    pub target: Option<ProcessKey>,
    /// Its number, which of an attempt need not be a signal's.
    pub signal: i32,
    /// What else is printed and is no time: an exec, another name or user, another call or result are another flood.
    pub facts: u64,
}

fn author_of(process: &ProcessFacts<'_>, task: &Task) -> Author {
    Author {
        uid: process.uid,
        cgroup: task.cgroup,
        pid: process.pid,
        comm: Comm::from(process.comm.as_ref()),
    }
}

/// Which image of a process, under which name and user.
fn image_of<'a>(process: &'a ProcessFacts<'_>) -> (u32, u32, &'a [u8]) {
    (process.exec_id, process.uid, process.comm.as_ref())
}

impl SignalEvent<'_> {
    /// Who pays: the process that sent it, else the one that it was sent to.
    pub(super) fn author(&self) -> Author {
        match self.source() {
            Some(source) => author_of(source, &self.facts.current),
            None => author_of(self.target(), &self.facts.target),
        }
    }

    pub(super) fn flood(&self) -> FloodKey {
        let verdict = &self.verdict;
        let facts = (
            self.source().map(image_of),
            image_of(self.target()),
            (verdict.origin.name(), verdict.reason.map(Reason::name)),
            (verdict.via, verdict.scope.map(Scope::name), self.code()),
            (self.outcome().map(Outcome::name), self.is_fatal()),
            self.trigger().map(ProcessFacts::key),
        );
        FloodKey {
            kind: EventKind::Signal,
            source: self.source().map(ProcessFacts::key),
            target: Some(self.target().key()),
            signal: i32::from(self.facts.signal),
            facts: HASHER.hash_one(facts),
        }
    }
}

impl AttemptEvent<'_> {
    pub(super) fn author(&self) -> Author {
        author_of(self.source(), &self.attempt.facts.current)
    }

    pub(super) fn flood(&self) -> FloodKey {
        let (attempt, verdict) = (&self.attempt, &self.verdict);
        let facts = (
            image_of(self.source()),
            self.target().map(image_of),
            (verdict.via, verdict.scope.map(Scope::name)),
            (attempt.returned, origin::pid_argument(&attempt.facts)),
        );
        FloodKey {
            kind: EventKind::Attempt,
            source: Some(self.source().key()),
            target: self.target().map(ProcessFacts::key),
            signal: attempt.signal,
            facts: HASHER.hash_one(facts),
        }
    }
}

impl EndEvent<'_> {
    pub(super) fn author(&self) -> Author {
        author_of(self.target(), &self.facts.task)
    }

    /// No two ends are one flood.
    pub(super) fn flood(&self) -> FloodKey {
        FloodKey {
            kind: EventKind::Ended,
            source: None,
            target: Some(self.target().key()),
            signal: 0,
            facts: self.id,
        }
    }
}

impl RequestEvent<'_> {
    pub(super) fn author(&self) -> Author {
        author_of(self.source(), &self.facts.task)
    }

    /// No two requests are one flood.
    pub(super) fn flood(&self) -> FloodKey {
        FloodKey {
            kind: EventKind::Request,
            source: Some(self.source().key()),
            target: None,
            signal: 0,
            facts: self.id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Clock;
    use crate::event::context::Context;
    use crate::event::origin::Origin;
    use crate::record::Snapshot;

    fn event(change: &dyn Fn(&mut Snapshot<'static>)) -> SignalEvent<'static> {
        let process = |pid| ProcessFacts::named(pid, b"x");
        let mut facts = Snapshot::between(process(7), process(9));
        (facts.signal, facts.processes[0].uid, facts.processes[1].uid) = (15, 65534, 1000);
        (facts.current.cgroup, facts.target.cgroup) = (3, 4);
        change(&mut facts);
        let mut event = SignalEvent::new(facts, 1, Clock::fixed(0), Context::default()).unwrap();
        event.verdict.origin = Origin::Process;
        event
    }

    #[test]
    fn the_same_signal_between_the_same_two_is_one_flood_and_nothing_else_is() {
        let one = event(&|_| {}).flood();
        assert_eq!(event(&|facts| facts.time += 5).flood(), one);
        let changes: [&dyn Fn(&mut Snapshot<'static>); 7] = [
            &|facts| facts.signal = 16,
            &|facts| facts.processes[0].start += 1,
            &|facts| facts.processes[1].pid += 1,
            &|facts| facts.processes[0].exec_id += 1,
            &|facts| facts.processes[0].comm = b"y"[..].into(),
            &|facts| facts.processes[1].uid += 1,
            &|facts| facts.result += 1,
        ];
        for (place, change) in changes.iter().enumerate() {
            assert_ne!(event(change).flood(), one, "{place}");
        }
    }

    #[test]
    fn the_sender_pays_and_where_nobody_sent_it_the_target() {
        let mut event = event(&|_| {});
        let of = |author: Author| (author.uid, author.cgroup, author.pid);
        assert_eq!(of(event.author()), (65534, 3, 7));
        event.verdict.origin = Origin::Kernel;
        assert_eq!(of(event.author()), (1000, 4, 9));
    }
}
