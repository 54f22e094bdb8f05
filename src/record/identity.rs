//! The command line of an image: as its own record brings it, and as the kernel keeps it.

use std::borrow::Cow;

use super::argv::{Argv, ArgvFrom};
use super::process::{Image, owned};

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
