//! A trace of this host, until it is asked to stop.

use super::wiring::{Terminal, Wiring};
use super::{begin, outputs, own_group, processes};
use crate::cli::Request;
use crate::config::Failed;
use crate::output::status::Purpose;
use crate::trace::privileges::Needs;
use crate::trace::{self, TraceOptions};

/// Traces the host.
///
/// # Errors
/// If tracing is not possible.
pub fn trace(mut request: Request, has_status: bool) -> anyhow::Result<()> {
    begin()?;
    processes::resolve(&mut request)?;
    if !request.config.show_all {
        request.settings.left_out.own_group = own_group();
    }
    let mut reporter = outputs::open(&request.settings, false)?;
    let wiring = Wiring::new()?;
    wiring.handle_all(Terminal::Ours, reporter.has_files())?;
    // without signals there are none to count
    let has_counts = request.config.failed != Failed::Only;
    let filters = reporter.filters();
    let purpose = if filters.is_empty() { "tracing".to_owned() } else { format!("tracing {filters}") };
    let status = has_status.then_some(Purpose { text: purpose, has_counts });
    let mut options = TraceOptions { when_ready: &mut || Ok(()), needs: Needs::default(), status };
    trace::run(&request.config, &wiring.requests(), &mut reporter, &mut options)?;
    Ok(())
}
