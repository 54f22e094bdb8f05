//! A store never grows beyond its bound: the database, its log and what SQLite shares beside it, together.
//!
//! | part | how it is bounded |
//! |---|---|
//! | database | `max_page_count`, and room is made before it is reached: what matters least goes first |
//! | log (WAL) | what is committed is moved into the database when the log is half full; it is full only where a reader holds an old state, and then nothing is written |
//! | shared index of the log | 32 KiB for 4,000 pages of the log |
//!
//! Forgotten are first signals that ended nothing, then what a user has beyond its share of deaths, then ends by exit, then deaths with the
//! signals that they refer to; of each class the oldest epoch first. What nothing in that epoch refers to any more goes with it.
//! A disk that others fill is no reason to forget a death, nor to keep none: for that the store grows up to its own bound.

use std::fs;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::error::StoreError;
use super::schema::{PAGE, keep};
use super::writer::Writer;
use crate::base::clock::utc_now;

/// A store is no smaller.
pub const LEAST_BYTES: u64 = 16 << 20;

/// Pages that SQLite keeps in memory, changed ones among them.
const CACHE_PAGES: u64 = 384;

/// Rows of one statement.
const ROWS_AT_ONCE: u64 = 1000;

/// Notes that are kept one by one.
const NOTES: i64 = 20_000;

/// A page in the log.
const FRAME: u64 = PAGE + 24;

/// How large a store may get, and how old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes on the disk.
    pub max_bytes: u64,
    /// Events are forgotten at this age.
    pub max_age: Option<Duration>,
    /// So many per cent of the file system are left to others.
    pub keep_free: u8,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { max_bytes: 512 << 20, max_age: None, keep_free: 10 }
    }
}

impl Bounds {
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if self.max_bytes < LEAST_BYTES {
            return Err(StoreError::Small { given: self.max_bytes, least: LEAST_BYTES });
        }
        Ok(())
    }

    /// As they are given, which the store keeps for those who give none; or as it has them, or the usual ones.
    pub(super) fn settle(given: Option<Self>, connection: &Connection) -> rusqlite::Result<Self> {
        if let Some(bounds) = given {
            let age = bounds.max_age.map(|age| age.as_secs());
            connection.execute("DELETE FROM bounds", [])?;
            connection.execute(
                "INSERT INTO bounds(max_bytes, max_age, keep_free) VALUES (?, ?, ?)",
                params![bounds.max_bytes, age, bounds.keep_free],
            )?;
            return Ok(bounds);
        }
        let kept = connection.query_row("SELECT max_bytes, max_age, keep_free FROM bounds", [], |row| {
            let age: Option<u64> = row.get(1)?;
            Ok(Self { max_bytes: row.get(0)?, max_age: age.map(Duration::from_secs), keep_free: row.get(2)? })
        });
        Ok(kept.optional()?.unwrap_or_default())
    }

    /// Bytes of the log.
    fn log(&self) -> u64 {
        (self.max_bytes / 8).clamp(4 << 20, 32 << 20)
    }

    /// The log is moved into the database from here on.
    pub(super) fn log_is_long(&self) -> u64 {
        (self.log() / 2).min(self.log_is_full() - (256 << 10))
    }

    /// Nothing more goes into the log from here on: what is in memory still has room.
    pub(super) fn log_is_full(&self) -> u64 {
        self.log() - (CACHE_PAGES + 128) * FRAME
    }

    /// Pages of the database.
    fn pages(&self) -> u64 {
        let shared = (self.log() / FRAME / 4062 + 2) * (32 << 10);
        (self.max_bytes - self.log() - shared) / PAGE
    }

    /// Room is made when fewer pages are left.
    fn spare_pages(&self) -> u64 {
        (self.pages() / 32).max(256)
    }

    /// Bytes of deaths that one user other than root has by its own hand; what is beyond that is forgotten before those of others.
    pub(super) fn share_of_user(&self) -> u64 {
        self.pages() * PAGE / 16
    }

    /// An epoch is no larger than this: it is what is forgotten at once.
    pub(super) fn bytes_of_epoch(&self) -> u64 {
        self.max_bytes / 64
    }

    pub(super) fn apply(&self, connection: &Connection) -> rusqlite::Result<()> {
        let of_now: u64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
        // less than there is cannot be set: it is made less
        let pages = self.pages().max(of_now);
        connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
        connection
            .execute_batch(&format!("PRAGMA cache_size = {CACHE_PAGES}; PRAGMA journal_size_limit = 0;"))
    }
}

/// What an attempt to make room came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// There is some.
    Enough,
    /// A reader holds an old state of the store, so that its log cannot be moved: nothing can be written.
    Held,
}

impl Writer {
    /// Between transactions: moves the log, and forgets what there is no room for, or what is too old.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn make_room(&mut self) -> Result<Room, StoreError> {
        self.make_room_for(0)
    }

    /// And for a line of so many bytes as well.
    pub(super) fn make_room_for(&mut self, line: usize) -> Result<Room, StoreError> {
        if self.shorten_log()? == Room::Held {
            return Ok(Room::Held);
        }
        merge_notes(&self.connection, NOTES)?;
        if let Some(age) = self.bounds.max_age {
            let oldest = (utc_now() as i64).saturating_sub(i64::try_from(age.as_nanos()).unwrap_or(i64::MAX));
            while let Some(epoch) = epoch_before(&self.connection, self.epoch.number, oldest)? {
                for class in keep::ORDER {
                    if self.forget(epoch, class)? == Room::Held {
                        return Ok(Room::Held);
                    }
                }
            }
        }
        while let Some((epoch, class)) = least_wanted(&self.connection, self.epoch.number)? {
            if !self.is_tight(class, pages_of(line))? {
                break;
            }
            if self.forget(epoch, class)? == Room::Held {
                return Ok(Room::Held);
            }
        }
        self.shrink()
    }

    /// Has what is not committed taken half of the room that was made for it?
    pub fn is_room_short(&self) -> bool {
        self.pending() > 0 && !self.has_room_for(0)
    }

    /// Is there room for a line of so many bytes?
    pub(super) fn has_room_for(&self, line: usize) -> bool {
        let used = self.used_pages().unwrap_or(0);
        used + self.bounds.spare_pages() / 2 + pages_of(line) <= self.bounds.pages()
    }

    /// Is there room in the log for more of a transaction that is open?
    pub fn has_room_in_log(&self) -> bool {
        self.log_bytes() < self.bounds.log_is_full()
    }

    /// Is the log so long that it should be moved?
    pub fn log_is_long(&self) -> bool {
        self.log_bytes() >= self.bounds.log_is_long()
    }

    /// Bytes on the disk.
    pub fn bytes(&self) -> u64 {
        self.place.bytes()
    }

    fn log_bytes(&self) -> u64 {
        fs::metadata(self.place.beside("-wal")).map_or(0, |metadata| metadata.len())
    }

    fn shorten_log(&self) -> Result<Room, StoreError> {
        if !self.log_is_long() {
            return Ok(Room::Enough);
        }
        // readers are asked for a moment, not waited for
        self.connection.busy_timeout(Duration::from_millis(50))?;
        let moved = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        self.connection.busy_timeout(super::schema::PATIENCE)?;
        moved?;
        Ok(if self.has_room_in_log() { Room::Enough } else { Room::Held })
    }

    fn pragma(&self, name: &str) -> rusqlite::Result<u64> {
        self.connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
    }

    /// Pages that the database may have now: on a disk that gets full, fewer.
    fn pages_allowed(&self) -> rusqlite::Result<u64> {
        let all = self.bounds.pages();
        let Ok(disk) = rustix::fs::statvfs(&self.place.directory) else { return Ok(all) };
        let kept = disk.f_blocks / 100 * u64::from(self.bounds.keep_free);
        let own = self.pragma("page_count")?;
        let blocks = |count: u64| count.saturating_mul(disk.f_frsize) / PAGE;
        Ok(if disk.f_bavail >= kept {
            all.min(own.saturating_add(blocks(disk.f_bavail - kept)))
        } else {
            all.min(own.saturating_sub(blocks(kept - disk.f_bavail)))
        })
    }

    fn used_pages(&self) -> rusqlite::Result<u64> {
        Ok(self.pragma("page_count")?.saturating_sub(self.pragma("freelist_count")?))
    }

    /// Is there less room than there should be, for which this class is forgotten?
    fn is_tight(&self, class: u8, line: u64) -> rusqlite::Result<bool> {
        let least = 2 * self.bounds.spare_pages();
        // who fills the disk has no death of others forgotten with that
        let allowed = match class {
            keep::DEATHS => self.bounds.pages(),
            _ => self.pages_allowed()?.max(least),
        };
        Ok(self.used_pages()? + self.bounds.spare_pages() + line > allowed)
    }

    /// Gives pages back that the database may not have any more.
    fn shrink(&mut self) -> Result<Room, StoreError> {
        loop {
            let (pages, free) = (self.pragma("page_count")?, self.pragma("freelist_count")?);
            let allowed = self.pages_allowed()?;
            // what comes next needs none of a disk that others fill
            let free = free.saturating_sub(self.bounds.spare_pages());
            let excess = pages.saturating_sub(allowed).min(free).min(1000);
            if excess == 0 {
                break;
            }
            let mut statement = self.connection.prepare(&format!("PRAGMA incremental_vacuum({excess})"))?;
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {}
            drop(rows);
            drop(statement);
            if self.pragma("page_count")? >= pages {
                break;
            }
            self.bounds.apply(&self.connection)?;
            if self.shorten_log()? == Room::Held {
                return Ok(Room::Held);
            }
        }
        Ok(Room::Enough)
    }

    /// Forgets a class of an epoch, and what nothing refers to then.
    fn forget(&mut self, epoch: i64, class: u8) -> Result<Room, StoreError> {
        let before = self.used_pages()?;
        while forget_rows(&self.connection, (epoch, class))? == ROWS_AT_ONCE {
            if self.shorten_log()? == Room::Held {
                return Ok(Room::Held);
            }
        }
        finish_class(&self.connection, (epoch, class))?;
        if class == keep::DEATHS {
            self.shares.give_back(before.saturating_sub(self.used_pages()?), before);
        }
        self.shorten_log()
    }
}

/// Notes are merged when there are more: the older half of them becomes one of each kind.
fn merge_notes(connection: &Connection, most: i64) -> rusqlite::Result<()> {
    let (first, last): (i64, i64) = connection
        .prepare_cached("SELECT coalesce(min(note), 0), coalesce(max(note), 0) FROM note")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if last - first < most {
        return Ok(());
    }
    let middle = last - most / 2;
    let transaction = connection.unchecked_transaction()?;
    transaction.execute(
        "INSERT INTO note(run, kind, since, until, count, detail)
         SELECT min(run), kind, min(since), max(until), sum(count), 'several' FROM note WHERE note < ? GROUP BY kind",
        [middle],
    )?;
    transaction.execute("DELETE FROM note WHERE note < ?", [middle])?;
    transaction.commit()
}

/// What is forgotten next of the epochs before this one: the oldest of the class that matters least.
pub(super) fn least_wanted(connection: &Connection, before: i64) -> rusqlite::Result<Option<(i64, u8)>> {
    connection
        .prepare_cached(
            "SELECT epoch, forgotten FROM epoch WHERE epoch < ? ORDER BY forgotten, epoch LIMIT 1",
        )?
        .query_row([before], |row| {
            let lost: usize = row.get(1)?;
            Ok((row.get(0)?, keep::ORDER.get(lost).copied().unwrap_or(keep::DEATHS)))
        })
        .optional()
}

/// Pages that a line may take: its texts, and places in tables and indexes.
fn pages_of(line: usize) -> u64 {
    2 * line as u64 / PAGE
}

/// An epoch whose events are all older than that.
pub(super) fn epoch_before(
    connection: &Connection,
    before: i64,
    oldest: i64,
) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached(
            "SELECT epoch FROM epoch WHERE epoch < ? AND coalesce(until, 0) < ? ORDER BY epoch LIMIT 1",
        )?
        .query_row([before, oldest], |row| row.get(0))
        .optional()
}

/// Forgets a class of an epoch. How many events that were is returned.
pub(super) fn forget_class(connection: &Connection, of: (i64, u8)) -> Result<u64, StoreError> {
    let mut events = 0;
    loop {
        let gone = forget_rows(connection, of)?;
        events += gone;
        if gone < ROWS_AT_ONCE {
            break;
        }
    }
    finish_class(connection, of)?;
    Ok(events)
}

/// Some of them; with what is noted of it, so that nothing is forgotten that is not known to be.
fn forget_rows(connection: &Connection, (epoch, class): (i64, u8)) -> Result<u64, StoreError> {
    let extent = Extent::of(connection, epoch)?;
    let transaction = connection.unchecked_transaction()?;
    let gone = transaction
        .prepare_cached(
            "DELETE FROM event WHERE row IN (SELECT row FROM event WHERE row >= ? AND row < ? AND keep = ? LIMIT ?)",
        )?
        .execute(params![extent.rows.0, extent.rows.1, class, ROWS_AT_ONCE as i64])?;
    if gone > 0 {
        transaction
            .prepare_cached(
                "INSERT INTO forgotten(keep, since, until, events)
                 SELECT ?1, since, until, ?2 FROM epoch WHERE epoch = ?3 AND since IS NOT NULL
                 ON CONFLICT(keep) DO UPDATE SET since = min(since, excluded.since), until = max(until, excluded.until),
                   events = events + excluded.events",
            )?
            .execute(params![class, gone as i64, epoch])?;
    }
    transaction.commit()?;
    Ok(gone as u64)
}

/// A class of an epoch is gone: so is what only that referred to.
fn finish_class(connection: &Connection, (epoch, class): (i64, u8)) -> Result<(), StoreError> {
    let extent = Extent::of(connection, epoch)?;
    let transaction = connection.unchecked_transaction()?;
    let lost = keep::ORDER.iter().position(|one| *one == class).unwrap_or(0) + 1;
    if lost == keep::ORDER.len() {
        transaction.execute("DELETE FROM epoch WHERE epoch = ?", [epoch])?;
    } else {
        transaction.execute("UPDATE epoch SET forgotten = ? WHERE epoch = ?", params![lost as i64, epoch])?;
    }
    extent.sweep(&transaction)?;
    transaction.commit()?;
    Ok(())
}

/// The rows of an epoch: from the first of each table to behind the last.
struct Extent {
    rows: (i64, i64),
    images: (i64, i64),
    phrases: (i64, i64),
    subjects: (i64, i64),
}

impl Extent {
    fn of(connection: &Connection, epoch: i64) -> rusqlite::Result<Self> {
        let first = |order: &str| {
            connection.query_row(
                &format!(
                    "SELECT first_row, first_image, first_phrase, first_subject FROM epoch WHERE {order} LIMIT 1"
                ),
                [epoch],
                |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, i64>(3)?]),
            )
        };
        let begin = first("epoch = ?")?;
        let end = first("epoch > ? ORDER BY epoch").optional()?.unwrap_or([i64::MAX; 4]);
        let of = |place: usize| (begin[place], end[place]);
        Ok(Self { rows: of(0), images: of(1), phrases: of(2), subjects: of(3) })
    }

    /// Removes what no event of the epoch refers to any more.
    fn sweep(&self, connection: &Connection) -> rusqlite::Result<()> {
        let (rows, images, phrases, subjects) = (self.rows, self.images, self.phrases, self.subjects);
        connection
            .prepare_cached(
                "WITH RECURSIVE used(image) AS (
                   SELECT source FROM event WHERE row >= ?1 AND row < ?2 AND source IS NOT NULL
                   UNION SELECT target FROM event WHERE row >= ?1 AND row < ?2 AND target IS NOT NULL
                   UNION SELECT parent FROM image JOIN used USING(image) WHERE parent IS NOT NULL)
                 DELETE FROM image WHERE image >= ?3 AND image < ?4 AND image NOT IN (SELECT image FROM used)",
            )?
            .execute(params![rows.0, rows.1, images.0, images.1])?;
        let columns = [
            "template",
            "summary",
            "source_title",
            "source_state",
            "target_title",
            "target_state",
            "detail",
            "detail_2",
        ];
        let used = columns.map(|column| {
            format!(
                "SELECT {column} FROM event WHERE row >= ?1 AND row < ?2 AND typeof({column}) = 'integer'"
            )
        });
        connection
            .prepare_cached(&format!(
                "DELETE FROM phrase WHERE phrase >= ?3 AND phrase < ?4 AND phrase NOT IN ({})",
                used.join(" UNION ")
            ))?
            .execute(params![rows.0, rows.1, phrases.0, phrases.1])?;
        connection
            .prepare_cached(
                "DELETE FROM subject WHERE subject >= ?3 AND subject < ?4 AND subject NOT IN (
                   SELECT source_subject FROM event WHERE row >= ?1 AND row < ?2 AND source_subject IS NOT NULL
                   UNION SELECT target_subject FROM event WHERE row >= ?1 AND row < ?2 AND target_subject IS NOT NULL)",
            )?
            .execute(params![rows.0, rows.1, subjects.0, subjects.1])
            .map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema::open_to_write;

    #[test]
    fn of_many_notes_the_older_are_merged_and_nothing_of_their_counts_is_lost() {
        let directory = tempfile::tempdir().unwrap();
        let connection = open_to_write(&directory.path().join("events.db")).unwrap();
        for number in 0..250 {
            connection
                .execute(
                    "INSERT INTO note(run, kind, since, until, count, detail) VALUES (1, ?, ?2, ?2 + 1, 2, '')",
                    params![if number % 5 == 0 { "clock" } else { "loss" }, number],
                )
                .unwrap();
            merge_notes(&connection, 100).unwrap();
        }
        let (notes, lost, since, until): (i64, i64, i64, i64) = connection
            .query_row("SELECT count(*), sum(count), min(since), max(until) FROM note", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .unwrap();
        assert!(notes <= 101, "{notes}");
        assert_eq!((lost, since, until), (500, 0, 250));
    }

    #[test]
    fn every_bound_has_room_for_what_it_counts() {
        for max_bytes in [LEAST_BYTES, 64 << 20, 512 << 20, 1 << 40] {
            let bounds = Bounds { max_bytes, ..Bounds::default() };
            let shared = (bounds.log() / FRAME / 4062 + 1) * (32 << 10);
            assert!(bounds.pages() * PAGE + bounds.log() + shared <= max_bytes, "{max_bytes}");
            assert!(bounds.log_is_long() < bounds.log_is_full() && bounds.pages() > 4 * bounds.spare_pages());
        }
        assert!(Bounds { max_bytes: LEAST_BYTES - 1, ..Bounds::default() }.check().is_err());
    }
}
