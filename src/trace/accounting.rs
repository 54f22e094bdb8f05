//! The counters of user space, and their report together with those of the kernel side: the parts add up to the signals that
//! were generated. Counts, and decides nothing.

use super::pipeline::Pipeline;
use crate::bpf::session::{Attempts, Totals};
use crate::enrich::Enricher;
use crate::event::Lost;
use crate::output::deliver::ledger::Counts;
use crate::output::status;

/// Records that came out of the ring.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Received {
    pub(super) signals: u64,
    pub(super) attempts: u64,
    /// Ends, OOM kills and cgroups.
    pub(super) others: u64,
}

impl Received {
    /// Has everything come that the kernel side put into the ring?
    pub(super) fn has_all(&self, totals: &Totals) -> bool {
        self.signals >= totals.emitted
            && self.attempts >= totals.attempts.emitted
            && self.others >= totals.ends.emitted + totals.ooms.emitted + totals.cgroups.emitted
    }
}

/// What became of each record.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Accounting {
    pub(super) received: Received,
    /// Accepted by the reporter.
    pub(super) reported: Counts,
    /// Of these, not yet handed over to the writers.
    pub(super) in_buffer: Counts,
    /// Refused by a filter of the reporter.
    pub(super) filtered: Counts,
    /// Came after the end.
    pub(super) unprinted: Counts,
    pub(super) undecodable: u64,
}

impl Accounting {
    /// A signal was reported, or refused by a filter.
    pub(super) fn count_signal(&mut self, is_reported: bool) {
        if is_reported {
            self.reported.signals += 1;
            self.in_buffer.signals += 1;
        } else {
            self.filtered.signals += 1;
        }
    }

    /// An attempt was reported, or refused by a filter.
    pub(super) fn count_attempt(&mut self, is_reported: bool) {
        if is_reported {
            self.reported.attempts += 1;
            self.in_buffer.attempts += 1;
        } else {
            self.filtered.attempts += 1;
        }
    }
}

impl Pipeline<'_, '_> {
    /// For the status line.
    pub(super) fn status(&self) -> status::Facts {
        let totals = self.session.totals();
        let seeded = self.session.seeded;
        status::Facts {
            seen: totals.generated,
            hidden: totals.hidden.sum(),
            filtered: totals.filtered + self.accounting.filtered.signals,
            lost: self.lost().of_signals(),
            processes: u64::from(seeded.by_iterator) + u64::from(seeded.from_proc),
        }
    }

    /// Logs all counters, each part by cause; `when` says of which time.
    pub(super) fn log_counters(&self, when: &str) {
        let totals = self.session.totals();
        let printed = self.reporter.ledger().printed();
        // a line that is on its way is not known to be written
        let unwritten = Counts {
            signals: self.accounting.reported.signals - printed.signals,
            attempts: self.accounting.reported.attempts - printed.attempts,
        };
        self.log_signals(&totals, printed, unwritten, when);
        if self.config.wants_attempts() {
            self.log_attempts(&totals, printed, unwritten, when);
        }
        if self.reporter.left_out() > 0 {
            tracing::info!(
                signals = self.reporter.left_out(),
                "left out as no news: to zombies, of closed pipes, of Ctrl-C here; --all prints them"
            );
        }
        if self.config.outcomes && totals.missed.ends_at_most() > 0 {
            tracing::warn!(
                at_most = totals.missed.ends_at_most(),
                "ends may be missing: the kernel skipped both hooks"
            );
        }
        for (place, events) in self.reporter.unwritten() {
            tracing::warn!(events, "not known to be written to {place}");
        }
        log_identities(&totals, &self.enricher, when);
    }

    /// generated = printed + hidden + filtered (in the kernel and in user space) + lost + unprinted.
    fn log_signals(&self, totals: &Totals, printed: Counts, unwritten: Counts, when: &str) {
        let Accounting { received, filtered, unprinted, .. } = self.accounting;
        let lost = self.lost();
        let in_ring = totals.emitted.saturating_sub(received.signals);
        let waiting = self.pending.waiting() as u64;
        tracing::info!(
            generated = totals.generated,
            printed = printed.signals,
            hidden = totals.hidden.sum(),
            filtered = totals.filtered,
            lost = lost.of_signals(),
            unprinted = unprinted.signals + in_ring + waiting + unwritten.signals,
            filtered_user = filtered.signals,
            "signals {when}"
        );
        let hidden: Vec<String> = totals
            .hidden
            .by_name()
            .into_iter()
            .filter(|&(_, count)| count > 0)
            .map(|(name, count)| format!("{name}={count}"))
            .collect();
        if !hidden.is_empty() {
            tracing::info!("hidden by default, by class: {} (--all shows them)", hidden.join(" "));
        }
        log_loss(lost);
    }

    /// seen = printed + filtered (in the kernel and in user space) + lost + unprinted.
    fn log_attempts(&self, totals: &Totals, printed: Counts, unwritten: Counts, when: &str) {
        let Accounting { received, filtered: filtered_user, unprinted, .. } = self.accounting;
        let Attempts { seen, filtered, emitted, dropped } = totals.attempts;
        let in_ring = emitted.saturating_sub(received.attempts);
        tracing::info!(
            seen,
            printed = printed.attempts,
            filtered,
            lost = dropped,
            unprinted = unprinted.attempts + in_ring + unwritten.attempts,
            filtered_user = filtered_user.attempts,
            attempt_hook_misses = totals.missed.returns,
            "attempts {when}"
        );
        if totals.missed.returns > 0 {
            tracing::warn!(
                at_most = totals.missed.returns,
                "attempts may be missing: the kernel skipped the hook"
            );
        }
    }
}

fn log_loss(lost: Lost) {
    if lost.of_signals() > 0 {
        tracing::warn!(
            ring_full = lost.ring_full,
            recursion = lost.recursion,
            undecodable = lost.undecodable,
            "signals lost, by cause"
        );
    }
}

fn log_identities(totals: &Totals, enricher: &Enricher, when: &str) {
    let missed = totals.missed;
    tracing::info!(
        completed_from_kernel = enricher.from_kernel,
        completed_from_proc = enricher.from_proc,
        titles_dropped = enricher.titles_dropped,
        cgroup_paths_dropped = enricher.cgroup_paths_dropped(),
        late_argv = totals.late_argv.emitted,
        late_argv_lost = totals.late_argv.dropped,
        no_memory = totals.no_memory,
        unreadable = totals.unreadable,
        fork_unknown = totals.fork_unknown,
        ghosts_left = totals.ghosts.left,
        ghosts_dropped = totals.ghosts.dropped,
        ends_unknown = totals.ends_unknown,
        missed_execs = missed.lifecycle.execs,
        missed_forks = missed.lifecycle.forks,
        missed_exits = missed.lifecycle.exits,
        recovery_hook_misses = missed.recoveries.sum(),
        missed_ooms = missed.ooms,
        missed_cgroups = missed.cgroups,
        recovered = totals.recovered.sum(),
        wakeups = totals.wakeups,
        "identities {when}"
    );
}
