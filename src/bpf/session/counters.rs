//! The kernel side's own counters, and how often the kernel skipped a hook: read at any time, also after privileges were
//! dropped. They only count; what they mean for a line is decided by the caller.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicU64, Ordering};

use libbpf_rs::MapMut;

use super::Session;
use crate::bpf::load;
use crate::bpf::mapping::Mapping;
use crate::bpf::programs::Programs;
use crate::wire::{Counters, HiddenClass};

/// Counters summed over all CPUs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Signals generated on this host since the hook was attached, those that the hook missed included.
    pub generated: u64,
    /// Records put into the ring.
    pub emitted: u64,
    /// Signals for which the ring had no room, and which are not counted with others.
    pub ring_full: u64,
    /// Signals for which it had none, counted with others that are the same.
    pub folded: u64,
    /// Signals that the filters of the command line refused.
    pub filtered: u64,
    /// Signals hidden by default.
    pub hidden: Hidden,
    /// Calls of the hooks that the kernel skipped.
    pub missed: Missed,
    /// Skipped calls whose work a recovery hook did.
    pub recovered: Lifecycle,
    /// Images that records refer to.
    pub images: RecordCounts,
    /// Command lines sent after a signal that met an execve.
    pub late_argv: RecordCounts,
    /// Identities for which the kernel had no memory.
    pub no_memory: u64,
    /// Argument blocks that the exec hook could not read.
    pub unreadable: u64,
    /// Forks by processes whose identity was not known.
    pub fork_unknown: u64,
    /// Times the reader was woken.
    pub wakeups: u64,
    /// Ends that no signal explains.
    pub ends: RecordCounts,
    /// Commands that ask others to act on processes.
    pub requests: RecordCounts,
    /// Paths of cgroups.
    pub cgroups: RecordCounts,
    /// Ends of processes of which nothing was kept.
    pub ends_unknown: u64,
    /// Ghosts of ended processes.
    pub ghosts: Ghosts,
    /// OOM kills.
    pub ooms: RecordCounts,
    /// Calls that failed or only asked.
    pub attempts: Attempts,
}

/// Records of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordCounts {
    /// Put into the ring.
    pub emitted: u64,
    /// For which the ring had no room.
    pub dropped: u64,
}

/// What is kept of ended processes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ghosts {
    /// All that were kept.
    pub left: u64,
    /// Those that made room for newer ones.
    pub dropped: u64,
}

/// Calls of the kill family that become no signal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attempts {
    /// All of them: what follows adds up to this.
    pub seen: u64,
    /// Refused by the filters of the command line.
    pub filtered: u64,
    /// Put into the ring.
    pub emitted: u64,
    /// For which there was no room, counted with others that are the same.
    pub folded: u64,
    /// For which there was no room.
    pub dropped: u64,
}

/// A count for each hook that keeps identities.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lifecycle {
    /// Execs.
    pub execs: u64,
    /// Forks.
    pub forks: u64,
    /// Exits of threads.
    pub exits: u64,
}

impl Lifecycle {
    /// Of all three.
    pub fn sum(&self) -> u64 {
        self.execs + self.forks + self.exits
    }
}

/// Signals hidden by default, by `enum hidden_class`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hidden {
    /// Of no class.
    pub other: u64,
    /// Sent by a thread to its own process.
    pub to_itself: u64,
    /// Of timers.
    pub timer: u64,
    /// Caused by what the process did.
    pub fault: u64,
    /// A child changed state.
    pub child: u64,
    /// Of a terminal.
    pub tty: u64,
    /// I/O is possible.
    pub io: u64,
}

impl Hidden {
    fn of(counters: &Counters) -> Self {
        let class = |class: HiddenClass| counters.hidden.get(class.0 as usize).copied().unwrap_or(0);
        Self {
            other: class(HiddenClass::SHOWN),
            to_itself: class(HiddenClass::HIDDEN_SELF),
            timer: class(HiddenClass::HIDDEN_TIMER),
            fault: class(HiddenClass::HIDDEN_FAULT),
            child: class(HiddenClass::HIDDEN_CHILD),
            tty: class(HiddenClass::HIDDEN_TTY),
            io: class(HiddenClass::HIDDEN_IO),
        }
    }

    /// Each with the name that the log has for it.
    pub fn by_name(&self) -> [(&'static str, u64); HiddenClass::HIDDEN_CLASSES.0 as usize] {
        [
            ("other", self.other),
            ("self", self.to_itself),
            ("timer", self.timer),
            ("fault", self.fault),
            ("child", self.child),
            ("tty", self.tty),
            ("io", self.io),
        ]
    }

    /// All that were hidden.
    pub fn sum(&self) -> u64 {
        self.by_name().iter().map(|(_, count)| count).sum()
    }
}

/// Calls of each kind of hook that the kernel skipped because the program was running on that CPU already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Missed {
    /// Signals: each is lost.
    pub signals: u64,
    /// Of the hooks that keep identities.
    pub lifecycle: Lifecycle,
    /// Of the hooks that recover those.
    pub recoveries: Lifecycle,
    /// What the OOM killer said of a victim: each is lost.
    pub ooms: u64,
    /// Signals that a process took to end of: which of several it was is not known then.
    pub deliveries: u64,
    /// Paths of cgroups that were created or renamed: each is lost.
    pub cgroups: u64,
    /// Returns of calls: of the kill family, or of any, as the hook is attached.
    pub returns: u64,
}

impl Missed {
    /// The count that the skips of this program belong to; None for those that are never skipped: iterators are run by
    /// the process that reads them, RCU frees one task at a time on a CPU, and one program is only tried.
    fn of(&mut self, program: &str) -> Option<&mut u64> {
        Some(match program {
            "on_signal_generate" => &mut self.signals,
            "on_exec" => &mut self.lifecycle.execs,
            "on_fork" => &mut self.lifecycle.forks,
            "on_exit" => &mut self.lifecycle.exits,
            "on_exec_again" => &mut self.recoveries.execs,
            "on_wakeup_new" => &mut self.recoveries.forks,
            "on_exit_again" => &mut self.recoveries.exits,
            "on_mark_victim" => &mut self.ooms,
            "on_signal_deliver" => &mut self.deliveries,
            "on_cgroup_mkdir" | "on_cgroup_rename" => &mut self.cgroups,
            "on_sys_exit" => &mut self.returns,
            name if name.starts_with(load::AT_THE_END_OF) => &mut self.returns,
            _ => return None,
        })
    }

    fn read(programs: &Programs) -> Self {
        let mut missed = Self::default();
        for name in programs.names() {
            if let (Some(count), Some(program)) = (missed.of(name), programs.get(name)) {
                *count += recursion_misses(program);
            }
        }
        missed
    }

    /// Ends that neither hook of exits may have seen, at most: each skip may have been of another.
    pub fn ends_at_most(&self) -> u64 {
        self.lifecycle.exits.min(self.recoveries.exits)
    }
}

impl Totals {
    pub(super) fn of(counters: &Counters, missed: Missed) -> Self {
        Self {
            generated: counters.generated + missed.signals,
            emitted: counters.emitted,
            ring_full: counters.dropped_ring_full,
            folded: counters.folded,
            filtered: counters.filtered,
            hidden: Hidden::of(counters),
            missed,
            recovered: Lifecycle {
                execs: counters.recovered_execs,
                forks: counters.recovered_forks,
                exits: counters.recovered_exits,
            },
            late_argv: RecordCounts {
                emitted: counters.identities_emitted,
                dropped: counters.identities_dropped,
            },
            images: RecordCounts { emitted: counters.images_emitted, dropped: counters.images_dropped },
            no_memory: counters.exec_no_memory + counters.fork_no_memory,
            unreadable: counters.exec_unreadable,
            fork_unknown: counters.fork_unknown,
            wakeups: counters.wakeups,
            ends: RecordCounts { emitted: counters.ends_emitted, dropped: counters.ends_dropped },
            requests: RecordCounts { emitted: counters.requests_emitted, dropped: counters.requests_dropped },
            cgroups: RecordCounts { emitted: counters.cgroups_emitted, dropped: counters.cgroups_dropped },
            ends_unknown: counters.ends_unknown,
            ghosts: Ghosts { left: counters.ghosts_left, dropped: counters.ghosts_dropped },
            ooms: RecordCounts { emitted: counters.ooms_emitted, dropped: counters.ooms_dropped },
            attempts: Attempts {
                seen: counters.attempts,
                filtered: counters.attempts_filtered,
                emitted: counters.attempts_emitted,
                folded: counters.attempts_folded,
                dropped: counters.attempts_dropped,
            },
        }
    }

    /// Records that found no room in the ring, whatever became of them.
    pub fn refused(&self) -> u64 {
        let Attempts { folded, dropped, .. } = self.attempts;
        self.ring_full
            + self.folded
            + folded
            + dropped
            + self.ends.dropped
            + self.requests.dropped
            + self.cgroups.dropped
    }

    /// No program is in the middle of a signal or an attempt: each has become something.
    pub fn is_settled(&self) -> bool {
        let Attempts { seen, filtered, emitted, folded, dropped } = self.attempts;
        let of_signals = self.filtered + self.hidden.sum() + self.ring_full + self.folded + self.emitted;
        self.generated == self.missed.signals + of_signals && seen == filtered + emitted + folded + dropped
    }
}

impl Session<'_> {
    /// What happened so far.
    pub fn totals(&self) -> Totals {
        Totals::of(&self.counters.sum(), Missed::read(&self.programs))
    }
}

/// The counters of every CPU, mapped: readable at any time, without a system call and without privileges.
pub(super) struct CounterPages {
    pages: Mapping,
    cpus: usize,
}

impl CounterPages {
    pub(super) fn map(map: &MapMut<'_>, cpus: usize) -> io::Result<Self> {
        // the map was made with BPF_F_MMAPABLE and `cpus` elements, which it rounds up to whole pages as is done here
        let length = (cpus * size_of::<Counters>()).next_multiple_of(rustix::param::page_size());
        Ok(Self { pages: Mapping::read_only(map.as_fd(), 0, length)?, cpus })
    }

    pub(super) fn sum(&self) -> Counters {
        const WORDS: usize = size_of::<Counters>() / size_of::<u64>();
        let mut sum = [0u64; WORDS];
        for cpu in 0..self.cpus {
            for (word, total) in sum.iter_mut().enumerate() {
                // SAFETY: inside the mapping, aligned (the struct is u64 only), and written by the kernel
                // with plain 64-bit stores; it lives as long as self.
                let counter = unsafe {
                    AtomicU64::from_ptr(self.pages.start().cast::<u64>().add(cpu * WORDS + word).as_ptr())
                };
                *total = total.wrapping_add(counter.load(Ordering::Relaxed));
            }
        }
        let mut counters = Counters::default();
        // the lengths are equal, by the type
        let bytes: Vec<u8> = sum.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let _ = plain::Plain::copy_from_bytes(&mut counters, &bytes);
        counters
    }
}

fn recursion_misses(program: BorrowedFd<'_>) -> u64 {
    let mut info = libbpf_sys::bpf_prog_info::default();
    let mut length = size_of::<libbpf_sys::bpf_prog_info>() as u32;
    // SAFETY: `info` is as long as `length` says, and all its pointers are null: only numbers are asked for.
    let result = unsafe {
        libbpf_sys::bpf_obj_get_info_by_fd(program.as_raw_fd(), (&raw mut info).cast(), &raw mut length)
    };
    if result == 0 { info.recursion_misses } else { 0 }
}

#[cfg(test)]
mod tests {
    use std::mem::MaybeUninit;

    use libbpf_rs::skel::{OpenSkel, SkelBuilder};

    use super::*;

    #[test]
    fn skips_of_every_program_are_counted() {
        let mut storage = MaybeUninit::uninit();
        let mut open = crate::skel::KillsnoopSkelBuilder::default().open(&mut storage).unwrap();
        let mut names: Vec<String> = open
            .open_object_mut()
            .progs_mut()
            .map(|program| program.name().to_string_lossy().into_owned())
            .collect();
        assert!(names.len() > 15, "{names:?}");
        names.retain(|name| Missed::default().of(name).is_none());
        names.sort();
        assert_eq!(names, ["on_free", "read_clock", "read_titles", "seed", "try_trampoline"]);
    }

    #[test]
    fn every_class_of_hidden_signals_has_a_name() {
        let mut counters = Counters::default();
        for (class, count) in counters.hidden.iter_mut().enumerate() {
            *count = class as u64;
        }
        let names = Hidden::of(&counters).by_name();
        let expected =
            [("other", 0), ("self", 1), ("timer", 2), ("fault", 3), ("child", 4), ("tty", 5), ("io", 6)];
        assert_eq!(names, expected);
    }
}
