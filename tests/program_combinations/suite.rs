//! Each combination of programs that a host can ask for is loaded and attached, and sees a signal; and each program's
//! cost in the verifier is printed. Needs root.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

use std::mem::MaybeUninit;
use std::process::ExitCode;
use std::time::Instant;

use killsnoop::bpf::load::try_trampoline;
use killsnoop::bpf::plan::{Attempts, Plan, plan};
use killsnoop::bpf::selection::Selection;
use killsnoop::bpf::session::Session;
use killsnoop::bpf::{probe, verifier};
use killsnoop::config::{Config, Failed, REQUESTS};
use killsnoop::record::names::CommName;
use rustix::process::{Pid, Signal, getpid, kill_process};
use support::matrix_report;

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    if !rustix::process::geteuid().is_root() {
        println!("loading programs needs root: scripts/test runs it through sudo");
        return ExitCode::FAILURE;
    }
    // what is not asked for the verifier does not see
    let requests = REQUESTS.iter().map(|name| name.parse::<CommName>().unwrap().padded()).collect();
    let config = Config { failed: Failed::Too, probes: true, requests, ..Config::default() };
    let trampolines = try_trampoline();
    let widest = match plan(&probe::host(), &config) {
        Ok(plan) => Plan { attempts: Attempts::Unwatched, ..plan },
        Err(error) => {
            println!("{error}");
            matrix_report::line(&["refused", &error.to_string()]);
            return ExitCode::FAILURE;
        }
    };
    for (has, feature) in [
        (widest.iterates, "command lines of older processes from the kernel"),
        (widest.has_via, "via and scope"),
        (trampolines, "failed calls and probes without a tax on other system calls"),
        (widest.recovers_forks, "fork hooks that the kernel skips are recovered (7.x skips some)"),
    ] {
        matrix_report::line(&["feature", feature, if has { "yes" } else { "no" }]);
    }
    let (mut passed, mut failed) = (0, 0);
    let mut judge = |name: &str, began: Instant, result: Result<(), String>| {
        matrix_report::test("loads", name, matrix_report::outcome(result.is_ok()), began, "");
        match result {
            Ok(()) => passed += 1,
            Err(complaint) => {
                println!("{name}: {complaint}");
                failed += 1;
            }
        }
    };
    let all = combinations(widest, trampolines);
    for (name, plan) in &all {
        let began = Instant::now();
        let result = sees_a_signal(*plan, &config);
        println!("{name}: {:.3} s", began.elapsed().as_secs_f64());
        judge(name, began, result);
    }
    let began = Instant::now();
    let watched = all.iter().map(|&(_, plan)| plan).filter(|plan| plan.attempts != Attempts::Unwatched);
    let costs = verifier::costs(&watched.collect::<Vec<_>>(), &config).map_err(|error| error.to_string());
    for cost in costs.iter().flatten() {
        println!("{}: {} instructions, {:?}", cost.program, cost.instructions, cost.time);
        let (instructions, microseconds) = (cost.instructions.to_string(), cost.time.as_micros().to_string());
        matrix_report::line(&["program", &cost.program, &instructions, &microseconds]);
    }
    judge("each program alone", began, costs.map(drop));
    let began = Instant::now();
    let differs = verifier::differs_by_types(widest, &config);
    let result = match differs {
        Ok(None) => Ok(()),
        Ok(Some(program)) => {
            Err(format!("{program} is another with few of the kernel's types than with all"))
        }
        Err(error) => Err(error.to_string()),
    };
    judge("relocated as with all types of the kernel", began, result);
    println!("{passed} passed, {failed} failed");
    if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What this host can do, and that without each of its optional programs.
fn combinations(widest: Plan, trampolines: bool) -> Vec<(String, Plan)> {
    let choices = |possible: bool| if possible { vec![true, false] } else { vec![false] };
    let mut found = Vec::new();
    for iterates in choices(widest.iterates) {
        for recovers_forks in choices(widest.recovers_forks) {
            let with = |has: bool, name: &'static str| has.then_some(name);
            let optional: Vec<&str> = [with(iterates, "seed"), with(recovers_forks, "on_wakeup_new")]
                .into_iter()
                .flatten()
                .collect();
            let name = format!(
                "with {}",
                if optional.is_empty() { "neither".to_owned() } else { optional.join(" and ") }
            );
            found.push((name, Plan { iterates, recovers_forks, ..widest }));
        }
    }
    found.push(("with on_sys_exit".to_owned(), Plan { attempts: Attempts::SyscallExits, ..widest }));
    if trampolines {
        found.push(("with fexit".to_owned(), Plan { attempts: Attempts::Trampolines, ..widest }));
    }
    found
}

fn sees_a_signal(plan: Plan, config: &Config) -> Result<(), String> {
    let mut storage = MaybeUninit::uninit();
    let session = Session::start(&mut storage, &plan, config, &Selection::default())
        .map_err(|error| error.to_string())?;
    kill_process(getpid(), Signal::CONT).unwrap();
    // beyond the largest pid that there can be
    let nobody = Pid::from_raw(4_194_305).unwrap();
    kill_process(nobody, Signal::TERM).unwrap_err();
    let is_watched = plan.attempts != Attempts::Unwatched;
    match session.totals() {
        totals if is_watched && totals.attempts.emitted == 0 => Err("no attempt was seen".to_owned()),
        totals if !is_watched && totals.attempts.seen > 0 => Err("attempts are watched".to_owned()),
        totals if totals.generated == 0 => Err("the signal hook saw nothing".to_owned()),
        totals if totals.emitted == 0 => Err("no record was written".to_owned()),
        _ => Ok(()),
    }
}
