//! Long command lines of one user, until what is kept of them has no room for another.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use rustix::process::Signal;
use serde_json::Value;

use super::as_attacker;
use support::{Process, Tracer, cmdline, kill, wait_until};

use crate::Test;

pub const TESTS: &[Test] =
    &[("long_command_lines_of_a_user_take_a_share_of_the_memory_and_give_it_back", &[], of_a_user)];

/// Of an argument: the most that is kept of a command line, but for some hundred bytes.
const LONG: usize = 15_900;
/// Processes of which so much has no room in the share of a user (docs/limits.md).
const PROCESSES: u32 = 1_100;

/// What a signal to a process of this user says of its command line.
fn killed(tracer: &Tracer, pid: u32) -> Value {
    kill(pid, Signal::KILL);
    tracer.signal_to(pid, 9)["target"].clone()
}

fn long_argument(target: &Value) -> usize {
    cmdline(target).last().unwrap().len()
}

fn of_a_user() {
    let tracer = Tracer::json(&[]);
    let long = "x".repeat(LONG);
    let sleeper = |user: bool| {
        let mut command = if user { as_attacker("sh") } else { std::process::Command::new("sh") };
        command.args(["-c", "echo $$; read go", "sh", &long]).stdin(Stdio::piped());
        Process::start(&mut command)
    };
    // forks have the arguments of who forks; each waits until nobody can write to its standard input any more
    let script = "i=0; while [ $i -lt $1 ]; do (read go <&3) & i=$((i + 1)); done; echo $!; read go";
    let mut flood = as_attacker("sh")
        .args(["-c", &format!("exec 3<&0; {script}"), "sh", &PROCESSES.to_string(), &long])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut last = String::new();
    BufReader::new(flood.stdout.as_mut().unwrap()).read_line(&mut last).unwrap();

    let of_flood = killed(&tracer, last.trim().parse().unwrap());
    assert_eq!(cmdline(&of_flood)[..2], ["sh", "-c"], "what the identity itself holds is kept: {of_flood}");
    assert_eq!(of_flood["cmdlineTruncated"], true, "{of_flood}");
    assert!(of_flood["cmdlineFrom"] != "memory" || long_argument(&of_flood) < LONG, "{of_flood}");
    let of_root = killed(&tracer, sleeper(false).said_number());
    assert_eq!((long_argument(&of_root), &of_root["cmdlineTruncated"]), (LONG, &Value::Null), "{of_root}");

    drop(flood.stdin.take());
    flood.wait().unwrap();
    // given back when the kernel lets the last of a process go
    wait_until("room", || {
        let again = killed(&tracer, sleeper(true).said_number());
        (long_argument(&again) == LONG).then_some(())
    });
}
