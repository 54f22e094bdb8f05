//! `--since`, `--older-than` and their like.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| killsnoop::fuzz::time(bytes));
