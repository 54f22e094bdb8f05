//! A table: bcc's columns and the two command lines, or the keys that were asked for.

use super::FormatKind;
use super::document::{Document, Value};
use super::layout::{DrawnFormat, Layout};
use super::screen::{Line, Paint, Screen, cut, width_of};
use crate::event::header::EventKind;
use crate::output::keys::{self, ColumnWidth};

/// `-o table`.
pub const TABLE: FormatKind = FormatKind {
    name: "table",
    is_for_programs: false,
    joins_ends: false,
    has_columns: true,
    open: |screen, keys| Box::new(DrawnFormat::new(Table::new(screen, keys))),
};

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The key that it shows.
    pub key: String,
    heading: String,
    /// So wide where there is room.
    width: usize,
    /// And so wide where there is not.
    least: usize,
    /// Takes what is left.
    stretches: bool,
}

/// Narrower than this a command line says nothing.
const NARROWEST: usize = 10;

/// What is shown unless `--fields` says otherwise.
const USUAL: [&str; 9] = [
    "time",
    "source.pid",
    "source.comm",
    "signalName",
    "target.pid",
    "target.comm",
    "result",
    "source.cmdline",
    "target.cmdline",
];

impl Column {
    /// The column of a key, as the table of keys has it.
    pub fn of(path: &str) -> Self {
        let heading = keys::heading(path);
        let fixed = ColumnWidth::Fixed { usual: 16, least: 16 };
        let (usual, least, stretches) = match keys::look_up(path).map_or(fixed, |key| key.width) {
            ColumnWidth::Fixed { usual, least } => (usual, least, false),
            ColumnWidth::Stretches(usual) => (usual, usual, true),
        };
        Self {
            key: path.to_owned(),
            width: usual.max(width_of(&heading)),
            least: least.max(width_of(&heading)),
            heading,
            stretches,
        }
    }
}

/// Draws an event as a row.
#[derive(Debug)]
pub struct Table {
    screen: Screen,
    columns: Vec<Column>,
    has_heading: bool,
}

impl Table {
    /// A table of these keys; of the usual ones if none is named.
    pub fn new(screen: Screen, keys: &[String]) -> Self {
        let columns = if keys.is_empty() {
            USUAL.iter().map(|key| Column::of(key)).collect()
        } else {
            keys.iter().map(|key| Column::of(key)).collect()
        };
        Self { screen, columns, has_heading: false }
    }

    /// How wide each column is now; those that there is no room for are 0.
    fn widths(&self, total: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = self.columns.iter().map(|column| column.width).collect();
        let Some(total) = total else { return widths };
        let elastic: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column.stretches)
            .map(|(at, _)| at)
            .collect();
        let fixed: usize =
            self.columns.iter().filter(|column| !column.stretches).map(|column| column.width + 1).sum();
        let mut wanting = fixed.saturating_sub(total + 1);
        for (width, column) in widths.iter_mut().zip(&self.columns).filter(|(_, column)| !column.stretches) {
            let less = wanting.min(column.width - column.least);
            *width -= less;
            wanting -= less;
        }
        let left = (total + 1).saturating_sub(fixed);
        for (place, &at) in elastic.iter().enumerate() {
            // the first get what does not divide
            let share = left / elastic.len() + usize::from(place < left % elastic.len());
            widths[at] = share.saturating_sub(1);
        }
        if elastic.iter().any(|&at| widths[at] < NARROWEST) && self.columns.len() > elastic.len() {
            for &at in &elastic {
                widths[at] = 0;
            }
        }
        widths
    }

    fn row(&self, cells: &[(Paint, String)], suffix: &str, total: Option<usize>, out: &mut Vec<u8>) {
        let mut line = Line::new(self.screen, total);
        let widths = self.widths(total);
        let last = widths.iter().rposition(|&width| width > 0);
        for (at, ((paint, cell), width)) in cells.iter().zip(widths).enumerate() {
            if width == 0 {
                continue;
            }
            if Some(at) == last {
                // whatever is left of the line is its, but for the suffix
                let room = total.map(|_| width.saturating_sub(width_of(suffix)));
                let cell = room.map_or_else(|| cell.clone(), |room| cut(self.screen, cell, room));
                line.add(*paint, &cell);
            } else {
                let cell = if total.is_some() { cut(self.screen, cell, width) } else { cell.clone() };
                line.add(*paint, &cell);
                line.add(Paint::None, &" ".repeat(width.saturating_sub(width_of(&cell)) + 1));
            }
        }
        line.add(Paint::Signal, suffix).finish(out);
    }

    fn cell(&self, column: &Column, document: &Document) -> (Paint, String) {
        let is_fatal = document.header().is_fatal;
        let paint = match column.key.as_str() {
            "signalName" | "signal" if is_fatal => Paint::Fatal,
            "signalName" | "signal" => Paint::Signal,
            "source.pid" | "source.comm" => Paint::Source,
            "target.pid" | "target.comm" => Paint::Target,
            key if key.ends_with("cmdline") || key == "time" => Paint::Faint,
            _ => Paint::None,
        };
        let text = match (column.key.as_str(), document.get(&column.key)) {
            ("time", Some(_)) => self.screen.clock(document),
            (_, Some(value)) => self.screen.value(value),
            (key, None) if document.foreign(key).is_some() => {
                self.screen.safe(document.foreign(key).unwrap_or_default())
            }
            ("source.comm", None) => match document.text_at("origin") {
                Some(origin) => format!("<{origin}>"),
                None => "-".to_owned(),
            },
            ("result", None) if document.header().kind == EventKind::Ended => how_it_ended(document),
            (key, None) => match reason(document, key) {
                Some(reason) => format!("?{reason}"),
                None => "-".to_owned(),
            },
        };
        (paint, text)
    }
}

impl Layout for Table {
    fn draw(&mut self, document: &Document, out: &mut Vec<u8>) {
        let total = self.screen.columns();
        if !self.has_heading {
            self.has_heading = true;
            let cells: Vec<(Paint, String)> =
                self.columns.iter().map(|column| (Paint::Heading, column.heading.clone())).collect();
            self.row(&cells, "", total, out);
        }
        if document.header().kind == EventKind::Lost {
            Line::new(self.screen, total).add(Paint::Fatal, &lost(document)).finish(out);
            return;
        }
        let cells: Vec<(Paint, String)> =
            self.columns.iter().map(|column| self.cell(column, document)).collect();
        let suffix = document
            .number_at("repeated")
            .map_or_else(String::new, |count| format!(" {}{count}", self.screen.glyph("×", "x")));
        self.row(&cells, &suffix, total, out);
    }
}

/// `17 events lost (ringFull 17)`.
pub(super) fn lost(document: &Document) -> String {
    let causes: Vec<String> = document
        .object("cause")
        .unwrap_or_default()
        .iter()
        .filter_map(|field| field.value.as_number().map(|count| format!("{} {count}", field.key)))
        .collect();
    format!("{} events lost ({})", document.number_at("lost").unwrap_or_default(), causes.join(", "))
}

/// Of an end.
pub(super) fn how_it_ended(document: &Document) -> String {
    match document.number_at("exitCode") {
        Some(code) => format!("exited {code}"),
        None if document.is_set("coreDumped") => "died, core".to_owned(),
        None => "died".to_owned(),
    }
}

/// Why a key is not there that should be.
pub(super) fn reason<'a>(document: &'a Document, key: &str) -> Option<&'a str> {
    let Some(Value::Words(missing)) = document.get("missing") else { return None };
    missing.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix(':'))
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::super::document::tests::sample;
    use super::super::screen::{PLAIN, Width};
    use super::*;
    use crate::output::format::ValueRef::{Text, Words};

    fn draw(columns: Option<usize>, keys: &[&str], document: &Document) -> String {
        let keys: Vec<String> = keys.iter().map(|&key| key.to_owned()).collect();
        let width = columns.map_or(Width::Unlimited, Width::Columns);
        let mut out = Vec::new();
        Table::new(Screen { width, ..PLAIN }, &keys).draw(document, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_row_has_bccs_columns_under_their_heading() {
        let text = draw(Some(130), &[], &sample());
        let lines: Vec<&str> = text.lines().collect();
        let words: Vec<&str> = lines[0].split_whitespace().collect();
        assert_eq!(words, ["TIME", "PID", "COMM", "SIG", "TPID", "TCOMM", "RESULT", "CMDLINE", "TCMDLINE"]);
        assert_eq!(lines[0].find("TCOMM"), lines[1].find("yes"));
        assert!(lines[1].ends_with("yes \"a b\""), "{text}");
    }

    #[test]
    fn every_width_is_kept_and_the_command_lines_go_first() {
        for columns in 1..200 {
            let text = draw(Some(columns), &[], &sample());
            assert!(text.lines().all(|line| width_of(line) <= columns), "{columns}: {text}");
        }
        assert!(!draw(Some(90), &[], &sample()).contains("CMDLINE"));
        assert!(draw(Some(112), &[], &sample()).contains("CMDLINE"));
    }

    #[test]
    fn the_keys_that_were_asked_for_are_the_columns() {
        let text = draw(None, &["target.parent.comm", "signal"], &sample());
        assert_eq!(text, "target.parent.comm signal\nsh                 15\n");
    }

    #[test]
    fn what_is_not_there_is_a_dash_and_what_is_missing_says_why() {
        let mut document = Document::default();
        document.field("event", Text("signal"));
        document.field("origin", Text("oom"));
        document.field("missing", Words(&["target.cmdline:no-memory".to_owned()]));
        let text = draw(None, &["source.pid", "source.comm", "target.cmdline"], &document);
        let row: Vec<&str> = text.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(row, ["-", "<oom>", "?no-memory"]);
    }

    #[test]
    fn repetitions_are_never_cut_off() {
        let mut document = sample();
        document.insert_behind(&["result"], "repeated", Value::Number(4123));
        for columns in [80, 120] {
            assert!(draw(Some(columns), &[], &document).trim_end().ends_with("×4123"));
        }
    }
}
