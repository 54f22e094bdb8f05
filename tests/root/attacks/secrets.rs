//! Secrets in every text that a user can put before a tracer which is to take them out: arguments, titles, names, paths,
//! the environment, those who trace.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::Signal;

use super::{as_attacker, workload_of_all};
use support::{Process, Tracer, wait_until};

use crate::Test;

pub const TESTS: &[Test] = &[
    ("no_secret_of_an_attackers_command_line_is_in_any_format", &[], command_lines),
    ("no_secret_is_in_a_name_a_title_a_path_or_the_environment", &[], other_texts),
    ("no_half_of_a_secret_is_left_where_a_command_line_was_cut", &[], halves),
    ("a_text_that_is_hard_to_search_delays_nobody", &[], hard_texts),
];

const FORMATS: [&str; 4] = ["json", "logfmt", "table", "tree"];

/// All secrets of these tests begin so, and none has a blank.
const SECRET: &str = "Geheim";

const LINES: &[&[&str]] = &[
    &["sudo", "mysql", "-uroot", "-pGeheim01"],
    &["docker", "exec", "-it", "db", "mysql", "-pGeheim02"],
    &["sh", "-x", "-c", "mysql --user=root '-pGeheim03'; sleep 9"],
    &["ssh", "host", "sh -c \"mysql -p'Geheim04'\""],
    &["curl", "--user", "bob:Geheim05", "https://host"],
    &["curl", "-sSubob:Geheim06", "https://host"],
    &["env", "SSHPASS=Geheim07", "sshpass", "-e"],
    &["openssl", "enc", "-k", "Geheim08"],
    &["openssl", "rsa", "-passin", "pass:Geheim09"],
    &["keytool", "-list", "-storepass", "Geheim10"],
    &["curl", "-H", "Cookie: sid=Geheim11"],
    &["git", "clone", "https://Geheim12@host/x"],
    &["curl", "-H", "Authorization: ApiKey Geheim13"],
    &["curl", "-H", "Authorization: Geheim14"],
    &["psql", "postgres://app:x@Geheim15/y@db/z"],
    &["x", "--own", "Geheim16"],
];

/// Twenty signals of a process whose argument was made to be searched for ever; then one of somebody else.
fn hard_texts() {
    let tracer = Tracer::json(&["--redact-secrets"]);
    let target = Process::start(as_attacker(workload_of_all()).args(["meets", "15", "handle"]));
    let mut hard = vec![b'\\'; 31];
    hard.extend_from_slice(b" x=");
    hard.extend(b"\xffpwd=".repeat(3200));
    let line = [OsString::from("x"), OsString::from_vec(hard)];
    let variables = [("WORKLOAD_KILL", target.pid().to_string()), ("WORKLOAD_TIMES", "20".to_owned())];
    let _hard =
        disguised(&line, workload_of_all(), &variables.each_ref().map(|(name, value)| (*name, &**value)));
    let other = Process::workload(&["wait"]);
    let sent = std::time::Instant::now();
    other.kill(Signal::TERM);
    tracer.signal_to(other.pid(), 15);
    assert!(sent.elapsed() < support::patience() / 2, "after {:?}", sent.elapsed());
}

/// A process of nobody's with these arguments, which waits.
fn disguised(line: &[OsString], program: &std::path::Path, variables: &[(&str, &str)]) -> Process {
    let mut command = as_attacker(program);
    command.arg0(&line[0]).args(&line[1..]).envs(variables.iter().copied());
    Process::start(&mut command)
}

fn words(line: &[&str]) -> Vec<OsString> {
    line.iter().map(OsString::from).collect()
}

fn redacting(format: &str) -> Tracer {
    Tracer::start(&[
        "-o",
        format,
        "--redact=--own (\\S+)",
        "--redact-secrets",
        "--env",
        "SSHPASS,HINT",
        "-i",
        "TERM",
    ])
}

/// Each is sent SIGTERM; then nothing that was printed has a secret.
fn assert_silent(tracer: Tracer, format: &str, targets: &[Process]) {
    for target in targets {
        target.kill(Signal::TERM);
        let wanted = format!("{}", target.pid());
        wait_until("its line", || tracer.lines().into_iter().find(|line| line.contains(&wanted)));
    }
    let said = tracer.stop();
    assert!(said.stdout.contains("[redacted]"), "{format}: {}", said.stdout);
    for text in [&said.stdout, &said.stderr] {
        let left: Vec<&str> = text.lines().filter(|line| line.contains(SECRET)).collect();
        assert!(left.is_empty(), "{format}: {left:#?}");
    }
}

/// What one of these tests starts is in the lines of another, which looks for other secrets.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

fn command_lines() {
    let _alone = alone();
    for format in FORMATS {
        let tracer = redacting(format);
        let mut targets: Vec<Process> =
            LINES.iter().map(|line| disguised(&words(line), workload_of_all(), &[])).collect();
        // a byte that is no text ends no match
        for secret in [&b"--password=ab\xff\xfeGeheim17"[..], b"--own", b"ab\xffGeheim18"] {
            let line = [OsString::from("x"), OsString::from("--own"), OsString::from_vec(secret.to_vec())];
            targets.push(disguised(&line, workload_of_all(), &[]));
        }
        assert_silent(tracer, format, &targets);
    }
}

fn other_texts() {
    let _alone = alone();
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let hidden = directory.path().join("token=Geheim21");
    fs::create_dir(&hidden).unwrap();
    let program = hidden.join("workload");
    fs::copy(workload_of_all(), &program).unwrap();
    for format in FORMATS {
        let tracer = redacting(format);
        let waits = words(&["workload", "it waits, and has room for a title of many letters"]);
        let renamed = disguised(&waits, &program, &[("WORKLOAD_COMM", "token=Geheim22")]);
        let secrets = [("SSHPASS", "Geheim23"), ("HINT", "mysql -pGeheim24 x")];
        let with_environment = disguised(&waits, workload_of_all(), &secrets);
        let held = disguised(&waits, workload_of_all(), &[]);
        let receiver = disguised(&waits, workload_of_all(), &[]);
        let (held_pid, target) = (held.pid().to_string(), receiver.pid().to_string());
        // dropped behind its tracer: until that is gone nobody else reaps it
        let targets = [renamed, with_environment, held, receiver];
        let by = words(&["sudo", "mysql", "-pGeheim25"]);
        let _tracing = disguised(
            &by,
            workload_of_all(),
            &[("WORKLOAD_TRACE", &held_pid), ("WORKLOAD_COMM", "pass=Geheim26")],
        );
        let _sends = disguised(
            &waits,
            workload_of_all(),
            &[("WORKLOAD_TITLE", "mysql -uroot -pGeheim27 shop"), ("WORKLOAD_KILL", &target)],
        );
        // one letter makes a title of its arguments, in which a secret with a blank is one word no more
        let other = Process::start(as_attacker(workload_of_all()).args(["meets", "15", "handle"]));
        let _retitled = disguised(
            &words(&["mysql", "Xx", "-pGeheim28 Geheim29", "shop"]),
            workload_of_all(),
            &[("WORKLOAD_FLIP", "1"), ("WORKLOAD_KILL", &other.pid().to_string())],
        );
        assert_silent(tracer, format, &targets);
    }
}

/// Of an ancestor's command line so many bytes are kept: `ANCESTOR_ARGV` of wire/constants.h.
const KEPT: usize = 1024;

fn halves() {
    let _alone = alone();
    let script = "\"$0\" waits >/dev/null & echo $!; wait";
    let program = workload_of_all().to_str().unwrap();
    let before = ["sh", "-c", script, program].map(|word| word.len() + 1).iter().sum::<usize>();
    for (word, secret) in
        [("x", "GeheimnisOfTheHouse"), ("x", "psql://bob:Geheimnis@db"), ("-u", "Geheimnis:x")]
    {
        let filler = "f".repeat(KEPT - before - word.len() - 2 - secret.find(SECRET).unwrap() - SECRET.len());
        let tracer =
            Tracer::json(&["--redact", "GeheimnisOfTheHouse", "--redact", "Geheimnis:x", "--redact-secrets"]);
        let above = Process::start(as_attacker("sh").args(["-c", script, program, &filler, word, secret]));
        let target = above.said_number();
        wait_until("the process that waits", || {
            let comm = fs::read_to_string(format!("/proc/{target}/comm")).ok()?;
            (comm.trim() == "workload").then_some(())
        });
        support::kill(target, Signal::TERM);
        let event = tracer.signal_to(target, 15);
        assert_eq!(event["target"]["parent"]["cmdlineTruncated"], true, "{event}");
        let left = event["target"]["parent"]["cmdline"].to_string();
        assert!(left.contains("[redacted]") && !left.contains("Geh"), "{secret}: {left}");
    }
}
