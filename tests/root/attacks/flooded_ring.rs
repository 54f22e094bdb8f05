//! Floods on every CPU that are to hide what others do: of one pair, of processes that are new for every signal, of calls that
//! fail, of timers. Root kills meanwhile; each of its kills is to be reported, whole. The reader is stopped while some are made,
//! so that the ring is full, and its output is almost empty, so that the ring is what the test is about.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use support::{Process, Tracer, TracerOutput, cmdline, in_guest, wait_until, workload};

use super::{ATTACKER, as_attacker, workload_of_all};
use crate::Test;

pub const TESTS: &[Test] = &[
    ("a_flood_of_one_pair_hides_no_kill_by_root", &[], same_pair),
    ("a_flood_of_new_processes_hides_no_kill_by_root", &[], new_processes),
    ("a_flood_of_failing_calls_hides_no_kill_by_root", &[], failing_calls),
    ("a_flood_of_timers_hides_no_kill_by_root", &[], timers),
    ("a_flood_hides_no_kill_by_the_same_user", &[], same_user),
    ("what_is_refused_of_one_pair_is_counted_in_one_line", &[], one_line),
];

/// Of the flood; one that no other test sends.
const FLOOD: &str = "54";
/// Kills while the reader is stopped: with their ends they have room in what a flood leaves of the ring. A guest has less of all.
fn batch() -> u64 {
    if in_guest() { 4 } else { 20 }
}

/// Kills in all.
fn kills() -> u64 {
    if in_guest() { 16 } else { 1000 }
}

/// The flood goes on so many seconds, or until it is killed.
const SECONDS: &str = "60";

/// Processes of the attacker's, one on each CPU.
struct Flood(Vec<Child>);

impl Flood {
    fn start(role: &[&str]) -> Self {
        let one = || {
            let mut command = as_attacker(workload_of_all());
            command.arg0_workload().args(role).stdin(Stdio::null()).stdout(Stdio::null());
            command.spawn().unwrap()
        };
        Self((0..thread::available_parallelism().unwrap().get()).map(|_| one()).collect())
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

trait Named {
    fn arg0_workload(&mut self) -> &mut Self;
}

impl Named for Command {
    fn arg0_workload(&mut self) -> &mut Self {
        std::os::unix::process::CommandExt::arg0(self, "workload")
    }
}

/// A process of the attacker's that ignores the signal of the flood.
fn target() -> Process {
    let mut command = as_attacker(workload_of_all());
    Process::start(command.arg0_workload().args(["meets", FLOOD, "ignore"]))
}

/// Bytes of a ring that a flood of cheap signals fills in a moment, and of one that any flood does.
fn large() -> &'static str {
    if in_guest() { "262144" } else { "4194304" }
}

fn small() -> &'static str {
    if in_guest() { "131072" } else { "1048576" }
}

/// And of one that new processes fill, each of which has an image.
fn smallest() -> &'static str {
    if in_guest() { "131072" } else { "262144" }
}

/// How long a flood fills the ring before the reader is to miss something: a guest forks some hundred processes in this time.
fn while_stopped() -> Duration {
    Duration::from_millis(if in_guest() { 1000 } else { 20 })
}

/// A guest forks slowly: processes that fill the smaller ring, with a signal each.
fn wait_for_forks() {
    let forks = || {
        let text = std::fs::read_to_string("/proc/stat").unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("processes "));
        line.unwrap().trim().parse::<u64>().unwrap()
    };
    let before = forks();
    wait_until("a flood that fills the ring", || (forks() > before + 400).then_some(()));
}

/// Every other moment the tracer is stopped, and this process kills some.
fn kill_while_stopped(tracer: &Tracer, killer: &mut Child, is_of_processes: bool) {
    let (mut ask, answers) = (killer.stdin.take().unwrap(), killer.stdout.take().unwrap());
    let mut answers = BufReader::new(answers).lines();
    let mut kill_some = || {
        ask.write_all(b"\n").unwrap();
        assert_eq!(answers.next().unwrap().unwrap().trim(), batch().to_string());
    };
    // at its first signal by the kernel the tracer reads the kernel's symbols: the ring is to be full later, and not for so long
    kill_some();
    wait_for_kills(tracer, killer.id(), batch());
    for _ in 1..kills() / batch() {
        tracer.signal(Signal::STOP);
        thread::sleep(while_stopped());
        if is_of_processes && in_guest() {
            wait_for_forks();
        }
        kill_some();
        tracer.signal(Signal::CONT);
        thread::sleep(Duration::from_millis(20));
    }
}

fn wait_for_kills(tracer: &Tracer, killer: u32, count: u64) {
    tracer.wait_for_count("the line of each kill", count as usize, |event| {
        event["event"] == "signal" && event["source"]["pid"] == killer
    });
}

/// What the tracer said, and the pid of the process that killed, while this flood went on.
fn kill_in(ring: &str, role: &[&str], arguments: &[&str]) -> (TracerOutput, u32) {
    kill_by(Command::new(workload()), ring, role, arguments)
}

fn kill_by(mut command: Command, ring: &str, role: &[&str], arguments: &[&str]) -> (TracerOutput, u32) {
    // of all signals of the flood none is printed, and only user space knows that: its pattern is none that the kernel side asks
    let filter = ["--where", "signalName=SIGKIL?", "-i", "54,KILL", "--ring-bytes", ring];
    let tracer = Tracer::json(&[&filter[..], arguments].concat());
    let flood = Flood::start(role);
    thread::sleep(Duration::from_millis(100));
    command.arg0_workload().args(["kill-children", &batch().to_string()]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let killer = child.id();
    kill_while_stopped(&tracer, &mut child, role[1] == "fresh");
    child.wait().unwrap();
    drop(flood);
    // what is left in the ring of a slow machine: a tracer that is asked to end does not read all of that
    wait_for_kills(&tracer, killer, kills());
    (tracer.stop(), killer)
}

/// Every kill has its line, with both command lines and both trees.
fn assert_whole(said: &TracerOutput, killer: u32) {
    let events = said.events();
    let mut targets = HashSet::new();
    for event in events.iter().filter(|event| event["event"] == "signal" && event["source"]["pid"] == killer)
    {
        assert_eq!(cmdline(&event["source"])[1], "kill-children", "{event}");
        assert_eq!(cmdline(&event["target"])[1], "kill-children", "{event}");
        assert_eq!(event["source"]["parent"]["pid"], std::process::id(), "{event}");
        assert_eq!(event["target"]["parent"]["pid"], killer, "{event}");
        for key in ["missing", "repeated"] {
            assert!(event[key].is_null(), "{event}");
        }
        assert!(targets.insert(event["target"]["key"].to_string()), "{event}");
    }
    assert_eq!(targets.len() as u64, kills(), "kills are hidden: {}", said.stderr);
    said.assert_counters_add_up();
    if said.stderr.contains("attempts total") {
        said.assert_attempts_add_up();
    }
}

/// Who lost something: the attacker, and it alone.
fn assert_authors(events: &[Value]) {
    let lost = events.iter().filter(|event| event["event"] == "lost");
    for event in lost {
        let authors = event["authors"].as_array().unwrap_or_else(|| panic!("no authors: {event}"));
        for author in authors {
            assert_eq!((&author["class"], &author["uid"]), (&"user".into(), &ATTACKER.into()), "{event}");
            assert_eq!(author["comm"], "workload", "{event}");
        }
        let count: u64 = authors.iter().map(|author| author["count"].as_u64().unwrap()).sum();
        // a program on each CPU may be between the two counts
        let cpus = thread::available_parallelism().unwrap().get() as u64;
        assert!(count <= event["lost"].as_u64().unwrap() + cpus, "{event}");
    }
}

/// How much found no room in the ring.
fn refused(said: &TracerOutput) -> u64 {
    said.counter("identities total", "ring_refusals")
}

fn same_pair() {
    let target = target();
    let (said, killer) =
        kill_in(large(), &["flood", "same", FLOOD, &target.pid().to_string(), SECONDS, "0"], &[]);
    assert!(refused(&said) > 100, "nothing was tested: {}", said.stderr);
    assert_whole(&said, killer);
    assert_authors(&said.events());
    assert_eq!(said.counter("signals total", "lost"), 0, "what is the same is counted: {}", said.stderr);
}

/// What ends nothing does not take the room of what does.
fn same_user() {
    let target = target();
    let role = ["flood", "same", FLOOD, &target.pid().to_string(), SECONDS, "0"];
    let (said, killer) = kill_by(as_attacker(workload_of_all()), large(), &role, &[]);
    assert!(refused(&said) > 100, "nothing was tested: {}", said.stderr);
    assert_whole(&said, killer);
}

fn new_processes() {
    let target = target();
    let (said, killer) =
        kill_in(smallest(), &["flood", "fresh", FLOOD, &target.pid().to_string(), SECONDS, "0"], &[]);
    assert!(refused(&said) > 100, "nothing was tested: {}", said.stderr);
    assert_whole(&said, killer);
    assert_authors(&said.events());
}

fn failing_calls() {
    let own = std::process::id().to_string();
    let (said, killer) = kill_in(large(), &["flood", "refused", FLOOD, &own, SECONDS, "0"], &["--failed"]);
    assert!(refused(&said) > 100, "nothing was tested: {}", said.stderr);
    assert_whole(&said, killer);
    assert_authors(&said.events());
}

fn timers() {
    let (said, killer) = kill_in(small(), &["flood-timer", FLOOD, SECONDS], &[]);
    assert!(refused(&said) > 100, "nothing was tested: {}", said.stderr);
    assert_whole(&said, killer);
    assert_authors(&said.events());
}

/// Of a tracer that does not read at all: half of the ring is full, and the rest is one line.
fn one_line() {
    let target = target();
    let tracer = Tracer::json(&["-i", FLOOD, "--ring-bytes", "262144", "--pid", &target.pid().to_string()]);
    tracer.signal(Signal::STOP);
    let mut command = as_attacker(workload_of_all());
    let role = ["storm-for", "300", FLOOD, &target.pid().to_string()];
    let output = command.arg0_workload().args(role).output().unwrap();
    let sent: u64 =
        String::from_utf8_lossy(&output.stdout).split_whitespace().next().unwrap().parse().unwrap();
    tracer.signal(Signal::CONT);
    let said = tracer.stop();
    let events = said.events();
    let own = || events.iter().filter(|event| event["event"] == "signal");
    let repeated: Vec<&Value> = own().filter(|event| !event["repeated"].is_null()).collect();
    let [line] = repeated[..] else { panic!("{repeated:?}: {}", said.stderr) };
    let count = line["repeated"].as_u64().unwrap();
    assert_eq!(own().count() as u64 - 1 + count, sent, "{}", said.stderr);
    let [first, last] = ["firstTime", "time"].map(|key| line[key].as_str().unwrap().to_owned());
    assert!(first < last, "{line}");
    assert!(count > sent / 2, "nothing was tested: {}", said.stderr);
    let expected = [("signal", Value::from(54)), ("result", "ignored".into()), ("via", "kill".into())];
    for (key, value) in expected {
        assert_eq!(line[key], value, "{line}");
    }
    assert_eq!(
        (&line["source"]["comm"], &line["source"]["treeTruncated"]),
        (&"workload".into(), &true.into())
    );
    // the target lives: the kernel is asked for its command line
    assert_eq!(cmdline(&line["target"]), ["workload", "meets", FLOOD, "ignore"], "{line}");
    said.assert_counters_add_up();
    assert_eq!(said.counter("signals total", "lost"), 0, "{}", said.stderr);
}
