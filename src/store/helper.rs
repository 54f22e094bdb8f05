//! The tracer's end of the process that writes the store.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::pipe::{PipeFlags, pipe_with};

use super::forget::Bounds;
use super::service::{ASKED, DONE, END, READY, REFUSED, STATUS};
use super::writer::Kept;
use crate::base::wait::timeout;
use crate::output::deliver::destination_name::DestinationName;

/// The command that starts one; hidden, as it is of no use to anybody else.
pub const COMMAND: &str = "write-store";

/// How long a store may need to be opened: a log of a recorder that was killed is read then.
const OPEN_WITHIN: Duration = Duration::from_secs(60);

/// How long the end may take.
const END_WITHIN: Duration = Duration::from_secs(20);

/// What the store is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// Where.
    pub directory: PathBuf,
    /// The group that may read.
    pub group: Option<u32>,
    /// How large; None: as it is, or as usual if it is new.
    pub bounds: Option<Bounds>,
    /// Which events.
    pub keeps: Kept,
    /// Filters that are in force, for those who ask later.
    pub filters: String,
}

/// How it fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreStatus {
    /// Events that were written.
    pub stored: u64,
    /// Events that could not be.
    pub lost: u64,
    /// Bytes on the disk.
    pub bytes: u64,
    /// When its oldest event was, seconds since the epoch.
    pub oldest: Option<u64>,
    /// When it was written last, seconds since the epoch.
    pub written_at: Option<u64>,
    /// It said that all is written.
    pub is_done: bool,
    /// Somebody asks the store, and has not been answered.
    pub is_asked: bool,
}

/// The process that writes.
#[derive(Debug)]
pub struct StoreHelper {
    directory: PathBuf,
    lines: OwnedFd,
    control: UnixStream,
    said: Vec<u8>,
    status: StoreStatus,
}

impl StoreHelper {
    /// Starts it, with what this process may do now, and waits until the store is open.
    ///
    /// # Errors
    /// If it cannot be started, or what it says of the store.
    pub fn start(settings: &StoreSettings, level: &str) -> io::Result<Result<Self, String>> {
        let (theirs, ours) = pipe_with(PipeFlags::CLOEXEC)?;
        let (control, their_control) = UnixStream::pair()?;
        let mut command = Command::new("/proc/self/exe");
        command.arg(COMMAND).arg("--store").arg(&settings.directory).args(["--log-level", level]);
        if let Some(group) = settings.group {
            command.args(["--group", &group.to_string()]);
        }
        if let Some(bounds) = settings.bounds {
            command.args([
                "--max-bytes",
                &bounds.max_bytes.to_string(),
                "--keep-free",
                &bounds.keep_free.to_string(),
            ]);
            if let Some(age) = bounds.max_age {
                command.args(["--max-age", &age.as_secs().to_string()]);
            }
        }
        if settings.keeps == Kept::Deaths {
            command.arg("--deaths");
        }
        command.arg(format!("--filters={}", settings.filters));
        // it ends when our ends are closed, whatever ends us; a group of its own: ^C is not meant for it
        let _ = command
            .stdin(theirs)
            .stdout(Stdio::from(OwnedFd::from(their_control)))
            .process_group(0)
            .spawn()?;
        drop(command);
        control.set_read_timeout(Some(OPEN_WITHIN))?;
        let mut word = String::new();
        BufReader::with_capacity(1, &control).read_line(&mut word)?;
        let word = word.trim_end();
        if let Some(why) = word.strip_prefix(REFUSED) {
            return Ok(Err(why.trim_start().replace('\u{1}', "\n")));
        }
        if !word.starts_with(READY) {
            return Ok(Err("the process that writes the store ended before it was ready".to_owned()));
        }
        control.set_nonblocking(true)?;
        let directory = settings.directory.clone();
        Ok(Ok(Self { directory, lines: ours, control, said: Vec::new(), status: StoreStatus::default() }))
    }

    /// Where lines go.
    pub fn destination(&self) -> DestinationName {
        DestinationName::Store {
            directory: self.directory.clone(),
            descriptor: self.lines.as_raw_fd().unsigned_abs(),
        }
    }

    /// The store.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Waits until it says something, so long at most, or until the other end of this is closed.
    pub fn wait(&self, longest: Duration, ended: &UnixStream) {
        let timeout = timeout(longest);
        let mut polled = [PollFd::new(&self.control, PollFlags::IN), PollFd::new(ended, PollFlags::IN)];
        // too early does no harm
        let _ = poll(&mut polled, Some(&timeout));
    }

    /// As it was last said. None: the process is gone.
    pub fn status(&mut self) -> Option<StoreStatus> {
        self.status.is_asked = false;
        let mut bytes = [0; 4096];
        loop {
            match self.control.read(&mut bytes) {
                Ok(0) => return self.status.is_done.then_some(self.status),
                Ok(count) => {
                    self.said.extend_from_slice(&bytes[..count]);
                    self.hear();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_wait(&error) => return Some(self.status),
                Err(_) => return None,
            }
        }
    }

    fn hear(&mut self) {
        while let Some(end) = memchr::memchr(b'\n', &self.said) {
            let line: Vec<u8> = self.said.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let mut words = line.split_whitespace();
            match words.next() {
                Some(STATUS) => {
                    let mut number = || words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
                    (self.status.stored, self.status.lost, self.status.bytes) =
                        (number(), number(), number());
                    let seconds = |number: u64| (number > 0).then_some(number);
                    (self.status.oldest, self.status.written_at) = (seconds(number()), seconds(number()));
                }
                Some(ASKED) => self.status.is_asked = true,
                Some(DONE) => self.status.is_done = true,
                _ => {}
            }
        }
    }

    /// Says why the trace ends, and waits until all is written.
    pub fn finish(&mut self, reason: &str) -> Option<StoreStatus> {
        let _ = self.control.set_nonblocking(false);
        let _ = self.control.set_read_timeout(Some(END_WITHIN));
        writeln!(self.control, "{END} {reason}").ok()?;
        let mut bytes = [0; 4096];
        while !self.status.is_done {
            match self.control.read(&mut bytes) {
                Ok(0) => break,
                Ok(count) => {
                    self.said.extend_from_slice(&bytes[..count]);
                    self.hear();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        self.status.is_done.then_some(self.status)
    }
}

fn is_wait(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}
