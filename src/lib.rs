//! killsnoop: who killed my process?
//!
//! The kernel takes the whole picture at the instant of the signal; user space only prints it. Data goes one
//! way:
//!
//! ```text
//!  KERNEL (bpf/)                                                  USER
//!  sched_process_exec ─┐                                          ring ─► record::decode      bytes in, typed facts out
//!  sched_process_fork ─┼─► identity (task storage: argv,            │
//!  iter.s/task (seed) ─┘   exe, what came before)                    ▼
//!                               │                                 history    which event reported which signal
//!                               ▼                                    ▼
//!  signal_generate ─► filter ─► snapshot ─► ring                  pending    joins a signal with the execve it met
//!                               (both chains, spawners)              ▼
//!  sched_process_exit ─► end, ghost ─► ring                       enrich     names, cgroup paths, titles; flagged gaps
//!  cgroup_mkdir ─► path ─► ring                                      ▼
//!                                                                 event      origin, relation, summary: pure
//!                                                                    ▼
//!                                                                 output     redact, filter, render, fold
//!                                                                    ▼
//!                                                                 format     logfmt | json | table | tree
//! ```
//!
//! Where to look:
//! - what a line says: [`output::render`] (keys and order), [`event::summary`] (the sentence), [`event::origin`] (what really
//!   caused it);
//! - how a line looks: [`output::format`], one file per format; which lines there are and where they go: [`output`];
//! - what the program does with a trace: [`command`] (`run`, `who`, `doctor`);
//! - what the kernel side does: `bpf/killsnoop.bpf.c` and its headers;
//! - what is loaded on which host: [`bpf::probe`] and [`bpf::plan`].
//!
//! `unsafe` is in [`bpf`] and in [`wire`], which says what is plain data.
#![deny(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod base;
#[allow(unsafe_code)]
pub mod bpf;
pub mod cli;
pub mod command;
pub mod config;
pub mod correlate;
pub mod enrich;
pub mod error;
pub mod event;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod output;
pub mod record;
#[rustfmt::skip]
#[allow(unsafe_code)]
mod skel;
pub mod trace;
#[allow(unsafe_code)]
pub mod wire;
