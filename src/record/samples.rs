//! Bytes of records, as the kernel side would have written them, for tests.

use crate::wire::{Constant, Kind, ProcessFlag, VERSION, WireProcess, WireSignal, bytes_of};

/// The head of a SIGTERM's record.
pub(super) fn head(source: u8, target: u8, joins_at: u8) -> Vec<u8> {
    let wire = WireSignal {
        version: VERSION,
        kind: Kind::RECORD_SIGNAL.0 as u16,
        signal: 15,
        source_ancestors: source,
        target_ancestors: target,
        joins_at,
        max_ancestors: 16,
        ..WireSignal::default()
    };
    bytes_of(&wire).to_vec()
}

/// A process of this argv.
pub(super) fn process(argv: &[u8]) -> Vec<u8> {
    let wire = WireProcess {
        tgid: 42,
        argv_kept: argv.len() as u16,
        argv_total: argv.len() as u32,
        ..WireProcess::default()
    };
    let mut bytes = bytes_of(&wire).to_vec();
    bytes.extend_from_slice(argv);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

/// A process of another pid, without an argv of its own.
pub(super) fn outlined(pid: u32) -> Vec<u8> {
    let flags = ProcessFlag::PROCESS_UNKNOWN.0;
    bytes_of(&WireProcess { tgid: pid, start_time: u64::from(pid), flags, ..WireProcess::default() }).to_vec()
}

/// With its length.
pub(super) fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let length = (bytes.len() as u32).to_ne_bytes();
    bytes[4..8].copy_from_slice(&length);
    bytes
}

/// The chains do not meet.
pub(super) const APART: u8 = Constant::JOINS_NOWHERE.0 as u8;

/// A signal of pkill to yes, of which bash is the parent of both.
pub(super) fn whole() -> Vec<u8> {
    let mut bytes = head(1, 0, 1);
    bytes.extend(process(b"pkill\0yes\0"));
    bytes.extend(process(b"yes\0"));
    bytes.extend(process(b"bash\0"));
    sealed(bytes)
}
