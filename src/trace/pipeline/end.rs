//! The end of a process: after a signal, or one that none explains.

use std::time::Duration;

use super::Pipeline;
use crate::event::{EndEvent, Event};
use crate::record::EndFacts;
use crate::trace::End;

impl Pipeline<'_, '_> {
    pub(super) fn write_end(&mut self, mut end: EndFacts<'_>) {
        if self.is_over() || !self.pending.is_first_of(&end) {
            return;
        }
        if end.processes.first().is_some_and(|process| self.started_too_late(process)) {
            return;
        }
        let surroundings = self.complete_alone(&mut end.processes, &mut end.task, end.time);
        let of_process =
            end.processes.first().filter(|_| self.config.reports_ends && !end.is_thread).map(|process| {
                let comm = self.reporter.name(&process.comm);
                let lived = Duration::from_nanos(end.time.saturating_sub(process.start));
                End { pid: process.pid, comm, ending: end.ending, lived }
            });
        let after = self.history.after(&end);
        let id = self.take_id();
        self.history.note_end(id, &end, after.as_ref());
        let since = self.session.watched_since;
        if let Some(event) = EndEvent::new(end, id, self.clock, since, after, surroundings) {
            // the ends of others are refused by a filter
            if self.reporter.report(&Event::End(Box::new(event))) && of_process.is_some() {
                self.end = of_process;
            }
            self.has_enough = self.has_printed_enough();
        }
    }
}
