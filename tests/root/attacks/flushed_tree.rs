//! A process that wants to leave the tree that is traced: a thread of it execs when its leader is gone, behind so many others
//! that what its leader left has been pushed out. Then it sends to a process outside the tree.

use std::os::unix::process::CommandExt;

use rustix::process::Signal;

use super::{as_attacker, workload_of_all};
use support::{Process, Tracer};

use crate::Test;

pub const TESTS: &[Test] = &[("who_execs_behind_many_that_ended_is_in_the_tree_still", &[], behind_many)];

fn behind_many() {
    let outsider = Process::start(as_attacker("sh").args(["-c", "echo; exec sleep 100"]));
    let victim = outsider.pid().to_string();
    let mut command = as_attacker(workload_of_all());
    command.arg0("workload").args(["signal", "when-continued", "thread-behind-many", &victim]);
    let root = Process::start(&mut command);
    let tracer = Tracer::json(&["--tree", &root.pid().to_string()]);
    root.kill(Signal::CONT);
    let event = tracer.signal_to(outsider.pid(), 15);
    assert_eq!(event["source"]["cmdline"][1], "send", "{event}");
}
