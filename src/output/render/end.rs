//! An end of a process or a thread, and the signal before it.

use super::cause::write_refused_call;
use super::earlier::write_earlier;
use super::missing::missing_in;
use super::process::write_cmdline;
use super::subject::Subject;
use super::{write_bytes, write_head};
use crate::event::header::Header;
use crate::event::{EndEvent, origin, summary};
use crate::output::format::Format;
use crate::output::format::ValueRef::{Flag, Number, Text, Words};
use crate::record::Ending;

pub(super) fn write_end(event: &EndEvent<'_>, header: &Header, format: &mut dyn Format) {
    let facts = &event.facts;
    write_head(&event.clock.utc(facts.time), "target ended", header, format);
    if let Some(signal) = event.signal {
        format.field("signal", Number(u64::from(signal.number())));
        format.field("signalString", Text(&signal.go_string()));
        format.field("signalName", Text(&signal.name()));
    }
    format.field("summary", Text(&summary::of_end(event)));
    if let Some(origin) = event.origin {
        format.field("origin", Text(origin.name()));
    }
    match facts.ending {
        Ending::Exit(code) => format.field("exitCode", Number(u64::from(code))),
        Ending::Signal { core_dumped, .. } => format.field("coreDumped", Flag(core_dumped)),
    }
    if let Some(after) = &event.after {
        write_earlier("after", after, facts.time, format);
    }
    if facts.is_thread {
        format.field("scope", Text(origin::Scope::Thread.name()));
    }
    if let Some(call) = event.refused_call() {
        write_refused_call(&call, format);
    }
    // of one that was taken as it was sent, the tracer is no trigger
    if let Some(tracer) = event.tracer().filter(|_| !event.after.as_ref().is_some_and(|after| after.is_taken))
    {
        format.open("trigger");
        format.field("pid", Number(u64::from(tracer.pid)));
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
        let why = if facts.delivery.is_some() { "not-seen" } else { "not-kept" };
        missing.push(format!("after:{why}"));
    }
    let known = (&facts.task, &event.surroundings);
    let alone = Subject::alone((&facts.processes, &facts.chain), known, facts.truncated);
    let subject = Subject { names_thread: facts.is_thread, ..alone };
    subject.missing("target", &mut missing);
    if let Some(tracer) = facts.tracer {
        missing_in("trigger", &facts.processes, &[tracer], &mut missing);
    }
    if !missing.is_empty() {
        format.field("missing", Words(&missing));
    }
    format.open("target");
    subject.write(event.clock, facts.time, format, |_| {});
    format.close();
}
