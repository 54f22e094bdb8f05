//! What a row of the [table of keys](super) may say of a key. All of it is constant: a row is an expression of
//! [`key`] and the methods that follow it.

use std::iter;

use super::{IDENTITY, PROCESS, TRIGGER};
use crate::config::MAX_PID;

/// What a key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// A text, and who chooses it.
    Text(Author),
    /// A list of texts, and who chooses them.
    List(Author),
    /// Names and values of other processes: any further word is a key.
    Names,
    /// Bytes in base64: those of the key that this one is the raw companion of.
    Base64,
    /// One of these words.
    Word(&'static [&'static str]),
    /// The number of a signal; a filter may name it.
    SignalNumber,
    /// The name of a signal; a filter may give its number.
    SignalName,
    /// A whole number.
    Number(Range),
    /// A number with a fraction, never negative.
    Decimal,
    /// true or false.
    Flag,
    /// More keys.
    Object(&'static [Key]),
    /// A list of objects, each with these keys. No path leads into it.
    Objects(&'static [Key]),
    /// A process, and its parents below it.
    Process,
    /// A process that is neither source nor target: without its identity and its parents.
    ShortProcess,
}

/// Who chooses the bytes of a text: the answer decides whether secrets are looked for in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// This program, the kernel, or who administers the host: `--redact` leaves it alone.
    Own,
    /// Another process, or what it started or named: `--redact` searches it.
    Foreign,
    /// This program, of names of processes: the patterns of `--redact` search it, the usual shapes of secrets were
    /// taken out of the names before.
    OfNames,
}

/// Which whole numbers a key may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The least.
    pub least: i32,
    /// The greatest, if there is one.
    pub greatest: Option<u32>,
    /// The same in words, for who asks for another.
    pub meaning: &'static str,
}

impl Range {
    /// Counters, sizes, inodes.
    pub const NATURAL: Self = Self { least: 0, greatest: None, meaning: "it is never negative" };
    /// Numbers of processes, threads, groups, sessions.
    pub const PID: Self =
        Self { least: 1, greatest: Some(MAX_PID), meaning: "the kernel gives numbers from 1 to 4194303" };
    /// The running process, which may be the idle task of a CPU.
    pub const PID_OR_IDLE: Self = Self {
        least: 0,
        greatest: Some(MAX_PID),
        meaning: "a pid is at most 4194303, and 0 is the idle task",
    };
    /// Users and groups.
    pub const ID: Self =
        Self { least: 0, greatest: Some(u32::MAX), meaning: "an id is from 0 to 4294967295" };
    /// What a process returns.
    pub const EXIT_CODE: Self =
        Self { least: 0, greatest: Some(255), meaning: "an exit code is from 0 to 255" };
    /// What a process wrote into an int.
    pub const INT: Self =
        Self { least: i32::MIN, greatest: Some(i32::MAX as u32), meaning: "it has 32 bits" };
}

/// How wide its column of a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnWidth {
    /// So wide where there is room, and at least so wide.
    Fixed {
        /// Where there is room.
        usual: usize,
        /// Where there is not.
        least: usize,
    },
    /// It shares what the others leave; so wide where lines have no end.
    Stretches(usize),
}

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its name: one word of a path.
    pub name: &'static str,
    /// What it holds.
    pub kind: ValueKind,
    /// What that means.
    pub meaning: &'static str,
    /// The key that holds its bytes in base64, where they are not UTF-8. It comes next in an event.
    pub raw: Option<&'static Key>,
    /// It differs between events that are the same in all else: a cached line has a slot for it.
    pub varies: bool,
    /// The kernel keeps no more bytes of it: a text of as many may have gone on.
    pub most_bytes: Option<usize>,
    /// Heads its column, behind the titles of the keys around it; without one the path does.
    pub title: Option<&'static str>,
    /// The width of its column.
    pub width: ColumnWidth,
}

/// A key that holds this and means this.
pub(super) const fn key(name: &'static str, kind: ValueKind, meaning: &'static str) -> Key {
    let width = ColumnWidth::Fixed { usual: 16, least: 16 };
    Key { name, kind, meaning, raw: None, varies: false, most_bytes: None, title: None, width }
}

/// The raw companion of a text.
pub(super) const fn base64(name: &'static str) -> Key {
    key(name, ValueKind::Base64, "The same in base64, where it is not UTF-8")
}

impl Key {
    pub(super) const fn raw(self, raw: &'static Key) -> Self {
        Self { raw: Some(raw), ..self }
    }

    pub(super) const fn varies(self) -> Self {
        Self { varies: true, ..self }
    }

    pub(super) const fn most_bytes(self, bytes: usize) -> Self {
        Self { most_bytes: Some(bytes), ..self }
    }

    pub(super) const fn title(self, title: &'static str) -> Self {
        Self { title: Some(title), ..self }
    }

    pub(super) const fn wide(self, columns: usize) -> Self {
        self.wide_or(columns, columns)
    }

    pub(super) const fn wide_or(self, usual: usize, least: usize) -> Self {
        Self { width: ColumnWidth::Fixed { usual, least }, ..self }
    }

    pub(super) const fn stretches(self) -> Self {
        Self { width: ColumnWidth::Stretches(40), ..self }
    }

    /// The keys below it.
    pub fn below(&self) -> Keys {
        self.kind.below()
    }
}

impl ValueKind {
    /// The keys below a key of this kind.
    pub fn below(self) -> Keys {
        match self {
            Self::Object(keys) | Self::Objects(keys) => Keys([keys, &[]]),
            Self::Process => Keys([PROCESS, IDENTITY]),
            Self::ShortProcess => Keys([PROCESS, TRIGGER]),
            _ => Keys::default(),
        }
    }

    /// Does it hold keys instead of a value?
    pub fn is_object(self) -> bool {
        matches!(self, Self::Object(_) | Self::Objects(_) | Self::Process | Self::ShortProcess)
    }
}

/// The keys that an object may have, in their order.
#[derive(Debug, Clone, Copy, Default)]
pub struct Keys(pub(super) [&'static [Key]; 2]);

impl Keys {
    /// All of them, each followed by its raw companion.
    pub fn iter(self) -> impl Iterator<Item = &'static Key> {
        self.0.into_iter().flatten().flat_map(|key| iter::once(key).chain(key.raw))
    }

    /// The key of this name.
    pub fn find(self, name: &str) -> Option<&'static Key> {
        self.iter().find(|key| key.name == name)
    }
}
