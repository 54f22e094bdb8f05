//! Seeding from /proc: the command lines, executables and environments that the kernel's iterator could not read.
//!
//! A pidfd is opened before anything is read, and writing by it succeeds only while the process has not been reaped: so all that
//! was read in between is of this very process.

use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::Instant;

use libbpf_rs::{MapCore, MapFlags};

use super::argv_store::{self, ArgvStore};
use super::seeding::{SEED_WITHIN, SeedingResult};
use crate::bpf::pidfd;
use crate::bpf::plan::ProcSeeding;
use crate::enrich::procfs;
use crate::skel::KillsnoopSkel;
use crate::wire::{Constant, Environment, Identity, ProcessFlag, bytes_of};

/// The image of PID 1, as the kernel side noted it.
#[derive(Debug, Clone, Copy)]
pub(super) struct InitImage {
    pub(super) exec_id: u32,
    pub(super) mm: u64,
}

/// Fills the kernel's `seeded` map from /proc.
pub(super) fn seed(
    skel: &KillsnoopSkel<'_>,
    root: &Path,
    seeding: ProcSeeding,
    init: Option<InitImage>,
    seeded: &mut SeedingResult,
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

/// Whether it was seeded here: kernel threads have nothing to seed, and what is known stays as it is.
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
    if skel.maps.seeded.lookup(&key, MapFlags::ANY).map_err(io::Error::other)?.is_some() {
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
    let kept = argv.len().min(argv_store::MOST - exe.len());
    argv.truncate(kept);
    argv.extend_from_slice(&exe);
    let identity = Identity {
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
    ArgvStore::of_seeding(&skel.maps).write(key, identity, &argv)?;
    Ok(true)
}

/// The environment of what ran before, as /proc shows it: that of its exec, unless the process itself wrote over it.
pub(super) fn seed_environments(skel: &KillsnoopSkel<'_>, root: &Path, variables: &[String]) {
    let proc_directory = root.join("proc");
    for pid in procfs::pids(&proc_directory) {
        if let Err(error) = seed_environment(skel, &proc_directory, pid, variables) {
            // the kernel side flags what is missing as lost
            tracing::debug!(pid, %error, "no environment from /proc");
        }
    }
}

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
