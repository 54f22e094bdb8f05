//! /proc, read with the start time in hand: a pid that is used again is another process.

use std::fs;
use std::io;
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

/// The argument block of whatever runs under this pid, and where in its memory it lies (0: not told; a
/// reader without ptrace access is not). None where there is none: a kernel thread, a zombie.
///
/// # Errors
/// If the process is gone, or exec'd each time it was looked at.
pub fn argument_block(proc_directory: &Path, pid: u32) -> io::Result<Option<(Vec<u8>, u64)>> {
    let directory = proc_directory.join(pid.to_string());
    let arg_start = || {
        let stat =
            procfs::process::Process::new_with_root(directory.clone()).and_then(|process| process.stat());
        match stat {
            Ok(stat) => Ok(stat.arg_start.unwrap_or(0)),
            Err(procfs::ProcError::NotFound(_)) => Err(io::Error::from(io::ErrorKind::NotFound)),
            Err(error) => Err(io::Error::other(error)),
        }
    };
    for _ in 0..3 {
        let before = arg_start()?;
        let bytes = fs::read(directory.join("cmdline"))?;
        // an exec in between has moved the block
        if arg_start()? == before {
            return Ok((!bytes.is_empty()).then_some((bytes, before)));
        }
    }
    Err(io::ErrorKind::ResourceBusy.into())
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
    fn an_argument_block_has_its_place() {
        let (bytes, arg_start) = argument_block(Path::new("/proc"), std::process::id()).unwrap().unwrap();
        assert!(bytes.ends_with(&[0]));
        assert_ne!(arg_start, 0);
        assert!(argument_block(Path::new("/nonexistent"), 1).is_err());
    }

    #[test]
    fn the_root_is_where_it_is_said_to_be() {
        assert!(!is_same_process(Path::new("/nonexistent/proc"), std::process::id(), own_start()));
    }
}
