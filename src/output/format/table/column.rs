//! The columns of a table, and how the width of a terminal is shared between them.

use std::ops::Range;

use crate::base::zone::Zone;
use crate::output::format::screen::{Screen, width_of};
use crate::output::keys::{self, ColumnWidth};

/// What a column shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// The value of a key.
    Key(String),
    /// The signal.
    Signal,
    /// The process that sent it, with its pid.
    Sender,
    /// The process that received it, with its pid.
    Target,
    /// What became of it.
    Effect,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) content: Content,
    pub(super) heading: String,
    /// So wide where there is room.
    width: usize,
    /// And so wide where there is not.
    least: usize,
    /// Takes what is left.
    pub(super) stretches: bool,
}

/// Columns that are no key of the output, by the names that `--fields` has for them.
pub const SIDES: [&str; 2] = ["source", "target"];

/// Narrower than this a command line says nothing.
const NARROWEST: usize = 10;
/// A column that stretches is to be so wide, if others can be narrower for it.
const WISH: usize = 20;

impl Column {
    /// When, what, who, whom, what became of it, and both command lines.
    pub(super) fn usual(screen: Screen) -> Vec<Self> {
        let mut columns: Vec<Self> =
            ["time", "source", "target", "result", "source.cmdline", "target.cmdline"]
                .map(|path| Self::of(path, screen))
                .into();
        columns.insert(1, Self::fixed(Content::Signal, "SIG", 6, 5));
        columns
    }

    fn fixed(content: Content, heading: &str, width: usize, least: usize) -> Self {
        Self { content, heading: heading.to_owned(), width, least, stretches: false }
    }

    /// The column of a key, as the table of keys has it; or of one of the [`SIDES`], with its name and pid.
    pub(super) fn of(path: &str, screen: Screen) -> Self {
        let z = usize::from(screen.zone == Zone::Utc);
        match path {
            "time" => return Self::fixed(Content::Key("time".to_owned()), "TIME", 12 + z, 8 + z),
            "source" => return Self::fixed(Content::Sender, "SENDER", 22, 13),
            "target" => return Self::fixed(Content::Target, "TARGET", 22, 13),
            // in words: that a signal was queued is no result to a person
            "result" => return Self::fixed(Content::Effect, "RESULT", 9, 8),
            _ => {}
        }
        let heading = keys::heading(path);
        let fixed = ColumnWidth::Fixed { usual: 16, least: 16 };
        let (usual, least, stretches) = match keys::look_up(path).map_or(fixed, |key| key.width) {
            ColumnWidth::Fixed { usual, least } => (usual, least, false),
            ColumnWidth::Stretches(usual) => (usual, usual, true),
        };
        Self {
            content: Content::Key(path.to_owned()),
            width: usual.max(width_of(&heading)),
            least: least.max(width_of(&heading)),
            heading,
            stretches,
        }
    }
}

/// Which columns stand in one line, if each has at least what it needs: all of them, or one line after the other where there
/// is no room for all. `room` is what a line has, the first and the others.
pub(super) fn lines(columns: &[Column], room: impl Fn(usize) -> usize) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let (mut begin, mut taken) = (0, 0);
    for (at, column) in columns.iter().enumerate() {
        let least = if column.stretches { NARROWEST } else { column.least };
        if at > begin && taken + least > room(lines.len()) {
            lines.push(begin..at);
            (begin, taken) = (at, 0);
        }
        taken += least + 1;
    }
    lines.push(begin..columns.len());
    lines
}

/// How wide each column is; those that there is no room for are 0, if they may be. `needs` is what a column needs at least in
/// this row.
pub(super) fn widths(
    columns: &[Column],
    needs: &[usize],
    total: Option<usize>,
    may_be_left_out: bool,
) -> Vec<usize> {
    let need = |at: usize| needs.get(at).copied().unwrap_or_default();
    let mut widths: Vec<usize> =
        columns.iter().enumerate().map(|(at, column)| column.width.max(need(at))).collect();
    let Some(total) = total else { return widths };
    let elastic: Vec<usize> = (0..columns.len()).filter(|&at| columns[at].stretches).collect();
    let fixed: Vec<usize> = (0..columns.len()).filter(|&at| !columns[at].stretches).collect();
    let taken = |widths: &[usize]| fixed.iter().map(|&at| widths[at] + 1).sum::<usize>();
    let mut wanting = (taken(&widths) + elastic.len() * (WISH + 1)).saturating_sub(total + 1);
    // names first: they are cut well
    let mut order = fixed.clone();
    order.sort_by_key(|&at| std::cmp::Reverse(columns[at].width - columns[at].least));
    for at in order {
        let less = wanting.min(widths[at] - columns[at].least.max(need(at)));
        widths[at] -= less;
        wanting -= less;
    }
    let left = (total + 1).saturating_sub(taken(&widths));
    for (place, &at) in elastic.iter().enumerate() {
        // the first get what does not divide
        let share = left / elastic.len() + usize::from(place < left % elastic.len());
        widths[at] = share.saturating_sub(1);
    }
    if elastic.iter().any(|&at| widths[at] < NARROWEST) && columns.len() > elastic.len() {
        for &at in &elastic {
            widths[at] = if may_be_left_out { 0 } else { NARROWEST };
        }
    }
    widths
}
