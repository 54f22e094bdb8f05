//! The latest of what a filter let through, bounded.

use std::collections::VecDeque;

use rustc_hash::FxHashSet;

/// So many processes of trees, and so many events that were shown, are remembered.
const REMEMBERED: usize = 16_384;

/// The latest events that were shown, by their numbers, in the order of these. They mostly come in it.
#[derive(Debug, Default)]
pub(in crate::output) struct RecentIds {
    ids: VecDeque<u64>,
}

impl RecentIds {
    pub(in crate::output) fn contains(&self, id: u64) -> bool {
        self.ids.binary_search(&id).is_ok()
    }

    pub(in crate::output) fn add(&mut self, id: u64) {
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
pub(super) struct RecentSet<T> {
    all: FxHashSet<T>,
    order: VecDeque<T>,
}

impl<T> Default for RecentSet<T> {
    fn default() -> Self {
        Self { all: FxHashSet::default(), order: VecDeque::new() }
    }
}

impl<T: std::hash::Hash + Eq + Clone> RecentSet<T> {
    pub(super) fn contains(&self, one: &T) -> bool {
        self.all.contains(one)
    }

    pub(super) fn add(&mut self, one: T) {
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

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut remembered = RecentSet::default();
        (0..2 * REMEMBERED).for_each(|number| remembered.add(number));
        assert_eq!((remembered.all.len(), remembered.order.len()), (REMEMBERED, REMEMBERED));
        assert!(!remembered.contains(&0) && remembered.contains(&(2 * REMEMBERED - 1)));
        let (mut shown, many) = (RecentIds::default(), 2 * REMEMBERED as u64);
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
}
