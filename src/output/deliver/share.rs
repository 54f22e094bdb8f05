//! Room that is shared fairly: one that fills it cannot take it from the others. Decides who is admitted; what becomes of the
//! others is not its business.
//!
//! Half of the room is free for all. Above that a [`Class`] may hold a sixteenth of it, and as much again of what may end a
//! process: a flood, or seven at once, leaves room for everybody else.

use rustc_hash::FxHashMap;

use crate::event::Class;

/// What a class may hold above what is free for all, as a part of the room.
const SHARE: usize = 16;

/// Which part of the room is free for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Free {
    /// For what waits already, and of a class of which nothing waits.
    Half,
    /// For what comes while something of its class waits: what waits is not to starve.
    Quarter,
}

/// Bytes that are held, of each class.
#[derive(Debug)]
pub(crate) struct Share {
    room: usize,
    bytes: usize,
    held: FxHashMap<Class, usize>,
}

impl Share {
    /// Of so many bytes.
    pub(crate) fn new(room: usize) -> Self {
        Self { room, bytes: 0, held: FxHashMap::default() }
    }

    /// Bytes that are held.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Of this class.
    pub(crate) fn held(&self, class: Class) -> usize {
        self.held.get(&class).copied().unwrap_or_default()
    }

    /// Is there room for something more of this class? That it is larger than what is left does not matter: it is as if it were the
    /// last to be admitted.
    pub(crate) fn admits(&self, class: Class, goes_first: bool, free: Free) -> bool {
        let free = match free {
            Free::Half => self.room / 2,
            Free::Quarter => self.room / 4,
        };
        if self.bytes < free {
            return true;
        }
        let share = self.room / SHARE * if goes_first { 2 } else { 1 };
        self.bytes < self.room && self.held(class) < share
    }

    /// So much more is held.
    pub(crate) fn hold(&mut self, class: Class, bytes: usize) {
        if bytes == 0 {
            return;
        }
        self.bytes += bytes;
        *self.held.entry(class).or_default() += bytes;
    }

    /// So much is not held any more.
    pub(crate) fn release(&mut self, class: Class, bytes: usize) {
        if let Some(held) = self.held.get_mut(&class) {
            let bytes = bytes.min(*held);
            self.bytes -= bytes;
            *held -= bytes;
            if *held == 0 {
                self.held.remove(&class);
            }
        }
    }

    /// So much goes, the same of each class that holds something.
    pub(crate) fn drain(&mut self, mut bytes: usize) {
        while bytes > 0 && !self.held.is_empty() {
            let each = (bytes / self.held.len()).max(1);
            let mut gone = 0;
            self.held.retain(|_, held| {
                let part = each.min(*held).min(bytes - gone);
                *held -= part;
                gone += part;
                *held > 0
            });
            self.bytes -= gone;
            bytes -= gone;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROOM: usize = 16_000;
    const LINE: usize = 10;

    fn fill(share: &mut Share, class: Class, goes_first: bool) -> usize {
        let mut lines = 0;
        while share.admits(class, goes_first, Free::Half) {
            share.hold(class, LINE);
            lines += LINE;
        }
        lines
    }

    #[test]
    fn seven_floods_leave_an_eighth_its_share_and_its_deaths_as_much_again() {
        let mut share = Share::new(ROOM);
        assert_eq!(fill(&mut share, Class::User(1), false), ROOM / 2);
        for user in 2..=7 {
            assert_eq!(fill(&mut share, Class::User(user), false), ROOM / 16, "{user}");
        }
        assert_eq!(fill(&mut share, Class::Cgroup(1), false), ROOM / 16);
        assert!(!share.admits(Class::User(1), true, Free::Half), "it has more than its share");
        assert_eq!(fill(&mut share, Class::Cgroup(1), true), ROOM / 16);
        assert!(share.bytes() <= ROOM);
        for user in 100..200 {
            fill(&mut share, Class::User(user), true);
        }
        assert_eq!(share.bytes(), ROOM, "however many there are");
    }

    #[test]
    fn while_something_waits_what_comes_has_a_quarter() {
        let mut share = Share::new(ROOM);
        share.hold(Class::User(1), ROOM / 4);
        assert!(!share.admits(Class::User(1), true, Free::Quarter));
        assert!(
            share.admits(Class::User(1), false, Free::Half)
                && share.admits(Class::User(2), false, Free::Quarter)
        );
    }

    #[test]
    fn what_goes_makes_room_and_the_same_of_each() {
        let mut share = Share::new(ROOM);
        fill(&mut share, Class::User(1), false);
        fill(&mut share, Class::User(2), false);
        share.drain(1000);
        assert_eq!(
            (share.held(Class::User(1)), share.held(Class::User(2))),
            (ROOM / 2 - 500, ROOM / 16 - 500)
        );
        share.drain(2000);
        assert_eq!((share.held(Class::User(2)), share.bytes()), (0, ROOM / 2 + ROOM / 16 - 3000));
        share.drain(ROOM);
        assert_eq!(share.bytes(), 0);
    }

    proptest! {
        #[test]
        fn what_is_held_adds_up(steps in proptest::collection::vec((0u64..5, 0usize..500, 0u8..4), 0..200)) {
            let mut share = Share::new(ROOM);
            for (user, bytes, what) in steps {
                match what {
                    0 => share.drain(bytes),
                    1 => share.release(Class::User(user), bytes),
                    _ => share.hold(Class::User(user), bytes),
                }
                prop_assert_eq!(share.held.values().sum::<usize>(), share.bytes());
                prop_assert!(share.held.values().all(|held| *held > 0));
            }
        }
    }
}
