//! What is kept of processes and their events, bounded in bytes: no process decides how much memory a tracer needs.
//!
//! What goes is fair: who fills the room pays for it. Each entry is kept for an owner, and where there is no more room, the
//! owner that has most loses what it has not used for the longest time.

use std::collections::HashMap;
use std::hash::Hash;

use lru::LruCache;

/// Bytes that an entry takes beside its value and what that holds: places in tables, and what an allocator adds.
const OVERHEAD: usize = 96;

/// The owner of what a user brought about: a user may have a range of 65,536 subordinate ids (`subuid(5)`), which are given
/// out from 100,000 on. As the kernel side counts ghosts.
pub(crate) fn owner_of(uid: u32) -> u64 {
    u64::from(if uid >= 0x1_0000 { 0x1_0000 + (uid >> 16) } else { uid })
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    owner: u64,
    bytes: usize,
}

/// A table that holds so many bytes.
#[derive(Debug)]
pub(crate) struct Bounded<K: Hash + Eq, V> {
    entries: LruCache<K, Entry<V>, std::hash::RandomState>,
    /// Bytes of each owner.
    held: HashMap<u64, usize>,
    bytes: usize,
    room: usize,
}

impl<K: Hash + Eq + Clone, V> Bounded<K, V> {
    /// One for so many bytes.
    pub(crate) fn new(room: usize) -> Self {
        let entries = LruCache::unbounded_with_hasher(std::hash::RandomState::new());
        Self { entries, held: HashMap::new(), bytes: 0, room }
    }

    /// What an entry takes that holds so many bytes beside key and value.
    pub(crate) fn in_all(bytes: usize) -> usize {
        bytes + size_of::<K>() + size_of::<Entry<V>>() + OVERHEAD
    }

    /// Bytes that it holds.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that it may hold.
    pub(crate) fn room(&self) -> usize {
        self.room
    }

    /// What is kept under a key, which is used by that.
    pub(crate) fn get(&mut self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|entry| &entry.value)
    }

    /// The same, to be changed; it must hold no more bytes afterwards.
    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key).map(|entry| &mut entry.value)
    }

    /// Can this owner put an entry of so many bytes beside key and value without losing another one of its own?
    pub(crate) fn has_room(&self, owner: u64, bytes: usize) -> bool {
        let own = self.held.get(&owner).copied().unwrap_or_default();
        self.bytes + Self::in_all(bytes) <= self.room || self.held.values().any(|held| *held > own)
    }

    /// Nothing is kept.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The same, which does not count as a use.
    pub(crate) fn peek(&self, key: &K) -> Option<&V> {
        self.entries.peek(key).map(|entry| &entry.value)
    }

    /// All, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter().map(|(key, entry)| (key, &entry.value))
    }

    /// Takes it out.
    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let entry = self.entries.pop(key)?;
        self.release(entry.owner, entry.bytes);
        Some(entry.value)
    }

    /// Keeps a value for an owner; `bytes` is what key and value hold beside themselves. Returns what went for it, the least
    /// used first, which may be the value itself.
    pub(crate) fn put(&mut self, key: K, value: V, owner: u64, bytes: usize) -> Vec<(K, V)> {
        self.remove(&key);
        let bytes = Self::in_all(bytes);
        if bytes > self.room {
            return vec![(key, value)];
        }
        self.bytes += bytes;
        *self.held.entry(owner).or_default() += bytes;
        self.entries.put(key, Entry { value, owner, bytes });
        let mut gone = Vec::new();
        while self.bytes > self.room {
            let Some(most) = self.held.iter().max_by_key(|(_, held)| **held).map(|(owner, _)| *owner) else {
                break;
            };
            self.expire(most, &mut gone);
        }
        gone
    }

    /// The oldest of an owner, some at once: each time all entries are looked at.
    fn expire(&mut self, owner: u64, gone: &mut Vec<(K, V)>) {
        let enough = self.bytes - self.room + self.room / 16;
        let mut found = 0;
        let mut keys = Vec::new();
        for (key, entry) in self.entries.iter().rev().filter(|(_, entry)| entry.owner == owner) {
            keys.push(key.clone());
            found += entry.bytes;
            if found >= enough {
                break;
            }
        }
        for key in keys {
            gone.extend(self.remove(&key).map(|value| (key, value)));
        }
    }

    fn release(&mut self, owner: u64, bytes: usize) {
        self.bytes -= bytes;
        if let Some(held) = self.held.get_mut(&owner) {
            *held -= bytes;
            if *held == 0 {
                self.held.remove(&owner);
            }
        }
    }

    /// Keeps what is to be kept; what holds less afterwards says so: the bytes beside key and value.
    pub(crate) fn retain(&mut self, mut keeps: impl FnMut(&K, &mut V) -> Option<StoredSize>) {
        let (mut over, mut less) = (Vec::new(), Vec::new());
        for (key, entry) in &mut self.entries {
            match keeps(key, &mut entry.value) {
                None => over.push(key.clone()),
                Some(StoredSize::Same) => {}
                Some(StoredSize::Now(bytes)) => {
                    let bytes = Self::in_all(bytes);
                    if bytes < entry.bytes {
                        less.push((entry.owner, entry.bytes - bytes));
                        entry.bytes = bytes;
                    }
                }
            }
        }
        for (owner, bytes) in less {
            self.release(owner, bytes);
        }
        for key in over {
            self.remove(&key);
        }
    }
}

#[cfg(test)]
impl<K: Hash + Eq, V> Bounded<K, V> {
    /// Entries.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

/// What became of an entry that is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) enum StoredSize {
    /// It holds as much as before.
    Same,
    /// It holds so many bytes beside key and value, no more than before.
    Now(usize),
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn holds_what_it_says(table: &Bounded<u32, Vec<u8>>) {
        let bytes: usize = table.entries.iter().map(|(_, entry)| entry.bytes).sum();
        assert_eq!(bytes, table.bytes());
        assert_eq!(table.held.values().sum::<usize>(), bytes);
        assert!(table.held.values().all(|&held| held > 0));
        assert!(bytes <= table.room());
    }

    #[test]
    fn who_fills_the_room_pays_for_it() {
        let mut table = Bounded::new(64 * 1024);
        assert!(table.put(0, vec![0; 100], 1, 100).is_empty());
        for key in 1..10_000 {
            let gone = table.put(key, vec![0; 1000], 2, 1000);
            assert!(gone.iter().all(|(key, _)| *key != 0), "of another owner");
            holds_what_it_says(&table);
        }
        assert!(table.peek(&0).is_some() && table.peek(&9_999).is_some() && table.peek(&1).is_none());
        assert!(table.len() > 40, "{}", table.len());
    }

    #[test]
    fn what_is_larger_than_the_room_is_not_kept() {
        let mut table = Bounded::new(1024);
        table.put(1, vec![], 1, 0);
        assert_eq!(table.put(2, vec![7], 1, 1 << 20), [(2, vec![7])]);
        assert!(table.peek(&1).is_some() && table.peek(&2).is_none());
    }

    #[test]
    fn a_user_has_no_more_owners_than_two() {
        let owners: std::collections::HashSet<u64> = (100_000..165_536).map(owner_of).collect();
        assert_eq!(owners.len(), 2);
        assert_ne!(owner_of(1000), owner_of(1001));
    }

    proptest! {
        #[test]
        fn bytes_add_up(steps in proptest::collection::vec((0u32..50, 0u64..4, 0usize..3000, 0u8..4), 0..300)) {
            let mut table = Bounded::new(20_000);
            for (key, owner, bytes, what) in steps {
                match what {
                    0 => drop(table.remove(&key)),
                    1 => table.retain(|of, _| (of % 3 != key % 3).then_some(StoredSize::Now(bytes / 2))),
                    _ => drop(table.put(key, Vec::new(), owner, bytes)),
                }
                holds_what_it_says(&table);
            }
        }
    }
}
