//! The flags of a trace. Each is defined here once: help, man page and completions are derived from it.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::complete;
use crate::base::period::Period;
use crate::config::{Failed, GHOSTS, REQUESTS, RingBytes};
use crate::error::UsageError;
use crate::event::signal::Signal;
use crate::output::Colour;
use crate::output::deliver::rate::MaxRate;
use crate::output::redact::parse_pattern;
use crate::output::select::filter::{Condition, parse_pid};
use crate::output::spec::{ColumnKey, FoldedKinds, OutputSpec};
use crate::record::names::{CommName, VariableName};

pub(super) const FILTERS: &str = "Filters";
const SEEN: &str = "What is seen";

/// A whole number in this range.
pub(super) fn number<T: TryFrom<u64>>(
    least: u64,
    most: Option<u64>,
) -> impl Fn(&str) -> Result<T, UsageError> + Clone + Send + Sync + 'static {
    move |text| {
        let number =
            text.parse().ok().filter(|number| *number >= least && most.is_none_or(|most| *number <= most));
        let number = number.and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| UsageError::Number { given: text.to_owned(), least, most })
    }
}

/// A trace.
#[derive(Debug, Args)]
pub struct TraceArgs {
    /// line (tty), logfmt (pipe), json, table, tree[=FILE]
    ///
    /// Without this flag it is line on a terminal, with local time, and logfmt in a pipe or a file. FORMAT=FILE writes to a file.
    ///
    /// May be repeated, each with a FILE but one: `-o tree -o json=/var/log/killsnoop.json`. A FILE is appended to, created with mode 0600, and
    /// reopened on SIGHUP. One that exists must be your own, have one name, be closed to others (mode 0600) and in use by no other
    /// tracer; symbolic links are not followed. FILE may also be such a FIFO, which need not have a reader yet, or a device.
    #[arg(short, long, value_name = "FORMAT", add = complete::outputs())]
    pub output: Vec<OutputSpec>,

    /// Keep the events in this directory, for why and log
    ///
    /// As record does, which alone sets how large the store may get. One recorder at a time writes to a store.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, hide_short_help = true)]
    pub store: Option<PathBuf>,

    /// Columns of the table: keys, comma-separated
    ///
    /// source and target are shown by name and pid, result in words. Each is shown: where there is no room in one line, a row has
    /// more lines.
    #[arg(long, value_name = "KEYS", value_delimiter = ',', hide_short_help = true, add = complete::columns())]
    pub fields: Vec<ColumnKey>,

    /// Colours: auto, always, never
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = ColourArg::Auto, alias = "colour", hide_default_value = true,
        hide_possible_values = true, hide_short_help = true)]
    pub color: ColourArg,

    /// Print only ASCII in line, table and tree
    #[arg(long, hide_short_help = true)]
    pub ascii: bool,

    /// Fold floods in these formats, or none [default: line,table,tree]
    ///
    /// A flood is one signal between the same two processes: the first is printed at once, then a line a second, with repeated=N.
    #[arg(long, value_name = "FORMATS", default_value = "line,table,tree", hide_default_value = true, hide_short_help = true,
        add = complete::folded())]
    pub fold: FoldedKinds,

    /// Shorten longer lines of logfmt and json
    ///
    /// The command lines of far ancestors are left out first (cmdlineOmitted=true), then ancestors, then what is longest, which
    /// missing reports. 1024 at least; 16384 suits the log drivers of containers.
    #[arg(long, value_name = "BYTES", value_parser = number::<u32>(1024, Some(u32::MAX.into())), hide_short_help = true)]
    pub max_line: Option<u32>,

    /// Let outputs grow by so many bytes a second (64K, 1M), or none [default: 2M for files]
    ///
    /// And by 128 times as much at once. What exceeds it is folded (repeated=N), then dropped, counted as unprinted, and event=lost
    /// names its authors. Half of it is for everybody; of the rest a user, or of root a cgroup, has a sixteenth, and a
    /// sixteenth more for what may end a process. The default is for regular files; pipes and terminals have no limit.
    #[arg(long, value_name = "RATE", hide_short_help = true)]
    pub max_rate: Option<MaxRate>,

    /// Print totals per sender, target and signal at exit
    ///
    /// And on SIGUSR1.
    #[arg(long)]
    pub summary: bool,

    /// Only these signals (TERM,9,RTMIN+3)
    ///
    /// They are shown also where they are hidden by default.
    #[arg(short, long, value_name = "SIGNALS", value_delimiter = ',', help_heading = FILTERS, add = complete::signals())]
    pub include_signals: Vec<Signal>,

    /// Not these signals
    #[arg(short, long, value_name = "SIGNALS", value_delimiter = ',', help_heading = FILTERS, add = complete::signals())]
    pub exclude_signals: Vec<Signal>,

    /// Only what these processes send or receive
    ///
    /// The same as PIDs as arguments.
    #[arg(short, long = "pid", value_name = "PIDS", value_delimiter = ',', value_parser = parse_pid, help_heading = FILTERS,
        hide_short_help = true, add = complete::pids())]
    pub pids: Vec<u32>,

    /// Only PID and all below it
    ///
    /// What they send or receive, those included that start later.
    #[arg(long = "tree", value_name = "PID", value_delimiter = ',', value_parser = parse_pid, help_heading = FILTERS,
        add = complete::pids())]
    pub trees: Vec<u32>,

    /// Only signals that end their target
    ///
    /// A signal that leaves a core ends its target a moment later, when the target takes it: it is among them, without fatal=true.
    #[arg(long, help_heading = FILTERS)]
    pub fatal: bool,

    /// Only events where KEY matches VALUE
    ///
    /// May be repeated; all must match: `--where target.comm=java --where signal=KILL,TERM --where 'source.user.id>999'`. VALUE may be
    /// a list, any of which will do, and hold * and ?. A missing key never matches: the end of a process (event=ended) has no
    /// source, but after.signalName and the id of the signal. killsnoop --help lists the keys.
    #[arg(long = "where", value_name = "KEY=VALUE", help_heading = FILTERS, add = complete::conditions())]
    pub wanted: Vec<Condition>,

    /// Only events where KEY does not match VALUE
    #[arg(long = "not", value_name = "KEY=VALUE", help_heading = FILTERS, add = complete::conditions())]
    pub unwanted: Vec<Condition>,

    /// Not what processes of this name send
    ///
    /// As in /proc/PID/comm: its first 15 bytes.
    #[arg(long, value_name = "COMM", value_delimiter = ',', help_heading = FILTERS, hide_short_help = true)]
    pub ignore_source_comm: Vec<CommName>,

    /// Also what is hidden by default (see --help)
    #[arg(long, help_heading = FILTERS)]
    pub all: bool,

    /// Also calls that fail; =only: nothing else
    ///
    /// EPERM, ESRCH and others. Without BPF trampolines in the kernel every system call of the host gets some 75 ns slower meanwhile.
    #[arg(long, value_enum, hide_possible_values = true, value_name = "only", num_args = 0..=1, require_equals = true,
        default_missing_value = "too", help_heading = SEEN)]
    pub failed: Option<FailedArg>,

    /// Also calls with signal 0, which check for a process
    ///
    /// At the same cost as --failed.
    #[arg(long, help_heading = SEEN, hide_short_help = true)]
    pub probes: bool,

    /// Also commands that ask others to act: systemctl, docker
    ///
    /// A service manager or a container runtime sends the signal that such a command asks for, and names nobody: the event=request
    /// before it has the command line, tree and user. =NAMES: commands of these names instead, as in /proc/PID/comm.
    #[arg(long, value_name = "NAMES", num_args = 0..=1, require_equals = true, value_delimiter = ',',
        default_missing_values = REQUESTS, help_heading = SEEN, hide_short_help = true)]
    pub requests: Option<Vec<CommName>>,

    /// Not how processes end after a signal
    #[arg(long, help_heading = SEEN, hide_short_help = true)]
    pub no_outcome: bool,

    /// Environment variables of both sides
    ///
    /// As they were at exec; at most 8.
    #[arg(long, value_name = "NAME", value_delimiter = ',', help_heading = SEEN, add = complete::variables())]
    pub env: Vec<VariableName>,

    /// Ancestors of each side, up to PID 1
    #[arg(short = 'd', long, value_name = "N", default_value_t = 16, value_parser = number::<u32>(0, Some(32)), help_heading = SEEN,
        hide_short_help = true)]
    pub max_tree_depth: u32,

    /// Where the host's file system is mounted
    #[arg(short, long, value_name = "DIR", default_value = "/", value_hint = ValueHint::DirPath, help_heading = SEEN,
        hide_short_help = true)]
    pub root: PathBuf,

    /// Redact what REGEX matches, or its groups
    ///
    /// Before any filter or output sees it: of command lines, joined by blanks, of titles and names.
    #[arg(long, value_name = "REGEX", value_parser = parse_pattern, hide_short_help = true)]
    pub redact: Vec<regex::bytes::Regex>,

    /// Redact the usual shapes of secrets
    ///
    /// password=, --token X, URLs with credentials, headers; mysql -pX and the like of programs known for it.
    #[arg(long)]
    pub redact_secrets: bool,

    /// Stop after N events
    #[arg(long, value_name = "N", value_parser = number::<u64>(1, None))]
    pub count: Option<u64>,

    /// Stop after this time (30, 500ms, 10s, 5m, 2h)
    #[arg(long, value_name = "TIME")]
    pub duration: Option<Period>,

    /// Only warnings and errors on standard error
    #[arg(short, long, conflicts_with_all = ["verbose", "log_level"])]
    pub quiet: bool,

    /// Print the plan, and where each filter runs
    #[arg(short, long, conflicts_with = "log_level")]
    pub verbose: bool,

    /// Messages: debug, info, warn, error
    ///
    /// Events are printed at any level.
    #[arg(
        short,
        long,
        value_enum,
        value_name = "LEVEL",
        hide_possible_values = true,
        hide_short_help = true
    )]
    pub log_level: Option<LogLevel>,

    /// No longer needed: of the original
    #[arg(long, hide = true, value_name = "TIME", allow_hyphen_values = true)]
    pub list_process_interval: Option<String>,

    /// No longer needed: of the original
    #[arg(long, hide = true, value_name = "N", allow_hyphen_values = true)]
    pub max_list_process_threads: Option<String>,

    /// How many ended processes are remembered for those that they started
    #[arg(long, hide = true, value_name = "N", default_value_t = GHOSTS, value_parser = number::<u32>(1, Some(1_048_576)))]
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
            LogLevel::Debug => Self::TRACE,
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
