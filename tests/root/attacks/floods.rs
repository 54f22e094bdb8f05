//! What makes so many lines that there is no room for those of others: signals and failed calls at full speed, on every CPU. Meanwhile
//! root kills processes, and each of these signals is reported, whole, with the end that came of it.

use std::collections::HashMap;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use support::{
    Process, Tracer, TracerOutput, children_of, event, in_guest, kill, killsnoop, wait_until, workload,
};

use super::{ATTACKER, as_attacker, workload_of_all};
use crate::Test;

pub const TESTS: &[Test] = &[
    ("a_flood_of_one_pair_hides_no_kill_and_loses_nothing", &[], one_pair),
    ("a_flood_of_fresh_processes_hides_no_kill_and_names_its_author", &[], fresh_processes),
    ("a_flood_of_failed_calls_hides_no_kill_and_loses_nothing", &[], failed_calls),
    ("a_flood_before_a_slow_reader_hides_no_kill_and_names_its_author", &[], slow_reader),
    ("a_file_grows_no_faster_than_it_may", &[], slow_growth),
];

/// Handled by the target of the floods, so that nothing of it is hidden, or needs room in a queue of the kernel.
const SIGNAL: &str = "10";
/// Room in the ring for what comes while the reader has no CPU: what the ring admits is not tested here.
const RING: [&str; 2] = ["--ring-bytes", "268435456"];

/// How many are killed: `KILLSNOOP_KILLS`, or fewer where there is little time.
fn kills() -> usize {
    let wanted = std::env::var("KILLSNOOP_KILLS").ok().and_then(|kills| kills.parse().ok());
    wanted.unwrap_or(if in_guest() { 30 } else { 300 })
}

fn cpus() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Attackers, one for each CPU.
struct Flood {
    attackers: Vec<Child>,
    /// What they signal, or may not.
    target: Process,
}

impl Flood {
    fn start(how: &str, seconds: u64) -> Self {
        let is_refused = how == "refused";
        // what fails costs the reader of the ring more than a CPU has: what the ring loses is not tested here
        let pause = if is_refused { "1000" } else { "0" };
        let mut target = if is_refused { Command::new(workload()) } else { as_attacker(workload_of_all()) };
        let target = Process::start(target.arg0("target").args(["meets", SIGNAL, "handle"]));
        let pid = target.pid().to_string();
        let attacker = |_| {
            as_attacker(workload_of_all())
                .arg0("attacker")
                .args(["flood", how, SIGNAL, &pid, &seconds.to_string(), pause])
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        };
        Self { attackers: (0..cpus()).map(attacker).collect(), target }
    }

    fn target(&self) -> u32 {
        self.target.pid()
    }

    /// Waits for the end of it; how many there were.
    fn end(&mut self) -> u64 {
        let outputs = self.attackers.drain(..).map(|attacker| attacker.wait_with_output().unwrap());
        outputs.map(|output| String::from_utf8(output.stdout).unwrap().trim().parse::<u64>().unwrap()).sum()
    }
}

/// Kills processes in the middle of the flood; their pids. As long as their parent lives nothing else ends them.
fn kill_sleepers(count: usize, how_long: Duration) -> (Vec<u32>, Process) {
    let mut sleepers = Command::new(workload());
    let sleepers = Process::start(sleepers.arg0("sleepers").args(["sleepers", &count.to_string()]));
    let pids = children_of(sleepers.pid());
    assert_eq!(pids.len(), count);
    thread::sleep(how_long);
    for &pid in &pids {
        kill(pid, Signal::KILL);
    }
    (pids, sleepers)
}

/// Every one of these has its signal, whole, and behind that its end.
fn assert_all_reported(pids: &[u32], text: &str, said: &TracerOutput) {
    let mut found: HashMap<u64, Vec<Value>> = HashMap::new();
    for line in text.lines().filter(|line| line.contains("SIGKILL")) {
        let event = event(line);
        found.entry(event["target"]["pid"].as_u64().unwrap()).or_default().push(event);
    }
    let is_reported = |pid: &u32| {
        let Some([signal, end]) = found.get(&u64::from(*pid)).map(Vec::as_slice) else { return false };
        let is_whole = |event: &Value| {
            let missing = event["missing"].to_string();
            event["target"]["cmdline"][0] == "sleepers" && !missing.contains("cmdline")
        };
        let is_from_here = signal["source"]["pid"] == std::process::id();
        (&signal["event"], &end["event"]) == (&"signal".into(), &"ended".into())
            && is_whole(signal)
            && is_whole(end)
            && is_from_here
            && signal["source"]["cmdline"].is_array()
    };
    let missing: Vec<_> = pids.iter().filter(|pid| !is_reported(pid)).collect();
    let first = missing.first().map(|pid| found.get(&u64::from(**pid)));
    assert!(
        missing.is_empty(),
        "{} of {} kills, such as {first:?}: {}",
        missing.len(),
        pids.len(),
        said.stderr
    );
}

/// What is printed and folded is what the lines say, and all of it is all that there was.
fn assert_exact(text: &str, said: &TracerOutput, kind: &str, totals: &str) {
    let (mut lines, mut folded) = (0, 0);
    for line in text.lines().filter(|line| line.contains(&format!("\"event\":\"{kind}\""))) {
        lines += 1;
        folded += event(line)["repeated"].as_u64().map_or(0, |repeated| repeated - 1);
    }
    assert_eq!(said.counter(totals, "printed"), lines, "{}", said.stderr);
    assert_eq!(said.counter(totals, "folded"), folded, "{}", said.stderr);
    said.assert_counters_add_up();
}

/// `lost` events name the attacker, and nobody who lost nothing.
fn assert_named(text: &str, said: &TracerOutput) {
    let losses: Vec<Value> =
        text.lines().filter(|line| line.contains("\"event\":\"lost\"")).map(event).collect();
    let authors: Vec<&Value> =
        losses.iter().filter_map(|loss| loss["authors"].as_array()).flatten().collect();
    assert!(!authors.is_empty(), "nothing was tested: {losses:?}: {}", said.stderr);
    for author in authors {
        assert_eq!((&author["class"], &author["uid"]), (&"user".into(), &ATTACKER.into()), "{losses:?}");
        assert!(author["count"].as_u64() > Some(0), "{losses:?}");
    }
    assert!(said.stderr.contains("most of what was lost: "), "{}", said.stderr);
    assert!(said.stderr.contains(&format!(" of uid {ATTACKER} (")), "{}", said.stderr);
}

/// A file that may grow so slowly that a flood is soon too much, and not so slowly that what root does is.
fn rate() -> String {
    format!("{}K", kills().max(100))
}

/// A flood with such a file as output; what was written and said, the pids, and how many there were in the flood.
fn flood_to_file(how: &str, arguments: &[&str]) -> (String, TracerOutput, u64) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("log");
    let output = format!("json={}", file.display());
    let rate = rate();
    let usual = ["-o", &output, "-i", "KILL,USR1", "--max-rate", &rate];
    let arguments = [&usual[..], &RING, arguments].concat();
    let tracer = Tracer::start(&arguments);
    let mut flood = Flood::start(how, 5);
    let (pids, _parent) = kill_sleepers(kills(), Duration::from_secs(2));
    let sent = flood.end();
    let said = tracer.stop();
    assert_eq!(said.status.code(), Some(0), "{}", said.stderr);
    let text = std::fs::read_to_string(&file).unwrap();
    assert_all_reported(&pids, &text, &said);
    (text, said, sent)
}

fn one_pair() {
    let (text, said, sent) = flood_to_file("same", &[]);
    assert_exact(&text, &said, "signal", "signals total");
    assert!(said.counter("signals total", "folded") > 0, "nothing was tested: {sent}: {}", said.stderr);
    assert_eq!(said.counter("signals total", "unprinted"), 0, "{sent}: {}", said.stderr);
}

fn fresh_processes() {
    let (text, said, _) = flood_to_file("fresh", &[]);
    assert_exact(&text, &said, "signal", "signals total");
    assert_named(&text, &said);
}

fn failed_calls() {
    let (text, said, _) = flood_to_file("refused", &["--failed"]);
    assert_exact(&text, &said, "attempt", "attempts total");
    assert!(said.counter("attempts total", "folded") > 0, "nothing was tested: {}", said.stderr);
    assert_eq!(said.counter("attempts total", "unprinted"), 0, "{}", said.stderr);
}

/// Takes so little that what root does at once has to fit its share of what may wait.
fn slow_reader() {
    let mut child = Command::new(killsnoop())
        .args(["-v", "-o", "json", "-i", "KILL,USR1"])
        .args(RING)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stderr = support::Stderr::of_ready(&mut child);
    let mut stdout = child.stdout.take().unwrap();
    let reader = thread::spawn(move || {
        let (mut bytes, mut chunk) = (Vec::new(), [0; 16 << 10]);
        loop {
            let count = stdout.read(&mut chunk).unwrap();
            if count == 0 {
                return bytes;
            }
            bytes.extend_from_slice(&chunk[..count]);
            thread::sleep(Duration::from_micros(count as u64 / 2));
        }
    });
    let mut flood = Flood::start("fresh", 8);
    let (pids, _parent) = kill_sleepers(kills() / 3, Duration::from_secs(3));
    flood.end();
    kill(child.id(), Signal::TERM);
    let status = wait_until("the end of a tracer whose reader is slow", || child.try_wait().unwrap());
    let said = TracerOutput { status, stdout: String::new(), stderr: stderr.end() };
    let text = String::from_utf8(reader.join().unwrap()).unwrap();
    assert_all_reported(&pids, &text, &said);
    assert_exact(&text, &said, "signal", "signals total");
    assert_named(&text, &said);
}

fn slow_growth() {
    const RATE: u64 = 16 << 10;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("log");
    let output = format!("json={}", file.display());
    let tracer = Tracer::start(&["-o", &output, "-i", "USR1", "--max-rate", "16K"]);
    let mut flood = Flood::start("fresh", 4);
    let target = flood.target();
    flood.end();
    let written = std::fs::metadata(&file).unwrap().len();
    // half of what it may grow at once is the attacker's; besides its rate: no test takes a minute
    let most = RATE * (128 / 2 + 60);
    assert!(written <= most && written > most / 4, "{written} of {most} bytes");
    let said = tracer.stop();
    said.assert_counters_add_up();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.lines().any(|line| event(line)["target"]["pid"] == target), "{}", said.stderr);
}
