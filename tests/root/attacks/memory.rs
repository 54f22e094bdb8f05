//! What makes a tracer keep as much as possible.

use std::process::Stdio;

use super::{as_attacker, workload_of_all};
use support::{Tracer, in_guest, status_field};

use crate::Test;

pub const TESTS: &[Test] =
    &[("huge_command_lines_do_not_fill_the_memory_of_a_tracer_that_folds", &[], huge_command_lines)];

/// What it may take at most: docs/limits.md.
const MOST: u64 = 64 << 20;

/// The most memory that a process has had at a time, in bytes.
fn most_of(pid: u32) -> u64 {
    let most = status_field(pid, "VmHWM").unwrap();
    most.trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

fn huge_command_lines() {
    let arguments = ["-o", "json", "--fold", "json", "--summary"];
    let tracer = Tracer::start(&arguments);
    let seconds = if in_guest() { "20" } else { "8" };
    // as a value, the many short arguments of a process take thirty times their bytes
    let pester = as_attacker(workload_of_all())
        .args(["pester", seconds])
        .args(std::iter::repeat_n("x", 50_000))
        .stdout(Stdio::piped())
        .output()
        .unwrap();
    assert!(pester.status.success(), "{pester:?}");
    let sent: u64 = String::from_utf8(pester.stdout).unwrap().trim().parse().unwrap();
    assert!(sent > 1000, "{sent}");
    let most = most_of(tracer.pid());
    let said = tracer.stop();
    assert!(most < MOST, "{} MiB for {sent} signals: {}", most >> 20, said.stderr);
    said.assert_counters_add_up();
}
