//! The process that sends to the journal: reads lines from its standard input until that ends. What the journal has no room for
//! waits for a while, and then is counted and said.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};

use super::Journaled;
use super::entry::{Entries, Entry};
use super::limiter::Limiter;
use super::socket::JournalSocket;
use crate::base::wait::timeout;

/// What could not be sent is reported within this time.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A socket that was full is tried again after this time.
const TRY_EVERY: Duration = Duration::from_millis(20);
/// And at the end for so long.
const END_WITHIN: Duration = Duration::from_secs(1);
/// Entries that wait for room.
const MOST_WAITING: usize = 256;
/// Bytes of one read.
const AT_ONCE: usize = 64 << 10;
/// A line of an event is no longer: what is, is none.
const LONGEST: usize = 16 << 20;

/// Sends entries.
#[derive(Debug)]
pub struct Service {
    socket: JournalSocket,
    entries: Entries,
    limiter: Limiter,
    /// Entries for which there was no room.
    waiting: VecDeque<Vec<u8>>,
    /// The journal has no room now; else nobody is there.
    is_full: bool,
    /// Entries for which there was no room here either.
    unsent: u64,
    /// A line that is not whole yet.
    rest: Vec<u8>,
}

impl Service {
    /// To the journal with this socket, which need not be there yet.
    ///
    /// # Errors
    /// If no socket can be made, or the path is too long for one.
    pub fn new(path: &Path, which: Journaled) -> io::Result<Self> {
        let socket = JournalSocket::new(path)?;
        let limiter = Limiter::new(Instant::now());
        Ok(Self {
            socket,
            entries: Entries::new(which),
            limiter,
            waiting: VecDeque::new(),
            is_full: false,
            unsent: 0,
            rest: Vec::new(),
        })
    }

    /// Sends until there is nothing more to read.
    ///
    /// # Errors
    /// If it can no longer read.
    pub fn serve(mut self, mut lines: std::fs::File) -> io::Result<()> {
        let mut buffer = vec![0; AT_ONCE];
        loop {
            let wait = if self.is_full { TRY_EVERY } else { LOOK_EVERY };
            let timeout = timeout(wait);
            match poll(&mut [PollFd::new(&lines, PollFlags::IN)], Some(&timeout)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => match lines.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(count) => self.take(&buffer[..count], Instant::now()),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                },
                Err(error) => return Err(error.into()),
            }
            self.send_waiting();
            self.report(Instant::now(), false);
        }
        self.report(Instant::now(), true);
        let began = Instant::now();
        while !self.waiting.is_empty() && began.elapsed() < END_WITHIN {
            std::thread::sleep(TRY_EVERY);
            self.send_waiting();
        }
        Ok(())
    }

    /// Sends it behind what waits.
    fn send(&mut self, entry: &Entry) {
        if self.waiting.len() < MOST_WAITING {
            self.waiting.push_back(entry.bytes());
            self.send_waiting();
        } else {
            self.unsent += 1;
        }
    }

    fn send_waiting(&mut self) {
        self.is_full = false;
        while let Some(entry) = self.waiting.front() {
            if let Err(error) = self.socket.send(entry) {
                self.is_full = error.kind() == io::ErrorKind::WouldBlock;
                break;
            }
            self.waiting.pop_front();
        }
    }

    fn take(&mut self, mut bytes: &[u8], now: Instant) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            self.rest.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end + 1..];
            let line = std::mem::take(&mut self.rest);
            if let Some(entry) = self.entries.of_line(&line) {
                if self.limiter.lets_through(now) {
                    self.send(&entry);
                }
            }
        }
        if self.rest.len() + bytes.len() <= LONGEST {
            self.rest.extend_from_slice(bytes);
        }
    }

    /// Says what was not sent.
    fn report(&mut self, now: Instant, last: bool) {
        if self.unsent > 0 && self.waiting.len() < MOST_WAITING {
            let text = format!(
                "{} entries of killsnoop found no room in the journal: killsnoop log has the events",
                std::mem::take(&mut self.unsent)
            );
            self.send(&Entry::gap(&text, "unsent"));
        }
        let left_out = self.limiter.take_left_out(now, last);
        if left_out > 0 {
            let text = format!("{left_out} more entries are not written here: killsnoop log has the events");
            self.send(&Entry::gap(&text, "limited"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixDatagram;

    use super::*;

    #[test]
    fn lines_become_entries_until_the_pipe_is_closed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let journal = UnixDatagram::bind(&path).unwrap();
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let mut writer = std::fs::File::from(writer);
        let service = Service::new(&path, Journaled::Deaths).unwrap();
        let thread = std::thread::spawn(move || service.serve(std::fs::File::from(reader)));
        let line =
            br#"{"event":"ended","signalName":"SIGKILL","summary":"x was killed","target":{"comm":"x"}}"#;
        let (half, other) = line.split_at(20);
        writer.write_all(half).unwrap();
        writer.write_all(other).unwrap();
        writer.write_all(b"\nno event\n").unwrap();
        drop(writer);
        let mut bytes = [0; 1024];
        let count = journal.recv(&mut bytes).unwrap();
        assert!(bytes[..count].starts_with(b"MESSAGE=x was killed\n"));
        thread.join().unwrap().unwrap();
        journal.set_nonblocking(true).unwrap();
        assert!(journal.recv(&mut bytes).is_err(), "one entry");
    }

    #[test]
    fn what_finds_no_room_waits_and_then_is_counted_and_said() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let mut service = Service::new(&path, Journaled::Deaths).unwrap();
        let entry = Entry::gap("x", "x");
        for _ in 0..MOST_WAITING + 5 {
            service.send(&entry);
        }
        assert_eq!((service.waiting.len(), service.unsent), (MOST_WAITING, 5));
        let journal = UnixDatagram::bind(&path).unwrap();
        let mut seen = 0;
        let mut bytes = [0; 1024];
        loop {
            service.send_waiting();
            service.report(Instant::now(), false);
            let count = journal.recv(&mut bytes).unwrap();
            if bytes[..count].starts_with(b"MESSAGE=5 entries of killsnoop found no room") {
                break;
            }
            seen += 1;
        }
        assert_eq!((seen, service.unsent), (MOST_WAITING, 0));
    }

    #[test]
    fn what_exceeds_the_limit_is_said_at_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let journal = UnixDatagram::bind(&path).unwrap();
        let mut service = Service::new(&path, Journaled::Deaths).unwrap();
        let receiver = std::thread::spawn(move || {
            let mut bytes = [0; 1024];
            loop {
                let count = journal.recv(&mut bytes).unwrap();
                let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
                if text.contains("=limited\n") {
                    return text;
                }
            }
        });
        let line = b"{\"event\":\"ended\",\"signalName\":\"SIGKILL\",\"summary\":\"x\"}\n";
        for _ in 0..300 {
            service.take(line, Instant::now());
        }
        service.report(Instant::now(), true);
        while !service.waiting.is_empty() {
            service.send_waiting();
        }
        assert!(receiver.join().unwrap().starts_with("MESSAGE=100 more entries"));
    }
}
