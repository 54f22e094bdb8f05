//! How many entries the journal gets at most: journald drops what exceeds its own limit (10,000 in 30 s of a service) without a word
//! to who looks for a unit. What is left out here is said.

use std::time::{Duration, Instant};

/// Entries in a period.
const MOST: u32 = 200;
const PERIOD: Duration = Duration::from_secs(30);

/// Counts entries by period.
#[derive(Debug)]
pub(super) struct Limiter {
    began: Instant,
    let_through: u32,
    left_out: u64,
}

impl Limiter {
    pub(super) fn new(now: Instant) -> Self {
        Self { began: now, let_through: 0, left_out: 0 }
    }

    /// May one more be sent now?
    pub(super) fn lets_through(&mut self, now: Instant) -> bool {
        if self.let_through == 0 {
            self.began = now;
        }
        let may = self.let_through < MOST;
        if may {
            self.let_through += 1;
        } else {
            self.left_out += 1;
        }
        may
    }

    /// Begins another period if this one is over, or if `all` is; how many were left out in it.
    pub(super) fn take_left_out(&mut self, now: Instant, all: bool) -> u64 {
        if !all && now.saturating_duration_since(self.began) < PERIOD {
            return 0;
        }
        self.let_through = 0;
        std::mem::take(&mut self.left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_exceeds_a_period_is_left_out_and_counted() {
        let start = Instant::now();
        let mut limiter = Limiter::new(start);
        assert_eq!((0..MOST + 50).filter(|_| limiter.lets_through(start)).count(), MOST as usize);
        assert_eq!(limiter.take_left_out(start + PERIOD / 2, false), 0);
        assert_eq!(limiter.take_left_out(start + PERIOD, false), 50);
        assert!(limiter.lets_through(start + PERIOD));
        assert_eq!(limiter.take_left_out(start + PERIOD, true), 0);
    }
}
