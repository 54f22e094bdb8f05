//! Takes secrets out of the names of processes, before sentences and trees are made of them.

use std::borrow::Cow;

use super::secrets::{Steps, Texts};
use super::{REDACTED, Redaction};
use crate::event::Event;
use crate::record::{COMM_BYTES, Comm, Previous, ProcessFacts};

impl Redaction {
    /// The event with other names of its processes, if there is anything to be taken out of them.
    pub fn names<'a>(&self, event: &Event<'a>) -> Option<Event<'a>> {
        let is_secret = |comm: &[u8]| !self.is_empty() && self.comm(comm).is_some();
        let is_senders = |signal: Option<&Previous>| {
            signal.and_then(|signal| signal.source.as_ref()).is_some_and(|source| is_secret(&source.comm))
        };
        let is_ones =
            |processes: &[ProcessFacts<'_>]| processes.iter().any(|process| is_secret(&process.comm));
        let is_any = match event {
            Event::Signal(signal) => {
                let facts = &signal.facts;
                is_ones(&facts.processes)
                    || is_senders(facts.previous.as_ref())
                    || is_senders(facts.to_source.as_ref())
            }
            Event::Attempt(attempt) => is_ones(&attempt.attempt.facts.processes),
            Event::End(end) => {
                is_ones(&end.facts.processes) || is_senders(end.after.as_ref().map(|after| &after.signal))
            }
            Event::Request(request) => is_ones(&request.facts.processes),
            Event::Lost(_) => false,
        };
        if !is_any {
            return None;
        }
        let mut event = event.clone();
        match &mut event {
            Event::Signal(signal) => {
                self.rename(&mut signal.facts.processes);
                self.rename_sender(signal.facts.previous.as_mut());
                self.rename_sender(signal.facts.to_source.as_mut());
            }
            Event::Attempt(attempt) => self.rename(&mut attempt.attempt.facts.processes),
            Event::End(end) => {
                self.rename(&mut end.facts.processes);
                self.rename_sender(end.after.as_mut().map(|after| &mut after.signal));
            }
            Event::Request(request) => self.rename(&mut request.facts.processes),
            Event::Lost(_) => {}
        }
        Some(event)
    }

    /// A process's name as text, without secrets.
    pub fn name(&self, comm: &[u8]) -> String {
        let left = if self.is_empty() { None } else { self.comm(comm) };
        String::from_utf8_lossy(left.as_deref().unwrap_or(comm)).into_owned()
    }

    fn rename(&self, processes: &mut [ProcessFacts<'_>]) {
        for process in processes {
            if let Some(comm) = self.comm(&process.comm) {
                process.comm = Cow::Owned(comm);
            }
        }
    }

    fn rename_sender(&self, signal: Option<&mut Previous>) {
        let Some(source) = signal.and_then(|signal| signal.source.as_mut()) else { return };
        if let Some(comm) = self.comm(&source.comm) {
            // there is no room for more than a comm's length, and what is cut of a mark is no mark
            let short = if comm.len() > COMM_BYTES { REDACTED.as_bytes() } else { &comm };
            source.comm = Comm::from(short);
        }
    }

    /// What is left of a comm, if something is to be taken out of it.
    pub(super) fn comm(&self, comm: &[u8]) -> Option<Vec<u8>> {
        let mut items = [comm.to_vec()];
        self.texts(&mut items, Texts::Free, comm.len() >= COMM_BYTES, &Steps::of_event()).then(|| {
            let [left] = items;
            left
        })
    }
}
