//! The end of a process or of a thread.

use super::delivery::{self, Delivery};
use super::previous::{self, Previous};
use super::process::{self, ProcessFacts};
use super::reader::{DecodeError, Reader};
use super::syscall::{self, Syscall};
use super::task::{self, Task};
use crate::wire::{Constant, WireEnd};

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It exited, with this code.
    Exit(u8),
    /// A signal ended it.
    Signal {
        /// Its number, 1 to 64.
        number: u8,
        /// It left a core file.
        core_dumped: bool,
    },
}

/// A process that ended after a signal, or of one that the signal hook has not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndFacts<'a> {
    /// `CLOCK_BOOTTIME`, nanoseconds.
    pub time: u64,
    /// As its parent reads it from `wait()`.
    pub ending: Ending,
    /// Of a death by a signal: that such a one was sent has been seen.
    pub explained: bool,
    /// The last signal that could have ended it.
    pub previous: Option<Previous>,
    /// The siginfo of the signal that it took and ended of; None where that was fatal as it came.
    pub delivery: Option<Delivery>,
    /// It was traced.
    pub is_traced: bool,
    /// `task->seccomp.mode` of its last thread.
    pub seccomp_mode: u32,
    /// The system call that its registers hold; None where they could not be read.
    pub syscall: Option<Syscall>,
    /// Where in its program that call is.
    pub instruction_pointer: u64,
    /// This thread ended alone: its process goes on.
    pub is_thread: bool,
    /// Its last thread.
    pub task: Task,
    /// Itself, its tracer if it has one, its ancestors.
    pub processes: Vec<ProcessFacts<'a>>,
    /// Places in `processes`: itself and its ancestors.
    pub chain: Vec<usize>,
    /// Place of its tracer.
    pub tracer: Option<usize>,
    /// The chain was cut before the top.
    pub truncated: bool,
}

impl EndFacts<'_> {
    /// The same, apart from the bytes of the record.
    pub fn into_owned(self) -> EndFacts<'static> {
        EndFacts {
            time: self.time,
            ending: self.ending,
            explained: self.explained,
            previous: self.previous,
            delivery: self.delivery,
            is_traced: self.is_traced,
            seccomp_mode: self.seccomp_mode,
            syscall: self.syscall,
            instruction_pointer: self.instruction_pointer,
            is_thread: self.is_thread,
            task: self.task,
            processes: self.processes.into_iter().map(ProcessFacts::into_owned).collect(),
            chain: self.chain,
            tracer: self.tracer,
            truncated: self.truncated,
        }
    }

    /// Bytes of memory that it holds, once owned.
    pub fn size(&self) -> usize {
        size_of::<Self>() + process::size_of_all(&self.processes) + size_of_val(&*self.chain)
    }
}

pub(super) fn decode(mut reader: Reader<'_>) -> Result<EndFacts<'_>, DecodeError> {
    let head: WireEnd = reader.read("an end")?;
    let status = head.status;
    let ending = match status & 0x7f {
        0 => Ending::Exit((status >> 8) as u8),
        number @ 1..=64 => Ending::Signal { number: number as u8, core_dumped: status & 0x80 != 0 },
        other => return Err(DecodeError::impossible("status", other)),
    };
    if head.processes == 0 || head.processes > 2 + Constant::MAX_CHAIN.0 {
        return Err(DecodeError::impossible("processes", head.processes));
    }
    let mut processes = Vec::with_capacity(head.processes as usize);
    for place in 0..head.processes {
        processes.push(process::decode(&mut reader, (place == 0).then_some(&head.task))?);
    }
    let tracer = (head.has_tracer != 0 && processes.len() > 1).then_some(1);
    let first_ancestor = if tracer.is_some() { 2 } else { 1 };
    let mut chain: Vec<usize> = std::iter::once(0).chain(first_ancestor..processes.len()).collect();
    let is_cut = process::cut_nameless(&mut chain, &processes);
    Ok(EndFacts {
        time: head.time,
        ending,
        explained: head.explained != 0,
        previous: previous::decode(&head.previous),
        delivery: match ending {
            Ending::Signal { number, .. } => delivery::decode(&head.delivery, number),
            Ending::Exit(_) => None,
        },
        is_traced: head.ptrace & 1 != 0,
        seccomp_mode: head.seccomp_mode,
        syscall: syscall::decode(&head.call)?,
        instruction_pointer: head.call.instruction_pointer,
        is_thread: head.thread != 0,
        task: task::decode(&head.task),
        chain,
        processes,
        tracer,
        truncated: head.truncated != 0 || is_cut,
    })
}

#[cfg(test)]
impl<'a> EndFacts<'a> {
    /// An end of which nothing else is known, for tests.
    pub(crate) fn of(process: ProcessFacts<'a>, ending: Ending) -> Self {
        Self {
            time: 0,
            ending,
            explained: true,
            previous: None,
            delivery: None,
            is_traced: false,
            seccomp_mode: 0,
            syscall: None,
            instruction_pointer: 0,
            is_thread: false,
            task: Task::default(),
            processes: vec![process],
            chain: vec![0],
            tracer: None,
            truncated: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::samples::{outlined, process, sealed};
    use crate::record::{Record, decode};
    use crate::wire::{Kind, VERSION, bytes_of};

    #[test]
    fn an_end_has_its_tracer_and_its_ancestors() {
        let end = |has_tracer| WireEnd {
            version: VERSION,
            kind: Kind::RECORD_END.0 as u16,
            status: 0x80 | 0xb,
            processes: 3,
            has_tracer,
            ptrace: 1,
            ..WireEnd::default()
        };
        let bytes = |head: &WireEnd| {
            sealed([bytes_of(head), &process(b"cat")[..], &outlined(7), &outlined(1)].concat())
        };
        let traced = bytes(&end(1));
        let Ok(Record::End(facts)) = decode(&traced) else { panic!("not an end") };
        assert_eq!(facts.ending, Ending::Signal { number: 11, core_dumped: true });
        assert!(facts.is_traced);
        assert_eq!((facts.tracer, &facts.chain[..]), (Some(1), &[0, 2][..]));
        let alone = bytes(&end(0));
        let Ok(Record::End(facts)) = decode(&alone) else { panic!("not an end") };
        assert_eq!((facts.tracer, &facts.chain[..]), (None, &[0, 1, 2][..]));
        let exited = bytes(&WireEnd { status: 143 << 8, ..end(0) });
        assert!(matches!(decode(&exited), Ok(Record::End(facts)) if facts.ending == Ending::Exit(143)));
        // what stopped has not ended, and nobody is not a process
        assert!(decode(&bytes(&WireEnd { status: 0x7f, ..end(0) })).is_err());
        assert!(decode(&bytes(&WireEnd { processes: 0, ..end(0) })).is_err());
        assert!(decode(&traced[..traced.len() - 1]).is_err());
    }
}
