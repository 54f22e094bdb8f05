//! The command line as a shell meets it: exit codes, where words go. Nothing here needs root.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::{Command, Output};

fn killsnoop(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_killsnoop")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn help_and_version_go_to_standard_output_with_0() {
    for (flag, word) in
        [("--help", "HIDDEN BY DEFAULT"), ("-h", "--max-tree-depth"), ("--version", "killsnoop ")]
    {
        let output = killsnoop(&[flag]);
        assert_eq!(output.status.code(), Some(0), "{flag}");
        assert!(text(&output.stdout).contains(word), "{flag}: {}", text(&output.stdout));
        assert!(output.stderr.is_empty(), "{flag}");
    }
}

#[test]
fn wrong_usage_is_2_and_names_flag_value_and_what_is_allowed() {
    for (arguments, words) in [
        (&["--no-such-flag"][..], &["--no-such-flag"][..]),
        (&["word"], &["word"]),
        (&["-i", "NOSIG"], &["--include-signals", "NOSIG", "1 to 64"]),
        (&["-e", "65"], &["--exclude-signals", "65", "1 to 64"]),
        (&["-d", "99"], &["--max-tree-depth", "99", "0..=32"]),
        (&["-i", "TERM", "-e", "TERM"], &["no signal passes", "--exclude-signals"]),
        (&["-o", "xml"], &["--output", "xml", "logfmt"]),
        (&["--ignore-source-comm", ""], &["--ignore-source-comm", "empty"]),
        (&["--ignore-source-comm", &"x,".repeat(65)[..129]], &["--ignore-source-comm", "65", "64"]),
    ] {
        // were it not refused, it would end all the same
        let output = killsnoop(&[arguments, &["--count", "1", "--duration", "2s"]].concat());
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        for word in words {
            assert!(said.contains(word), "{arguments:?}: no '{word}' in: {said}");
        }
    }
}
