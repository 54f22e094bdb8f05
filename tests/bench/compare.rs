//! What killsnoop costs: measured, drawn and written down by this program. `scripts/bench` and `scripts/churn` build it and
//! run it as root.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub, dead_code, missing_docs)]
// no count in here comes near 2^53
#![allow(clippy::cast_precision_loss)]

mod churn;
#[path = "../root/harness.rs"]
mod harness;
mod host;
mod numbers;
mod plot;
mod subject;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
    /// Memory while processes come and go for an hour: docs/churn.{csv,svg,md}
    Churn(churn::Options),
}

/// An error that a person is to read: what is wrong, and what to do.
type Outcome<T> = Result<T, String>;

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Prepare => {
            harness::workload();
            Ok(())
        }
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
