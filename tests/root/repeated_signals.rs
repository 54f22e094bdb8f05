//! Signal after signal from one process to another, on one CPU: the kernel side keeps what is the same, so what has
//! changed meanwhile must be reported again, and nothing else.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;
use support::{Process, Tracer, cmdline, wait_until, workload};

use crate::Test;

pub const TESTS: &[Test] = &[
    ("what_changes_between_two_signals_is_reported_again", &[], changes),
    ("two_targets_in_turn_are_not_mixed_up", &[], in_turn),
    ("a_title_that_cannot_be_read_takes_nothing_of_the_target_along", &[], unreadable_title),
    ("a_title_that_is_whole_again_leaves_no_zeros_behind", &[], title_whole_again),
];

/// Does what comes through its pipe. Names have one letter, so that command lines of two are of one length.
const SCRIPT: &str = r#"exec 3<>"$1"
: >"$1.$2"
[ "$2" = one ] && echo $$
while read -t 60 -r line <&3; do eval "$line"; done
"#;

/// Shells, and where their pipes are.
struct Shells(tempfile::TempDir);

impl Shells {
    fn new() -> Self {
        let shells = Self(tempfile::tempdir().unwrap());
        fs::write(shells.script(), SCRIPT).unwrap();
        shells
    }

    fn script(&self) -> PathBuf {
        self.0.path().join("script")
    }

    fn pipe(&self, name: char) -> String {
        self.0.path().join(name.to_string()).to_str().unwrap().to_owned()
    }

    /// What one of them looks like.
    fn argv(&self, name: char, turn: &str) -> Vec<String> {
        let script = self.script().to_str().unwrap().to_owned();
        vec!["bash".to_owned(), script, self.pipe(name), turn.to_owned()]
    }

    fn make_pipe(&self, name: char) {
        let made = Command::new("mkfifo").arg(self.pipe(name)).status().unwrap();
        assert!(made.success());
    }

    /// On the first CPU; ignores what is sent here, also after an exec.
    fn start(&self, name: char) -> Process {
        self.make_pipe(name);
        let ignore = "trap '' HUP USR1 USR2 ALRM URG VTALRM PROF WINCH IO; exec \"$@\"";
        let mut command = Command::new("taskset");
        command.args(["-c", "0", "bash", "-c", ignore, "-"]).args(self.argv(name, "one"));
        Process::start(&mut command)
    }

    /// Below another one.
    fn start_below(&self, parent: char, name: char) {
        self.make_pipe(name);
        self.run_line(parent, &format!("{} >/dev/null &", self.argv(name, "one").join(" ")));
        wait_for(Path::new(&format!("{}.one", self.pipe(name))));
    }

    fn run_line(&self, name: char, line: &str) {
        let mut pipe = OpenOptions::new().write(true).open(self.pipe(name)).unwrap();
        writeln!(pipe, "{line}").unwrap();
    }

    /// The same, until it is done.
    fn have_done(&self, name: char, line: &str) {
        let done = self.0.path().join("done");
        let _ = fs::remove_file(&done);
        self.run_line(name, &format!("{line}; : >{}", done.display()));
        wait_for(&done);
    }

    fn exec(&self, name: char, turn: &str) {
        self.run_line(name, &format!("exec {}", self.argv(name, turn).join(" ")));
        wait_for(Path::new(&format!("{}.{turn}", self.pipe(name))));
    }

    fn send(&self, tracer: &Tracer, from: char, to: u32, signal: i64) -> Value {
        self.have_done(from, &format!("kill -{signal} {to}"));
        tracer.signal_to(to, signal)
    }
}

fn wait_for(path: &Path) {
    wait_until("a shell", || path.exists().then_some(()));
}

fn changes() {
    let shells = Shells::new();
    let tracer = Tracer::shared(&[]);
    let mut above = shells.start('A');
    let target = shells.start('T');
    shells.start_below('A', 'S');
    let expect = |event: &Value, turns: [&str; 3], comms: [&str; 3]| {
        let processes = [&event["source"], &event["source"]["parent"], &event["target"]];
        for ((process, name), (turn, comm)) in
            processes.iter().zip(['S', 'A', 'T']).zip(turns.iter().zip(comms))
        {
            assert_eq!(cmdline(process), shells.argv(name, turn), "{event}");
            assert_eq!(process["comm"], comm, "{event}");
        }
        assert!(event["missing"].is_null(), "{event}");
    };
    let send = |signal| shells.send(&tracer, 'S', target.pid(), signal);
    send(1);
    expect(&send(10), ["one", "one", "one"], ["bash"; 3]);
    shells.exec('T', "two");
    expect(&send(12), ["one", "one", "two"], ["bash"; 3]);
    shells.exec('A', "two");
    expect(&send(14), ["one", "two", "two"], ["bash"; 3]);
    for (name, comm) in [('S', "sender"), ('A', "father"), ('T', "aimed")] {
        shells.have_done(name, &format!("printf {comm} >/proc/$$/comm"));
    }
    expect(&send(23), ["one", "two", "two"], ["sender", "father", "aimed"]);
    shells.exec('S', "two");
    let event = send(26);
    expect(&event, ["two", "two", "two"], ["bash", "father", "aimed"]);
    assert!(event["source"]["spawnedBy"].is_null(), "{event}");
    above.kill(Signal::KILL);
    above.reap();
    for signal in [27, 28, 29] {
        let event = send(signal);
        assert_eq!(cmdline(&event["source"]), shells.argv('S', "two"), "{event}");
        assert_ne!(event["source"]["parent"]["pid"], above.pid(), "{event}");
        let spawner = &event["source"]["spawnedBy"];
        assert_eq!(cmdline(spawner), shells.argv('A', "two"), "{event}");
        assert_eq!((&spawner["comm"], &spawner["exited"]), (&"father".into(), &true.into()), "{event}");
    }
    shells.run_line('S', "exit");
}

fn in_turn() {
    let shells = Shells::new();
    let tracer = Tracer::shared(&[]);
    let (source, targets) = (shells.start('S'), [shells.start('T'), shells.start('U')]);
    for (signal, turn) in [1, 10, 12, 14, 23, 26].into_iter().zip([0, 0, 1, 1, 0, 1]) {
        let event = shells.send(&tracer, 'S', targets[turn].pid(), signal);
        assert_eq!(cmdline(&event["target"]), shells.argv(['T', 'U'][turn], "one"), "{event}");
        assert_eq!(cmdline(&event["source"]), shells.argv('S', "one"), "{event}");
        assert_eq!(event["source"]["pid"], source.pid(), "{event}");
    }
}

/// More arguments than are kept, of which the first cannot be read any more: what a helper that fails writes must not be taken
/// for the target's, which stood there in the record before.
fn unreadable_title() {
    let filler = "x".repeat(20_000);
    let target = Process::workload(&["meets", "23", "ignore"]);
    let pid = target.pid().to_string();
    let tracer = Tracer::shared(&[]);
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(workload()).args(["hide-block", &pid, &filler]);
    assert!(command.status().unwrap().success());
    let events = three_to(&tracer, target.pid());
    for event in events {
        let missing: Vec<&str> =
            event["missing"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        assert!(missing.contains(&"source.title:unreadable"), "nothing was tested: {event}");
        assert_eq!(missing.len(), 1, "the target lives, and can be asked: {event}");
        assert_eq!(cmdline(&event["target"]), ["workload", "meets", "23", "ignore"], "{event}");
        assert_eq!(cmdline(&event["target"]["parent"]), cmdline_of_me(), "{event}");
        assert_eq!(
            event["target"]["exe"],
            fs::canonicalize(workload()).unwrap().to_str().unwrap(),
            "{event}"
        );
    }
}

/// What the helper that failed wrote must not be believed either once the title can be read, which is as it was exec'd.
fn title_whole_again() {
    let target = Process::workload(&["meets", "23", "ignore"]);
    let pid = target.pid().to_string();
    let tracer = Tracer::shared(&[]);
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(workload()).args(["hide-block-once", &pid]);
    assert!(command.status().unwrap().success());
    let events = three_to(&tracer, target.pid());
    for (event, is_hidden) in events.iter().zip([false, true, false]) {
        let missing = event["missing"].to_string();
        let is_lost = missing.contains("source.title:unreadable");
        assert_eq!((is_lost, event["missing"].is_null()), (is_hidden, !is_hidden), "{event}");
        assert!(!missing.contains("target"), "{event}");
        assert_eq!(cmdline(&event["target"]), ["workload", "meets", "23", "ignore"], "{event}");
        assert_eq!(cmdline(&event["target"]["parent"]), cmdline_of_me(), "{event}");
    }
}

fn three_to(tracer: &Tracer, target: u32) -> Vec<Value> {
    let own = || tracer.events().into_iter().filter(|event| event["target"]["pid"] == target);
    wait_until("three events", || Some(own().collect::<Vec<_>>()).filter(|events| events.len() == 3))
}

fn cmdline_of_me() -> Vec<String> {
    std::env::args().collect()
}
