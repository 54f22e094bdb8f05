//! What is said of the counters: a sentence at the end of a trace; all of them with `-v` and on SIGUSR1. What is lost or
//! missing is a warning and always said.

use super::accounting::Balance;
use super::pipeline::Pipeline;
use crate::bpf::session::Totals;
use crate::config::Failed;
use crate::enrich::Enricher;
use crate::event::Lost;
use crate::record::Images;

impl Pipeline<'_, '_> {
    /// At the end. A reader that has closed its pipe has read enough: it gets the warnings alone.
    pub(super) fn report_end(&self, is_closed: bool) {
        let totals = self.session.totals();
        if !is_closed {
            if self.config.failed != Failed::Only {
                tracing::info!("{}", self.balance_of_signals(&totals).sentence("signal"));
            }
            if self.config.wants_attempts() {
                tracing::info!("{}", self.balance_of_attempts(&totals).sentence("attempt"));
            }
            let incomplete = not_zero(&incomplete(&totals, &self.enricher, &self.images.borrow()));
            if !incomplete.is_empty() {
                tracing::info!("some facts may be missing: {incomplete}");
            }
        }
        self.warn(&totals);
        self.counters(&totals, "total").iter().for_each(|line| tracing::debug!("{line}"));
    }

    /// On request: all of them.
    pub(super) fn report_so_far(&self) {
        let totals = self.session.totals();
        self.warn(&totals);
        self.counters(&totals, "so far").iter().for_each(|line| tracing::info!("{line}"));
    }

    fn warn(&self, totals: &Totals) {
        warn_of_loss(self.lost());
        if let Some(authors) = self.reporter.loss_sentence(&self.worst_authors) {
            tracing::warn!("most of what was lost: {authors}");
        }
        if self.config.outcomes && totals.missed.ends_at_most() > 0 {
            tracing::warn!(
                at_most = totals.missed.ends_at_most(),
                "ends may be missing: the kernel skipped both hooks"
            );
        }
        if self.config.wants_attempts() && totals.missed.returns > 0 {
            tracing::warn!(
                at_most = totals.missed.returns,
                "attempts may be missing: the kernel skipped the hook"
            );
        }
        for (place, events) in self.reporter.unwritten() {
            tracing::warn!(events, "could not be written to {place}");
        }
    }

    /// Each part of each balance, for programs: `signals total generated=26 printed=2 …`.
    fn counters(&self, totals: &Totals, when: &str) -> Vec<String> {
        let mut lines = vec![format!("signals {when} {}", of_signals(&self.balance_of_signals(totals)))];
        let hidden = not_zero(&totals.hidden.by_name());
        if !hidden.is_empty() {
            lines.push(format!("hidden by default, by class: {hidden} (--all shows them)"));
        }
        if self.config.wants_attempts() {
            let misses = totals.missed.returns;
            lines.push(format!("attempts {when} {}", of_attempts(&self.balance_of_attempts(totals), misses)));
        }
        lines.push(format!(
            "identities {when} {}",
            of_identities(totals, &self.enricher, &self.images.borrow())
        ));
        lines
    }
}

fn of_signals(balance: &Balance) -> String {
    let Balance { all, printed, folded, hidden, filtered, filtered_user, lost, unprinted, .. } = *balance;
    all_of(&[
        ("generated", all),
        ("printed", printed),
        ("hidden", hidden),
        ("filtered", filtered),
        ("lost", lost),
        ("unprinted", unprinted),
        ("filtered_user", filtered_user),
        ("folded", folded),
    ])
}

fn of_attempts(balance: &Balance, hook_misses: u64) -> String {
    let Balance { all, printed, folded, filtered, filtered_user, lost, unprinted, .. } = *balance;
    all_of(&[
        ("seen", all),
        ("printed", printed),
        ("filtered", filtered),
        ("lost", lost),
        ("unprinted", unprinted),
        ("filtered_user", filtered_user),
        ("folded", folded),
        ("attempt_hook_misses", hook_misses),
    ])
}

fn of_identities(totals: &Totals, enricher: &Enricher, images: &Images) -> String {
    let missed = totals.missed;
    let usual = [
        ("completed_from_kernel", enricher.from_kernel),
        ("completed_from_proc", enricher.from_proc),
        ("late_argv", totals.late_argv.emitted),
        ("fork_unknown", totals.fork_unknown),
        ("images", totals.images.emitted),
        ("images_dropped", images.dropped),
        ("ghosts_left", totals.ghosts.left),
        ("missed_execs", missed.lifecycle.execs),
        ("missed_forks", missed.lifecycle.forks),
        ("missed_exits", missed.lifecycle.exits),
        ("recovered", totals.recovered.sum()),
        ("wakeups", totals.wakeups),
        ("ring_refusals", totals.refused()),
    ];
    format!("{} {}", all_of(&usual), all_of(&incomplete(totals, enricher, images)))
}

/// Those for which a fact of some line may be missing, and flagged there.
fn incomplete(totals: &Totals, enricher: &Enricher, images: &Images) -> [(&'static str, u64); 13] {
    [
        ("titles_dropped", enricher.titles_dropped),
        ("cgroup_paths_dropped", enricher.cgroup_paths_dropped()),
        ("late_argv_lost", totals.late_argv.dropped),
        ("images_refused", totals.images.dropped),
        ("images_missed", images.missed()),
        ("no_memory", totals.no_memory),
        ("unreadable", totals.unreadable),
        ("ghosts_dropped", totals.ghosts.dropped),
        ("ends_unknown", totals.ends_unknown),
        ("recovery_hook_misses", totals.missed.recoveries.sum()),
        ("missed_ooms", totals.missed.ooms),
        ("missed_deliveries", totals.missed.deliveries),
        ("missed_cgroups", totals.missed.cgroups),
    ]
}

fn warn_of_loss(lost: Lost) {
    if lost.of_signals() > 0 {
        tracing::warn!(
            ring_full = lost.ring_full,
            recursion = lost.recursion,
            undecodable = lost.undecodable,
            "signals lost, by cause"
        );
    }
    let others = not_zero(&[
        ("attempts", lost.attempts),
        ("ends", lost.ends),
        ("requests", lost.requests),
        ("ooms", lost.ooms),
        ("cgroups", lost.cgroups),
        ("lines", lost.lines),
    ]);
    if !others.is_empty() {
        tracing::warn!("other records lost: {others}");
    }
}

fn all_of(counters: &[(&str, u64)]) -> String {
    counters.iter().map(|(name, count)| format!("{name}={count}")).collect::<Vec<_>>().join(" ")
}

fn not_zero(counters: &[(&str, u64)]) -> String {
    let counters: Vec<_> = counters.iter().copied().filter(|&(_, count)| count > 0).collect();
    all_of(&counters)
}
