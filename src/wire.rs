//! The wire structs of `bpf/include/wire/`, generated from the object's own type information.
//!
//! The only place that says a struct is plain data.

pub(crate) use super::skel::types::{
    call_arm as CallArm, call_arm64 as CallArm64, call_i386 as CallI386, call_x86_64 as CallX86_64,
    child_death_shift as ChildDeathShift, counters as Counters, environment as Environment,
    ghost as WireGhost, hidden_class as HiddenClass, identity as Identity,
    legacy_controller as LegacyController, loss as Loss, loss_key as LossKey, map_size as MapSize,
    pidfd_flag as PidfdFlag, reader_state as ReaderState, repeat as Repeat, repeat_key as RepeatKey,
    select_key as SelectKey, select_value as SelectValue, settings as Settings, siginfo_code as SiCode,
    signal_number as SignalNumber, task_constant as TaskConstant, wire_abi as Abi,
    wire_attempt as WireAttempt, wire_behind as Behind, wire_cgroup as WireCgroup, wire_constant as Constant,
    wire_delivery as WireDelivery, wire_disposition as Disposition, wire_end as WireEnd,
    wire_image as WireImage, wire_image_flag as ImageFlag, wire_info as Info, wire_kind as Kind,
    wire_limits as WireLimits, wire_name as WireName, wire_named as WireNamed, wire_oom as WireOom,
    wire_previous as WirePrevious, wire_previous_flag as PreviousFlag, wire_process as WireProcess,
    wire_process_flag as ProcessFlag, wire_request as WireRequest, wire_signal as WireSignal,
    wire_signal_flag as SignalFlag, wire_spawner as WireSpawner, wire_spawner_flag as SpawnerFlag,
    wire_syscall as WireSyscall, wire_task as WireTask, wire_title as WireTitle,
};

// SAFETY: repr(C), integers and arrays of integers only: every bit pattern is a value. The static
// asserts of wire/ say that there is no padding.
unsafe impl plain::Plain for WireSignal {}
// SAFETY: as above.
unsafe impl plain::Plain for WireProcess {}
// SAFETY: as above.
unsafe impl plain::Plain for WireImage {}
// SAFETY: as above.
unsafe impl plain::Plain for WireName {}
// SAFETY: as above: both of its parts.
unsafe impl plain::Plain for WireNamed {}
// SAFETY: as above.
unsafe impl plain::Plain for WireEnd {}
// SAFETY: as above.
unsafe impl plain::Plain for WireRequest {}
// SAFETY: as above.
unsafe impl plain::Plain for WireOom {}
// SAFETY: as above.
unsafe impl plain::Plain for WireLimits {}
// SAFETY: as above.
unsafe impl plain::Plain for WireAttempt {}
// SAFETY: as above.
unsafe impl plain::Plain for WireCgroup {}
// SAFETY: as above.
unsafe impl plain::Plain for WireTitle {}
// SAFETY: as above.
unsafe impl plain::Plain for WireSpawner {}
// SAFETY: as above.
unsafe impl plain::Plain for WirePrevious {}
// SAFETY: as above; store.h asserts its size.
unsafe impl plain::Plain for Identity {}
// SAFETY: as above; ghost.h asserts its size.
unsafe impl plain::Plain for WireGhost {}
// SAFETY: as above; environment.h asserts its size.
unsafe impl plain::Plain for Environment {}
// SAFETY: as above.
unsafe impl plain::Plain for SelectValue {}
// SAFETY: as above.
unsafe impl plain::Plain for RepeatKey {}
// SAFETY: as above.
unsafe impl plain::Plain for Repeat {}
// SAFETY: as above.
unsafe impl plain::Plain for LossKey {}
// SAFETY: as above; loss.h asserts its size.
unsafe impl plain::Plain for Loss {}
// SAFETY: as above: u64 only.
unsafe impl plain::Plain for Counters {}

/// Largest number of ancestors that a record can hold of one side.
pub(crate) const MAX_ANCESTORS: u32 = Constant::MAX_ANCESTORS.0;

/// A record of another version is refused, never guessed at.
pub(crate) const VERSION: u16 = Constant::WIRE_VERSION.0 as u16;

/// Bytes that the kernel keeps of a name, without its NUL.
pub const COMM_BYTES: usize = COMM_LENGTH - 1;

/// With its NUL.
const COMM_LENGTH: usize = TaskConstant::TASK_COMM_LEN.0 as usize;

/// A name as the kernel keeps it: its first bytes, then NULs.
pub(crate) fn comm_of(name: &[u8]) -> [u8; COMM_LENGTH] {
    let mut comm = [0; COMM_LENGTH];
    let kept = name.len().min(COMM_BYTES);
    comm[..kept].copy_from_slice(&name[..kept]);
    comm
}

/// The bytes of a wire struct, as the kernel would have written them.
pub(crate) fn bytes_of<T: plain::Plain>(value: &T) -> &[u8] {
    // SAFETY: Plain structs of this module have no padding (static asserts of wire/ and store.h), so
    // every byte is initialised.
    unsafe { plain::as_bytes(value) }
}
