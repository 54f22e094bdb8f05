//! The flags by which a recorder tells the host about itself: its journal, its metrics.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::journal::Journaled;
use crate::metrics::MetricsBy;

const SERVICE: &str = "Service";

/// What a host hears of a recorder.
#[derive(Debug, Args)]
pub struct ServiceArgs {
    /// Write ends to the journal: deaths, ends
    ///
    /// deaths: ends by a signal, OOM kills, and what was not recorded. ends: exits after a signal as well. So journalctl -u UNIT shows who
    /// killed it, if killsnoop runs as uid 0. At most 200 entries in 30 s.
    #[arg(long, value_name = "WHICH", help_heading = SERVICE, hide_short_help = true)]
    pub journal: Option<Journaled>,

    /// Write counters to FILE.prom, for Prometheus
    ///
    /// Every 15 s, for the textfile collector of `node_exporter`: signals, deaths and OOM kills, losses, the store. The file is gone while nothing is
    /// recorded. No label holds a pid, or the name of a process, pod, container or user.
    #[arg(long, value_name = "FILE.prom", value_hint = ValueHint::FilePath, help_heading = SERVICE, hide_short_help = true)]
    pub metrics: Option<PathBuf>,

    /// Count deaths by unit as well
    ///
    /// Services only, instances of a template together, at most 200, then _other.
    #[arg(long, value_name = "WHAT", requires = "metrics", help_heading = SERVICE, hide_short_help = true)]
    pub metrics_by: Option<MetricsBy>,
}
