//! A command that asks others to act on processes.

use std::time::Instant;

use super::Pipeline;
use crate::event::{Event, RequestEvent};
use crate::record::RequestFacts;

impl Pipeline<'_, '_> {
    /// Counted apart from signals.
    pub(super) fn write_request(&mut self, mut request: RequestFacts<'_>) {
        if self.is_over() {
            return;
        }
        self.enricher.fill_gaps(&mut request.processes, self.session);
        self.enricher.strip_host_namespaces(&mut request.task);
        let surroundings = request
            .processes
            .first()
            .map(|process| self.enricher.surroundings(&request.task, process, request.time, Instant::now()))
            .unwrap_or_default();
        let id = self.take_id();
        if let Some(event) = RequestEvent::new(request, id, self.clock, surroundings) {
            self.reporter.report(&Event::Request(Box::new(event)));
            self.has_enough = self.has_printed_enough();
        }
    }
}
