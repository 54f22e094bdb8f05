//! A signal and the end that it leads to as one event, for formats where each is one line. A signal that may end its
//! target waits a moment for that, and what comes behind it waits with it: the order is kept.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::deliver::ledger::Stake;
use super::format::document::{Document, JOINED_END, Value};

/// An end that comes within this time is joined to its signal.
pub const WITHIN: Duration = Duration::from_millis(100);
/// So many events wait at most, of so many bytes. Beyond that the first are printed as they are.
const AT_MOST: usize = 256;
const ROOM: usize = 4 << 20;

#[derive(Debug)]
struct Waiting {
    document: Rc<Document>,
    /// What its line will stand for.
    stake: Stake,
    bytes: usize,
    /// Until then an end may come; None: none is waited for.
    until: Option<Instant>,
}

/// What waits, in order.
#[derive(Debug, Default)]
pub struct Ends {
    waiting: VecDeque<Waiting>,
    bytes: usize,
}

impl Ends {
    /// Takes an event; what is to be printed now, in order.
    pub fn take(&mut self, document: Rc<Document>, stake: Stake, now: Instant) -> Vec<(Rc<Document>, Stake)> {
        if let Some(signal) = self.signal_before(&document) {
            let end = Value::Object(document.fields().to_vec());
            Rc::make_mut(&mut signal.document).insert_behind(&[], JOINED_END, end);
            signal.until = None;
            signal.stake += stake;
            let grown = signal.document.size();
            let before = std::mem::replace(&mut signal.bytes, grown);
            self.bytes = self.bytes - before + grown;
        } else {
            let until = document.header().may_lead_to_an_end().then(|| now + WITHIN);
            let bytes = document.size();
            self.bytes += bytes;
            self.waiting.push_back(Waiting { document, stake, bytes, until });
        }
        self.due(now, false)
    }

    /// The signal that waits for this end.
    fn signal_before(&mut self, end: &Document) -> Option<&mut Waiting> {
        let signal = end.header().after.filter(|_| end.header().is_end_of_process())?;
        self.waiting
            .iter_mut()
            .find(|waiting| waiting.until.is_some() && waiting.document.header().id == Some(signal))
    }

    /// What is to be printed now, in order; all of it at the end.
    pub fn due(&mut self, now: Instant, all: bool) -> Vec<(Rc<Document>, Stake)> {
        let mut due = Vec::new();
        while let Some(first) = self.waiting.front() {
            let is_full = self.waiting.len() > AT_MOST || self.bytes > ROOM;
            if !all && !is_full && first.until.is_some_and(|until| now < until) {
                break;
            }
            let Some(first) = self.waiting.pop_front() else { break };
            self.bytes -= first.bytes;
            due.push((first.document, first.stake));
        }
        due
    }

    /// When [`due`](Self::due) has something to do.
    pub fn next(&self) -> Option<Instant> {
        self.waiting.front()?.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Outcome;
    use crate::event::header::{EventKind, Header};
    use crate::event::signal::Signal;
    use crate::output::format::Format;
    use crate::output::format::ValueRef::Text;

    fn signal(id: u64, number: u8) -> Rc<Document> {
        let mut document = Document::default();
        let outcome = Some(Outcome::Queued);
        document.begin(&Header { id: Some(id), signal: Signal::new(number), outcome, ..Header::default() });
        Rc::new(document)
    }

    fn end(id: u64, after: u64, is_of_thread: bool) -> Rc<Document> {
        let mut document = Document::default();
        let header = Header { kind: EventKind::Ended, id: Some(id), is_of_thread, ..Header::default() };
        document.begin(&Header { after: Some(after), ..header });
        document.field("signalName", Text("SIGTERM"));
        Rc::new(document)
    }

    const NONE: [u64; 0] = [];

    fn ids(documents: &[(Rc<Document>, Stake)]) -> Vec<u64> {
        documents.iter().map(|(document, _)| document.header().id.unwrap()).collect()
    }

    #[test]
    fn an_end_in_time_is_joined_to_its_signal() {
        let (mut ends, now) = (Ends::default(), Instant::now());
        assert_eq!(ids(&ends.take(signal(1, 15), Stake::default(), now)), NONE);
        assert_eq!(ends.next(), Some(now + WITHIN));
        let due = ends.take(end(2, 1, false), Stake::default(), now + WITHIN / 2);
        assert_eq!(ids(&due), [1]);
        assert!(due[0].0.object(JOINED_END).is_some());
        assert_eq!((ends.next(), ends.bytes), (None, 0));
    }

    #[test]
    fn an_end_that_is_late_or_of_a_thread_or_of_another_signal_stands_alone() {
        let (mut ends, now) = (Ends::default(), Instant::now());
        ends.take(signal(1, 15), Stake::default(), now);
        assert_eq!(ids(&ends.due(now + WITHIN, false)), [1]);
        assert_eq!(ids(&ends.take(end(2, 1, false), Stake::default(), now + WITHIN)), [2]);
        ends.take(signal(3, 15), Stake::default(), now);
        assert_eq!(ids(&ends.take(end(4, 3, true), Stake::default(), now)), NONE);
        assert_eq!(ids(&ends.take(end(5, 1, false), Stake::default(), now)), NONE);
        let due = ends.due(now, true);
        assert_eq!(ids(&due), [3, 4, 5]);
        assert!(due.iter().all(|(document, _)| document.object(JOINED_END).is_none()));
    }

    #[test]
    fn what_comes_behind_a_signal_that_waits_stays_behind_it() {
        let (mut ends, now) = (Ends::default(), Instant::now());
        // SIGCHLD ends nothing
        assert_eq!(ids(&ends.take(signal(1, 17), Stake::default(), now)), [1]);
        assert_eq!(ids(&ends.take(signal(2, 15), Stake::default(), now)), NONE);
        assert_eq!(ids(&ends.take(signal(3, 17), Stake::default(), now)), NONE);
        assert_eq!(ids(&ends.take(signal(4, 9), Stake::default(), now)), NONE);
        assert_eq!(ids(&ends.take(end(5, 4, false), Stake::default(), now)), NONE);
        assert_eq!(ids(&ends.take(end(6, 2, false), Stake::default(), now)), [2, 3, 4]);
        assert_eq!(ends.next(), None);
    }

    #[test]
    fn a_flood_takes_no_more_memory_than_it_may() {
        let (mut ends, now) = (Ends::default(), Instant::now());
        let mut printed = 0;
        for id in 0..10_000 {
            printed += ends.take(signal(id, 15), Stake::default(), now).len();
            assert!(ends.waiting.len() <= AT_MOST);
        }
        printed += ends.due(now, true).len();
        assert_eq!((printed, ends.bytes), (10_000, 0));
        let long = "x".repeat(ROOM / 4);
        for id in 0..20 {
            let mut document = signal(id, 15);
            Rc::make_mut(&mut document).field("summary", Text(&long));
            ends.take(document, Stake::default(), now);
            assert!(ends.bytes <= ROOM && !ends.waiting.is_empty());
        }
        ends.due(now, true);
        // an end is held as well
        let mut large = end(31, 30, false);
        Rc::make_mut(&mut large).field("summary", Text(&"x".repeat(ROOM)));
        ends.take(signal(30, 15), Stake::default(), now);
        assert_eq!(ids(&ends.take(large, Stake::default(), now)), [30]);
        assert_eq!(ends.bytes, 0);
    }
}
