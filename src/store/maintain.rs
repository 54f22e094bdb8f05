//! What is done with a store beside writing and reading events: how large it is, whether it is whole, making it smaller.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use super::error::StoreError;
use super::lines::{COLUMNS, Lines};
use super::place::{bytes, has_recorder};
use super::reader::connect;
use super::schema::{self, FILE};
use super::shape::Shape;

/// Problems that are listed, at most.
const MOST_PROBLEMS: usize = 100;

/// How large a store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskUsage {
    /// Bytes on the disk.
    pub bytes: u64,
    /// Events in it.
    pub events: u64,
    /// Deaths among them.
    pub deaths: u64,
    /// The times of the oldest and of the newest.
    pub times: Option<(i64, i64)>,
}

/// What an examination found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Events that were put together again.
    pub events: u64,
    /// What is wrong; nothing, of a store that is whole.
    pub problems: Vec<String>,
}

/// What was given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vacuumed {
    /// Events that were forgotten.
    pub events: u64,
    /// Bytes before.
    pub before: u64,
    /// Bytes now.
    pub after: u64,
}

/// How large a store is.
///
/// # Errors
/// If it cannot be read.
pub fn disk_usage(directory: &Path) -> Result<DiskUsage, StoreError> {
    let connection = connect(directory)?;
    let events = connection.query_row("SELECT count(*) FROM event", [], |row| row.get(0))?;
    let deaths = connection.query_row(
        "SELECT count(*) FROM event INDEXED BY event_death WHERE death = 1",
        [],
        |row| row.get(0),
    )?;
    let times = connection
        .query_row("SELECT min(since), max(until) FROM epoch", [], |row| {
            Ok(row.get::<_, Option<i64>>(0)?.zip(row.get::<_, Option<i64>>(1)?))
        })
        .optional()?
        .flatten();
    Ok(DiskUsage { bytes: bytes(&directory.join(FILE)), events, deaths, times })
}

/// Examines a store: every page, every index, every event put together again.
///
/// # Errors
/// If it cannot be read.
pub fn verify(directory: &Path) -> Result<Verified, StoreError> {
    let mut verified = Verified::default();
    let examined = connect(directory).and_then(|connection| examine(&connection, &mut verified));
    match examined {
        Err(error) if StoreError::is_damage(&error) => {
            verified
                .problems
                .push(crate::base::os_error::reason(&error).lines().next().unwrap_or_default().to_owned());
        }
        result => result?,
    }
    Ok(verified)
}

fn examine(connection: &Connection, verified: &mut Verified) -> Result<(), StoreError> {
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({MOST_PROBLEMS})"))?;
    let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
    for line in lines {
        let line = line?;
        if line != "ok" {
            verified.problems.push(line);
        }
    }
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM event e NOT INDEXED"))?;
    let mut rows = statement.query([])?;
    let mut lines = Lines::default();
    while let Some(row) = rows.next()? {
        let event = lines.event(connection, row)?;
        if Shape::of(&event.json).is_some() {
            verified.events += 1;
        } else if verified.problems.len() < MOST_PROBLEMS {
            verified.problems.push(format!("event {} cannot be put together", event.row));
        }
    }
    Ok(())
}

/// Forgets what matters least until the store has so many bytes, and gives them back.
///
/// # Errors
/// If the store cannot be written.
pub fn vacuum_size(directory: &Path, most: u64) -> Result<Vacuumed, StoreError> {
    vacuum(directory, |connection, file| {
        let mut events = 0;
        while bytes(file) > most {
            let Some(epoch) = super::forget::least_wanted(connection, behind(connection, directory)?)? else {
                break;
            };
            events += super::forget::forget_class(connection, epoch)?;
            give_back(connection)?;
        }
        Ok(events)
    })
}

/// Forgets what is older than this time.
///
/// # Errors
/// If the store cannot be written.
pub fn vacuum_time(directory: &Path, before: i64) -> Result<Vacuumed, StoreError> {
    vacuum(directory, |connection, _| {
        let mut events = 0;
        while let Some(epoch) =
            super::forget::epoch_before(connection, behind(connection, directory)?, before)?
        {
            for class in schema::keep::ORDER {
                events += super::forget::forget_class(connection, (epoch, class))?;
            }
        }
        Ok(events)
    })
}

/// Epochs before this one may be forgotten: beside a recorder not that which it writes, as it refers to rows that it knows to be there.
fn behind(connection: &Connection, directory: &Path) -> rusqlite::Result<i64> {
    if has_recorder(directory) == Some(false) {
        return Ok(i64::MAX);
    }
    connection.query_row("SELECT coalesce(max(epoch), 0) FROM epoch", [], |row| row.get(0))
}

fn vacuum(
    directory: &Path,
    forget: impl FnOnce(&Connection, &Path) -> Result<u64, StoreError>,
) -> Result<Vacuumed, StoreError> {
    let file = directory.join(FILE);
    drop(connect(directory)?);
    let connection = schema::open_to_write(&file)?;
    let before = bytes(&file);
    let events = forget(&connection, &file)?;
    give_back(&connection)?;
    Ok(Vacuumed { events, before, after: bytes(&file) })
}

fn give_back(connection: &Connection) -> Result<(), StoreError> {
    let mut statement = connection.prepare("PRAGMA incremental_vacuum")?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    drop(rows);
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}
