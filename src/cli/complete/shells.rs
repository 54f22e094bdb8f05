//! How each shell asks for values, and how it is answered: scripts for bash, zsh and fish, which ask this program itself.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use clap::CommandFactory;
use clap_complete::CompleteEnv;
use clap_complete::env::{EnvCompleter, Fish, Shells, Zsh};

use super::super::Cli;

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
        if let Some(last) = joined.last_mut().filter(|_| is_open || is_break) {
            if !is_break {
                earlier = last.to_string_lossy().into_owned();
            }
            last.push(&word);
            if is_break {
                earlier = last.to_string_lossy().into_owned();
            }
        } else {
            earlier.clear();
            joined.push(word);
        }
        is_open = is_break;
    }
    let place = joined.len().saturating_sub(1);
    (joined, place, earlier)
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
