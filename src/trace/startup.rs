//! The log lines of the start: what this kernel cannot do, which filters run where, how long each step took.

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
        "filters in the kernel: {}; after the ring: {}",
        if in_kernel.is_empty() { "none".to_owned() } else { in_kernel.join(", ") },
        if later.is_empty() { "none" } else { &later }
    );
    tracing::debug!("capabilities kept: {kept}");
}

/// What is limited on this host, and that tracing has begun; `probed` and `total` since the start.
pub(super) fn log_ready(session: &Session<'_>, plan: Plan, probed: Duration, total: Duration) {
    if !plan.has_via {
        tracing::warn!("this kernel cannot tell the system call of a signal (5.15 can): no via, no scope");
    }
    if plan.is_untested {
        tracing::warn!("this kernel is older than those that killsnoop is tested on (from Linux 5.17 on)");
    }
    if !plan.shares_pids {
        tracing::warn!(
            "in a pid namespace of its own: command lines of processes older than killsnoop come from /proc under --root"
        );
    }
    if plan.attempts == Attempts::SyscallExits {
        tracing::warn!(
            "--failed and --probes: this kernel has no BPF trampolines, so every system call of this host is some 75 ns slower while killsnoop runs"
        );
    }
    let timings = session.timings;
    tracing::debug!(?plan, "planned");
    tracing::debug!(?probed, load = ?timings.load, attach = ?timings.attach, seed = ?timings.seed, "started");
    if session.seeded.outstanding > 0 {
        tracing::warn!(
            "{} processes are not known: the memory of one of them could not be read within a second (a file system that does not answer?); their command lines are read when a signal needs them",
            session.seeded.outstanding
        );
    }
    tracing::info!(
        "ready in {:.0} ms: hooks attached, processes seeded: {} by the kernel's task iterator, {} from /proc, in {:.1} ms{}",
        total.as_secs_f64() * 1e3,
        session.seeded.by_iterator,
        session.seeded.from_proc,
        timings.seed.as_secs_f64() * 1e3,
        match session.seeded.unreadable {
            0 => String::new(),
            count => format!(", {count} could not be read"),
        }
    );
}
