use super::*;
use crate::event::header::Header;
use crate::output::format::Format;
use crate::output::format::ValueRef::{Number, Seconds, Text};
use crate::output::format::document::tests::sample;
use crate::output::format::document::{Field, JOINED_END};
use crate::output::format::screen::{PLAIN, Width, width_of};

fn draw(screen: Screen, document: &Document) -> String {
    let mut out = Vec::new();
    Tree::new(screen, None).draw(document, &mut out);
    String::from_utf8(out).unwrap()
}

/// An event with these two chains, each from the process up.
fn event(source: &[u64], target: &[u64]) -> Document {
    let mut document = Document::default();
    document.field("signalName", Text("SIGTERM"));
    document.field("origin", Text("process"));
    for (side, chain) in [("source", source), ("target", target)] {
        for (place, pid) in chain.iter().enumerate() {
            if place == 0 {
                document.open(side);
            } else {
                document.open_last("parent");
            }
            document.field("pid", Number(*pid));
            document.field("comm", Text(&format!("p{pid}")));
        }
        for _ in chain {
            document.close();
        }
    }
    document
}

#[test]
fn two_trees_meet_and_the_signal_is_on_the_arrow() {
    let text = draw(PLAIN, &sample());
    assert_eq!(
        text.lines().skip(1).collect::<Vec<_>>(),
        ["  sh(5)", "  ├─pkill(7)  pkill \"a b\"", "  │ ╰─SIGTERM─▶ yes(9)  sent", "  ╰─yes(9)  yes \"a b\"",],
        "{text}"
    );
}

#[test]
fn every_way_two_chains_can_lie_is_drawn() {
    for (source, target, drawn) in [
        (&[2, 1][..], &[2, 1][..], &["  p1(1)─p2(2)", "  ╰─SIGTERM─▶ itself"][..]),
        (&[1], &[2, 1], &["  p1(1)", "  ├─SIGTERM─▶ p2(2)", "  ╰─p2(2)"]),
        (&[2, 1], &[1], &["  p1(1)", "  ╰─p2(2)", "    ╰─SIGTERM─▶ p1(1)"]),
        (&[3, 2], &[1], &["  p2(2)", "  ╰─p3(3)", "    ╰─SIGTERM─▶ p1(1)", "  p1(1)"]),
        (
            &[4, 2, 1],
            &[5, 3, 1],
            &["  p1(1)", "  ├─p2(2)", "  │ ╰─p4(4)", "  │   ╰─SIGTERM─▶ p5(5)", "  ╰─p3(3)", "    ╰─p5(5)"],
        ),
        // both were cut after two
        (&[2, 1], &[3, 2], &["  p1(1)─p2(2)", "  ├─SIGTERM─▶ p3(3)", "  ╰─p3(3)"]),
        (&[3, 2], &[2, 1], &["  p1(1)─p2(2)", "  ╰─p3(3)", "    ╰─SIGTERM─▶ p2(2)"]),
        (&[], &[2, 1], &["  p1(1)─p2(2)", "  ╰─◀─SIGTERM process"]),
        (&[2, 1], &[], &["  p1(1)─p2(2)", "  ╰─SIGTERM─▶ ?"]),
    ] {
        let text = draw(PLAIN, &event(source, target));
        assert_eq!(text.lines().skip(1).collect::<Vec<_>>(), drawn, "{source:?} {target:?}");
    }
}

#[test]
fn an_end_that_a_signal_explains_has_the_outcome_and_no_arrow() {
    let mut document = Document::default();
    document.begin(&Header { kind: EventKind::Ended, ..Header::default() });
    document.field("exitCode", Number(143));
    document.open("after");
    document.field("signalName", Text("SIGTERM"));
    document.field("secondsAgo", Seconds(12_000_000_000));
    document.open("source");
    document.field("pid", Number(7));
    document.field("comm", Text("runc"));
    document.close();
    document.close();
    document.open("target");
    document.field("pid", Number(9));
    document.field("comm", Text("java"));
    document.close();
    let text = draw(PLAIN, &document);
    assert_eq!(text.lines().skip(1).collect::<Vec<_>>(), ["  java(9)", "  ╰─exit 143"], "{text}");
}

#[test]
fn an_exit_that_no_signal_came_before_has_no_arrow_either() {
    let mut document = Document::default();
    document.begin(&Header { kind: EventKind::Ended, ..Header::default() });
    document.field("exitCode", Number(137));
    document.open("target");
    document.field("pid", Number(9));
    document.field("comm", Text("sh"));
    document.close();
    let text = draw(PLAIN, &document);
    assert_eq!(text.lines().skip(1).collect::<Vec<_>>(), ["  sh(9)", "  ╰─exit 137"], "{text}");
}

#[test]
fn the_headline_is_the_sentence_and_the_arrow_says_what_became_of_it() {
    let mut document = sample();
    document.field("time", Text("2026-01-01T21:28:48.883123456Z"));
    document.field("summary", Text("pkill(7) sent SIGTERM to yes(9)"));
    document.field("via", Text("kill"));
    let mut end = Document::default();
    end.begin(&Header { kind: EventKind::Ended, ..Header::default() });
    end.field("signalName", Text("SIGTERM"));
    end.open("after");
    end.field("secondsAgo", Seconds(56_000));
    end.close();
    document.insert_behind(&[], JOINED_END, Value::Object(end.fields().to_vec()));
    let text = draw(PLAIN, &document);
    assert!(text.starts_with("21:28:48.883Z  pkill(7) sent SIGTERM to yes(9)\n"), "{text}");
    assert!(text.contains("╰─SIGTERM─▶ yes(9)  killed after 56 µs, by kill\n"), "{text}");
    let text = draw(Screen { is_ascii: true, ..PLAIN }, &document);
    assert!(text.is_ascii() && text.contains("killed after 56 us"), "{text}");
}

#[test]
fn the_signal_before_is_drawn_where_another_process_sent_it() {
    for (pid, line) in [(7, None), (8, Some("  before: SIGTERM from sh(8), 124 ms earlier, ignored"))] {
        let mut document = sample();
        document.open("previous");
        document.field("signalName", Text("SIGTERM"));
        document.field("result", Text("ignored"));
        document.open("source");
        document.field("pid", Number(pid));
        document.field("comm", Text("sh"));
        document.close();
        document.field("secondsAgo", Seconds(124_000_000));
        document.close();
        let text = draw(PLAIN, &document);
        assert_eq!(text.lines().find(|line| line.contains("before:")), line, "{text}");
    }
}

#[test]
fn the_trees_of_a_command_begin_with_it() {
    let drawn = |top: Option<u32>, is_cut: bool| {
        let mut document = event(&[4, 3, 2, 1], &[5, 3, 2, 1]);
        for field in document.fields_mut().iter_mut().filter(|_| is_cut) {
            if let Value::Object(side) = &mut field.value {
                side.push(Field { key: "treeTruncated", value: Value::Flag(true), is_last: false });
            }
        }
        let mut out = Vec::new();
        Tree::new(PLAIN, top).draw(&document, &mut out);
        String::from_utf8(out).unwrap().lines().nth(1).unwrap().to_owned()
    };
    assert_eq!(drawn(Some(2), false), "  p3(3)");
    assert_eq!(drawn(Some(2), true), "  p3(3)");
    assert_eq!(drawn(Some(9), true), "  …─p1(1)─p2(2)─p3(3)");
    assert_eq!(drawn(None, false), "  p1(1)─p2(2)─p3(3)");
    // the tracer itself sends what it hands on
    let mut out = Vec::new();
    Tree::new(PLAIN, Some(2)).draw(&event(&[2, 1], &[3, 2, 1]), &mut out);
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("p2(2)") && text.contains("─SIGTERM─▶ p3(3)"), "{text}");
}

#[test]
fn a_long_sentence_goes_on_in_the_next_line() {
    let mut document = sample();
    document.field("time", Text("2026-01-01T21:28:48.883123456Z"));
    document.field("summary", Text("pkill(7) sent SIGTERM to yes(9), which ignored it"));
    let text = draw(Screen { width: Width::Columns(40), ..PLAIN }, &document);
    assert!(
        text.starts_with("21:28:48.883Z  pkill(7) sent SIGTERM to\n    yes(9), which ignored it\n  sh(5)\n"),
        "{text}"
    );
}

#[test]
fn ascii_means_ascii() {
    let text = draw(Screen { is_ascii: true, ..PLAIN }, &sample());
    assert!(text.is_ascii(), "{text}");
    assert!(text.contains("|-pkill(7)") && text.contains("`-SIGTERM-> yes(9)"), "{text}");
}

#[test]
fn no_line_is_wider_than_the_screen() {
    for columns in 0..60 {
        let text = draw(Screen { width: Width::Columns(columns), ..PLAIN }, &sample());
        assert!(text.lines().all(|line| width_of(line) <= columns), "{columns}: {text}");
    }
}

#[test]
fn a_long_way_down_to_the_meeting_is_shortened_and_says_by_how_much() {
    let chain: Vec<u64> = (1..=16).rev().collect();
    let text = draw(PLAIN, &event(&[&[20], &chain[..]].concat(), &[&[21], &chain[..]].concat()));
    assert!(text.contains("p1(1)─(11 more)─p13(13)─p14(14)─p15(15)─p16(16)\n"), "{text}");
}

#[test]
fn the_command_line_comes_before_the_ancestors_where_there_is_no_room_for_both() {
    let chain: Vec<u64> = (1..=9).rev().collect();
    let mut document = event(&[&[20], &chain[..]].concat(), &[&[21], &chain[..]].concat());
    for field in document.fields_mut().iter_mut() {
        let Value::Object(side) = &mut field.value else { continue };
        for field in side.iter_mut().filter(|field| field.key == "parent") {
            let Value::Object(parent) = &mut field.value else { continue };
            let value = Value::List(vec![b"make".to_vec(), b"--directory=/usr/src/linux".to_vec()]);
            parent.push(Field { key: "cmdline", value, is_last: false });
        }
    }
    let drawn = |columns: usize| {
        let text = draw(Screen { width: Width::Columns(columns), ..PLAIN }, &document);
        text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    let ancestors = "  p1(1)─(4 more)─p6(6)─p7(7)─p8(8)";
    let command = "p9(9)  make --directory=/usr/src/linux";
    let apart = [
        ancestors,
        "  ╰─p9(9)  make --directory=/usr/src/linux",
        "    ├─p20(20)",
        "    │ ╰─SIGTERM─▶ p21(21)",
        "    ╰─p21(21)",
    ];
    let whole = width_of(ancestors) + 1 + width_of(command);
    assert_eq!(drawn(whole)[0], format!("{ancestors}─{command}"));
    assert_eq!(drawn(whole - 1), apart);
    assert_eq!(drawn(50), apart);
    assert_eq!(drawn(30)[..2], ["  p1(1)─(4 more)─p6(6)─p7(7)─…", "  ╰─p9(9)  make --directory=/…"]);
}
