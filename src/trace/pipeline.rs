//! The way of the data: ring, decode, complete, judge, write. One thread, one direction.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use super::privileges::Needs;
use super::{priority, privileges, pushdown};
use crate::base::sanitize::visible;
use crate::bpf::load::try_trampoline;
use crate::bpf::plan::{self, Attempts, Plan};
use crate::bpf::probe;
use crate::bpf::ring::{Ring, STOP};
use crate::bpf::selection::Selection;
use crate::bpf::session::{HIDDEN_NAMES, Session, Totals, boot_time, read_titles};
use crate::config::{ALL_SIGNALS, Config};
use crate::correlate::history::{History, SignalNote};
use crate::correlate::pending::{PendingSignals, Ready, WAIT_AT_MOST};
use crate::enrich::Enricher;
use crate::enrich::titles::Titles;
use crate::error::TraceError;
use crate::event::context::Context;
use crate::event::origin::{self, Origin};
use crate::event::{AttemptEvent, Clock, EndEvent, Event, Lost, LostEvent, SignalEvent};
use crate::output::Reporter;
use crate::output::deliver::opener::{Opened, Opener, Sort};
use crate::output::deliver::writer::Counts;
use crate::output::format::line_template::EventStamp;
use crate::output::line_cache::{self, CachedEvent, LineCache, Outline};
use crate::output::status::{self, Status};
use crate::record::{self, AttemptFacts, EndFacts, Ending, ProcessFacts, Record, Snapshot};
use crate::wire::MAX_ANCESTORS;

/// A chunk that is written at once although more is coming.
const WRITE_AT: usize = 128 * 1024;
/// How often loss that nothing else brings to light is looked for.
const HOUSEKEEPING: Duration = READ_TITLES_EVERY;
/// How long to wait, at the end, for a record that was announced and does not come.
const GIVE_UP_AFTER: Duration = Duration::from_secs(1);
/// How long to go on at the end while records still come.
const DRAIN_NO_LONGER: Duration = Duration::from_secs(10);
/// How often the live titles are read, unless that takes long.
const READ_TITLES_EVERY: Duration = Duration::from_secs(2);
/// At most one `lost` event in this time.
const REPORT_LOSS_EVERY: Duration = Duration::from_secs(1);

/// What asks the tracer for something, from a signal handler.
#[derive(Debug)]
pub struct Requests<'a> {
    /// To end.
    pub stop: &'a AtomicBool,
    /// Not to wait for an output that takes nothing.
    pub hurry: &'a AtomicBool,
    /// To say the counters.
    pub report: &'a AtomicBool,
    /// To open the files of outputs anew.
    pub reopen: &'a AtomicBool,
    /// Gets a byte at the same time, so that no wait sleeps over it. Must not block.
    pub interrupt: &'a UnixStream,
}

/// What the caller wants beside the events.
pub struct TraceOptions<'a> {
    /// Called when every hook is attached and nothing more than tracing is allowed to this process.
    pub when_ready: &'a mut dyn FnMut() -> io::Result<()>,
    /// What must still be allowed then.
    pub needs: Needs,
    /// A status line, where somebody looks at it.
    pub has_status: bool,
}

impl std::fmt::Debug for TraceOptions<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TraceOptions").field("needs", &self.needs).finish_non_exhaustive()
    }
}

/// What came of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Signals that were reported.
    pub signals: u64,
    /// Signals that were hidden by default.
    pub hidden: u64,
    /// Signals that were lost.
    pub lost: u64,
    /// How long every signal was seen.
    pub watched: Duration,
    /// The last end of a process that was asked for ([`Config::reports_ends`]), whatever filters let through.
    pub end: Option<End>,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Its name.
    pub comm: String,
    /// How.
    pub ending: Ending,
    /// How long it lived.
    pub lived: Duration,
}

/// Where events come out: decoded, completed, judged, formatted, written.
struct Pipeline<'a, 'obj> {
    config: &'a Config,
    session: &'a Session<'obj>,
    enricher: Enricher,
    pending: PendingSignals,
    history: History,
    reporter: &'a mut Reporter,
    raw: Option<File>,
    clock: Clock,
    line_cache: LineCache,
    can_repeat: bool,
    next_id: u64,
    /// What the reporter took.
    reported: Counts,
    /// Of these, what was not handed over yet.
    in_buffer: Counts,
    /// Signals that a filter of the reporter refused.
    filtered: u64,
    filtered_attempts: u64,
    unprinted: u64,
    received: u64,
    unprinted_attempts: u64,
    received_attempts: u64,
    /// Ends and OOM kills.
    received_others: u64,
    undecodable: u64,
    failure: Option<io::Error>,
    ended: bool,
    /// See [`Outcome::end`].
    end: Option<End>,
}

impl Pipeline<'_, '_> {
    /// One record; a negative answer ends the drain.
    fn record(&mut self, bytes: &[u8]) -> i32 {
        let was_over = self.is_over();
        if let Some(raw) = &mut self.raw {
            let length = (bytes.len() as u32).to_ne_bytes();
            if let Err(error) = raw.write_all(&length).and_then(|()| raw.write_all(bytes)) {
                self.failure = Some(error);
            }
        }
        let outline = if self.can_repeat { Outline::of(bytes) } else { None };
        if !outline.as_ref().is_some_and(|outline| self.repeat(outline)) {
            self.read(bytes, outline.as_ref());
        }
        // what comes after the end is only counted
        if was_over {
            0
        } else if self.is_over() {
            STOP
        } else if self.reporter.waiting() >= WRITE_AT {
            self.flush(false)
        } else {
            0
        }
    }

    /// A signal that is one before once more is told as that was; False: it is not, or not to be told so.
    fn repeat(&mut self, outline: &Outline<'_>) -> bool {
        if self.is_over() {
            return false;
        }
        let Some(made) = self.line_cache.find(outline, self.enricher.state()) else { return false };
        let previous = outline
            .previous
            .and_then(|(time, signal)| self.history.previous_of_repeat(&made.noted, time, signal));
        if previous.map(|(_, origin)| origin) != made.previous {
            return false;
        }
        let moment = EventStamp {
            id: self.next_id,
            time: outline.time,
            clock: self.clock,
            previous_id: previous.map(|(id, _)| id),
            previous_time: outline.previous.map_or(0, |(time, _)| time),
        };
        self.history.note_repeat(moment.id, moment.time, &made.noted);
        let is_reported = self.reporter.repeat(&made.kept, &moment);
        self.next_id += 1;
        self.received += 1;
        self.count(is_reported);
        true
    }

    /// A record that is to be decoded.
    fn read(&mut self, bytes: &[u8], outline: Option<&Outline<'_>>) {
        match record::decode(bytes) {
            Ok(Record::Signal(mut snapshot)) => {
                self.received += 1;
                self.explain(&mut snapshot);
                let id = self.take_id();
                // before any record that may refer to it
                self.history.note(id, &snapshot);
                match self.pending.hold(id, bytes, &snapshot, Instant::now()) {
                    Some(told) => self.report_all(&told),
                    None => self.tell(id, *snapshot, outline),
                }
            }
            Ok(Record::Identity(identity)) => {
                let told = self.pending.on_identity(&identity);
                self.report_all(&told);
            }
            Ok(Record::Oom(oom)) => {
                self.received_others += 1;
                let told = self.pending.on_oom(&oom);
                self.report_all(&told);
            }
            Ok(Record::End(end)) => {
                self.received_others += 1;
                // a signal comes before the end that it caused, whatever it waits for
                if !self.pending.hold_end(bytes, &end) {
                    self.write_end(*end);
                }
            }
            Ok(Record::Cgroup(cgroup)) => {
                self.received_others += 1;
                self.enricher.on_cgroup(&cgroup);
            }
            Ok(Record::Attempt(attempt)) => {
                self.received_attempts += 1;
                self.write_attempt(*attempt);
            }
            Err(error) => {
                tracing::warn!(%error, "a record could not be read");
                self.received += 1;
                self.undecodable += 1;
            }
        }
    }

    /// Reads the kernel's stack, if the signal came with one.
    fn explain(&mut self, snapshot: &mut Snapshot<'_>) {
        self.enricher.explain(snapshot);
        if origin::decide(snapshot).origin == Origin::Kernel {
            self.enricher.name_functions(snapshot);
        }
    }

    fn is_over(&self) -> bool {
        self.ended || self.failure.is_some()
    }

    /// Signals that have waited long enough for a command line; all that wait, at the end.
    fn expire(&mut self, all: bool) {
        let told = self.pending.expire(Instant::now(), all);
        self.report_all(&told);
    }

    /// Signals that wait no more.
    fn report_all(&mut self, told: &[Ready]) {
        for one in told {
            // each was decoded before
            match one {
                Ready::Signal(signal) => {
                    if let Some(mut snapshot) = signal.snapshot() {
                        self.explain(&mut snapshot);
                        self.tell(signal.id, *snapshot, None);
                    }
                }
                Ready::End(bytes) => {
                    if let Ok(Record::End(end)) = record::decode(bytes) {
                        self.write_end(*end);
                    }
                }
            }
        }
    }

    /// One signal: completed, judged, printed. With its outline it may be kept, for those that are the same.
    fn tell(&mut self, id: u64, mut snapshot: Snapshot<'_>, outline: Option<&Outline<'_>>) {
        if self.is_over() {
            self.unprinted += 1;
            return;
        }
        if snapshot.oom.is_some() {
            self.history.note_oom(id, &snapshot);
        }
        let outline = outline.filter(|outline| self.line_cache.is_wanted(outline));
        // only what the record alone is made of, and no other process
        let noted = outline.and_then(|_| SignalNote::of(&snapshot));
        let (state, unsettled) = (self.enricher.state(), self.enricher.unsettled());
        let context = self.context(&mut snapshot);
        let is_settled = self.enricher.unsettled() == unsettled;
        if let Some(oom) = &mut snapshot.oom {
            self.enricher.fill_oom(oom);
        }
        let Some(event) = SignalEvent::new(snapshot, id, self.clock, context) else {
            self.undecodable += 1;
            return;
        };
        if self.is_too_young(event.target()) {
            self.count(false);
            return;
        }
        let from = line_cache::valid_from(&event).map(|from| from.max(self.enricher.titles_valid_from()));
        let from = from.filter(|&from| is_settled && from <= event.facts.time);
        let previous = event.context.previous.map(|(_, origin)| origin);
        let event = Event::Signal(Box::new(event));
        let (Some(outline), Some(noted), Some(from)) = (outline, noted, from) else {
            let is_reported = self.reporter.report(&event);
            self.count(is_reported);
            return;
        };
        let (is_reported, kept) = self.reporter.report_to_repeat(&event);
        if let Some(kept) = kept {
            self.line_cache.keep(outline, CachedEvent { state, from, noted, previous, kept });
        }
        self.count(is_reported);
    }

    /// Has this process started after those that were asked for?
    fn is_too_young(&self, target: &ProcessFacts<'_>) -> bool {
        self.config.started_by.is_some_and(|by| target.start > by)
    }

    /// A signal was reported, or refused by a filter.
    fn count(&mut self, is_reported: bool) {
        if is_reported {
            self.reported.signals += 1;
            self.in_buffer.signals += 1;
        } else {
            self.filtered += 1;
        }
        self.ended = self.has_printed_enough();
    }

    /// Completes the record, and tells what is known beside it.
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
        }
    }

    /// An attempt counts as a signal does.
    fn write_attempt(&mut self, mut attempt: AttemptFacts<'_>) {
        if self.is_over() {
            self.unprinted_attempts += 1;
            return;
        }
        let context = self.context(&mut attempt.facts);
        let Some(event) = AttemptEvent::new(attempt, self.take_id(), self.clock, context) else {
            self.undecodable += 1;
            return;
        };
        if self.reporter.report(&Event::Attempt(Box::new(event))) {
            self.reported.attempts += 1;
            self.in_buffer.attempts += 1;
        } else {
            self.filtered_attempts += 1;
        }
        self.ended = self.has_printed_enough();
    }

    fn write_end(&mut self, mut end: EndFacts<'_>) {
        if self.is_over() || !self.pending.is_first_of(&end) {
            return;
        }
        if end.processes.first().is_some_and(|process| self.is_too_young(process)) {
            return;
        }
        self.enricher.fill_gaps(&mut end.processes, self.session);
        self.enricher.strip_host_namespaces(&mut end.task);
        let surroundings = end
            .processes
            .first()
            .map(|process| self.enricher.surroundings(&end.task, process, end.time, Instant::now()))
            .unwrap_or_default();
        let of_process =
            end.processes.first().filter(|_| self.config.reports_ends && !end.is_thread).map(|process| {
                let comm = self.reporter.name(&process.comm);
                let lived = Duration::from_nanos(end.time.saturating_sub(process.start));
                End { comm, ending: end.ending, lived }
            });
        let after = self.history.after(&end);
        let id = self.take_id();
        self.history.note_end(id, &end, after.as_ref());
        let since = self.session.watched_since;
        if let Some(event) = EndEvent::new(end, id, self.clock, since, after, surroundings) {
            // the ends of others are refused by a filter
            if self.reporter.report(&Event::End(Box::new(event))) && of_process.is_some() {
                self.end = of_process;
            }
            self.ended = self.has_printed_enough();
        }
    }

    fn take_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    fn has_printed_enough(&self) -> bool {
        self.config.count.is_some_and(|count| self.reported.signals + self.reported.attempts >= count)
            || self.reporter.is_over()
    }

    /// Hands over what waits; at the end what is folded as well. A closed pipe ends the trace, a full disk does not.
    fn flush(&mut self, last: bool) -> i32 {
        self.reporter.flush(last, std::mem::take(&mut self.in_buffer));
        if self.reporter.ledger().is_closed() && self.failure.is_none() {
            self.failure = Some(io::ErrorKind::BrokenPipe.into());
        }
        if self.failure.is_some() { STOP } else { 0 }
    }
}

/// Records hold what lines hold, before anything is redacted: the file must be what that of an output must be.
fn create(path: &Path) -> Result<File, TraceError> {
    let failed = |refusal| TraceError::Output { place: visible(path), refusal };
    match Opener::here(&[path.to_owned()]).open(0, None).map_err(failed)? {
        Opened::File(file, Sort::Regular) => {
            file.set_len(0).map_err(|error| failed(error.into()))?;
            Ok(file)
        }
        Opened::File(file, Sort::Device) => Ok(file),
        Opened::File(_, Sort::Fifo) | Opened::Unread | Opened::Same => {
            Err(failed(io::Error::other("records are written to no FIFO").into()))
        }
    }
}

fn now() -> i128 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec)
}

/// Traces until asked to stop.
///
/// # Errors
/// If tracing cannot begin, or the ring can no longer be read. A closed pipe is no error.
pub fn run(
    config: &Config,
    requests: &Requests<'_>,
    reporter: &mut Reporter,
    options: &mut TraceOptions<'_>,
) -> Result<Outcome, TraceError> {
    let began = Instant::now();
    let mut host = probe::host();
    // only a trial tells, and only this asks
    host.has_trampolines =
        config.wants_attempts() && host.missing_capabilities.is_empty() && try_trampoline();
    let plan = plan::plan(&host, config)?;
    let raw = match &config.record_to {
        Some(path) => Some(create(path)?),
        None => None,
    };
    let probed = began.elapsed();
    let mut storage = MaybeUninit::uninit();
    let selection = pushdown::select(reporter.conditions(), reporter.redacts(), plan.follows_trees);
    let mut config = config.clone();
    if selection.trees.is_empty() && !reporter.conditions().trees.is_empty() {
        // who is below whom is then read off the chain of parents: the longer, the surer
        config.max_tree_depth = MAX_ANCESTORS;
    }
    let config = &config;
    let session = Session::start(&mut storage, &plan, config, &selection)?;
    // where not everybody is known, the chain of parents says as much as can be said
    if !selection.trees.is_empty() && session.seeded.outstanding == 0 {
        reporter.trust_trees();
    }
    let legacy_hierarchy = plan.legacy_cgroups.map_or(0, |legacy| legacy.hierarchy);
    let mut enricher = Enricher::new(&config.root, legacy_hierarchy, plan.shares_pids);
    if !plan.shares_pids {
        enricher.remember_everybody();
    }
    priority::raise();
    let has_all = plan.iterates && session.seeded.outstanding + session.seeded.unreadable == 0;
    let needs = Needs {
        asks_proc: !plan.shares_pids || !has_all,
        has_root: config.root != Path::new("/"),
        ..options.needs
    };
    let kept = privileges::drop(needs, &config.root.join("proc"));
    say_ready(&session, plan, probed, began.elapsed());
    say_filters(config, &selection, reporter, &kept);
    (options.when_ready)().map_err(|error| TraceError::system("begin what is to be traced", error))?;
    let status = Status::new(options.has_status);
    match trace(config, requests, reporter, &session, enricher, raw, status)? {
        (Some(error), _) if error.kind() != io::ErrorKind::BrokenPipe => Err(TraceError::Raw(error)),
        (_, outcome) => Ok(outcome),
    }
}

/// The loop. Returns what made writing impossible, if something did, and what came of the trace.
fn trace(
    config: &Config,
    requests: &Requests<'_>,
    reporter: &mut Reporter,
    session: &Session<'_>,
    enricher: Enricher,
    raw: Option<File>,
    mut status: Status,
) -> Result<(Option<io::Error>, Outcome), TraceError> {
    let pipeline = RefCell::new(Pipeline {
        config,
        session,
        enricher,
        pending: PendingSignals::default(),
        history: History::default(),
        can_repeat: reporter.can_repeat(),
        reporter,
        raw,
        clock: Clock::start(),
        line_cache: LineCache::default(),
        next_id: 1,
        reported: Counts::default(),
        in_buffer: Counts::default(),
        filtered: 0,
        filtered_attempts: 0,
        unprinted: 0,
        received: 0,
        unprinted_attempts: 0,
        received_attempts: 0,
        received_others: 0,
        undecodable: 0,
        failure: None,
        ended: false,
        end: None,
    });
    let failed = |error| TraceError::system("read the ring", error);
    let ring = Ring::new(
        session.records(),
        session.reader_state(),
        (config.ring_bytes / 4) as usize,
        requests.interrupt.as_fd(),
        |bytes| pipeline.borrow_mut().record(bytes),
    )
    .map_err(failed)?;
    let deadline = config.duration.and_then(|duration| Instant::now().checked_add(duration));
    let mut loss_reporter = LossReporter::default();
    let titles = TitleReader::start(session.take_titles());

    loop {
        {
            let mut pipeline = pipeline.borrow_mut();
            pipeline.clock = pipeline.clock.again();
            pipeline.enricher.look_again(Instant::now());
        }
        if let Some(titles) = &titles {
            titles.take(&mut pipeline.borrow_mut().enricher);
        }
        let drained = ring.drain().map_err(failed)?;
        pipeline.borrow_mut().expire(false);
        loss_reporter.report_if_any(&pipeline, false);
        pipeline.borrow_mut().flush(false);
        let is_over = pipeline.borrow().is_over();
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if is_over || requests.stop.load(Ordering::Relaxed) || left.is_some_and(|left| left.is_zero()) {
            break;
        }
        if requests.report.swap(false, Ordering::Relaxed) {
            pipeline.borrow().reporter.wait_a_moment();
            pipeline.borrow().say_counters("so far");
            pipeline.borrow().reporter.say_summary();
        }
        if requests.reopen.swap(false, Ordering::Relaxed) {
            pipeline.borrow_mut().reporter.reopen();
        }
        if drained != Some(0) {
            status.put_off();
        }
        status.show(|| pipeline.borrow().status());
        if !ring.is_cut() {
            let longest = pipeline.borrow().longest_wait(&status);
            let limit = left.unwrap_or(longest).min(longest);
            ring.wait(drained != Some(0), limit).map_err(failed)?;
            empty(requests.interrupt);
        }
    }

    session.stop();
    drain_the_rest(&ring, &pipeline, session).map_err(failed)?;
    pipeline.borrow_mut().expire(true);
    loss_reporter.report_if_any(&pipeline, true);
    let mut pipeline = pipeline.borrow_mut();
    pipeline.flush(true);
    pipeline.reporter.wait_until_written(requests.hurry);
    drop(status);
    pipeline.say_counters("total");
    pipeline.reporter.say_summary();
    let outcome = Outcome {
        signals: pipeline.reported.signals,
        hidden: session.totals().all_hidden(),
        lost: pipeline.lost().of_signals(),
        watched: session.watched(),
        end: pipeline.end.take(),
    };
    Ok((pipeline.failure.take(), outcome))
}

/// After the hook is off, a program may still be running on another CPU: everything that it emits is waited
/// for, so that the counters add up.
fn drain_the_rest(
    ring: &Ring<'_>,
    pipeline: &RefCell<Pipeline<'_, '_>>,
    session: &Session<'_>,
) -> io::Result<()> {
    let mut came_at = Instant::now();
    let began = Instant::now();
    loop {
        let drained = ring.drain()?;
        pipeline.borrow_mut().flush(false);
        // a full ring is drained in less
        if drained != Some(0) && began.elapsed() < DRAIN_NO_LONGER {
            came_at = Instant::now();
            continue;
        }
        let totals = session.totals();
        let is_over = totals.is_settled() && pipeline.borrow().has_received(&totals);
        if is_over || came_at.elapsed() > GIVE_UP_AFTER {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn empty(mut interrupt: &UnixStream) {
    let mut bytes = [0; 64];
    while matches!(interrupt.read(&mut bytes), Ok(count) if count > 0) {}
}

/// Reads the live titles of all processes now and then, on a thread of its own: the memory of a process that hangs can
/// make a reader of it hang, and then nobody would drain the ring.
struct TitleReader {
    titles: Receiver<Titles>,
}

impl TitleReader {
    /// None where this kernel has no such iterator. Nobody waits for the thread: it ends with the process, or when
    /// nobody listens any more.
    fn start(link: Option<OwnedFd>) -> Option<Self> {
        let link = link?;
        let (sender, titles) = std::sync::mpsc::sync_channel(1);
        let read_them = move || {
            loop {
                let (began, spent) = (Instant::now(), thread_time());
                let mut titles = Titles::of_time(boot_time());
                match read_titles(link.as_fd(), &mut |title| titles.keep(&title)) {
                    Ok(()) => {
                        if sender.send(titles).is_err() {
                            return;
                        }
                    }
                    Err(error) => tracing::warn!(%error, "the titles of processes could not be read"),
                }
                // the more there are to read, the more seldom: it takes a thousandth of one CPU at most
                let pause = (thread_time().saturating_sub(spent) * 1000).max(READ_TITLES_EVERY);
                std::thread::sleep(pause.saturating_sub(began.elapsed()));
            }
        };
        std::thread::Builder::new().name("titles".to_owned()).spawn(read_them).ok()?;
        Some(Self { titles })
    }

    /// Takes what was read last, if anything new was.
    fn take(&self, enricher: &mut Enricher) {
        if let Ok(titles) = self.titles.try_recv() {
            enricher.on_titles(titles);
        }
    }
}

/// CPU time of this thread.
fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// Says in the stream what was lost, soon after it was and not too often.
#[derive(Debug, Default)]
struct LossReporter {
    told: Lost,
    reported_at: Option<Instant>,
}

impl LossReporter {
    fn report_if_any(&mut self, pipeline: &RefCell<Pipeline<'_, '_>>, last: bool) {
        if !last && self.reported_at.is_some_and(|reported_at| reported_at.elapsed() < REPORT_LOSS_EVERY) {
            return;
        }
        let mut pipeline = pipeline.borrow_mut();
        let all = pipeline.lost();
        let new = all.since(self.told);
        self.reported_at = Some(Instant::now());
        if new.total() == 0 {
            return;
        }
        self.told = all;
        pipeline.reporter.report(&Event::Lost(LostEvent { time: now(), lost: new }));
    }
}

impl Pipeline<'_, '_> {
    /// Everything that the kernel side put into the ring has come.
    fn has_received(&self, totals: &Totals) -> bool {
        self.received >= totals.emitted
            && self.received_attempts >= totals.attempts[2]
            && self.received_others >= totals.ends[0] + totals.ooms[0] + totals.cgroups[0]
    }

    fn lost(&self) -> Lost {
        Lost {
            undecodable: self.undecodable,
            lines: self.reporter.refused(),
            ..lost_by_kernel(&self.session.totals())
        }
    }

    /// How long nobody needs to look at the clock.
    fn longest_wait(&self, status: &Status) -> Duration {
        let mut longest = if self.pending.waiting() > 0 { WAIT_AT_MOST } else { HOUSEKEEPING };
        if status.is_wanted() {
            longest = longest.min(status::EVERY);
        }
        match self.reporter.next_due() {
            Some(due) => {
                longest.min(due.saturating_duration_since(Instant::now()).max(Duration::from_millis(1)))
            }
            None => longest,
        }
    }

    fn status(&self) -> status::Facts {
        let totals = self.session.totals();
        let seeded = self.session.seeded;
        status::Facts {
            seen: totals.generated,
            hidden: totals.all_hidden(),
            filtered: totals.filtered + self.filtered,
            lost: self.lost().of_signals(),
            processes: u64::from(seeded.by_iterator) + u64::from(seeded.from_proc),
        }
    }

    /// generated = printed + hidden + filtered (in the kernel, and later) + lost (+ not printed), and each part by
    /// cause.
    fn say_counters(&self, when: &str) {
        let totals = self.session.totals();
        let lost = self.lost();
        let hidden: Vec<String> = HIDDEN_NAMES
            .iter()
            .zip(totals.hidden)
            .filter(|&(_, count)| count > 0)
            .map(|(name, count)| format!("{name}={count}"))
            .collect();
        let in_ring = totals.emitted.saturating_sub(self.received);
        let printed = self.reporter.ledger().printed();
        // what is on its way is not known to be written
        let unwritten = Counts {
            signals: self.reported.signals - printed.signals,
            attempts: self.reported.attempts - printed.attempts,
        };
        tracing::info!(
            generated = totals.generated,
            printed = printed.signals,
            hidden = totals.all_hidden(),
            filtered = totals.filtered,
            lost = lost.of_signals(),
            unprinted = self.unprinted + in_ring + self.pending.waiting() as u64 + unwritten.signals,
            filtered_user = self.filtered,
            "signals {when}"
        );
        if !hidden.is_empty() {
            tracing::info!("hidden by default, by class: {} (--all shows them)", hidden.join(" "));
        }
        if lost.of_signals() > 0 {
            tracing::warn!(
                ring_full = lost.ring_full,
                recursion = lost.recursion,
                undecodable = lost.undecodable,
                "signals lost, by cause"
            );
        }
        let [attempts, filtered, emitted, dropped] = totals.attempts;
        if self.config.wants_attempts() {
            tracing::info!(
                seen = attempts,
                printed = printed.attempts,
                filtered,
                lost = dropped,
                unprinted = self.unprinted_attempts
                    + emitted.saturating_sub(self.received_attempts)
                    + unwritten.attempts,
                filtered_user = self.filtered_attempts,
                attempt_hook_misses = totals.missed.returns,
                "attempts {when}"
            );
            if totals.missed.returns > 0 {
                tracing::warn!(
                    at_most = totals.missed.returns,
                    "attempts may be missing: the kernel skipped the hook"
                );
            }
        }
        if self.config.outcomes && totals.missed.ends_at_most() > 0 {
            tracing::warn!(
                at_most = totals.missed.ends_at_most(),
                "ends may be missing: the kernel skipped both hooks"
            );
        }
        for (place, events) in self.reporter.unwritten() {
            tracing::warn!(events, "not known to be written to {place}");
        }
        let missed = totals.missed;
        tracing::info!(
            completed_from_kernel = self.enricher.from_kernel,
            completed_from_proc = self.enricher.from_proc,
            titles_dropped = self.enricher.titles_dropped,
            cgroup_paths_dropped = self.enricher.cgroup_paths_dropped(),
            late_argv = totals.late_argv[0],
            late_argv_lost = totals.late_argv[1],
            no_memory = totals.no_memory,
            unreadable = totals.unreadable,
            fork_unknown = totals.fork_unknown,
            ghosts_left = totals.ghosts[0],
            ghosts_dropped = totals.ghosts[1],
            ends_unknown = totals.ends_unknown,
            missed_execs = missed.execs,
            missed_forks = missed.forks,
            missed_exits = missed.exits,
            recovery_hook_misses = missed.recoveries.iter().sum::<u64>(),
            missed_ooms = missed.ooms,
            missed_cgroups = missed.cgroups,
            recovered = totals.healed.iter().sum::<u64>(),
            wakeups = totals.wakeups,
            "identities {when}"
        );
    }
}

/// What found no room in the ring, and what a skipped hook would have sent for sure.
fn lost_by_kernel(totals: &Totals) -> Lost {
    Lost {
        ring_full: totals.ring_full,
        recursion: totals.missed.signals,
        attempts: totals.attempts[3],
        ends: totals.ends[1],
        ooms: totals.ooms[1] + totals.missed.ooms,
        cgroups: totals.cgroups[1] + totals.missed.cgroups,
        ..Lost::default()
    }
}

/// Which filters run where, and what is still allowed.
fn say_filters(config: &Config, selection: &Selection, reporter: &Reporter, kept: &str) {
    let mut in_kernel: Vec<&str> = selection.words.iter().map(String::as_str).collect();
    if config.shown_signals != ALL_SIGNALS {
        in_kernel.push("--include-signals and --exclude-signals");
    }
    if !config.ignored_source_comms.is_empty() {
        in_kernel.push("--ignore-source-comm");
    }
    if !config.show_all {
        in_kernel.push("what is hidden by default");
    }
    let later = reporter.filters();
    tracing::debug!(
        "filters in the kernel: {}; after the ring: {}",
        if in_kernel.is_empty() { "none".to_owned() } else { in_kernel.join(", ") },
        if later.is_empty() { "none" } else { &later }
    );
    tracing::debug!("capabilities kept: {kept}");
}

fn say_ready(session: &Session<'_>, plan: Plan, probed: Duration, total: Duration) {
    if !plan.has_via {
        tracing::warn!("this kernel cannot tell the system call of a signal (5.15 can): no via, no scope");
    }
    if plan.is_untested {
        tracing::warn!("this kernel is older than those that killsnoop is tested on (from Linux 5.17 on)");
    }
    if !plan.shares_pids {
        tracing::warn!(
            "in a pid namespace of its own: command lines of processes older than killsnoop come from /proc under --root"
        );
    }
    if plan.attempts == Attempts::SyscallExits {
        tracing::warn!(
            "--failed and --probes: this kernel has no BPF trampolines, so every system call of this host is some 75 ns slower while killsnoop runs"
        );
    }
    let timings = session.timings;
    tracing::debug!(?plan, "planned");
    tracing::debug!(?probed, load = ?timings.load, attach = ?timings.attach, seed = ?timings.seed, "started");
    if session.seeded.outstanding > 0 {
        tracing::warn!(
            "{} processes are not known: the memory of one of them could not be read within a second (a file system that does not answer?); their command lines are read when a signal needs them",
            session.seeded.outstanding
        );
    }
    tracing::info!(
        "ready in {:.0} ms: hooks attached, processes seeded: {} by the kernel's task iterator, {} from /proc, in {:.1} ms{}",
        total.as_secs_f64() * 1e3,
        session.seeded.by_iterator,
        session.seeded.from_proc,
        timings.seed.as_secs_f64() * 1e3,
        match session.seeded.unreadable {
            0 => String::new(),
            count => format!(", {count} could not be read"),
        }
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bpf::session::Missed;

    #[test]
    fn a_skip_that_loses_something_is_loss() {
        let missed =
            Missed { signals: 1, ooms: 2, cgroups: 4, execs: 8, forks: 8, exits: 8, ..Missed::default() };
        let lost = lost_by_kernel(&Totals { missed, ooms: [0, 16], cgroups: [0, 32], ..Totals::default() });
        assert_eq!((lost.recursion, lost.ooms, lost.cgroups), (1, 18, 36));
        assert_eq!(lost.total(), 1 + 18 + 36, "the others are recovered");
        assert_eq!(missed.ends_at_most(), 0);
        assert_eq!(Missed { recoveries: [0, 0, 3], ..missed }.ends_at_most(), 3);
    }
}
