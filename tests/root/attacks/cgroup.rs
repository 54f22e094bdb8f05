//! A cgroup that was delegated to a user, with names in it that only root's programs should give.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use super::{ATTACKER, as_attacker, workload_of_all};
use support::{Cgroup, Process, Tracer, unified, wait_until};

use crate::Test;
use crate::skip::Skip;

pub const TESTS: &[Test] = &[
    ("a_container_in_a_user_s_own_cgroup_is_said_to_be_the_user_s", &[Skip::Unified], forged_container),
    ("a_unit_in_a_user_s_own_cgroup_is_none_of_the_host_s", &[Skip::Unified], forged_unit),
];

/// What a run that was killed has left.
fn remove_old(path: &Path) {
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.file_type().unwrap().is_dir() {
            remove_old(&entry.path());
        }
    }
    let _ = std::fs::remove_dir(path);
}

/// A cgroup that the attacker may make others in.
fn delegated(name: &str) -> PathBuf {
    let path = unified().unwrap().join(name);
    remove_old(&path);
    std::fs::create_dir(&path).unwrap();
    for file in ["", "cgroup.procs", "cgroup.subtree_control"] {
        chown(path.join(file), Some(ATTACKER), Some(ATTACKER)).unwrap();
    }
    path
}

/// The attacker makes this one in it.
fn made_by_attacker(in_it: &Path, name: &str) -> PathBuf {
    let path = in_it.join(name);
    assert!(as_attacker("mkdir").arg(&path).status().unwrap().success());
    path
}

fn victim_of(path: &Path) -> Process {
    let victim = Process::start(as_attacker(workload_of_all()).args(["meets", "15", "handle"]));
    std::fs::write(path.join("cgroup.procs"), victim.pid().to_string()).unwrap();
    victim
}

fn forged_container() {
    let tracer = Tracer::json(&[]);
    let scope = format!("docker-{}.scope", "4f797c53".repeat(8));
    // root's container, and the attacker's of the same name
    let top = Cgroup::new(unified().unwrap(), "engine");
    let real = top.inner(&scope);
    let own = delegated("killsnoop-delegated");
    let forged = made_by_attacker(&own, &scope);
    let victim = victim_of(real.path());
    let script = format!(
        "echo; until grep -q {scope} /proc/self/cgroup; do sleep 0.02; done; setsid sh -c 'kill -TERM {}; :'; sleep 100",
        victim.pid()
    );
    let sender = Process::start(as_attacker("sh").args(["-c", &script]));
    std::fs::write(forged.join("cgroup.procs"), sender.pid().to_string()).unwrap();
    let event = tracer.signal_to(victim.pid(), 15);
    assert_eq!(event["source"]["container"]["ofUser"], ATTACKER, "{event}");
    assert!(event["target"]["container"]["ofUser"].is_null(), "{event}");
    assert_eq!(event["source"]["container"]["id"], event["target"]["container"]["id"], "{event}");
    assert_eq!(event["relation"], "other-container", "{event}");
    for mut one in [sender, victim] {
        one.kill(Signal::KILL);
        one.reap();
    }
    remove(&forged);
    remove(&own);
}

/// As soon as all that were in it are gone.
fn remove(cgroup: &Path) {
    let kill = cgroup.join("cgroup.kill");
    wait_until("the cgroup to be empty", || {
        let _ = std::fs::write(&kill, "1");
        std::fs::remove_dir(cgroup).ok()
    });
}

fn forged_unit() {
    let tracer = Tracer::json(&[]);
    let own = delegated("killsnoopattack.slice");
    let forged = made_by_attacker(&own, "sshd.service");
    let mut victim = victim_of(&forged);
    victim.kill(Signal::TERM);
    let event = tracer.signal_to(victim.pid(), 15);
    assert!(event["target"]["cgroup"].as_str().unwrap().ends_with("/sshd.service"), "{event}");
    assert!(event["target"]["systemd"].is_null(), "{event}");
    victim.kill(Signal::KILL);
    victim.reap();
    remove(&forged);
    remove(&own);
}
