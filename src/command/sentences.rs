//! `docs/sentences.md`: every sentence that the program says, made by what says it. Only a test.

use std::fmt::Write as _;
use std::{env, fs};

use super::{run, streams, who};
use crate::event::summary::catalogue::{self, Row};
use crate::output::{status, totals};
use crate::trace;

fn page() -> String {
    let mut page = "# Every sentence\n\n\
        What `summary` says of an event, and what killsnoop says on standard error. The program made this page from made-up \
        records: `KILLSNOOP_BLESS=1 cargo test --release --lib sentences` writes it. The news comes first, since a terminal cuts \
        the end. `bash(7)` is the process `bash` with pid 7.\n"
        .to_owned();
    let messages = [
        trace::catalogue::rows(),
        status::catalogue(),
        streams::catalogue(),
        run::catalogue(),
        totals::catalogue(),
        who::catalogue(),
    ];
    for (title, rows) in [
        ("A signal", catalogue::of_signals()),
        ("What the target does with it", catalogue::of_effects()),
        ("What was before, and who traces", catalogue::of_circumstances()),
        ("A call that failed, or only checked (`--failed`, `--probes`)", catalogue::of_attempts()),
        ("A command that asks for something (`--requests`)", catalogue::of_requests()),
        ("An end", catalogue::of_ends()),
        ("On standard error", messages.concat()),
    ] {
        write_section(&mut page, title, &rows);
    }
    page
}

fn write_section(page: &mut String, title: &str, rows: &[Row]) {
    let _ = write!(page, "\n## {title}\n\n| when | sentence |\n|---|---|\n");
    for (when, sentence) in rows {
        let _ = writeln!(page, "| {when} | {} |", sentence.replace('|', "\\|"));
    }
}

#[test]
fn the_page_of_sentences_is_what_the_program_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/sentences.md");
    let page = page();
    if env::var_os("KILLSNOOP_BLESS").is_some() {
        fs::write(path, &page).unwrap();
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == page,
        "docs/sentences.md is old: KILLSNOOP_BLESS=1 cargo test --release --lib sentences"
    );
}
