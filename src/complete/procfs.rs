//! /proc, read with the start time in hand: a pid that is used again is another process.

use std::fs;
use std::io;
use std::path::Path;

use procfs::ProcError;
use procfs::process::{Process, Stat};

/// /proc counts in clock ticks; a start is boot-time nanoseconds.
fn ticks(start: u64) -> u64 {
    (u128::from(start) * u128::from(procfs::ticks_per_second()) / 1_000_000_000) as u64
}

fn stat(proc_directory: &Path, pid: u32) -> io::Result<Stat> {
    Process::new_with_root(proc_directory.join(pid.to_string())).and_then(|process| process.stat()).map_err(
        |error| match error {
            ProcError::NotFound(_) => io::Error::from(io::ErrorKind::NotFound),
            error => io::Error::other(error),
        },
    )
}

/// Is this pid still the process that started then (boot time, ns)?
pub fn is_same_process(proc_directory: &Path, pid: u32, start: u64) -> bool {
    stat(proc_directory, pid).is_ok_and(|stat| stat.starttime == ticks(start))
}

/// An argument block as /proc shows it, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgumentBlock {
    /// The arguments, NUL separated.
    pub bytes: Vec<u8>,
    /// Where it lies in the process's memory, random anew at each exec; 0 where the reader may not know.
    pub arg_start: u64,
    start_ticks: u64,
}

impl ArgumentBlock {
    /// Is it the block of the image that a process ran when the kernel saw its block at this place (low half of
    /// the address)? A place of 0 tells nothing.
    pub fn is_of(&self, start: u64, arg_start: u32) -> bool {
        arg_start != 0 && self.arg_start as u32 == arg_start && self.start_ticks == ticks(start)
    }
}

/// The argument block of whatever runs under this pid. None where there is none: a kernel thread, a zombie.
///
/// # Errors
/// If the process is gone, or exec'd each time it was looked at.
pub fn argument_block(proc_directory: &Path, pid: u32) -> io::Result<Option<ArgumentBlock>> {
    let place = || {
        let stat = stat(proc_directory, pid)?;
        Ok::<_, io::Error>((stat.arg_start.unwrap_or(0), stat.starttime))
    };
    for _ in 0..3 {
        let (arg_start, start_ticks) = place()?;
        let bytes = fs::read(proc_directory.join(pid.to_string()).join("cmdline"))?;
        // an exec in between has moved the block
        if place()? == (arg_start, start_ticks) {
            return Ok((!bytes.is_empty()).then_some(ArgumentBlock { bytes, arg_start, start_ticks }));
        }
    }
    Err(io::ErrorKind::ResourceBusy.into())
}

/// Every process of a /proc.
pub fn pids(proc_directory: &Path) -> Vec<u32> {
    let entries = fs::read_dir(proc_directory).into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own_start() -> u64 {
        let stat = stat(Path::new("/proc"), std::process::id()).unwrap();
        stat.starttime * 1_000_000_000 / procfs::ticks_per_second()
    }

    #[test]
    fn a_process_is_known_by_its_start() {
        let (proc_directory, pid) = (Path::new("/proc"), std::process::id());
        assert!(is_same_process(proc_directory, pid, own_start()));
        assert!(!is_same_process(proc_directory, pid, own_start() + 1_000_000_000));
    }

    #[test]
    fn an_argument_block_is_of_one_image_of_one_process() {
        let block = argument_block(Path::new("/proc"), std::process::id()).unwrap().unwrap();
        assert!(block.bytes.ends_with(&[0]));
        assert!(block.is_of(own_start(), block.arg_start as u32));
        assert!(!block.is_of(own_start(), block.arg_start as u32 + 16), "it exec'd");
        assert!(!block.is_of(own_start() + 1_000_000_000, block.arg_start as u32), "another process");
        assert!(!block.is_of(own_start(), 0), "nothing is known");
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
