//! Formats. A format is one file here and one entry of [`ALL`]: it is given the fields of an event one by one, in the
//! order of the [table of keys](super::keys), and never decides what they are.

pub mod document;
pub(super) mod effect;
pub mod fragments;
pub mod json;
pub mod layout;
pub mod line;
pub mod line_template;
pub mod logfmt;
pub mod screen;
pub mod table;
pub mod tree;

use std::fmt;
use std::hash::{Hash, Hasher};

use self::document::Field;
use self::fragments::{Basis, FragmentOf};
use self::line_template::{PlacedSlot, Slot};
use self::screen::Screen;
use crate::event::header::Header;

/// Every format.
pub const ALL: &[FormatKind] = &[logfmt::LOGFMT, json::JSON, line::LINE, table::TABLE, tree::TREE];

/// What is known of a format before it is used.
#[derive(Clone, Copy)]
pub struct FormatKind {
    /// Its name on the command line.
    pub name: &'static str,
    /// For programs: one line of any length for each event, which `--max-line` may shorten and the line cache fill in.
    /// Else for eyes: cut by the screen.
    pub is_for_programs: bool,
    /// A signal and the end that follows soon are one event to it.
    pub joins_ends: bool,
    /// It has columns, which `--fields` names.
    pub has_columns: bool,
    /// Makes one.
    pub open: fn(Screen, &View) -> Box<dyn Format>,
}

/// What a format for eyes is to show, beside what the screen can.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// Keys that are columns; the usual columns if there is none.
    pub columns: Vec<String>,
    /// Trees are drawn from below this process on, where it is in them.
    pub top: Option<u32>,
}

impl FormatKind {
    /// The one of an output that no format is named for.
    pub fn usual(is_terminal: bool) -> Self {
        if is_terminal { line::LINE } else { logfmt::LOGFMT }
    }

    /// The format of this name.
    pub fn named(name: &str) -> Option<Self> {
        ALL.iter().find(|kind| kind.name == name).copied()
    }

    /// The names of all, for a message.
    pub fn names() -> String {
        let names: Vec<&str> = ALL.iter().map(|kind| kind.name).collect();
        match names.split_last() {
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        }
    }
}

impl PartialEq for FormatKind {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for FormatKind {}

impl Hash for FormatKind {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl fmt::Debug for FormatKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

/// What a key holds in an event, borrowed from the event.
#[derive(Debug, Clone, Copy)]
pub enum ValueRef<'a> {
    /// Text that may hold anything.
    Text(&'a str),
    /// A number.
    Number(u64),
    /// A number that may be negative, as a process wrote it.
    Integer(i64),
    /// Nanoseconds, printed as seconds to the microsecond.
    Seconds(u64),
    /// A truth.
    Flag(bool),
    /// Byte strings of other processes.
    List(&'a [&'a [u8]]),
    /// Our own words.
    Words(&'a [String]),
    /// Names and values of other processes: an object with keys of others.
    Names(&'a [(String, String)]),
    /// A list of objects.
    Objects(&'a [Vec<Field>]),
}

/// What a format must be able to write. Keys are single words; nesting is by [`open`](Self::open) and
/// [`close`](Self::close).
pub trait Format: fmt::Debug {
    /// Begins an event: what it is, in short.
    fn begin(&mut self, _header: &Header) {}
    /// Is this key, here in an event, of any use to it? What is not need not be made.
    fn wants(&self, _key: &'static str) -> bool {
        true
    }
    /// A key and what it holds.
    fn field(&mut self, key: &'static str, value: ValueRef<'_>);
    /// The arguments that the title before consists of.
    fn title_arguments(&mut self, _items: &[&[u8]]) {}
    /// Begins an object.
    fn open(&mut self, key: &'static str);
    /// Begins an object that a flat format puts at the end of the line.
    fn open_last(&mut self, key: &'static str) {
        self.open(key);
    }
    /// Ends the innermost object.
    fn close(&mut self);
    /// Writes again what was written of this process, here in an event, of the very same `basis`. False: it has to be
    /// written, and then [`remember`](Self::remember)ed. A fragment holds whole keys and opens no object that it does not
    /// close.
    fn recall(&mut self, _of: FragmentOf, _basis: &Basis<'_>) -> bool {
        false
    }
    /// What was written since [`recall`](Self::recall) is that fragment.
    fn remember(&mut self, _of: FragmentOf, _basis: &Basis<'_>) {}
    /// The field before differs in every event: it fills this slot.
    fn slot(&mut self, _slot: Slot) {}
    /// Here belongs how many events the line stands for, where that is more than one.
    fn repeats(&mut self) {}
    /// The slots of the line that was finished last; None where that cannot be filled in again.
    fn slots(&self) -> Option<&[PlacedSlot]> {
        None
    }
    /// Ends the event and appends its line to `out`.
    fn finish(&mut self, out: &mut Vec<u8>);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_found_by_its_name_and_by_no_other() {
        for kind in ALL {
            assert_eq!(FormatKind::named(kind.name), Some(*kind));
        }
        assert_eq!(FormatKind::named("xml"), None);
        assert_eq!(ALL.iter().filter(|kind| kind.is_for_programs).count(), 2);
    }
}
