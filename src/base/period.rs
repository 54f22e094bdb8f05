//! A span of time as it is given on the command line: seconds, or numbers with units.

use std::str::FromStr;
use std::time::Duration;

use crate::error::UsageError;

/// A clock of the kernel, which counts nanoseconds in 64 bits, ends after 292 years.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// A span of time: longer than nothing, at most 100 years.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period(Duration);

impl From<Period> for Duration {
    fn from(period: Period) -> Self {
        period.0
    }
}

impl FromStr for Period {
    type Err = UsageError;

    /// `2`, `0.5`, `500ms`, `1h30m`.
    fn from_str(text: &str) -> Result<Self, UsageError> {
        let wrong = || UsageError::Duration(text.to_owned());
        let too_long = || UsageError::TooLong(text.to_owned());
        let duration = if let Ok(seconds) = text.parse::<f64>() {
            // what a Duration cannot hold is too long as well
            if seconds > LONGEST.as_secs_f64() {
                return Err(too_long());
            }
            Duration::try_from_secs_f64(seconds).map_err(|_| wrong())?
        } else {
            let duration: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
            Duration::try_from(duration).map_err(|_| wrong())?
        };
        match duration {
            Duration::ZERO => Err(wrong()),
            duration if duration > LONGEST => Err(too_long()),
            duration => Ok(Self(duration)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_with_and_without_unit() {
        for (text, milliseconds) in
            [("2", 2000), ("0.5", 500), ("500ms", 500), ("10s", 10_000), ("5m", 300_000), ("2h", 7_200_000)]
        {
            assert_eq!(text.parse(), Ok(Period(Duration::from_millis(milliseconds))), "{text}");
        }
    }
}
