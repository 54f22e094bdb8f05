//! The figures of a trace, for the file of metrics.

use std::time::Instant;

use super::pipeline::Pipeline;
use crate::metrics::{Figures, MetricsSink, exposition};

impl Pipeline<'_, '_> {
    /// Sends them, if it is time.
    pub(super) fn send_metrics(&self, sink: &mut MetricsSink) {
        let now = Instant::now();
        let Some(tally) = self.reporter.tally().filter(|_| sink.is_due(now)) else { return };
        let totals = self.session.totals();
        let figures = Figures {
            started: sink.started,
            lost: self.lost(),
            hidden: totals.hidden.sum(),
            filtered: totals.filtered
                + totals.attempts.filtered
                + self.accounting.filtered.signals
                + self.accounting.filtered.attempts,
            store: sink.store.get(),
        };
        sink.send(&exposition(tally, &figures), now);
    }
}
