//! The tables of the store, and how a connection is set up. docs/store.md describes them for those who ask with SQL.
//!
//! Most of an event is in others as well. So a process is one row of `image`, its parent another; what kinds of events have in common is
//! a `template`; `subject` is who a process is to those who ask: its name, program, unit, container, user. An `epoch` is a run of
//! consecutive events with the images, templates and subjects that these refer to, and only these: what has to be forgotten is
//! forgotten epoch by epoch, and what nothing refers to any more is found in one epoch.

use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use super::error::StoreError;

/// The file in the directory of a store.
pub(super) const FILE: &str = "events.db";

/// `PRAGMA application_id`: `KSnp`.
const APPLICATION: i32 = 0x4b53_6e70;

/// `PRAGMA user_version`.
pub(super) const VERSION: i32 = 1;

/// Bytes of a page.
pub(super) const PAGE: u64 = 4096;

/// How long a lock is waited for, which others hold for a moment only.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Classes of events.
pub(super) mod keep {
    /// Signals and attempts that ended nothing.
    pub(in crate::store) const PLAIN: u8 = 0;
    /// Ends by exit, requests, losses.
    pub(in crate::store) const ENDS: u8 = 1;
    /// Deaths by a signal, and the signals that they refer to.
    pub(in crate::store) const DEATHS: u8 = 2;
    /// Deaths of a user by its own hand beyond its share, and the signals that they refer to.
    pub(in crate::store) const SURPLUS: u8 = 3;
    /// In the order in which they are forgotten. An epoch has how many of these it has lost.
    pub(in crate::store) const ORDER: [u8; 4] = [PLAIN, SURPLUS, ENDS, DEATHS];
}

/// The text of a column that is text itself, or the number of a phrase.
macro_rules! text_of {
    ($column:literal) => {
        concat!(
            "CASE typeof(e.",
            $column,
            ") WHEN 'integer' THEN (SELECT body FROM phrase WHERE phrase = e.",
            $column,
            ") ELSE coalesce(e.",
            $column,
            ", '') END"
        )
    };
}

/// A process with its parents: each image has a mark where that of its parent belongs.
macro_rules! image_of {
    ($side:literal) => {
        concat!(
            "coalesce((WITH RECURSIVE up(depth, body, parent) AS (",
            "SELECT 0, body, parent FROM image WHERE image = e.", $side,
            " UNION ALL SELECT depth + 1, replace(up.body, char(18), image.body), image.parent FROM up JOIN image ON image.image = up.parent WHERE depth < 128",
            ") SELECT replace(replace(body, char(16), ", text_of_side!($side, "_title"), "), char(17), ", text_of_side!($side, "_state"),
            ") FROM up ORDER BY depth DESC LIMIT 1), '')"
        )
    };
}

macro_rules! text_of_side {
    ($side:literal, $what:literal) => {
        concat!(
            "CASE typeof(e.",
            $side,
            $what,
            ") WHEN 'integer' THEN (SELECT body FROM phrase WHERE phrase = e.",
            $side,
            $what,
            ") ELSE coalesce(e.",
            $side,
            $what,
            ", '') END"
        )
    };
}

/// The line of an event `e`, as `-o json` printed it. Marks are control characters, which JSON has only as escapes, so nothing
/// that is put in has one; processes are put in last but for their own texts, which are in them.
pub(super) const LINE: &str = concat!(
    "replace(replace(replace(replace(replace(replace(replace(replace((SELECT body FROM phrase WHERE phrase = e.template), ",
    "char(1), strftime('%Y-%m-%dT%H:%M:%S', (e.time - ((e.time % 1000000000) + 1000000000) % 1000000000) / 1000000000, 'unixepoch') || printf('.%09dZ', ((e.time % 1000000000) + 1000000000) % 1000000000)), ",
    "char(2), coalesce(e.id, '')), ",
    "char(3), ",
    text_of!("summary"),
    "), ",
    "char(6), ",
    text_of!("detail"),
    "), ",
    "char(7), ",
    text_of!("detail_2"),
    "), ",
    "char(8), coalesce(e.ancestor, '')), ",
    "char(4), ",
    image_of!("source"),
    "), ",
    "char(5), ",
    image_of!("target"),
    ")"
);

/// What a new store is made of, but for the view.
const TABLES: &str = "
CREATE TABLE run(
  run INTEGER PRIMARY KEY, boot TEXT NOT NULL, version TEXT NOT NULL, filters TEXT NOT NULL, kept TEXT NOT NULL,
  began INTEGER NOT NULL, seen INTEGER NOT NULL, ended INTEGER, reason TEXT,
  stored INTEGER NOT NULL DEFAULT 0, lost INTEGER NOT NULL DEFAULT 0);
CREATE TABLE note(
  note INTEGER PRIMARY KEY, run INTEGER NOT NULL, kind TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL,
  count INTEGER NOT NULL, detail TEXT NOT NULL);
CREATE TABLE bounds(max_bytes INTEGER NOT NULL, max_age INTEGER, keep_free INTEGER NOT NULL);
CREATE TABLE forgotten(keep INTEGER PRIMARY KEY, since INTEGER NOT NULL, until INTEGER NOT NULL, events INTEGER NOT NULL);
CREATE TABLE epoch(
  epoch INTEGER PRIMARY KEY, run INTEGER NOT NULL, first_row INTEGER NOT NULL, first_image INTEGER NOT NULL,
  first_phrase INTEGER NOT NULL, first_subject INTEGER NOT NULL, since INTEGER, until INTEGER, forgotten INTEGER NOT NULL DEFAULT 0);
CREATE TABLE phrase(phrase INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE subject(
  subject INTEGER PRIMARY KEY, comm TEXT, exe TEXT, unit TEXT, user_unit TEXT, container TEXT, container_name TEXT, pod TEXT,
  pod_name TEXT, namespace TEXT, uid INTEGER, user TEXT, cgroup TEXT);
CREATE TABLE image(
  image INTEGER PRIMARY KEY, parent INTEGER, subject INTEGER, pid INTEGER, key TEXT, body TEXT NOT NULL);
CREATE INDEX image_pid ON image(pid) WHERE pid IS NOT NULL;
CREATE TABLE event(
  row INTEGER PRIMARY KEY, time INTEGER NOT NULL, run INTEGER NOT NULL, keep INTEGER NOT NULL, kind INTEGER NOT NULL,
  signal INTEGER, death INTEGER, fatal INTEGER, id INTEGER, template INTEGER NOT NULL, source INTEGER, target INTEGER,
  source_subject INTEGER, target_subject INTEGER, ancestor INTEGER, summary, source_title, source_state, target_title,
  target_state, detail, detail_2);
CREATE INDEX event_source ON event(source_subject) WHERE source_subject IS NOT NULL;
CREATE INDEX event_target ON event(target_subject, kind, fatal) WHERE target_subject IS NOT NULL;
CREATE INDEX event_death ON event(target_subject) WHERE death = 1;
CREATE INDEX event_request ON event(time) WHERE kind = 4;
";

/// What those who ask with SQL see: an event a row, with what is asked for most as columns.
fn view() -> String {
    format!(
        "CREATE VIEW events AS SELECT e.row, e.time, e.run, r.boot,
  CASE e.kind WHEN 0 THEN 'signal' WHEN 1 THEN 'attempt' WHEN 2 THEN 'ended' WHEN 3 THEN 'lost' WHEN 4 THEN 'request' ELSE 'other' END AS kind,
  e.signal, e.death = 1 AS death, e.fatal = 1 AS fatal,
  s.pid AS source_pid, s.key AS source_key, ss.comm AS source_comm, ss.exe AS source_exe, ss.unit AS source_unit, ss.user_unit AS source_user_unit,
  ss.container AS source_container, ss.container_name AS source_container_name, ss.pod AS source_pod, ss.pod_name AS source_pod_name,
  ss.namespace AS source_namespace, ss.uid AS source_uid, ss.user AS source_user, ss.cgroup AS source_cgroup,
  t.pid AS target_pid, t.key AS target_key, ts.comm AS target_comm, ts.exe AS target_exe, ts.unit AS target_unit, ts.user_unit AS target_user_unit,
  ts.container AS target_container, ts.container_name AS target_container_name, ts.pod AS target_pod, ts.pod_name AS target_pod_name,
  ts.namespace AS target_namespace, ts.uid AS target_uid, ts.user AS target_user, ts.cgroup AS target_cgroup,
  {LINE} AS json
FROM event e JOIN run r ON r.run = e.run
LEFT JOIN image s ON s.image = e.source LEFT JOIN subject ss ON ss.subject = e.source_subject
LEFT JOIN image t ON t.image = e.target LEFT JOIN subject ts ON ts.subject = e.target_subject"
    )
}

/// Makes the tables of a file that has none yet, and checks those of one that has.
pub(super) fn prepare(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(PATIENCE)?;
    if version(connection)? == 0 && is_empty(connection)? {
        connection.execute_batch(&format!(
            "PRAGMA page_size = {PAGE}; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
        ))?;
        let view = view();
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {TABLES} {view}; PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT;"
        ))?;
    }
    check(connection)
}

/// Is this a store, and of a version that this program knows?
pub(super) fn check(connection: &Connection) -> Result<(), StoreError> {
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version = version(connection)?;
    if application != APPLICATION {
        return Err(StoreError::Foreign);
    }
    if version > VERSION {
        return Err(StoreError::Newer { version, known: VERSION });
    }
    // a view or a trigger of somebody else's would run with the rights of whoever reads
    if schema_of(connection)? != *expected_schema()? {
        return Err(StoreError::Changed);
    }
    Ok(())
}

/// What a database is made of: the text of each statement, by name.
fn schema_of(connection: &Connection) -> rusqlite::Result<Vec<(String, Option<String>)>> {
    let mut statement = connection.prepare(
        // what ANALYZE makes does no harm
        "SELECT name, sql FROM main.sqlite_schema WHERE NOT (type = 'table' AND name LIKE 'sqlite\\_stat_' ESCAPE '\\') ORDER BY name",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// That of a store as this program makes it.
fn expected_schema() -> rusqlite::Result<&'static Vec<(String, Option<String>)>> {
    static EXPECTED: OnceLock<Vec<(String, Option<String>)>> = OnceLock::new();
    if EXPECTED.get().is_none() {
        let made = Connection::open_in_memory()?;
        made.execute_batch(&format!("{TABLES} {}", view()))?;
        // another thread's is the same
        let _ = EXPECTED.set(schema_of(&made)?);
    }
    EXPECTED.get().ok_or(rusqlite::Error::QueryReturnedNoRows)
}

fn version(connection: &Connection) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
}

/// A connection that writes.
pub(super) fn open_to_write(file: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(file, flags)?;
    prepare(&connection)?;
    // of what is committed nothing is torn, and the log is synced beside (`syncer`); what is sorted stays in memory: no other file is
    // made
    connection.execute_batch(
        "PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 0; PRAGMA trusted_schema = OFF;",
    )?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_becomes_a_store_and_another_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(FILE);
        drop(open_to_write(&file).unwrap());
        let connection = open_to_write(&file).unwrap();
        connection.execute_batch("SELECT json FROM events").unwrap();
        connection.pragma_update(None, "user_version", VERSION + 1).unwrap();
        drop(connection);
        assert!(
            matches!(open_to_write(&file), Err(StoreError::Newer { version, .. }) if version == VERSION + 1)
        );
        let other = directory.path().join("other");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE x(y)").unwrap();
        assert!(matches!(open_to_write(&other), Err(StoreError::Foreign)));
    }

    #[test]
    fn a_store_whose_tables_somebody_changed_is_refused() {
        for change in [
            "CREATE TRIGGER t AFTER DELETE ON event BEGIN DELETE FROM run; END",
            "CREATE VIEW more AS SELECT * FROM run",
            "ALTER TABLE run RENAME TO before; CREATE VIEW run AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n FROM r) SELECT n FROM r",
        ] {
            let directory = tempfile::tempdir().unwrap();
            let file = directory.path().join(FILE);
            open_to_write(&file).unwrap().execute_batch(change).unwrap();
            assert!(matches!(open_to_write(&file), Err(StoreError::Changed)), "{change}");
        }
    }
}
