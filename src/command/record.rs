//! `killsnoop record`: a trace that is kept, for `why` and `log`.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use anyhow::bail;

use super::stores::{self, StoreTarget};
use super::wiring::{Stopper, Terminal, Wiring};
use super::{begin, outputs, own_group, processes};
use crate::cli::{Request, StoreArgs};
use crate::output::status::Purpose;
use crate::store::{DIRECTORY, StoreHelper};
use crate::trace::privileges::Needs;
use crate::trace::{self, TraceOptions};

/// The process that writes is looked at so often.
const LOOK_EVERY: Duration = Duration::from_secs(1);

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
    let group = store.store_group.as_deref().map(|name| stores::group(&request.config.root, name)).transpose()?;
    // what is printed beside is asked for
    if !request.is_format_given {
        request.settings.outputs.clear();
    }
    let directory = request.store.clone().unwrap_or_else(|| PathBuf::from(DIRECTORY));
    let target =
        StoreTarget { directory, group, bounds: Some(store.bounds()), keeps: store.keep.into() };
    let helper = stores::add(&mut request, target)?;
    let mut reporter = outputs::open(&request.settings, false)?;
    let wiring = Wiring::new()?;
    wiring.handle_all(Terminal::Ours, reporter.has_files())?;
    let purpose = format!("recording into {}", crate::base::sanitize::visible(helper.directory()));
    let status = is_loud.then_some(Purpose { text: purpose, has_counts: true });
    let mut helper = Some(helper);
    let mut watcher = None;
    let mut when_ready = || {
        let stopper = wiring.stopper()?;
        let Some(helper) = helper.take() else { return Ok(()) };
        let named = thread::Builder::new().name("store".to_owned());
        watcher = Some(named.spawn(move || watch(helper, stopper))?);
        Ok(())
    };
    let mut options =
        TraceOptions { when_ready: &mut when_ready, needs: Needs::default(), status, shows_start: is_loud };
    let outcome = trace::run(&request.config, &wiring.requests(), &mut reporter, &mut options);
    wiring.stop();
    if let Some(watcher) = &watcher {
        watcher.thread().unpark();
    }
    let helper = match watcher.map(thread::JoinHandle::join) {
        Some(Ok(Ok(helper))) => Some(helper),
        Some(_) => {
            outcome?;
            bail!("the process that writes the store has ended: nothing can be kept");
        }
        None => helper,
    };
    let finished = stores::finish(helper, stores::reason(outcome.is_ok()));
    outcome?;
    finished
}

/// Until the trace ends. An error: the process that writes has ended before.
fn watch(mut helper: StoreHelper, mut stopper: Stopper) -> Result<StoreHelper, ()> {
    while !stopper.is_stopped() {
        if helper.status().is_none() {
            stopper.stop();
            return Err(());
        }
        thread::park_timeout(LOOK_EVERY);
    }
    Ok(helper)
}
