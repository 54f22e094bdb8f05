//! A FIFO as the place where lines go: it may have no reader, or one that is slow.

use std::fs::File;
use std::io::{self, Write};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::failed_write::SAY_EVERY;

/// A FIFO, with or without a reader: a write waits for room, and says so.
pub(super) struct Fifo {
    file: File,
    name: String,
    said_at: Option<Instant>,
}

impl Write for Fifo {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.file.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait()?,
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Fifo {
    pub(super) fn new(file: File, name: String) -> Self {
        Self { file, name, said_at: None }
    }

    fn wait(&mut self) -> io::Result<()> {
        let a_while = Timespec { tv_sec: 1, tv_nsec: 0 };
        let ready = poll(&mut [PollFd::new(&self.file, PollFlags::OUT)], Some(&a_while));
        match ready {
            Ok(0) if self.said_at.is_none_or(|said_at| said_at.elapsed() >= SAY_EVERY) => {
                self.said_at = Some(Instant::now());
                tracing::warn!(
                    "the reader of {} is too slow: lines wait, further ones are dropped (counted as unprinted)",
                    self.name
                );
                Ok(())
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
