//! What never becomes a signal: calls that fail, and signal 0.

use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};
use support::{Process, Tracer, cmdline, in_guest, kill, patience, pids_up, wait_until, workload};

use crate::Test;
use crate::skip::Skip;

pub const TESTS: &[Test] = &[
    ("a_kill_that_is_not_permitted_says_so_and_whom_it_meant", &[], not_permitted),
    ("a_kill_of_nobody_says_so", &[], of_nobody),
    ("a_kill_with_no_signal_says_so", &[], no_signal),
    ("a_pidfd_that_may_not_be_signalled_says_whom_it_meant", &[], by_pidfd),
    ("a_failed_call_of_a_32_bit_program_is_reported", &[Skip::Calls32], of_32_bits),
    ("signal_0_is_reported_with_probes_and_only_then", &[], probes),
    ("failed_only_shows_nothing_else", &[], only_failed),
    ("what_was_queued_is_reported_once", &[], reported_once),
    ("a_full_queue_is_reported_once", &[], a_full_queue),
    ("an_attempt_inside_a_pid_namespace_has_host_pids", &[Skip::PidNamespace], inside_a_namespace),
    ("a_flood_of_attempts_does_not_keep_the_tracer_from_ending", &[Skip::RealCpu], a_flood),
    ("attempts_are_filtered_by_signal_and_comm", &[], filtered),
];

const NOBODY: &str = "65534";

/// Runs `workload signal KIND SIGNAL PID [UID]`; its pid. One at a time: where a call preempts another in its hook, the kernel
/// skips the second hook (`attempt_hook_misses`), and several tests share a tracer.
fn attempt(arguments: &[&str]) -> u32 {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let mut process = Process::workload(&[&["signal"], arguments].concat());
    let pid = process.said_number();
    process.reap();
    pid
}

fn of(tracer: &Tracer, source: u32) -> Value {
    tracer.wait_for(&format!("an attempt of {source}"), |event| {
        event["event"] == "attempt" && event["source"]["pid"] == source
    })
}

fn attempts_of(tracer: &Tracer, source: u32) -> usize {
    tracer
        .events()
        .iter()
        .filter(|event| event["event"] == "attempt" && event["source"]["pid"] == source)
        .count()
}

fn not_permitted() {
    let target = Process::workload(&["wait"]);
    let tracer = Tracer::shared(&["--failed"]);
    let pid = target.pid().to_string();
    let source = attempt(&["tries", "15", &pid, NOBODY]);
    let event = of(&tracer, source);
    assert_eq!(event["result"], "EPERM", "{event}");
    assert_eq!(event["signal"], 15, "{event}");
    assert_eq!(event["via"], "kill", "{event}");
    assert_eq!(event["scope"], "process", "{event}");
    assert_eq!(event["pidArgument"], target.pid(), "{event}");
    assert_eq!(event["target"]["pid"], target.pid(), "{event}");
    assert_eq!(event["source"]["user"]["id"], 65534, "{event}");
    // gone when the line is printed, and known all the same
    assert_eq!(cmdline(&event["source"]), ["workload", "signal", "tries", "15", &pid, NOBODY], "{event}");
    // older than a tracer of the test's own
    assert_eq!(cmdline(&event["target"]), ["workload", "wait"], "{event}");
    assert_eq!(event["relation"], "sibling", "{event}");
    assert!(event["missing"].is_null(), "{event}");
    assert_eq!(pids_up(&event["target"]).last(), Some(&1), "{event}");
}

fn of_nobody() {
    let tracer = Tracer::shared(&["--failed"]);
    // beyond the largest pid that there can be
    let source = attempt(&["tries", "15", "4194305"]);
    let event = of(&tracer, source);
    assert_eq!(event["result"], "ESRCH", "{event}");
    assert!(event["target"].is_null(), "{event}");
    assert_eq!(event["pidArgument"], 4_194_305, "{event}");
    assert!(
        event["summary"]
            .as_str()
            .unwrap()
            .ends_with("tried to send SIGTERM to pid 4194305: ESRCH (no such process)"),
        "{event}"
    );
    let source = attempt(&["tries", "15", "-4194305"]);
    let event = of(&tracer, source);
    assert_eq!(event["pidArgument"], -4_194_305, "{event}");
    assert_eq!(event["scope"], "process-group", "{event}");
    assert!(event["target"].is_null(), "{event}");
}

fn no_signal() {
    let target = Process::workload(&["wait"]);
    let tracer = Tracer::shared(&["--failed"]);
    for (number, name) in [("65", "65"), ("-1", "-1")] {
        let source = attempt(&["tries", number, &target.pid().to_string()]);
        let event = of(&tracer, source);
        assert_eq!(event["result"], "EINVAL", "{event}");
        assert_eq!(event["signal"], json!(number.parse::<i64>().unwrap()), "{event}");
        assert_eq!(event["signalName"], name, "{event}");
        assert_eq!(event["target"]["pid"], target.pid(), "{event}");
    }
}

fn by_pidfd() {
    let target = Process::workload(&["wait"]);
    let tracer = Tracer::shared(&["--failed"]);
    let source = attempt(&["tries-by-pidfd", "15", &target.pid().to_string(), NOBODY]);
    let event = of(&tracer, source);
    assert_eq!(event["result"], "EPERM", "{event}");
    assert_eq!(event["via"], "pidfd_send_signal", "{event}");
    assert!(event["pidArgument"].is_null(), "{event}");
    assert_eq!(event["target"]["pid"], target.pid(), "{event}");
    assert_eq!(cmdline(&event["target"]), ["workload", "wait"], "{event}");
}

fn of_32_bits() {
    let tracer = Tracer::shared(&["--failed"]);
    let source = attempt(&["tries-32", "15", "4194305"]);
    let event = of(&tracer, source);
    assert_eq!(event["result"], "ESRCH", "{event}");
    assert_eq!(event["via"], "kill", "{event}");
    assert_eq!(event["signal"], 15, "{event}");
    assert_eq!(event["pidArgument"], 4_194_305, "{event}");
}

fn probes() {
    let target = Process::workload(&["wait"]);
    let pid = target.pid().to_string();
    let (with, without) = (Tracer::json(&["--probes"]), Tracer::shared(&["--failed"]));
    let allowed = attempt(&["tries", "0", &pid]);
    let refused = attempt(&["tries", "0", &pid, NOBODY]);
    let event = of(&with, allowed);
    assert_eq!(event["result"], "permitted", "{event}");
    assert_eq!(event["signal"], 0, "{event}");
    assert!(event["summary"].as_str().unwrap().contains(" checked workload("), "{event}");
    assert_eq!(of(&with, refused)["result"], "EPERM");
    // a failed call of another kind shows that this one would have seen them
    let failed = attempt(&["tries", "15", &pid, NOBODY]);
    of(&without, failed);
    assert_eq!((attempts_of(&without, allowed), attempts_of(&without, refused)), (0, 0));
    assert_eq!(attempts_of(&with, failed), 0, "it did not ask for what fails");
}

fn only_failed() {
    let target = Process::workload(&["wait"]);
    let tracer = Tracer::json(&["--failed=only"]);
    kill(target.pid(), Signal::TERM);
    let source = attempt(&["tries", "15", "4194305"]);
    of(&tracer, source);
    let said = tracer.stop();
    assert!(said.events().iter().all(|event| event["event"] == "attempt"), "{}", said.stdout);
    assert_eq!(said.counter("signals total", "generated"), 0);
}

fn reported_once() {
    let target = Process::workload(&["wait"]);
    let tracer = Tracer::json(&["--failed", "--probes"]);
    let source = attempt(&["tries", "15", &target.pid().to_string()]);
    let event = tracer.signal_to(target.pid(), 15);
    assert_eq!(event["source"]["pid"], source, "{event}");
    let probe = attempt(&["tries", "0", &std::process::id().to_string()]);
    of(&tracer, probe);
    assert_eq!(attempts_of(&tracer, source), 0);
}

/// `sigqueue()` fails with EAGAIN, and the signal hook sees why.
fn a_full_queue() {
    let (both, only) = (Tracer::json(&["--failed"]), Tracer::json(&["--failed=only"]));
    let queue = Process::workload(&["signal", "full-queue"]);
    let pid = queue.said_number();
    both.wait_for("the overflow", |event| event["target"]["pid"] == pid && event["result"] == "overflow");
    let event = of(&only, pid);
    assert_eq!(event["result"], "EAGAIN", "{event}");
    let probe = attempt(&["tries", "15", "4194305"]);
    of(&both, probe);
    assert_eq!(attempts_of(&both, pid), 0);
}

fn inside_a_namespace() {
    let tracer = Tracer::shared(&["--failed"]);
    let program = workload().to_str().unwrap();
    // PID 2 is refused by its own user to signal PID 1
    let script = format!(
        "{program} signal tries 15 1 {NOBODY}; {program} signal tries 15 77777; echo over; sleep 100"
    );
    let inside = Process::start(Command::new("unshare").args([
        "--fork",
        "--pid",
        "--mount-proc",
        "--kill-child",
        "sh",
        "-c",
        &script,
    ]));
    let of_inside = |what: &str, result: &str| {
        tracer.wait_for(what, |event| {
            event["result"] == result && pids_up(&event["source"]).contains(&u64::from(inside.pid()))
        })
    };
    let event = of_inside("a refusal inside", "EPERM");
    assert_eq!(event["pidArgument"], 1, "{event}");
    assert_eq!(event["target"]["nspid"], 1, "{event}");
    assert_ne!(event["target"]["pid"], 1, "{event}");
    assert_eq!(event["target"]["pid"], event["source"]["parent"]["pid"], "{event}");
    assert_eq!(event["relation"], "child", "{event}");
    let event = of_inside("nobody inside", "ESRCH");
    assert_eq!(event["pidArgument"], 77777, "{event}");
    assert!(event["target"].is_null(), "{event}");
}

/// All that there is to know of a flood is how much of it there was; it must not go on for ever.
fn a_flood() {
    let tracer = Tracer::start(&["--failed=only", "--probes", "-d", "0"]);
    let _flood = Process::workload(&["signal", "probes-for-ever"]);
    wait_until("the flood", || (tracer.lines().len() > 100).then_some(()));
    let began = Instant::now();
    let said = tracer.stop();
    let limit = if in_guest() { patience() } else { Duration::from_secs(8) };
    assert!(began.elapsed() < limit, "{:?}", began.elapsed());
    let count = |name| said.counter("attempts total", name);
    let parts = ["printed", "folded", "filtered", "lost", "unprinted"].map(count);
    assert_eq!(count("seen"), parts.iter().sum::<u64>());
}

fn filtered() {
    let tracer = Tracer::json(&["--failed", "-e", "USR1", "--ignore-source-comm", "killsnoop-shy"]);
    let hidden = attempt(&["tries", "10", "4194305"]);
    let mut shy = Process::start(
        Command::new("sh").args(["-c", "printf killsnoop-shy > /proc/$$/comm; echo $$; kill -TERM 4194305"]),
    );
    let shy_pid = shy.said_number();
    shy.reap();
    let shown = attempt(&["tries", "15", "4194305"]);
    of(&tracer, shown);
    wait_until("all three", || (attempts_of(&tracer, shown) == 1).then_some(()));
    assert_eq!((attempts_of(&tracer, hidden), attempts_of(&tracer, shy_pid)), (0, 0));
    let said = tracer.stop();
    assert!(said.counter("attempts total", "filtered") >= 2);
}
