//! The command line of an image: as its own record brings it, and as the kernel keeps it.

use std::borrow::Cow;

use super::argv::{self, Argv, ArgvFrom};
use super::process::{Image, owned};
use super::reader::{DecodeError, Reader, until_nul};
use crate::wire::WireIdentity;

/// The command line of an image that was in the middle of execve when a signal met it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityFacts<'a> {
    /// Whose it is.
    pub image: Image,
    /// `comm`, which execve changes as well, without the NULs.
    pub comm: Cow<'a, [u8]>,
    /// Effective user id, which it may change.
    pub uid: u32,
    /// The command line.
    pub argv: Argv<'a>,
    /// The executable, as in [`SubjectFacts::exe`](super::SubjectFacts::exe).
    pub exe: Cow<'a, [u8]>,
}

impl IdentityFacts<'_> {
    /// The same, apart from the bytes of the record.
    pub fn into_owned(self) -> IdentityFacts<'static> {
        IdentityFacts {
            image: self.image,
            comm: owned(self.comm),
            uid: self.uid,
            argv: self.argv.into_owned(),
            exe: owned(self.exe),
        }
    }

    /// Bytes of memory that it holds, once owned.
    pub fn size(&self) -> usize {
        size_of::<Self>() + self.comm.len() + self.exe.len() + self.argv.bytes().len()
    }
}

/// What the kernel keeps of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelIdentity {
    /// Low half of `self_exec_id` when argv was read.
    pub exec_id: u32,
    /// The bytes kept.
    pub argv: Vec<u8>,
    /// How many it has.
    pub argv_total: u32,
    /// There is an argv.
    pub is_known: bool,
    /// Where it was read.
    pub from: ArgvFrom,
    /// There was one, and the process had written over it before it was read.
    pub is_overwritten: bool,
    /// The path of the executable: its names, each with a NUL, the nearest first.
    pub exe: Vec<u8>,
}

pub(super) fn decode(bytes: &[u8]) -> Result<IdentityFacts<'_>, DecodeError> {
    let mut reader = Reader::new(bytes);
    let wire: WireIdentity = reader.read("an identity")?;
    let argv = reader.bytes(wire.argv_kept as usize, "an argv")?;
    let exe = reader.bytes(wire.exe_kept as usize, "a path")?;
    Ok(IdentityFacts {
        image: Image { pid: wire.tgid, start: wire.start_time, exec_id: wire.exec_id },
        comm: Cow::Owned(until_nul(&wire.comm).to_vec()),
        uid: wire.uid,
        argv: argv::decode(argv, wire.argv_total, wire.flags),
        exe: Cow::Borrowed(exe),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Record, decode};
    use crate::wire::{Kind, VERSION, bytes_of};

    #[test]
    fn an_identity_is_of_one_image() {
        let wire = WireIdentity {
            version: VERSION,
            kind: Kind::RECORD_IDENTITY.0 as u16,
            length: (size_of::<WireIdentity>() + 4) as u32,
            start_time: 7,
            tgid: 42,
            exec_id: 3,
            argv_total: 4,
            argv_kept: 4,
            ..WireIdentity::default()
        };
        let bytes = [bytes_of(&wire), b"yes\0"].concat();
        let Ok(Record::Identity(identity)) = decode(&bytes) else { panic!("not an identity") };
        assert_eq!(identity.image, Image { pid: 42, start: 7, exec_id: 3 });
        assert!(matches!(identity.argv, Argv::Known { bytes, .. } if *bytes == *b"yes\0"));
        assert!(decode(&bytes[..bytes.len() - 1]).is_err());
    }
}
