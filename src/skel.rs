//! The generated skeleton.
#![allow(missing_docs, missing_debug_implementations, unreachable_pub, elided_lifetimes_in_paths)]
#![allow(unsafe_op_in_unsafe_fn, rust_2018_idioms)]
#![allow(clippy::all, clippy::pedantic, clippy::undocumented_unsafe_blocks, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

include!(concat!(env!("OUT_DIR"), "/killsnoop.skel.rs"));
