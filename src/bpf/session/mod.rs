//! A running trace: open, load, attach, seed; then its counters, and its end.

use std::cell::RefCell;
use std::io;
use std::mem::{MaybeUninit, offset_of, size_of};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use libbpf_rs::{MapCore, MapFlags, MapMut, OpenObject, PrintLevel};

use super::apart::Apart;
use super::mapped::Mapped;
use super::plan::{Attempts, Plan, ProcSeeding};
use super::probe;
use super::programs::{self, Programs};
use super::refusal::{self, Refusal};
use super::selection::Selection;
use super::undisturbed::undisturbed;
use super::{load, pidfd};
use crate::base::clock;
use crate::config::Config;
use crate::enrich::{Identities, procfs};
use crate::error::TraceError;
use crate::record::{self, ArgvFrom, Ghost, KernelIdentity, TitleFacts};
use crate::skel::KillsnoopSkel;
use crate::skel::types::{argv_large, argv_medium};
use crate::wire::{
    Constant, Counters, Environment, HiddenClass, Identity, ProcessFlag, SelectValue, bytes_of,
};

/// Argument bytes that each size class of `bpf/include/identity/store.h` holds.
const INLINE: usize = size_of::<Identity>() - offset_of!(Identity, argv);
const MEDIUM: usize = size_of::<argv_medium>();
const LARGE: usize = size_of::<argv_large>();
/// So long the seeding may take before the trace begins without what is left.
const SEED_WITHIN: Duration = Duration::from_secs(1);
/// A memory map that was being changed is looked at again after this time.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(2);
/// And so often, unless the time is over before.
const LOOK_AGAIN_AT_MOST: u32 = 50;
/// Where the next class begins.
const INLINE_END: usize = INLINE + 1;
const MEDIUM_END: usize = MEDIUM + 1;

/// What each class of hidden signals is called, in the order of `enum hidden_class`.
pub const HIDDEN_NAMES: [&str; HiddenClass::HIDDEN_CLASSES.0 as usize] =
    ["other", "self", "timer", "fault", "child", "tty", "io"];

/// What the seeding found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seeded {
    /// Processes whose command line the iterator read.
    pub by_iterator: u32,
    /// Processes whose command line /proc told.
    pub from_proc: u32,
    /// Processes whose command line could not be read.
    pub unreadable: u32,
    /// Processes that were not reached in time, since the memory of one hangs.
    pub outstanding: u32,
}

/// How long each step of the start took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timings {
    /// Open, relocate, verify, load.
    pub load: Duration,
    /// Attach the hooks.
    pub attach: Duration,
    /// Read the processes that were there.
    pub seed: Duration,
}

/// The kernel's own count of what happened, summed over all CPUs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Signals generated on this host since the hook was attached, those that the hook missed included.
    pub generated: u64,
    /// Records put into the ring.
    pub emitted: u64,
    /// Records for which the ring had no room.
    pub ring_full: u64,
    /// Signals that the filters of the command line refused.
    pub filtered: u64,
    /// Signals hidden by default, by class ([`HIDDEN_NAMES`]).
    pub hidden: [u64; HIDDEN_NAMES.len()],
    /// Calls of the hooks that the kernel skipped.
    pub missed: Missed,
    /// Execs, forks and exits that were missed and mended.
    pub healed: [u64; 3],
    /// Command lines sent after a signal that met an execve; and those for which the ring had no room.
    pub late_argv: [u64; 2],
    /// Identities for which the kernel had no memory.
    pub no_memory: u64,
    /// Argument blocks that the exec hook could not read.
    pub unreadable: u64,
    /// Forks by processes whose identity was not known.
    pub fork_unknown: u64,
    /// Times the reader was woken.
    pub wakeups: u64,
    /// Ends that no signal explains: told, and those for which the ring had no room.
    pub ends: [u64; 2],
    /// Paths of cgroups: told, and those for which the ring had no room.
    pub cgroups: [u64; 2],
    /// Ends of processes of which nothing was kept.
    pub ends_unknown: u64,
    /// Ghosts of ended processes: left, and those that went for newer ones.
    pub ghosts: [u64; 2],
    /// OOM kills: told, and those for which the ring had no room.
    pub ooms: [u64; 2],
    /// Calls that failed or only asked: seen, filtered, told, and those for which there was no room.
    pub attempts: [u64; 4],
}

/// Calls of each kind of hook that the kernel skipped because the program was running on that CPU already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Missed {
    /// Signals: each is lost.
    pub signals: u64,
    /// Execs.
    pub execs: u64,
    /// Forks.
    pub forks: u64,
    /// Exits of threads.
    pub exits: u64,
    /// Of the hooks that recover those three.
    pub recoveries: [u64; 3],
    /// What the OOM killer said of a victim: each is lost.
    pub ooms: u64,
    /// Paths of cgroups that were made or renamed: each is lost.
    pub cgroups: u64,
    /// Returns of calls: of the kill family, or of any, as the hook is attached.
    pub returns: u64,
}

impl Missed {
    /// The count that the skips of this program belong to; None of those that are never skipped: iterators are run by
    /// who reads them, and one program is only tried.
    fn of(&mut self, program: &str) -> Option<&mut u64> {
        Some(match program {
            "on_signal_generate" => &mut self.signals,
            "on_exec" => &mut self.execs,
            "on_fork" => &mut self.forks,
            "on_exit" => &mut self.exits,
            "on_exec_again" => &mut self.recoveries[0],
            "on_wakeup_new" => &mut self.recoveries[1],
            "on_exit_again" => &mut self.recoveries[2],
            "on_mark_victim" => &mut self.ooms,
            "on_cgroup_mkdir" | "on_cgroup_rename" => &mut self.cgroups,
            "on_sys_exit" => &mut self.returns,
            name if name.starts_with(load::AT_THE_END_OF) => &mut self.returns,
            _ => return None,
        })
    }

    /// Ends that neither hook of exits may have seen, at most: each skip may have been of another.
    pub fn ends_at_most(&self) -> u64 {
        self.exits.min(self.recoveries[2])
    }
}

impl Totals {
    /// No program is in the middle of a signal or an attempt: each has become something.
    pub fn is_settled(&self) -> bool {
        let [attempts, rest @ ..] = self.attempts;
        self.generated
            == self.missed.signals + self.filtered + self.all_hidden() + self.ring_full + self.emitted
            && attempts == rest.iter().sum::<u64>()
    }

    /// All that was hidden.
    pub fn all_hidden(&self) -> u64 {
        self.hidden.iter().sum()
    }
}

/// The counters of every CPU, mapped: readable at any time, without a system call and without privileges.
struct CounterPages {
    pages: Mapped,
    cpus: usize,
}

impl CounterPages {
    fn map(map: &MapMut<'_>, cpus: usize) -> io::Result<Self> {
        // the map was made with BPF_F_MMAPABLE and `cpus` elements, which it rounds up to whole pages as is done here
        let length = (cpus * size_of::<Counters>()).next_multiple_of(rustix::param::page_size());
        Ok(Self { pages: Mapped::read_only(map.as_fd(), 0, length)?, cpus })
    }

    fn sum(&self) -> Counters {
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

/// A trace that runs until it is dropped.
pub struct Session<'obj> {
    skel: KillsnoopSkel<'obj>,
    reader_state: &'obj AtomicU32,
    counters: CounterPages,
    programs: Programs,
    titles: RefCell<Option<OwnedFd>>,
    signal_link: RefCell<Option<OwnedFd>>,
    /// Of what is taken off before the signal hook.
    first_off: RefCell<Vec<OwnedFd>>,
    _links: Vec<OwnedFd>,
    /// The seeding, if it hangs. Below the links: its end is not to be told.
    _seeding: Option<Apart>,
    /// See [`Plan::shares_pids`].
    shares_pids: bool,
    /// Boot time, nanoseconds, from which on every signal was seen.
    pub watched_since: u64,
    /// What the seeding found.
    pub seeded: Seeded,
    /// How long the start took.
    pub timings: Timings,
}

impl std::fmt::Debug for Session<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Session").field("seeded", &self.seeded).finish_non_exhaustive()
    }
}

/// Sends what libbpf says to the log instead of straight to standard error.
pub fn route_libbpf_messages() {
    libbpf_rs::set_print(Some((PrintLevel::Debug, |level, text| {
        let text = text.trim_end();
        let warning = matches!(level, PrintLevel::Warn);
        tracing::debug!(target: "libbpf", warning, "{text}");
    })));
}

impl<'obj> Session<'obj> {
    /// Loads, attaches and seeds. The hooks that keep identities come first, then the signal hook, then the seeding of
    /// what was there before them, which may hang: a signal to a process that is not known yet is completed when its
    /// record is read. Only where the kernel side is to know who is in a tree the signal hook comes last.
    ///
    /// # Errors
    /// If the kernel refuses any of it.
    pub fn start(
        storage: &'obj mut MaybeUninit<OpenObject>,
        plan: &Plan,
        config: &Config,
        selection: &Selection,
    ) -> Result<Self, TraceError> {
        undisturbed(|| Self::start_now(storage, plan, config, selection))
    }

    fn start_now(
        storage: &'obj mut MaybeUninit<OpenObject>,
        plan: &Plan,
        config: &Config,
        selection: &Selection,
    ) -> Result<Self, TraceError> {
        let began = Instant::now();
        let cpus = probe::possible_cpu_ids().map_err(|error| TraceError::system("count the CPUs", error))?;
        let open = load::open_with_types(storage, *plan, config, selection, cpus)?;
        let (mut skel, programs) = programs::load(open).map_err(|error| {
            let hint = match Refusal::of(&refusal::facts()) {
                Some(refusal) => format!("bpf() is {}: {}", refusal.found(), refusal.fix()),
                None => "run with -l debug to see the verifier's log; with little memory, give the cgroup of killsnoop at least 64 MiB".to_owned(),
            };
            TraceError::kernel("load the BPF programs", hint, error)
        })?;
        let loaded = began.elapsed();
        clock::calibrate(|| {
            programs
                .run("read_clock")
                .inspect_err(|error| tracing::debug!(%error, "the clock of the kernel cannot be read"))
                .ok()
        });

        for comm in &config.ignored_source_comms {
            skel.maps
                .ignored_source_comms
                .update(comm, &[1], MapFlags::ANY)
                .map_err(|error| TraceError::kernel("set --ignore-source-comm", "name at most 64", error))?;
        }
        select(&skel, selection)?;
        let counters = CounterPages::map(&skel.maps.counters, cpus)
            .map_err(|error| TraceError::system("map the counters", error))?;

        let began = Instant::now();
        let mut links = vec![
            // in this order: a second copy comes after the first
            attach(&programs, "on_exec", "sched_process_exec")?,
            attach(&programs, "on_exec_again", "sched_process_exec")?,
            attach(&programs, "on_fork", "sched_process_fork")?,
            attach(&programs, "on_mark_victim", "mark_victim")?,
            attach(&programs, "on_cgroup_mkdir", "cgroup_mkdir")?,
        ];
        if plan.legacy_cgroups.is_some() {
            links.push(attach(&programs, "on_cgroup_rename", "cgroup_rename")?);
        }
        let mut first_off = vec![
            attach(&programs, "on_exit", "sched_process_exit")?,
            attach(&programs, "on_exit_again", "sched_process_exit")?,
        ];
        if plan.recovers_forks {
            links.push(attach(&programs, "on_wakeup_new", "sched_wakeup_new")?);
        }
        let mut signal_link = None;
        let mut watch = || {
            attach_attempts(&programs, plan.attempts, &mut first_off)?;
            if plan.reports_signals {
                signal_link = Some(attach(&programs, "on_signal_generate", "signal_generate")?);
            }
            Ok::<_, TraceError>(clock::boot_time())
        };
        let follows_trees = !selection.trees.is_empty();
        let mut watched_since = if follows_trees { 0 } else { watch()? };
        let attached = began.elapsed();

        let began = Instant::now();
        let (seeded, seeding) = seed(&skel, &programs, &counters, plan, config, follows_trees)?;
        let seeded_in = began.elapsed();

        let began = Instant::now();
        if follows_trees {
            watched_since = watch()?;
        }
        let titles = if plan.reads_titles {
            let error =
                |error: io::Error| TraceError::kernel("make the iterator of titles", "", error.into());
            Some(programs.attach("read_titles").map_err(error)?)
        } else {
            None
        };
        let reader_state = skel.maps.bss_data.take().map(|bss| {
            // SAFETY: libbpf keeps .bss mapped as long as the object lives ('obj); the word is aligned, and
            // with `take` no other reference to it is left on this side.
            unsafe { AtomicU32::from_ptr(&raw mut bss.reader.state) }
        });
        let Some(reader_state) = reader_state else {
            return Err(TraceError::system(
                "map the reader's state",
                io::Error::from_raw_os_error(libc::ENOMEM),
            ));
        };
        Ok(Self {
            skel,
            programs,
            reader_state,
            counters,
            signal_link: RefCell::new(signal_link),
            watched_since,
            first_off: RefCell::new(first_off),
            _links: links,
            titles: RefCell::new(titles),
            _seeding: seeding,
            seeded,
            shares_pids: plan.shares_pids,
            timings: Timings { load: loaded, attach: attached + began.elapsed(), seed: seeded_in },
        })
    }

    /// The ring.
    pub fn records(&self) -> &MapMut<'obj> {
        &self.skel.maps.records
    }

    /// The word of the wake-up handshake.
    pub fn reader_state(&self) -> &'obj AtomicU32 {
        self.reader_state
    }

    /// Takes the hooks off: from here on nothing more is generated. Those of ends first, which would miss the signals
    /// that are no longer seen, and of attempts, which could go on for ever; those of identities stay until the end.
    pub fn stop(&self) {
        self.first_off.replace(Vec::new());
        self.signal_link.replace(None);
    }

    /// How long every signal has been seen.
    pub fn watched(&self) -> Duration {
        Duration::from_nanos(clock::boot_time().saturating_sub(self.watched_since))
    }

    /// What happened so far.
    pub fn totals(&self) -> Totals {
        let counters = self.counters.sum();
        let missed = self.missed();
        Totals {
            generated: counters.generated + missed.signals,
            emitted: counters.emitted,
            ring_full: counters.dropped_ring_full,
            filtered: counters.filtered,
            hidden: counters.hidden,
            missed,
            no_memory: counters.exec_no_memory + counters.fork_no_memory,
            unreadable: counters.exec_unreadable,
            fork_unknown: counters.fork_unknown,
            wakeups: counters.wakeups,
            ends: [counters.ends_emitted, counters.ends_dropped],
            cgroups: [counters.cgroups_emitted, counters.cgroups_dropped],
            ends_unknown: counters.ends_unknown,
            ghosts: [counters.ghosts_left, counters.ghosts_dropped],
            ooms: [counters.ooms_emitted, counters.ooms_dropped],
            attempts: [
                counters.attempts,
                counters.attempts_filtered,
                counters.attempts_emitted,
                counters.attempts_dropped,
            ],
            healed: [counters.healed_execs, counters.healed_forks, counters.healed_exits],
            late_argv: [counters.identities_emitted, counters.identities_dropped],
        }
    }

    fn missed(&self) -> Missed {
        let mut missed = Missed::default();
        for name in self.programs.names() {
            if let (Some(count), Some(program)) = (missed.of(name), self.programs.get(name)) {
                *count += recursion_misses(program);
            }
        }
        missed
    }

    /// The iterator of titles, once; None where this kernel has none.
    pub fn take_titles(&self) -> Option<OwnedFd> {
        self.titles.take()
    }

    /// What is left of a process that ended before those that it started.
    pub fn ghost(&self, pid: u32, start: u64) -> Option<Ghost> {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&start.to_ne_bytes());
        key[8..12].copy_from_slice(&pid.to_ne_bytes());
        let read = || self.skel.maps.ghosts.lookup(&key, MapFlags::ANY).ok()?;
        let bytes = read()?;
        // the element of one that goes is used for another at once: twice the same is no mixture
        record::decode_ghost(&bytes, pid, start).filter(|_| read().as_ref() == Some(&bytes))
    }

    /// The identity that the kernel side keeps of a process now, if it knows any and pids are the same here: the
    /// hooks' own, else that of the seeding.
    pub fn identity(&self, pid: u32) -> Option<KernelIdentity> {
        if !self.shares_pids {
            return None;
        }
        let process = pidfd::open(pid).ok()?;
        let key = process.as_raw_fd().to_ne_bytes();
        let maps = &self.skel.maps;
        let hooks = [&maps.identities, &maps.argv_medium, &maps.argv_large, &maps.argv_tail];
        let seeding = [&maps.seeded, &maps.seeded_medium, &maps.seeded_large, &maps.seeded_tail];
        read_identity(key, hooks).or_else(|| {
            let mut seeded = read_identity(key, seeding)?;
            if seeded.from == ArgvFrom::Exec {
                seeded.from = ArgvFrom::Memory;
            }
            Some(seeded)
        })
    }
}

/// The titles that the iterator finds, one by one.
///
/// # Errors
/// If it cannot be read.
pub fn read_titles(link: BorrowedFd<'_>, take_one: &mut dyn FnMut(TitleFacts<'_>)) -> io::Result<()> {
    let iterator = programs::make_iterator(link)?;
    let mut waiting = Vec::new();
    Apart::read(&iterator)?.read_all(|bytes| {
        waiting.extend_from_slice(bytes);
        let rest = record::decode_titles(&waiting, &mut *take_one).map_err(io::Error::other)?.len();
        waiting.drain(..waiting.len() - rest);
        Ok(())
    })
}

/// From the value itself, and the maps of its larger classes.
fn read_identity(key: [u8; 4], maps: [&MapMut<'_>; 4]) -> Option<KernelIdentity> {
    let [identities, medium, large, tail] = maps;
    let read = || {
        let bytes = identities.lookup(&key, MapFlags::ANY).ok()??;
        let mut identity = Identity::default();
        plain::Plain::copy_from_bytes(&mut identity, &bytes).ok()?;
        Some(identity)
    };
    let identity = read()?;
    let kept = identity.argv_kept as usize;
    // the path of the executable is behind argv
    let all = kept + identity.exe_kept as usize;
    let get = |map: &MapMut<'_>| map.lookup(&key, MapFlags::ANY).ok().flatten().unwrap_or_default();
    let mut argv = match all {
        0..=INLINE => identity.argv.to_vec(),
        INLINE_END..=MEDIUM => get(medium),
        MEDIUM_END..=LARGE => get(large),
        _ => [get(large), get(tail)].concat(),
    };
    // it may have exec'd between the look-ups; and what is known by its place has no exec id to compare
    if identity.generation == 0
        || identity.generation % 2 == 1
        || identity.flags & ProcessFlag::PROCESS_BY_PLACE.0 != 0
        || read()?.generation != identity.generation
        || argv.len() < all
    {
        return None;
    }
    let exe = argv[kept..all].to_vec();
    argv.truncate(kept);
    Some(KernelIdentity {
        exec_id: identity.exec_id,
        argv_total: identity.argv_total,
        from: ArgvFrom::of(identity.flags),
        is_known: kept > 0,
        is_overwritten: identity.flags & ProcessFlag::PROCESS_OVERWRITTEN.0 != 0,
        argv,
        exe,
    })
}

/// The image of PID 1, as the kernel side noted it.
#[derive(Debug, Clone, Copy)]
struct InitImage {
    exec_id: u32,
    mm: u64,
}

impl Identities for Session<'_> {
    fn ghost(&self, pid: u32, start: u64) -> Option<Ghost> {
        self.ghost(pid, start)
    }

    fn identity(&self, pid: u32) -> Option<KernelIdentity> {
        self.identity(pid)
    }
}

/// What the kernel side is to look at.
fn select(skel: &KillsnoopSkel<'_>, selection: &Selection) -> Result<(), TraceError> {
    let failed = |error| TraceError::kernel("set the filters in the kernel", "ask for less", error);
    for value in &selection.values {
        let value = SelectValue::from(value);
        skel.maps.selected.update(bytes_of(&value), &[1], MapFlags::ANY).map_err(failed)?;
    }
    for root in &selection.trees {
        skel.maps.tree_roots.update(&root.to_ne_bytes(), &[1], MapFlags::ANY).map_err(failed)?;
    }
    Ok(())
}

fn attach(programs: &Programs, name: &str, tracepoint: &str) -> Result<OwnedFd, TraceError> {
    programs.attach(name).map_err(|error| {
        TraceError::kernel(
            format!("attach to the tracepoint {tracepoint}"),
            "is kernel lockdown in confidentiality mode? (cat /sys/kernel/security/lockdown)",
            error.into(),
        )
    })
}

/// Nobody pays for these who did not ask for them.
fn attach_attempts(
    programs: &Programs,
    attempts: Attempts,
    links: &mut Vec<OwnedFd>,
) -> Result<(), TraceError> {
    match attempts {
        Attempts::Unwatched => {}
        Attempts::SyscallExits => links.push(attach(programs, "on_sys_exit", "sys_exit")?),
        Attempts::Trampolines => {
            for name in programs.names().filter(|name| name.starts_with(load::AT_THE_END_OF)) {
                links.push(programs.attach(name).map_err(|error| {
                    let hint = "leave out --failed and --probes";
                    TraceError::kernel(format!("attach {name}"), hint, error.into())
                })?);
            }
        }
    }
    Ok(())
}

/// Reads what was there before the hooks, from the kernel and from /proc; and what still does, if it hangs.
fn seed(
    skel: &KillsnoopSkel<'_>,
    programs: &Programs,
    counters: &CounterPages,
    plan: &Plan,
    config: &Config,
    follows_trees: bool,
) -> Result<(Seeded, Option<Apart>), TraceError> {
    let mut seeded = Seeded::default();
    let (mut init, mut hangs) = (None, None);
    if plan.iterates {
        let stuck;
        (hangs, stuck) = seed_by_iterator(skel, programs, counters, follows_trees)?;
        if let Some(bss) = skel.maps.bss_data.as_deref() {
            seeded.by_iterator = bss.seeding.processes;
            seeded.unreadable = bss.seeding.unreadable + stuck;
            init = (bss.seeding.init_image != 0)
                .then_some(InitImage { exec_id: bss.seeding.init_exec_id, mm: bss.seeding.init_image });
        }
    }
    seed_from_proc(skel, &config.root, plan.proc_seeding, init, &mut seeded);
    if !config.variables.is_empty() && plan.shares_pids {
        seed_environments(skel, &config.root, &config.variables);
    }
    if hangs.is_some() && plan.shares_pids {
        seeded.outstanding = count_unknown(skel, &config.root);
    }
    Ok((seeded, hangs))
}

/// Seeds; what still reads when the time is over, if something does; and how many memory maps are stuck. Once more, if any
/// was born meanwhile of one that had not been met yet (`twice`: in any case).
fn seed_by_iterator(
    skel: &KillsnoopSkel<'_>,
    programs: &Programs,
    counters: &CounterPages,
    twice: bool,
) -> Result<(Option<Apart>, u32), TraceError> {
    let deadline = Instant::now() + SEED_WITHIN;
    let link = programs.attach("seed").map_err(|error| {
        let hint = "run with -l debug to see what libbpf says";
        TraceError::kernel("make the task iterator", hint, error.into())
    })?;
    let busy = || skel.maps.bss_data.as_deref().map_or(0, |bss| bss.seeding.busy);
    let (mut is_last, mut stuck) = (!twice, 0);
    for turn in 0..LOOK_AGAIN_AT_MOST {
        let (before, forks_before) = (busy(), counters.sum().fork_unknown);
        let read = programs::make_iterator(link.as_fd()).and_then(|iterator| Apart::read(&iterator));
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
            std::thread::sleep(LOOK_AGAIN_AFTER);
        }
    }
    Ok((None, stuck))
}

/// How many processes there are of which the kernel side knows nothing.
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

fn recursion_misses(program: std::os::fd::BorrowedFd<'_>) -> u64 {
    let mut info = libbpf_sys::bpf_prog_info::default();
    let mut length = size_of::<libbpf_sys::bpf_prog_info>() as u32;
    // SAFETY: `info` is as long as `length` says, and all its pointers are null: only numbers are asked for.
    let result = unsafe {
        libbpf_sys::bpf_obj_get_info_by_fd(program.as_raw_fd(), (&raw mut info).cast(), &raw mut length)
    };
    if result == 0 { info.recursion_misses } else { 0 }
}

/// Fills the kernel's `seeded` map from /proc.
fn seed_from_proc(
    skel: &KillsnoopSkel<'_>,
    root: &Path,
    seeding: ProcSeeding,
    init: Option<InitImage>,
    seeded: &mut Seeded,
) {
    let proc_directory = root.join("proc");
    let pids: Vec<u32> = match seeding {
        ProcSeeding::Nobody => Vec::new(),
        ProcSeeding::Init => vec![1],
        ProcSeeding::Everybody => procfs::pids(&proc_directory),
    };
    let began = Instant::now();
    for pid in pids {
        let init = init.filter(|_| pid == 1);
        let mut result = seed_one(skel, &proc_directory, pid, init);
        // a machine that is busy is slow, and PID 1 is in every tree
        while result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::TimedOut)
            && began.elapsed() < SEED_WITHIN
        {
            result = seed_one(skel, &proc_directory, pid, init);
        }
        match result {
            Ok(true) => seeded.from_proc += 1,
            Ok(false) => {}
            Err(error) => {
                tracing::debug!(pid, %error, "not seeded from /proc");
                seeded.unreadable += u32::from(error.kind() != io::ErrorKind::NotFound);
            }
        }
    }
}

/// The environment of what ran before, as /proc shows it: that of its exec, unless the process itself wrote over it.
fn seed_environments(skel: &KillsnoopSkel<'_>, root: &Path, variables: &[String]) {
    let proc_directory = root.join("proc");
    for pid in procfs::pids(&proc_directory) {
        if let Err(error) = seed_environment(skel, &proc_directory, pid, variables) {
            // the kernel side takes what is not told for lost
            tracing::debug!(pid, %error, "no environment from /proc");
        }
    }
}

/// The pidfd is opened first, as in [`seed_one`].
fn seed_environment(
    skel: &KillsnoopSkel<'_>,
    proc_directory: &Path,
    pid: u32,
    variables: &[String],
) -> io::Result<()> {
    let process = pidfd::open(pid)?;
    let key = process.as_raw_fd().to_ne_bytes();
    let block = procfs::read_in_time(proc_directory.join(pid.to_string()).join("environ"))?;
    let mut environment = Environment::default();
    let mut kept = 0;
    for variable in block.split_inclusive(|&byte| byte == 0) {
        let is_asked_for = variables.iter().any(|name| {
            variable.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'='))
        });
        if !is_asked_for {
            continue;
        }
        match environment.bytes.get_mut(kept..kept + variable.len()) {
            Some(room) if variable.last() == Some(&0) => {
                room.copy_from_slice(variable);
                kept += variable.len();
            }
            _ => environment.flags |= ProcessFlag::PROCESS_ENV_CUT.0,
        }
    }
    environment.kept = kept as u32;
    let put = || skel.maps.seeded_environments.update(&key, bytes_of(&environment), MapFlags::ANY);
    put().or_else(|_| put()).map_err(io::Error::other)
}

/// Whether it was seeded here: kernel threads have nothing to seed, and what is known stays as it is.
///
/// The pidfd is opened first, and writing by it succeeds only while the process has not been reaped: so all
/// that was read in between is of this very process.
///
/// The kernel side compares the image before it shows this: by `init`, noted in the kernel before, for PID 1; else
/// by the place of the argument block. Where neither is known nothing is seeded, since nothing could be proven.
fn seed_one(
    skel: &KillsnoopSkel<'_>,
    proc_directory: &Path,
    pid: u32,
    init: Option<InitImage>,
) -> io::Result<bool> {
    let process = pidfd::open(pid)?;
    let key = process.as_raw_fd().to_ne_bytes();
    let maps = &skel.maps;
    if maps.seeded.lookup(&key, MapFlags::ANY).map_err(io::Error::other)?.is_some() {
        return Ok(false);
    }
    let Some(block) = procfs::argument_block(proc_directory, pid)? else {
        return Ok(false);
    };
    let (image, exec_id, by_place) = match init {
        Some(init) => (init.mm, init.exec_id, 0),
        None if block.arg_start != 0 => (block.arg_start, 0, ProcessFlag::PROCESS_BY_PLACE.0),
        None => return Err(io::ErrorKind::PermissionDenied.into()),
    };
    let total = block.bytes.len();
    let is_overwritten = block.is_overwritten;
    let mut argv = if is_overwritten { Vec::new() } else { block.bytes };
    let mut exe = procfs::exe_names(proc_directory, pid).unwrap_or_default();
    if exe.len() > Constant::EXE_BYTES.0 as usize {
        exe.clear();
    }
    let kept = argv.len().min(2 * LARGE - exe.len());
    argv.truncate(kept);
    argv.extend_from_slice(&exe);
    let all = argv.len();
    let put = |map: &MapMut<'_>, bytes: &[u8], size: usize| {
        let mut value = bytes.to_vec();
        value.resize(size, 0);
        map.update(&key, &value, MapFlags::ANY).map_err(io::Error::other)
    };
    let mut identity = Identity {
        generation: 2,
        flags: ProcessFlag::PROCESS_FROM_PROC.0
            | by_place
            | match is_overwritten {
                true => ProcessFlag::PROCESS_OVERWRITTEN.0,
                false if kept < total => ProcessFlag::PROCESS_CUT.0,
                false => 0,
            }
            | if exe.is_empty() { ProcessFlag::PROCESS_EXE_LOST.0 } else { 0 },
        argv_kept: kept as u32,
        exe_kept: exe.len() as u32,
        argv_total: total as u32,
        image,
        exec_id,
        ..Identity::default()
    };
    match all {
        0..=INLINE => identity.argv[..all].copy_from_slice(&argv),
        INLINE_END..=MEDIUM => put(&maps.seeded_medium, &argv, MEDIUM)?,
        MEDIUM_END..=LARGE => put(&maps.seeded_large, &argv, LARGE)?,
        _ => {
            put(&maps.seeded_large, &argv[..LARGE], LARGE)?;
            put(&maps.seeded_tail, &argv[LARGE..all], LARGE)?;
        }
    }
    // see create_seeded() of seed.h
    let put_identity = || maps.seeded.update(&key, bytes_of(&identity), MapFlags::ANY);
    put_identity().or_else(|_| put_identity()).or_else(|_| put_identity()).map_err(io::Error::other)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
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
        assert_eq!(names, ["read_clock", "read_titles", "seed", "try_trampoline"]);
    }
}
