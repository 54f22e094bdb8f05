//! Puts events together again from their rows. The view of the database does the same in SQL, and copies a process once for each of
//! its ancestors there: of long command lines an answer would cost minutes.
//!
//! What events share is kept for those that come next: a number is never given twice. A store may be somebody else's: what has no end, or
//! is longer than any line, is no event.

use std::rc::Rc;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row};
use rustc_hash::FxHashMap;

use super::reader::StoredEvent;
use super::shape::{Piece, Pieces, mark, push_number, push_time};

/// Columns of an event `e`, as [`Lines::event`] reads them.
pub(super) const COLUMNS: &str = "e.row, e.time, e.run, e.id, e.template, e.source, e.target, e.ancestor, e.summary, e.source_title, e.source_state, e.target_title, e.target_state, e.detail, e.detail_2";

/// Bytes of lines of one statement, about: a state of the store is held for no longer than it takes to put them together.
pub(super) const BYTES_AT_ONCE: usize = 1 << 20;

/// Bytes of a line: the writer takes none that is longer.
const LONGEST: usize = 16 << 20;
/// Nobody has more ancestors.
const DEEPEST: usize = 128;
/// Bytes of texts that are kept.
const KEPT: usize = 8 << 20;

/// What events refer to.
#[derive(Debug, Default)]
pub(super) struct Lines {
    phrases: FxHashMap<i64, Rc<str>>,
    images: FxHashMap<i64, (Rc<str>, Option<i64>)>,
    bytes: usize,
}

/// The columns of an event that are put into its template.
struct Columns {
    time: i64,
    id: Option<u64>,
    sides: [Option<i64>; 2],
    ancestor: Option<u64>,
    /// Summary, title and state of both sides, details.
    texts: [Value; 7],
}

const SUMMARY: usize = 0;
const TITLES: [usize; 2] = [1, 3];
const STATES: [usize; 2] = [2, 4];
const DETAILS: [usize; 2] = [5, 6];

impl Lines {
    /// The event of a row with [`COLUMNS`]; of one that cannot be put together the line is empty.
    pub(super) fn event(&mut self, connection: &Connection, row: &Row<'_>) -> rusqlite::Result<StoredEvent> {
        // whatever type somebody gave it
        let integer = |place: usize| match row.get_ref(place) {
            Ok(ValueRef::Integer(number)) => Some(number),
            _ => None,
        };
        let natural = |place: usize| integer(place).and_then(|number| u64::try_from(number).ok());
        let text = |place: usize| row.get::<_, Value>(8 + place).unwrap_or(Value::Null);
        let columns = Columns {
            time: row.get(1)?,
            id: natural(3),
            sides: [integer(5), integer(6)],
            ancestor: natural(7),
            texts: [0, 1, 2, 3, 4, 5, 6].map(text),
        };
        if self.bytes > KEPT {
            *self = Self::default();
        }
        let mut json = String::with_capacity(2048);
        let is_whole = match integer(4) {
            Some(template) => self.put_together(connection, template, &columns, &mut json)?,
            None => false,
        };
        if !is_whole {
            json.clear();
        }
        Ok(StoredEvent { row: row.get(0)?, time: columns.time, run: row.get(2)?, json })
    }

    /// False: it cannot be.
    fn put_together(
        &mut self,
        connection: &Connection,
        template: i64,
        columns: &Columns,
        out: &mut String,
    ) -> rusqlite::Result<bool> {
        let Some(template) = self.phrase(connection, template)? else { return Ok(false) };
        for piece in Pieces(&template) {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Mark(mark::TIME) => push_time(columns.time, out),
                Piece::Mark(mark::ID) => push_number(columns.id, out),
                Piece::Mark(mark::ANCESTOR) => push_number(columns.ancestor, out),
                Piece::Mark(mark::SUMMARY) => self.push_text(connection, &columns.texts[SUMMARY], out)?,
                Piece::Mark(mark::DETAIL) => self.push_text(connection, &columns.texts[DETAILS[0]], out)?,
                Piece::Mark(mark::DETAIL_2) => self.push_text(connection, &columns.texts[DETAILS[1]], out)?,
                Piece::Mark(which) => {
                    let side = usize::from(which != mark::SOURCE);
                    let Some(image) = columns.sides[side] else { continue };
                    let of_moment = [&columns.texts[TITLES[side]], &columns.texts[STATES[side]]];
                    if !self.push_image(connection, image, Some(of_moment), 0, out)? {
                        return Ok(false);
                    }
                }
            }
            if out.len() > LONGEST {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A process with its parents.
    fn push_image(
        &mut self,
        connection: &Connection,
        number: i64,
        of_moment: Option<[&Value; 2]>,
        depth: usize,
        out: &mut String,
    ) -> rusqlite::Result<bool> {
        let Some((body, parent)) = self.image(connection, number)? else { return Ok(false) };
        for piece in Pieces(&body) {
            match (piece, of_moment) {
                (Piece::Text(text), _) => out.push_str(text),
                (Piece::Mark(mark::TITLE), Some([title, _])) => self.push_text(connection, title, out)?,
                (Piece::Mark(mark::STATE), Some([_, state])) => self.push_text(connection, state, out)?,
                (Piece::Mark(mark::PARENT), _) => {
                    let Some(parent) = parent.filter(|_| depth < DEEPEST && out.len() <= LONGEST) else {
                        return Ok(false);
                    };
                    if !self.push_image(connection, parent, None, depth + 1, out)? {
                        return Ok(false);
                    }
                }
                (Piece::Mark(_), _) => {}
            }
            if out.len() > LONGEST {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A text, or the number of a phrase.
    fn push_text(&mut self, connection: &Connection, text: &Value, out: &mut String) -> rusqlite::Result<()> {
        match text {
            Value::Text(text) => out.push_str(text),
            Value::Integer(number) => {
                if let Some(phrase) = self.phrase(connection, *number)? {
                    out.push_str(&phrase);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn phrase(&mut self, connection: &Connection, number: i64) -> rusqlite::Result<Option<Rc<str>>> {
        if let Some(known) = self.phrases.get(&number) {
            return Ok(Some(Rc::clone(known)));
        }
        let mut statement = connection.prepare_cached("SELECT body FROM phrase WHERE phrase = ?")?;
        let body = statement.query_row([number], |row| Ok(text_of(row, 0))).optional()?.flatten();
        let Some(body) = body else { return Ok(None) };
        self.bytes += body.len() + 64;
        self.phrases.insert(number, Rc::clone(&body));
        Ok(Some(body))
    }

    fn image(
        &mut self,
        connection: &Connection,
        number: i64,
    ) -> rusqlite::Result<Option<(Rc<str>, Option<i64>)>> {
        if let Some(known) = self.images.get(&number) {
            return Ok(Some(known.clone()));
        }
        let mut statement = connection.prepare_cached("SELECT body, parent FROM image WHERE image = ?")?;
        let image = statement
            .query_row([number], |row| Ok((text_of(row, 0), row.get::<_, Option<i64>>(1).unwrap_or(None))))
            .optional()?;
        let Some((Some(body), parent)) = image else { return Ok(None) };
        self.bytes += body.len() + 64;
        self.images.insert(number, (Rc::clone(&body), parent));
        Ok(Some((body, parent)))
    }
}

fn text_of(row: &Row<'_>, place: usize) -> Option<Rc<str>> {
    row.get_ref(place).ok()?.as_str().ok().map(Rc::from)
}
