//! What the signal met at its target.

use std::fs;
use std::process::Command;

use rustix::process::Signal;
use serde_json::{Value, json};
use support::{Process, Tracer, children_of, cmdline, kill, pids_up, wait_until, workload};

use crate::Test;
use crate::skip::Skip;

pub const TESTS: &[Test] = &[
    ("a_signal_to_a_zombie_is_ignored_and_says_so", &[], a_zombie),
    ("disposition_and_blocking_are_the_targets", &[], disposition),
    ("a_signal_that_kills_is_called_fatal", &[], fatal),
    ("a_kernel_thread_has_a_tree_and_no_command_line", &[], a_kernel_thread),
    ("a_stopped_target_is_called_stopped", &[], a_stopped_target),
    ("sigcont_continues_what_is_stopped_and_says_so", &[], a_continued_target),
    ("the_init_of_a_pid_namespace_ignores_what_it_does_not_handle", &[Skip::PidNamespace], an_init),
    ("a_traced_target_keeps_its_real_parent", &[], a_traced_target),
    ("a_parent_that_waits_in_vfork_is_in_disk_sleep", &[], in_vfork),
    ("kill_of_everybody_in_a_pid_namespace_is_one_event_each", &[Skip::PidNamespace], everybody),
    ("a_group_of_a_hundred_gives_a_hundred_events", &[], a_hundred),
    ("a_second_pending_signal_is_already_pending", &[], already_pending),
];

fn a_zombie() {
    let tracer = Tracer::shared(&[]);
    let parent = Process::workload(&["zombie"]);
    kill(parent.said_number(), Signal::KILL);
    let event = tracer.signal_to(parent.said_number(), 9);
    assert_eq!(event["target"]["state"], "zombie", "{event}");
    assert_eq!(event["result"], "ignored", "{event}");
    assert!(event["fatal"].is_null(), "{event}");
    assert!(event["summary"].as_str().unwrap().contains(", which is already a zombie"), "{event}");
    assert_eq!(event["target"]["cmdline"], json!(["workload", "zombie"]));
}

fn disposition() {
    let tracer = Tracer::shared(&[]);
    for (how, disposition, result, blocked) in [
        ("ignore", "ignored", "ignored", Value::Null),
        ("handle", "handled", "queued", Value::Null),
        ("block", "default", "queued", json!(true)),
        ("nothing", "default", "queued", Value::Null),
    ] {
        let process = Process::workload(&["meets", "10", how]);
        process.kill(Signal::USR1);
        let event = tracer.signal_to(process.pid(), 10);
        assert_eq!(event["target"]["disposition"], disposition, "{how}: {event}");
        assert_eq!(event["result"], result, "{how}: {event}");
        assert_eq!(event["target"]["blocked"], blocked, "{how}: {event}");
    }
}

fn fatal() {
    let tracer = Tracer::shared(&[]);
    for (how, signal, number, is_fatal) in [
        ("nothing", Signal::TERM, 15, json!(true)),
        ("nothing", Signal::KILL, 9, json!(true)),
        ("handle", Signal::TERM, 15, Value::Null),
        ("block", Signal::TERM, 15, Value::Null),
        ("block", Signal::KILL, 9, json!(true)),
    ] {
        let process = Process::workload(&["meets", "15", how]);
        process.kill(signal);
        let event = tracer.signal_to(process.pid(), number);
        assert_eq!(event["fatal"], is_fatal, "{how} {number}: {event}");
    }
}

fn a_kernel_thread() {
    let tracer = Tracer::shared(&[]);
    // a child of kthreadd; signals do nothing to it
    let thread = fs::read_to_string("/proc/2/task/2/children").unwrap();
    let thread: u32 = thread.split_whitespace().next().unwrap().parse().unwrap();
    kill(thread, Signal::USR2);
    let event = tracer.signal_to(thread, 12);
    assert_eq!(pids_up(&event["target"]), [u64::from(thread), 2], "{event}");
    assert!(event["target"]["cmdline"].is_null(), "{event}");
    assert_eq!(event["target"]["parent"]["comm"], "kthreadd", "{event}");
    assert!(event["missing"].is_null(), "what does not apply is not missing: {event}");
    assert!(event["target"]["tree"].as_str().unwrap().starts_with("kthreadd(2)─"), "{event}");
}

/// Whatever the target does with the signal; not of one that runs.
fn a_continued_target() {
    let tracer = Tracer::shared(&[]);
    for (how, result) in
        [("nothing", "ignored"), ("ignore", "ignored"), ("handle", "queued"), ("block", "queued")]
    {
        let process = Process::workload(&["meets", "18", how]);
        let (pid, mut last) = (process.pid(), 0);
        for is_stopped in [true, false] {
            if is_stopped {
                process.kill(Signal::STOP);
                wait_until("a stopped process", || {
                    support::status_field(pid, "State")
                        .is_some_and(|state| state.starts_with('T'))
                        .then_some(())
                });
            } else {
                wait_until("a process that runs again", || {
                    support::status_field(pid, "State")
                        .is_some_and(|state| state.starts_with('S'))
                        .then_some(())
                });
            }
            process.kill(Signal::CONT);
            let id = |event: &Value| event["id"].as_u64().unwrap_or_default();
            let event = tracer.wait_for("the SIGCONT", |event| {
                event["target"]["pid"] == pid && event["signal"] == 18 && id(event) > last
            });
            last = id(&event);
            // a blocked one is pending still
            let is_second_of_blocked = how == "block" && !is_stopped;
            let result = if is_second_of_blocked { "already-pending" } else { result };
            assert_eq!(event["result"], result, "{how}: {event}");
            let continued = if is_stopped { json!(true) } else { Value::Null };
            assert_eq!(event["target"]["continued"], continued, "{how}: {event}");
            let summary = event["summary"].as_str().unwrap();
            assert_eq!(summary.contains(", which was stopped and continues"), is_stopped, "{how}: {summary}");
        }
    }
}

fn a_stopped_target() {
    let tracer = Tracer::shared(&[]);
    let process = Process::workload(&["wait"]);
    process.kill(Signal::STOP);
    tracer.signal_to(process.pid(), 19);
    support::wait_until("the process to stop", || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", process.pid())).ok()?;
        stat.contains(") T ").then_some(())
    });
    process.kill(Signal::TERM);
    assert_eq!(tracer.signal_to(process.pid(), 15)["target"]["state"], "stopped");
}

fn already_pending() {
    let tracer = Tracer::shared(&[]);
    let process = Process::workload(&["meets", "10", "block"]);
    process.kill(Signal::USR1);
    process.kill(Signal::USR1);
    let event = tracer.wait_for("the second", |event| {
        event["target"]["pid"] == process.pid() && event["result"] == "already-pending"
    });
    assert!(event["summary"].as_str().unwrap().contains("already pending"), "{event}");
}

fn a_traced_target() {
    let tracer = Tracer::shared(&[]);
    let target = Process::workload(&["wait"]);
    let _debugger = Process::workload(&["traces", &target.pid().to_string()]);
    target.kill(Signal::TERM);
    let event = tracer.signal_to(target.pid(), 15);
    assert_eq!(event["target"]["parent"]["pid"], std::process::id(), "{event}");
    assert_eq!(event["relation"], "parent", "{event}");
}

fn in_vfork() {
    let tracer = Tracer::shared(&[]);
    let parent = Process::workload(&["vfork-wait"]);
    let pid = parent.said_number();
    let child = wait_until("the child", || children_of(pid).first().copied());
    wait_until("the parent to sleep", || {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        status.contains("State:\tD").then_some(())
    });
    // one that does not wake it
    kill(pid, Signal::URG);
    let event = tracer.signal_to(pid, 23);
    assert_eq!(event["target"]["state"], "disk-sleep", "{event}");
    assert_eq!(cmdline(&event["target"]), ["workload", "vfork-wait"], "{event}");
    kill(child, Signal::TERM);
    let event = tracer.signal_to(child, 15);
    assert_eq!(
        cmdline(&event["target"]),
        ["workload", "vfork-wait"],
        "it shares its parent's memory: {event}"
    );
}

fn everybody() {
    let tracer = Tracer::shared(&[]);
    let script = "for i in 1 2 3; do sleep 100 & done; \
                  until [ $(grep -l ^sleep$ /proc/[0-9]*/comm 2>/dev/null | wc -l) = 3 ]; do :; done; \
                  echo ready; kill -TERM -1; wait";
    let _inside =
        Process::start(Command::new("unshare").args(["--fork", "--pid", "--mount-proc", "sh", "-c", script]));
    let events = || {
        let is_one = |event: &Value| event["scope"] == "all" && event["source"]["cmdline"][2] == script;
        tracer.events().into_iter().filter(is_one).collect::<Vec<Value>>()
    };
    wait_until("three events", || (events().len() >= 3).then_some(()));
    let targets: Vec<Value> = events().iter().map(|event| event["target"]["cmdline"].clone()).collect();
    assert_eq!(targets, vec![json!(["sleep", "100"]); 3]);
}

fn a_hundred() {
    let tracer = Tracer::shared(&[]);
    let group = Process::workload(&["group", "100"]);
    let status =
        Command::new("kill").args(["-TERM", "--", &format!("-{}", group.said_number())]).status().unwrap();
    assert!(status.success());
    let own =
        || tracer.events().iter().filter(|event| event["target"]["pgid"] == group.said_number()).count();
    wait_until("a hundred events", || (own() >= 100).then_some(()));
    assert_eq!(own(), 100);
}

fn an_init() {
    let tracer = Tracer::shared(&[]);
    // one that has nothing blocked, as a shell has while it forks: what is blocked is queued
    let program = workload().to_str().unwrap();
    let outside =
        Process::start(Command::new("unshare").args(["--fork", "--pid", "--kill-child", program, "wait"]));
    let init = children_of(outside.pid())[0];
    kill(init, Signal::TERM);
    let event = tracer.signal_to(init, 15);
    assert_eq!(event["target"]["nspid"], 1, "{event}");
    // an init gets only what it handles
    assert!(event["fatal"].is_null(), "{event}");
    assert_eq!(event["target"]["disposition"], "default", "{event}");
    assert_eq!(event["result"], "ignored", "{event}");
    assert!(
        event["summary"].as_str().unwrap().contains(", which ignored it as PID 1 of its namespace"),
        "{event}"
    );
    kill(init, Signal::KILL);
    assert_eq!(tracer.signal_to(init, 9)["fatal"], true, "SIGKILL from outside ends it");
}
