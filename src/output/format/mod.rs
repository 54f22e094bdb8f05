//! Formats. One file each, behind one trait: a format is told the fields of an event one by one, in the
//! order of the contract, and never decides what they are.

pub mod document;
pub mod json;
pub mod layout;
pub mod line_template;
pub mod logfmt;
pub mod parts;
pub mod screen;
pub mod table;
pub mod tree;

use std::fmt::Debug;

use self::line_template::{Gap, PlacedSlot};
use self::parts::{Basis, PartOf};

/// What a format must be able to write. Keys are single words; nesting is by [`open`](Self::open) and
/// [`close`](Self::close).
pub trait Format: Debug {
    /// Is this key, here in an event, of any use to it? What is not need not be made.
    fn wants(&self, _key: &'static str) -> bool {
        true
    }
    /// Text that may hold anything.
    fn text(&mut self, key: &'static str, value: &str);
    /// A number that never passes 2^53.
    fn number(&mut self, key: &'static str, value: u64);
    /// A number that may be negative, as a process wrote it.
    fn integer(&mut self, key: &'static str, value: i64);
    /// A duration, told in seconds to the microsecond.
    fn seconds(&mut self, key: &'static str, nanoseconds: u64);
    /// A truth.
    fn flag(&mut self, key: &'static str, value: bool);
    /// A list of byte strings of other processes.
    fn list(&mut self, key: &'static str, items: &[&[u8]]);
    /// The arguments of which the title before is made.
    fn title_arguments(&mut self, _items: &[&[u8]]) {}
    /// A list of our own words.
    fn words(&mut self, key: &'static str, items: &[String]);
    /// Begins an object.
    fn open(&mut self, key: &'static str);
    /// Begins an object that a flat format puts at the end of the line.
    fn open_last(&mut self, key: &'static str) {
        self.open(key);
    }
    /// An object whose keys are not ours: names and values of other processes.
    fn names(&mut self, key: &'static str, values: &[(String, String)]);
    /// Ends the innermost object.
    fn close(&mut self);
    /// Writes again what was written of this process, here in an event, of the very same `basis`. False: it is to be told,
    /// and then [`remember`](Self::remember)ed. A part holds whole keys and opens no object that it does not close.
    fn recall(&mut self, _of: PartOf, _basis: &Basis<'_>) -> bool {
        false
    }
    /// What was told since [`recall`](Self::recall) is that part.
    fn remember(&mut self, _of: PartOf, _basis: &Basis<'_>) {}
    /// What was told last is another in every event.
    fn gap(&mut self, _gap: Gap) {}
    /// The gaps of the line that was finished last; None where that cannot be filled in anew.
    fn gaps(&self) -> Option<&[PlacedSlot]> {
        None
    }
    /// Ends the event and appends its line to `out`.
    fn finish(&mut self, out: &mut Vec<u8>);
}
