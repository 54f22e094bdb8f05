//! The facts of one record: what the kernel side saw, typed, and not judged yet.
//!
//! [`decode()`] makes them of the bytes of the ring: each kind of record is a file with its struct, its decoder and their
//! tests. What the facts mean is decided in [`event`](crate::event).

mod argv;
mod attempt;
pub mod cause;
mod cgroup;
mod chains;
mod child_death;
mod comm;
mod delivery;
mod disposition;
mod end;
mod ghost;
mod identity;
mod images;
mod limits;
pub mod names;
mod oom;
mod outcome;
mod previous;
mod process;
mod reader;
mod request;
#[cfg(test)]
mod samples;
mod siginfo;
mod signal;
mod spawner;
mod syscall;
mod tail;
mod task;
mod title;
mod variables;

use self::reader::Reader;
use crate::wire::{Kind, VERSION, WireSignal};

pub use self::argv::{Argv, ArgvFrom, Gap};
pub use self::attempt::AttemptFacts;
pub use self::cgroup::CgroupFacts;
pub use self::child_death::ChildDeath;
pub use self::comm::{COMM_BYTES, Comm};
pub use self::delivery::{Delivery, QueuedInfo};
pub use self::disposition::{Blocking, Disposition};
pub use self::end::{EndFacts, Ending};
pub use self::ghost::{Ghost, decode_ghost};
pub use self::identity::{IdentityFacts, KernelIdentity};
pub use self::images::{ImageFacts, Images};
pub use self::limits::Limits;
pub use self::oom::{OomFacts, OomScope};
pub use self::outcome::Outcome;
pub(crate) use self::previous::has_previous;
pub use self::previous::{Previous, PreviousSource};
pub use self::process::{Image, ProcessFacts, ProcessKey, SubjectFacts};
pub use self::reader::DecodeError;
pub use self::request::RequestFacts;
pub use self::siginfo::SigInfo;
pub(crate) use self::siginfo::word;
pub use self::signal::Snapshot;
pub(crate) use self::signal::head_of_signal;
pub use self::spawner::SpawnerFacts;
pub use self::syscall::{Syscall, SyscallAbi};
pub use self::task::{PF_EXITING, PF_IO_WORKER, PF_KTHREAD, TTY_BYTES, Task};
pub use self::title::{Title, TitleFacts, decode_titles};
pub use self::variables::{MAX_VARIABLE_NAME, MAX_VARIABLES, is_variable_name};

/// A record of the ring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record<'a> {
    /// A signal.
    Signal(Box<Snapshot<'a>>),
    /// What a process runs, for the records after it.
    Image(ImageFacts<'a>),
    /// An end: after a signal, or one that none explains.
    End(Box<EndFacts<'a>>),
    /// What the OOM killer's victim weighed; its signal came just before.
    Oom(OomFacts),
    /// A call that failed, or only asked.
    Attempt(Box<AttemptFacts<'a>>),
    /// A cgroup's path.
    Cgroup(CgroupFacts<'a>),
    /// A command that asks others to act on processes was executed.
    Request(Box<RequestFacts<'a>>),
}

/// What every kind of record begins with: version, kind, length.
const PREFIX: usize = std::mem::offset_of!(WireSignal, time);

/// Decodes one record of the ring that refers to no image.
///
/// # Errors
/// As [`decode_with()`].
pub fn decode(bytes: &[u8]) -> Result<Record<'_>, DecodeError> {
    decode_any(bytes, None)
}

/// Decodes one record of the ring. It may refer to these images, which came before it.
///
/// # Errors
/// [`DecodeError`] if the bytes are not a whole record of this build's wire version.
pub fn decode_with<'a>(bytes: &'a [u8], images: &'a Images) -> Result<Record<'a>, DecodeError> {
    decode_any(bytes, Some(images))
}

/// Is it the record of an image, which others refer to?
pub(crate) fn is_image(bytes: &[u8]) -> bool {
    let kind = bytes.get(2..4).and_then(|kind| Some(u16::from_ne_bytes(kind.try_into().ok()?)));
    kind.is_some_and(|kind| Kind(u32::from(kind)) == Kind::RECORD_IMAGE)
}

/// The bytes of a record without what the ring may have behind it; all of them if it does not say how many these are.
pub fn trimmed(bytes: &[u8]) -> &[u8] {
    let length = bytes.get(4..8).and_then(|length| Some(u32::from_ne_bytes(length.try_into().ok()?)));
    length.and_then(|length| bytes.get(..length as usize)).unwrap_or(bytes)
}

fn decode_any<'a>(bytes: &'a [u8], images: Option<&'a Images>) -> Result<Record<'a>, DecodeError> {
    let prefix = Reader::new(bytes).bytes(PREFIX, "the beginning")?;
    let version = u16::from_ne_bytes([prefix[0], prefix[1]]);
    if version != VERSION {
        return Err(DecodeError::Version { found: version });
    }
    let kind = u16::from_ne_bytes([prefix[2], prefix[3]]);
    let length = u32::from_ne_bytes([prefix[4], prefix[5], prefix[6], prefix[7]]) as usize;
    let bytes = Reader::new(bytes).bytes(length, "the record")?;
    Ok(match Kind(u32::from(kind)) {
        Kind::RECORD_SIGNAL => Record::Signal(Box::new(signal::decode(Reader::with(bytes, images))?)),
        Kind::RECORD_END => Record::End(Box::new(end::decode(Reader::with(bytes, images))?)),
        Kind::RECORD_OOM => Record::Oom(oom::decode(bytes)?),
        Kind::RECORD_ATTEMPT => Record::Attempt(Box::new(attempt::decode(Reader::with(bytes, images))?)),
        Kind::RECORD_IMAGE => Record::Image(images::decode(bytes)?),
        Kind::RECORD_REQUEST => Record::Request(Box::new(request::decode(Reader::with(bytes, images))?)),
        Kind::RECORD_CGROUP => Record::Cgroup(cgroup::decode(bytes)?),
        _ => return Err(DecodeError::Kind(kind)),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::samples::whole;
    use super::*;

    #[test]
    fn another_version_says_record_again() {
        let mut bytes = whole();
        bytes[0] = 200;
        assert!(decode(&bytes).unwrap_err().to_string().contains("record again"));
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_value_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let _ = decode(&bytes);
        }

        #[test]
        fn a_truncated_record_is_an_error(cut in 0usize..400) {
            let bytes = whole();
            prop_assume!(cut < bytes.len());
            prop_assert!(decode(&bytes[..cut]).is_err());
        }

        #[test]
        fn a_damaged_record_never_panics(changes in proptest::collection::vec((0usize..500, any::<u8>()), 0..24)) {
            let mut bytes = whole();
            for (at, value) in changes {
                let at = at % bytes.len();
                bytes[at] = value;
            }
            let _ = decode(&bytes);
        }
    }
}
