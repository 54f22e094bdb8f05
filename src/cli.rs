//! The command line: what was typed, not yet what is meant (that is [`Config`] and [`output::Settings`]).

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::{ALL_SIGNALS, Config, Failed, GHOSTS, MAX_IGNORED_COMMS, MAX_PID, RING_BYTES};
use crate::error::UsageError;
use crate::event::signal::Signal;
use crate::output::deliver::destination::DestinationName;
use crate::output::redact::{Redaction, parse_pattern};
use crate::output::select::filter::{Condition, Conditions};
use crate::output::{self, Colour, FormatKind, OutputSettings, keys};
use crate::record::{COMM_BYTES, MAX_VARIABLES, is_variable_name};

/// Who killed my process? Prints every signal on this host as it is sent: who sent it, who received it, both
/// command lines and both process trees, taken inside the kernel at that instant.
#[derive(Debug, Parser)]
#[command(
    name = "killsnoop",
    version,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    after_help = "Exit code: 0 after SIGINT, SIGTERM, --count, --duration or a closed pipe; 1 if tracing is not possible; 2 for \
                  wrong usage. --help says more.",
    after_long_help = "HIDDEN BY DEFAULT is only a signal that a process got from itself, or from a timer, a fault, a child, a \
                  resized terminal or I/O, and that it handles or ignores (Go's SIGURG, a JVM's SIGSEGV, profilers, SIGCHLD, \
                  SIGWINCH). Never hidden: whatever one process sends another; SIGKILL, stop and continue, abort; whatever \
                  a process does not handle and would die of; out of memory, the death of a parent or of a pid namespace, \
                  seccomp, the hang-up of a terminal, a memory error. What is hidden is counted by class and told at the end. \
                  --include-signals naming a signal shows it; --all shows everything.\n\n\
                  SIGNALS TO KILLSNOOP: SIGUSR1 says the counters so far. SIGHUP opens the FILEs of --output anew \
                  (logrotate); without one it ends the trace, as SIGINT and SIGTERM do.\n\n\
                  Command lines can hold secrets: see --redact and --redact-secrets. Events go to standard output, everything \
                  else to standard error.\n\n\
                  EXIT CODE: 0 after SIGINT, SIGTERM, --count, --duration or a closed pipe; 1 if tracing is not possible; 2 \
                  for wrong usage. killsnoop run passes on what its command returned, see killsnoop run --help."
)]
pub struct Cli {
    /// A trace of this host
    #[command(flatten)]
    pub trace: TraceArgs,

    /// Something else
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What there is to do beside a trace of the host.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a command and trace what happens in it and below it
    #[command(
        after_help = "Exit code: what the command returned, 128+N if signal N ended it; 125 if killsnoop failed, 126 if the \
                            command cannot be run, 127 if there is none of that name. Under sudo it runs as whoever called \
                            sudo. Its standard output is its own: events go to standard error unless --output names a FILE."
    )]
    Run {
        /// How it is traced
        #[command(flatten)]
        trace: Box<TraceArgs>,
        /// The command and its arguments
        #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
    /// Wait until a process is signalled or ends, say by whom and how, and exit
    #[command(
        after_help = "A signal that the process does not ignore, and that would end it by default, is followed by its end, which \
                      may be long after if it handles it: --count 1 exits at the first signal. Exit code: 0; 1 if there is no such \
                      process or tracing is not possible."
    )]
    Who {
        /// How it is traced
        #[command(flatten)]
        trace: Box<TraceArgs>,
        /// The process, or one of its threads
        #[arg(value_parser = parse_pid())]
        pid: u32,
    },
    /// Say what this host offers and lacks, what follows, how to mend it
    #[command(after_help = "Exit code: 0 if a trace of this host works, 1 if not.")]
    Doctor {
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Write man pages, completions (bash, zsh, fish) and the JSON Schema of the events
    #[command(hide = true)]
    Generate {
        /// Into this directory
        directory: PathBuf,
    },
    /// What an output to a FILE starts: opens it, now and at SIGHUP
    #[command(hide = true)]
    OpenOutputs {
        /// As whoever called sudo
        #[arg(long)]
        as_invoker: bool,
        /// What can be opened
        #[arg(required = true, last = true)]
        files: Vec<PathBuf>,
    },
    /// What `run` starts: waits for the trace, becomes the command
    #[command(hide = true)]
    ExecWhenReady {
        /// The command and its arguments
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
}

/// A trace.
#[derive(Debug, Args)]
pub struct TraceArgs {
    /// logfmt, json, table or tree; several times for several outputs
    ///
    /// With =FILE its lines go there: `-o tree -o json=/var/log/killsnoop.json`. A FILE is added to, made with mode 0600, and opened
    /// anew on SIGHUP. One that is there must be your own, have one name, be closed to others (mode 0600) and in use by no other
    /// tracer; no symbolic link is followed. Or name a FIFO that is so, which need not have a reader yet, or a device.
    #[arg(short, long, value_name = "FORMAT[=FILE]", value_parser = parse_output, help_heading = "Output")]
    pub output: Vec<(FormatKind, Option<PathBuf>)>,

    /// Columns of the table, by the output's keys (comma-separated)
    #[arg(long, value_name = "KEYS", value_delimiter = ',', value_parser = parse_key, help_heading = "Output")]
    pub fields: Vec<String>,

    /// Colours: auto, always, never
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = ColourArg::Auto, alias = "colour", hide_default_value = true,
        hide_possible_values = true, help_heading = "Output")]
    pub color: ColourArg,

    /// Nothing but ASCII in table and tree
    #[arg(long, help_heading = "Output")]
    pub ascii: bool,

    /// Fold floods in these formats, or none [default: table,tree]
    ///
    /// A flood is one signal between the same two: the first is told at once, then a line a second, with repeated=N.
    #[arg(long, value_name = "FORMATS", default_value = "table,tree",
        hide_default_value = true, value_parser = parse_folded, help_heading = "Output")]
    pub fold: Folded,

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
    #[arg(long, value_name = "COMM", value_delimiter = ',', value_parser = parse_comm, help_heading = "Filters")]
    pub ignore_source_comm: Vec<String>,

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
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = parse_variable, help_heading = "What is seen")]
    pub env: Vec<String>,

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
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "When to stop")]
    pub duration: Option<Duration>,

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
    #[arg(long, hide = true, value_name = "BYTES", default_value_t = RING_BYTES, value_parser = parse_ring_bytes)]
    pub ring_bytes: u32,

    /// Seed from /proc although the kernel's iterator could
    #[arg(long, hide = true)]
    pub seed_from_proc: bool,

    /// Keep the raw records in FILE, for the tests' fixtures
    #[arg(long, hide = true, value_name = "FILE")]
    pub record_to: Option<PathBuf>,
}

/// `--fold`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folded(Vec<FormatKind>);

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

/// What a trace is asked for.
#[derive(Debug)]
pub struct Request {
    /// Of the kernel side.
    pub config: Config,
    /// Of what is reported.
    pub settings: output::Settings,
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

/// The longest duration: a clock of the kernel, which counts nanoseconds in 64 bits, ends after 292 years.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

fn parse_duration(text: &str) -> Result<Duration, UsageError> {
    let wrong = || UsageError::Duration(text.to_owned());
    if let Ok(seconds) = text.parse::<f64>() {
        // what a duration cannot hold is longer as well
        if seconds > LONGEST.as_secs_f64() {
            return Err(UsageError::TooLong(text.to_owned()));
        }
        return Duration::try_from_secs_f64(seconds)
            .ok()
            .filter(|duration| !duration.is_zero())
            .ok_or_else(wrong);
    }
    let duration: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    let duration =
        Duration::try_from(duration).ok().filter(|duration| !duration.is_zero()).ok_or_else(wrong)?;
    if duration > LONGEST { Err(UsageError::TooLong(text.to_owned())) } else { Ok(duration) }
}

fn parse_pid() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=i64::from(MAX_PID))
}

fn parse_comm(text: &str) -> Result<String, UsageError> {
    if text.is_empty() { Err(UsageError::EmptyComm) } else { Ok(text.to_owned()) }
}

fn parse_variable(text: &str) -> Result<String, UsageError> {
    if is_variable_name(text.as_bytes()) {
        Ok(text.to_owned())
    } else {
        Err(UsageError::Variable(text.to_owned()))
    }
}

fn parse_ring_bytes(text: &str) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|bytes: &u32| bytes.is_power_of_two() && *bytes >= 4096)
        .ok_or_else(|| format!("'{text}' is not a power of two of at least 4096"))
}

fn parse_output(text: &str) -> Result<(FormatKind, Option<PathBuf>), UsageError> {
    let wrong = || UsageError::Output { given: text.to_owned(), formats: FormatKind::names() };
    let (kind, file) = match text.split_once('=') {
        Some((_, "")) => return Err(wrong()),
        Some((kind, "-")) => (kind, None),
        Some((kind, file)) => (kind, Some(PathBuf::from(file))),
        None => (text, None),
    };
    Ok((FormatKind::named(kind).ok_or_else(wrong)?, file))
}

fn parse_folded(text: &str) -> Result<Folded, UsageError> {
    if text == "none" {
        return Ok(Folded(Vec::new()));
    }
    let wrong = |word: &str| UsageError::Format { given: word.to_owned(), formats: FormatKind::names() };
    let kinds = text.split(',').map(|word| FormatKind::named(word).ok_or_else(|| wrong(word)));
    kinds.collect::<Result<Vec<FormatKind>, UsageError>>().map(Folded)
}

fn parse_key(text: &str) -> Result<String, UsageError> {
    keys::look_up(text).map(|_| text.to_owned())
}

impl TraceArgs {
    /// How much is said on standard error, if nothing else was asked for `usual`.
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

    /// What is meant. Lines that no FILE is named for go to `usual`, in that format if none is named either.
    ///
    /// # Errors
    /// If two flags contradict each other.
    pub fn settle(self, usual: (FormatKind, DestinationName)) -> Result<Request, UsageError> {
        let settings = self.settings(usual)?;
        let config = self.config()?;
        settings.conditions.check(&config)?;
        Ok(Request { config, settings })
    }

    fn settings(
        &self,
        (usual_kind, usual_destination): (FormatKind, DestinationName),
    ) -> Result<output::Settings, UsageError> {
        let destination = |file: &Option<PathBuf>| {
            file.clone().map_or_else(|| usual_destination.clone(), DestinationName::of)
        };
        let output = |kind: FormatKind, destination: DestinationName| OutputSettings {
            kind,
            destination,
            folds: self.fold.0.contains(&kind),
        };
        let mut outputs: Vec<OutputSettings> =
            self.output.iter().map(|(kind, file)| output(*kind, destination(file))).collect();
        if outputs.is_empty() {
            outputs.push(output(usual_kind, usual_destination.clone()));
        }
        for (at, one) in outputs.iter().enumerate() {
            if outputs[..at].iter().any(|other| other.destination == one.destination) {
                return Err(UsageError::SamePlace(one.destination.to_string()));
            }
        }
        if !self.fields.is_empty() && !outputs.iter().any(|output| output.kind.has_columns) {
            return Err(UsageError::FieldsWithoutTable);
        }
        Ok(output::Settings {
            outputs,
            conditions: Conditions {
                wanted: self.wanted.clone(),
                unwanted: self.unwanted.clone(),
                pids: self.pids.clone(),
                trees: self.trees.clone(),
                trees_begin_below: false,
                only_fatal: self.fatal,
            },
            redaction: Redaction::new(self.redact.clone(), self.redact_secrets),
            max_line: self.max_line.map(|bytes| bytes as usize),
            fields: self.fields.clone(),
            colour: match self.color {
                ColourArg::Auto => Colour::Auto,
                ColourArg::Always => Colour::Always,
                ColourArg::Never => Colour::Never,
            },
            is_ascii: self.ascii,
            has_summary: self.summary,
            is_one_story: false,
        })
    }

    fn config(self) -> Result<Config, UsageError> {
        let set = |signals: &[Signal]| signals.iter().fold(0, |set, signal| set | signal.bit());
        let included = set(&self.include_signals);
        let passing = if included == 0 { ALL_SIGNALS } else { included };
        let shown = passing & !set(&self.exclude_signals);
        if shown == 0 {
            return Err(UsageError::NothingIncluded);
        }
        if self.ignore_source_comm.len() > MAX_IGNORED_COMMS {
            return Err(UsageError::TooManyComms(self.ignore_source_comm.len()));
        }
        let mut variables = self.env;
        variables.sort_unstable();
        variables.dedup();
        if variables.len() > MAX_VARIABLES {
            return Err(UsageError::TooManyVariables(variables.len()));
        }
        Ok(Config {
            shown_signals: shown,
            included_signals: included,
            ignored_source_comms: self.ignore_source_comm.iter().map(|comm| as_comm(comm)).collect(),
            max_tree_depth: self.max_tree_depth,
            root: self.root,
            count: self.count,
            duration: self.duration,
            show_all: self.all,
            failed: match self.failed {
                None => Failed::No,
                Some(FailedArg::Too) => Failed::Too,
                Some(FailedArg::Only) => Failed::Only,
            },
            probes: self.probes,
            outcomes: !self.no_outcome,
            reports_ends: false,
            started_by: None,
            variables,
            ghosts: self.ghosts,
            ring_bytes: self.ring_bytes,
            seed_from_proc: self.seed_from_proc,
            record_to: self.record_to,
        })
    }
}

/// As the kernel keeps a name: its first bytes, then NULs.
fn as_comm(name: &str) -> [u8; 16] {
    let mut comm = [0; 16];
    for (to, from) in comm[..COMM_BYTES].iter_mut().zip(name.bytes()) {
        *to = from;
    }
    comm
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bpf::plan::plan;
    use crate::bpf::probe::HostFacts;
    use crate::output::format::{json::JSON, logfmt::LOGFMT, tree::TREE};
    use crate::trace::pushdown;

    fn request(arguments: &[&str]) -> Result<Request, String> {
        let cli =
            Cli::try_parse_from([&["killsnoop"], arguments].concat()).map_err(|error| error.to_string())?;
        cli.trace.settle((LOGFMT, DestinationName::Stdout)).map_err(|error| error.to_string())
    }

    fn config(arguments: &[&str]) -> Result<Config, String> {
        request(arguments).map(|request| request.config)
    }

    fn outputs(arguments: &[&str]) -> Vec<OutputSettings> {
        request(arguments).unwrap().settings.outputs
    }

    #[test]
    fn one_line_of_an_output_is_format_and_destination() {
        let file = |path: &str| DestinationName::File(PathBuf::from(path));
        for (arguments, kind, destination, folds) in [
            (&[][..], LOGFMT, DestinationName::Stdout, false),
            (&["-o", "tree"], TREE, DestinationName::Stdout, true),
            (&["-o", "tree", "--fold", "none"], TREE, DestinationName::Stdout, false),
            (&["-o", "json=a=b"], JSON, file("a=b"), false),
            (&["-o", "json=-", "--fold", "json"], JSON, DestinationName::Stdout, true),
        ] {
            assert_eq!(outputs(arguments), [OutputSettings { kind, destination, folds }], "{arguments:?}");
        }
        let both = outputs(&["-o", "tree", "-o", "json=x"]);
        assert_eq!((both[0].kind, &both[1].destination), (TREE, &file("x")));
    }

    #[test]
    fn the_flags_of_the_original_are_accepted() {
        let cli = Cli::try_parse_from([
            "killsnoop",
            "--list-process-interval",
            "1s",
            "--max-list-process-threads=8",
            "--max-tree-depth=3",
            "--root=/host",
            "--ignore-source-comm=runc",
            "--exclude-signals=23",
            "--include-signals=15",
            "--log-level=info",
        ])
        .unwrap();
        assert_eq!(cli.trace.obsolete(), ["--list-process-interval", "--max-list-process-threads"]);
    }

    #[test]
    fn quiet_and_verbose_are_levels() {
        let level = |arguments: &[&str]| {
            Cli::try_parse_from([&["killsnoop"], arguments].concat())
                .map(|cli| cli.trace.level(LogLevel::Info))
        };
        assert_eq!(level(&[]).unwrap(), tracing::Level::INFO);
        assert_eq!(level(&["-q"]).unwrap(), tracing::Level::WARN);
        assert_eq!(level(&["-v"]).unwrap(), tracing::Level::DEBUG);
        assert!(level(&["-q", "-v"]).is_err() && level(&["-q", "-l", "info"]).is_err());
    }

    #[test]
    fn what_is_behind_the_command_of_run_is_the_commands() {
        for arguments in [&["run", "-o", "json", "--", "ls", "-l"][..], &["run", "-o", "json", "ls", "-l"]] {
            let cli = Cli::try_parse_from([&["killsnoop"], arguments].concat()).unwrap();
            let Some(Command::Run { trace, command }) = cli.command else { panic!("{arguments:?}") };
            assert_eq!(command, ["ls", "-l"]);
            assert_eq!(trace.output, [(JSON, None)]);
        }
        assert!(Cli::try_parse_from(["killsnoop", "-o", "json", "run", "ls"]).is_err(), "a flag of nobody");
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
            (&["-o", "xml"], &["--output", "xml", "logfmt", "json", "table", "tree"]),
            (&["-o", "json="], &["--output", "json=", "FILE"]),
            (&["-o", "json", "-o", "tree"], &["--output", "standard output"]),
            (&["-o", "json=x", "-o", "tree=x"], &["--output", "x"]),
            (&["-o", "table", "--fields", "pid"], &["--fields", "'pid'", "target.pid"]),
            (&["--fields", "source.pid"], &["--fields", "table"]),
            (&["--fold", "xml"], &["--fold", "xml", "none"]),
            (&["--color", "red"], &["--color", "red", "always"]),
            (&["--max-line", "5"], &["--max-line", "5", "1024"]),
            (&["-p", "0"], &["--pid", "0"]),
            (&["-p", "x"], &["--pid", "x"]),
            (&["--tree", "init"], &["--tree", "init"]),
            (&["--where", "comm=x"], &["--where", "comm", "target.comm"]),
            (&["--where", "signal=NO"], &["--where", "NO", "1 to 64"]),
            (&["--not", "fatal"], &["--not", "fatal", "KEY=VALUE"]),
            (&["--redact", "("], &["--redact", "("]),
            (&["--count", "0"], &["--count", "0"]),
            (&["--duration", "soon"], &["--duration", "soon", "500ms"]),
            (&["--duration", "0"], &["--duration", "0"]),
            (&["--ignore-source-comm", "a,"], &["--ignore-source-comm", "empty"]),
            (&["--duration", "-3s"], &["-3"]),
            (&["--duration", "9223372036854775807"], &["--duration", "9223372036854775807", "100 years"]),
            (&["--duration", "9223372036854775807s"], &["--duration", "100 years"]),
            (&["--duration", "1e300"], &["--duration", "1e300", "100 years"]),
            (&["--duration", "nan"], &["--duration", "nan", "500ms"]),
            (&["-p", "4194304"], &["--pid", "4194304", "1..=4194303"]),
            (&["--tree", "0"], &["--tree", "1..=4194303"]),
            (&["-i", "RTMIN++3"], &["--include-signals", "RTMIN++3", "1 to 64"]),
            (&["--where", "target.comm=systemd-journald"], &["--where", "15 bytes", "systemd-journal"]),
            (&["-i", "TERM", "--where", "signal=KILL"], &["--include-signals", "signal=KILL"]),
            (&["--where", "event=attempt"], &["event=attempt", "--failed"]),
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

    const FLAGS: &[&str] = &[
        "-o",
        "--fields",
        "--color",
        "--ascii",
        "--fold",
        "--max-line",
        "--summary",
        "-i",
        "-e",
        "-p",
        "--tree",
        "--fatal",
        "--where",
        "--not",
        "--ignore-source-comm",
        "--all",
        "--failed",
        "--failed=only",
        "--probes",
        "--no-outcome",
        "--env",
        "-d",
        "--root",
        "--redact",
        "--redact-secrets",
        "--count",
        "--duration",
        "-q",
        "-v",
        "-l",
        "--ghosts",
        "--ring-bytes",
        "--seed-from-proc",
        "who",
        "run",
        "doctor",
        "exec-when-ready",
        "--",
    ];
    const VALUES: &[&str] = &[
        "0",
        "1",
        "-1",
        "+1",
        "64",
        "65",
        "255",
        "4194303",
        "4194304",
        "2147483648",
        "4294967295",
        "4294967296",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "1e19",
        "1e308",
        "1e309",
        "-0",
        "nan",
        "inf",
        "0.0000000001",
        "9223372036854775807s",
        "106751991167d",
        "1h1m",
        "RTMIN+250",
        "RTMAX-250",
        "SIG",
        "",
        ",",
        "=",
        "json",
        "json=-",
        "tree=/",
        "table,tree",
        "none",
        "target.comm",
        "(",
        "a{99999}",
        "only",
        "debug",
        "/",
        "/nonexistent",
        "\u{0}",
        "\u{e9}\u{301}",
    ];

    /// Words as somebody may type them: of a flag, of a value, or of neither.
    fn words() -> impl Strategy<Value = Vec<String>> {
        let keys = proptest::sample::select(keys::paths());
        let values = || proptest::sample::select(VALUES).prop_map(str::to_owned);
        let condition = (keys, proptest::sample::select(&["=", ">", "<", ">=", "<=", ""][..]), values())
            .prop_map(|(key, comparison, value)| format!("{key}{comparison}{value}"));
        let word = prop_oneof![
            3 => proptest::sample::select(FLAGS).prop_map(str::to_owned),
            2 => values(),
            2 => condition.clone(),
            2 => condition.prop_map(|condition| format!("--where={condition}")),
            1 => (proptest::sample::select(FLAGS), values()).prop_map(|(flag, value)| format!("{flag}={value}")),
            1 => any::<String>(),
        ];
        proptest::collection::vec(word, 0..8)
    }

    proptest! {
        /// Up to where BPF begins.
        #[test]
        fn no_command_line_panics(words in words()) {
            let Ok(cli) = Cli::try_parse_from([vec!["killsnoop".to_owned()], words].concat()) else { return Ok(()) };
            let trace = match cli.command {
                None => cli.trace,
                Some(Command::Run { trace, .. } | Command::Who { trace, .. }) => *trace,
                Some(_) => return Ok(()),
            };
            trace.level(LogLevel::Info);
            if let Ok(Request { config, settings }) = trace.settle((LOGFMT, DestinationName::Stdout)) {
                let _ = crate::command::check_root(&config.root);
                prop_assert!(plan(&HostFacts::newest(), &config).is_ok());
                pushdown::select(&settings.conditions, false, true);
                let until = config.duration.map(|duration| std::time::Instant::now().checked_add(duration));
                prop_assert!(until != Some(None), "no clock goes so far");
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
