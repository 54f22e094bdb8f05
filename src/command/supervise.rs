//! `killsnoop record --config FILE`: a recorder that reads its flags again on SIGHUP.
//!
//! A recorder drops the rights that it needs to begin, so it cannot begin again. This process keeps them and does nothing else: it
//! starts the recorder, passes signals on to it and to the service manager what it says, and on SIGHUP starts it again with the
//! new flags, if these are valid. In between nothing is recorded, for as long as a start takes; the store says so.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;

use crate::base::notify::Notifier;

/// The flag by which a recorder knows that it was started so; hidden.
pub const SUPERVISED: &str = "--supervised";

/// Runs recorders until one ends by itself, or is to end. `words_of` gives the words of the next one, or says what is wrong with them.
///
/// # Errors
/// If the first one cannot be started.
pub fn supervise(
    config: &Path,
    words_of: impl Fn() -> Result<Vec<OsString>, String>,
) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::new([SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1])
        .context("cannot handle signals")?;
    let (theirs, ours) = UnixDatagram::pair().context("cannot make a socket")?;
    let manager = Notifier::of_environment();
    let is_ending = Arc::new(AtomicBool::new(false));
    let ends = Arc::clone(&is_ending);
    std::thread::Builder::new().name("manager".to_owned()).spawn(move || pass_on(&ours, &manager, &ends))?;
    let mut words = words_of().map_err(anyhow::Error::msg)?;
    loop {
        let mut child = start(&words, &theirs).context("cannot start the recorder")?;
        let mut next = None;
        let status = loop {
            let mut ended = None;
            for signal in signals.wait() {
                match signal {
                    SIGCHLD => ended = ended.or(child.try_wait()?),
                    SIGHUP => match words_of() {
                        Ok(words) => {
                            next = Some(words);
                            send(&child, Signal::TERM);
                        }
                        Err(why) => tracing::error!(
                            "{} is not valid, so the recorder goes on as before: {why}",
                            crate::base::sanitize::visible(config)
                        ),
                    },
                    SIGUSR1 => send(&child, Signal::USR1),
                    _ => {
                        is_ending.store(true, Ordering::Relaxed);
                        next = None;
                        send(&child, Signal::TERM);
                    }
                }
            }
            if let Some(status) = ended {
                break status;
            }
        };
        match next {
            Some(valid) if status.success() => {
                tracing::info!("{} was read again", crate::base::sanitize::visible(config));
                words = valid;
            }
            _ => {
                let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
                return Ok(ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)));
            }
        }
    }
}

fn start(words: &[OsString], manager: &UnixDatagram) -> io::Result<Child> {
    let socket: OwnedFd = manager.try_clone()?.into();
    // a group of its own: ^C is passed on, and comes once
    Command::new("/proc/self/exe").args(words).stdin(socket).process_group(0).spawn()
}

/// It may have ended, which SIGCHLD says.
fn send(child: &Child, signal: Signal) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// To the service manager, which hears this process alone. A recorder that ends for the next one does not end the service: systemd
/// kills one that has said that it stops, and does not.
fn pass_on(socket: &UnixDatagram, manager: &Notifier, is_ending: &AtomicBool) {
    let mut bytes = [0; 1024];
    while let Ok(count) = socket.recv(&mut bytes) {
        let text = String::from_utf8_lossy(&bytes[..count]);
        if text != "STOPPING=1" || is_ending.load(Ordering::Relaxed) {
            manager.say(&text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_recorder_is_that_of_the_service_only_if_it_was_asked_for() {
        for (is_ending, expected) in [(false, &["READY=1"][..]), (true, &["READY=1", "STOPPING=1"])] {
            let (theirs, ours) = UnixDatagram::pair().unwrap();
            let (manager, listener) = UnixDatagram::pair().unwrap();
            listener.set_nonblocking(true).unwrap();
            theirs.send(b"READY=1").unwrap();
            theirs.send(b"STOPPING=1").unwrap();
            ours.set_read_timeout(Some(std::time::Duration::from_millis(200))).unwrap();
            pass_on(&ours, &Notifier::of_socket(&manager).unwrap(), &AtomicBool::new(is_ending));
            let mut heard = Vec::new();
            let mut bytes = [0; 64];
            while let Ok(count) = listener.recv(&mut bytes) {
                heard.push(String::from_utf8_lossy(&bytes[..count]).into_owned());
            }
            assert_eq!(heard, expected);
        }
    }
}
