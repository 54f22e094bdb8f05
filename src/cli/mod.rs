//! The command line as typed. What a trace makes of it is decided in `settle`; a value is parsed by its type (`FromStr`), in
//! the layer of that type.

mod complete;
pub(crate) mod config_file;
mod flags;
mod hints;
mod history;
mod order;
mod pages;
mod service;
mod settle;
mod store;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueHint};

pub use self::complete::{SHELLS, VARIABLE, answer};
pub use self::config_file::words_of_file;
pub use self::flags::{ColourArg, FailedArg, LogLevel, TraceArgs};
pub use self::hints::{with_hint, wrong_value};
pub use self::history::{LogArgs, PastArgs, WhyArgs};
pub use self::order::{command_first, command_like, has_detached_only};
pub use self::pages::{Page, page};
pub use self::service::ServiceArgs;
pub use self::settle::Request;
pub use self::store::{KeepArg, StoreArgs};
use crate::journal::Journaled;
use crate::output::select::filter::ProcessArg;

/// Examples come first: they are what most people look for.
const TEMPLATE: &str = "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

const AFTER_SHORT_HELP: &str =
    "--help has all flags and the exit status; killsnoop --help the keys of --where.";

/// Of why and log.
const AFTER_SHORT_HELP_OF_THE_PAST: &str = "\
Exit status: 0 found; 1 nothing fits, and all of that time was recorded;
3 nothing fits, but part of it was not; 2 something is wrong.
--help has all flags; killsnoop --help the keys of --where.";

/// Who killed my process? Prints each signal on this host, its sender and target
///
/// Each with its command line and its process tree, taken inside the kernel at the instant of the signal, and what became of the
/// target.
#[derive(Debug, Parser)]
#[command(
    name = "killsnoop",
    version,
    args_conflicts_with_subcommands = true,
    override_usage = "killsnoop [OPTIONS] [NAME|PID]...\n       killsnoop [OPTIONS] <COMMAND>",
    help_template = TEMPLATE,
    before_help = pages::TRACE.first_examples(),
    after_help = "--help has all flags, the keys of --where, what is hidden, and the exit status.",
    after_long_help = pages::TRACE.long_end(),
)]
pub struct Cli {
    /// A trace of this host
    #[command(flatten)]
    pub trace: TraceArgs,

    /// Only what these processes send or receive
    ///
    /// A name is that of the process (comm), of its executable or of its systemd unit, and may hold * and ?; digits are a pid.
    /// Behind -- it may be that of a command: `killsnoop -- run`.
    #[arg(value_name = "NAME|PID", hide_short_help = true, add = complete::processes())]
    pub processes: Vec<ProcessArg>,

    /// Something else
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What killsnoop does besides a trace of the host.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a command and trace it and all below it
    #[command(
        override_usage = "killsnoop run [OPTIONS] [--] <COMMAND> [ARGUMENT]...",
        help_template = TEMPLATE,
        before_help = pages::RUN.first_examples(),
        after_help = AFTER_SHORT_HELP,
        after_long_help = pages::RUN.long_end()
    )]
    Run {
        /// How it is traced
        #[command(flatten)]
        trace: Box<TraceArgs>,
        /// The command and its arguments
        #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true, allow_hyphen_values = true,
            add = complete::command())]
        command: Vec<OsString>,
    },
    /// Wait for the end of a process; print who signals it, and how it ends
    #[command(
        override_usage = "killsnoop who [OPTIONS] <NAME|PID>...",
        help_template = TEMPLATE,
        before_help = pages::WHO.first_examples(),
        after_help = AFTER_SHORT_HELP,
        after_long_help = pages::WHO.long_end()
    )]
    Who {
        /// How it is traced
        #[command(flatten)]
        trace: Box<TraceArgs>,
        /// The process, by pid or name
        ///
        /// Of several, until the first of them ends. A name is that of processes that run now: of the process (comm), of its
        /// executable or of its systemd unit.
        #[arg(value_name = "NAME|PID", required = true, add = complete::processes())]
        processes: Vec<ProcessArg>,
    },
    /// Say who killed a process, of what killsnoop record has recorded
    #[command(
        override_usage = "killsnoop why [OPTIONS] [TARGET]...",
        help_template = TEMPLATE,
        before_help = pages::WHY.first_examples(),
        after_help = AFTER_SHORT_HELP_OF_THE_PAST,
        after_long_help = pages::WHY.long_end()
    )]
    Why(Box<WhyArgs>),
    /// List what killsnoop record has recorded
    #[command(
        override_usage = "killsnoop log [OPTIONS] [TARGET]...",
        help_template = TEMPLATE,
        before_help = pages::LOG.first_examples(),
        after_help = AFTER_SHORT_HELP_OF_THE_PAST,
        after_long_help = pages::LOG.long_end()
    )]
    Log(Box<LogArgs>),
    /// Keep what happens, for why and log
    #[command(
        override_usage = "killsnoop record [OPTIONS]",
        help_template = TEMPLATE,
        args_override_self = true,
        mut_arg("store", |argument| argument.hide_short_help(false)),
        mut_arg("count", |argument| argument.hide_short_help(true)),
        mut_arg("duration", |argument| argument.hide_short_help(true)),
        mut_arg("summary", |argument| argument.hide_short_help(true)),
        before_help = pages::RECORD.first_examples(),
        after_help = AFTER_SHORT_HELP,
        after_long_help = pages::RECORD.long_end()
    )]
    Record {
        /// How it is traced
        #[command(flatten)]
        trace: Box<TraceArgs>,
        /// Where it is kept
        #[command(flatten)]
        store: Box<StoreArgs>,
    },
    /// List what this host offers and lacks, the effect, and the fix
    #[command(help_template = TEMPLATE, before_help = pages::DOCTOR.first_examples(), after_help = pages::DOCTOR.long_end())]
    Doctor {
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Write man pages, completions (bash, zsh, fish) and the JSON Schema of the events
    #[command(hide = true)]
    Generate {
        /// Into this directory
        #[arg(value_hint = ValueHint::DirPath)]
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
    /// What `record` starts: writes the store
    #[command(hide = true)]
    WriteStore {
        /// Where
        #[arg(long)]
        store: PathBuf,
        /// Who may read
        #[arg(long)]
        group: Option<u32>,
        /// How large it may get
        #[arg(long)]
        max_bytes: Option<u64>,
        /// How old, in seconds
        #[arg(long)]
        max_age: Option<u64>,
        /// What is left to others
        #[arg(long)]
        keep_free: Option<u8>,
        /// Which events are kept
        #[arg(long)]
        deaths: bool,
        /// Filters that are in force
        #[arg(long)]
        filters: String,
        /// Messages
        #[arg(long, value_enum)]
        log_level: LogLevel,
    },
    /// What `record` starts: sends to the journal
    #[command(hide = true)]
    WriteJournal {
        /// The journal's socket
        #[arg(long)]
        socket: PathBuf,
        /// Which events
        #[arg(long)]
        which: Journaled,
    },
    /// What `record` starts: writes metrics
    #[command(hide = true)]
    WriteMetrics {
        /// The name of the file, in the directory that is the standard output
        name: String,
    },
    /// What `run` starts: waits for the trace, becomes the command
    #[command(hide = true)]
    ExecWhenReady {
        /// The command and its arguments
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
}
