//! The metrics of a recorder: the process that writes them is started before anything is dropped.

use std::io;
use std::os::fd::AsFd;
use std::process::ExitCode;

use anyhow::Context;

use super::outputs::outlive_signals;
use crate::base::clock::utc_now;
use crate::base::sanitize::visible;
use crate::cli::{Request, ServiceArgs};
use crate::error::UsageError;
use crate::metrics::{MetricsHelper, MetricsSink, Service, StoreGauge};
use crate::trace::privileges;

/// Its name: `pkill -x killsnoop` is not meant for it.
const NAME: &std::ffi::CStr = c"killsnoop-prom";

/// Starts the process that writes, if that is asked for, and has events counted.
pub(super) fn add(
    request: &mut Request,
    service: &ServiceArgs,
    store: &StoreGauge,
) -> anyhow::Result<Option<(MetricsHelper, MetricsSink)>> {
    let Some(file) = &service.metrics else { return Ok(None) };
    if file.extension().is_none_or(|extension| extension != "prom") {
        return Err(UsageError::MetricsFile(visible(file)).into());
    }
    let started = u64::try_from(utc_now() / 1_000_000_000).unwrap_or_default();
    let helper = MetricsHelper::start(file, started, store.clone())
        .with_context(|| format!("cannot write metrics to {}", visible(file)))?;
    request.settings.has_tally = true;
    request.settings.has_tally_by_unit = service.metrics_by.is_some();
    Ok(Some(helper))
}

/// The process that was started: writes what comes in by its standard input into the directory that is its standard output.
pub fn serve(name: &str) -> ExitCode {
    let _ = rustix::thread::set_name(NAME);
    outlive_signals();
    let socket = io::stdin().as_fd().try_clone_to_owned();
    let directory = io::stdout().as_fd().try_clone_to_owned();
    let (Ok(socket), Ok(directory)) = (socket, directory) else { return ExitCode::FAILURE };
    let service = Service::new(directory, name);
    privileges::drop_but_for_metrics();
    if service.serve(&socket).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
