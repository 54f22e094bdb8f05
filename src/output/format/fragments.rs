//! Fragments of lines that were formatted before: an ancestor looks the same in every event, and most events share theirs.
//!
//! A part is found by the key of its process, and is used only if all that it was made of is the same, byte by byte: a
//! process that changes its name or its program is formatted again.

use std::num::NonZeroUsize;

use lru::LruCache;
use rustc_hash::FxBuildHasher;

/// Processes that are remembered.
const FRAGMENTS: NonZeroUsize = NonZeroUsize::new(1024).unwrap();
/// The longest text that is.
const LONGEST: usize = 4096;

/// Of which process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FragmentOf {
    /// Its pid.
    pub pid: u32,
    /// When it started.
    pub start: u64,
}

/// All that a text was made of, but the key of its process. The bytes are compared where they lie: a copy of them would
/// cost more than the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Basis<'a> {
    /// As many numbers as are needed.
    pub numbers: [u32; 4],
    /// And texts.
    pub texts: [&'a [u8]; 2],
}

/// Where in an event, roughly: `source` and `target` are of one length.
type Place = (usize, Option<u8>);

fn place(path: &str) -> Place {
    (path.len(), path.bytes().next())
}

#[derive(Debug)]
struct Fragment {
    path: String,
    numbers: [u32; 4],
    texts: [Box<[u8]>; 2],
    text: Vec<u8>,
}

/// The fragments that a format remembers.
#[derive(Debug)]
pub struct Fragments {
    known: LruCache<(FragmentOf, Place), Fragment, FxBuildHasher>,
}

impl Default for Fragments {
    fn default() -> Self {
        Self { known: LruCache::with_hasher(FRAGMENTS, FxBuildHasher) }
    }
}

impl Fragments {
    /// The text that was made of this, at this place of an event.
    pub fn get(&mut self, of: FragmentOf, path: &str, basis: &Basis<'_>) -> Option<&[u8]> {
        let part = self.known.get(&(of, place(path)))?;
        let is_it = part.numbers == basis.numbers
            && part.texts.iter().zip(basis.texts).all(|(known, text)| **known == *text)
            && part.path == path;
        is_it.then_some(&part.text)
    }

    /// Remembers a text.
    pub fn put(&mut self, of: FragmentOf, path: &str, basis: &Basis<'_>, text: &[u8]) {
        if text.len() + basis.texts.iter().map(|text| text.len()).sum::<usize>() <= LONGEST {
            let part = Fragment {
                path: path.to_owned(),
                numbers: basis.numbers,
                texts: basis.texts.map(Box::from),
                text: text.to_vec(),
            };
            self.known.put((of, place(path)), part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: [&'static str; 2]) -> Basis<'static> {
        Basis { numbers: [1, 2, 3, 4], texts: texts.map(str::as_bytes) }
    }

    #[test]
    fn a_part_is_what_it_was_made_of() {
        let mut fragments = Fragments::default();
        let (sh, sh_basis) = (FragmentOf { pid: 7, start: 1 }, of(["sh", "-c"]));
        fragments.put(sh, "source.", &sh_basis, b"comm=sh");
        assert_eq!(fragments.get(sh, "source.", &sh_basis), Some(&b"comm=sh"[..]));
        assert_eq!(fragments.get(sh, "source.", &of(["bash", "-c"])), None, "it has another name now");
        assert_eq!(fragments.get(sh, "source.", &of(["sh", "-d"])), None);
        assert_eq!(fragments.get(sh, "source.", &of(["sh-", "c"])), None);
        for place in 0..4 {
            let mut other = sh_basis;
            other.numbers[place] += 1;
            assert_eq!(fragments.get(sh, "source.", &other), None, "{place}");
        }
        assert_eq!(fragments.get(sh, "target.", &sh_basis), None, "of the same length");
        assert_eq!(
            fragments.get(FragmentOf { start: 2, ..sh }, "source.", &sh_basis),
            None,
            "another of that pid"
        );
    }

    #[test]
    fn memory_is_bounded() {
        let mut fragments = Fragments::default();
        for pid in 0..3000 {
            fragments.put(FragmentOf { pid, start: 1 }, "", &Basis::default(), b"text");
        }
        assert_eq!(fragments.known.len(), FRAGMENTS.get());
        let one = FragmentOf { pid: 1, start: 1 };
        fragments.put(one, "", &Basis::default(), &[b'x'; LONGEST + 1]);
        assert_eq!(fragments.get(one, "", &Basis::default()), None);
        let long = Basis { texts: [&[b'x'; LONGEST], b""], ..Basis::default() };
        fragments.put(one, "", &long, b"text");
        assert_eq!(fragments.get(one, "", &long), None);
    }
}
