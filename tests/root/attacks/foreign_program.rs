//! A program of another mount namespace, run by a descriptor: its path there is one of the host's.

use super::{as_attacker, workload_of_all};
use support::{Process, Tracer, kill};

use crate::Test;
use crate::skip::Skip;

pub const TESTS: &[Test] =
    &[("a_program_from_outside_the_root_of_its_process_is_marked", &[Skip::UserNamespace], foreign_program)];

fn foreign_program() {
    use std::os::unix::process::CommandExt;
    let tracer = Tracer::shared(&[]);
    let made =
        Process::start(as_attacker(workload_of_all()).arg0("workload").args(["signal", "foreign-program"]));
    kill(made.pid(), rustix::process::Signal::TERM);
    let event = tracer.signal_to(made.pid(), 15);
    let target = &event["target"];
    assert_eq!(target["exe"], "/usr/sbin/cron", "{event}");
    assert_eq!(target["exeUnreachable"], true, "{event}");
    // and one that is where it says
    assert!(event["source"]["exe"].is_string() && event["source"]["exeUnreachable"].is_null(), "{event}");
}
