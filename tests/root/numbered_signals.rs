//! Signals with numbers: sent by the workload, seen in lines, and all of them accounted for.
//!
//! Truth is the workload's: how many it sent. By the number a line is known that comes twice, or in another's place.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use support::{Process, Tracer, TracerOutput, cmdline, workload};

/// One run of the workload's `numbers`: it sent so many, numbered from 0.
struct SenderRun {
    source: u32,
    cmdline: Vec<String>,
    count: u64,
}

/// Ignores a signal: so none is pending, and none overflows a queue.
pub struct Sink {
    process: Process,
    cmdline: Vec<String>,
    signal: u32,
    sent: Mutex<Vec<SenderRun>>,
}

/// Lines of signals to a sink, each held against the truth.
#[derive(Clone, Copy)]
pub struct LineCounts {
    pub count: u64,
    /// Of these, with a command line that is named as missing.
    pub incomplete: u64,
}

pub fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

impl Sink {
    pub fn new(signal: u32) -> Self {
        Self::named(signal, "")
    }

    /// With one more argument.
    pub fn named(signal: u32, argument: &str) -> Self {
        let number = signal.to_string();
        let arguments = ["meets", &number, "ignore", argument];
        let process = Process::workload(&arguments);
        let cmdline = words(&[&["workload"][..], &arguments].concat());
        Self { process, cmdline, signal, sent: Mutex::default() }
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Starts a tracer that looks at nothing else.
    pub fn tracer(&self, arguments: &[&str]) -> Tracer {
        tracer_of(&[self], arguments)
    }

    /// Starts who sends: 0 times is until its standard input ends.
    pub fn sender(&self, times: u64, pause_us: u64) -> (Child, Vec<String>) {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        // no two have one command line: while others fork, a pid may soon be used again
        let run = RUNS.fetch_add(1, Ordering::SeqCst);
        let [signal, times, target, pause, run] =
            [u64::from(self.signal), times, u64::from(self.pid()), pause_us, run]
                .map(|word| word.to_string());
        let arguments = ["numbers", &signal, &times, &target, &pause, &run];
        let mut command = Command::new(workload());
        command.arg0("workload").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        (command.spawn().unwrap(), words(&[&["workload"][..], &arguments].concat()))
    }

    /// Waits for its end.
    pub fn note(&self, mut child: Child, cmdline: Vec<String>) -> u64 {
        let source = child.id();
        drop(child.stdin.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{cmdline:?}: {output:?}");
        let count = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
        self.sent.lock().unwrap().push(SenderRun { source, cmdline, count });
        count
    }

    pub fn send(&self, times: u64) -> u64 {
        let (child, cmdline) = self.sender(times, 0);
        let sent = self.note(child, cmdline);
        assert_eq!(sent, times);
        sent
    }

    pub fn sent(&self) -> u64 {
        self.sent.lock().unwrap().iter().map(|sent| sent.count).sum()
    }

    /// Who sent last.
    pub fn last_source(&self) -> u32 {
        self.sent.lock().unwrap().last().expect("something was sent").source
    }

    /// What was sent from the first signal on that has a line.
    pub fn sent_from_first_line(&self, events: &[Value]) -> u64 {
        let lines = self.lines(events);
        let first = lines.first().expect("the storm has lines");
        let sent = self.sent.lock().unwrap();
        let line = written_cmdline(first, "source");
        let is_first = |sent: &SenderRun| {
            first["source"]["pid"] == sent.source && line.as_ref().is_none_or(|line| *line == sent.cmdline)
        };
        let of_it = sent.iter().skip_while(|sent| !is_first(sent));
        of_it.map(|sent| sent.count).sum::<u64>() - first["sigval"]["int"].as_u64().unwrap()
    }

    pub fn lines<'a>(&self, events: &'a [Value]) -> Vec<&'a Value> {
        let is_own = |event: &&Value| event["event"] == "signal" && event["target"]["pid"] == self.pid();
        events.iter().filter(is_own).collect()
    }

    /// No line is wrong, or comes twice. `judge` gets the event, the source's command line, and the number.
    pub fn check_by(&self, events: &[Value], judge: impl Fn(&Value, &[String], u64)) -> LineCounts {
        let mut own = self.lines(events);
        // one that waited for a command line is printed after others that came later
        own.sort_by_key(|event| event["id"].as_u64());
        let mut seen = LineCounts { count: own.len() as u64, incomplete: 0 };
        let mut latest: HashMap<String, u64> = HashMap::new();
        let mut id = 0;
        for event in &own {
            assert_eq!(event["signal"], self.signal, "{event}");
            assert_eq!(event["result"], "ignored", "{event}");
            assert_eq!(event["target"]["key"], own[0]["target"]["key"], "{event}");
            // it found no room in the ring: its line comes later, without ancestors
            if is_outline(event) {
                assert!(written_cmdline(event, "target").is_none_or(|line| line == self.cmdline), "{event}");
                continue;
            }
            assert!(event["id"].as_u64().unwrap() > id, "{id} was before: {event}");
            id = event["id"].as_u64().unwrap();
            let number = event["sigval"]["int"].as_u64().unwrap_or_else(|| panic!("no number: {event}"));
            let before = latest.insert(event["source"]["key"].to_string(), number);
            assert!(before.is_none_or(|before| before < number), "{before:?} came before: {event}");
            let [source, target] = ["source", "target"].map(|side| written_cmdline(event, side));
            seen.incomplete += u64::from(source.is_none() || target.is_none());
            assert!(target.is_none_or(|line| line == self.cmdline), "not {:?}: {event}", self.cmdline);
            if let Some(line) = source {
                judge(event, &line, number);
            }
        }
        seen
    }

    /// The same, of what `numbers` sent.
    pub fn check(&self, events: &[Value]) -> LineCounts {
        let sent = self.sent.lock().unwrap();
        self.check_by(events, |event, line, number| {
            let by_line = sent.iter().find(|sent| line == sent.cmdline);
            let sent = by_line.unwrap_or_else(|| panic!("no command line of the test's: {event}"));
            assert_eq!(event["source"]["pid"], sent.source, "{event}");
            assert!(number < sent.count, "{} were sent: {event}", sent.count);
            assert_eq!(event["source"]["parent"]["pid"], std::process::id(), "{event}");
        })
    }
}

/// The kernel side had no room for its record, and counted it with those that are the same, if there are any.
pub fn is_outline(event: &Value) -> bool {
    event["source"]["treeTruncated"] == true && event["source"]["parent"].is_null()
}

/// Flags of a tracer that looks at these only: not at those of another run of these tests, either.
pub fn only(sinks: &[&Sink]) -> [String; 6] {
    let pids: Vec<String> = sinks.iter().map(|sink| sink.pid().to_string()).collect();
    // every line is wanted
    ["-i", &sinks[0].signal.to_string(), "--pid", &pids.join(","), "--max-rate", "none"].map(str::to_owned)
}

pub fn tracer_of(sinks: &[&Sink], arguments: &[&str]) -> Tracer {
    let only = only(sinks);
    Tracer::json(&[&only.each_ref().map(String::as_str), arguments].concat())
}

/// None, if the event says that it is missing.
pub fn written_cmdline(event: &Value, side: &str) -> Option<Vec<String>> {
    if event[side]["cmdline"].is_null() {
        assert!(event["missing"].to_string().contains(&format!("{side}.cmdline:")), "{event}");
        return None;
    }
    Some(cmdline(&event[side]))
}

/// Signals lost for this reason.
pub fn lost(said: &TracerOutput, cause: &str) -> u64 {
    if said.counter("signals total", "lost") == 0 { 0 } else { said.counter("signals lost, by cause", cause) }
}

/// What was sent is seen, or counted as unprinted or lost: exactly, but for signals at which the kernel skipped the hook,
/// which may be another test's.
pub fn assert_accounted(said: &TracerOutput, sent: u64, seen: &LineCounts) {
    assert_accounted_within(said, &(sent..=sent), seen);
}

/// The same where so many are certain, and more may have been lost.
pub fn assert_accounted_within(said: &TracerOutput, sent: &RangeInclusive<u64>, seen: &LineCounts) {
    said.assert_counters_add_up();
    let unprinted = said.counter("signals total", "unprinted");
    let accounted =
        seen.count + said.counter("signals total", "folded") + unprinted + lost(said, "ring_full");
    assert!(
        accounted <= *sent.end() && sent.start().saturating_sub(accounted) <= lost(said, "recursion"),
        "{sent:?} were sent, {} seen, {unprinted} unprinted: {}",
        seen.count,
        said.stderr
    );
    assert_eq!(lost(said, "undecodable"), 0, "{}", said.stderr);
    let excuses = ["missed_execs", "missed_forks", "no_memory", "images_refused"];
    let excuse: u64 = excuses.iter().map(|name| said.counter("identities total", name)).sum();
    assert!(seen.incomplete == 0 || excuse > 0, "{} lack a command line: {}", seen.incomplete, said.stderr);
}

/// The same where nothing hinders the lines, and loss is reported in the stream as well.
pub fn assert_reported(said: &TracerOutput, events: &[Value], sent: u64, seen: &LineCounts) {
    assert_eq!(said.status.code(), Some(0), "{}", said.stderr);
    assert_accounted(said, sent, seen);
    assert_eq!(said.counter("signals total", "unprinted"), 0, "{}", said.stderr);
    assert_eq!(said.counter("signals total", "printed"), seen.count, "{}", said.stderr);
    let reported: u64 = events
        .iter()
        .filter(|event| event["event"] == "lost")
        .map(|event| {
            ["ringFull", "recursion"].iter().filter_map(|cause| event["cause"][cause].as_u64()).sum::<u64>()
        })
        .sum();
    assert_eq!(reported, said.counter("signals total", "lost"), "{}", said.stderr);
}

/// Sends in batches, each by another process, until it is dropped or the test fails.
pub struct Storm<'scope> {
    thread: Option<thread::ScopedJoinHandle<'scope, ()>>,
    is_over: Arc<AtomicBool>,
}

impl<'scope> Storm<'scope> {
    pub fn start(scope: &'scope thread::Scope<'scope, '_>, sink: &'scope Sink) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let copy = Arc::clone(&is_over);
        let send = move || {
            while !copy.load(Ordering::SeqCst) {
                sink.send(200);
                // something of the machine is left to the other tests
                thread::sleep(Duration::from_millis(20));
            }
        };
        Self { thread: Some(scope.spawn(send)), is_over }
    }

    pub fn end(mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        self.thread.take().unwrap().join().unwrap();
    }
}

impl Drop for Storm<'_> {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
    }
}

/// Each number at most once.
pub fn assert_unique(numbers: impl Iterator<Item = u64>) {
    let mut met = HashSet::new();
    numbers.for_each(|number| assert!(met.insert(number), "{number} came twice"));
}

pub fn numbers<'a>(lines: &'a [&Value]) -> impl Iterator<Item = u64> + 'a {
    lines.iter().filter_map(|event| event["sigval"]["int"].as_u64())
}
