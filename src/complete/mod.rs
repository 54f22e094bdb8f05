//! Fills in what the kernel side flagged as missing, and nothing else.
//!
//! A late look must not put a later program's command line into an earlier event: what is taken is either
//! the identity of the very image that the event saw (same exec id), or what /proc shows of that image (same
//! place of the argument block, which is random anew at each exec).

pub mod cgroups;
pub mod container;
pub mod kallsyms;
pub mod procfs;
pub mod user;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use self::kallsyms::OomFunctions;
use self::procfs::ArgumentBlock;
use crate::bpf::session::KeptIdentity;
use crate::record::{Argv, Gap, OomFacts, ProcessFacts};

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
    /// What ran before the tracer, where the kernel could not be told of it by pid.
    older: HashMap<u32, ArgumentBlock>,
    /// Where the kernel's functions are, once that was asked; None where it does not say.
    oom_functions: OnceCell<Option<OomFunctions>>,
    /// Command lines completed so far from what the hooks keep.
    pub from_kernel: u64,
    /// And from /proc.
    pub from_proc: u64,
}

impl Completer {
    /// `root` is where the host's file system is.
    pub fn new(root: &Path) -> Self {
        Self {
            proc_directory: root.join("proc"),
            older: HashMap::new(),
            oom_functions: OnceCell::new(),
            from_kernel: 0,
            from_proc: 0,
        }
    }

    /// Reads the command lines of all that runs now, for a tracer whose own pids are not the host's.
    pub fn remember_everybody(&mut self) {
        let block = |pid| Some((pid, procfs::argument_block(&self.proc_directory, pid).ok()??));
        self.older = procfs::pids(&self.proc_directory).into_iter().filter_map(block).collect();
    }

    /// Says whose memory ran out.
    pub fn complete_oom(&self, oom: &mut OomFacts) {
        let read = || OomFunctions::parse(&fs::read_to_string(self.proc_directory.join("kallsyms")).ok()?);
        oom.scope =
            self.oom_functions.get_or_init(read).as_ref().and_then(|functions| functions.scope(&oom.stack));
    }

    /// Fills what can be filled.
    pub fn complete(&mut self, processes: &mut [ProcessFacts<'_>], identities: &dyn Identities) {
        for process in processes {
            if let Argv::Missing(gap) = process.argv {
                if let Some(argv) = self.find(process, gap, identities) {
                    if matches!(argv, Argv::Known { from_proc: true, .. }) {
                        self.from_proc += 1;
                    } else {
                        self.from_kernel += 1;
                    }
                    process.argv = argv;
                }
            }
        }
    }

    fn find(
        &self,
        process: &ProcessFacts<'_>,
        gap: Gap,
        identities: &dyn Identities,
    ) -> Option<Argv<'static>> {
        // In the middle of execve comm and uid may still have been the old image's: the identity alone would make
        // a mixture. The place of the argument block gets its value after they changed, so it may be asked for.
        let is_mid_exec = matches!(gap, Gap::MidExec | Gap::ExecRace);
        let kept = if is_mid_exec { None } else { identities.identity(process.pid) };
        if let Some(kept) = kept {
            // it has exec'd since, or the pid is another's: /proc cannot show what was
            if kept.exec_id != process.exec_id
                || !procfs::is_same_process(&self.proc_directory, process.pid, process.start)
            {
                return None;
            }
            if kept.is_known {
                return Some(Argv::Known {
                    bytes: Cow::Owned(kept.argv),
                    total: kept.argv_total,
                    from_proc: false,
                });
            }
        }
        if process.arg_start == 0 {
            return None;
        }
        let is_of = |block: &ArgumentBlock| block.is_of(process.start, process.arg_start);
        let now = || procfs::argument_block(&self.proc_directory, process.pid).ok().flatten().filter(is_of);
        let block = self.older.get(&process.pid).filter(|block| is_of(block)).cloned().or_else(now)?;
        Some(Argv::Known { total: block.bytes.len() as u32, bytes: Cow::Owned(block.bytes), from_proc: true })
    }
}
