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
//!                               │                                 history    which event told of which signal
//!                               ▼                                    ▼
//!  signal_generate ─► filter ─► snapshot ─► ring                  story      joins a signal with the execve it met
//!                               (both chains, spawners)              ▼
//!  sched_process_exit ─► end, ghost ─► ring                       complete   names, cgroup paths, titles; flagged gaps
//!  cgroup_mkdir ─► path ─► ring                                      ▼
//!                                                                 event      origin, relation, summary: pure
//!                                                                    ▼
//!                                                                 fields ─► report: redact, filter, fold
//!                                                                    ▼
//!                                                                 sink: logfmt | json | table | tree
//! ```
//!
//! Where to look:
//! - what a line says: [`fields`] (keys and order), [`summary`] (the sentence), [`origin`] (who really sent it);
//! - how a line looks: [`sink`], one file per format; which lines there are and where they go: [`report`];
//! - what else there is to do: [`command`] (`run`, `who`), [`doctor`], [`manual`];
//! - what the kernel side does: `bpf/killsnoop.bpf.c` and its headers;
//! - what is loaded on which host: [`bpf::probe`] and [`bpf::plan`].
//!
//! `unsafe` is in [`bpf`] alone.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod base;
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
mod skel;
pub mod trace;
pub mod wire;
