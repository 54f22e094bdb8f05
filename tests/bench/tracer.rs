//! A tracer that is measured, killsnoop or another: started while somebody sends signals, watched, stopped, and what it wrote
//! compared with what was sent.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::workload::{self, Target};
use crate::{Outcome, host};

/// How it is known that its hooks are attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// killsnoop says so.
    Says,
    /// It shows a signal of the source that runs meanwhile.
    Shows,
}

#[derive(Debug, Clone)]
pub struct Tracer {
    pub name: String,
    /// `{OUT}` stands for the file of its lines; without it they are its standard output.
    pub command: Vec<String>,
    pub ready: Ready,
}

impl Tracer {
    /// killsnoop, and these flags.
    pub fn killsnoop(name: &str, flags: &[&str]) -> Self {
        let command = [&[support::killsnoop()], flags].concat().into_iter().map(str::to_owned).collect();
        Self { name: name.to_owned(), command, ready: Ready::Says }
    }

    /// The same, as a reader of the report would type it: where the checkout is says nothing.
    pub fn shown(&self) -> String {
        let root = host::root().to_string_lossy();
        let name = |word: &String| {
            let word =
                if word.starts_with(&*root) { word.rsplit('/').next().unwrap_or_default() } else { word };
            word.replace("{OUT}", "/dev/shm/FILE")
        };
        self.command.iter().map(name).collect::<Vec<_>>().join(" ")
    }

    /// One that reports only what these targets get, where it can: what others of this host send and lose is then not in the sums.
    pub fn only_of(&self, targets: &[u32]) -> Self {
        let mut tracer = self.clone();
        if self.ready == Ready::Says {
            let pids: Vec<String> = targets.iter().map(u32::to_string).collect();
            tracer.command.extend(["--where".to_owned(), format!("target.pid={}", pids.join(","))]);
        }
        tracer
    }

    fn writes_json(&self) -> bool {
        self.command.iter().any(|word| word.starts_with("json"))
    }

    /// Starts it; its hooks may not be attached yet.
    pub fn start(&self) -> Outcome<Running> {
        let directory = tempfile::Builder::new().prefix("killsnoop-bench").tempdir_in("/dev/shm").unwrap();
        let (out, said) = (directory.path().join("out"), directory.path().join("said"));
        let words: Vec<String> =
            self.command.iter().map(|word| word.replace("{OUT}", &out.to_string_lossy())).collect();
        let is_its_own = words == self.command;
        let stdout: Stdio = if is_its_own { File::create(&out).unwrap().into() } else { Stdio::null() };
        // all counters; the report shows the command without that
        let verbose = (self.ready == Ready::Says).then_some("-v");
        let child = Command::new(&words[0])
            .args(verbose)
            .args(&words[1..])
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(File::create(&said).unwrap())
            .spawn()
            .map_err(|error| format!("cannot run {}: {error}", words[0]))?;
        Ok(Running { tracer: self.clone(), child, out, said, _directory: directory, is_over: false })
    }

    /// Starts it and waits until it is ready.
    pub fn start_ready(&self) -> Outcome<Running> {
        let mut running = self.start()?;
        match self.ready {
            Ready::Says => running.until("it is ready", |it| it.says().contains(support::STARTED))?,
            Ready::Shows => {
                let source = workload::Source::start();
                running.until_shown(&source.target)?;
            }
        }
        Ok(running)
    }

    /// A line is there when it is printed: how full a buffer is says nothing of how soon a tracer sees.
    fn line_by_line(&self) -> Self {
        let mut tracer = self.clone();
        if self.ready == Ready::Shows {
            tracer.command.splice(0..0, ["stdbuf", "-oL"].map(str::to_owned));
        }
        tracer
    }

    /// Seconds from exec to the first line about a signal of a source that was there before.
    pub fn first_event(&self) -> Outcome<f64> {
        let source = workload::Source::start();
        let began = Instant::now();
        let mut running = self.line_by_line().start()?;
        running.until_shown(&source.target)?;
        let seconds = began.elapsed().as_secs_f64();
        drop(source);
        running.stop()?;
        Ok(seconds)
    }
}

pub struct Running {
    tracer: Tracer,
    child: Child,
    out: PathBuf,
    said: PathBuf,
    /// Removed with this.
    _directory: tempfile::TempDir,
    is_over: bool,
}

impl Running {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn says(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.said).unwrap_or_default()).into_owned()
    }

    pub fn written(&self) -> u64 {
        fs::metadata(&self.out).map_or(0, |data| data.len())
    }

    fn until(&mut self, what: &str, mut is_so: impl FnMut(&Self) -> bool) -> Outcome<()> {
        let give_up = Instant::now() + support::patience();
        while !is_so(self) {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Err(format!("{} ended ({status}) before {what}: {}", self.tracer.name, self.says()));
            }
            if Instant::now() > give_up {
                return Err(format!("{}: waited in vain until {what}: {}", self.tracer.name, self.says()));
            }
            thread::sleep(Duration::from_micros(500));
        }
        Ok(())
    }

    fn until_shown(&mut self, target: &Target) -> Outcome<()> {
        let pid = target.pid.to_string();
        self.until("it shows a signal", |it| {
            fs::read(&it.out)
                .is_ok_and(|bytes| String::from_utf8_lossy(&bytes).lines().any(|line| has_word(line, &pid)))
        })
    }

    /// Waits until nothing more is written; how long that took, less the wait itself.
    pub fn drain(&self) -> Duration {
        let began = Instant::now();
        let mut last = (self.written(), Instant::now());
        while last.1.elapsed() < Duration::from_millis(400) && began.elapsed() < Duration::from_secs(20) {
            thread::sleep(Duration::from_millis(5));
            if self.written() != last.0 {
                last = (self.written(), Instant::now());
            }
        }
        last.1.duration_since(began)
    }

    pub fn cpu_seconds(&self) -> f64 {
        host::cpu_seconds(self.pid())
    }

    pub fn peak_rss_mib(&self) -> f64 {
        host::status(self.pid(), "VmHWM").unwrap_or(0) as f64 / 1024.0
    }

    /// The part of its RSS that is pages of BPF maps.
    pub fn map_rss_mib(&self) -> f64 {
        host::map_rss_kib(self.pid()) as f64 / 1024.0
    }

    /// Lets it end; what it said.
    pub fn stop(mut self) -> Outcome<String> {
        self.end()?;
        Ok(self.says())
    }

    /// Again until it is gone: bpftrace may sleep over the first.
    fn end(&mut self) -> Outcome<()> {
        self.is_over = true;
        for _ in 0..100 {
            let _ = kill_process(Pid::from_raw(self.child.id() as i32).unwrap(), Signal::INT);
            for _ in 0..100 {
                if self.child.try_wait().unwrap().is_some() {
                    return Ok(());
                }
                thread::sleep(Duration::from_millis(2));
            }
        }
        Err(format!("{} does not end", self.tracer.name))
    }

    /// Lets it end; what it showed of these targets, and what it counted as lost.
    pub fn tally(mut self, targets: &[u32]) -> Outcome<Tally> {
        self.end()?;
        let bytes = fs::read(&self.out).map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&bytes);
        let is_json = self.tracer.writes_json();
        let mut tally = if is_json { tally_json(&text, targets) } else { tally_words(&text, targets) };
        tally.told_lost =
            if is_json { lost_of_killsnoop(&self.says())? } else { lost_of_others(&self.says()) };
        Ok(tally)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_over {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// What a tracer showed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    /// Lines about the targets.
    pub seen: u64,
    /// Of these, those that name no fact as missing (of killsnoop only).
    pub complete: u64,
    /// Of these, those that two events share, or that are no line of its format.
    pub garbled: u64,
    pub told_lost: u64,
    /// Of the lines about the targets.
    pub bytes: u64,
}

/// A number that stands alone.
fn has_word(line: &str, word: &str) -> bool {
    line.split(|character: char| !character.is_ascii_alphanumeric()).any(|part| part == word)
}

fn tally_json(text: &str, targets: &[u32]) -> Tally {
    let keys: Vec<String> = targets.iter().map(|pid| format!("\"target\":{{\"pid\":{pid},")).collect();
    let mut tally = Tally::default();
    let ours = |line: &&str| {
        line.contains("\"event\":\"signal\"") && keys.iter().any(|key| line.contains(key.as_str()))
    };
    for line in text.lines().filter(ours) {
        tally.seen += 1;
        tally.bytes += line.len() as u64 + 1;
        tally.complete += u64::from(!line.contains("\"missing\":"));
        // the rest is estimated from its two ends: to parse gigabytes would take minutes
        let is_whole = match tally.seen % 1000 {
            1 => serde_json::from_str::<serde_json::Value>(line).is_ok(),
            _ => {
                line.starts_with("{\"time\":")
                    && line.ends_with('}')
                    && line.matches("{\"time\":").count() == 1
            }
        };
        tally.garbled += u64::from(!is_whole);
    }
    tally
}

/// A line whose number of words is not the usual one is garbled.
fn tally_words(text: &str, targets: &[u32]) -> Tally {
    let pids: Vec<String> = targets.iter().map(u32::to_string).collect();
    let mut words: HashMap<usize, u64> = HashMap::new();
    // bpftrace prints its maps at the end, which are no lines of the tool
    for line in text.lines().filter(|line| !line.starts_with('@')) {
        if pids.iter().any(|pid| has_word(line, pid)) {
            *words.entry(line.split_whitespace().count()).or_default() += 1;
        }
    }
    let seen: u64 = words.values().sum();
    let usual = words.values().max().copied().unwrap_or(0);
    Tally { seen, complete: seen, garbled: seen - usual, ..Tally::default() }
}

/// What found no room in the ring, or behind an output.
fn lost_of_killsnoop(said: &str) -> Outcome<u64> {
    let line = said.lines().rfind(|line| line.contains("signals total")).unwrap_or_default();
    let number = |name| line.split_whitespace().find_map(|word| word.strip_prefix(name)?.parse::<u64>().ok());
    number("lost=")
        .zip(number("unprinted="))
        .map(|(lost, unprinted)| lost + unprinted)
        .ok_or_else(|| format!("killsnoop did not print its counters: {said}"))
}

/// `lost 12 events on CPU #1`, `Lost 12 events`.
fn lost_of_others(said: &str) -> u64 {
    let said = said.to_lowercase();
    said.split("lost ").skip(1).filter_map(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).sum()
}
