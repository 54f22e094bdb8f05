//! A tracer that is killed leaves nothing behind that is attached, also where a process has memory that nobody serves.

use std::collections::BTreeSet;
use std::fs;

use rustix::process::Signal;
use support::{Process, Tracer, children_of, wait_until, workload};

use crate::Test;
use crate::skip::Skip;

pub const TESTS: &[Test] = &[
    ("of_a_tracer_that_is_killed_no_hook_stays_attached", &[], no_hook_stays),
    ("of_one_that_reads_memory_which_nobody_serves_neither", &[Skip::Fuse], no_hook_stays_beside_a_hang),
];

/// The pids of a process and of all below it.
fn family(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    let mut at = 0;
    while let Some(&parent) = all.get(at) {
        all.extend(children_of(parent));
        at += 1;
    }
    all
}

/// Ids of the programs of which a process holds a descriptor or a link.
fn programs_of(pid: u32) -> BTreeSet<u32> {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fdinfo")).into_iter().flatten().flatten();
    let texts = descriptors.filter_map(|entry| fs::read_to_string(entry.path()).ok());
    let lines: Vec<String> =
        texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    lines.iter().filter_map(|line| line.strip_prefix("prog_id:")?.trim().parse().ok()).collect()
}

/// Of these programs, those that hooks run: the iterators are run by a process that reads them.
fn attached(programs: &BTreeSet<u32>) -> Vec<(u32, String)> {
    libbpf_rs::query::ProgInfoIter::default()
        .filter(|info| programs.contains(&info.id))
        .map(|info| (info.id, info.name.to_string_lossy().into_owned()))
        .filter(|(_, name)| name != "seed" && name != "read_titles")
        .collect()
}

fn assert_nothing_stays(tracer: Tracer) {
    let family = family(tracer.pid());
    let programs: BTreeSet<u32> = family.iter().flat_map(|&pid| programs_of(pid)).collect();
    assert!(attached(&programs).iter().any(|(_, name)| name.starts_with("on_signal_gen")), "{programs:?}");
    tracer.signal(Signal::KILL);
    drop(tracer);
    wait_until("the end of all hooks", || attached(&programs).is_empty().then_some(()));
}

fn no_hook_stays() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("lines");
    assert_nothing_stays(Tracer::json(&["-o", &format!("logfmt={}", file.display())]));
    // its process is another, and goes with it
    let command = [workload().to_str().unwrap(), "waits"];
    assert_nothing_stays(Tracer::start(&[&["run", "-v", "--"], &command[..]].concat()));
}

fn no_hook_stays_beside_a_hang() {
    let hang = Process::workload(&["unserved-page"]);
    let tracer = Tracer::json(&[]);
    // titles are read every now and then
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_nothing_stays(tracer);
    drop(hang);
}
