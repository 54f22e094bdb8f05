//! How those end that were signalled, and what came before.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;
use support::{
    Cgroup, MEMORY_LIMIT, Process, Tracer, children_of, cmdline, is_in_set, memory_cgroup, run_workload,
    wait_until, workload,
};

use crate::Test;
use crate::older::Older;
use crate::skip::Skip;

pub const TESTS: &[Test] = &[
    ("the_exit_code_of_a_process_that_handles_sigterm_is_reported", &[], handles_and_exits),
    ("a_death_is_blamed_on_the_signal_in_the_wait_status", &[], the_signal_it_died_of),
    ("an_exit_by_another_thread_is_the_process_s", &[], exit_by_a_thread),
    ("the_code_where_the_leader_went_first_is_the_wait_status_s", &[], the_leader_went_first),
    ("a_core_dump_is_reported", &[], core_dump),
    ("an_end_keeps_all_that_a_target_has", &[], all_of_a_target),
    ("without_outcomes_nothing_is_said_of_ends", &[], no_outcome),
    ("who_was_not_signalled_ends_without_an_event", &[], unreported),
    ("what_a_signal_before_was_is_reported_with_the_next", &[], previous),
    ("a_signal_that_an_init_ignored_is_reported_with_the_next", &[Skip::PidNamespace], ignored_by_an_init),
    ("a_hidden_signal_is_remembered_and_pushes_nothing_out", &[], previous_hidden),
    ("a_filtered_signal_is_remembered", &[], previous_filtered),
    ("an_exec_keeps_what_came_before", &[], previous_across_exec),
    ("an_exec_by_another_thread_keeps_what_came_before", &[], previous_across_exec_by_a_thread),
    ("one_without_an_event_is_blamed_if_it_came_later", &[], the_later_one),
    ("a_signal_that_was_handled_is_not_said_to_have_killed", &[], handled_then_by_tracer),
    ("a_child_that_died_of_a_signal_is_reported_with_what_its_parent_sends", &[], child_death),
    ("a_child_s_death_of_long_ago_is_not_reported", &[], child_death_long_ago),
    ("a_victim_that_was_killed_before_is_not_the_oom_killer_s", &[Skip::MemoryCgroup], killed_at_the_limit),
];

fn seconds(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

fn handles_and_exits() {
    let tracer = Tracer::shared(&[]);
    let mut target = Process::workload(&["ends-with", "143"]);
    target.kill(Signal::TERM);
    assert_eq!(target.reap().code(), Some(143));
    let end = tracer.end_of(target.pid());
    assert_eq!(end["msg"], "target ended", "{end}");
    assert_eq!(end["exitCode"], 143, "{end}");
    assert!(end["signalName"].is_null() && end["coreDumped"].is_null(), "{end}");
    let signal = tracer.signal_to(target.pid(), 15);
    let after = &end["after"];
    assert_eq!(after["id"], signal["id"], "{end}");
    assert_eq!(after["signalName"], "SIGTERM", "{end}");
    assert_eq!(after["source"]["pid"], std::process::id(), "{end}");
    assert_eq!(after["source"]["comm"], signal["source"]["comm"], "{end}");
    assert_eq!(after["source"]["key"], signal["source"]["key"], "{end}");
    assert!((0.0..10.0).contains(&seconds(&after["secondsAgo"])), "{end}");
    let summary = end["summary"].as_str().unwrap();
    assert!(
        summary.starts_with(&format!("workload({}) exited with status 143, ", target.pid())),
        "{summary}"
    );
    assert!(summary.contains(" after SIGTERM from "), "{summary}");
}

/// The kernel decides at the first that ends it; what comes after finds a process that is ending already.
fn the_signal_it_died_of() {
    let tracer = Tracer::shared(&[]);
    let mut target = Process::workload(&["waits"]);
    target.kill(Signal::USR1);
    target.kill(Signal::KILL);
    target.reap();
    let end = tracer.end_of(target.pid());
    assert_eq!(end["signalName"], "SIGUSR1", "{end}");
    assert_eq!(end["signal"], 10, "{end}");
    assert_eq!(end["coreDumped"], false, "{end}");
    assert_eq!(end["after"]["signalName"], "SIGUSR1", "{end}");
    assert_eq!(end["after"]["id"], tracer.signal_to(target.pid(), 10)["id"], "{end}");
    assert!(end["summary"].as_str().unwrap().contains("was killed by SIGUSR1 "), "{end}");
}

fn exit_by_a_thread() {
    let tracer = Tracer::shared(&[]);
    let mut target = Process::workload(&["ends-by-thread"]);
    target.kill(Signal::TERM);
    assert_eq!(target.reap().code(), Some(7));
    assert_eq!(tracer.end_of(target.pid())["exitCode"], 7);
}

fn the_leader_went_first() {
    let tracer = Tracer::shared(&[]);
    let mut target = Process::workload(&["leader-ends-first"]);
    target.kill(Signal::TERM);
    // the leader's, or the last thread's: kernels differ
    let code = target.reap().code();
    assert!(matches!(code, Some(5 | 9)), "{code:?}");
    let end = tracer.end_of(target.pid());
    assert_eq!(end["exitCode"].as_i64(), code.map(i64::from), "{end}");
    assert_eq!(end["target"]["comm"], "workload", "{end}");
    assert_eq!(cmdline(&end["target"]), ["workload", "leader-ends-first"], "{end}");
}

fn core_dump() {
    let directory = tempfile::tempdir().unwrap();
    let tracer = Tracer::shared(&[]);
    let mut target =
        Process::start(Command::new(support::workload()).arg("dumps").current_dir(directory.path()));
    target.kill(Signal::QUIT);
    let status = std::os::unix::process::ExitStatusExt::core_dumped(&target.reap());
    let end = tracer.end_of(target.pid());
    assert_eq!(end["signalName"], "SIGQUIT", "{end}");
    // whether one can be written is the host's matter: the wait status is what is true
    assert_eq!(end["coreDumped"], status, "{end}");
}

fn all_of_a_target() {
    let tracer = Tracer::shared(&[]);
    let mut target = Process::workload(&["waits"]);
    target.kill(Signal::TERM);
    target.reap();
    let signal = tracer.signal_to(target.pid(), 15);
    let end = tracer.end_of(target.pid());
    for key in ["key", "cmdline", "comm", "exe", "cgroup", "session", "tree", "user", "group", "parent"] {
        assert_eq!(end["target"][key], signal["target"][key], "{key}: {end}");
    }
    assert!(end["missing"].is_null(), "{end}");
}

fn no_outcome() {
    let tracer = Tracer::json(&["--no-outcome"]);
    let mut target = Process::workload(&["waits"]);
    target.kill(Signal::TERM);
    target.reap();
    tracer.signal_to(target.pid(), 15);
    let said = tracer.stop();
    assert!(said.events().iter().all(|event| event["event"] != "ended"), "{}", said.stdout);
    said.assert_counters_add_up();
}

fn unreported() {
    let tracer = Tracer::shared(&[]);
    // what it sends itself and handles is hidden
    let mut hidden = Process::workload(&["to-itself", "10", "3"]);
    let mut silent = Process::workload(&["storm", "10", "0", "1"]);
    let mut shown = Process::workload(&["ends-with", "0"]);
    hidden.reap();
    silent.reap();
    shown.kill(Signal::TERM);
    shown.reap();
    tracer.end_of(shown.pid());
    let ends = |pid| {
        let is_end = |event: &Value| event["event"] == "ended" && event["target"]["pid"] == pid;
        tracer.events().iter().filter(|event| is_end(event)).count()
    };
    assert_eq!((ends(hidden.pid()), ends(silent.pid()), ends(shown.pid())), (0, 0, 1));
}

fn previous() {
    let tracer = Tracer::shared(&[]);
    let target = Process::workload(&["meets", "15", "ignore"]);
    let pid = target.pid().to_string();
    let began = Instant::now();
    let mut first = Process::start(Command::new("sh").args(["-c", &format!("echo $$; kill -TERM {pid}")]));
    let first_pid = first.said_number();
    first.reap();
    let term = tracer.signal_to(target.pid(), 15);
    assert!(term["previous"].is_null(), "{term}");
    thread::sleep(Duration::from_millis(300));
    target.kill(Signal::KILL);
    let kill = tracer.signal_to(target.pid(), 9);
    let previous = &kill["previous"];
    assert_eq!(previous["id"], term["id"], "{kill}");
    assert_eq!(previous["signalName"], "SIGTERM", "{kill}");
    assert_eq!(previous["result"], term["result"], "{kill}");
    assert_eq!(previous["source"]["pid"], first_pid, "by target, not by pair: {kill}");
    assert_eq!(previous["source"]["comm"], "sh", "{kill}");
    assert!((0.3..=began.elapsed().as_secs_f64()).contains(&seconds(&previous["secondsAgo"])), "{kill}");
    let summary = kill["summary"].as_str().unwrap();
    assert!(summary.contains(" after SIGTERM, which it ignored"), "{summary}");
    assert!(!summary.contains("PID 1"), "{summary}");
    let end = tracer.end_of(target.pid());
    assert_eq!(end["after"]["id"], kill["id"], "{end}");
}

fn ignored_by_an_init() {
    let tracer = Tracer::shared(&[]);
    let init = Process::start(
        Command::new("unshare")
            .args(["--fork", "--pid", "--kill-child"])
            .arg(support::workload())
            .arg("waits"),
    );
    let inside = wait_until("the init", || children_of(init.pid()).first().copied());
    support::kill(inside, Signal::TERM);
    let term = tracer.signal_to(inside, 15);
    assert_eq!(term["result"], "ignored", "{term}");
    support::kill(inside, Signal::KILL);
    let kill = tracer.signal_to(inside, 9);
    assert_eq!(kill["previous"]["result"], "ignored", "{kill}");
    let summary = kill["summary"].as_str().unwrap();
    assert!(summary.contains(" after SIGTERM, which it ignored as PID 1 of its namespace"), "{summary}");
}

fn previous_hidden() {
    let tracer = Tracer::shared(&[]);
    // sees what the other one hides
    let all = Tracer::shared(&["--all"]);
    let target = Process::workload(&["handles-its-own"]);
    target.kill(Signal::USR1);
    let shown = tracer.signal_to(target.pid(), 10);
    let previous = &shown["previous"];
    assert_eq!(previous["signalName"], "SIGUSR1", "{shown}");
    assert_eq!(previous["hidden"], true, "{shown}");
    assert_eq!(previous["source"]["pid"], target.pid(), "{shown}");
    assert!(previous["id"].is_null(), "no event reported it: {shown}");
    // the death of another test's process may be reported
    assert!(!shown["summary"].as_str().unwrap().contains("after SIGUSR1"), "{shown}");
    // it sends itself another one, hidden, after that
    all.signal_to(target.pid(), 12);
    target.kill(Signal::KILL);
    let kill = tracer.signal_to(target.pid(), 9);
    assert_eq!(kill["previous"]["id"], shown["id"], "{kill}");
    let is_hidden =
        |event: &&Value| event["target"]["pid"] == target.pid() && event["source"]["pid"] == target.pid();
    assert_eq!(tracer.events().iter().find(is_hidden), None);
}

fn previous_filtered() {
    let tracer = Tracer::json(&["-i", "KILL"]);
    let target = Process::workload(&["meets", "15", "ignore"]);
    target.kill(Signal::TERM);
    target.kill(Signal::KILL);
    let kill = tracer.signal_to(target.pid(), 9);
    assert_eq!(kill["previous"]["signalName"], "SIGTERM", "{kill}");
    assert_eq!(kill["previous"]["source"]["pid"], std::process::id(), "{kill}");
    assert!(kill["previous"]["id"].is_null(), "{kill}");
}

fn previous_across_exec() {
    let tracer = Tracer::shared(&[]);
    let mut target = Process::start(
        Command::new("sh").args(["-c", "trap 'exec sleep 100' TERM; echo $$; while :; do sleep 0.01; done"]),
    );
    let pid = target.said_number();
    target.kill(Signal::TERM);
    wait_until("the exec", || {
        (std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?.trim() == "sleep").then_some(())
    });
    target.kill(Signal::INT);
    let int = tracer.signal_to(pid, 2);
    assert_eq!(int["previous"]["signalName"], "SIGTERM", "{int}");
    target.reap();
    assert_eq!(tracer.end_of(pid)["signalName"], "SIGINT");
}

fn start_execs() -> [(&'static str, Process); 2] {
    ["stays", "leaves"].map(|what| (what, Process::workload(&["thread-execs", what])))
}

pub const EXECS: Older<[(&str, Process); 2]> = Older("execs", start_execs);

/// The task that it was kept with is gone then, and what ran before the tracer has it elsewhere.
fn previous_across_exec_by_a_thread() {
    let older = EXECS.take();
    let tracer = Tracer::shared(&[]);
    for (is_older, targets) in [(true, older), (false, start_execs())] {
        for (what, mut target) in targets {
            target.kill(Signal::TERM);
            wait_until("the exec", || {
                let line = std::fs::read(format!("/proc/{}/cmdline", target.pid())).ok()?;
                (line == b"workload\0ends-with\x007\0").then_some(())
            });
            let term = tracer.signal_to(target.pid(), 15);
            // its handlers are set a moment after
            wait_until("its handler", || catches(target.pid(), 10).then_some(()));
            target.kill(Signal::USR1);
            let event = tracer.signal_to(target.pid(), 10);
            if is_older && what == "leaves" {
                // there was nothing that it could be kept with
                let missing = event["missing"].as_array().unwrap_or_else(|| panic!("all there: {event}"));
                assert!(missing.contains(&Value::from("previous:unknown")), "{event}");
            } else {
                assert_eq!(event["previous"]["id"], term["id"], "{what}, older: {is_older}: {event}");
            }
            assert_eq!(target.reap().code(), Some(7));
            assert_eq!(tracer.end_of(target.pid())["exitCode"], 7);
        }
    }
}

/// A process that has handled a SIGTERM, and from then on leaves it to the kernel.
fn handled_once() -> Process {
    let target = Process::workload(&["handles-once"]);
    target.kill(Signal::TERM);
    wait_until("the handler to be gone", || (!catches(target.pid(), 15)).then_some(()));
    target
}

/// Does the process handle it?
fn catches(pid: u32, signal: i32) -> bool {
    is_in_set(pid, "SigCgt", signal)
}

/// Of the two, a filter refuses the one that it dies of.
fn the_later_one() {
    let tracer = Tracer::json(&["--ignore-source-comm", "quiet-killer"]);
    let mut target = handled_once();
    let pid = target.pid();
    let script = format!("printf quiet-killer > /proc/$$/comm; echo $$; kill -TERM {pid}");
    let mut quiet = Process::start(Command::new("sh").args(["-c", &script]));
    let killer = quiet.said_number();
    quiet.reap();
    target.reap();
    let end = tracer.end_of(pid);
    assert_eq!(end["after"]["source"]["pid"], killer, "{end}");
    assert!(end["after"]["id"].is_null(), "no event reported it: {end}");
}

fn handled_then_by_tracer() {
    let tracer = Tracer::shared(&[]);
    let mut target = handled_once();
    run_workload(&["lets-through", "15", &target.pid().to_string()]);
    target.reap();
    let end = tracer.end_of(target.pid());
    assert_eq!(end["signalName"], "SIGTERM", "{end}");
    let summary = end["summary"].as_str().unwrap();
    assert!(!summary.contains("after it was sent"), "it was handled: {end}");
    assert!(summary.contains("; SIGTERM from ") && summary.ends_with(" handled or ignored it"), "{summary}");
}

/// The OOM killer marks as its victim also who is dying already, and sends nothing.
fn killed_at_the_limit() {
    let cgroup = Cgroup::new(memory_cgroup().unwrap(), "limit");
    fs::write(cgroup.file(MEMORY_LIMIT).unwrap(), "33554432").unwrap();
    if let Some(file) = cgroup.file(["memory.swappiness", "memory.swap.max"]) {
        let _ = fs::write(file, "0");
    }
    let tracer = Tracer::shared(&[]);
    // where the OOM killer does not get to free the memory of the child in time, it takes the maker as well
    let (mut maker, target) = wait_until("a maker that survives its child", || {
        let arguments = ["killed-at-the-limit"];
        let maker = Process::start(&mut cgroup.command(&workload().display().to_string(), &arguments));
        let target: u32 = maker.said().trim().parse().ok()?;
        Some((maker, target))
    });
    let end = tracer.end_of(target);
    let signal = tracer.signal_to(target, 9);
    for (event, origin) in [(&signal, &signal["origin"]), (&end, &end["after"]["origin"])] {
        assert_eq!(*origin, "process", "{event}");
        assert!(event["oom"].is_null(), "{event}");
    }
    assert_eq!(end["after"]["source"]["pid"], maker.pid(), "{end}");
    // that the OOM killer ran, but had nobody to kill
    if let Ok(events) = fs::read_to_string(cgroup.path().join("memory.events")) {
        let count = |name| events.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        assert_ne!(count("oom "), "0", "{events}");
    }
    maker.kill(Signal::KILL);
    maker.reap();
}

fn child_death() {
    let tracer = Tracer::shared(&[]);
    // on a machine that is held up for a second the death is one of long ago
    let (target, source, child) = wait_until("a death and a signal within a second", || {
        let target = Process::workload(&["meets", "15", "handle"]);
        let began = Instant::now();
        let mut source = Process::workload(&["child-dies-then", "6", "50", &target.pid().to_string()]);
        let child = source.said_number();
        source.reap();
        (began.elapsed() < Duration::from_secs(1)).then_some((target, source, child))
    });
    let term = tracer.signal_to(target.pid(), 15);
    let death = &term["source"]["lastChildDeath"];
    assert_eq!(death["pid"], child, "{term}");
    assert_eq!(death["signalName"], "SIGABRT", "{term}");
    assert_eq!(death["id"], tracer.signal_to(child, 6)["id"], "{term}");
    assert!((0.04..1.0).contains(&seconds(&death["secondsAgo"])), "{term}");
    let summary = term["summary"].as_str().unwrap();
    let of_the_source =
        format!("child {child} of workload({}) had just been killed by SIGABRT", source.pid());
    assert!(summary.contains(&of_the_source), "{summary}");
}

fn child_death_long_ago() {
    let target = Process::workload(&["meets", "15", "handle"]);
    let tracer = Tracer::shared(&[]);
    let mut source = Process::workload(&["child-dies-then", "9", "1100", &target.pid().to_string()]);
    source.reap();
    let term = tracer.signal_to(target.pid(), 15);
    assert!(term["source"]["lastChildDeath"].is_null(), "{term}");
}
