//! What a container runtime wrote of a container.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| killsnoop::fuzz::container_config(bytes));
