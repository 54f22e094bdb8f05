//! Signals that are one before once more: their records are the same, byte by byte, but for the times. Of a storm most
//! are, and then nothing needs to be decoded, judged and told again: the line is filled in anew ([`Stencil`]).
//!
//! What a line is made of beside the record is looked at each time: the state of the host that is known, the filters'
//! answer, what came before. A signal that comes once is only counted; memory is bounded.
//!
//! [`Stencil`]: crate::sink::stencil::Stencil

use std::hash::Hasher;
use std::num::NonZeroUsize;

use lru::LruCache;
use rustc_hash::{FxBuildHasher, FxHasher};

use crate::bpf::wire::{WireSignal, bytes_of};
use crate::event::SignalEvent;
use crate::history::Noted;
use crate::origin::{self, Origin};
use crate::record::{has_previous, head_of_signal};
use crate::report::Kept;
use crate::summary;

/// So many signals are known to have come.
const SIGNALS: NonZeroUsize = NonZeroUsize::new(2048).unwrap();
/// Bytes of those that are kept.
const ROOM: usize = 4 << 20;

/// A record of a signal without its times.
#[derive(Debug)]
pub struct Outline<'a> {
    head: WireSignal,
    /// The processes.
    rest: &'a [u8],
    hash: u64,
    /// When it was sent (boot time, ns).
    pub time: u64,
    /// Time and number of the signal before it that could have ended the target.
    pub previous: Option<(u64, u8)>,
}

impl<'a> Outline<'a> {
    /// Of a record; None if it is not a whole one of a signal.
    pub fn of(record: &'a [u8]) -> Option<Self> {
        let (mut head, rest) = head_of_signal(record)?;
        let previous = has_previous(&head.previous).then_some((head.previous.time, head.previous.signal));
        let time = std::mem::take(&mut head.time);
        // whether there was one is no time
        head.previous.time = u64::from(head.previous.time != 0);
        let mut hasher = FxHasher::default();
        hasher.write(bytes_of(&head));
        Some(Self { head, rest, hash: hasher.finish(), time, previous })
    }
}

/// What was made of a record.
#[derive(Debug)]
pub struct Made {
    /// Which state of the host was known.
    pub state: u64,
    /// Nothing earlier (boot time, ns) is told so.
    pub from: u64,
    /// For the history.
    pub noted: Noted,
    /// What brought the signal before about, if an event told of that.
    pub previous: Option<Origin>,
    /// What was reported.
    pub kept: Kept,
}

#[derive(Debug)]
struct Known {
    head: WireSignal,
    rest: Vec<u8>,
    made: Made,
}

impl Known {
    fn is_of(&self, outline: &Outline<'_>) -> bool {
        self.rest == outline.rest && bytes_of(&self.head) == bytes_of(&outline.head)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.rest.capacity() + self.made.kept.size()
    }
}

/// The signals of late.
#[derive(Debug)]
pub struct Repeats {
    /// By the hash of the outline; None of one that came once.
    known: LruCache<u64, Option<Box<Known>>, FxBuildHasher>,
    bytes: usize,
}

impl Default for Repeats {
    fn default() -> Self {
        Self { known: LruCache::with_hasher(SIGNALS, FxBuildHasher), bytes: 0 }
    }
}

impl Repeats {
    /// What was made of such a record, in this state of the host.
    pub fn find(&mut self, outline: &Outline<'_>, state: u64) -> Option<&Made> {
        let known = self.known.get(&outline.hash)?.as_deref()?;
        let is_it = known.made.state == state && outline.time >= known.made.from && known.is_of(outline);
        is_it.then_some(&known.made)
    }

    /// Is what is made of it to be kept? It has come before.
    pub fn is_wanted(&mut self, outline: &Outline<'_>) -> bool {
        if self.known.get(&outline.hash).is_some() {
            return true;
        }
        self.put(outline.hash, None);
        false
    }

    /// Keeps it.
    pub fn keep(&mut self, outline: &Outline<'_>, made: Made) {
        let known = Known { head: outline.head, rest: outline.rest.to_vec(), made };
        self.put(outline.hash, Some(Box::new(known)));
    }

    fn put(&mut self, hash: u64, known: Option<Box<Known>>) {
        let size = |known: &Option<Box<Known>>| known.as_ref().map_or(0, |known| known.size());
        self.bytes += size(&known);
        if let Some((_, old)) = self.known.push(hash, known) {
            self.bytes -= size(&old);
        }
        while self.bytes > ROOM {
            let Some((_, old)) = self.known.pop_lru() else { break };
            self.bytes -= size(&old);
        }
    }
}

/// From which time on (boot time, ns) an event of the same bytes is told as this one is, but for the gaps of its line.
/// None if it is not.
pub fn holds_from(event: &SignalEvent<'_>) -> Option<u64> {
    let facts = &event.facts;
    // another record belongs to it, or it tells of times in words
    if facts.oom.is_some() || origin::may_be_oom(facts) || summary::tells_time(event) {
        return None;
    }
    match facts.child_death {
        None => Some(0),
        // it stays too old to be told
        Some(death) if death.time <= facts.time && event.child_death().is_none() => Some(facts.time),
        Some(_) => None,
    }
}
