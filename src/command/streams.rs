//! Hints about where events go and in which format, where that may not be what the person at the terminal expects. They are for
//! that person: none is an event, `-q` leaves them out.

use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

use rustix::fs::{FileType, fstat};

use crate::base::stderr::print_line;
use crate::cli::Request;
use crate::output::OutputSettings;
use crate::output::deliver::destination_name::DestinationName;

/// Standard output is no terminal, and no format was chosen.
const USUAL_FORMAT: &str =
    "standard output is no terminal, so events are logfmt: -o line is for people, -o json for programs";

/// Of a trace and of `who`: a pipe or a file has long lines.
pub(super) fn hint_at_format(request: &Request, is_quiet: bool) {
    let surprises = !request.is_format_given && io::stderr().is_terminal() && !io::stdout().is_terminal();
    if surprises && !is_quiet {
        hint(USUAL_FORMAT);
    }
}

/// Of `run`: a program that reads standard output gets what the command prints, and no event.
pub(super) fn hint_at_stderr(request: &Request, is_quiet: bool) {
    let for_programs = |output: &&OutputSettings| {
        output.kind.is_for_programs && output.destination == DestinationName::Stderr
    };
    let Some(output) = request.settings.outputs.iter().find(for_programs) else { return };
    if request.is_format_given && is_pipe_of_its_own() && !is_quiet {
        hint(&on_stderr(output.kind.name));
    }
}

fn hint(text: &str) {
    print_line(format_args!("killsnoop: {text}"));
}

fn on_stderr(format: &str) -> String {
    format!(
        "events go to standard error, since standard output is the command's: -o {format}=FILE writes them to a file, to be read from there"
    )
}

/// Does another program read standard output, and not standard error as well?
fn is_pipe_of_its_own() -> bool {
    let identity = |stream: &dyn AsFd| fstat(stream).map(|stat| (stat.st_dev, stat.st_ino, stat.st_mode));
    let (Ok(stdout), stderr) = (identity(&io::stdout()), identity(&io::stderr())) else { return false };
    let is_pipe = matches!(FileType::from_raw_mode(stdout.2), FileType::Fifo | FileType::Socket);
    is_pipe && stderr.is_ok_and(|stderr| (stderr.0, stderr.1) != (stdout.0, stdout.1))
}

/// Both, for `docs/sentences.md`.
#[cfg(test)]
pub(super) fn catalogue() -> Vec<(&'static str, String)> {
    vec![
        ("no format is given, and standard output is no terminal", USUAL_FORMAT.to_owned()),
        ("`run -o json`, and a program reads standard output", on_stderr("json")),
    ]
}
