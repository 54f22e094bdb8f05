//! Which events are reported: `--where`, `--not`, `-p`, `--tree`, `--fatal`, on the output's own keys.
//!
//! What is decided here has been through the ring already. A condition that the kernel can decide may be moved there:
//! [`Filter::conditions`] says what is asked, and an event that never comes needs no answer.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

use rustc_hash::FxHashSet;

use super::possible;
use crate::base::digits::decimal_seconds;
use crate::error::UsageError;
use crate::event::signal::Signal;
use crate::output::format::document::{Document, Field, Value, chain, find};
use crate::output::format::line_template::is_slot;
use crate::output::keys::{self, Kind};

/// So many processes of trees, and so many events that were shown, are remembered.
const REMEMBERED: usize = 16_384;

/// How a value is compared.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    /// One of these holds.
    AnyOf(Vec<Pattern>),
    /// The number is greater than this, or as great.
    Above(f64, bool),
    /// The number is less than this, or as great.
    Below(f64, bool),
}

/// What one value of a list asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Pattern {
    Glob(String),
    Number(f64),
    Flag(bool),
    Signal(Signal),
}

/// `KEY=VALUE`, `KEY>NUMBER`, `KEY<NUMBER`.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    key: String,
    kind: Kind,
    test: Test,
    text: String,
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl FromStr for Condition {
    type Err = UsageError;

    fn from_str(text: &str) -> Result<Self, UsageError> {
        let Some(at) = text.find(['=', '<', '>']) else {
            return Err(UsageError::Condition(text.to_owned()));
        };
        let (key, rest) = text.split_at(at);
        let kind = keys::look_up(key)?;
        let wrong = |allowed: String| UsageError::ConditionValue {
            key: key.to_owned(),
            value: rest.trim_start_matches(['=', '<', '>']).to_owned(),
            allowed,
        };
        let comparison = if let Some(values) = rest.strip_prefix('=') {
            let patterns: Result<Vec<Pattern>, String> =
                values.split(',').map(|value| pattern(kind, value)).collect();
            Test::AnyOf(patterns.map_err(wrong)?)
        } else {
            if !matches!(kind, Kind::Number | Kind::Decimal | Kind::SignalNumber) {
                return Err(wrong("this key is no number: = is the only comparison".to_owned()));
            }
            let (number, or_equal) = match rest[1..].strip_prefix('=') {
                Some(number) => (number, true),
                None => (&rest[1..], false),
            };
            let number = finite(number).ok_or_else(|| wrong("give a number".to_owned()))?;
            if rest.starts_with('>') { Test::Above(number, or_equal) } else { Test::Below(number, or_equal) }
        };
        possible::check(key, kind, &comparison).map_err(|(value, allowed)| UsageError::ConditionValue {
            key: key.to_owned(),
            value,
            allowed,
        })?;
        Ok(Self { key: key.to_owned(), kind, test: comparison, text: text.to_owned() })
    }
}

fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// What a value of the command line means for a key of this kind; what is allowed, if it means nothing.
fn pattern(kind: Kind, value: &str) -> Result<Pattern, String> {
    let is_glob = value.contains(['*', '?']);
    match kind {
        Kind::SignalNumber | Kind::SignalName if !is_glob => value
            .parse()
            .map(Pattern::Signal)
            // signal 0 and worse are what attempts may have
            .or_else(|error: UsageError| finite(value).map(Pattern::Number).ok_or_else(|| error.to_string())),
        Kind::Number | Kind::Decimal if !is_glob => finite(value)
            .map(Pattern::Number)
            .ok_or_else(|| "give a number, or compare with > or <".to_owned()),
        Kind::Flag if !is_glob => match value {
            "true" => Ok(Pattern::Flag(true)),
            "false" => Ok(Pattern::Flag(false)),
            _ => Err("give true or false".to_owned()),
        },
        Kind::Word(words) if !is_glob && !words.contains(&value) => {
            Err(format!("give one of {}", words.join(", ")))
        }
        Kind::Word(words) if !words.iter().any(|word| matches_glob(value, word)) => {
            Err(format!("nothing is called so: there are {}", words.join(", ")))
        }
        _ => Ok(Pattern::Glob(value.to_owned())),
    }
}

/// `*` is any text, `?` any character.
pub fn matches_glob(glob: &str, text: &str) -> bool {
    let (glob, text): (Vec<char>, Vec<char>) = (glob.chars().collect(), text.chars().collect());
    let (mut at, mut of_glob) = (0, 0);
    // where the last star stands, and how much of the text it has taken
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        match glob.get(of_glob) {
            Some('*') => {
                star = Some((of_glob, at));
                of_glob += 1;
            }
            Some(&letter) if letter == '?' || letter == text[at] => {
                at += 1;
                of_glob += 1;
            }
            _ => match star {
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    at = taken + 1;
                    of_glob = place + 1;
                }
                None => return false,
            },
        }
    }
    glob[of_glob..].iter().all(|&letter| letter == '*')
}

/// A value that a key must have as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exact {
    /// A whole number.
    Number(u64),
    /// A text.
    Text(String),
    /// A signal, by number or name.
    Signal(Signal),
}

impl Condition {
    /// The values of which it asks for one, if it asks for nothing else.
    pub fn exact(&self) -> Option<Vec<Exact>> {
        let Test::AnyOf(patterns) = &self.test else { return None };
        let exact = |pattern: &Pattern| match pattern {
            Pattern::Signal(signal) => Some(Exact::Signal(*signal)),
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // it is whole, and in range
            Pattern::Number(number) if number.fract() == 0.0 && (0.0..4_294_967_296.0).contains(number) => {
                Some(Exact::Number(*number as u64))
            }
            Pattern::Glob(text) if !text.contains(['*', '?']) => Some(Exact::Text(text.clone())),
            _ => None,
        };
        patterns.iter().map(exact).collect()
    }

    /// The key that it asks of.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Does it hold? Of a key that is not there nothing holds, but that a flag is false.
    pub fn holds(&self, document: &Document) -> bool {
        let foreign = document.foreign(&self.key).map(|text| Value::Text(text.to_owned()));
        self.test.holds(document.get(&self.key).or(foreign.as_ref()))
    }

    /// What the key holds.
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// What it asks.
    pub(super) fn test(&self) -> &Test {
        &self.test
    }
}

impl Test {
    /// Of this value, or of none.
    pub(super) fn holds(&self, value: Option<&Value>) -> bool {
        match self {
            Self::AnyOf(patterns) => patterns.iter().any(|pattern| pattern.matches(value)),
            Self::Above(than, or_equal) => {
                number(value).is_some_and(|number| number > *than || (*or_equal && number >= *than))
            }
            Self::Below(than, or_equal) => {
                number(value).is_some_and(|number| number < *than || (*or_equal && number <= *than))
            }
        }
    }
}

#[allow(clippy::cast_precision_loss)] // no number of the output passes 2^53
fn number(value: Option<&Value>) -> Option<f64> {
    match value? {
        Value::Text(text) => finite(text),
        Value::Seconds(nanoseconds) => Some(*nanoseconds as f64 / 1e9),
        value => value.as_number().map(|number| number as f64),
    }
}

impl Pattern {
    fn matches(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Self::Flag(wanted), None) => !wanted,
            (_, None) => false,
            (Self::Flag(wanted), Some(value)) => *value == Value::Flag(*wanted),
            (Self::Number(wanted), Some(_)) => {
                number(value).is_some_and(|number| number.total_cmp(wanted).is_eq())
            }
            (Self::Signal(wanted), Some(Value::Text(name))) => {
                name.parse::<Signal>().is_ok_and(|signal| signal == *wanted)
            }
            (Self::Signal(wanted), Some(value)) => value.as_number() == Some(i128::from(wanted.number())),
            (Self::Glob(glob), Some(value)) => match value {
                Value::Text(text) => matches_glob(glob, text),
                Value::Number(number) => matches_glob(glob, &number.to_string()),
                Value::Integer(number) => matches_glob(glob, &number.to_string()),
                Value::Flag(flag) => matches_glob(glob, &flag.to_string()),
                Value::List(items) => matches_glob(glob, &String::from_utf8_lossy(&items.join(&b' '))),
                Value::Words(words) => words.iter().any(|word| matches_glob(glob, word)),
                Value::Seconds(nanoseconds) => matches_glob(glob, &decimal_seconds(*nanoseconds)),
                Value::Object(_) | Value::Names(_) => false,
            },
        }
    }
}

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Conditions {
    /// All of these hold.
    pub wanted: Vec<Condition>,
    /// None of these.
    pub unwanted: Vec<Condition>,
    /// Source or target is one of these processes, if any is named.
    pub pids: Vec<u32>,
    /// Source or target is one of these or descends from one, if any is named.
    pub trees: Vec<u32>,
    /// The processes of `trees` themselves do not count, only those below: of `killsnoop run` it is killsnoop.
    pub trees_begin_below: bool,
    /// Only what ends its target.
    pub only_fatal: bool,
}

impl Conditions {
    /// Everything passes.
    pub fn is_empty(&self) -> bool {
        let Self { wanted, unwanted, pids, trees, trees_begin_below, only_fatal } = self;
        wanted.is_empty()
            && unwanted.is_empty()
            && pids.is_empty()
            && trees.is_empty()
            && !trees_begin_below
            && !only_fatal
    }
}

impl fmt::Display for Conditions {
    /// As it would be typed.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |pids: &[u32]| pids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let mut words: Vec<String> = Vec::new();
        words.extend((!self.pids.is_empty()).then(|| format!("--pid {}", list(&self.pids))));
        words.extend((!self.trees.is_empty()).then(|| format!("--tree {}", list(&self.trees))));
        words.extend(self.only_fatal.then(|| "--fatal".to_owned()));
        words.extend(self.wanted.iter().map(|condition| format!("--where {condition}")));
        words.extend(self.unwanted.iter().map(|condition| format!("--not {condition}")));
        formatter.write_str(&words.join(" "))
    }
}

/// Asks every event.
#[derive(Debug, Default)]
pub struct Filter {
    conditions: Conditions,
    /// The kernel says of each signal whether it is of the trees: a process that has left them since still is.
    kernel_knows_trees: bool,
    members: Remembered<String>,
    shown: Shown,
}

impl Filter {
    /// With these conditions.
    pub fn new(conditions: Conditions) -> Self {
        Self { conditions, ..Self::default() }
    }

    /// What was asked for.
    pub fn conditions(&self) -> &Conditions {
        &self.conditions
    }

    /// From here on the kernel says of each signal whether it is of the trees.
    pub fn trust_trees(&mut self) {
        self.kernel_knows_trees = true;
    }

    /// Does it say the same of all signals that differ in nothing but the gaps of their lines?
    pub fn says_the_same(&self) -> bool {
        let Conditions { wanted, unwanted, trees, .. } = &self.conditions;
        // who belongs to a tree is learnt of every event
        trees.is_empty() && !wanted.iter().chain(unwanted).any(|condition| is_slot(condition.key()))
    }

    /// A signal that is one before once more passes, as that did.
    pub fn pass_again(&mut self, id: u64) {
        if !self.conditions.is_empty() {
            self.shown.add(id);
        }
    }

    /// Is this event reported? Loss always is, and so is the end of a process after a signal that was.
    /// `in_trees` is what the kernel saw of a signal, where it was asked.
    pub fn passes(&mut self, document: &Document, in_trees: Option<bool>) -> bool {
        if self.conditions.is_empty() || document.text_at("event") == Some("lost") {
            return true;
        }
        // asked of every event, or a process would not be remembered that has left the tree since
        let by_parents = self.is_in_trees(document);
        let in_trees = in_trees.filter(|_| self.kernel_knows_trees).unwrap_or(by_parents);
        let number_at = |path| document.number_at(path).and_then(|id| u64::try_from(id).ok());
        let ends_what_was_shown = number_at("after.id").is_some_and(|id| self.shown.contains(id));
        let passes = ends_what_was_shown || (in_trees && self.holds(document));
        if passes {
            if let Some(id) = number_at("id") {
                self.shown.add(id);
            }
        }
        passes
    }

    fn holds(&self, document: &Document) -> bool {
        let conditions = &self.conditions;
        let has_pid = |side: &str| {
            let pid = document.number_at(side);
            conditions.pids.iter().any(|wanted| pid == Some(i128::from(*wanted)))
        };
        (conditions.pids.is_empty() || has_pid("source.pid") || has_pid("target.pid"))
            && (!conditions.only_fatal || is_fatal(document))
            && conditions.wanted.iter().all(|condition| condition.holds(document))
            && !conditions.unwanted.iter().any(|condition| condition.holds(document))
    }

    fn is_in_trees(&mut self, document: &Document) -> bool {
        if self.conditions.trees.is_empty() {
            return true;
        }
        let mut is_in = false;
        for side in ["source", "target"] {
            let Some(own) = document.object(side) else { continue };
            is_in |= self.is_member(own);
        }
        is_in
    }

    /// Is it below one of the roots, or was it once, or is its parent?
    fn is_member(&mut self, own: &[Field]) -> bool {
        let processes: Vec<&[Field]> = chain(own).collect();
        let is_root = |process: &[Field]| {
            let pid = find(process, "pid").and_then(Value::as_number);
            self.conditions.trees.iter().any(|root| pid == Some(i128::from(*root)))
        };
        let is_remembered = |process: &[Field]| key_of(process).is_some_and(|key| self.members.contains(key));
        let Some(top) = processes.iter().rposition(|process| is_root(process) || is_remembered(process))
        else {
            return false;
        };
        let below = if self.conditions.trees_begin_below && is_root(processes[top]) { top } else { top + 1 };
        let keys: Vec<String> =
            processes[..below].iter().filter_map(|process| key_of(process)).cloned().collect();
        let is_in = below > 0;
        for key in keys {
            self.members.add(key);
        }
        is_in
    }
}

/// The signal is proven to end its target, or this is the end.
fn is_fatal(document: &Document) -> bool {
    document.is_set("fatal") || document.text_at("event") == Some("ended")
}

fn key_of(process: &[Field]) -> Option<&String> {
    match find(process, "key")? {
        Value::Text(key) => Some(key),
        _ => None,
    }
}

/// The latest events that were shown, by their numbers, in the order of these. They mostly come in it.
#[derive(Debug, Default)]
struct Shown {
    ids: VecDeque<u64>,
}

impl Shown {
    fn contains(&self, id: u64) -> bool {
        self.ids.binary_search(&id).is_ok()
    }

    fn add(&mut self, id: u64) {
        if self.ids.back().is_none_or(|&last| last < id) {
            self.ids.push_back(id);
        } else if let Err(place) = self.ids.binary_search(&id) {
            self.ids.insert(place, id);
        }
        if self.ids.len() > REMEMBERED {
            self.ids.pop_front();
        }
    }
}

/// The latest of a kind.
#[derive(Debug)]
struct Remembered<T> {
    all: FxHashSet<T>,
    order: VecDeque<T>,
}

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self { all: FxHashSet::default(), order: VecDeque::new() }
    }
}

impl<T: std::hash::Hash + Eq + Clone> Remembered<T> {
    fn contains(&self, one: &T) -> bool {
        self.all.contains(one)
    }

    fn add(&mut self, one: T) {
        if !self.all.insert(one.clone()) {
            return;
        }
        self.order.push_back(one);
        if self.order.len() > REMEMBERED {
            if let Some(oldest) = self.order.pop_front() {
                self.all.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::format::Format;
    use crate::output::format::document::tests::sample;
    use proptest::prelude::*;

    fn holds(condition: &str) -> bool {
        condition.parse::<Condition>().unwrap().holds(&sample())
    }

    #[test]
    fn what_passes_and_what_does_not() {
        for (condition, expected) in [
            ("source.comm=pkill", true),
            ("source.comm=pkil", false),
            ("source.comm=pk*", true),
            ("source.comm=systemd,pkill", true),
            ("source.comm=systemd,bash", false),
            ("source.comm=?kill", true),
            ("target.parent.comm=sh", true),
            ("signal=TERM", true),
            ("signal=15", true),
            ("signal=sigterm", true),
            ("signal=KILL,9", false),
            ("signalName=15", true),
            ("signalName=SIG*", true),
            ("signal>14", true),
            ("signal>15", false),
            ("signal>=15", true),
            ("signal<15", false),
            ("signal<=15", true),
            ("target.pid=9", true),
            ("target.pid=7", false),
            ("target.pid=*", true),
            ("target.tid=*", false),
            ("target.tid>0", false),
            ("source.cmdline=pkill a b", true),
            ("source.cmdline=*a*", true),
            ("source.cmdline=pkill", false),
            ("fatal=false", true),
            ("fatal=true", false),
            ("origin=process", true),
            ("origin=oom,fault", false),
        ] {
            assert_eq!(holds(condition), expected, "{condition}");
        }
    }

    #[test]
    fn a_wrong_condition_names_what_is_wrong_and_what_is_allowed() {
        for (condition, words) in [
            ("source.com=x", &["source.com", "source.comm"][..]),
            ("source", &["source", "KEY=VALUE"]),
            ("source=x", &["source", "source.pid"]),
            ("signal=NOSIG", &["signal", "NOSIG", "1 to 64"]),
            ("origin=procss", &["origin", "procss", "parent-death"]),
            ("origin=z*", &["origin", "z*", "parent-death"]),
            ("target.pid=x", &["target.pid", "'x'", "number"]),
            ("target.pid>x", &["target.pid", "'x'", "number"]),
            ("source.comm>3", &["source.comm", "no number"]),
            ("fatal=yes", &["fatal", "yes", "true or false"]),
        ] {
            let message = condition.parse::<Condition>().unwrap_err().to_string();
            for word in words {
                assert!(message.contains(word), "{condition}: no '{word}' in {message}");
            }
        }
    }

    fn passes(conditions: Conditions) -> bool {
        Filter::new(conditions).passes(&sample(), None)
    }

    #[test]
    fn all_that_is_wanted_and_nothing_that_is_not() {
        let parse =
            |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<Condition>>();
        let of = |wanted: &[&str], unwanted: &[&str]| {
            passes(Conditions { wanted: parse(wanted), unwanted: parse(unwanted), ..Conditions::default() })
        };
        assert!(of(&[], &[]));
        assert!(of(&["signal=TERM", "source.comm=pkill"], &[]));
        assert!(!of(&["signal=TERM", "source.comm=kill"], &[]));
        assert!(!of(&[], &["source.comm=pkill"]));
        assert!(of(&["signal=TERM"], &["source.comm=kill", "target.tid=3"]));
    }

    #[test]
    fn a_pid_is_either_side() {
        let of = |pids: &[u32]| passes(Conditions { pids: pids.to_vec(), ..Conditions::default() });
        assert!(of(&[7]) && of(&[9]) && of(&[1, 9]));
        assert!(!of(&[5]), "a parent is no side");
    }

    #[test]
    fn a_tree_is_a_process_and_all_below_it() {
        let of = |trees: &[u32], below| {
            passes(Conditions { trees: trees.to_vec(), trees_begin_below: below, ..Conditions::default() })
        };
        assert!(of(&[5], false) && of(&[7], false) && of(&[5], true));
        assert!(!of(&[1], false));
        // of 7 only what is below counts, and the target is not
        assert!(!of(&[7], true));
    }

    #[test]
    fn who_was_in_a_tree_stays_in_it_when_its_parents_are_gone() {
        let mut filter = Filter::new(Conditions { trees: vec![5], ..Conditions::default() });
        assert!(filter.passes(&sample(), None));
        let mut orphan = Document::default();
        orphan.text("event", "signal");
        orphan.open("target");
        orphan.number("pid", 9);
        orphan.text("key", "9@1");
        orphan.close();
        assert!(filter.passes(&orphan, None));
        assert!(!Filter::new(filter.conditions.clone()).passes(&orphan, None), "never seen below it");
    }

    #[test]
    fn loss_is_always_told_and_so_is_the_end_after_a_signal_that_was() {
        let wanted = vec!["source.comm=pkill".parse().unwrap()];
        let mut filter = Filter::new(Conditions { wanted, ..Conditions::default() });
        let mut lost = Document::default();
        lost.text("event", "lost");
        assert!(filter.passes(&lost, None));
        let end = |id| {
            let mut end = Document::default();
            end.text("event", "ended");
            end.open("after");
            end.number("id", id);
            end.close();
            end
        };
        assert!(!filter.passes(&end(1), None));
        assert!(filter.passes(&sample(), None));
        assert!(filter.passes(&end(1), None) && !filter.passes(&end(2), None));
    }

    #[test]
    fn what_asks_for_a_time_or_learns_of_every_event_is_asked_each_time() {
        let of = |wanted: &str, trees: &[u32]| {
            let wanted = vec![wanted.parse().unwrap()];
            Filter::new(Conditions { wanted, trees: trees.to_vec(), ..Conditions::default() }).says_the_same()
        };
        assert!(of("target.pid=7", &[]) && of("target.user.id=0", &[]) && of("previous.source.pid=1", &[]));
        assert!(of("target.startTime=2026*", &[]), "it never changes");
        for condition in ["id>5", "previous.id=5", "previous.secondsAgo<1"] {
            assert!(!of(condition, &[]), "{condition}");
        }
        assert!(!of("target.pid=7", &[1]));
        let unwanted = vec!["id=5".parse().unwrap()];
        assert!(!Filter::new(Conditions { unwanted, ..Conditions::default() }).says_the_same());
    }

    #[test]
    fn one_that_passes_again_was_shown() {
        let wanted = vec!["signal=TERM".parse().unwrap()];
        let mut filter = Filter::new(Conditions { wanted, ..Conditions::default() });
        filter.pass_again(7);
        assert!(filter.shown.contains(7) && !filter.shown.contains(8));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut remembered = Remembered::default();
        (0..2 * REMEMBERED).for_each(|number| remembered.add(number));
        assert_eq!((remembered.all.len(), remembered.order.len()), (REMEMBERED, REMEMBERED));
        assert!(!remembered.contains(&0) && remembered.contains(&(2 * REMEMBERED - 1)));
        let (mut shown, many) = (Shown::default(), 2 * REMEMBERED as u64);
        (0..many).for_each(|id| shown.add(2 * id));
        // one that has waited comes late, and once
        for id in [many + 1, many + 1, 2 * many] {
            shown.add(id);
        }
        assert_eq!(shown.ids.len(), REMEMBERED);
        assert!(!shown.contains(0) && !shown.contains(3) && shown.contains(2 * many - 2));
        shown.add(2 * many - 3);
        assert!(shown.contains(2 * many - 3) && shown.contains(2 * many));
    }

    proptest! {
        #[test]
        fn a_glob_is_what_the_expression_is(glob in "[ab*?]{0,8}", text in "[abc]{0,10}") {
            let pattern = format!("^(?s){}$", glob.replace('*', ".*").replace('?', "."));
            let expected = regex::Regex::new(&pattern).unwrap().is_match(&text);
            prop_assert_eq!(matches_glob(&glob, &text), expected);
        }

        #[test]
        fn no_condition_panics(text in any::<String>()) {
            if let Ok(condition) = text.parse::<Condition>() {
                condition.holds(&sample());
            }
        }
    }
}
