//! A command that asks others to act on processes.

use super::Pipeline;
use crate::event::{Event, RequestEvent};
use crate::record::RequestFacts;

impl Pipeline<'_, '_> {
    /// Counted apart from signals.
    pub(super) fn write_request(&mut self, mut request: RequestFacts<'_>) {
        if self.is_over() {
            return;
        }
        let surroundings = self.complete_alone(&mut request.processes, &mut request.task, request.time);
        let id = self.take_id();
        if let Some(event) = RequestEvent::new(request, id, self.clock, surroundings) {
            self.reporter.report(&Event::Request(Box::new(event)));
            self.has_enough = self.has_printed_enough();
        }
    }
}
