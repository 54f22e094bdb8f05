//! A signal: what it was, where it came from, what became of it, and both sides.

use super::cause::{write_cause, write_oom};
use super::earlier::{write_child_death, write_earlier, write_last_signal};
use super::missing::missing_of_signal;
use super::process::{write_cmdline, write_tracer};
use super::subject::Subject;
use super::words::disposition;
use super::{write_bytes, write_head, write_repeated, write_way};
use crate::event::context::EarlierSignal;
use crate::event::header::Header;
use crate::event::origin::Origin;
use crate::event::{SignalEvent, summary};
use crate::output::format::Format;
use crate::output::format::ValueRef::{Flag, Integer, Number, Text, Words};
use crate::record::Blocking;

pub(super) fn write_signal(event: &SignalEvent<'_>, header: &Header, format: &mut dyn Format) {
    let facts = &event.facts;
    write_head(&event.clock.utc(facts.time), "snooped signal", header, format);
    format.field("signal", Number(u64::from(event.signal.number())));
    format.field("signalString", Text(&event.signal.go_string()));
    format.field("signalName", Text(&event.signal.name()));
    if format.wants("summary") {
        format.field("summary", Text(&summary::of(event)));
    }
    format.field("origin", Text(event.verdict.origin.name()));
    if let Some(reason) = event.verdict.reason {
        format.field("reason", Text(reason.name()));
    }
    write_way(event.relation, &event.verdict, format);
    if let Some(code) = event.code() {
        format.field("code", Text(&code));
    }
    if event.verdict.code_forged {
        format.field("codeForged", Flag(true));
    }
    if let Some((integer, pointer)) = event.value() {
        format.open("sigval");
        format.field("int", Integer(i64::from(integer)));
        format.field("ptr", Text(&format!("{pointer:#x}")));
        format.close();
    }
    if let Some(outcome) = header.outcome {
        format.field("result", Text(outcome.name()));
    }
    if header.is_fatal {
        format.field("fatal", Flag(true));
    }
    match event.context.repeated {
        Some(repeated) => write_repeated(&repeated, event.clock, format),
        None => format.repeats(),
    }
    if let Some(previous) = event.previous() {
        let (id, origin) = event.context.previous.unzip();
        let after = EarlierSignal { id, origin, signal: *previous, is_taken: false };
        write_earlier("previous", &after, facts.time, format);
    }
    write_trigger(event, format);
    if let Some(tty) = event.tty() {
        format.open("tty");
        format.field("name", Text(&tty));
        format.close();
    }
    write_oom(event, format);
    write_cause(event, format);
    if let Some((address, instruction)) = event.fault() {
        format.open("fault");
        format.field("address", Text(&format!("{address:#x}")));
        if let Some(instruction) = instruction {
            format.field("ip", Text(&format!("{instruction:#x}")));
        }
        format.close();
    }
    let missing = if format.wants("missing") { missing_of_signal(event) } else { Vec::new() };
    if !missing.is_empty() {
        format.field("missing", Words(&missing));
    }
    if event.source().is_some() {
        format.open("source");
        let subject = Subject::source(facts, &event.context.source);
        subject.write(event.clock, facts.time, format, |format| {
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
    subject.write(event.clock, facts.time, format, |format| write_target(event, format));
    format.close();
    if let Some(pid) = event.common_ancestor() {
        format.open("commonAncestor");
        format.field("pid", Number(u64::from(pid)));
        format.close();
    }
}

pub(super) fn write_trigger(event: &SignalEvent<'_>, format: &mut dyn Format) {
    let Some(trigger) = event.trigger() else { return };
    format.open("trigger");
    format.field("pid", Number(u64::from(trigger.pid)));
    write_bytes("comm", "commRaw", &trigger.comm, format);
    write_cmdline(trigger, format);
    if event.verdict.origin == Origin::ParentDeath {
        format.field("tid", Number(u64::from(event.facts.current.tid)));
        format.field("processAlive", Flag(event.current_lives_on()));
    }
    format.close();
}

pub(super) fn write_target(event: &SignalEvent<'_>, format: &mut dyn Format) {
    if event.facts.target.pgid != 0 {
        format.field("pgid", Number(u64::from(event.facts.target.pgid)));
    }
    // SIGKILL and SIGSTOP have one disposition only
    format.field("disposition", Text(disposition(event.facts.disposition)));
    if event.facts.blocking == Blocking::Blocked {
        format.field("blocked", Flag(true));
    }
    if event.facts.blocking == Blocking::Waited {
        format.field("waiting", Flag(true));
    }
    if event.facts.has_signalfd_reader {
        format.field("signalfd", Flag(true));
    }
    if event.is_continued() {
        format.field("continued", Flag(true));
    }
    if let Some(state) = event.target_state() {
        format.field("state", Text(state));
    }
    write_tracer(event.target_tracer(), format);
}
