//! Commands that ask a service manager or a container runtime for something: `--requests`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use support::{Process, Tracer, cmdline, in_guest};
use tempfile::TempDir;

use crate::Test;

pub const TESTS: &[Test] = &[
    ("a_command_that_asks_is_reported_with_its_tree", &[], with_its_tree),
    ("only_commands_of_the_names_asked_for_are_reported", &[], by_name),
    ("no_request_is_reported_unasked", &[], unasked),
    ("each_of_many_short_requests_is_whole", &[], many),
];

pub const STORMS: &[Test] = &[("requests_that_find_no_room_are_counted_with_their_author", &[], no_room)];

/// Ends at once.
const SILENT: &str = "/bin/true";

/// Programs of any name, each of which ends at once.
struct Programs(TempDir);

impl Programs {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn named(&self, name: &str) -> PathBuf {
        let path = self.0.path().join(name);
        if !path.exists() {
            std::os::unix::fs::symlink(SILENT, &path).unwrap();
        }
        path
    }

    /// Runs it to its end; its pid.
    fn run(&self, name: &str, arguments: &[&str]) -> u32 {
        let mut command = Command::new(self.named(name));
        let mut child = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        child.wait().unwrap();
        child.id()
    }
}

fn of(tracer: &Tracer, pid: u32) -> Value {
    tracer.wait_for("the request", |event| event["event"] == "request" && event["source"]["pid"] == pid)
}

fn with_its_tree() {
    let programs = Programs::new();
    let tracer = Tracer::shared(&["--requests"]);
    let pid = programs.run("systemctl", &["--no-block", "restart", "nginx"]);
    let event = of(&tracer, pid);
    let path = programs.named("systemctl").to_str().unwrap().to_owned();
    let source = &event["source"];
    assert_eq!(cmdline(source), [&*path, "--no-block", "restart", "nginx"], "{event}");
    assert_eq!((&source["comm"], &source["user"]["id"]), (&"systemctl".into(), &0.into()), "{event}");
    assert_eq!(source["exe"], Path::new(SILENT).canonicalize().unwrap().to_str().unwrap(), "{event}");
    assert_eq!(source["parent"]["pid"], std::process::id(), "{event}");
    assert_eq!(event["request"], serde_json::json!({ "argv0": path, "unit": "nginx.service" }), "{event}");
    assert_eq!(event["msg"], "control command", "{event}");
    for key in ["missing", "target", "signal", "origin"] {
        assert!(event[key].is_null(), "{event}");
    }
}

fn by_name() {
    let programs = Programs::new();
    // 18 bytes, of which the kernel keeps 15
    let tracer = Tracer::json(&["--requests=deploy-to-all-hosts,ask"]);
    let others = [programs.run("systemctl", &["stop", "x"]), programs.run("askk", &[])];
    let (long, short) = (programs.run("deploy-to-all-hosts", &[]), programs.run("ask", &[]));
    of(&tracer, long);
    of(&tracer, short);
    let said = tracer.stop();
    let is_one = |event: &&Value| others.iter().any(|pid| event["source"]["pid"] == *pid);
    let events = said.events();
    assert_eq!(events.iter().filter(|event| event["event"] == "request").find(is_one), None);
}

fn unasked() {
    let programs = Programs::new();
    let tracer = Tracer::shared(&[]);
    programs.run("systemctl", &["stop", "x"]);
    // what comes behind it is seen
    let target = Process::workload(&["meets", "15", "handle"]);
    target.kill(Signal::TERM);
    tracer.signal_to(target.pid(), 15);
    let events = tracer.events();
    assert!(events.iter().all(|event| event["event"] != "request"), "{events:?}");
}

fn many() {
    // an emulated exec takes fifty times as long
    let count = if in_guest() { 50 } else { 200 };
    let programs = Programs::new();
    let tracer = Tracer::shared(&["--requests"]);
    let pids: HashSet<u32> =
        (0..count).map(|round| programs.run("docker", &["stop", &round.to_string()])).collect();
    let is_one =
        |event: &Value| event["event"] == "request" && pids.iter().any(|pid| event["source"]["pid"] == *pid);
    tracer.wait_for_count("each request", pids.len(), is_one);
    let found: Vec<Value> = tracer.events().into_iter().filter(is_one).collect();
    for event in &found {
        assert_eq!(cmdline(&event["source"])[1], "stop", "{event}");
        assert!(event["missing"].is_null(), "{event}");
    }
    assert_eq!(found.len(), pids.len(), "one for each");
}

/// A tracer that does not read.
fn no_room() {
    // more than there is room for
    let (sent, ring) = if in_guest() { (80, "16384") } else { (300, "65536") };
    let programs = Programs::new();
    let tracer = Tracer::json(&["--requests", "--ring-bytes", ring]);
    tracer.signal(Signal::STOP);
    for _ in 0..sent {
        programs.run("kubectl", &["delete", "pod", "x"]);
    }
    tracer.signal(Signal::CONT);
    thread::sleep(Duration::from_millis(100));
    let said = tracer.stop();
    let events = said.events();
    let seen = events
        .iter()
        .filter(|event| event["event"] == "request" && event["source"]["comm"] == "kubectl")
        .count() as u64;
    let lost: u64 = events.iter().filter_map(|event| event["cause"]["requests"].as_u64()).sum();
    assert_eq!(seen + lost, sent, "{}", said.stderr);
    assert!(lost > sent / 4, "nothing was tested: {seen} seen");
    let of_root = events
        .iter()
        .filter_map(|event| event["authors"].as_array())
        .flatten()
        .any(|author| author["uid"] == 0);
    assert!(of_root, "{}", said.stderr);
    assert!(said.stderr.contains(&format!("requests={lost}")), "{}", said.stderr);
    said.assert_counters_add_up();
}
