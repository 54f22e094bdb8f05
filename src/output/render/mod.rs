//! From an event to fields: which keys an event has, in which order. Every format is given the same.
//!
//! Three kinds of silence: a key that does not apply is not written; a fact that should be there and could not be had is
//! named in `missing`; an empty fact is written. What the keys mean is in the [table of keys](super::keys).

mod attempt;
mod cause;
mod earlier;
mod end;
mod missing;
mod process;
mod request;
mod signal;
mod subject;
mod surroundings;
pub(crate) mod words;

use std::borrow::Cow;

use base64::Engine;

use crate::event::context::Repeated;
use crate::event::header::Header;
use crate::event::origin::Verdict;
use crate::event::relation::Relation;
use crate::event::{Class, Clock, Event, LossAuthor, LostEvent};
use crate::output::format::Format;
use crate::output::format::ValueRef::{Number, Objects, Text, Words};
use crate::output::format::document::{Document, Field};
use crate::output::format::line_template::Slot;

/// Writes one event with a format.
pub fn write(event: &Event<'_>, format: &mut dyn Format) {
    write_with(&event.header(), event, format);
}

/// The same of one whose header is known.
pub(super) fn write_with(header: &Header, event: &Event<'_>, format: &mut dyn Format) {
    format.begin(header);
    match event {
        Event::Signal(event) => signal::write_signal(event, header, format),
        Event::Attempt(event) => attempt::write_attempt(event, header, format),
        Event::End(event) => end::write_end(event, header, format),
        Event::Request(event) => request::write_request(event, header, format),
        Event::Lost(event) => write_lost(event, header, format),
    }
}

/// What every event begins with.
fn write_head(time: &str, msg: &str, header: &Header, format: &mut dyn Format) {
    format.field("time", Text(time));
    format.slot(Slot::Time);
    format.field("level", Text(header.level().name()));
    format.field("msg", Text(msg));
    format.field("event", Text(header.kind.name()));
    if let Some(id) = header.id {
        format.field("id", Number(id));
        format.slot(Slot::Id);
    }
}

/// What the source is to the target, and by which call it sent the signal to whom.
fn write_way(relation: Option<Relation>, verdict: &Verdict, format: &mut dyn Format) {
    if let Some(relation) = relation {
        format.field("relation", Text(relation.name()));
    }
    if let Some(via) = verdict.via {
        format.field("via", Text(via));
    }
    if let Some(scope) = verdict.scope {
        format.field("scope", Text(scope.name()));
    }
}

/// How many the kernel side counted, where others are counted by outputs.
fn write_repeated(repeated: &Repeated, clock: Clock, format: &mut dyn Format) {
    format.field("repeated", Number(repeated.count));
    format.field("firstTime", Text(&clock.utc(repeated.first)));
}

fn write_lost(event: &LostEvent, header: &Header, format: &mut dyn Format) {
    let time = Clock::fixed(event.time).utc(0);
    write_head(&time, "events lost", header, format);
    let is_gone = |author: &LossAuthor| matches!(author.class, Class::Cgroup(_)) && author.cgroup.is_none();
    let gone = event.authors.iter().enumerate().filter(|(_, author)| is_gone(author));
    let missing: Vec<String> = gone.map(|(place, _)| format!("authors.{place}.cgroup:gone")).collect();
    if !missing.is_empty() {
        format.field("missing", Words(&missing));
    }
    format.field("lost", Number(event.lost.total()));
    format.open("cause");
    for (cause, count) in event.lost.by_cause() {
        if count > 0 {
            format.field(cause, Number(count));
        }
    }
    format.close();
    write_authors(&event.authors, format);
}

/// Whose events were lost, if anybody's were.
pub(super) fn write_authors(authors: &[LossAuthor], format: &mut dyn Format) {
    if !authors.is_empty() {
        let authors: Vec<Vec<Field>> = authors.iter().map(fields_of_author).collect();
        format.field("authors", Objects(&authors));
    }
}

fn fields_of_author(author: &LossAuthor) -> Vec<Field> {
    let mut fields = Document::default();
    fields.field("class", Text(author.class.name()));
    fields.field("uid", Number(author.author.uid.into()));
    if let Some(path) = &author.cgroup {
        fields.field("cgroup", Text(path));
    }
    if let Some(raw) = &author.cgroup_raw {
        fields.field("cgroupRaw", Text(&base64(raw)));
    }
    fields.field("pid", Number(author.author.pid.into()));
    write_bytes("comm", "commRaw", &author.author.comm, &mut fields);
    fields.field("count", Number(author.count));
    std::mem::take(fields.fields_mut())
}

/// Text of another process, and its bytes where they are not UTF-8.
fn write_bytes(key: &'static str, raw: &'static str, bytes: &[u8], format: &mut dyn Format) {
    match String::from_utf8_lossy(bytes) {
        Cow::Borrowed(text) => format.field(key, Text(text)),
        Cow::Owned(text) => {
            format.field(key, Text(&text));
            format.field(raw, Text(&base64(bytes)));
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests;
