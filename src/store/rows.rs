//! Which rows a query still has to look at, and the next of them.
//!
//! Processes are named by subjects, and each epoch has its own: a window of epochs is a range of rows and of subjects. Where many
//! events fit, the first few are in the first windows; where none does, the windows soon are large.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::error::StoreError;
use super::lines::{BYTES_AT_ONCE, COLUMNS, Lines};
use super::query::{Order, Query, Window};
use super::reader::StoredEvent;

/// Events of one statement.
pub(super) const EVENTS_AT_ONCE: usize = 64;

/// Rows that are looked up at once, where processes are named.
const ROWS_AT_ONCE: usize = 65_536;

/// Epochs of the largest window.
const LARGEST: usize = 64;

/// The rows that are left to be looked at.
#[derive(Debug)]
pub(super) struct Rows {
    first: i64,
    last: i64,
    /// Of the next window.
    epochs: usize,
    window: Option<Window>,
}

impl Rows {
    /// Epochs say where a time is: events are nearly in the order of time.
    pub(super) fn of(connection: &Connection, query: &Query) -> Result<Self, StoreError> {
        let mut rows = Self {
            first: query.after_row.map_or(0, |row| row.saturating_add(1)),
            last: query.before_row.map_or(i64::MAX, |row| row - 1),
            epochs: 1,
            window: None,
        };
        if let Some(since) = query.since {
            let first: Option<i64> = connection
                .query_row("SELECT min(first_row) FROM epoch WHERE until >= ?", [since], |row| row.get(0))
                .optional()?
                .flatten();
            rows.first = rows.first.max(first.unwrap_or(i64::MAX));
        }
        if let Some(until) = query.until {
            let behind: Option<i64> = connection
                .query_row(
                    "SELECT min(first_row) FROM epoch WHERE epoch > (SELECT max(epoch) FROM epoch WHERE since < ?)",
                    [until],
                    |row| row.get(0),
                )
                .optional()?
                .flatten();
            rows.last = rows.last.min(behind.map_or(i64::MAX, |row| row - 1));
        }
        Ok(rows)
    }

    fn is_over(&self) -> bool {
        self.first > self.last || self.first == i64::MAX
    }

    fn pass(&mut self, row: i64, order: Order) {
        match order {
            Order::OldestFirst => self.first = row.saturating_add(1),
            Order::NewestFirst => self.last = row - 1,
        }
    }

    /// The next events, where most that are looked at fit.
    pub(super) fn events(
        &mut self,
        connection: &Connection,
        query: &Query,
        order: Order,
        lines: &mut Lines,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        if self.is_over() {
            return Ok(Vec::new());
        }
        let condition = query.condition(None);
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM event e NOT INDEXED WHERE e.row >= ? AND e.row <= ? AND {} ORDER BY e.row {} LIMIT {EVENTS_AT_ONCE}",
            condition.sql(),
            direction(order)
        ))?;
        let values = [Value::Integer(self.first), Value::Integer(self.last)];
        let values = values.into_iter().chain(condition.values);
        let mut rows = statement.query(params_from_iter(values))?;
        let (mut events, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let event = lines.event(connection, row)?;
            bytes += event.json.len();
            events.push(event);
            if bytes >= BYTES_AT_ONCE {
                break;
            }
        }
        if let Some(last) = events.last() {
            self.pass(last.row, order);
        }
        Ok(events)
    }

    /// The next rows that fit, where there are few, which an index has. None is left if there are none.
    pub(super) fn numbers(
        &mut self,
        connection: &Connection,
        query: &Query,
        order: Order,
    ) -> Result<Vec<i64>, StoreError> {
        // of requests there is one index, of all epochs
        if self.window.is_none() && query.wants_requests() {
            self.window = Some(Window { rows: (0, i64::MAX), subjects: (0, i64::MAX) });
        }
        while let Some(window) = self.window(connection, order)? {
            let most = query.limit.map_or(ROWS_AT_ONCE, |limit| ROWS_AT_ONCE.min(limit as usize)).max(1);
            let rows = numbers_within(window, (self.first, self.last), most, connection, query, order)?;
            if rows.len() == most {
                // there may be more in this window
                self.pass(rows[most - 1], order);
            } else {
                self.window = None;
                self.pass(if order == Order::OldestFirst { window.rows.1 } else { window.rows.0 }, order);
            }
            if !rows.is_empty() {
                return Ok(rows);
            }
        }
        Ok(Vec::new())
    }

    /// The window that is looked at, or the next: each is twice as large as the one before.
    fn window(&mut self, connection: &Connection, order: Order) -> Result<Option<Window>, StoreError> {
        if self.is_over() {
            return Ok(None);
        }
        if self.window.is_none() {
            self.window = Some(match order {
                Order::OldestFirst => next_window(connection, self.first, self.epochs)?,
                Order::NewestFirst => window_before(connection, self.last, self.epochs)?,
            });
            self.epochs = (self.epochs * 2).min(LARGEST);
        }
        Ok(self.window)
    }
}

/// The epochs that begin with the one of this row.
fn next_window(connection: &Connection, row: i64, epochs: usize) -> Result<Window, StoreError> {
    let (first, subject) =
        start(connection, "first_row <= ?1 ORDER BY epoch DESC LIMIT 1", row)?.unwrap_or((0, 0));
    let behind = format!("first_row > ?1 ORDER BY epoch LIMIT 1 OFFSET {}", epochs - 1);
    let (end, end_subject) = start(connection, &behind, row)?.unwrap_or((i64::MAX, i64::MAX));
    Ok(Window { rows: (first, before(end)), subjects: (subject, end_subject) })
}

/// The row before it; behind the last epoch there is none.
fn before(end: i64) -> i64 {
    if end == i64::MAX { end } else { end - 1 }
}

/// The epochs that end with the one of this row.
fn window_before(connection: &Connection, row: i64, epochs: usize) -> Result<Window, StoreError> {
    let begin = format!("first_row <= ?1 ORDER BY epoch DESC LIMIT 1 OFFSET {}", epochs - 1);
    let (first, subject) = start(connection, &begin, row)?.unwrap_or((0, 0));
    let (end, end_subject) =
        start(connection, "first_row > ?1 ORDER BY epoch LIMIT 1", row)?.unwrap_or((i64::MAX, i64::MAX));
    Ok(Window { rows: (first, before(end)), subjects: (subject, end_subject) })
}

/// The first row and the first subject of an epoch.
fn start(connection: &Connection, which: &str, row: i64) -> Result<Option<(i64, i64)>, StoreError> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT first_row, first_subject FROM epoch WHERE {which}"))?;
    Ok(statement.query_row([row], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
}

/// Rows of a window that fit.
fn numbers_within(
    window: Window,
    (first, last): (i64, i64),
    most: usize,
    connection: &Connection,
    query: &Query,
    order: Order,
) -> Result<Vec<i64>, StoreError> {
    let mut condition = query.condition(Some(window));
    let by_deaths = query.is_death && query.by.is_empty() && query.either.is_empty();
    let index = if by_deaths { "INDEXED BY event_death" } else { "" };
    if by_deaths && query.target.is_empty() {
        let (begin, end) = window.subjects;
        condition.add(format!("e.target_subject >= {begin} AND e.target_subject < {end}"), []);
    }
    let mut statement = connection.prepare(&format!(
        "SELECT e.row FROM event e {index} WHERE +e.row >= ? AND +e.row <= ? AND {} ORDER BY +e.row {} LIMIT {most}",
        condition.sql(),
        direction(order)
    ))?;
    let values = [first.max(window.rows.0), last.min(window.rows.1)].map(Value::Integer);
    let values = values.into_iter().chain(condition.values);
    let rows = statement.query_map(params_from_iter(values), |row| row.get(0))?;
    Ok(rows.collect::<Result<Vec<i64>, _>>()?)
}

fn direction(order: Order) -> &'static str {
    match order {
        Order::OldestFirst => "ASC",
        Order::NewestFirst => "DESC",
    }
}
