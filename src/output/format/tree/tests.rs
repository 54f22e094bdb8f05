use super::*;
use crate::event::header::Header;
use crate::output::format::Format;
use crate::output::format::ValueRef::{Number, Seconds, Text};
use crate::output::format::document::tests::sample;
use crate::output::format::screen::{PLAIN, Width, width_of};

fn draw(screen: Screen, document: &Document) -> String {
    let mut out = Vec::new();
    Tree::new(screen).draw(document, &mut out);
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
        [
            "  sh(5)",
            "  ├─pkill(7)  pkill \"a b\"",
            "  │ ╰─SIGTERM─▶ yes(9)  queued",
            "  ╰─yes(9)  yes \"a b\"",
        ],
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
    assert_eq!(
        text.lines().skip(1).collect::<Vec<_>>(),
        ["  after: SIGTERM from runc(7), 12.000000 s earlier", "  java(9)", "  ╰─exit 143"],
        "{text}"
    );
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
