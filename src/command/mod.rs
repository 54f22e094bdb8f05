//! What each command does: a trace of the host, `run`, `who`. The signals to killsnoop itself are wired here.

pub mod child;
pub mod doctor;
pub mod generate;
pub(crate) mod invoker;
pub mod outputs;
pub mod run;
mod threads;
pub mod who;

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1};

use crate::bpf::plan::check_proc;
use crate::bpf::probe::ProcFault;
use crate::bpf::session::route_libbpf_messages;
use crate::cli::Request;
use crate::enrich::procfs;
use crate::error::{TraceError, UsageError};
use crate::trace::privileges::Needs;
use crate::trace::{self, Requests, TraceOptions};

/// Flags that signals set, and the pipe that wakes the reader at the same time.
#[derive(Debug)]
struct Wiring {
    stop: Arc<AtomicBool>,
    hurry: Arc<AtomicBool>,
    report: Arc<AtomicBool>,
    reopen: Arc<AtomicBool>,
    interrupt: UnixStream,
    interrupted: UnixStream,
}

/// Ends a trace from another thread.
#[derive(Debug)]
struct Stopper {
    stop: Arc<AtomicBool>,
    interrupted: UnixStream,
}

impl Stopper {
    fn stop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.interrupted.write_all(&[0]);
    }
}

/// Whose ^C is it?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Terminal {
    /// Ours: it ends the trace.
    Ours,
    /// The command's.
    Commands,
}

impl Wiring {
    fn new() -> anyhow::Result<Self> {
        let (interrupt, interrupted) = UnixStream::pair().context("cannot make the pipe for signals")?;
        interrupt.set_nonblocking(true).context("cannot set up the pipe for signals")?;
        let flag = Arc::<AtomicBool>::default;
        Ok(Self { stop: flag(), hurry: flag(), report: flag(), reopen: flag(), interrupt, interrupted })
    }

    fn handle(&self, signal: i32, flag: &Arc<AtomicBool>) -> anyhow::Result<()> {
        // the flag first, so that it is set when the byte wakes the reader
        signal_hook::flag::register(signal, Arc::clone(flag))
            .and_then(|_| signal_hook::low_level::pipe::register(signal, self.interrupted.try_clone()?))
            .with_context(|| format!("cannot handle signal {signal}"))?;
        Ok(())
    }

    /// Somebody who sends this does not want to wait for a reader of our lines that has stopped.
    fn hurry_at(&self, signal: i32) -> anyhow::Result<()> {
        signal_hook::flag::register(signal, Arc::clone(&self.hurry))
            .map(|_| ())
            .with_context(|| format!("cannot handle signal {signal}"))
    }

    fn handle_all(&self, terminal: Terminal, has_files: bool) -> anyhow::Result<()> {
        match terminal {
            Terminal::Ours => {
                // whoever asks a second time does not want to wait for a pipe that nobody reads
                for signal in [SIGINT, SIGTERM] {
                    signal_hook::flag::register_conditional_shutdown(
                        signal,
                        128 + signal,
                        Arc::clone(&self.stop),
                    )
                    .with_context(|| format!("cannot handle signal {signal}"))?;
                    self.hurry_at(signal)?;
                    self.handle(signal, &self.stop)?;
                }
                if !has_files {
                    self.hurry_at(SIGHUP)?;
                }
                self.handle(SIGHUP, if has_files { &self.reopen } else { &self.stop })?;
            }
            Terminal::Commands => {
                // handled, not ignored: what is ignored stays so across exec
                let nothing = Arc::<AtomicBool>::default();
                for signal in [SIGINT, SIGQUIT] {
                    self.hurry_at(signal)?;
                    self.handle(signal, &nothing)?;
                }
                self.handle(SIGHUP, if has_files { &self.reopen } else { &nothing })?;
            }
        }
        self.handle(SIGUSR1, &self.report)
    }

    fn stopper(&self) -> io::Result<Stopper> {
        Ok(Stopper { stop: Arc::clone(&self.stop), interrupted: self.interrupted.try_clone()? })
    }

    fn requests(&self) -> Requests<'_> {
        Requests {
            stop: &self.stop,
            hurry: &self.hurry,
            report: &self.report,
            reopen: &self.reopen,
            interrupt: &self.interrupt,
        }
    }
}

/// Before anything is looked up in /proc.
fn begin() -> Result<(), TraceError> {
    route_libbpf_messages();
    check_proc(ProcFault::look())
}

/// Traces the host until asked to stop.
///
/// # Errors
/// If tracing is not possible.
pub fn trace(mut request: Request, has_status: bool) -> anyhow::Result<()> {
    begin()?;
    threads::name_processes(&mut request);
    let mut reporter = outputs::open(&request.settings, false)?;
    let wiring = Wiring::new()?;
    wiring.handle_all(Terminal::Ours, reporter.has_files())?;
    let mut options = TraceOptions { when_ready: &mut || Ok(()), needs: Needs::default(), has_status };
    trace::run(&request.config, &wiring.requests(), &mut reporter, &mut options)?;
    Ok(())
}

/// Is the root that of a host's file system?
///
/// # Errors
/// If there is no such directory, or no `/proc` in it: says what to do. Whether there is a `/proc` at `/` is asked later.
pub fn check_root(root: &Path) -> Result<(), UsageError> {
    let wrong = |why: String| Err(UsageError::Root { root: root.display().to_string(), why });
    let proc_directory = root.join("proc");
    match std::fs::read_dir(root) {
        Err(error) => wrong(format!("{error}; give the directory where that is mounted (--root DIR)")),
        Ok(_) if root != Path::new("/") && !procfs::is_mounted(&proc_directory) => wrong(format!(
            "no proc file system is mounted at {0}; mount the host's there (docker run -v /:{1}:ro,rslave, or mount \
             --rbind /proc {0})",
            proc_directory.display(),
            root.display()
        )),
        Ok(_) => Ok(()),
    }
}
