//! The signals to killsnoop itself: what each of them sets, and how it wakes the reader of the ring.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::Context;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1};

use crate::trace::Requests;

/// Flags that signals set, and the pipe that wakes the reader at the same time.
#[derive(Debug)]
pub(super) struct Wiring {
    stop: Arc<AtomicBool>,
    hurry: Arc<AtomicBool>,
    report: Arc<AtomicBool>,
    reopen: Arc<AtomicBool>,
    mark: Arc<AtomicBool>,
    interrupt: UnixStream,
    interrupted: UnixStream,
    /// Counts up as long as the trace goes on.
    beats: Arc<AtomicU64>,
}

/// Ends a trace from another thread.
#[derive(Debug)]
pub(super) struct Stopper {
    stop: Arc<AtomicBool>,
    mark: Arc<AtomicBool>,
    interrupted: UnixStream,
}

impl Stopper {
    /// Somebody asks the store: it is to hear now up to when it has all.
    pub(super) fn ask_for_mark(&mut self) {
        self.mark.store(true, Ordering::Relaxed);
        let _ = self.interrupted.write_all(&[0]);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub(super) fn stop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.interrupted.write_all(&[0]);
    }
}

/// Who reacts to the interrupt key of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Terminal {
    /// killsnoop: it ends the trace.
    Ours,
    /// The command that `run` traces.
    Commands,
    /// Another process of ours, which passes on what it gets; this process may get the same from elsewhere.
    Supervisors,
}

impl Wiring {
    pub(super) fn new() -> anyhow::Result<Self> {
        let (interrupt, interrupted) = UnixStream::pair().context("cannot make the pipe for signals")?;
        interrupt.set_nonblocking(true).context("cannot set up the pipe for signals")?;
        let flag = Arc::<AtomicBool>::default;
        Ok(Self {
            stop: flag(),
            hurry: flag(),
            report: flag(),
            reopen: flag(),
            mark: flag(),
            interrupt,
            interrupted,
            beats: Arc::default(),
        })
    }

    fn handle(&self, signal: i32, flag: &Arc<AtomicBool>) -> anyhow::Result<()> {
        // the flag first, so that it is set when the byte wakes the reader
        signal_hook::flag::register(signal, Arc::clone(flag))
            .and_then(|_| signal_hook::low_level::pipe::register(signal, self.interrupted.try_clone()?))
            .with_context(|| format!("cannot handle signal {signal}"))?;
        Ok(())
    }

    /// After this signal no output that has stopped reading is waited for.
    pub(super) fn hurry_at(&self, signal: i32) -> anyhow::Result<()> {
        signal_hook::flag::register(signal, Arc::clone(&self.hurry))
            .map(|_| ())
            .with_context(|| format!("cannot handle signal {signal}"))
    }

    pub(super) fn handle_all(&self, terminal: Terminal, has_files: bool) -> anyhow::Result<()> {
        match terminal {
            Terminal::Ours => {
                // a second one ends the process at once, whatever it waits for
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
            Terminal::Supervisors => {
                for signal in [SIGINT, SIGTERM] {
                    self.hurry_at(signal)?;
                    self.handle(signal, &self.stop)?;
                }
                self.handle(SIGHUP, &Arc::default())?;
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

    /// Set by SIGUSR1 as well, for who reports more than the trace does.
    pub(super) fn reports() -> anyhow::Result<Arc<AtomicBool>> {
        let flag = Arc::<AtomicBool>::default();
        signal_hook::flag::register(SIGUSR1, Arc::clone(&flag)).context("cannot handle SIGUSR1")?;
        Ok(flag)
    }

    /// Counts up as long as the trace goes on.
    pub(super) fn beats(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.beats)
    }

    /// The trace is over, whatever ended it.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    pub(super) fn stopper(&self) -> io::Result<Stopper> {
        Ok(Stopper {
            stop: Arc::clone(&self.stop),
            mark: Arc::clone(&self.mark),
            interrupted: self.interrupted.try_clone()?,
        })
    }

    pub(super) fn requests(&self) -> Requests<'_> {
        Requests {
            stop: &self.stop,
            hurry: &self.hurry,
            report: &self.report,
            reopen: &self.reopen,
            mark: &self.mark,
            beats: &self.beats,
            interrupt: &self.interrupt,
        }
    }
}
