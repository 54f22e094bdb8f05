//! `killsnoop who PID`: waits until that process ends, or gets a signal that leads to no end, says so, and exits.
//!
//! The process need not be a child, and only a parent gets a wait status: how it ended comes from the exit hook.

use std::fmt::Write as _;
use std::os::fd::AsFd;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::wiring::{Terminal, Wiring};
use super::{begin, outputs, threads};
use crate::base::clock::boot_time;
use crate::base::sanitize::visible;
use crate::bpf::probe::in_initial_pid_namespace;
use crate::cli::Request;
use crate::config::ALL_SIGNALS;
use crate::enrich::procfs::{Stat, read_text};
use crate::event::signal::Signal;
use crate::event::summary::seconds;
use crate::output::quiet::QuietSettings;
use crate::output::redact::Redaction;
use crate::record::Ending;
use crate::trace::privileges::Needs;
use crate::trace::{self, Outcome, TraceOptions};

/// Its last lines come at most this long after its end.
const LAST_LINES: Duration = Duration::from_millis(300);

/// Waits, and prints what came.
///
/// # Errors
/// If there is no such process or tracing is not possible.
pub fn who(mut request: Request, id: u32) -> anyhow::Result<()> {
    begin()?;
    if !in_initial_pid_namespace() {
        bail!(
            "who cannot find process {id}: pids in here are not the host's\nhint: run it in the host's pid namespace \
             (docker run --pid=host), or use --pid with the pid that the host has for it"
        );
    }
    threads::name_processes(&mut request);
    let pid = threads::process_of(Path::new("/proc"), id, &request.settings.redaction);
    let no_process = || format!("there is no process {pid} to wait for");
    let raw = i32::try_from(pid).ok().and_then(Pid::from_raw).with_context(no_process)?;
    // opened before anything else: the number can be reused
    let process = pidfd_open(raw, PidfdFlags::empty()).with_context(no_process)?;
    let held_at = boot_time();
    if has_ended(&process) {
        bail!(
            "process {pid} {}",
            already_ended(&read_text(format!("/proc/{pid}/stat"))?, &request.settings.redaction)
        );
    }
    let has_filters = !request.settings.conditions.is_empty()
        || request.config.shown_signals != ALL_SIGNALS
        || !request.config.ignored_source_comms.is_empty();
    request.settings.conditions.wanted.push(format!("target.pid={pid}").parse()?);
    request.settings.conditions.check(&request.config)?;
    request.settings.quiet = QuietSettings::default();
    request.settings.is_one_story = request.config.count.is_none();
    request.config.reports_ends = true;
    // a process that has this pid afterwards is another
    request.config.started_by = Some(held_at);
    let mut reporter = outputs::open(&request.settings, false)?;
    let wiring = Wiring::new()?;
    wiring.handle_all(Terminal::Ours, reporter.has_files())?;
    let mut process = Some(process);
    let mut when_ready = || {
        let mut stopper = wiring.stopper()?;
        if let Some(process) = process.take() {
            thread::Builder::new().name("end".to_owned()).spawn(move || {
                while let Err(rustix::io::Errno::INTR) =
                    poll(&mut [PollFd::new(&process, PollFlags::IN)], None)
                {}
                thread::sleep(LAST_LINES);
                stopper.stop();
            })?;
        }
        Ok(())
    };
    let mut options = TraceOptions { when_ready: &mut when_ready, needs: Needs::default(), has_status: true };
    let outcome = trace::run(&request.config, &wiring.requests(), &mut reporter, &mut options)?;
    if outcome.signals == 0 {
        eprintln!("killsnoop: {}", without_signals(pid, &outcome, has_filters));
    }
    Ok(())
}

fn has_ended(process: &impl AsFd) -> bool {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&now)).is_ok_and(|ready| ready > 0)
}

/// From the stat file of a zombie: its name, its wait status, and the parent that has not reaped it.
pub(crate) fn already_ended(stat: &str, redaction: &Redaction) -> String {
    let Some(stat) = Stat::parse(stat) else { return "has ended".to_owned() };
    // proc_pid_stat(5): 4 is the parent, 52 the wait status
    let number = |field| stat.number(field).and_then(|number| u32::try_from(number).ok());
    let how = number(52).map_or_else(|| "has ended".to_owned(), |status| ended(ending_of(status)));
    let parent = number(4).unwrap_or_default();
    format!(
        "({}) {how} before this trace; its parent {parent} has not reaped it",
        visible(redaction.name(stat.comm.as_bytes()))
    )
}

fn ending_of(status: u32) -> Ending {
    match (status & 0x7f) as u8 {
        0 => Ending::Exit((status >> 8) as u8),
        number => Ending::Signal { number, core_dumped: status & 0x80 != 0 },
    }
}

fn ended(ending: Ending) -> String {
    match ending {
        Ending::Exit(code) => format!("exited with status {code}"),
        Ending::Signal { number, core_dumped } => {
            let name =
                Signal::new(number).map_or_else(|| format!("signal {number}"), |it| it.name().into_owned());
            format!("was killed by {name}{}", if core_dumped { " (core dumped)" } else { "" })
        }
    }
}

/// The sentence where no signal was reported: how it ended, and how certain it is that no signal came.
fn without_signals(pid: u32, outcome: &Outcome, has_filters: bool) -> String {
    let rounded = |time: Duration| seconds(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    let signal = if has_filters { "no signal that passes the filters" } else { "no signal" };
    let mut text = match &outcome.end {
        Some(end) => {
            let (comm, how, lived) = (visible(&end.comm), ended(end.ending), rounded(end.lived));
            format!("process {pid} ({comm}) {how} after {lived}; {signal} was seen")
        }
        None => format!("{signal} to process {pid} was seen"),
    };
    // before the trace nothing was seen
    if outcome.end.as_ref().is_none_or(|end| end.lived > outcome.watched) {
        text.push_str(" in the last ");
        text.push_str(&rounded(outcome.watched));
    }
    if outcome.hidden > 0 {
        let _ = write!(text, ", {} hidden by default (--all shows them)", outcome.hidden);
    }
    if outcome.lost > 0 {
        let _ = write!(text, ", and {} signals of this host were lost", outcome.lost);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::End;

    fn outcome(ending: Option<Ending>) -> Outcome {
        let end =
            ending.map(|ending| End { comm: "sh".to_owned(), ending, lived: Duration::from_millis(1500) });
        Outcome { signals: 0, hidden: 0, lost: 0, watched: Duration::from_secs(2), end }
    }

    #[test]
    fn an_end_without_a_signal_says_how_and_how_sure_that_is() {
        let exit = || outcome(Some(Ending::Exit(137)));
        let said = |outcome: &Outcome| without_signals(123, outcome, false);
        let whole = "process 123 (sh) exited with status 137 after 1.5 s; no signal was seen";
        assert_eq!(said(&exit()), whole);
        let late = Outcome { watched: Duration::from_millis(1300), ..exit() };
        assert_eq!(said(&late), format!("{whole} in the last 1.3 s"));
        let hidden = Outcome { hidden: 2, ..exit() };
        assert_eq!(said(&hidden), format!("{whole}, 2 hidden by default (--all shows them)"));
        let lost = Outcome { lost: 3, ..exit() };
        assert_eq!(said(&lost), format!("{whole}, and 3 signals of this host were lost"));
        assert!(without_signals(123, &exit(), true).ends_with("no signal that passes the filters was seen"));
        let killed = outcome(Some(Ending::Signal { number: 9, core_dumped: false }));
        assert!(said(&killed).contains("(sh) was killed by SIGKILL after 1.5 s; no"), "{}", said(&killed));
        assert_eq!(said(&outcome(None)), "no signal to process 123 was seen in the last 2.0 s");
    }

    #[test]
    fn a_zombie_has_ended_as_its_wait_status_says() {
        let stat = |status: &str| {
            let between = "0 ".repeat(47);
            already_ended(&format!("9 (a) b) Z 7 {between}{status}\n"), &Redaction::default())
        };
        assert_eq!(
            stat("1792"),
            "(a) b) exited with status 7 before this trace; its parent 7 has not reaped it"
        );
        assert!(stat("139").contains("was killed by SIGSEGV (core dumped)"), "{}", stat("139"));
    }
}
