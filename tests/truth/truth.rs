//! What the workload wrote down.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// A process, as it described itself.
#[derive(Debug, Clone)]
pub struct Process {
    pub pid: u64,
    /// Clock ticks.
    pub start: u64,
    pub parent: u64,
    pub arguments: Vec<String>,
    /// Its place in the log: what a kill is about is before it.
    line: usize,
}

/// A `kill()` that returned success.
#[derive(Debug, Clone, Copy)]
pub struct Kill {
    pub source: (u64, u64),
    pub target: (u64, u64),
    line: usize,
}

/// All of it. Processes are known by pid and start: a pid may be used again.
#[derive(Debug, Default)]
pub struct Truth {
    processes: HashMap<u64, Vec<Process>>,
    pub kills: Vec<Kill>,
}

impl Truth {
    pub fn read(path: &Path) -> Self {
        let mut truth = Self::default();
        for (line, text) in fs::read_to_string(path).unwrap().lines().enumerate() {
            let words: Vec<&str> = text.split(' ').collect();
            let number = |at: usize| words[at].parse::<u64>().unwrap();
            if words[0] == "proc" {
                let arguments = words[4..].iter().map(|word| from_hex(&word[1..])).collect();
                let process =
                    Process { pid: number(1), start: number(2), parent: number(3), arguments, line };
                truth.processes.entry(process.pid).or_default().push(process);
            } else {
                truth.kills.push(Kill {
                    source: (number(3), number(4)),
                    target: (number(5), number(6)),
                    line,
                });
            }
        }
        truth
    }

    /// A process of a kill, and its ancestors down to the workload's own root.
    pub fn chain(&self, kill: &Kill, (pid, start): (u64, u64)) -> Vec<&Process> {
        let mut chain = Vec::new();
        let find = |pid: u64, at_most: u64| {
            let known = self.processes.get(&pid)?.iter();
            let known = known.filter(|process| process.start <= at_most && process.line < kill.line);
            known.max_by_key(|process| (process.start, process.line))
        };
        let mut next = find(pid, start);
        while let Some(process) = next {
            chain.push(process);
            next = find(process.parent, process.start);
        }
        chain
    }
}

fn from_hex(hex: &str) -> String {
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    String::from_utf8((0..hex.len()).step_by(2).map(byte).collect()).unwrap()
}
