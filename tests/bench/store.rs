//! How large a store gets, how fast it is written, and how fast it answers: `cargo bench --bench store -- [EVENTS] [MAX_SIZE]`.
//!
//! The events are derived from the recorded fixtures: each round has processes of its own, and its own moments.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use killsnoop::store::{Bounds, Order, Query, Reader, Room, RunFacts, Who, Writer};
use regex::Regex;

/// Derives events from those of the fixtures.
struct Source {
    lines: Vec<String>,
    pids: Regex,
    round: u64,
    place: usize,
    number: u64,
}

/// 2026-01-01, and a millisecond between two events.
const BEGIN: i64 = 1_767_225_600_000_000_000;

impl Source {
    fn new(file: Option<&str>) -> Self {
        let lines = if let Some(file) = file {
            fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect()
        } else {
            let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
            let mut paths: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
            paths.retain(|path| path.extension().is_some_and(|end| end == "json") && !path.ends_with("cut.json"));
            paths.sort();
            paths.iter().flat_map(|path| fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()).collect()
        };
        // "pid":N, "N@, (N), "id":N of an event
        let pids = Regex::new(r#"("pid":|"|\()(\d{2,7})(@\d|\)|,)"#).unwrap();
        Self { lines, pids, round: 0, place: 0, number: 0 }
    }

    fn next(&mut self) -> String {
        let line = &self.lines[self.place];
        let round = self.round;
        self.place += 1;
        if self.place == self.lines.len() {
            (self.place, self.round) = (0, self.round + 1);
        }
        self.number += 1;
        let line = self.pids.replace_all(line, |found: &regex::Captures<'_>| {
            let pid: u64 = found[2].parse().unwrap();
            format!("{}{}{}", &found[1], (pid + round * 613) % 4_194_304, &found[3])
        });
        let nanoseconds = BEGIN + self.number as i64 * 1_000_000;
        let time = jiff::Timestamp::from_nanosecond(nanoseconds.into()).unwrap();
        let rest = line.find("Z\"").map(|at| &line[at + 2..]).unwrap();
        format!("{{\"time\":\"{time:.9}\"{rest}")
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let number = |place: usize| arguments.get(place).and_then(|text| text.parse::<u64>().ok());
    let events = number(0).unwrap_or(100_000);
    let max_bytes = number(1).unwrap_or(1 << 40);
    let parent = tempfile::tempdir_in("/var/tmp").unwrap();
    let directory = parent.path().join("store");
    let bounds = Bounds { max_bytes, ..Bounds::default() };
    let (mut writer, _) = Writer::open(&directory, None, Some(bounds), &RunFacts::default()).unwrap();
    let mut source = Source::new(arguments.get(2).map(String::as_str));
    let (mut json, mut spent, mut most) = (0, std::time::Duration::ZERO, 0);
    let mut lines = Vec::new();
    for at in 0..events {
        lines.push(source.next());
        if lines.len() < 20_000 && at + 1 < events {
            continue;
        }
        json += lines.iter().map(|line| line.len() as u64 + 1).sum::<u64>();
        let began = Instant::now();
        for (place, line) in lines.drain(..).enumerate() {
            writer.put(&line).unwrap();
            if place % 64 == 0 && writer.log_is_long() {
                writer.commit().unwrap();
                assert_eq!(writer.make_room().unwrap(), Room::Enough);
            }
        }
        writer.commit().unwrap();
        assert_eq!(writer.make_room().unwrap(), Room::Enough);
        spent += began.elapsed();
        most = most.max(writer.bytes());
    }
    writer.finish("stopped").unwrap();
    let usage = killsnoop::store::disk_usage(&directory).unwrap();
    println!(
        "{events} events: {} bytes each as JSON, {} bytes each in the store ({} kept, {} bytes, at most {most}); {:.0} events/s",
        json / events,
        usage.bytes / usage.events,
        usage.events,
        usage.bytes,
        events as f64 / spent.as_secs_f64()
    );
    let reader = Reader::open(&directory).unwrap();
    for (name, query, order) in [
        ("newest death of a name", Query { is_death: true, target: vec![Who::Any("workload".into())], limit: Some(1), ..Query::default() }, Order::NewestFirst),
        ("newest death of a name that there is not", Query { is_death: true, target: vec![Who::Any("nginx".into())], limit: Some(1), ..Query::default() }, Order::NewestFirst),
        ("newest death of a pid", Query { is_death: true, target: vec![Who::Pid(4711)], limit: Some(1), ..Query::default() }, Order::NewestFirst),
        ("first of the last minute", Query { since: Some(BEGIN + (events as i64 - 60_000).max(0) * 1_000_000), limit: Some(1), ..Query::default() }, Order::OldestFirst),
        ("1000 of the last minute", Query { since: Some(BEGIN + (events as i64 - 60_000).max(0) * 1_000_000), limit: Some(1000), ..Query::default() }, Order::OldestFirst),
        ("first 256 of a name", Query { either: vec![Who::Comm("workload".into())], limit: Some(256), ..Query::default() }, Order::OldestFirst),
    ] {
        let mut times = Vec::new();
        let mut found = 0;
        for _ in 0..20 {
            let began = Instant::now();
            found = 0;
            reader.each(&query, order, |_| { found += 1; ControlFlow::Continue(()) }).unwrap();
            times.push(began.elapsed());
        }
        times.sort();
        println!("{name}: {found} events, p50 {:?}, most {:?}", times[10], times[19]);
    }
    if events <= 200_000 {
        let verified = killsnoop::store::verify(&directory).unwrap();
        println!("verified: {} events, problems: {:?}", verified.events, verified.problems);
    }
    if let Ok(table) = std::env::var("KILLSNOOP_KEEP_STORE") {
        fs::copy(directory.join("events.db"), table).unwrap();
    }
}
