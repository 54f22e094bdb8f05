//! The command of `killsnoop run`: started before the trace, held until it is ready, so that its very first
//! instruction is seen.
//!
//! What is started is killsnoop itself. It asks at a socket of the abstract namespace, waits for the answer, becomes
//! whoever called sudo and then the command. Nothing of that is left in the command: no descriptor, no signal.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Pid;

use super::invoker::Invoker;
use crate::sink::sanitize::visible;

/// Our own failure, as timeout and env have it.
pub const FAILED: u8 = 125;
/// The command is there and cannot be run.
pub const NOT_EXECUTABLE: u8 = 126;
/// There is no such command.
pub const NOT_FOUND: u8 = 127;

/// The answer: go.
const GO: u8 = 1;
/// Until then it has asked, or it never will.
const ASKS_WITHIN: Duration = Duration::from_secs(10);

/// A command that waits.
#[derive(Debug)]
pub struct Held {
    /// Its process.
    pub pid: Pid,
    listener: UnixListener,
}

impl Held {
    /// Starts it.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(command: &[OsString]) -> io::Result<Self> {
        let name = format!("killsnoop-run-{}", std::process::id());
        let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name)?)?;
        listener.set_nonblocking(true)?;
        let child =
            Command::new("/proc/self/exe").args(["exec-when-ready", &name, "--"]).args(command).spawn()?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        // its end is waited for with that of every orphan below it
        let pid = pid.ok_or_else(|| io::Error::other("a process without a pid"))?;
        Ok(Self { pid, listener })
    }

    /// Lets it go.
    ///
    /// # Errors
    /// If it does not ask.
    pub fn release(&self) -> io::Result<()> {
        let began = Instant::now();
        loop {
            match self.listener.accept() {
                Ok((mut stream, _)) => {
                    // whoever else found the name gets no answer
                    if rustix::net::sockopt::socket_peercred(&stream)?.pid == self.pid {
                        return stream.write_all(&[GO]);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if began.elapsed() > ASKS_WITHIN {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                    thread::sleep(Duration::from_millis(1));
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// What was started: waits, then becomes the command. Returns only if that fails.
pub fn exec_when_ready(name: &str, command: &[OsString]) -> ExitCode {
    if !is_let_go(name) {
        // the trace failed, and has said so
        return ExitCode::from(FAILED);
    }
    let Some((program, arguments)) = command.split_first() else { return ExitCode::from(FAILED) };
    let mut exec = Command::new(program);
    exec.args(arguments);
    match Invoker::of_sudo() {
        Ok(None) => {}
        Ok(Some(invoker)) => {
            if let Err(error) = invoker.become_now() {
                eprintln!("killsnoop: cannot become user {}: {error}", invoker.uid);
                return ExitCode::from(FAILED);
            }
            exec.envs(invoker.environment());
        }
        Err(why) => {
            eprintln!("killsnoop: {}", visible(why));
            return ExitCode::from(FAILED);
        }
    }
    let error = exec.exec();
    eprintln!("killsnoop: cannot run {}: {error}", visible(program));
    ExitCode::from(if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { NOT_EXECUTABLE })
}

fn is_let_go(name: &str) -> bool {
    let ask = || -> io::Result<bool> {
        let mut stream = UnixStream::connect_addr(&SocketAddr::from_abstract_name(name)?)?;
        let mut answer = [0];
        stream.read_exact(&mut answer)?;
        Ok(answer == [GO])
    };
    ask().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_where_nobody_answers_is_not_let_go() {
        let name = format!("killsnoop-test-{}", std::process::id());
        assert!(!is_let_go(&name), "nobody is there");
        let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        let asking = thread::spawn(move || is_let_go(&name));
        drop(listener.accept().unwrap());
        assert!(!asking.join().unwrap(), "it went away");
    }
}
