//! Which conditions of the command line the kernel side can decide: pure. The rest, and these once more where they are
//! of a kind that the kernel only guesses at, are asked in user space ([`filter`](crate::output::select::filter)).

use crate::bpf::selection::{SelectedValue, Selection};
use crate::output::render::words;
use crate::output::select::filter::{Conditions, Exact};
use crate::record;
use crate::wire::{COMM_BYTES, Disposition, MapSize, SelectKey, comm_of};

/// Entries of the map `selected`.
const VALUES: usize = MapSize::SELECTED_VALUES.0 as usize;
/// Entries of the map `tree_roots`.
const ROOTS: usize = MapSize::TREE_ROOTS.0 as usize;

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

/// What the kernel side can decide of these conditions. Texts are left alone if they are redacted before they are compared,
/// trees where the kernel cannot follow them.
pub(crate) fn select(conditions: &Conditions, redacts: bool, follows_trees: bool) -> Selection {
    let mut selection = Selection::default();
    // a process that has one of the names may have any pid, and the kernel side does not know all of its names
    if !conditions.pids.is_empty() && conditions.names.is_empty() {
        let pids = conditions.pids.iter().map(|&pid| SelectedValue::Number(pid)).collect();
        ask(&mut selection, SelectKey::SELECT_PID.0, pids, "--pid".to_owned());
    }
    if follows_trees && !conditions.trees.is_empty() && conditions.trees.len() <= ROOTS {
        selection.asked |= 1 << SelectKey::SELECT_TREE.0;
        selection.trees.clone_from(&conditions.trees);
        selection.trees_begin_below = conditions.trees_begin_below;
        selection.words.push("--tree".to_owned());
    }
    if conditions.only_fatal {
        selection.only_fatal = true;
        selection.words.push("--fatal".to_owned());
    }
    for condition in &conditions.wanted {
        let Some(values) = condition.exact() else { continue };
        let words = format!("--where {condition}");
        if condition.key() == "target.disposition" {
            let wanted = values.iter().filter_map(disposition).fold(0, |bits, value| bits | 1 << value.0);
            // of two conditions both are to hold; that both cannot is asked in user space
            let both = if selection.dispositions == 0 { wanted } else { selection.dispositions & wanted };
            if both != 0 {
                selection.dispositions = both;
                selection.words.push(words);
            }
            continue;
        }
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
        let values = values.iter().map(|value| selected(value, redacts)).collect::<Option<Vec<_>>>();
        if let (Some(key), Some(values)) = (key_of(condition.key()), values) {
            ask(&mut selection, key, values, words);
        }
    }
    selection
}

/// The disposition of a word of the output.
fn disposition(value: &Exact) -> Option<Disposition> {
    let Exact::Text(text) = value else { return None };
    [
        (Disposition::DISPOSITION_DEFAULT, record::Disposition::Default),
        (Disposition::DISPOSITION_IGNORED, record::Disposition::Ignored),
        (Disposition::DISPOSITION_HANDLED, record::Disposition::Handled),
    ]
    .into_iter()
    .find_map(|(wire, of_record)| (words::disposition(of_record) == text).then_some(wire))
}

/// A value as the kernel side compares it; None if it cannot.
fn selected(value: &Exact, redacts: bool) -> Option<SelectedValue> {
    match value {
        Exact::Number(number) => Some(SelectedValue::Number(*number as u32)),
        // what the kernel keeps of a name, and nothing that is shown in another way
        Exact::Text(text) if !redacts && text.len() <= COMM_BYTES && !text.is_empty() && text.is_ascii() => {
            Some(SelectedValue::Comm(comm_of(text.as_bytes())))
        }
        Exact::Text(_) | Exact::Signal(_) => None,
    }
}

/// Of two conditions on one key both are to hold: the kernel side accepts either, user space asks for both.
fn ask(selection: &mut Selection, key: u32, values: Vec<SelectedValue>, words: String) {
    if selection.values.len() + values.len() <= VALUES {
        selection.asked |= 1 << key;
        selection.values.extend(values.into_iter().map(|value| (key, value)));
        selection.words.push(words);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ALL_SIGNALS;
    use crate::output::select::filter::ProcessName;

    fn of(wanted: &[&str], unwanted: &[&str]) -> Selection {
        let parse = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let conditions =
            Conditions { wanted: parse(wanted), unwanted: parse(unwanted), ..Conditions::default() };
        select(&conditions, false, true)
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
    fn what_ends_its_target_and_what_the_target_does_are_decided_in_the_kernel() {
        let fatal = Conditions { only_fatal: true, ..Conditions::default() };
        let selection = select(&fatal, true, false);
        assert!(selection.only_fatal && selection.words == ["--fatal"]);
        let dispositions = |wanted: &[&str]| of(wanted, &[]).dispositions;
        assert_eq!(dispositions(&["target.disposition=default"]), 1);
        assert_eq!(dispositions(&["target.disposition=ignored,handled"]), 6);
        assert_eq!(dispositions(&["target.disposition=ignored,handled", "target.disposition=handled"]), 4);
        assert_eq!(dispositions(&["target.disposition=ignored", "target.disposition=handled"]), 2);
        assert_eq!(dispositions(&["target.disposition=h*"]), 0);
        assert_eq!(of(&[], &["target.disposition=default"]), Selection::default());
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
        let by_name = Conditions { names: vec![ProcessName::new("x")], ..conditions.clone() };
        assert_eq!(select(&by_name, true, false), Selection::default(), "x may have another pid");
        let selection = select(&conditions, true, false);
        assert_eq!(selection.words, ["--pid"]);
        assert_eq!(select(&conditions, false, true).words.len(), 3);
    }
}
