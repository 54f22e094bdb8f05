//! The figures as Prometheus reads them (text format 0.0.4).

use std::fmt::Write;

use crate::event::Lost;
use crate::output::tally::{Labels, Tally};
use crate::store::StoreStatus;

/// All that is written, but for what the tally has.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// Since then, seconds since the epoch.
    pub started: u64,
    /// What was lost.
    pub lost: Lost,
    /// Signals hidden by default.
    pub hidden: u64,
    /// Events that filters refused.
    pub filtered: u64,
    /// How the store fares.
    pub store: Option<StoreStatus>,
}

/// What may stand between quotes.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn push(text: &mut String, kind: &str, name: &str, help: &str, labels: &[&str], values: &[(Labels, u64)]) {
    let _ = write!(text, "# HELP killsnoop_{name} {help}\n# TYPE killsnoop_{name} {kind}\n");
    for (of, value) in values {
        let pairs: Vec<String> =
            labels.iter().zip(of).map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
        let braces = if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) };
        let _ = writeln!(text, "killsnoop_{name}{braces} {value}");
    }
}

/// How the store fares.
fn push_store(text: &mut String, store: &StoreStatus) {
    let mut gauge = |name, help, value: u64| push(text, "gauge", name, help, &[], &[(Labels::new(), value)]);
    gauge("store_bytes", "Bytes of the store on the disk.", store.bytes);
    if let Some(oldest) = store.oldest {
        gauge("oldest_event_timestamp_seconds", "When the oldest event in the store was.", oldest);
    }
    if let Some(written) = store.written_at {
        gauge("last_write_timestamp_seconds", "When the store was written last.", written);
    }
    let errors = [(Labels::new(), store.lost)];
    push(text, "counter", "store_errors_total", "Events that could not be kept.", &[], &errors);
}

/// The whole file.
pub fn exposition(tally: &Tally, figures: &Figures) -> String {
    let mut text = String::new();
    let one = |value: u64| vec![(Labels::new(), value)];
    let version = vec![(vec![env!("CARGO_PKG_VERSION").to_owned()], 1)];
    push(&mut text, "gauge", "build_info", "The version that records.", &["version"], &version);
    push(
        &mut text,
        "gauge",
        "recorder_start_timestamp_seconds",
        "When the recorder started.",
        &[],
        &one(figures.started),
    );
    push(
        &mut text,
        "counter",
        "signals_total",
        "Signals that were reported.",
        &["signal", "origin", "result"],
        &tally.signals(),
    );
    push(
        &mut text,
        "counter",
        "deaths_total",
        "Processes that a signal ended.",
        &["signal", "origin", "where"],
        &tally.deaths(),
    );
    push(
        &mut text,
        "counter",
        "oom_kills_total",
        "Processes that were killed for lack of memory.",
        &["scope"],
        &tally.ooms(),
    );
    if let Some(units) = tally.units() {
        let help = "Processes of a service that a signal ended.";
        push(&mut text, "counter", "unit_deaths_total", help, &["unit", "signal"], &units);
    }
    // all of them, from the beginning: what was never 0 has no rate
    let causes: Vec<(Labels, u64)> =
        figures.lost.by_cause().into_iter().map(|(cause, count)| (vec![cause.to_owned()], count)).collect();
    push(&mut text, "counter", "lost_events_total", "Events that were lost.", &["cause"], &causes);
    push(
        &mut text,
        "counter",
        "hidden_signals_total",
        "Signals that are hidden by default.",
        &[],
        &one(figures.hidden),
    );
    push(
        &mut text,
        "counter",
        "filtered_events_total",
        "Events that filters refused.",
        &[],
        &one(figures.filtered),
    );
    push(
        &mut text,
        "counter",
        "missing_facts_total",
        "Facts that an event should have and has not.",
        &["reason"],
        &tally.missing(),
    );
    if let Some(store) = figures.store {
        push_store(&mut text, &store);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_quoted_and_every_name_has_its_help_and_its_type() {
        assert_eq!(escaped("a\"b\\c\n"), "a\\\"b\\\\c\\n");
        let store = StoreStatus { bytes: 7, oldest: Some(5), written_at: Some(6), ..StoreStatus::default() };
        let figures = Figures { hidden: 3, store: Some(store), ..Figures::default() };
        let text = exposition(&Tally::default(), &figures);
        assert!(text.contains("\nkillsnoop_hidden_signals_total 3\n"));
        assert!(text.contains("\nkillsnoop_lost_events_total{cause=\"ringFull\"} 0\n"));
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split(['{', ' ']).next().unwrap();
            assert!(text.contains(&format!("# TYPE {name} ")) && text.contains(&format!("# HELP {name} ")));
        }
    }
}
