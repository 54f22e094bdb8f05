//! Who both sides are: program, users, terminal, namespaces, cgroup, container, environment, title.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;
use support::{
    Process, Tracer, in_guest, is_in_set, kill, killsnoop, name_of_root, patience, unified, wait_until,
    workload,
};

use crate::Test;
use crate::older::Older;
use crate::skip::Skip;

pub const TESTS: &[Test] = &[
    ("the_executable_is_that_of_proc", &[], exe),
    ("the_executable_of_what_ran_before_is_known", &[], exe_of_older),
    ("the_executable_is_seen_from_its_own_root", &[Skip::PidNamespace], exe_in_another_root),
    ("the_executable_of_a_file_without_a_directory_has_a_name", &[], exe_of_memfd),
    ("users_and_groups_have_names", &[], users),
    ("a_terminal_is_named_on_both_sides", &[], terminal),
    ("namespaces_of_its_own_are_reported_and_those_of_the_host_are_not", &[Skip::PidNamespace], namespaces),
    ("a_container_that_is_gone_at_once_is_named_all_the_same", &[Skip::Unified], container_at_once),
    ("a_container_of_cgroups_version_1_is_named", &[Skip::Version1], container_of_version_1),
    ("a_cgroup_older_than_the_tracer_has_its_path", &[Skip::Unified], older_cgroup),
    ("relations_go_by_containers", &[Skip::Unified], relations),
    ("containers_and_units_of_other_layouts_are_named_or_not_claimed", &[Skip::Unified], other_layouts),
    ("a_process_has_one_start_in_all_events", &[], one_start),
    ("variables_are_reported_as_they_were_at_exec", &[Skip::Loop], variables),
    ("a_variable_that_is_too_long_is_flagged", &[Skip::Loop], long_variable),
    ("a_target_s_title_is_reported_with_its_age", &[Skip::Titles], title),
    ("in_a_time_namespace_times_are_those_of_the_host", &[Skip::TimeNamespace], time_namespace),
];

pub fn exe_of(pid: u32) -> String {
    fs::read_link(format!("/proc/{pid}/exe")).unwrap().to_str().unwrap().to_owned()
}

fn exe() {
    let tracer = Tracer::shared(&[]);
    let target = Process::workload(&["waits"]);
    let truth = exe_of(target.pid());
    let script = tempfile::NamedTempFile::new().unwrap();
    fs::write(script.path(), format!("#!/bin/sh\nreadlink -f /proc/$$/exe\nkill -TERM {}\n", target.pid()))
        .unwrap();
    let mut source = Process::start(Command::new("sh").arg(script.path()));
    let shell = source.said().trim().to_owned();
    source.reap();
    let event = tracer.signal_to(target.pid(), 15);
    assert_eq!(event["target"]["exe"], truth, "{event}");
    // `sh` is a link: the kernel knows the file
    assert_eq!(event["source"]["exe"], shell, "{event}");
    assert!(event["source"]["parent"]["exe"].is_null(), "ancestors have none: {event}");
}

pub const EXECUTABLE: Older<Process> = Older("executable", || Process::workload(&["waits"]));

/// From /proc: `seeded_from_proc()`.
fn exe_of_older() {
    let target = EXECUTABLE.take();
    let tracer = Tracer::shared(&[]);
    let truth = exe_of(target.pid());
    target.kill(Signal::TERM);
    let event = tracer.signal_to(target.pid(), 15);
    assert_eq!(event["target"]["exe"], truth, "{event}");
    assert_eq!(event["source"]["exe"], exe_of(std::process::id()), "{event}");
}

/// A file system mounted in a root of its own.
fn exe_in_another_root() {
    let tracer = Tracer::shared(&[]);
    let root = tempfile::tempdir().unwrap();
    let script = format!(
        "mount -t tmpfs none {root} && mkdir -p {root}/opt/deep/er && mount -t tmpfs none {root}/opt/deep && \
         mkdir {root}/opt/deep/er && cp {workload} {root}/opt/deep/er/program && \
         exec chroot {root} /opt/deep/er/program waits",
        root = root.path().display(),
        workload = workload().display()
    );
    let target = Process::start(Command::new("unshare").args(["--mount", "sh", "-c", &script]));
    assert_eq!(target.said(), "ready\n");
    target.kill(Signal::KILL);
    let event = tracer.signal_to(target.pid(), 9);
    assert_eq!(event["target"]["exe"], "/opt/deep/er/program", "{event}");
}

fn exe_of_memfd() {
    let tracer = Tracer::shared(&[]);
    let target = Process::workload(&["in-memory"]);
    target.kill(Signal::KILL);
    let event = tracer.signal_to(target.pid(), 9);
    assert_eq!(event["target"]["exe"], "/memfd:nowhere", "{event}");
}

fn users() {
    let tracer = Tracer::shared(&[]);
    let name_of = |file: &str, id: &str| {
        fs::read_to_string(file).unwrap().lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            (fields.nth(1)? == id).then(|| name.to_owned())
        })
    };
    // as this very host has it, so in a guest too
    let names = [("/etc/passwd", "65534"), ("/etc/group", "65534"), ("/etc/passwd", "0")];
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("workload");
    fs::copy(workload(), &program).unwrap();
    fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let target = Process::start(Command::new(&program).arg("waits").uid(65534).gid(65534));
    target.kill(Signal::TERM);
    let event = tracer.signal_to(target.pid(), 15);
    // in a mount namespace of its own (a chroot that is entered by unshare, say) the numbers are another host's
    let is_host = event["source"]["mntns"].is_null();
    let [user, group, root] =
        names.map(|(file, id)| if is_host { Value::from(name_of(file, id).unwrap()) } else { Value::Null });
    assert_eq!(event["target"]["user"]["id"], 65534, "{event}");
    assert_eq!(event["target"]["user"]["name"], user, "{event}");
    assert_eq!(event["target"]["group"]["name"], group, "{event}");
    assert_eq!(event["source"]["user"]["name"], root, "{event}");
    // a number that is nobody's has no name
    let target = Process::start(Command::new(&program).arg("waits").uid(54321).gid(54321));
    target.kill(Signal::TERM);
    let event = tracer.signal_to(target.pid(), 15);
    assert_eq!(event["target"]["user"], serde_json::json!({ "id": 54321 }), "{event}");
}

fn terminal() {
    let target = Process::workload(&["meets", "15", "handle"]);
    let tracer = Tracer::shared(&[]);
    let mut shell = Process::workload(&["on-a-terminal", &target.pid().to_string()]);
    let name = shell.said().trim().strip_prefix("/dev/").unwrap().to_owned();
    shell.reap();
    let event = tracer.signal_to(target.pid(), 15);
    assert_eq!(event["source"]["tty"]["name"], name, "{event}");
    // as the kernel has it: 0, which is nobody's, where no ancestor ever called setsid()
    let session = procfs::process::Process::new(target.pid() as i32).unwrap().stat().unwrap().session;
    assert_eq!(event["target"]["session"].as_i64().unwrap_or(0), i64::from(session), "{event}");
}

fn namespaces() {
    let tracer = Tracer::shared(&[]);
    let target = Process::start(Command::new("unshare").args([
        "--uts",
        "--net",
        "--mount",
        "sh",
        "-c",
        "hostname pod-7 2>/dev/null || echo pod-7 > /proc/sys/kernel/hostname; echo ready; exec sleep 100",
    ]));
    let inode = |name: &str| {
        let link = fs::read_link(format!("/proc/{}/ns/{name}", target.pid())).unwrap();
        let text = link.to_str().unwrap().to_owned();
        text.split_once('[').unwrap().1.trim_end_matches(']').parse::<u64>().unwrap()
    };
    let (net, mount) = (inode("net"), inode("mnt"));
    let inode_before = |name| if name == "net" { net } else { mount };
    target.kill(Signal::TERM);
    let event = tracer.signal_to(target.pid(), 15);
    assert_eq!(event["target"]["uts"]["nodename"], "pod-7", "{event}");
    for (key, name) in [("netns", "net"), ("mntns", "mnt")] {
        assert_eq!(event["target"][key], inode_before(name), "{key}: {event}");
    }
    assert!(event["target"]["userns"].is_null(), "{event}");
    let source = &event["source"];
    let link = |whose: &str, name: &str| fs::read_link(format!("/proc/{whose}/ns/{name}")).ok();
    for (key, name) in [("mntns", "mnt"), ("netns", "net"), ("userns", "user")] {
        // not every host lets root look at PID 1
        if let Some(init) = link("1", name) {
            assert_eq!(source[key].is_null(), link("self", name) == Some(init), "{key}: {event}");
        }
    }
    assert!(source["uts"].is_null(), "{event}");
}

/// A cgroup that is removed with what was in it.
pub struct Cgroup(PathBuf);

impl Cgroup {
    fn make(parent: &Path, name: &str) -> Self {
        let path = parent.join(name);
        fs::create_dir_all(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(path)
    }

    /// Runs the workload in it.
    fn run(&self) -> Process {
        let script = format!("echo $$ > {}/cgroup.procs && exec \"$0\" waits", self.0.display());
        let process = Process::start(Command::new("sh").args(["-c", &script]).arg(workload()));
        assert_eq!(process.said(), "ready\n", "{}", self.0.display());
        process
    }

    fn remove(&self) {
        let path = self.0.display();
        wait_until("the cgroup to be empty", || match fs::remove_dir(&self.0) {
            Ok(()) => Some(()),
            Err(error) if error.kind() == std::io::ErrorKind::ResourceBusy => None,
            Err(error) => panic!("{path}: {error}"),
        });
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

fn id(letter: char) -> String {
    std::iter::repeat_n(letter, 64).collect()
}

/// The reader sleeps until all of it is gone.
fn container_at_once() {
    let tracer = Tracer::json(&[]);
    tracer.signal(Signal::STOP);
    let unit = format!("docker-{}.scope", id('a'));
    let cgroup = Cgroup::make(unified().unwrap(), &unit);
    let mut target = cgroup.run();
    target.kill(Signal::KILL);
    target.reap();
    cgroup.remove();
    tracer.signal(Signal::CONT);
    let event = tracer.signal_to(target.pid(), 9);
    let target = &event["target"];
    assert_eq!(target["container"]["id"], id('a'), "{event}");
    assert_eq!(target["container"]["runtime"], "docker", "{event}");
    assert!(target["cgroup"].as_str().unwrap().ends_with(&unit), "{event}");
    assert_eq!(target["systemd"]["unit"], unit, "{event}");
    // its files are not the host's
    assert!(target["user"]["name"].is_null(), "{event}");
    assert_eq!(event["relation"], "parent", "nearer than a container: {event}");
}

fn container_of_version_1() {
    let tracer = Tracer::shared(&[]);
    let parent = Cgroup::make(Path::new("/sys/fs/cgroup/memory"), "docker");
    let cgroup = Cgroup::make(&parent.0, &id('b'));
    let mut target = cgroup.run();
    target.kill(Signal::KILL);
    target.reap();
    cgroup.remove();
    parent.remove();
    let event = tracer.signal_to(target.pid(), 9);
    assert_eq!(event["target"]["container"]["id"], id('b'), "{event}");
    assert_eq!(event["target"]["cgroup"], format!("/docker/{}", id('b')), "{event}");
}

/// No other test's, which may remove it as soon as it is empty.
fn start_in_cgroup() -> (Cgroup, Cgroup, Process) {
    let slice = Cgroup::make(unified().unwrap(), "killsnoopolder.slice");
    let cgroup = Cgroup::make(&slice.0, "web@7.service");
    let target = cgroup.run();
    (slice, cgroup, target)
}

pub const CGROUP: Older<(Cgroup, Cgroup, Process)> = Older("cgroup", start_in_cgroup);

fn older_cgroup() {
    let (slice, cgroup, mut target) = CGROUP.take();
    let tracer = Tracer::shared(&[]);
    target.kill(Signal::KILL);
    let event = tracer.signal_to(target.pid(), 9);
    target.reap();
    cgroup.remove();
    slice.remove();
    let path = event["target"]["cgroup"].as_str().unwrap_or_else(|| panic!("no cgroup: {event}"));
    assert!(path.ends_with("/killsnoopolder.slice/web@7.service"), "{event}");
    assert_eq!(event["target"]["systemd"]["unit"], "web@7.service", "{event}");
    assert!(event["target"]["container"].is_null(), "{event}");
}

fn relations() {
    let tracer = Tracer::shared(&[]);
    let cgroup =
        |letter: char| Cgroup::make(unified().unwrap(), &format!("cri-containerd-{}.scope", id(letter)));
    let (one, two) = (cgroup('c'), cgroup('d'));
    let mut target = one.run();
    // far from one another in every other respect
    let source = |cgroup: Option<&Cgroup>, target: u32| {
        let join = cgroup
            .map_or_else(String::new, |cgroup| format!("echo $$ > {}/cgroup.procs;", cgroup.0.display()));
        // its parent waits for it: an orphan would be a sibling of the target, which is one
        let script = format!("setsid sh -c '{join} kill -USR1 {target}'; true");
        assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
    };
    let orphan = {
        let script = "setsid \"$0\" meets 10 handle > /dev/null & echo $!";
        let mut shell = Process::start(Command::new("sh").args(["-c", script]).arg(workload()));
        shell.reap();
        shell.said_number()
    };
    let inside = {
        let script = format!(
            "echo $$ > {}/cgroup.procs; setsid \"$0\" meets 10 handle > /dev/null & echo $!",
            one.0.display()
        );
        let mut shell = Process::start(Command::new("sh").args(["-c", &script]).arg(workload()));
        shell.reap();
        shell.said_number()
    };
    let mut seen = std::collections::HashMap::new();
    for (from, to, relation) in [
        (Some(&one), inside, "same-container"),
        (Some(&two), inside, "other-container"),
        (None, inside, "host"),
        (Some(&two), orphan, "other-container"),
        (None, orphan, "other"),
    ] {
        wait_until("the target to handle it", || is_in_set(to, "SigCgt", 10).then_some(()));
        source(from, to);
        let events: Vec<Value> = wait_until("its signal", || {
            let events: Vec<Value> = tracer
                .events()
                .into_iter()
                .filter(|event| {
                    event["event"] == "signal" && event["signal"] == 10 && event["target"]["pid"] == to
                })
                .collect();
            (events.len() > *seen.entry(to).or_default()).then_some(events)
        });
        seen.insert(to, events.len());
        let event = events.last().unwrap();
        assert_eq!(event["relation"], relation, "{event}");
    }
    kill(inside, Signal::KILL);
    kill(orphan, Signal::KILL);
    target.kill(Signal::KILL);
    target.reap();
    one.remove();
    two.remove();
}

/// Signals it, far from it in every respect but the host. Its parent waits: an orphan would be a sibling of the target.
fn signal_from_the_host(target: u32) {
    let script = format!("setsid sh -c 'kill -USR1 {target}'; true");
    assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
}

fn other_layouts() {
    const ALLOCATION: &str = "5a2c1f0e-7b3d-4c9e-8f21-6d5e4c3b2a19";
    let tracer = Tracer::shared(&[]);
    let user = "killsnooptest.slice/killsnooptest-u.slice/user@77.service";
    let container =
        |id: &str, runtime, name| serde_json::json!({ "id": id, "runtime": runtime, "name": name });
    let null = Value::Null;
    for (path, names, unit, user_unit) in [
        (
            format!("actions_job/{}", id('e')),
            container(&id('e'), Some("docker"), null.clone()),
            null.clone(),
            null.clone(),
        ),
        (format!("mine/{}", id('e')), container(&id('e'), None, null.clone()), null.clone(), null.clone()),
        (
            "default/redis".to_owned(),
            container("redis", Some("containerd"), null.clone()),
            null.clone(),
            null.clone(),
        ),
        (
            format!("nomad.slice/share.slice/{ALLOCATION}.redis.scope"),
            container(ALLOCATION, Some("nomad"), "redis".into()),
            null.clone(),
            null.clone(),
        ),
        ("killsnooptest.slice/b.slice/x.service".to_owned(), null.clone(), null.clone(), null.clone()),
        (format!("{user}/app.slice/x.service"), null.clone(), "user@77.service".into(), "x.service".into()),
    ] {
        let mut above: Vec<Cgroup> = Vec::new();
        for name in path.split('/') {
            let parent = above.last().map_or(unified().unwrap(), |cgroup| &cgroup.0).to_owned();
            above.push(Cgroup::make(&parent, name));
        }
        let mut target = above.last().unwrap().run();
        signal_from_the_host(target.pid());
        let event = tracer.signal_to(target.pid(), 10);
        target.reap();
        above.pop().unwrap().remove();
        // what others use stays
        while above.pop().is_some() {}
        let is = &event["target"];
        for key in ["id", "runtime", "name"] {
            assert_eq!(is["container"][key], names[key], "{path}: {event}");
        }
        assert_eq!(is["systemd"]["unit"], unit, "{path}: {event}");
        assert_eq!(is["systemd"]["userUnit"], user_unit, "{path}: {event}");
        let relation = if names.is_null() { "other" } else { "host" };
        assert_eq!(event["relation"], relation, "{path}: {event}");
    }
}

/// The clock is looked at again for each drain, and never shows quite the same offset.
fn one_start() {
    let tracer = Tracer::shared(&[]);
    let mut targets: Vec<Process> = (0..8).map(|_| Process::workload(&["waits"])).collect();
    for target in &mut targets {
        target.kill(Signal::CONT);
        std::thread::sleep(Duration::from_millis(150));
        target.kill(Signal::KILL);
        target.reap();
        tracer.end_of(target.pid());
    }
    let mut starts = std::collections::HashMap::new();
    let mut count = 0;
    for event in tracer.events() {
        for process in [&event["source"], &event["target"]] {
            let (Some(key), Some(start)) = (process["key"].as_str(), process["startTime"].as_str()) else {
                continue;
            };
            let first = starts.entry(key.to_owned()).or_insert_with(|| start.to_owned());
            assert_eq!(first, start, "{event}");
            count += 1;
        }
    }
    assert!(count >= 40 && starts.len() >= 9, "{count} {starts:?}");
}

fn variables() {
    let older = Process::start(
        Command::new(workload()).arg("waits").env("JOB", "older").env("OTHER", "x").env_remove("EMPTY"),
    );
    let tracer = Tracer::json(&["--env", "JOB,EMPTY,ABSENT"]);
    let target = Process::start(
        Command::new(workload()).arg("waits").env("JOB", "a b=\u{1b}").env("EMPTY", "").env("JOBS", "y"),
    );
    target.kill(Signal::TERM);
    let event = tracer.signal_to(target.pid(), 15);
    let expected = serde_json::json!({ "JOB": "a b=\u{1b}", "EMPTY": "" });
    assert_eq!(event["target"]["env"], expected, "{event}");
    older.kill(Signal::TERM);
    let event = tracer.signal_to(older.pid(), 15);
    assert_eq!(event["target"]["env"], serde_json::json!({ "JOB": "older" }), "{event}");

    // a subshell has not exec'd; what it sets itself is not what it was exec'd with
    let target = Process::workload(&["meets", "15", "handle"]);
    let script = format!("JOB=later; export JOB; (kill -TERM {}; :)", target.pid());
    let mut shell = Process::start(Command::new("sh").args(["-c", &script]).env("JOB", "first"));
    shell.reap();
    let event = tracer.signal_to(target.pid(), 15);
    assert_eq!(event["source"]["env"], serde_json::json!({ "JOB": "first" }), "{event}");
    assert!(event["target"]["env"].is_null(), "none of them was set: {event}");
}

fn long_variable() {
    let tracer = Tracer::json(&["--env", "LONG,JOB"]);
    let target =
        Process::start(Command::new(workload()).args(["long-variable", "LONG", "5000"]).env("JOB", "7"));
    target.kill(Signal::TERM);
    let event = tracer.signal_to(target.pid(), 15);
    assert_eq!(event["target"]["env"], serde_json::json!({ "JOB": "7" }), "{event}");
    assert!(
        event["missing"].as_array().is_some_and(|missing| missing.contains(&"target.env:too-long".into())),
        "{event}"
    );
    let target =
        Process::start(Command::new(workload()).args(["long-variable", "LONG", "1500"]).env("JOB", "7"));
    target.kill(Signal::TERM);
    let event = tracer.signal_to(target.pid(), 15);
    assert_eq!(event["target"]["env"]["LONG"].as_str().map(str::len), Some(1500), "{event}");
    // of the source, which is older than the tracer, another test may be changing the memory map
    let missing = event["missing"].as_array().into_iter().flatten();
    assert!(!missing.into_iter().any(|gap| gap.as_str().unwrap().starts_with("target.")), "{event}");
}

fn title() {
    let tracer = Tracer::json(&[]);
    let target = Process::workload(&["titled", "web: idle"]);
    let plain = Process::workload(&["waits"]);
    // titles take a thousandth of one CPU: in a guest the next reading may be minutes away
    let expire = Instant::now() + patience() * if in_guest() { 5 } else { 1 };
    let event = loop {
        assert!(Instant::now() < expire, "waited in vain for a title");
        target.kill(Signal::CONT);
        std::thread::sleep(Duration::from_millis(100));
        let has_title =
            |event: &Value| event["target"]["pid"] == target.pid() && event["target"]["title"].is_string();
        if let Some(event) = tracer.events().into_iter().find(has_title) {
            break event;
        }
    };
    assert_eq!(event["target"]["title"], "web: idle", "{event}");
    assert_eq!(event["target"]["cmdline"], serde_json::json!(["workload", "titled", "web: idle"]), "{event}");
    let age = event["target"]["titleAgeSeconds"].as_f64().unwrap();
    assert!((0.0..60.0).contains(&age), "{event}");
    plain.kill(Signal::TERM);
    let event = tracer.signal_to(plain.pid(), 15);
    assert!(event["target"]["title"].is_null(), "{event}");
}

/// Its boot time is ahead by days, and so are the starts that /proc shows in it.
fn time_namespace() {
    let older = Process::workload(&["waits"]);
    let mut command = Command::new("unshare");
    command.args(["--time", "--boottime", "1000000", "--fork", "--kill-child", killsnoop(), "-o", "json"]);
    let tracer = Tracer::run(&mut command);
    let began = jiff::Timestamp::now();
    let target = Process::workload(&["waits"]);
    let is_now = |text: &Value| {
        let time: jiff::Timestamp = text.as_str().unwrap().parse().unwrap();
        (time - began).total(jiff::Unit::Second).unwrap().abs() < 120.0
    };
    for process in [&target, &older] {
        process.kill(Signal::CONT);
        let event = tracer.signal_to(process.pid(), 18);
        assert!(is_now(&event["time"]) && is_now(&event["target"]["startTime"]), "{began}: {event}");
        assert_eq!(event["target"]["user"]["name"].as_str(), name_of_root(&event["target"]), "{event}");
        assert!(event["missing"].is_null(), "{event}");
    }
    // the start that a question compares with /proc
    let mut who = Command::new("unshare");
    who.args(["--time", "--boottime", "1000000", "--fork", "--kill-child", killsnoop(), "who"]);
    let who = Tracer::run(who.args(["-o", "json", "-l", "info", &older.pid().to_string()]));
    older.kill(Signal::TERM);
    let said = who.wait();
    assert!(said.events().iter().any(|event| event["target"]["pid"] == older.pid()), "{}", said.stdout);
}
