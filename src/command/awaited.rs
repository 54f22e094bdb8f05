//! The processes that `killsnoop who` waits for, each held by a pidfd: the numbers can be used again.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use anyhow::bail;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::processes::{Running, nobody_is_called, open, process_of};
use super::who::already_ended;
use crate::base::os_error::reason;
use crate::base::sanitize::visible;
use crate::enrich::procfs::read_text;
use crate::output::redact::Redaction;
use crate::output::select::filter::{ProcessArg, ProcessName};

/// More are not compared in the kernel, which reports the ends of those alone that it compares.
const MOST: usize = 512;

/// Behind a refusal of a name.
const LATER: &str = "\nhint: who waits for what runs now; killsnoop NAME also traces what starts later";

/// At least one process, none of which has ended.
#[derive(Debug)]
pub(super) struct Awaited {
    pids: Vec<u32>,
    processes: Vec<OwnedFd>,
}

impl Awaited {
    /// Opens all that are named. What is said of those that cannot be waited for is printed, if others can.
    ///
    /// # Errors
    /// If none can be waited for, or too many are named.
    pub(super) fn open(wanted: &[ProcessArg], redaction: &Redaction) -> anyhow::Result<Self> {
        let proc_directory = Path::new("/proc");
        let mut awaited = Self { pids: Vec::new(), processes: Vec::new() };
        let mut refusals = Vec::new();
        for process in wanted {
            let result = match process {
                ProcessArg::Pid(id) => awaited.add(process_of(proc_directory, *id, redaction), redaction),
                ProcessArg::Name(name) => awaited.add_named(proc_directory, name, redaction),
            };
            refusals.extend(result.err());
        }
        if awaited.pids.is_empty() {
            let is_named = wanted.iter().any(|process| matches!(process, ProcessArg::Name(_)));
            let hint = if is_named { LATER } else { "" };
            bail!("{}{hint}", refusals.join("\n"));
        }
        if awaited.pids.len() > MOST {
            bail!(
                "{} processes are named, and who waits for {MOST} at most\nhint: name some of them by pid; killsnoop NAME traces all",
                awaited.pids.len()
            );
        }
        for refusal in refusals {
            tracing::warn!("{refusal}: the others will be waited for");
        }
        Ok(awaited)
    }

    /// In the order in which they were named.
    pub(super) fn pids(&self) -> &[u32] {
        &self.pids
    }

    /// Has one ended?
    pub(super) fn has_any_ended(&self) -> bool {
        self.processes.iter().any(has_ended)
    }

    /// Waits until one has ended.
    pub(super) fn wait(&self) {
        let mut polled: Vec<PollFd<'_>> =
            self.processes.iter().map(|process| PollFd::new(process, PollFlags::IN)).collect();
        while let Err(Errno::INTR) = poll(&mut polled, None) {}
    }

    fn add(&mut self, pid: u32, redaction: &Redaction) -> Result<(), String> {
        if self.pids.contains(&pid) {
            return Ok(());
        }
        let process = open(pid).map_err(|error| match error {
            Errno::SRCH => format!("there is no process {pid} to wait for"),
            error => format!("cannot wait for process {pid}: {}", reason(error)),
        })?;
        if has_ended(&process) {
            let stat = read_text(format!("/proc/{pid}/stat")).unwrap_or_default();
            return Err(format!("process {pid} {}", already_ended(&stat, redaction)));
        }
        self.pids.push(pid);
        self.processes.push(process);
        Ok(())
    }

    fn add_named(
        &mut self,
        proc_directory: &Path,
        name: &ProcessName,
        redaction: &Redaction,
    ) -> Result<(), String> {
        let running = Running::all(proc_directory);
        let mut called = Vec::new();
        for Running { pid, .. } in running.iter().filter(|process| process.is_called(name)) {
            let Ok(process) = open(*pid) else { continue };
            // the pid may have become another's before it was held
            let is_still = Running::look_up(proc_directory, *pid).is_some_and(|now| now.is_called(name));
            if !is_still || has_ended(&process) {
                continue;
            }
            called.push(*pid);
            if !self.pids.contains(pid) {
                self.pids.push(*pid);
                self.processes.push(process);
            }
        }
        if called.is_empty() {
            return Err(nobody_is_called(name, &running, redaction));
        }
        if let [first, _, ..] = called.as_slice() {
            tracing::warn!("{}", several_are_called(name, &called, *first));
        }
        Ok(())
    }
}

/// `2 processes are named 'sleep' (12, 13): …`, and how to choose one.
fn several_are_called(name: &ProcessName, pids: &[u32], first: u32) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = pids.iter().take(SHOWN).map(u32::to_string).collect();
    let others = match pids.len().saturating_sub(SHOWN) {
        0 => String::new(),
        others => format!(" and {others} more"),
    };
    format!(
        "{} processes are named '{}' ({}{others}): signals to each are shown until one of them ends; a pid chooses one: killsnoop who {first}",
        pids.len(),
        visible(name.to_string()),
        shown.join(", ")
    )
}

fn has_ended(process: &impl AsFd) -> bool {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&now)).is_ok_and(|ready| ready > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_all(wanted: &[&str]) -> Result<Vec<u32>, String> {
        let wanted: Vec<ProcessArg> = wanted.iter().map(|text| text.parse().unwrap()).collect();
        let awaited = Awaited::open(&wanted, &Redaction::default());
        awaited.map(|awaited| awaited.pids).map_err(|error| error.to_string())
    }

    #[test]
    fn all_that_run_are_held_and_the_others_named() {
        let mut children: Vec<_> =
            (0..2).map(|_| std::process::Command::new("sleep").arg("97").spawn().unwrap()).collect();
        let pids: Vec<u32> = children.iter().map(std::process::Child::id).collect();
        // a child that execs takes its program's name only after its parent may go on
        while pids
            .iter()
            .any(|pid| std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap() != "sleep\n")
        {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let texts: Vec<String> = pids.iter().map(u32::to_string).collect();
        let named = [texts[0].as_str(), "4194303", &texts[1], &texts[0]];
        assert_eq!(open_all(&named), Ok(pids.clone()), "what does not exist is left out");
        // the name may be that of other processes of this host as well
        let name = ProcessName::new("sleep");
        assert_eq!(
            several_are_called(&name, &[1, 2, 3, 4, 5, 6], 1),
            "6 processes are named 'sleep' (1, 2, 3, 4, 5 and 1 more): signals to each are shown until one of them ends; a pid chooses one: killsnoop who 1"
        );
        let by_name = open_all(&["sleep"]).unwrap();
        assert!(pids.iter().all(|pid| by_name.contains(pid)), "{by_name:?}");
        let refusal = open_all(&["4194303", "slepe"]).unwrap_err();
        assert!(refusal.contains("there is no process 4194303 to wait for"), "{refusal}");
        assert!(refusal.contains("no process is named 'slepe' (did you mean sleep?)"), "{refusal}");
        for child in &mut children {
            child.kill().unwrap();
        }
        children[0].wait().unwrap();
        Awaited { pids: pids.clone(), processes: pids.iter().filter_map(|&pid| open(pid).ok()).collect() }
            .wait();
        children[1].wait().unwrap();
    }
}
