//! The output contract: which keys an event has, in which order. Every format is told the same.
//!
//! Three kinds of silence: a key that does not apply is not told; a fact that should be there and could not
//! be had is named in `missing`; an empty fact is told.

use base64::Engine;

use crate::event::{AttemptEvent, Clock, EndEvent, Event, LostEvent, SignalEvent};
use crate::origin::{self, Origin};
use crate::record::{Argv, Blocking, Disposition, OomScope, ProcessFacts, Snapshot, Task, Title};
use crate::signal::Signal;
use crate::sink::Format;
use crate::summary;

/// Tells one event to a format.
pub fn tell(event: &Event<'_>, format: &mut dyn Format) {
    match event {
        Event::Signal(signal) => tell_signal(signal, format),
        Event::Attempt(attempt) => tell_attempt(attempt, format),
        Event::End(end) => tell_end(end, format),
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
        ("attempts", event.lost.attempts),
        ("ends", event.lost.ends),
        ("ooms", event.lost.ooms),
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
    if let Some((integer, pointer)) = event.value() {
        format.open("sigval");
        format.integer("int", i64::from(integer));
        format.text("ptr", &format!("{pointer:#x}"));
        format.close();
    }
    if let Some(outcome) = event.outcome() {
        format.text("result", outcome.name());
    }
    if event.is_fatal() {
        format.flag("fatal", true);
    }
    tell_trigger(event, format);
    if let Some(tty) = event.tty() {
        format.open("tty");
        format.text("name", &tty);
        format.close();
    }
    tell_oom(event, format);
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
        Subject::source(facts).tell(event.clock, format, |_| {});
        format.close();
    }
    format.open("target");
    Subject::target(facts).tell(event.clock, format, |format| tell_target(event, format));
    format.close();
    if let Some(pid) = event.common_ancestor() {
        format.open("commonAncestor");
        format.number("pid", u64::from(pid));
        format.close();
    }
}

fn tell_attempt(event: &AttemptEvent<'_>, format: &mut dyn Format) {
    let attempt = &event.attempt;
    let facts = &attempt.facts;
    format.text("time", &event.clock.utc(facts.time));
    format.text("level", "INFO");
    format.text("msg", "signal attempt");
    format.text("event", "attempt");
    format.number("id", event.id);
    format.integer("signal", i64::from(attempt.signal));
    let number = || attempt.signal.to_string();
    format.text(
        "signalString",
        &event.signal().map_or_else(|| format!("signal {}", number()), Signal::go_string),
    );
    format.text("signalName", &event.signal().map_or_else(number, |signal| signal.to_string()));
    format.text("summary", &summary::of_attempt(event));
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
    if let Some(argument) = origin::pid_argument(facts) {
        format.integer("pidArgument", i64::from(argument));
    }
    format.text("result", &event.result());
    let mut missing = Vec::new();
    missing_of("source", facts, &facts.current_chain, &mut missing);
    if attempt.has_target {
        missing_of("target", facts, &facts.target_chain, &mut missing);
    }
    if !missing.is_empty() {
        format.words("missing", &missing);
    }
    format.open("source");
    Subject::source(facts).tell(event.clock, format, |_| {});
    format.close();
    if attempt.has_target {
        format.open("target");
        Subject::target(facts).tell(event.clock, format, |_| {});
        format.close();
    }
}

fn tell_end(event: &EndEvent<'_>, format: &mut dyn Format) {
    let facts = &event.facts;
    format.text("time", &event.clock.utc(facts.time));
    format.text("level", "INFO");
    format.text("msg", "target ended");
    format.text("event", "ended");
    format.number("id", event.id);
    format.number("signal", u64::from(event.signal.number()));
    format.text("signalString", &event.signal.go_string());
    format.text("signalName", &event.signal.to_string());
    format.text("summary", &summary::of_end(event));
    if let Some(origin) = event.origin {
        format.text("origin", origin.name());
    }
    format.flag("coreDumped", facts.core_dumped);
    if let Some(tracer) = event.tracer() {
        format.open("trigger");
        format.number("pid", u64::from(tracer.pid));
        format.text("comm", &String::from_utf8_lossy(&tracer.comm));
        tell_cmdline(tracer, format);
        format.close();
    }
    let mut missing = Vec::new();
    if event.origin.is_none() {
        let why = if event.is_older { "older-than-the-trace" } else { "not-seen" };
        missing.push(format!("origin:{why}"));
    }
    missing_in("target", &facts.processes, &facts.chain, &mut missing);
    if let Some(tracer) = facts.tracer {
        missing_in("trigger", &facts.processes, &[tracer], &mut missing);
    }
    if !missing.is_empty() {
        format.words("missing", &missing);
    }
    format.open("target");
    let subject = Subject {
        processes: &facts.processes,
        chain: &facts.chain,
        task: &facts.task,
        truncated: facts.truncated,
        tells_thread: false,
    };
    subject.tell(event.clock, format, |_| {});
    format.close();
}

fn tell_oom(event: &SignalEvent<'_>, format: &mut dyn Format) {
    let Some(oom) = &event.facts.oom else { return };
    let bytes = |pages| summary::bytes_of_pages(pages);
    format.open("oom");
    if let Some(scope) = oom.scope {
        format.text("scope", if scope == OomScope::Cgroup { "cgroup" } else { "global" });
    }
    // a limit that was near is nothing to tell where the host's memory ran out
    if oom.scope == Some(OomScope::Cgroup) {
        if !oom.cgroup.is_empty() {
            format.text("cgroup", &String::from_utf8_lossy(&oom.cgroup));
        }
        if let Some((usage, limit)) = oom.usage_and_limit {
            format.number("limitBytes", bytes(limit));
            format.number("usageBytes", bytes(usage));
        }
    }
    if let Some(pages) = oom.rss_pages {
        format.number("rssBytes", bytes(pages));
    }
    format.close();
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

/// A process with its tree: source or target.
struct Subject<'a> {
    processes: &'a [ProcessFacts<'a>],
    chain: &'a [usize],
    task: &'a Task,
    truncated: bool,
    /// The thread is worth telling, if it is not the first one.
    tells_thread: bool,
}

impl<'a> Subject<'a> {
    fn source(facts: &'a Snapshot<'a>) -> Self {
        Self {
            processes: &facts.processes,
            chain: &facts.current_chain,
            task: &facts.current,
            truncated: facts.current_truncated,
            tells_thread: true,
        }
    }

    fn target(facts: &'a Snapshot<'a>) -> Self {
        Self {
            processes: &facts.processes,
            chain: &facts.target_chain,
            task: &facts.target,
            truncated: facts.target_truncated,
            // a signal to the group names whatever thread stood for it: only one to a thread has a thread
            tells_thread: !facts.group,
        }
    }

    /// `own` tells what only this side has, before the tree.
    fn tell(&self, clock: Clock, format: &mut dyn Format, own: impl FnOnce(&mut dyn Format)) {
        let (task, chain) = (self.task, self.chain);
        let Some(process) = chain.first().and_then(|&place| self.processes.get(place)) else { return };
        format.number("pid", u64::from(process.pid));
        if task.tid != process.pid && self.tells_thread {
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
        format.text("startTime", &clock.utc(process.start));
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
        own(format);
        format.text("tree", &tree(self.processes, chain, self.truncated));
        if self.truncated {
            format.flag("treeTruncated", true);
        }
        tell_parents(self.processes, &chain[1..], process.uid, format);
    }
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

fn tell_parents(
    processes: &[ProcessFacts<'_>],
    chain: &[usize],
    mut uid_below: u32,
    format: &mut dyn Format,
) {
    let mut opened = 0;
    for process in chain.iter().filter_map(|&place| processes.get(place)) {
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
fn tree(processes: &[ProcessFacts<'_>], chain: &[usize], truncated: bool) -> String {
    let mut text = if truncated { "…".to_owned() } else { String::new() };
    for process in chain.iter().rev().filter_map(|&place| processes.get(place)) {
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
    if event.verdict.origin == Origin::Tty && event.tty().is_none() {
        missing.push("tty.name:gone".to_owned());
    }
    if let Some(oom) = &facts.oom {
        let is_cgroups = oom.scope == Some(OomScope::Cgroup);
        let gaps = [
            ("scope", oom.scope.is_none()),
            ("cgroup", is_cgroups && oom.cgroup.is_empty()),
            ("limitBytes", is_cgroups && oom.usage_and_limit.is_none()),
            ("rssBytes", oom.rss_pages.is_none()),
        ];
        missing.extend(gaps.iter().filter(|gap| gap.1).map(|gap| format!("oom.{}:not-told", gap.0)));
    }
    if event.source().is_some() {
        missing_of("source", facts, &facts.current_chain, &mut missing);
    }
    if event.trigger().is_some() {
        missing_of("trigger", facts, &facts.current_chain[..1], &mut missing);
    }
    missing_of("target", facts, &facts.target_chain, &mut missing);
    if facts.blocking == Blocking::Unknown {
        missing.push("target.blocked:many-threads".to_owned());
    }
    missing
}

fn missing_of(name: &str, facts: &Snapshot<'_>, chain: &[usize], missing: &mut Vec<String>) {
    missing_in(name, &facts.processes, chain, missing);
}

/// What a process and those above it lack; `name` is the first one's key.
fn missing_in(name: &str, processes: &[ProcessFacts<'_>], chain: &[usize], missing: &mut Vec<String>) {
    let mut path = name.to_owned();
    for process in chain.iter().filter_map(|&place| processes.get(place)) {
        if let Argv::Missing(gap) = process.argv {
            missing.push(format!("{path}.cmdline:{}", gap.reason()));
        }
        if process.title_lost {
            missing.push(format!("{path}.title:unreadable"));
        }
        path.push_str(".parent");
    }
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
