//! Man pages, completions, the schema: all derived from the flags and keys that the program itself uses.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use clap::CommandFactory;
use clap_complete::{Shell, generate_to};

use crate::cli::Cli;
use crate::output::keys;

/// Writes them into a directory, which is created if it is missing.
///
/// # Errors
/// If something cannot be written.
pub fn generate(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let mut command = Cli::command();
    clap_mangen::generate_to(command.clone(), directory)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        generate_to(shell, &mut command, "killsnoop", directory)?;
    }
    let manual = directory.join("killsnoop.1");
    fs::OpenOptions::new().append(true).open(manual)?.write_all(keys::manual().as_bytes())?;
    fs::write(directory.join("killsnoop.schema.json"), keys::schema())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_is_in_the_man_page_and_in_every_completion() {
        let directory = tempfile::tempdir().unwrap();
        generate(directory.path()).unwrap();
        let read = |name: &str| fs::read_to_string(directory.path().join(name)).unwrap();
        let flags: Vec<String> = Cli::command()
            .get_arguments()
            .filter(|argument| !argument.is_hide_set())
            .filter_map(|argument| argument.get_long().map(str::to_owned))
            .collect();
        assert!(flags.len() >= 25, "{flags:?}");
        for name in ["killsnoop.1", "killsnoop.bash", "_killsnoop", "killsnoop.fish"] {
            // roff writes a dash as \-
            let text = read(name).replace("\\-", "-");
            for flag in &flags {
                assert!(text.contains(flag), "{name}: no {flag}");
            }
        }
        assert!(read("killsnoop.1").contains("\n.SH FIELDS\n"));
        for name in ["killsnoop-run.1", "killsnoop-who.1", "killsnoop-doctor.1", "killsnoop.schema.json"] {
            assert!(!read(name).is_empty());
        }
    }
}
