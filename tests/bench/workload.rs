//! The workload's parts: who is signalled, who signals, and how long that took.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::{Outcome, host};

/// What is sent in all measurements: ignored, so that no wake-up of the target is measured with it.
pub const URG: &str = "23";

/// A part of the workload that runs; gone at the end.
pub struct Part {
    child: Child,
    stdin: Option<ChildStdin>,
    out: BufReader<ChildStdout>,
}

impl Part {
    pub fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(support::workload())
            .arg0("workload")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let stdin = child.stdin.take();
        Self { child, stdin, out }
    }

    /// One that has nothing of this program above it; it is to end by itself when its standard input does.
    pub fn orphan(arguments: &[&str]) -> Self {
        let mut part = Self::start(&[&["orphan"], arguments].concat());
        part.child.wait().unwrap();
        part
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line
    }

    fn said_pid(&mut self) -> u32 {
        self.line().trim().parse().expect("it prints its pid")
    }

    /// All that it says until its end.
    pub fn finish(mut self) -> Outcome<String> {
        let mut said = String::new();
        self.out.read_to_string(&mut said).unwrap();
        match self.child.wait().unwrap() {
            status if status.success() => Ok(said),
            status => Err(format!("a part of the workload ended with {status}: {said:?}")),
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        drop(self.stdin.take());
        // an orphan is not waited for: who has its output ends when it does
        let _ = std::io::copy(&mut self.out, &mut std::io::sink());
    }
}

/// An orphan that waits until it is released: a tracer that is started in between has seen none of the processes that started
/// it.
pub struct HeldSender(Part);

impl HeldSender {
    /// At the end of a chain of so many orphans.
    pub fn nested(depth: u32, filler: &str, arguments: &[&str]) -> Self {
        let depth = depth.to_string();
        Self::ready(Part::orphan(&[&["nest", &depth, filler, "held"], arguments].concat()))
    }

    pub fn alone(arguments: &[&str]) -> Self {
        Self::ready(Part::orphan(&[&["held"], arguments].concat()))
    }

    fn ready(mut part: Part) -> Self {
        part.said_pid();
        Self(part)
    }

    fn release(&mut self) {
        self.0.stdin.as_mut().unwrap().write_all(b"x").unwrap();
    }

    /// The number that it prints.
    pub fn number(mut self) -> Outcome<f64> {
        self.release();
        let said = self.0.finish()?;
        said.trim().parse().map_err(|_| format!("it said {said:?}"))
    }
}

/// What is above an orphan: how many processes, and the bytes of their command lines.
pub fn above() -> (usize, usize) {
    host::above(Target::orphan(1, "above").pid)
}

/// Runs a part that prints one number.
pub fn number(arguments: &[&str]) -> Outcome<f64> {
    let said = Part::start(arguments).finish()?;
    said.trim().parse().map_err(|_| format!("workload {arguments:?} said {said:?}"))
}

/// Who is signalled and ignores it.
pub struct Target {
    /// Ends with this.
    _part: Part,
    pub pid: u32,
}

impl Target {
    pub fn start() -> Self {
        Self::from(Part::start(&["ignores", URG]))
    }

    /// One that each signal wakes.
    pub fn waking() -> Self {
        Self::from(Part::orphan(&["wakes-up", URG]))
    }

    /// At the end of a chain of so many, with this among the arguments of each.
    pub fn nested(depth: u32, filler: &str) -> Self {
        Self::from(Part::start(&["nest", &depth.to_string(), filler, "ignores", URG]))
    }

    /// The same, with nothing of this program above it.
    pub fn orphan(depth: u32, filler: &str) -> Self {
        Self::from(Part::orphan(&["nest", &depth.to_string(), filler, "ignores", URG]))
    }

    fn from(mut part: Part) -> Self {
        let pid = part.said_pid();
        Self { _part: part, pid }
    }

    pub fn id(&self) -> String {
        self.pid.to_string()
    }
}

/// Who is signalled every 100 µs, until this is dropped.
pub struct Source {
    pub target: Target,
    /// Ends with this.
    _sender: Part,
}

impl Source {
    pub fn start() -> Self {
        let target = Target::start();
        let sender = Part::start(&["storm-for", "600000", URG, &target.id(), "100"]);
        Self { target, _sender: sender }
    }
}

/// What senders at full speed did.
#[derive(Debug, Clone, Copy, Default)]
pub struct StormResult {
    pub signals: u64,
    /// The longest of the senders' times.
    pub seconds: f64,
}

/// One sender for each target, each at the end of a chain of orphans of this depth: they wait until they are released.
pub struct Storm(Vec<HeldSender>);

impl Storm {
    pub fn prepare(targets: &[Target], milliseconds: u64, depth: u32, filler: &str) -> Self {
        let time = milliseconds.to_string();
        let sender =
            |target: &Target| HeldSender::nested(depth, filler, &["storm-for", &time, URG, &target.id()]);
        Self(targets.iter().map(sender).collect())
    }

    /// All at once.
    pub fn run(mut self) -> Outcome<StormResult> {
        self.0.iter_mut().for_each(HeldSender::release);
        let mut sent = StormResult::default();
        for HeldSender(sender) in self.0 {
            let said = sender.finish()?;
            let (signals, nanoseconds) = said.trim().split_once(' ').ok_or("a sender said nothing")?;
            sent.signals += signals.parse::<u64>().map_err(|error| error.to_string())?;
            let seconds = nanoseconds.parse::<f64>().map_err(|error| error.to_string())? / 1e9;
            sent.seconds = sent.seconds.max(seconds);
        }
        Ok(sent)
    }
}
