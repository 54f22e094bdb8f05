//! The argument block of a process as /proc shows it, and whether it is that of the image that a record means.

use std::fs;
use std::io;
use std::path::Path;

use super::memory::read_in_time;
use super::stat::{numbers, ticks};

/// An argument block as /proc shows it, and the process that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ArgumentBlock {
    /// The arguments, NUL separated.
    pub bytes: Vec<u8>,
    /// Where it lies in the process's memory; 0 where the reader may not know.
    pub arg_start: u64,
    /// The process has written over it: this is a title.
    pub is_overwritten: bool,
    start_ticks: u64,
    /// That is random at each exec.
    is_at_random: bool,
}

/// More empty arguments at the end than this are the rest of a block that a title was written over.
const PADDING: usize = 3;

/// Was the block written over? `length` is what the kernel gave it, if that is known. As /proc shows it, a block without a
/// NUL at its end goes on into the environment. How many arguments there were cannot be asked here: a shorter title looks
/// like arguments of which the last are empty, and some programs have one or two of these.
fn is_overwritten(bytes: &[u8], length: Option<u64>) -> bool {
    let padding = bytes.iter().rev().take_while(|&&byte| byte == 0).count();
    !bytes.is_empty()
        && (padding == 0 || padding > PADDING || length.is_some_and(|length| length != bytes.len() as u64))
}

impl ArgumentBlock {
    /// Is it the block of the image that a process ran when the kernel saw its block at this place (low half of
    /// the address)? A place of 0 says nothing, and nor does one that the next image has as well.
    pub(crate) fn is_of(&self, start: u64, arg_start: u32) -> bool {
        arg_start != 0
            && self.is_at_random
            && self.arg_start as u32 == arg_start
            && self.start_ticks == ticks(start)
    }
}

/// Does each exec put the argument block elsewhere? False where that cannot be known.
fn has_random_places(proc_directory: &Path, pid: u32) -> bool {
    /// include/uapi/linux/personality.h
    const ADDR_NO_RANDOMIZE: u32 = 0x004_0000;
    let read = |path: &str| fs::read_to_string(proc_directory.join(path)).ok();
    let is_host_random = read("sys/kernel/randomize_va_space").is_some_and(|setting| setting.trim() != "0");
    let personality = read(&format!("{pid}/personality"))
        .and_then(|personality| u32::from_str_radix(personality.trim(), 16).ok());
    is_host_random && personality.is_some_and(|personality| personality & ADDR_NO_RANDOMIZE == 0)
}

/// Is it a title? For the fuzzer.
#[cfg(any(test, fuzzing))]
pub(crate) fn is_title(bytes: &[u8]) -> bool {
    is_overwritten(bytes, None) || is_overwritten(bytes, Some(bytes.len() as u64))
}

/// The argument block of whatever runs under this pid. None where there is none: a kernel thread, a zombie.
///
/// # Errors
/// If the process is gone, or exec'd each time it was looked at.
pub(crate) fn argument_block(proc_directory: &Path, pid: u32) -> io::Result<Option<ArgumentBlock>> {
    let place = || {
        let stat = numbers(proc_directory, pid)?;
        Ok::<_, io::Error>((stat.arg_start, stat.arg_end, stat.start_ticks))
    };
    for _ in 0..3 {
        let (arg_start, arg_end, start_ticks) = place()?;
        let bytes = read_in_time(proc_directory.join(pid.to_string()).join("cmdline"))?;
        let is_at_random = has_random_places(proc_directory, pid);
        // an exec in between has moved the block
        if place()? == (arg_start, arg_end, start_ticks) {
            // 0 where the reader may not know
            let length = (arg_start != 0).then(|| arg_end.saturating_sub(arg_start));
            let is_overwritten = is_overwritten(&bytes, length);
            let block = ArgumentBlock { bytes, arg_start, is_overwritten, start_ticks, is_at_random };
            return Ok((!block.bytes.is_empty()).then_some(block));
        }
    }
    Err(io::ErrorKind::ResourceBusy.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enrich::procfs::tests::own_start;

    #[test]
    fn a_title_is_no_argument_block() {
        for (bytes, length, expected) in [
            (&b"prog\0a\0"[..], Some(7), false),
            (b"prog\0\0\0", Some(7), false),
            (b"", Some(0), false),
            (b"prog\0", None, false),
            (b"nginx: master pro", Some(17), true),
            (b"title that spilt\0", Some(9), true),
            (b"postgres: walwriter\0\0\0\0\0\0\0", Some(26), true),
        ] {
            assert_eq!(is_overwritten(bytes, length), expected, "{}", bytes.escape_ascii());
        }
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
    fn a_place_that_is_not_random_says_nothing() {
        use std::process::{Command, Stdio};
        let mut child = Command::new("setarch")
            .args(["--addr-no-randomize", "cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // it has become `cat` once that answers
        let (mut answer, mut input) = ([0; 1], child.stdin.take().unwrap());
        std::io::Write::write_all(&mut input, b"x").unwrap();
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut answer).unwrap();
        let block = argument_block(Path::new("/proc"), child.id()).unwrap().unwrap();
        let start = numbers(Path::new("/proc"), child.id()).unwrap().start_ticks * 1_000_000_000
            / ::procfs::ticks_per_second();
        drop(input);
        child.wait().unwrap();
        assert_eq!(block.bytes, b"cat\0");
        assert!(!block.is_of(start, block.arg_start as u32));
        assert!(ArgumentBlock { is_at_random: true, ..block.clone() }.is_of(start, block.arg_start as u32));
    }
}
