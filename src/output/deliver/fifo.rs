//! A FIFO as the place where lines go: it may have no reader, or one that is slow.

use std::fs::File;
use std::io::{self, Write};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::failed_write::SAY_EVERY;
use crate::base::seldom::Seldom;

/// A FIFO, with or without a reader: a write waits for room, and says so.
pub(super) struct Fifo {
    file: File,
    name: String,
    delays: Seldom,
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
        Self { file, name, delays: Seldom::new(SAY_EVERY) }
    }

    fn wait(&mut self) -> io::Result<()> {
        let a_while = Timespec { tv_sec: 1, tv_nsec: 0 };
        let ready = poll(&mut [PollFd::new(&self.file, PollFlags::OUT)], Some(&a_while));
        match ready {
            Ok(0) if self.delays.is_due() => {
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
