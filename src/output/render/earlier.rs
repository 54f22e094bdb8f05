//! Signals and ends to which an event refers: short, with the number of their own event where there was one.

use super::process::key_text;
use super::write_bytes;
use crate::event::Outcome;
use crate::event::context::EarlierSignal;
use crate::event::signal::Signal;
use crate::output::format::Format;
use crate::output::format::ValueRef::{Flag, Number, Seconds, Text};
use crate::output::format::line_template::Slot;
use crate::record::{ChildDeath, Previous, PreviousSource};

/// A signal that came before: to the same target, or before its end.
pub(super) fn write_earlier(key: &'static str, earlier: &EarlierSignal, now: u64, format: &mut dyn Format) {
    let signal = &earlier.signal;
    format.open(key);
    if let Some(id) = earlier.id {
        format.field("id", Number(id));
        format.slot(Slot::PreviousId);
    }
    let name = Signal::new(signal.signal).map_or_else(|| signal.signal.to_string().into(), Signal::name);
    format.field("signalName", Text(&name));
    if let Some(origin) = earlier.origin {
        format.field("origin", Text(origin.name()));
    }
    if let Some(outcome) = Outcome::of(signal.result) {
        format.field("result", Text(outcome.name()));
    }
    if signal.hidden {
        format.field("hidden", Flag(true));
    }
    if let Some(source) = earlier.source() {
        write_sender(source, format);
    }
    format.field("secondsAgo", Seconds(now.saturating_sub(signal.time)));
    format.slot(Slot::SecondsSincePrevious);
    format.close();
}

/// Who sent an earlier signal.
pub(super) fn write_sender(source: &PreviousSource, format: &mut dyn Format) {
    format.open("source");
    format.field("pid", Number(u64::from(source.pid)));
    write_bytes("comm", "commRaw", &source.comm, format);
    format.field("key", Text(&key_text(source.pid, source.start)));
    format.close();
}

pub(super) fn write_child_death(death: ChildDeath, id: Option<u64>, now: u64, format: &mut dyn Format) {
    format.open("lastChildDeath");
    format.field("pid", Number(u64::from(death.pid)));
    let name = Signal::new(death.signal).map_or_else(|| death.signal.to_string().into(), Signal::name);
    format.field("signalName", Text(&name));
    format.field("secondsAgo", Seconds(now.saturating_sub(death.time)));
    if let Some(id) = id {
        format.field("id", Number(id));
    }
    format.close();
}

pub(super) fn write_last_signal(
    last: &Previous,
    from: &PreviousSource,
    id: Option<u64>,
    now: u64,
    format: &mut dyn Format,
) {
    format.open("lastSignal");
    if let Some(id) = id {
        format.field("id", Number(id));
    }
    let name = Signal::new(last.signal).map_or_else(|| last.signal.to_string().into(), Signal::name);
    format.field("signalName", Text(&name));
    write_sender(from, format);
    format.field("secondsAgo", Seconds(now.saturating_sub(last.time)));
    format.close();
}
