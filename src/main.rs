//! From the command line to a command, and from its result to an exit code.

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use clap::{CommandFactory, Parser};
use killsnoop::base::os_error::reason;
use killsnoop::base::sanitize::{is_safe, visible};
use killsnoop::base::stderr::print_line;
use killsnoop::cli::{
    Cli, Command, LogLevel, Request, TraceArgs, answer, command_first, command_like, has_detached_only,
    with_hint, words_of_file, wrong_value,
};
use killsnoop::command::stores::{self, WriteStore};
use killsnoop::command::{self, child};
use killsnoop::command::{doctor, generate};
use killsnoop::error::{TraceError, UsageError};
use killsnoop::output::FormatKind;
use killsnoop::output::deliver::destination_name::DestinationName;
use killsnoop::output::message::MessageFormat;
use killsnoop::output::select::filter::ProcessArg;
use killsnoop::output::status;
use killsnoop::store::{Bounds, Kept};

fn main() -> ExitCode {
    answer();
    let words = command_first(std::env::args_os().collect());
    if has_detached_only(&words) {
        refuse(UsageError::DetachedOnly);
    }
    let cli = Cli::try_parse_from(&words).unwrap_or_else(|error| refuse_words(error, &words));
    match cli.command {
        None => {
            if let Some(error) = misspelt_command(&cli, &words) {
                refuse(error);
            }
            let is_loud = begin_log(&cli.trace, LogLevel::Info) >= tracing::Level::INFO;
            let request = settle(cli.trace, &cli.processes, DestinationName::Stdout);
            done(command::trace::trace(request, is_loud).map(|()| ExitCode::SUCCESS), 1)
        }
        Some(Command::Run { trace, command }) => {
            begin_log(&trace, LogLevel::Warn);
            let is_quiet = trace.quiet;
            if !trace.trees.is_empty() {
                refuse(UsageError::TreeOfRun);
            }
            let request = settle(*trace, &[], DestinationName::Stderr);
            done(command::run::run(request, &command, is_quiet), child::FAILED)
        }
        Some(Command::Who { trace, processes }) => {
            begin_log(&trace, LogLevel::Warn);
            let is_quiet = trace.quiet;
            let request = settle(*trace, &[], DestinationName::Stdout);
            done(command::who::who(request, &processes, is_quiet).map(|()| ExitCode::SUCCESS), 1)
        }
        Some(Command::Record { trace, store }) if store.config.is_some() && !store.supervised => {
            begin_log(&trace, LogLevel::Info);
            let config = store.config.unwrap_or_default();
            let words_of = || words_of_recorder(&config, &words);
            // what is wrong now is wrong usage; later it is no reason to end
            if let Err(why) = words_of() {
                refuse(why);
            }
            done(command::supervise::supervise(&config, words_of), 1)
        }
        Some(Command::Why(arguments)) => done(command::why::why(*arguments), command::past::FAILED),
        Some(Command::Log(arguments)) => done(command::log::log(&arguments), command::past::FAILED),
        Some(Command::Record { trace, store }) => {
            let is_loud = begin_log(&trace, LogLevel::Info) >= tracing::Level::INFO;
            let request = settle(*trace, &[], DestinationName::Stdout);
            done(command::record::record(request, &store, is_loud).map(|()| ExitCode::SUCCESS), 1)
        }
        Some(Command::WriteStore {
            store,
            group,
            max_bytes,
            max_age,
            keep_free,
            deaths,
            filters,
            log_level,
        }) => {
            init_log(log_level.into());
            let bounds = max_bytes.map(|max_bytes| Bounds {
                max_bytes,
                max_age: max_age.map(Duration::from_secs),
                keep_free: keep_free.unwrap_or_default(),
            });
            let keeps = if deaths { Kept::Deaths } else { Kept::All };
            stores::serve(WriteStore { directory: store, group, bounds, keeps, filters })
        }
        Some(Command::WriteJournal { socket, which }) => command::journal::serve(&socket, which),
        Some(Command::WriteMetrics { name }) => {
            init_log(LogLevel::Warn.into());
            command::metrics::serve(&name)
        }
        Some(Command::Doctor { json }) => doctor::run(json),
        Some(Command::Generate { directory }) => {
            done(generate::generate(&directory).map(|()| ExitCode::SUCCESS).map_err(Into::into), 1)
        }
        Some(Command::OpenOutputs { as_invoker, files }) => command::outputs::serve(as_invoker, &files),
        Some(Command::ExecWhenReady { command }) => child::exec_when_ready(&command),
    }
}

/// The command line of a recorder: the flags of its configuration, then those that were given, which win.
fn words_of_recorder(config: &Path, given: &[OsString]) -> Result<Vec<OsString>, String> {
    let mut words: Vec<OsString> = vec!["killsnoop".into(), "record".into()];
    words.extend(words_of_file(config).map_err(|error| error.to_string())?);
    words.extend(given.iter().skip(2).cloned());
    words.push(command::supervise::SUPERVISED.into());
    let cli = Cli::try_parse_from(&words).map_err(|error| {
        let error = as_visible(error, &words);
        wrong_value(&error).unwrap_or_else(|| error.to_string())
    })?;
    if let Some(Command::Record { trace, .. }) = cli.command {
        trace
            .settle(&[], (FormatKind::usual(false), DestinationName::Stdout))
            .map_err(|error| error.to_string())?;
    }
    words.remove(0);
    Ok(words)
}

/// clap quotes arguments unescaped, which may act on a terminal: the error of the same arguments, escaped. Its exit code is 2 on
/// wrong usage, 0 after help.
fn as_visible(error: clap::Error, words: &[OsString]) -> clap::Error {
    if words.iter().all(|argument| argument.to_str().is_some_and(is_safe)) {
        return error;
    }
    let shown = Cli::try_parse_from(words.iter().map(visible)).err();
    // escaped, it is right: what is wrong is that it is not text
    shown.unwrap_or_else(|| Cli::command().error(error.kind(), visible(error.to_string())))
}

/// A name that no process has, and that is nearly that of a command; behind -- it is a name.
fn misspelt_command(cli: &Cli, words: &[OsString]) -> Option<UsageError> {
    let Some(ProcessArg::Name(name)) = cli.processes.first() else { return None };
    let given = name.to_string();
    let command = command_like(&given).filter(|_| !words.iter().any(|word| word == "--"))?;
    let is_running = command::processes::is_running(&cli.trace.root.join("proc"), name);
    (!is_running).then(|| UsageError::MisspeltCommand { given, command: command.to_owned() })
}

/// Begins to log; returns the level.
fn begin_log(trace: &TraceArgs, usual: LogLevel) -> tracing::Level {
    let level = trace.level(usual);
    init_log(level);
    for flag in trace.obsolete() {
        tracing::warn!(
            "{flag} is no longer needed: processes are known from the kernel, not from lists of /proc"
        );
    }
    level
}

fn init_log(level: tracing::Level) {
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(|| status::LogWriter)
        .with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .event_format(MessageFormat)
        .init();
}

/// Validates the flags. Lines that no FILE is named for go to `usual`, for eyes if that is a terminal.
fn settle(trace: TraceArgs, processes: &[ProcessArg], usual: DestinationName) -> Request {
    let is_terminal = match usual {
        DestinationName::Stderr => io::stderr().is_terminal(),
        _ => io::stdout().is_terminal(),
    };
    match trace
        .settle(processes, (FormatKind::usual(is_terminal), usual))
        .and_then(|request| command::check_root(&request.config.root).map(|()| request))
    {
        Ok(request) => request,
        Err(error) => refuse(error),
    }
}

/// Ends after help, or as wrong usage does.
fn refuse_words(error: clap::Error, words: &[OsString]) -> ! {
    let error = as_visible(error, words);
    match wrong_value(&error) {
        Some(why) => refuse(why),
        None => with_hint(error).exit(),
    }
}

/// Ends as wrong usage does.
fn refuse(why: impl Display) -> ! {
    let has_colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let style = if has_colour { AnsiColor::Red.on_default().bold() } else { Style::new() };
    let why: Vec<String> = why.to_string().lines().map(visible).collect();
    print_line(format_args!(
        "{style}error:{style:#} {}",
        why.join(
            "
"
        )
    ));
    std::process::exit(2)
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
        let lines: Vec<String> = reason(format!("{error:#}{doctor}")).lines().map(visible).collect();
        print_line(format_args!("killsnoop: {}", lines.join("\n")));
        ExitCode::from(failed)
    })
}
