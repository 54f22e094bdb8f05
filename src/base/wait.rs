//! Waiting with a limit.

use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::Timespec;

/// A limit as poll(2) takes it.
pub(crate) fn timeout(longest: Duration) -> Timespec {
    Timespec { tv_sec: longest.as_secs() as i64, tv_nsec: i64::from(longest.subsec_nanos()) }
}

/// Waits for the end of a child, so long at most.
pub(crate) fn wait_for_end(child: &mut Child, longest: Duration) {
    let began = Instant::now();
    while matches!(child.try_wait(), Ok(None)) && began.elapsed() < longest {
        thread::sleep(Duration::from_millis(5));
    }
}
