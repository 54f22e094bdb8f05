//! An event reduced to the keys that filters ask for: what they refuse must cost less than what is reported, and most
//! of what a document costs is its many small texts. The header is always kept.

use super::filter::{Condition, Conditions};
use crate::event::header::Header;
use crate::output::format::document::Document;
use crate::output::format::fragments::{Basis, FragmentOf};
use crate::output::format::{Format, ValueRef};

/// What filters ask for.
#[derive(Debug)]
pub(crate) struct Projection {
    wanted: Vec<String>,
    /// Pids and keys of both chains as well.
    wants_chains: bool,
    path: String,
    /// Lengths of `path` before each open object that is kept.
    open: Vec<usize>,
    /// Open objects that are not, inside each other.
    skipped: usize,
    document: Document,
}

impl Projection {
    pub(crate) fn new(conditions: &Conditions) -> Self {
        let keys = conditions.wanted.iter().chain(&conditions.unwanted).map(Condition::key);
        let mut wanted: Vec<String> = keys.map(str::to_owned).collect();
        for side in ["source", "target"] {
            if !conditions.pids.is_empty() {
                wanted.push(format!("{side}.pid"));
            }
            if !conditions.names.is_empty() {
                let names = ["comm", "exe", "systemd.unit", "systemd.userUnit"];
                wanted.extend(names.map(|key| format!("{side}.{key}")));
            }
        }
        Self {
            wanted,
            wants_chains: !conditions.trees.is_empty(),
            path: String::new(),
            open: Vec::new(),
            skipped: 0,
            document: Document::default(),
        }
    }

    /// What was kept; it begins again.
    pub(crate) fn take(&mut self) -> Document {
        self.finish(&mut Vec::new());
        std::mem::take(&mut self.document)
    }

    fn keeps(&self, key: &str) -> bool {
        if self.skipped > 0 {
            return false;
        }
        let is_it = |wanted: &String| wanted.strip_prefix(&self.path).is_some_and(|rest| rest == key);
        self.wanted.iter().any(is_it)
            || (self.wants_chains && matches!(key, "pid" | "key") && is_of_a_chain(&self.path))
    }

    /// Is something below it wanted?
    fn enters(&self, key: &str) -> bool {
        let is_below = |wanted: &String| {
            let rest = wanted.strip_prefix(&self.path).and_then(|rest| rest.strip_prefix(key));
            rest.is_some_and(|rest| rest.starts_with('.'))
        };
        let is_chain = match key {
            "source" | "target" => self.path.is_empty(),
            "parent" => is_of_a_chain(&self.path),
            _ => false,
        };
        self.wanted.iter().any(is_below) || (self.wants_chains && is_chain)
    }

    fn open_object(&mut self, key: &'static str) {
        if self.skipped > 0 || !self.enters(key) {
            self.skipped += 1;
            return;
        }
        self.open.push(self.path.len());
        self.path.push_str(key);
        self.path.push('.');
        self.document.open(key);
    }
}

/// `source.`, `target.parent.parent.`
fn is_of_a_chain(path: &str) -> bool {
    let rest = path.strip_prefix("source.").or_else(|| path.strip_prefix("target."));
    rest.is_some_and(|rest| rest.split_terminator('.').all(|word| word == "parent"))
}

impl Format for Projection {
    fn wants(&self, key: &'static str) -> bool {
        self.keeps(key)
    }

    /// Of an ancestor that is not kept nothing needs to be written.
    fn recall(&mut self, _of: FragmentOf, _basis: &Basis<'_>) -> bool {
        self.skipped > 0
    }

    fn begin(&mut self, header: &Header) {
        self.document.begin(header);
    }

    fn field(&mut self, key: &'static str, value: ValueRef<'_>) {
        let is_kept = match value {
            // a filter asks for one of the names
            ValueRef::Names(_) => self.skipped == 0 && self.enters(key),
            _ => self.keeps(key),
        };
        if is_kept {
            self.document.field(key, value);
        }
    }

    fn open(&mut self, key: &'static str) {
        self.open_object(key);
    }

    fn close(&mut self) {
        if self.skipped > 0 {
            self.skipped -= 1;
        } else if let Some(length) = self.open.pop() {
            self.path.truncate(length);
            self.document.close();
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.document.finish(out);
        self.path.clear();
        self.open.clear();
        self.skipped = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::super::filter::Filter;
    use super::*;
    use crate::output::format::document::tests::sample;
    use crate::output::keys;
    use proptest::prelude::*;

    fn projected(conditions: &Conditions) -> Document {
        let mut projection = Projection::new(conditions);
        for _ in 0..2 {
            sample().write_to(&mut projection);
            projection.take();
        }
        sample().write_to(&mut projection);
        projection.take()
    }

    #[test]
    fn only_what_is_asked_for_is_kept() {
        let wanted = vec!["source.parent.comm=x".parse::<Condition>().unwrap()];
        let document = projected(&Conditions { wanted, ..Conditions::default() });
        assert_eq!(document.text_at("source.parent.comm"), Some("sh"));
        assert_eq!(document.header().id, Some(1));
        for path in ["event", "source.pid", "source.cmdline", "target", "signalName", "source.parent.pid"] {
            assert_eq!(document.get(path), None, "{path}");
        }
    }

    #[test]
    fn of_a_tree_both_chains_are_kept() {
        let document = projected(&Conditions { trees: vec![1], ..Conditions::default() });
        assert_eq!(document.number_at("target.parent.pid"), Some(5));
        assert_eq!(document.text_at("source.parent.key"), Some("5@1"));
        assert_eq!(document.get("source.comm"), None);
    }

    proptest! {
        /// A filter answers the same of what is kept as of the whole.
        #[test]
        fn no_filter_sees_a_difference(
            places in proptest::collection::vec((any::<proptest::sample::Index>(), "[a-z0-9*]{1,4}", any::<bool>()), 0..4),
            pids in proptest::collection::vec(5u32..10, 0..2),
            named in proptest::collection::vec("pkill|yes|sh|7", 0..2),
            trees in proptest::collection::vec(5u32..10, 0..2),
            only_fatal: bool,
        ) {
            let all = keys::paths();
            let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
            for (place, value, is_wanted) in places {
                if let Ok(condition) = format!("{}={value}", place.get(&all)).parse::<Condition>() {
                    if is_wanted { wanted.push(condition) } else { unwanted.push(condition) }
                }
            }
            let mut conditions = Conditions { wanted, unwanted, pids, names: Vec::new(), trees, trees_begin_below: false, only_fatal };
            conditions.add_processes(&named.iter().map(|name| name.parse().unwrap()).collect::<Vec<_>>());
            let kept = projected(&conditions);
            prop_assert_eq!(Filter::new(conditions.clone()).passes(&kept, None), Filter::new(conditions).passes(&sample(), None));
        }
    }
}
