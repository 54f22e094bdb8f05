//! /proc, read with the start time in hand: a pid that is used again is another process.

mod argument_block;
mod cgroup;
mod memory;
mod namespaces;
mod stat;

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::PROC_SUPER_MAGIC;

#[cfg(any(test, fuzzing))]
pub(crate) use self::argument_block::is_title;
pub(crate) use self::argument_block::{ArgumentBlock, argument_block};
pub(crate) use self::cgroup::CgroupLine;
pub(crate) use self::memory::read_in_time;
pub(crate) use self::namespaces::{HostNamespaces, shares_mounts_with_init};
pub(crate) use self::stat::{Stat, status_number};
use self::stat::{numbers, ticks};
use crate::base::reversed_path;
use crate::wire::COMM_BYTES;

/// The text of a file in which a process, or a user, may have put bytes that are no text: a name in /proc, the comment field of
/// /etc/passwd. What else is there is not to be lost for that.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn read_text(path: impl AsRef<Path>) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&fs::read(path)?).into_owned())
}

/// Is it a process with an address space: no kernel thread, and no zombie?
pub(crate) fn has_memory(proc_directory: &Path, pid: u32) -> bool {
    numbers(proc_directory, pid).is_ok_and(|stat| stat.size != 0)
}

/// Is this pid still the process that started then (boot time, ns)?
pub(crate) fn is_same_process(proc_directory: &Path, pid: u32, start: u64) -> bool {
    numbers(proc_directory, pid).is_ok_and(|stat| stat.start_ticks == ticks(start))
}

/// What /proc shows of a process at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Status {
    /// `comm`.
    pub comm: Vec<u8>,
    /// Effective user id.
    pub uid: u32,
}

/// Of the process that started then (boot time, ns), if it is still there.
pub(crate) fn status(proc_directory: &Path, pid: u32, start: u64) -> Option<Status> {
    let directory = proc_directory.join(pid.to_string());
    let mut comm = fs::read(directory.join("comm")).ok()?;
    if comm.last() == Some(&b'\n') {
        comm.pop();
    }
    // real, effective, saved, of the file system
    let uid = status_number(&read_text(directory.join("status")).ok()?, "Uid", 1)?;
    // of a kernel worker the file has more than the kernel keeps as its name
    comm.truncate(COMM_BYTES);
    // read before, so that it is of this very process
    is_same_process(proc_directory, pid, start).then_some(Status { comm, uid })
}

/// The path of the executable that runs under this pid, as its names: each with a NUL, the nearest first.
pub(crate) fn exe_names(proc_directory: &Path, pid: u32) -> Option<Vec<u8>> {
    use std::os::unix::ffi::OsStrExt;
    let path = fs::read_link(proc_directory.join(pid.to_string()).join("exe")).ok()?;
    let path = path.as_os_str().as_bytes();
    // the kernel's word for a file without a name; it is not part of the name
    let path = path.strip_suffix(b" (deleted)").unwrap_or(path);
    reversed_path::of_path(path)
}

/// Is there a /proc? A directory of that name is none.
pub(crate) fn is_mounted(proc_directory: &Path) -> bool {
    rustix::fs::statfs(proc_directory).is_ok_and(|found| found.f_type == PROC_SUPER_MAGIC)
}

/// The effective user of a process, to whom its directory belongs.
pub(crate) fn owner(proc_directory: &Path, pid: u32) -> Option<u32> {
    fs::metadata(proc_directory.join(pid.to_string())).ok().map(|directory| directory.uid())
}

/// Every process of a /proc.
pub(crate) fn pids(proc_directory: &Path) -> Vec<u32> {
    let entries = fs::read_dir(proc_directory).into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::enrich) fn own_start() -> u64 {
        let stat = numbers(Path::new("/proc"), std::process::id()).unwrap();
        stat.start_ticks * 1_000_000_000 / ::procfs::ticks_per_second()
    }

    #[test]
    fn a_process_is_known_by_its_start() {
        let (proc_directory, pid) = (Path::new("/proc"), std::process::id());
        assert!(is_same_process(proc_directory, pid, own_start()));
        assert!(!is_same_process(proc_directory, pid, own_start() + 1_000_000_000));
    }

    #[test]
    fn the_root_is_where_it_is_said_to_be() {
        let nowhere = Path::new("/nonexistent/proc");
        assert!(!is_same_process(nowhere, std::process::id(), own_start()));
        assert!(argument_block(nowhere, 1).is_err());
        assert!(pids(nowhere).is_empty());
        assert!(pids(Path::new("/proc")).contains(&std::process::id()));
    }
}
