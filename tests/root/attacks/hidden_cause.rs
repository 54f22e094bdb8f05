//! What lets the kernel send a signal to another: the process that acts is the trigger, and never the victim.

use serde_json::Value;

use super::make;
use support::Tracer;

use crate::Test;
use crate::skip::Skip;

pub const TESTS: &[Test] = &[
    ("who_changes_a_watched_directory_or_breaks_a_lease_is_the_trigger", &[], notified),
    ("what_a_kernel_thread_hands_on_is_not_hidden", &[], handed_on),
    ("a_limit_that_another_has_set_is_not_the_victims_doing", &[], limited),
    ("a_perf_event_of_another_is_no_fault_of_the_victim", &[Skip::PerfEvent], perf_event),
    ("a_breakpoint_of_another_is_not_hidden_as_a_fault", &[Skip::PerfEvent, Skip::X86], breakpoint),
    ("who_watches_a_file_of_an_execve_does_not_make_that_fail", &[], watched_exec),
    ("a_session_s_terminal_of_before_is_not_the_one_that_hangs_up", &[], second_terminal),
];

fn notified() {
    let tracer = Tracer::shared(&[]);
    for kind in ["directory", "lease"] {
        let (_made, target, other) = make(kind);
        let event = tracer.signal_to(target, 10);
        assert_eq!((&event["origin"], &event["source"]), (&"io".into(), &Value::Null), "{kind}: {event}");
        assert_eq!(event["trigger"]["pid"], other, "{kind}: {event}");
    }
}

/// The writer is not known, and the victim handles it: what is reported is that this was I/O, and not the victim's.
fn handed_on() {
    let tracer = Tracer::shared(&[]);
    for kind in ["terminal", "garbage"] {
        let (_made, target, _) = make(kind);
        let event = tracer.signal_to(target, 15);
        assert_eq!((&event["origin"], &event["source"]), (&"io".into(), &Value::Null), "{kind}: {event}");
        assert_eq!(event["code"], "POLL_IN", "{kind}: {event}");
        assert_ne!(event["trigger"]["pid"], target, "{kind}: {event}");
    }
}

fn limited() {
    let tracer = Tracer::shared(&[]);
    let (_made, target, _) = make("prlimit");
    let event = tracer.signal_to(target, 9);
    assert_eq!((&event["origin"], &event["source"]), (&"rlimit".into(), &Value::Null), "{event}");
    assert_eq!(event["rlimit"]["name"], "RLIMIT_CPU", "{event}");
    assert!(event["trigger"].is_null(), "{event}");
}

fn perf_event() {
    let tracer = Tracer::shared(&[]);
    let (_made, target, _) = make("event");
    let event = tracer.signal_to(target, 5);
    assert_eq!((&event["origin"], &event["code"]), (&"perf".into(), &"TRAP_PERF".into()), "{event}");
    assert!(event["fault"].is_null() && event["source"].is_null(), "{event}");
}

fn breakpoint() {
    let tracer = Tracer::shared(&[]);
    let (_made, target, _) = make("foreign-breakpoint");
    let event = tracer.signal_to(target, 5);
    assert_eq!((&event["origin"], &event["code"]), (&"perf".into(), &"TRAP_PERF".into()), "{event}");
}

/// It is sent in the middle of the target's own execve, in which the file is opened.
fn watched_exec() {
    let tracer = Tracer::shared(&[]);
    let (_made, target, _) = make("watched-exec");
    let event = tracer.signal_to(target, 9);
    assert_eq!((&event["origin"], &event["reason"]), (&"io".into(), &Value::Null), "{event}");
    assert_eq!(event["source"], Value::Null, "{event}");
}

fn second_terminal() {
    let tracer = Tracer::shared(&[]);
    let (_made, target, _) = make("second-terminal");
    let event = tracer.signal_to(target, 1);
    assert_eq!(event["tty"]["name"], Value::Null, "{event}");
    assert!(event["missing"].to_string().contains("tty.name:gone"), "{event}");
}
