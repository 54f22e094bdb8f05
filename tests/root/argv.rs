//! Command lines: whole, cut and flagged, hostile, empty, rewritten.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use base64::Engine;
use rustix::process::Signal;
use serde_json::json;
use support::{Process, Tracer, cmdline, run_workload, wait_until, workload};

use crate::Test;

pub const TESTS: &[Test] = &[
    ("argv_of_every_size_class_is_whole_on_both_sides", &[], every_size_class),
    ("argv_that_is_too_long_is_cut_and_flagged", &[], too_long),
    ("two_mebibytes_of_arguments_are_cut_and_flagged", &[], two_mebibytes),
    ("an_ancestors_argv_is_whole_to_a_kibibyte", &[], an_ancestors_argv),
    ("argument_boundaries_survive_empty_and_hostile_arguments", &[], hostile_arguments),
    ("no_arguments_at_all_is_an_empty_or_one_empty_argument", &[], no_arguments),
    ("bytes_that_are_not_utf_8_are_there_raw", &[], not_utf_8),
    ("no_foreign_byte_reaches_the_output_unescaped", &[], nothing_unescaped),
    ("a_sender_that_rewrites_its_argv_is_shown_as_exec_d_with_its_title", &[], a_rewritten_argv),
    ("a_title_that_spills_over_the_block_is_one_string", &[], a_spilt_title),
    ("a_block_that_was_moved_or_unmapped_changes_nothing", &[], a_moved_block),
    ("a_comm_with_brackets_and_newlines_is_harmless", &[], a_hostile_comm),
    ("exec_from_a_long_to_a_short_argv_leaves_nothing_behind", &[], long_to_short),
];

fn every_size_class() {
    let tracer = Tracer::shared(&[]);
    // one argument that fills each class of the kernel's storage, and the sizes on both sides of each edge
    for size in [1, 340, 360, 361, 1900, 1960, 2500, 6144, 8050, 8104, 8105, 12_000, 16_000] {
        let argument = "a".repeat(size);
        let target = Process::workload(&["wait", &argument]);
        let target_pid = target.pid().to_string();
        run_workload(&["storm", "15", "1", &target_pid, &argument]);
        let event = tracer.signal_to(target.pid(), 15);
        assert!(event["missing"].is_null(), "{size}: {event}");
        assert_eq!(cmdline(&event["target"]), ["workload", "wait", &argument], "{size}");
        assert_eq!(
            cmdline(&event["source"]),
            ["workload", "storm", "15", "1", &target_pid, &argument],
            "{size}"
        );
        // a child that never execs has it copied
        assert!(event["target"]["cmdlineTruncated"].is_null(), "{size}");
    }
    for size in [300, 1500, 7000, 15_000] {
        let argument = "b".repeat(size);
        let parent = Process::workload(&["forked", &argument]);
        support::kill(parent.said_number(), Signal::TERM);
        assert_eq!(
            cmdline(&tracer.signal_to(parent.said_number(), 15)["target"]),
            ["workload", "forked", &argument]
        );
    }
}

fn too_long() {
    let tracer = Tracer::shared(&[]);
    for size in [20_000, 100_000, 130_000] {
        let argument = "a".repeat(size);
        let target = Process::workload(&["wait", &argument]);
        target.kill(Signal::TERM);
        let event = tracer.signal_to(target.pid(), 15);
        assert_eq!(event["target"]["cmdlineTruncated"], true, "{size}");
        let kept = cmdline(&event["target"]);
        assert!(argument.starts_with(&kept[2]) && kept[2].len() > 16_000, "{}", kept[2].len());
    }
}

fn two_mebibytes() {
    let tracer = Tracer::shared(&[]);
    // one argument has at most 128 KiB, all of them a quarter of the stack's limit: a little less than 2 MiB
    let arguments: Vec<String> = (0..15).map(|place| format!("{place}-{}", "m".repeat(130_000))).collect();
    let words: Vec<&str> = ["wait"].into_iter().chain(arguments.iter().map(String::as_str)).collect();
    let target = Process::workload(&words);
    target.kill(Signal::TERM);
    let event = tracer.signal_to(target.pid(), 15);
    assert_eq!(event["target"]["cmdlineTruncated"], true, "{event}");
    let kept = cmdline(&event["target"]);
    assert_eq!(kept.len(), 3);
    assert!(arguments[0].starts_with(&kept[2]) && kept[2].len() > 16_000, "{}", kept[2].len());
}

fn an_ancestors_argv() {
    let tracer = Tracer::shared(&[]);
    for (size, is_cut) in [(900, false), (1000, false), (1100, true), (5000, true), (12_000, true)] {
        let argument = "p".repeat(size);
        let parent = Process::workload(&["forked", &argument]);
        support::kill(parent.said_number(), Signal::TERM);
        let event = tracer.signal_to(parent.said_number(), 15);
        let above = &event["target"]["parent"];
        assert_eq!(above["pid"], parent.pid());
        assert_eq!(above["cmdlineTruncated"].as_bool().unwrap_or(false), is_cut, "{size}");
        let kept = &cmdline(above)[2];
        assert!(argument.starts_with(kept) && (is_cut || *kept == argument), "{size}: {}", kept.len());
        assert!(kept.len() >= size.min(1000), "{size}: {}", kept.len());
    }
}

fn hostile_arguments() {
    let tracer = Tracer::shared(&[]);
    let arguments = [
        "wait",
        "",
        "a b",
        "\"quoted\"",
        "'",
        "[x]",
        "new\nline",
        "\u{1b}[2J",
        "x=y",
        "\u{202e}",
        "back\\slash",
        "",
    ];
    let target = Process::workload(&arguments);
    target.kill(Signal::TERM);
    let event = tracer.signal_to(target.pid(), 15);
    assert_eq!(cmdline(&event["target"])[1..], arguments);
}

fn no_arguments() {
    let tracer = Tracer::shared(&[]);
    let target = Process::workload(&["no-arguments"]);
    target.kill(Signal::TERM);
    let event = tracer.signal_to(target.pid(), 15);
    // since 5.18 the kernel gives such a program one empty argument
    let line = &event["target"]["cmdline"];
    assert!(*line == json!([]) || *line == json!([""]), "{event}");
    assert!(event["missing"].is_null(), "{event}");
}

fn not_utf_8() {
    let tracer = Tracer::shared(&[]);
    let foreign = b"caf\xe9\xff".to_vec();
    let target = Process::start(
        Command::new(workload()).arg0("workload").arg("wait").arg(OsString::from_vec(foreign.clone())),
    );
    target.kill(Signal::TERM);
    let event = tracer.signal_to(target.pid(), 15);
    assert_eq!(cmdline(&event["target"])[2], "caf\u{fffd}\u{fffd}");
    let raw = event["target"]["cmdlineRaw"].as_str().unwrap();
    let raw = base64::engine::general_purpose::STANDARD.decode(raw).unwrap();
    assert_eq!(raw, [b"workload\0wait\0", &foreign[..], b"\0"].concat());
}

fn nothing_unescaped() {
    for format in ["logfmt", "json"] {
        let tracer = Tracer::start(&["-o", format]);
        let target = Process::workload(&["wait", "a\nb\u{1b}[31m\u{202e}\u{200b}\u{9b}c"]);
        target.kill(Signal::TERM);
        let wanted = format!("({})", target.pid());
        let line = wait_until("the line", || tracer.lines().into_iter().find(|line| line.contains(&wanted)));
        assert!(!line.chars().any(killsnoop::base::sanitize::is_unsafe), "{format}: {line:?}");
        assert!(line.contains("u001b[31m"), "{format}: {line}");
    }
}

fn a_rewritten_argv() {
    let tracer = Tracer::shared(&[]);
    let target = Process::workload(&["wait"]);
    let pid = target.pid().to_string();
    run_workload(&["retitle", "innocent daemon", &pid]);
    let event = tracer.signal_to(target.pid(), 15);
    assert_eq!(cmdline(&event["source"]), ["workload", "retitle", "innocent daemon", &pid]);
    assert_eq!(event["source"]["title"], "innocent daemon", "{event}");
    // one that does not is shown without
    let target = Process::workload(&["wait"]);
    run_workload(&["storm", "15", "1", &target.pid().to_string()]);
    assert!(tracer.signal_to(target.pid(), 15)["source"]["title"].is_null());
}

fn long_to_short() {
    let tracer = Tracer::shared(&[]);
    let script = format!("exec {} wait short", workload().display());
    let shell = Process::start(Command::new("sh").args(["-c", &script, &"z".repeat(15_000)]));
    shell.kill(Signal::TERM);
    let event = tracer.signal_to(shell.pid(), 15);
    assert_eq!(cmdline(&event["target"])[1..], ["wait", "short"], "{event}");
}

fn a_spilt_title() {
    let tracer = Tracer::shared(&[]);
    let target = Process::workload(&["wait"]);
    let pid = target.pid().to_string();
    run_workload(&["retitle-long", "postgres: walsender ", &pid]);
    let event = tracer.signal_to(target.pid(), 15);
    assert_eq!(
        cmdline(&event["source"]),
        ["workload", "retitle-long", "postgres: walsender ", &pid],
        "{event}"
    );
    let title = event["source"]["title"].as_str().unwrap();
    assert!(title.starts_with("postgres: walsender postgres: walsender"), "{title}");
    assert!(
        title.len() > "workload retitle-long postgres: walsender  ".len() + pid.len(),
        "it goes on: {title}"
    );
}

fn a_moved_block() {
    let tracer = Tracer::shared(&[]);
    // of the target: what was exec'd is kept in the kernel
    let target = Process::workload(&["move-block"]);
    // of the source: where the block is now is its title
    run_workload(&["move-block", &target.pid().to_string()]);
    let event = tracer.signal_to(target.pid(), 15);
    assert_eq!(cmdline(&event["target"]), ["workload", "move-block"], "{event}");
    assert_eq!(cmdline(&event["source"]), ["workload", "move-block", &target.pid().to_string()], "{event}");
    assert_eq!(event["source"]["title"], "nobody looks here", "{event}");
    // and one that has none any more: the title cannot be had, and that is said
    let target = Process::workload(&["wait"]);
    let pid = target.pid().to_string();
    run_workload(&["unmap-block", &pid]);
    let event = tracer.signal_to(target.pid(), 15);
    assert_eq!(cmdline(&event["source"]), ["workload", "unmap-block", &pid], "{event}");
    assert_eq!(event["missing"], json!(["source.title:unreadable"]), "{event}");
}

fn a_hostile_comm() {
    let tracer = Tracer::start(&[]);
    let target = Process::workload(&["rename", "x) R 1\n(y"]);
    target.kill(Signal::TERM);
    let wanted = format!("target.pid={} ", target.pid());
    let line = wait_until("the line", || tracer.lines().into_iter().find(|line| line.contains(&wanted)));
    assert!(line.contains(r#"target.comm="x) R 1\n(y""#), "{line}");
    assert!(line.contains(r#"─\"x) R 1\\n(y\"("#), "{line}");
}
