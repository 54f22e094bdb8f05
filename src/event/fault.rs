//! Where a fault was, of its own signal and of one that its handler raised again.

use super::origin::{Origin, Reason};
use super::signal_event::SignalEvent;
use crate::record::SigInfo;

/// A handler that raises the signal of its fault again does it within so long, in nanoseconds.
const FAULT_COUNTS_FOR: u64 = 1_000_000_000;

impl SignalEvent<'_> {
    /// Address and instruction of a fault, where the siginfo has them; the instruction only where it is the
    /// target's own.
    pub fn fault(&self) -> Option<(u64, Option<u64>)> {
        match self.facts.info {
            SigInfo::Given { code, fields }
                if self.verdict.origin == Origin::Fault && (1..128).contains(&code) =>
            {
                let address = u64::from_ne_bytes(fields[..8].try_into().ok()?);
                let is_own = self.current().pid == self.target().pid;
                let instruction = self.facts.instruction_pointer;
                Some((address, (is_own && instruction != 0).then_some(instruction)))
            }
            // the registers are still those of the instruction whose handler could not run
            _ if self.verdict.reason == Some(Reason::HandlerFailed) && self.comes_of_a_fault() => {
                let instruction = self.facts.instruction_pointer;
                Some((self.facts.last_fault?, (instruction != 0).then_some(instruction)))
            }
            // a handler that raises the signal of its fault again: where that was is still known
            _ if self.is_raised_again() => Some((self.facts.last_fault?, None)),
            _ => None,
        }
    }

    /// Did the target's handler of a fault send this signal, to have the default action after all?
    pub fn is_raised_again(&self) -> bool {
        let is_own = self.current().pid == self.target().pid && self.current().start == self.target().start;
        self.verdict.origin == Origin::Process
            && is_own
            && self.facts.last_fault.is_some()
            && self.comes_of_a_fault()
    }

    /// Was the signal before this one a page fault of the target's, for the same signal, a moment ago? Then the address that
    /// the kernel keeps is of that one.
    fn comes_of_a_fault(&self) -> bool {
        self.previous().is_some_and(|previous| {
            previous.is_page_fault
                && previous.signal == self.facts.signal
                && self.facts.time.saturating_sub(previous.time) < FAULT_COUNTS_FOR
        })
    }
}
