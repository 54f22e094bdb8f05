//! Validated settings of the trace. What is reported of it, and how, is in [`output::Settings`](crate::output::Settings).

mod ring_size;

use std::path::PathBuf;
use std::time::Duration;

use crate::wire::MapSize;

pub use self::ring_size::{RING_BYTES, RingBytes};

/// Every signal.
pub const ALL_SIGNALS: u64 = u64::MAX;

/// The greatest pid: `PID_MAX_LIMIT` of the kernel (`include/linux/threads.h`) is the first that there is not.
pub const MAX_PID: u32 = 4 * 1024 * 1024 - 1;

/// Which calls that fail are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// None.
    No,
    /// Beside the signals.
    Too,
    /// And no signals.
    Only,
}

/// Everything that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Bit `sig - 1`: passes.
    pub shown_signals: u64,
    /// Bit `sig - 1`: named by `-i`, so never hidden by default.
    pub included_signals: u64,
    /// Senders whose signals are not reported, as the kernel keeps a comm: 15 bytes and a NUL.
    pub ignored_source_comms: Vec<[u8; 16]>,
    /// Names of commands whose exec is reported, as the kernel keeps a comm; empty: of none.
    pub requests: Vec<[u8; 16]>,
    /// Ancestors of each side.
    pub max_tree_depth: u32,
    /// Where the host's /proc and /etc are.
    pub root: PathBuf,
    /// Stop after so many events.
    pub count: Option<u64>,
    /// Stop after so long.
    pub duration: Option<Duration>,
    /// Hide nothing.
    pub show_all: bool,
    /// Calls that fail.
    pub failed: Failed,
    /// Calls with signal 0.
    pub probes: bool,
    /// Ends are reported of processes that were signalled.
    pub outcomes: bool,
    /// Ends are reported of every process whose pid is asked for as the target's, signalled or not.
    pub reports_ends: bool,
    /// Only what targets that had started by then (boot time, ns) get: a pid that was asked for may become another's.
    pub started_by: Option<u64>,
    /// Names of environment variables to report of both sides.
    pub variables: Vec<String>,
    /// Processes that are remembered after their end, for those that they started.
    pub ghosts: u32,
    /// Bytes of the ring: a power of two.
    pub ring_bytes: u32,
    /// Seed from /proc even where the kernel's iterator could.
    pub seed_from_proc: bool,
    /// Keep the raw records in this file as well.
    pub record_to: Option<PathBuf>,
}

impl Config {
    /// Calls are watched that never become a signal.
    pub fn wants_attempts(&self) -> bool {
        self.failed != Failed::No || self.probes
    }
}

/// Processes that are remembered after their end, by default: about 3 MiB of kernel memory.
pub const GHOSTS: u32 = 8192;

/// Entries of the map `ignored_source_comms`.
pub const MAX_IGNORED_COMMS: usize = MapSize::IGNORED_COMMS.0 as usize;

/// Entries of the map `request_comms`.
pub const MAX_REQUESTS: usize = MapSize::REQUEST_COMMS.0 as usize;

/// The commands by which people and programs ask service managers and container runtimes to act on processes.
pub const REQUESTS: &[&str] = &[
    "systemctl",
    "service",
    "loginctl",
    "needrestart",
    "shutdown",
    "reboot",
    "init",
    "telinit",
    "docker",
    "podman",
    "nerdctl",
    "crictl",
    "ctr",
    "kubectl",
    "runc",
    "crun",
    "pm2",
    "supervisorctl",
    "apachectl",
    "nginx",
    "pg_ctl",
];

impl Default for Config {
    fn default() -> Self {
        Self {
            shown_signals: ALL_SIGNALS,
            included_signals: 0,
            ignored_source_comms: Vec::new(),
            requests: Vec::new(),
            max_tree_depth: 16,
            root: PathBuf::from("/"),
            count: None,
            duration: None,
            show_all: false,
            failed: Failed::No,
            probes: false,
            outcomes: true,
            reports_ends: false,
            started_by: None,
            variables: Vec::new(),
            ghosts: GHOSTS,
            ring_bytes: RING_BYTES,
            seed_from_proc: false,
            record_to: None,
        }
    }
}
