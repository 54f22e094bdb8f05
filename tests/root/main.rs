//! Root tests: real processes and real signals on the running kernel, each with a tracer of its own, asserting
//! only on its own processes.
//!
//! What cannot run says SKIP and why, and is counted apart; a skip that `tests/expected-skips` does not list is a
//! failure, and in CI so is every skip for want of root.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod argv;
mod filter;
mod harness;
mod life;
mod target;
mod who;

use std::process::ExitCode;

use harness::{Skip, skip_reason};
use libtest_mimic::{Arguments, Trial};

/// A test: the promise that it keeps, what it needs, and how it shows it.
type Test = (&'static str, &'static [Skip], fn());

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    harness::workload();
    let expected = include_str!("../expected-skips");
    let in_ci = std::env::var_os("CI").is_some();
    let mut unlisted = 0;
    let tests: Vec<Test> = [who::TESTS, argv::TESTS, target::TESTS, filter::TESTS, life::TESTS].concat();
    let trials: Vec<Trial> = tests
        .into_iter()
        .map(|(name, needs, run)| {
            let skip = skip_reason(needs);
            if let Some((skip, why)) = skip {
                if !arguments.list {
                    println!("SKIP {name}: {why}");
                }
                let is_listed = expected.lines().any(|line| {
                    let mut words = line.split_whitespace();
                    words.next() == Some(skip.name()) && words.any(|listed| listed == name || listed == "*")
                });
                if !is_listed || (in_ci && skip == Skip::Root) {
                    println!("unlisted skip: {name} ({})", skip.name());
                    unlisted += 1;
                }
            }
            let trial = Trial::test(name, move || {
                run();
                Ok(())
            });
            trial.with_ignored_flag(skip.is_some())
        })
        .collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if unlisted > 0 && !arguments.list {
        println!("{unlisted} skips are not in tests/expected-skips: that is a failure");
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}
