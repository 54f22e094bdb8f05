//! The counters of user space, and their balance together with those of the kernel side: the parts add up to the signals
//! that were generated. Counts, and decides nothing.

use std::fmt::Write as _;

use super::pipeline::Pipeline;
use crate::bpf::session::{Attempts, Totals};
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
            && self.others
                >= totals.ends.emitted
                    + totals.requests.emitted
                    + totals.ooms.emitted
                    + totals.cgroups.emitted
    }
}

/// What became of each record.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Accounting {
    pub(super) received: Received,
    /// Found no room in the ring, and came as one of several that are the same.
    pub(super) folded: Counts,
    /// Accepted by the reporter.
    pub(super) reported: Counts,
    /// Refused by a filter of the reporter.
    pub(super) filtered: Counts,
    /// Came after the end.
    pub(super) unprinted: Counts,
    pub(super) undecodable: u64,
}

impl Accounting {
    /// So many signals were reported, or refused by a filter.
    pub(super) fn count_signals(&mut self, count: u64, is_reported: bool) {
        if is_reported {
            self.reported.signals += count;
        } else {
            self.filtered.signals += count;
        }
    }

    /// So many attempts were reported, or refused by a filter.
    pub(super) fn count_attempts(&mut self, count: u64, is_reported: bool) {
        if is_reported {
            self.reported.attempts += count;
        } else {
            self.filtered.attempts += count;
        }
    }
}

/// What became of all signals, or of all attempts: the parts add up to all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Balance {
    pub(super) all: u64,
    pub(super) printed: u64,
    /// Counted by a line of another one like it.
    pub(super) folded: u64,
    pub(super) hidden: u64,
    /// Refused by a filter in the kernel.
    pub(super) filtered: u64,
    /// Refused by a filter of the reporter.
    pub(super) filtered_user: u64,
    /// Of those: left out by formats for eyes, as no news.
    pub(super) left_out: u64,
    pub(super) lost: u64,
    /// Reported, and not known to be written.
    pub(super) unprinted: u64,
}

impl Balance {
    /// `26 signals: 2 shown, 24 hidden (--all)`: what is not zero.
    pub(super) fn sentence(&self, what: &str) -> String {
        if self.all == 0 {
            return format!("no {what}s");
        }
        let mut text = format!("{} {what}{}: {} shown", self.all, plural(self.all), self.printed);
        let filtered = self.filtered + self.filtered_user.saturating_sub(self.left_out);
        for (count, part) in [
            (self.folded, "folded into these"),
            (self.hidden, "hidden (--all)"),
            (filtered, "filtered out"),
            (self.left_out, "left out as no news (--all)"),
            (self.lost, "lost"),
            (self.unprinted, "not printed"),
        ] {
            if count > 0 {
                let _ = write!(text, ", {count} {part}");
            }
        }
        text
    }
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

impl Pipeline<'_, '_> {
    /// For the status line.
    pub(super) fn status(&self) -> status::Facts {
        let totals = self.session.totals();
        status::Facts {
            seen: totals.generated,
            shown: self.accounting.reported.signals,
            hidden: totals.hidden.sum(),
            filtered: totals.filtered + self.accounting.filtered.signals,
            lost: self.lost().of_signals(),
        }
    }

    /// What is reported and on its way: not known to be written.
    fn unwritten(&self) -> Counts {
        let ledger = self.reporter.ledger();
        let (reported, printed, folded) = (self.accounting.reported, ledger.printed(), ledger.folded());
        Counts {
            signals: reported.signals - printed.signals - folded.signals,
            attempts: reported.attempts - printed.attempts - folded.attempts,
        }
    }

    /// generated = printed + folded + hidden + filtered (in the kernel and in user space) + lost + unprinted.
    pub(super) fn balance_of_signals(&self, totals: &Totals) -> Balance {
        let Accounting { received, folded, filtered, unprinted, .. } = self.accounting;
        let in_ring = totals.emitted.saturating_sub(received.signals);
        let in_map = totals.folded.saturating_sub(folded.signals);
        let waiting = self.pending.waiting() as u64;
        Balance {
            all: totals.generated,
            printed: self.reporter.ledger().printed().signals,
            folded: self.reporter.ledger().folded().signals,
            hidden: totals.hidden.sum(),
            filtered: totals.filtered,
            filtered_user: filtered.signals,
            left_out: self.reporter.left_out(),
            lost: self.lost().of_signals(),
            unprinted: unprinted.signals + in_ring + in_map + waiting + self.unwritten().signals,
        }
    }

    /// seen = printed + folded + filtered (in the kernel and in user space) + lost + unprinted.
    pub(super) fn balance_of_attempts(&self, totals: &Totals) -> Balance {
        let Accounting { received, folded: taken, filtered: filtered_user, unprinted, .. } = self.accounting;
        let Attempts { seen, filtered, emitted, folded, dropped } = totals.attempts;
        let in_ring = emitted.saturating_sub(received.attempts);
        let in_map = folded.saturating_sub(taken.attempts);
        Balance {
            all: seen,
            printed: self.reporter.ledger().printed().attempts,
            folded: self.reporter.ledger().folded().attempts,
            hidden: 0,
            filtered,
            filtered_user: filtered_user.attempts,
            left_out: 0,
            lost: dropped,
            unprinted: unprinted.attempts + in_ring + in_map + self.unwritten().attempts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_one_sentence_of_what_is_not_zero() {
        let balance = Balance { all: 26, printed: 2, hidden: 24, ..Balance::default() };
        assert_eq!(balance.sentence("signal"), "26 signals: 2 shown, 24 hidden (--all)");
        let lossy =
            Balance { all: 1, filtered: 0, filtered_user: 3, lost: 4, unprinted: 5, ..Balance::default() };
        assert_eq!(lossy.sentence("attempt"), "1 attempt: 0 shown, 3 filtered out, 4 lost, 5 not printed");
        let own = Balance { all: 3, printed: 1, filtered_user: 2, left_out: 1, ..Balance::default() };
        assert_eq!(
            own.sentence("signal"),
            "3 signals: 1 shown, 1 filtered out, 1 left out as no news (--all)"
        );
        assert_eq!(Balance::default().sentence("signal"), "no signals");
    }
}
