//! What became of the events of lines that were handed over: whole, if any destination accepted them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::destination::WriteOutcome;

/// What lines stand for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Signals.
    pub signals: u64,
    /// Attempts.
    pub attempts: u64,
}

/// What became of everything that was handed over: whole, if any destination accepted it.
#[derive(Debug, Default)]
pub struct Ledger {
    signals: [AtomicU64; 2],
    attempts: [AtomicU64; 2],
    is_closed: AtomicBool,
}

impl Ledger {
    /// What some destination took.
    pub fn printed(&self) -> Counts {
        self.counts(0)
    }

    /// What is not known to be written anywhere.
    pub fn unprinted(&self) -> Counts {
        self.counts(1)
    }

    /// A destination is a pipe without a reader.
    pub fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    fn counts(&self, which: usize) -> Counts {
        Counts {
            signals: self.signals[which].load(Ordering::Relaxed),
            attempts: self.attempts[which].load(Ordering::Relaxed),
        }
    }
}

/// Lines of the same events on their way to every destination.
#[derive(Debug)]
pub struct Fate {
    counts: Counts,
    left: AtomicUsize,
    is_taken: AtomicBool,
    ledger: Arc<Ledger>,
}

impl Fate {
    /// Of what so many destinations are given.
    pub fn new(counts: Counts, destinations: usize, ledger: Arc<Ledger>) -> Arc<Self> {
        Arc::new(Self {
            counts,
            left: AtomicUsize::new(destinations),
            is_taken: AtomicBool::new(false),
            ledger,
        })
    }

    /// Where it is counted.
    pub fn ledger(&self) -> Arc<Ledger> {
        Arc::clone(&self.ledger)
    }

    pub(super) fn settle(&self, written: WriteOutcome) {
        if written == WriteOutcome::Whole {
            self.is_taken.store(true, Ordering::Relaxed);
        }
        if written == WriteOutcome::Closed {
            self.ledger.is_closed.store(true, Ordering::Relaxed);
        }
        // the last one sees what the others stored before they counted down
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            let which = usize::from(!self.is_taken.load(Ordering::Relaxed));
            self.ledger.signals[which].fetch_add(self.counts.signals, Ordering::Relaxed);
            self.ledger.attempts[which].fetch_add(self.counts.attempts, Ordering::Relaxed);
        }
    }
}
