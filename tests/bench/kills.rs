//! What one `kill()` costs more under each tracer, in very short turns, one tracer after the other: what the host does
//! meanwhile meets all of them alike.

use crate::numbers::{Spread, spread};
use crate::tracer::Tracer;
use crate::workload::{HeldSender, Target};
use crate::{Outcome, Speed};

pub struct Mode {
    pub tracer: Tracer,
    /// The sender signals itself, rather than another.
    pub is_own: bool,
    /// Which rows of the report it is in.
    pub is_peer: bool,
}

/// Added µs.
#[derive(Debug, Clone, Default)]
pub struct Cost {
    pub name: String,
    pub command: String,
    pub is_peer: bool,
    pub full: Option<Spread>,
    pub paced: Option<Spread>,
    /// Why there is none.
    pub complaint: Option<String>,
}

#[derive(Debug, Clone, Default)]
pub struct Costs {
    /// µs of a `kill()` that nobody traces.
    pub bare_full: Option<Spread>,
    pub bare_paced: Option<Spread>,
    pub each: Vec<Cost>,
    /// The ratio of `getppid()` with killsnoop and without, and the ns without.
    pub getppid: Option<(Spread, Spread)>,
}

/// ns of the four: another and itself, at full speed and paced.
#[derive(Debug, Clone, Copy)]
struct Turn {
    full: f64,
    paced: f64,
    own_full: f64,
    own_paced: f64,
    getppid: f64,
}

/// Those who will measure a turn: there before the tracer is.
struct Ready {
    full: HeldSender,
    paced: HeldSender,
    own: Option<[HeldSender; 2]>,
    getppid: Option<HeldSender>,
}

impl Ready {
    fn prepare(target: &Target, speed: &Speed, with_own: bool, with_getppid: bool) -> Self {
        let (kills, paced) = (speed.kills.to_string(), speed.paced_kills.to_string());
        let full = |target: &str| HeldSender::alone(&["time-kill", &kills, target]);
        let slow = |target: &str| HeldSender::alone(&["time-kill", &paced, target, "1000"]);
        Self {
            full: full(&target.id()),
            paced: slow(&target.id()),
            own: with_own.then(|| [full("0"), slow("0")]),
            getppid: with_getppid.then(|| HeldSender::alone(&["time-getppid", "200"])),
        }
    }

    fn turn(self) -> Outcome<Turn> {
        let or_not = |sender: Option<HeldSender>| sender.map_or(Ok(f64::NAN), HeldSender::number);
        let [own_full, own_paced] = self.own.map_or([None, None], |own| own.map(Some));
        // full speed last: the lines of what came before are still being written when it has gone
        let getppid = or_not(self.getppid)?;
        let own_paced = or_not(own_paced)?;
        let paced = self.paced.number()?;
        let own_full = or_not(own_full)?;
        Ok(Turn { full: self.full.number()?, paced, own_full, own_paced, getppid })
    }
}

pub fn measure(modes: &[Mode], speed: &Speed) -> Outcome<Costs> {
    let target = Target::orphan(1, "target");
    let mut bare: Vec<Turn> = Vec::new();
    let mut traced: Vec<Vec<Outcome<Turn>>> = modes.iter().map(|_| Vec::new()).collect();
    for round in 1..=speed.rounds {
        bare.push(Ready::prepare(&target, speed, true, true).turn()?);
        for (at, mode) in modes.iter().enumerate() {
            // what did not work once is not tried again
            if traced[at].iter().any(Result::is_err) {
                continue;
            }
            let ready = Ready::prepare(&target, speed, mode.is_own, at == 0);
            traced[at].push(mode.tracer.start_ready().and_then(|running| {
                let turn = ready.turn()?;
                running.stop()?;
                Ok(turn)
            }));
        }
        eprintln!("kills: round {round} of {}", speed.rounds);
    }
    Ok(Costs {
        bare_full: spread(&bare.iter().map(|turn| turn.full / 1000.0).collect::<Vec<_>>()),
        bare_paced: spread(&bare.iter().map(|turn| turn.paced / 1000.0).collect::<Vec<_>>()),
        each: modes.iter().zip(&traced).map(|(mode, turns)| cost(mode, &bare, turns)).collect(),
        getppid: getppid(&bare, &traced[0]),
    })
}

/// Each turn less the bare one of the same round.
fn cost(mode: &Mode, bare: &[Turn], turns: &[Outcome<Turn>]) -> Cost {
    let added = |of: fn(&Turn) -> f64| {
        let pairs = bare.iter().zip(turns.iter().flatten());
        spread(&pairs.map(|(bare, turn)| (of(turn) - of(bare)) / 1000.0).collect::<Vec<_>>())
    };
    Cost {
        name: mode.tracer.name.clone(),
        command: mode.tracer.shown(),
        is_peer: mode.is_peer,
        full: if mode.is_own { added(|turn| turn.own_full) } else { added(|turn| turn.full) },
        paced: if mode.is_own { added(|turn| turn.own_paced) } else { added(|turn| turn.paced) },
        complaint: turns.iter().find_map(|turn| turn.as_ref().err().cloned()),
    }
}

fn getppid(bare: &[Turn], traced: &[Outcome<Turn>]) -> Option<(Spread, Spread)> {
    let pairs = bare.iter().zip(traced.iter().flatten());
    let ratios: Vec<f64> = pairs.map(|(bare, turn)| turn.getppid / bare.getppid).collect();
    Some((spread(&ratios)?, spread(&bare.iter().map(|turn| turn.getppid).collect::<Vec<_>>())?))
}
