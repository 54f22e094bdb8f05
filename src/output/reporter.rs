//! Takes events, writes lines.
//!
//! ```text
//!  event ─► document ─► redact ─► filter ─► totals ─► for each output: fold ─► ends ─► format ─► max_line ─► writer ─► destination
//! ```
//!
//! Where nothing is asked for that needs an event as a value, formats are written directly.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::batch::{Batch, counts_of};
use super::deliver::destination_name::DestinationName;
use super::deliver::ledger::{Counts, Fate, Ledger, OutputSet, Stake};
use super::deliver::opener::Opener;
use super::format::document::Document;
use super::format::effect::lost_authors;
use super::format::line_template::{EventStamp, LineTemplate};
use super::format::screen::{PLAIN, Screen};
use super::left_out_for_eyes::LeftOut;
use super::open_output::Output;
use super::pressure::Route;
use super::redact::Redaction;
use super::render;
use super::select::filter::{Conditions, Filter};
use super::select::projection::Projection;
use super::settings::{OutputSettings, Settings};
use super::tally::{CountedAs, Tally};
use super::totals::Totals;
use crate::error::TraceError;
use crate::event::header::Header;
use crate::event::{Authors, Event, LossAuthor};

/// How long a destination may accept nothing before a tracer that was asked to end stops waiting for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long counters that are asked for wait for a destination that accepts nothing.
const MOMENT: Duration = Duration::from_millis(50);

/// What was reported of a signal, to be reported once more of another moment.
#[derive(Debug, Default)]
pub struct CachedLine {
    /// The line of each output, unless it gets none; None if a filter refused the signal.
    lines: Option<Vec<Option<Rc<LineTemplate>>>>,
    /// But for the number of the event.
    header: Header,
    /// What it counts as.
    counted: Option<Rc<CountedAs>>,
}

impl CachedLine {
    /// Bytes of memory, roughly.
    pub fn size(&self) -> usize {
        self.lines.iter().flatten().flatten().map(|line| line.size()).sum()
    }
}

/// Takes events, writes lines.
#[derive(Debug)]
pub struct Reporter {
    filter: Filter,
    projection: Projection,
    redaction: Redaction,
    left_out: LeftOut,
    has_max_line: bool,
    totals: Option<Totals>,
    has_summary: bool,
    tally: Option<Tally>,
    outputs: Vec<Output>,
    /// What becomes of the event that is being written, at each output; None: nothing, it leaves it out.
    routes: Vec<Option<(Route, Counts)>>,
    batch: Batch,
    screen: Screen,
    reported: u64,
    ledger: Arc<Ledger>,
    /// Whose lines found no room, since that was asked last.
    loss_authors: Authors,
    is_one_story: bool,
    is_over: bool,
}

/// Is one side of a signal in a tree that was asked for, as the kernel saw it? The running process counts only where it
/// sent the signal or brought it about. None: the kernel has not said.
fn trees_of(event: &Event<'_>) -> Option<bool> {
    let Event::Signal(signal) = event else { return None };
    let facts = &signal.facts;
    let acts = signal.source().is_some() || signal.trigger().is_some();
    Some(facts.target_in_tree || (facts.source_in_tree && acts))
}

impl Reporter {
    /// Opens every output, in this process.
    ///
    /// # Errors
    /// If one cannot be opened, or should not.
    pub fn open(settings: &Settings) -> Result<Self, TraceError> {
        Self::open_by(settings, Opener::here(&settings.files()))
    }

    /// Opens every output; the FILEs by this.
    ///
    /// # Errors
    /// If one cannot be opened, or should not.
    pub fn open_by(settings: &Settings, opener: Opener) -> Result<Self, TraceError> {
        let opener = Arc::new(opener);
        let open = |(place, output): (usize, &OutputSettings)| Output::open(output, settings, &opener, place);
        let outputs: Result<Vec<Output>, TraceError> =
            settings.outputs.iter().enumerate().map(open).collect();
        Ok(Self {
            filter: Filter::new(settings.conditions.clone()),
            projection: Projection::new(&settings.conditions),
            redaction: settings.redaction.clone(),
            left_out: LeftOut::new(settings.left_out),
            totals: (settings.has_summary || settings.sums_up).then(Totals::default),
            has_summary: settings.has_summary,
            tally: settings.has_tally.then(|| Tally::new(settings.has_tally_by_unit)),
            has_max_line: settings.max_line.is_some(),
            outputs: outputs?,
            routes: Vec::new(),
            batch: Batch::default(),
            screen: Screen { is_ascii: settings.is_ascii, ..PLAIN },
            reported: 0,
            ledger: Arc::default(),
            loss_authors: Authors::default(),
            is_one_story: settings.is_one_story,
            is_over: false,
        })
    }

    /// Is anything asked for that needs an event as a value?
    fn needs_documents(&self) -> bool {
        !self.redaction.is_empty()
            || self.has_max_line
            || self.totals.is_some()
            || self.is_one_story
            || (self.left_out.is_on() && self.outputs.iter().any(|output| !output.kind.is_for_programs))
            || self.outputs.iter().any(Output::holds_events)
    }

    /// Can cached lines be filled in? Nothing is asked for that needs each event by itself.
    pub fn can_repeat(&self) -> bool {
        !self.needs_documents()
            && self.filter.says_the_same()
            && self.outputs.iter().all(|output| output.kind.is_for_programs)
    }

    /// Takes an event as [`report`](Self::report) does; what is to be kept of it, if its lines [can be filled
    /// in](Self::can_repeat).
    pub fn report_to_repeat(&mut self, event: &Event<'_>) -> (bool, Option<CachedLine>) {
        if !self.passes_first(event) {
            return (false, Some(CachedLine::default()));
        }
        let header = event.header();
        let counted = self.tally.as_mut().map(|tally| tally.take(event));
        let lines = self.write_event(event, &header, true);
        (true, lines.map(|lines| CachedLine { lines: Some(lines), header, counted }))
    }

    /// Reports a signal that is one before once more. Is it reported? If not, a filter refused it.
    pub fn repeat(&mut self, kept: &CachedLine, stamp: &EventStamp) -> bool {
        let Some(lines) = &kept.lines else { return false };
        self.filter.pass_again(stamp.id);
        self.reported += 1;
        if let (Some(tally), Some(counted)) = (&mut self.tally, &kept.counted) {
            tally.add(counted);
        }
        let header = Header { id: Some(stamp.id), ..kept.header };
        self.decide(&header, false);
        for (place, (output, line)) in self.outputs.iter_mut().zip(lines).enumerate() {
            let (Some((route, counts)), Some(line)) = (self.routes[place], line) else { continue };
            output.write_again(line, (&header, route), stamp, counts, &mut self.batch);
        }
        true
    }

    /// When this event gets a line at each output, and how it is counted there. Those that print it now share it; where none does,
    /// it is counted at one of the others, with whatever becomes of its line.
    fn decide(&mut self, header: &Header, is_left_out: bool) {
        let mut now = OutputSet::default();
        self.routes.clear();
        for (place, output) in self.outputs.iter().enumerate() {
            let route = if is_left_out && !output.kind.is_for_programs || !output.takes.includes(header) {
                None
            } else if output.holds_events() {
                Some(Route::Later)
            } else {
                Some(output.route(header))
            };
            if route == Some(Route::Now) {
                now.add(place);
            }
            self.routes.push(route.map(|route| (route, Counts::default())));
        }
        if !now.is_empty() {
            self.batch.add(now, Stake::of(counts_of(header)));
            return;
        }
        for wanted in [Route::Later, Route::Never] {
            let mut routes = self.routes.iter_mut().flatten();
            if let Some((_, counts)) = routes.find(|(route, _)| *route == wanted) {
                *counts = counts_of(header);
                return;
            }
        }
    }

    /// Writes an event as it is; the templates of its lines, if they are wanted and each has one.
    fn write_event(
        &mut self,
        event: &Event<'_>,
        header: &Header,
        keeps_templates: bool,
    ) -> Option<Vec<Option<Rc<LineTemplate>>>> {
        self.reported += 1;
        self.decide(header, false);
        let mut templates = Some(Vec::new());
        for (place, output) in self.outputs.iter_mut().enumerate() {
            let Some((route, counts)) = self.routes[place] else {
                if let Some(templates) = &mut templates {
                    templates.push(None);
                }
                continue;
            };
            let template =
                output.write_event(event, (header, route), counts, keeps_templates, &mut self.batch);
            match (&mut templates, template) {
                (Some(templates), Some(template)) => templates.push(Some(Rc::new(template))),
                (templates, _) => *templates = None,
            }
        }
        templates
    }

    /// What filters see is what is left after redaction: where there is none, they are asked before more is made of an event.
    fn passes_first(&mut self, event: &Event<'_>) -> bool {
        if !self.redaction.is_empty() || self.filter.conditions().is_empty() {
            return true;
        }
        render::write(event, &mut self.projection);
        self.filter.passes(&self.projection.take(), trees_of(event))
    }

    /// Takes an event. Is it reported? If not, a filter refused it.
    pub fn report(&mut self, event: &Event<'_>) -> bool {
        let is_reported = self.report_uncounted(event);
        if let Some(tally) = self.tally.as_mut().filter(|_| is_reported) {
            tally.take(event);
        }
        is_reported
    }

    fn report_uncounted(&mut self, event: &Event<'_>) -> bool {
        if !self.passes_first(event) {
            return false;
        }
        // one that stands for others already is joined with more of them as a value
        let header = event.header();
        if !self.needs_documents() && header.repeated == 0 {
            self.write_event(event, &header, false);
            return true;
        }
        let mut document =
            if self.redaction.is_empty() { Document::default() } else { Document::for_redaction() };
        // sentences and trees are made of names
        let renamed = self.redaction.names(event);
        render::write(renamed.as_ref().unwrap_or(event), &mut document);
        if self.redaction.is_empty() && !self.filter.conditions().is_empty() {
            return self.write_document(document, Instant::now());
        }
        self.report_document(document, trees_of(event), Instant::now())
    }

    /// The same of an event that is a value already.
    pub fn report_document(&mut self, mut document: Document, in_trees: Option<bool>, now: Instant) -> bool {
        self.redaction.apply(&mut document);
        self.filter.passes(&document, in_trees) && self.write_document(document, now)
    }

    /// False: every output leaves it out.
    fn write_document(&mut self, document: Document, now: Instant) -> bool {
        let is_left_out = self.left_out.is_on() && self.left_out.leaves_out(&document);
        if is_left_out && self.is_for_eyes_alone() {
            return false;
        }
        if let Some(totals) = &mut self.totals {
            totals.add(&document);
        }
        self.reported += 1;
        let header = *document.header();
        self.is_over |= self.is_one_story && header.is_end_of_process();
        let document = Rc::new(document);
        self.decide(&header, is_left_out);
        for (place, output) in self.outputs.iter_mut().enumerate() {
            let Some((route, counts)) = self.routes[place] else { continue };
            let batch = &mut self.batch;
            if !output.holds_events() {
                output.print_by(route, &document, Stake::of(counts), batch);
                continue;
            }
            // a line that is due comes before one of now, and what a process got before its end
            output.unfold(now, false, batch);
            let mut is_printed_now = true;
            if let Some(fold) = &mut output.fold {
                let (is_now, before) = fold.take(&document, counts, now);
                is_printed_now = is_now;
                output.write_folded(before, now, batch);
            }
            if is_printed_now {
                output.write(Rc::clone(&document), Stake::of(counts), now, batch);
            }
        }
        true
    }

    /// Signals that every output left out, although no filter refused them: one for programs has all of them.
    pub fn left_out(&self) -> u64 {
        if self.is_for_eyes_alone() { self.left_out.signals() } else { 0 }
    }

    fn is_for_eyes_alone(&self) -> bool {
        self.outputs.iter().all(|output| !output.kind.is_for_programs)
    }

    /// The story that was asked for is complete.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// What was reported, counted for metrics, if that was asked for.
    pub fn tally(&self) -> Option<&Tally> {
        self.tally.as_ref()
    }

    /// Events that were reported so far.
    pub fn reported(&self) -> u64 {
        self.reported
    }

    /// Bytes that wait to be handed over; more than any number where that is to be done now.
    pub fn waiting(&self) -> usize {
        let of = |output: &Output| if output.is_due() { usize::MAX } else { output.buffer.len() };
        self.outputs.iter().map(of).max().unwrap_or(0)
    }

    /// When lines are due that are folded or wait for an end.
    pub fn next_due(&self) -> Option<Instant> {
        self.outputs.iter().filter_map(Output::next_due).min()
    }

    /// Hands over what waits; at the end what is folded, or waits for something, as well.
    pub fn flush(&mut self, last: bool) {
        let now = Instant::now();
        for output in &mut self.outputs {
            output.unfold(now, last, &mut self.batch);
        }
        loop {
            let mut has_more = false;
            for output in &mut self.outputs {
                has_more |= output.print_backlog(now, last, &mut self.batch);
            }
            self.hand_over();
            if !has_more {
                break;
            }
        }
        self.ledger.lose(self.batch.take_lost());
        self.loss_authors.merge(&self.batch.take_authors());
    }

    /// Says to stores that all that happened before this time (UTC, nanoseconds) has been reported.
    pub fn mark(&mut self, time: i128) {
        for output in self.outputs.iter_mut().filter(|output| output.can_be_marked()) {
            output.mark(time);
        }
        self.hand_over();
    }

    /// Is something stored?
    pub fn has_store(&self) -> bool {
        self.outputs.iter().any(Output::is_store)
    }

    fn hand_over(&mut self) {
        let count = self.outputs.iter().filter(|output| !output.buffer.is_empty()).count();
        if count == 0 {
            return;
        }
        let fate = Fate::new(self.batch.take_stakes(), count, Arc::clone(&self.ledger));
        for output in self.outputs.iter_mut().filter(|output| !output.buffer.is_empty()) {
            output.send(Arc::clone(&fate));
        }
    }

    /// Lines for which an output had no room.
    pub fn refused(&self) -> u64 {
        self.outputs.iter().map(|output| output.writer.refused()).sum()
    }

    /// Whose lines found no room, since that was asked last.
    pub fn take_loss_authors(&mut self) -> Authors {
        std::mem::take(&mut self.loss_authors)
    }

    /// What became of what was handed over.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Waits for what is on its way, if that is soon.
    pub fn wait_a_moment(&self) {
        for output in &self.outputs {
            output.writer.wait_for(MOMENT);
        }
    }

    /// Waits until all of it is written, or until it is known what will not be.
    pub fn wait_until_written(&self, hurry: &AtomicBool) {
        for output in &self.outputs {
            if !output.writer.wait(|| hurry.load(Ordering::Relaxed), PATIENCE) {
                tracing::warn!("{} accepts nothing: no longer waiting for it", output.writer.name());
            }
        }
    }

    /// Which events were asked for.
    pub fn conditions(&self) -> &Conditions {
        self.filter.conditions()
    }

    /// A process's name for a message: as it is in the output.
    pub fn name(&self, comm: &[u8]) -> String {
        self.redaction.name(comm)
    }

    /// Are texts changed before filters see them?
    pub fn redacts(&self) -> bool {
        !self.redaction.is_empty()
    }

    /// From here on no signal comes that is not of the trees that were asked for.
    pub fn trust_trees(&mut self) {
        self.filter.trust_trees();
    }

    /// Is there a file that can be reopened?
    pub fn has_files(&self) -> bool {
        self.outputs.iter().any(|output| matches!(output.writer.name(), DestinationName::File(_)))
    }

    /// Reopens the files.
    pub fn reopen(&mut self) {
        self.outputs.iter_mut().for_each(|output| output.writer.reopen());
    }

    /// What could not be written, by output. What a reader did not want that closed its pipe is none of it.
    pub fn unwritten(&self) -> Vec<(String, u64)> {
        let may_be_closed = |output: &&Output| !matches!(output.writer.name(), DestinationName::File(_));
        let wanted = self.outputs.iter().filter(|output| !(self.ledger.is_closed() && may_be_closed(output)));
        let of = |output: &Output| (output.writer.name().to_string(), output.writer.unwritten());
        wanted.map(of).filter(|(_, events)| *events > 0).collect()
    }

    /// The filters that are decided here, as they would be typed; empty if there is none.
    pub fn filters(&self) -> String {
        self.filter.conditions().to_string()
    }

    /// What came of it all, in a sentence, if that was asked for.
    pub fn sentence(&self) -> Option<String> {
        self.totals.as_ref().map(Totals::sentence)
    }

    /// Whose events were lost, for people: `12 of uid 1000 (yes(4711))`. None: nobody's.
    pub fn loss_sentence(&self, authors: &[LossAuthor]) -> Option<String> {
        let mut document = Document::default();
        render::write_authors(authors, &mut document);
        self.redaction.apply(&mut document);
        lost_authors(self.screen, &document)
    }

    /// Writes the summary to standard error, if it was asked for. Of all that was lost `lost` is whose it was.
    pub fn write_summary(&self, lost: &[LossAuthor]) {
        if let Some(totals) = self.totals.as_ref().filter(|_| self.has_summary) {
            crate::output::status::clear();
            let mut text = totals.text(self.screen);
            if let Some(authors) = self.loss_sentence(lost) {
                text.push_str("lost: ");
                text.push_str(&authors);
                text.push('\n');
            }
            let _ = io::Write::write_all(&mut io::stderr(), text.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::event::flood::FloodKey;
    use crate::event::header::EventKind;
    use crate::event::signal::Signal;
    use crate::event::{Author, Outcome};
    use crate::output::deliver::rate::MaxRate;
    use crate::output::format::Format;
    use crate::output::format::document::tests::sample;
    use crate::output::format::document::{Field, Value};
    use crate::output::format::json::JSON;
    use crate::output::format::line::LINE;
    use crate::output::format::logfmt::LOGFMT;
    use crate::output::format::tree::TREE;
    use crate::output::format::{FormatKind, ValueRef};
    use crate::output::redact::parse_pattern;
    use crate::output::settings::Takes;

    fn settings(directory: &std::path::Path, kinds: &[FormatKind]) -> Settings {
        let output = |kind: &FormatKind| OutputSettings {
            kind: *kind,
            destination: DestinationName::File(directory.join(kind.name)),
            folds: *kind == TREE,
            takes: Takes::All,
        };
        Settings { outputs: kinds.iter().map(output).collect(), ..Settings::default() }
    }

    /// Writes everything, and says how many signals some output has a line of.
    fn written(reporter: &mut Reporter, last: bool) -> u64 {
        reporter.flush(last);
        reporter.wait_until_written(&AtomicBool::new(false));
        reporter.ledger().printed().signals
    }

    #[test]
    fn several_outputs_get_the_same_events_each_in_its_way() {
        let directory = tempfile::tempdir().unwrap();
        let mut reporter = Reporter::open(&settings(directory.path(), &[JSON, TREE])).unwrap();
        let now = Instant::now();
        assert!((0..3).all(|_| reporter.report_document(sample(), None, now)));
        assert_eq!(written(&mut reporter, true), 3);
        let read = |name| fs::read_to_string(directory.path().join(name)).unwrap();
        assert_eq!(read("json").lines().count(), 3);
        assert_eq!(read("tree").matches("─SIGTERM─▶").count(), 2, "the first, and ×2: {}", read("tree"));
        assert!(read("tree").contains("×2"));
    }

    #[test]
    fn filters_see_what_is_left_after_redaction() {
        let directory = tempfile::tempdir().unwrap();
        let with = |condition: &str| {
            let mut settings = settings(directory.path(), &[JSON]);
            settings.conditions.wanted = vec![condition.parse().unwrap()];
            settings.redaction = Redaction::new(vec![parse_pattern("a b").unwrap()], false);
            Reporter::open(&settings).unwrap().report_document(sample(), None, Instant::now())
        };
        assert!(!with("source.cmdline=*a b*"));
        assert!(with("source.cmdline=pkill ?redacted]"));
    }

    #[test]
    fn one_story_ends_with_the_end_of_a_process_and_with_no_signal() {
        let directory = tempfile::tempdir().unwrap();
        let settings = Settings { is_one_story: true, ..settings(directory.path(), &[JSON]) };
        let of = |kind: EventKind, signal: u8, outcome: Option<Outcome>| {
            let mut document = Document::default();
            document.begin(&Header { kind, signal: Signal::new(signal), outcome, ..Header::default() });
            document.field("event", ValueRef::Text(kind.name()));
            document
        };
        let mut reporter = Reporter::open(&settings).unwrap();
        for document in [
            of(EventKind::Signal, 15, Some(Outcome::Queued)),
            of(EventKind::Signal, 15, Some(Outcome::Ignored)),
            of(EventKind::Signal, 19, Some(Outcome::Queued)),
            of(EventKind::Signal, 34, Some(Outcome::Overflow)),
            of(EventKind::Attempt, 15, None),
            of(EventKind::Lost, 0, None),
        ] {
            reporter.report_document(document.clone(), None, Instant::now());
            assert!(!reporter.is_over(), "{document:?}");
        }
        reporter.report_document(of(EventKind::Ended, 15, None), None, Instant::now());
        assert!(reporter.is_over());
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_named() {
        let error = Reporter::open(&settings("/nowhere".as_ref(), &[JSON])).unwrap_err();
        assert!(error.to_string().contains("/nowhere/json"), "{error}");
    }

    #[test]
    fn what_is_folded_is_printed_only_if_its_lines_are() {
        for (place, printed, folded) in [("/dev/null", 2, 1), ("/dev/full", 0, 0)] {
            let directory = tempfile::tempdir().unwrap();
            let mut settings = settings(directory.path(), &[TREE]);
            settings.outputs[0].destination = DestinationName::File(place.into());
            let mut reporter = Reporter::open(&settings).unwrap();
            let now = Instant::now();
            assert!(reporter.report_document(sample(), None, now));
            reporter.flush(false);
            assert!((0..2).all(|_| reporter.report_document(sample(), None, now)));
            reporter.flush(false);
            reporter.wait_until_written(&AtomicBool::new(false));
            assert!(reporter.ledger().printed().signals <= 1, "two are not printed yet");
            reporter.flush(true);
            reporter.wait_until_written(&AtomicBool::new(false));
            let ledger = reporter.ledger();
            let of = (ledger.printed().signals, ledger.folded().signals, ledger.unprinted().signals);
            assert_eq!(of, (printed, folded, 3 - printed - folded));
        }
    }

    #[test]
    fn what_waits_for_its_end_is_printed_only_if_its_line_is() {
        for (place, printed) in [("/dev/null", 3), ("/dev/full", 0)] {
            let directory = tempfile::tempdir().unwrap();
            let mut settings = settings(directory.path(), &[LINE]);
            settings.outputs[0].destination = DestinationName::File(place.into());
            let mut reporter = Reporter::open(&settings).unwrap();
            let now = Instant::now();
            assert!((0..3).all(|_| reporter.report_document(sample(), None, now)));
            assert!(reporter.next_due().is_some());
            reporter.flush(false);
            reporter.wait_until_written(&AtomicBool::new(false));
            assert_eq!(reporter.ledger().printed().signals, 0, "none is printed yet");
            reporter.flush(true);
            reporter.wait_until_written(&AtomicBool::new(false));
            let ledger = reporter.ledger();
            assert_eq!((ledger.printed().signals, ledger.unprinted().signals), (printed, 3 - printed));
        }
    }

    #[test]
    fn what_is_no_news_is_left_out_for_eyes_counted_and_in_formats_for_programs() {
        let zombie = || {
            let mut document = sample();
            for field in document.fields_mut() {
                match (&mut field.value, field.key) {
                    (Value::Text(result), "result") => "ignored".clone_into(result),
                    (Value::Object(target), "target") => target.push(Field {
                        key: "state",
                        value: Value::Text("zombie".to_owned()),
                        is_last: false,
                    }),
                    _ => {}
                }
            }
            document
        };
        for (kinds, routine, expected) in [
            (&[LINE][..], true, (false, 0, 0)),
            (&[LINE], false, (true, 1, 0)),
            (&[LINE, JSON], true, (true, 0, 1)),
        ] {
            let directory = tempfile::tempdir().unwrap();
            let mut settings = settings(directory.path(), kinds);
            settings.left_out.routine = routine;
            let mut reporter = Reporter::open(&settings).unwrap();
            let is_reported = reporter.report_document(zombie(), None, Instant::now());
            written(&mut reporter, true);
            let lines = |name: &str| {
                fs::read_to_string(directory.path().join(name)).unwrap_or_default().lines().count()
            };
            assert_eq!((is_reported, lines("line"), lines("json")), expected, "{kinds:?}");
            assert_eq!(reporter.left_out(), u64::from(!is_reported));
        }
    }

    #[test]
    fn one_output_that_takes_it_is_enough_and_the_other_is_counted() {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = settings(directory.path(), &[JSON, LOGFMT]);
        settings.outputs[1].destination = DestinationName::File("/dev/full".into());
        let mut reporter = Reporter::open(&settings).unwrap();
        reporter.report_document(sample(), None, Instant::now());
        assert_eq!(written(&mut reporter, false), 1);
        assert_eq!(reporter.unwritten(), [("/dev/full".to_owned(), 1)]);
    }

    /// Event by event what is written where, and the sum: one output is a pipe that nobody reads for a while, the other a file that may
    /// grow slowly.
    #[test]
    fn under_pressure_each_event_is_printed_folded_or_lost_once_whatever_the_outputs() {
        for (kinds, is_folding) in
            [(&[JSON][..], false), (&[JSON, LOGFMT], false), (&[JSON, LINE, TREE], true)]
        {
            let directory = tempfile::tempdir().unwrap();
            let mut settings = settings(directory.path(), kinds);
            settings.max_rate = MaxRate::Bytes(1024);
            settings.outputs[0].folds = is_folding;
            let mut reporter = Reporter::open(&settings).unwrap();
            let mut sent = 0;
            for round in 0..4000u32 {
                let mut document = sample();
                // one pair again and again, among others that come once
                let target = if round % 4 == 0 { round } else { 1 };
                let flood = FloodKey { target: Some((target, 1)), signal: 15, ..FloodKey::default() };
                let author = Author { uid: 1000, pid: 7, ..Author::default() };
                document.begin(&Header { flood, author, id: Some(round.into()), ..*document.header() });
                assert!(reporter.report_document(document, None, Instant::now()));
                sent += 1;
                if round % 100 == 0 {
                    reporter.flush(false);
                }
            }
            reporter.flush(true);
            reporter.wait_until_written(&AtomicBool::new(false));
            let ledger = reporter.ledger();
            let [printed, folded, unprinted] =
                [ledger.printed(), ledger.folded(), ledger.unprinted()].map(|counts| counts.signals);
            assert_eq!(printed + folded + unprinted, sent, "{kinds:?}");
            assert!(folded > 1000, "nothing was tested: {printed} {folded} {unprinted}");
            let text = fs::read_to_string(directory.path().join("json")).unwrap();
            let lines: Vec<serde_json::Value> =
                text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let of_lines: u64 = lines.iter().map(|line| line["repeated"].as_u64().unwrap_or(1)).sum();
            let lost = reporter.take_loss_authors();
            let refused: u64 = reporter.outputs.iter().map(|output| output.writer.refused()).sum();
            assert_eq!(lost.total(), refused);
            if kinds.len() == 1 {
                assert_eq!((lines.len() as u64, of_lines), (printed, printed + folded), "{kinds:?}");
                assert_eq!((of_lines + unprinted, unprinted), (sent, refused));
            }
            let one = |line: &&serde_json::Value| line["repeated"].as_u64().is_some_and(|count| count > 1);
            assert!(lines.iter().any(|line| one(&line) && line["target"]["pid"] == 9), "{kinds:?}");
        }
    }
}
