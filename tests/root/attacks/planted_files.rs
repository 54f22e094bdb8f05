//! A FILE of an output that somebody else has prepared: to get what is written, or to have text of his in a file that root
//! trusts.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use super::{ATTACKER, as_attacker};
use support::{Process, Tracer, killsnoop, run_workload, wait_until};

use crate::Test;

pub const TESTS: &[Test] = &[
    ("a_planted_file_is_refused_with_the_reason", &[], planted),
    ("a_file_planted_before_sighup_is_not_written_to", &[], planted_before_sighup),
    ("a_file_of_run_is_as_whoever_called_sudo_may_make_it", &[], under_sudo),
    ("a_planted_fifo_gets_nothing", &[], planted_fifo),
    ("a_planted_file_gets_no_records", &[], planted_for_records),
];

/// A directory like /tmp, and a file of root's that a shell reads.
struct Scene {
    directory: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o1777)).unwrap();
        let scene = Self { directory };
        fs::create_dir(scene.path("root")).unwrap();
        scene.make("root/profile", 0, 0o600);
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn make(&self, name: &str, owner: u32, mode: u32) {
        fs::write(self.path(name), "true\n").unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
        chown(self.path(name), Some(owner), Some(owner)).unwrap();
    }

    fn link(&self, to: &str, name: &str, owner: u32) {
        let path = self.path(name);
        if owner == ATTACKER {
            let made = as_attacker("ln").arg("-s").arg(self.path(to)).arg(&path).status().unwrap();
            assert!(made.success());
        } else {
            symlink(self.path(to), &path).unwrap();
        }
    }
}

/// What a tracer that writes there says, having ended at once.
fn refusal(path: &Path) -> String {
    let output = format!("json={}", path.display());
    let output = Command::new(killsnoop()).args(["-o", &output, "--duration", "100ms"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{}: {said}", path.display());
    assert!(said.contains(path.to_str().unwrap()), "{said}");
    said
}

fn planted() {
    let scene = Scene::new();
    scene.link("root/profile", "link-to-root-s", ATTACKER);
    scene.link("nothing", "link-to-nothing", ATTACKER);
    scene.link("root", "way", ATTACKER);
    scene.make("the-attacker-s", ATTACKER, 0o600);
    scene.make("readable", 0, 0o644);
    scene.make("of-a-group", 0, 0o660);
    scene.make("two-names", 0, 0o600);
    fs::hard_link(scene.path("two-names"), scene.path("second-name")).unwrap();
    scene.link("root/profile", "own-link", 0);
    fs::create_dir(scene.path("directory")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(scene.path("socket")).unwrap();
    for (name, why) in [
        ("link-to-root-s", "symbolic link"),
        ("link-to-nothing", "symbolic link"),
        ("way/profile", "symbolic link of user 65534"),
        ("way/new", "symbolic link of user 65534"),
        ("the-attacker-s", "belongs to user 65534"),
        ("readable", "mode 0644"),
        ("of-a-group", "mode 0660"),
        ("two-names", "2 names"),
        ("own-link", "symbolic link"),
        ("directory", "a directory"),
        ("socket", "a socket"),
    ] {
        let said = refusal(&scene.path(name));
        assert!(said.contains(why) && said.contains("hint: "), "{name}: {said}");
    }
    assert_eq!(fs::read(scene.path("root/profile")).unwrap(), b"true\n");
    assert!(!scene.path("nothing").exists() && !scene.path("root/new").exists());
    assert_eq!(fs::read(scene.path("the-attacker-s")).unwrap(), b"true\n");
}

fn planted_before_sighup() {
    let scene = Scene::new();
    let (log, moved) = (scene.path("log"), scene.path("log.1"));
    let tracer = Tracer::start(&["-o", &format!("json={}", log.display()), "-i", "USR1"]);
    let target = Process::workload(&["meets", "10", "handle"]);
    let has = |path: &Path, count| {
        let text = fs::read_to_string(path).unwrap_or_default();
        (text.matches("\"signal\":10").count() >= count).then_some(())
    };
    for round in 0..3 {
        match round {
            0 => {}
            1 => {
                fs::rename(&log, &moved).unwrap();
                scene.link("root/profile", "log", ATTACKER);
            }
            _ => {
                fs::remove_file(&log).unwrap();
                assert!(as_attacker("mkfifo").arg(&log).status().unwrap().success());
            }
        }
        if round > 0 {
            tracer.signal(Signal::HUP);
            let said = |text: &str| {
                text.matches("writing goes on to the file that was open before").count() == round
            };
            wait_until("a refusal", || said(&tracer.stderr()).then_some(()));
        }
        run_workload(&["storm", "10", "1", &target.pid().to_string()]);
        wait_until("a line in the old file", || has(if round == 0 { &log } else { &moved }, round + 1));
    }
    assert_eq!(fs::read(scene.path("root/profile")).unwrap(), b"true\n");
    // and it goes on once that is away
    fs::remove_file(&log).unwrap();
    tracer.signal(Signal::HUP);
    run_workload(&["storm", "10", "1", &target.pid().to_string()]);
    wait_until("a line in the new file", || has(&log, 1));
    // once more without a reason: the same file is written on
    tracer.signal(Signal::HUP);
    run_workload(&["storm", "10", "1", &target.pid().to_string()]);
    wait_until("a second line in the new file", || has(&log, 2));
    let said = tracer.stop();
    assert!(
        said.stderr.contains("symbolic link") && said.stderr.contains("belongs to user 65534"),
        "{}",
        said.stderr
    );
    said.assert_counters_add_up();
}

fn planted_fifo() {
    let scene = Scene::new();
    let fifo = scene.path("log");
    assert!(as_attacker("mkfifo").args(["-m", "600"]).arg(&fifo).status().unwrap().success());
    assert!(refusal(&fifo).contains("belongs to user 65534"));
    let _reader =
        Process::start(as_attacker("sh").args(["-c", "echo; exec cat \"$0\" 3<>\"$0\""]).arg(&fifo));
    assert!(refusal(&fifo).contains("belongs to user 65534"));
}

fn planted_for_records() {
    let scene = Scene::new();
    let record_to = |name: &str| {
        let mut command = Command::new(killsnoop());
        command.arg("--record-to").arg(scene.path(name)).args([
            "-o",
            "json=/dev/null",
            "--duration",
            "100ms",
        ]);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    scene.link("root", "way", ATTACKER);
    scene.make("the-attacker-s", ATTACKER, 0o600);
    scene.make("readable", 0, 0o644);
    scene.make("two-names", 0, 0o600);
    fs::hard_link(scene.path("two-names"), scene.path("second-name")).unwrap();
    // nobody reads it: who opened it would wait
    assert!(Command::new("mkfifo").args(["-m", "600"]).arg(scene.path("fifo")).status().unwrap().success());
    for (name, why) in [
        ("way/profile", "symbolic link of user 65534"),
        ("the-attacker-s", "belongs to user 65534"),
        ("readable", "mode 0644"),
        ("two-names", "2 names"),
        ("fifo", "FIFO"),
    ] {
        let (code, said) = record_to(name);
        assert!(code == Some(1) && said.contains(why), "{name}: {code:?} {said}");
    }
    for name in ["root/profile", "the-attacker-s", "readable", "two-names"] {
        assert_eq!(fs::read(scene.path(name)).unwrap(), b"true\n", "{name}");
    }
    scene.make("own", 0, 0o600);
    for name in ["own", "new"] {
        assert_eq!(record_to(name).0, Some(0), "{name}");
        let data = fs::metadata(scene.path(name)).unwrap();
        assert_eq!(data.mode() & 0o7777, 0o600);
        assert!(!fs::read(scene.path(name)).unwrap().starts_with(b"true"), "it is a new file");
    }
}

fn under_sudo() {
    let scene = Scene::new();
    let run = |name: &str| {
        let file = format!("json={}", scene.path(name).display());
        let mut command = Command::new(killsnoop());
        command.args(["run", "-o", &file, "--all", "--", "sh", "-c", "kill -URG $$"]).current_dir("/");
        command.envs(["SUDO_UID", "SUDO_GID"].map(|name| (name, ATTACKER.to_string()))).output().unwrap()
    };
    let refused = |name: &str| {
        let output = run(name);
        assert_eq!(output.status.code(), Some(125), "{name}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    // what that user may not do itself it cannot do by this
    assert!(refused("root/new").contains("Permission denied"));
    assert!(refused("root/profile").contains("belongs to user 0"));
    scene.make("of-root", 0, 0o600);
    assert!(refused("of-root").contains("belongs to user 0"));
    assert_eq!(fs::read(scene.path("root/profile")).unwrap(), b"true\n");
    let output = run("log");
    assert!(output.status.success(), "{output:?}");
    let data = fs::metadata(scene.path("log")).unwrap();
    assert_eq!((data.uid(), data.gid(), data.mode() & 0o7777), (ATTACKER, ATTACKER, 0o600));
    assert!(fs::read_to_string(scene.path("log")).unwrap().contains("\"signal\":23"));
}
