//! One output: its format, the lines that wait to be handed over, what is folded, and what waits for room.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::backlog::{Entry, Latest, Loss, set_repeats};
use super::batch::Batch;
use super::deliver::destination::Destination;
use super::deliver::destination_name::{DestinationName, MARK};
use super::deliver::ledger::{Counts, Fate, OutputSet, Stake};
use super::deliver::opener::Opener;
use super::deliver::writer::Writer;
use super::ends::Ends;
use super::fold::{Fold, FoldedLine};
use super::format::document::Document;
use super::format::line_template::{EventStamp, LineTemplate, RepeatsPlace};
use super::format::screen::{Screen, Width};
use super::format::{Format, FormatKind, View};
use super::max_line;
use super::pressure::{Pressure, Route};
use super::render;
use super::settings::{OutputSettings, Settings, Takes};
use crate::base::zone::Zone;
use crate::error::TraceError;
use crate::event::Event;
use crate::event::header::Header;

/// One output, open.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) kind: FormatKind,
    pub(super) takes: Takes,
    pub(super) format: Box<dyn Format>,
    pub(super) writer: Writer,
    pub(super) buffer: Vec<u8>,
    /// Its place among the outputs.
    place: usize,
    /// Events that lines in the buffer stand for.
    events: u64,
    pub(super) fold: Option<Fold>,
    /// What waits for its end, where the format joins them.
    pub(super) ends: Option<Ends>,
    pressure: Pressure,
    max_line: Option<usize>,
    /// A line that is not in the buffer.
    scratch: Vec<u8>,
}

/// What is to become of a buffer of this length is to be decided before it grows further.
const CHUNK: usize = 128 << 10;

impl Output {
    pub(super) fn open(
        settings: &OutputSettings,
        all: &Settings,
        opener: &Arc<Opener>,
        place: usize,
    ) -> Result<Self, TraceError> {
        let number =
            all.files().iter().position(|path| settings.destination == DestinationName::File(path.clone()));
        let destination = Destination::open(settings.destination.clone(), opener, number.unwrap_or_default())
            .map_err(|refusal| TraceError::Output { place: settings.destination.to_string(), refusal })?;
        let is_terminal = destination.is_terminal();
        let screen = Screen {
            has_colour: all.colour.is_on(is_terminal),
            is_ascii: all.is_ascii,
            width: match settings.destination {
                DestinationName::Stdout if is_terminal => Width::OfStdout,
                DestinationName::Stderr if is_terminal => Width::OfStderr,
                _ => Width::Unlimited,
            },
            zone: if settings.kind.is_for_programs { Zone::Utc } else { Zone::of_this_process() },
        };
        let fold = settings.folds.then(Fold::default);
        let rate = all.max_rate.bytes(destination.is_regular());
        Ok(Self {
            kind: settings.kind,
            takes: settings.takes,
            format: (settings.kind.open)(screen, &View { columns: all.fields.clone(), top: all.top }),
            writer: Writer::new(destination, place),
            buffer: Vec::new(),
            place,
            events: 0,
            fold,
            ends: settings.kind.joins_ends.then(Ends::default),
            pressure: Pressure::new(rate, Instant::now()),
            max_line: all.max_line,
            scratch: Vec::new(),
        })
    }

    /// Does each event wait here for others before it is known whether it has a line?
    pub(super) fn holds_events(&self) -> bool {
        self.fold.is_some() || self.ends.is_some()
    }

    /// When this event gets a line, if nothing else holds it.
    pub(super) fn route(&self, header: &Header) -> Route {
        if self.writer.is_dead() { Route::Never } else { self.pressure.route(header) }
    }

    /// Does what waits have to be looked through, although records are still coming?
    pub(super) fn is_due(&self) -> bool {
        self.pressure.is_due()
    }

    /// Takes an event, of which it is decided when it gets a line; counted so if no other output has one. With a template its line
    /// can be filled in again.
    pub(super) fn write_event(
        &mut self,
        event: &Event<'_>,
        (header, route): (&Header, Route),
        counts: Counts,
        keeps_template: bool,
        batch: &mut Batch,
    ) -> Option<LineTemplate> {
        if route == Route::Never && !keeps_template {
            self.lose(header, 1, counts, batch);
            return None;
        }
        if route == Route::Now {
            let begin = self.buffer.len();
            render::write_with(header, event, &mut *self.format);
            self.format.finish(&mut self.buffer);
            self.hold(header, begin, 1);
            let line = self.buffer.get(begin..).filter(|_| keeps_template)?;
            return LineTemplate::new(line, self.format.slots()?);
        }
        let mut line = std::mem::take(&mut self.scratch);
        line.clear();
        render::write_with(header, event, &mut *self.format);
        self.format.finish(&mut line);
        let slots = self.format.slots();
        let template = slots.filter(|_| keeps_template).and_then(|slots| LineTemplate::new(&line, slots));
        if route == Route::Never {
            self.lose(header, 1, counts, batch);
        } else {
            let latest = if let Some(slots) = slots {
                Latest::Line(line.clone(), RepeatsPlace::of(slots))
            } else {
                let mut document = Document::default();
                render::write_with(header, event, &mut document);
                Latest::Document(Rc::new(document))
            };
            self.defer(header, latest, || event.utc(), (1, counts), batch);
        }
        self.scratch = line;
        template
    }

    /// The same of one that fills a template.
    pub(super) fn write_again(
        &mut self,
        template: &Rc<LineTemplate>,
        (header, route): (&Header, Route),
        stamp: &EventStamp,
        counts: Counts,
        batch: &mut Batch,
    ) {
        match route {
            Route::Now => {
                let begin = self.buffer.len();
                template.fill(stamp, None, &mut self.buffer);
                self.hold(header, begin, 1);
            }
            Route::Later => {
                let latest = Latest::Template(Rc::clone(template), *stamp);
                self.defer(header, latest, || stamp.clock.utc(stamp.time), (1, counts), batch);
            }
            Route::Never => self.lose(header, 1, counts, batch),
        }
    }

    /// Prints an event, or has it wait for its end; prints what waited before it and need not any more.
    pub(super) fn write(&mut self, document: Rc<Document>, stake: Stake, now: Instant, batch: &mut Batch) {
        let Some(ends) = &mut self.ends else { return self.print(&document, stake, batch) };
        for (document, stake) in ends.take(document, stake, now) {
            self.print(&document, stake, batch);
        }
    }

    /// The same of lines that stand for others.
    pub(super) fn write_folded(&mut self, lines: Vec<FoldedLine>, now: Instant, batch: &mut Batch) {
        for (document, stake) in lines {
            self.write(Rc::new(document), stake, now, batch);
        }
    }

    fn print(&mut self, document: &Rc<Document>, stake: Stake, batch: &mut Batch) {
        self.print_by(self.route(document.header()), document, stake, batch);
    }

    /// The same of one of which it is decided when it gets a line.
    pub(super) fn print_by(
        &mut self,
        route: Route,
        document: &Rc<Document>,
        stake: Stake,
        batch: &mut Batch,
    ) {
        let header = document.header();
        let repeated =
            document.number_at("repeated").and_then(|count| u64::try_from(count).ok()).unwrap_or(1);
        match route {
            Route::Now => {
                let begin = self.buffer.len();
                self.render(document);
                self.hold(header, begin, repeated);
                batch.add(OutputSet::of(self.place), stake);
            }
            Route::Later => {
                let time = || document.text_at("firstTime").or(document.text_at("time")).unwrap_or_default();
                let latest = Latest::Document(Rc::clone(document));
                self.defer(header, latest, || time().to_owned(), (repeated, stake.total()), batch);
            }
            Route::Never => self.lose(header, repeated, stake.total(), batch),
        }
    }

    fn render(&mut self, document: &Document) {
        match self.max_line {
            // what is drawn for eyes is cut by the screen
            Some(most) if self.kind.is_for_programs => {
                max_line::write(document, &mut *self.format, most, &mut self.buffer);
            }
            _ => {
                document.write_to(&mut *self.format);
                self.format.finish(&mut self.buffer);
            }
        }
    }

    /// A line that stands for so many events is in the buffer, from there on.
    fn hold(&mut self, header: &Header, begin: usize, events: u64) {
        self.pressure.hold(header.author.class(), self.buffer.len() - begin);
        self.events += events;
    }

    fn defer(
        &mut self,
        header: &Header,
        latest: Latest,
        first_time: impl FnOnce() -> String,
        events: (u64, Counts),
        batch: &mut Batch,
    ) {
        let lost = self.pressure.defer(header, latest, first_time, events);
        if !lost.is_empty() {
            let is_rate_limited = self.pressure.is_rate_limited(header);
            for loss in lost {
                self.writer.refuse(loss.lines, is_rate_limited);
                batch.lose(&loss);
            }
        }
    }

    fn lose(&mut self, header: &Header, lines: u64, counts: Counts, batch: &mut Batch) {
        self.pressure.note_loss();
        self.writer.refuse(lines, self.pressure.is_rate_limited(header));
        batch.lose(&Loss { author: header.author, lines, counts });
    }

    /// Prints what has waited for room, as far as there is some; at the end all of it. True: there is more that may be printed now.
    pub(super) fn print_backlog(&mut self, now: Instant, last: bool, batch: &mut Batch) -> bool {
        self.pressure.update(self.writer.done(), now);
        // ends wait for the signals to their process, which may come behind them
        let mut candidates = self.pressure.candidates(now, last);
        for _ in 0..2 {
            let mut left = Vec::new();
            for (key, header) in candidates {
                if self.buffer.len() >= CHUNK {
                    self.pressure.look_again();
                    return true;
                }
                match self.pressure.take(&key, &header, last) {
                    Some(entry) => self.print_entry(&entry, batch),
                    None if header.is_end_of_process() => left.push((key, header)),
                    None => {}
                }
            }
            candidates = left;
        }
        false
    }

    fn print_entry(&mut self, entry: &Entry, batch: &mut Batch) {
        let begin = self.buffer.len();
        let repeats = entry.repeats();
        match &entry.latest {
            Latest::Document(document) => match repeats {
                Some(repeats) => {
                    let mut document = Document::clone(document);
                    set_repeats(&mut document, repeats);
                    self.render(&document);
                }
                None => self.render(document),
            },
            Latest::Line(line, place) => match (place, repeats) {
                (Some(place), Some(repeats)) => place.fill(line, repeats, &mut self.buffer),
                _ => self.buffer.extend_from_slice(line),
            },
            Latest::Template(template, stamp) => template.fill(stamp, repeats, &mut self.buffer),
        }
        self.hold(&entry.header, begin, entry.repeated);
        batch.add(OutputSet::of(self.place), Stake::of(entry.counts));
    }

    /// Is it a store?
    pub(super) fn is_store(&self) -> bool {
        matches!(self.writer.name(), DestinationName::Store { .. })
    }

    /// Is it a store, and does nothing wait that happened before now?
    pub(super) fn can_be_marked(&self) -> bool {
        self.is_store() && !self.writer.is_dead() && self.next_due().is_none()
    }

    /// Says that all that happened before this time has been handed over.
    pub(super) fn mark(&mut self, time: i128) {
        self.buffer.extend_from_slice(MARK.as_bytes());
        self.buffer.extend_from_slice(itoa::Buffer::new().format(time).as_bytes());
        self.buffer.extend_from_slice(b"}\n");
    }

    /// Hands over what was made.
    pub(super) fn send(&mut self, fate: Arc<Fate>) {
        self.pressure.hand_over();
        self.writer.send(&mut self.buffer, std::mem::take(&mut self.events), fate);
    }

    /// Prints what is due of floods and of what waited for its end; at the end all of it.
    pub(super) fn unfold(&mut self, now: Instant, all: bool, batch: &mut Batch) {
        let due = self.fold.as_mut().map(|fold| fold.due(now, all)).unwrap_or_default();
        self.write_folded(due, now, batch);
        let due = self.ends.as_mut().map(|ends| ends.due(now, all)).unwrap_or_default();
        for (document, stake) in due {
            self.print(&document, stake, batch);
        }
    }

    /// When something that is folded or waits is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let folds = self.fold.as_ref().and_then(Fold::next);
        let ends = self.ends.as_ref().and_then(Ends::next);
        folds.into_iter().chain(ends).chain(self.pressure.next_due()).min()
    }
}
