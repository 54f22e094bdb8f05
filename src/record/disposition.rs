//! What the target does with a signal, and whether it lets it through.

use super::reader::DecodeError;
use crate::wire::{Disposition as Wire, SignalFlag};

/// What the target does with this signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// The default action.
    Default,
    /// `SIG_IGN`.
    Ignored,
    /// A handler.
    Handled,
}

impl Disposition {
    pub(super) fn decode(value: u8) -> Result<Self, DecodeError> {
        Ok(match Wire(u32::from(value)) {
            Wire::DISPOSITION_DEFAULT => Self::Default,
            Wire::DISPOSITION_IGNORED => Self::Ignored,
            Wire::DISPOSITION_HANDLED => Self::Handled,
            other => return Err(DecodeError::impossible("disposition", other.0)),
        })
    }
}

/// Whether the target lets the signal through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocking {
    /// Some thread has it open.
    Open,
    /// No thread has.
    Blocked,
    /// Blocked, but a thread waits for it (`sigwait`).
    Waited,
    /// More threads than were looked at.
    Unknown,
}

impl Blocking {
    /// By the flags of a signal (`enum wire_signal_flag`).
    pub(super) fn decode(flags: u32) -> Self {
        let is = |flag: SignalFlag| flags & flag.0 != 0;
        if is(SignalFlag::SIGNAL_BLOCKED) {
            Self::Blocked
        } else if is(SignalFlag::SIGNAL_WAITED) {
            Self::Waited
        } else if is(SignalFlag::SIGNAL_BLOCKED_UNKNOWN) {
            Self::Unknown
        } else {
            Self::Open
        }
    }
}
