//! `--max-rate`: how fast a file may grow. A leaky bucket, shared fairly: what would make it overflow is not admitted, and what
//! is not a flood's hardly ever meets its rim.

use std::str::FromStr;
use std::time::Instant;

use super::share::{Free, Share};
use crate::error::UsageError;
use crate::event::Class;

/// Bytes a second of a regular file that no other rate is given for: 7.5 GB an hour.
const OF_FILES: u64 = 2 << 20;
/// A file may grow by so many seconds' worth at once.
const BURST_SECONDS: u64 = 128;
/// Less than that would not hold the lines of one signal.
const LEAST: u64 = 1024;
/// More is no limit.
const MOST: u64 = 1 << 40;

/// What `--max-rate` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MaxRate {
    /// Nothing: regular files have a limit, and nothing else.
    #[default]
    Usual,
    /// There is none.
    Unlimited,
    /// Bytes a second.
    Bytes(u64),
}

impl MaxRate {
    /// Of what is such a file; None if there is no limit.
    pub fn bytes(self, is_regular_file: bool) -> Option<u64> {
        match self {
            Self::Usual => is_regular_file.then_some(OF_FILES),
            Self::Unlimited => None,
            Self::Bytes(bytes) => Some(bytes),
        }
    }
}

impl FromStr for MaxRate {
    type Err = UsageError;

    /// `65536`, `64K`, `1M`, `none`.
    fn from_str(text: &str) -> Result<Self, UsageError> {
        if text == "none" {
            return Ok(Self::Unlimited);
        }
        let (digits, unit) = match text.strip_suffix(['K', 'M', 'G']) {
            Some(digits) => (digits, 1 << (10 * " KMG".find(&text[digits.len()..]).unwrap_or_default())),
            None => (text, 1),
        };
        let number =
            digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u64>().ok()).flatten();
        number
            .and_then(|number| number.checked_mul(unit))
            .filter(|bytes| (LEAST..=MOST).contains(bytes))
            .map(Self::Bytes)
            .ok_or_else(|| UsageError::MaxRate(text.to_owned()))
    }
}

/// What was written of late.
#[derive(Debug)]
pub(crate) struct Rate {
    share: Share,
    bytes_per_second: u64,
    drained_at: Instant,
}

impl Rate {
    /// So many bytes a second.
    pub(crate) fn new(bytes_per_second: u64, now: Instant) -> Self {
        let burst = usize::try_from(bytes_per_second.saturating_mul(BURST_SECONDS)).unwrap_or(usize::MAX);
        Self { share: Share::new(burst), bytes_per_second, drained_at: now }
    }

    /// May something more of this class be written?
    pub(crate) fn admits(&self, class: Class, goes_first: bool, free: Free) -> bool {
        self.share.admits(class, goes_first, free)
    }

    /// So much was written.
    pub(crate) fn hold(&mut self, class: Class, bytes: usize) {
        self.share.hold(class, bytes);
    }

    /// Time goes by.
    pub(crate) fn drain(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.drained_at);
        let bytes = u128::from(self.bytes_per_second) * since.as_micros() / 1_000_000;
        // what is less than a byte is not lost
        if bytes > 0 {
            self.drained_at = now;
            self.share.drain(usize::try_from(bytes).unwrap_or(usize::MAX));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn rates_have_units_and_bounds() {
        for (text, expected) in [
            ("none", MaxRate::Unlimited),
            ("65536", MaxRate::Bytes(65536)),
            ("64K", MaxRate::Bytes(64 << 10)),
            ("1M", MaxRate::Bytes(1 << 20)),
            ("2G", MaxRate::Bytes(2 << 30)),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        for text in ["", "0", "1023", "1k", "1MB", "-1", "+5000", "1.5M", "M", "99999999999G", "1 M", "2000G"]
        {
            assert_eq!(text.parse::<MaxRate>(), Err(UsageError::MaxRate(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn only_regular_files_have_a_limit_that_nobody_asked_for() {
        assert_eq!((MaxRate::Usual.bytes(true), MaxRate::Usual.bytes(false)), (Some(OF_FILES), None));
        assert_eq!((MaxRate::Unlimited.bytes(true), MaxRate::Bytes(5000).bytes(false)), (None, Some(5000)));
    }

    #[test]
    fn a_flood_grows_a_file_by_its_rate_and_leaves_room_for_others() {
        const RATE: u64 = 100_000;
        let (mut now, flood, root) = (Instant::now(), Class::User(65534), Class::Cgroup(1));
        let mut rate = Rate::new(RATE, now);
        let mut written = 0;
        for _ in 0..10_000 {
            now += Duration::from_millis(10);
            rate.drain(now);
            for _ in 0..10 {
                if rate.admits(flood, true, Free::Half) {
                    rate.hold(flood, 1000);
                    written += 1000;
                }
            }
        }
        let at_most = RATE * BURST_SECONDS / 2 + 100 * RATE + 1000;
        assert!(written <= at_most && written > at_most * 9 / 10, "{written} of {at_most}");
        let mut of_root = 0;
        while rate.admits(root, true, Free::Quarter) {
            rate.hold(root, 1000);
            of_root += 1000;
        }
        assert_eq!(
            of_root,
            (RATE * BURST_SECONDS / 8) / 1000 * 1000,
            "not a byte less than without the flood"
        );
    }
}
