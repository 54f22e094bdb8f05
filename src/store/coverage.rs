//! What was recorded, and what was not: so that "nobody killed it" and "nobody was watching" never look alike.

use std::ops::Range;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, params};

use super::error::StoreError;
use super::place::has_recorder;
use super::reader::Reader;
use super::run::{HEARTBEAT, NoteKind};
use super::schema::keep;
use crate::base::clock::utc_now;

/// What is known of a range of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Recorded, the oldest first.
    pub spans: Vec<Span>,
    /// Not recorded.
    pub gaps: Vec<Gap>,
    /// Recorded with losses.
    pub losses: Vec<Loss>,
    /// What else happened.
    pub notes: Vec<Note>,
    /// What is no longer there.
    pub forgotten: Vec<Forgotten>,
    /// Filters that were in force at some time; one that is empty is none.
    pub filters: Vec<String>,
    /// At some time the recorder hid what it hides by default.
    pub hides_by_default: bool,
}

/// What the filters of a recorder begin with that hides nothing by default.
pub const SHOWS_ALL: &str = "--all";

impl Coverage {
    /// Is everything there that happened?
    pub fn is_whole(&self) -> bool {
        self.gaps.is_empty() && self.losses.is_empty() && self.forgotten.is_empty()
    }
}

/// Recorded from here to there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// From: nanoseconds since the epoch, UTC.
    pub since: i64,
    /// To.
    pub until: i64,
    /// The number of the run.
    pub run: i64,
    /// The boot.
    pub boot: String,
    /// The version of the recorder.
    pub version: String,
    /// Its filters.
    pub filters: String,
    /// It hides nothing by default.
    pub shows_all: bool,
    /// It is still recorded.
    pub is_open: bool,
}

/// Not recorded from here to there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// From.
    pub since: i64,
    /// To.
    pub until: i64,
    /// Why.
    pub cause: GapCause,
}

/// Why nothing was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GapCause {
    /// The recorder was stopped, for this reason.
    Stopped(String),
    /// It was killed: it may have run for some seconds of the gap.
    Killed,
    /// The host went down with it.
    Rebooted,
    /// It had not begun.
    BeforeFirst,
    /// The recorder runs, and has not written it yet.
    NotWritten,
}

/// Events were lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Between then
    pub since: i64,
    /// and then.
    pub until: i64,
    /// How many.
    pub count: u64,
    /// By cause, as `event=lost` has it; or in words.
    pub cause: String,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Between then
    pub since: i64,
    /// and then.
    pub until: i64,
    /// What.
    pub kind: NoteKind,
    /// More about it: of a clock that was set, by how many nanoseconds.
    pub detail: String,
}

/// What is no longer there of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgotten {
    /// From.
    pub since: i64,
    /// To.
    pub until: i64,
    /// What is.
    pub left: Left,
}

/// What is still there of a range of which something was forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Left {
    /// Nothing.
    Nothing,
    /// Deaths by a signal, and the signals that they refer to.
    Deaths,
    /// All but what users had killed of their own beyond their share.
    Shares,
    /// All ends, and these signals.
    Ends,
}

impl Reader {
    /// Waits until a recorder that runs has written all that happened before this time. False: it has not, in some seconds.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn settle(&self, time: i64) -> Result<bool, StoreError> {
        let began = Instant::now();
        loop {
            // to open it is to ask (`questions.rs`)
            let last: Option<(i64, Option<i64>)> = self
                .connect()?
                .query_row("SELECT seen, ended FROM run ORDER BY run DESC LIMIT 1", [], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?;
            match last {
                Some((seen, None)) if seen < time && has_recorder(self.directory()) != Some(false) => {}
                _ => return Ok(true),
            }
            if began.elapsed() >= SETTLE_WITHIN {
                return Ok(false);
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// What was recorded of a range, and what was not.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn coverage(&self, range: Range<i64>) -> Result<Coverage, StoreError> {
        let connection = self.connect()?;
        let now = utc_now() as i64;
        let range = range.start..range.end.min(now);
        let runs = runs(&connection)?;
        let has_recorder = has_recorder(self.directory());
        let (spans, gaps) = spans_and_gaps(&runs, &range, now, has_recorder);
        let mut coverage = Coverage { spans, gaps, ..Coverage::default() };
        for span in &coverage.spans {
            coverage.hides_by_default |= !span.shows_all;
            if !coverage.filters.contains(&span.filters) {
                coverage.filters.push(span.filters.clone());
            }
        }
        notes(&connection, &range, &mut coverage)?;
        coverage.forgotten = forgotten(&connection, &range)?;
        Ok(coverage)
    }
}

#[derive(Debug, Clone)]
struct RunRow {
    run: i64,
    boot: String,
    version: String,
    filters: String,
    shows_all: bool,
    began: i64,
    seen: i64,
    ended: Option<i64>,
    reason: Option<String>,
}

fn runs(connection: &Connection) -> rusqlite::Result<Vec<RunRow>> {
    let mut statement = connection.prepare(
        "SELECT run, boot, version, filters, kept, began, seen, ended, reason FROM run ORDER BY run",
    )?;
    let rows = statement.query_map([], |row| {
        let (filters, kept): (String, String) = (row.get(3)?, row.get(4)?);
        let others = filters.strip_prefix(SHOWS_ALL).filter(|rest| rest.is_empty() || rest.starts_with(' '));
        let shows_all = others.is_some();
        let filters = others.map_or(filters.clone(), |others| others.trim_start().to_owned());
        let filters = match (kept.as_str(), filters.is_empty()) {
            ("all", _) => filters,
            (kept, true) => format!("--keep {kept}"),
            (kept, false) => format!("{filters} --keep {kept}"),
        };
        Ok(RunRow {
            run: row.get(0)?,
            boot: row.get(1)?,
            version: row.get(2)?,
            filters,
            shows_all,
            began: row.get(5)?,
            seen: row.get(6)?,
            ended: row.get(7)?,
            reason: row.get(8)?,
        })
    })?;
    rows.collect()
}

/// The last run is still going on if it was seen this long ago; where this user may not look who has the lock.
const STALE: Duration = Duration::from_secs(2 * HEARTBEAT.as_secs() + 1);

/// How long a recorder is waited for that has to write what happened up to now.
const SETTLE_WITHIN: Duration = Duration::from_secs(3);
/// It is looked at so often meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(20);

fn spans_and_gaps(
    runs: &[RunRow],
    range: &Range<i64>,
    now: i64,
    has_recorder: Option<bool>,
) -> (Vec<Span>, Vec<Gap>) {
    let (mut spans, mut gaps) = (Vec::new(), Vec::new());
    let mut gap = |since: i64, until: i64, cause| {
        let (since, until) = (since.max(range.start), until.min(range.end));
        if since < until {
            gaps.push(Gap { since, until, cause });
        }
    };
    let Some(first) = runs.first() else {
        gap(range.start, range.end, GapCause::BeforeFirst);
        return (spans, gaps);
    };
    gap(range.start, first.began, GapCause::BeforeFirst);
    for (place, run) in runs.iter().enumerate() {
        let next = runs.get(place + 1);
        let is_stale = now.saturating_sub(run.seen) >= STALE.as_nanos() as i64;
        let is_open = next.is_none() && run.ended.is_none() && has_recorder.unwrap_or(!is_stale);
        let end = run.ended.unwrap_or(run.seen);
        let (since, until) = (run.began.max(range.start), end.min(range.end));
        // one that has just begun is there, with its filters
        if since < until || (is_open && since == until) {
            let RunRow { run, boot, version, filters, shows_all, .. } = run.clone();
            spans.push(Span { since, until, run, boot, version, filters, shows_all, is_open });
        }
        // what is not written yet is no gap, as long as it comes in time
        if is_open && !is_stale {
            continue;
        }
        let cause = match (&run.reason, next) {
            (Some(reason), _) if run.ended.is_some() => GapCause::Stopped(reason.clone()),
            _ if is_open => GapCause::NotWritten,
            (_, Some(next)) if next.boot != run.boot => GapCause::Rebooted,
            _ => GapCause::Killed,
        };
        gap(end, next.map_or(i64::MAX, |next| next.began), cause);
    }
    (spans, gaps)
}

fn notes(connection: &Connection, range: &Range<i64>, coverage: &mut Coverage) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(
        "SELECT kind, since, until, count, detail FROM note WHERE until >= ? AND since < ? ORDER BY since",
    )?;
    let mut rows = statement.query(params![range.start, range.end])?;
    while let Some(row) = rows.next()? {
        let (kind, since, until): (String, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (count, detail) = (row.get(3)?, row.get(4)?);
        match NoteKind::named(&kind) {
            Some(NoteKind::Loss | NoteKind::Unwritten) => {
                coverage.losses.push(Loss { since, until, count, cause: detail });
            }
            Some(kind) => coverage.notes.push(Note { since, until, kind, detail }),
            None => {}
        }
    }
    Ok(())
}

/// Each class is forgotten from the oldest on: what is left less of lies before what is left more of.
fn forgotten(connection: &Connection, range: &Range<i64>) -> rusqlite::Result<Vec<Forgotten>> {
    let mut statement =
        connection.prepare("SELECT since, until FROM forgotten WHERE keep = ? AND events > 0")?;
    let mut all = Vec::new();
    let (mut begin, mut begin_of_deaths) = (i64::MIN, i64::MIN);
    for (class, left) in
        [(keep::DEATHS, Left::Nothing), (keep::ENDS, Left::Deaths), (keep::PLAIN, Left::Ends)]
    {
        let mut rows = statement.query([class])?;
        let Some(row) = rows.next()? else { continue };
        let (since, until): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (from, to) = (since.max(begin).max(range.start), until.saturating_add(1).min(range.end));
        if from < to {
            all.push(Forgotten { since: from, until: to, left });
        }
        if class == keep::DEATHS {
            begin_of_deaths = until.saturating_add(1);
        }
        begin = begin.max(until.saturating_add(1));
    }
    let mut rows = statement.query([keep::SURPLUS])?;
    if let Some(row) = rows.next()? {
        let (since, until): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (from, to) =
            (since.max(begin_of_deaths).max(range.start), until.saturating_add(1).min(range.end));
        if from < to {
            all.push(Forgotten { since: from, until: to, left: Left::Shares });
        }
    }
    Ok(all)
}
