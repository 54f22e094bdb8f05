//! What is reported, what is not, and that each is counted.

use std::process::Command;

use rustix::process::Signal;
use support::{Process, Tracer, run_workload, workload};

use crate::Test;

pub const TESTS: &[Test] = &[
    ("what_a_process_sends_itself_and_handles_is_hidden_and_counted", &[], hidden_and_counted),
    ("all_and_include_show_what_is_hidden", &[], shown_on_request),
    ("what_one_process_sends_another_is_never_hidden", &[], never_hidden),
    ("sigchld_is_hidden_by_default_and_named_child_with_all", &[], sigchld),
    ("excluded_and_included_signals_are_filtered_in_the_kernel", &[], by_signal),
    ("ignored_senders_are_filtered_by_their_comm", &[], by_source_comm),
];

/// Lets a process handle SIGURG and send it to itself 50 times. `tag` is one more argument, by which the test
/// knows its own: other tests do the same at the same time.
fn urge_itself(tag: &str) {
    run_workload(&["to-itself", "23", "50", tag]);
}

/// Events about the test's own workload.
fn own(said: &support::TracerOutput, tag: &str) -> usize {
    said.events().iter().filter(|event| event["target"]["cmdline"][4] == tag).count()
}

fn hidden_and_counted() {
    let tracer = Tracer::json(&[]);
    urge_itself("hidden");
    let said = tracer.stop();
    assert_eq!(own(&said, "hidden"), 0);
    assert!(said.counter("hidden by default", "self") >= 50, "{}", said.stderr);
    // its end was a SIGCHLD
    assert!(said.events().iter().all(|event| event["origin"] != "child"), "{}", said.stdout);
    assert!(said.counter("hidden by default", "child") >= 1, "{}", said.stderr);
    said.assert_counters_add_up();
}

fn shown_on_request() {
    for arguments in [&["--all"][..], &["-i", "URG"]] {
        let tracer = Tracer::json(arguments);
        urge_itself(arguments[0]);
        let said = tracer.stop();
        assert_eq!(own(&said, arguments[0]), 50, "{arguments:?}");
        said.assert_counters_add_up();
    }
}

fn never_hidden() {
    let tracer = Tracer::shared(&[]);
    for (number, how) in [(10, "handle"), (10, "ignore"), (23, "nothing"), (28, "nothing"), (17, "nothing")] {
        let target = Process::workload(&["meets", &number.to_string(), how]);
        run_workload(&["storm", &number.to_string(), "1", &target.pid().to_string()]);
        tracer.signal_to(target.pid(), number);
    }
}

fn sigchld() {
    // by default: a process that is waited for, in hidden_and_counted()
    let tracer = Tracer::shared(&["--all"]);
    assert!(Command::new("sh").args(["-c", "sh -c 'exit 3'; :"]).status().unwrap().success());
    let event = tracer.wait_for("SIGCHLD", |event| {
        event["signal"] == 17 && event["target"]["cmdline"][2] == "sh -c 'exit 3'; :"
    });
    assert_eq!(event["origin"], "child", "{event}");
    assert!(event["source"].is_null(), "nobody sent it: {event}");
    assert_eq!(event["code"], "CLD_EXITED", "{event}");
    // the child is exiting and has no memory any more: its command line is the kernel's
    assert_eq!(event["trigger"]["cmdline"], serde_json::json!(["sh", "-c", "exit 3"]), "{event}");
}

fn by_signal() {
    for (arguments, passes) in [
        (&["-e", "USR1"][..], [false, true]),
        (&["-i", "10"], [true, false]),
        (&["-i", "USR1,USR2", "-e", "SIGUSR2"], [true, false]),
        (&["-i", "rtmin+1"], [false, false]),
    ] {
        let tracer = Tracer::json(arguments);
        let target = Process::workload(&["meets", "10", "handle"]);
        let pid = target.pid().to_string();
        run_workload(&["storm", "10", "3", &pid]);
        run_workload(&["storm", "12", "1", &pid]);
        let said = tracer.stop();
        let count = |signal: i64| {
            said.events()
                .iter()
                .filter(|event| event["event"] == "signal")
                .filter(|event| event["target"]["pid"] == target.pid() && event["signal"] == signal)
                .count()
        };
        assert_eq!([count(10) == 3, count(12) == 1], passes, "{arguments:?}");
        assert!(passes[0] || count(10) == 0, "{arguments:?}");
        assert!(said.counter("signals total", "filtered") >= 1);
        said.assert_counters_add_up();
    }
}

fn by_source_comm() {
    let tracer = Tracer::json(&["--ignore-source-comm", "nobody-is-called-so,workload"]);
    let target = Process::workload(&["meets", "10", "handle"]);
    let pid = target.pid().to_string();
    run_workload(&["storm", "10", "3", &pid]);
    // another sender passes, and so does what that program receives
    let status = Command::new("kill").args(["-USR1", &pid]).status().unwrap();
    assert!(status.success());
    let event = tracer.signal_to(target.pid(), 10);
    assert_eq!(event["source"]["comm"], "kill", "{event}");
    let said = tracer.stop();
    assert_eq!(said.events().iter().filter(|event| event["source"]["comm"] == "workload").count(), 0);
    assert!(said.counter("signals total", "filtered") >= 3, "{}", said.stderr);
    said.assert_counters_add_up();
    assert!(workload().exists());
    target.kill(Signal::KILL);
}
