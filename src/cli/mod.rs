//! The command line as typed. What a trace makes of it is decided in `settle`; a value is parsed by its type (`FromStr`), in
//! the layer of that type.

mod flags;
mod settle;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use self::flags::parse_pid;
pub use self::flags::{ColourArg, FailedArg, LogLevel, TraceArgs};
pub use self::settle::Request;

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
                  LEFT OUT IN line, table AND tree, and counted: signals to zombies; SIGPIPE that ends a child of a shell in its \
                  first minute, as in `yes | head`; Ctrl-C on the terminal of this trace, and the ends that come of it. logfmt \
                  and json have all of it. --all prints it; so do, but for Ctrl-C, -i, --pid, --tree, --where and who.\n\n\
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

/// What killsnoop does besides a trace of the host.
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
