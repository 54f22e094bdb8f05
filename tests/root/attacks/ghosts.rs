//! Processes that end before those that they start, until what is kept of others has been forgotten.

use std::process::Stdio;

use rustix::process::Signal;

use super::{as_user, workload_of_all};
use support::{Process, Tracer, cmdline, in_guest, kill, wait_until};

use crate::Test;

pub const TESTS: &[Test] = &[
    ("a_user_who_forks_in_a_loop_has_no_one_else_s_ghosts_forgotten", &[], of_one_uid),
    ("a_user_with_subordinate_uids_has_no_one_else_s_ghosts_forgotten", &[], of_many_uids),
];

/// The first of a range as /etc/subuid has them.
const SUBORDINATE: u32 = 100_000;
/// A user who has done nothing.
const BYSTANDER: u32 = 1234;

/// What a user's shell leaves: a process of which it is no parent any more.
fn orphan_of(uid: u32) -> (u32, u32) {
    let script = "setsid sleep 1000 > /dev/null & echo $!";
    let mut shell = Process::start(as_user("sh", uid).args(["-c", script]));
    let (orphan, spawner) = (shell.said_number(), shell.pid());
    shell.reap();
    wait_until("the exec", || {
        let comm = std::fs::read_to_string(format!("/proc/{orphan}/comm")).ok()?;
        (comm.trim() == "sleep").then_some(())
    });
    (orphan, spawner)
}

/// Who started these is known after a storm of so many processes of each of these users; more than twice as many as ghosts.
fn survive(attackers: &[u32], ghosts: u32, processes: u32) {
    let tracer = Tracer::json(&["--ghosts", &ghosts.to_string()]);
    let orphans = [orphan_of(0), orphan_of(BYSTANDER)];
    let storms: Vec<_> = attackers
        .iter()
        .map(|&uid| {
            let mut storm = as_user(workload_of_all(), uid);
            storm.args(["leave-orphans", &processes.to_string()]).stdout(Stdio::piped());
            storm.spawn().unwrap()
        })
        .collect();
    for mut storm in storms {
        assert!(storm.wait().unwrap().success());
    }
    for (orphan, spawner) in orphans {
        kill(orphan, Signal::KILL);
        let event = tracer.signal_to(orphan, 9);
        let spawned_by = &event["target"]["spawnedBy"];
        assert_eq!(spawned_by["pid"], spawner, "{event}");
        assert_eq!(cmdline(spawned_by)[..2], ["sh", "-c"], "{event}");
        assert!(event["missing"].is_null(), "{event}");
    }
    // and of the storm itself the latest are known
    let said = tracer.stop();
    let (left, dropped) =
        (said.counter("identities total", "ghosts_left"), said.counter("identities total", "ghosts_dropped"));
    assert!(dropped > u64::from(ghosts), "the storm was one: {left} left, {dropped} dropped");
}

fn of_one_uid() {
    let (ghosts, processes) = if in_guest() { (256, 4000) } else { (8192, 200_000) };
    survive(&[super::ATTACKER], ghosts, processes);
}

fn of_many_uids() {
    let uids: Vec<u32> = (0..40).map(|number| SUBORDINATE + number * 1637).collect();
    assert!(uids.iter().all(|uid| (SUBORDINATE..SUBORDINATE + 65_536).contains(uid)));
    survive(&uids, 256, 400);
}
