//! `killsnoop record`: a trace that is kept, for `why` and `log`.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;

use super::stores::{self, StoreTarget};
use super::wiring::{Stopper, Terminal, Wiring};
use super::{begin, outputs, own_group, processes};
use crate::base::notify::{self, Notifier};
use crate::base::sanitize::visible;
use crate::cli::{Request, StoreArgs};
use crate::config::REQUESTS;
use crate::metrics::StoreGauge;
use crate::output::status::Purpose;
use crate::store::{DIRECTORY, StoreHelper, StoreStatus};
use crate::trace::privileges::Needs;
use crate::trace::{self, TraceOptions};
use crate::wire::comm_of;

/// The process that writes is looked at so often.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// And the service manager hears of it so often.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// Records until asked to stop.
///
/// # Errors
/// If tracing is not possible, or the store cannot be written.
pub fn record(mut request: Request, store: &StoreArgs, is_loud: bool) -> anyhow::Result<()> {
    begin()?;
    processes::resolve(&mut request)?;
    if !request.config.show_all {
        request.settings.left_out.own_group = own_group();
    }
    let group =
        store.store_group.as_deref().map(|name| stores::group(&request.config.root, name)).transpose()?;
    // what is printed beside is asked for
    if !request.is_format_given {
        request.settings.outputs.clear();
    }
    // who asked a service manager or a container runtime is half of many answers
    if request.config.requests.is_empty() {
        request.config.requests = REQUESTS.iter().map(|name| comm_of(name.as_bytes())).collect();
    }
    let directory = request.store.clone().unwrap_or_else(|| PathBuf::from(DIRECTORY));
    let journal = store.service.journal;
    let gap = journal.and_then(|_| super::journal::gap_before(&directory));
    let target = StoreTarget { directory, group, bounds: Some(store.bounds()), keeps: store.keep.into() };
    let helper = stores::add(&mut request, target)?;
    let journal = journal.map(|which| super::journal::add(&mut request, which, gap)).transpose()?;
    let gauge = StoreGauge::default();
    let (metrics, mut sink) = super::metrics::add(&mut request, &store.service, &gauge)?.unzip();
    let mut reporter = outputs::open(&request.settings, false)?;
    let wiring = Wiring::new()?;
    let terminal = if store.supervised { Terminal::Supervisors } else { Terminal::Ours };
    wiring.handle_all(terminal, reporter.has_files())?;
    let notifier = notifier(store.supervised)?;
    let purpose = format!("recording into {}", visible(helper.directory()));
    let status = is_loud.then_some(Purpose { text: purpose, has_counts: true });
    let reports = Wiring::reports()?;
    let (mut ended, ending) = UnixStream::pair().map(|(ended, ending)| (Some(ended), ending))?;
    let mut parts = Some((helper, notifier));
    let mut watcher = None;
    let mut when_ready = || {
        let stopper = wiring.stopper()?;
        let (Some((helper, notifier)), Some(ended)) = (parts.take(), ended.take()) else { return Ok(()) };
        notifier.say("READY=1\nSTATUS=recording");
        let watch = Watch {
            helper,
            stopper,
            notifier,
            watchdog: notify::watchdog(),
            beats: (wiring.beats(), 0),
            reports: Arc::clone(&reports),
            ended,
            gauge: gauge.clone(),
        };
        watcher = Some(thread::Builder::new().name("store".to_owned()).spawn(move || watch.run())?);
        Ok(())
    };
    let mut options = TraceOptions {
        when_ready: &mut when_ready,
        needs: Needs::default(),
        status,
        shows_start: is_loud,
        metrics: sink.as_mut(),
    };
    let outcome = trace::run(&request.config, &wiring.requests(), &mut reporter, &mut options);
    wiring.stop();
    drop(ending);
    let helper = match watcher.map(thread::JoinHandle::join) {
        Some(Ok(Ok(helper))) => Some(helper),
        Some(_) => {
            outcome?;
            bail!("the process that writes the store has ended: nothing can be kept");
        }
        None => parts.take().map(|(helper, _)| helper),
    };
    drop((reporter, sink));
    if let Some(metrics) = metrics {
        metrics.finish();
    }
    if let Some(journal) = journal {
        journal.finish();
    }
    let finished = stores::finish(helper, stores::reason(outcome.is_ok()));
    outcome?;
    finished
}

/// Who hears how the recorder fares: the service manager, by the process that started this one, if it is supervised.
fn notifier(is_supervised: bool) -> anyhow::Result<Notifier> {
    if !is_supervised {
        return Ok(Notifier::of_environment());
    }
    // it ends with that process, in order
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))?;
    Ok(Notifier::of_socket(io::stdin())?)
}

/// Looks after the process that writes, and says how it fares.
struct Watch {
    helper: StoreHelper,
    stopper: Stopper,
    notifier: Notifier,
    watchdog: Option<Duration>,
    /// Of the trace, and what they were when somebody heard of it.
    beats: (Arc<AtomicU64>, u64),
    reports: Arc<AtomicBool>,
    /// Its other end is closed when the trace has ended.
    ended: UnixStream,
    gauge: StoreGauge,
}

impl Watch {
    /// Until the trace ends. An error: the process that writes has ended before.
    fn run(mut self) -> Result<StoreHelper, ()> {
        let (mut said_at, mut heard_at) = (Instant::now(), Instant::now());
        let every = self.watchdog.map_or(LOOK_EVERY, |watchdog| LOOK_EVERY.min(watchdog / 3));
        while !self.stopper.is_stopped() {
            let Some(status) = self.helper.status() else {
                self.stopper.stop();
                return Err(());
            };
            if status.is_asked {
                self.stopper.ask_for_mark();
            }
            self.gauge.set(status);
            let text = || sentence(status);
            if self.reports.swap(false, Ordering::Relaxed) {
                tracing::info!("{}: {}", visible(self.helper.directory()), text());
            }
            if self.notifier.is_heard() && said_at.elapsed() >= SAY_EVERY {
                said_at = Instant::now();
                self.notifier.say(&format!("STATUS={}", text()));
            }
            let beats = self.beats.0.load(Ordering::Relaxed);
            let is_due = self.watchdog.is_some_and(|watchdog| heard_at.elapsed() >= watchdog / 3);
            if is_due && beats != self.beats.1 {
                (heard_at, self.beats.1) = (Instant::now(), beats);
                self.notifier.say("WATCHDOG=1");
            }
            self.helper.wait(every, &self.ended);
        }
        self.notifier.say("STOPPING=1");
        Ok(self.helper)
    }
}

fn sentence(status: StoreStatus) -> String {
    let StoreStatus { stored, lost, bytes, .. } = status;
    let lost = if lost > 0 { format!(", {lost} could not be kept") } else { String::new() };
    format!("{stored} events kept{lost}, {} MiB in use", bytes.div_ceil(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_what_was_kept_and_what_was_not() {
        let status = StoreStatus { stored: 12, bytes: 1, ..StoreStatus::default() };
        assert_eq!(sentence(status), "12 events kept, 1 MiB in use");
        assert_eq!(
            sentence(StoreStatus { lost: 3, ..status }),
            "12 events kept, 3 could not be kept, 1 MiB in use"
        );
    }
}
