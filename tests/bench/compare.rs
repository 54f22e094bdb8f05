//! What killsnoop costs: measured, drawn and written down by this program. `scripts/bench` and `scripts/churn` build it and
//! run it as root.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub, missing_docs)]
// no count in here comes near 2^53
#![allow(clippy::cast_precision_loss)]

mod churn;
mod host;
mod kills;
mod latency;
mod numbers;
mod performance_page;
mod plot;
mod programs;
mod scale;
mod storm;
mod subject;
mod sustained;
mod targets;
mod tracer;
mod workload;
mod worst;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, Parser, Subcommand};
use kills::Mode;
use performance_page::Results;
use tracer::{Ready, Tracer};

#[derive(Parser)]
#[command(about = "Measures what killsnoop costs", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// What `cargo bench` adds
    #[arg(long, hide = true, global = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Compiles the workload, and nothing else: as the user, before root does the rest
    Prepare,
    /// Everything that is in docs/performance.md
    Compare(Options),
    /// Memory while processes come and go for an hour: docs/churn.{csv,svg,md}
    Churn(churn::Options),
}

#[derive(Args)]
struct Options {
    /// Fewer rounds, into a temporary directory
    #[arg(long)]
    quick: bool,
    /// A tracer to compare with: its lines, with the target's pid as a word, go to its standard output. Any number of them
    #[arg(long, value_name = "NAME=COMMAND", value_parser = named)]
    peer: Vec<(String, String)>,
    /// A tracer that is not here, and why: the report says so
    #[arg(long, value_name = "NAME=WHY", value_parser = named)]
    missing: Vec<(String, String)>,
}

fn named(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it is to be NAME=…")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// How often, and how long.
#[derive(Debug, Clone, Copy)]
pub struct Speed {
    pub rounds: usize,
    pub kills: usize,
    pub paced_kills: usize,
    pub storm_rounds: usize,
    pub storm_ms: u64,
    pub sustained_ms: u64,
    pub idle: Duration,
    pub program_rounds: usize,
    pub children: usize,
    pub latency_ms: u64,
    pub scale_rounds: usize,
}

const FULL: Speed = Speed {
    rounds: 9,
    // whose records the ring holds
    kills: 3000,
    paced_kills: 300,
    storm_rounds: 3,
    storm_ms: 1000,
    sustained_ms: 3000,
    idle: Duration::from_secs(5),
    program_rounds: 3,
    children: 2000,
    latency_ms: 3000,
    scale_rounds: 3,
};

const QUICK: Speed = Speed {
    rounds: 2,
    kills: 2000,
    paced_kills: 100,
    storm_rounds: 1,
    storm_ms: 300,
    sustained_ms: 1000,
    idle: Duration::from_secs(1),
    program_rounds: 1,
    children: 300,
    latency_ms: 500,
    scale_rounds: 1,
};

/// An error that a person is to read: what is wrong, and what to do.
type Outcome<T> = Result<T, String>;

fn main() -> ExitCode {
    support::use_build(env!("CARGO_BIN_EXE_killsnoop"), env!("CARGO_TARGET_TMPDIR"));
    let outcome = match Arguments::parse().command {
        Command::Prepare => {
            support::workload();
            Ok(())
        }
        Command::Compare(options) => compare(&options),
        Command::Churn(options) => churn::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(complaint) => {
            eprintln!("{complaint}");
            ExitCode::FAILURE
        }
    }
}

/// killsnoop, and those that it is compared with.
fn tracers(options: &Options) -> Vec<Tracer> {
    let own = Tracer::killsnoop("killsnoop", &["-o", "json={OUT}"]);
    let peers = options.peer.iter().map(|(name, command)| Tracer {
        name: name.clone(),
        command: command.split_whitespace().map(str::to_owned).collect(),
        ready: Ready::Shows,
    });
    [own].into_iter().chain(peers).collect()
}

/// Signals that are not reported, by where that is decided.
fn refusals() -> Vec<Mode> {
    let mode = |name: &str, flags: &[&str], is_own: bool| Mode {
        tracer: Tracer::killsnoop(name, &[&["-o", "json={OUT}"], flags].concat()),
        is_own,
        is_peer: false,
    };
    vec![
        mode("refused by number", &["-e", "URG"], false),
        mode("hidden", &[], true),
        mode("refused by --where in the kernel", &["--where", "target.pid=1"], false),
        mode("refused by --where later", &["--where", "target.comm=nobody*"], false),
    ]
}

fn compare(options: &Options) -> Outcome<()> {
    let began = Instant::now();
    let speed = if options.quick { QUICK } else { FULL };
    let tracers = tracers(options);
    let compared = tracers.iter().map(|tracer| Mode { tracer: tracer.clone(), is_own: false, is_peer: true });
    let modes: Vec<Mode> = compared.chain(refusals()).collect();
    let mut failed = Vec::new();
    let mut results = Results {
        command: format!("scripts/bench{}", if options.quick { " --quick" } else { "" }),
        speed,
        missing: options.missing.clone(),
        costs: part(&mut failed, "kills", kills::measure(&modes, &speed)),
        worst: part(&mut failed, "worst cases", worst::measure(&tracers, &speed)),
        footprints: storm::measure(&tracers, &speed),
        programs: part(&mut failed, "BPF programs", programs::measure(&speed)),
        sustained: part(&mut failed, "sustained", sustained::measure(&speed)),
        latencies: part(&mut failed, "latency", latency::measure(&speed)),
        scale: part(&mut failed, "depth and length", scale::measure(&speed)),
        failed: Vec::new(),
        minutes: 0.0,
    };
    results.scale.crowds = part(&mut failed, "many processes", scale::crowds());
    results.minutes = began.elapsed().as_secs_f64() / 60.0;
    results.failed = failed;
    let directory = if options.quick { tempfile::tempdir().unwrap().keep() } else { host::docs() };
    results.write(&directory);
    eprintln!("wrote performance.md and performance-*.svg in {}", directory.display());
    if results.failed.is_empty() { Ok(()) } else { Err(results.failed.join("\n")) }
}

/// What was measured; where that failed nothing, and the report says why.
fn part<T: Default>(failed: &mut Vec<String>, name: &str, outcome: Outcome<T>) -> T {
    outcome.unwrap_or_else(|complaint| {
        failed.push(format!("{name}: {complaint}"));
        T::default()
    })
}
