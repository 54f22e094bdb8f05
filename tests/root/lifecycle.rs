//! From start to end: ready, prompt, accounted for, over.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use support::{
    Cgroup, MEMORY_LIMIT, Process, Tracer, cmdline, in_guest, is_in_set, kill, killsnoop, memory_cgroup,
    patience, run_workload, wait_until, workload,
};

use crate::Test;
use crate::skip::Skip;

pub const TESTS: &[Test] = &[
    ("sigint_and_sigterm_drain_say_the_counters_and_end_with_0", &[], ends_by_signal),
    ("a_closed_pipe_ends_quietly_with_0", &[], a_closed_pipe),
    ("a_second_sigterm_ends_at_once_though_nobody_reads", &[], a_second_sigterm),
    ("programs_are_loaded_side_by_side", &[], side_by_side),
    ("signals_are_seen_while_programs_are_still_loaded", &[], seen_early),
    ("count_ends_after_so_many_events", &[], ends_by_count),
    ("duration_ends_in_time", &[], ends_by_duration),
    ("without_privileges_one_clear_line_and_1", &[], without_privileges),
    ("a_seccomp_filter_that_refuses_bpf_is_named_by_the_doctor_and_at_the_start", &[], under_seccomp),
    ("sigusr1_says_the_counters_and_goes_on", &[], says_counters),
    ("a_line_is_out_within_100_ms", &[], a_line_is_prompt),
    (
        "without_memory_for_identities_nothing_wrong_is_printed",
        &[Skip::MemoryCgroup, Skip::BoundedStorage],
        without_memory,
    ),
];

/// Of which another tracer would have to print every signal as well.
pub const STORMS: &[Test] = &[("every_signal_of_a_storm_is_printed_or_reported_lost", &[], a_storm)];

fn ends_by_signal() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let tracer = Tracer::json(&["-i", "USR1"]);
        let target = Process::workload(&["meets", "10", "handle"]);
        run_workload(&["storm", "10", "500", &target.pid().to_string()]);
        tracer.signal(signal);
        let said = tracer.wait();
        assert_eq!(said.status.code(), Some(0), "{}", said.stderr);
        let got = said.events().iter().filter(|event| event["target"]["pid"] == target.pid()).count();
        assert_eq!(got, 500, "what was in the ring is drained");
        said.assert_counters_add_up();
        assert_eq!(said.counter("signals total", "lost"), 0);
    }
}

/// A tracer whose output goes into a pipe, when it is ready, and what it said on standard error.
fn into_a_pipe(arguments: &[&str]) -> (Child, BufReader<ChildStderr>, String) {
    let mut child = Command::new(killsnoop())
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains(support::STARTED) {
        assert!(stderr.read_line(&mut said).unwrap() > 0, "{said}");
    }
    (child, stderr, said)
}

fn a_closed_pipe() {
    let (mut child, mut stderr, mut said) = into_a_pipe(&[]);
    drop(child.stdout.take());
    let target = Process::workload(&["wait"]);
    target.kill(Signal::TERM);
    let status = wait_until("the end", || child.try_wait().unwrap());
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(status.code(), Some(0), "{said}");
    assert_eq!(said.lines().count(), 1, "nothing but that it traces: {said}");
}

fn side_by_side() {
    let said = Tracer::json(&["-l", "debug"]).stop();
    assert!(said.stderr.contains("programs loaded side by side"), "{}", said.stderr);
}

/// The signal hook is attached when half of the verifier's work is done, and not at the end of it. The best of three: other tests
/// take the CPU at any moment.
fn seen_early() {
    let shares: Vec<f64> = (0..3).map(|_| share_of_start()).collect();
    assert!(shares.iter().any(|share| *share < 0.85), "{shares:?}");
}

/// How much of the start was over at the first signal.
fn share_of_start() -> f64 {
    let target = Process::workload(&["meets", "23", "handle"]);
    let is_ready = AtomicBool::new(false);
    let began = jiff::Timestamp::now();
    let (tracer, ready) = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_ready.load(Ordering::Relaxed) {
                target.kill(Signal::URG);
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let tracer = std::panic::catch_unwind(|| Tracer::json(&["-i", "URG"]));
        is_ready.store(true, Ordering::Relaxed);
        (tracer.unwrap(), jiff::Timestamp::now())
    });
    let first = tracer.signal_to(target.pid(), 23);
    let time: jiff::Timestamp = first["time"].as_str().unwrap().parse().unwrap();
    let seconds = |until: jiff::Timestamp| (until - began).total(jiff::Unit::Second).unwrap();
    tracer.stop().assert_counters_add_up();
    seconds(time) / seconds(ready)
}

fn a_second_sigterm() {
    // a reader that takes nothing for two seconds is not waited for: a test that was held up for that long shows nothing
    wait_until("two signals in a second", || {
        let (after_the_first, after_the_second, apart) = end_twice();
        (apart < Duration::from_secs(1)).then(|| {
            assert_eq!(after_the_first, None, "the first waits for the reader");
            assert_eq!(after_the_second.code(), Some(143));
        })
    });
}

/// Sends two SIGTERM to a tracer whose lines nobody reads: its end after the first, and after the second, and the time from before
/// the first until the second is sent.
fn end_twice() -> (Option<ExitStatus>, ExitStatus, Duration) {
    let (mut child, _stderr, _) = into_a_pipe(&["-i", "USR1"]);
    let target = Process::workload(&["meets", "10", "handle"]);
    // far more than a pipe holds
    run_workload(&["storm", "10", "1000", &target.pid().to_string()]);
    let began = Instant::now();
    kill(child.id(), Signal::TERM);
    wait_until("the first to be taken", || (!is_pending(child.id(), Signal::TERM)).then_some(()));
    std::thread::sleep(Duration::from_millis(300));
    let after_the_first = child.try_wait().unwrap();
    if after_the_first.is_none() {
        kill(child.id(), Signal::TERM);
    }
    let apart = began.elapsed();
    (after_the_first, wait_until("the end", || child.try_wait().unwrap()), apart)
}

/// Is the signal on its way to the process?
fn is_pending(pid: u32, signal: Signal) -> bool {
    is_in_set(pid, "ShdPnd", signal.as_raw())
}

fn ends_by_count() {
    let tracer = Tracer::json(&["--count", "7", "-i", "USR1"]);
    let target = Process::workload(&["meets", "10", "handle"]);
    run_workload(&["storm", "10", "100", &target.pid().to_string()]);
    let said = tracer.wait();
    assert_eq!(said.status.code(), Some(0));
    // of another test's processes there may be an end as well
    let signals = said.events().iter().filter(|event| event["event"] == "signal").count();
    assert_eq!(signals, 7);
    said.assert_counters_add_up();
}

fn ends_by_duration() {
    let began = Instant::now();
    let said = Tracer::json(&["--duration", "300ms"]).wait();
    assert_eq!(said.status.code(), Some(0));
    assert!((Duration::from_millis(300)..patience()).contains(&began.elapsed()));
}

fn without_privileges() {
    // the binary may lie where nobody else can read it
    let directory = tempfile::Builder::new().prefix("killsnoop").tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let copy = directory.path().join("killsnoop");
    std::fs::copy(killsnoop(), &copy).unwrap();
    let output = Command::new(copy).uid(65534).gid(65534).current_dir("/").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("CAP_BPF") && said.contains("sudo"), "{said}");
    assert!(said.lines().count() <= 2, "{said}");
    assert!(output.stdout.is_empty());
}

/// `EPERM` is Docker's answer, `ENOSYS` Podman's.
fn under_seccomp() {
    for errno in ["1", "38"] {
        let run = |arguments: &[&str]| {
            let output = Command::new(workload())
                .args(["without-bpf", errno, killsnoop()])
                .args(arguments)
                .output()
                .unwrap();
            assert_eq!(output.status.code(), Some(1), "{output:?}");
            output
        };
        let found: serde_json::Value = serde_json::from_slice(&run(&["doctor", "--json"]).stdout).unwrap();
        let check =
            found["checks"].as_array().unwrap().iter().find(|check| check["name"] == "bpf()").unwrap();
        assert_eq!(check["state"], "no", "{check}");
        assert_eq!(check["found"], "refused by a seccomp filter", "{check}");
        let said = String::from_utf8(run(&["--duration", "1s"]).stderr).unwrap();
        assert!(said.contains("seccomp"), "{said}");
    }
}

fn says_counters() {
    let tracer = Tracer::json(&[]);
    tracer.signal(Signal::USR1);
    let target = Process::workload(&["wait"]);
    target.kill(Signal::TERM);
    tracer.signal_to(target.pid(), 15);
    let said = tracer.stop();
    assert!(said.stderr.contains("signals so far"), "{}", said.stderr);
    assert!(said.stderr.contains("signals total"), "{}", said.stderr);
}

fn a_line_is_prompt() {
    let tracer = Tracer::json(&["-i", "USR1"]);
    let target = Process::workload(&["meets", "10", "handle"]);
    let own = || tracer.events().iter().filter(|event| event["target"]["pid"] == target.pid()).count();
    let mut count = 0;
    // after quiet, and in a trickle
    let mut round = || {
        let wait = |pause| {
            std::thread::sleep(Duration::from_millis(pause));
            let sent = Instant::now();
            kill(target.pid(), Signal::USR1);
            count += 1;
            wait_until("the line", || (own() >= count).then(|| sent.elapsed()))
        };
        let mut waits: Vec<Duration> = [3, 60].repeat(10).into_iter().map(wait).collect();
        waits.sort();
        waits
    };
    // the machine may be busy with other tests: one in ten may be late, or a whole round
    wait_until("a round of prompt lines", || {
        let waits = round();
        println!("{waits:?}");
        (waits[17] < Duration::from_millis(100)).then_some(())
    });
}

fn a_storm() {
    // a signal that no other test sends: loss is counted for the whole host
    let each: u64 = if in_guest() { 1_500 } else { 20_000 };
    let tracer = Tracer::json(&["-i", "PWR"]);
    let target = Process::workload(&["meets", "30", "handle"]);
    let pid = target.pid().to_string();
    let storms: Vec<std::thread::JoinHandle<String>> = (0..2)
        .map(|_| {
            let (pid, each) = (pid.clone(), each.to_string());
            std::thread::spawn(move || run_workload(&["storm", "30", &each, &pid]))
        })
        .collect();
    let sent: u64 =
        storms.into_iter().map(|storm| storm.join().unwrap().trim().parse::<u64>().unwrap()).sum();
    let said = tracer.stop();
    said.assert_counters_add_up();
    let events = said.events();
    let own = events.iter().filter(|event| event["target"]["pid"] == target.pid());
    // what found no room is counted, and printed in one line
    let got: u64 = own.map(|event| event["repeated"].as_u64().unwrap_or(1)).sum();
    assert_eq!(sent, 2 * each);
    // on a busy machine the file accepts lines too slowly: that is counted as well
    let uncaught = ["lost", "unprinted"].map(|name| said.counter("signals total", name)).iter().sum::<u64>();
    assert_eq!(sent, got + uncaught, "{}", said.stderr);
}

/// The maps of the tracer are charged to its cgroup: with that full, the hooks get no memory.
fn without_memory() {
    let cgroup = Cgroup::new(memory_cgroup().unwrap(), "without-memory");
    let tracer = Tracer::run(&mut cgroup.command(killsnoop(), &["-v", "-o", "json", "-i", "TERM"]));
    // the maps stay charged to it, but what the program itself needs from here on is another's
    std::fs::write(cgroup.path().join("../cgroup.procs"), tracer.pid().to_string()).unwrap();
    // what it has and no more (version 1 refuses less)
    let limit = cgroup.file(MEMORY_LIMIT).unwrap();
    let usage = cgroup.file(["memory.usage_in_bytes", "memory.current"]).unwrap();
    let bound = || std::fs::write(&limit, std::fs::read_to_string(&usage).unwrap().trim());
    wait_until("the limit to be taken", || bound().ok());
    let long = "x".repeat(7000);
    // none is reaped before the end: a zombie keeps its identity, so each needs memory of its own
    let count = if in_guest() { 150 } else { 300 };
    let targets: Vec<Process> = (0..count)
        .map(|round| {
            let target = Process::workload(&["wait", &round.to_string(), &long]);
            target.kill(Signal::TERM);
            target
        })
        .collect();
    let said = tracer.stop();
    assert_eq!(said.status.code(), Some(0), "{}", said.stderr);
    said.assert_counters_add_up();
    assert!(said.counter("identities total", "no_memory") > 0, "nothing was tested: {}", said.stderr);
    drop(targets);
    let is_own = |event: &serde_json::Value| {
        event["source"]["pid"] == std::process::id() && event["target"]["comm"] == "workload"
    };
    let own: Vec<serde_json::Value> = said.events().into_iter().filter(is_own).collect();
    assert_eq!(own.len() as u64 + said.counter("signals total", "lost"), count, "{}", said.stderr);
    for event in &own {
        let target = &event["target"];
        if target["cmdline"].is_null() {
            assert!(event["missing"].to_string().contains("target.cmdline:"), "{event}");
            continue;
        }
        let line = cmdline(target);
        let is_cut = target["cmdlineTruncated"] == true;
        assert_eq!((&*line[0], &*line[1]), ("workload", "wait"), "{event}");
        assert!(line[3] == long || (is_cut && long.starts_with(&line[3])), "{event}");
    }
}
