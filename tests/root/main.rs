//! Root tests: real processes and real signals on the running kernel, each asserting on its own processes only. On a host each
//! has a tracer of its own; in a guest those that need nothing else share one ([`Tracer::shared`]), and what must be older than that
//! is made first ([`older`]).
//!
//! What cannot run says SKIP and why, and is counted apart; a skip that `tests/expected-skips` does not list is a
//! failure, and in CI so is every skip for lack of root. Guests of `scripts/kernel-matrix` leave out what `tests/host-only`
//! lists.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod argv;
mod attacks;
mod attempts;
mod ends;
mod expected_skips;
mod filter;
mod host;
mod identity;
mod lifecycle;
mod lineage;
mod numbered_signals;
mod older;
mod older_processes;
mod output;
mod past;
mod recorder;
mod repeated_signals;
mod requests;
mod screen;
mod sender_and_target;
mod signals;
mod skip;
mod stress;
mod target_state;

use std::collections::BTreeSet;
use std::panic::{RefUnwindSafe, UnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use libtest_mimic::{Arguments, Trial};
use skip::{Skip, skip_reason};
use support::{Tracer, matrix_report, signal_cases};

/// A test: the promise that it keeps, what it needs, and how it shows it.
type Test = (&'static str, &'static [Skip], fn());
/// The same, for those that are made from a table.
type AnyTest = (&'static str, &'static [Skip], Box<dyn Fn() + Send + UnwindSafe + RefUnwindSafe>);

/// Those of every subject that need no order.
fn plain_tests() -> Vec<Test> {
    [
        sender_and_target::TESTS,
        repeated_signals::TESTS,
        argv::TESTS,
        target_state::TESTS,
        older_processes::TESTS,
        identity::TESTS,
        lineage::TESTS,
        ends::TESTS,
        filter::TESTS,
        attempts::TESTS,
        requests::TESTS,
        lifecycle::TESTS,
        output::TESTS,
        screen::TESTS,
        signals::TESTS,
        recorder::TESTS,
        past::TESTS,
        host::TESTS,
        &attacks::tests(),
    ]
    .concat()
}

fn main() -> ExitCode {
    support::use_build(env!("CARGO_BIN_EXE_killsnoop"), env!("CARGO_TARGET_TMPDIR"));
    if let Some(report) = std::env::var_os("KILLSNOOP_JUDGE_SKIPS") {
        return expected_skips::judge(Path::new(&report));
    }
    if let Some(directory) = std::env::var_os("KILLSNOOP_READ_STORE") {
        return recorder::read_as_other_user(Path::new(&directory));
    }
    let arguments = Arguments::from_args();
    support::workload();
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let in_ci = std::env::var_os("CI").is_some();
    let host_only: BTreeSet<&str> = lines(include_str!("../host-only")).collect();
    let is_left_out = |name: &str| {
        support::in_guest() && std::env::var_os("KILLSNOOP_ALL").is_none() && host_only.contains(name)
    };
    let (mut unlisted, mut left_out) = (0, 0);
    let boxed = |(name, needs, run): Test| -> AnyTest { (name, needs, Box::new(run)) };
    let cases = signal_cases::CASES
        .iter()
        .map(|case| -> AnyTest { (case.how, signals::needs(case), Box::new(|| signals::show(case))) });
    // behind the tests that share a tracer, which ends before the first of these; each is seen by the tracers of the others, and
    // there is room for one
    let storms = [lifecycle::STORMS, requests::STORMS, stress::TESTS, &attacks::storms()]
        .concat()
        .into_iter()
        .map(|(name, needs, run)| -> AnyTest {
            let alone = move || {
                static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
                let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
                Tracer::end_shared();
                run();
            };
            (name, needs, Box::new(alone))
        });
    let tests: Vec<AnyTest> = plain_tests().into_iter().map(boxed).chain(cases).chain(storms).collect();
    let names: BTreeSet<&str> = tests.iter().map(|(name, ..)| *name).collect();
    let unknown: Vec<&&str> = host_only.difference(&names).collect();
    assert!(unknown.is_empty(), "tests/host-only lists what is no test: {unknown:?}");
    let trials: Vec<Trial> = tests
        .into_iter()
        .map(|(name, needs, run)| {
            if is_left_out(name) {
                matrix_report::test("root", name, "left-out", Instant::now(), "host-only");
                left_out += 1;
                return Trial::test(name, || Ok(())).with_ignored_flag(true);
            }
            let skip = skip_reason(needs);
            if let Some((skip, why)) = skip {
                if !arguments.list {
                    println!("SKIP {name}: {why}");
                    matrix_report::test("root", name, "skipped", Instant::now(), skip.name());
                }
                if !expected_skips::has(skip.name(), &release, name) || (in_ci && skip == Skip::Root) {
                    println!("unlisted skip: {name} ({})", skip.name());
                    unlisted += 1;
                }
            }
            let trial = Trial::test(name, move || {
                let began = Instant::now();
                let result = catch_unwind(run);
                matrix_report::test("root", name, matrix_report::outcome(result.is_ok()), began, "");
                result.unwrap_or_else(|panic| resume_unwind(panic));
                Ok(())
            });
            trial.with_ignored_flag(skip.is_some())
        })
        .collect();
    if left_out > 0 {
        println!("{left_out} tests are left to the host: no kernel decides them (tests/host-only)");
    }
    if !arguments.list {
        older::make();
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    older::end();
    Tracer::end_shared();
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
