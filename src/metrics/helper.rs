//! The tracer's end of the process that writes the file.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, socketpair};

use super::StoreGauge;
use crate::base::wait::wait_for_end;

/// The command that starts one; hidden, as it is of no use to anybody else.
pub const COMMAND: &str = "write-metrics";

/// The file is written so often.
const EVERY: Duration = Duration::from_secs(15);
/// How long its end may take.
const END_WITHIN: Duration = Duration::from_secs(2);

/// The process that writes.
#[derive(Debug)]
pub struct MetricsHelper {
    child: Child,
}

/// Where the figures go, and when they are due.
#[derive(Debug)]
pub struct MetricsSink {
    socket: OwnedFd,
    sent_at: Option<Instant>,
    /// Seconds since the epoch.
    pub started: u64,
    /// How the store fares.
    pub store: StoreGauge,
}

impl MetricsHelper {
    /// Starts it, with what this process may do now.
    ///
    /// # Errors
    /// If the directory of the file cannot be opened, or the process not be started.
    pub fn start(file: &Path, started: u64, store: StoreGauge) -> io::Result<(Self, MetricsSink)> {
        let name = file.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let directory = match file.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::open(directory, flags, Mode::empty())?;
        let (theirs, ours) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        let child = Command::new("/proc/self/exe")
            .arg(COMMAND)
            .arg(name)
            .stdin(theirs)
            .stdout(Stdio::from(directory))
            .process_group(0)
            .spawn()?;
        let sink = MetricsSink { socket: ours, sent_at: None, started, store };
        Ok((Self { child }, sink))
    }

    /// Waits until the file is gone. The sink must be dropped by now.
    pub fn finish(mut self) {
        wait_for_end(&mut self.child, END_WITHIN);
    }
}

impl MetricsSink {
    /// Is it time to write again?
    pub fn is_due(&self, now: Instant) -> bool {
        self.sent_at.is_none_or(|sent_at| now.saturating_duration_since(sent_at) >= EVERY)
    }

    /// Sends the figures. Nobody waits: those of one time that cannot be sent are followed by those of the next.
    pub fn send(&mut self, text: &str, now: Instant) {
        self.sent_at = Some(now);
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        if let Err(error) = rustix::net::send(&self.socket, text.as_bytes(), flags) {
            tracing::debug!("the metrics could not be sent: {}", io::Error::from(error));
        }
    }
}
