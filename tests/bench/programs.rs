//! What each BPF program takes, by the kernel's own count (`kernel.bpf_stats_enabled`), of the programs of one tracer.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use libbpf_rs::query::ProgInfoIter;

use crate::numbers::{Spread, spread};
use crate::tracer::Tracer;
use crate::workload::{self, Target, URG};
use crate::{Outcome, Speed};

const SWITCH: &str = "/proc/sys/kernel/bpf_stats_enabled";

/// ns of one run of a program, its runs in all rounds, and what made it run.
#[derive(Debug, Clone)]
pub struct Program {
    pub what: &'static str,
    pub flags: String,
    pub command: String,
    pub name: String,
    pub nanoseconds: Spread,
    pub runs: u64,
}

/// The kernel counts while this lives.
struct Counting {
    before: String,
}

impl Counting {
    fn start() -> Outcome<Self> {
        let before = fs::read_to_string(SWITCH).map_err(|error| format!("{SWITCH}: {error}"))?;
        fs::write(SWITCH, "1").map_err(|error| format!("{SWITCH}: {error}"))?;
        Ok(Self { before })
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        let _ = fs::write(SWITCH, self.before.trim());
    }
}

/// What a program is to be measured at: the flags, what makes it run, and the program's name.
struct Phase {
    what: &'static str,
    flags: &'static [&'static str],
    makes: fn(&Target, &Speed) -> Vec<String>,
    programs: &'static [&'static str],
}

fn kills_of(target: &Target, speed: &Speed) -> Vec<String> {
    vec!["time-kill".to_owned(), speed.kills.to_string(), target.id()]
}

fn kills_of_itself(_: &Target, speed: &Speed) -> Vec<String> {
    vec!["time-kill".to_owned(), speed.kills.to_string(), "0".to_owned()]
}

fn execs(_: &Target, speed: &Speed) -> Vec<String> {
    vec!["runs".to_owned(), speed.children.to_string(), "exec".to_owned()]
}

const JSON: &str = "json={OUT}";
/// The kernel cuts names of programs after 15 characters.
const PHASES: [Phase; 5] = [
    Phase {
        what: "fork, exec, exit",
        flags: &["-o", JSON],
        makes: execs,
        programs: &["on_exec", "on_exec_again", "on_fork", "on_wakeup_new", "on_exit", "on_exit_again"],
    },
    Phase { what: "signal, reported", flags: &["-o", JSON], makes: kills_of, programs: &["on_signal_gener"] },
    Phase {
        what: "signal, hidden",
        flags: &["-o", JSON],
        makes: kills_of_itself,
        programs: &["on_signal_gener"],
    },
    Phase {
        what: "signal, refused by number",
        flags: &["-o", JSON, "-e", "URG"],
        makes: kills_of,
        programs: &["on_signal_gener"],
    },
    Phase {
        what: "signal, refused by --where in the kernel",
        flags: &["-o", JSON, "--where", "target.pid=1"],
        makes: kills_of,
        programs: &["on_signal_gener"],
    },
];

pub fn measure(speed: &Speed) -> Outcome<Vec<Program>> {
    debug_assert_eq!(URG, "23");
    let target = Target::start();
    let _counting = Counting::start()?;
    let mut found: BTreeMap<(usize, &str), (Vec<f64>, u64)> = BTreeMap::new();
    for _ in 0..speed.program_rounds {
        for (at, phase) in PHASES.iter().enumerate() {
            let running = Tracer::killsnoop("killsnoop", phase.flags).start_ready()?;
            let before = runs_of(running.pid());
            let arguments = (phase.makes)(&target, speed);
            workload::number(&arguments.iter().map(String::as_str).collect::<Vec<_>>())?;
            let after = runs_of(running.pid());
            for &name in phase.programs {
                let (Some(before), Some(after)) = (before.get(name), after.get(name)) else { continue };
                let (time, runs) = (after.0 - before.0, after.1 - before.1);
                let entry = found.entry((at, name)).or_default();
                entry.0.extend((runs > 0).then(|| time as f64 / runs as f64));
                entry.1 += runs;
            }
            running.stop()?;
        }
    }
    let programs = found.into_iter().filter_map(|((at, name), (nanoseconds, runs))| {
        let phase = &PHASES[at];
        Some(Program {
            what: phase.what,
            flags: phase.flags.join(" ").replace("{OUT}", "FILE"),
            command: format!("workload {}", (phase.makes)(&target, speed).join(" ")),
            name: name.to_owned(),
            nanoseconds: spread(&nanoseconds)?,
            runs,
        })
    });
    Ok(programs.collect())
}

/// Run time (ns) and runs of each program that this process holds: others of that name may be loaded by others.
fn runs_of(pid: u32) -> BTreeMap<String, (u64, u64)> {
    let held = held_by(pid);
    ProgInfoIter::default()
        .filter(|program| held.contains(&program.id))
        .map(|program| (program.name.to_string_lossy().into_owned(), (program.run_time_ns, program.run_cnt)))
        .collect()
}

fn held_by(pid: u32) -> BTreeSet<u32> {
    let files = fs::read_dir(format!("/proc/{pid}/fdinfo")).into_iter().flatten().filter_map(Result::ok);
    let id = |text: String| text.lines().find_map(|line| line.strip_prefix("prog_id:")?.trim().parse().ok());
    files.filter_map(|file| id(fs::read_to_string(file.path()).ok()?)).collect()
}
