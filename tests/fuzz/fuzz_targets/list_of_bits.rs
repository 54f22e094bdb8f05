//! Lists of the kernel such as `0-3,8`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| killsnoop::fuzz::list_of_bits(bytes));
