//! A killsnoop that is measured: within a memory cgroup of its own, with what it says in a file.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::Outcome;

/// A memory cgroup, of version 1 or 2; removed at the end.
pub struct MemoryCgroup {
    directory: PathBuf,
}

impl MemoryCgroup {
    pub fn create() -> Outcome<Self> {
        let above = support::memory_cgroup()
            .ok_or("there is no memory controller: mount cgroups, of version 1 or 2, with memory")?;
        let directory = above.join(format!("killsnoop-bench-{}", std::process::id()));
        fs::create_dir(&directory)
            .map_err(|error| format!("cannot make {}: {error}", directory.display()))?;
        Ok(Self { directory })
    }

    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// `memory.kmem.usage_in_bytes` (version 1), or `kernel` of `memory.stat` (version 2, from 5.18 on).
    pub fn kernel_bytes(&self) -> Option<u64> {
        if let Ok(text) = fs::read_to_string(self.directory.join("memory.kmem.usage_in_bytes")) {
            return text.trim().parse().ok();
        }
        let statistics = fs::read_to_string(self.directory.join("memory.stat")).ok()?;
        statistics.lines().find_map(|line| line.strip_prefix("kernel "))?.parse().ok()
    }
}

impl Drop for MemoryCgroup {
    fn drop(&mut self) {
        // busy for a moment after the last process
        for _ in 0..100 {
            if fs::remove_dir(&self.directory).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        eprintln!("{} is left behind", self.directory.display());
    }
}

/// The counters that killsnoop prints.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counters {
    pub generated: u64,
    pub printed: u64,
    pub hidden: u64,
    pub lost: u64,
    pub unprinted: u64,
}

pub struct Subject {
    child: Child,
    directory: tempfile::TempDir,
}

impl Subject {
    /// Starts killsnoop with these flags and waits until it is ready. What it prints goes to `out`.
    pub fn start(flags: &[&str], cgroup: Option<&MemoryCgroup>, out: Stdio) -> Outcome<Self> {
        let directory = tempfile::tempdir().unwrap();
        let said = File::create(directory.path().join("said")).unwrap();
        let mut command = match cgroup {
            Some(cgroup) => within(cgroup),
            None => Command::new(support::killsnoop()),
        };
        let child = command
            .args(["-v", "--max-rate", "none"])
            .args(flags)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(said)
            .spawn();
        let child = child.map_err(|error| format!("cannot start killsnoop: {error}"))?;
        let mut subject = Self { child, directory };
        subject.until("killsnoop is ready", |said| said.contains(support::STARTED))?;
        Ok(subject)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its standard output, where that is a pipe.
    pub fn take_stdout(&mut self) -> ChildStdout {
        self.child.stdout.take().expect("it was started with a pipe")
    }

    /// What it said so far.
    pub fn said(&self) -> String {
        fs::read_to_string(self.directory.path().join("said")).unwrap_or_default()
    }

    fn until(&mut self, what: &str, mut is_so: impl FnMut(&str) -> bool) -> Outcome<()> {
        let give_up = Instant::now() + support::patience();
        loop {
            let said = self.said();
            if is_so(&said) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                return Err(format!("killsnoop ended ({status}) before {what}: {}", tail(&said)));
            }
            if Instant::now() > give_up {
                return Err(format!("waited in vain until {what}: {}", tail(&said)));
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn signal(&self, signal: Signal) {
        let _ = kill_process(Pid::from_raw(self.child.id() as i32).unwrap(), signal);
    }

    /// Asks for the counters as they are now.
    pub fn counters(&mut self) -> Outcome<Counters> {
        let count = |said: &str| said.matches("signals so far").count();
        let before = count(&self.said());
        self.signal(Signal::USR1);
        self.until("it has printed its counters", |said| count(said) > before && said.ends_with('\n'))?;
        counters_of(&self.said(), "signals so far")
    }

    /// Lets it end; its last counters.
    pub fn stop(mut self) -> Outcome<Counters> {
        self.signal(Signal::TERM);
        let give_up = Instant::now() + support::patience();
        while self.child.try_wait().unwrap().is_none() {
            if Instant::now() > give_up {
                return Err("killsnoop does not end".to_owned());
            }
            thread::sleep(Duration::from_millis(2));
        }
        counters_of(&self.said(), "signals total")
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A shell joins the cgroup and becomes killsnoop, which so is there from its first instruction on.
fn within(cgroup: &MemoryCgroup) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", r#"echo $$ >"$0/cgroup.procs" && exec "$@""#])
        .arg(cgroup.path())
        .arg(support::killsnoop());
    command
}

fn tail(text: &str) -> &str {
    let start = text.len().saturating_sub(600);
    text.get(start..).unwrap_or(text)
}

fn counters_of(said: &str, line: &str) -> Outcome<Counters> {
    let line = said
        .lines()
        .rfind(|said| said.contains(line))
        .ok_or_else(|| format!("killsnoop did not say '{line}': {}", tail(said)))?;
    let count = |name: &str| {
        line.split_whitespace()
            .find_map(|word| word.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
            .ok_or_else(|| format!("no {name} in: {line}"))
    };
    Ok(Counters {
        generated: count("generated")?,
        printed: count("printed")?,
        hidden: count("hidden")?,
        lost: count("lost")?,
        unprinted: count("unprinted")?,
    })
}
