//! A running tracer, and what it printed.

use std::fs;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::event::event;
use crate::patience::{in_guest, patience, pause, wait_until};
use crate::process::has_ended;
use crate::programs::killsnoop;

/// What a tracer says when every signal is seen.
pub const STARTED: &str = "killsnoop: tracing, ";

/// What a program has said on standard error so far.
pub struct Stderr {
    text: Arc<Mutex<String>>,
    reader: thread::JoinHandle<()>,
}

impl Stderr {
    /// Of a tracer, as soon as it is ready.
    pub fn of_ready(child: &mut Child) -> Self {
        let mut reader = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains(STARTED) {
            let length = reader.read_line(&mut said).unwrap();
            assert!(length > 0, "the tracer ended before it was ready: {said}");
        }
        let text = Arc::new(Mutex::new(said));
        let copy = Arc::clone(&text);
        let reader = thread::spawn(move || {
            for line in reader.lines() {
                copy.lock().unwrap().push_str(&(line.unwrap() + "\n"));
            }
        });
        Self { text, reader }
    }

    /// So far.
    pub fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    /// All of it.
    pub fn end(self) -> String {
        self.reader.join().unwrap();
        let text = self.text.lock().unwrap();
        text.clone()
    }
}

/// A running tracer that writes to a file of its own, and what a test sees of it.
pub struct Tracer {
    running: Arc<Running>,
    /// What was written before is no business of this test's: a pid in it may be another process's.
    since: u64,
}

/// The process, which ends with the last test that looks at it.
struct Running {
    child: Child,
    directory: tempfile::TempDir,
    stderr: Option<Stderr>,
}

/// Those that tests share, by their arguments or other words.
static SHARED: Mutex<Vec<(Vec<String>, Arc<Running>)>> = Mutex::new(Vec::new());

/// What a tracer printed, from its start to its end.
pub struct TracerOutput {
    /// How it ended.
    pub status: ExitStatus,
    /// Its lines.
    pub stdout: String,
    /// Messages and counters.
    pub stderr: String,
}

impl Tracer {
    /// Starts one that prints all its counters, and waits until it is ready.
    pub fn start(arguments: &[&str]) -> Self {
        let has_level =
            arguments.iter().any(|argument| matches!(*argument, "-l" | "-q" | "-v" | "who" | "run"));
        let verbose: &[&str] = if has_level { &[] } else { &["-v"] };
        Self::run(Command::new(killsnoop()).args(arguments).args(verbose))
    }

    /// Runs what starts one, and waits until it is ready.
    pub fn run(command: &mut Command) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let out = fs::File::create(directory.path().join("out")).unwrap();
        let mut child = command.stdin(Stdio::null()).stdout(out).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = Some(Stderr::of_ready(&mut child));
        Self { running: Arc::new(Running { child, directory, stderr }), since: 0 }
    }

    /// One that prints JSON.
    pub fn json(arguments: &[&str]) -> Self {
        Self::start(&[&["-o", "json"], arguments].concat())
    }

    /// The same for a test that looks at its own processes only, all of them younger than the tracer, and does not end it. On a
    /// host it is the test's own. In a guest, where the start of one takes seconds, most of them for the verifier, all such
    /// tests with these arguments share one, and each sees what is written from here on.
    pub fn shared(arguments: &[&str]) -> Self {
        Self::shared_of(arguments, || Self::json(arguments))
    }

    /// The same of one that is started in another way: by these words it is found again.
    pub fn shared_of(words: &[&str], start: impl FnOnce() -> Self) -> Self {
        if !in_guest() {
            return start();
        }
        // a test that failed while it started one has said so
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let found = shared.iter().find(|(of, _)| of == words).map(|(_, running)| Arc::clone(running));
        let running = found.unwrap_or_else(|| {
            let running = start().running;
            let words = words.iter().map(|&word| word.to_owned()).collect();
            shared.push((words, Arc::clone(&running)));
            running
        });
        drop(shared);
        let tracer = Self { running, since: 0 };
        let since = tracer.end_of_lines();
        Self { since, ..tracer }
    }

    /// Ends those that tests share, once no test looks at them any more; what they counted adds up.
    pub fn end_shared() {
        let shared = std::mem::take(&mut *SHARED.lock().unwrap_or_else(PoisonError::into_inner));
        for (_, running) in shared {
            let tracer = Self { running, since: 0 };
            wait_until("the last test that looks", || {
                (Arc::strong_count(&tracer.running) == 1).then_some(())
            });
            tracer.stop().assert_counters_add_up();
        }
    }

    /// Its pid.
    pub fn pid(&self) -> u32 {
        self.running.child.id()
    }

    /// What it has said on standard error so far.
    pub fn stderr(&self) -> String {
        self.running.stderr.as_ref().map(Stderr::text).unwrap_or_default()
    }

    fn file(&self) -> PathBuf {
        self.running.directory.path().join("out")
    }

    /// How many bytes it has written so far.
    pub fn written(&self) -> u64 {
        fs::metadata(self.file()).unwrap().len()
    }

    /// The same, without the beginning of a line: only the last piece of what may be much is read.
    fn end_of_lines(&self) -> u64 {
        const PIECE: u64 = 1 << 20;
        let offset = self.written().saturating_sub(PIECE);
        offset + self.bytes_since(offset).len() as u64
    }

    /// What was written since, up to the end of the last line.
    fn whole_since(&self, offset: u64) -> String {
        String::from_utf8(self.bytes_since(offset)).unwrap()
    }

    fn bytes_since(&self, offset: u64) -> Vec<u8> {
        let mut file = fs::File::open(self.file()).unwrap();
        file.seek(SeekFrom::Start(offset)).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        // what is being written at this moment may end in the middle of a character
        bytes.truncate(bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1));
        bytes
    }

    /// The lines that are whole so far.
    pub fn lines(&self) -> Vec<String> {
        self.whole_since(self.since).lines().map(str::to_owned).collect()
    }

    /// The events so far.
    pub fn events(&self) -> Vec<Value> {
        self.lines().iter().map(|line| event(line)).collect()
    }

    /// The first event that is so, as soon as it is there.
    pub fn wait_for(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let expire = Instant::now() + patience();
        // another test's storm is seen here as well: no line is looked at twice, and none is kept
        let mut seen = self.since;
        loop {
            let text = self.whole_since(seen);
            if let Some(event) = text.lines().map(event).find(|event| is_it(event)) {
                return event;
            }
            seen += text.len() as u64;
            assert!(!has_ended(self.pid()), "the tracer ended before {what}");
            assert!(
                Instant::now() < expire,
                "waited {:?} in vain for {what}; there were:\n{}",
                patience(),
                self.lines()
                    .iter()
                    .map(|line| line.chars().take(300).collect::<String>() + "\n")
                    .collect::<String>()
            );
            pause();
        }
    }

    /// Waits until so many are so; no line is looked at twice.
    pub fn wait_for_count(&self, what: &str, count: usize, is_it: impl Fn(&Value) -> bool) {
        let (mut seen, mut found) = (self.since, 0);
        wait_until(what, || {
            let text = self.whole_since(seen);
            seen += text.len() as u64;
            found += text.lines().map(event).filter(&is_it).count();
            (found >= count).then_some(())
        });
    }

    /// The event of this signal to this process.
    pub fn signal_to(&self, target: u32, signal: i64) -> Value {
        self.wait_for(&format!("signal {signal} to {target}"), |event| {
            event["target"]["pid"] == target && event["signal"] == signal
        })
    }

    /// The end of this process.
    pub fn end_of(&self, target: u32) -> Value {
        self.wait_for(&format!("the end of {target}"), |event| {
            event["event"] == "ended" && event["target"]["pid"] == target
        })
    }

    /// Asks it to say something, by signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.pid() as i32).unwrap(), signal).unwrap();
    }

    /// Lets it end by SIGTERM.
    pub fn stop(self) -> TracerOutput {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// Lets it end by itself.
    pub fn wait(self) -> TracerOutput {
        let mut running = Arc::into_inner(self.running).expect("a test that ends its tracer has its own");
        let status = wait_until("the tracer's end", || running.child.try_wait().unwrap());
        let stderr = running.stderr.take().unwrap().end();
        TracerOutput {
            status,
            stdout: fs::read_to_string(running.directory.path().join("out")).unwrap(),
            stderr,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl TracerOutput {
    /// A number of the closing lines: `printed`, `generated`, `lost` …
    pub fn counter(&self, line: &str, name: &str) -> u64 {
        let line = self
            .stderr
            .lines()
            .rfind(|said| said.contains(line))
            .unwrap_or_else(|| panic!("no line with '{line}' in:\n{}", self.stderr));
        line.split_whitespace()
            .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
            .unwrap_or_else(|| panic!("no {name} in: {line}"))
            .parse()
            .unwrap()
    }

    /// Its lines, as events.
    pub fn events(&self) -> Vec<Value> {
        self.stdout.lines().map(event).collect()
    }

    /// seen = printed + folded + filtered (in the kernel, and later) + lost + unprinted.
    pub fn assert_attempts_add_up(&self) {
        let count = |name| self.counter("attempts total", name);
        let parts = ["printed", "folded", "filtered", "filtered_user", "lost", "unprinted"].map(count);
        assert_eq!(count("seen"), parts.iter().sum::<u64>(), "{}", self.stderr);
    }

    /// generated = printed + folded + hidden + filtered (in the kernel, and later) + lost + unprinted.
    pub fn assert_counters_add_up(&self) {
        let count = |name| self.counter("signals total", name);
        assert_eq!(
            count("generated"),
            ["printed", "folded", "hidden", "filtered", "filtered_user", "lost", "unprinted"]
                .map(count)
                .iter()
                .sum::<u64>(),
            "{}",
            self.stderr
        );
    }
}
