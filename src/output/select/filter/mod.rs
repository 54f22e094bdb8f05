//! Which events are reported: names and pids, `--where`, `--not`, `-p`, `--tree`, `--fatal`, on the output's own keys.
//!
//! What is decided here has been through the ring already. A condition that the kernel can decide may be moved there:
//! [`Filter::conditions`] says what is asked, and an event that never comes needs no answer.

mod comparison;
mod condition;
mod conditions;
mod glob;
mod process_name;
mod recent;

pub(super) use self::comparison::{Pattern, Test};
pub use self::condition::{Condition, Exact};
pub use self::conditions::Conditions;
pub use self::glob::Glob;
pub use self::process_name::{Names, ProcessArg, ProcessName, parse_pid};
pub(in crate::output) use self::recent::RecentIds;
use self::recent::RecentSet;
use crate::event::header::EventKind;
use crate::output::format::document::{Document, Field, Value, chain, find};

/// Asks every event.
#[derive(Debug, Default)]
pub struct Filter {
    conditions: Conditions,
    /// The kernel says of each signal whether it is of the trees: a process that has left them since still is.
    kernel_knows_trees: bool,
    members: RecentSet<String>,
    shown: RecentIds,
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

    /// Does it say the same of all signals that differ in nothing but what fills the slots of their lines?
    pub fn says_the_same(&self) -> bool {
        let Conditions { wanted, unwanted, trees, .. } = &self.conditions;
        // who belongs to a tree is learnt of every event
        trees.is_empty() && !wanted.iter().chain(unwanted).any(|condition| condition.row().varies)
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
        if self.conditions.is_empty() || document.header().kind == EventKind::Lost {
            return true;
        }
        // asked of every event, or a process would not be remembered that has left the tree since
        let by_parents = self.is_in_trees(document);
        let in_trees = in_trees.filter(|_| self.kernel_knows_trees).unwrap_or(by_parents);
        let header = document.header();
        let ends_what_was_shown = header.after.is_some_and(|id| self.shown.contains(id));
        let passes = ends_what_was_shown || (in_trees && self.holds(document));
        if passes {
            if let Some(id) = header.id {
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
        let is_anybody = conditions.pids.is_empty() && conditions.names.is_empty();
        let has_name = |side: &str| {
            let names = names_of(document.object(side).unwrap_or_default());
            conditions.names.iter().any(|wanted| wanted.is_one_of(&names))
        };
        (is_anybody
            || has_pid("source.pid")
            || has_pid("target.pid")
            || has_name("source")
            || has_name("target"))
            && (!conditions.only_fatal || document.header().is_deadly())
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

fn names_of(process: &[Field]) -> Names<'_> {
    fn text<'a>(fields: &'a [Field], key: &str) -> Option<&'a str> {
        match find(fields, key)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
    let units = match find(process, "systemd") {
        Some(Value::Object(systemd)) => [text(systemd, "unit"), text(systemd, "userUnit")],
        _ => [None; 2],
    };
    Names { comm: text(process, "comm"), exe: text(process, "exe"), units }
}

fn key_of(process: &[Field]) -> Option<&String> {
    match find(process, "key")? {
        Value::Text(key) => Some(key),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::projection::Projection;
    use super::*;
    use crate::event::header::Header;
    use crate::output::format::document::tests::sample;
    use crate::output::format::{Format, ValueRef};

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
    fn a_name_is_either_side_and_does_for_a_pid() {
        let of = |processes: &[&str]| {
            let mut conditions = Conditions::default();
            let processes: Vec<ProcessArg> = processes.iter().map(|text| text.parse().unwrap()).collect();
            conditions.add_processes(&processes);
            let mut document = sample();
            let Some(Value::Object(target)) =
                document.fields_mut().iter_mut().find(|field| field.key == "target").map(|it| &mut it.value)
            else {
                panic!("no target")
            };
            let field = |key, value| Field { key, value, is_last: false };
            let text = |text: &str| Value::Text(text.to_owned());
            target.push(field("exe", text("/usr/bin/coreutils")));
            let units = [("unit", "user@1.service"), ("userUnit", "own.service")];
            let units = units.map(|(key, unit)| field(key, text(unit))).into();
            target.push(field("systemd", Value::Object(units)));
            let mut projection = Projection::new(&conditions);
            document.write_to(&mut projection);
            let expected = Filter::new(conditions.clone()).passes(&document, None);
            assert_eq!(Filter::new(conditions).passes(&projection.take(), None), expected, "projected");
            expected
        };
        assert!(of(&["pkill"]) && of(&["yes"]) && of(&["nginx", "yes"]) && of(&["nginx", "7"]));
        assert!(!of(&["nginx"]) && !of(&["nginx", "5"]));
        assert!(!of(&["sh"]), "a parent is no side");
        assert!(of(&["coreutil?"]), "the executable");
        assert!(of(&["user@1"]) && of(&["own.service"]), "units");
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
        orphan.open("target");
        orphan.field("pid", ValueRef::Number(9));
        orphan.field("key", ValueRef::Text("9@1"));
        orphan.close();
        assert!(filter.passes(&orphan, None));
        assert!(!Filter::new(filter.conditions.clone()).passes(&orphan, None), "never seen below it");
    }

    #[test]
    fn loss_is_always_reported_and_so_is_the_end_after_a_signal_that_was() {
        let wanted = vec!["source.comm=pkill".parse().unwrap()];
        let mut filter = Filter::new(Conditions { wanted, ..Conditions::default() });
        let mut lost = Document::default();
        lost.begin(&Header { kind: EventKind::Lost, ..Header::default() });
        assert!(filter.passes(&lost, None));
        let end = |id| {
            let mut end = Document::default();
            end.begin(&Header { kind: EventKind::Ended, after: Some(id), ..Header::default() });
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
}
