//! A size as it is typed: bytes, or a number with K, M, G or T, each 1024 times the one before.

use std::str::FromStr;

use crate::error::UsageError;

/// Bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u64);

impl FromStr for Size {
    type Err = UsageError;

    fn from_str(text: &str) -> Result<Self, UsageError> {
        let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        let shift = match text.get(digits.len()..) {
            Some("") => Some(0),
            Some("K" | "KiB") => Some(10),
            Some("M" | "MiB") => Some(20),
            Some("G" | "GiB") => Some(30),
            Some("T" | "TiB") => Some(40),
            _ => None,
        };
        let number = digits.parse::<u64>().ok();
        let bytes = number.zip(shift).and_then(|(number, shift)| number.checked_mul(1 << shift));
        bytes.map(Self).ok_or_else(|| UsageError::Size(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_bytes_or_has_a_unit() {
        for (text, bytes) in
            [("0", 0), ("512", 512), ("64K", 65_536), ("500M", 524_288_000), ("2GiB", 2 << 30)]
        {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        for wrong in ["", "M", "1X", "-1", "1.5G", "99999999T", "1 M"] {
            assert!(wrong.parse::<Size>().is_err(), "{wrong}");
        }
    }
}
