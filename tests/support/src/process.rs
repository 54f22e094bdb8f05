//! Processes of a test's own, and what /proc says of a process.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::programs::workload;

/// A process of the test's, killed and reaped at the end.
pub struct Process {
    child: Child,
    first_line: String,
}

impl Process {
    /// Runs the workload and waits for its first line.
    pub fn workload(arguments: &[&str]) -> Self {
        Self::start(Command::new(workload()).arg0("workload").args(arguments))
    }

    /// Runs a command and waits for its first line.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut first_line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut first_line).unwrap();
        Self { child, first_line }
    }

    /// Its pid.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its first line.
    pub fn said(&self) -> &str {
        &self.first_line
    }

    /// The number that it printed first.
    pub fn said_number(&self) -> u32 {
        self.first_line.trim().parse().unwrap_or_else(|_| panic!("not a number: {:?}", self.first_line))
    }

    /// Sends it a signal from this test process.
    pub fn kill(&self, signal: Signal) {
        kill(self.pid(), signal);
    }

    /// Waits for its end.
    pub fn reap(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Children of a process, whichever thread started them, those of the first thread first.
pub fn children_of(pid: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let texts = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    texts
        .flat_map(|text| text.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<_>>())
        .collect()
}

/// What a line of a status file says.
pub fn field_of<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    Some(status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?.trim())
}

/// The same of a process, if it is there.
pub fn status_field(pid: u32, name: &str) -> Option<String> {
    field_of(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?, name).map(str::to_owned)
}

/// Is the signal in this set of a process: `SigCgt`, `ShdPnd`?
pub fn is_in_set(pid: u32, set: &str, signal: i32) -> bool {
    let bits = status_field(pid, set).unwrap_or_else(|| "0".to_owned());
    u64::from_str_radix(&bits, 16).unwrap() >> (signal - 1) & 1 == 1
}

/// Is it gone, or a zombie?
pub fn has_ended(pid: u32) -> bool {
    status_field(pid, "State").is_none_or(|state| state.starts_with('Z'))
}

/// Sends a signal from this test process.
pub fn kill(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid as i32).unwrap(), signal).unwrap();
}
