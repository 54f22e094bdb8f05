//! A pid that was taken again after its process had ended: no signal that was meant for that is for its successor.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::Test;
use crate::harness::{Skip, kill, killsnoop, wait_until, workload};

pub const TESTS: &[Test] =
    &[("a_signal_for_a_command_that_has_ended_meets_nobody_else", &[Skip::NextPid], of_an_ended_command)];

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
    (tracer.wait().unwrap(), other.wait().unwrap());
    assert_eq!(end, None, "another process got the signal");
}
