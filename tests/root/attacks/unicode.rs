//! Characters that act, hide or pass for others, and bytes that are no text, in every text that a user chooses.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use base64::Engine;
use killsnoop::base::sanitize::is_safe;
use rustix::process::Signal;

use super::{as_attacker, workload_of_all};
use support::{Cgroup, Process, Tracer, killsnoop, unified, wait_until};

use crate::Test;
use crate::skip::Skip;

pub const TESTS: &[Test] = &[
    ("no_unseen_character_of_an_attackers_reaches_any_format", &[], unseen),
    ("every_text_that_is_not_utf_8_has_its_bytes", &[], raw),
    ("a_cgroup_that_is_not_utf_8_has_its_bytes", &[Skip::Unified], raw_cgroup),
    ("no_name_of_a_file_acts_through_a_message", &[], messages),
];

/// Bidi, the grapheme joiner, the braille blank, a Khmer vowel that is not drawn, a no-break space, a filler, a tag, a
/// private one, an enclosing mark, an unassigned one.
const UNSEEN: [char; 12] = [
    '\u{202e}',
    '\u{2066}',
    '\u{34f}',
    '\u{2800}',
    '\u{17b4}',
    '\u{a0}',
    '\u{3164}',
    '\u{e0041}',
    '\u{e000}',
    '\u{20dd}',
    '\u{378}',
    '\u{2028}',
];

fn unseen() {
    for format in ["json", "logfmt", "table", "tree"] {
        let tracer = Tracer::start(&["-o", format, "-i", "TERM"]);
        for character in UNSEEN {
            // a mark without a letter before it, too
            let text = format!("\u{301}a{character}b");
            let mut command = as_attacker(workload_of_all());
            command.arg0(&text).args([&text, "and room for a title of many letters"]);
            command.env("WORKLOAD_COMM", &text).env("WORKLOAD_TITLE", &text);
            let target = Process::start(&mut command);
            target.kill(Signal::TERM);
            let wanted = target.pid().to_string();
            wait_until("its line", || tracer.lines().into_iter().find(|line| line.contains(&wanted)));
        }
        let said = tracer.stop();
        assert!(
            said.stdout.contains("\\u202e") && said.stdout.contains("\\u034f"),
            "{format}: {}",
            said.stdout
        );
        for line in said.stdout.lines() {
            assert!(is_safe(line), "{format}: {line:?}");
            assert!(!line.contains(['\u{301}', '\u{200b}']), "{format}: {line:?}");
        }
    }
}

fn decoded(value: &serde_json::Value) -> Vec<u8> {
    let text = value.as_str().unwrap_or_else(|| panic!("no text: {value}"));
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

fn raw() {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = directory.path().join(OsStr::from_bytes(b"w\xff"));
    fs::copy(workload_of_all(), &program).unwrap();
    let tracer = Tracer::json(&["--env", "HINT,PLAIN", "-i", "TERM"]);
    let target = Process::start(as_attacker(workload_of_all()).arg("waits"));
    let mut command = as_attacker(&program);
    command.args(["waits", "and room for a title of many letters"]);
    command.env("WORKLOAD_COMM", OsString::from_vec(b"c\xfe".to_vec()));
    command.env("WORKLOAD_TITLE", OsString::from_vec(b"t\xfd t".to_vec()));
    command.env("HINT", OsString::from_vec(b"h\xfc".to_vec())).env("PLAIN", "plain");
    command.env("WORKLOAD_KILL", target.pid().to_string());
    let _sends = Process::start(&mut command);
    let event = tracer.signal_to(target.pid(), 15);
    let source = &event["source"];
    for (key, bytes) in
        [("comm", &b"c\xfe"[..]), ("title", b"t\xfd t"), ("exe", program.as_os_str().as_bytes())]
    {
        assert_eq!(source[key], String::from_utf8_lossy(bytes).as_ref(), "{event}");
        assert_eq!(decoded(&source[format!("{key}Raw")]), bytes, "{event}");
        assert!(event["target"][format!("{key}Raw")].is_null(), "{event}");
    }
    assert_eq!(decoded(&source["envRaw"]["HINT"]), b"h\xfc");
    assert_eq!(
        (&source["env"]["PLAIN"], &source["envRaw"]["PLAIN"]),
        (&"plain".into(), &serde_json::Value::Null)
    );
    // what came before names its sender as well
    let event = tracer.end_of(target.pid());
    assert_eq!(decoded(&event["after"]["source"]["commRaw"]), b"c\xfe", "{event}");
}

fn raw_cgroup() {
    let outer = Cgroup::new(unified().unwrap(), "raw");
    let path = outer.path().join(OsStr::from_bytes(b"g\xff"));
    fs::create_dir(&path).unwrap();
    let tracer = Tracer::json(&["-i", "TERM"]);
    let mut target = Process::start(as_attacker(workload_of_all()).arg("waits"));
    fs::write(path.join("cgroup.procs"), target.pid().to_string()).unwrap();
    target.kill(Signal::TERM);
    let event = tracer.signal_to(target.pid(), 15);
    target.reap();
    fs::remove_dir(&path).unwrap();
    assert!(event["target"]["cgroup"].as_str().unwrap().ends_with("/g\u{fffd}"), "{event}");
    assert!(decoded(&event["target"]["cgroupRaw"]).ends_with(b"/g\xff"), "{event}");
}

fn messages() {
    let evil = "a\u{1b}[2J\u{202e}\nkillsnoop: all is well";
    let file = format!("json=/nowhere/{evil}");
    for arguments in [
        &["-o", file.as_str()][..],
        &["-o", evil],
        &["--where", evil],
        &["--redact", &format!("({evil}")],
        &["who", evil],
        &["--fields", evil, "-o", "table"],
        &["-o", &file, "-o", &file],
        &["run", evil],
    ] {
        let output = Command::new(killsnoop())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_ne!(output.status.code(), Some(0), "{arguments:?}");
        assert!(said.contains("u001b"), "{arguments:?}: {said:?}");
        assert!(said.lines().all(is_safe), "{arguments:?}: {said:?}");
        assert!(
            !said.lines().any(|line| line.starts_with("killsnoop: all is well")),
            "{arguments:?}: {said:?}"
        );
    }
}
