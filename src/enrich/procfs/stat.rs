//! `/proc/PID/stat` and `/proc/PID/status`, and the start of a process in their clock.

use std::io;
use std::path::Path;

use super::read_text;
use crate::base::clock;

/// /proc counts in clock ticks, by the clock of the reader's time namespace; a start is boot-time nanoseconds.
pub(super) fn ticks(start: u64) -> u64 {
    ticks_of(i128::from(start) - clock::namespace_offset())
}

fn ticks_of(shown: i128) -> u64 {
    let shown = u128::try_from(shown).unwrap_or_default();
    (shown * u128::from(::procfs::ticks_per_second()) / 1_000_000_000) as u64
}

/// The fields of /proc/PID/stat. Not by the crate procfs, which panics where the parentheses of the name are not as it thinks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stat<'a> {
    /// The name, which may hold anything.
    pub comm: &'a str,
    /// The rest, from field 3 on.
    fields: Vec<&'a str>,
}

impl<'a> Stat<'a> {
    /// From the text of the file.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (_, rest) = text.split_once('(')?;
        let (comm, rest) = rest.rsplit_once(')')?;
        Some(Self { comm, fields: rest.split_whitespace().collect() })
    }

    /// The field with this number of `proc_pid_stat(5)`.
    pub(crate) fn number(&self, field: usize) -> Option<u64> {
        self.fields.get(field.checked_sub(3)?)?.parse().ok()
    }
}

/// The fields that are used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) start_ticks: u64,
    /// Bytes of the address space.
    pub(super) size: u64,
    /// 0 where the reader may not know.
    pub(super) arg_start: u64,
    pub(super) arg_end: u64,
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

pub(super) fn numbers(proc_directory: &Path, pid: u32) -> io::Result<Numbers> {
    let text = read_text(proc_directory.join(pid.to_string()).join("stat"))?;
    Stat::parse(&text).as_ref().and_then(Numbers::of).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// A number behind NAME in the text of /proc/PID/status; of a line with several, the one at this place.
pub(crate) fn status_number(text: &str, name: &str, place: usize) -> Option<u32> {
    // a line break in the name is escaped there
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.split_whitespace().nth(place)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::enrich::procfs::{has_memory, status};

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
            let began = ticks * 1_000_000_000 / ::procfs::ticks_per_second();
            (status(Path::new("/proc"), thread, began), has_memory(Path::new("/proc"), thread))
        });
        let (status, has_memory) = read.join().unwrap();
        assert_eq!(status.map(|status| status.comm).as_deref(), Some(&b"\xff) ("[..]));
        assert!(has_memory);
    }
}
