//! Writes events. What was written is there after [`Writer::commit`], or not at all.
//!
//! Of what fails nothing is half there: the transaction is rolled back, its events are counted as lost, and a new epoch begins,
//! as rows that were remembered may be gone.

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::{Duration, Instant};

use lru::LruCache;
use rusqlite::{Connection, OptionalExtension, params};
use rustc_hash::FxBuildHasher;

use super::dictionary::{Dictionary, Next};
use super::error::StoreError;
use super::forget::{Bounds, Room};
use super::place::Place;
use super::run::{NoteKind, Run, RunFacts};
use super::scan::{Member, member, members};
use super::schema::{self, keep};
use super::shape::Shape;
use super::shares::{Shares, charged};
use crate::base::clock::utc_now;
use crate::base::sanitize::visible;

/// Events of one epoch.
const EVENTS_OF_EPOCH: u64 = 16_384;

/// A line that is longer is looked for room first.
const LONG: usize = 64 << 10;

/// Events whose row is remembered, for ends that refer to them.
const RECENT: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();

/// Writes to a store that nobody else writes to.
#[derive(Debug)]
pub struct Writer {
    pub(super) connection: Connection,
    pub(super) place: Place,
    pub(super) bounds: Bounds,
    pub(super) run: Run,
    pub(super) epoch: Epoch,
    next: Next,
    dictionary: Dictionary,
    /// Numbers of events of this run, their rows, and the subjects of their sources.
    recent: LruCache<u64, (i64, Option<i64>), FxBuildHasher>,
    pub(super) shares: Shares,
    facts: RunFacts,
    /// Lines in the transaction that is open.
    pending: u64,
    /// Events that they stand for.
    pending_events: u64,
    /// When the oldest of them was, and when the first of them came.
    pending_since: Option<(i64, Instant)>,
}

const HELD: &str = "a process that may only read the store kept recorders from writing to it: until the next start the group of the store cannot read it while it is written";

/// The kind of events that report others which were lost.
const LOST: u8 = 3;

/// That of ends of processes.
const ENDED: u8 = 2;

/// That of commands which ask others to act.
const REQUEST: u8 = 4;

/// Which events are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kept {
    /// All.
    #[default]
    All,
    /// Ends by a signal, and the signals that may end their target.
    Deaths,
}

/// The epoch that is being written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Epoch {
    pub(super) number: i64,
    events: u64,
    bytes: u64,
    times: Option<(i64, i64)>,
}

/// What is indexed of an event.
#[derive(Debug, Clone, Default)]
struct Facts {
    kind: u8,
    signal: Option<u8>,
    is_death: bool,
    is_fatal: bool,
    keep: u8,
    /// Of a request: what it names.
    unit: Option<String>,
}

impl Facts {
    fn of(members: &[Member<'_>]) -> Self {
        let is = |key: &str, value: &str| member(members, key).is_some_and(|member| member.value == value);
        let kind = match member(members, "event").and_then(Member::quoted) {
            Some("signal") => 0,
            Some("attempt") => 1,
            Some("ended") => ENDED,
            Some("lost") => LOST,
            Some("request") => REQUEST,
            _ => 5,
        };
        let is_end = kind == ENDED;
        let is_death = is_end && member(members, "coreDumped").is_some() && !is("scope", "\"thread\"");
        let is_fatal = is("fatal", "true");
        let keep = match kind {
            _ if is_death || is_fatal => keep::DEATHS,
            2..=5 => keep::ENDS,
            _ => keep::PLAIN,
        };
        let unit = || member(&self::members(member(members, "request")?.value)?, "unit")?.text();
        let unit = if kind == REQUEST { unit() } else { None };
        Self {
            unit,
            kind,
            signal: member(members, "signal").and_then(Member::number),
            is_death,
            is_fatal,
            keep,
        }
    }
}

/// The events that this one refers to.
fn referred(members: &[Member<'_>]) -> impl Iterator<Item = u64> {
    ["after", "previous"].into_iter().filter_map(|key| id_in(members, key))
}

fn id_in(members: &[Member<'_>], key: &str) -> Option<u64> {
    let inner = self::members(member(members, key)?.value)?;
    member(&inner, "id")?.number()
}

impl Writer {
    /// Opens a store, or begins one; a damaged one is set aside. What is to be said of that is returned beside it.
    ///
    /// # Errors
    /// If another recorder writes there, if it is from a later version, or cannot be written.
    pub fn open(
        directory: &Path,
        group: Option<u32>,
        bounds: Option<Bounds>,
        facts: &RunFacts,
    ) -> Result<(Self, Option<String>), StoreError> {
        bounds.unwrap_or_default().check()?;
        let place = Place::take(directory, group)?;
        let (mut aside, mut held) = (None, None);
        let begun = match begin(&place, bounds, facts) {
            Err(error) if error.is_damage() => {
                let now = utc_now() as i64;
                let old = place.set_aside(now)?;
                let why = crate::base::os_error::reason(&error);
                aside = Some(set_aside_text(why.lines().next().unwrap_or_default(), &old));
                begin(&place, bounds, facts)
            }
            Err(error) if error.is_busy() && place.is_held_by_reader() => {
                place.replace_index()?;
                held = Some(HELD.to_owned());
                begin(&place, bounds, facts)
            }
            begun => begun,
        };
        let (connection, bounds, run) = begun?;
        let mut writer = Self {
            next: next(&connection)?,
            connection,
            place,
            bounds,
            run,
            epoch: Epoch::default(),
            dictionary: Dictionary::default(),
            recent: LruCache::with_hasher(RECENT, FxBuildHasher),
            shares: Shares::default(),
            facts: facts.clone(),
            pending: 0,
            pending_events: 0,
            pending_since: None,
        };
        writer.begin_epoch()?;
        if let Some(text) = &aside {
            writer.note(NoteKind::Damaged, text)?;
        }
        writer.make_room()?;
        Ok((writer, aside.or(held)))
    }

    /// Where it writes: the path without links.
    pub fn directory(&self) -> &Path {
        &self.place.directory
    }

    /// Events in the transaction that is open.
    pub fn pending(&self) -> u64 {
        self.pending
    }

    /// How old the oldest event is that is not committed.
    pub fn pending_age(&self) -> Option<Duration> {
        let (time, came_at) = self.pending_since?;
        // whoever sets the clock meanwhile does not make it younger
        let age = u64::try_from((utc_now() as i64).saturating_sub(time)).unwrap_or(0);
        Some(Duration::from_nanos(age).max(came_at.elapsed()))
    }

    /// The number of this run.
    pub fn number(&self) -> i64 {
        self.run.number
    }

    /// Events that were written.
    pub fn stored(&self) -> u64 {
        self.run.stored
    }

    /// When the oldest event was, seconds since the epoch. None: there is none.
    pub fn oldest(&self) -> Option<i64> {
        let query = "SELECT time / 1000000000 FROM event ORDER BY row LIMIT 1";
        let mut statement = self.connection.prepare_cached(query).ok()?;
        statement.query_row([], |row| row.get(0)).ok()
    }

    /// Events that could not be.
    pub fn lost(&self) -> u64 {
        self.run.lost
    }

    /// All that happened before this time (UTC, nanoseconds) has been put: with the next transaction it counts as recorded.
    pub fn mark(&mut self, until: i64) {
        self.run.mark(until);
    }

    /// An event cannot be written. What it says of others that were lost before is not lost with it.
    pub fn lose(&mut self, line: &str) {
        self.run.lost += weight(line);
        if line.contains("\"event\":\"lost\"") {
            if let Some((shape, members)) = Shape::of(line) {
                self.run.note_loss(shape.time, &members);
            }
        }
    }

    /// What is noted with the next transaction: now it cannot be.
    pub fn note_when_possible(&mut self, kind: NoteKind) {
        self.run.owe(kind);
    }

    /// Sets a store aside that turned out to be damaged, and begins a new one. What is to be said of that is returned.
    ///
    /// # Errors
    /// If that cannot be done.
    pub fn begin_again(&mut self) -> Result<String, StoreError> {
        self.roll_back();
        // its files are renamed under it: what it still writes goes there
        self.connection = Connection::open_in_memory()?;
        let old = self.place.set_aside(utc_now() as i64)?;
        self.connection = schema::open_to_write(&self.place.file())?;
        self.bounds.apply(&self.connection)?;
        let lost = self.run.lost;
        self.run = Run::begin(&self.connection, &self.facts)?;
        self.run.lost = lost;
        self.next = next(&self.connection)?;
        self.epoch = Epoch::default();
        self.shares = Shares::default();
        self.begin_epoch()?;
        let text = set_aside_text("a page of it is not what it should be", &old);
        self.note(NoteKind::Damaged, &text)?;
        Ok(text)
    }

    /// Takes a line as `-o json` prints it, without its end.
    ///
    /// # Errors
    /// If it cannot be written. All that was pending is lost then, and counted.
    pub fn put(&mut self, line: &str) -> Result<(), StoreError> {
        let Some((shape, members)) = Shape::of(line) else {
            self.run.lost += 1;
            return Ok(());
        };
        let facts = Facts::of(&members);
        if facts.kind == LOST {
            self.run.note_loss(shape.time, &members);
        }
        let put = self.put_where_room_is(line, &shape, &members, &facts);
        if put.is_err() {
            self.roll_back();
            self.run.lost += weight(line);
        }
        put
    }

    /// Where there is none, room is made, and the line is tried again: the events of others do not wait for that.
    fn put_where_room_is(
        &mut self,
        line: &str,
        shape: &Shape,
        members: &[Member<'_>],
        facts: &Facts,
    ) -> Result<(), StoreError> {
        if line.len() > LONG && !self.has_room_for(line.len()) {
            self.try_commit()?;
            self.make_room_for(line.len())?;
        }
        match self.try_put(shape, members, facts.clone()) {
            Err(error) if error.is_full() => {
                self.roll_back();
                if self.has_room_for(line.len()) {
                    // it is the disk that has none
                    return Err(error);
                }
                match self.make_room_for(line.len())? {
                    Room::Enough => self.try_put(shape, members, facts.clone()),
                    Room::Held => Err(error),
                }
            }
            result => result,
        }
    }

    fn try_put(&mut self, shape: &Shape, members: &[Member<'_>], mut facts: Facts) -> Result<(), StoreError> {
        if self.facts.keeps == Kept::Deaths && facts.keep == keep::PLAIN && !may_end(members) {
            self.run.dropped += 1;
            return Ok(());
        }
        if self.connection.is_autocommit() {
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
        }
        if self.epoch.events >= EVENTS_OF_EPOCH
            || self.epoch.bytes + self.dictionary.bytes > self.bounds.bytes_of_epoch()
        {
            self.begin_epoch()?;
        }
        self.insert(shape, &mut facts, members)?;
        if matches!(facts.keep, keep::DEATHS | keep::SURPLUS) {
            for id in referred(members) {
                self.keep_with_death(id, facts.keep)?;
            }
        }
        self.pending += 1;
        let (oldest, came_at) = self.pending_since.unwrap_or_else(|| (shape.time, Instant::now()));
        self.pending_since = Some((oldest.min(shape.time), came_at));
        self.pending_events += member(members, "repeated").and_then(Member::number).unwrap_or(1);
        self.epoch.events += 1;
        let (since, until) = self.epoch.times.unwrap_or((shape.time, shape.time));
        self.epoch.times = Some((since.min(shape.time), until.max(shape.time)));
        Ok(())
    }

    fn insert(&mut self, shape: &Shape, facts: &mut Facts, members: &[Member<'_>]) -> rusqlite::Result<()> {
        let before = self.epoch.bytes + self.dictionary.bytes;
        let (connection, next, dictionary) = (&self.connection, &mut self.next, &mut self.dictionary);
        let template = dictionary.phrase(&shape.template, next, connection)?;
        let mut sides = [(None, None), (None, None)];
        let mut own = [const { super::dictionary::Text::None }; 4];
        for (place, side) in [&shape.source, &shape.target].into_iter().enumerate() {
            let Some(side) = side else { continue };
            let (image, subject) = dictionary.side(side, next, connection)?;
            sides[place] = (Some(image), subject);
            own[2 * place] = dictionary.text(Some(&side.title), next, connection)?;
            own[2 * place + 1] = dictionary.text(Some(&side.state), next, connection)?;
        }
        if let Some(unit) = &facts.unit {
            sides[1].1 = Some(dictionary.unit(unit, next, connection)?);
        }
        let source = match facts.kind {
            ENDED => id_in(members, "after").and_then(|id| self.recent.peek(&id)?.1),
            _ => sides[0].1,
        };
        let user = match facts.keep {
            keep::DEATHS => charged(uid(connection, source)?, uid(connection, sides[1].1)?),
            _ => None,
        };
        if user.is_some_and(|user| self.shares.is_beyond(user, self.bounds.share_of_user())) {
            facts.keep = keep::SURPLUS;
        }
        let [source_title, source_state, target_title, target_state] = own;
        let summary = dictionary.text(shape.summary.as_deref(), next, connection)?;
        let [detail, detail_2] = [0, 1].map(|place: usize| shape.details[place].as_deref());
        let detail = dictionary.text(detail, next, connection)?;
        let detail_2 = dictionary.text(detail_2, next, connection)?;
        let row = next.row;
        connection
            .prepare_cached(
                "INSERT INTO event(row, time, run, keep, kind, signal, death, fatal, id, template, source, target, source_subject,
                   target_subject, ancestor, summary, source_title, source_state, target_title, target_state, detail, detail_2)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                row, shape.time, self.run.number, facts.keep, facts.kind, facts.signal,
                facts.is_death.then_some(1), facts.is_fatal.then_some(1), shape.id, template, sides[0].0, sides[1].0,
                sides[0].1, sides[1].1, shape.ancestor, summary, source_title, source_state, target_title, target_state,
                detail, detail_2
            ])?;
        next.row += 1;
        let texts = [&shape.summary, &shape.details[0], &shape.details[1]];
        self.epoch.bytes += 120 + texts.into_iter().flatten().map(|text| text.len() as u64).sum::<u64>();
        if let Some(user) = user.filter(|_| facts.keep == keep::DEATHS) {
            self.shares.add(user, self.epoch.bytes + self.dictionary.bytes - before);
        }
        if let Some(id) = shape.id {
            self.recent.push(id, (row, sides[0].1));
        }
        Ok(())
    }

    /// The signal that a death refers to is kept as long as that.
    fn keep_with_death(&self, id: u64, class: u8) -> rusqlite::Result<()> {
        let Some((row, _)) = self.recent.peek(&id) else { return Ok(()) };
        self.connection
            .prepare_cached("UPDATE event SET keep = ?1 WHERE row = ?2 AND (keep = 0 OR ?1 = 2)")?
            .execute(params![class, row])
            .map(|_| ())
    }

    /// Makes what is pending last. How many events that were is returned.
    ///
    /// # Errors
    /// If it cannot be written. All that was pending is lost then, and counted.
    pub fn commit(&mut self) -> Result<u64, StoreError> {
        let result = self.try_commit();
        if result.is_err() {
            self.roll_back();
        }
        result
    }

    fn try_commit(&mut self) -> Result<u64, StoreError> {
        let pending = self.pending;
        if self.connection.is_autocommit() {
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
        }
        self.epoch.write(&self.connection)?;
        self.run.stored += pending;
        let seen = self.run.see(&self.connection);
        match seen.and_then(|clocks| self.connection.execute_batch("COMMIT").map(|()| clocks)) {
            Ok(clocks) => self.run.seen(clocks),
            Err(error) => {
                self.run.stored -= pending;
                return Err(error.into());
            }
        }
        self.shares.commit();
        (self.pending, self.pending_events, self.pending_since) = (0, 0, None);
        Ok(pending)
    }

    /// After a failure: nothing of the transaction is there.
    fn roll_back(&mut self) {
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        self.run.lost += std::mem::take(&mut self.pending_events);
        (self.pending, self.pending_since) = (0, None);
        self.dictionary = Dictionary::default();
        self.recent.clear();
        self.shares.roll_back();
        // rows that it remembers may be gone; the next event begins another
        self.epoch.events = u64::MAX;
        if let Ok(next) = next(&self.connection) {
            self.next = next;
        }
    }

    /// What follows refers to rows of its own.
    pub(super) fn begin_epoch(&mut self) -> rusqlite::Result<()> {
        if self.epoch.number > 0 {
            self.epoch.write(&self.connection)?;
        }
        self.dictionary = Dictionary::default();
        let number: i64 =
            self.connection
                .query_row("SELECT coalesce(max(epoch), 0) + 1 FROM epoch", [], |row| row.get(0))?;
        let Next { row, image, phrase, subject } = self.next;
        self.connection.execute(
            "INSERT INTO epoch(epoch, run, first_row, first_image, first_phrase, first_subject) VALUES (?, ?, ?, ?, ?, ?)",
            params![number, self.run.number, row, image, phrase, subject],
        )?;
        self.epoch = Epoch { number, ..Epoch::default() };
        Ok(())
    }

    /// Something beside events that who asks has to know.
    pub(super) fn note(&self, kind: NoteKind, detail: &str) -> rusqlite::Result<()> {
        let now = utc_now() as i64;
        self.run.note(&self.connection, kind, (now, now), 0, detail)
    }

    /// Ends the run in order; nothing can be written afterwards.
    ///
    /// # Errors
    /// If that cannot be written.
    pub fn finish(&mut self, reason: &str) -> Result<(), StoreError> {
        self.commit()?;
        self.run.end(&self.connection, reason)?;
        self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
        Ok(())
    }
}

impl Epoch {
    fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let Some((since, until)) = self.times else { return Ok(()) };
        connection
            .prepare_cached("UPDATE epoch SET since = ?, until = ? WHERE epoch = ?")?
            .execute(params![since, until, self.number])
            .map(|_| ())
    }
}

/// Opens the database, and begins a run.
fn begin(
    place: &Place,
    bounds: Option<Bounds>,
    facts: &RunFacts,
) -> Result<(Connection, Bounds, Run), StoreError> {
    let connection = schema::open_to_write(&place.file())?;
    let bounds = Bounds::settle(bounds, &connection)?;
    bounds.apply(&connection)?;
    let run = Run::begin(&connection, facts)?;
    Ok((connection, bounds, run))
}

/// The user of a subject.
fn uid(connection: &Connection, subject: Option<i64>) -> rusqlite::Result<Option<u32>> {
    let Some(subject) = subject else { return Ok(None) };
    let mut statement = connection.prepare_cached("SELECT uid FROM subject WHERE subject = ?")?;
    Ok(statement.query_row([subject], |row| row.get(0)).optional()?.flatten())
}

/// How many events a line stands for.
fn weight(line: &str) -> u64 {
    let count = || member(&members(line)?, "repeated")?.number();
    if line.contains("\"repeated\":") { count().unwrap_or(1) } else { 1 }
}

/// A signal whose target neither handles nor ignores it, or handles a request to end.
fn may_end(members: &[Member<'_>]) -> bool {
    let is = |key: &str, value: &str| member(members, key).is_some_and(|member| member.value == value);
    !is("result", "\"ignored\"") && is("event", "\"signal\"") && {
        let ends = ["1", "2", "3", "4", "6", "7", "8", "9", "11", "14", "15", "24", "25", "31"];
        member(members, "signal").is_some_and(|signal| ends.contains(&signal.value))
    }
}

fn set_aside_text(why: &str, old: &Path) -> String {
    format!("the store is damaged ({why}): it was set aside as {}, and a new one is begun", visible(old))
}

/// Numbers are never given twice, also if what had them is gone.
fn next(connection: &Connection) -> rusqlite::Result<Next> {
    connection.query_row(
        "SELECT 1 + max(coalesce((SELECT max(row) FROM event), 0), coalesce((SELECT max(first_row) - 1 FROM epoch), 0)),
                1 + max(coalesce((SELECT max(image) FROM image), 0), coalesce((SELECT max(first_image) - 1 FROM epoch), 0)),
                1 + max(coalesce((SELECT max(phrase) FROM phrase), 0), coalesce((SELECT max(first_phrase) - 1 FROM epoch), 0)),
                1 + max(coalesce((SELECT max(subject) FROM subject), 0), coalesce((SELECT max(first_subject) - 1 FROM epoch), 0))",
        [],
        |row| Ok(Next { row: row.get(0)?, image: row.get(1)?, phrase: row.get(2)?, subject: row.get(3)? }),
    )
}
