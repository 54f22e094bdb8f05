//! What a `kill()` costs more where nothing is as it was the time before: senders in turn, targets that wake up, deep chains with long
//! command lines, new processes for each signal.

use std::thread;
use std::time::Duration;

use crate::numbers::{Spread, spread};
use crate::scale::record_of;
use crate::tracer::Tracer;
use crate::workload::{HeldSender, Target};
use crate::{Outcome, Speed};

/// A case, and what was added in it, by tracer: µs.
#[derive(Debug, Clone)]
pub struct Case {
    pub what: String,
    pub command: String,
    /// µs of a `kill()` that nobody traces.
    pub bare: Option<Spread>,
    pub added: Vec<(String, Option<Spread>)>,
}

/// Who is signalled.
enum Signalled {
    Ignoring,
    Waking,
    Nested(u32, String),
    /// It starts its own.
    None,
}

struct Kind {
    what: String,
    /// What times it, without the count and the target.
    role: &'static str,
    target: Signalled,
    /// Bytes of a record, at most.
    record: usize,
}

fn kinds() -> Vec<Kind> {
    let kind = |what: &str, role, target| Kind { what: what.to_owned(), role, target, record: 4096 };
    let mut kinds = vec![
        kind("one pair, the best case", "time-kill", Signalled::Ignoring),
        kind("two senders in turn on one CPU", "time-in-turn", Signalled::Ignoring),
        kind("the target wakes up and handles it", "time-kill", Signalled::Waking),
        kind("both processes are new", "time-fresh", Signalled::None),
    ];
    for depth in [9, 18] {
        for length in [60, 1000] {
            kinds.push(Kind {
                what: format!("chains of {depth} with arguments of {length} bytes"),
                role: "time-kill",
                target: Signalled::Nested(depth, "x".repeat(length)),
                record: record_of(depth, length),
            });
        }
    }
    kinds
}

impl Kind {
    /// A sender that is there before the tracer, and who it signals.
    fn prepare(&self, speed: &Speed) -> (HeldSender, Option<Target>) {
        let most = if self.role == "time-fresh" { speed.children / 4 } else { speed.kills / 2 };
        let kills = crate::scale::in_ring(self.record).min(most).to_string();
        let target = match &self.target {
            Signalled::Ignoring => Some(Target::orphan(1, "target")),
            Signalled::Waking => Some(Target::waking()),
            Signalled::Nested(depth, filler) => Some(Target::orphan(*depth, filler)),
            Signalled::None => None,
        };
        let id = target.as_ref().map(Target::id);
        let arguments: Vec<&str> = [self.role, &kills].into_iter().chain(id.as_deref()).collect();
        let sender = match &self.target {
            Signalled::Nested(depth, filler) => HeldSender::nested(*depth, filler, &arguments),
            _ => HeldSender::alone(&arguments),
        };
        (sender, target)
    }

    fn nanoseconds(&self, speed: &Speed, tracer: Option<&Tracer>) -> Outcome<f64> {
        let (sender, _target) = self.prepare(speed);
        let running = tracer.map(Tracer::start_ready).transpose()?;
        let took = sender.number()?;
        if let Some(running) = running {
            running.stop()?;
            // what it wrote goes with it
            thread::sleep(Duration::from_millis(20));
        }
        Ok(took)
    }
}

pub fn measure(tracers: &[Tracer], speed: &Speed) -> Outcome<Vec<Case>> {
    let kinds = kinds();
    let mut bare: Vec<Vec<f64>> = vec![Vec::new(); kinds.len()];
    let mut added: Vec<Vec<Vec<f64>>> = vec![vec![Vec::new(); tracers.len()]; kinds.len()];
    for round in 1..=speed.scale_rounds {
        for (at, kind) in kinds.iter().enumerate() {
            let alone = kind.nanoseconds(speed, None)?;
            bare[at].push(alone / 1000.0);
            for (which, tracer) in tracers.iter().enumerate() {
                let traced = kind.nanoseconds(speed, Some(tracer))?;
                added[at][which].push((traced - alone) / 1000.0);
            }
        }
        eprintln!("worst cases: round {round} of {}", speed.scale_rounds);
    }
    let of = |at: usize, kind: Kind| Case {
        command: format!("workload {}", kind.role),
        what: kind.what,
        bare: spread(&bare[at]),
        added: tracers
            .iter()
            .enumerate()
            .map(|(which, tracer)| (tracer.name.clone(), spread(&added[at][which])))
            .collect(),
    };
    Ok(kinds.into_iter().enumerate().map(|(at, kind)| of(at, kind)).collect())
}
