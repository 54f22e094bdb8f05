//! The object as a plan wants it, opened and not yet loaded.

use std::mem::MaybeUninit;

use libbpf_rs::OpenObject;
use libbpf_rs::skel::SkelBuilder;

use super::plan::Plan;
use super::skel::{KillsnoopSkelBuilder, OpenKillsnoopSkel};
use super::wire::Settings;
use crate::config::Config;
use crate::error::TraceError;

/// Opens it, with the maps sized for `cpus` CPU ids and the programs chosen.
///
/// # Errors
/// If libbpf cannot relocate the object for this kernel.
pub(super) fn open<'obj>(
    storage: &'obj mut MaybeUninit<OpenObject>,
    plan: Plan,
    config: &Config,
    cpus: usize,
) -> Result<OpenKillsnoopSkel<'obj>, TraceError> {
    let hint = "run with -l debug to see what libbpf says";
    let mut open = KillsnoopSkelBuilder::default()
        .open(storage)
        .map_err(|error| TraceError::kernel("open the BPF object", hint, error))?;
    let prepare = |error| TraceError::kernel("size the BPF maps", hint, error);
    open.maps.records.set_max_entries(config.ring_bytes).map_err(prepare)?;
    open.maps.scratches.set_max_entries(cpus as u32).map_err(prepare)?;
    open.maps.identity_scratches.set_max_entries(2 * cpus as u32).map_err(prepare)?;
    open.maps.counters.set_max_entries(cpus as u32).map_err(prepare)?;
    open.progs.seed.set_autoload(plan.iterates);
    open.progs.on_wakeup_new.set_autoload(plan.mends_forks);
    if let Some(rodata) = open.maps.rodata_data.as_deref_mut() {
        rodata.settings = settings(config);
    }
    Ok(open)
}

fn settings(config: &Config) -> Settings {
    Settings {
        shown_signals: config.shown_signals,
        included_signals: config.included_signals,
        wake_at_bytes: u64::from(config.ring_bytes / 4),
        max_ancestors: config.max_tree_depth,
        show_all: u32::from(config.show_all),
        ignores_comms: u32::from(!config.ignored_source_comms.is_empty()),
        reserved: 0,
    }
}
