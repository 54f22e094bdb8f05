//! A trace of this host, until it is asked to stop.

use super::wiring::{Terminal, Wiring};
use super::{begin, outputs, own_group, threads};
use crate::cli::Request;
use crate::trace::privileges::Needs;
use crate::trace::{self, TraceOptions};

/// Traces the host.
///
/// # Errors
/// If tracing is not possible.
pub fn trace(mut request: Request, has_status: bool) -> anyhow::Result<()> {
    begin()?;
    threads::name_processes(&mut request);
    if !request.config.show_all {
        request.settings.quiet.own_group = own_group();
    }
    let mut reporter = outputs::open(&request.settings, false)?;
    let wiring = Wiring::new()?;
    wiring.handle_all(Terminal::Ours, reporter.has_files())?;
    let mut options = TraceOptions { when_ready: &mut || Ok(()), needs: Needs::default(), has_status };
    trace::run(&request.config, &wiring.requests(), &mut reporter, &mut options)?;
    Ok(())
}
