//! Which event reported which signal, so that an end, and the next signal to the same process, can refer to it.
//!
//! The kernel side keeps what came before with the process; only the numbers of events are known here alone. Memory
//! is bounded: the process that was not signalled for the longest time is forgotten first, and then its events are
//! not referred to.

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use lru::LruCache;
use rustc_hash::FxBuildHasher;

use crate::event::context::EarlierSignal;
use crate::event::numbers::KERNEL_SIGRTMIN;
use crate::event::origin::Origin;
use crate::record::{
    ChildDeath, Comm, Delivery, Disposition, EndFacts, Ending, Previous, PreviousSource, QueuedInfo, Snapshot,
};

/// Processes that are remembered.
const PROCESSES: NonZeroUsize = NonZeroUsize::new(4096).unwrap();
/// Signals of each.
const SIGNALS: usize = 8;
/// Deaths that are remembered: a second's worth is asked for.
const DEATHS: usize = 1024;

/// A signal, and the event that reported it.
#[derive(Debug)]
struct SignalEntry {
    id: u64,
    origin: Origin,
    signal: Previous,
    queued: QueuedInfo,
}

/// A death, and the event that reported it: the signal's, or else the end's.
#[derive(Debug)]
struct DeathEntry {
    death: ChildDeath,
    id: u64,
}

/// The last signals to one process.
#[derive(Debug)]
struct ProcessEntry {
    start: u64,
    signals: VecDeque<SignalEntry>,
}

/// What is kept of a signal, but for the number of its event and its time.
#[derive(Debug, Clone, Copy)]
pub struct SignalNote {
    /// Of the target.
    pid: u32,
    start: u64,
    origin: Origin,
    /// Of no time.
    signal: Previous,
    queued: QueuedInfo,
}

impl SignalNote {
    /// Of this one, with the origin that was decided. None for a record of nobody.
    pub fn of(snapshot: &Snapshot<'_>, origin: Origin) -> Option<Self> {
        let target = snapshot.target_process()?;
        let source = snapshot.current_process().filter(|_| origin.has_source()).map(|source| {
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
        let queued = QueuedInfo::of(snapshot);
        Some(Self { pid: target.pid, start: target.start, origin, signal, queued })
    }
}

/// The recent events.
#[derive(Debug)]
pub struct History {
    processes: LruCache<u32, ProcessEntry, FxBuildHasher>,
    deaths: VecDeque<DeathEntry>,
}

impl Default for History {
    fn default() -> Self {
        Self { processes: LruCache::with_hasher(PROCESSES, FxBuildHasher), deaths: VecDeque::new() }
    }
}

impl History {
    /// Keeps a signal that is reported as the event `id`.
    pub fn note(&mut self, id: u64, snapshot: &Snapshot<'_>, origin: Origin) {
        if let Some(note) = SignalNote::of(snapshot, origin) {
            self.note_repeat(id, snapshot.time, &note);
        }
    }

    /// Keeps a signal that is the same as an earlier one, but for its time.
    pub fn note_repeat(&mut self, id: u64, time: u64, note: &SignalNote) {
        let SignalNote { pid, start, origin, signal, queued } = *note;
        let entry = SignalEntry { id, origin, signal: Previous { time, ..signal }, queued };
        let new = || ProcessEntry { start, signals: VecDeque::new() };
        let process = self.processes.get_or_insert_mut(pid, new);
        // a pid that is used again is another process
        if process.start != start {
            process.start = start;
            process.signals.clear();
        }
        if process.signals.len() >= SIGNALS {
            process.signals.pop_front();
        }
        process.signals.push_back(entry);
    }

    fn signals_to(&self, pid: u32, start: u64) -> Option<&VecDeque<SignalEntry>> {
        self.processes.peek(&pid).filter(|process| process.start == start).map(|process| &process.signals)
    }

    /// The OOM killer was found to have sent the signal of the event `id`, which was kept before that was known. No
    /// other signal changes: the OOM killer also marks processes that were killed by something else.
    pub fn note_oom(&mut self, id: u64, snapshot: &Snapshot<'_>) {
        let target = snapshot.target_process();
        let Some(process) = target.and_then(|target| self.processes.peek_mut(&target.pid)) else { return };
        if let Some(entry) = process.signals.iter_mut().find(|entry| entry.id == id) {
            entry.origin = Origin::Oom;
        }
    }

    /// The event that reported the signal before this one, and its origin.
    pub fn previous(&self, snapshot: &Snapshot<'_>) -> Option<(u64, Origin)> {
        let target = snapshot.target_process()?;
        let previous = snapshot.previous.as_ref()?;
        self.find(target.pid, target.start, previous.time, previous.signal)
    }

    /// The event that reported what the running process itself was sent last.
    pub fn to_source(&self, snapshot: &Snapshot<'_>) -> Option<u64> {
        let source = snapshot.current_process()?;
        let last = snapshot.to_source.as_ref()?;
        self.find(source.pid, source.start, last.time, last.signal).map(|(id, _)| id)
    }

    /// The event that reported the signal of this time and number to the target of that one, and its origin.
    pub fn previous_of_repeat(&self, note: &SignalNote, time: u64, signal: u8) -> Option<(u64, Origin)> {
        self.find(note.pid, note.start, time, signal)
    }

    fn find(&self, pid: u32, start: u64, time: u64, signal: u8) -> Option<(u64, Origin)> {
        let mut entries = self.signals_to(pid, start)?.iter();
        entries
            .find(|entry| entry.signal.time == time && entry.signal.signal == signal)
            .map(|entry| (entry.id, entry.origin))
    }

    /// The event that reported the signal that a child died of: found by the end, whose time the death has.
    pub fn death_id(&self, death: &ChildDeath) -> Option<u64> {
        self.deaths.iter().rev().find(|entry| entry.death == *death).map(|entry| entry.id)
    }

    /// Keeps an end that is reported as the event `id`, after this signal.
    pub fn note_end(&mut self, id: u64, end: &EndFacts<'_>, after: Option<&EarlierSignal>) {
        let (Some(process), Ending::Signal { number, .. }) = (end.processes.first(), end.ending) else {
            return;
        };
        let death =
            ChildDeath { pid: process.pid, signal: number, time: end.time & !(ChildDeath::GRAIN - 1) };
        let of_signal = after.filter(|after| after.is_what_ended_it()).and_then(|after| after.id);
        if self.deaths.len() >= DEATHS {
            self.deaths.pop_front();
        }
        self.deaths.push_back(DeathEntry { death, id: of_signal.unwrap_or(id) });
    }

    /// The signal before an end.
    pub fn after(&self, end: &EndFacts<'_>) -> Option<EarlierSignal> {
        let process = end.processes.first()?;
        let entries = self.signals_to(process.pid, process.start);
        let reported_at = |time| entries?.iter().find(|entry: &&SignalEntry| entry.signal.time == time);
        let reported = match end.ending {
            Ending::Signal { number, .. } => {
                entries.map_or(Candidate::None, |entries| Candidate::of(entries, number, end.delivery))
            }
            Ending::Exit(_) => Candidate::None,
        };
        let mut after = match reported {
            Candidate::Several => return None,
            Candidate::None => EarlierSignal::before_end(end, None),
            Candidate::Last(entry) => EarlierSignal::before_end(end, Some(entry.earlier(false))),
            Candidate::Taken(entry) => return Some(entry.earlier(true)),
            // the last of all may be one that no event reported, and is not one of those that do not fit
            Candidate::NotTaken => EarlierSignal::before_end(end, None)
                .filter(|last| !last.is_what_ended_it() || reported_at(last.signal.time).is_none()),
        }?;
        if after.id.is_none() {
            let reported = reported_at(after.signal.time);
            after.id = reported.map(|entry| entry.id);
            after.origin = reported.map(|entry| entry.origin);
        }
        Some(after)
    }
}

/// What of the signals that were reported a process died of.
enum Candidate<'a> {
    None,
    /// The last that arrived; nothing shows which was taken.
    Last(&'a SignalEntry),
    /// The one whose siginfo was taken.
    Taken(&'a SignalEntry),
    /// What was taken is none of them.
    NotTaken,
    /// One of several.
    Several,
}

impl<'a> Candidate<'a> {
    fn of(entries: &'a VecDeque<SignalEntry>, number: u8, delivery: Option<Delivery>) -> Self {
        // one that was ignored, or came while another was pending, is not what it died of
        let mut arrived = entries.iter().rev().filter(|entry| entry.signal.may_be_what_ended_it(number));
        // real-time signals queue up: which of several was taken out last cannot be known
        let is_one_of_several = |entry: Option<&SignalEntry>| number >= KERNEL_SIGRTMIN && entry.is_some();
        if let Some(delivery) = delivery {
            let mut fitting = arrived.clone().filter(|entry| entry.queued.fits(&delivery));
            match fitting.next() {
                Some(_) if is_one_of_several(fitting.next()) => return Self::Several,
                Some(entry) => return Self::Taken(entry),
                None if !delivery.is_of_nobody() => return Self::NotTaken,
                None => {}
            }
        }
        match arrived.next() {
            Some(_) if is_one_of_several(arrived.next()) => Self::Several,
            Some(entry) => Self::Last(entry),
            None => Self::None,
        }
    }
}

impl SignalEntry {
    fn earlier(&self, is_taken: bool) -> EarlierSignal {
        EarlierSignal { id: Some(self.id), origin: Some(self.origin), signal: self.signal, is_taken }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{ProcessFacts, SigInfo};

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

    /// What was taken from the queue is what it died of, and no other, whichever came last.
    #[test]
    fn the_signal_that_was_taken_is_what_it_died_of() {
        let mut history = History::default();
        let from = |pid, time| Snapshot {
            time,
            info: SigInfo::None,
            ..Snapshot::between(process(pid, 1), process(9, 5))
        };
        history.note(
            1,
            &Snapshot { signal: 15, disposition: Disposition::Handled, ..from(7, 10) },
            Origin::Process,
        );
        history.note(2, &Snapshot { signal: 15, ..from(8, 20) }, Origin::Process);
        let taken = |pid, previous: Option<Previous>| EndFacts {
            previous,
            delivery: Some(Delivery { code: 0, words: [pid, 0] }),
            ..death(15, 5)
        };
        let after = |end: &EndFacts<'_>| history.after(end).map(|after| (after.id, after.is_what_ended_it()));
        assert_eq!(after(&taken(7, None)), Some((Some(1), true)));
        assert_eq!(after(&taken(8, None)), Some((Some(2), true)));
        assert_eq!(after(&taken(6, None)), None, "nobody's that was seen");
        assert_eq!(after(&taken(0, None)), Some((Some(2), true)), "its siginfo was lost");
        let last = |pid, time| {
            let source = Some(PreviousSource { pid, start: 1, comm: b"x"[..].into() });
            Previous {
                time,
                signal: 15,
                result: 0,
                hidden: false,
                met_default: true,
                is_page_fault: false,
                source,
            }
        };
        assert_eq!(after(&taken(6, Some(last(8, 20)))), None, "that one is known, and does not fit");
        assert_eq!(after(&taken(6, Some(last(6, 30)))), Some((None, true)), "one that no event reported");
        assert_eq!(after(&taken(6, Some(last(4, 30)))), None);
    }

    #[test]
    fn one_that_no_event_reported_is_blamed_if_it_is_later() {
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
        let reported = EndFacts { previous: Some(Previous { time: 10, ..unreported }), ..death(15, 5) };
        assert_eq!(history.after(&reported).and_then(|after| after.id), Some(1));
    }

    #[test]
    fn only_the_signal_of_the_oom_killers_own_event_is_its() {
        let mut history = History::default();
        history.note(1, &signal(9, 5, 9, 10), Origin::Kernel);
        history.note(2, &signal(9, 5, 9, 20), Origin::Kernel);
        let origins = |history: &History| -> Vec<Origin> {
            history.signals_to(9, 5).unwrap().iter().map(|entry| entry.origin).collect()
        };
        history.note_oom(3, &signal(9, 5, 9, 30));
        assert_eq!(origins(&history), [Origin::Kernel, Origin::Kernel]);
        history.note_oom(1, &signal(9, 5, 9, 10));
        assert_eq!(origins(&history), [Origin::Oom, Origin::Kernel]);
    }

    #[test]
    fn a_childs_death_is_found_by_its_end_and_no_other_of_its_pid() {
        let mut history = History::default();
        history.note(1, &signal(9, 5, 9, 10), Origin::Kernel);
        let end = death(9, 5);
        let after = history.after(&end);
        history.note_end(2, &end, after.as_ref());
        let died = |time| ChildDeath { pid: 9, signal: 9, time };
        assert_eq!(history.death_id(&died(50 << 20)), Some(1));
        assert_eq!(history.death_id(&died(51 << 20)), None);
        history.note_end(3, &EndFacts { time: 60 << 20, ..death(9, 6) }, None);
        assert_eq!(history.death_id(&died(60 << 20)), Some(3), "the end reports it, where no signal does");
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
        assert_eq!((history.processes.len(), history.deaths.len()), (PROCESSES.get(), DEATHS));
        assert_eq!(history.signals_to(3, 5).map(VecDeque::len), Some(SIGNALS));
    }
}
