//! From a record to the reporter: decode, enrich, wait for what belongs to it, make it an event, hand it over.
//!
//! One thread, one direction. What a line says is decided in [`crate::event`], how it looks in [`crate::output`]; here is only
//! the order. Each kind of event has a file.

mod attempt;
mod end;
mod refused;
mod request;
mod signal;

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::End;
use super::accounting::Accounting;
use super::raw_records::RawRecords;
use crate::bpf::ring_reader::STOP;
use crate::bpf::session::Session;
use crate::config::Config;
use crate::correlate::history::History;
use crate::correlate::pending::{PendingSignals, Ready};
use crate::enrich::Enricher;
use crate::enrich::surroundings::Surroundings;
use crate::event::context::Context;
use crate::event::origin::{AttributedSignal, Origin};
use crate::event::{Authors, Clock, LossAuthor};
use crate::output::Reporter;
use crate::output::line_cache::{LineCache, Outline};
use crate::record::{self, Images, ProcessFacts, Record, Snapshot, Task};

/// A chunk of lines that is handed over at once although more records are coming.
const HAND_OVER_AT: usize = 128 * 1024;
/// Images are asked for again no more often: each record that needs one then costs more.
const EPOCH_AT_LEAST: Duration = Duration::from_millis(100);

/// What records become events with.
pub(super) struct Pipeline<'a, 'obj> {
    pub(super) config: &'a Config,
    pub(super) session: &'a Session<'obj>,
    pub(super) enricher: Enricher,
    pub(super) pending: PendingSignals,
    history: History,
    pub(super) reporter: &'a mut Reporter,
    raw: Option<RawRecords>,
    pub(super) clock: Clock,
    /// What records refer to. Shared, so that what is decoded can borrow from it while an event is made.
    pub(super) images: Rc<RefCell<Images>>,
    asked_for_images: Option<(Instant, u64)>,
    line_cache: LineCache,
    can_repeat: bool,
    next_id: u64,
    pub(super) accounting: Accounting,
    /// Whose events were lost, of what has been reported.
    pub(super) authors: Authors,
    /// Whose records found no room in the ring, of what has not been reported.
    pub(super) ring_authors: Authors,
    /// Those of them that lost most, with the paths of their cgroups.
    pub(super) worst_authors: Vec<LossAuthor>,
    /// What made writing impossible.
    pub(super) failure: Option<io::Error>,
    has_enough: bool,
    /// See [`Outcome::end`](super::Outcome::end).
    pub(super) end: Option<End>,
}

impl<'a, 'obj> Pipeline<'a, 'obj> {
    pub(super) fn new(
        config: &'a Config,
        session: &'a Session<'obj>,
        enricher: Enricher,
        reporter: &'a mut Reporter,
        raw: Option<RawRecords>,
    ) -> Self {
        Self {
            config,
            session,
            enricher,
            pending: PendingSignals::default(),
            history: History::default(),
            can_repeat: reporter.can_repeat(),
            reporter,
            raw,
            clock: Clock::start(),
            images: Rc::new(RefCell::new(Images::new(!config.variables.is_empty()))),
            asked_for_images: None,
            line_cache: LineCache::default(),
            next_id: 1,
            accounting: Accounting::default(),
            authors: Authors::default(),
            ring_authors: Authors::default(),
            worst_authors: Vec::new(),
            failure: None,
            has_enough: false,
            end: None,
        }
    }

    /// One record; a negative answer ends the drain.
    pub(super) fn record(&mut self, bytes: &[u8]) -> i32 {
        let was_over = self.is_over();
        let bytes = record::trimmed(bytes);
        if let Some(raw) = &mut self.raw {
            if let Err(error) = raw.append(bytes) {
                self.failure = Some(error);
            }
        }
        let outline = if self.can_repeat { Outline::of(bytes) } else { None };
        if !outline.as_ref().is_some_and(|outline| self.repeat(outline)) {
            self.dispatch(bytes, outline.as_ref());
        }
        // records after the end are only counted
        if was_over {
            0
        } else if self.is_over() {
            STOP
        } else if self.reporter.waiting() >= HAND_OVER_AT {
            self.flush(false)
        } else {
            0
        }
    }

    /// Decodes a record, and does with it what its kind asks for.
    fn dispatch(&mut self, bytes: &[u8], outline: Option<&Outline<'_>>) {
        if record::is_image(bytes) {
            self.take_image(bytes);
            return;
        }
        let images = Rc::clone(&self.images);
        let images = images.borrow();
        let decoded = record::decode_with(bytes, &images);
        self.ask_for_images(images.missed());
        match decoded {
            Ok(Record::Signal(snapshot)) => {
                self.accounting.received.signals += 1;
                let signal = self.attribute(snapshot);
                let id = self.take_id();
                // before any record that may refer to it
                self.history.note(id, &signal.snapshot, signal.verdict.origin);
                match self.pending.hold(id, signal, Instant::now()) {
                    Ok(ready) => self.write_ready(ready),
                    Err(signal) => self.write_signal(id, signal, outline),
                }
            }
            // taken where it came
            Ok(Record::Image(_)) => {}
            Ok(Record::Oom(mut oom)) => {
                self.accounting.received.others += 1;
                self.enricher.fill_oom(&mut oom);
                let ready = self.pending.on_oom(&oom);
                self.write_ready(ready);
            }
            Ok(Record::End(end)) => {
                self.accounting.received.others += 1;
                // a signal comes before the end that it caused, whatever it waits for
                if let Err(end) = self.pending.hold_end(end) {
                    self.write_end(*end);
                }
            }
            Ok(Record::Cgroup(cgroup)) => {
                self.accounting.received.others += 1;
                self.enricher.on_cgroup(&cgroup);
            }
            Ok(Record::Attempt(attempt)) => {
                self.accounting.received.attempts += 1;
                self.write_attempt(*attempt, None);
            }
            Ok(Record::Request(request)) => {
                self.accounting.received.others += 1;
                self.write_request(*request);
            }
            Err(error) => {
                tracing::warn!(%error, "a record could not be read");
                self.accounting.received.signals += 1;
                self.accounting.undecodable += 1;
            }
        }
    }

    fn take_image(&mut self, bytes: &[u8]) {
        match record::decode(bytes) {
            Ok(Record::Image(image)) => {
                self.images.borrow_mut().take(&image);
                if image.is_awaited {
                    let ready = self.pending.on_identity(&image.identity);
                    self.write_ready(ready);
                }
            }
            other => tracing::warn!(error = ?other.err(), "an image could not be read"),
        }
    }

    /// So many images that records refer to were not kept: from now on the kernel side reports each again.
    pub(super) fn ask_for_images(&mut self, missed: u64) {
        let (asked, known) = self.asked_for_images.unzip();
        if missed == known.unwrap_or_default()
            || asked.is_some_and(|asked: Instant| asked.elapsed() < EPOCH_AT_LEAST)
        {
            return;
        }
        self.asked_for_images = Some((Instant::now(), missed));
        self.session.forget_images();
    }

    /// What a line that is kept depends on beside its record.
    pub(super) fn state(&self) -> u64 {
        // each of them only grows
        self.enricher.state() + self.images.borrow().changes()
    }

    /// Decides what brought a signal about, by the kernel's stack if it came with one.
    fn attribute<'r>(&mut self, mut snapshot: Box<Snapshot<'r>>) -> AttributedSignal<'r> {
        self.enricher.explain(&mut snapshot);
        let mut signal = AttributedSignal::new(snapshot);
        if signal.verdict.origin == Origin::Kernel {
            self.enricher.name_functions(&mut signal.snapshot);
        }
        signal
    }

    /// Writes signals that wait no longer, and the ends behind them.
    fn write_ready(&mut self, ready: Vec<Ready>) {
        for one in ready {
            match one {
                Ready::Signal(signal) => self.write_signal(signal.id, signal.complete(), None),
                Ready::End(end) => self.write_end(*end),
            }
        }
    }

    /// Writes the signals that have waited long enough; at the end all that wait.
    pub(super) fn expire(&mut self, all: bool) {
        let ready = self.pending.expire(Instant::now(), all);
        self.write_ready(ready);
    }

    /// Completes the record; returns what is known beside it.
    fn context(&mut self, snapshot: &mut Snapshot<'_>) -> Context {
        self.enricher.fill_gaps(&mut snapshot.processes, self.session);
        self.enricher.fill_spawners(&mut snapshot.processes, &mut snapshot.spawners, self.session);
        self.enricher.strip_host_namespaces(&mut snapshot.current);
        self.enricher.strip_host_namespaces(&mut snapshot.target);
        let now = Instant::now();
        let mut of = |chain: &[usize], task| {
            let process = chain.first().and_then(|&place| snapshot.processes.get(place));
            process
                .map(|process| self.enricher.surroundings(task, process, snapshot.time, now))
                .unwrap_or_default()
        };
        let source = of(&snapshot.current_chain, &snapshot.current);
        let target = of(&snapshot.target_chain, &snapshot.target);
        Context {
            source,
            target,
            previous: self.history.previous(snapshot),
            last_signal_id: self.history.to_source(snapshot),
            child_death_id: snapshot.child_death.and_then(|death| self.history.death_id(&death)),
            repeated: None,
        }
    }

    /// Completes a chain that is alone in its record; returns what the host says of the process at its beginning.
    fn complete_alone(
        &mut self,
        processes: &mut [ProcessFacts<'_>],
        task: &mut Task,
        time: u64,
    ) -> Surroundings {
        self.enricher.fill_gaps(processes, self.session);
        self.enricher.strip_host_namespaces(task);
        let process = processes.first();
        process
            .map(|process| self.enricher.surroundings(task, process, time, Instant::now()))
            .unwrap_or_default()
    }

    fn take_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// Nothing more is written.
    pub(super) fn is_over(&self) -> bool {
        self.has_enough || self.failure.is_some()
    }

    fn has_printed_enough(&self) -> bool {
        self.config.count.is_some_and(|count| {
            self.accounting.reported.signals + self.accounting.reported.attempts >= count
        }) || self.reporter.is_over()
    }

    /// Hands over the lines that wait; at the end what is folded as well. A negative answer ends the drain. A closed pipe ends the
    /// trace, a full disk does not.
    pub(super) fn flush(&mut self, last: bool) -> i32 {
        self.reporter.flush(last);
        if self.reporter.ledger().is_closed() && self.failure.is_none() {
            self.failure = Some(io::ErrorKind::BrokenPipe.into());
        }
        if self.failure.is_some() { STOP } else { 0 }
    }
}
