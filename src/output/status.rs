//! One line on standard error that shows that the tracer works while nothing happens, and vanishes when lines come.
//!
//! Only where it can be seen: standard error is a terminal, and this process is in its foreground.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use crate::output::format::screen::{PLAIN, Screen, Width, cut};

/// It is renewed in this time.
pub const EVERY: Duration = Duration::from_secs(1);

/// It stands there now. Log lines and lines of events both have to know.
static IS_SHOWN: AtomicBool = AtomicBool::new(false);

/// A log line that waits so long for lines of events to be written is left out.
const STUCK: Duration = Duration::from_millis(200);

/// Held while lines of events are written to a terminal.
static SCREEN: Mutex<()> = Mutex::new(());

/// Takes it away, and keeps it away.
pub fn cleared() -> MutexGuard<'static, ()> {
    let screen = SCREEN.lock().unwrap_or_else(PoisonError::into_inner);
    clear();
    screen
}

/// Takes it away, if it is shown.
pub fn clear() {
    if IS_SHOWN.swap(false, Ordering::Relaxed) {
        let _ = io::stderr().write_all(b"\r\x1b[K");
    }
}

/// Standard error for log lines.
#[derive(Debug, Clone, Copy)]
pub struct LogWriter;

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let began = Instant::now();
        let _screen = loop {
            match SCREEN.try_lock() {
                Ok(screen) => break screen,
                Err(TryLockError::Poisoned(screen)) => break screen.into_inner(),
                // lines of events are stuck where the log goes: so would the log be, and who writes it
                Err(TryLockError::WouldBlock) if began.elapsed() >= STUCK => return Ok(bytes.len()),
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        clear();
        // where nobody is left to read it, who logs would complain about that there, and end by it
        io::stderr().write(bytes).or(Ok(bytes.len()))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// What it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// Signals seen.
    pub seen: u64,
    /// Of these hidden by default.
    pub hidden: u64,
    /// And refused by a filter.
    pub filtered: u64,
    /// And lost.
    pub lost: u64,
    /// Processes known when the trace began.
    pub processes: u64,
}

/// Shows it.
#[derive(Debug)]
pub struct Status {
    is_wanted: bool,
    shown_at: Instant,
}

impl Status {
    /// Where it is not wanted it never shows.
    pub fn new(is_wanted: bool) -> Self {
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        Self { is_wanted: is_wanted && io::stderr().is_terminal() && !is_dumb, shown_at: Instant::now() }
    }

    /// It has to be renewed now and then.
    pub fn is_wanted(&self) -> bool {
        self.is_wanted
    }

    /// Lines came: it waits until nothing has come for a while.
    pub fn put_off(&mut self) {
        self.shown_at = Instant::now();
    }

    /// Shows it, if it is time to.
    pub fn show(&mut self, facts: impl FnOnce() -> Facts) {
        if !self.is_wanted || self.shown_at.elapsed() < EVERY || !is_in_foreground() {
            return;
        }
        self.shown_at = Instant::now();
        let screen = Screen { width: Width::OfStderr, ..PLAIN };
        // the last column stays free, or the cursor would go on to the next line
        let columns = screen.columns().unwrap_or(80).saturating_sub(1);
        let line = cut(screen, &text(facts()), columns);
        // lines that are being written, to a terminal that may have been stopped, come first
        let Ok(_screen) = SCREEN.try_lock() else { return };
        IS_SHOWN.store(true, Ordering::Relaxed);
        let _ = io::stderr().write_all(format!("\r\x1b[K{line}").as_bytes());
    }
}

impl Drop for Status {
    fn drop(&mut self) {
        clear();
    }
}

/// A shell that has put this into the background has the terminal for itself.
fn is_in_foreground() -> bool {
    rustix::termios::tcgetpgrp(io::stderr()).is_ok_and(|group| group == rustix::process::getpgrp())
}

fn text(facts: Facts) -> String {
    let Facts { seen, hidden, filtered, lost, processes } = facts;
    format!(
        "watching: {seen} signals seen, {hidden} hidden, {filtered} filtered, {lost} lost; {processes} processes known at the start"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_was_seen_hidden_filtered_and_lost() {
        let facts = Facts { seen: 5, hidden: 3, filtered: 1, lost: 2, processes: 99 };
        assert_eq!(
            text(facts),
            "watching: 5 signals seen, 3 hidden, 1 filtered, 2 lost; 99 processes known at the start"
        );
    }

    #[test]
    fn it_never_shows_where_it_is_not_wanted() {
        let mut status = Status::new(false);
        status.shown_at = Instant::now().checked_sub(2 * EVERY).unwrap();
        status.show(|| panic!("nobody looks at it"));
        clear();
    }
}
