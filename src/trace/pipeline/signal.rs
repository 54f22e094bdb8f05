//! A signal: as the one before it, if it is the same again, else completed and made an event.

use super::Pipeline;
use crate::correlate::history::SignalNote;
use crate::event::origin::AttributedSignal;
use crate::event::{Event, SignalEvent};
use crate::output::format::line_template::EventStamp;
use crate::output::line_cache::{self, CachedEvent, Outline};
use crate::record::ProcessFacts;

impl Pipeline<'_, '_> {
    /// A signal that is the same as one before is written as that was. False: it is not, or may not be written so.
    pub(super) fn repeat(&mut self, outline: &Outline<'_>) -> bool {
        if self.is_over() {
            return false;
        }
        let state = self.state();
        let Some(cached) = self.line_cache.find(outline, state) else { return false };
        let previous = outline
            .previous
            .and_then(|(time, signal)| self.history.previous_of_repeat(&cached.noted, time, signal));
        if previous.map(|(_, origin)| origin) != cached.previous {
            return false;
        }
        let stamp = EventStamp {
            id: self.next_id,
            time: outline.time,
            clock: self.clock,
            previous_id: previous.map(|(id, _)| id),
            previous_time: outline.previous.map_or(0, |(time, _)| time),
        };
        self.history.note_repeat(stamp.id, stamp.time, &cached.noted);
        let is_reported = self.reporter.repeat(&cached.kept, &stamp);
        self.next_id += 1;
        self.accounting.received.signals += 1;
        self.count_signal(is_reported);
        true
    }

    /// Completes a signal, makes it an event and reports it. With its outline the line may be kept for signals that are the
    /// same.
    pub(super) fn write_signal(
        &mut self,
        id: u64,
        mut signal: AttributedSignal<'_>,
        outline: Option<&Outline<'_>>,
    ) {
        if self.is_over() {
            self.accounting.unprinted.signals += 1;
            return;
        }
        if signal.snapshot.oom.is_some() {
            self.history.note_oom(id, &signal.snapshot);
        }
        let outline = outline.filter(|outline| self.line_cache.is_wanted(outline));
        // before enrichment: of the record alone, and of no other process
        let noted = outline.and_then(|_| SignalNote::of(&signal.snapshot, signal.verdict.origin));
        let (state, unsettled) = (self.state(), self.enricher.unsettled());
        let context = self.context(&mut signal.snapshot);
        let is_settled = self.enricher.unsettled() == unsettled;
        let Some(event) = SignalEvent::of(signal, id, self.clock, context) else {
            self.accounting.undecodable += 1;
            return;
        };
        if self.started_too_late(event.target()) {
            self.count_signal(false);
            return;
        }
        let from = line_cache::valid_from(&event).map(|from| from.max(self.enricher.titles_valid_from()));
        let from = from.filter(|&from| is_settled && from <= event.facts.time);
        let previous = event.context.previous.map(|(_, origin)| origin);
        let event = Event::Signal(Box::new(event));
        let (Some(outline), Some(noted), Some(from)) = (outline, noted, from) else {
            let is_reported = self.reporter.report(&event);
            self.count_signal(is_reported);
            return;
        };
        let (is_reported, kept) = self.reporter.report_to_repeat(&event);
        if let Some(kept) = kept {
            self.line_cache.keep(outline, CachedEvent { state, from, noted, previous, kept });
        }
        self.count_signal(is_reported);
    }

    /// Has this process started after the one that was asked for (a pid that is used again)?
    pub(super) fn started_too_late(&self, target: &ProcessFacts<'_>) -> bool {
        self.config.started_by.is_some_and(|by| target.start > by)
    }

    /// A signal was reported, or refused by a filter.
    fn count_signal(&mut self, is_reported: bool) {
        self.count_signals(1, is_reported);
    }

    /// The same of so many that one event stands for.
    pub(super) fn count_signals(&mut self, count: u64, is_reported: bool) {
        self.accounting.count_signals(count, is_reported);
        self.has_enough = self.has_printed_enough();
    }
}
