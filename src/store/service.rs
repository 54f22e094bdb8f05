//! The process that writes a store. It is its own, as SQLite opens, locks and removes files, which the tracer may no longer do once
//! it looks at what others chose.
//!
//! Its standard input is a pipe with the lines; its standard output a socket, by which the tracer learns that the store is open and how
//! it fares, and says why it ends. If it ends without saying so, it was killed, and that is what the store keeps.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};

use super::error::StoreError;
use super::forget::Room;
use super::questions::Questions;
use super::run::{HEARTBEAT, NoteKind};
use super::syncer::Syncer;
use super::writer::Writer;
use crate::base::clock::utc_now;
use crate::base::os_error::reason;
use crate::base::seldom::Seldom;
use crate::base::wait::timeout;
use crate::output::deliver::destination_name::MARK;

/// An event is committed when it is this old: half of what may be lost at a power cut, so that the disk has the other half.
const COMMIT_AT_AGE: Duration = Duration::from_millis(500);

/// But between two transactions is this time at least: of those that came late, each would have its own.
const COMMIT_EVERY: Duration = Duration::from_millis(100);

/// A store that cannot be written is tried again so often.
const TRY_EVERY: Duration = Duration::from_secs(1);

/// At most one word about a failure in this time.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// Where a reader holds the log, it is looked for room so often.
const HELD_FOR: Duration = Duration::from_millis(100);

/// Bytes of one read.
const AT_ONCE: usize = 64 << 10;

/// A line of an event is no longer: what is, is none.
const LONGEST: usize = 16 << 20;

/// The first word to the tracer.
pub(super) const READY: &str = "ready";
/// Or this, with why.
pub(super) const REFUSED: &str = "refused";
/// How it fares: events, lost ones, bytes; when the oldest event was and the last was written, in seconds since the epoch.
pub(super) const STATUS: &str = "status";
/// Somebody asks the store.
pub(super) const ASKED: &str = "asked";
/// All is written.
pub(super) const DONE: &str = "done";
/// The word of the tracer: it ends, and why.
pub(super) const END: &str = "end";

/// Writes a store until the tracer is gone.
#[derive(Debug)]
pub struct Service {
    writer: Writer,
    syncer: Syncer,
    lines: std::fs::File,
    control: UnixStream,
    /// A line that is not whole yet.
    rest: Vec<u8>,
    committed_at: Instant,
    is_failing: bool,
    /// It is not tried again for a while.
    failed_at: Option<Instant>,
    warnings: Seldom,
    /// What the tracer said.
    heard: Vec<u8>,
    is_held: bool,
    questions: Questions,
    /// Somebody asked, and all up to a moment after that is here.
    is_answer_due: bool,
    /// When it was written last, seconds since the epoch; 0: not yet.
    written_at: i128,
}

impl Service {
    /// Of an open store.
    ///
    /// # Errors
    /// If the pipe or the socket cannot be set up.
    pub fn new(
        writer: Writer,
        syncer: Syncer,
        lines: std::fs::File,
        control: UnixStream,
    ) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&lines, true)?;
        control.set_nonblocking(true)?;
        Ok(Self {
            writer,
            syncer,
            lines,
            control,
            rest: Vec::new(),
            committed_at: Instant::now().checked_sub(HEARTBEAT).unwrap_or_else(Instant::now),
            is_failing: false,
            failed_at: None,
            warnings: Seldom::new(SAY_EVERY),
            heard: Vec::new(),
            is_held: false,
            questions: Questions::default(),
            is_answer_due: false,
            written_at: 0,
        })
    }

    /// Writes what it has when somebody asks, and not only when it is time.
    #[must_use]
    pub fn answering(mut self, questions: Questions) -> Self {
        self.questions = questions;
        self
    }

    /// Writes until the tracer says that it ends, or is gone.
    ///
    /// # Errors
    /// If what was pending at the end could not be written.
    pub fn serve(mut self) -> Result<(), StoreError> {
        self.say(&format!("{READY} {}", self.writer.number()));
        let reason = loop {
            let is_gone = self.step()?;
            if let Some(reason) = self.reason() {
                // all that was sent before that word is in the pipe
                while self.take_lines() == Taken::Some {
                    self.keep_up();
                }
                break Some(reason);
            }
            if is_gone {
                break None;
            }
        };
        let finished = match reason {
            Some(reason) => self.writer.finish(&reason),
            None => self.writer.commit().map(|_| ()),
        };
        let _ = self.control.set_nonblocking(false);
        let word = if finished.is_ok() { DONE } else { REFUSED };
        let status = self.status();
        self.say(&format!("{status}\n{word}"));
        finished
    }

    /// Waits for lines or for the clock. True: the tracer is gone.
    fn step(&mut self) -> io::Result<bool> {
        let wait = self.longest_wait();
        let timeout = timeout(wait);
        let mut polled = vec![PollFd::new(&self.control, PollFlags::IN)];
        if !self.is_held {
            polled.push(PollFd::new(&self.lines, PollFlags::IN));
        }
        if let Some(questions) = self.questions.descriptor() {
            polled.push(PollFd::from_borrowed_fd(questions, PollFlags::IN));
        }
        match poll(&mut polled, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        drop(polled);
        if self.questions.hear() {
            self.say(ASKED);
        }
        let is_gone = !self.listen();
        let taken = if self.is_held { Taken::None } else { self.take_lines() };
        self.keep_up();
        Ok(taken == Taken::End || (is_gone && taken == Taken::None && !self.is_held))
    }

    fn longest_wait(&self) -> Duration {
        if self.is_held {
            return HELD_FOR;
        }
        self.due_in().max(Duration::from_millis(1))
    }

    /// When the next transaction is to be committed.
    fn due_in(&self) -> Duration {
        let left = |of: Duration| of.saturating_sub(self.committed_at.elapsed());
        match self.writer.pending_age() {
            Some(age) => COMMIT_AT_AGE.saturating_sub(age).max(left(COMMIT_EVERY)),
            None => left(HEARTBEAT),
        }
    }

    /// Reads what there is of lines, up to what is written at once.
    fn take_lines(&mut self) -> Taken {
        let begin = self.rest.len();
        self.rest.resize(begin + AT_ONCE, 0);
        let count = loop {
            match self.lines.read(&mut self.rest[begin..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        self.rest.truncate(begin + *count.as_ref().unwrap_or(&0));
        match count {
            Ok(0) => return Taken::End,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Taken::None,
            Err(_) => return Taken::End,
        }
        let Some(end) = memchr::memrchr(b'\n', &self.rest[begin..]).map(|end| begin + end + 1) else {
            if self.rest.len() > LONGEST {
                self.rest.clear();
                self.writer.lose("");
            }
            return Taken::Some;
        };
        let whole = std::mem::take(&mut self.rest);
        for line in whole[..end].split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            self.put(line);
        }
        self.rest.extend_from_slice(&whole[end..]);
        Taken::Some
    }

    fn put(&mut self, line: &[u8]) {
        let line = std::str::from_utf8(line).unwrap_or_default();
        if let Some(until) = line.strip_prefix(MARK).and_then(|rest| rest.strip_suffix('}')?.parse().ok()) {
            self.writer.mark(until);
            self.is_answer_due = self.questions.is_asked();
            return;
        }
        if line.is_empty() || self.failed_at.is_some_and(|failed_at| failed_at.elapsed() < TRY_EVERY) {
            self.writer.lose(line);
            return;
        }
        if let Err(error) = self.writer.put(line) {
            self.fail(&error);
        }
    }

    /// Commits what is due, and makes room.
    fn keep_up(&mut self) {
        let is_full = self.writer.log_is_long() || self.writer.is_room_short();
        if !(self.due_in().is_zero() || self.is_answer_due || is_full || self.is_held) {
            return;
        }
        if std::mem::take(&mut self.is_answer_due) {
            self.questions.answered();
        }
        if self.failed_at.is_some_and(|failed_at| failed_at.elapsed() < TRY_EVERY) {
            self.committed_at = Instant::now();
            return;
        }
        let (age, began) = (self.writer.pending_age(), Instant::now());
        let result = if self.is_held { Ok(0) } else { self.writer.commit() };
        self.committed_at = Instant::now();
        self.syncer.order();
        tracing::debug!(events = ?result.as_ref().ok(), ?age, took = ?began.elapsed(), "committed");
        let result = result.and_then(|_| self.writer.make_room());
        match result {
            Ok(room) => {
                self.is_held = room == Room::Held;
                self.failed_at = None;
                if !self.is_held {
                    self.written_at = utc_now() / 1_000_000_000;
                }
                if self.is_held {
                    self.warn("a reader holds an old state of the store, and its log is full: nothing can be written until it ends");
                } else if std::mem::take(&mut self.is_failing) {
                    tracing::info!("the store is written again");
                }
            }
            Err(error) => self.fail(&error),
        }
        tracing::debug!(took = ?self.committed_at.elapsed(), "room made");
        if let Some(error) = self.syncer.failure() {
            let why = reason(&error);
            self.warn(&format!("the store cannot be written through to the disk ({why}): a power cut may cost more than a second of it"));
        }
        let status = self.status();
        self.say(&status);
    }

    /// A failure is reported once in a while; its events are counted by the writer.
    fn fail(&mut self, error: &StoreError) {
        self.is_failing = true;
        // a disk may have room for the next: there is nothing to wait for
        self.failed_at = (!error.is_full()).then(Instant::now);
        if error.is_damage() {
            match self.writer.begin_again() {
                Ok(text) => {
                    (self.failed_at, self.is_failing) = (None, false);
                    tracing::error!("{text}");
                    return;
                }
                Err(error) => tracing::error!("a new store cannot be begun: {}", reason(&error)),
            }
        }
        if error.is_full() {
            self.writer.note_when_possible(NoteKind::Full);
        }
        let lost = self.writer.lost();
        self.warn(&format!(
            "{}; tracing continues, events that could not be kept so far: {lost}",
            reason(error)
        ));
    }

    fn warn(&mut self, text: &str) {
        if self.warnings.is_due() {
            tracing::warn!("{text}");
        }
    }

    fn status(&self) -> String {
        let (oldest, written) = (self.writer.oldest().unwrap_or_default(), self.written_at);
        let (stored, lost, bytes) = (self.writer.stored(), self.writer.lost(), self.writer.bytes());
        format!("{STATUS} {stored} {lost} {bytes} {oldest} {written}")
    }

    /// The tracer reads it when it likes; what it has no room for is old by then.
    fn say(&mut self, text: &str) {
        let _ = (&self.control).write(format!("{text}\n").as_bytes());
    }

    /// False: the tracer is gone.
    fn listen(&mut self) -> bool {
        let mut bytes = [0; 512];
        loop {
            match (&self.control).read(&mut bytes) {
                Ok(0) => return false,
                Ok(count) => self.heard.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
    }

    /// Why the tracer ends, if it does.
    fn reason(&self) -> Option<String> {
        let heard = String::from_utf8_lossy(&self.heard);
        let (whole, _) = heard.rsplit_once('\n')?;
        whole.lines().find_map(|line| line.strip_prefix(END)?.strip_prefix(' ').map(str::to_owned))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Some,
    None,
    End,
}
