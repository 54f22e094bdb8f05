use super::*;
use crate::event::Outcome;
use crate::event::header::Header;
use crate::event::signal::Signal;
use crate::output::format::Format;
use crate::output::format::ValueRef::{Flag, List, Number, Seconds, Text, Words};
use crate::output::format::document::JOINED_END;
use crate::output::format::document::tests::sample;
use crate::output::format::screen::{PLAIN, Width};

const ASCII: Screen = Screen { is_ascii: true, ..PLAIN };

fn draw(screen: Screen, columns: usize, document: &Document) -> String {
    let mut out = Vec::new();
    OneLine { screen: Screen { width: Width::Columns(columns), ..screen } }.draw(document, &mut out);
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.matches('\n').count(), 1, "{text:?}");
    text.trim_end_matches('\n').to_owned()
}

/// `bash(3372)` sends SIGTERM to `sleep(3436)`.
fn signal(sender: &[&str], receiver: &[&str], more: impl FnOnce(&mut Document)) -> Document {
    let mut document = Document::default();
    document.begin(&Header {
        id: Some(1),
        signal: Signal::new(15),
        outcome: Some(Outcome::Queued),
        ..Header::default()
    });
    document.field("time", Text("2026-01-01T21:28:48.883123456Z"));
    document.field("signalName", Text("SIGTERM"));
    document.field("result", Text("queued"));
    for (side, pid, comm, arguments) in
        [("source", 3372, "bash", sender), ("target", 3436, "sleep", receiver)]
    {
        let arguments: Vec<&[u8]> = arguments.iter().map(|argument| argument.as_bytes()).collect();
        document.open(side);
        document.field("pid", Number(pid));
        document.field("cmdline", List(&arguments));
        document.field("comm", Text(comm));
        document.field("key", Text(&format!("{pid}@1")));
        document.close();
    }
    more(&mut document);
    document
}

fn end(kind: impl FnOnce(&mut Document)) -> Document {
    let mut document = Document::default();
    document.begin(&Header { kind: EventKind::Ended, id: Some(2), after: Some(1), ..Header::default() });
    document.field("time", Text("2026-01-01T21:28:49.002123456Z"));
    kind(&mut document);
    document.open("after");
    document.field("signalName", Text("SIGTERM"));
    document.open("source");
    document.field("pid", Number(3372));
    document.field("comm", Text("bash"));
    document.close();
    document.field("secondsAgo", Seconds(2_000_000));
    document.close();
    document.open("target");
    document.field("pid", Number(3436));
    document.field("cmdline", List(&[b"sleep", b"100"]));
    document.field("comm", Text("sleep"));
    document.close();
    document
}

fn killed(document: &mut Document) {
    document.field("signalName", Text("SIGTERM"));
    document.field("coreDumped", Flag(false));
}

fn joined(mut signal: Document, end: &Document) -> Document {
    signal.insert_behind(&[], JOINED_END, Value::Object(end.fields().to_vec()));
    signal
}

#[test]
fn the_line_says_who_whom_and_what_became_of_it() {
    let signal = || signal(&["-bash"], &["sleep", "100"], |_| {});
    assert_eq!(
        draw(PLAIN, 80, &joined(signal(), &end(killed))),
        "21:28:48.883Z  TERM  bash(3372) → sleep(3436) [sleep 100]   killed after 2.0 ms"
    );
    assert_eq!(
        draw(ASCII, 80, &signal()),
        "21:28:48.883Z  TERM  bash(3372) -> sleep(3436) [sleep 100]   sent"
    );
    let exit = |document: &mut Document| document.field("exitCode", Number(143));
    assert!(draw(PLAIN, 80, &joined(signal(), &end(exit))).ends_with("   exit 143 after 2.0 ms"));
    let other = |document: &mut Document| {
        document.field("signalName", Text("SIGSEGV"));
        document.field("coreDumped", Flag(true));
    };
    assert!(
        draw(PLAIN, 120, &joined(signal(), &end(other)))
            .ends_with("killed by SEGV (core dumped) after 2.0 ms")
    );
}

#[test]
fn an_end_by_itself_names_the_sender_and_the_outcome() {
    assert_eq!(
        draw(PLAIN, 120, &end(killed)),
        "21:28:49.002Z  TERM  sleep(3436) [sleep 100]   killed by TERM from bash(3372) after 2.0 ms"
    );
    let exit = end(|document| document.field("exitCode", Number(143)));
    assert_eq!(
        draw(PLAIN, 120, &exit),
        "21:28:49.002Z  exit  sleep(3436) [sleep 100]   exited with status 143, 2.0 ms after TERM from bash(3372)"
    );
    assert_eq!(draw(PLAIN, 60, &exit), "21:28:49.002Z  exit  sleep(3436)   exited with status 143");
    let other = end(|document| document.field("signalName", Text("SIGSEGV")));
    assert!(draw(PLAIN, 120, &other).ends_with("killed by SEGV, 2.0 ms after TERM from bash(3372)"));
}

#[test]
fn what_became_of_it_is_what_is_known() {
    let with = |key: &'static str, is_fatal: bool, result: &str, value: ValueOf<'_>| {
        let mut document = Document::default();
        document.begin(&Header { is_fatal, ..Header::default() });
        document.field("result", Text(result));
        let is_continue = key == "SIGCONT";
        let key = if is_continue { "state" } else { key };
        if is_continue || key == "continued" {
            document.field("signalName", Text("SIGCONT"));
        }
        document.open("target");
        match value {
            ValueOf::Flag => document.field(key, Flag(true)),
            ValueOf::Text(text) => document.field(key, Text(text)),
        }
        document.close();
        effect::effect(PLAIN, &document).text
    };
    for (key, is_fatal, result, value, effect) in [
        ("disposition", true, "queued", ValueOf::Text("default"), "killed"),
        ("disposition", false, "queued", ValueOf::Text("default"), "sent"),
        ("disposition", false, "queued", ValueOf::Text("handled"), "handled"),
        ("disposition", false, "info-lost", ValueOf::Text("handled"), "handled"),
        ("disposition", false, "ignored", ValueOf::Text("handled"), "ignored"),
        ("disposition", false, "already-pending", ValueOf::Text("handled"), "already pending"),
        ("blocked", false, "queued", ValueOf::Flag, "blocked"),
        ("waiting", false, "queued", ValueOf::Flag, "waiting"),
        ("state", true, "queued", ValueOf::Text("frozen"), "frozen"),
        ("state", false, "queued", ValueOf::Text("stopped"), "pending"),
        ("state", true, "queued", ValueOf::Text("stopped"), "killed"),
        // it continues what is stopped, ignored or not
        ("SIGCONT", false, "ignored", ValueOf::Text("sleeping"), "sent"),
        ("SIGCONT", false, "ignored", ValueOf::Text("zombie"), "ignored"),
        ("continued", false, "ignored", ValueOf::Flag, "continued"),
        ("continued", false, "queued", ValueOf::Flag, "continued"),
        ("state", false, "overflow", ValueOf::Text("stopped"), "overflow"),
    ] {
        assert_eq!(with(key, is_fatal, result, value), effect, "{key} {result}");
    }
}

enum ValueOf<'a> {
    Flag,
    Text(&'a str),
}

#[test]
fn every_width_is_kept_and_the_effect_is_never_cut() {
    let long = [
        "java",
        "-cp",
        "/opt/a/very/long/class/path/of/many.jar:and/others.jar",
        "日本語日本語日本語",
        "Main",
    ];
    let document = joined(signal(&long, &long, |_| {}), &end(killed));
    for columns in 1..250 {
        for screen in [PLAIN, ASCII] {
            let line = draw(screen, columns, &document);
            assert!(width_of(&line) <= columns, "{columns}: {line}");
            if columns >= 60 {
                assert!(line.contains("   killed"), "{columns}: {line}");
                assert!(line.contains("bash(3372)") && line.contains("sleep(3436)"), "{columns}: {line}");
            }
        }
    }
    assert_eq!(draw(PLAIN, 60, &document), "21:28:48.883Z  TERM  bash(3372) → sleep(3436)   killed");
    assert_eq!(
        draw(PLAIN, 80, &document),
        "21:28:48.883Z  TERM  bash(3372) → sleep(3436) [java -cp …]   killed after 2.0 ms"
    );
    assert_eq!(
        draw(PLAIN, 120, &document),
        "21:28:48.883Z  TERM  bash(3372) [java -cp /opt/a/very/l…] → sleep(3436) [java -cp /opt/a/very/lo…]   killed after 2.0 ms"
    );
    let wide = draw(PLAIN, 250, &document);
    assert!(
        wide.contains("日本語日本語日本語 Main]   killed") && wide.contains("bash(3372) [java -cp"),
        "{wide}"
    );
}

#[test]
fn the_longer_command_line_is_the_one_that_is_cut() {
    let long: Vec<&str> = std::iter::repeat_n("argument", 20).collect();
    let line = draw(PLAIN, 100, &signal(&["pkill", "-f", "x"], &long, |_| {}));
    assert!(line.contains("bash(3372) [pkill -f x] → sleep(3436) [argument argu"), "{line}");
    assert!(line.ends_with("…]   sent"), "{line}");
    let line = draw(PLAIN, 100, &signal(&long, &["sleep", "100"], |_| {}));
    assert!(line.contains("…] → sleep(3436) [sleep 100]   sent"), "{line}");
    assert!(line.contains("bash(3372) [argument argu"), "{line}");
}

#[test]
fn the_command_line_that_is_only_the_name_is_left_out() {
    let line = draw(PLAIN, 100, &signal(&["pkill", "sleep"], &["/bin/sleep"], |_| {}));
    assert!(line.contains("bash(3372) [pkill sleep] → sleep(3436)   sent"), "{line}");
    let line = draw(PLAIN, 78, &signal(&["sh", "-c", "kill everything"], &["sleep", "100"], |_| {}));
    assert!(line.contains("[sh -c \"kil…] → sleep(3436) [sleep 100]   sent"), "{line}");
}

#[test]
fn what_is_missing_says_why_and_a_flood_how_many() {
    let mut document = sample();
    document.insert_behind(&["result"], "repeated", Value::Number(4123));
    assert!(draw(PLAIN, 80, &document).starts_with("TERM ×4123  pkill(7) "), "{document:?}");
    assert!(draw(ASCII, 80, &document).starts_with("TERM x4123  pkill(7) "));
    let mut document = Document::default();
    document.field("signalName", Text("SIGKILL"));
    document.field("origin", Text("oom"));
    document.field("missing", Words(&["target.cmdline:no-memory".to_owned()]));
    document.open("target");
    document.field("pid", Number(9));
    document.close();
    assert_eq!(draw(PLAIN, 80, &document), "KILL  OOM killer → ?(9) [?no-memory]   ?");
}

#[test]
fn an_attempt_has_its_error_and_loss_is_a_warning() {
    let attempt = |signal: u64, result: &str, name: Option<&str>| {
        let mut document = Document::default();
        document.begin(&Header { kind: EventKind::Attempt, ..Header::default() });
        document.field("signal", Number(signal));
        document.field("signalName", Text(if signal == 0 { "0" } else { "SIGTERM" }));
        document.field("pidArgument", Number(77));
        document.field("result", Text(result));
        document.open("source");
        document.field("pid", Number(7));
        document.field("comm", Text("sh"));
        document.open("user");
        document.field("id", Number(65534));
        if let Some(name) = name {
            document.field("name", Text(name));
        }
        document.close();
        document.close();
        draw(PLAIN, 80, &document)
    };
    assert_eq!(attempt(15, "ESRCH", None), "TERM  sh(7) → pid 77   ESRCH");
    assert_eq!(attempt(0, "permitted", None), "0     sh(7) → pid 77   checked with signal 0");
    // whom the kernel refused
    assert_eq!(attempt(15, "EPERM", None), "TERM  sh(7) → pid 77   EPERM for uid 65534");
    assert_eq!(attempt(15, "EPERM", Some("nobody")), "TERM  sh(7) → pid 77   EPERM for nobody");
    let mut document = Document::default();
    document.begin(&Header { kind: EventKind::Lost, ..Header::default() });
    document.field("lost", Number(17));
    document.open("cause");
    document.field("ringFull", Number(17));
    document.close();
    assert_eq!(draw(PLAIN, 80, &document), "warning: 17 events lost (ringFull 17)");
}

#[test]
fn a_name_cannot_draw_an_arrow_or_an_effect() {
    for (comm, shown) in [
        ("a(1) \u{2192} b", "\"a(1) \u{2192} b\"(3372)"),
        ("a -> b", "\"a -> b\"(3372)"),
        ("x   killed", "\"x   killed\"(3372)"),
        ("a\"(1)\u{2192}\"b", "\"a\\\"(1)\u{2192}\\\"b\"(3372)"),
        ("a\\", "\"a\\\\\"(3372)"),
        (" ", "\" \"(3372)"),
        ("(sd-pam)", "(sd-pam)(3372)"),
        ("tmux: server", "tmux: server(3372)"),
    ] {
        let mut document = Document::default();
        document.begin(&Header { id: Some(1), signal: Signal::new(15), ..Header::default() });
        document.open("source");
        document.field("pid", Number(3372));
        document.field("comm", Text(comm));
        document.close();
        assert!(
            draw(PLAIN, 120, &document).contains(&format!("{shown} \u{2192} ")),
            "{}",
            draw(PLAIN, 120, &document)
        );
    }
}

#[test]
fn hostile_text_cannot_act_on_the_terminal() {
    let hostile = "\u{1b}[2J\n\u{202e}x";
    let mut document = signal(&[hostile, hostile], &[hostile], |_| {});
    for field in document.fields_mut() {
        if let Value::Object(inner) = &mut field.value {
            for field in inner.iter_mut().filter(|field| field.key == "comm") {
                field.value = Value::Text(hostile.to_owned());
            }
        }
    }
    for columns in [20, 60, 80, 120, 200] {
        let line = draw(PLAIN, columns, &document);
        assert!(!line.contains(crate::base::sanitize::is_unsafe), "{line:?}");
        assert!(width_of(&line) <= columns, "{line}");
        assert!(columns < 60 || line.ends_with("   sent"), "{line}");
        assert!(columns < 60 || (line.contains("(3372)") && line.contains("(3436)")), "{line}");
    }
    assert!(draw(ASCII, 200, &document).is_ascii());
}
