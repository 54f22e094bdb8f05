//! `lost` events: what was lost is reported in the stream itself, soon after it happened and not too often.

use std::time::{Duration, Instant};

use super::pipeline::Pipeline;
use crate::base::clock;
use crate::bpf::session::{RefusalReader, Totals};
use crate::event::{Authors, Event, Lost, LostEvent};

/// At most one `lost` event in this time.
pub(super) const REPORT_EVERY: Duration = Duration::from_secs(1);

/// What has been reported as lost so far, and when.
#[derive(Debug, Default)]
pub(super) struct LossReporter {
    reported: Lost,
    reported_at: Option<Instant>,
}

impl LossReporter {
    /// What was lost in the ring is reported with its authors, which the kernel side reports once a second. True: all that was lost
    /// is reported now.
    pub(super) fn report_if_any(
        &mut self,
        pipeline: &mut Pipeline<'_, '_>,
        refusals: &RefusalReader<'_>,
        is_due: bool,
    ) -> bool {
        if !is_due && self.reported_at.is_some_and(|reported_at| reported_at.elapsed() < REPORT_EVERY) {
            return false;
        }
        let all = pipeline.lost_of(&refusals.without_new_losses(pipeline.session.totals()));
        let new = all.since(self.reported);
        self.reported_at = Some(Instant::now());
        if new.total() == 0 {
            return !refusals.is_waiting();
        }
        self.reported = all;
        let mut authors = Authors::default();
        pipeline.take_authors(&mut authors);
        pipeline.authors.merge(&authors);
        pipeline.worst_authors = pipeline.authors.worst(|id| pipeline.enricher.cgroup_path(id));
        let authors = authors.worst(|id| pipeline.enricher.cgroup_path(id));
        pipeline.reporter.report(&Event::Lost(LostEvent { time: clock::utc_now(), lost: new, authors }));
        !refusals.is_waiting()
    }
}

impl Pipeline<'_, '_> {
    /// Adds whose events were lost since it was asked last: in the ring, and at the outputs.
    fn take_authors(&mut self, authors: &mut Authors) {
        authors.merge(&std::mem::take(&mut self.ring_authors));
        authors.merge(&self.reporter.take_loss_authors());
    }

    /// All that was lost so far.
    pub(super) fn lost(&self) -> Lost {
        self.lost_of(&self.session.totals())
    }

    fn lost_of(&self, totals: &Totals) -> Lost {
        Lost {
            undecodable: self.accounting.undecodable,
            lines: self.reporter.refused(),
            ..lost_by_kernel(totals)
        }
    }
}

/// Records that found no room in the ring, and those that a skipped hook would certainly have sent.
fn lost_by_kernel(totals: &Totals) -> Lost {
    Lost {
        ring_full: totals.ring_full,
        recursion: totals.missed.signals,
        attempts: totals.attempts.dropped,
        ends: totals.ends.dropped,
        requests: totals.requests.dropped,
        ooms: totals.ooms.dropped + totals.missed.ooms,
        cgroups: totals.cgroups.dropped + totals.missed.cgroups,
        ..Lost::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bpf::session::{Lifecycle, Missed, RecordCounts};

    #[test]
    fn a_skip_that_loses_something_is_loss() {
        let lifecycle = Lifecycle { execs: 8, forks: 8, exits: 8 };
        let missed = Missed { signals: 1, ooms: 2, cgroups: 4, lifecycle, ..Missed::default() };
        let dropped = |dropped| RecordCounts { emitted: 0, dropped };
        let totals = Totals { missed, ooms: dropped(16), cgroups: dropped(32), ..Totals::default() };
        let lost = lost_by_kernel(&totals);
        assert_eq!((lost.recursion, lost.ooms, lost.cgroups), (1, 18, 36));
        assert_eq!(lost.total(), 1 + 18 + 36, "the others are recovered");
        assert_eq!(missed.ends_at_most(), 0);
        assert_eq!(
            Missed { recoveries: Lifecycle { exits: 3, ..Lifecycle::default() }, ..missed }.ends_at_most(),
            3
        );
    }
}
