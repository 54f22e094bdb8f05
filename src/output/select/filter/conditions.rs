//! Everything that was asked for of events: all flags of the command line that select them.

use std::fmt;

use super::condition::Condition;
use super::process_name::{ProcessArg, ProcessName};

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Conditions {
    /// All of these hold.
    pub wanted: Vec<Condition>,
    /// None of these.
    pub unwanted: Vec<Condition>,
    /// Source or target is one of these processes, or is called so, if any is named.
    pub pids: Vec<u32>,
    /// The same by name.
    pub names: Vec<ProcessName>,
    /// Source or target is one of these or descends from one, if any is named.
    pub trees: Vec<u32>,
    /// The processes of `trees` themselves do not count, only those below: of `killsnoop run` it is killsnoop.
    pub trees_begin_below: bool,
    /// Only what ends its target.
    pub only_fatal: bool,
}

impl Conditions {
    /// Asks for these processes beside those that are asked for already.
    pub fn add_processes(&mut self, processes: &[ProcessArg]) {
        for process in processes {
            match process {
                ProcessArg::Pid(pid) => self.pids.push(*pid),
                ProcessArg::Name(name) => self.names.push(name.clone()),
            }
        }
    }

    /// Everything passes.
    pub fn is_empty(&self) -> bool {
        let Self { wanted, unwanted, pids, names, trees, trees_begin_below, only_fatal } = self;
        wanted.is_empty()
            && unwanted.is_empty()
            && pids.is_empty()
            && names.is_empty()
            && trees.is_empty()
            && !trees_begin_below
            && !only_fatal
    }
}

impl fmt::Display for Conditions {
    /// As it would be typed.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |pids: &[u32]| pids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let mut words: Vec<String> = Vec::new();
        words.extend(self.names.iter().map(ProcessName::to_string));
        words.extend((!self.pids.is_empty()).then(|| format!("--pid {}", list(&self.pids))));
        words.extend((!self.trees.is_empty()).then(|| format!("--tree {}", list(&self.trees))));
        words.extend(self.only_fatal.then(|| "--fatal".to_owned()));
        words.extend(self.wanted.iter().map(|condition| format!("--where {condition}")));
        words.extend(self.unwanted.iter().map(|condition| format!("--not {condition}")));
        formatter.write_str(&words.join(" "))
    }
}
