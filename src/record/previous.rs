//! What came before a signal or an end: the last signal to the same process.

use super::comm::Comm;
use super::outcome::Outcome;
use super::reader::until_nul;
use crate::wire::{PreviousFlag, WirePrevious};

/// The last signal to a process that could have ended it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Previous {
    /// `CLOCK_BOOTTIME`, nanoseconds.
    pub time: u64,
    /// Its number, 1 to 64.
    pub signal: u8,
    /// `TRACE_SIGNAL_*`.
    pub result: u32,
    /// It is hidden by default: no record reported it.
    pub hidden: bool,
    /// It met the default action.
    pub met_default: bool,
    /// A fault at an address of the target's own.
    pub is_page_fault: bool,
    /// The process that sent it, if one did.
    pub source: Option<PreviousSource>,
}

impl Previous {
    /// It is of this number, and arrived: neither ignored nor merged with one that was pending.
    pub fn may_be_what_ended_it(&self, number: u8) -> bool {
        let arrived = matches!(Outcome::of(self.result), Some(Outcome::Queued | Outcome::InfoLost));
        self.signal == number && arrived
    }
}

/// The process that sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreviousSource {
    /// Thread group id in the initial pid namespace.
    pub pid: u32,
    /// Boot-time nanoseconds of its start.
    pub start: u64,
    /// `comm`, without the NULs.
    pub comm: Comm,
}

/// There was one before.
pub(crate) fn has_previous(wire: &WirePrevious) -> bool {
    wire.time != 0 && (1..=64).contains(&wire.signal)
}

pub(super) fn decode(wire: &WirePrevious) -> Option<Previous> {
    let flag = |flag: PreviousFlag| u32::from(wire.flags) & flag.0 != 0;
    has_previous(wire).then(|| Previous {
        time: wire.time,
        signal: wire.signal,
        result: u32::from(wire.result),
        hidden: flag(PreviousFlag::PREVIOUS_HIDDEN),
        met_default: flag(PreviousFlag::PREVIOUS_DEFAULT),
        is_page_fault: flag(PreviousFlag::PREVIOUS_PAGE_FAULT),
        source: flag(PreviousFlag::PREVIOUS_SENT).then(|| PreviousSource {
            pid: wire.source_tgid,
            start: wire.source_start,
            comm: Comm::from(until_nul(&wire.source_comm)),
        }),
    })
}
