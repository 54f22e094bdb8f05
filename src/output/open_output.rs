//! One output: its format, the lines that wait to be handed over, and what is folded.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::deliver::destination::{Destination, DestinationName};
use super::deliver::ledger::{Counts, Fate};
use super::deliver::opener::Opener;
use super::deliver::writer::Writer;
use super::ends::{self, Ends};
use super::fold::{self, Fold};
use super::format::document::Document;
use super::format::screen::{Screen, Width};
use super::format::{Format, FormatKind, View};
use super::max_line;
use super::settings::{OutputSettings, Settings};
use crate::base::zone::Zone;
use crate::error::TraceError;
use crate::event::header::EventKind;

/// One output, open.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) kind: FormatKind,
    pub(super) format: Box<dyn Format>,
    pub(super) writer: Writer,
    pub(super) buffer: Vec<u8>,
    /// Events in the buffer.
    pub(super) events: u64,
    /// There was no room when this buffer was begun: so many events are only counted.
    pub(super) refused: u64,
    pub(super) fold: Option<Fold>,
    /// What waits for its end, where the format joins them.
    pub(super) ends: Option<Ends>,
    /// Something was folded, or waits for its end, since lines were handed over last.
    pub(super) holds_back: bool,
    /// When what the writer holds was folded or began to wait, at the latest.
    held: VecDeque<Instant>,
}

impl Output {
    pub(super) fn open(
        settings: &OutputSettings,
        all: &Settings,
        opener: &Arc<Opener>,
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
        Ok(Self {
            kind: settings.kind,
            format: (settings.kind.open)(screen, &View { columns: all.fields.clone(), top: all.top }),
            writer: Writer::new(destination),
            buffer: Vec::new(),
            events: 0,
            refused: 0,
            fold,
            ends: settings.kind.joins_ends.then(Ends::default),
            holds_back: false,
            held: VecDeque::new(),
        })
    }

    /// One more event; is it to be formatted? That something was lost is always printed.
    pub(super) fn admit(&mut self, is_loss: bool) -> bool {
        if is_loss {
            self.events += 1;
            return true;
        }
        if self.refused > 0 || (self.events == 0 && self.writer.is_full()) {
            self.refused += 1;
            return false;
        }
        self.events += 1;
        true
    }

    /// Prints an event, or has it wait for its end; prints what waited before it and need not any more.
    pub(super) fn write(&mut self, document: Rc<Document>, now: Instant, most: Option<usize>) {
        let Some(ends) = &mut self.ends else { return self.print(&document, most) };
        let due = ends.take(document, now);
        self.holds_back |= ends.next().is_some();
        for document in due {
            self.print(&document, most);
        }
    }

    fn print(&mut self, document: &Document, most: Option<usize>) {
        if !self.admit(document.header().kind == EventKind::Lost) {
            return;
        }
        match most {
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

    /// Hands over what was made.
    pub(super) fn send(&mut self, fate: Arc<Fate>, now: Instant) {
        let events = std::mem::take(&mut self.events);
        let fate = match std::mem::take(&mut self.refused) {
            0 => fate,
            refused => {
                // what was admitted all the same is no signal
                let ledger = fate.ledger();
                self.writer.refuse(refused, &fate);
                Fate::new(Counts::default(), 1, ledger)
            }
        };
        let fate = if std::mem::take(&mut self.holds_back) {
            // what becomes of these events is not known before their lines are written
            let of_none = Fate::new(Counts::default(), 1, fate.ledger());
            self.writer.hold(fate);
            self.held.push_back(now);
            of_none
        } else {
            fate
        };
        self.writer.send(&mut self.buffer, events, fate);
        self.settle();
    }

    /// What was folded or waited is settled once every line that stands for it was handed over.
    pub(super) fn settle(&mut self) {
        let folds = self.fold.as_ref().and_then(Fold::next);
        let ends = self.ends.as_ref().and_then(Ends::next);
        let is_over = |at: Instant| {
            folds.is_none_or(|next| at + fold::EVERY < next)
                && ends.is_none_or(|next| at + ends::WITHIN < next)
        };
        let over = self.held.iter().take_while(|&&at| is_over(at)).count();
        if over > 0 {
            self.held.drain(..over);
            self.writer.settle(over);
        }
    }

    /// What is folded of signals to this process.
    pub(super) fn unfold_target(&mut self, key: &str, now: Instant, most: Option<usize>) {
        let due = self.fold.as_mut().map(|fold| fold.due_for(key)).unwrap_or_default();
        for document in due {
            self.write(Rc::new(document), now, most);
        }
    }

    pub(super) fn unfold(&mut self, now: Instant, all: bool, most: Option<usize>) {
        let due = self.fold.as_mut().map(|fold| fold.due(now, all)).unwrap_or_default();
        for document in due {
            self.write(Rc::new(document), now, most);
        }
        let due = self.ends.as_mut().map(|ends| ends.due(now, all)).unwrap_or_default();
        for document in due {
            self.print(&document, most);
        }
    }

    /// When something that is folded or waits is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let folds = self.fold.as_ref().and_then(Fold::next);
        let ends = self.ends.as_ref().and_then(Ends::next);
        folds.into_iter().chain(ends).min()
    }
}
