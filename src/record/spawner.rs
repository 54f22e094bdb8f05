//! The process that started another one whose parent is gone since.

use super::process::{self, ProcessFacts};
use super::reader::{DecodeError, Reader};
use crate::wire::{SpawnerFlag, WireSpawner};

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
    let process = process::decode(reader, None)?;
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
        let bytes = [bytes_of(&WireSpawner { of: 1, flags }), &outlined(7)[..]].concat();
        let (spawner, process) = decode(&mut Reader::new(&bytes), 2).unwrap();
        assert_eq!((spawner.of, spawner.process, process.pid), (1, 2, 7));
        assert!(spawner.exited && !spawner.execed_since);
        assert!(decode(&mut Reader::new(&bytes), 1).is_err());
    }
}
