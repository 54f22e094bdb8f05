//! What became of events that were reported: printed or folded, if any destination accepted the line that stands for them; else
//! unprinted. Each event is counted once, whatever the number of outputs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::failed_write::WriteOutcome;

/// Numbers of events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Signals.
    pub signals: u64,
    /// Attempts.
    pub attempts: u64,
}

impl Counts {
    /// Nothing.
    pub fn is_zero(self) -> bool {
        self == Self::default()
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.signals += other.signals;
        self.attempts += other.attempts;
    }
}

/// Events that a line stands for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stake {
    /// Those that it is printed for.
    pub printed: Counts,
    /// Those that it only counts: `repeated`.
    pub folded: Counts,
}

impl Stake {
    /// Of one line that is printed for one of these, and counts the others.
    pub fn of(counts: Counts) -> Self {
        let one = Counts { signals: counts.signals.min(1), attempts: counts.attempts.min(1) };
        let rest = Counts { signals: counts.signals - one.signals, attempts: counts.attempts - one.attempts };
        Self { printed: one, folded: rest }
    }

    /// Both.
    pub fn total(self) -> Counts {
        let mut total = self.printed;
        total += self.folded;
        total
    }
}

impl std::ops::AddAssign for Stake {
    fn add_assign(&mut self, other: Self) {
        self.printed += other.printed;
        self.folded += other.folded;
    }
}

#[derive(Debug, Default)]
struct AtomicCounts {
    signals: AtomicU64,
    attempts: AtomicU64,
}

impl AtomicCounts {
    fn add(&self, counts: Counts) {
        self.signals.fetch_add(counts.signals, Ordering::Relaxed);
        self.attempts.fetch_add(counts.attempts, Ordering::Relaxed);
    }

    fn load(&self) -> Counts {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts { signals: load(&self.signals), attempts: load(&self.attempts) }
    }
}

/// What became of everything that was reported, as far as that is known.
#[derive(Debug, Default)]
pub struct Ledger {
    printed: AtomicCounts,
    folded: AtomicCounts,
    unprinted: AtomicCounts,
    is_closed: AtomicBool,
}

impl Ledger {
    /// What some destination has a line of.
    pub fn printed(&self) -> Counts {
        self.printed.load()
    }

    /// What a line of some destination counts.
    pub fn folded(&self) -> Counts {
        self.folded.load()
    }

    /// What is not known to be written anywhere.
    pub fn unprinted(&self) -> Counts {
        self.unprinted.load()
    }

    /// No destination had room for these.
    pub fn lose(&self, counts: Counts) {
        self.unprinted.add(counts);
    }

    /// A destination is a pipe without a reader.
    pub fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }
}

/// Outputs, each by its bit: those behind the last bit share it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutputSet(u64);

impl OutputSet {
    /// This one.
    pub fn of(place: usize) -> Self {
        Self(1 << place.min(63))
    }

    /// None.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// One more.
    pub fn add(&mut self, place: usize) {
        self.0 |= Self::of(place).0;
    }
}

/// Lines on their way to every destination, and the events that they stand for.
#[derive(Debug)]
pub struct Fate {
    /// By the outputs that have a line of them: one that is written will do.
    stakes: Vec<(OutputSet, Stake)>,
    left: AtomicUsize,
    whole: AtomicU64,
    ledger: Arc<Ledger>,
}

impl Fate {
    /// Of what so many destinations are given.
    pub fn new(stakes: Vec<(OutputSet, Stake)>, destinations: usize, ledger: Arc<Ledger>) -> Arc<Self> {
        Arc::new(Self { stakes, left: AtomicUsize::new(destinations), whole: AtomicU64::new(0), ledger })
    }

    /// What became of the lines of the output at this place.
    pub(super) fn settle(&self, place: usize, written: WriteOutcome) {
        if written == WriteOutcome::Whole {
            self.whole.fetch_or(OutputSet::of(place).0, Ordering::Relaxed);
        }
        if written == WriteOutcome::Closed {
            self.ledger.is_closed.store(true, Ordering::Relaxed);
        }
        // the last one sees what the others stored before they counted down
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            let whole = self.whole.load(Ordering::Relaxed);
            for (outputs, stake) in &self.stakes {
                if outputs.0 & whole != 0 {
                    self.ledger.printed.add(stake.printed);
                    self.ledger.folded.add(stake.folded);
                } else {
                    self.ledger.unprinted.add(stake.total());
                }
            }
        }
    }
}
