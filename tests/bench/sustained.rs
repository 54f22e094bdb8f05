//! Four senders at full speed to four targets: how many complete events a second come out, and whether all are accounted for.

use crate::numbers::{Spread, spread};
use crate::storm::unaccounted;
use crate::tracer::{Tally, Tracer};
use crate::workload::{self, Storm, StormResult, Target};
use crate::{Outcome, Speed};

/// Processes of each chain, the host's above an orphan included.
pub const DEPTH: usize = 5;
/// With it a command line is some 60 bytes.
const FILLER: &str = "--of=forty-bytes-so-that-a-line-has-60-x";

#[derive(Debug, Clone, Default)]
pub struct Sustained {
    pub command: String,
    pub seconds: f64,
    pub rounds: Vec<Round>,
}

#[derive(Debug, Clone, Copy)]
pub struct Round {
    pub sent: StormResult,
    pub tally: Tally,
    /// From the first signal until the last line was written.
    pub seconds: f64,
}

impl Round {
    pub fn events_per_second(&self) -> f64 {
        self.tally.complete as f64 / self.seconds
    }

    pub fn unaccounted(&self) -> i64 {
        unaccounted(self.sent.signals, &self.tally)
    }
}

impl Sustained {
    pub fn events_per_second(&self) -> Option<Spread> {
        spread(&self.rounds.iter().map(Round::events_per_second).collect::<Vec<_>>())
    }

    pub fn bytes_per_event(&self) -> Option<Spread> {
        let bytes = |round: &Round| round.tally.bytes as f64 / round.tally.seen.max(1) as f64;
        spread(&self.rounds.iter().map(bytes).collect::<Vec<_>>())
    }

    pub fn unaccounted(&self) -> i64 {
        self.rounds.iter().map(Round::unaccounted).max_by_key(|number| number.abs()).unwrap_or(0)
    }
}

/// How many of each chain are the workload's.
pub fn nested() -> u32 {
    DEPTH.saturating_sub(workload::above().0).max(1) as u32
}

pub fn measure(speed: &Speed) -> Outcome<Sustained> {
    let mut rounds = Vec::new();
    let mut command = String::new();
    let depth = nested();
    for round in 1..=speed.storm_rounds {
        let targets: Vec<Target> = (0..4).map(|_| Target::orphan(depth, FILLER)).collect();
        let pids: Vec<u32> = targets.iter().map(|target| target.pid).collect();
        let storm = Storm::prepare(&targets, speed.sustained_ms, depth, FILLER);
        let tracer = Tracer::killsnoop("killsnoop", &["-o", "json={OUT}"]).only_of(&pids);
        let running = tracer.start_ready()?;
        let sent = storm.run()?;
        let drained = running.drain();
        let tally = running.tally(&pids)?;
        rounds.push(Round { sent, tally, seconds: sent.seconds + drained.as_secs_f64() });
        command = tracer.shown().split_once("target.pid=").unwrap().0.to_owned() + "target.pid=THE FOUR";
        eprintln!("sustained: round {round} of {}", speed.storm_rounds);
    }
    Ok(Sustained { command, seconds: speed.sustained_ms as f64 / 1000.0, rounds })
}
