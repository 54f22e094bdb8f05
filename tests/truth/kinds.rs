//! Each kind of chain: how it is made, and how its events are held against the truth.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use support::{Tracer, TracerOutput, in_guest, wait_until, workload};

use crate::truth::{Kill, Process, Truth};

/// What came of one kind.
#[derive(Debug, Default)]
pub struct Row {
    pub rounds: usize,
    pub compared: usize,
    /// What should have been compared.
    pub expected: usize,
    pub complete: usize,
    pub missing: usize,
    pub wrong: Vec<String>,
    pub lost: u64,
    /// Hooks that the kernel skipped: a fact that they would have kept may be missing, and is never wrong.
    pub missed_hooks: u64,
    /// The first event that lacks something, and what the tracer had to say.
    pub first_missing: Option<String>,
    /// Something that must have happened for the kind to have tested anything.
    pub untested: Option<String>,
}

impl Row {
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints: Vec<String> = self.wrong.iter().take(3).cloned().collect();
        if self.rounds == 0 {
            complaints.push("nothing happened".to_owned());
        }
        if self.complete < self.rounds
            && (self.missed_hooks == 0 || self.complete + self.missing < self.rounds)
        {
            complaints.push(format!("{} of {} are complete", self.complete, self.rounds));
            complaints.extend(self.first_missing.clone());
        }
        if self.compared < self.expected {
            complaints.push(format!("{} fields compared, {} should have been", self.compared, self.expected));
        }
        if self.lost > 0 {
            complaints.push(format!("{} lost", self.lost));
        }
        complaints.extend(self.untested.clone());
        complaints
    }

    fn add(&mut self, other: Self) {
        self.rounds += other.rounds;
        self.compared += other.compared;
        self.expected += other.expected;
        self.complete += other.complete;
        self.missing += other.missing;
        self.wrong.extend(other.wrong);
        self.lost += other.lost;
        self.missed_hooks += other.missed_hooks;
        self.first_missing = self.first_missing.take().or(other.first_missing);
    }
}

/// Its name, and how it is made, so many rounds of it.
type Kind = (&'static str, fn(usize) -> Row);

pub const KINDS: &[Kind] = &[
    ("plain", |rounds| chains(rounds, "plain")),
    ("never-execs", |rounds| chains(rounds, "never-execs")),
    ("spawn", |rounds| chains(rounds, "spawn")),
    ("thread-source", |rounds| chains(rounds, "thread-source")),
    ("thread-parent", |rounds| chains(rounds, "thread-parent")),
    ("thread-exec", |rounds| chains(rounds, "thread-exec")),
    ("clone-parent", |rounds| chains(rounds, "clone-parent")),
    ("double-fork", |rounds| chains(rounds, "double-fork")),
    ("reuse", reuse),
    ("before", before),
    ("middle", middle),
    ("mid-exec", mid_exec),
    ("early", early),
    ("storm", storm),
    ("images-at-once", images_at_once),
    ("images-forgotten", images_forgotten),
    ("images-refused", images_refused),
];

/// A command that writes truth.
fn recording(arguments: &[&str], truth: &Path) -> Command {
    let mut command = Command::new(workload());
    command.arg0("workload").args(arguments).env("WORKLOAD_TRUTH", truth).stdin(Stdio::null());
    command
}

fn run(arguments: &[&str], flags: &[&str]) -> (TracerOutput, Truth, String) {
    let directory = tempfile::tempdir().unwrap();
    let truth = directory.path().join("truth");
    let tracer = Tracer::json(&[flags, &["--max-rate", "none"]].concat());
    let output = recording(arguments, &truth).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    let said = tracer.stop();
    (said, Truth::read(&truth), String::from_utf8(output.stdout).unwrap())
}

/// Kinds that need nothing but a tracer and processes that are younger. In a guest, where its start takes seconds, it is one for
/// all of them.
const CHAINS: [&str; 8] = [
    "plain",
    "never-execs",
    "spawn",
    "thread-source",
    "thread-parent",
    "thread-exec",
    "clone-parent",
    "double-fork",
];

fn all_chains(rounds: usize) -> &'static (TracerOutput, HashMap<&'static str, Truth>) {
    static ALL: OnceLock<(TracerOutput, HashMap<&str, Truth>)> = OnceLock::new();
    ALL.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let tracer = Tracer::json(&["-i", "TERM", "--max-rate", "none"]);
        let run = |kind: &'static str| {
            let path = directory.path().join(kind);
            let output = recording(&["chains", &rounds.to_string(), kind], &path).output().unwrap();
            assert!(output.status.success(), "{kind}: {output:?}");
            (kind, Truth::read(&path))
        };
        let truths = CHAINS.map(run);
        (tracer.stop(), truths.into())
    })
}

fn chains(rounds: usize, kind: &str) -> Row {
    if in_guest() {
        let (said, truths) = all_chains(rounds);
        return compare_chains(said, &truths[kind], rounds, kind);
    }
    let (said, truth, _) = run(&["chains", &rounds.to_string(), kind], &["-i", "TERM"]);
    compare_chains(&said, &truth, rounds, kind)
}

fn compare_chains(said: &TracerOutput, truth: &Truth, rounds: usize, kind: &str) -> Row {
    // source, its parent, the root; target, its parent (unless it was orphaned or has another), the root
    let target_chain = if matches!(kind, "clone-parent" | "double-fork") { 2 } else { 3 };
    compare(said, truth, &truth.kills, rounds * (3 + target_chain))
}

fn reuse(rounds: usize) -> Row {
    let (said, truth, reused) = run(&["reuse", &rounds.to_string()], &["-i", "TERM"]);
    let mut row = compare(&said, &truth, &truth.kills, rounds * 3);
    let reused: usize = reused.trim().parse().unwrap();
    if reused < rounds / 2 {
        row.untested = Some(format!("only {reused} pids were used again"));
    }
    row
}

/// The whole chain of the target is older than the tracer.
fn before(rounds: usize) -> Row {
    const AT_ONCE: usize = 500;
    let mut row = Row::default();
    while row.rounds < rounds {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("truth");
        let count = AT_ONCE.min(rounds - row.rounds);
        let mut child = recording(&["chains", &count.to_string(), "before"], &path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        wait_for_line(&mut child);
        let tracer = Tracer::json(&["-i", "TERM", "--max-rate", "none"]);
        child.stdin.take().unwrap().write_all(b"go on\n").unwrap();
        assert!(child.wait().unwrap().success());
        let said = tracer.stop();
        let truth = Truth::read(&path);
        row.add(compare(&said, &truth, &truth.kills, count * 6));
    }
    row
}

fn wait_for_line(child: &mut Child) {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
}

/// The tracer starts while chains come and go.
fn middle(rounds: usize) -> Row {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("truth");
    // on a busy machine half of them are over before the tracer has started
    let chains = 2 * rounds.max(100);
    let mut child = recording(&["chains", &chains.to_string(), "plain"], &path).spawn().unwrap();
    wait_until("the first kills", || {
        std::fs::read_to_string(&path).is_ok_and(|text| text.matches("\nkill").count() > 20).then_some(())
    });
    let tracer = Tracer::json(&["-i", "TERM", "--max-rate", "none"]);
    let ready = jiff::Timestamp::now();
    assert!(child.wait().unwrap().success());
    let said = tracer.stop();
    let truth = Truth::read(&path);
    // from the first that it saw, it must have seen all. Until it is ready, processes may be older than the hooks that keep
    // identities, and be gone before the task iterator came to them, as may those of the first signal after that: what is not
    // known of them is flagged, and none wrong
    let seen = index(&said);
    let position = |is_it: &dyn Fn(&Value) -> bool| {
        let has_one = |kill: &Kill| seen.get(&key_of(kill)).is_some_and(|events| events.iter().any(is_it));
        truth.kills.iter().position(has_one).unwrap_or(truth.kills.len())
    };
    let first = position(&|_| true);
    let known =
        position(&|event| event["time"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap() > ready);
    let oldest = &truth.kills[first..(known + 1).min(truth.kills.len())];
    let kills = truth.kills.get(known + 1..).unwrap_or_default();
    let mut row = compare(&said, &truth, kills, kills.len() * 6);
    row.wrong.extend(compare(&said, &truth, oldest, 0).wrong);
    if first == 0 || kills.len() < rounds / 4 {
        row.untested = Some(format!("the tracer saw {} of {chains}", kills.len()));
    }
    row
}

/// (source pid, target pid, target start in ticks); within one tick a pid may be used more than once.
type Key = (u64, u64, u64);

fn key_of(kill: &Kill) -> Key {
    (kill.source.0, kill.target.0, kill.target.1)
}

/// The event of each kill: those with one key come in the order of the kills.
fn events_of<'a>(events: &'a HashMap<Key, Vec<Value>>, kills: &[Kill]) -> Vec<Result<&'a Value, String>> {
    let mut taken: HashMap<Key, usize> = HashMap::new();
    let mut of_one = |kill: &Kill| {
        let place = taken.entry(key_of(kill)).or_default();
        *place += 1;
        events.get(&key_of(kill)).and_then(|events| events.get(*place - 1))
    };
    let found: Vec<Option<&Value>> = kills.iter().map(&mut of_one).collect();
    let too_many =
        |kill: &Kill| events.get(&key_of(kill)).is_some_and(|events| events.len() > taken[&key_of(kill)]);
    let judge = |(kill, event): (&Kill, Option<&'a Value>)| match event {
        None => Err(format!("{kill:?} has no event")),
        Some(_) if too_many(kill) => Err(format!("{kill:?} has more events than kills")),
        Some(event) => Ok(event),
    };
    kills.iter().zip(found).map(judge).collect()
}

/// Pid and start in clock ticks, from a process's key.
fn start_of(process: &Value) -> Option<u64> {
    let (_, start) = process["key"].as_str()?.split_once('@')?;
    Some(start.parse::<u64>().ok()? / 10_000_000)
}

fn index(said: &TracerOutput) -> HashMap<Key, Vec<Value>> {
    let mut events: HashMap<Key, Vec<Value>> = HashMap::new();
    for event in said.events().into_iter().filter(|event| event["event"] == "signal") {
        let pid = |side: &str| event[side]["pid"].as_u64();
        if let (Some(source), Some(target), Some(start)) =
            (pid("source"), pid("target"), start_of(&event["target"]))
        {
            events.entry((source, target, start)).or_default().push(event);
        }
    }
    events
}

fn compare(said: &TracerOutput, truth: &Truth, kills: &[Kill], expected: usize) -> Row {
    said.assert_counters_add_up();
    let events = index(said);
    let mut row = Row { rounds: kills.len(), expected, ..Row::default() };
    row.lost = said.counter("signals total", "lost");
    row.missed_hooks = missed_hooks(said);
    for (kill, event) in kills.iter().zip(events_of(&events, kills)) {
        let event = match event {
            Ok(event) => event,
            Err(what) => {
                row.wrong.push(what);
                continue;
            }
        };
        let before = row.wrong.len();
        let mut is_missing = !event["missing"].is_null() && missing_below_root(event, truth, kill);
        for (side, process) in [("source", kill.source), ("target", kill.target)] {
            let mut at = &event[side];
            for known in truth.chain(kill, process) {
                is_missing |= at["cmdline"].is_null();
                match compare_process(at, known) {
                    Ok(()) => row.compared += 1,
                    Err(what) => row.wrong.push(format!("{side}: {what} in {event}")),
                }
                at = &at["parent"];
            }
        }
        row.missing += usize::from(is_missing);
        row.complete += usize::from(!is_missing && row.wrong.len() == before);
        if is_missing {
            row.first_missing
                .get_or_insert_with(|| format!("{} in {event}\n{}", event["missing"], said.stderr));
        }
    }
    row
}

/// A program runs only once at a time on a CPU: the kernel skips the hook of a task that preempted it there, and counts that.
fn missed_hooks(said: &TracerOutput) -> u64 {
    let missed = |what| said.counter("identities total", what);
    missed("missed_execs") + missed("missed_forks") + missed("missed_exits")
}

/// Does `missing` name a fact of a process that the truth knows?
fn missing_below_root(event: &Value, truth: &Truth, kill: &Kill) -> bool {
    event["missing"].as_array().is_some_and(|missing| {
        missing.iter().filter_map(Value::as_str).any(|path| {
            let side = if path.starts_with("source") { kill.source } else { kill.target };
            path.matches(".parent").count() < truth.chain(kill, side).len()
        })
    })
}

/// A missing command line is no wrong one.
fn compare_process(at: &Value, known: &Process) -> Result<(), String> {
    if at["pid"] != known.pid || start_of(at) != Some(known.start) {
        return Err(format!("{} is not {}@{}", at["key"], known.pid, known.start));
    }
    let is_same = |line: &Vec<Value>| {
        line.len() == known.arguments.len() && line.iter().zip(&known.arguments).all(|(a, b)| a == b)
    };
    match at["cmdline"].as_array() {
        Some(line) if !is_same(line) => Err(format!("{:?} is not {:?}", at["cmdline"], known.arguments)),
        _ => Ok(()),
    }
}

/// Until at least one execve was met in the middle: on a busy machine that takes luck.
fn mid_exec(rounds: usize) -> Row {
    let mut row = Row::default();
    for _ in 0..100 {
        let once = meet_execve(rounds.max(100));
        row.untested.clone_from(&once.untested);
        row.add(once);
        if row.untested.is_none() {
            break;
        }
    }
    row
}

/// A signal at a random moment of the target's execve.
fn meet_execve(rounds: usize) -> Row {
    let text = rounds.to_string();
    let (said, truth, _) = run(&["mid-exec", &text, "10"], &["-i", "USR1"]);
    said.assert_counters_add_up();
    let events = index(&said);
    let mut row = Row { rounds: truth.kills.len(), expected: rounds, ..Row::default() };
    row.lost = said.counter("signals total", "lost");
    row.missed_hooks = missed_hooks(&said);
    let old = serde_json::json!(["workload", "mid-exec", text, "10"]);
    let (mut old_seen, mut new_seen) = (0, 0);
    for (round, event) in events_of(&events, &truth.kills).into_iter().enumerate() {
        let round = round.to_string();
        let event = match event {
            Ok(event) => event,
            Err(what) => {
                row.wrong.push(what);
                continue;
            }
        };
        let target = &event["target"];
        // its last argument is a descriptor
        let is_new = target["cmdline"]
            .as_array()
            .is_some_and(|line| line.len() == 4 && line[1] == "exec'd" && line[2] == *round.as_str());
        // comm changes after the point of no return
        let is_right = is_new || (target["cmdline"] == old && target["comm"] == "workload");
        old_seen += usize::from(target["cmdline"] == old);
        new_seen += usize::from(is_new);
        row.compared += 1;
        if target["cmdline"].is_null() {
            row.missing += 1;
            let lacks = || format!("{} in {event}\n{}", event["missing"], said.stderr);
            row.first_missing.get_or_insert_with(lacks);
        } else if is_right {
            row.complete += 1;
        } else {
            row.wrong.push(format!("comm {} with {} in {event}", target["comm"], target["cmdline"]));
        }
    }
    let joined = said.counter("identities total", "late_argv");
    if old_seen == 0 || new_seen == 0 || joined == 0 {
        row.untested =
            Some(format!("{old_seen} before, {new_seen} after, {joined} in the middle: no execve was met"));
    }
    row
}

/// Signals to a group that forks all the time.
fn early(rounds: usize) -> Row {
    let text = rounds.to_string();
    let (said, _, _) = run(&["early", &text, "12"], &["-i", "USR2"]);
    let line = serde_json::json!(["workload", "early", text, "12"]);
    let mut row = Row { lost: said.counter("signals total", "lost"), expected: rounds, ..Row::default() };
    let is_row = |event: &&Value| event["event"] == "signal" && event["target"]["comm"] == "workload";
    for event in said.events().iter().filter(is_row) {
        row.rounds += 1;
        let (mut is_missing, wrong) = (false, row.wrong.len());
        for side in ["source", "target"] {
            row.compared += 1;
            match &event[side]["cmdline"] {
                Value::Null => is_missing = true,
                other if *other != line => row.wrong.push(format!("{other} is not {line} in {event}")),
                _ => {}
            }
        }
        row.missing += usize::from(is_missing);
        row.complete += usize::from(!is_missing && row.wrong.len() == wrong);
    }
    row.untested = (row.rounds < rounds).then(|| format!("only {} signals", row.rounds));
    row
}

/// Chains of eight workloads at once: on kernels that run the hooks preemptibly, some are skipped.
fn storm(rounds: usize) -> Row {
    const AT_ONCE: usize = 8;
    let directory = tempfile::tempdir().unwrap();
    let each = (rounds / AT_ONCE).max(1).to_string();
    let tracer = Tracer::json(&["-i", "TERM", "--max-rate", "none"]);
    let paths: Vec<PathBuf> = (0..AT_ONCE).map(|place| directory.path().join(place.to_string())).collect();
    let start = |path: &PathBuf| recording(&["chains", &each, "plain"], path).spawn().unwrap();
    let children: Vec<Child> = paths.iter().map(start).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let said = tracer.stop();
    let mut row = Row::default();
    for path in &paths {
        let truth = Truth::read(path);
        let mut one = compare(&said, &truth, &truth.kills, truth.kills.len() * 6);
        // reported once for all of them
        one.lost = 0;
        row.add(one);
    }
    row.lost = said.counter("signals total", "lost");
    row.missed_hooks = missed_hooks(&said);
    if let Some(line) = said.stderr.lines().find(|line| line.contains("identities total")) {
        println!("storm:{line}");
    }
    row
}

/// Sender, parent, root, each with target, parent, root; but of one process that signals the root at the beginning and at the end.
fn expected_of_volleys(kills: usize) -> usize {
    6 * kills.saturating_sub(2) + 6
}

/// First signals of one process by several CPUs at once, and an exec before the next: every image that an event needs lies before
/// it in the ring.
fn images_at_once(rounds: usize) -> Row {
    let (said, truth, _) = run(&["volleys", &(rounds / 12).max(20).to_string(), "40"], &["-i", "USR1"]);
    let mut row = compare(&said, &truth, &truth.kills, expected_of_volleys(truth.kills.len()));
    let asked = said.counter("identities total", "completed_from_kernel")
        + said.counter("identities total", "completed_from_proc");
    let missed = said.counter("identities total", "images_missed");
    if asked + missed > 0 && row.missed_hooks == 0 {
        row.untested =
            Some(format!("{missed} images were not there, {asked} were asked for\n{}", said.stderr));
    }
    row
}

/// More images than are kept: one that is needed again is asked for, and all are reported again.
fn images_forgotten(rounds: usize) -> Row {
    // of 16 KiB each, fifteen of them in a round, and 4 MiB are kept: what is used once is forgotten in the second turn
    let count = (rounds / 12).max(60).to_string();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("truth");
    let tracer = Tracer::json(&["-i", "USR1", "--max-rate", "none"]);
    let mut child = recording(&["volleys", &count, "16000"], &path).stdin(Stdio::piped()).spawn().unwrap();
    // it lives until it was asked for
    let is_late = |event: &&Value| event["event"] == "signal" && event["target"]["pid"] == child.id();
    wait_until("the second signal of the late process", || {
        (tracer.events().iter().filter(is_late).count() == 2).then_some(())
    });
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    let (said, truth) = (tracer.stop(), Truth::read(&path));
    let mut row = compare(&said, &truth, &truth.kills, expected_of_volleys(truth.kills.len()));
    let counter = |name| said.counter("identities total", name);
    if counter("images_dropped") == 0 || counter("images_missed") == 0 {
        row.untested = Some(format!("no image was forgotten and missed\n{}", said.stderr));
    }
    row
}

/// A reader that stands still, and a ring that holds a few images: what finds no room is lost or flagged, and nothing is wrong.
fn images_refused(rounds: usize) -> Row {
    let directory = tempfile::tempdir().unwrap();
    let count = (rounds / 50).max(20).to_string();
    let tracer = Tracer::json(&["-i", "USR1", "--max-rate", "none", "--ring-bytes", "131072"]);
    let mut row = Row::default();
    let mut truths = Vec::new();
    for (turn, filler) in ["16000", "40", "3000", "16000"].into_iter().enumerate() {
        let path = directory.path().join(turn.to_string());
        let mut child = recording(&["volleys", &count, filler], &path).spawn().unwrap();
        // every second time all the while, else until it is over
        while child.try_wait().unwrap().is_none() {
            tracer.signal(Signal::STOP);
            std::thread::sleep(Duration::from_millis(30));
            if turn % 2 == 0 {
                tracer.signal(Signal::CONT);
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        tracer.signal(Signal::CONT);
        truths.push(Truth::read(&path));
    }
    let said = tracer.stop();
    said.assert_counters_add_up();
    let events = index(&said);
    // what is flagged or lost is no part of it
    for truth in &truths {
        for kill in &truth.kills {
            for event in events.get(&key_of(kill)).map(Vec::as_slice).unwrap_or_default() {
                let (before, mut is_missing) = (row.wrong.len(), false);
                for (side, process) in [("source", kill.source), ("target", kill.target)] {
                    let mut at = &event[side];
                    for known in truth.chain(kill, process) {
                        if at.is_null() {
                            break;
                        }
                        is_missing |= at["cmdline"].is_null();
                        row.compared += 1;
                        let judged = compare_process(at, known);
                        row.wrong.extend(judged.err().map(|what| format!("{side}: {what} in {event}")));
                        at = &at["parent"];
                    }
                }
                row.rounds += usize::from(!is_missing);
                row.complete += usize::from(!is_missing && row.wrong.len() == before);
            }
        }
    }
    // a record refers to what is in the ring: only the late process of each turn may be forgotten, in all that came in between
    let missed = said.counter("identities total", "images_missed");
    if missed > 2 * truths.len() as u64 {
        row.untested = Some(format!("{missed} images were referred to and not there\n{}", said.stderr));
    }
    if said.counter("identities total", "images_refused") == 0 {
        row.untested = Some(format!("every image found room\n{}", said.stderr));
    }
    row
}
