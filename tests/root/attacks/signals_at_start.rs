//! Signals that killsnoop handles, while the kernel verifies its programs: it gives that up when one is pending.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::Signal;
use support::{Stderr, is_in_set, kill, killsnoop, wait_until};

use crate::Test;

pub const TESTS: &[Test] = &[("signals_while_the_programs_load_end_nothing", &[], while_loading)];

const STARTS: u32 = 20;

fn while_loading() {
    let directory = tempfile::tempdir().unwrap();
    for number in 0..STARTS {
        let signal = if number % 2 == 0 { Signal::HUP } else { Signal::USR1 };
        let output = format!("json={}", directory.path().join("lines").display());
        let mut tracer = Command::new(killsnoop())
            .args(["-o", &output])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let pid = tracer.id();
        let is_ready = AtomicBool::new(false);
        let stderr = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_ready.load(Ordering::Relaxed) {
                    // the default would end it
                    if is_in_set(pid, "SigCgt", signal.as_raw()) {
                        kill(pid, signal);
                    }
                    std::thread::sleep(Duration::from_millis(2));
                }
            });
            let stderr =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| Stderr::of_ready(&mut tracer)));
            is_ready.store(true, Ordering::Relaxed);
            stderr
        });
        let stderr = stderr.unwrap_or_else(|_| panic!("start {number}"));
        if signal == Signal::USR1 {
            // what came meanwhile takes effect afterwards
            wait_until("the counters", || stderr.text().contains("signals so far").then_some(()));
        }
        kill(pid, Signal::TERM);
        assert!(wait_until("its end", || tracer.try_wait().unwrap()).success());
    }
}
