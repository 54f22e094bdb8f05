//! A trace from start to end: probe the host, plan, load and attach, drop privileges, then loop until asked to stop.
//!
//! Says in which order, and nothing about a signal: records and events are the business of the `pipeline`.

mod accounting;
#[cfg(test)]
pub(crate) mod catalogue;
mod event_loop;
mod loss;
mod metrics;
mod pipeline;
pub(crate) mod priority;
pub(crate) mod privileges;
pub(crate) mod pushdown;
mod raw_records;
mod report;
mod startup;
mod titles;

use std::io;
use std::mem::MaybeUninit;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::{Duration, Instant};

use self::pipeline::Pipeline;
use self::privileges::Needs;
use self::raw_records::RawRecords;
use crate::bpf::load::try_trampoline;
use crate::bpf::plan::{self, Plan};
use crate::bpf::probe;
use crate::bpf::session::Session;
use crate::config::Config;
use crate::enrich::Enricher;
use crate::error::TraceError;
use crate::metrics::MetricsSink;
use crate::output::Reporter;
use crate::output::status::{Purpose, StartLine, Status};
use crate::record::Ending;
use crate::wire::MAX_ANCESTORS;

/// Requests to a running trace, made by a signal handler.
#[derive(Debug)]
pub(crate) struct Requests<'a> {
    /// Stop.
    pub stop: &'a AtomicBool,
    /// Do not wait for an output that accepts nothing.
    pub hurry: &'a AtomicBool,
    /// Log the counters.
    pub report: &'a AtomicBool,
    /// Open the files of outputs again.
    pub reopen: &'a AtomicBool,
    /// Tell stores up to when they have all.
    pub mark: &'a AtomicBool,
    /// Counts up as long as the trace goes on.
    pub beats: &'a AtomicU64,
    /// Gets a byte at the same time, so that no wait sleeps through a request. Must not block.
    pub interrupt: &'a UnixStream,
}

/// What the caller wants beside the events.
pub(crate) struct TraceOptions<'a> {
    /// Called when every hook is attached and nothing more than tracing is allowed to this process.
    pub when_ready: &'a mut dyn FnMut() -> io::Result<()>,
    /// What must still be allowed then.
    pub needs: Needs,
    /// What the status line says that this trace is for, where somebody looks at it.
    pub status: Option<Purpose>,
    /// Somebody may be waiting for the start.
    pub shows_start: bool,
    /// Where figures go.
    pub metrics: Option<&'a mut MetricsSink>,
}

impl std::fmt::Debug for TraceOptions<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TraceOptions").field("needs", &self.needs).finish_non_exhaustive()
    }
}

/// The result of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
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
pub(crate) struct End {
    /// Its pid.
    pub pid: u32,
    /// Its name.
    pub comm: String,
    /// Its exit status, or the signal.
    pub ending: Ending,
    /// How long it lived.
    pub lived: Duration,
}

/// Traces until asked to stop.
///
/// # Errors
/// If tracing cannot begin, or the ring can no longer be read. A closed pipe is no error.
pub(crate) fn run(
    config: &Config,
    requests: &Requests<'_>,
    reporter: &mut Reporter,
    options: &mut TraceOptions<'_>,
) -> Result<Outcome, TraceError> {
    let began = Instant::now();
    let start_line = StartLine::begin(options.shows_start);
    let plan = plan_for_host(config)?;
    let raw = config.record_to.as_deref().map(RawRecords::create).transpose()?;
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
    drop(start_line);
    // where some processes are not known, the chain of parents says as much as can be said
    if !selection.trees.is_empty() && session.seeded.outstanding == 0 {
        reporter.trust_trees();
    }
    let enricher = start_enricher(config, &plan);
    priority::raise();
    let has_all = plan.iterates && session.seeded.outstanding + session.seeded.unreadable == 0;
    let needs = Needs {
        asks_proc: !plan.shares_pids || !has_all,
        has_root: config.root != Path::new("/"),
        reads_containers: enricher.has_runtimes(),
        ..options.needs
    };
    let kept = privileges::drop(needs, &config.root.join("proc"));
    startup::log_filters(config, &selection, reporter, &kept);
    startup::log_ready(&session, plan, probed, began.elapsed());
    (options.when_ready)().map_err(|error| TraceError::system("begin what is to be traced", error))?;
    enricher.read_symbols_ahead();
    let status = Status::new(options.status.take());
    let pipeline = Pipeline::new(config, &session, enricher, reporter, raw);
    match event_loop::run(pipeline, requests, status, options.metrics.as_deref_mut())? {
        (Some(error), _) if error.kind() != io::ErrorKind::BrokenPipe => Err(TraceError::Raw(error)),
        (_, outcome) => Ok(outcome),
    }
}

fn plan_for_host(config: &Config) -> Result<Plan, TraceError> {
    let mut host = probe::host();
    // found out by a trial, which only attempts need
    host.has_trampolines =
        config.wants_attempts() && host.missing_capabilities.is_empty() && try_trampoline();
    plan::plan(&host, config)
}

fn start_enricher(config: &Config, plan: &Plan) -> Enricher {
    let legacy_hierarchy = plan.legacy_cgroups.map_or(0, |legacy| legacy.hierarchy);
    let mut enricher = Enricher::new(&config.root, legacy_hierarchy, plan.shares_pids);
    if !plan.shares_pids {
        enricher.remember_running();
    }
    enricher
}
