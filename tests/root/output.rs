//! Formats, filters after the ring, several outputs, what is still allowed, `run` and `who`.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use support::{Process, Tracer, event, field_of, kill, killsnoop, run_workload, wait_until};

use crate::Test;
use crate::skip::Skip;

pub const TESTS: &[Test] = &[
    ("filters_after_the_ring_pass_what_they_should_and_nothing_else_and_are_counted", &[], filters),
    ("a_tree_is_a_process_and_all_below_it_born_later_too", &[], a_tree),
    ("a_tree_has_no_signals_of_foreign_terminals_timers_and_processes", &[], strangers),
    ("who_has_left_a_tree_belongs_to_it_all_the_same", &[Skip::Titles], a_tree_that_was_left),
    ("what_the_kernel_can_decide_does_not_come_out_of_it", &[], kernel_filters),
    ("only_what_ends_its_target_with_fatal", &[], fatal),
    ("what_the_kernel_leaves_out_with_fatal_still_comes_before_an_end", &[], before_the_fatal),
    ("a_disposition_is_decided_alike_in_the_kernel_and_behind_it", &[], by_disposition),
    ("several_outputs_at_once_and_sighup_reopens_the_file", &[], several_outputs),
    ("after_the_start_only_few_capabilities_are_left", &[], few_capabilities),
    ("cap_bpf_and_cap_perfmon_are_enough", &[], least_capabilities),
    ("quiet_says_nothing_and_verbose_says_which_filters_run_where", &[], quiet_and_verbose),
    ("a_secret_is_in_no_output", &[], redacted),
    ("a_long_line_leaves_out_the_farthest_command_lines", &[], a_short_line),
    ("a_flood_is_folded_and_adds_up", &[], a_flood),
    ("a_summary_is_printed_on_sigusr1_and_at_the_end", &[], a_summary),
    ("run_passes_the_exit_code_on", &[], run_exit_codes),
    ("run_sees_the_first_instruction_and_orphans_and_nobody_else", &[], run_sees_all_below),
    ("run_under_sudo_sees_orphans_and_writes_its_own_log", &[], run_under_sudo_sees_all_below),
    ("run_leaves_the_commands_streams_alone", &[], run_streams),
    ("run_says_where_events_go_to_whom_a_program_reads_for", &[], run_hint),
    ("the_reader_has_a_priority_that_the_command_has_not", &[], priority),
    ("run_hands_sigterm_on", &[], run_hands_on),
    ("run_leaves_control_c_to_the_command", &[], run_control_c),
    ("run_runs_as_whoever_called_sudo", &[], run_as_invoker),
    ("run_says_whether_a_signal_or_the_command_itself_made_it_137", &[], run_137),
    ("who_reports_the_signal_and_ends", &[], who),
    ("who_of_several_reports_each_and_ends_with_the_first", &[], who_of_several),
    ("who_goes_on_after_signals_that_end_nothing", &[], who_goes_on),
    ("a_name_or_a_pid_is_the_filter_that_it_looks_like", &[], by_name),
    ("who_reports_the_end_after_a_handled_signal", &[], who_handles),
    ("who_reports_the_exit_status_where_there_was_no_signal", &[], who_ends),
    ("who_reports_what_a_zombie_left", &[], who_came_late),
    ("the_id_of_a_thread_is_taken_as_its_process", &[], a_thread_id),
];

fn targets(events: &[Value], signal: i64) -> Vec<u64> {
    let of = |event: &&Value| event["signal"] == signal && event["event"] == "signal";
    events.iter().filter(of).filter_map(|event| event["target"]["pid"].as_u64()).collect()
}

/// Of a storm all is seen, or nothing, and then it is counted where it was refused.
fn assert_storm(pid: u32, arguments: &[&str], passes: bool, refused_by: &str) {
    let tracer = Tracer::json(arguments);
    run_workload(&["storm", "10", "20", &pid.to_string()]);
    let said = tracer.stop();
    let got = targets(&said.events(), 10).iter().filter(|&&one| one == u64::from(pid)).count();
    assert_eq!(got, if passes { 20 } else { 0 }, "{arguments:?}");
    if !passes {
        assert!(said.counter("signals total", refused_by) >= 20, "{arguments:?}: {}", said.stderr);
    }
    said.assert_counters_add_up();
}

fn filters() {
    let target = Process::workload(&["meets", "10", "handle"]);
    let pid = target.pid();
    for (arguments, passes) in [
        (vec!["--where".to_owned(), format!("target.pid={pid}")], true),
        (vec!["--pid".to_owned(), pid.to_string()], true),
        (
            vec![
                "--where".to_owned(),
                format!("target.pid={pid}"),
                "--where".to_owned(),
                "signal=USR1".to_owned(),
            ],
            true,
        ),
        (
            vec![
                "--where".to_owned(),
                format!("target.pid={pid}"),
                "--not".to_owned(),
                "signal=10".to_owned(),
            ],
            false,
        ),
        (vec!["--where".to_owned(), format!("target.pid>{pid}")], false),
        (vec!["--where".to_owned(), "source.comm=nobody*".to_owned()], false),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        assert_storm(pid, &arguments, passes, "filtered_user");
    }
}

fn a_tree() {
    // every child is born, signals itself and is gone
    let script = "echo; while :; do sh -c 'kill -USR1 $$; :'; sleep 0.05; done";
    let shell = Process::start(Command::new("sh").args(["-c", script]));
    let tracer = Tracer::json(&["--tree", &shell.pid().to_string()]);
    let other = Process::workload(&["meets", "10", "handle"]);
    run_workload(&["storm", "10", "3", &other.pid().to_string()]);
    for _ in 0..2 {
        tracer.wait_for("a child of the shell", |event| {
            event["signal"] == 10 && event["target"]["parent"]["pid"] == shell.pid()
        });
    }
    shell.kill(Signal::TERM);
    tracer.signal_to(shell.pid(), 15);
    let said = tracer.stop();
    assert!(!targets(&said.events(), 10).contains(&u64::from(other.pid())));
    // where the kernel can follow trees, nothing of the others comes out of it
    let refused = ["filtered", "filtered_user"].map(|class| said.counter("signals total", class));
    assert!(refused[0] >= 3 || refused[1] >= 3, "{}", said.stderr);
    said.assert_counters_add_up();
}

/// What a foreign terminal, timer or process sends to those outside, whatever runs at that moment.
fn strangers() {
    let all = Tracer::shared(&[]);
    let log = tempfile::tempdir().unwrap();
    let file = log.path().join("log");
    let mut run = Command::new(killsnoop())
        .args(["run", "-o", &format!("json={}", file.display()), "--", "sh", "-c", "echo ready; read go"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(run.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
    let tree = Tracer::json(&["--tree", &run.id().to_string()]);
    let mut foreign = Vec::new();
    for (kind, signal) in [("interrupt-key", 2), ("close-terminal", 1), ("alarm", 14), ("kill", 15)] {
        for _ in 0..3 {
            let maker = Process::workload(&["signal", kind]);
            let target: u32 = maker.said().split_whitespace().next().unwrap().parse().unwrap();
            all.signal_to(target, signal);
            foreign.push(target);
        }
    }
    if fs::read_to_string("/proc/2/comm").is_ok_and(|comm| comm.trim() == "kthreadd") {
        kill(2, Signal::USR1);
        all.signal_to(2, 10);
        foreign.push(2);
    }
    // that both tracers are at work
    let own = fs::read_to_string(format!("/proc/{0}/task/{0}/children", run.id())).unwrap();
    // the first one opens the file
    let own: u32 = own.split_whitespace().last().unwrap().parse().unwrap();
    kill(own, Signal::TERM);
    run.wait().unwrap();
    tree.signal_to(own, 15);
    let said = tree.stop();
    let lines = fs::read_to_string(&file).unwrap();
    for (how, text) in [("run", &lines), ("--tree", &said.stdout)] {
        let events: Vec<Value> = text.lines().map(event).collect();
        assert!(events.iter().any(|event| event["target"]["pid"] == own), "{how}: {text}");
        for event in &events {
            let target = event["target"]["pid"].as_u64().unwrap();
            assert!(!foreign.iter().any(|&pid| u64::from(pid) == target), "{how}: {event}");
        }
    }
}

/// Who was born in it belongs to it for life, though nobody of it is left above.
fn a_tree_that_was_left() {
    let target = Process::workload(&["meets", "10", "handle"]);
    // it waits until the first of the tree is gone
    let script = format!(
        "read go; (setsid sh -c 'while [ -e /proc/'$$' ]; do sleep 0.01; done; kill -USR1 {}' & ); exit 0",
        target.pid()
    );
    let mut shell = Command::new("sh").args(["-c", &script]).stdin(Stdio::piped()).spawn().unwrap();
    let tracer = Tracer::json(&["--tree", &shell.id().to_string()]);
    drop(shell.stdin.take());
    shell.wait().unwrap();
    let event = tracer.signal_to(target.pid(), 10);
    assert_ne!(event["source"]["parent"]["pid"], shell.id(), "{event}");
}

/// What is exact is decided before a byte is copied: it does not come out of the kernel.
fn kernel_filters() {
    let target = Process::workload(&["meets", "10", "handle"]);
    let other = Process::workload(&["meets", "10", "handle"]);
    let (pid, own) = (target.pid(), std::process::id());
    for (condition, passes) in [
        (format!("target.pid={pid},{}", other.pid()), true),
        (format!("target.pid={}", other.pid()), false),
        ("target.comm=workload".to_owned(), true),
        ("target.comm=nobody".to_owned(), false),
        ("source.comm=workload".to_owned(), true),
        (format!("source.pid={own}"), false),
        ("source.user.id=0".to_owned(), true),
        ("target.user.id=54321".to_owned(), false),
        ("signal=USR1".to_owned(), true),
        ("signalName=SIGUSR2".to_owned(), false),
    ] {
        assert_storm(pid, &["--where", &condition], passes, "filtered");
    }
}

fn fatal() {
    let tracer = Tracer::json(&["--fatal"]);
    let handles = Process::workload(&["meets", "10", "handle"]);
    let dies = Process::workload(&["wait"]);
    run_workload(&["storm", "10", "3", &handles.pid().to_string()]);
    dies.kill(Signal::TERM);
    tracer.signal_to(dies.pid(), 15);
    let said = tracer.stop();
    assert!(!targets(&said.events(), 10).contains(&u64::from(handles.pid())));
    said.assert_counters_add_up();
}

/// What no end and no other signal refers to does not come out of the kernel; the rest does, and is refused behind it.
fn before_the_fatal() {
    let tracer = Tracer::json(&["--fatal"]);
    let target = Process::workload(&["meets", "15", "handle"]);
    target.kill(Signal::TERM);
    target.kill(Signal::CONT);
    target.kill(Signal::KILL);
    let event = tracer.signal_to(target.pid(), 9);
    let previous = &event["previous"];
    assert_eq!(previous["signalName"], "SIGTERM", "{event}");
    assert_eq!(previous["source"]["pid"], std::process::id(), "{event}");
    assert_eq!((&previous["origin"], previous["id"].is_u64()), (&"process".into(), true), "{event}");
    let said = tracer.stop();
    assert!(said.events().iter().all(|event| event["event"] != "signal" || event["fatal"] == true));
    for (counter, what) in [("filtered", "SIGCONT"), ("filtered_user", "SIGTERM")] {
        assert!(said.counter("signals total", counter) > 0, "{what}: {}", said.stderr);
    }
    said.assert_counters_add_up();
}

fn by_disposition() {
    let targets: Vec<Process> = ["ignore", "handle", "default"]
        .iter()
        .map(|how| match *how {
            "default" => Process::workload(&["wait"]),
            how => Process::workload(&["meets", "10", how]),
        })
        .collect();
    let tracers = ["handled", "handle?"]
        .map(|value| Tracer::json(&["-i", "10", "--where", &format!("target.disposition={value}")]));
    for target in &targets {
        target.kill(Signal::USR1);
    }
    let pids = |events: &[Value]| -> Vec<u64> {
        events.iter().filter_map(|event| event["target"]["pid"].as_u64()).collect()
    };
    for tracer in tracers {
        tracer.signal_to(targets[1].pid(), 10);
        let said = tracer.stop();
        let found = pids(&said.events());
        let own = targets.iter().map(|target| found.contains(&u64::from(target.pid())));
        assert_eq!(own.collect::<Vec<_>>(), [false, true, false], "{}", said.stderr);
        assert!(
            said.counter("signals total", "filtered_user") >= 2,
            "what may end a process comes out: {}",
            said.stderr
        );
        said.assert_counters_add_up();
    }
}

fn several_outputs() {
    let directory = tempfile::tempdir().unwrap();
    let (path, moved) = (directory.path().join("log"), directory.path().join("log.1"));
    let file = format!("json={}", path.display());
    let tracer = Tracer::start(&["-o", "tree", "-o", &file]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let target = Process::workload(&["meets", "10", "handle"]);
    let pid = target.pid();
    let has = |path: &std::path::Path, count| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        (targets(&events.collect::<Vec<_>>(), 10).iter().filter(|&&one| one == u64::from(pid)).count()
            == count)
            .then_some(())
    };
    run_workload(&["storm", "10", "1", &pid.to_string()]);
    wait_until("the first line in the file", || has(&path, 1));
    // whatever logrotate does: a directory of another user, too
    fs::rename(&path, &moved).unwrap();
    std::os::unix::fs::chown(directory.path(), Some(65534), None).unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    tracer.signal(Signal::HUP);
    wait_until("the file to be reopened", || path.exists().then_some(()));
    run_workload(&["storm", "10", "1", &pid.to_string()]);
    wait_until("the second line in the new file", || has(&path, 1));
    assert!(has(&moved, 1).is_some());
    let said = tracer.stop();
    assert!(said.stdout.contains(&format!("({pid})")) && said.stdout.contains("SIGUSR1"), "{}", said.stdout);
    said.assert_counters_add_up();
}

fn few_capabilities() {
    let tracer = Tracer::json(&["-i", "USR1"]);
    let status = fs::read_to_string(format!("/proc/{}/status", tracer.pid())).unwrap();
    let field = |name| field_of(&status, name).unwrap();
    let bits = u64::from_str_radix(field("CapEff"), 16).unwrap();
    // DAC_READ_SEARCH and SYS_PTRACE where /proc is hidden or somebody is not known; SYSLOG, PERFMON, BPF
    assert_eq!(bits & !(1 << 2 | 1 << 19 | 1 << 34 | 1 << 38 | 1 << 39), 0, "{bits:x}");
    assert_eq!(field("CapPrm"), field("CapEff"));
    assert_eq!(field("NoNewPrivs"), "1");
    // and what has to work still does: counters, lines
    tracer.signal(Signal::USR1);
    let target = Process::workload(&["meets", "10", "handle"]);
    run_workload(&["storm", "10", "1", &target.pid().to_string()]);
    tracer.signal_to(target.pid(), 10);
    let said = tracer.stop();
    assert!(said.stderr.contains("signals so far"), "{}", said.stderr);
    said.assert_counters_add_up();
}

fn least_capabilities() {
    let tracer = Tracer::run(
        Command::new("setpriv")
            .args(["--bounding-set=-all,+bpf,+perfmon", "--inh-caps=-all", "--", killsnoop()])
            .args(["-v", "-o", "json", "-i", "USR1"]),
    );
    let target = Process::workload(&["meets", "10", "handle"]);
    run_workload(&["storm", "10", "1", &target.pid().to_string()]);
    let event = tracer.signal_to(target.pid(), 10);
    assert!(event["source"]["cmdline"].is_array() && event["target"]["cmdline"].is_array(), "{event}");
    let said = tracer.stop();
    assert!(!said.stderr.contains("warning"), "{}", said.stderr);
    said.assert_counters_add_up();
}

fn quiet_and_verbose() {
    let with = |flags: &[&str]| {
        let arguments = [flags, &["-o", "json", "--duration", "300ms"]].concat();
        let output = Command::new(killsnoop()).args(arguments).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(with(&["-q"]), "");
    let said = with(&["-v", "-e", "USR2", "--where", "signal=USR1", "--not", "source.comm=x"]);
    let line = said.lines().find(|line| line.contains("filters in the kernel")).unwrap_or_default();
    for word in
        ["--exclude-signals", "hidden by default", "in user space: --where signal=USR1 --not source.comm=x"]
    {
        assert!(line.contains(word), "no {word} in: {said}");
    }
    assert!(said.contains("capabilities kept: CAP_BPF"), "{said}");
}

fn redacted() {
    for format in ["json", "logfmt", "table", "tree"] {
        let tracer = Tracer::start(&["-o", format, "--redact", "hunter2", "--redact-secrets", "-i", "TERM"]);
        // its end is over before the shell's: a tracer that ends prints what there was
        let script = "sleep 100 & kill -TERM $!; wait $!; : --password=hunter3 --token hunter4";
        assert!(Command::new("sh").args(["-c", script, "hunter2"]).status().unwrap().success());
        let said = tracer.stop();
        assert!(said.stdout.contains("redacted"), "{format}: {}", said.stdout);
        for secret in ["hunter2", "hunter3", "hunter4"] {
            assert!(!said.stdout.contains(secret), "{format}: {}", said.stdout);
        }
    }
}

fn a_short_line() {
    let tracer = Tracer::json(&["--max-line", "5000", "-i", "TERM"]);
    let long = "x".repeat(900);
    // before its exec the target is another shell with the long argument: then even the sender's may be left out
    let script = "sh -c 'sh -c \"sleep 100 & until grep -q sleep /proc/\\$!/comm; do :; done; kill -TERM \\$!; :\" \"$0\"; :' \"$0\"; :";
    assert!(Command::new("sh").args(["-c", script, &long]).status().unwrap().success());
    // not that of another test's shell
    let is_own = |event: &Value| {
        let is_of_shells = event["source"]["comm"] == "sh" && event["target"]["comm"] == "sleep";
        is_of_shells && (event.to_string().contains(&long) || event.to_string().contains("cmdlineOmitted"))
    };
    let event = tracer.wait_for("the signal", is_own);
    assert!(event.to_string().contains("\"cmdlineOmitted\":true"), "{event}");
    let said = tracer.stop();
    assert!(said.stdout.lines().all(|line| line.len() <= 5000));
}

fn a_flood() {
    let tracer = Tracer::start(&["-o", "json", "--fold", "json", "-i", "USR1"]);
    let target = Process::workload(&["meets", "10", "handle"]);
    run_workload(&["storm", "10", "1000", &target.pid().to_string()]);
    let said = tracer.stop();
    let events = said.events();
    let own: Vec<&Value> = events.iter().filter(|event| event["target"]["pid"] == target.pid()).collect();
    assert!(own.len() < 20, "{} lines", own.len());
    let sum: u64 = own.iter().map(|event| event["repeated"].as_u64().unwrap_or(1)).sum();
    assert_eq!(sum, 1000);
    said.assert_counters_add_up();
}

fn a_summary() {
    let tracer = Tracer::json(&["--summary", "-i", "USR1"]);
    let target = Process::workload(&["meets", "10", "handle"]);
    run_workload(&["storm", "10", "7", &target.pid().to_string()]);
    let own = || targets(&tracer.events(), 10).iter().filter(|&&one| one == u64::from(target.pid())).count();
    wait_until("the lines", || (own() == 7).then_some(()));
    tracer.signal(Signal::USR1);
    // SIGTERM may overtake what is asked for at the same moment; the name of the pair comes after the title
    let has_said = |said: &str, count| {
        (said.matches("by sender and target").count() == count
            && said.matches("workload → workload  SIGUSR1").count() == count)
            .then_some(())
    };
    wait_until("the summary", || has_said(&tracer.stderr(), 1));
    let said = tracer.stop();
    assert!(has_said(&said.stderr, 2).is_some(), "{}", said.stderr);
}

/// Nobody, as whom a command runs if such a user called sudo.
const NOBODY: u32 = 65534;

/// `killsnoop run` as called by root, or by root for a user who called sudo: the user who called the tests by sudo is not to be
/// its user.
fn run_for(invoker: Option<u32>) -> Command {
    let mut command = Command::new(killsnoop());
    command.arg("run").stdin(Stdio::null());
    for name in ["SUDO_UID", "SUDO_GID", "SUDO_USER", "SUDO_COMMAND"] {
        command.env_remove(name);
    }
    if let Some(id) = invoker {
        command.envs(["SUDO_UID", "SUDO_GID"].map(|name| (name, id.to_string()))).current_dir("/");
    }
    command
}

fn run_exit_codes() {
    for invoker in [None, Some(NOBODY)] {
        for (command, code) in [
            (&["true"][..], 0),
            (&["sh", "-c", "exit 77"], 77),
            (&["sh", "-c", "kill -KILL $$"], 137),
            (&["/no/such/command"], 127),
            (&["/etc/passwd"], 126),
        ] {
            let output = run_for(invoker).arg("--").args(command).output().unwrap();
            assert_eq!(
                output.status.code(),
                Some(code),
                "{command:?} of {invoker:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }
    let output = run_for(None).args(["-o", "json=/nowhere/x", "--", "true"]).output().unwrap();
    assert_eq!(output.status.code(), Some(125));
}

fn run_sees_all_below() {
    sees_all_below(None);
}

/// The command is another user's, and so is the log.
fn run_under_sudo_sees_all_below() {
    sees_all_below(Some(NOBODY));
}

fn sees_all_below(invoker: Option<u32>) {
    let directory = tempfile::tempdir().unwrap();
    let of_command = directory.path().join("command");
    fs::create_dir(&of_command).unwrap();
    std::os::unix::fs::chown(&of_command, invoker, invoker).unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let path = of_command.join("log");
    let file = format!("json={}", path.display());
    let target = Process::workload(&["meets", "10", "handle"]);
    let noise = thread::spawn(move || {
        for _ in 0..50 {
            run_workload(&["storm", "10", "1", &target.pid().to_string()]);
        }
    });
    // the orphan's parent is gone when it is signalled, and the one who does that is a grandchild; before its end nobody ends
    let script = "kill -URG $$; (sh -c 'sleep 100 & echo $!' >orphan); read -r orphan <orphan
        until grep -q sleep /proc/$orphan/comm; do :; done
        kill -TERM $orphan
        while grep -q 'State:.[^Z]' /proc/$orphan/status 2>/dev/null; do :; done";
    let status = run_for(invoker)
        .args(["-o", &file, "--all", "--", "sh", "-c", script])
        .current_dir(&of_command)
        .output()
        .unwrap();
    noise.join().unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    let data = fs::metadata(&path).unwrap();
    let owner = invoker.unwrap_or(0);
    assert_eq!(
        (std::os::unix::fs::MetadataExt::uid(&data), data.permissions().mode() & 0o777),
        (owner, 0o600)
    );
    let orphan: u64 = fs::read_to_string(of_command.join("orphan")).unwrap().trim().parse().unwrap();
    let events: Vec<Value> =
        fs::read_to_string(&path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(targets(&events, 23).len(), 1, "the first thing that it did: {events:#?}");
    let first = events.iter().find(|event| event["signal"] == 23).unwrap();
    assert_eq!(first["source"]["user"]["id"], invoker.unwrap_or(0), "{first}");
    assert!(targets(&events, 15).contains(&orphan), "{events:#?}");
    assert!(targets(&events, 10).is_empty(), "somebody else's: {events:#?}");
    let said = String::from_utf8_lossy(&status.stderr).into_owned();
    assert!(said.contains(" killed: ") && said.contains("sleep("), "{said}");
}

/// `killsnoop run -o json make | jq` would wait for events in vain.
fn run_hint() {
    let hint = "killsnoop: events go to standard error, since standard output is the command's: -o json=FILE";
    let said = |flags: &[&str], stdout: Stdio| {
        let mut run = Command::new(killsnoop());
        let output = run.arg("run").args(flags).args(["--", "true"]).stdout(stdout).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    for (flags, is_pipe, has_hint) in [
        (&["-o", "json"][..], true, true),
        (&["-o", "json"], false, false),
        (&["-q", "-o", "json"], true, false),
        (&["-o", "tree"], true, false),
        // no format was chosen
        (&[], true, false),
        (&["-o", "json=/dev/null"], true, false),
    ] {
        let said = said(flags, if is_pipe { Stdio::piped() } else { Stdio::null() });
        assert_eq!(said.contains(hint), has_hint, "{flags:?} {is_pipe}: {said}");
    }
}

fn run_streams() {
    let mut child = run_for(None)
        .args(["--", "sh", "-c", "cat; echo err >&2; kill -TERM $$"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"in\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "in\n");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("err\n") && said.contains(" signalName=SIGTERM "), "{said}");
    assert_eq!(output.status.code(), Some(143));
}

/// Of each of its threads, from `/proc/PID/task/TID/stat`.
fn nice_of(process: u32) -> Vec<(String, i32)> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    tasks
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("stat")).ok())
        .map(|stat| name_and_nice(&stat))
        .collect()
}

fn name_and_nice(stat: &str) -> (String, i32) {
    let (name, rest) = stat.rsplit_once(')').unwrap();
    let name = name.split_once('(').unwrap().1.to_owned();
    (name, rest.split_whitespace().nth(16).unwrap().parse().unwrap())
}

fn priority() {
    // this thread's, which what it starts inherits: a renice of the process is one of its first thread
    let of_me = name_and_nice(&fs::read_to_string("/proc/thread-self/stat").unwrap()).1;
    let tracer = Tracer::json(&[]);
    let target = Process::workload(&["meets", "15", "handle"]);
    target.kill(Signal::TERM);
    tracer.signal_to(target.pid(), 15);
    let threads = nice_of(tracer.pid());
    for name in ["killsnoop", "writer"] {
        assert!(threads.contains(&(name.to_owned(), of_me - 4)), "{name}: {threads:?}");
    }
    for invoker in [None, Some(NOBODY)] {
        let output = run_for(invoker).args(["--", "nice"]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{of_me}\n"), "{output:?}");
    }
}

fn run_hands_on() {
    let mut child = run_for(None)
        .args(["--", "sh", "-c", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    support::kill(child.id(), Signal::TERM);
    let status = wait_until("the end", || child.try_wait().unwrap());
    assert_eq!(status.code(), Some(5));
}

fn run_control_c() {
    let mut child = run_for(None)
        .args(["--", "sh", "-c", "trap 'exit 9' INT; echo ready; while :; do sleep 0.05; done"])
        .process_group(0)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    // as the terminal does: to the whole group, and again by somebody who is impatient
    for _ in 0..2 {
        let _ = kill_process_group(Pid::from_raw(child.id() as i32).unwrap(), Signal::INT);
    }
    let status = wait_until("the end", || child.try_wait().unwrap());
    assert_eq!(status.code(), Some(9));
}

fn run_as_invoker() {
    let script = "id -u; id -g; id -G; echo $USER $HOME; grep CapEff /proc/self/status";
    let said_by = |command: &mut Command| {
        let output = command.args(["--", "sh", "-c", script]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let (name, home) = passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields[2] == NOBODY.to_string())
        .map_or(("root".to_owned(), "/root".to_owned()), |fields| {
            (fields[0].to_owned(), fields[5].to_owned())
        });
    // what sudo has made of these two
    let as_sudo = |command: &mut Command| said_by(command.env("USER", "root").env("HOME", "/root"));
    let said = as_sudo(&mut run_for(Some(NOBODY)));
    assert_eq!(said[..2], ["65534", "65534"], "{said:?}");
    assert!(!said[2].split(' ').any(|group| group == "0"), "none of root's groups: {said:?}");
    assert_eq!(said[3..], [format!("{name} {home}"), "CapEff:\t0000000000000000".to_owned()], "{said:?}");
    // root who called sudo, and a name alone, which is no id
    for command in [&mut run_for(Some(0)), run_for(None).env("SUDO_USER", "nobody")] {
        let said = as_sudo(command);
        assert_eq!(said[..2], ["0", "0"], "{said:?}");
        assert_eq!(said[3], "root /root", "{said:?}");
    }
    let output =
        run_for(None).args(["--", "id"]).env("SUDO_UID", "root").env("SUDO_GID", "0").output().unwrap();
    assert_eq!(output.status.code(), Some(125), "better not than as root");
    assert!(output.stdout.is_empty());
}

fn who() {
    let target = Process::workload(&["wait"]);
    let pid = target.pid().to_string();
    let tracer = Tracer::start(&["who", "-l", "info", &pid]);
    target.kill(Signal::TERM);
    let said = tracer.wait();
    assert_eq!(said.status.code(), Some(0), "{}", said.stderr);
    assert!(said.stdout.contains(&format!("sent SIGTERM to workload({pid})")), "{}", said.stdout);
    assert!(said.stdout.contains(&format!("workload({pid}) was killed by SIGTERM")), "{}", said.stdout);
    let ignores = Process::workload(&["meets", "10", "ignore"]);
    let tracer = Tracer::start(&["who", "-l", "info", "--count", "1", &ignores.pid().to_string()]);
    ignores.kill(Signal::USR1);
    let said = tracer.wait();
    assert!(said.stdout.contains(&format!("sent SIGUSR1 to workload({})", ignores.pid())), "{}", said.stdout);
    assert!(!said.stderr.contains("has not ended"), "it was asked for no more: {}", said.stderr);
    let output = Command::new(killsnoop()).args(["who", "4194303"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no process 4194303"));
}

/// A shell that has given itself a name, and waits.
fn renamed(comm: &str) -> Process {
    let script = format!("printf {comm} >/proc/self/comm; echo; read -t 60 <> <(:)");
    Process::start(Command::new("bash").args(["-c", &script]))
}

/// Of several, named in either way, each is watched and whichever ends first is the answer; nobody else is. Flags may come before
/// the command.
fn who_of_several() {
    let name = |at: usize| if at < 3 { "one-of-several" } else { "another" };
    for (is_by_name, watched) in [(true, [0, 1, 2]), (false, [0, 2, 3])] {
        for victim in watched {
            let several: Vec<Process> = (0..5).map(|at| renamed(name(at))).collect();
            let pids: Vec<String> = several.iter().map(|process| process.pid().to_string()).collect();
            let wanted: Vec<&str> = if is_by_name {
                vec!["one-of-several"]
            } else {
                watched.iter().map(|&at| pids[at].as_str()).chain(["4194303"]).collect()
            };
            let tracer = Tracer::start(&[&["-o", "json", "-l", "info", "who"], &wanted[..]].concat());
            let said = tracer.stderr();
            let has_missing = said.contains("no process 4194303 to wait for: the others will be waited for");
            assert_eq!(has_missing, !is_by_name, "{said}");
            let is_ambiguous = said.contains("3 processes are named 'one-of-several' (")
                && said.contains("a pid chooses one: killsnoop who ");
            assert_eq!(is_ambiguous, is_by_name, "{said}");
            for process in &several {
                process.kill(Signal::WINCH);
            }
            several[victim].kill(Signal::KILL);
            let said = tracer.wait();
            assert_eq!(said.status.code(), Some(0), "{}", said.stderr);
            let events = said.events();
            let mut seen = targets(&events, 28);
            seen.sort_unstable();
            let mut expected: Vec<u64> = watched.iter().map(|&at| u64::from(several[at].pid())).collect();
            expected.sort_unstable();
            assert_eq!(seen, expected, "{}", said.stdout);
            let last = events.last().unwrap();
            assert_eq!(
                (&last["event"], &last["target"]["pid"]),
                (&"ended".into(), &several[victim].pid().into()),
                "{}",
                said.stdout
            );
        }
    }
}

/// What stops, continues or means nothing to a process is printed, and its end is waited for.
fn who_goes_on() {
    let target = Process::workload(&["meets", "10", "ignore"]);
    let watch = || Tracer::start(&["who", "-l", "info", "-o", "json", &target.pid().to_string()]);
    let (tracer, stopped) = (watch(), watch());
    for (signal, number) in [(Signal::USR1, 10), (Signal::STOP, 19), (Signal::CONT, 18), (Signal::KILL, 9)] {
        if number == 9 {
            let said = stopped.stop();
            let closing = format!("process {} has not ended; 3 signals were shown", target.pid());
            assert!(said.stderr.contains(&closing), "{}", said.stderr);
            assert_eq!(said.status.code(), Some(0));
            target.kill(signal);
            break;
        }
        target.kill(signal);
        for tracer in [&tracer, &stopped] {
            tracer.signal_to(target.pid(), number);
        }
    }
    let said = tracer.wait();
    let events = said.events();
    let signals: Vec<_> = events.iter().map(|event| event["signal"].as_u64().unwrap_or_default()).collect();
    assert_eq!(signals, [10, 19, 18, 9, 9], "{}", said.stdout);
    assert_eq!(events[4]["event"], "ended", "{}", said.stdout);
    assert!(!said.stderr.contains("has not ended"), "{}", said.stderr);
}

/// Either side, by the comm or by the executable, or by a pid; nobody else.
fn by_name() {
    let [target, other] = [renamed("renamed"), Process::workload(&["wait"])];
    let pid = target.pid().to_string();
    for wanted in [&["renamed"][..], &["bash"], &["rename?", "4194302"], &["no-such-name", &pid]] {
        let tracer = Tracer::json(wanted);
        other.kill(Signal::WINCH);
        target.kill(Signal::WINCH);
        tracer.signal_to(target.pid(), 28);
        let said = tracer.stop();
        let events = said.events();
        assert!(!events.iter().any(|event| event["target"]["pid"] == other.pid()), "{wanted:?}");
        assert!(said.counter("signals total", "filtered_user") >= 1, "{}", said.stderr);
        said.assert_counters_add_up();
    }
    // a sender
    let tracer = Tracer::json(&["kill"]);
    assert!(Command::new("kill").args(["-WINCH", &pid]).status().unwrap().success());
    tracer.signal_to(target.pid(), 28);
    // pids alone are decided in the kernel; beside a name they are not, since that may have any pid
    for (wanted, is_decided_there) in
        [(&[pid.as_str()][..], true), (&["renamed", &other.pid().to_string()], false)]
    {
        let tracer = Tracer::json(wanted);
        renamed("nobody").kill(Signal::WINCH);
        target.kill(Signal::WINCH);
        tracer.signal_to(target.pid(), 28);
        let said = tracer.stop();
        let later = said.counter("signals total", "filtered_user");
        assert_eq!(later == 0, is_decided_there, "{wanted:?}: {}", said.stderr);
    }
}

/// A handler may take its time.
fn who_handles() {
    let mut target = Process::start(
        Command::new("sh").args(["-c", "trap 'sleep 1; exit 143' TERM; echo; while :; do sleep 0.01; done"]),
    );
    let tracer = Tracer::start(&["who", "-l", "info", "-o", "json", &target.pid().to_string()]);
    target.kill(Signal::TERM);
    target.reap();
    let said = tracer.wait();
    let events = said.events();
    let kinds: Vec<&str> = events.iter().filter_map(|event| event["event"].as_str()).collect();
    assert_eq!(kinds, ["signal", "ended"], "{}", said.stdout);
    assert_eq!((&events[1]["exitCode"], &events[1]["after"]["id"]), (&143.into(), &events[0]["id"]));
    assert!(!said.stderr.contains("no signal"), "{}", said.stderr);
}

fn who_ends() {
    let mut target =
        Command::new("sh").args(["-c", "read go; exit 137"]).stdin(Stdio::piped()).spawn().unwrap();
    let pid = target.id();
    let tracer = Tracer::start(&["who", "-l", "info", "-o", "json", &pid.to_string()]);
    drop(target.stdin.take());
    assert_eq!(target.wait().unwrap().code(), Some(137));
    let said = tracer.wait();
    assert_eq!(said.status.code(), Some(0), "{}", said.stderr);
    let events = said.events();
    assert_eq!(events.len(), 1, "{}", said.stdout);
    assert_eq!((&events[0]["event"], &events[0]["exitCode"]), (&"ended".into(), &137.into()));
    assert!(events[0]["after"].is_null() && events[0]["missing"].is_null(), "{}", said.stdout);
    let summary = events[0]["summary"].as_str().unwrap();
    assert!(summary.starts_with(&format!("sh({pid}) exited with status 137 after ")), "{summary}");
    assert!(summary.ends_with("s; no signal ended it"), "{summary}");
    let sentence = format!("process {pid} (sh) exited with status 137 after ");
    assert!(
        said.stderr.contains(&sentence) && said.stderr.contains("; no signal was seen"),
        "{}",
        said.stderr
    );
    // of nobody else, and of nobody where no pid is asked for
    let others = Tracer::json(&[]);
    assert_eq!(Command::new("sh").args(["-c", "exit 137"]).status().unwrap().code(), Some(137));
    assert!(
        others.stop().events().iter().all(|event| event["exitCode"] != 137 || event["after"].is_object())
    );
}

fn who_came_late() {
    let target = Process::start(Command::new("sh").args(["-c", "echo; exit 7"]));
    wait_until("the zombie", || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", target.pid())).ok()?;
        stat.contains(") Z ").then_some(())
    });
    let output = Command::new(killsnoop()).args(["who", &target.pid().to_string()]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let sentence = format!("process {} (sh) exited with status 7 before this trace", target.pid());
    assert!(said.contains(&sentence) && said.contains(&format!("parent {}", std::process::id())), "{said}");
}

fn a_thread_id() {
    for wanted in [&["who"][..], &["-o", "json", "-p"], &["-o", "json", "--tree"]] {
        let target = Process::workload(&["thread-waits"]);
        let (pid, thread) = (target.pid(), target.said_number());
        assert_ne!(pid, thread);
        let tracer = Tracer::start(&[wanted, &[&thread.to_string(), "-l", "info"]].concat());
        let said = tracer.stderr();
        let sentence = format!("{thread} is a thread of workload({pid}): taken as {pid}");
        assert!(said.contains(&sentence), "{wanted:?}: {said}");
        support::kill(thread, Signal::TERM);
        let said = if wanted == ["who"] {
            tracer.wait()
        } else {
            tracer.signal_to(pid, 15);
            tracer.stop()
        };
        assert!(
            said.stdout.contains(&format!("sent SIGTERM to workload({pid})")),
            "{wanted:?}: {}",
            said.stdout
        );
    }
}

fn run_137() {
    let run = |command: &[&str]| {
        let output = Command::new(killsnoop()).args(["run", "--"]).args(command).output().unwrap();
        assert_eq!(output.status.code(), Some(137), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let said = run(&["sh", "-c", "exit 137"]);
    assert!(said.ends_with("killsnoop: sh exited with status 137; no signal ended it\n"), "{said}");
    let said = run(&["bash", "-c", "bash -c 'sleep 5 & kill -9 $!; wait $!'; exit $?"]);
    assert!(said.ends_with("killsnoop: bash exited with status 137; no signal ended it\n"), "{said}");
    // the child may not have become sleep yet
    assert!(said.contains("sent SIGKILL to "), "{said}");
    let said = run(&["sh", "-c", "kill -9 $$"]);
    assert!(said.ends_with("killsnoop: sh was killed by SIGKILL\n"), "{said}");
}
