//! What each command does, a file each, and what they share.

mod awaited;
pub mod child;
pub mod doctor;
pub mod generate;
pub(crate) mod invoker;
pub mod journal;
pub mod log;
mod manual;
pub mod metrics;
pub mod outputs;
pub mod past;
pub mod processes;
pub mod record;
mod recorded;
pub mod run;
#[cfg(test)]
mod sentences;
pub mod stores;
mod streams;
pub mod supervise;
pub mod trace;
pub mod who;
pub mod why;
mod wiring;

use std::path::Path;

use crate::base::os_error::reason;
use crate::bpf::load::route_libbpf_messages;
use crate::bpf::plan::check_proc;
use crate::bpf::probe::{ProcFault, in_initial_pid_namespace};
use crate::enrich::procfs;
use crate::error::{TraceError, UsageError};

/// Before anything is looked up in /proc.
fn begin() -> Result<(), TraceError> {
    route_libbpf_messages();
    check_proc(ProcFault::look())
}

/// The process group of this process, as events have it; None where they count otherwise.
fn own_group() -> Option<u32> {
    in_initial_pid_namespace().then(|| rustix::process::getpgrp().as_raw_nonzero().get().unsigned_abs())
}

/// Checks that this is the root of a host's file system.
///
/// # Errors
/// If there is no such directory, or no `/proc` in it: says what to do. A missing `/proc` at `/` is found later.
pub fn check_root(root: &Path) -> Result<(), UsageError> {
    let wrong = |why: String| Err(UsageError::Root { root: root.display().to_string(), why });
    let proc_directory = root.join("proc");
    match std::fs::read_dir(root) {
        Err(error) => {
            wrong(format!("{}; give the directory where that is mounted (--root DIR)", reason(error)))
        }
        Ok(_) if root != Path::new("/") && !procfs::is_mounted(&proc_directory) => wrong(format!(
            "no proc file system is mounted at {0}; mount the host's there (docker run -v /:{1}:ro,rslave, or mount \
             --rbind /proc {0})",
            proc_directory.display(),
            root.display()
        )),
        Ok(_) => Ok(()),
    }
}
