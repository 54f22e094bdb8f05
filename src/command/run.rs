//! `killsnoop run -- COMMAND…`: traces what the command and all below it send and receive, from its first
//! instruction to its end, and passes its exit code on.
//!
//! Orphans below it come to killsnoop, not to PID 1 (`PR_SET_CHILD_SUBREAPER`): so every descendant keeps killsnoop
//! above it, and is known by that.

use std::borrow::Cow;
use std::ffi::OsString;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use anyhow::Context;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, pidfd_send_signal};
use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;

use super::child::{FAILED, HeldCommand};
use super::wiring::{Stopper, Terminal, Wiring};
use super::{begin, outputs, processes, stores, streams};
use crate::base::sanitize::visible;
use crate::base::stderr::print_line;
use crate::bpf::probe::in_initial_pid_namespace;
use crate::cli::Request;
use crate::trace::privileges::Needs;
use crate::trace::{self, TraceOptions};

/// Runs a command and traces it; says what came of it unless quiet. The exit code is the command's, or one of
/// [`super::child`].
///
/// # Errors
/// If the command cannot be started or tracing is not possible.
pub fn run(mut request: Request, command: &[OsString], is_quiet: bool) -> anyhow::Result<ExitCode> {
    begin()?;
    processes::resolve(&mut request)?;
    streams::hint_at_stderr(&request, is_quiet);
    let own = std::process::id();
    request.settings.conditions.trees = vec![own];
    request.settings.conditions.trees_begin_below = true;
    request.settings.sums_up = !is_quiet;
    // in another pid namespace it would be another process's
    request.settings.top = in_initial_pid_namespace().then_some(own);
    let helper = stores::add_named(&mut request)?;
    let mut reporter = outputs::open(&request.settings, true)?;
    let wiring = Wiring::new()?;
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    // before the command starts: a handled signal has its default action again after exec, an ignored one stays ignored
    wiring.handle_all(Terminal::Commands, reporter.has_files())?;
    wiring.hurry_at(SIGTERM)?;
    let mut terminations = Some(Signals::new([SIGTERM])?);
    let held = HeldCommand::start(command).context("cannot start the command")?;
    let child = held.pid;
    let needs = Needs { command: Some(held.process.as_raw_fd()), ..Needs::default() };
    let mut reaper = None;
    let mut when_ready = || {
        // only now: threads inherit the capabilities that are left
        let mut stopper = wiring.stopper()?;
        let named = |name: &str| thread::Builder::new().name(name.to_owned());
        reaper = Some(named("reaper").spawn(move || reap(child, &mut stopper))?);
        if let Some(mut terminations) = terminations.take() {
            let process = Arc::clone(&held.process);
            named("terminations").spawn(move || hand_on(&process, &mut terminations))?;
        }
        held.release()
    };
    let mut options = TraceOptions {
        when_ready: &mut when_ready,
        needs,
        status: None,
        shows_start: !is_quiet,
        metrics: None,
    };
    let outcome = trace::run(&request.config, &wiring.requests(), &mut reporter, &mut options);
    let finished = stores::finish(helper, stores::reason(outcome.is_ok()));
    outcome?;
    finished?;
    // a reader that closed our pipe ends the trace, not the command
    let status = reaper.and_then(|reaper| reaper.join().ok()).flatten();
    let sentences = [reporter.sentence(), status.and_then(|status| sentence(command, status))];
    for text in sentences.into_iter().flatten().filter(|_| !is_quiet) {
        print_line(format_args!("killsnoop: {text}"));
    }
    let code = status.and_then(code_of).and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(FAILED)))
}

/// Says of an exit code above 128 whether a signal was the reason; None of any other.
fn sentence(command: &[OsString], status: WaitStatus) -> Option<String> {
    let program = command.first().map(Path::new)?;
    let name = visible(program.file_name().unwrap_or(program.as_os_str()));
    if let Some(number) = status.terminating_signal() {
        let signal = u8::try_from(number).ok().and_then(killed_by)?;
        return Some(was_killed(&name, &signal));
    }
    let code = status.exit_status().filter(|&code| code > 128)?;
    Some(exited(&name, code))
}

fn was_killed(name: &str, signal: &str) -> String {
    format!("{name} was killed by {signal}")
}

fn exited(name: &str, code: i32) -> String {
    format!("{name} exited with status {code}; no signal ended it")
}

fn killed_by(number: u8) -> Option<Cow<'static, str>> {
    crate::event::signal::Signal::new(number).map(crate::event::signal::Signal::name)
}

/// Passes SIGTERM on: it is meant for the command. By pidfd, since the pid can be reused while killsnoop still writes lines.
fn hand_on(command: &OwnedFd, terminations: &mut Signals) {
    for _ in terminations.forever() {
        let _ = pidfd_send_signal(command, Signal::TERM);
    }
}

/// As a shell reports it.
fn code_of(status: WaitStatus) -> Option<i32> {
    status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal))
}

/// Reaps every orphan until the command ends, then ends the trace.
fn reap(child: Pid, stopper: &mut Stopper) -> Option<WaitStatus> {
    let status = loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == child && code_of(status).is_some() => break Some(status),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            // no child is left
            Err(_) => break None,
        }
    };
    stopper.stop();
    status
}

/// How the command ended, for `docs/sentences.md`.
#[cfg(test)]
pub(super) fn catalogue() -> Vec<(&'static str, String)> {
    vec![
        ("the command of `run` was killed", was_killed("sh", "SIGKILL")),
        ("the command of `run` exited with a status above 128", exited("sh", 137)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::zombie_processes)] // waited for by its pid
    fn an_exit_code_is_the_shells_and_the_two_that_it_stands_for_are_told_apart() {
        let status = |text: &str| {
            let child = std::process::Command::new("sh").args(["-c", text]).spawn().unwrap();
            let pid = Pid::from_raw(child.id() as i32);
            rustix::process::waitpid(pid, WaitOptions::empty()).unwrap().unwrap().1
        };
        let command = [OsString::from("/bin/sh"), OsString::from("-c")];
        for (text, code, said) in [
            ("exit 0", 0, None),
            ("exit 77", 77, None),
            ("exit 137", 137, Some("sh exited with status 137; no signal ended it")),
            ("kill -9 $$", 137, Some("sh was killed by SIGKILL")),
        ] {
            let status = status(text);
            assert_eq!(code_of(status), Some(code), "{text}");
            assert_eq!(sentence(&command, status).as_deref(), said, "{text}");
        }
    }
}
