//! The output contract: which keys an event has, in which order. Every format is told the same.
//!
//! Three kinds of silence: a key that does not apply is not told; a fact that should be there and could not
//! be had is named in `missing`; an empty fact is told.

use base64::Engine;

use crate::event::{Event, LostEvent, SignalEvent};
use crate::origin::Origin;
use crate::record::{Argv, Blocking, Disposition, ProcessFacts, Snapshot, Task, Title};
use crate::sink::Format;
use crate::summary;

/// Tells one event to a format.
pub fn tell(event: &Event<'_>, format: &mut dyn Format) {
    match event {
        Event::Signal(signal) => tell_signal(signal, format),
        Event::Lost(lost) => tell_lost(lost, format),
    }
}

fn tell_lost(event: &LostEvent, format: &mut dyn Format) {
    let time = crate::event::Clock { offset: event.time }.utc(0);
    format.text("time", &time);
    format.text("level", "WARN");
    format.text("msg", "events lost");
    format.text("event", "lost");
    format.number("lost", event.lost.total());
    format.open("cause");
    for (cause, count) in [
        ("ringFull", event.lost.ring_full),
        ("recursion", event.lost.recursion),
        ("undecodable", event.lost.undecodable),
    ] {
        if count > 0 {
            format.number(cause, count);
        }
    }
    format.close();
}

fn tell_signal(event: &SignalEvent<'_>, format: &mut dyn Format) {
    let facts = &event.facts;
    format.text("time", &event.clock.utc(facts.time));
    format.text("level", "INFO");
    format.text("msg", "snooped signal");
    format.text("event", "signal");
    format.number("id", event.id);
    format.number("signal", u64::from(event.signal.number()));
    format.text("signalString", &event.signal.go_string());
    format.text("signalName", &event.signal.to_string());
    format.text("summary", &summary::of(event));
    format.text("origin", event.verdict.origin.name());
    if let Some(relation) = event.relation {
        format.text("relation", relation.name());
    }
    if let Some(via) = event.verdict.via {
        format.text("via", via);
    }
    if let Some(scope) = event.verdict.scope {
        format.text("scope", scope.name());
    }
    if let Some(code) = event.code() {
        format.text("code", &code);
    }
    if event.verdict.code_forged {
        format.flag("codeForged", true);
    }
    if let Some(outcome) = event.outcome() {
        format.text("result", outcome.name());
    }
    if event.is_fatal() {
        format.flag("fatal", true);
    }
    tell_trigger(event, format);
    if let Some((address, instruction)) = event.fault() {
        format.open("fault");
        format.text("address", &format!("{address:#x}"));
        if let Some(instruction) = instruction {
            format.text("ip", &format!("{instruction:#x}"));
        }
        format.close();
    }
    let missing = missing(event);
    if !missing.is_empty() {
        format.words("missing", &missing);
    }
    if event.source().is_some() {
        format.open("source");
        tell_subject(event, &facts.current, &facts.current_chain, facts.current_truncated, None, format);
        format.close();
    }
    format.open("target");
    tell_subject(
        event,
        &facts.target,
        &facts.target_chain,
        facts.target_truncated,
        Some(facts.group),
        format,
    );
    format.close();
    if let Some(pid) = event.common_ancestor() {
        format.open("commonAncestor");
        format.number("pid", u64::from(pid));
        format.close();
    }
}

fn tell_trigger(event: &SignalEvent<'_>, format: &mut dyn Format) {
    let Some(trigger) = event.trigger() else { return };
    format.open("trigger");
    format.number("pid", u64::from(trigger.pid));
    format.text("comm", &String::from_utf8_lossy(&trigger.comm));
    tell_cmdline(trigger, format);
    if event.verdict.origin == Origin::ParentDeath {
        format.number("tid", u64::from(event.facts.current.tid));
        format.flag("processAlive", event.current_lives_on());
    }
    format.close();
}

/// Source or target; `group` is there for the target, and says how it was addressed.
fn tell_subject(
    event: &SignalEvent<'_>,
    task: &Task,
    chain: &[usize],
    truncated: bool,
    group: Option<bool>,
    format: &mut dyn Format,
) {
    let facts = &event.facts;
    let Some(process) = chain.first().and_then(|&place| facts.processes.get(place)) else { return };
    format.number("pid", u64::from(process.pid));
    // a signal to the group names whatever thread stood for it: only one to a thread has a thread
    if task.tid != process.pid && group != Some(true) {
        format.number("tid", u64::from(task.tid));
    }
    tell_cmdline(process, format);
    format.text("comm", &String::from_utf8_lossy(&process.comm));
    format.text("key", &key(process));
    if let Some(title) = &process.title {
        format.text("title", &title_text(title));
        if title.cut {
            format.flag("titleTruncated", true);
        }
    }
    format.text("startTime", &event.clock.utc(process.start));
    tell_id(format, "user", process.uid);
    tell_id(format, "group", task.gid);
    if task.login_uid != u32::MAX {
        tell_id(format, "loginUser", task.login_uid);
    }
    if task.session != 0 {
        format.number("session", u64::from(task.session));
    }
    if task.namespace_level > 0 && task.namespace_pid != 0 {
        format.number("nspid", u64::from(task.namespace_pid));
        format.number("pidns", u64::from(task.namespace_inode));
    }
    if group.is_some() {
        tell_target(event, format);
    }
    format.text("tree", &tree(facts, chain, truncated));
    if truncated {
        format.flag("treeTruncated", true);
    }
    tell_parents(facts, &chain[1..], process.uid, format);
}

fn tell_id(format: &mut dyn Format, what: &'static str, id: u32) {
    format.open(what);
    format.number("id", u64::from(id));
    format.close();
}

fn tell_target(event: &SignalEvent<'_>, format: &mut dyn Format) {
    if event.facts.target.pgid != 0 {
        format.number("pgid", u64::from(event.facts.target.pgid));
    }
    // SIGKILL and SIGSTOP have one disposition only
    let disposition = match event.facts.disposition {
        Disposition::Default => "default",
        Disposition::Ignored => "ignored",
        Disposition::Handled => "handled",
    };
    format.text("disposition", disposition);
    if event.facts.blocking == Blocking::Blocked {
        format.flag("blocked", true);
    }
    if let Some(state) = event.target_state() {
        format.text("state", state);
    }
}

fn tell_parents(facts: &Snapshot<'_>, chain: &[usize], mut uid_below: u32, format: &mut dyn Format) {
    let mut opened = 0;
    for process in chain.iter().filter_map(|&place| facts.processes.get(place)) {
        format.open_last("parent");
        opened += 1;
        format.number("pid", u64::from(process.pid));
        tell_cmdline(process, format);
        format.text("comm", &String::from_utf8_lossy(&process.comm));
        format.text("key", &key(process));
        if process.uid != uid_below {
            tell_id(format, "user", process.uid);
        }
        uid_below = process.uid;
    }
    for _ in 0..opened {
        format.close();
    }
}

/// `pid@start`: one process, for ever.
pub fn key(process: &ProcessFacts<'_>) -> String {
    format!("{}@{}", process.pid, process.start)
}

/// Splits an argument block; whether the last argument is whole is told by its length.
pub fn arguments(bytes: &[u8]) -> Vec<&[u8]> {
    if bytes.is_empty() {
        return Vec::new();
    }
    let without_last_nul = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    without_last_nul.split(|&byte| byte == 0).collect()
}

fn tell_cmdline(process: &ProcessFacts<'_>, format: &mut dyn Format) {
    let Argv::Known { bytes, total, from_proc } = &process.argv else { return };
    format.list("cmdline", &arguments(bytes));
    if std::str::from_utf8(bytes).is_err() {
        format.text("cmdlineRaw", &base64::engine::general_purpose::STANDARD.encode(bytes));
    }
    if (bytes.len() as u64) < u64::from(*total) {
        format.flag("cmdlineTruncated", true);
    }
    if *from_proc {
        format.text("cmdlineFrom", "proc");
    }
}

/// As ps shows it: one string, up to the first NUL where it spilt over the block.
fn title_text(title: &Title<'_>) -> String {
    let bytes = if title.spilt {
        title.bytes.split(|&byte| byte == 0).next().unwrap_or_default()
    } else {
        title.bytes
    };
    let text: Vec<u8> = bytes.iter().map(|&byte| if byte == 0 { b' ' } else { byte }).collect();
    String::from_utf8_lossy(&text).trim_end().to_owned()
}

/// `systemd(1)─sshd(812)─bash(900)─pkill(1657)`; begins with `…─` where it was cut.
fn tree(facts: &Snapshot<'_>, chain: &[usize], truncated: bool) -> String {
    let mut text = if truncated { "…".to_owned() } else { String::new() };
    for process in chain.iter().rev().filter_map(|&place| facts.processes.get(place)) {
        if !text.is_empty() {
            text.push('─');
        }
        text.push_str(&summary::name(process));
    }
    text
}

/// What should be there and is not: `target.cmdline:no-memory`.
fn missing(event: &SignalEvent<'_>) -> Vec<String> {
    let facts = &event.facts;
    let mut missing = Vec::new();
    let mut chain = |name: &str, chain: &[usize]| {
        let mut path = name.to_owned();
        for process in chain.iter().filter_map(|&place| facts.processes.get(place)) {
            if let Argv::Missing(gap) = process.argv {
                missing.push(format!("{path}.cmdline:{}", gap.reason()));
            }
            if process.title_lost {
                missing.push(format!("{path}.title:unreadable"));
            }
            path.push_str(".parent");
        }
    };
    if event.source().is_some() {
        chain("source", &facts.current_chain);
    }
    if event.trigger().is_some() {
        chain("trigger", &facts.current_chain[..1]);
    }
    chain("target", &facts.target_chain);
    if facts.blocking == Blocking::Unknown {
        missing.push("target.blocked:many-threads".to_owned());
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_keep_their_boundaries() {
        let empty: [&[u8]; 0] = [];
        assert_eq!(arguments(b""), empty);
        assert_eq!(arguments(b"\0"), [b""]);
        assert_eq!(arguments(b"a\0"), [b"a"]);
        assert_eq!(arguments(b"a\0\0"), [&b"a"[..], b""]);
        assert_eq!(arguments(b"a\0\0b\0"), [&b"a"[..], b"", b"b"]);
        assert_eq!(arguments(b"a\0cu"), [&b"a"[..], b"cu"]);
    }

    #[test]
    fn a_title_reads_as_in_ps() {
        let title = |bytes, spilt| title_text(&Title { bytes, spilt, cut: false });
        assert_eq!(title(b"postgres: walwriter\0\0\0\0", false), "postgres: walwriter");
        assert_eq!(title(b"nginx: worker\0PATH=/bin", true), "nginx: worker");
        assert_eq!(title(b"a\0b\0", false), "a b");
    }
}
