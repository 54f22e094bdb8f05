//! What a format for eyes may use: colours, characters beyond ASCII, so many columns, the reader's time zone. And how foreign
//! text is made fit for it.

use std::fmt::Write;
use std::io;

use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::document::{Document, Field, Value, find};
use super::logfmt::is_plain_argument;
use crate::base::digits::decimal_seconds;
use crate::base::sanitize::{push_json_string, push_visible};
use crate::base::zone::Zone;
use crate::event::summary::seconds;

/// How wide a line may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// As long as it gets: not a terminal.
    Unlimited,
    /// So many columns.
    Columns(usize),
    /// As many as the terminal of standard output has now.
    OfStdout,
    /// As many as the terminal of standard error has now.
    OfStderr,
}

/// What the other end can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Colours.
    pub has_colour: bool,
    /// Nothing beyond ASCII.
    pub is_ascii: bool,
    /// Columns.
    pub width: Width,
    /// Of its times.
    pub zone: Zone,
}

/// Neither a terminal nor a reader of colours.
pub const PLAIN: Screen =
    Screen { has_colour: false, is_ascii: false, width: Width::Unlimited, zone: Zone::Utc };

/// What a piece of text is, for its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// As it comes.
    None,
    /// Who sent it.
    Source,
    /// Who received it.
    Target,
    /// The signal.
    Signal,
    /// What ends a process.
    Fatal,
    /// What is looked at second.
    Faint,
    /// A heading.
    Heading,
}

impl Paint {
    /// Of the sixteen colours only red and magenta can be read on a dark and on a light terminal alike: yellow, green and cyan
    /// vanish on white, blue on black.
    fn style(self) -> Style {
        let coloured = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        match self {
            Self::None => Style::new(),
            Self::Source => coloured(AnsiColor::Magenta),
            Self::Target | Self::Signal | Self::Heading => Style::new().bold(),
            Self::Fatal => coloured(AnsiColor::Red).bold(),
            Self::Faint => Style::new().dimmed(),
        }
    }
}

impl Screen {
    /// Columns now; none if there is no end to them.
    pub fn columns(self) -> Option<usize> {
        let of = |size: Option<(terminal_size::Width, terminal_size::Height)>| {
            // a terminal that does not know its size says 0
            size.map(|(width, _)| usize::from(width.0)).filter(|&width| width > 0)
        };
        match self.width {
            Width::Unlimited => None,
            Width::Columns(columns) => Some(columns),
            Width::OfStdout => of(terminal_size::terminal_size_of(io::stdout())),
            Width::OfStderr => of(terminal_size::terminal_size_of(io::stderr())),
        }
    }

    /// The one or the other, as the screen can show it.
    pub fn glyph(self, beautiful: &'static str, ascii: &'static str) -> &'static str {
        if self.is_ascii { ascii } else { beautiful }
    }

    /// The time of day of an event: the date is the reader's own. Empty if it has none.
    pub fn clock(self, document: &Document) -> String {
        document.text_at("time").map(|time| self.zone.time_of_day(time)).unwrap_or_default()
    }

    /// A duration: `56 µs`, `0.7 ms`, `12 min`. Of whole microseconds, as JSON has it: an event that is read again has the same words.
    pub fn duration(self, nanoseconds: u64) -> String {
        match nanoseconds / 1000 {
            micro @ 0..100 => format!("{micro} {}", self.glyph("µs", "us")),
            _ => seconds(nanoseconds),
        }
    }

    /// Foreign text as it may be shown: whatever could act on the terminal is spelt out.
    pub fn safe(self, text: &str) -> String {
        let mut safe = String::with_capacity(text.len());
        push_visible(&mut safe, text, |letter| self.is_ascii && !letter.is_ascii());
        safe
    }

    /// As a JSON string: a quotation mark inside ends nothing.
    fn quoted(self, text: &str) -> String {
        let mut quoted = Vec::new();
        push_json_string(&mut quoted, text);
        self.safe(&String::from_utf8_lossy(&quoted))
    }

    /// `sleep(3436)`. A comm that could pass for more than itself is quoted: a process may call itself `x(1)─sshd`.
    pub fn name(self, process: &[Field]) -> String {
        let comm = match find(process, "comm") {
            Some(Value::Text(comm)) if is_plain_name(comm) => self.safe(comm),
            Some(Value::Text(comm)) => self.quoted(comm),
            _ => "?".to_owned(),
        };
        match find(process, "pid").and_then(Value::as_number) {
            Some(pid) => format!("{comm}({pid})"),
            None => comm,
        }
    }

    /// Arguments with their boundaries: as in a shell where they are harmless, else as JSON strings.
    pub fn arguments(self, items: &[Vec<u8>]) -> String {
        if items.is_empty() {
            return "[]".to_owned();
        }
        let mut text = String::new();
        for item in items {
            if !text.is_empty() {
                text.push(' ');
            }
            let argument = String::from_utf8_lossy(item);
            if is_plain_argument(&argument) {
                text.push_str(&self.safe(&argument));
            } else {
                text.push_str(&self.quoted(&argument));
            }
        }
        text
    }

    /// A value in one cell.
    pub fn value(self, value: &Value) -> String {
        match value {
            Value::Text(text) => self.safe(text),
            Value::Number(number) => number.to_string(),
            Value::Integer(number) => number.to_string(),
            Value::Seconds(nanoseconds) => decimal_seconds(*nanoseconds),
            Value::Flag(flag) => flag.to_string(),
            Value::List(items) => self.arguments(items),
            Value::Words(words) => self.safe(&words.join(" ")),
            Value::Names(names) => {
                let pairs: Vec<Vec<u8>> =
                    names.iter().map(|(name, value)| format!("{name}={value}").into_bytes()).collect();
                self.arguments(&pairs)
            }
            Value::Object(_) | Value::Objects(_) => self.glyph("…", "...").to_owned(),
        }
    }
}

/// Is there nothing in this comm that a format draws itself between names: brackets, arrows, branches, gaps?
fn is_plain_name(comm: &str) -> bool {
    !comm.is_empty()
        && comm.trim() == comm
        && !comm.trim_start_matches('(').contains('(')
        && !comm.contains(['─', '…', '"', '\\', '▶', '◀', '→'])
        && !["->", "  "].iter().any(|drawn| comm.contains(drawn))
}

/// Columns that a text takes.
pub fn width_of(text: &str) -> usize {
    text.width()
}

/// One line, piece by piece, which never gets wider than it may.
#[derive(Debug)]
pub struct Line {
    screen: Screen,
    left: Option<usize>,
    /// Columns that all of it needs, with what was cut.
    needs: usize,
    text: String,
}

impl Line {
    /// An empty one, of at most so many columns.
    pub fn new(screen: Screen, columns: Option<usize>) -> Self {
        Self { screen, left: columns, needs: 0, text: String::new() }
    }

    /// So many columns were needed for what was added so far, also where it was cut.
    pub fn needs(&self) -> usize {
        self.needs
    }

    /// Adds text that is safe; cuts it where the line ends.
    pub fn add(&mut self, paint: Paint, text: &str) -> &mut Self {
        self.needs += width_of(text);
        let text = match self.left {
            Some(left) => {
                let cut = cut(self.screen, text, left);
                self.left = Some(left - width_of(&cut).min(left));
                cut
            }
            None => text.to_owned(),
        };
        if self.screen.has_colour && paint != Paint::None && !text.is_empty() {
            let style = paint.style();
            let _ = write!(self.text, "{style}{text}{style:#}");
        } else {
            self.text.push_str(&text);
        }
        self
    }

    /// Whole words of a text that still fit, and what is left for the next line. None: all of it fits, or not even a word.
    pub fn wrap(&self, text: &str) -> Option<(String, String)> {
        let left = self.left.filter(|&left| width_of(text) > left)?;
        let ends = text.match_indices(' ').map(|(at, _)| at);
        let end = ends.take_while(|&at| width_of(&text[..at]) <= left).last()?;
        Some((text[..end].to_owned(), text[end + 1..].to_owned()))
    }

    /// Ends it: without blanks at the end.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.text.trim_end_matches(' ').as_bytes());
        out.push(b'\n');
        self.needs = 0;
        self.text.clear();
    }
}

/// The beginning of a text that takes at most so many columns, with a mark that it was cut.
pub fn cut(screen: Screen, text: &str, columns: usize) -> String {
    if width_of(text) <= columns {
        return text.to_owned();
    }
    let mark = screen.glyph("…", "~");
    let mut kept = String::new();
    let mut width = 0;
    for letter in text.chars() {
        width += letter.width().unwrap_or(0);
        if width + 1 > columns {
            break;
        }
        kept.push(letter);
    }
    if columns > 0 {
        kept.push_str(mark);
    }
    kept
}

/// The same of a [name](Screen::name), which keeps its pid.
pub fn cut_name(screen: Screen, name: &str, columns: usize) -> String {
    if width_of(name) <= columns {
        return name.to_owned();
    }
    // a comm may hold brackets itself: the pid is behind the last
    let (comm, pid) = match name.rfind('(') {
        Some(at) if name.ends_with(')') => name.split_at(at),
        _ => (name, ""),
    };
    format!("{}{pid}", cut(screen, comm, columns.saturating_sub(width_of(pid)).max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ASCII: Screen = Screen { is_ascii: true, ..PLAIN };

    #[test]
    fn foreign_text_cannot_act_on_the_terminal() {
        assert_eq!(PLAIN.safe("a\u{1b}[2Jé"), "a\\u001b[2Jé");
        assert_eq!(ASCII.safe("é😀"), "\\u00e9\\ud83d\\ude00");
        assert_eq!(PLAIN.arguments(&[b"sh".to_vec(), b"a b".to_vec(), Vec::new()]), "sh \"a b\" \"\"");
        assert_eq!(PLAIN.arguments(&[]), "[]");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(cut(PLAIN, "日本語", 5), "日本…");
        assert_eq!(cut(PLAIN, "日本語", 4), "日…");
        assert_eq!(cut(ASCII, "abcdef", 4), "abc~");
        assert_eq!(cut(PLAIN, "abc", 3), "abc");
        assert_eq!(cut(PLAIN, "abc", 0), "");
    }

    #[test]
    fn colours_only_where_they_are_wanted() {
        let line = |screen| {
            let mut out = Vec::new();
            Line::new(screen, Some(3)).add(Paint::Signal, "SIGTERM").finish(&mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(line(PLAIN), "SI…\n");
        let coloured = line(Screen { has_colour: true, ..PLAIN });
        assert!(coloured.starts_with("\u{1b}[") && coloured.ends_with("\u{1b}[0m\n"), "{coloured:?}");
    }

    #[test]
    fn every_colour_can_be_read_on_dark_and_on_light() {
        use Paint::{Faint, Fatal, Heading, None, Signal, Source, Target};
        let on_both = [AnsiColor::Red, AnsiColor::Magenta].map(|colour| Some(colour.into()));
        for paint in [None, Source, Target, Signal, Fatal, Faint, Heading] {
            let style = paint.style();
            let colour = style.get_fg_color();
            assert!(colour.is_none() || on_both.contains(&colour), "{paint:?}");
            assert!(style.get_bg_color().is_none(), "{paint:?}");
        }
        // what answers the question stands out
        assert!([Source, Fatal].iter().all(|paint| paint.style().get_fg_color().is_some()));
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_screen(texts in proptest::collection::vec(any::<String>(), 0..8), columns in 0usize..80) {
            let mut line = Line::new(PLAIN, Some(columns));
            for text in &texts {
                line.add(Paint::None, &PLAIN.safe(text));
            }
            let mut out = Vec::new();
            line.finish(&mut out);
            let text = String::from_utf8(out).unwrap();
            prop_assert!(width_of(text.trim_end_matches('\n')) <= columns, "{:?}", text);
        }
    }
}
