//! A signal and the end that it leads to as one event, for formats where each is one line. A signal that may end its
//! target waits a moment for that, and what comes behind it waits with it: the order is kept.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::format::document::{Document, Value};

/// An end that comes within this time is joined to its signal.
pub const WITHIN: Duration = Duration::from_millis(100);
/// So many events wait at most, of so many bytes. Beyond that the first are printed as they are.
const AT_MOST: usize = 256;
const ROOM: usize = 4 << 20;

/// The key of a signal that holds the keys of its end. No key of an output.
pub const JOINED_END: &str = "joinedEnd";

#[derive(Debug)]
struct Waiting {
    document: Document,
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
    pub fn take(&mut self, document: Document, now: Instant) -> Vec<Document> {
        match self.signal_before(&document) {
            Some(signal) => {
                let end = Value::Object(document.fields().to_vec());
                signal.document.insert_behind(&[], JOINED_END, end);
                signal.until = None;
                let grown = signal.document.size();
                let before = std::mem::replace(&mut signal.bytes, grown);
                self.bytes = self.bytes - before + grown;
            }
            None => {
                let until = document.header().may_lead_to_an_end().then(|| now + WITHIN);
                let bytes = document.size();
                self.bytes += bytes;
                self.waiting.push_back(Waiting { document, bytes, until });
            }
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
    pub fn due(&mut self, now: Instant, all: bool) -> Vec<Document> {
        let mut due = Vec::new();
        while let Some(first) = self.waiting.front() {
            let is_full = self.waiting.len() > AT_MOST || self.bytes > ROOM;
            if !all && !is_full && first.until.is_some_and(|until| now < until) {
                break;
            }
            let Some(first) = self.waiting.pop_front() else { break };
            self.bytes -= first.bytes;
            due.push(first.document);
        }
        due
    }

    /// When [`due`](Self::due) has something to do.
    pub fn next(&self) -> Option<Instant> {
        self.waiting.front()?.until
    }
}
