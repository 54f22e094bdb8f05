//! What joins records: a signal that met a process in the middle of execve waits for the command line that
//! the exec hook sends after it.
//!
//! Memory is bounded; a signal that waits too long, or for which there is no room, goes on without.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::record::{Argv, Gap, IdentityFacts, Image, ProcessFacts, Record, Snapshot, decode};

/// An execve has so long from its point of no return to its end. A line is to be out within 100 ms.
pub const WAIT_AT_MOST: Duration = Duration::from_millis(50);
/// So many signals wait at a time.
const ROOM: usize = 1024;

/// A signal that waits.
#[derive(Debug)]
struct Waiting {
    id: u64,
    since: Instant,
    /// The record as it came.
    bytes: Vec<u8>,
    /// What it waits for.
    images: Vec<Image>,
    /// What came of that.
    found: Vec<IdentityFacts<'static>>,
}

/// A signal that waits no more: its record, and what is to be put in.
#[derive(Debug)]
pub struct Told {
    /// Its id.
    pub id: u64,
    bytes: Vec<u8>,
    found: Vec<IdentityFacts<'static>>,
}

impl Told {
    /// The signal, with the command lines that came for it.
    pub fn snapshot(&self) -> Option<Box<Snapshot<'_>>> {
        let Ok(Record::Signal(mut snapshot)) = decode(&self.bytes) else { return None };
        for process in &mut snapshot.processes {
            if is_awaited(&process.argv) {
                if let Some(identity) = self.found.iter().find(|found| found.image == process.image()) {
                    process.argv = identity.argv.clone();
                }
            }
        }
        Some(snapshot)
    }
}

/// The signals that wait.
#[derive(Debug, Default)]
pub struct Story {
    waiting: VecDeque<Waiting>,
}

fn is_awaited(argv: &Argv<'_>) -> bool {
    matches!(argv, Argv::Missing(Gap::MidExec | Gap::ExecRace))
}

impl Story {
    /// Keeps a signal that lacks what is still to come; false if it lacks nothing of that kind, or there is no
    /// room for another.
    pub fn keep(&mut self, id: u64, bytes: &[u8], snapshot: &Snapshot<'_>, now: Instant) -> bool {
        let awaited = snapshot.processes.iter().filter(|process| is_awaited(&process.argv));
        let images: Vec<Image> = awaited.map(ProcessFacts::image).collect();
        if images.is_empty() || self.waiting.len() >= ROOM {
            return false;
        }
        self.waiting.push_back(Waiting { id, since: now, bytes: bytes.to_vec(), images, found: Vec::new() });
        true
    }

    /// Takes a command line; the signals that now lack nothing more.
    pub fn hear(&mut self, identity: &IdentityFacts<'_>) -> Vec<Told> {
        for waiting in &mut self.waiting {
            if let Some(place) = waiting.images.iter().position(|image| *image == identity.image) {
                waiting.images.swap_remove(place);
                waiting.found.push(owned(identity));
            }
        }
        self.take(|waiting| waiting.images.is_empty())
    }

    /// The signals that have waited long enough; all of them at the end.
    pub fn give_up(&mut self, now: Instant, all: bool) -> Vec<Told> {
        self.take(|waiting| all || now.duration_since(waiting.since) >= WAIT_AT_MOST)
    }

    /// Does any wait?
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn take(&mut self, is_over: impl Fn(&Waiting) -> bool) -> Vec<Told> {
        let (over, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(|one| is_over(one));
        self.waiting = waiting;
        let over: VecDeque<Waiting> = over;
        over.into_iter().map(|Waiting { id, bytes, found, .. }| Told { id, bytes, found }).collect()
    }
}

fn owned(identity: &IdentityFacts<'_>) -> IdentityFacts<'static> {
    IdentityFacts {
        image: identity.image,
        argv: match &identity.argv {
            Argv::Known { bytes, total, from_proc } => {
                Argv::Known { bytes: Cow::Owned(bytes.to_vec()), total: *total, from_proc: *from_proc }
            }
            Argv::NotApplicable => Argv::NotApplicable,
            Argv::Missing(gap) => Argv::Missing(*gap),
        },
    }
}
