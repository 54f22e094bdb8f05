//! The messages of the start: that tracing has begun, and what is limited on this host; with `-v` what was planned, which
//! filters run where, how long each step took.

use std::fmt::Write as _;
use std::io::{self, IsTerminal};
use std::time::Duration;

use crate::bpf::plan::{Attempts, Plan};
use crate::bpf::selection::Selection;
use crate::bpf::session::Session;
use crate::config::{ALL_SIGNALS, Config};
use crate::output::Reporter;

/// Which filters run where, and which capabilities were kept.
pub(super) fn log_filters(config: &Config, selection: &Selection, reporter: &Reporter, kept: &str) {
    let mut in_kernel: Vec<&str> = selection.words.iter().map(String::as_str).collect();
    if config.shown_signals != ALL_SIGNALS {
        in_kernel.push("--include-signals and --exclude-signals");
    }
    if !config.ignored_source_comms.is_empty() {
        in_kernel.push("--ignore-source-comm");
    }
    if !config.show_all {
        in_kernel.push("what is hidden by default");
    }
    let later = reporter.filters();
    tracing::debug!(
        "filters in the kernel: {}; in user space: {}",
        if in_kernel.is_empty() { "none".to_owned() } else { in_kernel.join(", ") },
        if later.is_empty() { "none" } else { &later }
    );
    tracing::debug!("capabilities kept: {kept}");
}

/// What is limited on this host, and that tracing has begun; `probed` and `total` since the start.
pub(super) fn log_ready(session: &Session<'_>, plan: Plan, probed: Duration, total: Duration) {
    if !plan.has_via {
        tracing::warn!("this kernel does not show the system call of a signal (5.15 does): no via, no scope");
    }
    if plan.is_untested {
        tracing::warn!("killsnoop is not tested on kernels before Linux 5.17");
    }
    if !plan.shares_pids {
        tracing::warn!(
            "in a pid namespace of its own: command lines of processes older than killsnoop come from /proc under --root"
        );
    }
    if plan.attempts == Attempts::SyscallExits {
        tracing::warn!(
            "every system call of this host takes some 75 ns longer until this trace ends: --failed and --probes look at each on this kernel, which has no BPF trampolines"
        );
    }
    let timings = session.timings;
    tracing::debug!("plan: {}", in_words(&plan));
    tracing::trace!(?plan, ?probed, load = ?timings.load, "started");
    if session.seeded.outstanding > 0 {
        tracing::warn!(
            "{} processes are not known: the memory of one of them could not be read within a second (a file system that does not answer?); their command lines are read when a signal needs them",
            session.seeded.outstanding
        );
    }
    tracing::debug!(
        "ready in {:.0} ms: hooks attached, processes seeded: {} by the kernel's task iterator, {} from /proc, in {:.1} ms",
        total.as_secs_f64() * 1e3,
        session.seeded.by_iterator,
        session.seeded.from_proc,
        timings.seed.as_secs_f64() * 1e3,
    );
    let known = session.seeded.by_iterator + session.seeded.from_proc;
    tracing::info!("{}", begun(known, session.seeded.unreadable, io::stderr().is_terminal()));
}

/// That every signal is seen from now on.
pub(super) fn begun(known: u32, unreadable: u32, has_keys: bool) -> String {
    let mut text = format!("tracing, {known} processes known");
    if unreadable > 0 {
        let _ = write!(text, ", {unreadable} could not be read");
    }
    if has_keys {
        text.push_str("; Ctrl-C to stop");
    }
    text
}

/// What is loaded, for people.
fn in_words(plan: &Plan) -> String {
    let mut words = vec![if plan.iterates {
        "processes from the kernel's task iterator"
    } else {
        "processes from /proc"
    }];
    if plan.has_via {
        words.push("the system call of each signal");
    }
    match plan.attempts {
        Attempts::Unwatched => {}
        Attempts::Trampolines => words.push("failed calls by BPF trampolines"),
        Attempts::SyscallExits => words.push("failed calls at the end of every system call"),
    }
    if !plan.reports_signals {
        words.push("no signals");
    }
    if plan.reads_titles {
        words.push("live titles");
    }
    if plan.follows_trees {
        words.push("trees followed in the kernel");
    }
    if plan.legacy_cgroups.is_some() {
        words.push("cgroups of version 1");
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_is_one_sentence() {
        assert_eq!(begun(33, 0, true), "tracing, 33 processes known; Ctrl-C to stop");
        assert_eq!(begun(33, 2, false), "tracing, 33 processes known, 2 could not be read");
    }
}
