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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::numbers::SEGV;
    use crate::event::samples::{about, event, facts, in_call, to_itself};
    use crate::record::{Previous, Snapshot};

    #[test]
    fn only_the_targets_own_fault_has_an_instruction() {
        let fault = |facts: Snapshot<'static>| event(Snapshot { instruction_pointer: 7, ..facts }).fault();
        assert_eq!(fault(to_itself(facts(SEGV, about(0x10, 0, 1)))), Some((0x10, Some(7))));
        let bad_memory = facts(crate::event::numbers::BUS, about(0x10, 0, 5));
        assert_eq!(fault(bad_memory), Some((0x10, None)));
    }

    #[test]
    fn a_signal_is_raised_again_only_after_a_page_fault_of_its_own_a_moment_ago() {
        const TGKILL: i64 = 234;
        let raised = |time, is_page_fault| {
            let previous = Previous {
                time: 5,
                signal: SEGV,
                result: 0,
                hidden: false,
                met_default: false,
                is_page_fault,
                source: None,
            };
            let facts = Snapshot {
                time,
                last_fault: Some(0x20),
                previous: Some(previous),
                ..facts(SEGV, about(0, 0, -6))
            };
            event(in_call(to_itself(facts), TGKILL, [100, 100, u64::from(SEGV), 0])).fault()
        };
        assert_eq!(raised(6, true), Some((0x20, None)));
        assert_eq!(raised(6, false), None);
        assert_eq!(raised(5 + FAULT_COUNTS_FOR, true), None);
    }
}
