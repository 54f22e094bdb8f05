//! What the kernel side is asked to leave out before it copies a byte. Made from the filters of the command line by
//! [`pushdown`](crate::trace::pushdown); here nothing is known of them.

use crate::config::ALL_SIGNALS;
use crate::wire::SelectValue;

/// A value that passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelectedValue {
    /// A pid or a uid.
    Number(u32),
    /// A comm, and NULs.
    Comm([u8; 16]),
}

/// What the kernel side is to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Bit `sig - 1`: passes.
    pub signals: u64,
    /// Only signals that end their target.
    pub only_fatal: bool,
    /// Bit of `enum wire_disposition`: passes; 0: all do.
    pub dispositions: u32,
    /// Bit of `enum select_key`: is asked for.
    pub asked: u32,
    /// What passes, by key.
    pub values: Vec<(u32, SelectedValue)>,
    /// Where the trees begin.
    pub trees: Vec<u32>,
    /// The roots of trees are not in them.
    pub trees_begin_below: bool,
    /// What was decided so, as it would be typed.
    pub words: Vec<String>,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            signals: ALL_SIGNALS,
            only_fatal: false,
            dispositions: 0,
            asked: 0,
            values: Vec::new(),
            trees: Vec::new(),
            trees_begin_below: false,
            words: Vec::new(),
        }
    }
}

impl From<&(u32, SelectedValue)> for SelectValue {
    fn from(&(key, value): &(u32, SelectedValue)) -> Self {
        let wire = Self { key, ..Self::default() };
        match value {
            SelectedValue::Number(number) => Self { number, ..wire },
            SelectedValue::Comm(comm) => Self { comm, ..wire },
        }
    }
}
