//! What somebody could do who has found a fault in the decoder: as little as can be. Every thread has given up user 0, most
//! capabilities and most system calls; and all that has to work afterwards works.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use rustix::process::Signal;

use super::as_attacker;
use support::{
    Process, Tracer, children_of, cmdline, field_of, has_ended, killsnoop, name_of_root, run_workload,
    status_field, wait_until,
};

use crate::Test;

pub const TESTS: &[Test] = &[
    ("every_thread_has_given_up_what_tracing_does_not_need", &[], given_up),
    ("the_process_that_opens_files_can_do_nothing_else", &[], opener),
    ("a_command_of_run_has_lost_nothing", &[], command_of_run),
    ("a_hidden_proc_is_still_read", &[], hidden_proc),
    ("no_other_user_can_signal_the_tracer", &[], unreachable),
    ("a_tracer_that_is_to_end_with_its_parent_does_so_as_another_user", &[], ends_with_its_parent),
];

fn field<'a>(status: &'a str, name: &str) -> &'a str {
    field_of(status, name).unwrap()
}

/// The status file of each thread.
fn threads(pid: u32) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("status")).ok()).collect()
}

fn bits(status: &str, name: &str) -> u64 {
    u64::from_str_radix(field(status, name), 16).unwrap()
}

/// The capabilities with these numbers.
fn set(numbers: &[u32]) -> u64 {
    numbers.iter().map(|number| 1 << number).sum()
}

const SYSLOG: u32 = 34;
const PERFMON: u32 = 38;
const BPF: u32 = 39;
const SYS_PTRACE: u32 = 19;
const DAC_READ_SEARCH: u32 = 2;

const USUAL: [u32; 3] = [SYSLOG, PERFMON, BPF];
/// Where /proc has to be asked for the command lines of others.
const WITH_PROC: [u32; 5] = [SYSLOG, PERFMON, BPF, SYS_PTRACE, DAC_READ_SEARCH];

/// What a thread still has that it should not.
fn left_of(status: &str, capabilities: u64, may_be_root: bool) -> Option<&'static str> {
    let ids = |name: &str| field(status, name).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let is_other = |name: &&str| {
        let ids = ids(name);
        ids.iter().all(|id| *id == ids[0] && *id != "0")
    };
    if !may_be_root && (!["Uid", "Gid"].iter().all(is_other) || !field(status, "Groups").is_empty()) {
        return Some("is root's");
    }
    if ["CapEff", "CapPrm"].iter().any(|name| bits(status, name) != capabilities) {
        return Some("has other capabilities");
    }
    if ["CapBnd", "CapInh", "CapAmb"].iter().any(|name| bits(status, name) != 0) {
        return Some("may get capabilities");
    }
    (field(status, "NoNewPrivs") != "1" || field(status, "Seccomp") != "2").then_some("may call everything")
}

fn assert_locked_up(pid: u32, capabilities: u64, may_be_root: bool) {
    // each thread gives up its own, one after the other
    let began = std::time::Instant::now();
    loop {
        let left = threads(pid).into_iter().find_map(|status| {
            left_of(&status, capabilities, may_be_root).map(|what| format!("a thread {what}: {status}"))
        });
        match left {
            None => break,
            Some(what) => assert!(began.elapsed() < support::patience(), "{what}"),
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // not dumpable: root's, whose user it is not
    assert_eq!(fs::metadata(format!("/proc/{pid}/mem")).unwrap().uid(), 0);
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let core: Vec<&str> = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap()
        .split_whitespace()
        .collect();
    assert_eq!(core[4..6], ["0", "0"], "{limits}");
}

/// The names of containers are in files of root.
fn has_container_runtime() -> bool {
    const FILES: [&str; 11] = [
        "/run/containerd/io.containerd.runtime.v2.task",
        "/run/k3s/containerd/io.containerd.runtime.v2.task",
        "/run/k0s/containerd/io.containerd.runtime.v2.task",
        "/var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task",
        "/run/containers/storage/overlay-containers",
        "/var/lib/containers/storage/overlay-containers",
        "/var/lib/containers/storage/vfs-containers",
        "/var/lib/containers/storage/btrfs-containers",
        "/var/lib/containers/storage/zfs-containers",
        "/var/lib/docker/containers",
        "/var/log/pods",
    ];
    FILES.iter().any(|path| std::path::Path::new(path).is_dir())
}

fn given_up() {
    let directory = tempfile::tempdir().unwrap();
    let file = format!("json={}", directory.path().join("log").display());
    let tracer = Tracer::start(&["-o", &file, "-o", "json", "-i", "USR1"]);
    let target = Process::workload(&["meets", "10", "handle"]);
    run_workload(&["storm", "10", "1", &target.pid().to_string()]);
    let event = tracer.signal_to(target.pid(), 10);
    // the names of users are read then
    assert_eq!(event["target"]["user"]["name"].as_str(), name_of_root(&event["target"]), "{event}");
    // writers, and whatever reads titles, are there by now
    assert!(threads(tracer.pid()).len() >= 3, "{:?}", threads(tracer.pid()));
    // what another test does to its memory may keep a process from being known at the start
    let has_all = !["could not be read", "are not known"].iter().any(|gap| tracer.stderr().contains(gap));
    let mut capabilities = set(if has_all { &USUAL } else { &WITH_PROC });
    if has_container_runtime() {
        capabilities |= set(&[DAC_READ_SEARCH]);
    }
    assert_locked_up(tracer.pid(), capabilities, false);
    tracer.signal(Signal::USR1);
    tracer.signal(Signal::HUP);
    wait_until("the counters", || tracer.stderr().contains("signals so far").then_some(()));
    wait_until("the file to be reopened", || tracer.stderr().contains(" reopened").then_some(()));
    let said = tracer.stop();
    assert_eq!(said.status.code(), Some(0), "{}", said.stderr);
    assert!(!said.stderr.contains("cannot give up"), "{}", said.stderr);
    said.assert_counters_add_up();
}

/// The child that opens FILEs.
fn opener_of(tracer: u32) -> u32 {
    let is_it = |pid: &u32| status_field(*pid, "Name").is_some_and(|name| name == "killsnoop-files");
    children_of(tracer).into_iter().find(is_it).unwrap()
}

fn opener() {
    const DAC_OVERRIDE: u32 = 1;
    let directory = tempfile::tempdir().unwrap();
    let file = format!("json={}", directory.path().join("log").display());
    let tracer = Tracer::start(&["-o", &file]);
    let opener = opener_of(tracer.pid());
    assert_locked_up(opener, set(&[DAC_OVERRIDE]), true);
    // what is sent to all that are called so does not end it, and it ends with the tracer
    for signal in [Signal::HUP, Signal::TERM, Signal::INT] {
        support::kill(opener, signal);
    }
    tracer.signal(Signal::HUP);
    wait_until("the file to be reopened", || tracer.stderr().contains(" reopened").then_some(()));
    tracer.signal(Signal::KILL);
    wait_until("its end", || has_ended(opener).then_some(()));
}

fn command_of_run() {
    let directory = tempfile::tempdir().unwrap();
    let file = format!("json={}", directory.path().join("log").display());
    let own = fs::read_to_string("/proc/self/status").unwrap();
    for invoker in [None, Some("1000")] {
        let mut run = Command::new(killsnoop());
        run.args(["run", "-o", &file, "--", "cat", "/proc/self/status", "/proc/self/limits"]);
        if let Some(id) = invoker {
            run.envs([("SUDO_UID", id), ("SUDO_GID", id)]);
            std::os::unix::fs::chown(directory.path(), Some(1000), Some(1000)).unwrap();
            fs::remove_file(directory.path().join("log")).unwrap();
        } else {
            run.env_remove("SUDO_UID");
        }
        let output = run.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        for name in ["Seccomp", "NoNewPrivs", "CapBnd"] {
            assert_eq!(field(&said, name), field(&own, name), "{said}");
        }
        let user = field(&said, "Uid").split_whitespace().next().unwrap();
        assert_eq!(user, invoker.unwrap_or("0"), "{said}");
        let limits = fs::read_to_string("/proc/self/limits").unwrap();
        let core =
            |text: &str| text.lines().find(|line| line.starts_with("Max core file size")).unwrap().to_owned();
        assert_eq!(core(&said), core(&limits));
    }
}

fn hidden_proc() {
    let target = Process::workload(&["meets", "15", "handle"]);
    let script = "mount -t proc -o hidepid=2 proc /proc && exec \"$0\" -o json";
    let tracer = Tracer::run(Command::new("unshare").args(["--mount", "sh", "-c", script, killsnoop()]));
    assert_locked_up(tracer.pid(), set(&WITH_PROC), false);
    // who started an orphan is named by what /proc says of it now
    let until_gone = "while grep -q State:.[^Z] /proc/$0/status 2>/dev/null; do sleep 0.01; done";
    let script = format!("setsid sh -c '{until_gone}; kill -TERM {}' $$ &", target.pid());
    Process::start(Command::new("sh").args(["-c", &script])).reap();
    let event = tracer.signal_to(target.pid(), 15);
    let spawner = &event["source"]["spawnedBy"];
    assert_eq!(cmdline(spawner), ["sh", "-c", &script], "{event}");
    assert_eq!(spawner["spawnedBy"]["pid"], std::process::id(), "{event}");
    assert!(event["missing"].is_null(), "{event}");
}

fn unreachable() {
    let tracer = Tracer::json(&[]);
    let status = threads(tracer.pid()).remove(0);
    let own: u32 = field(&status, "Uid").split_whitespace().next().unwrap().parse().unwrap();
    let kill = |command: &mut Command| {
        command.args(["-c", "kill -9 $0", &tracer.pid().to_string()]).output().unwrap().status.success()
    };
    assert!(!kill(&mut as_attacker("sh")));
    // its user is nobody else's: only of what it starts to read titles
    for entry in fs::read_dir("/proc").unwrap() {
        let status = fs::read_to_string(entry.unwrap().path().join("status")).unwrap_or_default();
        let is =
            |name: &str, id: u32| field(&status, name).split_whitespace().next() == Some(&id.to_string());
        if status.is_empty() || is("Pid", tracer.pid()) || is("PPid", tracer.pid()) {
            continue;
        }
        assert!(!is("Uid", own), "{status}");
    }
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    assert!(!passwd.contains(&format!(":{own}:")));
    assert_eq!(tracer.stop().status.code(), Some(0));
}

/// `PR_SET_PDEATHSIG`, which a change of the user takes away.
fn ends_with_its_parent() {
    let mut command = std::process::Command::new("unshare");
    let tracer = Tracer::run(command.args(["--fork", "--kill-child", killsnoop(), "-o", "json"]));
    let child = children_of(tracer.pid())[0];
    drop(tracer);
    wait_until("the end of the tracer", || has_ended(child).then_some(()));
}
