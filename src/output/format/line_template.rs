//! A line with slots: signals that are the same but for their times have the same line, with its slots filled again.
//!
//! A format marks as a [`Slot`] what differs in every event while it writes it; the rest of the line stands.

use crate::base::digits::{push_number, push_seconds};
use crate::event::Clock;

/// What differs in every event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The number of the event.
    Id,
    /// Its time.
    Time,
    /// Seconds from then (boot time, ns) to the event.
    SecondsSince(u64),
    /// The event that reported the previous signal.
    PreviousId,
    /// Seconds from the previous signal to the event.
    SecondsSincePrevious,
    /// How many events the line stands for, where that is more than one.
    Repeats(Syntax),
}

/// How a format separates a key from the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// `,"key":`.
    Json,
    /// ` key=`.
    Logfmt,
}

/// Events that a line stands for, more than one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeats<'a> {
    /// How many.
    pub count: u64,
    /// When the first of them was: RFC 3339.
    pub first_time: &'a str,
}

impl Syntax {
    fn push(self, repeats: Repeats<'_>, out: &mut Vec<u8>) {
        let Repeats { count, first_time } = repeats;
        let text = match self {
            Self::Json => format!(",\"repeated\":{count},\"firstTime\":\"{first_time}\""),
            Self::Logfmt => format!(" repeated={count} firstTime={first_time}"),
        };
        out.extend_from_slice(text.as_bytes());
    }
}

/// Where in a line [`Repeats`] belong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepeatsPlace {
    at: usize,
    syntax: Syntax,
}

impl RepeatsPlace {
    /// Where it is among the slots of a line.
    pub fn of(placed: &[PlacedSlot]) -> Option<Self> {
        placed.iter().find_map(|placed| match placed.slot {
            Slot::Repeats(syntax) => Some(Self { at: placed.from, syntax }),
            _ => None,
        })
    }

    /// Puts them there.
    pub fn fill(self, line: &[u8], repeats: Repeats<'_>, out: &mut Vec<u8>) {
        let (before, behind) = line.split_at(self.at.min(line.len()));
        out.extend_from_slice(before);
        self.syntax.push(repeats, out);
        out.extend_from_slice(behind);
    }
}

/// What fills the slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventStamp {
    /// The number of the event.
    pub id: u64,
    /// Its time (boot time, ns).
    pub time: u64,
    /// To print times with.
    pub clock: Clock,
    /// The event that reported the previous signal, if one did.
    pub previous_id: Option<u64>,
    /// When that was (boot time, ns), if there was one.
    pub previous_time: u64,
}

impl Slot {
    fn fill(self, stamp: &EventStamp, repeats: Option<Repeats<'_>>, out: &mut Vec<u8>) {
        let since = |then: u64| stamp.time.saturating_sub(then);
        match self {
            Self::Id => push_number(out, stamp.id),
            Self::Time => stamp.clock.push_utc(stamp.time, out),
            Self::SecondsSince(then) => push_seconds(out, since(then)),
            Self::PreviousId => push_number(out, stamp.previous_id.unwrap_or_default()),
            Self::SecondsSincePrevious => push_seconds(out, since(stamp.previous_time)),
            Self::Repeats(syntax) => {
                if let Some(repeats) = repeats {
                    syntax.push(repeats, out);
                }
            }
        }
    }
}

/// A slot, and which bytes of the line are in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacedSlot {
    slot: Slot,
    from: usize,
    to: usize,
}

impl PlacedSlot {
    /// One that nothing is in.
    pub fn empty(at: usize, slot: Slot) -> Self {
        Self { slot, from: at, to: at }
    }

    /// What was written last, from `from` on; the quotes around it are not in the slot.
    pub fn at_the_end(line: &[u8], from: usize, slot: Slot) -> Self {
        let quote = usize::from(line.get(from) == Some(&b'"'));
        Self { slot, from: from + quote, to: line.len() - quote }
    }
}

/// A line, without what is in its slots.
#[derive(Debug, PartialEq, Eq)]
pub struct LineTemplate {
    text: Vec<u8>,
    /// In their order, and where in the text.
    slots: Vec<(usize, Slot)>,
}

impl LineTemplate {
    /// Of a line and its slots, in their order.
    pub fn new(line: &[u8], placed: &[PlacedSlot]) -> Option<Self> {
        let (mut text, mut slots) = (Vec::with_capacity(line.len()), Vec::with_capacity(placed.len()));
        let mut at = 0;
        for &PlacedSlot { slot, from, to } in placed {
            text.extend_from_slice(line.get(at..from)?);
            slots.push((text.len(), slot));
            at = to;
        }
        text.extend_from_slice(line.get(at..)?);
        Some(Self { text, slots })
    }

    /// Appends the line of this event, which may stand for others.
    pub fn fill(&self, stamp: &EventStamp, repeats: Option<Repeats<'_>>, out: &mut Vec<u8>) {
        // so that it is grown once: no slot is wider than a time
        out.reserve(self.text.len() + 32 * self.slots.len());
        let mut rest = 0;
        for &(at, slot) in &self.slots {
            out.extend_from_slice(&self.text[rest..at]);
            slot.fill(stamp, repeats, out);
            rest = at;
        }
        out.extend_from_slice(&self.text[rest..]);
    }

    /// Bytes of memory, roughly.
    pub fn size(&self) -> usize {
        self.text.capacity() + size_of::<(usize, Slot)>() * self.slots.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::format::ValueRef::{Number, Seconds, Text};
    use crate::output::format::{Format, View, json::Json, logfmt::Logfmt};

    const NOW: EventStamp = EventStamp {
        id: 12_345,
        time: 3_500_000_000,
        clock: Clock::fixed(1_000_000_000),
        previous_id: Some(7),
        previous_time: 2_000_000_000,
    };

    fn written(format: &mut dyn Format, stamp: &EventStamp) -> Vec<u8> {
        format.field("time", Text(&stamp.clock.utc(stamp.time)));
        format.slot(Slot::Time);
        format.field("id", Number(stamp.id));
        format.slot(Slot::Id);
        format.field("comm", Text("say \"x\""));
        format.open("previous");
        format.field("id", Number(stamp.previous_id.unwrap()));
        format.slot(Slot::PreviousId);
        format.field("secondsAgo", Seconds(stamp.time - stamp.previous_time));
        format.slot(Slot::SecondsSincePrevious);
        format.close();
        format.open("target");
        format.field("startTime", Text(&stamp.clock.start_time(5)));
        format.field("titleAgeSeconds", Seconds(stamp.time - 6));
        format.slot(Slot::SecondsSince(6));
        format.open_last("parent");
        format.field("pid", Number(1));
        format.close();
        format.close();
        let mut line = Vec::new();
        format.finish(&mut line);
        line
    }

    #[test]
    fn a_line_that_is_filled_in_is_the_line_that_would_be_written() {
        let later = EventStamp {
            id: 9,
            time: 86_400_000_000_000,
            clock: Clock::fixed(1_000_000_000).with(1_767_225_600_000_000_000),
            previous_id: Some(123_456_789),
            previous_time: 86_399_999_000_000,
        };
        for format in [&mut Json::default() as &mut dyn Format, &mut Logfmt::default()] {
            // what was before leaves nothing behind
            for _ in 0..2 {
                let line = written(format, &NOW);
                let line_template = LineTemplate::new(&line, format.slots().unwrap()).unwrap();
                assert_eq!(line_template.slots.len(), 5);
                let mut again = Vec::new();
                line_template.fill(&NOW, None, &mut again);
                assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(&line));
                again.clear();
                line_template.fill(&later, None, &mut again);
                let line = written(format, &later);
                assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(&line));
            }
        }
    }

    /// The same place as that of a key of a document.
    #[test]
    fn repeats_come_where_they_belong_in_every_way_in_which_a_line_is_made() {
        let repeats = Repeats { count: 7, first_time: "2026-01-01T00:00:00.000000001Z" };
        for kind in [crate::output::format::json::JSON, crate::output::format::logfmt::LOGFMT] {
            let mut format = (kind.open)(crate::output::format::screen::PLAIN, &View::default());
            let write = |format: &mut dyn Format| {
                format.field("id", Number(NOW.id));
                format.slot(Slot::Id);
                format.field("result", Text("queued"));
                format.repeats();
                format.field("comm", Text("x"));
            };
            write(&mut *format);
            let mut line = Vec::new();
            format.finish(&mut line);
            let placed = format.slots().unwrap().to_vec();
            let (mut spliced, mut filled, mut plain) = (Vec::new(), Vec::new(), Vec::new());
            RepeatsPlace::of(&placed).unwrap().fill(&line, repeats, &mut spliced);
            let template = LineTemplate::new(&line, &placed).unwrap();
            template.fill(&NOW, Some(repeats), &mut filled);
            template.fill(&NOW, None, &mut plain);
            let mut document = crate::output::format::document::Document::default();
            write(&mut document);
            crate::output::backlog::set_repeats(&mut document, repeats);
            let mut written = Vec::new();
            document.write_to(&mut *format);
            format.finish(&mut written);
            assert_eq!(String::from_utf8_lossy(&spliced), String::from_utf8_lossy(&written));
            assert_eq!(String::from_utf8_lossy(&filled), String::from_utf8_lossy(&written));
            assert_eq!(plain, line);
        }
    }

    #[test]
    fn a_slot_in_what_goes_last_cannot_be_filled() {
        let mut format = Logfmt::default();
        format.open_last("parent");
        format.field("id", Number(1));
        format.slot(Slot::Id);
        format.close();
        format.finish(&mut Vec::new());
        assert_eq!(format.slots(), None);
        format.field("id", Number(1));
        format.slot(Slot::Id);
        format.finish(&mut Vec::new());
        assert_eq!(format.slots().map(<[PlacedSlot]>::len), Some(1), "that was another line");
    }

    #[test]
    fn slots_out_of_order_are_refused() {
        let placed = |from, to| PlacedSlot { slot: Slot::Id, from, to };
        assert_eq!(LineTemplate::new(b"abc", &[placed(2, 3), placed(0, 1)]), None);
        assert_eq!(LineTemplate::new(b"abc", &[placed(2, 4)]), None);
    }
}
