//! The authors of a loss: whose events found no room, counted by class, in bounded memory. Never names one that lost
//! nothing, and never counts too much for a class.

use std::rc::Rc;

use crate::base::bounded::owner_of;
use crate::record::Comm;

/// So many classes are counted apart; where there are more, those that lost least are counted together.
const CLASSES: usize = 64;
/// So many authors are named in an event or a sentence.
const NAMED: usize = 5;

/// Those who share what room there is: a user, or of root's processes those of one cgroup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// A user, or the users of one range of subordinate ids: by [`owner_of`].
    User(u64),
    /// The id of a cgroup (of the default hierarchy) of root.
    Cgroup(u64),
}

impl Class {
    /// The word of the output contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Cgroup(_) => "cgroup",
        }
    }

    /// The owner of what is kept of it, for [`Bounded`](crate::base::bounded::Bounded).
    pub(crate) const fn owner(self) -> u64 {
        match self {
            Self::User(owner) => owner,
            Self::Cgroup(id) => id | 1 << 63,
        }
    }
}

/// A process, as far as it is needed to share room and to say who took it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Author {
    /// Effective user id.
    pub uid: u32,
    /// Id of its cgroup in the default hierarchy; 0 if unknown.
    pub cgroup: u64,
    /// Thread group id in the initial pid namespace.
    pub pid: u32,
    /// Its name.
    pub comm: Comm,
}

impl Author {
    /// The class that it is counted in.
    pub fn class(&self) -> Class {
        if self.uid == 0 { Class::Cgroup(self.cgroup) } else { Class::User(owner_of(self.uid)) }
    }
}

/// What a class lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ClassLoss {
    class: Class,
    count: u64,
    /// The process that lost more than half of it, if one did (Boyer and Moore's majority vote).
    author: Author,
    votes: u64,
}

impl ClassLoss {
    fn vote(&mut self, author: &Author, count: u64) {
        self.count += count;
        if (author.pid, author.comm) == (self.author.pid, self.author.comm) {
            self.votes += count;
        } else if self.votes >= count {
            self.votes -= count;
        } else {
            (self.author, self.votes) = (*author, count - self.votes);
        }
    }
}

/// What was lost, by class.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Authors {
    classes: Vec<ClassLoss>,
    /// Of classes that are not counted apart any more.
    others: u64,
}

impl Authors {
    /// So many events of this one were lost.
    pub fn add(&mut self, author: &Author, count: u64) {
        if count == 0 {
            return;
        }
        let class = author.class();
        if let Some(known) = self.classes.iter_mut().find(|known| known.class == class) {
            return known.vote(author, count);
        }
        if self.classes.len() >= CLASSES {
            // what is counted for a class is never what another lost
            let least = self.classes.iter().enumerate().min_by_key(|(_, known)| known.count);
            if let Some(place) = least.map(|(place, _)| place) {
                self.others += self.classes.swap_remove(place).count;
            }
        }
        self.classes.push(ClassLoss { class, count, author: *author, votes: count });
    }

    /// What `other` has counted as well.
    pub fn merge(&mut self, other: &Self) {
        self.others += other.others;
        for known in &other.classes {
            self.add(&known.author, known.count);
        }
    }

    /// Nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.total() == 0
    }

    /// All that was counted.
    pub fn total(&self) -> u64 {
        self.others + self.classes.iter().map(|known| known.count).sum::<u64>()
    }

    /// The classes that lost most, the worst first, at most [`NAMED`]; `path` finds the path of a cgroup, and its bytes where
    /// they are not UTF-8.
    pub fn worst(&self, mut path: impl FnMut(u64) -> (Option<Rc<str>>, Option<Rc<[u8]>>)) -> Vec<LossAuthor> {
        let mut classes = self.classes.clone();
        classes.sort_by(|one, other| other.count.cmp(&one.count).then(one.class.cmp(&other.class)));
        classes.truncate(NAMED);
        let named = |known: &ClassLoss| {
            let (cgroup, cgroup_raw) = match known.class {
                Class::Cgroup(id) => path(id),
                Class::User(_) => (None, None),
            };
            LossAuthor { class: known.class, author: known.author, cgroup, cgroup_raw, count: known.count }
        };
        classes.iter().map(named).collect()
    }
}

/// One class of those that lost something, to be printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LossAuthor {
    /// Which class.
    pub class: Class,
    /// A process of it: the one that lost more than half of it, if one did.
    pub author: Author,
    /// Of root: the path of its cgroup, where it is known.
    pub cgroup: Option<Rc<str>>,
    /// Its bytes, where they are not UTF-8.
    pub cgroup_raw: Option<Rc<[u8]>>,
    /// How many of its events were lost.
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn author(uid: u32, cgroup: u64, pid: u32) -> Author {
        Author { uid, cgroup, pid, comm: Comm::from(&b"yes"[..]) }
    }

    fn worst(authors: &Authors) -> Vec<(Class, u32, u64)> {
        let all = authors.worst(|id| (Some(format!("/{id}").into()), None));
        all.into_iter().map(|one| (one.class, one.author.pid, one.count)).collect()
    }

    #[test]
    fn the_worst_come_first_and_are_few() {
        let mut authors = Authors::default();
        for uid in 1..=9 {
            authors.add(&author(uid, 7, uid), u64::from(uid));
        }
        let uids: Vec<u32> = worst(&authors).iter().map(|&(_, pid, _)| pid).collect();
        assert_eq!(uids, [9, 8, 7, 6, 5]);
        assert_eq!(authors.total(), 45);
    }

    #[test]
    fn root_is_a_class_for_each_cgroup_and_a_user_is_one_with_all_subordinate_ids() {
        let mut authors = Authors::default();
        authors.add(&author(0, 7, 1), 4);
        authors.add(&author(0, 8, 2), 3);
        authors.add(&author(1000, 7, 3), 1);
        authors.add(&author(1000, 9, 3), 1);
        for uid in 0x2_0000..0x2_0100 {
            authors.add(&author(uid, 7, 5), 1);
        }
        let found = worst(&authors);
        assert_eq!(found.len(), 4);
        assert_eq!(found[0].2, 256);
        assert_eq!(
            found[1..],
            [(Class::Cgroup(7), 1, 4), (Class::Cgroup(8), 2, 3), (Class::User(1000), 3, 2)]
        );
        let paths: Vec<_> = authors.worst(|id| ((id == 7).then(|| "/a".into()), None)).into_iter().collect();
        assert_eq!(
            paths.iter().map(|one| one.cgroup.as_deref()).collect::<Vec<_>>(),
            [None, Some("/a"), None, None]
        );
    }

    #[test]
    fn the_process_that_lost_most_of_a_class_is_named() {
        let mut authors = Authors::default();
        for pid in 0..100 {
            authors.add(&author(1000, 7, 1000 + pid), 1);
            authors.add(&author(1000, 7, 4711), 2);
        }
        assert_eq!(worst(&authors), [(Class::User(1000), 4711, 300)]);
    }

    #[test]
    fn memory_is_bounded_and_the_worst_stays_whatever_comes_behind_it() {
        let mut authors = Authors::default();
        authors.add(&author(1, 7, 1), 1000);
        for uid in 2..5000 {
            authors.add(&author(uid, 7, uid), 1);
        }
        assert_eq!(authors.classes.len(), CLASSES);
        assert_eq!((worst(&authors)[0], authors.total()), ((Class::User(1), 1, 1000), 1000 + 4998));
    }

    proptest! {
        #[test]
        fn no_class_is_counted_too_much_and_all_add_up(
            events in proptest::collection::vec((0u32..200, 0u32..4, 0u64..100), 0..400)
        ) {
            let (mut halves, mut of) = ([Authors::default(), Authors::default()], std::collections::HashMap::new());
            for (place, (uid, pid, count)) in events.iter().enumerate() {
                halves[place % 2].add(&author(*uid, 0, *pid), *count);
                *of.entry(author(*uid, 0, 0).class()).or_insert(0) += count;
            }
            let [mut all, other] = halves;
            all.merge(&other);
            prop_assert_eq!(all.total(), of.values().sum::<u64>());
            prop_assert!(all.classes.iter().all(|known| known.count <= of[&known.class] && known.count > 0));
            prop_assert!(all.classes.len() <= CLASSES);
        }
    }
}
