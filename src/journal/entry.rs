//! From an event to an entry of the journal: which events have one, and its fields (`systemd.journal-fields(7)`).
//!
//! `OBJECT_*` are what the kernel said, so that `journalctl -u UNIT` finds them. Never `OBJECT_PID`: journald would read `/proc` of
//! a process that has ended, or of another one that has its number now.

use std::collections::VecDeque;
use std::fmt::Write;

use serde_json::Value;

use super::Journaled;
use crate::base::sanitize::visible;

/// `MESSAGE_ID` of a death, as the catalog explains it.
pub(super) const DEATH: &str = "b2040ef6f6e64f26b5323758bcb8a159";
/// Of an OOM kill.
pub(super) const OOM: &str = "808302119e224f85a612be6f9781058e";
/// Of what was not recorded.
pub(super) const GAP: &str = "a7e938d66dc9466796ab0fd54906f2b2";

/// Signals and OOM kills that are remembered, for the ends after them.
const REMEMBERED: usize = 1024;
/// Characters of a command line.
const LONGEST: usize = 4096;

/// Priorities of `syslog(3)`.
const ERROR: u8 = 3;
const WARNING: u8 = 4;
const INFO: u8 = 6;

/// An entry: fields in the form that `sd_journal_sendv(3)` takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Entry {
    fields: Vec<(&'static str, String)>,
}

impl Entry {
    fn new(message: &str, id: &str, priority: u8) -> Self {
        let mut entry = Self::default();
        // what has control characters is shown as a blob
        entry.add("MESSAGE", visible(message));
        entry.add("MESSAGE_ID", id);
        entry.add("PRIORITY", priority.to_string());
        entry.add("SYSLOG_IDENTIFIER", "killsnoop");
        entry
    }

    /// One that says what was not recorded, or not sent.
    pub(super) fn gap(message: &str, event: &str) -> Self {
        let mut entry = Self::new(message, GAP, WARNING);
        entry.add("KILLSNOOP_EVENT", event);
        entry
    }

    fn add(&mut self, name: &'static str, value: impl Into<String>) {
        self.fields.push((name, value.into()));
    }

    fn add_if(&mut self, name: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }

    /// A value of several lines has its length before it.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, value) in &self.fields {
            bytes.extend_from_slice(name.as_bytes());
            if value.contains('\n') {
                bytes.push(b'\n');
                bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
            } else {
                bytes.push(b'=');
            }
            bytes.extend_from_slice(value.as_bytes());
            bytes.push(b'\n');
        }
        bytes
    }

    #[cfg(test)]
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(of, _)| *of == name).map(|(_, value)| value.as_str())
    }
}

/// What is at this path of an event.
fn at<'a>(event: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(event, |value, key| value.get(key))
}

fn text<'a>(event: &'a Value, path: &[&str]) -> Option<&'a str> {
    at(event, path)?.as_str()
}

/// What is remembered of a signal that an end may refer to.
#[derive(Debug, Clone, Default)]
struct Sent {
    id: u64,
    cmdline: Option<String>,
    unit: Option<String>,
}

/// Makes entries.
#[derive(Debug)]
pub(super) struct Entries {
    which: Journaled,
    sent: VecDeque<Sent>,
    /// Keys of processes whose OOM kill has an entry: their end has none.
    ooms: VecDeque<String>,
}

impl Entries {
    pub(super) fn new(which: Journaled) -> Self {
        Self { which, sent: VecDeque::new(), ooms: VecDeque::new() }
    }

    /// The entry of a line of JSON, if it has one.
    pub(super) fn of_line(&mut self, line: &[u8]) -> Option<Entry> {
        let event: Value = serde_json::from_slice(line).ok()?;
        match text(&event, &["event"])? {
            "signal" => self.of_signal(&event),
            "ended" => self.of_end(&event),
            "lost" => Some(of_loss(&event)),
            "gap" => {
                let is_expected = at(&event, &["isExpected"]) == Some(&Value::Bool(true));
                let priority = if is_expected { INFO } else { WARNING };
                let mut entry = Entry::new(text(&event, &["summary"])?, GAP, priority);
                entry.add("KILLSNOOP_EVENT", "gap");
                Some(entry)
            }
            _ => None,
        }
    }

    fn of_signal(&mut self, event: &Value) -> Option<Entry> {
        if text(event, &["origin"]) == Some("oom") {
            let key = text(event, &["target", "key"]).unwrap_or_default().to_owned();
            remember(&mut self.ooms, key);
            let mut entry = described(event, OOM, ERROR);
            add_source(&mut entry, event, &["source"], None);
            return Some(entry);
        }
        let sent = Sent {
            id: at(event, &["id"])?.as_u64()?,
            cmdline: cmdline(at(event, &["source"])),
            unit: unit(at(event, &["source"])?).map(str::to_owned),
        };
        remember(&mut self.sent, sent);
        None
    }

    fn of_end(&mut self, event: &Value) -> Option<Entry> {
        // not of a thread alone
        let is_of_thread = text(event, &["scope"]) == Some("thread");
        let is_death = text(event, &["signalName"]).is_some();
        if is_of_thread || !(is_death || self.which == Journaled::Ends) {
            return None;
        }
        let key = text(event, &["target", "key"]);
        let is_known_oom = text(event, &["after", "origin"]) == Some("oom")
            && key.is_some_and(|key| self.ooms.iter().any(|known| known == key));
        if is_known_oom {
            return None;
        }
        let id = at(event, &["after", "id"]).and_then(Value::as_u64);
        let sent = self.sent.iter().rev().find(|sent| Some(sent.id) == id);
        let mut entry = described(event, DEATH, priority(event, sent));
        add_source(&mut entry, event, &["after", "source"], sent);
        Some(entry)
    }
}

/// The oldest goes.
fn remember<T>(all: &mut VecDeque<T>, one: T) {
    if all.len() == REMEMBERED {
        all.pop_front();
    }
    all.push_back(one);
}

/// A crash is an error; that a service was stopped as it should be is no news; another kill may be either.
fn priority(event: &Value, sent: Option<&Sent>) -> u8 {
    let signal = text(event, &["signalName"]).unwrap_or_default();
    let origin = text(event, &["origin"]).or(text(event, &["after", "origin"]));
    let is_fault =
        matches!(signal, "SIGSEGV" | "SIGBUS" | "SIGFPE" | "SIGILL" | "SIGSYS" | "SIGTRAP" | "SIGABRT");
    if is_fault
        || matches!(origin, Some("fault" | "oom"))
        || at(event, &["coreDumped"]) == Some(&Value::Bool(true))
    {
        return ERROR;
    }
    let of_source = |key: &str| at(event, &["after", "source", key]);
    let is_by_init = of_source("pid").and_then(Value::as_u64) == Some(1) && signal != "SIGKILL";
    let is_by_itself = of_source("key").is_some() && of_source("key") == at(event, &["target", "key"]);
    let own_unit = at(event, &["target"]).and_then(unit);
    let is_from_inside = sent.is_some_and(|sent| sent.unit.is_some() && sent.unit.as_deref() == own_unit);
    let is_exit = signal.is_empty();
    if is_by_init || is_by_itself || is_from_inside || is_exit { INFO } else { WARNING }
}

/// A service or a scope: in a slice nothing was started.
fn unit(process: &Value) -> Option<&str> {
    let unit = text(process, &["systemd", "userUnit"]).or_else(|| text(process, &["systemd", "unit"]))?;
    is_started(unit).then_some(unit)
}

/// A slice only holds others.
fn is_started(unit: &str) -> bool {
    unit.strip_suffix(".slice").is_none()
}

/// The fields that concern what ended.
fn described(event: &Value, id: &str, priority: u8) -> Entry {
    let mut message = text(event, &["summary"]).unwrap_or_default().to_owned();
    if let Some(others) = at(event, &["repeated"]).and_then(Value::as_u64).filter(|count| *count > 1) {
        let _ = write!(message, " (and {} like this)", others - 1);
    }
    let mut entry = Entry::new(&message, id, priority);
    let Some(target) = at(event, &["target"]) else { return entry };
    let number = |path: &[&str]| at(target, path).and_then(Value::as_u64).map(|number| number.to_string());
    let of_unit = text(target, &["systemd", "unit"]).filter(|unit| is_started(unit));
    entry.add_if("OBJECT_SYSTEMD_UNIT", of_unit);
    entry.add_if("OBJECT_SYSTEMD_USER_UNIT", text(target, &["systemd", "userUnit"]));
    entry.add_if("OBJECT_COMM", text(target, &["comm"]));
    entry.add_if("OBJECT_EXE", text(target, &["exe"]));
    entry.add_if("OBJECT_CMDLINE", cmdline(Some(target)).as_deref());
    entry.add_if("OBJECT_UID", number(&["user", "id"]).as_deref());
    entry.add_if("OBJECT_GID", number(&["group", "id"]).as_deref());
    entry.add_if("OBJECT_SYSTEMD_CGROUP", text(target, &["cgroup"]));
    entry.add_if("KILLSNOOP_EVENT", text(event, &["event"]));
    entry.add_if("KILLSNOOP_SIGNAL", text(event, &["signalName"]));
    entry.add_if("KILLSNOOP_ORIGIN", text(event, &["origin"]).or(text(event, &["after", "origin"])));
    entry.add_if("KILLSNOOP_TARGET", text(target, &["key"]));
    let container = text(target, &["container", "name"]).or(text(target, &["container", "id"]));
    entry.add_if("KILLSNOOP_CONTAINER", container);
    let pod = text(target, &["k8s", "pod", "name"]).map(|pod| match text(target, &["k8s", "namespace"]) {
        Some(namespace) => format!("{namespace}/{pod}"),
        None => pod.to_owned(),
    });
    entry.add_if("KILLSNOOP_POD", pod.as_deref().or(text(target, &["k8s", "pod", "uid"])));
    entry
}

/// Who it was.
fn add_source(entry: &mut Entry, event: &Value, path: &[&str], sent: Option<&Sent>) {
    let Some(source) = at(event, path) else { return };
    entry.add_if("KILLSNOOP_SOURCE", text(source, &["key"]));
    entry.add_if("KILLSNOOP_SOURCE_COMM", text(source, &["comm"]));
    let cmdline = cmdline(Some(source)).or_else(|| sent?.cmdline.clone());
    entry.add_if("KILLSNOOP_SOURCE_CMDLINE", cmdline.as_deref());
    let of_unit = unit(source).or(sent.and_then(|sent| sent.unit.as_deref()));
    entry.add_if("KILLSNOOP_SOURCE_UNIT", of_unit);
}

/// The arguments of a process, joined by blanks; one that was cut ends in `…`.
fn cmdline(process: Option<&Value>) -> Option<String> {
    let arguments = at(process?, &["cmdline"])?.as_array()?;
    let words: Vec<String> = arguments.iter().filter_map(Value::as_str).map(visible).collect();
    let whole = words.join(" ");
    let is_cut = at(process?, &["cmdlineTruncated"]) == Some(&Value::Bool(true));
    let mut text: String = whole.chars().take(LONGEST).collect();
    if is_cut || text.len() < whole.len() {
        text.push('…');
    }
    Some(text)
}

fn of_loss(event: &Value) -> Entry {
    let count = at(event, &["lost"]).and_then(Value::as_u64).unwrap_or_default();
    let causes = at(event, &["cause"]).and_then(Value::as_object);
    let causes: Vec<String> =
        causes.into_iter().flatten().map(|(cause, count)| format!("{cause} {count}")).collect();
    let plural = if count == 1 { "event was" } else { "events were" };
    Entry::gap(&format!("{count} {plural} lost ({}): deaths may be missing", causes.join(", ")), "lost")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn end() -> Value {
        json!({"event": "ended", "id": 9, "signalName": "SIGKILL", "summary": "nginx(7) was killed", "coreDumped": false,
            "after": {"id": 8, "origin": "process", "source": {"pid": 5, "comm": "bash", "key": "5@1"}},
            "target": {"pid": 7, "comm": "nginx", "key": "7@2", "cmdline": ["nginx", "-g\n"], "exe": "/usr/sbin/nginx",
                "user": {"id": 33}, "group": {"id": 34}, "cgroup": "/system.slice/nginx.service",
                "systemd": {"unit": "nginx.service"}, "container": {"id": "ab", "name": "web"},
                "k8s": {"namespace": "shop", "pod": {"name": "web-0", "uid": "u"}}}})
    }

    fn sent(unit: &str, origin: &str) -> Value {
        json!({"event": "signal", "id": 8, "origin": origin, "summary": "out of memory", "signalName": "SIGKILL",
            "source": {"pid": 5, "key": "5@1", "cmdline": ["bash"], "systemd": {"unit": unit}},
            "target": {"key": "7@2", "systemd": {"unit": "nginx.service"}}})
    }

    fn entry(which: Journaled, events: &[Value]) -> Option<Entry> {
        let mut entries = Entries::new(which);
        let mut last = None;
        for event in events {
            last = entries.of_line(event.to_string().as_bytes());
        }
        last
    }

    fn with(mut event: Value, path: &str, value: Value) -> Value {
        *event.pointer_mut(path).unwrap() = value;
        event
    }

    #[test]
    fn a_death_is_found_by_its_unit_and_names_who_and_how_and_no_pid() {
        let entry = entry(Journaled::Deaths, &[sent("sshd.service", "process"), end()]).unwrap();
        for (name, value) in [
            ("MESSAGE", "nginx(7) was killed"),
            ("MESSAGE_ID", DEATH),
            ("PRIORITY", "4"),
            ("SYSLOG_IDENTIFIER", "killsnoop"),
            ("OBJECT_SYSTEMD_UNIT", "nginx.service"),
            ("OBJECT_COMM", "nginx"),
            ("OBJECT_EXE", "/usr/sbin/nginx"),
            ("OBJECT_CMDLINE", "nginx -g\\u000a"),
            ("OBJECT_UID", "33"),
            ("OBJECT_GID", "34"),
            ("OBJECT_SYSTEMD_CGROUP", "/system.slice/nginx.service"),
            ("KILLSNOOP_EVENT", "ended"),
            ("KILLSNOOP_SIGNAL", "SIGKILL"),
            ("KILLSNOOP_ORIGIN", "process"),
            ("KILLSNOOP_TARGET", "7@2"),
            ("KILLSNOOP_SOURCE", "5@1"),
            ("KILLSNOOP_SOURCE_COMM", "bash"),
            ("KILLSNOOP_SOURCE_CMDLINE", "bash"),
            ("KILLSNOOP_SOURCE_UNIT", "sshd.service"),
            ("KILLSNOOP_CONTAINER", "web"),
            ("KILLSNOOP_POD", "shop/web-0"),
        ] {
            assert_eq!(entry.get(name), Some(value), "{name}");
        }
        let text = String::from_utf8(entry.bytes()).unwrap();
        assert!(!text.contains("OBJECT_PID") && text.lines().all(|line| line.contains('=')), "{text}");
    }

    #[test]
    fn how_urgent_it_is_depends_on_who_and_how() {
        let of = |path: &str, value: Value| {
            entry(Journaled::Deaths, &[with(end(), path, value)]).unwrap().get("PRIORITY").unwrap().to_owned()
        };
        assert_eq!(of("/signalName", json!("SIGSEGV")), "3");
        assert_eq!(of("/coreDumped", json!(true)), "3");
        assert_eq!(of("/after/origin", json!("oom")), "3");
        assert_eq!(of("/after/source/key", json!("7@2")), "6");
        // a stop is no news, what follows its timeout is
        assert_eq!(of("/after/source/pid", json!(1)), "4");
        let stop = with(with(end(), "/signalName", json!("SIGTERM")), "/after/source/pid", json!(1));
        assert_eq!(entry(Journaled::Deaths, &[stop]).unwrap().get("PRIORITY"), Some("6"));
        let inside = entry(Journaled::Deaths, &[sent("nginx.service", "process"), end()]).unwrap();
        assert_eq!(inside.get("PRIORITY"), Some("6"));
    }

    #[test]
    fn an_oom_kill_has_one_entry_with_its_end() {
        let kill = entry(Journaled::Deaths, &[sent("a.service", "oom")]).unwrap();
        assert_eq!((kill.get("MESSAGE_ID"), kill.get("PRIORITY")), (Some(OOM), Some("3")));
        let dead = with(end(), "/after/origin", json!("oom"));
        assert_eq!(entry(Journaled::Deaths, &[sent("a.service", "oom"), dead.clone()]), None);
        // of one that was not seen, the end says it
        assert!(entry(Journaled::Deaths, &[dead]).is_some());
    }

    #[test]
    fn an_exit_is_there_only_if_ends_are_wanted_and_a_thread_never() {
        let mut exit = end();
        exit.as_object_mut().unwrap().remove("signalName");
        assert_eq!(entry(Journaled::Deaths, std::slice::from_ref(&exit)), None);
        assert_eq!(entry(Journaled::Ends, &[exit]).unwrap().get("PRIORITY"), Some("6"));
        let mut thread = end();
        thread["scope"] = json!("thread");
        assert_eq!(entry(Journaled::Ends, &[thread]), None);
    }

    #[test]
    fn what_was_lost_or_not_recorded_is_said() {
        let lost = json!({"event": "lost", "lost": 3, "cause": {"ringFull": 3}});
        let lost = entry(Journaled::Deaths, &[lost]).unwrap();
        assert_eq!(lost.get("MESSAGE"), Some("3 events were lost (ringFull 3): deaths may be missing"));
        assert_eq!((lost.get("MESSAGE_ID"), lost.get("PRIORITY")), (Some(GAP), Some("4")));
        let gap = json!({"event": "gap", "summary": "nothing was recorded"});
        assert_eq!(entry(Journaled::Deaths, &[gap]).unwrap().get("MESSAGE_ID"), Some(GAP));
        for odd in ["", "{", "[]", "{\"event\": 1}", "{\"event\": \"request\"}"] {
            assert_eq!(Entries::new(Journaled::Ends).of_line(odd.as_bytes()), None);
        }
    }

    #[test]
    fn a_slice_is_no_unit_and_lines_have_their_length() {
        let slice = with(end(), "/target/systemd/unit", json!("user.slice"));
        assert_eq!(entry(Journaled::Deaths, &[slice]).unwrap().get("OBJECT_SYSTEMD_UNIT"), None);
        let mut entry = Entry::default();
        entry.add("A", "x\ny");
        assert_eq!(entry.bytes(), b"A\n\x03\0\0\0\0\0\0\0x\ny\n");
    }
}
