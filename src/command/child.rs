//! The command of `killsnoop run`: started before the trace, held until it is ready, so that its very first
//! instruction is seen.
//!
//! What is started is killsnoop itself. It waits at its standard input, one end of a pair of sockets, which has no name that
//! another process could take. Over it come the standard input of the command and, later, the byte that releases it. Then it
//! becomes the user who called sudo, and the command, which inherits no descriptor and no signal from that.

use std::ffi::OsString;
use std::io::{self, IoSlice, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};

use super::invoker::Invoker;
use crate::base::descriptors;
use crate::base::os_error::reason;
use crate::base::sanitize::visible;
use crate::base::stderr::print_line;

/// Our own failure, as timeout and env have it.
pub const FAILED: u8 = 125;
/// The command is there and cannot be run.
pub const NOT_EXECUTABLE: u8 = 126;
/// There is no such command.
pub const NOT_FOUND: u8 = 127;

/// Sent with the standard input of the command.
const WAIT: u8 = 0;
/// Sent once the trace is ready.
const GO: u8 = 1;

/// The tracer needs fewer descriptors than this. (A table of as many as some hosts allow needs MiB.)
const HIGH_ENOUGH: u64 = 1000;

/// A command that waits for the trace.
#[derive(Debug)]
pub struct HeldCommand {
    /// Its process.
    pub pid: Pid,
    /// The same as a pidfd: the number can be reused once the process is reaped.
    pub process: Arc<OwnedFd>,
    ours: UnixStream,
}

impl HeldCommand {
    /// Starts it.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(command: &[OsString]) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        // while all privileges are there: the filter of system calls may refuse it later
        give(&ours, io::stdin().as_fd())?;
        let child = Command::new("/proc/self/exe")
            .args(["exec-when-ready", "--"])
            .args(command)
            .stdin(OwnedFd::from(theirs))
            .spawn()?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        // it cannot be reaped yet: only the reaper of all orphans waits for it
        let pid = pid.ok_or_else(|| io::Error::other("a process without a pid"))?;
        let process = pidfd_open(pid, PidfdFlags::empty())?;
        // fails if it was reaped all the same, as where SIGCHLD is ignored
        waitid(
            WaitId::PidFd(process.as_fd()),
            WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT,
        )?;
        Ok(Self { pid, process: Arc::new(set_apart(&process)?), ours })
    }

    /// Lets it become the command.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn release(&self) -> io::Result<()> {
        match (&self.ours).write_all(&[GO]) {
            // it has ended already, which the reaper sees
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }
}

/// The same descriptor, with the highest number that this process may have, or one that is high enough.
///
/// The filter of system calls knows descriptors by their numbers. That of the command is to stay its own: the limit is lowered
/// to it ([`crate::trace::privileges`]), so that nothing else gets it, whatever is closed.
fn set_apart(process: &OwnedFd) -> io::Result<OwnedFd> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let highest = limit.map_or(HIGH_ENOUGH, |limit| HIGH_ENOUGH.min(limit.saturating_sub(1)));
    Ok(rustix::io::fcntl_dupfd_cloexec(process, highest as RawFd)?)
}

/// Sends a descriptor to the other end.
fn give(ours: &UnixStream, descriptor: BorrowedFd<'_>) -> io::Result<()> {
    descriptors::send(ours, &[IoSlice::new(&[WAIT])], Some(descriptor))
}

/// Waits for the trace: the standard input of the command, or None if the trace never became ready.
fn take_when_ready(theirs: &impl AsFd) -> io::Result<Option<OwnedFd>> {
    let (_, descriptor) = descriptors::receive(theirs, &mut [0])?;
    let mut word = [0];
    rustix::io::read(theirs, &mut word)?;
    Ok(descriptor.filter(|_| word == [GO]))
}

/// The held process: waits, then becomes the command. Returns only if that fails.
pub fn exec_when_ready(command: &[OsString]) -> ExitCode {
    // otherwise the trace failed and has printed why
    let Ok(Some(input)) = take_when_ready(&io::stdin()) else { return ExitCode::from(FAILED) };
    if let Err(error) = rustix::stdio::dup2_stdin(&input) {
        print_line(format_args!("killsnoop: cannot give the command its standard input: {}", reason(error)));
        return ExitCode::from(FAILED);
    }
    drop(input);
    let Some((program, arguments)) = command.split_first() else { return ExitCode::from(FAILED) };
    let mut exec = Command::new(program);
    exec.args(arguments);
    match Invoker::of_sudo() {
        Ok(None) => {}
        Ok(Some(invoker)) => {
            if let Err(error) = invoker.become_now() {
                print_line(format_args!("killsnoop: cannot become user {}: {}", invoker.uid, reason(error)));
                return ExitCode::from(FAILED);
            }
            exec.envs(invoker.environment());
        }
        Err(why) => {
            print_line(format_args!("killsnoop: {}", visible(why)));
            return ExitCode::from(FAILED);
        }
    }
    let error = exec.exec();
    print_line(format_args!("killsnoop: cannot run {}: {}", visible(program), reason(&error)));
    ExitCode::from(if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { NOT_EXECUTABLE })
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_command_is_let_go_with_its_input_or_never() {
        let (mut writer, input) = UnixStream::pair().unwrap();
        writer.write_all(b"text").unwrap();
        for (word, is_let_go) in [(Some(GO), true), (Some(WAIT), false), (None, false)] {
            let (ours, theirs) = UnixStream::pair().unwrap();
            give(&ours, input.as_fd()).unwrap();
            if let Some(word) = word {
                (&ours).write_all(&[word]).unwrap();
            }
            drop(ours);
            let taken = take_when_ready(&theirs).unwrap();
            assert_eq!(taken.is_some(), is_let_go, "{word:?}");
            if let Some(taken) = taken {
                let mut text = [0; 4];
                UnixStream::from(taken).read_exact(&mut text).unwrap();
                assert_eq!(&text, b"text");
            }
        }
    }

    #[test]
    fn what_nobody_started_is_not_let_go() {
        let (_, others) = UnixStream::pair().unwrap();
        assert!(take_when_ready(&others).unwrap().is_none(), "nobody is there");
        let file = std::fs::File::open("/dev/null").unwrap();
        assert!(take_when_ready(&file).is_err(), "it is no socket");
    }
}
