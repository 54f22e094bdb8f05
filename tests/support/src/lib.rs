//! What the tests and benches share that run real processes: programs, processes, cgroups, a terminal, a tracer and its events; the table
//! of the ways a signal comes to be; the report that `scripts/kernel-matrix` reads.
//!
//! It does not use the library of killsnoop, so that building the unit tests does not build that twice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::missing_panics_doc)] // of tests

mod cgroup;
mod event;
pub mod matrix_report;
mod patience;
mod process;
mod programs;
pub mod raw_records;
pub mod signal_cases;
mod terminal;
mod tracer;
mod tree;

pub use cgroup::{Cgroup, FREEZER, MEMORY_LIMIT, memory_cgroup, pids_cgroup, unified};
pub use event::{cmdline, event, name_of_root, pids_up};
pub use patience::{in_guest, patience, wait_until};
pub use process::{Process, children_of, field_of, has_ended, is_in_set, kill, status_field};
pub use programs::{killsnoop, run_workload, use_build, workload};
pub use terminal::Terminal;
pub use tracer::{STARTED, Stderr, Tracer, TracerOutput};
pub use tree::files_below;
