//! What is older than the tracer and has changed since its exec, a process without its leader, and memory that hangs.

use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use support::{Process, Tracer, cmdline, kill, run_workload, wait_until};

use crate::Test;
use crate::older::Older;
use crate::skip::Skip;

pub const TESTS: &[Test] = &[
    ("a_title_older_than_the_tracer_is_no_command_line", &[Skip::Titles], older_titles),
    ("a_child_of_a_retitled_process_has_no_command_line_either", &[Skip::Titles], child_of_retitled),
    ("empty_arguments_older_than_the_tracer_are_arguments", &[], empty_arguments),
    ("a_program_started_by_the_loader_keeps_its_command_line", &[], by_loader),
    ("a_thread_without_its_leader_sends_as_itself", &[], source_without_leader),
    ("a_process_without_its_leader_is_who_it_is_now", &[], target_without_leader),
    ("memory_that_nobody_serves_stops_nobody", &[Skip::Fuse], unserved),
    ("a_stuck_memory_map_stops_nobody", &[Skip::Fuse], stuck),
];

fn missing(event: &Value) -> String {
    event["missing"].to_string()
}

/// Signals until the title was read.
fn event_with_title(tracer: &Tracer, pid: u32) -> Value {
    wait_until("a title", || {
        kill(pid, Signal::CONT);
        std::thread::sleep(Duration::from_millis(50));
        let has_title = |event: &Value| event["target"]["pid"] == pid && event["target"]["title"].is_string();
        tracer.events().into_iter().find(has_title)
    })
}

/// Shorter than the block; as many strings as arguments, but others; longer than the block.
const WRITTEN: [(&[&str], &str); 3] = [
    (
        &["has-written", "nginx: master process", "some", "more", "arguments", "that", "are", "lost"],
        "nginx: master process",
    ),
    (&["has-written", "=", "-"], "xxxxxxxxxxxx"),
    (&["has-written", "+nginx: worker ", "-"], "nginx: worker nginx: worker"),
];
pub const TITLES: Older<[Process; 3]> =
    Older("titles", || WRITTEN.map(|(arguments, _)| Process::workload(arguments)));

fn older_titles() {
    let processes = TITLES.take();
    let tracer = Tracer::shared(&[]);
    for (process, (_, title)) in processes.iter().zip(WRITTEN) {
        let event = event_with_title(&tracer, process.pid());
        let target = &event["target"];
        assert!(target["title"].as_str().unwrap().starts_with(title), "{event}");
        assert!(target["cmdline"].is_null(), "{event}");
        assert!(missing(&event).contains("\"target.cmdline:overwritten\""), "{event}");
        assert_eq!(target["comm"], "workload", "{event}");
        assert!(target["exe"].as_str().unwrap().ends_with("workload"), "{event}");
    }
    // what execs later has a command line again
    let target = Process::workload(&["waits"]);
    target.kill(Signal::TERM);
    assert!(tracer.signal_to(target.pid(), 15)["missing"].is_null());
}

pub const CHILD_OF_RETITLED: Older<Process> =
    Older("child of retitled", || Process::workload(&["has-written", "postgres", "a", "b", "c", "fork"]));

fn child_of_retitled() {
    let parent = CHILD_OF_RETITLED.take();
    let child = parent.said_number();
    let tracer = Tracer::shared(&[]);
    let event = event_with_title(&tracer, child);
    assert!(event["target"]["cmdline"].is_null(), "{event}");
    assert_eq!(event["target"]["title"], "postgres", "{event}");
    let missing = missing(&event);
    assert!(missing.contains("\"target.cmdline:overwritten\""), "{event}");
    assert!(missing.contains("\"target.parent.cmdline:overwritten\""), "{event}");
}

const EMPTY: [&[&str]; 3] = [&["waits", ""], &["waits", "", ""], &["waits", "", "x", ""]];
pub const EMPTY_ARGUMENTS: Older<[Process; 3]> = Older("empty arguments", || EMPTY.map(Process::workload));

fn empty_arguments() {
    let targets = EMPTY_ARGUMENTS.take();
    let tracer = Tracer::shared(&[]);
    for (target, arguments) in targets.iter().zip(EMPTY) {
        target.kill(Signal::TERM);
        let event = tracer.signal_to(target.pid(), 15);
        assert_eq!(cmdline(&event["target"]), [&["workload"], arguments].concat(), "{event}");
        assert!(event["missing"].is_null(), "{event}");
    }
}

const LOADER: &str =
    if cfg!(target_arch = "aarch64") { "/lib/ld-linux-aarch64.so.1" } else { "/lib64/ld-linux-x86-64.so.2" };
pub const BY_LOADER: Older<Process> = Older("by loader", || {
    Process::start(Command::new(LOADER).args(["/bin/sh", "-c", "echo; kill -STOP $$", "", "x"]))
});

fn by_loader() {
    let target = BY_LOADER.take();
    let tracer = Tracer::shared(&[]);
    target.kill(Signal::KILL);
    let event = tracer.signal_to(target.pid(), 9);
    assert_eq!(
        cmdline(&event["target"]),
        [LOADER, "/bin/sh", "-c", "echo; kill -STOP $$", "", "x"],
        "{event}"
    );
}

fn source_without_leader() {
    let target = Process::workload(&["waits"]);
    let pid = target.pid().to_string();
    let own = Tracer::json(&["--where", "source.user.id=65534"]);
    let others = Tracer::json(&["--where", "source.user.id=0", "--where", &format!("target.pid={pid}")]);
    run_workload(&["without-leader", "65534", &pid]);
    let event = own.signal_to(target.pid(), 15);
    let source = &event["source"];
    assert_eq!(source["user"]["id"], 65534, "{event}");
    assert_eq!(cmdline(source), ["workload", "without-leader", "65534", &pid], "{event}");
    assert!(source["title"].as_str().unwrap().starts_with("a title! without-leader"), "{event}");
    assert!(!missing(&event).contains("source"), "{event}");
    // it is counted, and not for what the leader was
    let said = others.stop();
    let of_it = said.events().into_iter().filter(|event| event["event"] == "signal").count();
    assert_eq!(of_it, 0, "{}", said.stdout);
}

fn target_without_leader() {
    let target = Process::workload(&["without-leader", "65534"]);
    let tracer = Tracer::json(&["--where", "target.user.id=65534"]);
    let younger = Process::workload(&["without-leader", "65534"]);
    for (process, is_older) in [(&target, true), (&younger, false)] {
        process.kill(Signal::TERM);
        // its end is reported as well, by a thread that lives
        let event = tracer.wait_for("the signal", |event| {
            event["event"] == "signal" && event["target"]["pid"] == process.pid()
        });
        assert_eq!(event["target"]["user"]["id"], 65534, "{event}");
        assert_ne!(event["target"]["state"], "zombie", "{event}");
        if !is_older {
            assert_eq!(cmdline(&event["target"]), ["workload", "without-leader", "65534"], "{event}");
            assert!(event["missing"].is_null(), "{event}");
        }
    }
}

/// A tracer that starts beside it and ends, both in time, and what it reports of it.
fn beside(role: &str) {
    let process = Process::workload(&[role]);
    let pid = process.said_number();
    let witness = Process::workload(&["waits"]);
    // one that waits for it is never ready, and given up
    let tracer = Tracer::json(&["-l", "debug"]);
    witness.kill(Signal::TERM);
    let event = tracer.signal_to(witness.pid(), 15);
    assert!(event["missing"].is_null(), "what comes behind it is known: {event}");
    kill(pid, Signal::KILL);
    let event = tracer.signal_to(pid, 9);
    assert_eq!(event["target"]["comm"], "workload", "{event}");
    let has_argv = event["target"]["cmdline"].is_array();
    assert!(has_argv || missing(&event).contains("target.cmdline"), "{event}");
    assert!(!has_argv || cmdline(&event["target"]) == ["workload", role], "{event}");
    let said = tracer.stop();
    assert_eq!(said.status.code(), Some(0), "{}", said.stderr);
    assert!(!said.stderr.contains("are not known"), "{}", said.stderr);
    said.assert_counters_add_up();
}

fn unserved() {
    beside("unserved-page");
}

fn stuck() {
    beside("stuck-memory");
}
