//! What a trace comes to: `--summary` prints totals per sender, target and signal, what became of them, and which processes
//! ended; `run` ends with one sentence of them.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fmt::Write;

use crate::event::header::EventKind;
use crate::output::format::document::{Document, Field, Value, find};
use crate::output::format::screen::{PLAIN, Screen};

/// So many pairs are counted apart; further ones together.
const PAIRS: usize = 10_000;
/// So many of them are printed.
const TOP: usize = 10;
/// So many deaths are printed, the latest.
const DEATHS: usize = 20;
/// So many of them in a sentence.
const NAMED: usize = 5;
/// So many fatal signals wait for the end of their target.
const OPEN: usize = 10_000;

/// A process that ended, or was sent what ends it.
#[derive(Debug)]
struct Death {
    /// The event that reported it.
    id: Option<u64>,
    /// Its sentence.
    summary: String,
    /// In a few words, if a signal ended it: `yes(9) by SIGTERM from sh(7)`.
    killed: Option<String>,
}

/// Counts.
#[derive(Debug, Default)]
pub(super) struct Totals {
    /// Sender, target, signal.
    pairs: HashMap<(String, String, String), u64>,
    others: u64,
    /// What became of signals and attempts.
    results: BTreeMap<String, u64>,
    fatal: u64,
    ends: BTreeMap<String, u64>,
    deaths: VecDeque<Death>,
    /// Fatal signals whose target has not been reported to have ended.
    open: HashSet<u64>,
    died: u64,
    killed: u64,
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
                // what the kernel side has counted together
                let count = document.number_at("repeated").and_then(|count| u64::try_from(count).ok());
                let count = count.unwrap_or(1);
                let pair = (source, target, text("signalName").unwrap_or_default());
                if self.pairs.len() < PAIRS || self.pairs.contains_key(&pair) {
                    *self.pairs.entry(pair).or_default() += count;
                } else {
                    self.others += count;
                }
                if let Some(result) = result(document) {
                    *self.results.entry(result).or_default() += count;
                }
                if header.is_fatal {
                    self.fatal += 1;
                    self.note(document, Some(killed(document, "source")));
                }
            }
            EventKind::Ended => {
                let how = match document.number_at("exitCode") {
                    Some(code) => format!("exit {code}"),
                    None => document.text_at("signalName").unwrap_or("unknown").to_owned(),
                };
                let how = if header.is_of_thread { format!("{how} of a thread") } else { how };
                *self.ends.entry(how).or_default() += 1;
                let is_kill = header.is_end_of_process() && document.number_at("exitCode").is_none();
                self.note(document, is_kill.then(|| killed(document, "after.source")));
            }
            EventKind::Request | EventKind::Lost => {}
        }
    }

    fn note(&mut self, document: &Document, killed: Option<String>) {
        let header = document.header();
        // the end says more than the signal that led to it, and both are one death
        let led_to_it = header.after.filter(|id| self.open.remove(id));
        if led_to_it.is_some() {
            self.deaths.retain(|death| death.id != led_to_it);
            self.killed -= 1;
        } else {
            self.died += 1;
        }
        self.killed += u64::from(killed.is_some());
        if header.kind == EventKind::Signal && self.open.len() < OPEN {
            self.open.extend(header.id);
        }
        if self.deaths.len() >= DEATHS {
            self.deaths.pop_front();
        }
        let summary = PLAIN.safe(document.text_at("summary").unwrap_or_default());
        self.deaths.push_back(Death { id: header.id, summary, killed });
    }

    fn reported(&self) -> u64 {
        self.pairs.values().sum::<u64>() + self.others
    }

    /// For eyes.
    pub(super) fn text(&self, screen: Screen) -> String {
        let mut pairs: Vec<_> = self.pairs.iter().collect();
        pairs.sort_by(|one, other| other.1.cmp(one.1).then(one.0.cmp(other.0)));
        let total = self.reported();
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
        let _ = writeln!(text, "results: {}", self.results());
        if !self.ends.is_empty() {
            let _ = writeln!(text, "ends: {}", list(&self.ends, ": "));
        }
        if self.died > 0 {
            let _ = writeln!(text, "processes that ended:");
            for death in &self.deaths {
                let _ = writeln!(text, "  {}", death.summary);
            }
            let unreported = self.died - self.deaths.len() as u64;
            if unreported > 0 {
                let _ = writeln!(text, "  and {unreported} before these");
            }
        }
        text
    }

    /// `delivered 5 (4 fatal), ignored 2`.
    fn results(&self) -> String {
        if self.results.is_empty() {
            return "none".to_owned();
        }
        let text = list(&self.results, " ");
        match self.results.get(DELIVERED) {
            Some(count) if self.fatal > 0 => {
                let all = format!("{DELIVERED} {count}");
                text.replacen(&all, &format!("{all} ({} fatal)", self.fatal), 1)
            }
            _ => text,
        }
    }

    /// `2 killed: sleep(12) by SIGTERM from sh(10), yes(13) by SIGPIPE; exit 0: 6, exit 1: 1`.
    pub(super) fn sentence(&self) -> String {
        let signals = self.reported();
        let mut text = match (self.killed, signals) {
            (0, 0) if self.died == 0 => return "no signals".to_owned(),
            (0, 1) => "1 signal, no process killed".to_owned(),
            (0, _) => format!("{signals} signals, no process killed"),
            (killed, _) => format!("{killed} killed: "),
        };
        let killed: Vec<&str> =
            self.deaths.iter().filter_map(|death| death.killed.as_deref()).take(NAMED).collect();
        text.push_str(&killed.join(", "));
        let others = self.killed - killed.len() as u64;
        if others > 0 {
            let _ = write!(text, " and {others} more");
        }
        let exits: BTreeMap<String, u64> = self
            .ends
            .iter()
            .filter(|(how, _)| how.starts_with("exit "))
            .map(|(how, count)| (how.clone(), *count))
            .collect();
        if !exits.is_empty() {
            let _ = write!(text, "; {}", list(&exits, ": "));
        }
        text
    }
}

const DELIVERED: &str = "delivered";

/// What became of a signal or an attempt. What waits is not delivered.
fn result(document: &Document) -> Option<String> {
    let result = document.text_at("result")?;
    Some(match result {
        "queued" | "info-lost" if document.is_set("target.blocked") => "blocked".to_owned(),
        "queued" | "info-lost" if document.header().is_fatal => DELIVERED.to_owned(),
        "queued" | "info-lost"
            if matches!(
                document.text_at("target.state"),
                Some("frozen" | "stopped" | "traced" | "disk-sleep")
            ) =>
        {
            "pending".to_owned()
        }
        "queued" | "info-lost" => DELIVERED.to_owned(),
        other => PLAIN.safe(other),
    })
}

/// `yes(9) by SIGTERM from sh(7)`.
fn killed(document: &Document, source: &str) -> String {
    let target = document.object("target").map_or_else(|| "?".to_owned(), |target| PLAIN.name(target));
    let signal =
        document.text_at("signalName").map_or_else(|| "a signal".to_owned(), |name| PLAIN.safe(name));
    let text = format!("{target} by {signal}");
    // what came before an end may be another signal
    let is_it = source == "source" || document.text_at("after.signalName") == document.text_at("signalName");
    match document.object(source).filter(|_| is_it) {
        Some(sender) if pid(sender) == document.object("target").and_then(pid) => {
            format!("{text} from itself")
        }
        Some(sender) => format!("{text} from {}", PLAIN.name(sender)),
        None => text,
    }
}

fn pid(process: &[Field]) -> Option<i128> {
    find(process, "pid").and_then(Value::as_number)
}

fn list(counts: &BTreeMap<String, u64>, between: &str) -> String {
    counts.iter().map(|(what, count)| format!("{what}{between}{count}")).collect::<Vec<_>>().join(", ")
}

/// What a trace can come to, for `docs/sentences.md`.
#[cfg(test)]
pub(crate) fn catalogue() -> Vec<(&'static str, String)> {
    let death = |killed: &str| Death { id: None, summary: String::new(), killed: Some(killed.to_owned()) };
    let deaths = ["sleep(12) by SIGTERM from sh(10)", "yes(13) by SIGPIPE"].map(death).into();
    let ends = [("exit 0".to_owned(), 6), ("exit 1".to_owned(), 1)].into();
    let pairs = [((String::new(), String::new(), String::new()), 3)].into();
    let results = [("delivered".to_owned(), 5), ("ignored".to_owned(), 2)].into();
    let none = Totals { pairs, ends, results, fatal: 4, ..Totals::default() };
    let results = none.results();
    let (no_kill, ends) = (none.sentence(), none.ends);
    vec![
        ("the end of `run`", Totals { deaths, killed: 2, died: 9, ends, ..Totals::default() }.sentence()),
        ("the end of `run`, if nothing was killed", no_kill),
        ("the end of `run`, without any signal", Totals::default().sentence()),
        ("in `--summary`", format!("results: {results}")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::header::Header;
    use crate::output::format::Format;
    use crate::output::format::ValueRef::{Flag, Number, Text};
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
        assert!(text.contains("results: delivered 1\n"), "{text}");
    }

    #[test]
    fn who_died_is_printed_with_the_sentence_of_its_event() {
        let mut totals = Totals::default();
        for number in 0..25 {
            let mut document = Document::default();
            document.begin(&Header { kind: EventKind::Ended, ..Header::default() });
            document.field("signalName", Text("SIGKILL"));
            document.field("summary", Text(&format!("yes({number}) was killed by SIGKILL\u{1b}")));
            totals.add(&document);
        }
        let text = totals.text(PLAIN);
        assert!(text.contains("ends: SIGKILL: 25"), "{text}");
        assert!(text.contains("  yes(24) was killed by SIGKILL\\u001b\n  and 5 before these\n"), "{text}");
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
        totals.add(&event(EventKind::Ended, 3, Some(1), "b was killed by SIGKILL"));
        let text = totals.text(PLAIN);
        assert!(
            text.ends_with("processes that ended:\n  a sent SIGKILL to c\n  b was killed by SIGKILL\n"),
            "{text}"
        );
    }

    #[test]
    fn a_command_is_summed_up_in_a_sentence() {
        let mut totals = Totals::default();
        assert_eq!(totals.sentence(), "no signals");
        totals.add(&sample());
        assert_eq!(totals.sentence(), "1 signal, no process killed");
        let ended = |pid: u64, code: Option<u64>, after: Option<u64>| {
            let mut document = Document::default();
            document.begin(&Header { kind: EventKind::Ended, after, ..Header::default() });
            match code {
                Some(code) => document.field("exitCode", Number(code)),
                None => document.field("signalName", Text("SIGTERM")),
            }
            document.open("after");
            document.field("signalName", Text("SIGTERM"));
            document.open("source");
            document.field("pid", Number(7));
            document.field("comm", Text("sh"));
            document.close();
            document.close();
            document.open("target");
            document.field("pid", Number(pid));
            document.field("comm", Text("yes"));
            document.close();
            document
        };
        for (pid, code) in [(9, None), (7, None), (10, Some(0)), (11, Some(0)), (12, Some(1))] {
            totals.add(&ended(pid, code, None));
        }
        let killed = "yes(9) by SIGTERM from sh(7), yes(7) by SIGTERM from itself";
        assert_eq!(totals.sentence(), format!("2 killed: {killed}; exit 0: 2, exit 1: 1"));
        (20..25).for_each(|pid| totals.add(&ended(pid, None, None)));
        assert!(totals.sentence().contains(" and 2 more; exit 0"), "{}", totals.sentence());
    }

    #[test]
    fn what_waits_is_not_delivered() {
        let of = |state: &str| {
            let mut document = Document::default();
            document.field("result", Text("queued"));
            document.open("target");
            match state {
                "blocked" => document.field("blocked", Flag(true)),
                state => document.field("state", Text(state)),
            }
            document.close();
            result(&document).unwrap()
        };
        for (state, expected) in
            [("sleeping", "delivered"), ("blocked", "blocked"), ("frozen", "pending"), ("stopped", "pending")]
        {
            assert_eq!(of(state), expected);
        }
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(Totals::default().text(PLAIN), "0 reported\n");
    }
}
