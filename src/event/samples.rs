//! Signals of made-up processes, for tests.

use super::context::Context;
use super::signal_event::SignalEvent;
use crate::base::clock::Clock;
use crate::record::cause::{Cause, Explanation};
use crate::record::{PF_EXITING, ProcessFacts, SigInfo, Snapshot, Syscall, SyscallAbi, Task};

pub(super) fn given(code: i32) -> SigInfo {
    SigInfo::Given { code, fields: [0; 16] }
}

pub(super) fn process(pid: u32) -> ProcessFacts<'static> {
    ProcessFacts { start: u64::from(pid), ..ProcessFacts::named(pid, b"x") }
}

/// With these first fields: pid and uid of a child, or the two halves of a band.
pub(super) fn about(pid: u32, uid: u32, code: i32) -> SigInfo {
    let mut fields = [0; 16];
    fields[..4].copy_from_slice(&pid.to_ne_bytes());
    fields[4..8].copy_from_slice(&uid.to_ne_bytes());
    SigInfo::Given { code, fields }
}

/// Process 100 runs, process 200 is signalled; 200's parent is 1.
pub(super) fn facts(signal: u8, info: SigInfo) -> Snapshot<'static> {
    Snapshot {
        signal,
        info,
        in_syscall: false,
        current: Task { tid: 100, session: 50, ..Task::default() },
        processes: vec![process(100), process(200), process(1)],
        current_chain: vec![0, 2],
        target_chain: vec![1, 2],
        ..Snapshot::between(process(100), process(200))
    }
}

pub(super) fn in_call(mut facts: Snapshot<'static>, number: i64, args: [u64; 4]) -> Snapshot<'static> {
    facts.syscall = Some(Syscall { abi: SyscallAbi::X86_64, number, args, is_active: true });
    facts.in_syscall = true;
    facts
}

pub(super) fn to_itself(mut facts: Snapshot<'static>) -> Snapshot<'static> {
    facts.target_chain = facts.current_chain.clone();
    facts
}

pub(super) fn on_a_terminal(mut facts: Snapshot<'static>) -> Snapshot<'static> {
    facts.tty[..4].copy_from_slice(b"pts3");
    facts
}

pub(super) fn shown(cause: Cause, mut facts: Snapshot<'static>) -> Snapshot<'static> {
    let explanation = Explanation { cause: Some(cause), ..Default::default() };
    facts.explanation = Some(explanation);
    facts
}

pub(super) fn exiting(mut facts: Snapshot<'static>) -> Snapshot<'static> {
    facts.current.flags |= PF_EXITING;
    facts
}

/// The event of these facts alone.
pub(super) fn event(facts: Snapshot<'static>) -> SignalEvent<'static> {
    SignalEvent::new(facts, 1, Clock::fixed(0), Context::default()).unwrap()
}
