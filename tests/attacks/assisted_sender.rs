//! A sender whose own tracer changes its registers while it is in the system call.

use super::{as_attacker, workload_of_all};
use crate::Test;
use crate::harness::{Process, Tracer};

pub const TESTS: &[Test] =
    &[("a_traced_sender_of_nobody_s_is_named_with_its_tracer", &[], a_traced_sender_is_named)];

fn a_traced_sender_is_named() {
    let tracer = Tracer::json(&[]);
    let made = Process::start(as_attacker(workload_of_all()).args(["signal", "traced-sender"]));
    let mut words = made.said().split_whitespace();
    let (target, sender): (u32, u32) =
        (words.next().unwrap().parse().unwrap(), words.next().unwrap().parse().unwrap());
    let event = tracer.signal_to(target, 15);
    assert_eq!(event["source"]["pid"], sender, "{event}");
    assert_eq!(event["source"]["tracer"]["pid"], made.pid(), "{event}");
}
