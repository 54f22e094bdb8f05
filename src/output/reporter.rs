//! From an event to the lines of every output.
//!
//! ```text
//!  event ─► document ─► redact ─► filter ─► tally ─► for each output: fold ─► format ─► shorten ─► writer ─► destination
//! ```
//!
//! Where nothing is asked for that needs an event as a value, formats are told it directly.

pub mod deliver;
pub mod fold;
pub mod format;
pub mod keys;
pub mod line_cache;
pub mod redact;
pub mod render;
pub mod select;
pub mod shorten;
pub mod status;
pub mod tally;

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use self::deliver::destination::{Destination, Place};
use self::deliver::opener::Opener;
use self::deliver::writer::{Counts, Fate, Ledger, Writer};
use self::fold::Fold;
use self::redact::Redaction;
use self::select::filter::{Conditions, Filter};
use self::select::sieve::Sieve;
use self::tally::Tally;
use crate::error::TraceError;
use crate::event::Event;
use crate::event::signal::Signal;
use crate::output::format::document::Document;
use crate::output::format::layout::Drawn;
use crate::output::format::line_template::{EventStamp, LineTemplate};
use crate::output::format::screen::{Screen, Width};
use crate::output::format::{Format, json::Json, logfmt::Logfmt, table::Table, tree::Tree};

/// How long a destination may take nothing before somebody who was asked to end gives it up.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long counters that are asked for wait for a destination that takes nothing.
const MOMENT: Duration = Duration::from_millis(50);

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `key=value` pairs.
    Logfmt,
    /// One JSON object a line.
    Json,
    /// A row.
    Table,
    /// Two trees.
    Tree,
}

/// When colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// One output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputSettings {
    /// How its lines look.
    pub kind: Kind,
    /// Where they go.
    pub place: Place,
    /// Floods are folded.
    pub folds: bool,
}

/// What is reported, and how.
#[derive(Debug, Clone)]
pub struct Settings {
    /// At least one.
    pub outputs: Vec<OutputSettings>,
    /// Which events.
    pub conditions: Conditions,
    /// What is taken out of them.
    pub redaction: Redaction,
    /// Bytes of a line.
    pub max_line: Option<usize>,
    /// Columns of the table; the usual ones if there is none.
    pub fields: Vec<String>,
    /// Colours.
    pub colour: Colour,
    /// Nothing beyond ASCII in formats for eyes.
    pub is_ascii: bool,
    /// A summary at the end and on SIGUSR1.
    pub has_summary: bool,
    /// One story is enough: an end, or a signal that leads to none.
    pub is_one_story: bool,
}

impl Settings {
    /// Every FILE, in the order of the outputs: a number of an [`Opener`] is a place in this.
    pub fn files(&self) -> Vec<PathBuf> {
        let file = |output: &OutputSettings| match &output.place {
            Place::File(path) => Some(path.clone()),
            _ => None,
        };
        self.outputs.iter().filter_map(file).collect()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            outputs: vec![OutputSettings { kind: Kind::Logfmt, place: Place::Stdout, folds: false }],
            conditions: Conditions::default(),
            redaction: Redaction::default(),
            max_line: None,
            fields: Vec::new(),
            colour: Colour::default(),
            is_ascii: false,
            has_summary: false,
            is_one_story: false,
        }
    }
}

/// One output, open.
#[derive(Debug)]
struct Output {
    kind: Kind,
    format: Box<dyn Format>,
    writer: Writer,
    buffer: Vec<u8>,
    /// Events in the buffer.
    events: u64,
    /// There was no room when this buffer was begun: so many events are only counted.
    refused: u64,
    fold: Option<Fold>,
    /// Something was folded since lines were handed over last.
    has_folded: bool,
    /// When what the writer holds was folded, at the latest.
    held: VecDeque<Instant>,
}

/// What was reported of a signal, to be reported once more of another moment.
#[derive(Debug, Default)]
pub struct CachedLine {
    /// The line of each output; None if a filter refused the signal.
    lines: Option<Vec<LineTemplate>>,
}

impl CachedLine {
    /// Bytes of memory, roughly.
    pub fn size(&self) -> usize {
        self.lines.iter().flatten().map(LineTemplate::size).sum()
    }
}

/// Takes events, writes lines.
#[derive(Debug)]
pub struct Reporter {
    filter: Filter,
    sieve: Sieve,
    redaction: Redaction,
    max_line: Option<usize>,
    tally: Option<Tally>,
    outputs: Vec<Output>,
    screen: Screen,
    reported: u64,
    ledger: Arc<Ledger>,
    is_one_story: bool,
    /// A signal was reported that an end may follow.
    awaits_end: bool,
    is_over: bool,
}

impl Colour {
    /// Does this destination get colours?
    pub fn is_on(self, is_terminal: bool) -> bool {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                is_terminal
                    && !is_set("NO_COLOR")
                    && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        }
    }
}

impl Output {
    fn open(settings: &OutputSettings, all: &Settings, opener: &Arc<Opener>) -> Result<Self, TraceError> {
        let number = all.files().iter().position(|path| settings.place == Place::File(path.clone()));
        let destination = Destination::open(settings.place.clone(), opener, number.unwrap_or_default())
            .map_err(|refusal| TraceError::Output { place: settings.place.to_string(), refusal })?;
        let is_terminal = destination.is_terminal();
        let screen = Screen {
            has_colour: all.colour.is_on(is_terminal),
            is_ascii: all.is_ascii,
            width: match settings.place {
                Place::Stdout if is_terminal => Width::OfStdout,
                Place::Stderr if is_terminal => Width::OfStderr,
                _ => Width::Unlimited,
            },
        };
        let format: Box<dyn Format> = match settings.kind {
            Kind::Logfmt => Box::new(Logfmt::default()),
            Kind::Json => Box::new(Json::default()),
            Kind::Table => Box::new(Drawn::new(Table::new(screen, &all.fields))),
            Kind::Tree => Box::new(Drawn::new(Tree::new(screen))),
        };
        let fold = settings.folds.then(Fold::default);
        Ok(Self {
            kind: settings.kind,
            format,
            writer: Writer::new(destination),
            buffer: Vec::new(),
            events: 0,
            refused: 0,
            fold,
            has_folded: false,
            held: VecDeque::new(),
        })
    }

    /// One more event; is it to be formatted? That something was lost is always told.
    fn admit(&mut self, is_loss: bool) -> bool {
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

    fn write(&mut self, document: &Document, most: Option<usize>) {
        if !self.admit(is_loss(document)) {
            return;
        }
        match most {
            // what is drawn for eyes is cut by the screen
            Some(most) if matches!(self.kind, Kind::Logfmt | Kind::Json) => {
                shorten::write(document, &mut *self.format, most, &mut self.buffer);
            }
            _ => {
                document.tell(&mut *self.format);
                self.format.finish(&mut self.buffer);
            }
        }
    }

    /// Hands over what was made.
    fn send(&mut self, fate: Arc<Fate>, now: Instant) {
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
        let fate = if std::mem::take(&mut self.has_folded) {
            // how these events fare is not known before the lines that tell them are written
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

    /// What was folded is settled once every line that tells it was handed over.
    fn settle(&mut self) {
        let next = self.fold.as_ref().and_then(Fold::next);
        let told =
            self.held.iter().take_while(|&&at| next.is_none_or(|next| at + fold::EVERY < next)).count();
        if told > 0 {
            self.held.drain(..told);
            self.writer.settle(told);
        }
    }

    /// What is folded of signals to this process.
    fn unfold_target(&mut self, key: &str, most: Option<usize>) {
        let due = self.fold.as_mut().map(|fold| fold.due_for(key)).unwrap_or_default();
        for document in due {
            self.write(&document, most);
        }
    }

    fn unfold(&mut self, now: Instant, all: bool, most: Option<usize>) {
        let due = self.fold.as_mut().map(|fold| fold.due(now, all)).unwrap_or_default();
        for document in due {
            self.write(&document, most);
        }
    }
}

/// Is one side of a signal in a tree that was asked for, as the kernel saw it? The running process counts only where it
/// sent the signal or brought it about. None: the kernel has not said.
fn trees_of(event: &Event<'_>) -> Option<bool> {
    let Event::Signal(signal) = event else { return None };
    let facts = &signal.facts;
    let acts = signal.source().is_some() || signal.trigger().is_some();
    Some(facts.target_in_tree || (facts.source_in_tree && acts))
}

fn is_loss(document: &Document) -> bool {
    document.text_at("event") == Some("lost")
}

/// A signal that reaches a process and ends it by default: it may die of it or, where it handles or accepts it, exit.
fn may_lead_to_an_end(document: &Document) -> bool {
    let is_lost = matches!(document.text_at("result"), Some("ignored" | "overflow"));
    let signal = document.number_at("signal").and_then(|number| Signal::new(u8::try_from(number).ok()?));
    document.text_at("event") == Some("signal") && !is_lost && signal.is_some_and(Signal::ends_by_default)
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
        let outputs: Result<Vec<Output>, TraceError> =
            settings.outputs.iter().map(|output| Output::open(output, settings, &opener)).collect();
        Ok(Self {
            filter: Filter::new(settings.conditions.clone()),
            sieve: Sieve::new(&settings.conditions),
            redaction: settings.redaction.clone(),
            max_line: settings.max_line,
            tally: settings.has_summary.then(Tally::default),
            outputs: outputs?,
            screen: Screen { has_colour: false, is_ascii: settings.is_ascii, width: Width::Unlimited },
            reported: 0,
            ledger: Arc::default(),
            is_one_story: settings.is_one_story,
            awaits_end: false,
            is_over: false,
        })
    }

    /// Is anything asked for that needs an event as a value?
    fn needs_documents(&self) -> bool {
        !self.redaction.is_empty()
            || self.max_line.is_some()
            || self.tally.is_some()
            || self.is_one_story
            || self.outputs.iter().any(|output| output.fold.is_some())
    }

    /// Can lines be filled in anew? Nothing is asked for that needs each event by itself.
    pub fn can_repeat(&self) -> bool {
        !self.needs_documents()
            && self.filter.says_the_same()
            && self.outputs.iter().all(|output| matches!(output.kind, Kind::Json | Kind::Logfmt))
    }

    /// Takes an event as [`report`](Self::report) does; what is to be kept of it, if its lines [can be filled in
    /// anew](Self::can_repeat).
    pub fn report_to_repeat(&mut self, event: &Event<'_>) -> (bool, Option<CachedLine>) {
        let begins: Vec<usize> = self.outputs.iter().map(|output| output.buffer.len()).collect();
        if !self.report(event) {
            return (false, Some(CachedLine { lines: None }));
        }
        let lines = self.outputs.iter().zip(begins).map(|(output, begin)| {
            let line = output.buffer.get(begin..).filter(|line| !line.is_empty())?;
            LineTemplate::new(line, output.format.gaps()?)
        });
        (true, lines.collect::<Option<_>>().map(|lines| CachedLine { lines: Some(lines) }))
    }

    /// Reports a signal that is one before once more. Is it reported? If not, a filter refused it.
    pub fn repeat(&mut self, kept: &CachedLine, moment: &EventStamp) -> bool {
        let Some(lines) = &kept.lines else { return false };
        self.filter.pass_again(moment.id);
        for (output, line) in self.outputs.iter_mut().zip(lines) {
            if output.admit(false) {
                line.fill(moment, &mut output.buffer);
            }
        }
        self.reported += 1;
        true
    }

    /// Takes an event. Is it reported? If not, a filter refused it.
    pub fn report(&mut self, event: &Event<'_>) -> bool {
        // what filters see is what is left after redaction
        let is_asked_first = self.redaction.is_empty() && !self.filter.conditions().is_empty();
        if is_asked_first {
            render::tell(event, &mut self.sieve);
            if !self.filter.passes(&self.sieve.take(), trees_of(event)) {
                return false;
            }
        }
        if !self.needs_documents() {
            for output in &mut self.outputs {
                if output.admit(matches!(event, Event::Lost(_))) {
                    render::tell(event, &mut *output.format);
                    output.format.finish(&mut output.buffer);
                }
            }
            self.reported += 1;
            return true;
        }
        let mut document =
            if self.redaction.is_empty() { Document::default() } else { Document::for_redaction() };
        // sentences and trees are made of names
        let renamed = self.redaction.names(event);
        render::tell(renamed.as_ref().unwrap_or(event), &mut document);
        if is_asked_first {
            self.write_document(document, Instant::now());
            return true;
        }
        self.report_document(document, trees_of(event), Instant::now())
    }

    /// The same of an event that is a value already.
    pub fn report_document(&mut self, mut document: Document, in_trees: Option<bool>, now: Instant) -> bool {
        self.redaction.apply(&mut document);
        let passes = self.filter.passes(&document, in_trees);
        if passes {
            self.write_document(document, now);
        }
        passes
    }

    fn write_document(&mut self, document: Document, now: Instant) {
        if let Some(tally) = &mut self.tally {
            tally.add(&document);
        }
        self.reported += 1;
        self.awaits_end |= may_lead_to_an_end(&document);
        let is_thread = document.text_at("scope") == Some("thread");
        let is_end = document.text_at("event") == Some("ended") && !is_thread;
        self.is_over |= self.is_one_story && (is_end || (!self.awaits_end && !is_loss(&document)));
        let document = Rc::new(document);
        for output in &mut self.outputs {
            // a line that is due comes before one of now, and what a process got before its end
            output.unfold(now, false, self.max_line);
            if let Some(target) = document.text_at("target.key").filter(|_| is_end) {
                output.unfold_target(target, self.max_line);
            }
            let (is_told_now, due) =
                output.fold.as_mut().map_or((true, Vec::new()), |fold| fold.take(&document, now));
            for document in due {
                output.write(&document, self.max_line);
            }
            if is_told_now {
                output.write(&document, self.max_line);
            } else {
                output.has_folded = true;
            }
        }
    }

    /// The story that was asked for is complete: an end that a signal may lead to is waited for.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Events that were reported so far.
    pub fn reported(&self) -> u64 {
        self.reported
    }

    /// Bytes that wait to be written.
    pub fn waiting(&self) -> usize {
        self.outputs.iter().map(|output| output.buffer.len()).max().unwrap_or(0)
    }

    /// When folded lines are due.
    pub fn next_due(&self) -> Option<Instant> {
        self.outputs.iter().filter_map(|output| output.fold.as_ref()?.next()).min()
    }

    /// Hands over what waits, which stands for so much; at the end what is folded as well.
    pub fn flush(&mut self, last: bool, counts: Counts) {
        let now = Instant::now();
        let most = self.max_line;
        self.outputs.iter_mut().for_each(|output| output.unfold(now, last, most));
        if counts == Counts::default()
            && self.outputs.iter().all(|output| output.events + output.refused == 0)
        {
            self.outputs.iter_mut().for_each(Output::settle);
            return;
        }
        let fate = Fate::new(counts, self.outputs.len(), Arc::clone(&self.ledger));
        for output in &mut self.outputs {
            output.send(Arc::clone(&fate), now);
        }
    }

    /// Lines for which an output had no room.
    pub fn refused(&self) -> u64 {
        self.outputs.iter().map(|output| output.writer.refused()).sum()
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
                tracing::warn!("{} takes nothing any more: given up", output.writer.place());
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

    /// Is there a file that can be opened anew?
    pub fn has_files(&self) -> bool {
        self.outputs.iter().any(|output| matches!(output.writer.place(), Place::File(_)))
    }

    /// Opens the files anew.
    pub fn reopen(&mut self) {
        self.outputs.iter_mut().for_each(|output| output.writer.reopen());
    }

    /// What could not be written, by output.
    pub fn unwritten(&self) -> Vec<(String, u64)> {
        let of = |output: &Output| (output.writer.place().to_string(), output.writer.unwritten());
        self.outputs.iter().map(of).filter(|(_, events)| *events > 0).collect()
    }

    /// The filters that are decided here, as they would be typed; empty if there is none.
    pub fn filters(&self) -> String {
        self.filter.conditions().to_string()
    }

    /// Writes the summary to standard error, if it was asked for.
    pub fn say_summary(&self) {
        if let Some(tally) = &self.tally {
            crate::output::status::clear();
            let _ = io::Write::write_all(&mut io::stderr(), tally.text(self.screen).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::output::format::Format;
    use crate::output::format::document::tests::sample;
    use crate::output::redact::parse_pattern;

    fn settings(directory: &std::path::Path, kinds: &[Kind]) -> Settings {
        let output = |kind: &Kind| OutputSettings {
            kind: *kind,
            place: Place::File(directory.join(format!("{kind:?}"))),
            folds: *kind == Kind::Tree,
        };
        Settings { outputs: kinds.iter().map(output).collect(), ..Settings::default() }
    }

    /// Writes everything, and says how many of three signals some output took.
    fn written(reporter: &mut Reporter, last: bool) -> u64 {
        reporter.flush(last, Counts { signals: 3, attempts: 0 });
        reporter.wait_until_written(&AtomicBool::new(false));
        reporter.ledger().printed().signals
    }

    #[test]
    fn several_outputs_get_the_same_events_each_in_its_way() {
        let directory = tempfile::tempdir().unwrap();
        let mut reporter = Reporter::open(&settings(directory.path(), &[Kind::Json, Kind::Tree])).unwrap();
        let now = Instant::now();
        assert!((0..3).all(|_| reporter.report_document(sample(), None, now)));
        assert_eq!(written(&mut reporter, true), 3);
        let read = |name| fs::read_to_string(directory.path().join(name)).unwrap();
        assert_eq!(read("Json").lines().count(), 3);
        assert_eq!(read("Tree").matches("─SIGTERM─▶").count(), 2, "the first, and ×2: {}", read("Tree"));
        assert!(read("Tree").contains("×2"));
    }

    #[test]
    fn colours_are_for_terminals_unless_told_otherwise() {
        assert!(Colour::Always.is_on(false));
        assert!(!Colour::Never.is_on(true) && !Colour::Auto.is_on(false));
    }

    #[test]
    fn filters_see_what_is_left_after_redaction() {
        let directory = tempfile::tempdir().unwrap();
        let with = |condition: &str| {
            let mut settings = settings(directory.path(), &[Kind::Json]);
            settings.conditions.wanted = vec![condition.parse().unwrap()];
            settings.redaction = Redaction::new(vec![parse_pattern("a b").unwrap()], false);
            Reporter::open(&settings).unwrap().report_document(sample(), None, Instant::now())
        };
        assert!(!with("source.cmdline=*a b*"));
        assert!(with("source.cmdline=pkill ?redacted]"));
    }

    #[test]
    fn one_story_ends_with_an_end_or_with_a_signal_that_leads_to_none() {
        let directory = tempfile::tempdir().unwrap();
        let settings = Settings { is_one_story: true, ..settings(directory.path(), &[Kind::Json]) };
        let of = |event: &str, signal: u64, result: &str, disposition: &str| {
            let mut document = Document::default();
            document.text("event", event);
            document.number("signal", signal);
            document.text("result", result);
            document.open("target");
            document.text("disposition", disposition);
            document.close();
            document
        };
        for (document, is_over) in [
            (of("signal", 15, "queued", "default"), false),
            // it may exit in its handler, or leave a core
            (of("signal", 15, "queued", "handled"), false),
            (of("signal", 11, "queued", "default"), false),
            (of("signal", 15, "already-pending", "handled"), false),
            (of("lost", 0, "", ""), false),
            (of("signal", 15, "ignored", "ignored"), true),
            (of("signal", 34, "overflow", "handled"), true),
            (of("signal", 19, "queued", "default"), true),
            (of("signal", 28, "queued", "handled"), true),
            (of("attempt", 15, "EPERM", "default"), true),
            (of("ended", 15, "", ""), true),
        ] {
            let mut reporter = Reporter::open(&settings).unwrap();
            reporter.report_document(document.clone(), None, Instant::now());
            assert_eq!(reporter.is_over(), is_over, "{document:?}");
        }
        // what a process that is exiting ignores is not the end of the story
        let mut reporter = Reporter::open(&settings).unwrap();
        for result in ["queued", "ignored"] {
            reporter.report_document(of("signal", 15, result, "default"), None, Instant::now());
            assert!(!reporter.is_over());
        }
        reporter.report_document(of("ended", 15, "", ""), None, Instant::now());
        assert!(reporter.is_over());
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_named() {
        let error = Reporter::open(&settings("/nowhere".as_ref(), &[Kind::Json])).unwrap_err();
        assert!(error.to_string().contains("/nowhere/Json"), "{error}");
    }

    #[test]
    fn what_is_folded_is_printed_only_if_its_lines_are() {
        for (place, printed) in [("/dev/null", 3), ("/dev/full", 0)] {
            let directory = tempfile::tempdir().unwrap();
            let mut settings = settings(directory.path(), &[Kind::Tree]);
            settings.outputs[0].place = Place::File(place.into());
            let mut reporter = Reporter::open(&settings).unwrap();
            let now = Instant::now();
            assert!(reporter.report_document(sample(), None, now));
            reporter.flush(false, Counts { signals: 1, attempts: 0 });
            assert!((0..2).all(|_| reporter.report_document(sample(), None, now)));
            reporter.flush(false, Counts { signals: 2, attempts: 0 });
            reporter.wait_until_written(&AtomicBool::new(false));
            assert!(reporter.ledger().printed().signals <= 1, "two are not told yet");
            reporter.flush(true, Counts::default());
            reporter.wait_until_written(&AtomicBool::new(false));
            let ledger = reporter.ledger();
            assert_eq!((ledger.printed().signals, ledger.unprinted().signals), (printed, 3 - printed));
        }
    }

    #[test]
    fn one_output_that_takes_it_is_enough_and_the_other_is_counted() {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = settings(directory.path(), &[Kind::Json, Kind::Logfmt]);
        settings.outputs[1].place = Place::File("/dev/full".into());
        let mut reporter = Reporter::open(&settings).unwrap();
        reporter.report_document(sample(), None, Instant::now());
        assert_eq!(written(&mut reporter, false), 3);
        assert_eq!(reporter.unwritten(), [("/dev/full".to_owned(), 1)]);
    }
}
