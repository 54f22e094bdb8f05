//! How long a test waits for what must happen.

use std::thread;
use std::time::{Duration, Instant};

/// How long what must happen may take; an emulated guest needs more than half a minute to take fourteen trampolines off.
pub fn patience() -> Duration {
    Duration::from_secs(if in_guest() { 120 } else { 20 })
}

/// Whether this is a guest of scripts/kernel-matrix.
pub fn in_guest() -> bool {
    std::env::var_os("KILLSNOOP_IN_GUEST").is_some()
}

/// Between two looks at what must happen. In a guest a look costs a quarter of a millisecond, of the CPU that is to do it.
pub(crate) fn pause() {
    thread::sleep(Duration::from_millis(if in_guest() { 10 } else { 2 }));
}

/// Waits until it is so.
pub fn wait_until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let expire = Instant::now() + patience();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < expire, "waited {:?} in vain for {what}", patience());
        pause();
    }
}
