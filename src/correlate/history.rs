//! Which event told of which signal: so that an end, and the next signal to the same process, can refer to it.
//!
//! The kernel side keeps what came before with the process; only the numbers of events are known here alone. Memory
//! is bounded: the process that was not signalled for the longest time is forgotten first, and then its events are
//! not referred to.

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use lru::LruCache;
use rustc_hash::FxBuildHasher;

use crate::event::context::After;
use crate::event::origin::Origin;
use crate::record::{ChildDeath, Comm, Disposition, EndFacts, Ending, Previous, PreviousSource, Snapshot};

/// Processes that are remembered.
const PROCESSES: NonZeroUsize = NonZeroUsize::new(4096).unwrap();
/// Signals of each.
const SIGNALS: usize = 8;
/// Deaths that are remembered: a second's worth is asked for.
const ENDED: usize = 1024;
/// The first signal that queues (`SIGRTMIN` of the kernel).
const REALTIME: u8 = 32;

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

/// What is noted of a signal, but for its number and its time.
#[derive(Debug, Clone, Copy)]
pub struct SignalNote {
    /// Of the target.
    pid: u32,
    start: u64,
    origin: Origin,
    /// Of no time.
    signal: Previous,
}

impl SignalNote {
    /// Of this one, which that brought about.
    pub fn of(snapshot: &Snapshot<'_>, origin: Origin) -> Option<Self> {
        let first = |chain: &[usize]| snapshot.processes.get(*chain.first()?);
        let target = first(&snapshot.target_chain)?;
        let source = first(&snapshot.current_chain).filter(|_| origin.has_source()).map(|source| {
            PreviousSource { pid: source.pid, start: source.start, comm: Comm::from(&*source.comm) }
        });
        let signal = Previous {
            time: 0,
            signal: snapshot.signal,
            result: snapshot.result,
            hidden: false,
            met_default: snapshot.disposition == Disposition::Default,
            is_page_fault: false,
            source,
        };
        Some(Self { pid: target.pid, start: target.start, origin, signal })
    }
}

/// The events of late.
#[derive(Debug)]
pub struct History {
    processes: LruCache<u32, Process, FxBuildHasher>,
    ended: VecDeque<Ended>,
}

impl Default for History {
    fn default() -> Self {
        Self { processes: LruCache::with_hasher(PROCESSES, FxBuildHasher), ended: VecDeque::new() }
    }
}

impl History {
    /// A signal that is told as the event `id`.
    pub fn note(&mut self, id: u64, snapshot: &Snapshot<'_>, origin: Origin) {
        if let Some(noted) = SignalNote::of(snapshot, origin) {
            self.note_repeat(id, snapshot.time, &noted);
        }
    }

    /// The same of a signal of this time that is one before once more.
    pub fn note_repeat(&mut self, id: u64, time: u64, noted: &SignalNote) {
        let SignalNote { pid, start, origin, signal } = *noted;
        let seen = Seen { id, origin, signal: Previous { time, ..signal } };
        let process = self.processes.get_or_insert_mut(pid, || Process { start, seen: VecDeque::new() });
        // a pid that is used again is another process
        if process.start != start {
            process.start = start;
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

    /// The OOM killer was found to have sent the signal of the event `id`, which was noted before that was known. Of no
    /// other: it also marks processes that somebody else has killed.
    pub fn note_oom(&mut self, id: u64, snapshot: &Snapshot<'_>) {
        let target = snapshot.target_chain.first().and_then(|&place| snapshot.processes.get(place));
        let Some(process) = target.and_then(|target| self.processes.peek_mut(&target.pid)) else { return };
        if let Some(seen) = process.seen.iter_mut().find(|seen| seen.id == id) {
            seen.origin = Origin::Oom;
        }
    }

    /// The event that told of the signal before this one, and its origin.
    pub fn previous(&self, snapshot: &Snapshot<'_>) -> Option<(u64, Origin)> {
        let target = snapshot.processes.get(*snapshot.target_chain.first()?)?;
        let previous = snapshot.previous.as_ref()?;
        self.told(target.pid, target.start, previous.time, previous.signal)
    }

    /// The event that told of what the running process itself got last.
    pub fn to_source(&self, snapshot: &Snapshot<'_>) -> Option<u64> {
        let source = snapshot.processes.get(*snapshot.current_chain.first()?)?;
        let last = snapshot.to_source.as_ref()?;
        self.told(source.pid, source.start, last.time, last.signal).map(|(id, _)| id)
    }

    /// The same of the target of a signal that is one before once more.
    pub fn previous_of_repeat(&self, noted: &SignalNote, time: u64, signal: u8) -> Option<(u64, Origin)> {
        self.told(noted.pid, noted.start, time, signal)
    }

    fn told(&self, pid: u32, start: u64, time: u64, signal: u8) -> Option<(u64, Origin)> {
        let mut seen = self.of(pid, start)?.iter();
        seen.find(|seen| seen.signal.time == time && seen.signal.signal == signal)
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
        let death =
            ChildDeath { pid: process.pid, signal: number, time: end.time & !(ChildDeath::GRAIN - 1) };
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
                Some(After { id: Some(seen.id), origin: Some(seen.origin), signal: seen.signal })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::ProcessFacts;

    fn process(pid: u32, start: u64) -> ProcessFacts<'static> {
        ProcessFacts { start, ..ProcessFacts::named(pid, b"x") }
    }

    fn signal(pid: u32, start: u64, signal: u8, time: u64) -> Snapshot<'static> {
        Snapshot { time, signal, ..Snapshot::between(process(1, 1), process(pid, start)) }
    }

    fn death(number: u8, start: u64) -> EndFacts<'static> {
        let ending = Ending::Signal { number, core_dumped: false };
        EndFacts { time: 50 << 20, ..EndFacts::of(process(9, start), ending) }
    }

    #[test]
    fn the_last_that_arrived_of_the_number_is_what_it_died_of() {
        let mut history = History::default();
        history.note(1, &signal(9, 5, 15, 10), Origin::Kernel);
        history.note(2, &signal(9, 5, 15, 20), Origin::Kernel);
        history.note(3, &Snapshot { result: 1, ..signal(9, 5, 15, 30) }, Origin::Kernel);
        history.note(4, &signal(9, 5, 10, 40), Origin::Kernel);
        assert_eq!(history.after(&death(15, 5)).and_then(|after| after.id), Some(2));
        assert_eq!(history.after(&death(10, 5)).and_then(|after| after.id), Some(4));
        assert_eq!(history.after(&death(9, 5)), None);
        assert_eq!(history.after(&death(15, 6)), None, "the pid is another process's by now");
    }

    #[test]
    fn of_several_real_time_signals_none_is_blamed() {
        let mut history = History::default();
        history.note(1, &signal(9, 5, 34, 10), Origin::Kernel);
        assert_eq!(history.after(&death(34, 5)).and_then(|after| after.id), Some(1));
        history.note(2, &signal(9, 5, 34, 20), Origin::Kernel);
        assert_eq!(history.after(&death(34, 5)), None);
    }

    #[test]
    fn one_that_no_event_told_of_is_blamed_if_it_is_later() {
        let mut history = History::default();
        history.note(1, &signal(9, 5, 15, 10), Origin::Kernel);
        let unreported = Previous {
            time: 20,
            signal: 15,
            result: 0,
            hidden: false,
            met_default: true,
            is_page_fault: false,
            source: Some(PreviousSource { pid: 77, start: 7, comm: b"quiet"[..].into() }),
        };
        let end = EndFacts { previous: Some(unreported), ..death(15, 5) };
        let after = history.after(&end).unwrap();
        assert_eq!((after.id, after.source().map(|source| source.pid)), (None, Some(77)));
        let told = EndFacts { previous: Some(Previous { time: 10, ..unreported }), ..death(15, 5) };
        assert_eq!(history.after(&told).and_then(|after| after.id), Some(1));
    }

    #[test]
    fn only_the_signal_of_the_oom_killers_own_event_is_its() {
        let mut history = History::default();
        history.note(1, &signal(9, 5, 9, 10), Origin::Kernel);
        history.note(2, &signal(9, 5, 9, 20), Origin::Kernel);
        let origins = |history: &History| -> Vec<Origin> {
            history.of(9, 5).unwrap().iter().map(|seen| seen.origin).collect()
        };
        history.note_oom(3, &signal(9, 5, 9, 30));
        assert_eq!(origins(&history), [Origin::Kernel, Origin::Kernel]);
        history.note_oom(1, &signal(9, 5, 9, 10));
        assert_eq!(origins(&history), [Origin::Oom, Origin::Kernel]);
    }

    #[test]
    fn a_childs_death_is_told_by_its_end_and_no_other_of_its_pid() {
        let mut history = History::default();
        history.note(1, &signal(9, 5, 9, 10), Origin::Kernel);
        let end = death(9, 5);
        let after = history.after(&end);
        history.note_end(2, &end, after.as_ref());
        let died = |time| ChildDeath { pid: 9, signal: 9, time };
        assert_eq!(history.death_id(&died(50 << 20)), Some(1));
        assert_eq!(history.death_id(&died(51 << 20)), None);
        history.note_end(3, &EndFacts { time: 60 << 20, ..death(9, 6) }, None);
        assert_eq!(history.death_id(&died(60 << 20)), Some(3), "the end tells it, where no signal does");
    }

    #[test]
    fn memory_is_bounded() {
        let mut history = History::default();
        for pid in 0..20_000 {
            history.note(u64::from(pid), &signal(pid, 5, 15, 10), Origin::Kernel);
            history.note_end(0, &death(9, 5), None);
        }
        for time in 0..100 {
            history.note(time, &signal(3, 5, 15, time), Origin::Kernel);
        }
        assert_eq!((history.processes.len(), history.ended.len()), (PROCESSES.get(), ENDED));
        assert_eq!(history.of(3, 5).map(VecDeque::len), Some(SIGNALS));
    }
}
