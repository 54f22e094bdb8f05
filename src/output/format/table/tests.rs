use super::*;
use crate::event::header::Header;
use crate::output::format::Format;
use crate::output::format::ValueRef::{Flag, Integer, List, Number, Seconds, Text, Words};
use crate::output::format::document::tests::sample;
use crate::output::format::document::{Field, JOINED_END, Value};
use crate::output::format::screen::{PLAIN, Width};

fn at(columns: Option<usize>) -> Screen {
    Screen { width: columns.map_or(Width::Unlimited, Width::Columns), ..PLAIN }
}

fn draw(columns: Option<usize>, keys: &[&str], document: &Document) -> String {
    let keys: Vec<String> = keys.iter().map(|&key| key.to_owned()).collect();
    let mut out = Vec::new();
    Table::new(at(columns), &keys).draw(document, &mut out);
    String::from_utf8(out).unwrap()
}

/// The second line.
fn row(columns: usize, document: &Document) -> String {
    draw(Some(columns), &[], document).lines().nth(1).unwrap().to_owned()
}

fn timed() -> Document {
    let mut document = sample();
    document.field("time", Text("2026-01-01T21:28:48.883123456Z"));
    document
}

/// `yes(9)` ended after a SIGTERM of `pkill(7)`.
fn end(how: impl FnOnce(&mut Document)) -> Document {
    let mut document = Document::default();
    document.begin(&Header { kind: EventKind::Ended, ..Header::default() });
    document.field("time", Text("2026-01-01T21:28:48.884123456Z"));
    how(&mut document);
    document.open("after");
    document.field("signalName", Text("SIGTERM"));
    document.open("source");
    document.field("pid", Number(7));
    document.field("comm", Text("pkill"));
    document.close();
    document.field("secondsAgo", Seconds(1_000_000));
    document.close();
    document.open("target");
    document.field("pid", Number(9));
    document.field("cmdline", List(&[b"yes", b"a b"]));
    document.field("comm", Text("yes"));
    document.close();
    document
}

#[test]
fn a_row_says_who_whom_what_and_both_command_lines_at_80_columns() {
    assert_eq!(
        draw(Some(80), &[], &timed()),
        "TIME      SIG   SENDER        TARGET        RESULT   CMDLINE       TCMDLINE\n\
         21:28:48Z TERM  pkill(7)      yes(9)        sent     pkill \"a b\"   yes \"a b\"\n"
    );
    assert_eq!(
        row(130, &timed()),
        "21:28:48.883Z TERM   pkill(7)               yes(9)                 sent      pkill \"a b\"                yes \"a b\""
    );
}

#[test]
fn every_width_is_kept() {
    for columns in 1..200 {
        for document in [timed(), end(|document| document.field("exitCode", Number(143)))] {
            let text = draw(Some(columns), &[], &document);
            assert!(text.lines().all(|line| width_of(line) <= columns), "{columns}: {text}");
        }
    }
    assert!(!draw(Some(60), &[], &sample()).contains("CMDLINE"));
}

#[test]
fn a_name_that_is_cut_keeps_its_pid() {
    let mut document = timed();
    for field in document.fields_mut() {
        if let Value::Object(inner) = &mut field.value {
            for field in inner.iter_mut().filter(|field| field.key == "comm") {
                field.value = Value::Text("systemd-journald".to_owned());
            }
        }
    }
    assert!(row(80, &document).contains(" systemd-j…(7) systemd-j…(9) "), "{}", row(80, &document));
}

#[test]
fn the_keys_that_were_asked_for_are_the_columns() {
    let text = draw(None, &["target.parent.comm", "signal"], &sample());
    assert_eq!(text, "target.parent.comm signal\nsh                 15\n");
}

#[test]
fn sender_target_and_result_can_be_asked_for_as_they_stand_in_the_usual_table() {
    let text = draw(None, &["source", "target", "result"], &sample());
    let words: Vec<&str> = text.split_whitespace().collect();
    assert_eq!(words, ["SENDER", "TARGET", "RESULT", "pkill(7)", "yes(9)", "sent"]);
}

#[test]
fn every_column_that_was_asked_for_is_shown_at_any_width() {
    let keys = [
        "time",
        "signalName",
        "source",
        "source.user.name",
        "source.systemd.unit",
        "target",
        "target.pgid",
        "result",
        "source.cmdline",
        "target.cmdline",
        "relation",
        "origin",
    ];
    let headings = ["TIME", "SIG", "SENDER", "source.user.name", "TCMDLINE", "relation", "origin"];
    for columns in 20..260 {
        let text = draw(Some(columns), &keys, &timed());
        assert!(text.lines().all(|line| width_of(line) <= columns), "{columns}: {text}");
        for word in headings.iter().chain(&["SIGTERM", "pkill(7)", "yes(9)", "process"]) {
            assert!(text.contains(word), "{columns}: no {word} in\n{text}");
        }
    }
    // what has no room in one line goes on in the next
    assert_eq!(
        draw(Some(40), &["source", "target", "target.cmdline", "target.parent.comm", "result"], &timed()),
        "SENDER        TARGET        TCMDLINE\n\
         \u{20} target.parent.comm RESULT\n\
         pkill(7)      yes(9)        yes \"a b\"\n\
         \u{20} sh                 sent\n"
    );
}

#[test]
fn what_is_not_there_is_a_dash_and_what_is_missing_says_why() {
    let mut document = Document::default();
    document.field("event", Text("signal"));
    document.field("origin", Text("oom"));
    document.field("missing", Words(&["target.cmdline:no-memory".to_owned()]));
    let text = draw(None, &["source.pid", "source.comm", "target.cmdline"], &document);
    let row: Vec<&str> = text.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row, ["-", "<oom>", "?no-memory"]);
}

#[test]
fn an_end_names_the_sender_and_how() {
    let died = |signal: &'static str| {
        move |document: &mut Document| {
            document.field("signalName", Text(signal));
            document.field("coreDumped", Flag(signal == "SIGSEGV"));
        }
    };
    let words = |document: &Document| -> Vec<String> {
        row(130, document).split_whitespace().skip(1).map(str::to_owned).collect()
    };
    assert_eq!(
        words(&end(died("SIGTERM"))),
        ["end", "pkill(7)", "yes(9)", "killed", "by", "TERM", "yes", "\"a", "b\""]
    );
    let exit = end(|document| document.field("exitCode", Number(143)));
    assert_eq!(words(&exit), ["end", "pkill(7)", "yes(9)", "exit", "143", "yes", "\"a", "b\""]);
    // it did not die of what pkill sent
    let mut other = end(died("SIGSEGV"));
    assert_eq!(words(&other)[..6], ["end", "-", "yes(9)", "killed", "by", "SEGV,"]);
    other.field("origin", Text("ptrace"));
    assert_eq!(words(&other)[..3], ["end", "<ptrace>", "yes(9)"]);
    let keys = ["source.pid", "source.comm", "result"];
    assert!(
        draw(None, &keys, &exit).contains("7       pkill           exit 143"),
        "{}",
        draw(None, &keys, &exit)
    );
    let drawn = draw(None, &keys, &end(died("SIGSEGV")));
    assert!(drawn.contains("-       -               killed by SEGV, core"), "{drawn}");
}

#[test]
fn a_signal_and_its_end_are_one_row() {
    let killed = end(|document| document.field("signalName", Text("SIGTERM")));
    let exit = end(|document| document.field("exitCode", Number(143)));
    for (end, result) in
        [(killed, " yes(9)        killed   pkill "), (exit, " yes(9)        exit 143 pkill ")]
    {
        let mut document = timed();
        document.insert_behind(&[], JOINED_END, Value::Object(end.fields().to_vec()));
        let text = draw(Some(80), &[], &document);
        assert!(text.contains(result) && text.lines().count() == 2, "{text}");
    }
}

#[test]
fn a_column_of_the_end_is_in_the_row_of_the_signal() {
    let exit = end(|document| document.field("exitCode", Number(143)));
    let mut document = timed();
    document.insert_behind(&[], JOINED_END, Value::Object(exit.fields().to_vec()));
    let keys = ["signalName", "exitCode", "after.secondsAgo", "target.comm", "result"];
    let text = draw(None, &keys, &document);
    let row: Vec<&str> = text.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row, ["SIGTERM", "143", "0.001000", "yes", "exit", "143"], "{text}");
    // one that both have is the signal's
    assert!(draw(None, &["time"], &document).contains("21:28:48.883Z"));
}

#[test]
fn the_end_of_a_thread_is_not_that_of_its_process() {
    let mut document = end(|document| document.field("exitCode", Number(0)));
    let header = Header { is_of_thread: true, ..*document.header() };
    document.begin(&header);
    for field in document.fields_mut().iter_mut().filter(|field| field.key == "target") {
        if let Value::Object(target) = &mut field.value {
            target[0] = Field { key: "tid", value: Value::Number(9), is_last: false };
        }
    }
    assert!(row(120, &document).contains(" thread 9 exit 0 "), "{}", row(120, &document));
}

#[test]
fn a_call_that_failed_has_the_pid_that_was_requested() {
    let attempt = |argument: i64, via: &str| {
        let mut document = Document::default();
        document.begin(&Header { kind: EventKind::Attempt, ..Header::default() });
        document.field("signalName", Text("SIGTERM"));
        document.field("via", Text(via));
        document.field("pidArgument", Integer(argument));
        document.field("result", Text("ESRCH"));
        document
    };
    for (argument, via, target) in [
        (99999, "kill", " pid 99999 "),
        (-1, "kill", " all processes "),
        (-77, "kill", " group 77 "),
        (0, "kill", " its own group "),
        (-77, "tkill", " pid -77 "),
    ] {
        let row = row(100, &attempt(argument, via));
        assert!(row.contains(target) && row.contains(" ESRCH "), "{row}");
    }
    assert!(draw(None, &["target.pid", "result"], &attempt(99999, "kill")).contains("99999   ESRCH"));
}

#[test]
fn a_folded_row_has_its_count_before_the_command_lines() {
    let mut document = timed();
    document.insert_behind(&["result"], "repeated", Value::Number(4123));
    for columns in [80, 120] {
        let row = row(columns, &document);
        let (count, command) = (row.find("sent ×4123 ").unwrap(), row.find("pkill \"a").unwrap());
        assert!(count < command, "{row}");
        assert!(width_of(&row) <= columns, "{row}");
    }
    let keys = |keys: &[&str]| draw(None, keys, &document).lines().nth(1).unwrap().to_owned();
    assert_eq!(keys(&["signalName", "target.pid"]), "SIGTERM ×4123 9");
    assert_eq!(keys(&["target.comm", "target.cmdline"]), "yes ×4123       yes \"a b\"");
    assert_eq!(keys(&["target.cmdline"]), "yes \"a b\" ×4123");
}

#[test]
fn the_heading_is_drawn_once_for_each_width() {
    let mut table = Table::new(at(Some(80)), &[]);
    let mut headings = Vec::new();
    for columns in [80, 80, 120, 120, 80] {
        table.screen = at(Some(columns));
        let mut out = Vec::new();
        table.draw(&sample(), &mut out);
        headings.push(String::from_utf8(out).unwrap().matches("TIME").count());
    }
    assert_eq!(headings, [1, 0, 1, 0, 1]);
}
