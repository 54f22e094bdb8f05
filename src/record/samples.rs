//! Bytes of records, as the kernel side would have written them, for tests.

use crate::wire::{
    Constant, ImageFlag, Kind, ProcessFlag, VERSION, WireImage, WireName, WireProcess, WireSignal, bytes_of,
    comm_of,
};

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

/// A process of this name.
pub(super) fn process(comm: &[u8]) -> Vec<u8> {
    named(42, 0, comm, ProcessFlag::PROCESS_REPORTED.0)
}

/// A process of another pid, of which no image was reported.
pub(super) fn outlined(pid: u32) -> Vec<u8> {
    named(pid, u64::from(pid), b"", ProcessFlag::PROCESS_UNKNOWN.0)
}

fn named(tgid: u32, start_time: u64, name: &[u8], flags: u32) -> Vec<u8> {
    let flags = flags | ProcessFlag::PROCESS_NAMED.0;
    let process = WireProcess { tgid, start_time, flags, ..WireProcess::default() };
    let name = WireName { comm: comm_of(name), ..WireName::default() };
    [bytes_of(&process), bytes_of(&name)].concat()
}

/// A process whose name is that of its image in this epoch.
pub(super) fn nameless(pid: u32, epoch: u16) -> Vec<u8> {
    let flags = ProcessFlag::PROCESS_REPORTED.0;
    bytes_of(&WireProcess { tgid: pid, start_time: u64::from(pid), flags, epoch, ..WireProcess::default() })
        .to_vec()
}

/// The image of such a process.
pub(super) fn image(pid: u32, epoch: Option<u16>, comm: &[u8], argv: &[u8], exe: &[u8]) -> Vec<u8> {
    let wire = WireImage {
        version: VERSION,
        kind: Kind::RECORD_IMAGE.0 as u16,
        start_time: u64::from(pid),
        tgid: pid,
        argv_total: argv.len() as u32,
        argv_kept: argv.len() as u16,
        exe_kept: exe.len() as u16,
        epoch: epoch.unwrap_or_default(),
        image_flags: if epoch.is_some() { ImageFlag::IMAGE_NAMED.0 } else { 0 },
        comm: comm_of(comm),
        ..WireImage::default()
    };
    sealed([bytes_of(&wire), argv, exe].concat())
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
    bytes.extend(process(b"pkill"));
    bytes.extend(process(b"yes"));
    bytes.extend(process(b"bash"));
    sealed(bytes)
}
