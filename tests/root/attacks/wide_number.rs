//! The number of a system call is an int, and a program can write more than that into the register.

use serde_json::Value;

use super::{make, without_symbols};
use support::Tracer;

use crate::Test;
use crate::skip::Skip;

pub const TESTS: &[Test] = &[
    ("a_call_whose_number_has_more_bits_is_the_same_call", &[Skip::X86], sends),
    ("a_tracer_that_kills_by_a_number_with_more_bits_is_no_cgroup", &[Skip::X86], kills),
    ("a_failed_call_whose_number_has_more_bits_is_reported", &[Skip::X86], fails),
];

/// With the siginfo of a timer, which its target handles: nothing but the call makes it worth a line.
fn sends() {
    for tracer in [Tracer::shared(&[]), without_symbols()] {
        for (kind, via) in [("wide-queue", "rt_sigqueueinfo"), ("wide-pidfd", "pidfd_send_signal")] {
            let (_made, target, sender) = make(kind);
            let event = tracer.signal_to(target, 15);
            assert_eq!(event["source"]["pid"], sender, "{event}");
            assert_eq!((&event["origin"], &event["via"]), (&"process".into(), &via.into()), "{event}");
            assert_eq!((&event["code"], &event["codeForged"]), (&"SI_TIMER".into(), &true.into()), "{event}");
        }
    }
}

fn kills() {
    for tracer in [Tracer::shared(&[]), without_symbols()] {
        let (_made, target, sender) = make("wide-ptrace");
        let event = tracer.signal_to(target, 9);
        assert_eq!(event["target"]["tracer"]["pid"], sender, "{event}");
        assert_eq!(
            (&event["origin"], &event["reason"]),
            (&"ptrace".into(), &"ptrace-kill".into()),
            "{event}"
        );
        assert_eq!((&event["trigger"]["pid"], &event["source"]), (&sender.into(), &Value::Null), "{event}");
    }
}

fn fails() {
    let tracer = Tracer::shared(&["--failed"]);
    let (_made, _, sender) = make("wide-failure");
    let event = tracer
        .wait_for("the attempt", |event| event["event"] == "attempt" && event["source"]["pid"] == sender);
    assert_eq!((&event["result"], &event["via"]), (&"EPERM".into(), &"kill".into()), "{event}");
}
