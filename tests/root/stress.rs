//! Bad days: a tracer that is stopped, starved, blocked, killed, or comes late; a host that forks without end. Each time the
//! host goes on, the numbers add up, and no line is wrong.
//!
//! Every test has a signal that no other sends, and looks at its own targets only, so that what is counted for the whole
//! host is its own.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use libbpf_rs::query::{BtfInfoIter, LinkInfoIter, MapInfoIter, ProgInfoIter};
use rustix::process::Signal;
use serde_json::Value;
use support::{
    Cgroup, MEMORY_LIMIT, Process, Stderr, Tracer, TracerOutput, event, in_guest, kill, killsnoop,
    memory_cgroup, pids_cgroup, wait_until, workload,
};

use crate::Test;
use crate::numbered_signals::{
    LineCounts, Sink, Storm, assert_accounted, assert_accounted_within, assert_reported, assert_unique,
    is_outline, lost, numbers, only, tracer_of, words, written_cmdline,
};
use crate::skip::Skip;

pub const TESTS: &[Test] = &[
    ("a_tracer_stopped_for_5_s_in_a_storm_reports_what_it_lost", &[], stopped),
    ("a_slow_reader_of_stdout_gets_whole_lines_and_the_rest_is_counted", &[], slow_stdout),
    ("a_blocked_stdout_blocks_neither_the_ring_nor_the_end", &[], blocked_stdout),
    ("a_full_disk_is_reported_and_counted_and_tracing_continues", &[], full_disk),
    ("a_ring_that_is_too_small_reports_what_it_lost", &[], small_ring),
    ("an_image_that_is_larger_than_the_ring_is_asked_for", &[], large_image),
    ("a_record_that_goes_on_at_the_beginning_of_the_ring_is_whole", &[], wrapped_records),
    ("the_kernel_side_is_gone_after_sigkill", &[], killed),
    ("two_tracers_do_not_disturb_each_other", &[], two_tracers),
    ("a_burst_of_forks_adds_up", &[], burst_of_forks),
    ("pids_that_are_reused_are_not_mixed_up", &[Skip::PidNamespace], pids_begin_anew),
    ("a_fork_bomb_in_a_cgroup_is_seen_to_its_end", &[Skip::PidsCgroup], fork_bomb),
    ("in_64_mib_a_storm_adds_up", &[Skip::MemoryCgroup], little_memory),
    ("a_tracer_that_starts_in_a_storm_misses_nothing_from_its_first_line_on", &[], started_in_a_storm),
];

/// Fewer in a guest, where each takes some twenty times as long.
fn scaled(count: u64) -> u64 {
    if in_guest() { count / 50 } else { count }
}

fn stopped() {
    // two MiB, which some two thousand signals fill
    const RING: &str = "2097152";
    let sink = Sink::new(40);
    let tracer = sink.tracer(&["--ring-bytes", RING]);
    let said = thread::scope(|scope| {
        let storm = Storm::start(scope, &sink);
        wait_until("the first lines", || (tracer.written() > 0).then_some(()));
        tracer.signal(Signal::STOP);
        let (began, before) = (Instant::now(), sink.sent());
        wait_until("the host to go on for 5 s", || {
            (began.elapsed() > Duration::from_secs(5) && sink.sent() > before + 5000).then_some(())
        });
        let written = tracer.written();
        tracer.signal(Signal::CONT);
        wait_until("lines again", || (tracer.written() > written).then_some(()));
        storm.end();
        tracer.stop()
    });
    let events = said.events();
    assert!(lost(&said, "ring_full") > 0, "nothing was tested: {}", said.stderr);
    assert_reported(&said, &events, sink.sent(), &sink.check(&events));
}

/// A tracer whose output goes into a pipe.
struct Piped {
    child: Child,
    stderr: Option<Stderr>,
}

impl Piped {
    fn start(sink: &Sink, arguments: &[&str]) -> (Self, ChildStdout) {
        let mut child = Command::new(killsnoop())
            .args(["-v", "-o", "json"])
            .args(only(&[sink]))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = Some(Stderr::of_ready(&mut child));
        let stdout = child.stdout.take().unwrap();
        (Self { child, stderr }, stdout)
    }

    fn stderr(&self) -> String {
        self.stderr.as_ref().unwrap().text()
    }

    /// It has looked at the ring since: who answers a second time has drained it after the first answer.
    fn assert_drained(&self) {
        let answers = || self.stderr().matches("signals so far").count();
        let before = answers();
        wait_until("two answers, which only who goes on reading the ring gives", || {
            kill(self.child.id(), Signal::USR1);
            thread::sleep(Duration::from_millis(5));
            (answers() >= before + 2).then_some(())
        });
    }

    fn end(mut self, what: &str) -> TracerOutput {
        let status = wait_until(what, || self.child.try_wait().unwrap());
        TracerOutput { status, stdout: String::new(), stderr: self.stderr.take().unwrap().end() }
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whole lines, and what comes after the last line end.
fn whole_lines(bytes: &[u8]) -> (Vec<Value>, String) {
    let end = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |place| place + 1);
    let lines = std::str::from_utf8(&bytes[..end]).unwrap();
    (lines.lines().map(event).collect(), String::from_utf8_lossy(&bytes[end..]).into_owned())
}

/// Reads 2 KiB in a millisecond, until it is asked to hurry.
fn read_slowly(mut stdout: ChildStdout, hurry: &AtomicBool) -> Vec<u8> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 2048]);
    loop {
        let count = stdout.read(&mut chunk).unwrap();
        if count == 0 {
            return bytes;
        }
        bytes.extend_from_slice(&chunk[..count]);
        if !hurry.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

fn slow_stdout() {
    let sink = Sink::new(41);
    let (tracer, stdout) = Piped::start(&sink, &["--ring-bytes", "1048576"]);
    let hurry = AtomicBool::new(false);
    let (bytes, said) = thread::scope(|scope| {
        let reader = scope.spawn(|| read_slowly(stdout, &hurry));
        // all of it more than may wait for the output, and never more at a time than the ring holds
        for _ in 0..if in_guest() { 10 } else { 50 } {
            sink.send(200);
            tracer.assert_drained();
        }
        kill(tracer.child.id(), Signal::TERM);
        hurry.store(true, Ordering::SeqCst);
        let said = tracer.end("the end of a tracer whose reader is slow");
        (reader.join().unwrap(), said)
    });
    let (events, rest) = whole_lines(&bytes);
    assert_eq!(rest, "", "the last line is whole");
    let seen = sink.check(&events);
    assert_eq!(said.status.code(), Some(0), "{}", said.stderr);
    assert_accounted(&said, sink.sent(), &seen);
    assert_eq!(said.counter("signals total", "printed"), seen.count, "{}", said.stderr);
    // a guest fills the ring before it fills the queue
    if !in_guest() {
        let folded = said.counter("signals total", "folded");
        let of_lines: u64 = events.iter().filter_map(|event| Some(event["repeated"].as_u64()? - 1)).sum();
        assert!(folded > 0, "nothing was refused: {}", said.stderr);
        assert_eq!(of_lines, folded, "each is counted by the line that stands for it");
        assert_eq!(said.counter("signals total", "unprinted"), 0, "one pair is folded, not dropped");
    }
}

/// Nobody reads: neither in the storm nor at the end.
fn blocked_stdout() {
    let sink = Sink::new(42);
    let (tracer, mut stdout) = Piped::start(&sink, &["--ring-bytes", "1048576"]);
    for _ in 0..40 {
        // less than the ring holds; all rounds are much more, than the queue holds too
        sink.send(200);
        tracer.assert_drained();
    }
    kill(tracer.child.id(), Signal::TERM);
    let said = tracer.end("the end of a tracer whose standard output nobody reads");
    assert_eq!(said.status.code(), Some(0), "{}", said.stderr);
    assert_eq!(lost(&said, "ring_full"), 0, "it did not go on reading: {}", said.stderr);
    let mut bytes = Vec::new();
    stdout.read_to_end(&mut bytes).unwrap();
    let (events, rest) = whole_lines(&bytes);
    // what is cut by the end of the pipe is no line, and is not counted as one
    assert!(rest.is_empty() || rest.starts_with("{\"time\":"), "{rest}");
    assert_partly_written(&said, sink.sent(), sink.check(&events));
}

/// Some of what could not be written may be there.
fn assert_partly_written(said: &TracerOutput, sent: u64, seen: LineCounts) {
    let [printed, unprinted] = ["printed", "unprinted"].map(|name| said.counter("signals total", name));
    assert_accounted(said, sent, &LineCounts { count: printed, ..seen });
    assert!(unprinted > 0, "nothing was tested: {}", said.stderr);
    assert!(
        (printed..=printed + unprinted).contains(&seen.count),
        "{} lines are there: {}",
        seen.count,
        said.stderr
    );
}

/// A file system of its own.
pub struct Disk(tempfile::TempDir);

impl Disk {
    pub fn new(size: &str) -> Self {
        let disk = Self(tempfile::tempdir().unwrap());
        disk.mount(size, "");
        disk
    }

    /// Mounts it, again with other options.
    pub fn mount(&self, size: &str, how: &str) {
        let options = format!("{how}size={size}");
        let status =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "none"]).arg(self.0.path()).status();
        assert!(status.unwrap().success(), "mount -o {options}");
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    fn log(&self) -> PathBuf {
        self.0.path().join("log")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

fn full_disk() {
    let disk = Disk::new("512k");
    let sink = Sink::new(43);
    let output = format!("json={}", disk.log().display());
    let tracer = Tracer::run(Command::new(killsnoop()).args(["-v", "-o", &output]).args(only(&[&sink])));
    wait_until("a full disk", || {
        sink.send(500);
        tracer.stderr().contains("cannot write to").then_some(())
    });
    let full = fs::metadata(disk.log()).unwrap().len();
    disk.mount("64m", "remount,");
    sink.send(500);
    wait_until("lines after the disk has room again", || {
        (fs::metadata(disk.log()).unwrap().len() > full).then_some(())
    });
    let said = tracer.stop();
    assert_eq!(said.status.code(), Some(0), "{}", said.stderr);
    assert!(said.counter(&format!("could not be written to {}", disk.log().display()), "events") > 0);
    let text = fs::read_to_string(disk.log()).unwrap();
    // what the full disk cut is a line of its own, the only one that is not whole
    let (whole, torn): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| serde_json::from_str::<Value>(line).is_ok());
    assert!(torn.len() <= 1 && torn.iter().all(|line| line.starts_with("{\"time\":")), "{torn:?}");
    let events: Vec<Value> = whole.into_iter().map(event).collect();
    let last = sink.lines(&events).last().map(|event| event["source"]["pid"].clone());
    assert_eq!(last, Some(sink.last_source().into()), "tracing went on");
    assert_partly_written(&said, sink.sent(), sink.check(&events));
}

fn small_ring() {
    let sink = Sink::new(44);
    let tracer = sink.tracer(&["--ring-bytes", "4096"]);
    // a reader that cannot keep up, for certain
    tracer.signal(Signal::STOP);
    sink.send(scaled(5000));
    tracer.signal(Signal::CONT);
    let said = tracer.stop();
    let events = said.events();
    assert!(lost(&said, "ring_full") > 0, "so many signals do not fit 4 KiB: {}", said.stderr);
    assert_reported(&said, &events, sink.sent(), &sink.check(&events));
}

/// Its records fit, and its image does not: that is asked for, and the process lives.
fn large_image() {
    let sink = Sink::named(45, &"x".repeat(8000));
    let tracer = sink.tracer(&["--ring-bytes", "4096", "-d", "1"]);
    let has_all = |event: &&Value| event["target"]["cmdline"].is_array() && !is_outline(event);
    wait_until("lines of it", || {
        sink.send(3);
        (sink.lines(&tracer.events()).into_iter().filter(has_all).count() > 5).then_some(())
    });
    let said = tracer.stop();
    let events = said.events();
    assert!(said.counter("identities total", "images_refused") > 0, "10 KiB fit 4 KiB: {}", said.stderr);
    assert_reported(&said, &events, sink.sent(), &sink.check(&events));
}

/// Some 30 records fill it, and every turn one of them is in two pieces. It is sent to until it went round ten times,
/// however many are lost on the way where the reader is slow.
fn wrapped_records() {
    // of which no two pieces are alike
    let long: Vec<String> = (0..200).map(|number| number.to_string()).collect();
    let sink = Sink::named(53, &long.join("-"));
    let tracer = sink.tracer(&["--ring-bytes", "65536"]);
    wait_until("the ring to go round ten times", || {
        let (child, line) = sink.sender(scaled(3000).max(200), 200);
        sink.note(child, line);
        (sink.lines(&tracer.events()).len() > 300).then_some(())
    });
    let said = tracer.stop();
    let events = said.events();
    assert_reported(&said, &events, sink.sent(), &sink.check(&events));
}

/// Ids of the kernel's BPF objects of each kind.
type Objects = [HashSet<u32>; 4];

/// Those whose descriptors a process holds.
fn objects_of(pid: u32) -> Objects {
    let entries = fs::read_dir(format!("/proc/{pid}/fdinfo")).unwrap();
    let files: Vec<String> =
        entries.filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok()).collect();
    ["prog_id:", "map_id:", "link_id:", "btf_id:"].map(|word| {
        let id = |text: &String| text.lines().find_map(|line| line.strip_prefix(word)?.trim().parse().ok());
        files.iter().filter_map(id).collect()
    })
}

/// All that there are.
fn objects() -> Objects {
    [
        ProgInfoIter::default().map(|program| program.id).collect(),
        MapInfoIter::default().map(|map| map.id).collect(),
        LinkInfoIter::default().map(|link| link.id).collect(),
        BtfInfoIter::default().map(|btf| btf.id).collect(),
    ]
}

fn holds_all(all: &Objects, some: &Objects) -> bool {
    all.iter().zip(some).all(|(all, some)| some.is_subset(all))
}

fn holds_none(all: &Objects, some: &Objects) -> bool {
    all.iter().zip(some).all(|(all, some)| some.is_disjoint(all))
}

fn killed() {
    let sink = Sink::new(46);
    let tracer = sink.tracer(&[]);
    // a list that ends too early would show none: this one's objects are younger, and stay
    let other = sink.tracer(&[]);
    let (own, others) = (objects_of(tracer.pid()), objects_of(other.pid()));
    assert!(own[..3].iter().all(|ids| ids.len() > 3), "{own:?}");
    wait_until("both to be listed", || {
        let all = objects();
        (holds_all(&all, &own) && holds_all(&all, &others)).then_some(())
    });
    thread::scope(|scope| {
        let storm = Storm::start(scope, &sink);
        wait_until("the storm", || (tracer.written() > 0).then_some(()));
        tracer.signal(Signal::KILL);
        wait_until("the objects to go", || {
            let all = objects();
            (holds_none(&all, &own) && holds_all(&all, &others)).then_some(())
        });
        storm.end();
    });
    assert!(sink.check(&tracer.events()).count > 0, "nothing was tested");
    let said = other.stop();
    let events = said.events();
    assert_reported(&said, &events, sink.sent(), &sink.check(&events));
}

fn two_tracers() {
    let sink = Sink::new(47);
    let (one, two) = (sink.tracer(&[]), sink.tracer(&[]));
    sink.send(scaled(1000).max(100));
    let said = one.stop();
    let events = said.events();
    assert_reported(&said, &events, sink.sent(), &sink.check(&events));
    sink.send(scaled(1000).max(100));
    let said = two.stop();
    let events = said.events();
    assert_reported(&said, &events, sink.sent(), &sink.check(&events));
}

fn burst_of_forks() {
    const EVERY: u64 = 50;
    let forks = scaled(100_000);
    let sink = Sink::new(48);
    let tracer = sink.tracer(&[]);
    let [times, every, signal, target] =
        [forks, EVERY, 48, u64::from(sink.pid())].map(|number| number.to_string());
    let arguments = ["forks", &times, &every, &signal, &target];
    let mut command = Command::new(workload());
    let child = command.arg0("workload").args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let forker = child.id();
    let output = child.wait_with_output().unwrap();
    let sent = forks / EVERY;
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), sent.to_string(), "{output:?}");
    let said = tracer.stop();
    let events = said.events();
    let line = words(&[&["workload"][..], &arguments].concat());
    let seen = sink.check_by(&events, |event, source, number| {
        assert_eq!(source, line, "{event}");
        assert_eq!(event["source"]["parent"]["pid"], forker, "{event}");
        assert!(number < forks && number % EVERY == 0, "{event}");
    });
    assert_unique(numbers(&sink.lines(&events)));
    assert_reported(&said, &events, sent, &seen);
    // each child's end is a SIGCHLD
    assert!(said.counter("signals total", "generated") >= forks, "{}", said.stderr);
}

/// The host's pids begin again, and those of a namespace, which the host knows by others.
fn pids_begin_anew() {
    let program = workload().to_str().unwrap();
    let in_namespace = ["unshare", "--pid", "--fork", "--kill-child", program, "laps"];
    for (command, key) in [(&[program, "laps"][..], "pid"), (&in_namespace, "nspid")] {
        run_laps(command, key);
    }
}

const LAPS: u64 = 4;
const EACH: u64 = 40;

fn run_laps(command: &[&str], key: &str) {
    let tracer = Tracer::json(&["-i", "49", "--tree", &std::process::id().to_string()]);
    let output = Command::new(command[0])
        .args(&command[1..])
        .args([LAPS, EACH, 49].map(|number| number.to_string()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let pids: Vec<u64> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| line.parse().unwrap()).collect();
    assert_laps(&pids);
    let said = tracer.stop();
    let events = said.events();
    let mut seen = LineCounts { count: 0, incomplete: 0 };
    for side in ["source", "target"] {
        let lines = laps_of(&events, side);
        let mut keys = HashSet::new();
        for event in &lines {
            let process = &event[side];
            let number = event["sigval"]["int"].as_u64().unwrap();
            let line = written_cmdline(event, side);
            seen.incomplete += u64::from(line.is_none());
            let is_right = line.is_none_or(|line| line == ["workload", "in-lap", &number.to_string(), "49"]);
            assert!(is_right, "not number {number}: {event}");
            assert_eq!(process[key], pids[number as usize], "{event}");
            assert!(keys.insert(process["key"].to_string()), "a process twice: {event}");
            assert!(side == "source" || event["previous"].is_null(), "it got no other before: {event}");
        }
        assert_unique(numbers(&lines));
        seen.count += lines.len() as u64;
    }
    assert_reported(&said, &events, 2 * LAPS * EACH, &seen);
    assert_ends_fit(&events);
}

fn assert_laps(pids: &[u64]) {
    assert_eq!(pids.len() as u64, LAPS * EACH);
    let wraps = pids.windows(2).filter(|pair| pair[1] < pair[0]).count() as u64;
    // another process may take the last pid of a lap, which then does not begin above
    assert!(wraps >= LAPS / 2, "the pids did not begin again: {pids:?}");
    let used: HashSet<&u64> = pids.iter().collect();
    assert!(used.len() < pids.len(), "no pid was used again: {pids:?}");
}

/// The lines with a child on this side.
fn laps_of<'a>(events: &'a [Value], side: &str) -> Vec<&'a Value> {
    let other = if side == "source" { "target" } else { "source" };
    let is_one =
        |event: &&Value| event["event"] == "signal" && event[side]["parent"]["pid"] == event[other]["pid"];
    events.iter().filter(is_one).collect()
}

/// An end refers to the signal to that very process.
fn assert_ends_fit(events: &[Value]) {
    let signals: HashMap<u64, &Value> = events
        .iter()
        .filter(|event| event["event"] == "signal")
        .filter_map(|event| Some((event["id"].as_u64()?, event)))
        .collect();
    let is_own = |event: &&Value| event["event"] == "ended" && event["target"]["cmdline"][1] == "in-lap";
    let mut ended = HashSet::new();
    for end in events.iter().filter(is_own) {
        let before = end["after"]["id"].as_u64().and_then(|id| signals.get(&id));
        let before = before.unwrap_or_else(|| panic!("an event reported it: {end}"));
        assert_eq!(before["target"]["key"], end["target"]["key"], "{end}");
        assert_eq!(before["target"]["cmdline"], end["target"]["cmdline"], "{end}");
        assert!(ended.insert(end["target"]["key"].to_string()), "it ends once: {end}");
    }
    assert!(ended.len() as u64 > LAPS * EACH / 2, "{} ends were reported", ended.len());
}

fn fork_bomb() {
    let times = scaled(10_000).max(400);
    let cgroup = Cgroup::new(pids_cgroup().unwrap(), "bomb");
    fs::write(cgroup.path().join("pids.max"), "100").unwrap();
    let sink = Sink::new(50);
    let tracer = sink.tracer(&[]);
    let arguments = ["bomb", "50", &times.to_string(), &sink.pid().to_string()];
    let program = workload().to_str().unwrap();
    let output = cgroup.command(program, &arguments).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let said_forks = String::from_utf8(output.stdout).unwrap();
    let [refused, forked] = <[u64; 2]>::try_from(
        said_forks.split_whitespace().map(|word| word.parse().unwrap()).collect::<Vec<_>>(),
    )
    .unwrap();
    assert!(refused > 0 && forked > 100, "it was no bomb: {said_forks}");
    let said = tracer.stop();
    let events = said.events();
    let line = words(&[&[program][..], &arguments].concat());
    let seen = sink.check_by(&events, |event, source, number| {
        assert_eq!(source, line, "{event}");
        assert!(number < times, "{event}");
    });
    assert_unique(numbers(&sink.lines(&events)));
    assert_reported(&said, &events, times, &seen);
}

fn little_memory() {
    let cgroup = Cgroup::new(memory_cgroup().unwrap(), "little-memory");
    let limit = cgroup.file(MEMORY_LIMIT).unwrap();
    fs::write(limit, (64 << 20).to_string()).unwrap();
    let sink = Sink::new(51);
    let tracer = Tracer::run(cgroup.command(killsnoop(), &["-v", "-o", "json"]).args(only(&[&sink])));
    // command lines that fill an identity each
    let long = "x".repeat(7000);
    let many: Vec<Process> =
        (0..scaled(1000).max(100)).map(|_| Process::workload(&["wait", &long])).collect();
    // on a file system in memory the lines are charged to it as well: some ten MiB
    for _ in 0..10 {
        sink.send(300);
    }
    let said = tracer.stop();
    drop(many);
    let events = said.events();
    assert_reported(&said, &events, sink.sent(), &sink.check(&events));
}

/// From the first line of each sink on there is every one, or it is counted as lost.
fn started_in_a_storm() {
    let (steady, gusts) = (Sink::new(52), Sink::new(52));
    let (child, line) = steady.sender(0, 200);
    let mut ready = jiff::Timestamp::MIN;
    let said = thread::scope(|scope| {
        let storm = Storm::start(scope, &gusts);
        wait_until("the storm", || (gusts.sent() > scaled(1000).max(400)).then_some(()));
        let tracer = tracer_of(&[&steady, &gusts], &[]);
        ready = jiff::Timestamp::now();
        let sent = gusts.sent();
        wait_until("more of it", || (gusts.sent() > sent + scaled(2000).max(600)).then_some(()));
        storm.end();
        steady.note(child, line);
        tracer.stop()
    });
    let events = said.events();
    let sent = steady.sent_from_first_line(&events) + gusts.sent_from_first_line(&events);
    assert!(sent < steady.sent() + gusts.sent(), "it was there from the beginning");
    let count = [steady.check(&events), gusts.check(&events)].iter().map(|seen| seen.count).sum();
    // signals are seen before older processes are read: a sender that is older, and ends in between, has no command line, and
    // that is flagged
    let lacks = |event: &&&Value| {
        let started: jiff::Timestamp = event["source"]["startTime"].as_str().unwrap().parse().unwrap();
        event["target"]["cmdline"].is_null() || (started >= ready && event["source"]["cmdline"].is_null())
    };
    let lines = [steady.lines(&events), gusts.lines(&events)].concat();
    let incomplete = lines.iter().filter(|event| !is_outline(event)).filter(lacks).count() as u64;
    // a slow machine writes lines more slowly than these come: what it does not print is counted
    assert_eq!(said.status.code(), Some(0), "{}", said.stderr);
    // what is lost or not printed may have come before the first line
    let is_whole = lost(&said, "ring_full") + said.counter("signals total", "unprinted") == 0;
    let most = if is_whole { sent } else { steady.sent() + gusts.sent() };
    assert_accounted_within(&said, &(sent..=most), &LineCounts { count, incomplete });
}
