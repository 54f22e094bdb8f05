//! Events of made-up processes, for tests.

use crate::event::context::Context;
use crate::event::origin::Origin;
use crate::event::{Clock, SignalEvent};
use crate::record::{Previous, PreviousSource, ProcessFacts, Snapshot};

pub(super) fn process(pid: u32, comm: &'static [u8]) -> ProcessFacts<'static> {
    ProcessFacts { start: u64::from(pid), ..ProcessFacts::named(pid, comm) }
}

/// bash(7) and yes(9), of this origin.
pub(super) fn event(origin: Origin, change: impl FnOnce(&mut Snapshot<'static>)) -> SignalEvent<'static> {
    let mut facts = Snapshot::between(process(7, b"bash"), process(9, b"yes"));
    facts.time = 20_000_000_000;
    change(&mut facts);
    let mut event = SignalEvent::new(facts, 1, Clock::fixed(0), Context::default()).unwrap();
    event.verdict.origin = origin;
    event
}

pub(super) fn previous(signal: u8, result: u32, source: Option<PreviousSource>) -> Previous {
    Previous {
        time: 10_000_000_000,
        signal,
        result,
        hidden: false,
        met_default: true,
        is_page_fault: false,
        source,
    }
}
