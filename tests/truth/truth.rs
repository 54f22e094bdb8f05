//! What the workload wrote down.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// A process, as it told of itself.
#[derive(Debug, Clone)]
pub struct Process {
    pub pid: u64,
    /// Clock ticks.
    pub start: u64,
    pub parent: u64,
    pub arguments: Vec<String>,
}

/// A kill() that returned success.
#[derive(Debug, Clone, Copy)]
pub struct Kill {
    pub source: (u64, u64),
    pub target: (u64, u64),
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
        for line in fs::read_to_string(path).unwrap().lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let number = |at: usize| words[at].parse::<u64>().unwrap();
            if words[0] == "proc" {
                let arguments = words[4..].iter().map(|word| from_hex(&word[1..])).collect();
                let process = Process { pid: number(1), start: number(2), parent: number(3), arguments };
                truth.processes.entry(process.pid).or_default().push(process);
            } else {
                truth.kills.push(Kill { source: (number(3), number(4)), target: (number(5), number(6)) });
            }
        }
        truth
    }

    /// A process, and its ancestors down to the workload's own root.
    pub fn chain(&self, (pid, start): (u64, u64)) -> Vec<&Process> {
        let mut chain = Vec::new();
        let find = |pid: u64, at_most: u64| {
            let known = self.processes.get(&pid)?.iter().filter(|process| process.start <= at_most);
            // one that execs tells of itself again: the last word counts
            known.max_by_key(|process| process.start)
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
