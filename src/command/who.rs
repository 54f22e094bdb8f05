//! `killsnoop who PID`: prints what is sent to that process, or to several, until the first of them ends, and how it ended.
//!
//! The process need not be a child, and only a parent gets a wait status: how it ended comes from the exit hook.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::bail;

use super::awaited::Awaited;
use super::wiring::{Terminal, Wiring};
use super::{begin, outputs, processes, recorded, stores, streams};
use crate::base::clock::boot_time;
use crate::base::sanitize::visible;
use crate::base::stderr::print_line;
use crate::bpf::probe::in_initial_pid_namespace;
use crate::cli::Request;
use crate::config::ALL_SIGNALS;
use crate::enrich::procfs::Stat;
use crate::event::signal::Signal;
use crate::event::summary::seconds;
use crate::output::left_out_for_eyes::LeftOutSettings;
use crate::output::redact::Redaction;
use crate::output::select::filter::ProcessArg;
use crate::output::status::{self, Purpose};
use crate::record::Ending;
use crate::store::DIRECTORY;
use crate::trace::privileges::Needs;
use crate::trace::{self, Outcome, TraceOptions};

/// Its last lines come at most this long after its end.
const LAST_LINES: Duration = Duration::from_millis(300);

/// Waits, and prints what came.
///
/// # Errors
/// If there is no such process or tracing is not possible.
pub fn who(mut request: Request, wanted: &[ProcessArg], is_quiet: bool) -> anyhow::Result<()> {
    begin()?;
    if !in_initial_pid_namespace() {
        bail!(
            "who cannot find processes of the host: pids in here are not the host's\nhint: run it in the host's pid namespace \
             (docker run --pid=host), or use --pid with the pid that the host has for it"
        );
    }
    if !is_quiet {
        recorded::print(
            request.store.as_deref().unwrap_or(Path::new(DIRECTORY)),
            wanted,
            &request.settings.redaction,
        );
    }
    // opened before anything else: the numbers can be used again
    let awaited = Arc::new(Awaited::open(wanted, &request.settings.redaction)?);
    streams::hint_at_format(&request, is_quiet);
    let held_at = boot_time();
    processes::resolve(&mut request)?;
    let pids = awaited.pids().iter().map(u32::to_string).collect::<Vec<_>>();
    let has_filters = !request.settings.conditions.is_empty()
        || request.config.shown_signals != ALL_SIGNALS
        || !request.config.ignored_source_comms.is_empty();
    request.settings.conditions.wanted.push(format!("target.pid={}", pids.join(",")).parse()?);
    request.settings.conditions.check(&request.config)?;
    request.settings.left_out = LeftOutSettings::default();
    request.settings.is_one_story = request.config.count.is_none();
    request.config.reports_ends = true;
    // a process that has this pid afterwards is another
    request.config.started_by = Some(held_at);
    let helper = stores::add_named(&mut request)?;
    let mut reporter = outputs::open(&request.settings, false)?;
    let wiring = Wiring::new()?;
    wiring.handle_all(Terminal::Ours, reporter.has_files())?;
    let named = names_of(awaited.pids(), &request.settings.redaction);
    let text = format!("waiting for a signal to {named} or its end");
    let purpose = Purpose { text, has_counts: false };
    let mut when_ready = || {
        // a status line on a terminal, else a line for a script that waits for it
        if !is_quiet && !status::can_be_seen() {
            print_line(format_args!("killsnoop: {}", purpose.text));
        }
        let (mut stopper, awaited) = (wiring.stopper()?, Arc::clone(&awaited));
        thread::Builder::new().name("end".to_owned()).spawn(move || {
            awaited.wait();
            thread::sleep(LAST_LINES);
            stopper.stop();
        })?;
        Ok(())
    };
    let status = (!is_quiet).then(|| purpose.clone());
    let mut options = TraceOptions {
        when_ready: &mut when_ready,
        needs: Needs::default(),
        status,
        shows_start: !is_quiet,
        metrics: None,
    };
    let outcome = trace::run(&request.config, &wiring.requests(), &mut reporter, &mut options);
    let finished = stores::finish(helper, stores::reason(outcome.is_ok()));
    let outcome = outcome?;
    finished?;
    let has_enough = request.config.count.is_some_and(|count| reporter.reported() >= count);
    let closing = Closing { pids: &pids, has_filters, has_ended: awaited.has_any_ended() };
    if let Some(text) = closing.sentence(&outcome).filter(|_| !has_enough) {
        print_line(format_args!("killsnoop: {text}"));
    }
    Ok(())
}

/// `sleep(30858), cat(30859) and 5 others`, as they are called now.
fn names_of(pids: &[u32], redaction: &Redaction) -> String {
    let shown: Vec<String> = pids.iter().take(3).map(|&pid| name_of(pid, redaction)).collect();
    let shown = shown.join(", ");
    match pids.len().saturating_sub(3) {
        0 => shown,
        1 => format!("{shown} and 1 other"),
        others => format!("{shown} and {others} others"),
    }
}

/// `sleep(30858)`, as it is called now.
fn name_of(pid: u32, redaction: &Redaction) -> String {
    let comm = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    format!("{}({pid})", visible(redaction.name(comm.strip_suffix(b"\n").unwrap_or(&comm))))
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

/// What is said at the end where the events have not said all.
struct Closing<'a> {
    pids: &'a [String],
    has_filters: bool,
    /// One of the processes.
    has_ended: bool,
}

impl Closing<'_> {
    /// That no process has ended, if none has; and where no signal was reported how certain it is that none came. None where
    /// signals and the end were reported.
    fn sentence(&self, outcome: &Outcome) -> Option<String> {
        match (outcome.signals, &outcome.end) {
            (0, Some(end)) => {
                let (comm, how, lived) = (visible(&end.comm), ended(end.ending), rounded(end.lived));
                Some(
                    self.without_signals(
                        &format!("process {} ({comm}) {how} after {lived}", end.pid),
                        outcome,
                    ),
                )
            }
            (0, None) => Some(self.without_signals(&self.not_ended(), outcome)),
            (_, None) if !self.has_ended => Some(match outcome.signals {
                1 => format!("{}; 1 signal was shown", self.not_ended()),
                signals => format!("{}; {signals} signals were shown", self.not_ended()),
            }),
            _ => None,
        }
    }

    fn not_ended(&self) -> String {
        let pids = self.pids.join(", ");
        match (self.pids, self.has_ended) {
            ([_], false) => format!("process {pids} has not ended"),
            (_, false) => format!("none of the processes {pids} has ended"),
            ([_], true) => format!("process {pids} ended; how was not seen"),
            (_, true) => format!("one of the processes {pids} ended; how was not seen"),
        }
    }

    fn without_signals(&self, how: &str, outcome: &Outcome) -> String {
        let signal = if self.has_filters { "no signal that passes the filters" } else { "no signal" };
        let mut text = format!("{how}; {signal} was seen");
        // before the trace nothing was seen
        if outcome.end.as_ref().is_none_or(|end| end.lived > outcome.watched) {
            text.push_str(" in the last ");
            text.push_str(&rounded(outcome.watched));
        }
        if outcome.hidden > 0 {
            let _ = write!(text, " but {} hidden (--all)", outcome.hidden);
        }
        if outcome.lost > 0 {
            let _ = write!(text, ", and {} signals of this host were lost", outcome.lost);
        }
        text
    }
}

fn rounded(time: Duration) -> String {
    seconds(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}

/// How waiting ends, for `docs/sentences.md`.
#[cfg(test)]
pub(super) fn catalogue() -> Vec<(&'static str, String)> {
    let end = |ending| {
        let lived = Duration::from_secs(2);
        Some(crate::trace::End { pid: 123, comm: "sh".to_owned(), ending, lived })
    };
    let exit = end(Ending::Exit(7));
    let outcome = Outcome { signals: 0, hidden: 0, lost: 0, watched: Duration::from_secs(5), end: exit };
    let pids = ["123".to_owned()];
    let of = |has_filters| Closing { pids: &pids, has_filters, has_ended: false };
    let say = |outcome: &Outcome| of(false).sentence(outcome).unwrap_or_default();
    let stat = format!("9 (sh) Z 7 {} 1792\n", "0 ".repeat(47).trim_end());
    vec![
        ("`who`, and it exited", say(&outcome)),
        (
            "`who`, and what happened before is not known",
            say(&Outcome { watched: Duration::from_secs(1), ..outcome.clone() }),
        ),
        ("`who`, and a signal was hidden", say(&Outcome { hidden: 2, ..outcome.clone() })),
        ("`who`, and signals were lost", say(&Outcome { lost: 3, ..outcome.clone() })),
        ("`who`, with filters", of(true).sentence(&outcome).unwrap_or_default()),
        (
            "`who`, and it was killed by a signal that was not seen",
            say(&Outcome { end: end(Ending::Signal { number: 9, core_dumped: false }), ..outcome.clone() }),
        ),
        ("`who` was stopped", say(&Outcome { end: None, ..outcome.clone() })),
        ("`who` was stopped behind signals", say(&Outcome { signals: 2, end: None, ..outcome })),
        ("`who` of a zombie", format!("process 9 {}", already_ended(&stat, &Redaction::default()))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::End;

    fn outcome(ending: Option<Ending>) -> Outcome {
        let end = ending.map(|ending| End {
            pid: 123,
            comm: "sh".to_owned(),
            ending,
            lived: Duration::from_millis(1500),
        });
        Outcome { signals: 0, hidden: 0, lost: 0, watched: Duration::from_secs(2), end }
    }

    #[test]
    fn an_end_without_a_signal_says_how_and_how_sure_that_is() {
        let exit = || outcome(Some(Ending::Exit(137)));
        let of = |pids: &[&str], has_filters, has_ended, outcome: &Outcome| {
            let pids: Vec<String> = pids.iter().map(|&pid| pid.to_owned()).collect();
            Closing { pids: &pids, has_filters, has_ended }.sentence(outcome)
        };
        let said = |outcome: &Outcome| of(&["123"], false, false, outcome).unwrap();
        let whole = "process 123 (sh) exited with status 137 after 1.5 s; no signal was seen";
        assert_eq!(said(&exit()), whole);
        let late = Outcome { watched: Duration::from_millis(1300), ..exit() };
        assert_eq!(said(&late), format!("{whole} in the last 1.3 s"));
        let hidden = Outcome { hidden: 2, ..exit() };
        assert_eq!(said(&hidden), format!("{whole} but 2 hidden (--all)"));
        let lost = Outcome { lost: 3, ..exit() };
        assert_eq!(said(&lost), format!("{whole}, and 3 signals of this host were lost"));
        let filtered = of(&["123"], true, true, &exit()).unwrap();
        assert!(filtered.ends_with("no signal that passes the filters was seen"), "{filtered}");
        let killed = outcome(Some(Ending::Signal { number: 9, core_dumped: false }));
        assert!(said(&killed).contains("(sh) was killed by SIGKILL after 1.5 s; no"), "{}", said(&killed));
        assert_eq!(said(&outcome(None)), "process 123 has not ended; no signal was seen in the last 2.0 s");
        let several = of(&["5", "6"], false, false, &outcome(None)).unwrap();
        assert_eq!(several, "none of the processes 5, 6 has ended; no signal was seen in the last 2.0 s");
        let unseen = of(&["123"], false, true, &outcome(None)).unwrap();
        assert!(unseen.starts_with("process 123 ended; how was not seen; no signal"), "{unseen}");
    }

    #[test]
    fn who_is_stopped_says_that_the_process_has_not_ended_and_nothing_where_it_has() {
        let closing = |has_ended, outcome: &Outcome| {
            Closing { pids: &["123".to_owned()], has_filters: false, has_ended }.sentence(outcome)
        };
        let signals = |signals, ending| Outcome { signals, ..outcome(ending) };
        assert_eq!(
            closing(false, &signals(1, None)).as_deref(),
            Some("process 123 has not ended; 1 signal was shown")
        );
        assert_eq!(
            closing(false, &signals(3, None)).as_deref(),
            Some("process 123 has not ended; 3 signals were shown")
        );
        assert_eq!(closing(true, &signals(1, Some(Ending::Exit(0)))), None);
        assert_eq!(closing(true, &signals(1, None)), None);
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
