//! Who started whom, when those between are gone.

use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::Value;
use support::{Process, Tracer, cmdline, run_workload, workload};

use crate::Test;

pub const TESTS: &[Test] = &[
    ("the_shell_that_started_an_orphan_is_named_though_it_is_gone", &[], the_shell_that_is_gone),
    ("a_daemon_s_dead_ancestors_are_named_at_any_depth", &[], daemons),
    ("a_target_s_dead_ancestors_are_named_as_well", &[], a_target),
    ("an_orphan_above_the_source_is_reported_with_its_spawner", &[], an_orphan_above),
    ("a_forker_of_its_parents_child_is_named_dead_or_alive", &[], clone_parent),
    ("a_spawner_that_ran_another_program_since_says_so", &[], execed_since),
    ("a_living_spawner_that_ran_another_program_since_says_so", &[], living_execed_since),
    ("a_ghost_that_was_pushed_out_is_missing_and_counted", &[], pushed_out),
    ("a_parent_that_lives_is_no_spawner", &[], living_parent),
];

/// Of a shell: until the process that its first argument names has ended, reaped or not.
const UNTIL_GONE: &str = "while grep -q State:.[^Z] /proc/$0/status 2>/dev/null; do sleep 0.01; done";

/// The signal that came to this process.
fn term_of(tracer: &Tracer, target: &Process) -> Value {
    tracer.signal_to(target.pid(), 15)
}

/// The command lines from the process's spawner on, and whether each is gone.
fn spawners(process: &Value) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    let mut at = &process["spawnedBy"];
    while at.is_object() {
        found.push((cmdline(at).join(" "), at["exited"] == true));
        at = &at["spawnedBy"];
    }
    found
}

fn the_shell_that_is_gone() {
    let target = Process::workload(&["meets", "15", "handle"]);
    let tracer = Tracer::shared(&[]);
    let script = format!("setsid sh -c '{UNTIL_GONE}; kill -TERM {}' $$ &", target.pid());
    let mut shell = Process::start(Command::new("sh").args(["-c", &script]));
    let shell_pid = shell.pid();
    shell.reap();
    let event = term_of(&tracer, &target);
    let spawner = &event["source"]["spawnedBy"];
    assert_eq!(cmdline(spawner), ["sh", "-c", &script], "{event}");
    assert_eq!(spawner["pid"], shell_pid, "{event}");
    assert_eq!(spawner["comm"], "sh", "{event}");
    assert_eq!(spawner["exited"], true, "{event}");
    assert!(spawner["execedSince"].is_null(), "{event}");
    assert_ne!(event["source"]["parent"]["pid"], shell_pid, "as ps shows it: {event}");
    // and who started that one lives
    assert_eq!(spawner["spawnedBy"]["pid"], std::process::id(), "{event}");
    assert!(spawner["spawnedBy"]["exited"].is_null(), "{event}");
    assert!(event["missing"].is_null(), "{event}");
}

fn daemons() {
    for depth in [1, 2, 3, 6] {
        let target = Process::workload(&["meets", "15", "handle"]);
        let tracer = Tracer::shared(&[]);
        run_workload(&["daemon", &depth.to_string(), &target.pid().to_string()]);
        let event = term_of(&tracer, &target);
        let found = spawners(&event["source"]);
        let expected: Vec<(String, bool)> = (1..=depth)
            .map(|generation| (format!("workload daemon {generation} {}", target.pid()), true))
            .collect();
        assert_eq!(found[..depth], expected, "{event}");
        assert_eq!(found.len(), depth + 1, "the test itself started them: {event}");
        assert!(!found[depth].1, "{event}");
    }
    // one that waits for the dead one has no child any more when it ends
    let target = Process::workload(&["meets", "15", "handle"]);
    let tracer = Tracer::shared(&[]);
    let inner = format!("setsid sh -c '{UNTIL_GONE}; kill -TERM {}' $PPID &", target.pid());
    let outer = "sh -c \"$0\"; :";
    let mut shell = Process::start(Command::new("sh").args(["-c", outer, &inner]));
    shell.reap();
    let event = term_of(&tracer, &target);
    let found = spawners(&event["source"]);
    let dead = [format!("sh -c {inner}"), format!("sh -c {outer} {inner}")].map(|cmdline| (cmdline, true));
    assert_eq!(found.get(..2), Some(&dead[..]), "{event}");
    assert_eq!(found.len(), 3, "the test itself started them: {event}");
    assert!(!found[2].1, "{event}");
}

fn a_target() {
    let tracer = Tracer::shared(&[]);
    let mut shell = Process::start(Command::new("sh").args(["-c", "setsid sleep 100 > /dev/null & echo $!"]));
    let pid = shell.said_number();
    shell.reap();
    support::wait_until("the exec", || {
        (std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?.trim() == "sleep").then_some(())
    });
    support::kill(pid, Signal::KILL);
    let event = tracer.signal_to(pid, 9);
    assert_eq!(event["target"]["spawnedBy"]["pid"], shell.pid(), "{event}");
    assert_eq!(event["target"]["spawnedBy"]["exited"], true, "{event}");
}

fn an_orphan_above() {
    let target = Process::workload(&["meets", "15", "handle"]);
    let tracer = Tracer::shared(&[]);
    let script = format!("setsid sh -c '{UNTIL_GONE}; sh -c \"kill -TERM {}; :\"; :' $$ &", target.pid());
    let mut shell = Process::start(Command::new("sh").args(["-c", &script]));
    shell.reap();
    let event = term_of(&tracer, &target);
    assert!(event["source"]["spawnedBy"].is_null(), "its parent started it: {event}");
    assert_eq!(event["source"]["parent"]["spawnedBy"]["pid"], shell.pid(), "{event}");
}

fn clone_parent() {
    for (what, exited) in [("ends", Value::Bool(true)), ("lives", Value::Null)] {
        let target = Process::workload(&["meets", "15", "handle"]);
        let tracer = Tracer::shared(&[]);
        run_workload(&["clone-parent", what, &target.pid().to_string()]);
        let event = term_of(&tracer, &target);
        let (source, parent) = (&event["source"], &event["source"]["parent"]);
        let spawner = &source["spawnedBy"];
        assert_eq!(cmdline(spawner)[..2], ["workload", "clone-parent"], "{event}");
        assert_ne!(spawner["pid"], parent["pid"], "{event}");
        assert_eq!(spawner["exited"], exited, "{event}");
    }
}

fn execed_since() {
    let target = Process::workload(&["meets", "15", "handle"]);
    let tracer = Tracer::shared(&[]);
    run_workload(&["execs-after-fork", &target.pid().to_string()]);
    let event = term_of(&tracer, &target);
    let spawner = &event["source"]["spawnedBy"];
    assert_eq!(cmdline(spawner)[..2], ["workload", "storm"], "as it was when it ended: {event}");
    assert_eq!(spawner["execedSince"], true, "{event}");
    assert_eq!(spawner["exited"], true, "{event}");
}

fn living_execed_since() {
    let target = Process::workload(&["meets", "15", "handle"]);
    let tracer = Tracer::shared(&[]);
    // it waits until the one at the top runs another program
    let script = format!(
        "sh -c 'setsid sh -c \"until grep -q sleep /proc/$PPID/comm; do sleep 0.01; done; kill -TERM {}; :\" &'; exec sleep 100",
        target.pid()
    );
    let mut shell = Command::new("sh").args(["-c", &script]).stdout(Stdio::null()).spawn().unwrap();
    let event = term_of(&tracer, &target);
    let above = &event["source"]["spawnedBy"]["spawnedBy"];
    shell.kill().unwrap();
    shell.wait().unwrap();
    assert_eq!(above["pid"], shell.id(), "{event}");
    assert_eq!(cmdline(above), ["sleep", "100"], "as it is now: {event}");
    assert_eq!(above["execedSince"], true, "{event}");
    assert!(above["exited"].is_null(), "{event}");
}

fn pushed_out() {
    let target = Process::workload(&["meets", "15", "handle"]);
    let tracer = Tracer::json(&["--ghosts", "1"]);
    // the daemon of the first signals once the second has left a ghost
    let start = |pid: &str| {
        Command::new(workload())
            .args(["daemon", "1", pid])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut first = start(&target.pid().to_string());
    let to_first = first.stdin.take();
    assert!(first.wait().unwrap().success());
    assert!(start("4194303").wait().unwrap().success());
    drop(to_first);
    let event = term_of(&tracer, &target);
    assert!(event["source"]["spawnedBy"].is_null(), "{event}");
    let missing = event["missing"].as_array().unwrap_or_else(|| panic!("nothing is missing: {event}"));
    assert!(missing.contains(&Value::from("source.spawnedBy:not-kept")), "{event}");
    let said = tracer.stop();
    assert!(said.counter("identities total", "ghosts_dropped") >= 1, "{}", said.stderr);
}

fn living_parent() {
    let target = Process::workload(&["meets", "15", "handle"]);
    let tracer = Tracer::shared(&[]);
    let script = format!("kill -TERM {}; :", target.pid());
    let mut shell = Process::start(Command::new("sh").args(["-c", &script]));
    shell.reap();
    let event = term_of(&tracer, &target);
    assert!(event["source"]["spawnedBy"].is_null(), "{event}");
    assert!(event["target"]["spawnedBy"].is_null(), "{event}");
}
