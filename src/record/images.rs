//! The images that records refer to: each was reported once, before them.
//!
//! They are kept bounded in bytes and fairly, as long as they are used. A record that refers to one that is not kept any more has no
//! command line for it, and says so; it is counted, and the kernel side is asked to report all images again.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::VecDeque;

use super::argv::{self, Argv};
use super::comm::Comm;
use super::identity::IdentityFacts;
use super::process::{Image, Name, SubjectFacts};
use super::reader::{DecodeError, Reader, until_nul};
use super::variables;
use crate::base::bounded::{Bounded, owner_of};
use crate::wire::{ImageFlag, ProcessFlag, WireImage};

/// Bytes of images that are kept.
const ROOM: usize = 4 << 20;
/// Names of one image: of so many epochs. A record that refers to an older one was on its way for seconds.
const NAMES: usize = 4;

/// An image as its own record brings it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageFacts<'a> {
    /// Whose it is, its name and its command line.
    pub identity: IdentityFacts<'a>,
    /// A signal met it in the middle of execve.
    pub is_awaited: bool,
    flags: u32,
    argv: &'a [u8],
    argv_total: u32,
    environment: &'a [u8],
    /// Records of this epoch may leave out the name.
    name_of_epoch: Option<u16>,
}

pub(super) fn decode(bytes: &[u8]) -> Result<ImageFacts<'_>, DecodeError> {
    let mut reader = Reader::new(bytes);
    let wire: WireImage = reader.read("an image")?;
    let argv = reader.bytes(usize::from(wire.argv_kept), "an argv")?;
    let exe = reader.bytes(usize::from(wire.exe_kept), "a path")?;
    let environment = reader.bytes(usize::from(wire.environment_kept), "an environment")?;
    variables::check(environment)?;
    let flag = |flag: ImageFlag| wire.image_flags & flag.0 != 0;
    Ok(ImageFacts {
        identity: IdentityFacts {
            image: Image { pid: wire.tgid, start: wire.start_time, exec_id: wire.exec_id },
            comm: Cow::Owned(until_nul(&wire.comm).to_vec()),
            uid: wire.uid,
            argv: argv::decode(argv, wire.argv_total, wire.flags),
            exe: Cow::Borrowed(exe),
        },
        is_awaited: flag(ImageFlag::IMAGE_AWAITED),
        flags: wire.flags,
        argv,
        argv_total: wire.argv_total,
        environment,
        name_of_epoch: flag(ImageFlag::IMAGE_NAMED).then_some(wire.epoch),
    })
}

/// An image that is kept.
#[derive(Debug)]
pub(super) struct StoredImage {
    flags: u32,
    argv_total: u32,
    /// argv, the path of the executable, the environment.
    bytes: Box<[u8]>,
    argv_end: usize,
    exe_end: usize,
    /// Epoch, comm and effective user id: the newest last.
    names: VecDeque<(u16, Comm, u32)>,
    /// When it came, or a record referred to it last: so many images had come.
    used: Cell<u64>,
}

impl StoredImage {
    /// So many bytes of argv, at most.
    pub(super) fn argv(&self, most: usize) -> Argv<'_> {
        let end = self.argv_end.min(most);
        argv::decode(self.bytes.get(..end).unwrap_or_default(), self.argv_total, self.flags)
    }

    /// What only source and target have, but for the nodename.
    pub(super) fn subject(&self) -> SubjectFacts<'_> {
        let flag = |flag: ProcessFlag| self.flags & flag.0 != 0;
        SubjectFacts {
            exe: Cow::Borrowed(self.bytes.get(self.argv_end..self.exe_end).unwrap_or_default()),
            exe_unreachable: flag(ProcessFlag::PROCESS_EXE_UNREACHABLE),
            nodename: Cow::Borrowed(&[]),
            environment: Cow::Borrowed(self.bytes.get(self.exe_end..).unwrap_or_default()),
            environment_cut: flag(ProcessFlag::PROCESS_ENV_CUT),
            environment_lost: flag(ProcessFlag::PROCESS_ENV_LOST),
        }
    }

    /// The name that it was reported with in this epoch.
    pub(super) fn name(&self, epoch: u16) -> Option<Name<'_>> {
        let (_, comm, uid) = self.names.iter().rev().find(|(of, ..)| *of == epoch)?;
        Some(Name { comm: Cow::Borrowed(comm), uid: *uid, arg_start: 0 })
    }

    fn is_same(&self, facts: &ImageFacts<'_>) -> bool {
        let parts = [facts.argv, &facts.identity.exe, facts.environment];
        (self.flags, self.argv_total) == (facts.flags, facts.argv_total)
            && [self.argv_end, self.exe_end] == [facts.argv.len(), facts.argv.len() + parts[1].len()]
            && self.bytes.len() == parts.iter().map(|part| part.len()).sum::<usize>()
            && self.bytes.starts_with(parts[0])
            && self.bytes.ends_with(parts[2])
            && self.bytes.get(self.argv_end..self.exe_end) == Some(parts[1])
    }
}

/// The images that are kept.
#[derive(Debug)]
pub struct Images {
    kept: Bounded<Image, StoredImage>,
    has_variables: bool,
    came: u64,
    /// Records referred to so many that were not kept.
    missed: Cell<u64>,
    changes: u64,
    /// So many went although a record could still refer to them.
    pub dropped: u64,
}

impl Default for Images {
    fn default() -> Self {
        Self::new(false)
    }
}

impl Images {
    /// `has_variables`: environment variables were asked for.
    pub fn new(has_variables: bool) -> Self {
        Self {
            kept: Bounded::new(ROOM),
            has_variables,
            came: 0,
            missed: Cell::new(0),
            changes: 0,
            dropped: 0,
        }
    }

    /// Takes an image. It replaces the one before: a name of its own remains.
    pub fn take(&mut self, facts: &ImageFacts<'_>) {
        self.came += 1;
        let identity = &facts.identity;
        let mut names = VecDeque::new();
        if let Some(before) = self.kept.remove(&identity.image) {
            self.changes += u64::from(!before.is_same(facts));
            names = before.names;
        }
        if let Some(epoch) = facts.name_of_epoch {
            names.retain(|(of, ..)| *of != epoch);
            if names.len() >= NAMES {
                names.pop_front();
            }
            names.push_back((epoch, Comm::from(&*identity.comm), identity.uid));
        }
        let bytes = [facts.argv, &identity.exe, facts.environment].concat().into_boxed_slice();
        let held = bytes.len() + NAMES * size_of::<(u16, Comm, u32)>();
        let owner = owner_of(identity.uid);
        let stored = StoredImage {
            flags: facts.flags,
            argv_total: facts.argv_total,
            argv_end: facts.argv.len(),
            exe_end: facts.argv.len() + identity.exe.len(),
            bytes,
            names,
            used: Cell::new(self.came),
        };
        if self.kept.bytes() + Bounded::<Image, StoredImage>::in_all(held) > self.kept.room() {
            self.note_uses();
        }
        self.dropped += self.kept.put(identity.image, stored, owner, held).len() as u64;
    }

    /// The order in which records referred to them: asked for when some are to go.
    fn note_uses(&mut self) {
        let mut uses: Vec<(u64, Image)> =
            self.kept.iter().map(|(key, image)| (image.used.get(), *key)).collect();
        uses.sort_by_key(|(used, _)| *used);
        for (_, image) in uses {
            self.kept.get(&image);
        }
    }

    pub(super) fn find(&self, image: Image) -> Option<&StoredImage> {
        let found = self.kept.peek(&image);
        match found {
            Some(stored) => stored.used.set(self.came),
            None => self.missed.set(self.missed.get() + 1),
        }
        found
    }

    pub(super) fn has_variables(&self) -> bool {
        self.has_variables
    }

    /// How often a record referred to one that was not kept.
    pub fn missed(&self) -> u64 {
        self.missed.get()
    }

    /// How often an image had other bytes than the one of the same key before.
    pub fn changes(&self) -> u64 {
        self.changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::samples::{head, image, nameless, outlined, sealed};
    use crate::record::{Gap, Record, Snapshot, decode_with};

    fn take(images: &mut Images, bytes: &[u8]) {
        let facts = decode(bytes).unwrap();
        images.take(&facts);
    }

    /// A signal of 7, whose parent is 5, to 9.
    fn signal(epoch: u16) -> Vec<u8> {
        let mut bytes = head(1, 0, 1);
        bytes.extend(outlined(7));
        bytes.extend(outlined(9));
        bytes.extend(nameless(5, epoch));
        sealed(bytes)
    }

    fn read<'a>(bytes: &'a [u8], images: &'a Images) -> Box<Snapshot<'a>> {
        let Ok(Record::Signal(snapshot)) = decode_with(bytes, images) else { panic!("not a signal") };
        snapshot
    }

    #[test]
    fn a_record_has_the_image_that_it_refers_to() {
        let mut images = Images::default();
        take(&mut images, &image(5, Some(3), b"bash", b"bash\0-i\0", b"bash\0bin\0"));
        let bytes = signal(3);
        let snapshot = read(&bytes, &images);
        let parent = &snapshot.processes[2];
        assert_eq!((&*parent.comm, parent.argv.bytes()), (&b"bash"[..], &b"bash\0-i\0"[..]));
        assert_eq!((&snapshot.target_chain[..], images.missed()), (&[1, 2][..], 0));
    }

    #[test]
    fn an_image_that_is_not_kept_is_missing_and_a_chain_ends_before_who_has_no_name() {
        let mut images = Images::default();
        let bytes = signal(3);
        let snapshot = read(&bytes, &images);
        assert_eq!(snapshot.processes[2].argv, Argv::Missing(Gap::NotKept));
        assert_eq!((&snapshot.current_chain[..], snapshot.current_truncated), (&[0][..], true));
        assert_eq!((&snapshot.target_chain[..], snapshot.target_truncated), (&[1][..], true));
        assert_eq!(images.missed(), 1);
        // the image alone does not say what it was called
        take(&mut images, &image(5, None, b"bash", b"bash\0", b""));
        assert_eq!(read(&bytes, &images).current_chain, [0]);
        take(&mut images, &image(5, Some(4), b"later", b"bash\0", b""));
        assert_eq!(read(&bytes, &images).current_chain, [0]);
        assert_eq!(read(&signal(4), &images).current_chain, [0, 2]);
    }

    #[test]
    fn each_epoch_has_its_name_and_an_image_without_one_takes_none_away() {
        let mut images = Images::default();
        let name = |images: &Images, epoch| {
            read(&signal(epoch), images).processes.get(2).map(|process| process.comm.to_vec())
        };
        for (epoch, comm) in [(1, &b"one"[..]), (2, b"two"), (3, b"three"), (4, b"four")] {
            take(&mut images, &image(5, Some(epoch), comm, b"x\0", b""));
        }
        take(&mut images, &image(5, None, b"none", b"x\0", b""));
        assert_eq!(name(&images, 1).as_deref(), Some(&b"one"[..]));
        assert_eq!(name(&images, 4).as_deref(), Some(&b"four"[..]));
        assert_eq!(images.changes(), 0);
        take(&mut images, &image(5, Some(5), b"five", b"y\0", b""));
        assert_eq!(name(&images, 5).as_deref(), Some(&b"five"[..]));
        assert_eq!(name(&images, 1).as_deref(), Some(&b""[..]), "the oldest is gone");
        assert_eq!(images.changes(), 1, "it has other bytes");
    }

    #[test]
    fn memory_is_bounded_and_what_is_used_stays() {
        let mut images = Images::default();
        let argv = vec![b'x'; 8000];
        take(&mut images, &image(5, Some(1), b"bash", b"bash\0", b""));
        for pid in 10..5000 {
            take(&mut images, &image(pid, Some(1), b"x", &argv, b""));
            assert_eq!(read(&signal(1), &images).current_chain, [0, 2], "{pid}");
            // a record that needs the last ones may be on its way
            let is_kept = |pid| images.kept.peek(&Image { pid, start: u64::from(pid), exec_id: 0 }).is_some();
            assert!((pid.saturating_sub(50).max(10)..=pid).all(is_kept), "{pid}");
        }
        assert!(images.kept.bytes() <= ROOM && images.dropped > 4000, "{}", images.dropped);
        assert_eq!(images.missed(), 0);
    }

    #[test]
    fn an_image_is_whole_or_refused() {
        let bytes = image(5, Some(1), b"bash", b"bash\0-i\0", b"bash\0bin\0");
        for cut in 0..bytes.len() {
            assert!(decode(&bytes[..cut]).is_err(), "{cut}");
        }
        let facts = decode(&bytes).unwrap();
        assert_eq!(
            (facts.identity.argv.bytes(), &*facts.identity.exe),
            (&b"bash\0-i\0"[..], &b"bash\0bin\0"[..])
        );
    }
}
