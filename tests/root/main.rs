//! Root tests: real processes and real signals on the running kernel, each with a tracer of its own, asserting
//! only on its own processes.
//!
//! What cannot run says SKIP and why, and is counted apart; a skip that `tests/expected-skips` does not list is a
//! failure, and in CI so is every skip for want of root. Guests of `scripts/kernel-matrix` leave out what `tests/host-only`
//! lists.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod again;
mod argv;
#[path = "../attacks/mod.rs"]
mod attacks;
mod attempts;
mod ends;
mod faults;
mod filter;
mod harness;
mod identity;
mod life;
mod lineage;
mod numbered;
mod older;
mod output;
#[path = "../report/mod.rs"]
mod report;
#[path = "../rows/mod.rs"]
mod rows;
mod signals;
mod target;
mod who;

use std::collections::BTreeSet;
use std::panic::{RefUnwindSafe, UnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;
use std::time::Instant;

use harness::{Skip, skip_reason};
use libtest_mimic::{Arguments, Trial};

/// A test: the promise that it keeps, what it needs, and how it shows it.
type Test = (&'static str, &'static [Skip], fn());
/// The same, for those that are made from a table.
type AnyTest = (&'static str, &'static [Skip], Box<dyn Fn() + Send + UnwindSafe + RefUnwindSafe>);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    harness::workload();
    let expected = include_str!("../expected-skips");
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let in_ci = std::env::var_os("CI").is_some();
    let host_only: BTreeSet<&str> = lines(include_str!("../host-only")).collect();
    let is_left_out = |name: &str| {
        harness::in_guest() && std::env::var_os("KILLSNOOP_ALL").is_none() && host_only.contains(name)
    };
    let (mut unlisted, mut left_out) = (0, 0);
    let tests = [
        who::TESTS,
        again::TESTS,
        argv::TESTS,
        target::TESTS,
        older::TESTS,
        identity::TESTS,
        lineage::TESTS,
        ends::TESTS,
        filter::TESTS,
        attempts::TESTS,
        life::TESTS,
        output::TESTS,
        faults::TESTS,
        signals::TESTS,
        &attacks::tests(),
    ]
    .concat();
    let tests = tests.into_iter().map(|(name, needs, run)| -> AnyTest { (name, needs, Box::new(run)) });
    let rows = rows::ROWS
        .iter()
        .map(|row| -> AnyTest { (row.how, signals::needs(row), Box::new(|| signals::show(row))) });
    let tests: Vec<AnyTest> = tests.chain(rows).collect();
    let names: BTreeSet<&str> = tests.iter().map(|(name, ..)| *name).collect();
    let unknown: Vec<&&str> = host_only.difference(&names).collect();
    assert!(unknown.is_empty(), "tests/host-only lists what is no test: {unknown:?}");
    let trials: Vec<Trial> = tests
        .into_iter()
        .map(|(name, needs, run)| {
            if is_left_out(name) {
                report::test("root", name, "left-out", Instant::now(), "host-only");
                left_out += 1;
                return Trial::test(name, || Ok(())).with_ignored_flag(true);
            }
            let skip = skip_reason(needs);
            if let Some((skip, why)) = skip {
                if !arguments.list {
                    println!("SKIP {name}: {why}");
                    report::test("root", name, "skipped", Instant::now(), skip.name());
                }
                let is_listed = expected.lines().any(|line| lists(line, skip.name(), &release, name));
                if !is_listed || (in_ci && skip == Skip::Root) {
                    println!("unlisted skip: {name} ({})", skip.name());
                    unlisted += 1;
                }
            }
            let trial = Trial::test(name, move || {
                let began = Instant::now();
                let result = catch_unwind(run);
                report::test("root", name, report::outcome(result.is_ok()), began, "");
                result.unwrap_or_else(|panic| resume_unwind(panic));
                Ok(())
            });
            trial.with_ignored_flag(skip.is_some())
        })
        .collect();
    if left_out > 0 {
        println!("{left_out} tests are left to the host: no kernel decides them (tests/host-only)");
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    if unlisted > 0 && !arguments.list {
        println!("{unlisted} skips are not in tests/expected-skips: that is a failure");
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}

/// Those of a list that are no comments.
fn lines(list: &str) -> impl Iterator<Item = &str> {
    list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Whether a line of expected-skips covers this one.
fn lists(line: &str, reason: &str, release: &str, test: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [listed_reason, kernels, tests @ ..] = words.as_slice() else {
        return false;
    };
    let is_kernel = match kernels.strip_prefix('<') {
        Some(bound) => version(release) < version(bound),
        None => *kernels == "*",
    };
    *listed_reason == reason
        && is_kernel
        && tests.iter().any(|listed| *listed == test.replace(' ', "_") || *listed == "*")
}

/// Major and minor of a kernel's release.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}
