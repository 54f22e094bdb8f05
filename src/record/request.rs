//! A command that asks others to act on processes: its exec.

use super::process::{self, ProcessFacts};
use super::reader::{DecodeError, Reader};
use super::task::{self, Task};
use crate::wire::{Constant, WireRequest};

/// A command that was asked for by name has been executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestFacts<'a> {
    /// `CLOCK_BOOTTIME`, nanoseconds.
    pub time: u64,
    /// The process that runs it.
    pub task: Task,
    /// Itself, and its ancestors.
    pub processes: Vec<ProcessFacts<'a>>,
    /// Places in `processes`: all of them.
    pub chain: Vec<usize>,
    /// The chain was cut before the top.
    pub truncated: bool,
}

pub(super) fn decode(mut reader: Reader<'_>) -> Result<RequestFacts<'_>, DecodeError> {
    let head: WireRequest = reader.read("a request")?;
    if head.processes == 0 || head.processes > 1 + Constant::MAX_CHAIN.0 {
        return Err(DecodeError::impossible("processes", head.processes));
    }
    let mut processes = Vec::with_capacity(head.processes as usize);
    for place in 0..head.processes {
        processes.push(process::decode(&mut reader, (place == 0).then_some(&head.task))?);
    }
    let mut chain: Vec<usize> = (0..processes.len()).collect();
    let is_cut = process::cut_nameless(&mut chain, &processes);
    Ok(RequestFacts {
        time: head.time,
        task: task::decode(&head.task),
        chain,
        processes,
        truncated: head.truncated != 0 || is_cut,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::samples::{outlined, process, sealed};
    use crate::record::{Record, decode};
    use crate::wire::{Kind, VERSION, bytes_of};

    #[test]
    fn a_request_has_its_command_line_and_its_ancestors() {
        let head = |processes| WireRequest {
            version: VERSION,
            kind: Kind::RECORD_REQUEST.0 as u16,
            processes,
            truncated: 1,
            ..WireRequest::default()
        };
        let bytes =
            |head: &WireRequest| sealed([bytes_of(head), &process(b"systemctl")[..], &outlined(7)].concat());
        let whole = bytes(&head(2));
        let Ok(Record::Request(facts)) = decode(&whole) else { panic!("not a request") };
        assert_eq!((&facts.chain[..], facts.truncated), (&[0, 1][..], true));
        assert_eq!(facts.processes[1].pid, 7);
        // nobody asks for nothing, and more than there may be is no record
        assert!(decode(&bytes(&head(0))).is_err());
        assert!(decode(&bytes(&head(40))).is_err());
        assert!(decode(&whole[..whole.len() - 1]).is_err());
    }
}
