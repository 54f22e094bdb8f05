//! /proc/PID/cgroup and /proc/PID/mountinfo.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| killsnoop::fuzz::mountinfo(bytes));
