//! What a tracer itself takes: its start, its CPU in a storm and at rest, its memory; and whether what was sent is accounted for.

use std::thread;
use std::time::Duration;

use crate::numbers::{Spread, spread};
use crate::tracer::{Tally, Tracer};
use crate::workload::{Storm, Target};
use crate::{Outcome, Speed};

#[derive(Debug, Clone, Default)]
pub struct Footprint {
    pub name: String,
    pub command: String,
    pub first_event: Option<Spread>,
    pub cpu_us_per_event: Option<Spread>,
    pub idle_ms_per_s: Option<Spread>,
    pub peak_rss_mib: Option<Spread>,
    pub map_rss_mib: Option<Spread>,
    /// Of the worst round: sent, and how it was accounted for.
    pub storm: Option<(u64, Tally)>,
    pub complaint: Option<String>,
}

impl Footprint {
    /// Sent, and neither printed nor counted as lost. Negative: more were counted than sent.
    pub fn unaccounted(&self) -> Option<i64> {
        self.storm.map(|(sent, tally)| unaccounted(sent, &tally))
    }
}

pub fn unaccounted(sent: u64, tally: &Tally) -> i64 {
    sent as i64 - tally.seen as i64 - tally.told_lost as i64
}

#[derive(Default)]
struct Rounds {
    first_event: Vec<f64>,
    cpu: Vec<f64>,
    idle: Vec<f64>,
    rss: Vec<f64>,
    maps: Vec<f64>,
    storm: Option<(u64, Tally)>,
}

/// One after the other in each round.
pub fn measure(tracers: &[Tracer], speed: &Speed) -> Vec<Footprint> {
    let mut all: Vec<(Rounds, Option<String>)> = tracers.iter().map(|_| (Rounds::default(), None)).collect();
    for round in 1..=speed.storm_rounds {
        for (tracer, (rounds, complaint)) in tracers.iter().zip(&mut all) {
            if complaint.is_none() {
                *complaint = one(tracer, speed, rounds).err();
            }
        }
        eprintln!("storms: round {round} of {}", speed.storm_rounds);
    }
    tracers
        .iter()
        .zip(all)
        .map(|(tracer, (rounds, complaint))| Footprint {
            name: tracer.name.clone(),
            command: tracer.shown(),
            first_event: spread(&rounds.first_event),
            cpu_us_per_event: spread(&rounds.cpu),
            idle_ms_per_s: spread(&rounds.idle),
            peak_rss_mib: spread(&rounds.rss),
            map_rss_mib: spread(&rounds.maps),
            storm: rounds.storm,
            complaint,
        })
        .collect()
}

fn one(tracer: &Tracer, speed: &Speed, rounds: &mut Rounds) -> Outcome<()> {
    for _ in 0..3 {
        rounds.first_event.push(tracer.first_event()?);
    }
    rounds.idle.push(idle(tracer, speed)?);
    let targets = [(); 2].map(|()| Target::orphan(1, "storm"));
    let storm = Storm::prepare(&targets, speed.storm_ms, 1, "storm");
    let pids = [targets[0].pid, targets[1].pid];
    let running = tracer.only_of(&pids).start_ready()?;
    running.drain();
    let before = running.cpu_seconds();
    let sent = storm.run()?;
    running.drain();
    // what is written by one of its threads may not be counted by another yet
    thread::sleep(Duration::from_millis(50));
    let cpu = running.cpu_seconds() - before;
    rounds.rss.push(running.peak_rss_mib());
    rounds.maps.push(running.map_rss_mib());
    let tally = running.tally(&pids)?;
    rounds.cpu.push(cpu * 1e6 / tally.seen.max(1) as f64);
    let is_worse = rounds.storm.is_none_or(|(sent, worst)| {
        let magnitude = |sent, tally: &Tally| (unaccounted(sent, tally).unsigned_abs(), tally.told_lost);
        magnitude(sent, &worst) < magnitude(sent, &tally)
    });
    if is_worse {
        rounds.storm = Some((sent.signals, tally));
    }
    Ok(())
}

/// CPU ms a second while nobody sends anything from here.
fn idle(tracer: &Tracer, speed: &Speed) -> Outcome<f64> {
    let running = tracer.start_ready()?;
    running.drain();
    let before = running.cpu_seconds();
    thread::sleep(speed.idle);
    let used = running.cpu_seconds() - before;
    running.stop()?;
    Ok(used * 1000.0 / speed.idle.as_secs_f64())
}
