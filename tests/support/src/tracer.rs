//! A tracer, a workload, and what they said.

use std::fs;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Where the freezer of cgroups of version 1 is.
pub const FREEZER: &str = "/sys/fs/cgroup/freezer";

/// What a test needs, and may not have here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// To be root.
    Root,
    /// A new pid namespace.
    PidNamespace,
    /// Cgroups of version 2 can be made.
    Unified,
    /// Cgroups of version 1 can be made, with the memory controller.
    Version1,
    /// BPF programs can loop (5.17).
    Loop,
    /// The memory of others can be read (5.18).
    Titles,
    /// A file system can be served by a process.
    Fuse,
    /// A memory cgroup.
    MemoryCgroup,
    /// A cgroup that bounds how many processes there are.
    PidsCgroup,
    /// Memory for identities that a cgroup's limit bounds.
    BoundedStorage,
    /// A cgroup of version 2 whose processes can be killed at once.
    CgroupKill,
    /// System calls of 32-bit programs.
    Calls32,
    /// The faults of x86, with their codes.
    X86,
    /// Pages can be made bad.
    MemoryFailure,
    /// `io_uring` is there, and allowed.
    IoUring,
    /// A perf event that asks for a signal, for a user without privileges.
    PerfEvent,
    /// Threads may be scheduled in real time.
    RealTime,
    /// A time namespace.
    TimeNamespace,
    /// A new pid namespace in a new user namespace.
    UserNamespace,
    /// The freezer of cgroups of version 1.
    Freezer1,
    /// CPUs that see at once that the code which they run was patched.
    RealCpu,
    /// The next pid can be chosen.
    NextPid,
    /// A machine that may lose any of its processes.
    Guest,
}

impl Skip {
    pub fn name(self) -> &'static str {
        match self {
            Self::Root => "no-root",
            Self::PidNamespace => "no-pid-namespace",
            Self::RealCpu => "no-real-cpu",
            Self::Unified => "no-unified-cgroups",
            Self::Version1 => "no-cgroups-1",
            Self::Loop => "no-loop",
            Self::Titles => "no-titles",
            Self::Fuse => "no-fuse",
            Self::MemoryCgroup => "no-memory-cgroup",
            Self::PidsCgroup => "no-pids-cgroup",
            Self::BoundedStorage => "no-bounded-storage",
            Self::CgroupKill => "no-cgroup-kill",
            Self::Calls32 => "no-32-bit-calls",
            Self::MemoryFailure => "no-memory-failure",
            Self::IoUring => "no-io-uring",
            Self::PerfEvent => "no-perf-event",
            Self::RealTime => "no-real-time",
            Self::TimeNamespace => "no-time-namespace",
            Self::UserNamespace => "no-user-namespace",
            Self::Freezer1 => "no-freezer-1",
            Self::NextPid => "no-next-pid",
            Self::Guest => "no-guest",
            Self::X86 => "no-x86",
        }
    }

    fn why(self) -> Option<&'static str> {
        match self {
            Self::Root => (!rustix::process::geteuid().is_root())
                .then_some("needs root: scripts/test runs it through sudo"),
            Self::RealCpu => in_guest().then_some(
                "an emulated CPU that calls a function all the time was seen to lock up when a trampoline is taken off it",
            ),
            Self::Unified => unified().is_none().then_some("cgroups of version 2 are not mounted"),
            Self::Version1 => (!Path::new("/sys/fs/cgroup/memory/cgroup.procs").exists())
                .then_some("the memory controller is not one of version 1"),
            Self::Loop => (!killsnoop::bpf::probe::host().has_loop)
                .then_some("before 5.17 a program cannot look through an environment"),
            Self::Titles => (!killsnoop::bpf::probe::host().has_copy_from_user_task)
                .then_some("before 5.18 the memory of others cannot be read"),
            Self::Fuse => {
                fs::File::open("/dev/fuse").is_err().then_some("/dev/fuse cannot be opened")
            }
            Self::PidNamespace => {
                let works = Command::new("unshare").args(["--fork", "--pid", "true"]).status();
                (!works.is_ok_and(|status| status.success())).then_some("unshare --pid does not work here")
            }
            Self::BoundedStorage => (!killsnoop::bpf::probe::host().has_storage_allocator)
                .then_some("before 6.4 the kernel gives memory for identities beyond the limit"),
            Self::CgroupKill => {
                let works = || {
                    let directory =
                        crate::harness::unified()?.join(format!("killsnoop-probe-{}", std::process::id()));
                    fs::create_dir(&directory).ok()?;
                    let has = directory.join("cgroup.kill").exists();
                    fs::remove_dir(&directory).ok()?;
                    has.then_some(())
                };
                works().is_none().then_some("no cgroup of version 2 with cgroup.kill (5.14)")
            }
            Self::Calls32 => cannot("kill-32").then_some("the kernel has no 32-bit system calls"),
            Self::MemoryFailure => {
                cannot("can-poison").then_some("the kernel has no MADV_HWPOISON (CONFIG_MEMORY_FAILURE)")
            }
            Self::X86 => (!cfg!(target_arch = "x86_64"))
                .then_some("another machine has other faults, and other codes for them"),
            Self::IoUring => cannot("can-io-uring").then_some("io_uring_setup() does not work here"),
            Self::PerfEvent => {
                cannot("can-have-events").then_some("perf_event_open() with sigtrap does not work here")
            }
            Self::RealTime => {
                cannot("can-real-time").then_some("no thread may be scheduled in real time here")
            }
            Self::TimeNamespace => {
                let works = Command::new("unshare").args(["--time", "--boottime", "1000", "--fork", "true"]).stderr(Stdio::null()).status();
                (!works.is_ok_and(|status| status.success())).then_some("unshare --time does not work here")
            }
            Self::UserNamespace => {
                let arguments = ["--user", "--fork", "--pid", "true"];
                let works = Command::new("unshare").args(arguments).stderr(Stdio::null()).status();
                (!works.is_ok_and(|status| status.success()))
                    .then_some("unshare --user --pid does not work here")
            }
            Self::Freezer1 => (!Path::new(FREEZER).join("cgroup.procs").exists())
                .then_some("the freezer is not one of version 1"),
            Self::NextPid => (!Path::new("/proc/sys/kernel/ns_last_pid").exists())
                .then_some("the kernel was built without CONFIG_CHECKPOINT_RESTORE"),
            Self::Guest => (!in_guest())
                .then_some("the OOM killer takes whom it likes: only in a guest of scripts/kernel-matrix"),
            Self::MemoryCgroup => memory_cgroup().is_none().then_some("no memory controller is mounted"),
            Self::PidsCgroup => pids_cgroup().is_none().then_some("no pids controller is mounted"),
        }
    }
}

/// Does the workload fail to do this?
fn cannot(kind: &str) -> bool {
    let mut command = Command::new(workload());
    let status = command.args(["signal", kind]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    !status.is_ok_and(|status| status.success())
}

/// Where a memory cgroup can be made, in version 1 or 2.
pub fn memory_cgroup() -> Option<&'static Path> {
    controller("memory", Path::new("/sys/fs/cgroup/memory"))
}

/// The same, for how many processes there are.
pub fn pids_cgroup() -> Option<&'static Path> {
    controller("pids", Path::new("/sys/fs/cgroup/pids"))
}

fn controller(name: &str, one: &'static Path) -> Option<&'static Path> {
    // a file that version 2 does not have
    if one.join("cgroup.clone_children").exists() {
        return Some(one);
    }
    let two = Path::new("/sys/fs/cgroup");
    let _ = fs::write(two.join("cgroup.subtree_control"), format!("+{name}"));
    let controllers = fs::read_to_string(two.join("cgroup.subtree_control")).unwrap_or_default();
    controllers.split_whitespace().any(|controller| controller == name).then_some(two)
}

/// The file of a memory cgroup's limit, in either version.
pub const MEMORY_LIMIT: [&str; 2] = ["memory.limit_in_bytes", "memory.max"];

/// A cgroup of a test's own: a directory that goes at the end, once nobody is in it.
pub struct Cgroup(PathBuf);

impl Cgroup {
    pub fn new(parent: &Path, name: &str) -> Self {
        let path = parent.join(format!("killsnoop-{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// One in this one.
    pub fn inner(&self, name: &str) -> Self {
        let path = self.0.join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The one of these files that there is: the versions have different names for the same.
    pub fn file(&self, names: [&str; 2]) -> Option<PathBuf> {
        names.iter().map(|name| self.0.join(name)).find(|path| path.exists())
    }

    pub fn add(&self, pid: u32) {
        fs::write(self.0.join("cgroup.procs"), pid.to_string()).unwrap();
    }

    /// A shell that enters it and becomes this program.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("sh");
        let script = format!("echo $$ > {}/cgroup.procs; exec {program} \"$@\"", self.0.display());
        command.args(["-c", &script, "sh"]).args(arguments);
        command
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        for _ in 0..100 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Where a version 2 hierarchy is.
pub fn unified() -> Option<&'static Path> {
    ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
        .map(Path::new)
        .into_iter()
        .find(|path| path.join("cgroup.controllers").exists())
}

/// The first reason that holds; root is needed by all.
pub fn skip_reason(needs: &[Skip]) -> Option<(Skip, &'static str)> {
    [Skip::Root].iter().chain(needs).find_map(|&skip| Some((skip, skip.why()?)))
}

/// How long what must happen may take; an emulated guest needs more than half a minute to take fourteen trampolines off.
pub fn patience() -> Duration {
    Duration::from_secs(if in_guest() { 120 } else { 20 })
}

/// Whether this is a guest of scripts/kernel-matrix.
pub fn in_guest() -> bool {
    std::env::var_os("KILLSNOOP_IN_GUEST").is_some()
}

/// Waits until it is so.
pub fn wait_until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let expire = Instant::now() + patience();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < expire, "waited {:?} in vain for {what}", patience());
        thread::sleep(Duration::from_millis(2));
    }
}

/// The program under test; `KILLSNOOP_BIN` names another build of it (in a guest, say).
pub fn killsnoop() -> &'static str {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| {
        std::env::var("KILLSNOOP_BIN").unwrap_or_else(|_| env!("CARGO_BIN_EXE_killsnoop").to_owned())
    })
}

/// The helper program, compiled once (`scripts/test` lets the user do it, by listing the tests), or what
/// `KILLSNOOP_WORKLOAD` names.
pub fn workload() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        if let Some(path) = std::env::var_os("KILLSNOOP_WORKLOAD") {
            return path.into();
        }
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/workload");
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("workload");
        let files = || fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
        let modified = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
        if files().any(|file| modified(&path) < modified(&file)) {
            let status = Command::new("cc")
                .args(["-O2", "-static", "-pthread", "-Wall", "-Wextra", "-Werror", "-o"])
                .arg(&path)
                .args(files().filter(|file| file.extension().is_some_and(|extension| extension == "c")))
                .status()
                .expect("cc is there: scripts/test installs it");
            assert!(status.success(), "the workload does not compile");
        }
        path
    })
}

/// What a program has said on standard error so far.
pub struct Stderr {
    text: Arc<Mutex<String>>,
    reader: thread::JoinHandle<()>,
}

impl Stderr {
    /// Of a tracer, as soon as it is ready.
    pub fn of_ready(child: &mut Child) -> Self {
        let mut reader = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("ready in") {
            let length = reader.read_line(&mut said).unwrap();
            assert!(length > 0, "the tracer ended before it was ready: {said}");
        }
        let text = Arc::new(Mutex::new(said));
        let copy = Arc::clone(&text);
        let reader = thread::spawn(move || {
            for line in reader.lines() {
                copy.lock().unwrap().push_str(&(line.unwrap() + "\n"));
            }
        });
        Self { text, reader }
    }

    pub fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    /// All of it.
    pub fn end(self) -> String {
        self.reader.join().unwrap();
        let text = self.text.lock().unwrap();
        text.clone()
    }
}

/// A running tracer that writes to a file of its own.
pub struct Tracer {
    child: Child,
    directory: tempfile::TempDir,
    stderr: Option<Stderr>,
}

/// What a tracer said in all.
pub struct Said {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Tracer {
    /// Starts one and waits until it is ready.
    pub fn start(arguments: &[&str]) -> Self {
        Self::run(Command::new(killsnoop()).args(arguments))
    }

    /// Runs what starts one, and waits until it is ready.
    pub fn run(command: &mut Command) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let out = fs::File::create(directory.path().join("out")).unwrap();
        let mut child = command.stdin(Stdio::null()).stdout(out).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = Some(Stderr::of_ready(&mut child));
        Self { child, directory, stderr }
    }

    /// One that prints JSON.
    pub fn json(arguments: &[&str]) -> Self {
        Self::start(&[&["-o", "json"], arguments].concat())
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has said on standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.as_ref().map(Stderr::text).unwrap_or_default()
    }

    /// How many bytes it has written so far.
    pub fn written(&self) -> u64 {
        fs::metadata(self.directory.path().join("out")).unwrap().len()
    }

    /// The same, without the beginning of a line.
    pub fn whole_lines(&self) -> u64 {
        self.whole_since(0).len() as u64
    }

    /// What was written since, up to the end of the last line.
    fn whole_since(&self, offset: u64) -> String {
        let mut file = fs::File::open(self.directory.path().join("out")).unwrap();
        file.seek(SeekFrom::Start(offset)).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        // what is being written at this moment may end in the middle of a character
        bytes.truncate(bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1));
        String::from_utf8(bytes).unwrap()
    }

    /// The lines that are whole so far.
    pub fn lines(&self) -> Vec<String> {
        self.lines_since(0)
    }

    /// The same, without those that had been [`written`](Self::written) before.
    pub fn lines_since(&self, offset: u64) -> Vec<String> {
        self.whole_since(offset).lines().map(str::to_owned).collect()
    }

    /// The events so far.
    pub fn events(&self) -> Vec<Value> {
        self.lines().iter().map(|line| event(line)).collect()
    }

    /// The events of [`lines_since`](Self::lines_since).
    pub fn events_since(&self, offset: u64) -> Vec<Value> {
        self.lines_since(offset).iter().map(|line| event(line)).collect()
    }

    /// The first event that is so, as soon as it is there.
    pub fn wait_for(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        self.wait_for_since(0, what, is_it)
    }

    /// The same, of [`events_since`](Self::events_since).
    pub fn wait_for_since(&self, offset: u64, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let expire = Instant::now() + patience();
        // another test's storm is seen here as well: no line is looked at twice, and none is kept
        let mut seen = offset;
        loop {
            let text = self.whole_since(seen);
            if let Some(event) = text.lines().map(event).find(|event| is_it(event)) {
                return event;
            }
            seen += text.len() as u64;
            assert!(!has_ended(self.pid()), "the tracer ended before {what}");
            assert!(
                Instant::now() < expire,
                "waited {:?} in vain for {what}; there were:\n{}",
                patience(),
                self.lines()
                    .iter()
                    .map(|line| line.chars().take(300).collect::<String>() + "\n")
                    .collect::<String>()
            );
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// The event of this signal to this process.
    pub fn signal_to(&self, target: u32, signal: i64) -> Value {
        self.wait_for(&format!("signal {signal} to {target}"), |event| {
            event["target"]["pid"] == target && event["signal"] == signal
        })
    }

    /// Asks it to say something, by signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.child.id() as i32).unwrap(), signal).unwrap();
    }

    /// Lets it end by SIGTERM.
    pub fn stop(self) -> Said {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// Lets it end by itself.
    pub fn wait(mut self) -> Said {
        let status = wait_until("the tracer's end", || self.child.try_wait().unwrap());
        let stderr = self.stderr.take().unwrap().end();
        Said { status, stdout: fs::read_to_string(self.directory.path().join("out")).unwrap(), stderr }
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A line of JSON, which keeps the schema of the docs.
pub fn event(line: &str) -> Value {
    static SCHEMA: OnceLock<jsonschema::Validator> = OnceLock::new();
    let schema = SCHEMA.get_or_init(|| {
        let text = include_str!("../../docs/killsnoop.schema.json");
        jsonschema::validator_for(&serde_json::from_str(text).unwrap()).unwrap()
    });
    let event = serde_json::from_str(line).expect("a line is a JSON object");
    let errors: Vec<String> = schema.iter_errors(&event).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "against the schema: {errors:#?} in {line}");
    event
}

impl Said {
    /// A number of the closing lines: `printed`, `generated`, `lost` …
    pub fn counter(&self, line: &str, name: &str) -> u64 {
        let line = self
            .stderr
            .lines()
            .rfind(|said| said.contains(line))
            .unwrap_or_else(|| panic!("no line with '{line}' in:\n{}", self.stderr));
        line.split_whitespace()
            .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
            .unwrap_or_else(|| panic!("no {name} in: {line}"))
            .parse()
            .unwrap()
    }

    pub fn events(&self) -> Vec<Value> {
        self.stdout.lines().map(event).collect()
    }

    /// generated = printed + hidden + filtered (in the kernel, and later) + lost + unprinted.
    pub fn assert_counters_add_up(&self) {
        let count = |name| self.counter("signals total", name);
        assert_eq!(
            count("generated"),
            ["printed", "hidden", "filtered", "filtered_user", "lost", "unprinted"]
                .map(count)
                .iter()
                .sum::<u64>(),
            "{}",
            self.stderr
        );
    }
}

/// A process of the test's, killed and reaped at the end.
pub struct Process {
    child: Child,
    first_line: String,
}

impl Process {
    /// Runs the workload and waits for its first line.
    pub fn workload(arguments: &[&str]) -> Self {
        Self::start(Command::new(workload()).arg0("workload").args(arguments))
    }

    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut first_line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut first_line).unwrap();
        Self { child, first_line }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its first line.
    pub fn said(&self) -> &str {
        &self.first_line
    }

    /// The number that it printed first.
    pub fn said_number(&self) -> u32 {
        self.first_line.trim().parse().unwrap_or_else(|_| panic!("not a number: {:?}", self.first_line))
    }

    pub fn kill(&self, signal: Signal) {
        kill(self.pid(), signal);
    }

    pub fn reap(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Children of a process, whichever thread started them, those of the first thread first.
pub fn children_of(pid: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let texts = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    texts
        .flat_map(|text| text.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<_>>())
        .collect()
}

/// What a line of a status file says.
pub fn field_of<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    Some(status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?.trim())
}

/// The same of a process, if it is there.
pub fn status_field(pid: u32, name: &str) -> Option<String> {
    field_of(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?, name).map(str::to_owned)
}

/// Is the signal in this set of a process: `SigCgt`, `ShdPnd`?
pub fn is_in_set(pid: u32, set: &str, signal: i32) -> bool {
    let bits = status_field(pid, set).unwrap_or_else(|| "0".to_owned());
    u64::from_str_radix(&bits, 16).unwrap() >> (signal - 1) & 1 == 1
}

/// Is it gone, or a zombie?
pub fn has_ended(pid: u32) -> bool {
    status_field(pid, "State").is_none_or(|state| state.starts_with('Z'))
}

/// Sends a signal from this test process.
pub fn kill(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid as i32).unwrap(), signal).unwrap();
}

/// Runs the workload to its end; what it printed.
pub fn run_workload(arguments: &[&str]) -> String {
    let output = Command::new(workload()).arg0("workload").args(arguments).output().unwrap();
    assert!(output.status.success(), "workload {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The command line of a process in an event, as strings.
pub fn cmdline(process: &Value) -> Vec<String> {
    process["cmdline"]
        .as_array()
        .unwrap_or_else(|| panic!("no cmdline in {process}"))
        .iter()
        .map(|argument| argument.as_str().unwrap().to_owned())
        .collect()
}

/// The pids from a process up to the top of its tree.
pub fn pids_up(process: &Value) -> Vec<u64> {
    let mut pids = Vec::new();
    let mut at = process;
    while let Some(pid) = at["pid"].as_u64() {
        pids.push(pid);
        at = &at["parent"];
    }
    pids
}
