//! For eyes: the sentence, the two process trees from where they meet, the signal on the arrow, what became of it.
//!
//! ```text
//! 00:00:03.057Z  pkill(98) sent SIGTERM to yes(96)
//!   init(1)─sh(95)  sh -c "/bin/yes >/dev/null & …"
//!   ├─pkill(98)  pkill yes
//!   │ ╰─SIGTERM─▶ yes(96)  killed after 0.7 ms, by kill
//!   ╰─yes(96)  /bin/yes
//! ```

mod arrow;
mod chains;

use std::fmt::Write;

use super::FormatKind;
use super::document::{Document, Value, find};
use super::effect::{came_of_signal_before, lost};
use super::layout::{DrawnFormat, Layout};
use super::screen::{Line, Paint, Screen};
use crate::event::header::EventKind;

/// `-o tree`.
pub const TREE: FormatKind = FormatKind {
    name: "tree",
    is_for_programs: false,
    joins_ends: true,
    has_columns: false,
    open: |screen, view| Box::new(DrawnFormat::new(Tree::new(screen, view.top))),
};

/// Draws an event as a tree.
#[derive(Debug)]
pub struct Tree {
    screen: Screen,
    /// Nothing is drawn from this process up.
    top: Option<u32>,
    /// A blank line stands between two events.
    has_drawn: bool,
}

/// What is drawn of an event.
struct Picture<'a> {
    document: &'a Document,
    screen: Screen,
    columns: Option<usize>,
    top: Option<u32>,
}

impl Tree {
    /// For this screen; from below that process on, where it is in a tree.
    pub fn new(screen: Screen, top: Option<u32>) -> Self {
        Self { screen, top, has_drawn: false }
    }
}

impl Layout for Tree {
    fn draw(&mut self, document: &Document, out: &mut Vec<u8>) {
        let picture =
            Picture { document, screen: self.screen, columns: self.screen.columns(), top: self.top };
        if std::mem::replace(&mut self.has_drawn, true) {
            out.push(b'\n');
        }
        picture.head(out);
        if document.header().kind == EventKind::Lost {
            return;
        }
        picture.earlier(out);
        picture.processes(out);
        picture.missing(out);
    }
}

impl Picture<'_> {
    fn line(&self) -> Line {
        Line::new(self.screen, self.columns)
    }

    fn text(&self, path: &str) -> Option<String> {
        self.document.text_at(path).map(|text| self.screen.safe(text))
    }

    fn signal_paint(&self) -> Paint {
        let is_end = self.document.header().kind == EventKind::Ended;
        if is_end || self.document.header().is_fatal { Paint::Fatal } else { Paint::Signal }
    }

    fn head(&self, out: &mut Vec<u8>) {
        let mut line = self.line();
        line.add(Paint::Faint, &self.screen.clock(self.document)).add(Paint::None, "  ");
        if self.document.header().kind == EventKind::Lost {
            line.add(Paint::Fatal, &lost(self.screen, self.document)).finish(out);
            return;
        }
        if let Some(count) = self.document.number_at("repeated") {
            line.add(Paint::Signal, &format!("{}{count} ", self.screen.glyph("×", "x")));
        }
        let mut rest = self.text("summary").unwrap_or_default();
        while let Some((fits, behind)) = line.wrap(&rest) {
            line.add(Paint::Heading, &fits).finish(out);
            line = self.line();
            line.add(Paint::None, "    ");
            rest = behind;
        }
        line.add(Paint::Heading, &rest).finish(out);
    }

    /// The signal before, where the sentence has not said all of it: another process sent that one, or the end did not come of it.
    fn earlier(&self, out: &mut Vec<u8>) {
        let is_end = self.document.header().kind == EventKind::Ended;
        let (path, word) = if is_end { ("after", "after") } else { ("previous", "before") };
        let Some(earlier) = self.document.object(path) else { return };
        let number = |path: &str| self.document.number_at(path);
        let is_said = if is_end {
            came_of_signal_before(self.document)
        } else {
            number("previous.source.pid") == number("source.pid")
        };
        if is_said {
            return;
        }
        let part = |key: &str| find(earlier, key).map(|value| self.screen.value(value));
        let mut text = format!("{word}: {}", part("signalName").unwrap_or_default());
        if let Some(Value::Object(source)) = find(earlier, "source") {
            let _ = write!(text, " from {}", self.screen.name(source));
        }
        if let Some(Value::Seconds(nanoseconds)) = find(earlier, "secondsAgo") {
            let _ = write!(text, ", {} earlier", self.screen.duration(*nanoseconds));
        }
        if let Some(result) = part("result") {
            let _ = write!(text, ", {result}");
        }
        self.line().add(Paint::Faint, "  ").add(Paint::Faint, &text).finish(out);
    }

    fn missing(&self, out: &mut Vec<u8>) {
        if let Some(value) = self.document.get("missing") {
            let text = format!("  missing: {}", self.screen.value(value));
            self.line().add(Paint::Faint, &text).finish(out);
        }
    }
}

#[cfg(test)]
mod tests;
