//! killsnoop: who killed my process?
//!
//! The kernel side (`bpf/`) takes the whole picture at the instant of the signal. This library decodes it ([`record`]), adds what
//! was flagged as missing (`enrich`), decides what it means ([`event`]), and prints it ([`output`]); `trace` runs that
//! pipeline, and [`command`] is what the user called. ARCHITECTURE.md has the path of a signal on one page, and the files that a
//! change touches.
//!
//! It is the library of one program: nothing in it is a stable interface.
//!
//! `unsafe` is in [`bpf`] and in `wire`, which says what is plain data.
#![deny(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod base;
#[allow(unsafe_code)]
pub mod bpf;
pub mod cli;
pub mod command;
pub mod config;
pub mod correlate;
mod enrich;
pub mod error;
pub mod event;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod journal;
pub mod metrics;
pub mod output;
pub mod past;
pub mod record;
#[rustfmt::skip]
#[allow(unsafe_code)]
mod skel;
pub mod store;
mod trace;
#[allow(unsafe_code)]
mod wire;
