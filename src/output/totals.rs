//! `--summary`: who sent what to whom how often, what became of it, and who died.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::Write;

use crate::output::format::document::Document;
use crate::output::format::screen::{PLAIN, Screen};

/// So many pairs are counted apart; further ones together.
const PAIRS: usize = 10_000;
/// So many of them are told.
const TOP: usize = 10;
/// So many deaths are told, the latest.
const DEATHS: usize = 20;

/// Counts.
#[derive(Debug, Default)]
pub struct Tally {
    /// Sender, target, signal.
    pairs: HashMap<(String, String, String), u64>,
    others: u64,
    outcomes: BTreeMap<String, u64>,
    fatal: u64,
    ends: BTreeMap<String, u64>,
    /// The event that told of it, and its sentence.
    deaths: VecDeque<(Option<i128>, String)>,
    died: u64,
}

impl Tally {
    /// Counts an event.
    pub fn add(&mut self, document: &Document) {
        match document.text_at("event") {
            Some("signal" | "attempt") => {
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
                if document.is_set("fatal") {
                    self.fatal += 1;
                    self.note(document);
                }
            }
            Some("ended") => {
                let how = match document.number_at("exitCode") {
                    Some(code) => format!("exited {code}"),
                    None => document.text_at("signalName").unwrap_or("unknown").to_owned(),
                };
                let is_thread = document.text_at("scope") == Some("thread");
                let how = if is_thread { format!("{how} of a thread") } else { how };
                *self.ends.entry(how).or_default() += 1;
                self.note(document);
            }
            _ => {}
        }
    }

    fn note(&mut self, document: &Document) {
        // the end says more than the signal that led to it, and both are one death
        let led_to_it = document.number_at("after.id");
        let known = self.deaths.len();
        self.deaths.retain(|(id, _)| id.is_none() || *id != led_to_it);
        self.died += 1 - (known - self.deaths.len()).min(1) as u64;
        if self.deaths.len() >= DEATHS {
            self.deaths.pop_front();
        }
        let id = document.number_at("id");
        self.deaths.extend(document.text_at("summary").map(|summary| (id, PLAIN.safe(summary))));
    }

    /// For eyes.
    pub fn text(&self, screen: Screen) -> String {
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
    use crate::output::format::Format;
    use crate::output::format::document::tests::sample;

    #[test]
    fn the_most_frequent_pairs_come_first_and_the_rest_adds_up() {
        let mut tally = Tally::default();
        for number in 0..15u64 {
            let mut document = Document::default();
            document.text("event", "signal");
            document.text("origin", "oom");
            document.text("signalName", "SIGKILL");
            document.open("target");
            document.text("comm", &format!("c{number:02}"));
            document.close();
            (0..=number).for_each(|_| tally.add(&document));
        }
        tally.add(&sample());
        let text = tally.text(PLAIN);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "121 reported, by sender and target:");
        assert_eq!(lines[1].trim(), "15  <oom> → c14  SIGKILL");
        assert_eq!(lines[11].trim(), "16  others");
        assert!(text.contains("outcomes: queued 1, of these 0 ended"), "{text}");
    }

    #[test]
    fn who_died_is_told_with_the_sentence_of_its_event() {
        let mut tally = Tally::default();
        for number in 0..25 {
            let mut document = Document::default();
            document.text("event", "ended");
            document.text("signalName", "SIGKILL");
            document.text("summary", &format!("yes({number}) died of SIGKILL\u{1b}"));
            tally.add(&document);
        }
        let text = tally.text(PLAIN);
        assert!(text.contains("ended: SIGKILL 25"), "{text}");
        assert!(text.contains("  yes(24) died of SIGKILL\\u001b\n  and 5 before these\n"), "{text}");
        assert!(!text.contains("yes(4)"));
    }

    #[test]
    fn a_signal_and_the_end_that_came_of_it_are_one_death() {
        let mut tally = Tally::default();
        let event = |kind: &str, id, after: Option<u64>, summary: &str| {
            let mut document = Document::default();
            document.text("event", kind);
            document.number("id", id);
            document.text("summary", summary);
            document.flag("fatal", kind == "signal");
            if let Some(after) = after {
                document.open("after");
                document.number("id", after);
                document.close();
            }
            document
        };
        tally.add(&event("signal", 1, None, "a sent SIGKILL to b"));
        tally.add(&event("signal", 2, None, "a sent SIGKILL to c"));
        tally.add(&event("ended", 3, Some(1), "b died of SIGKILL"));
        let text = tally.text(PLAIN);
        assert!(
            text.ends_with("what killed or ended:\n  a sent SIGKILL to c\n  b died of SIGKILL\n"),
            "{text}"
        );
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(Tally::default().text(PLAIN), "0 reported\n");
    }
}
