//! Work during which no signal reaches this thread.
//!
//! The verifier stops with `EAGAIN` when a signal is pending, and what libbpf probes comes out wrong by it. libbpf tries again
//! five times, which a sender of more signals outlasts.

use std::mem::MaybeUninit;
use std::sync::mpsc;

/// Runs `act` while signals are blocked, for this thread and those that it starts meanwhile. Another thread takes them, so
/// that handlers run at once: what they ask for comes to pass afterwards, and a second SIGINT or SIGTERM ends the program.
pub(super) fn with_signals_blocked<T>(act: impl FnOnce() -> T) -> T {
    std::thread::scope(|scope| {
        let (is_over, over) = mpsc::channel::<()>();
        // it has the mask of before. Without it the signals wait.
        let taker = std::thread::Builder::new().name("signals".to_owned());
        let _ = taker.spawn_scoped(scope, move || over.recv());
        let blocked = Blocked::new();
        let result = act();
        drop(blocked);
        drop(is_over);
        result
    })
}

/// All signals, until it is dropped.
struct Blocked(libc::sigset_t);

impl Blocked {
    fn new() -> Self {
        let (mut all, mut before) = (MaybeUninit::uninit(), MaybeUninit::zeroed());
        // SAFETY: both are sets of signals; the first is filled before it is read. Zeros are an empty set.
        unsafe {
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
            Self(before.assume_init())
        }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        // SAFETY: a set of signals, as it was given.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, std::ptr::null_mut()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocked() -> String {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        status.lines().find(|line| line.starts_with("SigBlk")).unwrap().to_owned()
    }

    #[test]
    fn signals_are_blocked_here_and_in_what_is_started_and_not_afterwards() {
        let before = blocked();
        let (here, there) = with_signals_blocked(|| (blocked(), std::thread::spawn(blocked).join().unwrap()));
        assert!(here.ends_with("fffffffe7ffbfeff") || here.ends_with("fffffffc7ffbfeff"), "{here}");
        assert_eq!(there, here);
        assert_eq!(blocked(), before);
    }
}
