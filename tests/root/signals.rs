//! Every way a signal comes to be (`tests/rows`), each made once and its line compared.

use std::fs;
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::{
    Cgroup, MEMORY_LIMIT, Process, Skip, Tracer, kill, memory_cgroup, unified, wait_until, workload,
};
use crate::rows::Row;

/// What a row needs.
pub fn needs(row: &Row) -> &'static [Skip] {
    match row.kind {
        "@everybody" | "end-of-namespace" => &[Skip::PidNamespace],
        "@cgroup-kill" => &[Skip::CgroupKill],
        "@oom" => &[Skip::MemoryCgroup],
        "@global-oom" => &[Skip::Guest],
        "kill-32" => &[Skip::Calls32],
        "division" | "illegal-instruction" | "breakpoint" => &[Skip::X86],
        _ => &[],
    }
}

/// What made a signal, and who gets it.
struct Made {
    /// Kept until the line is there.
    holds: Process,
    maker: u32,
    target: u32,
    /// The terminal, or the cgroup, that its line must name.
    word: String,
}

/// Makes it, sees the line.
pub fn show(row: &Row) {
    let tracer = Tracer::json(if row.how.contains("--all") { &["--all"] } else { &[] });
    let says: Value = serde_json::from_str(row.says).expect("a row says JSON");
    let made = make(row);
    let kind = says["event"].as_str().unwrap_or("signal");
    let event = tracer.wait_for(&format!("signal {} to {}", row.signal, made.target), |event| {
        event["target"]["pid"] == made.target
            && event["signal"] == row.signal
            && event["event"] == kind
            && says["result"].as_str().is_none_or(|result| event["result"] == result)
    });
    compare("", &says, &event, &made, &event);
    if let Some(bytes) = event["oom"]["rssBytes"].as_u64() {
        // of a process that ate a cgroup of 32 MiB (what it shares is charged to others), or of one that waits
        let bounds = if row.kind == "@oom" { 16 << 20..=40 << 20 } else { 4096..=32 << 20 };
        assert!(bounds.contains(&bytes), "{event}");
    }
    // a sentence for each
    assert!(!event["summary"].as_str().unwrap().is_empty(), "{event}");
    if kind == "ended" {
        assert!(
            !tracer.events().iter().any(|other| other["event"] == "signal"
                && other["target"]["pid"] == made.target
                && other["signal"] == row.signal),
            "it has an event: {event}"
        );
    }
    let target = made.target;
    drop(made);
    let said = tracer.stop();
    said.assert_counters_add_up();
    let events = said.events();
    let ends: Vec<&Value> =
        events.iter().filter(|event| event["event"] == "ended" && event["target"]["pid"] == target).collect();
    let unexplained = ends.iter().filter(|end| end["signalName"].is_string() && end["after"].is_null());
    assert_eq!(unexplained.count(), usize::from(kind == "ended"), "an event tells of it: {}", said.stdout);
    assert!(ends.len() <= 1, "an end is told once: {}", said.stdout);
    for end in ends.iter().filter(|end| end["after"].is_object()) {
        let id = end["after"]["id"].as_u64().unwrap_or_else(|| panic!("an event told of it: {end}"));
        let before = events.iter().find(|event| event["id"] == id).unwrap();
        assert_eq!(before["target"]["key"], end["target"]["key"], "{end}");
        assert_eq!(before["signalName"], end["after"]["signalName"], "{end}");
        if end["signalName"].is_string() {
            assert_eq!(before["signalName"], end["signalName"], "{end}");
        }
    }
}

fn compare(path: &str, says: &Value, is: &Value, made: &Made, event: &Value) {
    match says {
        Value::Object(keys) => {
            for (key, value) in keys {
                compare(&format!("{path}.{key}"), value, &is[key], made, event);
            }
        }
        Value::String(word) if word == "SOME" => assert!(!is.is_null(), "no {path}: {event}"),
        Value::String(word) if word == "MAKER" => assert_eq!(*is, made.maker, "{path}: {event}"),
        Value::String(word) if word == "TTY" => assert_eq!(*is, made.word, "{path}: {event}"),
        Value::String(word) if word == "CGROUP" => {
            assert!(is.as_str().is_some_and(|path| path.ends_with(&made.word)), "{path}: {event}");
        }
        value => assert_eq!(is, value, "{path}: {event}"),
    }
}

fn make(row: &Row) -> Made {
    match row.kind {
        "@everybody" => everybody(),
        "@cgroup-kill" => cgroup_kill(),
        "@leader-ends" => by_role("leads-a-terminal"),
        "@parent-ends" => by_role("dies-before-its-child"),
        "@winch-by-kill" => {
            let target = Process::workload(&["wait"]);
            let made =
                Made { maker: std::process::id(), target: target.pid(), word: String::new(), holds: target };
            kill(made.target, Signal::WINCH);
            made
        }
        "@oom" => out_of_memory(),
        "@global-oom" => out_of_memory_on_the_host(),
        kind => by_workload(Process::workload(&["signal", kind])),
    }
}

/// It said who gets the signal, and by which terminal.
fn by_workload(maker: Process) -> Made {
    let said = maker.said().trim().to_owned();
    let (target, tty) = said.split_once(' ').unwrap_or((&said, ""));
    let target = target.parse().unwrap_or_else(|_| panic!("not a pid: {said:?}"));
    Made { maker: maker.pid(), target, word: tty.to_owned(), holds: maker }
}

fn by_role(role: &str) -> Made {
    by_workload(Process::workload(&[role]))
}

fn everybody() -> Made {
    // a shell that is PID 1 there, and its child: known outside by its place in the tree
    let script = "sleep 100 & sleep 0.3; echo ready; kill -TERM -1; sleep 100";
    let maker = Process::start(Command::new("unshare").args([
        "--fork",
        "--pid",
        "--mount-proc",
        "--kill-child",
        "sh",
        "-c",
        script,
    ]));
    let child = |pid: u32| -> u32 {
        wait_until("a child", || {
            let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
            children.split_whitespace().next()?.parse().ok()
        })
    };
    let init = child(maker.pid());
    // it may be gone by now, but not the zombie: its parent waits for nobody
    let target = child(init);
    Made { maker: init, target, word: String::new(), holds: maker }
}

fn cgroup_kill() -> Made {
    let target = Process::workload(&["wait"]);
    let cgroup = Cgroup::new(unified().unwrap(), "kill");
    cgroup.add(target.pid());
    fs::write(cgroup.path().join("cgroup.kill"), "1").unwrap();
    Made { maker: std::process::id(), target: target.pid(), word: String::new(), holds: target }
}

const LIMIT: &str = "33554432";

fn out_of_memory() -> Made {
    let root = memory_cgroup().unwrap();
    let cgroup = Cgroup::new(root, "oom");
    fs::write(cgroup.file(MEMORY_LIMIT).unwrap(), LIMIT).unwrap();
    if let Some(file) = cgroup.file(["memory.swappiness", "memory.swap.max"]) {
        let _ = fs::write(file, "0");
    }
    // in one below, which has no limit of its own
    let _ = fs::write(cgroup.path().join("cgroup.subtree_control"), "+memory");
    let inner = cgroup.inner("job");
    let maker =
        Process::start(&mut inner.command(&workload().display().to_string(), &["signal", "eat-memory"]));
    let mut made = by_workload(maker);
    made.holds.reap();
    made.maker = made.target;
    // the inner one first
    drop(inner);
    made.word = format!("/{}", cgroup.path().file_name().unwrap().to_string_lossy());
    made
}

/// By the key of the `SysRq` that runs the OOM killer: in a guest only, where our child is the one it takes.
fn out_of_memory_on_the_host() -> Made {
    let target = Process::workload(&["wait"]);
    fs::write(format!("/proc/{}/oom_score_adj", target.pid()), "1000").unwrap();
    fs::write("/proc/sysrq-trigger", "f").unwrap();
    Made { maker: 0, target: target.pid(), word: String::new(), holds: target }
}
