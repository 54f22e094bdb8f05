//! /proc/PID/cmdline.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| killsnoop::fuzz::proc_cmdline(bytes));
