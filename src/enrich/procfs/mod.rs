//! /proc, read with the start time in hand: a pid that is used again is another process.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use rustix::fs::PROC_SUPER_MAGIC;

use crate::base::bounded::owner_of;
use crate::base::clock;
use crate::record::{COMM_BYTES, Task};

/// /proc counts in clock ticks, by the clock of the reader's time namespace; a start is boot-time nanoseconds.
fn ticks(start: u64) -> u64 {
    ticks_of(i128::from(start) - clock::namespace_offset())
}

fn ticks_of(shown: i128) -> u64 {
    let shown = u128::try_from(shown).unwrap_or_default();
    (shown * u128::from(procfs::ticks_per_second()) / 1_000_000_000) as u64
}

/// The text of a file in which a process, or a user, may have put bytes that are no text: a name in /proc, the comment field of
/// /etc/passwd. What else is there is not to be lost for that.
///
/// # Errors
/// If it cannot be read.
pub fn read_text(path: impl AsRef<Path>) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&fs::read(path)?).into_owned())
}

/// What /proc/PID/stat says. Not by the crate procfs, which panics where the parentheses of the name are not as it thinks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat<'a> {
    /// The name, which may hold anything.
    pub comm: &'a str,
    /// The rest, from field 3 on.
    fields: Vec<&'a str>,
}

impl<'a> Stat<'a> {
    /// From the text of the file.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (_, rest) = text.split_once('(')?;
        let (comm, rest) = rest.rsplit_once(')')?;
        Some(Self { comm, fields: rest.split_whitespace().collect() })
    }

    /// The field with this number of `proc_pid_stat(5)`.
    pub fn number(&self, field: usize) -> Option<u64> {
        self.fields.get(field.checked_sub(3)?)?.parse().ok()
    }
}

/// What is asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Numbers {
    start_ticks: u64,
    /// Bytes of the address space.
    size: u64,
    /// 0 where the reader may not know.
    arg_start: u64,
    arg_end: u64,
}

impl Numbers {
    fn of(stat: &Stat<'_>) -> Option<Self> {
        Some(Self {
            start_ticks: stat.number(22)?,
            size: stat.number(23)?,
            arg_start: stat.number(48).unwrap_or(0),
            arg_end: stat.number(49).unwrap_or(0),
        })
    }
}

fn numbers(proc_directory: &Path, pid: u32) -> io::Result<Numbers> {
    let text = read_text(proc_directory.join(pid.to_string()).join("stat"))?;
    Stat::parse(&text).as_ref().and_then(Numbers::of).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// A number behind NAME in the text of /proc/PID/status; of a line with several, the one at this place.
pub fn status_number(text: &str, name: &str, place: usize) -> Option<u32> {
    // a line break in the name is escaped there
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.split_whitespace().nth(place)?.parse().ok()
}

/// What is read of the memory of another process waits for its memory map, which may be stuck: no longer than this.
const MEMORY_WITHIN: Duration = Duration::from_millis(100);
/// So many reads of processes of one user may be waiting, and of all users; then none is begun.
const WAITING_OF_ONE: usize = 4;
const WAITING_AT_MOST: usize = 32;

/// Whose processes are being read: an owner for each read that waits.
#[derive(Debug)]
struct Waiting(Mutex<Vec<u64>>);

impl Waiting {
    const fn nobody() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// False: too many wait.
    fn begin(&self, owner: u64) -> bool {
        let mut owners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_one = owners.iter().filter(|&&other| other == owner).count();
        let may_begin = of_one < WAITING_OF_ONE && owners.len() < WAITING_AT_MOST;
        if may_begin {
            owners.push(owner);
        }
        may_begin
    }

    fn end(&self, owner: u64) {
        let mut owners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = owners.iter().position(|&other| other == owner) {
            owners.swap_remove(place);
        }
    }
}

/// Reads a file of /proc that shows the memory of a process, on a thread of its own. One that hangs is left behind: such a
/// wait ends with the process that waits.
///
/// # Errors
/// [`io::ErrorKind::TimedOut`] if it hangs, or too many do; else what the read says.
pub fn read_in_time(path: PathBuf) -> io::Result<Vec<u8>> {
    static WAITING: Waiting = Waiting::nobody();
    // the directory of a process belongs to its effective user, whatever may be read in it
    let owner =
        path.parent().and_then(|process| fs::metadata(process).ok()).map_or(0, |of| owner_of(of.uid()));
    read_while_few_wait(path, owner, &WAITING)
}

/// The same, with those that wait.
fn read_while_few_wait(path: PathBuf, owner: u64, waiting: &'static Waiting) -> io::Result<Vec<u8>> {
    if !waiting.begin(owner) {
        return Err(io::ErrorKind::TimedOut.into());
    }
    let (sender, receiver) = mpsc::sync_channel(1);
    let read = move || {
        let bytes = fs::read(path);
        waiting.end(owner);
        // nobody waits any more
        let _ = sender.send(bytes);
    };
    if let Err(error) = thread::Builder::new().name("memory".to_owned()).spawn(read) {
        waiting.end(owner);
        return Err(error);
    }
    receiver.recv_timeout(MEMORY_WITHIN).unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Is it a process with an address space: no kernel thread, and no zombie?
pub fn has_memory(proc_directory: &Path, pid: u32) -> bool {
    numbers(proc_directory, pid).is_ok_and(|stat| stat.size != 0)
}

/// Is this pid still the process that started then (boot time, ns)?
pub fn is_same_process(proc_directory: &Path, pid: u32, start: u64) -> bool {
    numbers(proc_directory, pid).is_ok_and(|stat| stat.start_ticks == ticks(start))
}

/// An argument block as /proc shows it, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgumentBlock {
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

/// So many empty arguments at the end are the rest of a block that a title was written over.
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
    pub fn is_of(&self, start: u64, arg_start: u32) -> bool {
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
pub fn argument_block(proc_directory: &Path, pid: u32) -> io::Result<Option<ArgumentBlock>> {
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

/// What /proc tells of a process at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// `comm`.
    pub comm: Vec<u8>,
    /// Effective user id.
    pub uid: u32,
}

/// Of the process that started then (boot time, ns), if it is still there.
pub fn status(proc_directory: &Path, pid: u32, start: u64) -> Option<Status> {
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
pub fn exe_names(proc_directory: &Path, pid: u32) -> Option<Vec<u8>> {
    use std::os::unix::ffi::OsStrExt;
    let path = fs::read_link(proc_directory.join(pid.to_string()).join("exe")).ok()?;
    let path = path.as_os_str().as_bytes();
    // the kernel's word for a file without a name; it is not part of the name
    let path = path.strip_suffix(b" (deleted)").unwrap_or(path);
    let mut names = Vec::with_capacity(path.len() + 1);
    for name in path.split(|&byte| byte == b'/').rev().filter(|name| !name.is_empty()) {
        names.extend_from_slice(name);
        names.push(0);
    }
    (path.first() == Some(&b'/') && !names.is_empty()).then_some(names)
}

/// Does this process see the files that PID 1 sees? Where that cannot be asked it is taken to.
pub fn shares_mounts_with_init() -> bool {
    let of = |whose: &str| fs::read_link(Path::new("/proc").join(whose).join("ns/mnt")).ok();
    of("1").is_none_or(|init| Some(init) == of("self"))
}

/// The inodes of the namespaces of PID 1; 0 where /proc does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HostNamespaces {
    mount: u32,
    net: u32,
    uts: u32,
    user: u32,
}

impl HostNamespaces {
    /// As they are now.
    pub fn read(proc_directory: &Path) -> Self {
        let inode = |name: &str| {
            let link = fs::read_link(proc_directory.join("1/ns").join(name)).ok()?;
            link.to_str()?.split_once('[')?.1.strip_suffix(']')?.parse().ok()
        };
        let inode = |name| inode(name).unwrap_or_default();
        Self { mount: inode("mnt"), net: inode("net"), uts: inode("uts"), user: inode("user") }
    }

    /// Takes those of the host out.
    pub fn strip(self, task: &mut Task) {
        for (own, host) in [
            (&mut task.mount_namespace, self.mount),
            (&mut task.net_namespace, self.net),
            (&mut task.uts_namespace, self.uts),
            (&mut task.user_namespace, self.user),
        ] {
            if *own == host && host != 0 {
                *own = 0;
            }
        }
    }
}

/// Is there a /proc? A directory of that name is none.
pub fn is_mounted(proc_directory: &Path) -> bool {
    rustix::fs::statfs(proc_directory).is_ok_and(|found| found.f_type == PROC_SUPER_MAGIC)
}

/// The effective user of a process, to whom its directory belongs.
pub fn owner(proc_directory: &Path, pid: u32) -> Option<u32> {
    fs::metadata(proc_directory.join(pid.to_string())).ok().map(|directory| directory.uid())
}

/// Every process of a /proc.
pub fn pids(proc_directory: &Path) -> Vec<u32> {
    let entries = fs::read_dir(proc_directory).into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::enrich) fn own_start() -> u64 {
        let stat = numbers(Path::new("/proc"), std::process::id()).unwrap();
        stat.start_ticks * 1_000_000_000 / procfs::ticks_per_second()
    }

    #[test]
    fn a_process_is_known_by_its_start() {
        let (proc_directory, pid) = (Path::new("/proc"), std::process::id());
        assert!(is_same_process(proc_directory, pid, own_start()));
        assert!(!is_same_process(proc_directory, pid, own_start() + 1_000_000_000));
    }

    #[test]
    fn a_name_that_is_no_text_hides_nothing_else() {
        let stat = "7 (a) b (\u{fffd}) S 1 7";
        let parsed = Stat::parse(stat).unwrap();
        assert_eq!((parsed.comm, parsed.number(4), parsed.number(5)), ("a) b (\u{fffd}", Some(1), Some(7)));
        assert_eq!((parsed.number(6), parsed.number(2), parsed.number(3)), (None, None, None));
        for text in ["", "(", ")", ")(", "()", "1 (x", "1 (x)", "1 (x) R"] {
            assert!(Stat::parse(text).is_none_or(|stat| stat.number(22).is_none()), "{text}");
        }
        let status_text = "Name:\tUid: 7\nUmask:\t0022\nUid:\t1\t2\t3\t4\nUidx:\t9\n";
        assert_eq!(status_number(status_text, "Uid", 1), Some(2));
        assert_eq!(status_number(status_text, "Uid", 4), None);
        assert_eq!(status_number(status_text, "Gid", 0), None);
        // a thread that calls itself so is read as any other
        let read = thread::spawn(|| {
            rustix::thread::set_name(c"\xff) (").unwrap();
            let thread = rustix::thread::gettid().as_raw_nonzero().get() as u32;
            let ticks = numbers(Path::new("/proc"), thread).unwrap().start_ticks;
            let began = ticks * 1_000_000_000 / procfs::ticks_per_second();
            (status(Path::new("/proc"), thread, began), has_memory(Path::new("/proc"), thread))
        });
        let (status, has_memory) = read.join().unwrap();
        assert_eq!(status.map(|status| status.comm).as_deref(), Some(&b"\xff) ("[..]));
        assert!(has_memory);
    }

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
    fn what_hangs_is_left_behind() {
        // its own: other tests read at the same time
        static WAITING: Waiting = Waiting::nobody();
        let read_in_time = |path| read_while_few_wait(path, 1000, &WAITING);
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for _ in 0..2 * WAITING_OF_ONE {
            assert_eq!(read_in_time(pipe.clone()).unwrap_err().kind(), io::ErrorKind::TimedOut);
        }
        // of another user it is read all the same
        assert!(read_while_few_wait(PathBuf::from("/proc/self/comm"), 0, &WAITING).is_ok());
        // once a writer comes all of them end, and reads are made again
        drop(fs::OpenOptions::new().write(true).open(&pipe).unwrap());
        let mut waited = 0;
        while read_in_time(directory.path().join("nothing")).unwrap_err().kind() != io::ErrorKind::NotFound {
            waited += 1;
            assert!(waited < 1000, "reads that have ended are still counted");
            thread::sleep(Duration::from_millis(5));
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
            / procfs::ticks_per_second();
        drop(input);
        child.wait().unwrap();
        assert_eq!(block.bytes, b"cat\0");
        assert!(!block.is_of(start, block.arg_start as u32));
        assert!(ArgumentBlock { is_at_random: true, ..block.clone() }.is_of(start, block.arg_start as u32));
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
