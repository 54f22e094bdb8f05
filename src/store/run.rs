//! What a store knows of its recorder: when it ran, and what happened meanwhile that is no event. Coverage is derived from that.
//!
//! A run that ended in order has its end. One that was killed has the time when it was last known to run, at most
//! [`HEARTBEAT`] before its end.

use std::time::Duration;

use rusqlite::{Connection, params};

use super::scan::{Member, member};
use super::writer::Kept;
use crate::base::clock::{boot_time, utc_now};

/// A run is known to go on at least so often.
pub const HEARTBEAT: Duration = Duration::from_secs(10);

/// A clock that is set by more than this is noted; NTP slews it by less between two heartbeats.
const STEP: i64 = 100_000_000;

/// A suspend of less than this is none.
const SUSPEND: i64 = 100_000_000;

/// What is known of a recorder when it begins.
#[derive(Debug, Clone, Default)]
pub struct RunFacts {
    /// `/proc/sys/kernel/random/boot_id`.
    pub boot: String,
    /// Filters that are in force, as they are given; empty if all is kept that is shown by default.
    pub filters: String,
    /// Which events are kept.
    pub keeps: Kept,
}

/// Something that is no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteKind {
    /// Events were lost before they came to the store.
    Loss,
    /// Events could not be written.
    Unwritten,
    /// Somebody set the clock.
    Clock,
    /// The host was suspended.
    Suspend,
    /// The disk was full.
    Full,
    /// A damaged store was set aside.
    Damaged,
}

impl NoteKind {
    /// As it is in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Unwritten => "unwritten",
            Self::Clock => "clock",
            Self::Suspend => "suspend",
            Self::Full => "full",
            Self::Damaged => "damaged",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Loss, Self::Unwritten, Self::Clock, Self::Suspend, Self::Full, Self::Damaged]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// Clocks as they were read together; nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clocks {
    pub(super) real: i64,
    pub(super) boot: i64,
    pub(super) monotonic: i64,
}

impl Clocks {
    fn now() -> Self {
        let monotonic = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        Self {
            real: utc_now() as i64,
            boot: boot_time() as i64,
            monotonic: monotonic.tv_sec * 1_000_000_000 + monotonic.tv_nsec,
        }
    }

    /// What happened between two readings: how long the host was suspended, by how much the clock was set.
    pub(super) fn since(self, earlier: Self) -> (i64, i64) {
        let (real, boot, monotonic) =
            (self.real - earlier.real, self.boot - earlier.boot, self.monotonic - earlier.monotonic);
        (boot - monotonic, real - boot)
    }
}

/// Events that were lost before they came to the store, between then and then.
#[derive(Debug)]
struct Reported {
    since: i64,
    until: i64,
    lost: u64,
    cause: String,
}

/// The run of this recorder.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) number: i64,
    /// Events that were written.
    pub(super) stored: u64,
    /// Events that could not be.
    pub(super) lost: u64,
    /// Events that are not to be kept.
    pub(super) dropped: u64,
    noted_lost: u64,
    /// What could not be noted when it happened, and since when.
    owed: Vec<(NoteKind, i64)>,
    /// Losses that others reported, until they are written: what is rolled back takes none with it.
    reported: Vec<Reported>,
    clocks: Clocks,
    /// Since then it is seen what happens: the first mark of the tracer, whose start takes a while.
    began: i64,
    is_marked: bool,
    /// All that happened before has been handed over, as the tracer said last.
    until: i64,
}

impl Run {
    /// Begins one.
    pub(super) fn begin(connection: &Connection, facts: &RunFacts) -> rusqlite::Result<Self> {
        let clocks = Clocks::now();
        let kept = match facts.keeps {
            Kept::All => "all",
            Kept::Deaths => "deaths",
        };
        connection.execute(
            "INSERT INTO run(boot, version, filters, kept, began, seen) VALUES (?, ?, ?, ?, ?, ?)",
            params![facts.boot, env!("CARGO_PKG_VERSION"), facts.filters, kept, clocks.real, clocks.real],
        )?;
        let number = connection.last_insert_rowid();
        Ok(Self {
            number,
            stored: 0,
            lost: 0,
            dropped: 0,
            noted_lost: 0,
            owed: Vec::new(),
            reported: Vec::new(),
            clocks,
            began: clocks.real,
            is_marked: false,
            until: clocks.real,
        })
    }

    /// When it began.
    #[cfg(test)]
    pub(super) fn began(&self) -> i64 {
        self.began
    }

    /// It runs now: in the transaction of its events, which then has to be [`seen`](Self::seen).
    pub(super) fn see(&self, connection: &Connection) -> rusqlite::Result<Clocks> {
        let now = Clocks::now();
        let (suspended, step) = now.since(self.clocks);
        let (before, noted_lost) = (self.clocks, self.noted_lost);
        if suspended > SUSPEND {
            // when in between it was is not known: as long as the clocks differ, up to now
            let begin = now.real - suspended - step;
            self.note(connection, NoteKind::Suspend, (begin.max(before.real), now.real), 0, "")?;
        }
        if step.abs() > STEP {
            self.note(
                connection,
                NoteKind::Clock,
                (before.real + (now.boot - before.boot), now.real),
                0,
                &step.to_string(),
            )?;
        }
        if self.lost > noted_lost {
            let lost = self.lost - noted_lost;
            self.note(
                connection,
                NoteKind::Unwritten,
                (before.real, now.real),
                lost,
                "the store could not be written",
            )?;
        }
        for Reported { since, until, lost, cause } in &self.reported {
            self.note(connection, NoteKind::Loss, (*since, *until), *lost, cause)?;
        }
        for (kind, since) in &self.owed {
            self.note(connection, *kind, (*since, now.real), 0, "")?;
        }
        connection
            .prepare_cached("UPDATE run SET began = ?, seen = ?, stored = ?, lost = ? WHERE run = ?")?
            .execute(params![self.began, self.until, self.stored, self.lost, self.number])?;
        Ok(now)
    }

    /// All that happened before this time has been handed over.
    pub(super) fn mark(&mut self, until: i64) {
        if !std::mem::replace(&mut self.is_marked, true) {
            self.began = self.began.max(until);
        }
        self.until = until;
    }

    /// That is written.
    pub(super) fn seen(&mut self, clocks: Clocks) {
        self.clocks = clocks;
        self.noted_lost = self.lost;
        self.owed.clear();
        self.reported.clear();
    }

    /// Noted once, with the next transaction.
    pub(super) fn owe(&mut self, kind: NoteKind) {
        if !self.owed.iter().any(|(owed, _)| *owed == kind) {
            self.owed.push((kind, utc_now() as i64));
        }
    }

    pub(super) fn note(
        &self,
        connection: &Connection,
        kind: NoteKind,
        (since, until): (i64, i64),
        count: u64,
        detail: &str,
    ) -> rusqlite::Result<()> {
        connection
            .prepare_cached(
                "INSERT INTO note(run, kind, since, until, count, detail) VALUES (?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![self.number, kind.name(), since, until, count, detail])
            .map(|_| ())
    }

    /// An event says that others were lost before they came here. When they were is not known: what was lost up to
    /// the time of the last mark had been reported before that.
    pub(super) fn note_loss(&mut self, time: i64, members: &[Member<'_>]) {
        let lost: u64 = member(members, "lost").and_then(Member::number).unwrap_or_default();
        let cause = member(members, "cause").map_or("", |cause| cause.value);
        // an hour of them, of which the rest is one
        let is_full = self.reported.len() >= 3600;
        match self.reported.last_mut().filter(|_| is_full) {
            Some(newest) => {
                newest.lost += lost;
                newest.until = newest.until.max(time);
            }
            None => self.reported.push(Reported {
                since: self.until.min(time),
                until: time,
                lost,
                cause: cause.to_owned(),
            }),
        }
    }

    /// It ends in order.
    pub(super) fn end(&mut self, connection: &Connection, reason: &str) -> rusqlite::Result<()> {
        let now = utc_now() as i64;
        connection
            .execute(
                "UPDATE run SET seen = ?1, ended = ?1, reason = ?2, stored = ?3, lost = ?4 WHERE run = ?5",
                params![now, reason, self.stored, self.lost, self.number],
            )
            .map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_tell_a_suspend_from_a_step() {
        let second = 1_000_000_000;
        let before = Clocks { real: 100 * second, boot: 50 * second, monotonic: 50 * second };
        let after = |real: i64, boot: i64, monotonic: i64| Clocks {
            real: (100 + real) * second,
            boot: (50 + boot) * second,
            monotonic: (50 + monotonic) * second,
        };
        assert_eq!(after(1, 1, 1).since(before), (0, 0));
        assert_eq!(after(61, 61, 1).since(before), (60 * second, 0), "suspended");
        assert_eq!(after(-59, 1, 1).since(before), (0, -60 * second), "set back");
    }
}
