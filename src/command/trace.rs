//! A trace of this host, until it is asked to stop.

use super::wiring::{Terminal, Wiring};
use super::{begin, outputs, own_group, processes, stores, streams};
use crate::cli::Request;
use crate::config::Failed;
use crate::output::status::Purpose;
use crate::trace::privileges::Needs;
use crate::trace::{self, TraceOptions};

/// Traces the host.
///
/// # Errors
/// If tracing is not possible.
pub fn trace(mut request: Request, is_loud: bool) -> anyhow::Result<()> {
    begin()?;
    processes::resolve(&mut request)?;
    streams::hint_at_format(&request, !is_loud);
    if !request.config.show_all {
        request.settings.left_out.own_group = own_group();
    }
    let helper = stores::add_named(&mut request)?;
    let mut reporter = outputs::open(&request.settings, false)?;
    let wiring = Wiring::new()?;
    wiring.handle_all(Terminal::Ours, reporter.has_files())?;
    // without signals there are none to count
    let has_counts = request.config.failed != Failed::Only;
    let filters = reporter.filters();
    let purpose = if filters.is_empty() { "tracing".to_owned() } else { format!("tracing {filters}") };
    let status = is_loud.then_some(Purpose { text: purpose, has_counts });
    let mut options = TraceOptions {
        when_ready: &mut || Ok(()),
        needs: Needs::default(),
        status,
        shows_start: is_loud,
        metrics: None,
    };
    let outcome = trace::run(&request.config, &wiring.requests(), &mut reporter, &mut options);
    let finished = stores::finish(helper, stores::reason(outcome.is_ok()));
    outcome?;
    finished
}
