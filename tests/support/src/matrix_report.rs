//! What a test program reports to `scripts/kernel-matrix`: tab-separated lines, appended to the file that `KILLSNOOP_REPORT`
//! names. Without that there is no report.

use std::fs::OpenOptions;
use std::io::Write;
use std::time::Instant;

/// Appends one line. Tabs and line ends inside a cell would break it, so they become blanks.
pub fn line(cells: &[&str]) {
    let Some(path) = std::env::var_os("KILLSNOOP_REPORT") else {
        return;
    };
    let text: Vec<String> = cells.iter().map(|cell| cell.replace(['\t', '\n', '\r'], " ")).collect();
    let mut file =
        OpenOptions::new().append(true).create(true).open(path).expect("KILLSNOOP_REPORT can be written");
    file.write_all(format!("{}\n", text.join("\t")).as_bytes()).unwrap();
}

/// One test and how it went: `ok`, `failed`, `skipped` for a reason, or `left-out` of a guest.
pub fn test(suite: &str, name: &str, outcome: &str, began: Instant, reason: &str) {
    line(&["test", suite, name, outcome, &format!("{:.3}", began.elapsed().as_secs_f64()), reason]);
}

/// As [`test`] wants it.
pub fn outcome(passed: bool) -> &'static str {
    if passed { "ok" } else { "failed" }
}
