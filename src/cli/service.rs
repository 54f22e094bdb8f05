//! The flags by which a recorder tells the host about itself: its journal, its metrics.

use clap::Args;

use crate::journal::Journaled;

const SERVICE: &str = "Service";

/// What a host hears of a recorder.
#[derive(Debug, Args)]
pub struct ServiceArgs {
    /// Write ends to the journal: deaths, ends
    ///
    /// deaths: ends by a signal, OOM kills, and what was not recorded. ends: exits after a signal as well. So journalctl -u UNIT shows who
    /// killed it, if killsnoop runs as uid 0. At most 200 entries in 30 s.
    #[arg(long, value_name = "WHICH", help_heading = SERVICE)]
    pub journal: Option<Journaled>,
}
