//! Every way a signal comes to be (`support::signal_cases`), each made once and its line compared.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use support::{
    Cgroup, FREEZER, MEMORY_LIMIT, Process, Tracer, children_of, in_guest, kill, memory_cgroup, unified,
    wait_until, workload,
};

use crate::Test;
use crate::skip::Skip;
use support::signal_cases::SignalCase;

/// What a case needs.
pub fn needs(case: &SignalCase) -> &'static [Skip] {
    match case.kind {
        "@everybody" | "end-of-namespace" => &[Skip::PidNamespace],
        "@cgroup-kill" => &[Skip::CgroupKill],
        "@oom" => &[Skip::MemoryCgroup],
        "@sysrq-f" => &[Skip::Guest],
        "poison" | "poisoned-page" => &[Skip::Guest, Skip::MemoryFailure],
        "@cgroup-kill-by-io_uring" => &[Skip::CgroupKill, Skip::IoUring],
        kind if kind.starts_with("@cgroup-kill-by-") => &[Skip::CgroupKill],
        "user-dispatch" => &[Skip::UserDispatch],
        "real-time-limit" => &[Skip::RealTime],
        "restart" | "halt" => &[Skip::UserNamespace],
        "@frozen-1" => &[Skip::Freezer1],
        "@frozen-2" => &[Skip::Unified],
        "kill-32" => &[Skip::Calls32],
        "division" | "illegal-instruction" | "breakpoint" | "traced-sender" => &[Skip::X86],
        _ => &[],
    }
}

/// The processes of one case: what made the signal, and who gets it.
struct Scene {
    /// Let go first, or its end is not to be had.
    frozen: Option<FrozenCgroup>,
    /// Kept until the line is there.
    holds: Process,
    maker: u32,
    target: u32,
    /// The terminal, the cgroup or the other process that its line must name.
    word: String,
    /// Where the target was.
    cgroup: Option<Cgroup>,
}

impl Scene {
    fn new(maker: u32, target: u32, holds: Process) -> Self {
        Self { frozen: None, maker, target, word: String::new(), holds, cgroup: None }
    }

    /// Thawed, it can be killed; gone, its cgroup can be removed.
    fn let_go(self) {
        let Self { frozen, holds, cgroup, .. } = self;
        drop(frozen);
        drop(holds);
        drop(cgroup);
    }
}

/// A frozen cgroup: what is to be written where, to thaw it.
struct FrozenCgroup(PathBuf, &'static str);

impl Drop for FrozenCgroup {
    fn drop(&mut self) {
        fs::write(&self.0, self.1).unwrap();
    }
}

/// All events, once nothing more is to come.
fn end(tracer: Tracer) -> Vec<Value> {
    if !in_guest() {
        let said = tracer.stop();
        said.assert_counters_add_up();
        return said.events();
    }
    // it is behind all that came before, but for an end that waits for a signal
    let last = Process::workload(&["wait"]);
    last.kill(Signal::CONT);
    tracer.signal_to(last.pid(), 18);
    thread::sleep(Duration::from_millis(300));
    tracer.events()
}

/// Makes it, sees the line.
pub fn show(case: &SignalCase) {
    let tracer = Tracer::shared(if case.how.contains("--all") { &["--all"] } else { &[] });
    let says: Value = serde_json::from_str(case.says).expect("a case says JSON");
    let made = make(case);
    let kind = says["event"].as_str().unwrap_or("signal");
    let is_it = |event: &Value| {
        event["target"]["pid"] == made.target
            && event["signal"] == case.signal
            && event["event"] == kind
            && says["result"].as_str().is_none_or(|result| event["result"] == result)
    };
    let mut event = tracer.wait_for(&format!("signal {} to {}", case.signal, made.target), is_it);
    if case.kind.starts_with("twice") {
        let first = event["id"].clone();
        event = tracer.wait_for("the second of them", |event| is_it(event) && event["id"] != first);
    }
    compare("", &says, &event, &made, &event);
    if let Some(bytes) = event["oom"]["rssBytes"].as_u64() {
        // of a process that ate a cgroup of 32 MiB (what it shares is charged to others), or of one that waits
        let bounds = if case.kind == "@oom" { 16 << 20..=40 << 20 } else { 4096..=32 << 20 };
        assert!(bounds.contains(&bytes), "{event}");
    }
    // a sentence for each
    assert!(!event["summary"].as_str().unwrap().is_empty(), "{event}");
    if kind == "ended" {
        assert!(
            !tracer.events().iter().any(|other| other["event"] == "signal"
                && other["target"]["pid"] == made.target
                && other["signal"] == case.signal),
            "it has an event: {event}"
        );
    }
    let target = made.target;
    made.let_go();
    let events = end(tracer);
    let said = Value::from(events.clone());
    let ends: Vec<&Value> =
        events.iter().filter(|event| event["event"] == "ended" && event["target"]["pid"] == target).collect();
    let unexplained = ends.iter().filter(|end| end["signalName"].is_string() && end["after"].is_null());
    assert_eq!(unexplained.count(), usize::from(kind == "ended"), "an event reports it: {said}");
    let of_process = ends.iter().filter(|end| end["scope"] != "thread").count();
    assert!(of_process <= 1, "an end is reported once: {said}");
    for end in ends.iter().filter(|end| end["after"].is_object()) {
        let id = end["after"]["id"].as_u64().unwrap_or_else(|| panic!("an event reported it: {end}"));
        let place = |id| events.iter().position(|event| event["id"] == id).unwrap();
        assert!(place(id) < place(end["id"].as_u64().unwrap()), "before the end: {said}");
        let before = &events[place(id)];
        assert_eq!(before["target"]["key"], end["target"]["key"], "{end}");
        assert_eq!(before["signalName"], end["after"]["signalName"], "{end}");
        if end["signalName"].is_string() {
            assert_eq!(before["signalName"], end["signalName"], "{end}");
        }
    }
}

fn compare(path: &str, says: &Value, is: &Value, made: &Scene, event: &Value) {
    match says {
        Value::Object(keys) => {
            for (key, value) in keys {
                compare(&format!("{path}.{key}"), value, &is[key], made, event);
            }
        }
        Value::String(word) if word == "SOME" => assert!(!is.is_null(), "no {path}: {event}"),
        Value::String(word) if word == "MAKER" => assert_eq!(*is, made.maker, "{path}: {event}"),
        Value::String(word) if word == "OTHER" => assert_eq!(is.to_string(), made.word, "{path}: {event}"),
        Value::String(word) if word == "TTY" => assert_eq!(*is, made.word, "{path}: {event}"),
        Value::String(word) if word == "CGROUP" => {
            assert!(is.as_str().is_some_and(|path| path.ends_with(&made.word)), "{path}: {event}");
        }
        value => assert_eq!(is, value, "{path}: {event}"),
    }
}

fn make(case: &SignalCase) -> Scene {
    match case.kind {
        "@everybody" => everybody(),
        "@cgroup-kill" => cgroup_kill(),
        "@leader-ends" => by_role("leads-a-terminal"),
        "@parent-ends" => by_role("dies-before-its-child"),
        "@winch-by-kill" => {
            let target = Process::workload(&["wait"]);
            kill(target.pid(), Signal::WINCH);
            Scene::new(std::process::id(), target.pid(), target)
        }
        "@oom" => out_of_memory(),
        "@sysrq-f" => sysrq_f(),
        "@frozen-1" => frozen(Signal::KILL, Path::new(FREEZER), "freezer.state", ["FROZEN", "THAWED"]),
        "@frozen-2" => frozen(Signal::TERM, unified().unwrap(), "cgroup.freeze", ["1", "0"]),
        kind => match kind.strip_prefix("@cgroup-kill-by-") {
            Some(how) => cgroup_kill_by(how),
            None => by_workload(Process::workload(&["signal", kind])),
        },
    }
}

/// It said who gets the signal, and by which terminal or process.
fn by_workload(maker: Process) -> Scene {
    let said = maker.said().trim().to_owned();
    let (target, word) = said.split_once(' ').unwrap_or((&said, ""));
    let target = target.parse().unwrap_or_else(|_| panic!("not a pid: {said:?}"));
    Scene { word: word.to_owned(), ..Scene::new(maker.pid(), target, maker) }
}

fn by_role(role: &str) -> Scene {
    by_workload(Process::workload(&[role]))
}

fn everybody() -> Scene {
    // a shell that is PID 1 there, and its child: known outside by its place in the tree, while it has no other
    let go = tempfile::NamedTempFile::new().unwrap();
    let script = format!(
        "sleep 100 & echo ready; while [ -e {} ]; do :; done; kill -TERM -1; sleep 100",
        go.path().display()
    );
    let maker = Process::start(Command::new("unshare").args([
        "--fork",
        "--pid",
        "--mount-proc",
        "--kill-child",
        "sh",
        "-c",
        script.as_str(),
    ]));
    let child = |pid: u32| -> u32 { wait_until("a child", || children_of(pid).first().copied()) };
    let init = child(maker.pid());
    let target = child(init);
    drop(go);
    Scene::new(init, target, maker)
}

fn cgroup_kill() -> Scene {
    let target = Process::workload(&["wait"]);
    let cgroup = Cgroup::new(unified().unwrap(), "kill");
    cgroup.add(target.pid());
    fs::write(cgroup.path().join("cgroup.kill"), "1").unwrap();
    Scene::new(std::process::id(), target.pid(), target)
}

/// Its file is written to in another way, by the workload.
fn cgroup_kill_by(how: &str) -> Scene {
    let mut target = Process::workload(&["wait"]);
    let cgroup = Cgroup::new(unified().unwrap(), how);
    cgroup.add(target.pid());
    let file = cgroup.path().join("cgroup.kill");
    let arguments = ["signal", "kills-cgroup", how, file.to_str().unwrap(), &target.pid().to_string()];
    let made = by_workload(Process::workload(&arguments));
    target.reap();
    Scene { cgroup: Some(cgroup), ..made }
}

fn frozen(signal: Signal, root: &Path, file: &str, [freeze, thaw]: [&'static str; 2]) -> Scene {
    let target = Process::workload(&["wait"]);
    let cgroup = Cgroup::new(root, "frozen");
    cgroup.add(target.pid());
    let file = cgroup.path().join(file);
    fs::write(&file, freeze).unwrap();
    wait_until("it to be frozen", || {
        let events = fs::read_to_string(cgroup.path().join("cgroup.events")).unwrap_or_default();
        let state = fs::read_to_string(&file).unwrap();
        (state.trim() == "FROZEN" || events.contains("frozen 1")).then_some(())
    });
    kill(target.pid(), signal);
    let made = Scene::new(std::process::id(), target.pid(), target);
    Scene { frozen: Some(FrozenCgroup(file, thaw)), cgroup: Some(cgroup), ..made }
}

const LIMIT: &str = "33554432";

fn out_of_memory() -> Scene {
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

/// The key that runs the OOM killer: in a guest only, where our child is the one it takes.
fn sysrq_f() -> Scene {
    let target = Process::workload(&["wait"]);
    fs::write(format!("/proc/{}/oom_score_adj", target.pid()), "1000").unwrap();
    fs::write("/proc/sysrq-trigger", "f").unwrap();
    Scene::new(0, target.pid(), target)
}

pub const TESTS: &[Test] = &[
    ("a_signal_precedes_the_end_that_it_caused_in_every_output", &[], before_its_end),
    ("who_says_the_signal_and_then_the_end", &[], who_in_order),
];

/// Limits of which the thread itself takes the signal, at once.
const LIMITS: &[&str] = &["equal-cpu-limits", "file-size-limit"];

fn before_its_end() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("lines");
    let tracer = Tracer::json(&["-o", &format!("logfmt={}", file.display())]);
    for kind in LIMITS {
        let mut maker = Process::workload(&["signal", kind]);
        let target = maker.said_number();
        tracer.end_of(target);
        maker.reap();
        let order: Vec<String> = tracer
            .events()
            .iter()
            .filter(|event| event["target"]["pid"] == target)
            .map(|event| event["event"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(order, ["signal", "ended"], "{kind}");
        let lines = wait_until("both lines", || {
            let text = fs::read_to_string(&file).unwrap();
            let own = |line: &&str| line.contains(&format!(" target.pid={target} "));
            let lines: Vec<String> = text.lines().filter(own).map(str::to_owned).collect();
            (lines.len() > 1).then_some(lines)
        });
        assert!(lines[0].contains(" event=signal ") && lines[1].contains(" event=ended "), "{lines:#?}");
    }
}

fn who_in_order() {
    for kind in LIMITS {
        // it reaches its limit once somebody waits for that
        let maker = Process::workload(&["signal", "when-continued", kind]);
        let target = maker.said_number();
        let tracer = Tracer::start(&["who", "-e", "CONT", "-o", "json", "-l", "info", &target.to_string()]);
        kill(target, Signal::CONT);
        let said = tracer.wait();
        let events = said.events();
        let order: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
        assert_eq!(order, ["signal", "ended"], "{kind}: {}", said.stdout);
    }
}
