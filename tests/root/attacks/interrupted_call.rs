//! An interrupt in the middle of another's call brings a signal of the same number: the call is not what sent it.

use super::make;
use support::{Process, Tracer};

use crate::Test;

pub const TESTS: &[Test] =
    &[("a_timer_that_fires_in_the_call_of_another_is_not_what_that_sends", &[], timer_in_a_call)];

/// Both on one CPU: root's process sends its own child a signal which that ignores, and the attacker's timer sends itself
/// the same signal, some 13,000 times.
fn timer_in_a_call() {
    let tracer = Tracer::json(&[]);
    let (_made, target, _) = make("own-timer");
    let innocent = Process::workload(&["signal", "innocent-calls"]);
    // it has done so for two seconds
    innocent.said();
    let blamed: Vec<_> = tracer
        .events()
        .into_iter()
        .filter(|event| event["event"] == "signal" && event["target"]["pid"] == target)
        .collect();
    assert!(blamed.is_empty(), "{} such events: {}", blamed.len(), blamed[0]);
    let said = tracer.stop();
    assert!(said.counter("hidden by default", "timer") > 100, "{}", said.stderr);
}
