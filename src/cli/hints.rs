//! Wrong usage as it is printed: of a value what is wrong with it, once; of a flag that another tool has, what it is called here.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::error::UsageError;

/// A flag of bcc's killsnoop, sigsnoop, strace or a guess, and what does the same.
const ELSEWHERE: &[(&[&str], &str)] = &[
    (&["-s", "--signal", "--signals"], "signals are chosen with -i: killsnoop -i TERM,KILL"),
    (&["-x", "--failures"], "calls that fail are shown with --failed, and alone with --failed=only"),
    (&["-n", "--name", "--comm", "--process"], "processes are chosen by name alone: killsnoop nginx"),
    (
        &["-T", "-t", "--target"],
        "a target is chosen with --where target.pid=PID; killsnoop PID shows both directions",
    ),
    (&["-k", "--kill"], "system calls are chosen with --where via=kill"),
    (
        &["-u", "-U", "--user", "--uid"],
        "users are chosen with --where source.user.name=NAME (or target.user.name)",
    ),
    (&["-c", "--command"], "a command is traced with killsnoop run -- COMMAND"),
    (&["-f", "--follow"], "a process and all below it are chosen with --tree PID"),
    (&["-a"], "what is hidden by default is shown with --all"),
    (&["-j", "--json"], "JSON is -o json"),
    (&["--format"], "formats are chosen with -o: -o json"),
    (&["-1", "-2", "-3", "-6", "-9"], "signals are chosen with -i: killsnoop -i 9"),
    (&["-w", "--wide", "--no-trunc"], "lines for programs are never cut: -o logfmt or -o json"),
    (&["--filter", "--grep"], "events are chosen with --where KEY=VALUE"),
    (
        &["--gap", "--gaps", "--coverage"],
        "what was not recorded stands between the events: killsnoop log; and below each answer of killsnoop why",
    ),
    (&["--no-color", "--no-colour"], "colours are switched off with --color never"),
];

/// What is wrong with a value of a flag, where it was our own parser that refused it: `--count: 'x' is not a whole number`.
pub fn wrong_value(error: &clap::Error) -> Option<String> {
    use std::error::Error;
    let why = error.source()?.downcast_ref::<UsageError>()?;
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return None };
    // its name alone: what it has is in the text
    match flag.split(['=', ' ', '[', '<']).next()? {
        "" => Some(why.to_string()),
        name => Some(format!("{name}: {why}")),
    }
}

/// The same error, with a hint if its flag is one of another tool. That an unknown flag may be a value is no help here.
pub fn with_hint(mut error: clap::Error) -> clap::Error {
    if error.kind() != ErrorKind::UnknownArgument {
        return error;
    }
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return error };
    let flag = flag.split('=').next().unwrap_or_default();
    let hint = ELSEWHERE.iter().find(|(flags, _)| flags.contains(&flag)).map(|(_, hint)| *hint);
    error.remove(ContextKind::Suggested);
    if let Some(hint) = hint {
        error.remove(ContextKind::SuggestedArg);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(hint)]));
    }
    error
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::super::Cli;
    use super::*;

    fn said(flag: &str) -> String {
        with_hint(Cli::try_parse_from(["killsnoop", flag]).unwrap_err()).to_string()
    }

    #[test]
    fn no_hint_is_for_a_flag_that_exists() {
        let program = Cli::command();
        for (flags, _) in ELSEWHERE {
            for flag in *flags {
                let exists = program.get_arguments().any(|own| {
                    (flag.starts_with("--") && own.get_long() == flag.strip_prefix("--"))
                        || (!flag.starts_with("--") && own.get_short() == flag.chars().nth(1))
                });
                assert!(!exists, "{flag}");
            }
        }
    }

    #[test]
    fn what_is_wrong_with_a_value_is_said_once() {
        for (arguments, expected) in [
            (["-i", "TREM"], Some("--include-signals: 'TREM' is not a signal: did you mean TERM?")),
            (["-o", "jsn"], Some("--output: unknown output 'jsn': did you mean json?")),
            (["-o", "json="], Some("--output: unknown output 'json=': did you mean json=FILE?")),
            (["4194304", "x"], Some("'4194304' is not a pid: give a number from 1 to 4194303")),
            (["--color", "red"], None),
        ] {
            let error = Cli::try_parse_from(["killsnoop"].into_iter().chain(arguments)).unwrap_err();
            assert_eq!(wrong_value(&error).as_deref(), expected, "{arguments:?}");
        }
    }

    #[test]
    fn a_flag_of_another_tool_is_named_as_it_is_here() {
        assert!(said("-s").contains("tip: signals are chosen with -i"), "{}", said("-s"));
        assert!(said("-x9").contains("--failed=only"), "{}", said("-x9"));
        assert!(said("--name=x").contains("killsnoop nginx"), "{}", said("--name=x"));
        // that of the program itself is left
        assert!(said("--feilds").contains("--fields"), "{}", said("--feilds"));
        assert!(
            !said("--feilds").contains("as a value") && !said("--zzz").contains("tip"),
            "{}",
            said("--zzz")
        );
    }
}
