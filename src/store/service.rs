//! The process that writes a store. It is its own, as SQLite opens, locks and removes files, which the tracer may no longer do once
//! it looks at what others chose.
//!
//! Its standard input is a pipe with the lines; its standard output a socket, by which the tracer learns that the store is open and how
//! it fares, and says why it ends. If it ends without saying so, it was killed, and that is what the store keeps.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::error::StoreError;
use super::forget::Room;
use super::run::{HEARTBEAT, NoteKind};
use super::writer::Writer;
use crate::base::clock::utc_now;
use crate::base::os_error::reason;

/// One transaction in this time, but for a storm, in which the log gets full earlier. Half of what may be lost at a power cut: a
/// slow disk has the other half to write it.
const COMMIT_EVERY: Duration = Duration::from_millis(500);

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
/// All is written.
pub(super) const DONE: &str = "done";
/// The word of the tracer: it ends, and why.
pub(super) const END: &str = "end";

/// Writes a store until the tracer is gone.
#[derive(Debug)]
pub struct Service {
    writer: Writer,
    lines: std::fs::File,
    control: UnixStream,
    /// A line that is not whole yet.
    rest: Vec<u8>,
    committed_at: Instant,
    failed_at: Option<Instant>,
    said_at: Option<Instant>,
    /// What the tracer said.
    heard: Vec<u8>,
    is_held: bool,
    /// When it was written last, seconds since the epoch; 0: not yet.
    written_at: i128,
}

impl Service {
    /// Of an open store.
    ///
    /// # Errors
    /// If the pipe or the socket cannot be set up.
    pub fn new(writer: Writer, lines: std::fs::File, control: UnixStream) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&lines, true)?;
        control.set_nonblocking(true)?;
        Ok(Self {
            writer,
            lines,
            control,
            rest: Vec::new(),
            committed_at: Instant::now().checked_sub(COMMIT_EVERY).unwrap_or_else(Instant::now),
            failed_at: None,
            said_at: None,
            heard: Vec::new(),
            is_held: false,
            written_at: 0,
        })
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
        let timeout = Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: i64::from(wait.subsec_nanos()) };
        let mut polled = vec![PollFd::new(&self.control, PollFlags::IN)];
        if !self.is_held {
            polled.push(PollFd::new(&self.lines, PollFlags::IN));
        }
        match poll(&mut polled, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        drop(polled);
        let is_gone = !self.listen();
        let taken = if self.is_held { Taken::None } else { self.take_lines() };
        self.keep_up();
        Ok(taken == Taken::End || (is_gone && taken == Taken::None && !self.is_held))
    }

    fn longest_wait(&self) -> Duration {
        if self.is_held {
            return HELD_FOR;
        }
        let due = if self.writer.pending() > 0 { COMMIT_EVERY } else { HEARTBEAT };
        due.saturating_sub(self.committed_at.elapsed()).max(Duration::from_millis(1))
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
        let elapsed = self.committed_at.elapsed();
        let is_due = self.writer.pending() > 0 && elapsed >= COMMIT_EVERY;
        let is_beat = elapsed >= HEARTBEAT;
        let is_long = self.writer.log_is_long();
        if !(is_due || is_beat || is_long || self.is_held) {
            return;
        }
        if self.failed_at.is_some_and(|failed_at| failed_at.elapsed() < TRY_EVERY) {
            self.committed_at = Instant::now();
            return;
        }
        let result = if self.is_held { Ok(0) } else { self.writer.commit() };
        self.committed_at = Instant::now();
        let result = result.and_then(|_| self.writer.make_room());
        match result {
            Ok(room) => {
                self.is_held = room == Room::Held;
                if !self.is_held {
                    self.written_at = utc_now() / 1_000_000_000;
                }
                if self.is_held {
                    self.warn("a reader holds an old state of the store, and its log is full: nothing can be written until it ends");
                } else if self.failed_at.take().is_some() {
                    tracing::info!("the store is written again");
                }
            }
            Err(error) => self.fail(&error),
        }
        let status = self.status();
        self.say(&status);
    }

    /// A failure is reported once in a while; its events are counted by the writer.
    fn fail(&mut self, error: &StoreError) {
        self.failed_at = Some(Instant::now());
        if error.is_damage() {
            match self.writer.begin_again() {
                Ok(text) => {
                    self.failed_at = None;
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
        if self.said_at.is_none_or(|said_at| said_at.elapsed() >= SAY_EVERY) {
            self.said_at = Some(Instant::now());
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
