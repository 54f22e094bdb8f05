//! The size of the ring between kernel and program: what it is by default, and what may be asked for.

use std::fmt;
use std::str::FromStr;

use crate::error::UsageError;

/// The ring holds this much by default: 4,000 to 8,000 signals with their trees.
pub const RING_BYTES: u32 = 8 * 1024 * 1024;

/// Bytes of the ring as they are given on the command line: a power of two, whole pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RingBytes(u32);

impl Default for RingBytes {
    fn default() -> Self {
        Self(RING_BYTES)
    }
}

impl From<RingBytes> for u32 {
    fn from(bytes: RingBytes) -> Self {
        bytes.0
    }
}

impl fmt::Display for RingBytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for RingBytes {
    type Err = UsageError;

    fn from_str(text: &str) -> Result<Self, UsageError> {
        let bytes = text.parse().ok().filter(|bytes: &u32| bytes.is_power_of_two() && *bytes >= 4096);
        bytes.map(Self).ok_or_else(|| UsageError::RingBytes(text.to_owned()))
    }
}
