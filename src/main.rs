//! From the command line to a command, and from its result to an exit code.

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use killsnoop::base::sanitize::{is_safe, visible};
use killsnoop::cli::{Cli, Command, LogLevel, Request, TraceArgs};
use killsnoop::command::{self, child};
use killsnoop::command::{doctor, generate};
use killsnoop::error::{TraceError, UsageError};
use killsnoop::output::FormatKind;
use killsnoop::output::deliver::destination::DestinationName;
use killsnoop::output::status;

fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| as_visible(error).exit());
    match cli.command {
        None => {
            let is_loud = begin_log(&cli.trace, LogLevel::Info) >= tracing::Level::INFO;
            let request = settle(cli.trace, DestinationName::Stdout);
            done(command::trace::trace(request, is_loud).map(|()| ExitCode::SUCCESS), 1)
        }
        Some(Command::Run { trace, command }) => {
            begin_log(&trace, LogLevel::Warn);
            if !trace.trees.is_empty() {
                refuse(UsageError::TreeOfRun);
            }
            let request = settle(*trace, DestinationName::Stderr);
            done(command::run::run(request, &command), child::FAILED)
        }
        Some(Command::Who { trace, pid }) => {
            begin_log(&trace, LogLevel::Warn);
            let request = settle(*trace, DestinationName::Stdout);
            done(command::who::who(request, pid).map(|()| ExitCode::SUCCESS), 1)
        }
        Some(Command::Doctor { json }) => doctor::run(json),
        Some(Command::Generate { directory }) => {
            done(generate::generate(&directory).map(|()| ExitCode::SUCCESS).map_err(Into::into), 1)
        }
        Some(Command::OpenOutputs { as_invoker, files }) => command::outputs::serve(as_invoker, &files),
        Some(Command::ExecWhenReady { command }) => child::exec_when_ready(&command),
    }
}

/// clap quotes arguments unescaped, which may act on a terminal: the error of the same arguments, escaped. Its exit code is 2 on
/// wrong usage, 0 after help.
fn as_visible(error: clap::Error) -> clap::Error {
    if std::env::args_os().all(|argument| argument.to_str().is_some_and(is_safe)) {
        return error;
    }
    let shown = Cli::try_parse_from(std::env::args_os().map(visible)).err();
    // escaped, it is right: what is wrong is that it is not text
    shown.unwrap_or_else(|| Cli::command().error(error.kind(), visible(error.to_string())))
}

/// Begins to log; returns the level.
fn begin_log(trace: &TraceArgs, usual: LogLevel) -> tracing::Level {
    let level = trace.level(usual);
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(|| status::LogWriter)
        .with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_target(false)
        .without_time()
        .init();
    for flag in trace.obsolete() {
        tracing::warn!(
            "{flag} is no longer needed: processes are known from the kernel, not from lists of /proc"
        );
    }
    level
}

/// Validates the flags. Lines that no FILE is named for go to `usual`, for eyes if that is a terminal.
fn settle(trace: TraceArgs, usual: DestinationName) -> Request {
    let is_terminal = match usual {
        DestinationName::Stderr => io::stderr().is_terminal(),
        _ => io::stdout().is_terminal(),
    };
    match trace
        .settle((FormatKind::usual(is_terminal), usual))
        .and_then(|request| command::check_root(&request.config.root).map(|()| request))
    {
        Ok(request) => request,
        Err(error) => refuse(error),
    }
}

/// Ends as wrong usage does.
fn refuse(error: UsageError) -> ! {
    Cli::command().error(ErrorKind::ArgumentConflict, error).exit()
}

/// The exit code, after the error is printed. A `TraceError` has its cause in its text, before the hint.
fn done(result: anyhow::Result<ExitCode>, failed: u8) -> ExitCode {
    result.unwrap_or_else(|error| {
        let error = match error.downcast::<UsageError>() {
            Ok(usage) => refuse(usage),
            Err(error) => error,
        };
        // its last line is a hint, and this is another
        let is_of_the_host = error.downcast_ref::<TraceError>().is_some_and(TraceError::is_of_the_host);
        let doctor = if is_of_the_host { "; killsnoop doctor says what this host lacks" } else { "" };
        let lines: Vec<String> = format!("{error:#}{doctor}").lines().map(visible).collect();
        eprintln!("killsnoop: {}", lines.join("\n"));
        ExitCode::from(failed)
    })
}
