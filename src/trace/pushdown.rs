//! Which conditions of the command line the kernel side can decide: pure. The rest, and these once more where they are
//! of a kind that the kernel only guesses at, are asked in user space (`report::filter`).

use super::wire::{SelectKey, SelectValue};
use crate::config::ALL_SIGNALS;
use crate::report::filter::{Conditions, Exact};

/// What the kernel side is to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Bit `sig - 1`: passes.
    pub signals: u64,
    /// Bit of `enum select_key`: is asked for.
    pub asked: u32,
    /// What passes, by key.
    pub values: Vec<(u32, Exact)>,
    /// Where the trees begin.
    pub trees: Vec<u32>,
    /// The roots of trees are not in them.
    pub trees_begin_below: bool,
    /// What was decided so, as it would be typed.
    pub words: Vec<String>,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            signals: ALL_SIGNALS,
            asked: 0,
            values: Vec::new(),
            trees: Vec::new(),
            trees_begin_below: false,
            words: Vec::new(),
        }
    }
}

/// Entries of the map `selected`.
const VALUES: usize = 1024;
/// Entries of the map `tree_roots`.
const ROOTS: usize = 64;

/// A key of the output, as the kernel side has it.
fn key_of(key: &str) -> Option<u32> {
    Some(
        match key {
            "source.pid" => SelectKey::SELECT_SOURCE_PID,
            "source.user.id" => SelectKey::SELECT_SOURCE_UID,
            "source.comm" => SelectKey::SELECT_SOURCE_COMM,
            "target.pid" => SelectKey::SELECT_TARGET_PID,
            "target.user.id" => SelectKey::SELECT_TARGET_UID,
            "target.comm" => SelectKey::SELECT_TARGET_COMM,
            _ => return None,
        }
        .0,
    )
}

impl Selection {
    /// Of these conditions. Texts are left alone if they are redacted before they are compared, trees where the kernel
    /// cannot follow them.
    pub fn of(conditions: &Conditions, redacts: bool, follows_trees: bool) -> Self {
        let mut selection = Self::default();
        if !conditions.pids.is_empty() {
            let pids = conditions.pids.iter().map(|&pid| Exact::Number(u64::from(pid))).collect();
            selection.ask(SelectKey::SELECT_PID.0, pids, "--pid".to_owned());
        }
        if follows_trees && !conditions.trees.is_empty() && conditions.trees.len() <= ROOTS {
            selection.asked |= 1 << SelectKey::SELECT_TREE.0;
            selection.trees.clone_from(&conditions.trees);
            selection.trees_begin_below = conditions.trees_begin_below;
            selection.words.push("--tree".to_owned());
        }
        for condition in &conditions.wanted {
            let Some(values) = condition.exact() else { continue };
            let words = format!("--where {condition}");
            if matches!(condition.key(), "signal" | "signalName") {
                let signals = values.iter().map(|value| match value {
                    Exact::Signal(signal) => Some(signal.bit()),
                    _ => None,
                });
                // signal 0 is one of attempts, which are asked in user space alone
                if let Some(signals) = signals.sum::<Option<u64>>().filter(|&signals| signals != 0) {
                    selection.signals &= signals;
                    selection.words.push(words);
                }
                continue;
            }
            let is_known = |value: &Exact| match value {
                Exact::Number(_) => true,
                // what the kernel keeps of a name, and nothing that is shown in another way
                Exact::Text(text) => !redacts && text.len() <= 15 && !text.is_empty() && text.is_ascii(),
                Exact::Signal(_) => false,
            };
            if let Some(key) = key_of(condition.key()).filter(|_| values.iter().all(is_known)) {
                selection.ask(key, values, words);
            }
        }
        selection
    }

    /// Of two conditions on one key both are to hold: the kernel side takes either, user space both.
    fn ask(&mut self, key: u32, values: Vec<Exact>, words: String) {
        if self.values.len() + values.len() <= VALUES {
            self.asked |= 1 << key;
            self.values.extend(values.into_iter().map(|value| (key, value)));
            self.words.push(words);
        }
    }
}

impl From<&(u32, Exact)> for SelectValue {
    fn from((key, value): &(u32, Exact)) -> Self {
        let mut wire = Self { key: *key, ..Self::default() };
        match value {
            Exact::Number(number) => wire.number = *number as u32,
            Exact::Text(text) => {
                for (to, from) in wire.comm[..15].iter_mut().zip(text.bytes()) {
                    *to = from;
                }
            }
            Exact::Signal(_) => {}
        }
        wire
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(wanted: &[&str], unwanted: &[&str]) -> Selection {
        let parse = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let conditions =
            Conditions { wanted: parse(wanted), unwanted: parse(unwanted), ..Conditions::default() };
        Selection::of(&conditions, false, true)
    }

    #[test]
    fn what_is_exact_is_decided_in_the_kernel() {
        let selection =
            of(&["signal=KILL,TERM", "target.pid=7,8", "source.comm=pkill", "source.user.id=0"], &[]);
        assert_eq!(selection.signals, 1 << 8 | 1 << 14);
        assert_eq!(selection.values.len(), 4);
        assert_eq!(selection.words.len(), 4);
    }

    #[test]
    fn what_is_not_is_left_to_user_space() {
        for wanted in ["target.comm=java*", "target.pid>7", "target.container.id=9ac1*", "source.comm=\u{e9}"]
        {
            assert_eq!(of(&[wanted], &[]), Selection::default(), "{wanted}");
        }
        // whether there is a source at all is not known there
        assert_eq!(of(&[], &["source.comm=systemd", "signal=KILL"]), Selection::default());
    }

    #[test]
    fn two_conditions_on_the_signal_are_both_to_hold() {
        assert_eq!(of(&["signal=KILL,TERM", "signalName=SIGTERM"], &[]).signals, 1 << 14);
        assert_eq!(of(&["signal=0"], &[]).signals, ALL_SIGNALS);
    }

    #[test]
    fn redacted_texts_and_trees_that_cannot_be_followed_are_left_alone() {
        let conditions = Conditions {
            wanted: vec!["source.comm=x".parse().unwrap()],
            trees: vec![1],
            pids: vec![5],
            ..Conditions::default()
        };
        let selection = Selection::of(&conditions, true, false);
        assert_eq!(selection.words, ["--pid"]);
        assert_eq!(Selection::of(&conditions, false, true).words.len(), 3);
    }
}
