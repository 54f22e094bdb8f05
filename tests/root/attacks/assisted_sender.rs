//! A sender whose own tracer changes its registers where the call begins, and traces it on, or lets it go; and an innocent
//! process that is made to send.

use serde_json::Value;

use super::{make, without_symbols};
use support::{Process, Tracer};

use crate::Test;
use crate::skip::Skip;

pub const TESTS: &[Test] = &[
    ("a_sender_that_its_tracer_assists_is_named_and_so_is_the_tracer", &[Skip::X86], with_a_tracer),
    ("a_sender_that_its_tracer_lets_go_in_the_call_is_named", &[Skip::X86], without_a_tracer),
    ("an_assisted_sender_is_not_hidden_where_the_stack_cannot_be_explained", &[Skip::X86], unexplained),
    ("an_innocent_process_that_is_made_to_send_is_named_with_its_tracer", &[Skip::X86], innocent),
];

const WAYS: [(&str, &str); 4] =
    [("kill", "kill"), ("group", "kill"), ("timer", "rt_sigqueueinfo"), ("io", "rt_sigqueueinfo")];

/// Its line, of a victim that handles the signal: nothing but the sender makes it worth one.
fn sent(tracer: &Tracer, how: &str, (way, via): (&str, &str)) -> (Process, Value) {
    let (made, target, sender) = make(&format!("{how}-{way}"));
    let event = tracer.signal_to(target, 15);
    assert_eq!(event["source"]["pid"], sender, "{how} {way}: {event}");
    assert_eq!((&event["origin"], &event["via"]), (&"process".into(), &via.into()), "{how} {way}: {event}");
    (made, event)
}

fn with_a_tracer() {
    let tracer = Tracer::shared(&[]);
    for way in WAYS {
        let (made, event) = sent(&tracer, "assisted", way);
        assert_eq!(event["source"]["tracer"]["pid"], made.pid(), "{event}");
        assert_eq!(event["source"]["tracer"]["cmdline"][2], format!("assisted-{}", way.0), "{event}");
        let summary = event["summary"].as_str().unwrap();
        assert!(summary.contains(&format!(") is traced by workload({})", made.pid())), "{summary}");
        // a tree of its own
        assert_eq!(event["source"]["parent"]["pid"], made.pid(), "{event}");
    }
}

fn without_a_tracer() {
    let tracer = Tracer::shared(&[]);
    for way in WAYS {
        sent(&tracer, "let-go", way);
    }
}

/// Where /proc/kallsyms cannot be read there is less evidence, and none of it is against the truth.
fn unexplained() {
    let tracer = without_symbols();
    for (way, _) in WAYS {
        for how in ["assisted", "let-go"] {
            let (_made, target, sender) = make(&format!("{how}-{way}"));
            let event = tracer.signal_to(target, 15);
            let named = if event["source"].is_null() { &event["trigger"] } else { &event["source"] };
            // since 7.0 kill() leaves no siginfo: to a group, nothing says who it was
            let is_unknowable = way == "group" && event["source"].is_null();
            if is_unknowable && how == "let-go" {
                assert!(event["missing"].to_string().contains("origin:no-kernel-symbols"), "{event}");
                continue;
            }
            assert_eq!(named["pid"], sender, "{how} {way}: {event}");
            assert!(
                !event["source"].is_null() || event["missing"].to_string().contains("source:traced"),
                "{how} {way}: {event}"
            );
        }
    }
}

fn innocent() {
    let tracer = Tracer::shared(&[]);
    let (made, target, innocent) = make("innocent");
    let event = tracer.signal_to(target, 15);
    assert_eq!(event["source"]["pid"], innocent, "{event}");
    assert_eq!(event["source"]["tracer"]["pid"], made.pid(), "{event}");
    assert_eq!(event["source"]["tracer"]["cmdline"][2], "innocent", "{event}");
}
