//! For people: a row for each event, in columns that fit the terminal; or the keys that were asked for. It is no contract.
//!
//! ```text
//! TIME         SIG    SENDER         TARGET         RESULT    CMDLINE              TCMDLINE
//! 21:28:48.883 TERM   pkill(98)      yes(96)        killed    pkill yes            /bin/yes
//! ```

mod cell;
mod column;

use self::cell::Cell;
pub use self::column::SIDES;
use self::column::{Column, Content, lines, widths};
use super::FormatKind;
use super::document::Document;
use super::effect::lost;
use super::layout::{DrawnFormat, Layout};
use super::screen::{Line, Paint, Screen, width_of};
use crate::event::header::EventKind;

/// `-o table`.
pub const TABLE: FormatKind = FormatKind {
    name: "table",
    is_for_programs: false,
    joins_ends: true,
    has_columns: true,
    open: |screen, view| Box::new(DrawnFormat::new(Table::new(screen, &view.columns))),
};

/// Before the second and every further line of a row that has no room in one.
const INDENT: &str = "  ";

/// Draws an event as a row.
#[derive(Debug)]
struct Table {
    screen: Screen,
    columns: Vec<Column>,
    /// They were asked for: each is shown, whatever the width.
    are_asked_for: bool,
    /// The column that says how often, of a folded event.
    counting: usize,
    has_heading: bool,
    /// The terminal was so wide when the heading was drawn last.
    width_of_heading: Option<usize>,
}

impl Table {
    /// A table of these keys; of the usual columns if none is named.
    fn new(screen: Screen, keys: &[String]) -> Self {
        let columns: Vec<Column> = if keys.is_empty() {
            Column::usual(screen)
        } else {
            keys.iter().map(|key| Column::of(key, screen)).collect()
        };
        Self {
            screen,
            counting: counting(&columns),
            columns,
            are_asked_for: !keys.is_empty(),
            has_heading: false,
            width_of_heading: None,
        }
    }

    fn heading(&self, total: Option<usize>, out: &mut Vec<u8>) {
        let cells: Vec<Cell> = self.columns.iter().map(Cell::heading).collect();
        self.row(&cells, total, out);
    }

    /// One line; but of columns that were asked for as many as they need.
    fn row(&self, cells: &[Cell], total: Option<usize>, out: &mut Vec<u8>) {
        let Some(total) = total.filter(|_| self.are_asked_for) else {
            return self.line(&self.columns, cells, "", total, out);
        };
        let indent = |line: usize| if line > 0 { INDENT } else { "" };
        let lines = lines(&self.columns, |line| total.saturating_sub(indent(line).len()));
        for (line, columns) in lines.into_iter().enumerate() {
            self.line(&self.columns[columns.clone()], &cells[columns], indent(line), Some(total), out);
        }
    }

    /// What no column may cut makes its column wider in this row.
    fn line(
        &self,
        columns: &[Column],
        cells: &[Cell],
        indent: &str,
        total: Option<usize>,
        out: &mut Vec<u8>,
    ) {
        let needs: Vec<usize> =
            cells.iter().map(|cell| if cell.is_whole { width_of(&cell.text) } else { 0 }).collect();
        let room = total.map(|total| total.saturating_sub(indent.len()));
        let widths = widths(columns, &needs, room, !self.are_asked_for);
        let last = widths.iter().rposition(|&width| width > 0);
        let mut line = Line::new(self.screen, total);
        line.add(Paint::None, indent);
        for (at, (cell, width)) in cells.iter().zip(widths).enumerate() {
            if width == 0 {
                continue;
            }
            let text = if total.is_some() { cell.within(self.screen, width) } else { cell.text.clone() };
            line.add(cell.paint, &text);
            if Some(at) != last {
                line.add(Paint::None, &" ".repeat(width.saturating_sub(width_of(&text)) + 1));
            }
        }
        line.finish(out);
    }
}

/// What became of it, or the signal; else the last before the columns that are cut first.
fn counting(columns: &[Column]) -> usize {
    let key = |path: &str| columns.iter().position(|column| column.content == Content::Key(path.to_owned()));
    columns
        .iter()
        .position(|column| column.content == Content::Effect)
        .or_else(|| key("signalName"))
        .or_else(|| key("signal"))
        .unwrap_or_else(|| {
            columns.iter().position(|column| column.stretches).unwrap_or(columns.len()).saturating_sub(1)
        })
}

impl Layout for Table {
    fn draw(&mut self, document: &Document, out: &mut Vec<u8>) {
        let total = self.screen.columns();
        if !self.has_heading || self.width_of_heading != total {
            (self.has_heading, self.width_of_heading) = (true, total);
            self.heading(total, out);
        }
        if document.header().kind == EventKind::Lost {
            Line::new(self.screen, total).add(Paint::Fatal, &lost(self.screen, document)).finish(out);
            return;
        }
        let mut cells: Vec<Cell> =
            self.columns.iter().map(|column| Cell::of(self.screen, &column.content, document)).collect();
        if let (Some(count), Some(cell)) = (document.number_at("repeated"), cells.get_mut(self.counting)) {
            cell.text = format!("{} {}{count}", cell.text, self.screen.glyph("×", "x"));
            cell.is_whole = true;
        }
        self.row(&cells, total, out);
    }
}

#[cfg(test)]
mod tests;
