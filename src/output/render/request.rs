//! A command that asks others to act on processes.

use super::subject::Subject;
use super::write_head;
use crate::event::header::Header;
use crate::event::{RequestEvent, summary};
use crate::output::format::Format;
use crate::output::format::ValueRef::{Text, Words};

pub(super) fn write_request(event: &RequestEvent<'_>, header: &Header, format: &mut dyn Format) {
    let facts = &event.facts;
    write_head(&event.clock.utc(facts.time), "control command", header, format);
    format.field("summary", Text(&summary::of_request(event)));
    let known = (&facts.task, &event.surroundings);
    let subject = Subject::alone((&facts.processes, &facts.chain), known, facts.truncated);
    let (argv0, unit) = (event.argv0(), event.unit());
    if argv0.is_some() || unit.is_some() {
        format.open("request");
        if let Some(argv0) = &argv0 {
            format.field("argv0", Text(argv0));
        }
        if let Some(unit) = &unit {
            format.field("unit", Text(unit));
        }
        format.close();
    }
    let mut missing = Vec::new();
    subject.missing("source", &mut missing);
    if !missing.is_empty() {
        format.field("missing", Words(&missing));
    }
    format.open("source");
    subject.write(event.clock, facts.time, format, |_| {});
    format.close();
}
