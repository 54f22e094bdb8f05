//! A message that could come with every event, and is wanted once in a while.

use std::time::{Duration, Instant};

/// When it came last.
#[derive(Debug)]
pub(crate) struct Seldom {
    every: Duration,
    last: Option<Instant>,
}

impl Seldom {
    /// At most once in this time.
    pub(crate) fn new(every: Duration) -> Self {
        Self { every, last: None }
    }

    /// May it come now? Then it counts as come.
    pub(crate) fn is_due(&mut self) -> bool {
        let is_due = self.last.is_none_or(|last| last.elapsed() >= self.every);
        if is_due {
            self.last = Some(Instant::now());
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_waits_for_its_time() {
        let mut hourly = Seldom::new(Duration::from_secs(3600));
        assert!(hourly.is_due() && !hourly.is_due());
        let mut always = Seldom::new(Duration::ZERO);
        assert!(always.is_due() && always.is_due());
    }
}
