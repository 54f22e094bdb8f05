//! Fills in what the kernel side flagged as missing, and nothing else.
//!
//! A late look must not put a later program's command line into an earlier event: what is taken is either
//! the identity of the very image that the event saw (same exec id), or what /proc shows of a process that
//! has not exec'd since.

pub mod procfs;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::bpf::session::KeptIdentity;
use crate::record::{Argv, Gap, ProcessFacts, Snapshot};

/// What the kernel keeps of a process now.
pub trait Identities {
    /// By its id in the tracer's pid namespace.
    fn identity(&self, pid: u32) -> Option<KeptIdentity>;
}

impl Identities for crate::bpf::session::Session<'_> {
    fn identity(&self, pid: u32) -> Option<KeptIdentity> {
        self.identity(pid)
    }
}

/// Completes events.
#[derive(Debug)]
pub struct Completer {
    proc_directory: PathBuf,
    /// Command lines completed so far.
    pub completed: u64,
}

impl Completer {
    /// `root` is where the host's file system is.
    pub fn new(root: &Path) -> Self {
        Self { proc_directory: root.join("proc"), completed: 0 }
    }

    /// Fills what can be filled.
    pub fn complete(&mut self, snapshot: &mut Snapshot<'_>, identities: &dyn Identities) {
        let time = snapshot.time;
        for process in &mut snapshot.processes {
            if let Argv::Missing(gap) = process.argv {
                if let Some(argv) = self.find(process, gap, time, identities) {
                    process.argv = argv;
                    self.completed += 1;
                }
            }
        }
    }

    fn find(
        &self,
        process: &ProcessFacts<'_>,
        gap: Gap,
        time: u64,
        identities: &dyn Identities,
    ) -> Option<Argv<'static>> {
        if !procfs::is_same_process(&self.proc_directory, process.pid, process.start) {
            return None;
        }
        let kept = identities.identity(process.pid);
        let is_same = |kept: &KeptIdentity| {
            procfs::is_same_process(&self.proc_directory, process.pid, process.start)
                && kept.is_known
                && kept.exec_id == process.exec_id
        };
        if let Some(kept) = kept.as_ref().filter(|kept| is_same(kept)) {
            return Some(Argv::Known {
                bytes: Cow::Owned(kept.argv.clone()),
                total: kept.argv_total,
                from_proc: false,
            });
        }
        let has_execed_since = kept.is_some_and(|kept| kept.exec_time > time);
        if has_execed_since || matches!(gap, Gap::MidExec | Gap::ExecRace) {
            return None;
        }
        let bytes = procfs::cmdline(&self.proc_directory, process.pid, process.start)?;
        let execed_meanwhile = identities.identity(process.pid).is_some_and(|kept| kept.exec_time > time);
        (!execed_meanwhile).then_some(Argv::Known {
            total: bytes.len() as u32,
            bytes: Cow::Owned(bytes),
            from_proc: true,
        })
    }
}
