//! The object as a plan wants it, opened and not yet loaded.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write};
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::rc::Rc;

use libbpf_rs::skel::{OpenSkel, SkelBuilder};
use libbpf_rs::{AsRawLibbpf, OpenObject, PrintLevel};
use rustix::fs::{MemfdFlags, memfd_create};

use super::btf::{self, Btf, BtfKind};
use super::plan::{Attempts, Plan};
use super::selection::Selection;

use super::blocked_signals::with_signals_blocked;
use crate::config::{Config, Failed};
use crate::error::TraceError;
use crate::skel::{KillsnoopSkelBuilder, OpenKillsnoopSkel};
use crate::wire::{Constant, LegacyController, Settings};

/// What the programs at the end of the kill family's calls are called.
pub(super) const AT_THE_END_OF: &str = "after_";
/// The program that is only tried.
const TRIAL: &str = "try_trampoline";

/// Sends what libbpf says to the log instead of straight to standard error.
pub fn route_libbpf_messages() {
    libbpf_rs::set_print(Some((PrintLevel::Debug, |level, text| {
        let text = text.trim_end();
        let warning = matches!(level, PrintLevel::Warn);
        // -v is for people: this is for -l debug
        tracing::trace!(warning, "libbpf: {text}");
    })));
}

/// Can programs be attached to the end of a kernel function? Some kernels load them and refuse to attach.
pub fn try_trampoline() -> bool {
    with_signals_blocked(try_trampoline_now)
}

fn try_trampoline_now() -> bool {
    let mut storage = MaybeUninit::uninit();
    let Ok(mut open) = KillsnoopSkelBuilder::default().open(&mut storage) else { return false };
    for mut program in open.open_object_mut().progs_mut() {
        program.set_autoload(program.name().to_string_lossy() == TRIAL);
    }
    open.load().is_ok_and(|skel| skel.progs.try_trampoline.attach().is_ok())
}

/// Opens it, with the maps sized for `cpus` CPU ids and the programs chosen.
///
/// # Errors
/// If libbpf cannot relocate the object for this kernel.
pub(super) fn open<'obj>(
    storage: &'obj mut MaybeUninit<OpenObject>,
    plan: Plan,
    config: &Config,
    selection: &Selection,
    cpus: usize,
) -> Result<OpenKillsnoopSkel<'obj>, TraceError> {
    open_with(KillsnoopSkelBuilder::default(), storage, plan, config, selection, cpus)
}

/// The same, with what libbpf is to know of the kernel's types.
pub(super) struct OpenedObject<'obj> {
    pub(super) object: OpenKillsnoopSkel<'obj>,
    /// None if this program does not understand them.
    pub(super) kernel: Option<Rc<Btf>>,
    /// Those that the object names. libbpf reads it by its path when it relocates. None: it looks through all.
    pub(super) file: Option<File>,
}

/// Opens it, and passes libbpf those of the kernel's types that it needs.
///
/// # Errors
/// If libbpf cannot read the object, or the kernel's types cannot be read.
pub(super) fn open_with_types<'obj>(
    storage: &'obj mut MaybeUninit<OpenObject>,
    plan: Plan,
    config: &Config,
    selection: &Selection,
    cpus: usize,
) -> Result<OpenedObject<'obj>, TraceError> {
    let failed = |error| TraceError::system("read the types of the kernel", error);
    let mut file = memory_file();
    let mut builder = KillsnoopSkelBuilder::default();
    if let Some(file) = &file {
        builder
            .obj_builder
            .btf_custom_path(format!("/proc/self/fd/{}", file.as_raw_fd()))
            .map_err(|error| failed(io::Error::other(error)))?;
    }
    let object = open_with(builder, storage, plan, config, selection, cpus)?;
    let kernel = btf::of_kernel();
    if let Some(file) = &mut file {
        let cut = kernel.as_ref().and_then(|kernel| kernel.subset_for(&types_of(&object)?));
        // all of them, if need be
        let bytes = cut.map_or_else(|| std::fs::read(btf::VMLINUX), Ok).map_err(failed)?;
        file.write_all(&bytes).map_err(failed)?;
    }
    Ok(OpenedObject { object, kernel, file })
}

/// A file in memory. A host may allow none that could be executed (`vm.memfd_noexec`), and a kernel before 6.3 does not know of
/// that.
fn memory_file() -> Option<File> {
    let with = |flags| memfd_create("types", MemfdFlags::CLOEXEC | flags);
    let file = with(MemfdFlags::NOEXEC_SEAL).or_else(|_| with(MemfdFlags::empty()));
    file.inspect_err(|error| tracing::debug!(%error, "no file in memory: libbpf looks through all types"))
        .map(File::from)
        .ok()
}

/// Those that the object came with.
pub(super) fn types_of(object: &OpenKillsnoopSkel<'_>) -> Option<Btf> {
    let mut length = 0;
    // SAFETY: a living object; its types live as long, and nobody changes them meanwhile.
    let bytes = unsafe {
        let btf = libbpf_sys::bpf_object__btf(object.open_object().as_libbpf_object().as_ptr());
        if btf.is_null() {
            return None;
        }
        let bytes = libbpf_sys::btf__raw_data(btf, &raw mut length);
        if bytes.is_null() {
            return None;
        }
        std::slice::from_raw_parts(bytes.cast::<u8>(), length as usize)
    };
    Btf::new(bytes.to_vec())
}

fn open_with<'obj>(
    builder: KillsnoopSkelBuilder,
    storage: &'obj mut MaybeUninit<OpenObject>,
    plan: Plan,
    config: &Config,
    selection: &Selection,
    cpus: usize,
) -> Result<OpenKillsnoopSkel<'obj>, TraceError> {
    let hint = "run with -l debug to see what libbpf says";
    let mut open =
        builder.open(storage).map_err(|error| TraceError::kernel("open the BPF object", hint, error))?;
    let prepare = |error| TraceError::kernel("size the BPF maps", hint, error);
    open.maps.records.set_max_entries(config.ring_bytes).map_err(prepare)?;
    open.maps.scratches.set_max_entries(cpus as u32).map_err(prepare)?;
    open.maps.identity_scratches.set_max_entries(2 * cpus as u32).map_err(prepare)?;
    open.maps.end_scratches.set_max_entries(2 * cpus as u32).map_err(prepare)?;
    let slots = if config.requests.is_empty() { 1 } else { 2 * cpus as u32 };
    open.maps.request_scratches.set_max_entries(slots).map_err(prepare)?;
    // a slot for each CPU, and some that are free while a program is preempted
    let slots = if plan.attempts == Attempts::Unwatched { 1 } else { cpus as u32 + 3 };
    open.maps.attempt_scratches.set_max_entries(slots).map_err(prepare)?;
    open.maps.cgroup_scratches.set_max_entries(2 * cpus as u32).map_err(prepare)?;
    open.maps.ghost_scratches.set_max_entries(2 * cpus as u32).map_err(prepare)?;
    // CPUs take from one another what they keep free: some room is left for that
    open.maps.ghosts.set_max_entries(config.ghosts + 4 * cpus as u32 + 64).map_err(prepare)?;
    open.maps.ghost_places.set_max_entries(config.ghosts).map_err(prepare)?;
    let variable_slots = if config.variables.is_empty() { 1 } else { 2 * cpus as u32 };
    open.maps.environment_scratches.set_max_entries(variable_slots).map_err(prepare)?;
    open.maps.counters.set_max_entries(cpus as u32).map_err(prepare)?;
    let with_fexit = plan.attempts == Attempts::Trampolines;
    let functions = if with_fexit { existing_functions(&mut open) } else { HashSet::new() };
    for mut program in open.open_object_mut().progs_mut() {
        let is_loaded = match program.name().to_string_lossy().as_ref() {
            "on_signal_generate" => plan.reports_signals,
            "seed" => plan.iterates,
            "read_titles" => plan.reads_titles,
            "on_cgroup_rename" => plan.legacy_cgroups.is_some(),
            "on_wakeup_new" => plan.recovers_forks,
            "on_sys_exit" => plan.attempts == Attempts::SyscallExits,
            TRIAL => false,
            name if name.starts_with(AT_THE_END_OF) => {
                program.section().to_str().and_then(function_of).is_some_and(|name| functions.contains(name))
            }
            _ => true,
        };
        program.set_autoload(is_loaded);
    }
    if let Some(rodata) = open.maps.rodata_data.as_deref_mut() {
        rodata.settings = settings(plan, config, selection);
    }
    Ok(open)
}

/// Of a section `fexit/FUNCTION`.
fn function_of(section: &str) -> Option<&str> {
    section.strip_prefix("fexit/")
}

/// The functions of `fexit` programs that this kernel has: one for 32-bit calls need not exist.
fn existing_functions(open: &mut OpenKillsnoopSkel<'_>) -> HashSet<String> {
    let Some(kernel) = btf::of_kernel() else { return HashSet::new() };
    let functions: Vec<String> = open
        .open_object_mut()
        .progs_mut()
        .filter_map(|program| program.section().to_str().and_then(function_of).map(str::to_owned))
        .collect();
    let wanted: Vec<_> = functions.iter().map(|name| (BtfKind::Function, name.as_bytes())).collect();
    let found = kernel.find(&wanted);
    functions.into_iter().zip(found).filter_map(|(name, id)| id.map(|_| name)).collect()
}

/// Of the name of an environment variable, with its `=`.
const NAME_BYTES: usize = Constant::VARIABLE_NAME.0 as usize;

fn settings(plan: Plan, config: &Config, selection: &Selection) -> Settings {
    let mut settings = Settings {
        outcomes: u32::from(config.outcomes),
        reports_ends: u32::from(config.reports_ends),
        ghosts: config.ghosts,
        variables: config.variables.len() as u32,
        legacy_hierarchy: plan.legacy_cgroups.map_or(0, |legacy| legacy.hierarchy),
        legacy_controller: match plan.legacy_cgroups {
            None => LegacyController::LEGACY_NONE,
            Some(legacy) if legacy.is_memory => LegacyController::LEGACY_MEMORY,
            Some(_) => LegacyController::LEGACY_PIDS,
        }
        .0,
        shown_signals: config.shown_signals & selection.signals,
        selected: selection.asked,
        only_fatal: u32::from(selection.only_fatal),
        dispositions: selection.dispositions,
        tree_begins_below: u32::from(selection.trees_begin_below),
        included_signals: config.included_signals,
        ring_bytes: u64::from(config.ring_bytes),
        segment_shift: (config.ring_bytes / 8).ilog2(),
        wake_at_bytes: u64::from(config.ring_bytes / 4),
        max_ancestors: config.max_tree_depth,
        show_all: u32::from(config.show_all),
        requests: u32::from(!config.requests.is_empty()),
        ignores_comms: u32::from(!config.ignored_source_comms.is_empty()),
        failed: u32::from(config.failed != Failed::No),
        probes: u32::from(config.probes),
        attempts_only: u32::from(config.failed == Failed::Only),
        ..Settings::default()
    };
    let slots = settings.variable.iter_mut().zip(&mut settings.variable_mask);
    for (name, (words, masks)) in config.variables.iter().zip(slots) {
        let mut bytes = [0u8; NAME_BYTES];
        let mut mask = [0u8; NAME_BYTES];
        for (place, byte) in name.bytes().chain(*b"=").enumerate().take(bytes.len()) {
            (bytes[place], mask[place]) = (byte, 0xff);
        }
        let word = |bytes: &[u8]| bytes.iter().rev().fold(0u64, |word, &byte| word << 8 | u64::from(byte));
        for (place, (name, mask)) in bytes.chunks(8).zip(mask.chunks(8)).enumerate() {
            (words[place], masks[place]) = (word(name), word(mask));
        }
    }
    settings
}
