//! A death by a signal that waited: of several the one that was taken is named, and never one that was taken before, nor the
//! process that happens to trace. What a tracer put in the place of another is nobody's signal, and no filter's refusal.

use serde_json::Value;

use super::make;
use support::Tracer;

use crate::Test;

pub const TESTS: &[Test] = &[
    ("whose_signal_was_taken_before_is_not_blamed_for_a_death", &[], taken_before),
    ("of_two_that_wait_the_one_that_was_taken_is_what_it_died_of", &[], first_of_two),
    ("one_that_was_handled_when_it_came_is_what_it_died_of_and_no_tracer", &[], handled_when_it_came),
    ("a_tracer_s_signal_is_no_refusal_of_seccomp", &[], injected),
];

fn taken_before() {
    let tracer = Tracer::shared(&[]);
    for way in ["injected-after-sigwait", "injected-after-signalfd"] {
        let (_made, target, innocent) = make(way);
        let event = tracer.end_of(target);
        assert_eq!((&event["signal"], &event["after"]), (&15.into(), &Value::Null), "{way}: {event}");
        assert!(event["missing"].to_string().contains("after:not-seen"), "{way}: {event}");
        assert!(!event["summary"].to_string().contains(&innocent.to_string()), "{way}: {event}");
    }
}

fn named(way: &str) -> Value {
    let tracer = Tracer::shared(&[]);
    let (_made, target, sender) = make(way);
    let event = tracer.end_of(target);
    assert_eq!(
        (&event["signal"], &event["after"]["source"]["pid"]),
        (&15.into(), &sender.into()),
        "{way}: {event}"
    );
    assert!(event["summary"].to_string().contains(&format!("({sender})")), "{way}: {event}");
    event
}

fn first_of_two() {
    named("first-of-two");
}

fn handled_when_it_came() {
    let event = named("handled-when-it-came");
    assert_eq!((&event["origin"], &event["trigger"]), (&Value::Null, &Value::Null), "{event}");
}

fn injected() {
    let tracer = Tracer::shared(&[]);
    for (way, signal) in [("injected-sys", 31), ("injected-kill", 9)] {
        let (_made, target, _) = make(way);
        let event = tracer.end_of(target);
        assert_eq!(
            (&event["signal"], &event["origin"], &event["seccomp"]),
            (&signal.into(), &Value::Null, &Value::Null),
            "{way}: {event}"
        );
        assert!(event["missing"].to_string().contains("origin:not-seen"), "{way}: {event}");
    }
}
