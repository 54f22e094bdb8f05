//! The process that started another one whose parent is gone since.

use super::argv;
use super::process::{self, ProcessFacts};
use super::reader::{DecodeError, Reader};
use crate::wire::{SpawnerFlag, WireProcess, WireSpawner};

/// The process that started another, which has a different parent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpawnerFacts {
    /// Place in `processes` of the process that it started.
    pub of: usize,
    /// Its own place.
    pub process: usize,
    /// It has ended: what is known of it was kept then.
    pub exited: bool,
    /// It has run another program since.
    pub execed_since: bool,
}

/// The next one, which gets that place in the record.
pub(super) fn decode<'a>(
    reader: &mut Reader<'a>,
    place: usize,
) -> Result<(SpawnerFacts, ProcessFacts<'a>), DecodeError> {
    let wire: WireSpawner = reader.read("a spawner")?;
    let named: WireProcess = reader.read("a process")?;
    let name = process::decode_name(reader)?;
    let argv_at = reader.at();
    let argv = reader.bytes(wire.argv_kept as usize, "an argv")?;
    reader.skip_to(argv_at + argv.len().next_multiple_of(8));
    let process = ProcessFacts {
        pid: named.tgid,
        start: named.start_time,
        comm: name.comm,
        uid: name.uid,
        has_name: true,
        exec_id: named.exec_id,
        arg_start: name.arg_start,
        argv: argv::decode(argv, wire.argv_total, named.flags),
        title: None,
        title_lost: false,
        subject: None,
    };
    let of = wire.of as usize;
    // it stands behind the process that it started
    if of >= place {
        return Err(DecodeError::impossible("of", wire.of));
    }
    let flag = |flag: SpawnerFlag| wire.flags & flag.0 != 0;
    let spawner = SpawnerFacts {
        of,
        process: place,
        exited: flag(SpawnerFlag::SPAWNER_EXITED),
        execed_since: flag(SpawnerFlag::SPAWNER_EXECED_SINCE),
    };
    Ok((spawner, process))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::samples::outlined;
    use crate::wire::bytes_of;

    #[test]
    fn a_spawner_stands_behind_the_process_that_it_started() {
        let flags = SpawnerFlag::SPAWNER_EXITED.0;
        let bytes =
            [bytes_of(&WireSpawner { of: 1, flags, ..WireSpawner::default() }), &outlined(7)[..]].concat();
        let (spawner, process) = decode(&mut Reader::new(&bytes), 2).unwrap();
        assert_eq!((spawner.of, spawner.process, process.pid), (1, 2, 7));
        assert!(spawner.exited && !spawner.execed_since);
        assert!(decode(&mut Reader::new(&bytes), 1).is_err());
    }
}
