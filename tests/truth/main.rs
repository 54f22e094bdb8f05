//! The truth suite: a workload that knows what really happened, compared with every word of the tracer.
//!
//! For each kind of chain a table row: `complete` are the kill()s whose event has every fact of source, target
//! and all their ancestors down to the workload's own root, and all of them right. The suite fails if anything
//! is wrong, missing or lost, or if a kind compared less than it should have.
//!
//! `KILLSNOOP_ROUNDS` sets the chains per kind (5000); arguments choose kinds; `KILLSNOOP_BLESS` writes the table to
//! docs/truth.md.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod kinds;
mod truth;

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use kinds::{KINDS, Row};
use support::matrix_report;

fn main() -> ExitCode {
    support::use_build(env!("CARGO_BIN_EXE_killsnoop"), env!("CARGO_TARGET_TMPDIR"));
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        support::workload();
        for (name, _) in KINDS {
            println!("{name}");
        }
        return ExitCode::SUCCESS;
    }
    if !rustix::process::geteuid().is_root() {
        println!("the truth suite needs root: scripts/test runs it through sudo");
        return ExitCode::FAILURE;
    }
    let rounds = std::env::var("KILLSNOOP_ROUNDS").map_or(5000, |text| text.parse().expect("a number"));
    let mut table = String::from(
        "| kind | rounds | fields compared | complete | missing | wrong | lost |\n|---|---|---|---|---|---|---|\n",
    );
    print!("{table}");
    let (mut passed, mut failed) = (0, 0);
    let is_chosen = |name: &str| arguments.is_empty() || arguments.iter().any(|chosen| chosen == name);
    for (name, run) in KINDS.iter().filter(|(name, _)| is_chosen(name)) {
        let began = Instant::now();
        let row = run(rounds);
        let line = cells(name, &row);
        print!("{line}");
        table.push_str(&line);
        let complaints = row.complaints();
        matrix_report::test("truth", name, matrix_report::outcome(complaints.is_empty()), began, "");
        if complaints.is_empty() {
            passed += 1;
        } else {
            failed += 1;
            for complaint in &complaints {
                println!("{name}: {complaint}");
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    if std::env::var_os("KILLSNOOP_BLESS").is_some() && failed == 0 {
        bless(&table);
    }
    if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn cells(name: &str, row: &Row) -> String {
    // rounded down: 100 is only what is complete
    let per_mille = 1000 * row.complete / row.rounds.max(1);
    format!(
        "| {name} | {} | {} | {}.{} % | {} | {} | {} |\n",
        row.rounds,
        row.compared,
        per_mille / 10,
        per_mille % 10,
        row.missing,
        row.wrong.len(),
        row.lost,
    )
}

fn bless(table: &str) {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let model = Command::new("uname").arg("-m").output().unwrap().stdout;
    let mut text = String::from(
        "# The truth suite\n\nA workload that makes processes and signals writes down what really happened; every \
         event is compared with it: key\n(pid and start time) and command line of source, target and all their \
         ancestors down to the workload's own root. Each chain\nlives for milliseconds. `cargo test --release --test \
         truth` makes this table (as root; `KILLSNOOP_BLESS=1` writes it here).\n\n",
    );
    let _ = write!(
        text,
        "Linux {} {}, {} CPUs:\n\n{table}",
        release.trim(),
        String::from_utf8_lossy(&model).trim(),
        std::thread::available_parallelism().map_or(1, usize::from)
    );
    text.push_str(
        "\n`mid-exec` meets its target at a random moment of execve: the old command line is right before the point \
         of no return,\nthe new one after it (the comm shows which). `early` meets children that the fork hook may not have \
         seen yet; its rounds are\nthe events, since a kill() of a group does not say how many it met.\n",
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/truth.md");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
