//! The words of formats for eyes: the signal, where it came from if no process sent it, what became of it, what is missing.
//! Never more than the event holds.

use super::document::{Document, Field, JOINED_END, Value, find};
use super::screen::Screen;
use crate::event::header::EventKind;

/// What became of it. The detail is left out where there is no room.
#[derive(Debug, Default)]
pub(super) struct Effect {
    pub(super) text: String,
    pub(super) detail: String,
    pub(super) is_deadly: bool,
}

/// `TERM`, `KILL ×41`; of an exit `exit`, of a command that asks for something `request`.
pub(super) fn signal(screen: Screen, document: &Document) -> String {
    if document.header().kind == EventKind::Request {
        return EventKind::Request.name().to_owned();
    }
    let name =
        document.text_at("signalName").map_or_else(|| "exit".to_owned(), |name| screen.safe(short(name)));
    match document.number_at("repeated") {
        Some(count) => format!("{name} {}{count}", screen.glyph("×", "x")),
        None => format!("{name:4}"),
    }
}

/// What a signal came of that no process sent.
pub(super) fn cause(screen: Screen, document: &Document) -> String {
    let Some(origin) = document.text_at("origin") else { return "?".to_owned() };
    match (origin, document.text_at("tty.name"), document.text_at("code")) {
        ("tty", Some(terminal), _) => format!("terminal {}", screen.safe(terminal)),
        ("fault", _, Some(code)) => format!("fault {}", screen.safe(code)),
        _ => origin_in_words(screen, origin),
    }
}

pub(super) fn origin_in_words(screen: Screen, origin: &str) -> String {
    match origin {
        "tty" => "terminal".to_owned(),
        "oom" => "OOM killer".to_owned(),
        "parent-death" => "parent's death".to_owned(),
        "pidns" => "end of the pid namespace".to_owned(),
        "io" => "I/O".to_owned(),
        "rlimit" => "resource limit".to_owned(),
        origin => screen.safe(origin),
    }
}

/// What became of a signal or of an attempt, or how a process ended.
pub(super) fn effect(screen: Screen, document: &Document) -> Effect {
    match document.header().kind {
        EventKind::Ended => of_end(screen, document),
        EventKind::Attempt => of_attempt(screen, document),
        EventKind::Request => of_request(screen, document),
        _ => match document.object(JOINED_END) {
            Some(end) => of_joined_end(screen, document, end),
            None => of_signal(screen, document),
        },
    }
}

/// Who asks.
fn of_request(screen: Screen, document: &Document) -> Effect {
    let text = caller(screen, document).map(|user| format!("by {user}")).unwrap_or_default();
    Effect { text, ..Effect::default() }
}

fn of_attempt(screen: Screen, document: &Document) -> Effect {
    let is_check = document.number_at("signal") == Some(0);
    let text = match document.text_at("result") {
        Some("permitted") if is_check => "checked with signal 0".to_owned(),
        Some(result) => screen.safe(result),
        None => "?".to_owned(),
    };
    let detail = match text.as_str() {
        "EPERM" => caller(screen, document).map(|user| format!(" for {user}")).unwrap_or_default(),
        _ => String::new(),
    };
    Effect { text, detail, is_deadly: false }
}

/// The user who asked, or who lacked a permission: `nobody`, or `uid 65534`.
fn caller(screen: Screen, document: &Document) -> Option<String> {
    match document.text_at("source.user.name") {
        Some(name) => Some(screen.safe(name)),
        None => document.number_at("source.user.id").map(|uid| format!("uid {uid}")),
    }
}

/// What is known at the instant of the signal. That it arrived is not.
fn of_signal(screen: Screen, document: &Document) -> Effect {
    let is_fatal = document.header().is_fatal;
    let state = document.text_at("target.state");
    let text = match document.text_at("result") {
        _ if document.is_set("target.continued") && state != Some("frozen") => "continued".to_owned(),
        // it continues what is stopped, ignored or not
        Some("ignored")
            if document.text_at("signalName") == Some("SIGCONT")
                && !matches!(state, Some("exiting" | "zombie")) =>
        {
            "sent".to_owned()
        }
        Some("ignored") => "ignored".to_owned(),
        Some("already-pending") => "already pending".to_owned(),
        Some("queued" | "info-lost") => {
            if document.is_set("target.waiting") || document.is_set("target.signalfd") {
                "waiting"
            } else if document.is_set("target.blocked") {
                "blocked"
            } else if state == Some("frozen") {
                "frozen"
            } else if is_fatal {
                "killed"
            } else if matches!(state, Some("stopped" | "traced")) {
                "pending"
            } else if document.text_at("target.disposition") == Some("handled") {
                "handled"
            } else {
                "sent"
            }
        }
        .to_owned(),
        Some(other) => screen.safe(other),
        None => "?".to_owned(),
    };
    Effect { is_deadly: text == "killed", text, detail: String::new() }
}

/// `killed after 0.7 ms`, `exit 143 after 2.0 ms`.
fn of_joined_end(screen: Screen, signal: &Document, end: &[Field]) -> Effect {
    let after = match find(end, "after") {
        Some(Value::Object(after)) => find(after, "secondsAgo"),
        _ => None,
    };
    let after = match after {
        Some(Value::Seconds(nanoseconds)) => format!(" after {}", screen.duration(*nanoseconds)),
        _ => String::new(),
    };
    if let Some(code) = find(end, "exitCode").and_then(Value::as_number) {
        return Effect { text: format!("exit {code}"), detail: after, is_deadly: false };
    }
    let mut text = "killed".to_owned();
    match find(end, "signalName") {
        Some(Value::Text(name)) if Some(name.as_str()) != signal.text_at("signalName") => {
            text.push_str(" by ");
            text.push_str(&screen.safe(short(name)));
        }
        _ => {}
    }
    if matches!(find(end, "coreDumped"), Some(Value::Flag(true))) {
        text.push_str(" (core dumped)");
    }
    Effect { text, detail: after, is_deadly: true }
}

/// `killed by TERM from bash(3372) after 0.7 ms`, `exited with status 143, 2.0 ms after TERM from bash(3372)`.
fn of_end(screen: Screen, document: &Document) -> Effect {
    let thread = match (document.header().is_of_thread, document.number_at("target.tid")) {
        (true, Some(tid)) => format!("thread {tid} "),
        (true, None) => "thread ".to_owned(),
        (false, _) => String::new(),
    };
    let before = document.text_at("after.signalName").map(|name| screen.safe(short(name)));
    let from = document.object("after").map(|_| sender(screen, document)).unwrap_or_default();
    let ago = match document.get("after.secondsAgo") {
        Some(Value::Seconds(nanoseconds)) => screen.duration(*nanoseconds),
        _ => String::new(),
    };
    let later = |before: &Option<String>| match before {
        Some(name) => format!(", {ago} after {name}{from}"),
        None => String::new(),
    };
    if let Some(code) = document.number_at("exitCode") {
        let text = format!("{thread}exited with status {code}");
        return Effect { text, detail: later(&before), is_deadly: false };
    }
    let signal = document.text_at("signalName").map(|name| screen.safe(short(name)));
    let core = if document.is_set("coreDumped") { " (core dumped)" } else { "" };
    let by = signal.as_ref().map_or_else(String::new, |name| format!(" by {name}"));
    let detail = match document.text_at("origin") {
        _ if signal.is_some() && before == signal => format!("{from} after {ago}"),
        _ if before.is_some() => later(&before),
        Some(origin) => format!(" ({})", origin_in_words(screen, origin)),
        None => String::new(),
    };
    Effect { text: format!("{thread}killed{by}{core}"), detail, is_deadly: true }
}

/// Of the signal before an end.
fn sender(screen: Screen, document: &Document) -> String {
    match (document.object("after.source"), document.text_at("after.origin")) {
        (Some(source), _) => format!(" from {}", screen.name(source)),
        (None, Some(origin)) => format!(" from {}", origin_in_words(screen, origin)),
        (None, None) => String::new(),
    }
}

/// The name without `SIG`.
pub(super) fn short(name: &str) -> &str {
    name.strip_prefix("SIG").unwrap_or(name)
}

/// `17 events lost (ringFull 17): 12 of uid 1000 (yes(4711)), 5 of root in /system.slice/x.service (sh(7))`.
pub(super) fn lost(screen: Screen, document: &Document) -> String {
    let causes: Vec<String> = document
        .object("cause")
        .unwrap_or_default()
        .iter()
        .filter_map(|field| field.value.as_number().map(|count| format!("{} {count}", field.key)))
        .collect();
    let mut text =
        format!("{} events lost ({})", document.number_at("lost").unwrap_or_default(), causes.join(", "));
    if let Some(authors) = lost_authors(screen, document) {
        text.push_str(": ");
        text.push_str(&authors);
    }
    text
}

/// `12 of uid 1000 (yes(4711)), 5 of root in /system.slice/x.service (sh(7))`.
pub(in crate::output) fn lost_authors(screen: Screen, document: &Document) -> Option<String> {
    let Some(Value::Objects(authors)) = document.get("authors") else { return None };
    let authors: Vec<String> = authors.iter().map(|author| lost_of(screen, author)).collect();
    Some(authors.join(", "))
}

fn lost_of(screen: Screen, author: &[Field]) -> String {
    let number = |key: &str| find(author, key).and_then(Value::as_number).unwrap_or_default();
    let class = match (find(author, "class"), find(author, "cgroup")) {
        (Some(Value::Text(class)), Some(Value::Text(path))) if class == "cgroup" => {
            format!("root in {}", screen.safe(path))
        }
        (Some(Value::Text(class)), None) if class == "cgroup" => "root".to_owned(),
        _ => format!("uid {}", number("uid")),
    };
    format!("{} of {class} ({})", number("count"), screen.name(author))
}

/// Whom a call that failed was for, where that is known from its argument alone.
pub(super) fn requested(document: &Document) -> Option<String> {
    let argument = document.number_at("pidArgument")?;
    // of kill(2) alone these are more than one process
    Some(match argument {
        -1 if document.text_at("via") == Some("kill") => "all processes".to_owned(),
        0 if document.text_at("via") == Some("kill") => "its own group".to_owned(),
        ..0 if document.text_at("via") == Some("kill") => format!("group {}", argument.unsigned_abs()),
        _ => format!("pid {argument}"),
    })
}

/// Did this end come of the signal before it, as far as is known: it died of that one, or exited after it?
pub(super) fn came_of_signal_before(document: &Document) -> bool {
    let before = document.text_at("after.signalName");
    document.header().kind == EventKind::Ended
        && before.is_some()
        && (document.number_at("exitCode").is_some() || document.text_at("signalName") == before)
}

/// Of an end.
pub(super) fn how_it_ended(document: &Document) -> String {
    match document.number_at("exitCode") {
        Some(code) => format!("exit {code}"),
        None if document.is_set("coreDumped") => "killed, core".to_owned(),
        None => "killed".to_owned(),
    }
}

/// Why a key is not there that should be.
pub(super) fn reason<'a>(document: &'a Document, key: &str) -> Option<&'a str> {
    let Some(Value::Words(missing)) = document.get("missing") else { return None };
    missing.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix(':'))
}
