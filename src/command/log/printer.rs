//! Prints events of the past as a trace printed them: folded, joined with their ends, in any format; and between them what was
//! not recorded.
//!
//! Nothing is ever dropped here: a reader that is slow is waited for.

use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::super::past::Sink;
use crate::output::FormatKind;
use crate::output::deliver::ledger::{Counts, Stake};
use crate::output::ends::Ends;
use crate::output::fold::Fold;
use crate::output::format::Format;
use crate::output::format::document::Document;
use crate::output::format::screen::{Line, Paint, Screen};
use crate::output::left_out_for_eyes::LeftOut;
use crate::past::coverage::cause;
use crate::past::walk::PastEvent;
use crate::past::words::{count, range};
use crate::store::Coverage;

/// So much is collected before it is handed over.
const CHUNK: usize = 64 << 10;

/// Lines that say what was not recorded, each at its time.
#[derive(Debug, Default)]
pub(super) struct Markers(VecDeque<(i64, Vec<u8>)>);

impl Markers {
    /// What of this was not recorded.
    pub(super) fn of(coverage: &Coverage, screen: Screen) -> Self {
        let mut markers = Vec::new();
        let mut add = |time: i64, text: String| {
            let mut line = Vec::new();
            Line::new(screen, screen.columns()).add(Paint::Fatal, &screen.safe(&text)).finish(&mut line);
            markers.push((time, line));
        };
        for gap in &coverage.gaps {
            let range = range(gap.since, gap.until, screen.zone);
            add(gap.since, format!("-- not recorded: {range} ({}) --", cause(&gap.cause)));
        }
        for loss in &coverage.losses {
            let range = range(loss.since, loss.until, screen.zone);
            add(loss.until, format!("-- {} lost: {range} ({}) --", count(loss.count, "event"), loss.cause));
        }
        markers.sort();
        Self(markers.into())
    }

    /// Those of before are not printed.
    pub(super) fn skip_before(&mut self, time: i64) {
        self.0.retain(|(of, _)| *of >= time);
    }

    fn until(&mut self, time: i64, out: &mut Vec<u8>) {
        while self.0.front().is_some_and(|(of, _)| *of <= time) {
            out.extend(self.0.pop_front().map(|(_, line)| line).unwrap_or_default());
        }
    }
}

/// Prints events in one format.
#[derive(Debug)]
pub(super) struct Printer {
    sink: Sink,
    format: Box<dyn Format>,
    fold: Option<Fold>,
    ends: Option<Ends>,
    pub(super) left_out: LeftOut,
    pub(super) markers: Markers,
    /// The oldest comes first: floods are folded, and ends joined to their signals.
    pub(super) is_in_order: bool,
    /// The line that was recorded is the line that is printed.
    pub(super) is_raw: bool,
    buffer: Vec<u8>,
    /// The time of the first event, and the instant that stands for it: folding and joining count time by events.
    began: Option<(i64, Instant)>,
    now: Instant,
}

impl Printer {
    pub(super) fn new(sink: Sink, format: Box<dyn Format>, kind: FormatKind) -> Self {
        Self {
            sink,
            format,
            fold: (!kind.is_for_programs).then(Fold::default),
            ends: kind.joins_ends.then(Ends::default),
            left_out: LeftOut::default(),
            markers: Markers::default(),
            is_in_order: true,
            is_raw: false,
            buffer: Vec::new(),
            began: None,
            now: Instant::now(),
        }
    }

    /// Takes an event. False: nobody reads any more.
    pub(super) fn print(&mut self, event: &PastEvent) -> io::Result<bool> {
        if self.is_raw {
            self.buffer.extend_from_slice(event.json.as_bytes());
            self.buffer.push(b'\n');
            return self.send(CHUNK);
        }
        if self.left_out.is_on() && self.left_out.leaves_out(&event.document) {
            return Ok(true);
        }
        let now = self.instant_of(event.time);
        self.release(now, false);
        if !self.is_in_order {
            self.write(&event.document);
            return self.send(CHUNK);
        }
        // what waits for its end comes before a gap
        if self.markers.0.front().is_some_and(|(time, _)| *time <= event.time) {
            self.release(now, true);
            self.markers.until(event.time, &mut self.buffer);
        }
        let document = Rc::new(event.document.clone());
        let mut is_printed_now = true;
        if let Some(fold) = &mut self.fold {
            let (is_now, before) = fold.take(&document, Counts::default(), now);
            is_printed_now = is_now;
            for (folded, _) in before {
                self.join(Rc::new(folded), now);
            }
        }
        if is_printed_now {
            self.join(document, now);
        }
        self.send(CHUNK)
    }

    /// Prints what is due by the clock, of what is followed. False: nobody reads any more.
    pub(super) fn unfold(&mut self) -> io::Result<bool> {
        // nothing more of these moments comes
        self.now += Duration::from_millis(200);
        self.release(self.now, false);
        Ok(self.send(1)? && self.sink.flush()?)
    }

    /// Prints what waits, and waits for the reader.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.release(self.now, true);
        self.markers.until(i64::MAX, &mut self.buffer);
        self.send(0)?;
        self.sink.finish()
    }

    /// Time never goes back here, also where a clock was set.
    fn instant_of(&mut self, time: i64) -> Instant {
        let (first, began) = *self.began.get_or_insert((time, self.now));
        let since = Duration::from_nanos(u64::try_from(time.saturating_sub(first)).unwrap_or(0));
        self.now = began.checked_add(since).unwrap_or(self.now).max(self.now);
        self.now
    }

    fn release(&mut self, now: Instant, all: bool) {
        let folded = self.fold.as_mut().map(|fold| fold.due(now, all)).unwrap_or_default();
        for (document, _) in folded {
            self.join(Rc::new(document), now);
        }
        let due = self.ends.as_mut().map(|ends| ends.due(now, all)).unwrap_or_default();
        for (document, _) in due {
            self.write(&document);
        }
    }

    fn join(&mut self, document: Rc<Document>, now: Instant) {
        match &mut self.ends {
            Some(ends) => {
                for (document, _) in ends.take(document, Stake::default(), now) {
                    self.write(&document);
                }
            }
            None => self.write(&document),
        }
    }

    fn write(&mut self, document: &Document) {
        document.write_to(&mut *self.format);
        self.format.finish(&mut self.buffer);
    }

    fn send(&mut self, least: usize) -> io::Result<bool> {
        if self.buffer.len() < least.max(1) {
            return Ok(true);
        }
        let is_read = self.sink.write(&self.buffer)?;
        self.buffer.clear();
        Ok(is_read)
    }
}
