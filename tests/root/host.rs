//! What killsnoop takes from the host, and gives to it: names of containers and pods, entries in the journal.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;
use support::{Process, Tracer, killsnoop, unified, wait_until, workload};

use crate::Test;
use crate::skip::{JOURNALD, Skip};

pub const TESTS: &[Test] = &[
    ("a_container_has_the_names_that_its_runtime_gave_it", &[Skip::Unified], names),
    ("a_container_of_a_few_milliseconds_has_its_names", &[Skip::Unified], short_lived),
    ("what_a_container_names_like_another_has_not_its_names", &[Skip::Unified], forged),
    ("the_journal_shows_in_the_unit_who_killed_it", &[Skip::Unified, Skip::Journald], journal),
    ("the_catalog_explains_an_entry", &[Skip::Journald], catalog),
    ("metrics_count_what_was_reported_and_are_gone_at_the_end", &[Skip::Unified], metrics),
    ("promtool_accepts_the_metrics_and_the_alerts_fire", &[Skip::Promtool], promtool),
    ("a_metrics_file_that_cannot_be_written_is_refused_at_the_start", &[], refused_metrics),
];

/// Directories that go, with what is in them, at the end; what other tests use stays.
struct Made(Vec<PathBuf>);

impl Drop for Made {
    fn drop(&mut self) {
        for path in self.0.iter().rev() {
            let _ = fs::remove_file(path.join("config.json"));
            let _ = fs::remove_dir(path);
        }
    }
}

impl Made {
    /// This directory and those above it. Another test may remove one of those meanwhile, if it is empty.
    fn make(&mut self, path: &Path) {
        let mut missing: Vec<&Path> = path.ancestors().take_while(|above| !above.exists()).collect();
        missing.reverse();
        wait_until("the directory", || match fs::create_dir_all(path) {
            Ok(()) => Some(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => panic!("{}: {error}", path.display()),
        });
        self.0.extend(missing.into_iter().map(Path::to_owned));
    }
}

/// As soon as nobody is in it.
fn remove_cgroup(path: &Path) {
    wait_until("the cgroup to be empty", || match fs::remove_dir(path) {
        Ok(()) => Some(()),
        Err(error) if error.kind() == std::io::ErrorKind::ResourceBusy => None,
        Err(error) => panic!("{}: {error}", path.display()),
    });
}

/// A container as containerd has it for Kubernetes, but for what is in it.
struct Container {
    cgroup: PathBuf,
    bundle: PathBuf,
    made: Made,
}

impl Container {
    /// `number` tells the containers of a test from one another.
    fn new(number: u8, name: &str) -> Self {
        let pid = std::process::id();
        let id = format!("{pid:060x}{number:04x}");
        let uid = format!("{pid:08x}-0000-4000-8000-0000000000{number:02x}");
        let mut made = Made(Vec::new());
        let bundle = Path::new("/run/containerd/io.containerd.runtime.v2.task/k8s.io").join(&id);
        made.make(&bundle);
        let annotations = serde_json::json!({
            "io.kubernetes.cri.container-name": name,
            "io.kubernetes.cri.container-type": "container",
            "io.kubernetes.cri.image-name": "registry.example/shop/app:1.4",
            "io.kubernetes.cri.sandbox-name": "web-0",
            "io.kubernetes.cri.sandbox-namespace": "shop",
            "io.kubernetes.cri.sandbox-uid": uid,
        });
        let config = serde_json::json!({ "ociVersion": "1.1.0", "annotations": annotations });
        fs::write(bundle.join("config.json"), config.to_string()).unwrap();
        let slice = format!("kubepods-burstable-pod{}.slice", uid.replace('-', "_"));
        let cgroup = unified().unwrap().join(slice).join(format!("cri-containerd-{id}.scope"));
        made.make(&cgroup);
        Self { cgroup, bundle, made }
    }

    fn run(&self) -> Process {
        run_in(&self.cgroup)
    }
}

fn run_in(cgroup: &Path) -> Process {
    let script = format!("echo $$ > {}/cgroup.procs && exec \"$0\" waits", cgroup.display());
    let process = Process::start(Command::new("sh").args(["-c", &script]).arg(workload()));
    assert_eq!(process.said(), "ready\n", "{}", cgroup.display());
    process
}

fn assert_named(event: &Value) {
    let target = &event["target"];
    for (path, value) in [
        ("/container/name", "app"),
        ("/container/image", "registry.example/shop/app:1.4"),
        ("/container/runtime", "containerd"),
        ("/k8s/namespace", "shop"),
        ("/k8s/pod/name", "web-0"),
        ("/k8s/container/name", "app"),
    ] {
        assert_eq!(target.pointer(path).unwrap_or(&Value::Null), value, "{path}: {event}");
    }
    let missing = event["missing"].as_array().cloned().unwrap_or_default();
    let is_of_names =
        |what: &Value| what.as_str().unwrap().contains("container") || what.as_str().unwrap().contains("k8s");
    assert!(!missing.iter().any(is_of_names), "{event}");
}

fn names() {
    let tracer = Tracer::json(&["--where", "target.k8s.pod.name=web-0"]);
    let container = Container::new(1, "app");
    let mut target = container.run();
    target.kill(Signal::USR1);
    assert_named(&tracer.signal_to(target.pid(), 10));
    // they are those of its start, whatever is left of its files
    fs::remove_dir_all(&container.bundle).unwrap();
    let mut other = container.run();
    other.kill(Signal::KILL);
    assert_named(&tracer.signal_to(other.pid(), 9));
    other.reap();
    target.reap();
    // of one that was there before, they are read at the start
    let older = Container::new(2, "app");
    let mut target = older.run();
    let tracer = Tracer::json(&[]);
    fs::remove_dir_all(&older.bundle).unwrap();
    target.kill(Signal::KILL);
    assert_named(&tracer.signal_to(target.pid(), 9));
    target.reap();
}

fn short_lived() {
    let tracer = Tracer::json(&[]);
    for number in 10..15 {
        let container = Container::new(number, "app");
        let mut target = container.run();
        target.kill(Signal::KILL);
        target.reap();
        // what runs a container removes its cgroup first, and its files afterwards
        remove_cgroup(&container.cgroup);
        assert_named(&tracer.signal_to(target.pid(), 9));
    }
}

fn forged() {
    let tracer = Tracer::json(&[]);
    let named = Container::new(20, "app");
    let mut other = Container::new(21, "other");
    let inner = named.cgroup.strip_prefix(unified().unwrap()).unwrap();
    let inner = other.cgroup.join(inner);
    other.made.make(&inner);
    let mut target = run_in(&inner);
    target.kill(Signal::KILL);
    let event = tracer.signal_to(target.pid(), 9);
    target.reap();
    for path in ["/container/name", "/container/image", "/k8s/namespace", "/k8s/pod/name", "/k8s/container"] {
        assert_eq!(event["target"].pointer(path), None, "{path}: {event}");
    }
    let missing = event["missing"].as_array().unwrap();
    for what in ["target.container.name:nested", "target.k8s.pod.name:nested"] {
        assert!(missing.iter().any(|missing| missing == what), "{event}");
    }
}

/// Debian's journald in a mount namespace with a /run of its own.
struct Journald {
    child: Child,
}

impl Journald {
    fn start() -> Self {
        let script = format!(
            "mount -t tmpfs none /run && mount -t tmpfs none /var/log && mkdir -p /run/systemd/journal /run/log/journal &&
            if [ ! -s /etc/machine-id ]; then
                echo 0123456789abcdef0123456789abcdef >/run/id && mount --bind /run/id /etc/machine-id
            fi && touch /run/of-this-test && exec {JOURNALD}"
        );
        let child = Command::new("unshare")
            .args(["--mount", "sh", "-c", &script])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let journald = Self { child };
        wait_until("the socket of journald", || {
            journald
                .enter("test", &["-S", "/run/systemd/journal/socket"])
                .status()
                .unwrap()
                .success()
                .then_some(())
        });
        journald
    }

    /// Runs a command where its sockets are.
    fn enter(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--mount", "--target", &self.child.id().to_string(), "--", program]).args(arguments);
        command
    }

    /// The entries of a unit.
    fn entries(&self, arguments: &[&str]) -> Vec<Value> {
        let all = [&["--no-pager", "-o", "json"], arguments].concat();
        let output = self.enter("journalctl", &all).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Journald {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn journal() {
    let journald = Journald::start();
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("store");
    let store = store.to_str().unwrap();
    let record = ["record", "--store", store, "--keep-free", "0", "-v", "--journal", "deaths"];
    let tracer = Tracer::run(&mut journald.enter(killsnoop(), &record));
    let unit = format!("killsnoop-test-{}.service", std::process::id());
    let mut made = Made(Vec::new());
    let cgroup = unified().unwrap().join("system.slice").join(&unit);
    made.make(&cgroup);
    let mut victim = run_in(&cgroup);
    // far from it in every respect but the host
    let script = format!("setsid sh -c 'kill -KILL {}'; true", victim.pid());
    assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
    victim.reap();
    let entry = wait_until("the entry of the victim's unit", || journald.entries(&["-u", &unit]).pop());
    for (field, value) in [
        ("MESSAGE_ID", "b2040ef6f6e64f26b5323758bcb8a159".to_owned()),
        ("PRIORITY", "4".to_owned()),
        ("SYSLOG_IDENTIFIER", "killsnoop".to_owned()),
        ("_UID", "0".to_owned()),
        ("OBJECT_SYSTEMD_UNIT", unit.clone()),
        ("OBJECT_COMM", "workload".to_owned()),
        ("KILLSNOOP_SIGNAL", "SIGKILL".to_owned()),
        ("KILLSNOOP_SOURCE_COMM", "sh".to_owned()),
        ("KILLSNOOP_SOURCE_CMDLINE", format!("sh -c kill -KILL {}", victim.pid())),
    ] {
        assert_eq!(entry[field], value, "{field}: {entry}");
    }
    let message = entry["MESSAGE"].as_str().unwrap();
    assert!(
        message.starts_with(&format!("workload({}) was killed by SIGKILL from sh(", victim.pid())),
        "{message}"
    );
    assert!(entry["OBJECT_PID"].is_null() && entry["OBJECT_EXE"].is_string(), "{entry}");
    let said = tracer.stop();
    assert_eq!(said.status.code(), Some(0), "{}", said.stderr);
    // a second one says what was not recorded in between
    let tracer = Tracer::run(&mut journald.enter(killsnoop(), &record));
    let is_gap = |entry: &Value| entry["KILLSNOOP_EVENT"] == "gap";
    let gap = wait_until("the gap", || journald.entries(&["-t", "killsnoop"]).into_iter().find(is_gap));
    assert_eq!(gap["MESSAGE_ID"], "a7e938d66dc9466796ab0fd54906f2b2", "{gap}");
    assert!(gap["MESSAGE"].as_str().unwrap().ends_with("until now: killsnoop was stopped"), "{gap}");
    assert_eq!(tracer.stop().status.code(), Some(0));
}

/// A recorder that writes metrics, and the file.
fn metrics_recorder(directory: &Path) -> (Tracer, PathBuf) {
    let file = directory.join("killsnoop.prom");
    let (store, path) = (directory.join("store"), file.to_str().unwrap().to_owned());
    let store = store.to_str().unwrap();
    let by_unit = ["--metrics", &path, "--metrics-by", "unit"];
    let tracer = Tracer::start(&[&["record", "--store", store, "--keep-free", "0"][..], &by_unit].concat());
    (tracer, file)
}

/// The file, as soon as it has all of these; it is written every 15 s.
fn metrics_with(file: &Path, wanted: &[&str]) -> String {
    let began = Instant::now();
    loop {
        let text = fs::read_to_string(file).unwrap_or_default();
        if wanted.iter().all(|wanted| text.contains(wanted)) {
            return text;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "{wanted:?} is not in {text}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn metrics() {
    let directory = tempfile::tempdir().unwrap();
    let (tracer, file) = metrics_recorder(directory.path());
    let mut made = Made(Vec::new());
    let unit = format!("killsnoop-metrics-{}@1.service", std::process::id());
    let cgroup = unified().unwrap().join("system.slice").join(&unit);
    made.make(&cgroup);
    let mut victim = run_in(&cgroup);
    victim.kill(Signal::SEGV);
    victim.reap();
    let text = metrics_with(
        &file,
        &[
            &format!(
                "killsnoop_unit_deaths_total{{unit=\"{}\",signal=\"SIGSEGV\"}} 1\n",
                unit.replace("@1", "@")
            ),
            "killsnoop_deaths_total{signal=\"SIGSEGV\",origin=\"process\",where=\"host\"} ",
            "killsnoop_signals_total{signal=\"SIGSEGV\",origin=\"process\",result=\"queued\"} ",
            "killsnoop_store_bytes ",
            "killsnoop_oldest_event_timestamp_seconds ",
            "killsnoop_last_write_timestamp_seconds ",
            "killsnoop_lost_events_total{cause=\"ringFull\"} 0\n",
        ],
    );
    for label in ["pid=", "comm=", "container=", "pod=", "user="] {
        assert!(!text.contains(label), "{label}: {text}");
    }
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
    assert_eq!(tracer.stop().status.code(), Some(0));
    wait_until("the file to be gone", || (!file.exists()).then_some(()));
}

fn promtool() {
    let directory = tempfile::tempdir().unwrap();
    let (tracer, file) = metrics_recorder(directory.path());
    Process::workload(&["waits"]).kill(Signal::KILL);
    let text = metrics_with(&file, &["killsnoop_deaths_total{"]);
    let mut check =
        Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).spawn().unwrap();
    check.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(check.wait().unwrap().success(), "{text}");
    assert_eq!(tracer.stop().status.code(), Some(0));
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/prometheus");
    let output = Command::new("promtool")
        .args(["test", "rules", "killsnoop.test.yml"])
        .current_dir(rules)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn refused_metrics() {
    for (file, code, why) in [
        ("/nowhere/x.prom", 1, "cannot write metrics to /nowhere/x.prom"),
        ("/tmp/x.txt", 2, "ends in .prom"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let store = directory.path().join("store");
        let output = Command::new(killsnoop())
            .args(["record", "--keep-free", "0", "--metrics", file, "--store"])
            .arg(&store)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(why), "{said}");
    }
}

fn catalog() {
    let journald = Journald::start();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/catalog/killsnoop.catalog");
    let script = format!(
        "mount -t tmpfs none /usr/lib/systemd/catalog && cp {} /usr/lib/systemd/catalog/ && mkdir -p /var/lib/systemd/catalog && \
         mount -t tmpfs none /var/lib/systemd/catalog && journalctl --update-catalog",
        source.display()
    );
    let output = journald.enter("sh", &["-c", &script]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("killsnoop.catalog:"), "{said}");
    let ids = [
        "b2040ef6f6e64f26b5323758bcb8a159",
        "808302119e224f85a612be6f9781058e",
        "a7e938d66dc9466796ab0fd54906f2b2",
    ];
    let all = [&["--no-pager", "--dump-catalog"], &ids[..]].concat();
    let output = journald.enter("journalctl", &all).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text.matches("Defined-By: killsnoop").count(), 3, "{text}");
}
