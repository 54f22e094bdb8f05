//! `--summary`: totals per sender, target and signal, what became of them, and which processes died.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::Write;

use crate::event::header::EventKind;
use crate::output::format::document::Document;
use crate::output::format::screen::{PLAIN, Screen};

/// So many pairs are counted apart; further ones together.
const PAIRS: usize = 10_000;
/// So many of them are printed.
const TOP: usize = 10;
/// So many deaths are printed, the latest.
const DEATHS: usize = 20;

/// Counts.
#[derive(Debug, Default)]
pub(super) struct Totals {
    /// Sender, target, signal.
    pairs: HashMap<(String, String, String), u64>,
    others: u64,
    outcomes: BTreeMap<String, u64>,
    fatal: u64,
    ends: BTreeMap<String, u64>,
    /// The event that reported it, and its sentence.
    deaths: VecDeque<(Option<u64>, String)>,
    died: u64,
}

impl Totals {
    /// Counts an event.
    pub(super) fn add(&mut self, document: &Document) {
        let header = document.header();
        match header.kind {
            EventKind::Signal | EventKind::Attempt => {
                let text = |path: &str| document.text_at(path).map(|text| PLAIN.safe(text));
                let source = text("source.comm")
                    .unwrap_or_else(|| format!("<{}>", text("origin").unwrap_or_default()));
                let target = text("target.comm").unwrap_or_else(|| "?".to_owned());
                let pair = (source, target, text("signalName").unwrap_or_default());
                if self.pairs.len() < PAIRS || self.pairs.contains_key(&pair) {
                    *self.pairs.entry(pair).or_default() += 1;
                } else {
                    self.others += 1;
                }
                if let Some(result) = text("result") {
                    *self.outcomes.entry(result).or_default() += 1;
                }
                if header.is_fatal {
                    self.fatal += 1;
                    self.note(document);
                }
            }
            EventKind::Ended => {
                let how = match document.number_at("exitCode") {
                    Some(code) => format!("exited {code}"),
                    None => document.text_at("signalName").unwrap_or("unknown").to_owned(),
                };
                let how = if header.is_of_thread { format!("{how} of a thread") } else { how };
                *self.ends.entry(how).or_default() += 1;
                self.note(document);
            }
            EventKind::Lost => {}
        }
    }

    fn note(&mut self, document: &Document) {
        // the end says more than the signal that led to it, and both are one death
        let led_to_it = document.header().after;
        let known = self.deaths.len();
        self.deaths.retain(|(id, _)| id.is_none() || *id != led_to_it);
        self.died += 1 - (known - self.deaths.len()).min(1) as u64;
        if self.deaths.len() >= DEATHS {
            self.deaths.pop_front();
        }
        let id = document.header().id;
        self.deaths.extend(document.text_at("summary").map(|summary| (id, PLAIN.safe(summary))));
    }

    /// For eyes.
    pub(super) fn text(&self, screen: Screen) -> String {
        let mut pairs: Vec<_> = self.pairs.iter().collect();
        pairs.sort_by(|one, other| other.1.cmp(one.1).then(one.0.cmp(other.0)));
        let total: u64 = self.pairs.values().sum::<u64>() + self.others;
        let mut text = format!("{total} reported");
        if total == 0 && self.died == 0 {
            text.push('\n');
            return text;
        }
        text.push_str(", by sender and target:\n");
        let arrow = screen.glyph("→", "->");
        for ((source, target, signal), count) in pairs.iter().take(TOP) {
            let _ = writeln!(text, "{count:>9}  {source} {arrow} {target}  {signal}");
        }
        let rest: u64 = pairs.iter().skip(TOP).map(|(_, count)| **count).sum::<u64>() + self.others;
        if rest > 0 {
            let _ = writeln!(text, "{rest:>9}  others");
        }
        let _ =
            writeln!(text, "outcomes: {}, of these {} ended their target", list(&self.outcomes), self.fatal);
        if !self.ends.is_empty() {
            let _ = writeln!(text, "ended: {}", list(&self.ends));
        }
        if self.died > 0 {
            let _ = writeln!(text, "what killed or ended:");
            for (_, death) in &self.deaths {
                let _ = writeln!(text, "  {death}");
            }
            let unreported = self.died - self.deaths.len() as u64;
            if unreported > 0 {
                let _ = writeln!(text, "  and {unreported} before these");
            }
        }
        text
    }
}

fn list(counts: &BTreeMap<String, u64>) -> String {
    if counts.is_empty() {
        return "none".to_owned();
    }
    counts.iter().map(|(what, count)| format!("{what} {count}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::header::Header;
    use crate::output::format::Format;
    use crate::output::format::ValueRef::Text;
    use crate::output::format::document::tests::sample;

    #[test]
    fn the_most_frequent_pairs_come_first_and_the_rest_adds_up() {
        let mut totals = Totals::default();
        for number in 0..15u64 {
            let mut document = Document::default();
            document.field("origin", Text("oom"));
            document.field("signalName", Text("SIGKILL"));
            document.open("target");
            document.field("comm", Text(&format!("c{number:02}")));
            document.close();
            (0..=number).for_each(|_| totals.add(&document));
        }
        totals.add(&sample());
        let text = totals.text(PLAIN);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "121 reported, by sender and target:");
        assert_eq!(lines[1].trim(), "15  <oom> → c14  SIGKILL");
        assert_eq!(lines[11].trim(), "16  others");
        assert!(text.contains("outcomes: queued 1, of these 0 ended"), "{text}");
    }

    #[test]
    fn who_died_is_printed_with_the_sentence_of_its_event() {
        let mut totals = Totals::default();
        for number in 0..25 {
            let mut document = Document::default();
            document.begin(&Header { kind: EventKind::Ended, ..Header::default() });
            document.field("signalName", Text("SIGKILL"));
            document.field("summary", Text(&format!("yes({number}) died of SIGKILL\u{1b}")));
            totals.add(&document);
        }
        let text = totals.text(PLAIN);
        assert!(text.contains("ended: SIGKILL 25"), "{text}");
        assert!(text.contains("  yes(24) died of SIGKILL\\u001b\n  and 5 before these\n"), "{text}");
        assert!(!text.contains("yes(4)"));
    }

    #[test]
    fn a_signal_and_the_end_that_came_of_it_are_one_death() {
        let mut totals = Totals::default();
        let event = |kind, id, after: Option<u64>, summary: &str| {
            let mut document = Document::default();
            let is_fatal = kind == EventKind::Signal;
            document.begin(&Header { kind, id: Some(id), is_fatal, after, ..Header::default() });
            document.field("summary", Text(summary));
            document
        };
        totals.add(&event(EventKind::Signal, 1, None, "a sent SIGKILL to b"));
        totals.add(&event(EventKind::Signal, 2, None, "a sent SIGKILL to c"));
        totals.add(&event(EventKind::Ended, 3, Some(1), "b died of SIGKILL"));
        let text = totals.text(PLAIN);
        assert!(
            text.ends_with("what killed or ended:\n  a sent SIGKILL to c\n  b died of SIGKILL\n"),
            "{text}"
        );
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(Totals::default().text(PLAIN), "0 reported\n");
    }
}
