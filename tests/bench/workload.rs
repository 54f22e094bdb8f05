//! The workload's parts: who is signalled, who signals, and how long that took.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::{Outcome, harness};

/// What is sent in all measurements: ignored, so that no wake-up of the target is measured with it.
pub const URG: &str = "23";

/// A part of the workload that runs; killed and reaped at the end.
pub struct Part {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Part {
    pub fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(harness::workload())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line
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
    }
}

/// Runs a part that prints one number.
pub fn number(arguments: &[&str]) -> Outcome<f64> {
    let said = Part::start(arguments).finish()?;
    said.trim().parse().map_err(|_| format!("workload {arguments:?} said {said:?}"))
}

/// Who is signalled and ignores it.
pub struct Target {
    part: Part,
    pub pid: u32,
}

impl Target {
    pub fn start() -> Self {
        Self::from(Part::start(&["ignores", URG]))
    }

    /// At the end of a chain of so many, with this among the arguments of each.
    pub fn nested(depth: u32, filler: &str) -> Self {
        Self::from(Part::start(&["nest", &depth.to_string(), filler, "ignores", URG]))
    }

    fn from(mut part: Part) -> Self {
        let pid = part.line().trim().parse().expect("the target tells its pid");
        Self { part, pid }
    }

    pub fn id(&self) -> String {
        self.pid.to_string()
    }
}

/// Who is signalled every 100 µs, until this is dropped.
pub struct Source {
    pub target: Target,
    sender: Part,
}

impl Source {
    pub fn start() -> Self {
        let target = Target::start();
        let sender = Part::start(&["storm-for", "600000", URG, &target.id(), "100"]);
        Self { target, sender }
    }
}

/// What senders at full speed did.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sent {
    pub signals: u64,
    /// The longest of the senders' times.
    pub seconds: f64,
}

/// One sender for each target at once, each in a chain of this depth.
pub fn storm(targets: &[Target], milliseconds: u64, depth: u32, filler: &str) -> Outcome<Sent> {
    let senders: Vec<Part> = targets
        .iter()
        .map(|target| {
            let depth = depth.to_string();
            let time = milliseconds.to_string();
            Part::start(&["nest", &depth, filler, "storm-for", &time, URG, &target.id()])
        })
        .collect();
    let mut sent = Sent::default();
    for sender in senders {
        let said = sender.finish()?;
        let (signals, nanoseconds) = said.trim().split_once(' ').ok_or("a sender said nothing")?;
        sent.signals += signals.parse::<u64>().map_err(|error| error.to_string())?;
        sent.seconds = sent.seconds.max(nanoseconds.parse::<f64>().map_err(|error| error.to_string())? / 1e9);
    }
    Ok(sent)
}
