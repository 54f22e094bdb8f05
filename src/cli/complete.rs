//! What the shell offers for a value: formats, signals, keys, pids and names of processes. Asked for by the scripts that
//! `killsnoop generate` writes, with the caller's rights; it reads /proc and nothing else.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::CompleteEnv;
use clap_complete::engine::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter,
};
use clap_complete::env::{EnvCompleter, Fish, Shells, Zsh};

use super::Cli;
use crate::enrich::procfs;
use crate::event::signal::{SIGRTMAX, Signal};
use crate::output::format::ALL;
use crate::output::keys::{self, ValueKind};

/// Set by the scripts; names the shell.
pub const VARIABLE: &str = "KILLSNOOP_COMPLETE";

/// The shells, each with the name of its script.
pub static SHELLS: [(&str, &(dyn EnvCompleter + Sync)); 3] =
    [("killsnoop.bash", &Bash), ("_killsnoop", &Visible(&Zsh)), ("killsnoop.fish", &Visible(&Fish))];

/// Answers, and ends the program, if a shell asks.
pub fn answer() {
    CompleteEnv::with_factory(Cli::command)
        .var(VARIABLE)
        .shells(Shells(&[&Bash, &Visible(&Zsh), &Visible(&Fish)]))
        .complete();
}

/// A shell that is not offered what is hidden, whatever was typed.
struct Visible(&'static (dyn EnvCompleter + Sync));

impl EnvCompleter for Visible {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn is(&self, name: &str) -> bool {
        self.0.is(name)
    }

    fn write_registration(
        &self,
        variable: &str,
        name: &str,
        program: &str,
        completer: &str,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        self.0.write_registration(variable, name, program, completer, out)
    }

    fn write_complete(
        &self,
        command: &mut clap::Command,
        words: Vec<OsString>,
        directory: Option<&Path>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let hidden = hidden(command);
        let mut found = Vec::new();
        self.0.write_complete(command, words, directory, &mut found)?;
        // zsh separates what it means by a colon, fish by a tab
        let is_visible =
            |line: &&str| !hidden.iter().any(|name| line.split([':', '\t']).next() == Some(name));
        let found = String::from_utf8_lossy(&found).into_owned();
        let lines: Vec<&str> = found.lines().filter(is_visible).collect();
        out.write_all(lines.join("\n").as_bytes())
    }
}

fn hidden(command: &clap::Command) -> Vec<String> {
    let flags = command.get_arguments().filter(|flag| flag.is_hide_set()).filter_map(clap::Arg::get_long);
    let commands = command.get_subcommands().filter(|command| command.is_hide_set());
    flags
        .map(|flag| format!("--{flag}"))
        .chain(commands.map(|command| command.get_name().to_owned()))
        .collect()
}

const BASH: &str = r#"# bash completion of PROGRAM
_PROGRAM_complete() {
    local IFS=$'\013' words=("${COMP_WORDS[@]}")
    # up to the cursor; of a word that only breaks others bash says that it is empty
    [[ ${words[COMP_CWORD]} == [=:] ]] || words[COMP_CWORD]=$2
    COMPREPLY=($(_CLAP_IFS=$IFS _CLAP_COMPLETE_INDEX=$COMP_CWORD VARIABLE=bash COMPLETER -- "${words[@]}" 2>/dev/null))
    [[ ${#COMPREPLY[@]} != 1 || $COMPREPLY != *[=/] ]] || compopt -o nospace
}
complete -o nosort -F _PROGRAM_complete PROGRAM
"#;

/// bash breaks words at `=` and `:`, this program does not: they are joined before the question, and what was joined is left out of
/// the answers.
#[derive(Debug, Clone, Copy)]
struct Bash;

impl EnvCompleter for Bash {
    fn name(&self) -> &'static str {
        "bash"
    }

    fn is(&self, name: &str) -> bool {
        name == "bash"
    }

    fn write_registration(
        &self,
        variable: &str,
        _name: &str,
        program: &str,
        completer: &str,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let script = BASH.replace("PROGRAM", program);
        out.write_all(script.replace("COMPLETER", completer).replace("VARIABLE", variable).as_bytes())
    }

    fn write_complete(
        &self,
        command: &mut clap::Command,
        words: Vec<OsString>,
        directory: Option<&Path>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let variable = |name| std::env::var(name).ok();
        let place = variable("_CLAP_COMPLETE_INDEX").and_then(|place| place.parse().ok()).unwrap_or(0);
        let separator = variable("_CLAP_IFS").unwrap_or_else(|| "\n".to_owned());
        let (words, place, joined) = join_words(words, place);
        let found = clap_complete::engine::complete(command, words, place, directory)?;
        let found = found.iter().filter(|candidate| !candidate.is_hide_set());
        let values = found.map(|candidate| candidate.get_value().to_string_lossy().into_owned());
        let values: Vec<String> =
            values.map(|value| value.strip_prefix(&*joined).unwrap_or(&value).to_owned()).collect();
        out.write_all(values.join(&separator).as_bytes())
    }
}

/// The words up to the one that is completed, its place, and what of it bash regards as earlier words.
fn join_words(words: Vec<OsString>, place: usize) -> (Vec<OsString>, usize, String) {
    let mut joined: Vec<OsString> = Vec::new();
    let mut earlier = String::new();
    let mut is_open = false;
    for word in words.into_iter().take(place + 1) {
        let is_break = word == "=" || word == ":";
        match joined.last_mut().filter(|_| is_open || is_break) {
            Some(last) => {
                earlier = last.to_string_lossy().into_owned();
                last.push(&word);
                if is_break {
                    earlier = last.to_string_lossy().into_owned();
                }
            }
            None => {
                earlier.clear();
                joined.push(word);
            }
        }
        is_open = is_break;
    }
    let place = joined.len().saturating_sub(1);
    (joined, place, earlier)
}

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
    ArgValueCandidates::new(|| candidates(keys::paths()))
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
        Ok(_) if key.ends_with(".pid") => running().into_iter().map(|(pid, _)| pid.to_string()).collect(),
        Ok(_) if key.ends_with(".comm") => names().into_iter().collect(),
        _ => Vec::new(),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(line: &str, place: usize) -> (String, usize, String) {
        let (words, place, earlier) = join_words(line.split(' ').map(OsString::from).collect(), place);
        (words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" "), place, earlier)
    }

    #[test]
    fn words_that_bash_broke_are_one_again() {
        for (line, place, expected) in [
            ("k --where origin = pro", 4, ("k --where origin=pro", 2, "origin=")),
            ("k --where origin =", 3, ("k --where origin=", 2, "origin=")),
            ("k --where = x = y", 5, ("k --where=x=y", 1, "--where=x=")),
            ("k -o json = /var --x", 4, ("k -o json=/var", 2, "json=")),
            ("k -o js", 2, ("k -o js", 2, "")),
        ] {
            let (words, at, earlier) = joined(line, place);
            assert_eq!((words.as_str(), at, earlier.as_str()), expected, "{line}");
        }
    }
}
