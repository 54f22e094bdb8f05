//! How many events of which kind were reported, for metrics: every number is that of a class of events, and how many classes there
//! are is bounded, whatever processes do.

use std::collections::BTreeMap;
use std::hash::Hash;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::format::fragments::{Basis, FragmentOf};
use super::format::{Format, ValueRef};
use super::render;
use crate::event::Event;

/// Units that are counted apart; further ones together.
const UNITS: usize = 200;
/// The unit that these are.
const OTHER_UNITS: &str = "_other";

/// What an event has that says no better.
const UNKNOWN: &str = "unknown";

/// What a counter counts: the values of its labels.
pub type Labels = Vec<String>;

/// The counters that one more event like this one adds to.
#[derive(Debug, Default)]
pub struct CountedAs {
    signal: Option<Labels>,
    death: Option<Labels>,
    oom: Option<String>,
    missing: Vec<String>,
    /// Of a death: its service.
    unit: Option<String>,
    /// It stands for so many.
    count: u64,
}

/// Counts events.
#[derive(Debug, Default)]
pub struct Tally {
    by_unit: bool,
    signals: FxHashMap<Labels, u64>,
    deaths: FxHashMap<Labels, u64>,
    ooms: FxHashMap<String, u64>,
    missing: FxHashMap<String, u64>,
    units: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Tally {
    /// Of deaths by unit as well, if that is asked for.
    pub(super) fn new(by_unit: bool) -> Self {
        Self { by_unit, ..Self::default() }
    }

    /// Counts an event; what one more like it counts as.
    pub(super) fn take(&mut self, event: &Event<'_>) -> Rc<CountedAs> {
        let mut reader = Reader::default();
        render::write(event, &mut reader);
        let counted = Rc::new(reader.counted());
        self.add(&counted);
        counted
    }

    /// Counts one more of them.
    pub(super) fn add(&mut self, one: &CountedAs) {
        if let Some(labels) = &one.signal {
            add(&mut self.signals, labels, one.count);
        }
        if let Some(labels) = &one.death {
            add(&mut self.deaths, labels, one.count);
            if let Some(unit) = one.unit.as_ref().filter(|_| self.by_unit) {
                let is_known = self.units.len() < UNITS || self.units.contains_key(unit);
                let unit = if is_known { unit.as_str() } else { OTHER_UNITS };
                let signal = labels.first().cloned().unwrap_or_default();
                *self.units.entry(unit.to_owned()).or_default().entry(signal).or_default() += one.count;
            }
        }
        if let Some(scope) = &one.oom {
            add(&mut self.ooms, scope, one.count);
        }
        for reason in &one.missing {
            add(&mut self.missing, reason, one.count);
        }
    }

    /// Signals, by signal, origin and result.
    pub fn signals(&self) -> Vec<(Labels, u64)> {
        sorted(&self.signals)
    }

    /// Deaths by a signal, by signal, origin and place (`host`, `container`).
    pub fn deaths(&self) -> Vec<(Labels, u64)> {
        sorted(&self.deaths)
    }

    /// OOM kills, by whose memory it was.
    pub fn ooms(&self) -> Vec<(Labels, u64)> {
        sorted(&self.ooms).into_iter().map(|(scope, count)| (vec![scope], count)).collect()
    }

    /// Facts that were missing, by reason.
    pub fn missing(&self) -> Vec<(Labels, u64)> {
        sorted(&self.missing).into_iter().map(|(reason, count)| (vec![reason], count)).collect()
    }

    /// Deaths by unit and signal; None: not asked for.
    pub fn units(&self) -> Option<Vec<(Labels, u64)>> {
        let all = self.units.iter().flat_map(|(unit, signals)| {
            signals.iter().map(|(signal, count)| (vec![unit.clone(), signal.clone()], *count))
        });
        self.by_unit.then(|| all.collect())
    }
}

fn add<K: Clone + Eq + Hash>(counts: &mut FxHashMap<K, u64>, key: &K, count: u64) {
    match counts.get_mut(key) {
        Some(known) => *known += count,
        None => {
            counts.insert(key.clone(), count);
        }
    }
}

fn sorted<K: Clone + Ord>(counts: &FxHashMap<K, u64>) -> Vec<(K, u64)> {
    let mut all: Vec<(K, u64)> = counts.iter().map(|(key, count)| (key.clone(), *count)).collect();
    all.sort();
    all
}

/// A format that writes nothing, and keeps what events are counted by.
#[derive(Debug, Default)]
struct Reader {
    path: Vec<&'static str>,
    event: String,
    signal: Option<String>,
    origin: Option<String>,
    origin_before: Option<String>,
    result: Option<String>,
    oom_scope: Option<String>,
    is_of_thread: bool,
    is_in_container: bool,
    unit: Option<String>,
    missing: Vec<String>,
    repeated: u64,
}

impl Reader {
    fn counted(self) -> CountedAs {
        let or_unknown = |text: Option<String>| text.unwrap_or_else(|| UNKNOWN.to_owned());
        let origin = self.origin.or(self.origin_before);
        let mut counted = CountedAs { count: self.repeated.max(1), ..CountedAs::default() };
        match (self.event.as_str(), self.signal) {
            ("signal", Some(signal)) => {
                if origin.as_deref() == Some("oom") {
                    counted.oom = Some(or_unknown(self.oom_scope));
                }
                counted.signal = Some(vec![signal, or_unknown(origin), or_unknown(self.result)]);
            }
            ("ended", Some(signal)) if !self.is_of_thread => {
                let place = if self.is_in_container { "container" } else { "host" };
                counted.death = Some(vec![signal, or_unknown(origin), place.to_owned()]);
                counted.unit = self.unit.as_deref().and_then(service);
            }
            _ => {}
        }
        let reason = |what: String| what.rsplit_once(':').map(|(_, reason)| reason.to_owned());
        counted.missing = self.missing.into_iter().filter_map(reason).collect();
        counted
    }
}

/// A service; of those that a template is started as, the template.
fn service(unit: &str) -> Option<String> {
    let stem = unit.strip_suffix(".service")?;
    Some(match stem.split_once('@') {
        Some((template, _)) => format!("{template}@.service"),
        None => unit.to_owned(),
    })
}

impl Format for Reader {
    fn wants(&self, key: &'static str) -> bool {
        key != "tree"
    }

    fn field(&mut self, key: &'static str, value: ValueRef<'_>) {
        match (self.path.as_slice(), key, value) {
            ([], "event", ValueRef::Text(text)) => text.clone_into(&mut self.event),
            ([], "signalName", ValueRef::Text(text)) => self.signal = Some(text.to_owned()),
            ([], "origin", ValueRef::Text(text)) => self.origin = Some(text.to_owned()),
            ([], "result", ValueRef::Text(text)) => self.result = Some(text.to_owned()),
            ([], "scope", ValueRef::Text(text)) => self.is_of_thread = text == "thread",
            ([], "repeated", ValueRef::Number(count)) => self.repeated = count,
            ([], "missing", ValueRef::Words(words)) => self.missing = words.to_vec(),
            (["after"], "origin", ValueRef::Text(text)) => self.origin_before = Some(text.to_owned()),
            (["oom"], "scope", ValueRef::Text(text)) => self.oom_scope = Some(text.to_owned()),
            (["target", "systemd"], "unit", ValueRef::Text(text)) => self.unit = Some(text.to_owned()),
            _ => {}
        }
    }

    fn open(&mut self, key: &'static str) {
        self.path.push(key);
        self.is_in_container |= self.path == ["target", "container"];
    }

    fn close(&mut self) {
        self.path.pop();
    }

    // ancestors are counted by nothing
    fn recall(&mut self, _of: FragmentOf, _basis: &Basis<'_>) -> bool {
        true
    }

    fn finish(&mut self, _out: &mut Vec<u8>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(reader: &mut Reader, path: &[&'static str], key: &'static str, value: &str) {
        for key in path {
            reader.open(key);
        }
        reader.field(key, ValueRef::Text(value));
        for _ in path {
            reader.close();
        }
    }

    fn death(unit: &str) -> CountedAs {
        let mut reader = Reader::default();
        text(&mut reader, &[], "event", "ended");
        text(&mut reader, &[], "signalName", "SIGKILL");
        text(&mut reader, &["after"], "origin", "process");
        text(&mut reader, &["target", "systemd"], "unit", unit);
        reader.counted()
    }

    fn labels(all: &[(Labels, u64)]) -> Vec<(String, u64)> {
        all.iter().map(|(labels, count)| (labels.join(" "), *count)).collect()
    }

    #[test]
    fn an_event_counts_by_its_signal_its_origin_and_its_result() {
        let mut tally = Tally::default();
        let mut reader = Reader::default();
        text(&mut reader, &[], "event", "signal");
        text(&mut reader, &[], "signalName", "SIGKILL");
        text(&mut reader, &[], "origin", "oom");
        text(&mut reader, &[], "result", "queued");
        text(&mut reader, &["oom"], "scope", "cgroup");
        // of a signal's target, and of an ancestor that is in none
        text(&mut reader, &["previous"], "result", "ignored");
        reader.field("missing", ValueRef::Words(&["target.cmdline:gone".to_owned()]));
        reader.field("repeated", ValueRef::Number(3));
        let one = reader.counted();
        tally.add(&one);
        tally.add(&one);
        assert_eq!(labels(&tally.signals()), [("SIGKILL oom queued".to_owned(), 6)]);
        assert_eq!(labels(&tally.ooms()), [("cgroup".to_owned(), 6)]);
        assert_eq!(labels(&tally.missing()), [("gone".to_owned(), 6)]);
        assert!(tally.deaths().is_empty() && tally.units().is_none());
    }

    #[test]
    fn a_death_counts_by_place_and_a_thread_and_an_exit_do_not() {
        let mut tally = Tally::default();
        tally.add(&death("a.service"));
        let mut reader = Reader::default();
        text(&mut reader, &[], "event", "ended");
        text(&mut reader, &[], "signalName", "SIGSEGV");
        text(&mut reader, &["target", "container"], "id", "x");
        tally.add(&reader.counted());
        for (key, value) in [("signalName", "SIGSYS"), ("scope", "thread")] {
            let mut reader = Reader::default();
            text(&mut reader, &[], "event", "ended");
            text(&mut reader, &[], key, value);
            if key == "scope" {
                text(&mut reader, &[], "signalName", "SIGSYS");
                tally.add(&reader.counted());
            }
        }
        tally.add(&Reader { event: "ended".to_owned(), ..Reader::default() }.counted());
        let expected = [("SIGKILL process host".to_owned(), 1), ("SIGSEGV unknown container".to_owned(), 1)];
        assert_eq!(labels(&tally.deaths()), expected);
    }

    #[test]
    fn units_are_services_without_their_instances_and_bounded() {
        let mut tally = Tally::new(true);
        for unit in ["getty@tty1.service", "getty@tty2.service", "session-1.scope", "user.slice"] {
            tally.add(&death(unit));
        }
        assert_eq!(labels(&tally.units().unwrap()), [("getty@.service SIGKILL".to_owned(), 2)]);
        for number in 0..2 * UNITS {
            tally.add(&death(&format!("{number}.service")));
        }
        let units = tally.units().unwrap();
        assert_eq!(units.len(), UNITS + 1);
        assert_eq!(units.iter().map(|(_, count)| count).sum::<u64>(), 2 + 2 * UNITS as u64);
    }
}
