//! What follows the processes and spawners of a signal's record, where it was worth its room: the tracers of both sides, the
//! target's limits, the kernel's stack.

use super::limits::{self, Limits};
use super::process::{self, ProcessFacts};
use super::reader::{DecodeError, Reader};
use super::task::TTY_BYTES;
use crate::wire::{Behind, Constant, WireLimits, WirePrevious, WireSignal};

#[derive(Debug, Default)]
pub(super) struct Tail {
    /// Places in `processes`.
    pub(super) source_tracer: Option<usize>,
    pub(super) target_tracer: Option<usize>,
    pub(super) limits: Option<Limits>,
    pub(super) tty: [u8; TTY_BYTES],
    pub(super) to_source: WirePrevious,
    pub(super) child_death: u64,
    pub(super) last_fault: u64,
    pub(super) stack: Vec<u64>,
}

/// The tracers become the last of `processes`.
pub(super) fn decode<'a>(
    reader: &mut Reader<'a>,
    head: &WireSignal,
    processes: &mut Vec<ProcessFacts<'a>>,
) -> Result<Tail, DecodeError> {
    let has = |part: Behind| u32::from(head.behind) & part.0 != 0;
    let mut tail = Tail::default();
    if has(Behind::BEHIND_SOURCE_TRACER) {
        tail.source_tracer = Some(decode_tracer(reader, processes)?);
    }
    if has(Behind::BEHIND_TARGET_TRACER) {
        tail.target_tracer = Some(decode_tracer(reader, processes)?);
    }
    if has(Behind::BEHIND_LIMITS) {
        let wire: WireLimits = reader.read("limits")?;
        tail.limits = Some(limits::decode(&wire));
    }
    if has(Behind::BEHIND_TTY) {
        tail.tty.copy_from_slice(reader.bytes(TTY_BYTES, "a terminal")?);
    }
    if has(Behind::BEHIND_TO_SOURCE) {
        tail.to_source = reader.read("a signal to the source")?;
    }
    let mut word = |part, what| if has(part) { reader.read(what) } else { Ok(0) };
    tail.child_death = word(Behind::BEHIND_CHILD_DEATH, "a child's death")?;
    tail.last_fault = word(Behind::BEHIND_LAST_FAULT, "a fault")?;
    if u32::from(head.stack_frames) > Constant::CAUSE_STACK.0 {
        return Err(DecodeError::impossible("stack_frames", head.stack_frames));
    }
    let frames = reader.bytes(usize::from(head.stack_frames) * size_of::<u64>(), "a stack")?;
    tail.stack =
        frames.chunks_exact(8).filter_map(|frame| Some(u64::from_ne_bytes(frame.try_into().ok()?))).collect();
    Ok(tail)
}

/// Returns its place.
fn decode_tracer<'a>(
    reader: &mut Reader<'a>,
    processes: &mut Vec<ProcessFacts<'a>>,
) -> Result<usize, DecodeError> {
    let mut process = process::decode(reader, None)?;
    // it may stand in the record already, with its command line
    if let Some(same) = processes.iter().find(|other| other.image() == process.image()) {
        process.argv = same.argv.clone();
    }
    processes.push(process);
    Ok(processes.len() - 1)
}
