//! The output contract: which keys an event has, in which order. Every format is told the same.
//!
//! Three kinds of silence: a key that does not apply is not told; a fact that should be there and could not
//! be had is named in `missing`; an empty fact is told.

use std::borrow::Cow;

use base64::Engine;

use crate::base::digits::push_decimal;
use crate::enrich::surroundings::{ReadTitle, Surroundings};
use crate::event::context::After;
use crate::event::origin::{self, Origin, Reason};
use crate::event::signal::Signal;
use crate::event::summary;
use crate::event::{
    AttemptEvent, Clock, EndEvent, Event, LostEvent, Outcome, RefusedCall, RlimitValue, SignalEvent, tty_name,
};
use crate::output::format::Format;
use crate::output::format::line_template::Gap;
use crate::output::format::parts::{Basis, PartOf};
use crate::record::{
    Argv, ArgvFrom, Blocking, ChildDeath, Disposition, Ending, OomScope, Previous, PreviousSource,
    ProcessFacts, Snapshot, SpawnerFacts, Task, Title,
};

/// Tells one event to a format.
pub fn tell(event: &Event<'_>, format: &mut dyn Format) {
    match event {
        Event::Signal(signal) => write_signal(signal, format),
        Event::Attempt(attempt) => write_attempt(attempt, format),
        Event::End(end) => write_end(end, format),
        Event::Lost(lost) => write_lost(lost, format),
    }
}

/// What every event begins with.
fn write_head(time: &str, level: &str, msg: &str, event: &str, format: &mut dyn Format) {
    format.text("time", time);
    format.gap(Gap::Time);
    format.text("level", level);
    format.text("msg", msg);
    format.text("event", event);
}

fn write_lost(event: &LostEvent, format: &mut dyn Format) {
    let time = Clock::fixed(event.time).utc(0);
    write_head(&time, "WARN", "events lost", "lost", format);
    format.number("lost", event.lost.total());
    format.open("cause");
    for (cause, count) in [
        ("ringFull", event.lost.ring_full),
        ("recursion", event.lost.recursion),
        ("undecodable", event.lost.undecodable),
        ("attempts", event.lost.attempts),
        ("ends", event.lost.ends),
        ("ooms", event.lost.ooms),
        ("cgroups", event.lost.cgroups),
        ("lines", event.lost.lines),
    ] {
        if count > 0 {
            format.number(cause, count);
        }
    }
    format.close();
}

fn write_signal(event: &SignalEvent<'_>, format: &mut dyn Format) {
    let facts = &event.facts;
    write_head(&event.clock.utc(facts.time), "INFO", "snooped signal", "signal", format);
    format.number("id", event.id);
    format.gap(Gap::Id);
    format.number("signal", u64::from(event.signal.number()));
    format.text("signalString", &event.signal.go_string());
    format.text("signalName", &event.signal.name());
    if format.wants("summary") {
        format.text("summary", &summary::of(event));
    }
    format.text("origin", event.verdict.origin.name());
    if let Some(reason) = event.verdict.reason {
        format.text("reason", reason.name());
    }
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
    if let Some(previous) = event.previous() {
        let (id, origin) = event.context.previous.unzip();
        let after = After { id, origin, signal: *previous };
        write_earlier("previous", &after, facts.time, format);
    }
    write_trigger(event, format);
    if let Some(tty) = event.tty() {
        format.open("tty");
        format.text("name", &tty);
        format.close();
    }
    write_oom(event, format);
    write_cause(event, format);
    if let Some((address, instruction)) = event.fault() {
        format.open("fault");
        format.text("address", &format!("{address:#x}"));
        if let Some(instruction) = instruction {
            format.text("ip", &format!("{instruction:#x}"));
        }
        format.close();
    }
    let missing = if format.wants("missing") { missing(event) } else { Vec::new() };
    if !missing.is_empty() {
        format.words("missing", &missing);
    }
    if event.source().is_some() {
        format.open("source");
        let subject = Subject::source(facts, &event.context.source);
        subject.tell(event.clock, facts.time, format, |format| {
            if let Some(death) = event.child_death() {
                write_child_death(death, event.context.child_death_id, facts.time, format);
            }
            if let Some((last, from)) = event.last_signal() {
                write_last_signal(last, from, event.context.last_signal_id, facts.time, format);
            }
            write_tracer(event.source_tracer(), format);
        });
        format.close();
    }
    format.open("target");
    let mut subject = Subject::target(facts, &event.context.target);
    // a limit is reached by the thread that runs
    subject.names_thread |= event.verdict.origin == Origin::Rlimit;
    subject.tell(event.clock, facts.time, format, |format| write_target(event, format));
    format.close();
    if let Some(pid) = event.common_ancestor() {
        format.open("commonAncestor");
        format.number("pid", u64::from(pid));
        format.close();
    }
}

fn write_attempt(event: &AttemptEvent<'_>, format: &mut dyn Format) {
    let attempt = &event.attempt;
    let facts = &attempt.facts;
    write_head(&event.clock.utc(facts.time), "INFO", "signal attempt", "attempt", format);
    format.number("id", event.id);
    format.integer("signal", i64::from(attempt.signal));
    let number = || attempt.signal.to_string();
    format.text(
        "signalString",
        &event.signal().map_or_else(|| format!("signal {}", number()).into(), Signal::go_string),
    );
    format.text("signalName", &event.signal().map_or_else(|| number().into(), Signal::name));
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
    Subject::source(facts, &event.context.source).missing("source", &mut missing);
    if attempt.has_target {
        Subject::target(facts, &event.context.target).missing("target", &mut missing);
    }
    if !missing.is_empty() {
        format.words("missing", &missing);
    }
    format.open("source");
    Subject::source(facts, &event.context.source).tell(event.clock, facts.time, format, |_| {});
    format.close();
    if attempt.has_target {
        format.open("target");
        Subject::target(facts, &event.context.target).tell(event.clock, facts.time, format, |_| {});
        format.close();
    }
}

fn write_end(event: &EndEvent<'_>, format: &mut dyn Format) {
    let facts = &event.facts;
    write_head(&event.clock.utc(facts.time), "INFO", "target ended", "ended", format);
    format.number("id", event.id);
    if let Some(signal) = event.signal {
        format.number("signal", u64::from(signal.number()));
        format.text("signalString", &signal.go_string());
        format.text("signalName", &signal.name());
    }
    format.text("summary", &summary::of_end(event));
    if let Some(origin) = event.origin {
        format.text("origin", origin.name());
    }
    match facts.ending {
        Ending::Exit(code) => format.number("exitCode", u64::from(code)),
        Ending::Signal { core_dumped, .. } => format.flag("coreDumped", core_dumped),
    }
    if let Some(after) = &event.after {
        write_earlier("after", after, facts.time, format);
    }
    if facts.is_thread {
        format.text("scope", origin::Scope::Thread.name());
    }
    if let Some(call) = event.refused_call() {
        write_refused_call(&call, format);
    }
    if let Some(tracer) = event.tracer() {
        format.open("trigger");
        format.number("pid", u64::from(tracer.pid));
        write_bytes("comm", "commRaw", &tracer.comm, format);
        write_cmdline(tracer, format);
        format.close();
    }
    let mut missing = Vec::new();
    if event.is_unexplained() && event.origin.is_none() && !facts.is_thread {
        let why = if event.is_older { "older-than-the-trace" } else { "not-seen" };
        missing.push(format!("origin:{why}"));
    }
    if event.signal.is_some() && facts.explained && event.after.is_none() {
        missing.push("after:not-kept".to_owned());
    }
    let subject = Subject {
        processes: &facts.processes,
        chain: &facts.chain,
        spawners: &[],
        task: &facts.task,
        surroundings: &event.surroundings,
        truncated: facts.truncated,
        names_thread: facts.is_thread,
    };
    subject.missing("target", &mut missing);
    if let Some(tracer) = facts.tracer {
        missing_in("trigger", &facts.processes, &[tracer], &mut missing);
    }
    if !missing.is_empty() {
        format.words("missing", &missing);
    }
    format.open("target");
    subject.tell(event.clock, facts.time, format, |_| {});
    format.close();
}

/// A signal that came before: to the same target, or before its end.
fn write_earlier(key: &'static str, earlier: &After, now: u64, format: &mut dyn Format) {
    let signal = &earlier.signal;
    format.open(key);
    if let Some(id) = earlier.id {
        format.number("id", id);
        format.gap(Gap::PreviousId);
    }
    let name = Signal::new(signal.signal).map_or_else(|| signal.signal.to_string().into(), Signal::name);
    format.text("signalName", &name);
    if let Some(origin) = earlier.origin {
        format.text("origin", origin.name());
    }
    if let Some(outcome) = Outcome::of(signal.result) {
        format.text("result", outcome.name());
    }
    if signal.hidden {
        format.flag("hidden", true);
    }
    if let Some(source) = earlier.source() {
        write_sender(source, format);
    }
    format.seconds("secondsAgo", now.saturating_sub(signal.time));
    format.gap(Gap::SecondsSincePrevious);
    format.close();
}

/// Who sent an earlier signal.
fn write_sender(source: &PreviousSource, format: &mut dyn Format) {
    format.open("source");
    format.number("pid", u64::from(source.pid));
    write_bytes("comm", "commRaw", &source.comm, format);
    format.text("key", &key_text(source.pid, source.start));
    format.close();
}

fn write_child_death(death: ChildDeath, id: Option<u64>, now: u64, format: &mut dyn Format) {
    format.open("lastChildDeath");
    format.number("pid", u64::from(death.pid));
    let name = Signal::new(death.signal).map_or_else(|| death.signal.to_string().into(), Signal::name);
    format.text("signalName", &name);
    format.seconds("secondsAgo", now.saturating_sub(death.time));
    if let Some(id) = id {
        format.number("id", id);
    }
    format.close();
}

fn write_last_signal(
    last: &Previous,
    from: &PreviousSource,
    id: Option<u64>,
    now: u64,
    format: &mut dyn Format,
) {
    format.open("lastSignal");
    if let Some(id) = id {
        format.number("id", id);
    }
    let name = Signal::new(last.signal).map_or_else(|| last.signal.to_string().into(), Signal::name);
    format.text("signalName", &name);
    write_sender(from, format);
    format.seconds("secondsAgo", now.saturating_sub(last.time));
    format.close();
}

fn write_tracer(tracer: Option<&ProcessFacts<'_>>, format: &mut dyn Format) {
    let Some(tracer) = tracer else { return };
    format.open("tracer");
    format.number("pid", u64::from(tracer.pid));
    write_bytes("comm", "commRaw", &tracer.comm, format);
    write_cmdline(tracer, format);
    format.text("key", &key(tracer));
    format.close();
}

/// What the kernel's own reasons say more.
fn write_cause(event: &SignalEvent<'_>, format: &mut dyn Format) {
    if let Some(limit) = event.rlimit() {
        format.open("rlimit");
        format.text("name", limit.name);
        match limit.value {
            RlimitValue::Time(nanoseconds) => format.seconds("valueSeconds", nanoseconds),
            RlimitValue::Bytes(bytes) => format.number("valueBytes", bytes),
        }
        format.text("kind", if limit.is_hard { "hard" } else { "soft" });
        format.close();
    }
    if let Some(call) = event.refused_call() {
        write_refused_call(&call, format);
    }
    if let Some(reboot) = event.reboot() {
        format.open("reboot");
        format.text("command", reboot.command);
        format.text("parentReads", &reboot.parent_reads.name());
        format.close();
    }
    let Some(explanation) = &event.facts.explanation else { return };
    if event.verdict.origin == Origin::Kernel && !explanation.functions.is_empty() {
        format.words("kernelStack", &explanation.functions);
    }
}

fn write_refused_call(call: &RefusedCall, format: &mut dyn Format) {
    format.open("seccomp");
    format.integer("syscall", call.number);
    if let Some(name) = call.name() {
        format.text("syscallName", name);
    }
    let arch = call.arch_name().map_or_else(|| format!("{:#x}", call.arch), str::to_owned);
    format.text("arch", &arch);
    if call.address != 0 {
        format.text("address", &format!("{:#x}", call.address));
    }
    format.close();
}

fn write_oom(event: &SignalEvent<'_>, format: &mut dyn Format) {
    let Some(oom) = &event.facts.oom else { return };
    let bytes = |pages| summary::bytes_of_pages(pages);
    format.open("oom");
    if let Some(scope) = oom.scope {
        format.text("scope", scope.name());
    }
    // a limit that was near is nothing to tell where the host's memory ran out
    if oom.scope == Some(OomScope::Cgroup) {
        if !oom.cgroup.is_empty() {
            write_bytes("cgroup", "cgroupRaw", &oom.cgroup, format);
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

fn write_trigger(event: &SignalEvent<'_>, format: &mut dyn Format) {
    let Some(trigger) = event.trigger() else { return };
    format.open("trigger");
    format.number("pid", u64::from(trigger.pid));
    write_bytes("comm", "commRaw", &trigger.comm, format);
    write_cmdline(trigger, format);
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
    spawners: &'a [SpawnerFacts],
    task: &'a Task,
    surroundings: &'a Surroundings,
    truncated: bool,
    /// The thread is worth telling, if it is not the first one.
    names_thread: bool,
}

impl<'a> Subject<'a> {
    fn source(facts: &'a Snapshot<'a>, surroundings: &'a Surroundings) -> Self {
        Self {
            processes: &facts.processes,
            chain: &facts.current_chain,
            spawners: &facts.spawners,
            task: &facts.current,
            surroundings,
            truncated: facts.current_truncated,
            names_thread: true,
        }
    }

    fn target(facts: &'a Snapshot<'a>, surroundings: &'a Surroundings) -> Self {
        Self {
            processes: &facts.processes,
            chain: &facts.target_chain,
            spawners: &facts.spawners,
            task: &facts.target,
            surroundings,
            truncated: facts.target_truncated,
            // a signal to the group names whatever thread stood for it: only one to a thread has a thread
            names_thread: !facts.group,
        }
    }

    /// `own` tells what only this side has, before the tree.
    fn tell(&self, clock: Clock, now: u64, format: &mut dyn Format, own: impl FnOnce(&mut dyn Format)) {
        let (task, chain) = (self.task, self.chain);
        let Some(process) = chain.first().and_then(|&place| self.processes.get(place)) else { return };
        format.number("pid", u64::from(process.pid));
        if task.tid != process.pid && self.names_thread {
            format.number("tid", u64::from(task.tid));
        }
        write_cmdline(process, format);
        write_bytes("comm", "commRaw", &process.comm, format);
        format.text("key", &key(process));
        if let Some(title) = &process.title {
            write_title(title, format);
        } else if let Some(read) = &self.surroundings.title {
            let ReadTitle { ref bytes, spilt, cut, read_at } = *read;
            write_title(&Title { bytes: Cow::Borrowed(bytes), spilt, cut }, format);
            format.seconds("titleAgeSeconds", now.saturating_sub(read_at));
            format.gap(Gap::SecondsSince(read_at));
        }
        self.write_identity(process, clock, format);
        own(format);
        if format.wants("tree") {
            format.text("tree", &tree(self.processes, chain, self.truncated));
        }
        if self.truncated {
            format.flag("treeTruncated", true);
        }
        self.write_spawner(chain[0], format);
        self.write_parents(&chain[1..], process.uid, format);
    }

    /// What only source and target have.
    fn write_identity(&self, process: &ProcessFacts<'_>, clock: Clock, format: &mut dyn Format) {
        let (task, surroundings) = (self.task, self.surroundings);
        if let Some(exe) = process.subject.as_ref().and_then(|subject| subject.exe_path()) {
            write_bytes("exe", "exeRaw", &exe, format);
            if process.subject.as_ref().is_some_and(|subject| subject.exe_unreachable) {
                format.flag("exeUnreachable", true);
            }
        }
        format.text("startTime", &clock.start_time(process.start));
        write_id(format, "user", process.uid, surroundings.user.as_deref());
        write_id(format, "group", task.gid, surroundings.group.as_deref());
        if task.login_uid != u32::MAX {
            write_id(format, "loginUser", task.login_uid, surroundings.login_user.as_deref());
        }
        if task.session != 0 {
            format.number("session", u64::from(task.session));
        }
        if let Some(tty) = tty_name(&task.tty) {
            format.open("tty");
            format.text("name", &tty);
            format.close();
        }
        if task.namespace_level > 0 && task.namespace_pid != 0 {
            format.number("nspid", u64::from(task.namespace_pid));
            format.number("pidns", u64::from(task.namespace_inode));
        }
        for (key, inode) in
            [("mntns", task.mount_namespace), ("netns", task.net_namespace), ("userns", task.user_namespace)]
        {
            if inode != 0 {
                format.number(key, u64::from(inode));
            }
        }
        if let Some(subject) = process.subject.as_ref().filter(|subject| !subject.nodename.is_empty()) {
            format.open("uts");
            write_bytes("nodename", "nodenameRaw", &subject.nodename, format);
            format.close();
        }
        write_placement(surroundings, format);
        let variables = process.subject.as_ref().map_or(&[][..], |subject| &subject.environment);
        if !variables.is_empty() {
            write_variables(variables, format);
        }
    }

    /// The ancestors, nested.
    fn write_parents(&self, chain: &[usize], mut uid_below: u32, format: &mut dyn Format) {
        let mut opened = 0;
        for &place in chain {
            let Some(process) = self.processes.get(place) else { continue };
            format.open_last("parent");
            opened += 1;
            let of = PartOf { pid: process.pid, start: process.start };
            let basis = basis_of(process, uid_below);
            if format.recall(of, &basis) {
                uid_below = process.uid;
            } else {
                write_relative(process, &mut uid_below, format);
                format.remember(of, &basis);
            }
            self.write_spawner(place, format);
        }
        for _ in 0..opened {
            format.close();
        }
    }

    /// Who started the process at this place, if that is not its parent: through the dead to the living.
    fn write_spawner(&self, mut place: usize, format: &mut dyn Format) {
        let mut opened = 0;
        while let Some(spawner) = self.spawners.iter().find(|spawner| spawner.of == place) {
            let Some(process) =
                self.processes.get(spawner.process).filter(|process| is_reported(spawner, process))
            else {
                break;
            };
            let mut uid_below = self.processes.get(place).map_or(process.uid, |process| process.uid);
            format.open_last("spawnedBy");
            opened += 1;
            write_relative(process, &mut uid_below, format);
            if spawner.exited {
                format.flag("exited", true);
            }
            if spawner.execed_since {
                format.flag("execedSince", true);
            }
            place = spawner.process;
        }
        for _ in 0..opened {
            format.close();
        }
    }

    /// What should be there and is not; `name` is its key.
    fn missing(&self, name: &str, missing: &mut Vec<String>) {
        if let Some(process) = self.chain.first().and_then(|&place| self.processes.get(place)) {
            let subject = process.subject.as_deref();
            if process.argv != Argv::NotApplicable && subject.is_some_and(|subject| subject.exe.is_empty()) {
                let reason = if let Argv::Missing(gap) = process.argv { gap.reason() } else { "not-kept" };
                missing.push(format!("{name}.exe:{reason}"));
            }
            if subject.is_some_and(|subject| subject.environment_cut) {
                missing.push(format!("{name}.env:too-long"));
            }
            if subject.is_some_and(|subject| subject.environment_lost) {
                missing.push(format!("{name}.env:unreadable"));
            }
        }
        if self.surroundings.are_names_lost {
            missing.push(format!("{name}.user.name:gone"));
        }
        if self.surroundings.is_cgroup_lost {
            missing.push(format!("{name}.cgroup:gone"));
        }
        if self.surroundings.is_title_dropped {
            missing.push(format!("{name}.title:not-kept"));
        }
        missing_in(name, self.processes, self.chain, missing);
        if self.spawners.is_empty() {
            return;
        }
        let mut path = name.to_owned();
        for &place in self.chain {
            self.missing_spawners(path.clone(), place, missing);
            path.push_str(".parent");
        }
    }

    fn missing_spawners(&self, mut path: String, mut place: usize, missing: &mut Vec<String>) {
        while let Some(spawner) = self.spawners.iter().find(|spawner| spawner.of == place) {
            path.push_str(".spawnedBy");
            let Some(process) = self.processes.get(spawner.process) else { return };
            if !is_reported(spawner, process) {
                missing.push(format!("{path}:not-kept"));
                return;
            }
            if let Argv::Missing(gap) = process.argv {
                missing.push(format!("{path}.cmdline:{}", gap.reason()));
            }
            place = spawner.process;
        }
    }
}

/// Of a spawner that is neither a ghost nor alive no more is known than its key.
fn is_reported(spawner: &SpawnerFacts, process: &ProcessFacts<'_>) -> bool {
    spawner.exited || !process.comm.is_empty()
}

fn write_placement(surroundings: &Surroundings, format: &mut dyn Format) {
    if let Some(cgroup) = &surroundings.cgroup {
        format.text("cgroup", cgroup);
    }
    if let Some(raw) = &surroundings.cgroup_raw {
        format.text("cgroupRaw", &base64(raw));
    }
    let placement = &surroundings.placement;
    if let Some(unit) = &placement.systemd_unit {
        format.open("systemd");
        format.text("unit", unit);
        if let Some(unit) = &placement.systemd_user_unit {
            format.text("userUnit", unit);
        }
        format.close();
    }
    if let Some(container) = &placement.container {
        format.open("container");
        format.text("id", &container.id);
        if let Some(runtime) = container.runtime {
            format.text("runtime", runtime);
        }
        if let Some(name) = &container.name {
            format.text("name", name);
        }
        if let Some(uid) = container.of_user {
            format.number("ofUser", u64::from(uid));
        }
        format.close();
    }
    if let Some(uid) = &placement.pod_uid {
        format.open("k8s");
        format.open("pod");
        format.text("uid", uid);
        format.close();
        format.close();
    }
}

/// `NAME=value`, each with its NUL; of a name that is there twice the first, as `getenv()` has it.
fn write_variables(bytes: &[u8], format: &mut dyn Format) {
    let mut variables: Vec<(String, String)> = Vec::new();
    let mut raw: Vec<(String, String)> = Vec::new();
    for variable in bytes.split(|&byte| byte == 0).filter(|variable| !variable.is_empty()) {
        let Some(at) = variable.iter().position(|&byte| byte == b'=') else { continue };
        let (name, value) = (String::from_utf8_lossy(&variable[..at]), &variable[at + 1..]);
        if !variables.iter().any(|(known, _)| *known == name) {
            let text = String::from_utf8_lossy(value);
            if matches!(text, Cow::Owned(_)) {
                raw.push((name.clone().into_owned(), base64(value)));
            }
            variables.push((name.into_owned(), text.into_owned()));
        }
    }
    format.names("env", &variables);
    if !raw.is_empty() {
        format.names("envRaw", &raw);
    }
}

/// Text of another process, and its bytes where they are not UTF-8.
fn write_bytes(key: &'static str, raw: &'static str, bytes: &[u8], format: &mut dyn Format) {
    match String::from_utf8_lossy(bytes) {
        Cow::Borrowed(text) => format.text(key, text),
        Cow::Owned(text) => {
            format.text(key, &text);
            format.text(raw, &base64(bytes));
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// What is told of a process that is neither source nor target.
fn write_relative(process: &ProcessFacts<'_>, uid_below: &mut u32, format: &mut dyn Format) {
    format.number("pid", u64::from(process.pid));
    write_cmdline(process, format);
    write_bytes("comm", "commRaw", &process.comm, format);
    format.text("key", &key(process));
    if process.uid != *uid_below {
        write_id(format, "user", process.uid, None);
    }
    *uid_below = process.uid;
}

/// All that [`write_relative`] looks at, but the pid and the start: two processes of the same basis are told the same.
fn basis_of<'a>(process: &'a ProcessFacts<'_>, uid_below: u32) -> Basis<'a> {
    let (kind, total, argv): (u32, u32, &[u8]) = match &process.argv {
        Argv::Known { bytes, total, from } => (1 + *from as u32, *total, bytes),
        Argv::NotApplicable | Argv::Missing(_) => (0, 0, &[]),
    };
    let is_reported = u32::from(process.uid != uid_below);
    Basis { numbers: [process.uid, is_reported, kind, total], texts: [&process.comm, argv] }
}

fn write_title(title: &Title<'_>, format: &mut dyn Format) {
    write_bytes("title", "titleRaw", &title_bytes(title), format);
    if !title.spilt {
        let end = title.bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        let items: Vec<&[u8]> = title.bytes[..end].split(|&byte| byte == 0).collect();
        format.title_arguments(&items);
    }
    if title.cut {
        format.flag("titleTruncated", true);
    }
}

fn write_id(format: &mut dyn Format, what: &'static str, id: u32, name: Option<&str>) {
    format.open(what);
    format.number("id", u64::from(id));
    if let Some(name) = name {
        format.text("name", name);
    }
    format.close();
}

fn write_target(event: &SignalEvent<'_>, format: &mut dyn Format) {
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
    if event.facts.blocking == Blocking::Waited {
        format.flag("waiting", true);
    }
    if event.facts.has_signalfd_reader {
        format.flag("signalfd", true);
    }
    if let Some(state) = event.target_state() {
        format.text("state", state);
    }
    write_tracer(event.target_tracer(), format);
}

/// `pid@start`: one process, for ever.
pub fn key(process: &ProcessFacts<'_>) -> String {
    key_text(process.pid, process.start)
}

fn key_text(pid: u32, start: u64) -> String {
    let mut text = String::with_capacity(32);
    push_decimal(&mut text, u64::from(pid));
    text.push('@');
    push_decimal(&mut text, start);
    text
}

/// Splits an argument block; whether the last argument is whole is told by its length.
pub fn arguments(bytes: &[u8]) -> Vec<&[u8]> {
    if bytes.is_empty() {
        return Vec::new();
    }
    let without_last_nul = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    without_last_nul.split(|&byte| byte == 0).collect()
}

/// Most have few arguments: these need no memory of their own.
fn list_arguments(bytes: &[u8], format: &mut dyn Format) {
    let mut few: [&[u8]; 16] = [&[]; 16];
    let mut count = 0;
    if !bytes.is_empty() {
        for argument in bytes.strip_suffix(&[0]).unwrap_or(bytes).split(|&byte| byte == 0) {
            let Some(place) = few.get_mut(count) else {
                format.list("cmdline", &arguments(bytes));
                return;
            };
            *place = argument;
            count += 1;
        }
    }
    format.list("cmdline", &few[..count]);
}

fn write_cmdline(process: &ProcessFacts<'_>, format: &mut dyn Format) {
    let Argv::Known { bytes, total, from } = &process.argv else { return };
    list_arguments(bytes, format);
    if std::str::from_utf8(bytes).is_err() {
        format.text("cmdlineRaw", &base64(bytes));
    }
    if (bytes.len() as u64) < u64::from(*total) {
        format.flag("cmdlineTruncated", true);
    }
    match from {
        ArgvFrom::Exec => {}
        ArgvFrom::Memory => format.text("cmdlineFrom", "memory"),
        ArgvFrom::Proc => format.text("cmdlineFrom", "proc"),
    }
}

/// As ps shows it: one string, up to the first NUL where it spilt over the block.
fn title_bytes(title: &Title<'_>) -> Vec<u8> {
    let bytes = if title.spilt {
        title.bytes.split(|&byte| byte == 0).next().unwrap_or_default()
    } else {
        &title.bytes
    };
    let text: Vec<u8> = bytes.iter().map(|&byte| if byte == 0 { b' ' } else { byte }).collect();
    text.trim_ascii_end().to_vec()
}

/// `systemd(1)─sshd(812)─bash(900)─pkill(1657)`; begins with `…─` where it was cut.
fn tree(processes: &[ProcessFacts<'_>], chain: &[usize], truncated: bool) -> String {
    let mut text = String::with_capacity(24 * chain.len() + 4);
    if truncated {
        text.push('…');
    }
    for process in chain.iter().rev().filter_map(|&place| processes.get(place)) {
        if !text.is_empty() {
            text.push('─');
        }
        summary::push_name(process, &mut text);
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
    if event.is_unexplained() {
        let why = if facts.stack_lost { "no-kernel-stack" } else { "no-kernel-symbols" };
        missing.push(format!("origin:{why}"));
    }
    if event.verdict.is_undecided {
        missing.push("source:traced".to_owned());
    }
    if event.verdict.origin == Origin::Rlimit && event.rlimit().is_none() {
        missing.push("rlimit:unknown".to_owned());
    }
    if event.verdict.reason == Some(Reason::HandlerFailed) && event.fault().is_none() {
        missing.push("fault.address:unknown".to_owned());
    }
    if event.verdict.origin == Origin::Oom && facts.oom.is_none() {
        missing.push("oom:not-told".to_owned());
    }
    if let Some(oom) = &facts.oom {
        let is_cgroups = oom.scope == Some(OomScope::Cgroup);
        let gaps = [
            ("scope", oom.scope.is_none() && !oom.by_sysrq),
            ("cgroup", is_cgroups && oom.cgroup.is_empty()),
            ("limitBytes", is_cgroups && oom.usage_and_limit.is_none()),
            ("rssBytes", oom.rss_pages.is_none()),
        ];
        missing.extend(gaps.iter().filter(|gap| gap.1).map(|gap| format!("oom.{}:not-told", gap.0)));
    }
    // a kernel thread is not ended by a signal
    if !facts.has_history && event.target().argv != Argv::NotApplicable {
        missing.push("previous:unknown".to_owned());
    }
    if facts.spawners_cut {
        missing.push("spawnedBy:too-many".to_owned());
    }
    if event.source().is_some() {
        Subject::source(facts, &event.context.source).missing("source", &mut missing);
    }
    if event.trigger().is_some() {
        missing_in("trigger", &facts.processes, &facts.current_chain[..1], &mut missing);
    }
    if event.source().is_some() {
        missing_in("source.tracer", &facts.processes, facts.current_tracer.as_slice(), &mut missing);
    }
    missing_in("target.tracer", &facts.processes, facts.target_tracer.as_slice(), &mut missing);
    Subject::target(facts, &event.context.target).missing("target", &mut missing);
    if facts.blocking == Blocking::Unknown {
        missing.push("target.blocked:many-threads".to_owned());
    }
    missing
}

/// What a process and those above it lack; `name` is the first one's key.
fn missing_in(name: &str, processes: &[ProcessFacts<'_>], chain: &[usize], missing: &mut Vec<String>) {
    let all = || chain.iter().filter_map(|&place| processes.get(place));
    if !all().any(|process| matches!(process.argv, Argv::Missing(_)) || process.title_lost) {
        return;
    }
    let mut path = name.to_owned();
    for process in all() {
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
    fn relatives_that_are_told_otherwise_have_another_basis() {
        let known =
            |bytes: &'static [u8], total, from| Argv::Known { bytes: Cow::Borrowed(bytes), total, from };
        let sh = |argv| ProcessFacts { argv, ..ProcessFacts::named(7, b"sh") };
        let all = [
            sh(known(b"sh\0", 3, ArgvFrom::Exec)),
            sh(known(b"sx\0", 3, ArgvFrom::Exec)),
            sh(known(b"sh\0", 4, ArgvFrom::Exec)),
            sh(known(b"sh\0", 3, ArgvFrom::Memory)),
            sh(known(b"sh\0", 3, ArgvFrom::Proc)),
            sh(known(b"", 0, ArgvFrom::Exec)),
            sh(Argv::NotApplicable),
            ProcessFacts { uid: 1, ..sh(known(b"sh\0", 3, ArgvFrom::Exec)) },
            ProcessFacts { comm: Cow::Borrowed(b"sx"), ..sh(known(b"sh\0", 3, ArgvFrom::Exec)) },
        ];
        let mut bases: Vec<Basis<'_>> = all.iter().map(|process| basis_of(process, 0)).collect();
        bases.push(basis_of(&all[0], 1));
        for (place, basis) in bases.iter().enumerate() {
            assert!(!bases[..place].contains(basis), "{place}");
        }
    }

    #[test]
    fn a_title_reads_as_in_ps() {
        let title = |bytes, spilt| {
            String::from_utf8(title_bytes(&Title { bytes: Cow::Borrowed(bytes), spilt, cut: false })).unwrap()
        };
        assert_eq!(title(b"postgres: walwriter\0\0\0\0", false), "postgres: walwriter");
        assert_eq!(title(b"nginx: worker\0PATH=/bin", true), "nginx: worker");
        assert_eq!(title(b"a\0b\0", false), "a b");
    }
}
