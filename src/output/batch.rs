//! What is reported between two moments at which lines are handed over: which outputs have a line of it, and what none has.

use super::backlog::Loss;
use super::deliver::ledger::{Counts, OutputSet, Stake};
use crate::event::Authors;
use crate::event::header::{EventKind, Header};

/// How this event is counted: an end and a loss are not.
pub(super) fn counts_of(header: &Header) -> Counts {
    let count = header.repeated.max(1);
    match header.kind {
        EventKind::Signal => Counts { signals: count, attempts: 0 },
        EventKind::Attempt => Counts { signals: 0, attempts: count },
        EventKind::Ended | EventKind::Request | EventKind::Lost => Counts::default(),
    }
}

/// What became of events so far.
#[derive(Debug, Default)]
pub(super) struct Batch {
    stakes: Vec<(OutputSet, Stake)>,
    /// No output had room for these.
    lost: Counts,
    /// Whose lines found no room, at any output.
    authors: Authors,
}

impl Batch {
    /// These outputs have a line that stands for so much.
    pub(super) fn add(&mut self, outputs: OutputSet, stake: Stake) {
        if stake.total().is_zero() {
            return;
        }
        match self.stakes.iter_mut().find(|(of, _)| *of == outputs) {
            Some((_, known)) => *known += stake,
            None => self.stakes.push((outputs, stake)),
        }
    }

    /// An output had no room.
    pub(super) fn lose(&mut self, loss: &Loss) {
        self.lost += loss.counts;
        self.authors.add(&loss.author, loss.lines);
    }

    /// The stakes so far, to be handed over with their lines.
    pub(super) fn take_stakes(&mut self) -> Vec<(OutputSet, Stake)> {
        std::mem::take(&mut self.stakes)
    }

    /// What was lost so far.
    pub(super) fn take_lost(&mut self) -> Counts {
        std::mem::take(&mut self.lost)
    }

    /// Whose lines they were.
    pub(super) fn take_authors(&mut self) -> Authors {
        std::mem::take(&mut self.authors)
    }
}
