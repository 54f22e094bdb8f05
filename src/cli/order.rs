//! Flags may stand on both sides of a command: `killsnoop -o table who 1234` is `killsnoop who -o table 1234`.
//!
//! Only the order of the words changes. What they mean, and what is wrong with them, is left to the parser.

use std::ffi::OsString;

use clap::{Arg, Command, CommandFactory};

use super::Cli;
use crate::base::nearest::nearest;

/// The same words with the command behind the program's name, if there is a command.
pub fn command_first(mut words: Vec<OsString>) -> Vec<OsString> {
    let mut program = Cli::command();
    program.build();
    if let Some(place) = place_of_command(&words, &program) {
        words[1..=place].rotate_right(1);
    }
    words
}

/// The first word that is neither a flag nor the value of one, if it is a command.
fn place_of_command(words: &[OsString], program: &Command) -> Option<usize> {
    let mut place = 1;
    while let Some(word) = words.get(place) {
        let word = word.to_string_lossy();
        if word == "--" {
            return None;
        }
        let takes_next = if let Some(long) = word.strip_prefix("--") {
            program.get_arguments().any(|flag| is_called(flag, long) && takes_next(flag))
        } else if let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            last_takes_next(letters, program)
        } else {
            return program.find_subcommand(word.as_ref()).map(|_| place);
        };
        place += if takes_next { 2 } else { 1 };
    }
    None
}

/// Does `only` stand behind --failed, as if it were its value? It would be the name of a process, or the command of `run`.
pub fn has_detached_only(words: &[OsString]) -> bool {
    let flags = words.split(|word| word == "--").next().unwrap_or_default();
    flags.windows(2).any(|pair| pair[0] == "--failed" && pair[1] == "only")
}

/// The command that may have been meant. Short names are near to many: of them only the order of the letters may be wrong.
pub fn command_like(name: &str) -> Option<&'static str> {
    const COMMANDS: [&str; 6] = ["run", "who", "why", "log", "record", "doctor"];
    let sorted = |word: &str| {
        let mut letters: Vec<char> = word.to_lowercase().chars().collect();
        letters.sort_unstable();
        letters
    };
    let is_shuffled = |command: &&&str| command.len() == 3 && sorted(command) == sorted(name);
    COMMANDS.iter().find(is_shuffled).copied().or_else(|| nearest(name, ["doctor", "record"]))
}

fn is_called(flag: &Arg, long: &str) -> bool {
    flag.get_long() == Some(long) || flag.get_all_aliases().is_some_and(|aliases| aliases.contains(&long))
}

/// Is the next word its value?
fn takes_next(flag: &Arg) -> bool {
    flag.get_num_args().is_some_and(|values| values.takes_values()) && !flag.is_require_equals_set()
}

/// Of letters behind one dash: the first that has a value has what follows it, or else the next word.
fn last_takes_next(letters: &str, program: &Command) -> bool {
    let has_value = |letter: char| {
        program.get_arguments().any(|flag| flag.get_short() == Some(letter) && takes_next(flag))
    };
    letters.chars().position(has_value).is_some_and(|place| place + 1 == letters.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ordered(line: &str) -> String {
        let words = line.split(' ').map(OsString::from).collect();
        command_first(words).iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_first_word_that_is_no_flag_and_no_value_is_the_command() {
        for (line, expected) in [
            ("k -o table who 1", "k who -o table 1"),
            ("k -qotree run -- ls -o x", "k run -qotree -- ls -o x"),
            ("k -qo tree run ls", "k run -qo tree ls"),
            (
                "k --output=tree --failed --colour never who 1",
                "k who --output=tree --failed --colour never 1",
            ),
            ("k --env who run x", "k run --env who x"),
            ("k -i run", "k -i run"),
            ("k who run", "k who run"),
            ("k nginx who", "k nginx who"),
            ("k -- who", "k -- who"),
            ("k -q -- who", "k -q -- who"),
            ("k --no-such who 1", "k who --no-such 1"),
            ("k -h who", "k who -h"),
            ("k", "k"),
        ] {
            assert_eq!(ordered(line), expected, "{line}");
        }
    }

    #[test]
    fn a_value_of_failed_that_stands_apart_is_found_and_a_process_of_that_name_is_none() {
        let found = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            has_detached_only(&words)
        };
        for line in
            ["k --failed only", "k -q --failed only nginx", "k run --failed only", "k only --failed only"]
        {
            assert!(found(line), "{line}");
        }
        for line in
            ["k --failed=only", "k --failed", "k only --failed", "k --failed -- only", "k -- --failed only"]
        {
            assert!(!found(line), "{line}");
        }
    }

    #[test]
    fn a_command_is_recognised_by_its_letters_and_other_programs_are_none() {
        for (name, expected) in [
            ("rnu", Some("run")),
            ("WHO", Some("who")),
            ("hwo", Some("who")),
            ("doctr", Some("doctor")),
            ("docter", Some("doctor")),
            ("bun", None),
            ("runc", None),
            ("dockerd", None),
            ("w", None),
        ] {
            assert_eq!(command_like(name), expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_word_is_lost(words in proptest::collection::vec("(-{0,2}[a-z]{0,5}=?|who|run|--)", 0..7)) {
            let words: Vec<OsString> = words.into_iter().map(OsString::from).collect();
            let mut ordered = command_first(words.clone());
            prop_assert_eq!(ordered.first(), words.first());
            let mut words = words;
            words.sort();
            ordered.sort();
            prop_assert_eq!(ordered, words);
        }
    }
}
