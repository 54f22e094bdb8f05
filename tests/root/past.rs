//! What was recorded is asked afterwards: who killed it, what was printed, and whether anybody was watching.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use rustix::process::Signal;
use support::{Process, Tracer, killsnoop, wait_until, workload};

use crate::Test;
use crate::stress::Disk;

pub const TESTS: &[Test] = &[
    ("why_says_who_killed_a_process_and_how_it_went", &[], who_killed_it),
    ("nobody_killed_it_and_nobody_was_watching_are_two_answers", &[], nobody),
    ("why_knows_of_a_death_as_soon_as_it_is_over", &[], at_once),
    ("a_tracer_that_hangs_recorded_nothing", &[], hung),
    ("on_a_full_disk_nothing_is_said_to_be_recorded", &[], full_disk),
    ("log_prints_what_the_trace_printed", &[], as_printed),
    ("log_follows_the_recorder", &[], follows),
    ("why_reads_a_copy_while_the_recorder_writes", &[], copied),
];

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn store(&self) -> PathBuf {
        self.0.path().join("store")
    }

    fn recorder(&self, arguments: &[&str]) -> Tracer {
        let store = self.store();
        let store = store.to_str().unwrap();
        Tracer::start(&[&["record", "--store", store, "--keep-free", "0"], arguments].concat())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(killsnoop());
        command.args(arguments).arg("--store").arg(self.store()).env("TZ", "UTC");
        command
    }

    fn ask(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What it is called that ends: a name that the processes of no other test have.
    fn name(&self) -> String {
        let unique = self.0.path().file_name().unwrap().to_str().unwrap();
        format!("felled-{}", unique.trim_start_matches(".tmp"))
    }

    /// Ends a process by SIGKILL after a SIGTERM that it handled; waits until that is in the store. Its pid.
    fn record_a_death(&self) -> String {
        let program = self.0.path().join(self.name());
        if !program.exists() {
            std::os::unix::fs::symlink(workload(), &program).unwrap();
        }
        let target = Process::start(Command::new(&program).args(["meets", "15", "handle"]));
        target.kill(Signal::TERM);
        target.kill(Signal::KILL);
        let pid = target.pid().to_string();
        wait_until("the death in the store", || {
            self.ask(&["log", "--pid", &pid, "--deaths"]).status.success().then_some(())
        });
        pid
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn who_killed_it() {
    let place = Place::new();
    let tracer = place.recorder(&[]);
    let pid = place.record_a_death();
    let own = std::process::id();
    // by any name that it has
    for name in [&pid[..], &place.name()] {
        let answer = place.ask(&["why", name]);
        assert_eq!(answer.status.code(), Some(0), "{}", text(&answer.stderr));
        let said = text(&answer.stdout);
        let lines: Vec<&str> = said.lines().collect();
        assert!(
            lines[0].starts_with(&format!("{}({pid}) was killed by SIGKILL from ", place.name())),
            "{said}"
        );
        assert!(lines[0].contains(&format!("({own}) (")), "{said}");
        assert!(lines[1].contains("  TERM  ") && lines[1].ends_with("handled"), "{said}");
        assert!(lines[2].contains("  KILL  ") && lines[2].contains("killed after"), "{said}");
        assert!(said.contains("\n  victim   ") && said.contains("\n  sender   "), "{said}");
    }
    let page = place.ask(&["why", &pid, "-o", "html"]);
    assert!(text(&page.stdout).contains(&format!("{}({pid}) was killed by SIGKILL", place.name())));
    // both are of one sender
    let by = place.ask(&["log", "--by", "0", "--pid", &pid, "-o", "line"]);
    let lines = text(&by.stdout);
    // what came to the zombie is another line
    let lines: Vec<&str> = lines.lines().filter(|line| !line.ends_with("ignored")).collect();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    tracer.stop();
    let answer = place.ask(&["why", &pid]);
    assert_eq!(answer.status.code(), Some(0));
    let last = text(&answer.stdout).lines().last().unwrap().to_owned();
    assert!(last.starts_with("Not recorded: ") && last.contains("(recorder stopped)"), "{last}");
}

/// Who asks at once gets what was not written yet, and never "recorded, and nothing was there".
fn at_once() {
    let place = Place::new();
    let tracer = place.recorder(&[]);
    for _ in 0..20 {
        let target = Process::start(Command::new(workload()).args(["meets", "15", "default"]));
        let pid = target.pid().to_string();
        target.kill(Signal::KILL);
        drop(target);
        let answer = place.ask(&["why", "--pid", &pid]);
        assert_eq!(answer.status.code(), Some(0), "{}", text(&answer.stderr));
    }
    // nothing fits, and that is known up to now
    let lives = Process::start(Command::new(workload()).args(["meets", "15", "default"]));
    let answer = place.ask(&["why", "--pid", &lives.pid().to_string(), "-S", "-1s"]);
    let said = text(&answer.stderr);
    assert!(matches!(answer.status.code(), Some(1 | 3)), "{said}");
    assert!(!said.contains("has not written it yet"), "{said}");
    tracer.stop();
}

/// Who fills the disk keeps what happens from being written, and nobody is told that nothing happened.
fn full_disk() {
    let disk = Disk::new("24m");
    let store = disk.path().join("store");
    let store = store.to_str().unwrap();
    let tracer = Tracer::start(&["record", "--store", store, "--max-size", "16M"]);
    let ask =
        |pid: &str| Command::new(killsnoop()).args(["why", "--pid", pid, "--store", store]).output().unwrap();
    let kill = || {
        let target = Process::start(Command::new(workload()).args(["meets", "15", "default"]));
        target.kill(Signal::KILL);
        target.pid().to_string()
    };
    let first = kill();
    wait_until("the death in the store", || ask(&first).status.success().then_some(()));
    let rest = disk.path().join("rest");
    let fill = || {
        let mut rest = fs::OpenOptions::new().create(true).append(true).open(&rest).unwrap();
        while std::io::Write::write(&mut rest, &[0; 4096]).is_ok_and(|count| count > 0) {}
    };
    fill();
    let mut was_lost = false;
    for _ in 0..50 {
        let answer = ask(&kill());
        let said = text(&answer.stderr);
        assert!(matches!(answer.status.code(), Some(0 | 3)), "{:?} {said}", answer.status);
        was_lost |= answer.status.code() == Some(3);
        if was_lost {
            break;
        }
        fill();
    }
    assert!(was_lost, "the disk is not full");
    // it is still not written when there is room again, and then the gap is known
    fs::remove_file(&rest).unwrap();
    wait_until("a death in the store", || ask(&kill()).status.success().then_some(()));
    tracer.stop();
}

/// A tracer that stands still sees nothing, whatever the process that writes the store says of itself.
fn hung() {
    let place = Place::new();
    let tracer = place.recorder(&[]);
    place.record_a_death();
    tracer.signal(Signal::STOP);
    let target = Process::start(Command::new(workload()).args(["meets", "15", "default"]));
    let pid = target.pid().to_string();
    target.kill(Signal::KILL);
    drop(target);
    let answer = place.ask(&["why", "--pid", &pid]);
    let said = text(&answer.stderr);
    assert_eq!(answer.status.code(), Some(3), "{said}");
    assert!(said.contains("has not written it yet"), "{said}");
    tracer.signal(Signal::CONT);
    wait_until("the death in the store", || {
        place.ask(&["why", "--pid", &pid]).status.success().then_some(())
    });
    tracer.stop();
}

fn nobody() {
    let place = Place::new();
    let tracer = place.recorder(&[]);
    place.record_a_death();
    let answer = place.ask(&["why", "no-such-process"]);
    assert_eq!(answer.status.code(), Some(1), "{}", text(&answer.stderr));
    assert!(text(&answer.stderr).starts_with("Nothing that fits was killed; recorded without a gap since "));
    // of a time before it was recorded nobody knows
    let before = place.ask(&["why", "no-such-process", "-S", "yesterday"]);
    assert_eq!(before.status.code(), Some(3));
    assert!(text(&before.stderr).contains("before the first recording"), "{}", text(&before.stderr));
    tracer.stop();
    for arguments in [&["why", "no-such-process"][..], &["log", "no-such-process"]] {
        let answer = place.ask(arguments);
        assert_eq!(answer.status.code(), Some(3), "{arguments:?}");
        assert!(text(&answer.stderr).contains("Not recorded: "), "{}", text(&answer.stderr));
    }
    let absent = place.0.path().join("absent");
    let answer = Command::new(killsnoop()).arg("why").arg("--store").arg(absent).output().unwrap();
    assert_eq!(answer.status.code(), Some(2));
    assert!(text(&answer.stderr).contains("killsnoop record"), "{}", text(&answer.stderr));
}

fn as_printed() {
    let place = Place::new();
    let printed = |format: &str| place.0.path().join(format);
    let outputs = ["json", "logfmt"].map(|format| format!("{format}={}", printed(format).display()));
    let tracer = place.recorder(&["-o", &outputs[0], "-o", &outputs[1]]);
    for _ in 0..3 {
        place.record_a_death();
    }
    tracer.stop();
    for format in ["json", "logfmt"] {
        let answer = place.ask(&["log", "-o", format]);
        assert_eq!(answer.status.code(), Some(0), "{}", text(&answer.stderr));
        let expected = fs::read_to_string(printed(format)).unwrap();
        assert!(expected.lines().count() >= 9);
        assert_eq!(text(&answer.stdout), expected);
    }
    let newest = place.ask(&["log", "-n", "2", "-r", "-o", "json"]);
    let expected = fs::read_to_string(printed("json")).unwrap();
    let expected: Vec<&str> = expected.lines().rev().take(2).collect();
    assert_eq!(text(&newest.stdout).lines().collect::<Vec<_>>(), expected);
    // nobody who reads is no failure
    let status = Command::new("sh")
        .args(["-c", r#""$0" log --store "$1" -o json | head -n 1; true"#, killsnoop()])
        .arg(place.store())
        .output()
        .unwrap();
    assert!(!text(&status.stderr).to_lowercase().contains("pipe"), "{}", text(&status.stderr));
}

fn follows() {
    let place = Place::new();
    let _tracer = place.recorder(&[]);
    let before = place.record_a_death();
    let mut child =
        place.command(&["log", "-f", "-n", "1", "-o", "logfmt"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("event="));
    let pid = place.record_a_death();
    let seen: Vec<String> = lines
        .by_ref()
        .map(Result::unwrap)
        .take_while(|line| !(line.contains("event=ended") && line.contains(&format!("target.pid={pid} "))))
        .collect();
    assert!(
        seen.iter()
            .any(|line| line.contains("signalName=SIGTERM") && line.contains(&format!("target.pid={pid} "))),
        "{seen:?}"
    );
    let is_before = |line: &String| {
        line.contains("signalName=SIGTERM") && line.contains(&format!("target.pid={before} "))
    };
    assert!(!seen.iter().any(is_before), "{seen:?}");
    child.kill().unwrap();
    child.wait().unwrap();
}

fn copied() {
    let place = Place::new();
    let _tracer = place.recorder(&[]);
    let pid = place.record_a_death();
    let copy = place.0.path().join("copy");
    fs::create_dir(&copy).unwrap();
    for file in fs::read_dir(place.store()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), copy.join(file.file_name())).unwrap();
    }
    let answer = Command::new(killsnoop()).args(["why", &pid, "--store"]).arg(copy).output().unwrap();
    assert_eq!(answer.status.code(), Some(0), "{}", text(&answer.stderr));
    assert!(text(&answer.stdout).starts_with(&format!("{}({pid}) was killed by SIGKILL", place.name())));
}
