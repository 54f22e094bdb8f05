//! Who sent it to whom.

use std::fs;
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;
use support::{Process, Tracer, children_of, cmdline, killsnoop, pids_up, run_workload, wait_until};

use crate::Test;
use crate::identity::exe_of;
use crate::older::Older;
use crate::skip::Skip;

pub const TESTS: &[Test] = &[
    ("the_line_of_the_readme_has_pkills_whole_command_line", &[], the_line_of_the_readme),
    ("a_process_group_of_three_gives_three_events", &[], a_process_group_of_three),
    ("a_signal_inside_a_pid_namespace_has_host_pids", &[Skip::PidNamespace], a_signal_inside_a_pid_namespace),
    ("a_thread_that_sends_is_named_beside_its_process", &[], a_thread_that_sends),
    ("relations_are_those_of_the_trees", &[], relations),
    ("both_trees_reach_the_top_and_share_it", &[], both_trees_reach_the_top),
    ("a_tree_cut_by_depth_is_flagged", &[], a_tree_cut_by_depth),
    ("the_target_of_a_shallow_tree_keeps_its_depth_below_a_deep_source", &[], a_deep_source),
    ("a_deep_target_of_its_parent_is_cut_by_depth_all_the_same", &[], a_shared_chain_is_cut),
    ("a_parent_that_dies_is_named_though_the_target_has_another", &[], parent_death),
    ("a_terminal_that_hangs_up_has_no_source_and_a_whole_tree", &[], a_hang_up),
    ("a_terminal_that_hung_up_before_its_leader_ended_has_its_name", &[], a_hang_up_before_the_end),
    ("a_child_that_never_execs_has_its_forkers_argv", &[], a_child_that_never_execs),
    ("exec_by_a_thread_keeps_the_identity", &[], exec_by_a_thread),
    ("what_ran_before_the_tracer_is_known", &[], what_ran_before),
    ("seeding_from_proc_knows_it_as_well", &[], seeded_from_proc),
    (
        "a_tracer_in_a_pid_namespace_of_its_own_never_mistakes_a_pid",
        &[Skip::PidNamespace],
        a_tracer_in_a_pid_namespace,
    ),
];

fn the_line_of_the_readme() {
    let tracer = Tracer::start(&[]);
    let mut shell = Process::start(Command::new("sh").args(["-c", "yes > /dev/null & echo $!; wait"]));
    let yes = shell.said_number();
    wait_until("yes to have exec'd", || {
        (fs::read_to_string(format!("/proc/{yes}/comm")).ok()?.trim() == "yes").then_some(())
    });
    // by the parent: this test's own yes only
    let parent = shell.pid().to_string();
    let status = Command::new("pkill").args(["-P", &parent, "yes"]).status().unwrap();
    assert!(status.success());
    shell.reap();
    let line = wait_until("the line", || {
        tracer
            .lines()
            .into_iter()
            .find(|line| line.contains(&format!("source.cmdline=\"[pkill -P {parent} yes]\"")))
    });
    let order = [
        "time=",
        "level=INFO",
        "msg=\"snooped signal\"",
        "event=signal",
        "signal=15",
        "signalString=terminated",
        "signalName=SIGTERM",
        "summary=\"pkill(",
        "origin=process",
        "via=kill",
        "scope=process",
        "result=queued",
        "source.pid=",
        "source.cmdline=\"[pkill -P",
        "source.comm=pkill",
        "source.tree=",
        "target.pid=",
        "target.cmdline=[yes]",
        "target.comm=yes",
        "commonAncestor.pid=",
        "source.parent.pid=",
        "source.parent.cmdline=",
        "source.parent.comm=",
        "source.parent.parent.pid=",
        "target.parent.pid=",
        "target.parent.cmdline=",
        "target.parent.comm=sh",
    ];
    let mut from = 0;
    for key in order {
        let at = line[from..].find(key).unwrap_or_else(|| panic!("no {key} after {}: {line}", &line[..from]));
        from += at + key.len();
    }
    assert!(!line.contains("missing="), "{line}");
}

fn a_process_group_of_three() {
    let tracer = Tracer::shared(&[]);
    let group = Process::workload(&["group", "3"]);
    let status =
        Command::new("kill").args(["-TERM", "--", &format!("-{}", group.said_number())]).status().unwrap();
    assert!(status.success());
    let events = wait_until("three events", || {
        let events: Vec<Value> = tracer
            .events()
            .into_iter()
            .filter(|event| event["target"]["pgid"] == group.said_number())
            .collect();
        (events.len() >= 3).then_some(events)
    });
    assert_eq!(events.len(), 3);
    for event in &events {
        assert_eq!(event["scope"], "process-group", "{event}");
        assert_eq!(event["via"], "kill", "{event}");
        assert_eq!(event["source"]["comm"], "kill", "{event}");
        assert_eq!(cmdline(&event["target"]), ["workload", "group", "3"], "{event}");
    }
}

fn a_signal_inside_a_pid_namespace() {
    let tracer = Tracer::shared(&[]);
    let script = "sleep 100 & target=$!; until grep -q sleep /proc/$target/comm; do :; done; \
                  kill -USR1 $target; wait $target; echo over";
    let inside =
        Process::start(Command::new("unshare").args(["--fork", "--pid", "--mount-proc", "sh", "-c", script]));
    let init = children_of(inside.pid()).first().copied().unwrap_or(0);
    let event = tracer.wait_for("SIGUSR1 inside the namespace", |event| {
        event["signal"] == 10 && pids_up(&event["target"]).contains(&u64::from(inside.pid()))
    });
    let target = event["target"]["pid"].as_u64().unwrap();
    assert!(event["target"]["nspid"].as_u64().unwrap() < 100, "{event}");
    assert_ne!(event["target"]["nspid"], event["target"]["pid"], "{event}");
    assert_eq!(event["source"]["nspid"], 1, "{event}");
    assert_eq!(event["target"]["pidns"], event["source"]["pidns"], "{event}");
    assert_eq!(event["relation"], "parent", "{event}");
    assert_eq!(event["target"]["cmdline"], serde_json::json!(["sleep", "100"]), "{event}");
    assert!(target > 1 && (init == 0 || event["source"]["pid"] == init), "{event}");
}

fn a_thread_that_sends() {
    let tracer = Tracer::shared(&[]);
    let target = Process::workload(&["wait"]);
    let thread: u64 = run_workload(&["thread-kill", &target.pid().to_string()]).trim().parse().unwrap();
    let event = tracer.signal_to(target.pid(), 15);
    assert_eq!(event["source"]["tid"], thread, "{event}");
    assert_ne!(event["source"]["pid"], thread, "{event}");
    assert_eq!(event["source"]["comm"], "workload", "{event}");
    assert_eq!(cmdline(&event["source"])[1], "thread-kill", "{event}");
}

fn relations() {
    let tracer = Tracer::json(&["--all"]);
    let own = std::process::id();
    let child = Process::workload(&["wait"]);
    child.kill(Signal::TERM);
    let event = tracer.signal_to(child.pid(), 15);
    assert_eq!(event["relation"], "parent", "{event}");
    assert_eq!(event["source"]["pid"], own, "{event}");

    let deep = Process::workload(&["depth", "3"]);
    support::kill(deep.said_number(), Signal::TERM);
    assert_eq!(tracer.signal_to(deep.said_number(), 15)["relation"], "ancestor");

    let sibling = Process::workload(&["wait"]);
    run_workload(&["storm", "15", "1", &sibling.pid().to_string()]);
    assert_eq!(tracer.signal_to(sibling.pid(), 15)["relation"], "sibling");

    let shell = Process::start(
        Command::new("sh").args(["-c", "echo x; trap : USR1; sh -c 'kill -USR1 $PPID'; sleep 100"]),
    );
    assert_eq!(tracer.signal_to(shell.pid(), 10)["relation"], "child");

    let shell = Process::start(Command::new("sh").args(["-c", "echo x; kill -STOP $$"]));
    let event = tracer.signal_to(shell.pid(), 19);
    assert_eq!(event["relation"], "self", "{event}");
    assert!(event["summary"].as_str().unwrap().ends_with("sent itself SIGSTOP"), "{event}");
}

fn both_trees_reach_the_top() {
    let tracer = Tracer::json(&["-d", "32"]);
    let target = Process::workload(&["wait"]);
    run_workload(&["storm", "15", "1", &target.pid().to_string()]);
    let event = tracer.signal_to(target.pid(), 15);
    let own = u64::from(std::process::id());
    for side in ["source", "target"] {
        let pids = pids_up(&event[side]);
        assert_eq!(pids[1], own, "{event}");
        assert_eq!(pids.last(), Some(&1), "{event}");
        let tree = event[side]["tree"].as_str().unwrap();
        assert_eq!(tree.split('─').count(), pids.len(), "{tree}");
        assert!(tree.ends_with(&format!("workload({})", pids[0])), "{tree}");
        assert!(event[side]["treeTruncated"].is_null(), "{event}");
        // PID 1 too has its command line, from the kernel or, marked, from /proc
        let mut top = &event[side];
        while top["parent"]["pid"].is_u64() {
            top = &top["parent"];
        }
        assert!(!cmdline(top).is_empty(), "{top}");
    }
    assert_eq!(pids_up(&event["source"])[1..], pids_up(&event["target"])[1..]);
    assert_eq!(event["commonAncestor"]["pid"], own);
}

fn a_tree_cut_by_depth() {
    // of one ancestor: a_deep_target_of_its_parent_is_cut_by_depth_all_the_same
    for (depth, length) in [("0", 1), ("3", 4)] {
        let tracer = Tracer::json(&["-d", depth]);
        let deep = Process::workload(&["depth", "5"]);
        support::kill(deep.said_number(), Signal::TERM);
        let event = tracer.signal_to(deep.said_number(), 15);
        assert_eq!(pids_up(&event["target"]).len(), length, "-d {depth}: {event}");
        assert_eq!(event["target"]["treeTruncated"], true, "-d {depth}: {event}");
        assert!(event["target"]["tree"].as_str().unwrap().starts_with("…─"), "-d {depth}: {event}");
    }
}

fn a_deep_source() {
    // the source has 10 ancestors below this test, its chain is cut at 4; the target is this test's child
    let tracer = Tracer::json(&["-d", "4"]);
    let target = Process::workload(&["wait"]);
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("deep.sh");
    fs::write(&script, "if [ $1 = 0 ]; then kill -TERM $2; else sh $0 $(($1 - 1)) $2; :; fi; :\n").unwrap();
    let status = Command::new("sh").arg(&script).args(["10", &target.pid().to_string()]).status().unwrap();
    assert!(status.success());
    let event = tracer.signal_to(target.pid(), 15);
    let target_pids = pids_up(&event["target"]);
    assert_eq!(pids_up(&event["source"]).len(), 5, "{event}");
    assert_eq!(target_pids[1], u64::from(std::process::id()), "{event}");
    let whole = target_pids.last() == Some(&1);
    assert!(whole || target_pids.len() == 5, "{event}");
    assert_eq!(event["relation"], Value::Null, "a cut chain claims nothing: {event}");
}

fn a_child_that_never_execs() {
    let tracer = Tracer::shared(&[]);
    let parent = Process::workload(&["forked"]);
    support::kill(parent.said_number(), Signal::TERM);
    let event = tracer.signal_to(parent.said_number(), 15);
    assert_eq!(cmdline(&event["target"]), ["workload", "forked"]);
    assert_eq!(event["target"]["parent"]["pid"], parent.pid());
}

fn exec_by_a_thread() {
    let tracer = Tracer::shared(&[]);
    let process = Process::workload(&["thread-exec"]);
    process.kill(Signal::TERM);
    let event = tracer.signal_to(process.pid(), 15);
    assert_eq!(cmdline(&event["target"]), ["workload", "wait", "exec'd by a thread"], "{event}");
    assert!(event["missing"].is_null(), "{event}");
}

/// Short, long, and longer; and one that has not exec'd.
fn start_before() -> ([(String, Process); 3], Process) {
    let arguments = ["short".to_owned(), "x".repeat(3000), "y".repeat(9000)];
    let before = arguments.map(|argument| {
        let process = Process::workload(&["wait", &argument]);
        (argument, process)
    });
    (before, Process::workload(&["forked"]))
}

pub const BEFORE: Older<([(String, Process); 3], Process)> = Older("before", start_before);

fn what_ran_before() {
    let (before, forked) = BEFORE.take();
    let tracer = Tracer::shared(&[]);
    for (argument, process) in &before {
        process.kill(Signal::TERM);
        let event = tracer.signal_to(process.pid(), 15);
        assert_eq!(cmdline(&event["target"]), ["workload", "wait", argument.as_str()]);
        // its own claim
        assert_eq!(event["target"]["cmdlineFrom"], "memory", "{event}");
    }
    let since = Process::workload(&["wait"]);
    since.kill(Signal::TERM);
    let event = tracer.signal_to(since.pid(), 15);
    assert!(event["target"]["cmdlineFrom"].is_null(), "{event}");
    support::kill(forked.said_number(), Signal::TERM);
    assert_eq!(cmdline(&tracer.signal_to(forked.said_number(), 15)["target"]), ["workload", "forked"]);
}

fn seeded_from_proc() {
    let longer = "y".repeat(9000);
    let before = Process::workload(&["wait", &longer]);
    let tracer = Tracer::json(&["--seed-from-proc"]);
    let truth = exe_of(before.pid());
    before.kill(Signal::TERM);
    let event = tracer.signal_to(before.pid(), 15);
    assert_eq!(cmdline(&event["target"]), ["workload", "wait", &longer]);
    assert_eq!(event["target"]["cmdlineFrom"], "proc");
    assert_eq!(event["target"]["exe"], truth, "{event}");
    assert_eq!(event["source"]["exe"], exe_of(std::process::id()), "{event}");
    // and what execs afterwards is the kernel's
    let after = Process::workload(&["wait"]);
    after.kill(Signal::TERM);
    assert!(tracer.signal_to(after.pid(), 15)["target"]["cmdlineFrom"].is_null());
    assert!(tracer.stop().stderr.contains("from /proc"));
}

fn a_tracer_in_a_pid_namespace() {
    let before = Process::workload(&["wait", "older than the tracer"]);
    // /proc stays the host's, as --root has it in a container
    let tracer = Tracer::run(Command::new("unshare").args([
        "--fork",
        "--pid",
        "--kill-child",
        killsnoop(),
        "-o",
        "json",
    ]));
    before.kill(Signal::TERM);
    let event = tracer.signal_to(before.pid(), 15);
    assert_eq!(cmdline(&event["target"]), ["workload", "wait", "older than the tracer"], "{event}");
    assert_eq!(event["target"]["cmdlineFrom"], "proc", "{event}");
    let mut top = &event["target"];
    while top["parent"]["pid"].is_u64() {
        top = &top["parent"];
    }
    // where its memory map may be looked at; else it is said to be missing
    if top["cmdline"].is_array() {
        let init = fs::read("/proc/1/cmdline").unwrap();
        assert_eq!(cmdline(top).join("\0") + "\0", String::from_utf8_lossy(&init), "{top}");
    } else {
        assert!(event["missing"].to_string().contains("cmdline:unknown"), "{event}");
    }
    // PID 1 of that namespace is the tracer: it must not have the host's PID 1's command line
    let itself = children_of(tracer.pid())[0];
    support::kill(itself, Signal::USR1);
    let event = tracer.signal_to(itself, 10);
    assert_eq!(event["target"]["nspid"], 1, "{event}");
    assert_eq!(cmdline(&event["target"]), [killsnoop(), "-o", "json"], "{event}");
    support::kill(itself, Signal::TERM);
    let said = tracer.wait();
    assert!(said.stderr.contains("pid namespace of its own"), "{}", said.stderr);
}

fn a_shared_chain_is_cut() {
    // the source is the target's parent: the target's chain joins the source's at once
    for depth in ["0", "1"] {
        let tracer = Tracer::json(&["-d", depth]);
        let child = Process::workload(&["wait"]);
        child.kill(Signal::TERM);
        let event = tracer.signal_to(child.pid(), 15);
        let length = depth.parse::<usize>().unwrap() + 1;
        for side in ["source", "target"] {
            assert_eq!(pids_up(&event[side]).len(), length, "-d {depth} {side}: {event}");
            assert_eq!(event[side]["treeTruncated"], true, "-d {depth} {side}: {event}");
        }
    }
}

fn parent_death() {
    let tracer = Tracer::shared(&[]);
    let parent = Process::workload(&["dies-before-its-child"]);
    let child = parent.said_number();
    let event = tracer.signal_to(child, 15);
    assert_eq!(event["origin"], "parent-death", "{event}");
    assert!(event["source"].is_null(), "{event}");
    assert_eq!(event["trigger"]["pid"], parent.pid(), "{event}");
    assert_eq!(event["trigger"]["processAlive"], false, "{event}");
    assert_eq!(cmdline(&event["trigger"]), ["workload", "dies-before-its-child"], "{event}");
    // its parent is another now, and its tree goes to the top all the same
    assert!(event["target"]["treeTruncated"].is_null(), "{event}");
    assert_eq!(pids_up(&event["target"]).last(), Some(&1), "{event}");
}

fn a_hang_up() {
    let tracer = Tracer::shared(&[]);
    let leader = Process::workload(&["leads-a-terminal"]);
    let child = leader.said_number();
    // the leader ends, and the kernel hangs up on those in the foreground
    let event = tracer.signal_to(child, 1);
    assert_eq!(event["origin"], "tty", "{event}");
    assert!(event["source"].is_null(), "{event}");
    assert_eq!(event["trigger"]["pid"], leader.pid(), "{event}");
    assert!(event["target"]["treeTruncated"].is_null(), "{event}");
    assert_eq!(pids_up(&event["target"]).last(), Some(&1), "{event}");
}

fn a_hang_up_before_the_end() {
    let tracer = Tracer::shared(&[]);
    let holder = Process::workload(&["hangs-up"]);
    let said = holder.said();
    let (name, child) = said.trim().strip_prefix("/dev/").unwrap().split_once(' ').unwrap();
    holder.kill(Signal::TERM);
    // the leader has lost its terminal; it ends, and signals the foreground
    let event = tracer.signal_to(child.parse().unwrap(), 1);
    assert_eq!(event["origin"], "tty", "{event}");
    assert_eq!(cmdline(&event["trigger"])[1], "loses-a-terminal", "{event}");
    assert_eq!(event["tty"]["name"], name, "{event}");
}
