//! Opens the FILEs of outputs, when the trace starts and at each SIGHUP.
//!
//! Lines hold command lines of others, and killsnoop often runs as root: a FILE that another user prepared would give
//! him secrets, or put text of his into a file that root trusts. So nothing of a path that another user made is followed, and what
//! was opened is looked at by its descriptor, which cannot be exchanged:
//!
//! | what it is | demanded |
//! |---|---|
//! | a regular file | our own, one name, closed to group and others, locked by nobody else |
//! | a FIFO | the same; it is not made here, and need not have a reader |
//! | a character device | nothing: only root makes one |
//! | anything else, a symbolic link among it | refused |
//!
//! At SIGHUP a FILE must be of the same kind as at the start.
//!
//! The tracer itself drops the rights that this needs ([`crate::trace::privileges`]). A process of its own keeps them, which can do
//! nothing but open these very names ([`Helper`], [`Service`]).

mod apart;
mod path;

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, RawMode, Stat};
use rustix::io::Errno;

pub use self::apart::{COMMAND, Helper, Service};
pub use crate::error::Refusal;

/// A file that goes while it is made is made again, so often.
const TRIES: usize = 8;

/// What a FILE is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    Regular,
    /// A named pipe.
    Fifo,
    /// A terminal, `/dev/null`.
    Device,
}

impl FileKind {
    fn words(self) -> &'static str {
        match self {
            Self::Regular => "a regular file",
            Self::Fifo => "a FIFO",
            Self::Device => "a device",
        }
    }
}

/// A FILE that was opened.
#[derive(Debug)]
pub enum OpenOutcome {
    /// Lines can be written. Writes to a FIFO do not wait.
    File(File, FileKind),
    /// A FIFO without a reader.
    Unread,
    /// It is the one that is open already.
    Same,
}

/// What distinguishes a file from any other that exists at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Id {
    device: u64,
    inode: u64,
}

impl Id {
    /// Of an open file.
    pub fn of(file: impl AsFd) -> Option<Self> {
        rustix::fs::fstat(file).ok().map(|status| Self::of_status(&status))
    }

    #[allow(clippy::unnecessary_cast)] // of another width elsewhere
    fn of_status(status: &Stat) -> Self {
        Self { device: status.st_dev as u64, inode: status.st_ino as u64 }
    }
}

/// A FILE by its directory, which is held open.
#[derive(Debug)]
struct Target {
    directory: OwnedFd,
    name: OsString,
    /// As it was opened first.
    kind: Option<FileKind>,
}

impl Target {
    fn find(path: &Path) -> Result<Self, Refusal> {
        let (directory, name) = path::split(path)?;
        Ok(Self { directory: path::open_directory(&directory)?, name, kind: None })
    }

    fn open(&mut self, held: Option<Id>) -> Result<OpenOutcome, Refusal> {
        let flags = OFlags::WRONLY
            | OFlags::APPEND
            | OFlags::NOFOLLOW
            // a FIFO without a reader, a terminal without a carrier, a lease of another process
            | OFlags::NONBLOCK
            | OFlags::NOCTTY
            | OFlags::CLOEXEC;
        for _ in 0..TRIES {
            let open = |flags, mode| rustix::fs::openat(&self.directory, &self.name, flags, mode);
            let opened = match open(flags, Mode::empty()) {
                // command lines can hold secrets: only the owner reads it
                Err(Errno::NOENT) => {
                    match open(flags | OFlags::CREATE | OFlags::EXCL, Mode::RUSR | Mode::WUSR) {
                        Err(Errno::EXIST) => continue,
                        made => made,
                    }
                }
                opened => opened,
            };
            return match opened {
                Ok(file) => self.take(file, held),
                Err(error) => self.explain(error),
            };
        }
        Err(Refusal::new("it comes and goes while it is opened", ""))
    }

    fn take(&mut self, file: OwnedFd, held: Option<Id>) -> Result<OpenOutcome, Refusal> {
        let status = rustix::fs::fstat(&file)?;
        let kind = self.judge(&status)?;
        // and has our lock
        if held == Some(Id::of_status(&status)) {
            return Ok(OpenOutcome::Same);
        }
        if kind != FileKind::Device {
            lock(&file)?;
        }
        if kind != FileKind::Fifo {
            let flags = rustix::fs::fcntl_getfl(&file)?;
            rustix::fs::fcntl_setfl(&file, flags - OFlags::NONBLOCK)?;
        }
        self.kind = Some(kind);
        Ok(OpenOutcome::File(file.into(), kind))
    }

    /// What stands in the way, if that can be seen.
    fn explain(&mut self, error: Errno) -> Result<OpenOutcome, Refusal> {
        let status = rustix::fs::statat(&self.directory, &self.name, AtFlags::SYMLINK_NOFOLLOW);
        let status = status.map_err(|_| Refusal::from(error))?;
        let kind = self.judge(&status)?;
        if error == Errno::NXIO && kind == FileKind::Fifo {
            self.kind = Some(kind);
            return Ok(OpenOutcome::Unread);
        }
        Err(error.into())
    }

    fn judge(&self, status: &Stat) -> Result<FileKind, Refusal> {
        let kind = judge(status, rustix::process::geteuid().as_raw())?;
        match self.kind {
            Some(first) if first != kind => Err(Refusal::new(
                format!("it was {}, and now is {}", first.words(), kind.words()),
                "start killsnoop again if that is meant",
            )),
            _ => Ok(kind),
        }
    }
}

/// By what it is, and who owns it.
fn judge(status: &Stat, own: u32) -> Result<FileKind, Refusal> {
    let kind = match FileType::from_raw_mode(status.st_mode as RawMode) {
        FileType::RegularFile => FileKind::Regular,
        FileType::Fifo => FileKind::Fifo,
        FileType::CharacterDevice => return Ok(FileKind::Device),
        FileType::Symlink => {
            return Err(Refusal::new(
                "it is a symbolic link, and none is followed",
                "name the file that it leads to",
            ));
        }
        FileType::Directory => return Err(Refusal::new("it is a directory", "name a file in it")),
        FileType::BlockDevice => return Err(Refusal::new("it is a disk", "name a file")),
        FileType::Socket => {
            return Err(Refusal::new(
                "it is a socket",
                "name a file or a FIFO, or pipe standard output to a program that writes to the socket",
            ));
        }
        FileType::Unknown => {
            return Err(Refusal::new("it is no file that can be written to", "name another"));
        }
    };
    if status.st_uid != own {
        return Err(Refusal::new(
            format!("it belongs to user {}, and killsnoop opens it as user {own}", status.st_uid),
            "remove it, or name a file in a directory where only you can make files",
        ));
    }
    if status.st_nlink != 1 {
        return Err(Refusal::new(
            format!("it has {} names (hard links), and one is allowed", status.st_nlink),
            "remove it, or name another",
        ));
    }
    let mode = status.st_mode & 0o7777;
    if mode & 0o077 != 0 {
        return Err(Refusal::new(
            format!("it is open to others (mode {mode:04o}), and lines can hold secrets"),
            "chmod 600 it, or name another",
        ));
    }
    Ok(kind)
}

/// As long as it is open, no other tracer writes into it: their lines would get mixed.
fn lock(file: &OwnedFd) -> Result<(), Refusal> {
    match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => Err(Refusal::new(
            "another process has it locked: a second tracer, whose lines would get mixed with these",
            "name another, or end the other one",
        )),
        // a file system without locks
        _ => Ok(()),
    }
}

/// FILEs that are opened by their numbers.
#[derive(Debug)]
pub struct Opener(Who);

#[derive(Debug)]
enum Who {
    /// This process.
    Here(Mutex<Targets>),
    /// A process of its own.
    Helper(Helper),
}

impl Opener {
    /// This process opens them itself.
    pub fn here(paths: &[PathBuf]) -> Self {
        Self(Who::Here(Mutex::new(Targets::find(paths))))
    }

    /// A process of its own opens them, which was started for these.
    pub fn helper(helper: Helper) -> Self {
        Self(Who::Helper(helper))
    }

    /// Opens one. `held` is what is open of it now.
    ///
    /// # Errors
    /// If it is not to be written to.
    pub fn open(&self, number: usize, held: Option<Id>) -> Result<OpenOutcome, Refusal> {
        match &self.0 {
            Who::Here(targets) => targets.lock().unwrap_or_else(PoisonError::into_inner).open(number, held),
            Who::Helper(helper) => helper.open(number, held),
        }
    }
}

/// What can be opened: each by its directory, or why that cannot be.
#[derive(Debug)]
struct Targets(Vec<Result<Target, Refusal>>);

impl Targets {
    fn find(paths: &[PathBuf]) -> Self {
        Self(paths.iter().map(|path| Target::find(path)).collect())
    }

    fn open(&mut self, number: usize, held: Option<Id>) -> Result<OpenOutcome, Refusal> {
        match self.0.get_mut(number) {
            Some(Ok(target)) => target.open(held),
            Some(Err(refusal)) => Err(refusal.clone()),
            None => Err(Errno::BADF.into()),
        }
    }
}
