//! `--redact`, and what it is matched with.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| killsnoop::fuzz::redaction(bytes));
