//! A call that failed, or only asked: it has a source always, a target only where the kernel found one.

use super::subject::Subject;
use super::{write_head, write_repeated, write_way};
use crate::event::header::Header;
use crate::event::signal::Signal;
use crate::event::{AttemptEvent, origin, summary};
use crate::output::format::Format;
use crate::output::format::ValueRef::{Integer, Text, Words};

pub(super) fn write_attempt(event: &AttemptEvent<'_>, header: &Header, format: &mut dyn Format) {
    let attempt = &event.attempt;
    let facts = &attempt.facts;
    write_head(&event.clock.utc(facts.time), "signal attempt", header, format);
    format.field("signal", Integer(i64::from(attempt.signal)));
    let number = || attempt.signal.to_string();
    format.field(
        "signalString",
        Text(&header.signal.map_or_else(|| format!("signal {}", number()).into(), Signal::go_string)),
    );
    format.field("signalName", Text(&header.signal.map_or_else(|| number().into(), Signal::name)));
    format.field("summary", Text(&summary::of_attempt(event)));
    format.field("origin", Text(event.verdict.origin.name()));
    write_way(event.relation, &event.verdict, format);
    if let Some(argument) = origin::pid_argument(facts) {
        format.field("pidArgument", Integer(i64::from(argument)));
    }
    format.field("result", Text(&event.result()));
    match event.context.repeated {
        Some(repeated) => write_repeated(&repeated, event.clock, format),
        None => format.repeats(),
    }
    let mut missing = Vec::new();
    Subject::source(facts, &event.context.source).missing("source", &mut missing);
    if attempt.has_target {
        Subject::target(facts, &event.context.target).missing("target", &mut missing);
    }
    if !missing.is_empty() {
        format.field("missing", Words(&missing));
    }
    format.open("source");
    Subject::source(facts, &event.context.source).write(event.clock, facts.time, format, |_| {});
    format.close();
    if attempt.has_target {
        format.open("target");
        Subject::target(facts, &event.context.target).write(event.clock, facts.time, format, |_| {});
        format.close();
    }
}
