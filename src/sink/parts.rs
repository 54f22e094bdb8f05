//! What was formatted before: an ancestor looks the same in every event, and most events share theirs.
//!
//! A part is found by the key of its process, and is used only if all that it was made of is the same, byte by byte: a
//! process that changes its name or its program is formatted anew.

use std::num::NonZeroUsize;

use lru::LruCache;
use rustc_hash::FxBuildHasher;

/// Processes that are remembered.
const PARTS: NonZeroUsize = NonZeroUsize::new(1024).unwrap();
/// The longest text that is.
const LONGEST: usize = 4096;

/// Of which process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PartOf {
    /// Its pid.
    pub pid: u32,
    /// When it started.
    pub start: u64,
}

/// Where in an event, roughly: `source` and `target` are of one length.
type Place = (usize, Option<u8>);

fn place(path: &str) -> Place {
    (path.len(), path.bytes().next())
}

#[derive(Debug)]
struct Part {
    path: String,
    basis: Vec<u8>,
    text: Vec<u8>,
}

/// The parts that a format remembers.
#[derive(Debug)]
pub struct Parts {
    known: LruCache<(PartOf, Place), Part, FxBuildHasher>,
}

impl Default for Parts {
    fn default() -> Self {
        Self { known: LruCache::with_hasher(PARTS, FxBuildHasher) }
    }
}

impl Parts {
    /// The text that was made of this, at this place of an event.
    pub fn get(&mut self, of: PartOf, path: &str, basis: &[u8]) -> Option<&[u8]> {
        let part = self.known.get(&(of, place(path)))?;
        (part.basis == basis && part.path == path).then_some(&part.text)
    }

    /// Remembers a text.
    pub fn put(&mut self, of: PartOf, path: &str, basis: &[u8], text: &[u8]) {
        if text.len() + basis.len() <= LONGEST {
            let part = Part { path: path.to_owned(), basis: basis.to_vec(), text: text.to_vec() };
            self.known.put((of, place(path)), part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_what_it_was_made_of() {
        let mut parts = Parts::default();
        let of = PartOf { pid: 7, start: 1 };
        parts.put(of, "source.", b"sh", b"comm=sh");
        assert_eq!(parts.get(of, "source.", b"sh"), Some(&b"comm=sh"[..]));
        assert_eq!(parts.get(of, "source.", b"bash"), None, "it has another name now");
        assert_eq!(parts.get(of, "target.", b"sh"), None, "of the same length");
        assert_eq!(parts.get(PartOf { start: 2, ..of }, "source.", b"sh"), None, "another of that pid");
    }

    #[test]
    fn memory_is_bounded() {
        let mut parts = Parts::default();
        for pid in 0..3000 {
            parts.put(PartOf { pid, start: 1 }, "", b"", b"text");
        }
        assert_eq!(parts.known.len(), PARTS.get());
        parts.put(PartOf { pid: 1, start: 1 }, "", b"", &[b'x'; LONGEST + 1]);
        assert_eq!(parts.get(PartOf { pid: 1, start: 1 }, "", b""), None);
    }
}
