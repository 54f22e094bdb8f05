//! What this kernel's verifier says of each program, one program at a time: so a refusal has a name, and a cost
//! that jumps is seen before a start-up gets slow.

use std::io;
use std::mem::MaybeUninit;
use std::time::Duration;

use libbpf_rs::skel::OpenSkel;
use libbpf_rs::{AsRawLibbpf, OpenObject, OpenProgramImpl};

use super::plan::Plan;
use super::selection::Selection;
use super::{load, probe};
use crate::config::Config;
use crate::error::TraceError;
use crate::skel::OpenKillsnoopSkel;

/// The price of loading one program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// The program's name in `bpf/killsnoop.bpf.c`.
    pub program: String,
    /// Instructions that the verifier walked through (its limit is 1,000,000).
    pub instructions: u64,
    /// How long it took, by its own clock.
    pub time: Duration,
}

/// `BPF_LOG_STATS` of the kernel's `include/linux/bpf_verifier.h`: the closing lines of the log only.
const LOG_STATS: u32 = 4;

/// Loads each program that one of the plans wants, alone and as the first of them wants it, and lets it go again. Nothing is
/// attached.
///
/// # Errors
/// If the kernel refuses one: the message names it.
pub fn costs(plans: &[Plan], config: &Config) -> Result<Vec<Cost>, TraceError> {
    let cpus = probe::possible_cpu_ids().map_err(|error| TraceError::system("count the CPUs", error))?;
    let mut costs: Vec<Cost> = Vec::new();
    for &plan in plans {
        let mut storage = MaybeUninit::uninit();
        let open = load::open(&mut storage, plan, config, &Selection::default(), cpus)?;
        let wanted = open.open_object().progs().filter(OpenProgramImpl::autoload);
        let mut names: Vec<String> =
            wanted.map(|program| program.name().to_string_lossy().into_owned()).collect();
        names.retain(|name| costs.iter().all(|cost| cost.program != *name));
        drop(open);
        for name in names {
            costs.push(cost(name, plan, config, cpus)?);
        }
    }
    Ok(costs)
}

fn cost(name: String, plan: Plan, config: &Config, cpus: usize) -> Result<Cost, TraceError> {
    // before the object, which refers to it: so it is dropped after it
    let mut log = vec![0u8; 4096];
    let mut storage: MaybeUninit<OpenObject> = MaybeUninit::uninit();
    let load::OpenedObject { object: mut open, file, .. } =
        load::open_with_types(&mut storage, plan, config, &Selection::default(), cpus)?;
    for mut program in open.open_object_mut().progs_mut() {
        let is_it = program.name().to_string_lossy() == name;
        program.set_autoload(is_it);
        if is_it {
            program.set_log_level(LOG_STATS);
            // SAFETY: `log` is as long as said, and outlives the object, which is dropped at the end of this function.
            unsafe {
                libbpf_sys::bpf_program__set_log_buf(
                    program.as_libbpf_object().as_ptr(),
                    log.as_mut_ptr().cast(),
                    log.len() as _,
                );
            }
        }
    }
    let loaded = open.load().map_err(|error| {
        TraceError::kernel(
            format!("load the BPF program {name}"),
            "run with -l debug to see the verifier's log",
            error,
        )
    })?;
    drop(loaded);
    drop(file);
    let text = String::from_utf8_lossy(&log);
    let (instructions, time) = stats(&text)
        .ok_or_else(|| TraceError::system("read the verifier's statistics", io::ErrorKind::InvalidData))?;
    Ok(Cost { program: name, instructions, time })
}

/// The program that libbpf relocates in another way with those types of the kernel that it is given at a start than with all
/// of them. There is to be none.
///
/// # Errors
/// If libbpf cannot relocate them.
pub fn differs_by_types(plan: Plan, config: &Config) -> Result<Option<String>, TraceError> {
    let failed = |error| TraceError::kernel("relocate the BPF programs", "run with -l debug", error);
    let cpus = probe::possible_cpu_ids().map_err(|error| TraceError::system("count the CPUs", error))?;
    let select = Selection::default();
    let mut storage = [const { MaybeUninit::uninit() }; 2];
    let [few, all] = &mut storage;
    let load::OpenedObject { object, file, .. } = load::open_with_types(few, plan, config, &select, cpus)?;
    let few = relocated(&object).map_err(failed)?;
    drop(file);
    let all = relocated(&load::open(all, plan, config, &select, cpus)?).map_err(failed)?;
    if few.is_empty() || few.len() != all.len() {
        return Ok(Some(format!("one of {} and {} programs", few.len(), all.len())));
    }
    let mut pairs = few.into_iter().zip(all);
    Ok(pairs.find(|(one, other)| one != other).map(|((name, _), _)| name))
}

/// A program's name, and its instructions.
type Relocated = (String, Vec<[u8; 8]>);

/// All programs, less what differs between two objects: the descriptors of maps.
fn relocated(object: &OpenKillsnoopSkel<'_>) -> Result<Vec<Relocated>, libbpf_rs::Error> {
    /// `BPF_LD | BPF_IMM | BPF_DW`, which has its number in two halves.
    const WIDE: u8 = 0x18;
    // SAFETY: an open object that nobody else uses.
    let result = unsafe { libbpf_sys::bpf_object__prepare(object.open_object().as_libbpf_object().as_ptr()) };
    if result < 0 {
        return Err(libbpf_rs::Error::from_raw_os_error(-result));
    }
    let programs = object.open_object().progs().filter(OpenProgramImpl::autoload).map(|program| {
        let raw = program.as_libbpf_object().as_ptr();
        // SAFETY: the program lives as long as the object does; an instruction has 8 bytes.
        let mut instructions = unsafe {
            let count = libbpf_sys::bpf_program__insn_cnt(raw) as usize;
            std::slice::from_raw_parts(libbpf_sys::bpf_program__insns(raw).cast::<[u8; 8]>(), count).to_vec()
        };
        for [code, registers, _, _, number @ ..] in &mut instructions {
            // the source register says what kind of number it is: of a map, or of a value in one
            if *code == WIDE && matches!(*registers >> 4, 1 | 2) {
                *number = [0; 4];
            }
        }
        (program.name().to_string_lossy().into_owned(), instructions)
    });
    Ok(programs.collect())
}

/// From the closing lines: `verification time 120 usec` and `processed 467 insns (limit 1000000) …`.
fn stats(log: &str) -> Option<(u64, Duration)> {
    let number_after = |words: &str| log.split_once(words)?.1.split_whitespace().next()?.parse().ok();
    Some((number_after("processed ")?, Duration::from_micros(number_after("verification time ")?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_lines_of_the_verifier_are_understood() {
        let log = "verification time 2431 usec\nstack depth 32+0+16\nprocessed 3541 insns (limit 1000000) max_states_per_insn 4 total_states 87 peak_states 87 mark_read 20\n";
        assert_eq!(stats(log), Some((3541, Duration::from_micros(2431))));
        assert_eq!(stats(""), None);
    }
}
