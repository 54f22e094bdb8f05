//! Sizes, ages and shares of a disk as they are given on the command line.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::forget::LEAST_BYTES;
use crate::base::period::Period;
use crate::error::UsageError;

/// Bytes of a store: `512M`, `2G`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(u64);

/// An age: as a [`Period`], and `30d`, `2w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age(Duration);

/// Per cent of a file system: `10%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share(u8);

/// More is no limit.
const MOST: u64 = 1 << 50;

impl Size {
    /// So many bytes.
    pub fn of(bytes: u64) -> Self {
        Self(bytes)
    }
}

impl From<Size> for u64 {
    fn from(size: Size) -> Self {
        size.0
    }
}

impl From<Age> for Duration {
    fn from(age: Age) -> Self {
        age.0
    }
}

impl From<Share> for u8 {
    fn from(share: Share) -> Self {
        share.0
    }
}

impl FromStr for Size {
    type Err = UsageError;

    fn from_str(text: &str) -> Result<Self, UsageError> {
        let (digits, unit) = match text.strip_suffix(['K', 'M', 'G', 'T']) {
            Some(digits) => (digits, 1_u64 << (10 * " KMGT".find(&text[digits.len()..]).unwrap_or_default())),
            None => (text, 1),
        };
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let bytes = is_number.then(|| digits.parse::<u64>().ok()?.checked_mul(unit)).flatten();
        let bytes = bytes.filter(|bytes| (LEAST_BYTES..=MOST).contains(bytes));
        bytes.map(Self).ok_or_else(|| UsageError::StoreSize(text.to_owned()))
    }
}

impl FromStr for Age {
    type Err = UsageError;

    fn from_str(text: &str) -> Result<Self, UsageError> {
        const DAY: u64 = 24 * 60 * 60;
        let days = |unit: char, seconds: u64| {
            let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
            number.checked_mul(seconds).map(|seconds| seconds.to_string())
        };
        let seconds = days('d', DAY).or_else(|| days('w', 7 * DAY));
        seconds.as_deref().unwrap_or(text).parse::<Period>().map(|period| Self(period.into())).map_err(
            |error| match error {
                UsageError::Duration(_) => UsageError::Age(text.to_owned()),
                other => other,
            },
        )
    }
}

impl FromStr for Share {
    type Err = UsageError;

    fn from_str(text: &str) -> Result<Self, UsageError> {
        let share = text.strip_suffix('%').unwrap_or(text).parse().ok().filter(|share| *share <= 90_u8);
        share.map(Self).ok_or_else(|| UsageError::Share(text.to_owned()))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(40, 'T'), (30, 'G'), (20, 'M'), (10, 'K')];
        match units.into_iter().find(|(shift, _)| self.0 >= 1 << shift && self.0 % (1 << shift) == 0) {
            Some((shift, unit)) => write!(formatter, "{}{unit}", self.0 >> shift),
            None => self.0.fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_ages_and_shares_have_units() {
        let size = |text: &str| text.parse::<Size>().map(u64::from).ok();
        assert_eq!(
            (size("512M"), size("16777216"), size("2T")),
            (Some(512 << 20), Some(16 << 20), Some(2 << 40))
        );
        for wrong in ["", "M", "0", "1M", "-1G", "1.5G", "99999999T", "1X", "１G"] {
            assert_eq!(size(wrong), None, "{wrong}");
        }
        assert_eq!("512M".parse::<Size>().unwrap().to_string(), "512M");
        let age = |text: &str| text.parse::<Age>().map(Duration::from).ok();
        assert_eq!(age("30d"), Some(Duration::from_secs(30 * 86400)));
        assert_eq!((age("1w"), age("12h")), (age("7d"), Some(Duration::from_secs(12 * 3600))));
        assert_eq!((age("d"), age("x"), age("0d"), age("99999999999w")), (None, None, None, None));
        let share = |text: &str| text.parse::<Share>().map(u8::from).ok();
        assert_eq!((share("10%"), share("0"), share("91"), share("%")), (Some(10), Some(0), None, None));
    }
}
