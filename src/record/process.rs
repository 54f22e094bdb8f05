//! One process of a record: who it is, its command line, and what only source and target have of it.

use crate::base::reversed_path;
use std::borrow::Cow;
use std::mem::offset_of;

use super::argv::{self, Argv, Gap};
use super::reader::{DecodeError, Reader, until_nul};
use super::title::Title;
use crate::wire::{Constant, ProcessFlag, WireName, WireProcess, WireTask};

/// One image of one process: what runs between two execs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Image {
    /// Thread group id in the initial pid namespace.
    pub pid: u32,
    /// Boot-time nanoseconds of the process's start.
    pub start: u64,
    /// Low half of `self_exec_id`.
    pub exec_id: u32,
}

/// One process of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessFacts<'a> {
    /// Thread group id in the initial pid namespace.
    pub pid: u32,
    /// Boot-time nanoseconds of its start.
    pub start: u64,
    /// `comm` of the leader, without the NULs.
    pub comm: Cow<'a, [u8]>,
    /// Effective user id.
    pub uid: u32,
    /// Both are known: else they were those of an image that is not kept any more.
    pub has_name: bool,
    /// Low half of `self_exec_id`.
    pub exec_id: u32,
    /// Low half of `mm->arg_start`, where the command line is missing and there is one: which image it was, so that
    /// /proc can be asked for the same one. 0: there is none.
    pub arg_start: u32,
    /// Command line.
    pub argv: Argv<'a>,
    /// Live title, of a source only.
    pub title: Option<Title<'a>>,
    /// There should be a title, but it could not be read.
    pub title_lost: bool,
    /// What only source and target have.
    pub subject: Option<Box<SubjectFacts<'a>>>,
}

/// What is kept of source and target alone, in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SubjectFacts<'a> {
    /// The executable: names, each with its NUL, the nearest first; empty if it could not be read.
    pub exe: Cow<'a, [u8]>,
    /// It is not below the root directory of the process.
    pub exe_unreachable: bool,
    /// `utsname.nodename`, where it is in a UTS namespace of its own.
    pub nodename: Cow<'a, [u8]>,
    /// The environment variables that were asked for: `NAME=value`, each with its NUL.
    pub environment: Cow<'a, [u8]>,
    /// Not all of them could be kept.
    pub environment_cut: bool,
    /// They could not be read.
    pub environment_lost: bool,
}

/// A process for ever: its pid and when it started.
pub type ProcessKey = (u32, u64);

impl ProcessFacts<'_> {
    /// Which process it is.
    pub fn key(&self) -> ProcessKey {
        (self.pid, self.start)
    }

    /// The image that it ran.
    pub fn image(&self) -> Image {
        Image { pid: self.pid, start: self.start, exec_id: self.exec_id }
    }

    /// The same, apart from the bytes of the record.
    pub fn into_owned(self) -> ProcessFacts<'static> {
        ProcessFacts {
            pid: self.pid,
            start: self.start,
            comm: owned(self.comm),
            uid: self.uid,
            has_name: self.has_name,
            exec_id: self.exec_id,
            arg_start: self.arg_start,
            argv: self.argv.into_owned(),
            title: self.title.map(Title::into_owned),
            title_lost: self.title_lost,
            subject: self.subject.map(|subject| Box::new(subject.into_owned())),
        }
    }

    /// Bytes of memory that it holds, once owned.
    pub fn size(&self) -> usize {
        let title = self.title.as_ref().map_or(0, |title| title.bytes.len());
        let subject = self.subject.as_ref().map_or(0, |subject| subject.size());
        size_of::<Self>() + self.comm.len() + self.argv.bytes().len() + title + subject
    }
}

impl SubjectFacts<'_> {
    /// The path of the executable, as the process itself would see it.
    pub fn exe_path(&self) -> Option<Vec<u8>> {
        let path = reversed_path::to_path(&self.exe);
        (!path.is_empty()).then_some(path)
    }

    fn into_owned(self) -> SubjectFacts<'static> {
        SubjectFacts {
            exe: owned(self.exe),
            exe_unreachable: self.exe_unreachable,
            nodename: owned(self.nodename),
            environment: owned(self.environment),
            environment_cut: self.environment_cut,
            environment_lost: self.environment_lost,
        }
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.exe.len() + self.nodename.len() + self.environment.len()
    }
}

/// Bytes of memory that all of these hold, once owned.
pub(super) fn size_of_all(processes: &[ProcessFacts<'_>]) -> usize {
    processes.iter().map(ProcessFacts::size).sum()
}

pub(super) fn owned(bytes: Cow<'_, [u8]>) -> Cow<'static, [u8]> {
    Cow::Owned(bytes.into_owned())
}

/// The next process; with `task` it is the source or the target, which have more bytes.
pub(super) fn decode<'a>(
    reader: &mut Reader<'a>,
    task: Option<&WireTask>,
) -> Result<ProcessFacts<'a>, DecodeError> {
    let wire: WireProcess = reader.read("a process")?;
    let flag = |flag: ProcessFlag| wire.flags & flag.0 != 0;
    let image = Image { pid: wire.tgid, start: wire.start_time, exec_id: wire.exec_id };
    let is_reported = flag(ProcessFlag::PROCESS_REPORTED);
    let stored = if is_reported { reader.image(image) } else { None };
    let name = if flag(ProcessFlag::PROCESS_NAMED) {
        Some(decode_name(reader)?)
    } else {
        stored.and_then(|stored| stored.name(wire.epoch))
    };
    let has_name = name.is_some();
    let name = name.unwrap_or_default();
    let rest_at = reader.at();
    let title = reader.bytes(usize::from(wire.title_kept), "a title")?;
    let nodename = reader.bytes(task.map_or(0, |task| usize::from(task.nodename_kept)), "a nodename")?;
    reader.skip_to(rest_at + (reader.at() - rest_at).next_multiple_of(8));
    let most = if task.is_some() { usize::MAX } else { Constant::ANCESTOR_ARGV.0 as usize };
    let argv = match stored {
        Some(stored) => stored.argv(most),
        None if is_reported || flag(ProcessFlag::PROCESS_NOT_REPORTED) => Argv::Missing(Gap::NotKept),
        None => argv::decode(&[], 0, wire.flags),
    };
    Ok(ProcessFacts {
        pid: wire.tgid,
        start: wire.start_time,
        comm: name.comm,
        uid: name.uid,
        has_name,
        exec_id: wire.exec_id,
        arg_start: name.arg_start,
        argv,
        title: (!title.is_empty()).then_some(Title {
            bytes: Cow::Borrowed(title),
            spilt: flag(ProcessFlag::PROCESS_TITLE_SPILT),
            cut: flag(ProcessFlag::PROCESS_TITLE_CUT),
        }),
        title_lost: flag(ProcessFlag::PROCESS_TITLE_LOST),
        subject: task.map(|_| {
            let nodename = Cow::Borrowed(nodename);
            Box::new(match stored {
                Some(stored) => SubjectFacts { nodename, ..stored.subject() },
                None => SubjectFacts {
                    nodename,
                    environment_lost: flag(ProcessFlag::PROCESS_ENV_LOST)
                        || (is_reported && reader.has_variables()),
                    ..SubjectFacts::default()
                },
            })
        }),
    })
}

/// What a process is called, while it runs one image.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Name<'a> {
    /// Without the NULs.
    pub(super) comm: Cow<'a, [u8]>,
    /// The effective one.
    pub(super) uid: u32,
    /// See [`ProcessFacts::arg_start`].
    pub(super) arg_start: u32,
}

/// The next name.
pub(super) fn decode_name<'a>(reader: &mut Reader<'a>) -> Result<Name<'a>, DecodeError> {
    let start = reader.at();
    let wire: WireName = reader.read("a name")?;
    // of the record, not of the copy of it
    let comm = reader.bytes_at(start + offset_of!(WireName, comm), wire.comm.len(), "a comm")?;
    Ok(Name { comm: Cow::Borrowed(until_nul(comm)), uid: wire.uid, arg_start: wire.arg_start })
}

/// Cuts a chain before the first of its processes whose name is not known; true if there is one.
pub(super) fn cut_nameless(chain: &mut Vec<usize>, processes: &[ProcessFacts<'_>]) -> bool {
    let is_nameless = |&place: &usize| processes.get(place).is_some_and(|process| !process.has_name);
    let Some(end) = chain.iter().position(is_nameless) else { return false };
    chain.truncate(end);
    true
}

#[cfg(test)]
impl<'a> ProcessFacts<'a> {
    /// A process of which nothing else is known, for tests.
    pub(crate) fn named(pid: u32, comm: &'a [u8]) -> Self {
        Self {
            pid,
            start: 0,
            comm: Cow::Borrowed(comm),
            uid: 0,
            has_name: true,
            exec_id: 0,
            arg_start: 0,
            argv: Argv::NotApplicable,
            title: None,
            title_lost: false,
            subject: None,
        }
    }
}
