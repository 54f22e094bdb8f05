//! A line with gaps: signals that are the same but for their times are told by the same line, filled in anew.
//!
//! A format marks as a [`Gap`] what is another in every event while it writes it; the rest of the line stands.

use crate::base::digits::{push_number, push_seconds};
use crate::event::Clock;

/// What is another in every event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// The number of the event.
    Id,
    /// Its time.
    Time,
    /// Seconds from then (boot time, ns) to the event.
    SecondsSince(u64),
    /// The event that told of the previous signal.
    PreviousId,
    /// Seconds from the previous signal to the event.
    SecondsSincePrevious,
}

/// What fills the gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventStamp {
    /// The number of the event.
    pub id: u64,
    /// Its time (boot time, ns).
    pub time: u64,
    /// To print times with.
    pub clock: Clock,
    /// The event that told of the previous signal, if one did.
    pub previous_id: Option<u64>,
    /// When that was (boot time, ns), if there was one.
    pub previous_time: u64,
}

impl Gap {
    fn fill(self, moment: &EventStamp, out: &mut Vec<u8>) {
        let since = |then: u64| moment.time.saturating_sub(then);
        match self {
            Self::Id => push_number(out, moment.id),
            Self::Time => moment.clock.push_utc(moment.time, out),
            Self::SecondsSince(then) => push_seconds(out, since(then)),
            Self::PreviousId => push_number(out, moment.previous_id.unwrap_or_default()),
            Self::SecondsSincePrevious => push_seconds(out, since(moment.previous_time)),
        }
    }
}

/// Is what stands at this path of an event a gap, or may it be?
pub fn is_slot(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or_default();
    matches!(path, "time" | "id" | "previous.id") || matches!(last, "secondsAgo" | "titleAgeSeconds")
}

/// A gap, and which bytes of the line are in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacedSlot {
    gap: Gap,
    from: usize,
    to: usize,
}

impl PlacedSlot {
    /// What was written last, from `from` on; the quotes around it are not in the gap.
    pub fn at_the_end(line: &[u8], from: usize, gap: Gap) -> Self {
        let quote = usize::from(line.get(from) == Some(&b'"'));
        Self { gap, from: from + quote, to: line.len() - quote }
    }
}

/// A line, without what is in its gaps.
#[derive(Debug, PartialEq, Eq)]
pub struct LineTemplate {
    text: Vec<u8>,
    /// In their order, and where in the text.
    gaps: Vec<(usize, Gap)>,
}

impl LineTemplate {
    /// Of a line and its gaps, in their order.
    pub fn new(line: &[u8], placed: &[PlacedSlot]) -> Option<Self> {
        let (mut text, mut gaps) = (Vec::with_capacity(line.len()), Vec::with_capacity(placed.len()));
        let mut at = 0;
        for &PlacedSlot { gap, from, to } in placed {
            text.extend_from_slice(line.get(at..from)?);
            gaps.push((text.len(), gap));
            at = to;
        }
        text.extend_from_slice(line.get(at..)?);
        Some(Self { text, gaps })
    }

    /// Appends the line of this moment.
    pub fn fill(&self, moment: &EventStamp, out: &mut Vec<u8>) {
        // so that it is grown once: no gap is wider than a time
        out.reserve(self.text.len() + 32 * self.gaps.len());
        let mut rest = 0;
        for &(at, gap) in &self.gaps {
            out.extend_from_slice(&self.text[rest..at]);
            gap.fill(moment, out);
            rest = at;
        }
        out.extend_from_slice(&self.text[rest..]);
    }

    /// Bytes of memory, roughly.
    pub fn size(&self) -> usize {
        self.text.capacity() + size_of::<(usize, Gap)>() * self.gaps.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::format::{Format, json::Json, logfmt::Logfmt};

    const NOW: EventStamp = EventStamp {
        id: 12_345,
        time: 3_500_000_000,
        clock: Clock::fixed(1_000_000_000),
        previous_id: Some(7),
        previous_time: 2_000_000_000,
    };

    fn told(format: &mut dyn Format, moment: &EventStamp) -> Vec<u8> {
        format.text("time", &moment.clock.utc(moment.time));
        format.gap(Gap::Time);
        format.number("id", moment.id);
        format.gap(Gap::Id);
        format.text("comm", "say \"x\"");
        format.open("previous");
        format.number("id", moment.previous_id.unwrap());
        format.gap(Gap::PreviousId);
        format.seconds("secondsAgo", moment.time - moment.previous_time);
        format.gap(Gap::SecondsSincePrevious);
        format.close();
        format.open("target");
        format.text("startTime", &moment.clock.start_time(5));
        format.seconds("titleAgeSeconds", moment.time - 6);
        format.gap(Gap::SecondsSince(6));
        format.open_last("parent");
        format.number("pid", 1);
        format.close();
        format.close();
        let mut line = Vec::new();
        format.finish(&mut line);
        line
    }

    #[test]
    fn a_line_that_is_filled_in_is_the_line_that_would_be_told() {
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
                let line = told(format, &NOW);
                let line_template = LineTemplate::new(&line, format.gaps().unwrap()).unwrap();
                assert_eq!(line_template.gaps.len(), 5);
                let mut again = Vec::new();
                line_template.fill(&NOW, &mut again);
                assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(&line));
                again.clear();
                line_template.fill(&later, &mut again);
                let line = told(format, &later);
                assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(&line));
            }
        }
    }

    #[test]
    fn a_gap_in_what_goes_last_is_none_that_can_be_filled() {
        let mut format = Logfmt::default();
        format.open_last("parent");
        format.number("id", 1);
        format.gap(Gap::Id);
        format.close();
        format.finish(&mut Vec::new());
        assert_eq!(format.gaps(), None);
        format.number("id", 1);
        format.gap(Gap::Id);
        format.finish(&mut Vec::new());
        assert_eq!(format.gaps().map(<[PlacedSlot]>::len), Some(1), "that was another line");
    }

    #[test]
    fn gaps_out_of_order_are_refused() {
        let placed = |from, to| PlacedSlot { gap: Gap::Id, from, to };
        assert_eq!(LineTemplate::new(b"abc", &[placed(2, 3), placed(0, 1)]), None);
        assert_eq!(LineTemplate::new(b"abc", &[placed(2, 4)]), None);
    }
}
