//! A call of the kill family that failed, or only asked.

use super::Pipeline;
use crate::event::context::{Context, Repeated};
use crate::event::{AttemptEvent, Event};
use crate::record::AttemptFacts;

impl Pipeline<'_, '_> {
    /// It counts as a signal does. `repeated`: it stands for so many that are the same.
    pub(super) fn write_attempt(&mut self, mut attempt: AttemptFacts<'_>, repeated: Option<Repeated>) {
        let count = repeated.map_or(1, |repeated| repeated.count);
        if self.is_over() {
            self.accounting.unprinted.attempts += count;
            return;
        }
        let context = Context { repeated, ..self.context(&mut attempt.facts) };
        let Some(event) = AttemptEvent::new(attempt, self.take_id(), self.clock, context) else {
            self.accounting.undecodable += count;
            return;
        };
        let is_reported = self.reporter.report(&Event::Attempt(Box::new(event)));
        self.accounting.count_attempts(count, is_reported);
        self.has_enough = self.has_printed_enough();
    }
}
