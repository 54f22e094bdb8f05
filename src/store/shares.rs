//! Deaths that each user has in the store. Who may kill own processes as fast as he likes gets a share with that: what is beyond
//! it is forgotten before the ends of others ([`keep::SURPLUS`]).
//!
//! Counted are bytes, for a user or a range of subordinate ids; root's deaths, and those by the hand of another user, are nobody's. What is
//! forgotten is given back to all in proportion, so that nothing has to be remembered of an epoch. Each run of a recorder begins with nothing.
//!
//! [`keep::SURPLUS`]: super::schema::keep::SURPLUS

use rustc_hash::FxHashMap;

use crate::base::bounded::owner_of;

/// So many users have a share of their own; of further ones the one that has least is no longer counted.
const USERS: usize = 4096;

/// What each user has.
#[derive(Debug, Clone, Default)]
pub(super) struct Shares {
    kept: FxHashMap<u64, u64>,
    /// Of the transaction that is open.
    pending: FxHashMap<u64, u64>,
}

/// Whose a death is: the user's to whom both sides belong. A source that is not known is no other's.
pub(super) fn charged(source: Option<u32>, target: Option<u32>) -> Option<u64> {
    let target = target.filter(|uid| *uid != 0).map(owner_of)?;
    source.is_none_or(|uid| owner_of(uid) == target).then_some(target)
}

impl Shares {
    /// Has this user more than that?
    pub(super) fn is_beyond(&self, user: u64, most: u64) -> bool {
        let of = |table: &FxHashMap<u64, u64>| table.get(&user).copied().unwrap_or(0);
        of(&self.kept) + of(&self.pending) > most
    }

    /// A death of this user was put.
    pub(super) fn add(&mut self, user: u64, bytes: u64) {
        *self.pending.entry(user).or_default() += bytes;
    }

    /// What was put is there.
    pub(super) fn commit(&mut self) {
        for (user, bytes) in self.pending.drain() {
            *self.kept.entry(user).or_default() += bytes;
        }
        while self.kept.len() > USERS {
            let least = self.kept.iter().min_by_key(|(_, bytes)| **bytes).map(|(user, _)| *user);
            let _ = least.and_then(|user| self.kept.remove(&user));
        }
    }

    /// What was put is not there.
    pub(super) fn roll_back(&mut self) {
        self.pending.clear();
    }

    /// Of so much in the store, this was forgotten.
    pub(super) fn give_back(&mut self, forgotten: u64, of: u64) {
        let left = |bytes: u64| {
            let left = u128::from(bytes) * u128::from(of.saturating_sub(forgotten)) / u128::from(of.max(1));
            u64::try_from(left).unwrap_or(bytes)
        };
        self.kept.values_mut().for_each(|bytes| *bytes = left(*bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_user_does_to_itself_is_charged() {
        assert_eq!(charged(Some(1000), Some(1000)), Some(1000));
        assert_eq!(charged(None, Some(1000)), Some(1000));
        assert_eq!((charged(Some(0), Some(1000)), charged(Some(1001), Some(1000))), (None, None));
        assert_eq!((charged(Some(1000), Some(0)), charged(Some(1000), None)), (None, None));
        // one range of subordinate ids
        assert_eq!(charged(Some(131_072), Some(140_000)), charged(None, Some(150_000)));
    }

    #[test]
    fn what_is_rolled_back_or_forgotten_is_charged_no_longer() {
        let mut shares = Shares::default();
        shares.add(7, 100);
        assert!(shares.is_beyond(7, 99) && !shares.is_beyond(8, 0));
        shares.roll_back();
        assert!(!shares.is_beyond(7, 0));
        shares.add(7, 100);
        shares.commit();
        shares.give_back(250, 1000);
        assert!(shares.is_beyond(7, 74) && !shares.is_beyond(7, 75));
        for user in 0..10_000 {
            shares.add(user, 1);
            shares.commit();
        }
        assert!(shares.is_beyond(7, 74) && shares.kept.len() <= USERS, "{}", shares.kept.len());
    }
}
