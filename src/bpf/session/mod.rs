//! A running trace: open, load, attach, seed; then its counters and look-ups, and its end.

mod argv_store;
mod attach;
mod counters;
mod lookups;
mod proc_seeding;
mod refusals;
mod seeding;

use std::cell::RefCell;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use libbpf_rs::{AsRawLibbpf, MapMut, OpenMapMut, OpenObject};

use self::attach::Hooks;
use self::counters::CounterPages;
pub use self::counters::{Attempts, Ghosts, Hidden, Lifecycle, Missed, RecordCounts, Totals};
pub use self::refusals::{ClassLoss, RefusalReader, Refusals, Repeats};
use self::seeding::Seeding;
pub use self::seeding::SeedingResult;
use super::blocked_signals::with_signals_blocked;
use super::detached_reader::DetachedReader;
use super::plan::Plan;
use super::programs::{self, Programs};
use super::refusal::{self, Refusal};
use super::selection::Selection;
use super::{load, probe};
use crate::base::clock;
use crate::config::Config;
use crate::error::TraceError;
use crate::skel::{KillsnoopSkel, OpenKillsnoopSkel};
use crate::wire::{SelectValue, bytes_of};

/// How long each step of the start took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timings {
    /// Open, relocate, verify, load, and attach the hooks: signals are seen before all is loaded.
    pub load: Duration,
    /// Read the processes that ran before.
    pub seed: Duration,
}

/// A trace that runs until it is dropped.
pub struct Session<'obj> {
    skel: KillsnoopSkel<'obj>,
    reader: ReaderWords<'obj>,
    counters: CounterPages,
    programs: Programs,
    titles: RefCell<Option<OwnedFd>>,
    hooks: Hooks,
    /// The seeding, if it hangs. Below the hooks: its end is not reported.
    _seeding: Option<DetachedReader>,
    /// See [`Plan::shares_pids`].
    shares_pids: bool,
    /// Boot time, nanoseconds, from which on every signal was seen.
    pub watched_since: u64,
    /// What the seeding found.
    pub seeded: SeedingResult,
    /// How long the start took.
    pub timings: Timings,
}

impl std::fmt::Debug for Session<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Session").field("seeded", &self.seeded).finish_non_exhaustive()
    }
}

impl<'obj> Session<'obj> {
    /// Loads, attaches and seeds. The hooks that keep identities come first, then the signal hook; while signals are seen, what
    /// else there is is loaded, and the processes that ran before are seeded, which may hang: a signal to a process that is not
    /// known yet is completed when its record is read. Only where the kernel side is to know who is in a tree the signal hook
    /// comes last.
    ///
    /// # Errors
    /// If the kernel refuses any of it.
    pub fn start(
        storage: &'obj mut MaybeUninit<OpenObject>,
        plan: &Plan,
        config: &Config,
        selection: &Selection,
    ) -> Result<Self, TraceError> {
        with_signals_blocked(|| Self::start_now(storage, plan, config, selection))
    }

    fn start_now(
        storage: &'obj mut MaybeUninit<OpenObject>,
        plan: &Plan,
        config: &Config,
        selection: &Selection,
    ) -> Result<Self, TraceError> {
        let began = Instant::now();
        let cpus = probe::possible_cpu_ids().map_err(|error| TraceError::system("count the CPUs", error))?;
        let mut opened = load::open_with_types(storage, *plan, config, selection, cpus)?;
        programs::prepare(&mut opened).map_err(refused)?;
        fill_filters(&opened.object, config, selection)?;
        let follows_trees = !selection.trees.is_empty();
        let watch = |hooks: &Hooks, programs: &Programs| {
            hooks.attach_signals(programs, plan).map(|()| clock::boot_time())
        };
        let attach_first = |programs: &Programs| {
            clock::calibrate(|| {
                programs
                    .run("read_clock")
                    .inspect_err(|error| tracing::debug!(%error, "the clock of the kernel cannot be read"))
                    .ok()
            });
            let hooks = Hooks::attach(programs, plan)?;
            let watched_since = if follows_trees { 0 } else { watch(&hooks, programs)? };
            Ok::<_, TraceError>((hooks, watched_since))
        };
        let (mut skel, programs, attached) =
            programs::load(opened, &attach::LATER, attach_first).map_err(refused)?;
        let (hooks, mut watched_since) = attached.unwrap_or_else(|| attach_first(&programs))?;
        hooks.attach_later(&programs)?;
        let loaded = began.elapsed();
        let counters = CounterPages::map(&skel.maps.counters, cpus)
            .map_err(|error| TraceError::system("map the counters", error))?;

        let began = Instant::now();
        let seeding =
            Seeding { skel: &skel, programs: &programs, counters: &counters, config, plan, follows_trees };
        let (seeded, seeding) = seeding.run()?;
        let seeded_in = began.elapsed();

        if follows_trees {
            watched_since = watch(&hooks, &programs)?;
        }
        let titles = attach::attach_titles(&programs, plan)?;
        let reader = ReaderWords::of(&mut skel)?;
        Ok(Self {
            skel,
            programs,
            reader,
            counters,
            hooks,
            watched_since,
            titles: RefCell::new(titles),
            _seeding: seeding,
            seeded,
            shares_pids: plan.shares_pids,
            timings: Timings { load: loaded, seed: seeded_in },
        })
    }

    /// The ring.
    pub fn records(&self) -> &MapMut<'obj> {
        &self.skel.maps.records
    }

    /// The word of the wake-up handshake.
    pub fn reader_state(&self) -> &'obj AtomicU32 {
        self.reader.state
    }

    /// Takes out what found no room in the ring. One at a time.
    pub fn refusals(&self) -> RefusalReader<'obj> {
        RefusalReader::new(self.reader.generation)
    }

    /// Every image that a record refers to from now on is reported again before it.
    pub fn forget_images(&self) {
        self.reader.epoch.fetch_add(1, Ordering::SeqCst);
    }

    /// Takes the hooks off: from here on nothing more is generated.
    pub fn stop(&self) {
        self.hooks.stop();
    }

    /// How long every signal has been seen.
    pub fn watched(&self) -> Duration {
        Duration::from_nanos(clock::boot_time().saturating_sub(self.watched_since))
    }

    /// The iterator of titles, once; None where this kernel has none.
    pub fn take_titles(&self) -> Option<OwnedFd> {
        self.titles.take()
    }
}

fn refused(error: libbpf_rs::Error) -> TraceError {
    let hint = match Refusal::of(&refusal::facts()) {
        Some(refusal) => format!("bpf() is {}: {}", refusal.found(), refusal.fix()),
        None => "run with -l debug to see the verifier's log; with little memory, give the cgroup of killsnoop at least 64 MiB".to_owned(),
    };
    TraceError::kernel("load the BPF programs", hint, error)
}

/// What the programs read of the reader.
struct ReaderWords<'obj> {
    /// The word of the wake-up handshake.
    state: &'obj AtomicU32,
    /// Of what finds no room in the ring.
    generation: &'obj AtomicU32,
    /// Of images.
    epoch: &'obj AtomicU32,
}

impl<'obj> ReaderWords<'obj> {
    /// Can be taken once.
    fn of(skel: &mut KillsnoopSkel<'obj>) -> Result<Self, TraceError> {
        let Some(bss) = skel.maps.bss_data.take() else {
            let error = io::Error::from_raw_os_error(libc::ENOMEM);
            return Err(TraceError::system("map the reader's state", error));
        };
        let reader = &raw mut bss.reader;
        // SAFETY: libbpf keeps .bss mapped as long as the object lives ('obj); the words are aligned, and with `take` no other
        // reference to them is left on this side.
        Ok(unsafe {
            Self {
                state: AtomicU32::from_ptr(&raw mut (*reader).state),
                generation: AtomicU32::from_ptr(&raw mut (*reader).generation),
                epoch: AtomicU32::from_ptr(&raw mut (*reader).epoch),
            }
        })
    }
}

/// What the kernel side is to look at. Before a program sees the first signal.
fn fill_filters(
    open: &OpenKillsnoopSkel<'_>,
    config: &Config,
    selection: &Selection,
) -> Result<(), TraceError> {
    let maps = &open.maps;
    for comm in &config.ignored_source_comms {
        put(&maps.ignored_source_comms, comm).map_err(|error| {
            TraceError::kernel("set --ignore-source-comm", "name at most 64", error.into())
        })?;
    }
    for comm in &config.requests {
        put(&maps.request_comms, comm)
            .map_err(|error| TraceError::kernel("set --requests", "name at most 64", error.into()))?;
    }
    let failed =
        |error: io::Error| TraceError::kernel("set the filters in the kernel", "ask for less", error.into());
    for value in &selection.values {
        put(&maps.selected, bytes_of(&SelectValue::from(value))).map_err(failed)?;
    }
    for root in &selection.trees {
        put(&maps.tree_roots, &root.to_ne_bytes()).map_err(failed)?;
    }
    Ok(())
}

/// Into a set that was created and is not loaded yet: what a key is is as long as the map has it.
fn put(set: &OpenMapMut<'_>, key: &[u8]) -> io::Result<()> {
    let is_in: [u8; 1] = [1];
    // SAFETY: a map of a living object; libbpf reads as much of both as is said, and checks that that is what the map has.
    let result = unsafe {
        libbpf_sys::bpf_map__update_elem(
            set.as_libbpf_object().as_ptr(),
            key.as_ptr().cast(),
            key.len() as libbpf_sys::size_t,
            is_in.as_ptr().cast(),
            is_in.len() as libbpf_sys::size_t,
            0,
        )
    };
    if result < 0 { Err(io::Error::from_raw_os_error(-result)) } else { Ok(()) }
}
