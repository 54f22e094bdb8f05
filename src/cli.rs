//! The command line: what was typed, not yet what is meant (that is [`Config`]).

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::config::{
    ALL_SIGNALS, Config, Failed, GHOSTS, MAX_IGNORED_COMMS, MAX_VARIABLE_NAME, MAX_VARIABLES, OutputFormat,
    RING_BYTES,
};
use crate::error::UsageError;
use crate::signal::Signal;

/// Who killed my process? Prints every signal on this host as it is sent: who sent it, who received it, both
/// command lines and both process trees, taken inside the kernel at that instant.
#[derive(Debug, Parser)]
#[command(
    name = "killsnoop",
    version,
    after_help = "Events go to standard output, everything else to standard error. Exit code: 0 after SIGINT, SIGTERM, \
                  --count, --duration or a closed pipe; 1 if tracing is not possible; 2 for wrong usage.",
    after_long_help = "HIDDEN BY DEFAULT is only a signal that a process got from itself, or from a timer, a fault, a child, a \
                  resized terminal or I/O, and that it handles or ignores (Go's SIGURG, a JVM's SIGSEGV, profilers, SIGCHLD, \
                  SIGWINCH). Never hidden: whatever one process sends another; SIGKILL, stop and continue, abort; whatever \
                  a process does not handle and would die of; out of memory, the death of a parent or of a pid namespace, \
                  seccomp, the hang-up of a terminal, a memory error. What is hidden is counted by class and told at the end. \
                  --include-signals naming a signal shows it; --all shows everything.\n\n\
                  Events go to standard output, everything else to standard error. Exit code: 0 after SIGINT, SIGTERM, \
                  --count, --duration or a closed pipe; 1 if tracing is not possible; 2 for wrong usage."
)]
pub struct Cli {
    /// Format of the lines
    #[arg(short, long, value_enum, default_value_t = OutputArg::Logfmt, value_name = "FORMAT")]
    pub output: OutputArg,

    /// Report only these signals, hidden by default or not (names or numbers, comma-separated: TERM,9,RTMIN+3)
    #[arg(short, long, value_name = "SIGNALS", value_delimiter = ',')]
    pub include_signals: Vec<Signal>,

    /// Do not report these signals
    #[arg(short, long, value_name = "SIGNALS", value_delimiter = ',')]
    pub exclude_signals: Vec<Signal>,

    /// Do not report what processes of this name send (as in /proc/PID/comm: its first 15 bytes; comma-separated)
    #[arg(long, value_name = "COMM", value_delimiter = ',', value_parser = parse_comm)]
    pub ignore_source_comm: Vec<String>,

    /// Ancestors to show of each side, up to PID 1
    #[arg(short = 'd', long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(0..=32))]
    pub max_tree_depth: u32,

    /// Where the host's file system is (in a container: where it is mounted)
    #[arg(short, long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,

    /// What to say on standard error; events are never muted
    #[arg(short, long, value_enum, default_value_t = LogLevel::Info, value_name = "LEVEL")]
    pub log_level: LogLevel,

    /// Stop after N events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,

    /// Stop after this time (seconds, or with a unit: 500ms, 10s, 5m, 2h)
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub duration: Option<Duration>,

    /// Report what is hidden by default too (see --help)
    #[arg(long)]
    pub all: bool,

    /// Report calls that fail as well (EPERM, ESRCH …); --failed=only: nothing else. Without BPF trampolines in the
    /// kernel every system call of the host gets some 75 ns slower meanwhile
    #[arg(long, value_enum, value_name = "only", num_args = 0..=1, require_equals = true, default_missing_value = "too")]
    pub failed: Option<FailedArg>,

    /// Report calls with signal 0 as well, which ask whether a process is there (the same cost)
    #[arg(long)]
    pub probes: bool,

    /// Do not report how processes end that were signalled
    #[arg(long)]
    pub no_outcome: bool,

    /// Tell these environment variables of both sides, as they were at exec (comma-separated, at most 8)
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = parse_variable)]
    pub env: Vec<String>,

    /// How many ended processes are remembered for those that they started
    #[arg(long, hide = true, value_name = "N", default_value_t = GHOSTS, value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    pub ghosts: u32,

    /// Size of the ring between kernel and program, in bytes: a power of two, whole pages
    #[arg(long, hide = true, value_name = "BYTES", default_value_t = RING_BYTES, value_parser = parse_ring_bytes)]
    pub ring_bytes: u32,

    /// Seed from /proc although the kernel's iterator could
    #[arg(long, hide = true)]
    pub seed_from_proc: bool,

    /// Keep the raw records in FILE, for the tests' fixtures
    #[arg(long, hide = true, value_name = "FILE")]
    pub record_to: Option<PathBuf>,
}

/// `--output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputArg {
    /// key=value pairs, JSON paths joined by dots
    Logfmt,
    /// One JSON object a line
    Json,
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

fn parse_duration(text: &str) -> Result<Duration, UsageError> {
    let wrong = || UsageError::Duration(text.to_owned());
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds)
            .ok()
            .filter(|duration| !duration.is_zero())
            .ok_or_else(wrong);
    }
    let duration: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(duration).ok().filter(|duration| !duration.is_zero()).ok_or_else(wrong)
}

fn parse_comm(text: &str) -> Result<String, UsageError> {
    if text.is_empty() { Err(UsageError::EmptyComm) } else { Ok(text.to_owned()) }
}

fn parse_variable(text: &str) -> Result<String, UsageError> {
    // a name is a key of the output
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'=' | b'"' | b'\\');
    let is_name = !text.is_empty() && text.len() <= MAX_VARIABLE_NAME && text.bytes().all(is_plain);
    if is_name { Ok(text.to_owned()) } else { Err(UsageError::Variable(text.to_owned())) }
}

fn parse_ring_bytes(text: &str) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|bytes: &u32| bytes.is_power_of_two() && *bytes >= 4096)
        .ok_or_else(|| format!("'{text}' is not a power of two of at least 4096"))
}

impl TryFrom<Cli> for Config {
    type Error = UsageError;

    fn try_from(cli: Cli) -> Result<Self, UsageError> {
        let set = |signals: &[Signal]| signals.iter().fold(0, |set, signal| set | signal.bit());
        let included = set(&cli.include_signals);
        let passing = if included == 0 { ALL_SIGNALS } else { included };
        let shown = passing & !set(&cli.exclude_signals);
        if shown == 0 {
            return Err(UsageError::NothingIncluded);
        }
        if cli.ignore_source_comm.len() > MAX_IGNORED_COMMS {
            return Err(UsageError::TooManyComms(cli.ignore_source_comm.len()));
        }
        let mut variables = cli.env;
        variables.sort_unstable();
        variables.dedup();
        if variables.len() > MAX_VARIABLES {
            return Err(UsageError::TooManyVariables(variables.len()));
        }
        Ok(Self {
            output: match cli.output {
                OutputArg::Logfmt => OutputFormat::Logfmt,
                OutputArg::Json => OutputFormat::Json,
            },
            shown_signals: shown,
            included_signals: included,
            ignored_source_comms: cli.ignore_source_comm.iter().map(|comm| as_comm(comm)).collect(),
            max_tree_depth: cli.max_tree_depth,
            root: cli.root,
            count: cli.count,
            duration: cli.duration,
            show_all: cli.all,
            failed: match cli.failed {
                None => Failed::No,
                Some(FailedArg::Too) => Failed::Too,
                Some(FailedArg::Only) => Failed::Only,
            },
            probes: cli.probes,
            outcomes: !cli.no_outcome,
            variables,
            ghosts: cli.ghosts,
            ring_bytes: cli.ring_bytes,
            seed_from_proc: cli.seed_from_proc,
            record_to: cli.record_to,
        })
    }
}

/// As the kernel keeps a name: 15 bytes, then NULs.
fn as_comm(name: &str) -> [u8; 16] {
    let mut comm = [0; 16];
    for (to, from) in comm[..15].iter_mut().zip(name.bytes()) {
        *to = from;
    }
    comm
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(arguments: &[&str]) -> Result<Config, String> {
        let cli =
            Cli::try_parse_from([&["killsnoop"], arguments].concat()).map_err(|error| error.to_string())?;
        Config::try_from(cli).map_err(|error| error.to_string())
    }

    #[test]
    fn the_flag_table_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn include_and_exclude_are_anded() {
        let config = config(&["-i", "TERM,9,rtmin+3", "-e", "kill"]).unwrap();
        assert_eq!(config.shown_signals, 1 << 14 | 1 << 36);
        assert_eq!(config.included_signals, 1 << 14 | 1 << 8 | 1 << 36);
    }

    #[test]
    fn filters_that_let_nothing_through_are_refused() {
        assert!(config(&["-i", "TERM", "-e", "15"]).unwrap_err().contains("no signal passes"));
    }

    #[test]
    fn a_bad_value_is_named_with_its_flag_and_what_is_allowed() {
        for (arguments, words) in [
            (&["-i", "KILLER"][..], &["--include-signals", "KILLER", "1 to 64"][..]),
            (&["-d", "33"], &["--max-tree-depth", "33", "0..=32"]),
            (&["-d", "-1"], &["-1"]),
            (&["-o", "xml"], &["--output", "xml", "logfmt", "json"]),
            (&["--count", "0"], &["--count", "0"]),
            (&["--duration", "soon"], &["--duration", "soon", "500ms"]),
            (&["--duration", "0"], &["--duration", "0"]),
            (&["--ignore-source-comm", "a,"], &["--ignore-source-comm", "empty"]),
            (&["--duration", "-3s"], &["-3"]),
            (&["--failed=some"], &["--failed", "some", "only"]),
            (&["--env", "A=b"], &["--env", "A=b", "63"]),
            (&["--env", "A b"], &["--env", "A b", "63"]),
            (&["--env", "A,B,C,D,E,F,G,H,I"], &["--env", "9", "8"]),
            (&["-l", "loud"], &["--log-level", "loud", "debug"]),
        ] {
            let message = config(arguments).unwrap_err();
            for word in words {
                assert!(message.contains(word), "{arguments:?}: {message}");
            }
        }
    }

    #[test]
    fn durations_with_and_without_unit() {
        for (text, milliseconds) in
            [("2", 2000), ("0.5", 500), ("500ms", 500), ("10s", 10_000), ("5m", 300_000), ("2h", 7_200_000)]
        {
            assert_eq!(
                config(&["--duration", text]).unwrap().duration,
                Some(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
    }

    #[test]
    fn a_long_comm_is_cut_as_the_kernel_cuts_it() {
        let config = config(&["--ignore-source-comm", "systemd-journald,x"]).unwrap();
        assert_eq!(&config.ignored_source_comms[0], b"systemd-journal\0");
        assert_eq!(&config.ignored_source_comms[1][..2], b"x\0");
    }
}
