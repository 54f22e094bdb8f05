//! A signal that is hidden, because it is handled when it comes, explains no death.

use super::make;
use support::Tracer;

use crate::Test;

pub const TESTS: &[Test] = &[
    ("who_dies_of_what_was_hidden_is_reported", &[], of_its_own),
    ("a_tracer_s_signal_after_a_hidden_one_is_reported", &[], of_a_tracer),
];

fn of_its_own() {
    let tracer = Tracer::shared(&[]);
    let (_made, target, _) = make("itself-unhandled");
    let event = tracer.end_of(target);
    assert_eq!((&event["signal"], &event["after"]["signalName"]), (&15.into(), &"SIGTERM".into()), "{event}");
    assert_eq!(event["after"]["source"]["pid"], target, "{event}");
}

fn of_a_tracer() {
    let tracer = Tracer::shared(&[]);
    let (made, target, _) = make("tracer-later");
    let event = tracer.end_of(target);
    assert_eq!((&event["signal"], &event["origin"]), (&10.into(), &"ptrace".into()), "{event}");
    assert_eq!(event["trigger"]["pid"], made.pid(), "{event}");
}
