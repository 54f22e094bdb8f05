//! `killsnoop run -- COMMAND…`: traces what the command and all below it send and receive, from its first
//! instruction to its end, and passes its exit code on.
//!
//! Orphans below it come to killsnoop, not to PID 1 (`PR_SET_CHILD_SUBREAPER`): so every descendant keeps killsnoop
//! above it, and is known by that.

use std::ffi::OsString;
use std::process::ExitCode;
use std::thread;

use anyhow::Context;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};
use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;

use super::child::{FAILED, Held};
use super::{Stopper, Terminal, Wiring};
use crate::bpf::session::route_libbpf_messages;
use crate::cli::Request;
use crate::privileges::Needs;
use crate::report::Reporter;
use crate::tracer::{self, Wishes};

/// Runs it. The exit code is the command's, or says what failed.
///
/// # Errors
/// If the command cannot be started or tracing is not possible.
pub fn run(mut request: Request, command: &[OsString]) -> anyhow::Result<ExitCode> {
    route_libbpf_messages();
    let own = std::process::id();
    request.settings.conditions.trees = vec![own];
    request.settings.conditions.trees_begin_below = true;
    request.settings.has_summary = true;
    let mut reporter = Reporter::open(&request.settings)?;
    let wiring = Wiring::new()?;
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    // before the command is there: what is handled is the default again after exec
    wiring.handle_all(Terminal::Commands, reporter.has_files())?;
    wiring.hurry_at(SIGTERM)?;
    let mut terminations = Some(Signals::new([SIGTERM])?);
    let held = Held::start(command).context("cannot start the command")?;
    let child = held.pid;
    let mut reaper = None;
    let mut when_ready = || {
        // threads that begin only now have no more capabilities than this one
        let mut stopper = wiring.stopper()?;
        let named = |name: &str| thread::Builder::new().name(name.to_owned());
        reaper = Some(named("reaper").spawn(move || reap(child, &mut stopper))?);
        if let Some(mut terminations) = terminations.take() {
            named("terminations").spawn(move || hand_on(child, &mut terminations))?;
        }
        held.release()
    };
    let needs = Needs { reopens_files: reporter.has_files(), signals_others: true };
    let mut wishes = Wishes { when_ready: &mut when_ready, needs, has_status: false };
    tracer::run(&request.config, &wiring.requests(), &mut reporter, &mut wishes)?;
    // a reader of our lines that went away does not end the command
    let code = reaper.and_then(|reaper| reaper.join().ok()).flatten();
    Ok(ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(FAILED)))
}

/// SIGTERM to killsnoop is meant for the command.
fn hand_on(child: Pid, terminations: &mut Signals) {
    for _ in terminations.forever() {
        let _ = rustix::process::kill_process(child, Signal::TERM);
    }
}

/// As a shell tells it.
fn code_of(status: WaitStatus) -> Option<i32> {
    status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal))
}

/// Reaps every orphan until the command ends, then ends the trace.
fn reap(child: Pid, stopper: &mut Stopper) -> Option<i32> {
    let code = loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == child => {
                if let Some(code) = code_of(status) {
                    break Some(code);
                }
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            // nobody is left, the command included
            Err(_) => break None,
        }
    };
    stopper.stop();
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::zombie_processes)] // waited for by its pid
    fn an_exit_code_is_the_shells() {
        let status = |text: &str| {
            let child = std::process::Command::new("sh").args(["-c", text]).spawn().unwrap();
            let pid = Pid::from_raw(child.id() as i32);
            let (_, status) = rustix::process::waitpid(pid, WaitOptions::empty()).unwrap().unwrap();
            code_of(status)
        };
        assert_eq!(status("exit 0"), Some(0));
        assert_eq!(status("exit 77"), Some(77));
        assert_eq!(status("kill -9 $$"), Some(137));
    }
}
