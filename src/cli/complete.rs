//! What the shell offers for a value: formats, signals, keys, pids and names of processes. Asked for by the scripts that
//! `killsnoop generate` writes, with the caller's rights; it reads /proc and nothing else.

mod shells;

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use clap_complete::engine::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter,
};

pub use self::shells::{SHELLS, VARIABLE, answer};
use crate::enrich::procfs;
use crate::event::signal::{SIGRTMAX, Signal};
use crate::output::format::ALL;
use crate::output::format::table::SIDES;
use crate::output::keys::{self, ValueKind};
use crate::past::output::PastOutput;

fn candidates(values: impl IntoIterator<Item = impl Into<OsString>>) -> Vec<CompletionCandidate> {
    values.into_iter().map(CompletionCandidate::new).collect()
}

/// Those that begin with what was typed.
struct Beginning(fn(&str) -> Vec<CompletionCandidate>);

impl ValueCompleter for Beginning {
    fn complete(&self, typed: &OsStr) -> Vec<CompletionCandidate> {
        let typed = typed.to_string_lossy();
        let mut found = (self.0)(&typed);
        found.retain(|candidate| candidate.get_value().to_string_lossy().starts_with(&*typed));
        found
    }
}

pub(super) fn outputs() -> ArgValueCompleter {
    ArgValueCompleter::new(Beginning(|typed| match typed.split_once('=') {
        Some((format, file)) => {
            let found = PathCompleter::file().complete(OsStr::new(file));
            found.into_iter().map(|candidate| candidate.add_prefix(format!("{format}="))).collect()
        }
        None => candidates(ALL.iter().map(|format| format.name)),
    }))
}

pub(super) fn past_outputs() -> ArgValueCandidates {
    ArgValueCandidates::new(|| candidates(PastOutput::names()))
}

pub(super) fn folded() -> ArgValueCandidates {
    ArgValueCandidates::new(|| candidates(ALL.iter().map(|format| format.name).chain(["none"])))
}

pub(super) fn signals() -> ArgValueCandidates {
    ArgValueCandidates::new(|| candidates(signal_names()))
}

fn signal_names() -> Vec<String> {
    let all = (1..=SIGRTMAX).filter_map(Signal::new).map(|signal| signal.to_string());
    all.filter_map(|name| name.strip_prefix("SIG").map(str::to_owned)).collect()
}

pub(super) fn columns() -> ArgValueCandidates {
    ArgValueCandidates::new(|| candidates(SIDES.map(str::to_owned).into_iter().chain(keys::paths())))
}

pub(super) fn conditions() -> ArgValueCompleter {
    ArgValueCompleter::new(Beginning(|typed| match typed.split_once('=') {
        Some((key, _)) => candidates(values_of(key).iter().map(|value| format!("{key}={value}"))),
        None => candidates(keys::paths().iter().map(|key| format!("{key}="))),
    }))
}

fn values_of(key: &str) -> Vec<String> {
    match keys::look_up(key).map(|row| row.kind) {
        Ok(ValueKind::Word(words)) => words.iter().map(|word| (*word).to_owned()).collect(),
        Ok(ValueKind::Flag) => ["true", "false"].map(str::to_owned).into(),
        Ok(ValueKind::SignalName | ValueKind::SignalNumber) => signal_names(),
        Ok(_) => match key.rsplit('.').next() {
            Some("pid") => running().into_iter().map(|(pid, _)| pid.to_string()).collect(),
            Some("comm") => names().into_iter().collect(),
            _ => Vec::new(),
        },
        Err(_) => Vec::new(),
    }
}

pub(super) fn pids() -> ArgValueCandidates {
    ArgValueCandidates::new(pids_with_names)
}

fn pids_with_names() -> Vec<CompletionCandidate> {
    let described =
        |(pid, comm): (u32, String)| CompletionCandidate::new(pid.to_string()).help(Some(comm.into()));
    running().into_iter().map(described).collect()
}

/// Names; pids once a digit is typed.
pub(super) fn processes() -> ArgValueCompleter {
    ArgValueCompleter::new(Beginning(|typed| {
        if typed.starts_with(|first: char| first.is_ascii_digit()) {
            pids_with_names()
        } else {
            candidates(names())
        }
    }))
}

pub(super) fn variables() -> ArgValueCandidates {
    ArgValueCandidates::new(|| candidates(std::env::vars_os().map(|(name, _)| name)))
}

/// Programs; files where none begins so: which word of the command it is cannot be known.
pub(super) fn command() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let programs = Beginning(|_| candidates(programs())).complete(typed);
        if programs.is_empty() { PathCompleter::any().complete(typed) } else { programs }
    })
}

fn programs() -> BTreeSet<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let entries =
        std::env::split_paths(&path).flat_map(|directory| fs::read_dir(directory).into_iter().flatten());
    let is_program = |entry: &fs::DirEntry| {
        fs::metadata(entry.path())
            .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    entries.flatten().filter(is_program).map(|entry| entry.file_name()).collect()
}

/// Pids and names of all processes but this one.
fn running() -> Vec<(u32, String)> {
    let directory = Path::new("/proc");
    let mut pids = procfs::pids(directory);
    pids.sort_unstable();
    let comm = |pid: u32| {
        let comm = procfs::read_text(directory.join(pid.to_string()).join("comm")).ok()?;
        Some((pid, comm.trim_end().to_owned()))
    };
    pids.into_iter().filter(|&pid| pid != std::process::id()).filter_map(comm).collect()
}

/// Names that a shell needs not quote.
fn names() -> BTreeSet<String> {
    let is_plain = |name: &String| {
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-@+".contains(&byte))
            && !name.starts_with('-')
    };
    running().into_iter().map(|(_, comm)| comm).filter(is_plain).collect()
}
