//! What the exit hook leaves of a process that ends before those that it started (`struct ghost`). No record of the ring: a
//! value of a map.

use std::borrow::Cow;

use super::argv::{self, Argv, Gap};
use super::process::ProcessFacts;
use super::reader::{Reader, until_nul};
use crate::wire::WireGhost;

/// What is left of a process that ended before those that it started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ghost {
    /// As it was when it ended.
    pub process: ProcessFacts<'static>,
    /// The process that started it, by its key, and the image that it ran then.
    pub spawner: Option<ProcessFacts<'static>>,
}

/// Decodes one. None if the bytes are not whole.
pub fn decode_ghost(bytes: &[u8], pid: u32, start: u64) -> Option<Ghost> {
    let wire: WireGhost = Reader::new(bytes).read("a ghost").ok()?;
    let argv = wire.argv.get(..wire.argv_kept as usize)?;
    let process = ProcessFacts {
        pid,
        start,
        comm: Cow::Owned(until_nul(&wire.comm).to_vec()),
        uid: wire.uid,
        has_name: true,
        exec_id: wire.exec_id,
        arg_start: 0,
        argv: argv::decode(argv, wire.argv_total, wire.flags).into_owned(),
        title: None,
        title_lost: false,
        subject: None,
    };
    let spawner = (wire.spawner.tgid != 0).then(|| ProcessFacts {
        pid: wire.spawner.tgid,
        start: wire.spawner.start,
        exec_id: wire.spawner.exec_id,
        comm: Cow::Borrowed(&[]),
        uid: 0,
        argv: Argv::Missing(Gap::Unknown),
        ..process.clone()
    });
    Some(Ghost { process, spawner })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::bytes_of;

    #[test]
    fn a_ghost_has_the_key_of_its_spawner_if_it_has_one() {
        let mut wire = WireGhost { uid: 7, exec_id: 3, argv_kept: 3, argv_total: 3, ..WireGhost::default() };
        wire.argv[..3].copy_from_slice(b"sh\0");
        wire.comm[..2].copy_from_slice(b"sh");
        let ghost = decode_ghost(bytes_of(&wire), 42, 9).unwrap();
        assert_eq!((ghost.process.pid, ghost.process.start, &*ghost.process.comm), (42, 9, &b"sh"[..]));
        assert_eq!((ghost.process.argv.bytes(), ghost.spawner), (&b"sh\0"[..], None));
        (wire.spawner.tgid, wire.spawner.start, wire.spawner.exec_id) = (5, 1, 2);
        let spawner = decode_ghost(bytes_of(&wire), 42, 9).unwrap().spawner.unwrap();
        assert_eq!((spawner.image().pid, spawner.argv), (5, Argv::Missing(Gap::Unknown)));
        wire.argv_kept = wire.argv.len() as u32 + 1;
        assert_eq!(decode_ghost(bytes_of(&wire), 42, 9), None);
    }
}
