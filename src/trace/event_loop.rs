//! The loop: drain the ring, let waiting signals expire, hand lines over, obey requests, sleep. Ends with every record
//! that the kernel side put into the ring.

use std::cell::RefCell;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::loss::{LossReporter, REPORT_EVERY};
use super::pipeline::Pipeline;
use super::titles::{self, TitleReader};
use super::{Outcome, Requests};
use crate::base::clock;
use crate::bpf::ring_reader::Ring;
use crate::bpf::session::Session;
use crate::correlate::pending::WAIT_AT_MOST;
use crate::error::TraceError;
use crate::metrics::MetricsSink;
use crate::output::status::{self, Status};

/// How often to look for loss that no record reveals.
const HOUSEKEEPING: Duration = titles::READ_EVERY;
/// A store hears so often up to when it has all; with each look for losses.
const MARK_EVERY: Duration = REPORT_EVERY;
/// What was refused is looked for so often while it is about to be taken.
const REFUSALS_WITHIN: Duration = Duration::from_millis(100);
/// How long to wait, at the end, for a record that was announced and does not come.
const ANNOUNCED_WITHIN: Duration = Duration::from_secs(1);
/// How long to continue at the end while records still come.
const DRAIN_NO_LONGER: Duration = Duration::from_secs(10);

/// Runs until the end of the trace. Returns what made writing impossible, if something did, and the outcome.
pub(super) fn run(
    pipeline: Pipeline<'_, '_>,
    requests: &Requests<'_>,
    mut status: Status,
    mut metrics: Option<&mut MetricsSink>,
) -> Result<(Option<io::Error>, Outcome), TraceError> {
    let (config, session) = (pipeline.config, pipeline.session);
    let pipeline = RefCell::new(pipeline);
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
    let mut refusals = session.refusals();
    let titles = TitleReader::start(session.take_titles());

    loop {
        requests.beats.fetch_add(1, Ordering::Relaxed);
        pipeline.borrow_mut().refresh(titles.as_ref());
        let is_asked = requests.mark.swap(false, Ordering::Relaxed);
        let before = clock::utc_now();
        let drained = ring.drain().map_err(failed)?;
        {
            let mut pipeline = pipeline.borrow_mut();
            pipeline.expire(false);
            pipeline.take_refusals(&mut refusals, false);
            let is_complete = loss_reporter.report_if_any(&mut pipeline, &refusals, is_asked);
            pipeline.flush(false);
            if is_complete && !ring.is_cut() && pipeline.pending.waiting() == 0 {
                pipeline.reporter.mark(before);
            }
        }
        let is_over = pipeline.borrow().is_over();
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if is_over || requests.stop.load(Ordering::Relaxed) || left.is_some_and(|left| left.is_zero()) {
            break;
        }
        pipeline.borrow_mut().obey(requests);
        if let Some(sink) = &mut metrics {
            pipeline.borrow().send_metrics(sink);
        }
        if drained != Some(0) {
            status.put_off();
        }
        status.show(|| pipeline.borrow().status());
        if !ring.is_cut() {
            let mut longest = pipeline.borrow().longest_wait(&status);
            if refusals.is_waiting() {
                longest = longest.min(REFUSALS_WITHIN);
            }
            let limit = left.unwrap_or(longest).min(longest);
            ring.wait(drained != Some(0), limit).map_err(failed)?;
            empty(requests.interrupt);
        }
    }

    session.stop();
    drain_the_rest(&ring, &pipeline, session).map_err(failed)?;
    let mut pipeline = pipeline.borrow_mut();
    pipeline.expire(true);
    pipeline.take_refusals(&mut refusals, true);
    let _ = loss_reporter.report_if_any(&mut pipeline, &refusals, true);
    pipeline.flush(true);
    pipeline.reporter.wait_until_written(requests.hurry);
    drop(status);
    let is_closed = pipeline.failure.as_ref().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
    pipeline.report_end(is_closed);
    pipeline.reporter.write_summary(&pipeline.worst_authors);
    let outcome = Outcome {
        signals: pipeline.accounting.reported.signals,
        hidden: session.totals().hidden.sum(),
        lost: pipeline.lost().of_signals(),
        watched: session.watched(),
        end: pipeline.end.take(),
    };
    Ok((pipeline.failure.take(), outcome))
}

/// After the hook is off, a program may still be running on another CPU: waits for everything that it emits, so that the
/// counters add up.
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
        let is_over = totals.is_settled() && pipeline.borrow().accounting.received.has_all(&totals);
        if is_over || came_at.elapsed() > ANNOUNCED_WITHIN {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn empty(mut interrupt: &UnixStream) {
    let mut bytes = [0; 64];
    while matches!(interrupt.read(&mut bytes), Ok(count) if count > 0) {}
}

impl Pipeline<'_, '_> {
    /// What changes without a record: the clock, the host's files, the titles.
    fn refresh(&mut self, titles: Option<&TitleReader>) {
        self.clock = self.clock.again();
        self.enricher.refresh_files(Instant::now());
        if let Some(titles) = titles {
            titles.take(&mut self.enricher);
        }
    }

    fn obey(&mut self, requests: &Requests<'_>) {
        if requests.report.swap(false, Ordering::Relaxed) {
            self.reporter.wait_a_moment();
            self.report_so_far();
            self.reporter.write_summary(&self.worst_authors);
        }
        if requests.reopen.swap(false, Ordering::Relaxed) {
            self.reporter.reopen();
        }
    }

    /// How long nothing needs to look at the clock.
    fn longest_wait(&self, status: &Status) -> Duration {
        let mut longest = if self.pending.waiting() > 0 { WAIT_AT_MOST } else { HOUSEKEEPING };
        // who asks a store waits for the next mark
        if self.reporter.has_store() {
            longest = longest.min(MARK_EVERY);
        }
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
}
