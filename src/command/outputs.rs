//! The FILEs of outputs. A separate process opens them: in `run`, as the user who called sudo.

use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1};

use super::child::FAILED;
use super::invoker::Invoker;
use crate::output::deliver::opener::{Helper, Opener, Service};
use crate::output::{Reporter, Settings};
use crate::trace::privileges;

/// Its name: `pkill -x killsnoop` is not meant for it.
const NAME: &std::ffi::CStr = c"killsnoop-files";

/// Opens every output.
///
/// # Errors
/// If one cannot be opened, or should not.
pub(super) fn open(settings: &Settings, as_invoker: bool) -> anyhow::Result<Reporter> {
    let files = settings.files();
    if files.is_empty() {
        return Ok(Reporter::open(settings)?);
    }
    let helper = Helper::start(&files, as_invoker).context("cannot start the process that opens FILEs")?;
    Ok(Reporter::open_by(settings, Opener::helper(helper))?)
}

/// A helper ends with the tracer, not by a signal to every process of that name.
pub(super) fn outlive_signals() {
    for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1] {
        let _ = signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)));
    }
}

/// The process that was started: opens them on request, by the socket that is its standard input.
pub fn serve(as_invoker: bool, files: &[PathBuf]) -> ExitCode {
    let _ = rustix::thread::set_name(NAME);
    outlive_signals();
    if as_invoker {
        match Invoker::of_sudo().map(|invoker| invoker.map(|invoker| invoker.become_now())) {
            Ok(None | Some(Ok(()))) => {}
            // better no output than one that root opened
            Ok(Some(Err(_))) | Err(_) => return ExitCode::from(FAILED),
        }
    }
    let Ok(socket) = io::stdin().as_fd().try_clone_to_owned() else { return ExitCode::from(FAILED) };
    let service = Service::new(socket, files);
    privileges::drop_but_for_files();
    // nobody is left to report it to
    ExitCode::from(if service.serve().is_ok() { 0 } else { FAILED })
}
