//! Man pages, completions, the schema: all derived from the flags, pages and keys that the program itself uses.

use std::fs;
use std::io;
use std::path::Path;

use clap::CommandFactory;

use super::manual;
use crate::cli::{Cli, SHELLS, VARIABLE};
use crate::output::keys;

/// Writes them into a directory, which is created if it is missing.
///
/// # Errors
/// If something cannot be written.
pub fn generate(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let mut program = Cli::command();
    program.build();
    let commands = program.get_subcommands().filter(|command| !command.is_hide_set());
    for command in std::iter::once(&program).chain(commands) {
        if let Some((name, text)) = manual::page_of(command)? {
            fs::write(directory.join(name), text)?;
        }
    }
    for (name, shell) in SHELLS {
        let mut script = Vec::new();
        shell.write_registration(VARIABLE, "killsnoop", "killsnoop", "killsnoop", &mut script)?;
        if name.starts_with('_') {
            // zsh loads the file when it is first asked, and expects the answer from it
            script.extend(b"[[ $funcstack[1] != _killsnoop ]] || _clap_dynamic_completer_killsnoop \"$@\"\n");
        }
        fs::write(directory.join(name), script)?;
    }
    fs::write(directory.join("killsnoop.schema.json"), keys::schema())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Those that trace, and have the flags of a trace.
    const TRACES: [&str; 4] = ["killsnoop.1", "killsnoop-run.1", "killsnoop-who.1", "killsnoop-record.1"];
    /// Those that have flags of their own only.
    const OTHERS: [&str; 3] = ["why", "log", "doctor"];

    #[test]
    fn every_flag_is_in_the_man_page_and_every_page_is_whole() {
        let directory = tempfile::tempdir().unwrap();
        generate(directory.path()).unwrap();
        // roff writes a dash as \-
        let read = |name: &str| {
            fs::read_to_string(directory.path().join(name))
                .unwrap()
                .replace("\\-", "-")
                .replace("\\*(Aq", "'")
        };
        let program = Cli::command();
        let flags = || program.get_arguments().filter(|argument| argument.get_long().is_some());
        assert!(flags().filter(|flag| !flag.is_hide_set()).count() >= 25);
        let others = OTHERS.map(|command| format!("killsnoop-{command}.1"));
        for page in TRACES.into_iter().chain(others.iter().map(String::as_str)) {
            let text = read(page);
            for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "EXAMPLES", "EXIT STATUS", "SEE ALSO"] {
                assert!(
                    text.contains(&format!("\n.SH {section}\n"))
                        || text.contains(&format!("\n.SH \"{section}\"\n")),
                    "{page}: no {section}"
                );
            }
        }
        let shows = |page: &str, flag: &clap::Arg| {
            let text = read(page);
            let is_there = text.contains(&format!("--{}", flag.get_long().unwrap_or_default()));
            let is_near = text.contains(&format!("--{}-", flag.get_long().unwrap_or_default()));
            assert!(is_there != flag.is_hide_set() || is_near, "{page}: {}", flag.get_id());
            let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(flag.is_hide_set() || text.contains(&help), "{page}: {} has no text", flag.get_id());
        };
        for page in TRACES {
            flags().for_each(|flag| shows(page, flag));
        }
        for (command, page) in OTHERS.iter().zip(&others) {
            let own = program.find_subcommand(command).unwrap().get_arguments();
            own.filter(|flag| flag.get_long().is_some()).for_each(|flag| shows(page, flag));
        }
        assert!(read("killsnoop.1").contains("\n.SH FIELDS\n"));
        let files: Vec<_> =
            fs::read_dir(directory.path()).unwrap().flatten().map(|file| file.file_name()).collect();
        assert_eq!(files.len(), TRACES.len() + OTHERS.len() + SHELLS.len() + 1, "{files:?}");
    }
}
