//! The siginfo that a signal came with: a claim of its sender, in part.

use super::reader::DecodeError;
use crate::wire::{Info, WireSignal};

/// What stood in the place of the siginfo pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigInfo {
    /// `SEND_SIG_NOINFO`.
    None,
    /// `SEND_SIG_PRIV`: the kernel itself.
    Kernel,
    /// A siginfo. What it says may be a sender's claim.
    Given {
        /// `si_code`.
        code: i32,
        /// The first bytes of `_sifields`.
        fields: [u8; 16],
    },
}

/// A word of `_sifields`: `si_pid` and `si_uid` are the first two where the code says that there are such.
pub(crate) fn word<const BYTES: usize>(fields: &[u8; BYTES], place: usize) -> u32 {
    u32::from_ne_bytes([0, 1, 2, 3].map(|byte| fields[4 * place + byte]))
}

pub(super) fn decode(head: &WireSignal) -> Result<SigInfo, DecodeError> {
    Ok(match Info(u32::from(head.info)) {
        Info::INFO_NONE => SigInfo::None,
        Info::INFO_KERNEL => SigInfo::Kernel,
        Info::INFO_POINTER => SigInfo::Given { code: head.info_code, fields: head.info_fields },
        other => return Err(DecodeError::impossible("info", other.0)),
    })
}
