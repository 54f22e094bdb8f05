//! What found no room in the ring: signals and attempts that the kernel side counted together become one event with how many
//! there were, and what it lost is counted with its authors.

use std::rc::Rc;

use super::Pipeline;
use crate::bpf::session::{RefusalReader, Refusals, Repeats};
use crate::event::context::Repeated;
use crate::event::{Author, Event, SignalEvent};
use crate::record::{self, Record, Snapshot};

impl Pipeline<'_, '_> {
    /// Takes what was refused so far; at the end, when no program runs any more, all of it.
    pub(in crate::trace) fn take_refusals(&mut self, reader: &mut RefusalReader<'_>, last: bool) {
        let Some(Refusals { repeats, losses }) = reader.take(self.session, last) else { return };
        for loss in losses {
            let author = Author { uid: loss.uid, cgroup: loss.cgroup, pid: loss.pid, comm: loss.comm };
            self.ring_authors.add(&author, loss.count);
        }
        for repeats in &repeats {
            self.write_repeats(repeats);
        }
    }

    fn write_repeats(&mut self, repeats: &Repeats) {
        let count = repeats.count;
        let repeated = Repeated { count, first: repeats.first };
        let images = Rc::clone(&self.images);
        let images = images.borrow();
        match record::decode_with(&repeats.record, &images) {
            Ok(Record::Signal(snapshot)) => {
                self.accounting.folded.signals += count;
                self.write_repeated_signal(snapshot, repeated);
            }
            Ok(Record::Attempt(attempt)) => {
                self.accounting.folded.attempts += count;
                self.write_attempt(*attempt, Some(repeated));
            }
            other => {
                let error = other.err();
                tracing::warn!(?error, count, "signals that were counted together could not be read");
                self.accounting.folded.signals += count;
                self.accounting.undecodable += count;
            }
        }
    }

    /// It waits for no other record: what it would wait for has come long ago.
    fn write_repeated_signal(&mut self, snapshot: Box<Snapshot<'_>>, repeated: Repeated) {
        let count = repeated.count;
        if self.is_over() {
            self.accounting.unprinted.signals += count;
            return;
        }
        let mut signal = self.attribute(snapshot);
        let id = self.take_id();
        self.history.note(id, &signal.snapshot, signal.verdict.origin);
        let mut context = self.context(&mut signal.snapshot);
        context.repeated = Some(repeated);
        let Some(event) = SignalEvent::of(signal, id, self.clock, context) else {
            self.accounting.undecodable += count;
            return;
        };
        let is_reported =
            !self.started_too_late(event.target()) && self.reporter.report(&Event::Signal(Box::new(event)));
        self.count_signals(count, is_reported);
    }
}
