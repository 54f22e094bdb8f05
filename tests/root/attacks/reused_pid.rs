//! A pid that was taken again after its process had ended: no signal that was meant for that is for its successor.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use support::{Tracer, kill, killsnoop, wait_until, workload};

use crate::Test;
use crate::skip::Skip;

pub const TESTS: &[Test] = &[
    ("a_signal_for_a_command_that_has_ended_meets_nobody_else", &[Skip::NextPid], of_an_ended_command),
    ("who_takes_nobody_else_for_its_process", &[Skip::NextPid], of_who),
];

/// A process with this pid.
fn start_as(pid: u32) -> std::process::Child {
    wait_until("that pid", || {
        fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string()).unwrap();
        let mut process = Command::new("sleep").arg("60").spawn().unwrap();
        if process.id() == pid {
            return Some(process);
        }
        process.kill().unwrap();
        process.wait().unwrap();
        None
    })
}

fn of_an_ended_command() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pid");
    // on standard error, more lines than a pipe takes that nobody reads: killsnoop still has some to write when its command has ended
    let script = "echo $$ > \"$0.new\"; mv \"$0.new\" \"$0\"; trap '' USR1; exec \"$1\" storm 10 500 $$";
    let mut tracer = Command::new(killsnoop())
        .args(["run", "--all", "-o", "json", "--", "sh", "-c", script])
        .args([&file, workload()])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid: u32 = wait_until("the command", || fs::read_to_string(&file).ok()?.trim().parse().ok());
    wait_until("its end", || (!Path::new(&format!("/proc/{pid}")).exists()).then_some(()));
    let mut other = start_as(pid);
    assert!(tracer.try_wait().unwrap().is_none(), "it had nothing to wait for");
    kill(tracer.id(), Signal::TERM);
    std::thread::sleep(Duration::from_millis(300));
    let end = other.try_wait().unwrap();
    let _ = tracer.kill();
    let _ = other.kill();
    tracer.wait().unwrap();
    other.wait().unwrap();
    assert_eq!(end, None, "another process got the signal");
}

/// It waits for the last lines of its process a little longer than that lives.
fn of_who() {
    let said = wait_until("a successor in time", || {
        let mut first = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = first.id();
        let tracer = Tracer::start(&["who", "-l", "info", "-o", "json", &pid.to_string()]);
        let began = Instant::now();
        first.kill().unwrap();
        first.wait().unwrap();
        let mut other = start_as(pid);
        kill(pid, Signal::TERM);
        other.wait().unwrap();
        let is_in_time = began.elapsed() < Duration::from_millis(200);
        let said = tracer.wait();
        is_in_time.then_some(said)
    });
    let events = said.events();
    assert!(events.iter().all(|event| event["signal"] != 15), "{events:?}");
    assert!(events.iter().any(|event| event["event"] == "signal" && event["signal"] == 9), "{events:?}");
}
