//! Wiring and exit code.

use std::io::{self, IsTerminal};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use killsnoop::bpf::session::route_libbpf_messages;
use killsnoop::cli::Cli;
use killsnoop::config::Config;
use killsnoop::tracer::{self, Requests};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};

fn main() -> ExitCode {
    // clap itself ends with 2 on wrong usage, 0 after help
    let cli = Cli::parse();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::from(cli.log_level))
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_target(false)
        .without_time()
        .init();
    let config = match Config::try_from(cli) {
        Ok(config) => config,
        Err(error) => Cli::command().error(ErrorKind::ArgumentConflict, error).exit(),
    };
    match trace(&config) {
        Ok(()) => ExitCode::SUCCESS,
        // a TraceError tells its cause itself, before the hint
        Err(error) => {
            eprintln!("killsnoop: {error:#}");
            ExitCode::from(1)
        }
    }
}

fn trace(config: &Config) -> anyhow::Result<()> {
    route_libbpf_messages();
    let stop = Arc::new(AtomicBool::new(false));
    let report = Arc::new(AtomicBool::new(false));
    let (interrupt, interrupted) = UnixStream::pair().context("cannot make the pipe for signals")?;
    interrupt.set_nonblocking(true).context("cannot set up the pipe for signals")?;
    // whoever asks a second time does not want to wait for a pipe that nobody reads
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stop))
            .with_context(|| format!("cannot handle signal {signal}"))?;
    }
    // the flag first, so that it is set when the byte wakes the reader
    for (signal, flag) in [(SIGINT, &stop), (SIGTERM, &stop), (SIGHUP, &stop), (SIGUSR1, &report)] {
        signal_hook::flag::register(signal, Arc::clone(flag))
            .and_then(|_| signal_hook::low_level::pipe::register(signal, interrupted.try_clone()?))
            .with_context(|| format!("cannot handle signal {signal}"))?;
    }
    let requests = Requests { stop: &stop, report: &report, interrupt: &interrupt };
    tracer::run(config, &requests, &mut io::stdout().lock())?;
    Ok(())
}
