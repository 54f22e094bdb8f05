//! A call of the kill family that failed, or only asked.

use super::Pipeline;
use crate::event::{AttemptEvent, Event};
use crate::record::AttemptFacts;

impl Pipeline<'_, '_> {
    /// It counts as a signal does.
    pub(super) fn write_attempt(&mut self, mut attempt: AttemptFacts<'_>) {
        if self.is_over() {
            self.accounting.unprinted.attempts += 1;
            return;
        }
        let context = self.context(&mut attempt.facts);
        let Some(event) = AttemptEvent::new(attempt, self.take_id(), self.clock, context) else {
            self.accounting.undecodable += 1;
            return;
        };
        let is_reported = self.reporter.report(&Event::Attempt(Box::new(event)));
        self.accounting.count_attempt(is_reported);
        self.has_enough = self.has_printed_enough();
    }
}
