//! The tracer's end of the process that sends to the journal.

use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use rustix::pipe::{PipeFlags, pipe_with};

use super::Journaled;
use crate::base::wait::wait_for_end;
use crate::output::deliver::destination_name::DestinationName;

/// The command that starts one; hidden, as it is of no use to anybody else.
pub const COMMAND: &str = "write-journal";

/// How long the last entries may take.
const END_WITHIN: Duration = Duration::from_secs(2);

/// A time in which nothing was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecorderGap {
    /// In words.
    pub summary: String,
    /// Somebody stopped the recorder, or the host.
    pub is_expected: bool,
}

/// The process that sends.
#[derive(Debug)]
pub struct JournalHelper {
    lines: OwnedFd,
    child: Child,
}

impl JournalHelper {
    /// Starts it, with what this process may do now.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(socket: &Path, which: Journaled) -> io::Result<Self> {
        let (theirs, ours) = pipe_with(PipeFlags::CLOEXEC)?;
        // it ends when our ends are closed, whatever ends us; a group of its own: ^C is not meant for it
        let child = Command::new("/proc/self/exe")
            .args([COMMAND, "--which", which.name(), "--socket"])
            .arg(socket)
            .stdin(theirs)
            .process_group(0)
            .spawn()?;
        Ok(Self { lines: ours, child })
    }

    /// Where lines go.
    pub fn destination(&self) -> DestinationName {
        DestinationName::Journal { descriptor: self.lines.as_raw_fd().unsigned_abs() }
    }

    /// Says that nothing was recorded for a time. To be called before anything else is written.
    ///
    /// # Errors
    /// If it is gone already.
    pub fn say(&self, gap: &RecorderGap) -> io::Result<()> {
        let line = serde_json::json!({"event": "gap", "summary": gap.summary, "isExpected": gap.is_expected});
        let mut pipe = std::fs::File::from(self.lines.try_clone()?);
        pipe.write_all(format!("{line}\n").as_bytes())
    }

    /// Waits until what was written is sent. All other ends of the pipe must be closed by now.
    pub fn finish(self) {
        let Self { lines, mut child } = self;
        drop(lines);
        wait_for_end(&mut child, END_WITHIN);
    }
}
