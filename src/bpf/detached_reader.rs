//! Reads an iterator in a separate process.
//!
//! The memory of another process is read there, and a page of it may be one that nobody serves. A reader then sleeps
//! where no signal reaches it, and a process of which one thread sleeps so never ends. So this one does not read itself: what
//! it starts has nothing but the iterator, and is left behind if it hangs.

use std::io::{self, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Signal, pidfd_send_signal};

use crate::base::wait::timeout;

/// A process that reads.
#[derive(Debug)]
pub(super) struct DetachedReader {
    pid: libc::pid_t,
    /// The same, and never another's.
    process: OwnedFd,
    /// What it reads comes here; is closed by its end.
    output: UnixStream,
    is_over: bool,
}

impl DetachedReader {
    /// Starts one that reads this to its end.
    ///
    /// # Errors
    /// If there can be no process more.
    pub(super) fn read(iterator: &OwnedFd) -> io::Result<Self> {
        let (output, others) = UnixStream::pair()?;
        let mut process: RawFd = -1;
        // SAFETY: as fork(), without a signal at its end: the only pointer is to where the descriptor is put. The child is
        // alone with a copy of this memory, in which locks may be held: it makes system calls and nothing else.
        let pid = unsafe { libc::syscall(libc::SYS_clone, libc::CLONE_PIDFD, 0, &raw mut process, 0, 0) };
        match pid {
            -1 => Err(io::Error::last_os_error()),
            0 => read_and_exit(iterator.as_raw_fd(), others.as_raw_fd()),
            _ => {
                // SAFETY: just made, and nobody else's.
                let process = unsafe { OwnedFd::from_raw_fd(process) };
                Ok(Self { pid: pid as libc::pid_t, process, output, is_over: false })
            }
        }
    }

    /// All that it reads, a piece at a time. A wait here can be ended by a signal.
    ///
    /// # Errors
    /// If it cannot be had, or is not taken.
    pub(super) fn read_all(mut self, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut bytes = [0; 16 * 1024];
        loop {
            match self.output.read(&mut bytes) {
                Ok(0) => break,
                Ok(count) => take(&bytes[..count])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.is_over = true;
        self.reap(0);
        Ok(())
    }

    /// Waits for its end until then, if it has nothing to read. False: it still reads.
    pub(super) fn wait_until(&mut self, deadline: Instant) -> bool {
        while !self.is_over {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = timeout(left);
            match poll(&mut [PollFd::new(&self.output, PollFlags::IN)], Some(&timeout)) {
                Ok(0) => return false,
                Ok(_) => {
                    self.is_over = true;
                    self.reap(0);
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return false,
            }
        }
        true
    }

    fn reap(&self, options: libc::c_int) {
        // SAFETY: no status is asked for. Nothing else reaps it: a wait for any child accepts none without a signal at
        // its end.
        unsafe { libc::waitpid(self.pid, std::ptr::null_mut(), libc::__WALL | options) };
    }
}

impl Drop for DetachedReader {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let _ = pidfd_send_signal(&self.process, Signal::KILL);
        // one that hangs is left to the process that reaps orphans
        if !self.wait_until(Instant::now() + Duration::from_millis(50)) {
            self.reap(libc::WNOHANG);
        }
    }
}

/// The process that reads. What else is open would be held open by one that hangs: links of programs, and a pipe whose
/// reader waits for the end.
fn read_and_exit(iterator: RawFd, output: RawFd) -> ! {
    let (low, high) = (i64::from(iterator.min(output)), i64::from(iterator.max(output)));
    let mut bytes = [0u8; 4096];
    // SAFETY: system calls with numbers, and with memory of this function that is as large as is said.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        // handlers are those of the tracer
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut());
        for (first, last) in [(0, low - 1), (low + 1, high - 1), (high + 1, i64::from(u32::MAX))] {
            if first <= last {
                libc::syscall(libc::SYS_close_range, first, last, 0);
            }
        }
        loop {
            let read = libc::read(iterator, bytes.as_mut_ptr().cast(), bytes.len());
            if read < 0 && [libc::EINTR, libc::EAGAIN].contains(&*libc::__errno_location()) {
                continue;
            }
            if read <= 0 {
                libc::_exit(0);
            }
            let mut written = 0;
            while written < read {
                let left = (read - written) as usize;
                let count = libc::write(output, bytes.as_ptr().add(written as usize).cast(), left);
                // nobody reads any more
                if count <= 0 {
                    libc::_exit(1);
                }
                written += count;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn all_is_read_and_nothing_else_is_held_open() {
        let (mut writer, iterator) = UnixStream::pair().unwrap();
        let read = DetachedReader::read(&iterator.into()).unwrap();
        writer.write_all(&[7; 10_000]).unwrap();
        // it has no copy of this end: else it would wait for itself
        drop(writer);
        let mut all = Vec::new();
        read.read_all(|bytes| {
            all.extend_from_slice(bytes);
            Ok(())
        })
        .unwrap();
        assert_eq!(all, [7; 10_000]);
    }

    #[test]
    fn what_hangs_is_waited_for_no_longer_than_is_said() {
        let (_writer, iterator) = UnixStream::pair().unwrap();
        let mut read = DetachedReader::read(&iterator.into()).unwrap();
        assert!(!read.wait_until(Instant::now() + Duration::from_millis(20)));
        let process = format!("/proc/{}", read.pid);
        drop(read);
        assert!(!std::path::Path::new(&process).exists(), "it was ended and reaped");
    }
}
