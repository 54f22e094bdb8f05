//! The story of an end: which control commands named it before, the signals to it in their order, the end, and what followed.
//!
//! It holds events and counts, never a conclusion: a command that came before is not the reason, it came before.

mod follow;
mod request;
mod text;

use std::ops::Range;

pub use self::follow::After;
pub use self::request::{Link, Request, mentions, words as request_words};
pub use self::text::{facts, followed, headline, wrapped, write};
use super::search::Search;
use super::walk::{Found, PastEvent, Walk, collect, find_some};
use crate::event::header::EventKind;
use crate::output::format::document::Document;
use crate::store::{Coverage, Kind, Order, Query, Reader, StoreError, Who};

const SECOND: i64 = 1_000_000_000;
/// A signal that came longer before an end is another story, unless the end names it.
const BEFORE: i64 = 3600 * SECOND;
/// So many signals are shown, the last.
const SIGNALS: usize = 20;
/// So many are looked at.
const LOOKED_AT: usize = 2000;
/// An end may come behind ends that are older than it by this: those are looked at for the same story.
const END_WITHIN: i64 = 5 * SECOND;

/// How a process ended, and what is known around it.
#[derive(Debug)]
pub struct Story {
    /// The end; of a process whose end was not recorded, the signal that was about to end it.
    pub end: PastEvent,
    /// Commands that named it before.
    pub requests: Vec<Request>,
    /// Further ones that are not shown.
    pub more_requests: usize,
    /// Signals to it, the oldest first.
    pub signals: Vec<PastEvent>,
    /// Signals of the time before these that are not shown.
    pub earlier: usize,
    /// There may be more.
    pub earlier_is_least: bool,
    /// What followed.
    pub after: After,
    /// Others that the same sender signalled at the same time.
    pub siblings: Option<Found>,
    /// What was recorded from the beginning of the story to now.
    pub coverage: Coverage,
}

/// The newest end that fits: of a process that a signal ended, or that ended behind one.
///
/// # Errors
/// If the store cannot be read.
pub fn newest_end(reader: &Reader, search: &Search) -> Result<Option<PastEvent>, StoreError> {
    let mut newest: Option<PastEvent> = None;
    let mut walk = Walk::new(search);
    // ends name no sender: of one those are found that come of its signals
    let kinds = if search.looks_up_ends() { Vec::new() } else { vec![Kind::Ended] };
    walk.newest(reader, &Query { kinds, ..search.query() }, |event| {
        let is_end = event.document.header().is_end_of_process();
        if is_end {
            newest = Some(event);
        }
        is_end
    })?;
    // an end that was lost leaves the signal that it came of
    let row = newest.as_ref().map(|end| end.row);
    let mut fatal: Option<PastEvent> = None;
    let signals = Query { kinds: vec![Kind::Signal], is_fatal: true, after_row: row, ..search.query() };
    walk.newest(reader, &signals, |event| {
        let is_fatal = event.document.header().is_fatal;
        if is_fatal {
            fatal = Some(event);
        }
        is_fatal
    })?;
    let Some(fatal) = fatal else { return Ok(newest) };
    let end = end_of(reader, &fatal)?;
    Ok(Some(match (newest, end) {
        // its end is there, and does not fit itself: it was asked for by the signal
        (None, Some(end)) => end,
        (Some(newest), Some(end)) if end.row > newest.row => end,
        (Some(newest), Some(_)) => newest,
        (_, None) => fatal,
    }))
}

/// The end of the target of a signal.
fn end_of(reader: &Reader, signal: &PastEvent) -> Result<Option<PastEvent>, StoreError> {
    let Some(key) = key_of(&signal.document) else { return Ok(None) };
    let query = Query { after_row: Some(signal.row), ..of_target(key, Kind::Ended) };
    let found =
        collect(reader, &query, Order::OldestFirst, 1, |end| end.document.header().is_end_of_process())?;
    Ok(found.into_iter().next())
}

fn of_target(key: &str, kind: Kind) -> Query {
    Query { kinds: vec![kind], target: vec![Who::Key(key.to_owned())], ..Query::default() }
}

fn key_of(document: &Document) -> Option<&str> {
    document.text_at("target.key")
}

impl Story {
    /// The story of an end.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn of(reader: &Reader, end: PastEvent, now: i64) -> Result<Self, StoreError> {
        let (signals, earlier, earlier_is_least) = signals_before(reader, &end)?;
        let first = signals.first().map_or(end.time, |signal| signal.time);
        let (requests, more_requests) = request::before(reader, &end, first)?;
        let begin = requests.iter().map(|request| request.event.time).fold(first, i64::min);
        let siblings = follow::siblings(reader, signals.last())?;
        let after = follow::after(reader, &end, first)?;
        let coverage = reader.coverage(begin..now.max(end.time + 1))?;
        Ok(Self {
            end,
            requests,
            more_requests,
            signals,
            earlier,
            earlier_is_least,
            after,
            siblings,
            coverage,
        })
    }

    /// From its first event to its end.
    pub fn range(&self) -> Range<i64> {
        let first = self.events().next().map_or(self.end.time, |event| event.time);
        first..self.end.time + 1
    }

    /// Its events, the oldest first; the end comes last.
    pub fn events(&self) -> impl Iterator<Item = &PastEvent> {
        let mut events: Vec<&PastEvent> =
            self.requests.iter().map(|request| &request.event).chain(&self.signals).collect();
        events.sort_by_key(|event| (event.time, event.row));
        let is_there = self.signals.iter().any(|signal| signal.row == self.end.row);
        events.into_iter().chain((!is_there).then_some(&self.end))
    }

    /// The signal that the end names, if that is known.
    pub fn last_signal(&self) -> Option<&PastEvent> {
        let named = self.signals.iter().rev().find(|signal| signal.is_named_by(&self.end));
        named.or_else(|| self.signals.iter().rev().find(|signal| signal.row == self.end.row))
    }

    /// Was its end recorded?
    pub fn has_end(&self) -> bool {
        self.end.document.header().kind == EventKind::Ended
    }
}

/// The signals to the process that ended, and how many more there were.
fn signals_before(reader: &Reader, end: &PastEvent) -> Result<(Vec<PastEvent>, usize, bool), StoreError> {
    let Some(key) = key_of(&end.document) else { return Ok((Vec::new(), 0, false)) };
    let query = Query {
        before_row: Some(end.row + 1),
        since: Some(end.time - BEFORE),
        ..of_target(key, Kind::Signal)
    };
    // what is ignored by default and not handled says nothing of an end
    let matters = |event: &PastEvent| {
        event.document.header().signal.is_some_and(|signal| {
            !signal.is_ignored_by_default() || signal.number() == crate::event::numbers::CONT
        })
    };
    let found = find_some(reader, &query, Order::NewestFirst, (LOOKED_AT, SIGNALS), "", matters)?;
    let (mut signals, mut earlier) = (found.first, found.count.saturating_sub(SIGNALS));
    let after = end.document.header().after;
    // the one that the end names may be older
    if after.is_some() && !signals.iter().any(|signal| signal.is_named_by(end)) {
        let query = Query { before_row: Some(end.row + 1), ..of_target(key, Kind::Signal) };
        let named = collect(reader, &query, Order::NewestFirst, 1, |signal| signal.is_named_by(end))?;
        // it has the place of the oldest of the others
        if let Some(named) = named.into_iter().next() {
            if signals.len() >= SIGNALS {
                signals.pop();
            }
            earlier += usize::from(found.count > SIGNALS);
            signals.push(named);
        }
    }
    signals.reverse();
    Ok((signals, earlier, found.is_least))
}

#[cfg(test)]
mod tests;
