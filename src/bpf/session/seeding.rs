//! Processes that ran before the hooks: their identities are read once, by the kernel's task iterator, and from /proc where that
//! cannot.

use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;
use std::time::{Duration, Instant};

use libbpf_rs::{MapCore, MapFlags, MapMut};

use super::counters::CounterPages;
use super::proc_seeding::{self, InitImage};
use crate::bpf::detached_reader::DetachedReader;
use crate::bpf::pidfd;
use crate::bpf::plan::Plan;
use crate::bpf::programs::{self, Programs};
use crate::config::Config;
use crate::enrich::procfs;
use crate::error::TraceError;
use crate::skel::KillsnoopSkel;

/// The longest that the seeding may take; then the trace begins without what is left.
pub(super) const SEED_WITHIN: Duration = Duration::from_secs(1);
/// A memory map that was being changed is read again after this time.
const READ_AGAIN_AFTER: Duration = Duration::from_millis(2);
/// How often at most, unless the time is over before.
const READ_AGAIN_AT_MOST: u32 = 50;

/// What the seeding found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SeedingResult {
    /// Processes whose command line the iterator read.
    pub by_iterator: u32,
    /// Processes whose command line came from /proc.
    pub from_proc: u32,
    /// Processes whose command line could not be read.
    pub unreadable: u32,
    /// Processes that were not reached in time, since the memory of one hangs.
    pub outstanding: u32,
}

/// What is seeded, and with what.
pub(super) struct Seeding<'a, 'obj> {
    pub(super) skel: &'a KillsnoopSkel<'obj>,
    pub(super) programs: &'a Programs,
    pub(super) counters: &'a CounterPages,
    pub(super) config: &'a Config,
    pub(super) plan: &'a Plan,
    /// Whether the kernel side is to know who is in a tree.
    pub(super) follows_trees: bool,
}

impl Seeding<'_, '_> {
    /// Reads them; returns as well the process that still reads, if it hangs.
    pub(super) fn run(&self) -> Result<(SeedingResult, Option<DetachedReader>), TraceError> {
        let Self { skel, config, plan, .. } = self;
        let mut seeded = SeedingResult::default();
        let (mut init, mut hangs) = (None, None);
        if plan.iterates {
            let stuck;
            (hangs, stuck) = self.by_iterator()?;
            if let Some(bss) = skel.maps.bss_data.as_deref() {
                seeded.by_iterator = bss.seeding.processes;
                seeded.unreadable = bss.seeding.unreadable + stuck;
                init = (bss.seeding.init_image != 0)
                    .then_some(InitImage { exec_id: bss.seeding.init_exec_id, mm: bss.seeding.init_image });
            }
        }
        proc_seeding::seed(skel, &config.root, plan.proc_seeding, init, &mut seeded);
        if !config.variables.is_empty() && plan.shares_pids {
            proc_seeding::seed_environments(skel, &config.root, &config.variables);
        }
        if hangs.is_some() && plan.shares_pids {
            seeded.outstanding = count_unknown(skel, &config.root);
        }
        Ok((seeded, hangs))
    }

    /// Returns the process that still reads when the time is over, and how many memory maps are stuck. Reads again if a process
    /// was forked meanwhile by one that had not been read yet; to follow trees, in any case.
    fn by_iterator(&self) -> Result<(Option<DetachedReader>, u32), TraceError> {
        let Self { skel, programs, counters, .. } = self;
        let deadline = Instant::now() + SEED_WITHIN;
        let link = programs.attach("seed").map_err(|error| {
            let hint = "run with -l debug to see what libbpf says";
            TraceError::kernel("make the task iterator", hint, error.into())
        })?;
        let busy = || skel.maps.bss_data.as_deref().map_or(0, |bss| bss.seeding.busy);
        let (mut is_last, mut stuck) = (!self.follows_trees, 0);
        for turn in 0..READ_AGAIN_AT_MOST {
            let (before, forks_before) = (busy(), counters.sum().fork_unknown);
            let read =
                programs::make_iterator(link.as_fd()).and_then(|iterator| DetachedReader::read(&iterator));
            let mut read =
                read.map_err(|error| TraceError::system("read the processes that were there before", error))?;
            if !read.wait_until(deadline) {
                return Ok((Some(read), 0));
            }
            stuck = busy() - before;
            let has_all = stuck == 0 && counters.sum().fork_unknown == forks_before;
            if is_last && has_all || Instant::now() >= deadline {
                break;
            }
            is_last = true;
            if stuck > 0 && turn > 0 {
                std::thread::sleep(READ_AGAIN_AFTER);
            }
        }
        Ok((None, stuck))
    }
}

/// Processes of which the kernel side knows nothing.
fn count_unknown(skel: &KillsnoopSkel<'_>, root: &Path) -> u32 {
    let is_unknown = |pid: &u32| {
        let Ok(process) = pidfd::open(*pid) else { return false };
        let key = process.as_raw_fd().to_ne_bytes();
        let has = |map: &MapMut<'_>| matches!(map.lookup(&key, MapFlags::ANY), Ok(Some(_)));
        !has(&skel.maps.seeded) && !has(&skel.maps.identities)
    };
    let proc_directory = root.join("proc");
    let pids = procfs::pids(&proc_directory).into_iter();
    pids.filter(is_unknown).filter(|&pid| procfs::has_memory(&proc_directory, pid)).count() as u32
}
