//! The live titles of processes, as one reading found them: bounded in bytes, and fair to each user.

use std::collections::HashSet;
use std::sync::Arc;

use crate::base::bounded::{Bounded, owner_of};
use crate::enrich::surroundings::ReadTitle;
use crate::record::{Image, TitleFacts};

/// Bytes of titles that are kept of one reading.
const ROOM: usize = 4 * 1024 * 1024;

/// One reading of the titles of all processes.
#[derive(Debug)]
pub(crate) struct Titles {
    /// When it began (boot time, ns).
    pub read_at: u64,
    /// With the owner of each.
    of: Bounded<Image, (u64, ReadTitle)>,
    /// Users with more titles than there was room for.
    cut: HashSet<u64>,
    /// Titles that were not kept.
    pub dropped: u64,
}

/// What a reading knows of the title of a process.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TitleLookup<'a> {
    /// It has this one.
    Title(&'a ReadTitle),
    /// It has none.
    Nothing,
    /// It may have one that was not kept.
    Dropped,
}

impl Default for Titles {
    fn default() -> Self {
        Self::of_time(0)
    }
}

impl Titles {
    /// A reading that begins at this boot time (ns).
    pub(crate) fn of_time(read_at: u64) -> Self {
        Self { read_at, of: Bounded::new(ROOM), cut: HashSet::new(), dropped: 0 }
    }

    /// Takes one. The user with most titles makes room for it.
    pub(crate) fn keep(&mut self, facts: &TitleFacts<'_>) {
        let title = &facts.title;
        let bytes: Arc<[u8]> = (*title.bytes).into();
        let read = ReadTitle { bytes, spilt: title.spilt, cut: title.cut, read_at: self.read_at };
        let owner = owner_of(facts.uid);
        for (_, (owner, _)) in self.of.put(facts.image, (owner, read), owner, title.bytes.len()) {
            self.cut.insert(owner);
            self.dropped += 1;
        }
    }

    /// The title of this image of a process of this user.
    pub(crate) fn find(&self, image: Image, uid: u32) -> TitleLookup<'_> {
        match self.of.peek(&image) {
            Some((_, title)) => TitleLookup::Title(title),
            None if self.cut.contains(&owner_of(uid)) => TitleLookup::Dropped,
            None => TitleLookup::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Title;

    fn facts(pid: u32, uid: u32, bytes: &[u8]) -> TitleFacts<'_> {
        let title = Title { bytes: bytes.into(), spilt: false, cut: false };
        TitleFacts { image: Image { pid, start: 1, exec_id: 1 }, uid, title }
    }

    #[test]
    fn a_user_with_many_titles_has_none_of_another_forgotten_and_memory_is_bounded() {
        let mut titles = Titles::of_time(5);
        titles.keep(&facts(1, 0, b"postgres: checkpointer"));
        assert_eq!(titles.find(facts(2, 1000, b"").image, 1000), TitleLookup::Nothing);
        for pid in 10..20_000 {
            titles.keep(&facts(pid, 1000, &[b'x'; 1024]));
        }
        assert!(titles.of.bytes() <= ROOM && titles.dropped > 10_000, "{}", titles.dropped);
        let TitleLookup::Title(title) = titles.find(facts(1, 0, b"").image, 0) else {
            panic!("it is root's only one")
        };
        assert_eq!((&*title.bytes, title.read_at), (&b"postgres: checkpointer"[..], 5));
        assert!(matches!(titles.find(facts(19_999, 1000, b"").image, 1000), TitleLookup::Title(_)));
        assert_eq!(titles.find(facts(10, 1000, b"").image, 1000), TitleLookup::Dropped);
        assert_eq!(titles.find(facts(2, 0, b"").image, 0), TitleLookup::Nothing, "root's are all there");
    }
}
