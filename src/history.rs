//! Which event told of which signal: so that an end, and the next signal to the same process, can refer to it.
//!
//! The kernel side keeps what came before with the process; only the numbers of events are known here alone. Memory
//! is bounded: the process that was not signalled for the longest time is forgotten first, and then its events are
//! not referred to.

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use lru::LruCache;

use crate::context::After;
use crate::origin::{self, Origin};
use crate::record::{
    ChildDeath, Disposition, EndFacts, Ending, Previous, PreviousSource, ProcessFacts, Snapshot,
};

/// Processes that are remembered.
const PROCESSES: NonZeroUsize = NonZeroUsize::new(4096).unwrap();
/// Signals of each.
const SIGNALS: usize = 8;
/// Deaths that are remembered: a second's worth is asked for.
const ENDED: usize = 1024;
/// The first signal that queues (`SIGRTMIN` of the kernel).
const REALTIME: u8 = 32;
/// What the time of a death is rounded down to (`CHILD_DEATH` of record.h).
const GRAIN: u64 = 1 << 20;

#[derive(Debug)]
struct Seen {
    id: u64,
    origin: Origin,
    signal: Previous,
}

/// A death, and the event that tells of it: of the signal, or else of the end.
#[derive(Debug)]
struct Ended {
    death: ChildDeath,
    id: u64,
}

#[derive(Debug)]
struct Process {
    start: u64,
    seen: VecDeque<Seen>,
}

/// The events of late.
#[derive(Debug)]
pub struct History {
    processes: LruCache<u32, Process>,
    ended: VecDeque<Ended>,
}

impl Default for History {
    fn default() -> Self {
        Self { processes: LruCache::new(PROCESSES), ended: VecDeque::new() }
    }
}

impl History {
    /// A signal that is told as the event `id`.
    pub fn note(&mut self, id: u64, snapshot: &Snapshot<'_>) {
        let first = |chain: &[usize]| snapshot.processes.get(*chain.first()?);
        let Some(target) = first(&snapshot.target_chain) else { return };
        let origin = origin::decide(snapshot).origin;
        let source = first(&snapshot.current_chain).filter(|_| origin.has_source()).map(|source| {
            PreviousSource { pid: source.pid, start: source.start, comm: source.comm.to_vec() }
        });
        let signal = Previous {
            time: snapshot.time,
            signal: snapshot.signal,
            result: snapshot.result,
            hidden: false,
            met_default: snapshot.disposition == Disposition::Default,
            source,
        };
        self.push(target, Seen { id, origin, signal });
    }

    fn push(&mut self, target: &ProcessFacts<'_>, seen: Seen) {
        let process = self
            .processes
            .get_or_insert_mut(target.pid, || Process { start: target.start, seen: VecDeque::new() });
        // a pid that is used again is another process
        if process.start != target.start {
            process.start = target.start;
            process.seen.clear();
        }
        if process.seen.len() >= SIGNALS {
            process.seen.pop_front();
        }
        process.seen.push_back(seen);
    }

    fn of(&self, pid: u32, start: u64) -> Option<&VecDeque<Seen>> {
        self.processes.peek(&pid).filter(|process| process.start == start).map(|process| &process.seen)
    }

    /// What the OOM killer said came after the signal: it was its.
    pub fn note_oom(&mut self, pid: u32, signal: u8) {
        let process = self.processes.peek_mut(&pid);
        let seen = process
            .and_then(|process| process.seen.iter_mut().rev().find(|seen| seen.signal.signal == signal));
        if let Some(seen) = seen {
            seen.origin = Origin::Oom;
        }
    }

    /// The event that told of the signal before this one, and its origin.
    pub fn previous(&self, snapshot: &Snapshot<'_>) -> Option<(u64, Origin)> {
        let target = snapshot.processes.get(*snapshot.target_chain.first()?)?;
        let previous = snapshot.previous.as_ref()?;
        let mut seen = self.of(target.pid, target.start)?.iter();
        seen.find(|seen| seen.signal.time == previous.time && seen.signal.signal == previous.signal)
            .map(|seen| (seen.id, seen.origin))
    }

    /// The event that told of what a child died of: by its end, whose time the death has.
    pub fn death_id(&self, death: &ChildDeath) -> Option<u64> {
        self.ended.iter().rev().find(|ended| ended.death == *death).map(|ended| ended.id)
    }

    /// An end that is told as the event `id`, after this signal.
    pub fn note_end(&mut self, id: u64, end: &EndFacts<'_>, after: Option<&After>) {
        let (Some(process), Ending::Signal { number, .. }) = (end.processes.first(), end.ending) else {
            return;
        };
        let death = ChildDeath { pid: process.pid, signal: number, time: end.time & !(GRAIN - 1) };
        let told = after.filter(|after| after.is_what_ended_it()).and_then(|after| after.id);
        if self.ended.len() >= ENDED {
            self.ended.pop_front();
        }
        self.ended.push_back(Ended { death, id: told.unwrap_or(id) });
    }

    /// The signal before an end.
    pub fn after(&self, end: &EndFacts<'_>) -> Option<After> {
        let process = end.processes.first()?;
        let seen = self.of(process.pid, process.start);
        let mut several = false;
        let died_of = match end.ending {
            Ending::Signal { number, .. } => seen.and_then(|seen| {
                // one that was ignored, or came while another was pending, is not what it died of
                let mut arrived = seen.iter().rev().filter(|seen| seen.signal.may_be_what_ended_it(number));
                let seen = arrived.next()?;
                // real-time signals queue up: which of several was taken out last cannot be known
                if number >= REALTIME && arrived.next().is_some() {
                    several = true;
                    return None;
                }
                Some(After { id: Some(seen.id), origin: Some(seen.origin), signal: seen.signal.clone() })
            }),
            Ending::Exit(_) => None,
        };
        if several {
            return None;
        }
        let mut after = After::of(end, died_of)?;
        if after.id.is_none() {
            let told = seen.and_then(|seen| seen.iter().find(|seen| seen.signal.time == after.signal.time));
            after.id = told.map(|seen| seen.id);
            after.origin = told.map(|seen| seen.origin);
        }
        Some(after)
    }
}
