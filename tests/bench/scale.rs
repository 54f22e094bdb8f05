//! What it costs where trees are deep, command lines long, and processes many.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use killsnoop::config::RING_BYTES;

use crate::numbers::{Spread, spread};
use crate::subject::{MemoryCgroup, Subject};
use crate::tracer::Tracer;
use crate::workload::{self, Part, Target};
use crate::{Outcome, Speed};

const DEPTHS: [u32; 6] = [1, 2, 4, 8, 16, 32];
const LENGTHS: [usize; 7] = [20, 200, 400, 1900, 8000, 16_000, 32_000];
const CROWDS: [u32; 4] = [100, 1000, 10_000, 50_000];

/// What the ring can surely hold: a kill whose record finds no room is cheap, and measures nothing.
const IN_RING: usize = RING_BYTES as usize / 8 * 5;

/// Added µs of a kill at full speed, by what is varied; the bytes of an event; and what was lost, all rounds together.
#[derive(Debug, Clone)]
pub struct Point {
    pub at: f64,
    pub added: Spread,
    pub bytes: f64,
    pub kills: usize,
    pub lost: u64,
}

#[derive(Debug, Clone)]
pub struct Crowd {
    pub wanted: u32,
    pub processes: u32,
    pub ready_ms: f64,
    pub seeding_ms: f64,
    pub kernel_kib: f64,
    pub rss_kib: f64,
}

#[derive(Debug, Clone, Default)]
pub struct Scale {
    pub depths: Vec<Point>,
    pub lengths: Vec<Point>,
    pub crowds: Vec<Crowd>,
}

/// All but the crowds.
pub fn measure(speed: &Speed) -> Outcome<Scale> {
    let depths = DEPTHS.iter().map(|&depth| point(f64::from(depth), depth, "a-short-argument", speed));
    let lengths = LENGTHS.iter().map(|&length| point(length as f64, 2, &"x".repeat(length), speed));
    Ok(Scale {
        depths: depths.collect::<Outcome<_>>()?,
        lengths: lengths.collect::<Outcome<_>>()?,
        crowds: Vec::new(),
    })
}

fn point(at: f64, depth: u32, filler: &str, speed: &Speed) -> Outcome<Point> {
    let target = Target::nested(depth, filler);
    let kills = speed.kills.min(in_ring(record_of(depth, filler.len())));
    let kill = || {
        let (kills, depth) = (kills.to_string(), depth.to_string());
        workload::number(&["nest", &depth, filler, "time-kill", &kills, &target.id()])
    };
    let tracer = Tracer::killsnoop("killsnoop", &["-d", "32", "-o", "json={OUT}"]).only_of(&[target.pid]);
    let (mut added, mut bytes, mut lost) = (Vec::new(), 0.0, 0);
    for _ in 0..speed.scale_rounds {
        let bare = kill()?;
        let running = tracer.start_ready()?;
        added.push((kill()? - bare) / 1000.0);
        running.drain();
        let tally = running.tally(&[target.pid])?;
        bytes = tally.bytes as f64 / tally.seen.max(1) as f64;
        lost += tally.told_lost;
    }
    eprintln!("scale: {at}");
    Ok(Point { at, added: spread(&added).unwrap(), bytes, kills, lost })
}

/// Bytes of a record, at most: both sides whole, and of each ancestor a KiB.
pub fn record_of(depth: u32, length: usize) -> usize {
    2048 + 2 * length + 2 * depth as usize * (200 + length.min(1024))
}

/// How many of them the ring can surely hold.
pub fn in_ring(record: usize) -> usize {
    IN_RING / record
}

pub fn crowds() -> Outcome<Vec<Crowd>> {
    let most =
        fs::read_to_string("/proc/sys/kernel/pid_max").ok().and_then(|text| text.trim().parse::<u32>().ok());
    // a quarter of the pids is for everything else that runs here
    let most = most.unwrap_or(32_768) / 4 * 3;
    let mut crowds = Vec::new();
    for wanted in CROWDS {
        crowds.push(crowd(wanted, wanted.min(most))?);
        if wanted > most {
            break;
        }
    }
    Ok(crowds)
}

fn crowd(wanted: u32, processes: u32) -> Outcome<Crowd> {
    let before = crate::host::processes();
    let mut part = Part::start(&["crowd", &processes.to_string()]);
    let processes = part.line().trim().parse().map_err(|_| "the crowd did not come".to_owned())?;
    let cgroup = MemoryCgroup::create()?;
    let mut subject = Subject::start(&["-o", "json=/dev/null"], Some(&cgroup), Stdio::null())?;
    // its memory is what it holds when it has settled, not in the middle of the start
    subject.counters()?;
    let said = subject.said();
    let line = said.lines().find(|line| line.contains("ready in")).unwrap_or_default();
    let ms = |before: &str| {
        let rest = &line[line.rfind(before)? + before.len()..];
        rest.split_whitespace().next()?.parse::<f64>().ok()
    };
    let of = |number: Option<u64>| number.ok_or("the memory of killsnoop cannot be read");
    let found = Crowd {
        wanted,
        processes,
        ready_ms: ms("ready in ").ok_or_else(|| format!("no time in: {line}"))?,
        seeding_ms: ms(", in ").ok_or_else(|| format!("no time in: {line}"))?,
        kernel_kib: of(cgroup.kernel_bytes())? as f64 / 1024.0,
        rss_kib: of(crate::host::status(subject.pid(), "VmRSS"))? as f64,
    };
    subject.stop()?;
    drop(part);
    wait_until_gone(before);
    eprintln!("scale: {processes} processes");
    Ok(found)
}

/// Those of a crowd die one by one, and the next crowd wants their pids.
fn wait_until_gone(before: usize) {
    let give_up = Instant::now() + Duration::from_secs(30);
    while crate::host::processes() > before + 100 && Instant::now() < give_up {
        thread::sleep(Duration::from_millis(50));
    }
}
