//! /proc, read with the start time in hand: a pid that is used again is another process.

use std::fs;
use std::path::Path;

/// Is this pid still the process that started then (boot time, ns)? /proc counts in clock ticks.
pub fn is_same_process(proc_directory: &Path, pid: u32, start: u64) -> bool {
    let Ok(process) = procfs::process::Process::new_with_root(proc_directory.join(pid.to_string())) else {
        return false;
    };
    let per_second = procfs::ticks_per_second();
    process.stat().is_ok_and(|stat| {
        let ticks = u128::from(start) * u128::from(per_second) / 1_000_000_000;
        u128::from(stat.starttime) == ticks
    })
}

/// The argument block of that very process; None where it is gone or shows nothing (a zombie).
pub fn cmdline(proc_directory: &Path, pid: u32, start: u64) -> Option<Vec<u8>> {
    let bytes = fs::read(proc_directory.join(pid.to_string()).join("cmdline")).ok()?;
    (!bytes.is_empty() && is_same_process(proc_directory, pid, start)).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own_start() -> u64 {
        let stat = procfs::process::Process::myself().unwrap().stat().unwrap();
        stat.starttime * 1_000_000_000 / procfs::ticks_per_second()
    }

    #[test]
    fn a_process_is_known_by_its_start() {
        let proc_directory = Path::new("/proc");
        let pid = std::process::id();
        assert!(is_same_process(proc_directory, pid, own_start()));
        assert!(!is_same_process(proc_directory, pid, own_start() + 1_000_000_000));
        assert!(cmdline(proc_directory, pid, own_start()).is_some());
        assert!(cmdline(proc_directory, pid, 0).is_none());
    }

    #[test]
    fn the_root_is_where_it_is_said_to_be() {
        assert!(!is_same_process(Path::new("/nonexistent/proc"), std::process::id(), own_start()));
    }
}
