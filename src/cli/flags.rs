//! The flags of a trace. Each is defined here once: help, man page and completions are derived from it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::base::period::Period;
use crate::config::{Failed, GHOSTS, MAX_PID, RingBytes};
use crate::event::signal::Signal;
use crate::output::Colour;
use crate::output::redact::parse_pattern;
use crate::output::select::filter::Condition;
use crate::output::spec::{ColumnKey, FoldedKinds, OutputSpec};
use crate::record::names::{CommName, VariableName};

/// A pid as the host counts it.
pub(super) fn parse_pid() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=i64::from(MAX_PID))
}

/// A trace.
#[derive(Debug, Args)]
pub struct TraceArgs {
    /// logfmt, json, line, table or tree; several times for several outputs
    ///
    /// Without it: line on a terminal, with local time; logfmt in a pipe or a file.
    ///
    /// With =FILE its lines go there: `-o tree -o json=/var/log/killsnoop.json`. A FILE is added to, made with mode 0600, and opened
    /// anew on SIGHUP. One that is there must be your own, have one name, be closed to others (mode 0600) and in use by no other
    /// tracer; no symbolic link is followed. Or name a FIFO that is so, which need not have a reader yet, or a device.
    #[arg(short, long, value_name = "FORMAT[=FILE]", help_heading = "Output")]
    pub output: Vec<OutputSpec>,

    /// Columns of the table, by the output's keys (comma-separated)
    #[arg(long, value_name = "KEYS", value_delimiter = ',', help_heading = "Output")]
    pub fields: Vec<ColumnKey>,

    /// Colours: auto, always, never
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = ColourArg::Auto, alias = "colour", hide_default_value = true,
        hide_possible_values = true, help_heading = "Output")]
    pub color: ColourArg,

    /// Nothing but ASCII in line, table and tree
    #[arg(long, help_heading = "Output")]
    pub ascii: bool,

    /// Fold floods in these formats, or none [default: line,table,tree]
    ///
    /// A flood is one signal between the same two: the first is told at once, then a line a second, with repeated=N.
    #[arg(
        long,
        value_name = "FORMATS",
        default_value = "line,table,tree",
        hide_default_value = true,
        help_heading = "Output"
    )]
    pub fold: FoldedKinds,

    /// Leave out far ancestors' command lines of longer lines
    ///
    /// 16384 suits the log drivers of containers. Each says cmdlineOmitted=true.
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1024..), help_heading = "Output")]
    pub max_line: Option<u32>,

    /// Who sent what to whom how often, at the end and on SIGUSR1
    #[arg(long, help_heading = "Output")]
    pub summary: bool,

    /// Only these, hidden by default or not (TERM,9,RTMIN+3)
    #[arg(short, long, value_name = "SIGNALS", value_delimiter = ',', help_heading = "Filters")]
    pub include_signals: Vec<Signal>,

    /// Not these
    #[arg(short, long, value_name = "SIGNALS", value_delimiter = ',', help_heading = "Filters")]
    pub exclude_signals: Vec<Signal>,

    /// Only what these processes send or receive
    #[arg(short, long = "pid", value_name = "PIDS", value_delimiter = ',', value_parser = parse_pid(), help_heading = "Filters")]
    pub pids: Vec<u32>,

    /// The same of a process and all below it
    ///
    /// Those still to be born included.
    #[arg(long = "tree", value_name = "PID", value_delimiter = ',', value_parser = parse_pid(), help_heading = "Filters")]
    pub trees: Vec<u32>,

    /// Only what ends its target
    #[arg(long, help_heading = "Filters")]
    pub fatal: bool,

    /// Only where this key of the output is so
    ///
    /// Where all hold, if there are several: `--where target.comm=java --where signal=KILL,TERM --where 'source.user.id>999'`. VALUE may be a
    /// list, any of which will do, and hold * and ?. Of a key that is not there nothing holds.
    #[arg(long = "where", value_name = "KEY=VALUE", help_heading = "Filters")]
    pub wanted: Vec<Condition>,

    /// Not where it is so
    #[arg(long = "not", value_name = "KEY=VALUE", help_heading = "Filters")]
    pub unwanted: Vec<Condition>,

    /// Not what processes of this name send
    ///
    /// As in /proc/PID/comm: its first 15 bytes.
    #[arg(long, value_name = "COMM", value_delimiter = ',', help_heading = "Filters")]
    pub ignore_source_comm: Vec<CommName>,

    /// What is hidden by default too (see --help)
    #[arg(long, help_heading = "Filters")]
    pub all: bool,

    /// Calls that fail too (EPERM, ESRCH …); =only: nothing else
    ///
    /// Without BPF trampolines in the kernel every system call of the host gets some 75 ns slower meanwhile.
    #[arg(long, value_enum,
        hide_possible_values = true, value_name = "only", num_args = 0..=1, require_equals = true, default_missing_value = "too", help_heading = "What is seen")]
    pub failed: Option<FailedArg>,

    /// Calls with signal 0 too: is that process there?
    ///
    /// At the same cost as --failed.
    #[arg(long, help_heading = "What is seen")]
    pub probes: bool,

    /// Not how processes end that were signalled
    #[arg(long, help_heading = "What is seen")]
    pub no_outcome: bool,

    /// Environment variables of both sides, as they were at exec (at most 8)
    #[arg(long, value_name = "NAME", value_delimiter = ',', help_heading = "What is seen")]
    pub env: Vec<VariableName>,

    /// Ancestors to show of each side, up to PID 1
    #[arg(short = 'd', long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(0..=32), help_heading = "What is seen")]
    pub max_tree_depth: u32,

    /// Where the host's file system is mounted
    #[arg(short, long, value_name = "DIR", default_value = "/", help_heading = "What is seen")]
    pub root: PathBuf,

    /// Take out what this covers, or its groups if it has any
    ///
    /// Before any filter or output sees it: of command lines, joined by blanks, of titles and names.
    #[arg(long, value_name = "REGEX", value_parser = parse_pattern, help_heading = "Secrets")]
    pub redact: Vec<regex::bytes::Regex>,

    /// Take out the usual shapes of secrets
    ///
    /// password=, --token X, URLs with credentials, headers; mysql -pX and the like of programs known for it.
    #[arg(long, help_heading = "Secrets")]
    pub redact_secrets: bool,

    /// Stop after N events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "When to stop")]
    pub count: Option<u64>,

    /// Stop after this time (seconds, or 500ms, 10s, 5m, 2h)
    #[arg(long, value_name = "TIME", help_heading = "When to stop")]
    pub duration: Option<Period>,

    /// Only warnings and errors on standard error
    #[arg(short, long, conflicts_with_all = ["verbose", "log_level"], help_heading = "Messages")]
    pub quiet: bool,

    /// The plan, which filters run where, what libbpf says
    #[arg(short, long, conflicts_with = "log_level", help_heading = "Messages")]
    pub verbose: bool,

    /// What to say: debug, info, warn, error; never mutes events
    #[arg(
        short,
        long,
        value_enum,
        value_name = "LEVEL",
        hide_possible_values = true,
        help_heading = "Messages"
    )]
    pub log_level: Option<LogLevel>,

    /// No longer needed: of the original
    #[arg(long, hide = true, value_name = "TIME", allow_hyphen_values = true)]
    pub list_process_interval: Option<String>,

    /// No longer needed: of the original
    #[arg(long, hide = true, value_name = "N", allow_hyphen_values = true)]
    pub max_list_process_threads: Option<String>,

    /// How many ended processes are remembered for those that they started
    #[arg(long, hide = true, value_name = "N", default_value_t = GHOSTS, value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    pub ghosts: u32,

    /// Size of the ring between kernel and program, in bytes: a power of two, whole pages
    #[arg(long, hide = true, value_name = "BYTES", default_value_t)]
    pub ring_bytes: RingBytes,

    /// Seed from /proc although the kernel's iterator could
    #[arg(long, hide = true)]
    pub seed_from_proc: bool,

    /// Keep the raw records in FILE, for the tests' fixtures
    #[arg(long, hide = true, value_name = "FILE")]
    pub record_to: Option<PathBuf>,
}

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColourArg {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl From<ColourArg> for Colour {
    fn from(colour: ColourArg) -> Self {
        match colour {
            ColourArg::Auto => Self::Auto,
            ColourArg::Always => Self::Always,
            ColourArg::Never => Self::Never,
        }
    }
}

/// `--failed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailedArg {
    /// Beside the signals: --failed alone
    #[value(hide = true)]
    Too,
    /// And no signals
    Only,
}

impl From<FailedArg> for Failed {
    fn from(failed: FailedArg) -> Self {
        match failed {
            FailedArg::Too => Self::Too,
            FailedArg::Only => Self::Only,
        }
    }
}

/// `--log-level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// Everything, libbpf included
    Debug,
    /// Start, end, counters
    Info,
    /// What is lost or missing
    Warn,
    /// Only what ends the program
    Error,
}

impl From<LogLevel> for tracing::Level {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Info => Self::INFO,
            LogLevel::Warn => Self::WARN,
            LogLevel::Error => Self::ERROR,
        }
    }
}

impl TraceArgs {
    /// What is logged to standard error; `usual` if no flag says.
    pub fn level(&self, usual: LogLevel) -> tracing::Level {
        match (self.quiet, self.verbose) {
            (true, _) => tracing::Level::WARN,
            (_, true) => tracing::Level::DEBUG,
            _ => self.log_level.unwrap_or(usual).into(),
        }
    }

    /// Flags that are still accepted and do nothing.
    pub fn obsolete(&self) -> Vec<&'static str> {
        let given = [
            (self.list_process_interval.is_some(), "--list-process-interval"),
            (self.max_list_process_threads.is_some(), "--max-list-process-threads"),
        ];
        given.into_iter().filter(|(is_given, _)| *is_given).map(|(_, flag)| flag).collect()
    }
}
