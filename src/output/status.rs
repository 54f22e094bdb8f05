//! One line on standard error that shows that the tracer starts, or works while nothing happens, and vanishes when lines come.
//!
//! Only where it can be seen: standard error is a terminal, and this process is in its foreground.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::output::format::screen::{PLAIN, Screen, Width, cut};

/// A start that takes longer is shown.
const MOMENT: Duration = Duration::from_millis(300);

/// What is shown of it: that nothing is traced yet.
const STARTING: &str = "starting: loading the BPF programs into the kernel";

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

/// What it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// Signals seen.
    pub seen: u64,
    /// Of these reported.
    pub shown: u64,
    /// And hidden by default.
    pub hidden: u64,
    /// And refused by a filter.
    pub filtered: u64,
    /// And lost.
    pub lost: u64,
}

/// What the trace is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purpose {
    /// `waiting for a signal to sleep(30858) or its end`.
    pub text: String,
    /// What came meanwhile belongs to the answer; what was lost always does.
    pub has_counts: bool,
}

/// Shows it.
#[derive(Debug)]
pub struct Status {
    /// None: it never shows.
    purpose: Option<Purpose>,
    /// When it was shown last, or lines came. None: not yet.
    shown_at: Option<Instant>,
}

impl Status {
    /// Without a purpose it never shows.
    pub fn new(purpose: Option<Purpose>) -> Self {
        Self { purpose: purpose.filter(|_| can_be_seen()), shown_at: None }
    }

    /// It has to be renewed now and then.
    pub fn is_wanted(&self) -> bool {
        self.purpose.is_some()
    }

    /// Lines came: it waits until nothing has come for a while.
    pub fn put_off(&mut self) {
        self.shown_at = Some(Instant::now());
    }

    /// Shows it, if it is time to.
    pub fn show(&mut self, facts: impl FnOnce() -> Facts) {
        let Some(purpose) = &self.purpose else { return };
        if self.shown_at.is_some_and(|at| at.elapsed() < EVERY) || !is_in_foreground() {
            return;
        }
        self.shown_at = Some(Instant::now());
        draw(&text(purpose, facts()));
    }
}

impl Drop for Status {
    fn drop(&mut self) {
        clear();
    }
}

/// The line while a trace starts, which takes seconds on a busy host. It is there until this is dropped.
#[derive(Debug)]
pub struct StartLine {
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

impl StartLine {
    /// Shows it in a moment, where somebody looks at it.
    pub fn begin(is_wanted: bool) -> Self {
        if !is_wanted || !can_be_seen() {
            return Self { thread: None };
        }
        let (over, begun) = mpsc::channel();
        let show = move || {
            if begun.recv_timeout(MOMENT) == Err(RecvTimeoutError::Timeout) && is_in_foreground() {
                draw(STARTING);
            }
        };
        // without it the start is no worse
        let thread = thread::Builder::new().name("start-line".to_owned()).spawn(show);
        Self { thread: thread.ok().map(|thread| (over, thread)) }
    }
}

impl Drop for StartLine {
    /// No thread is left, which would keep the privileges of this moment.
    fn drop(&mut self) {
        if let Some((over, thread)) = self.thread.take() {
            drop(over);
            let _ = thread.join();
            clear();
        }
    }
}

/// Is there a terminal that can take a line away again?
pub fn can_be_seen() -> bool {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    io::stderr().is_terminal() && !is_dumb
}

fn draw(text: &str) {
    let screen = Screen { width: Width::OfStderr, ..PLAIN };
    // the last column stays free, or the cursor would go on to the next line
    let columns = screen.columns().unwrap_or(80).saturating_sub(1);
    let line = cut(screen, text, columns);
    // lines that are being written, to a terminal that may have been stopped, come first
    let Ok(_screen) = SCREEN.try_lock() else { return };
    IS_SHOWN.store(true, Ordering::Relaxed);
    let _ = io::stderr().write_all(format!("\r\x1b[K{line}").as_bytes());
}

/// A shell that has put this into the background has the terminal for itself.
fn is_in_foreground() -> bool {
    rustix::termios::tcgetpgrp(io::stderr()).is_ok_and(|group| group == rustix::process::getpgrp())
}

fn text(purpose: &Purpose, facts: Facts) -> String {
    let Facts { seen, shown, hidden, filtered, lost } = facts;
    let mut text = purpose.text.clone();
    if !purpose.has_counts {
        if lost > 0 {
            let _ = write!(text, "; {lost} signals of this host were lost");
        }
        return text;
    }
    if seen == 0 {
        return text + ": no signal yet";
    }
    let _ = write!(text, ": {seen} signal{}, {shown} shown", if seen == 1 { "" } else { "s" });
    for (count, part) in [(hidden, "hidden (--all)"), (filtered, "filtered out"), (lost, "lost")] {
        if count > 0 {
            let _ = write!(text, ", {count} {part}");
        }
    }
    text
}

#[cfg(test)]
fn for_tests(text: &str) -> Purpose {
    Purpose { text: text.to_owned(), has_counts: text.starts_with("tracing") }
}

/// Of each purpose, for `docs/sentences.md`.
#[cfg(test)]
pub(crate) fn catalogue() -> Vec<(&'static str, String)> {
    let facts = Facts { seen: 41, shown: 2, hidden: 24, filtered: 10, lost: 5 };
    vec![
        ("the status line, before the first signal", text(&for_tests("tracing"), Facts::default())),
        ("the status line", text(&for_tests("tracing"), facts)),
        (
            "the status line, with a filter",
            text(&for_tests("tracing --pid 4711"), Facts { shown: 0, ..facts }),
        ),
        (
            "the status line of `who`",
            text(&for_tests("waiting for a signal to sleep(30858) or its end"), Facts::default()),
        ),
        ("a start that takes longer than a moment, until it is over", STARTING.to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_it_is_for_and_what_came() {
        let facts = Facts { seen: 5, shown: 0, hidden: 3, filtered: 0, lost: 2 };
        let [tracing, waiting] = ["tracing", "waiting for a signal to sleep(30858)"].map(for_tests);
        assert_eq!(text(&tracing, facts), "tracing: 5 signals, 0 shown, 3 hidden (--all), 2 lost");
        assert_eq!(text(&tracing, Facts::default()), "tracing: no signal yet");
        assert_eq!(text(&waiting, Facts { lost: 0, ..facts }), waiting.text);
        assert!(text(&waiting, facts).ends_with("; 2 signals of this host were lost"));
    }

    #[test]
    fn it_never_shows_where_it_is_not_wanted() {
        let mut status = Status::new(None);
        status.show(|| panic!("nobody looks at it"));
        clear();
    }
}
