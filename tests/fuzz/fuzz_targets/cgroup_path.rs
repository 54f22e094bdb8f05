//! Paths of cgroups, as the kernel says them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| killsnoop::fuzz::cgroup_path(bytes));
