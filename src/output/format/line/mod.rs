//! For people: one line for each event, and what became of it at its end. It is no contract, and is never wider than
//! the screen.
//!
//! ```text
//! 21:28:48.883  TERM  bash(3372) → sleep(3436) [sleep 100]   killed after 0.7 ms
//! ```

use super::FormatKind;
use super::document::{Document, Value, find};
use super::effect::{self, Effect, lost, reason};
use super::layout::{DrawnFormat, Layout};
use super::screen::{Line, Paint, Screen, cut, cut_name, width_of};
use crate::event::header::EventKind;

/// `-o line`.
pub const LINE: FormatKind = FormatKind {
    name: "line",
    is_for_programs: false,
    joins_ends: true,
    has_columns: false,
    open: |screen, _| Box::new(DrawnFormat::new(OneLine { screen })),
};

/// Between what is of different kinds.
const GAP: &str = "  ";
/// Before what became of it.
const WIDE_GAP: &str = "   ";
/// Narrower than this a command line says nothing.
const NARROWEST: usize = 8;

/// So wide half a command line says enough.
const COMFORTABLE: usize = 24;

/// Draws an event as one line.
#[derive(Debug)]
struct OneLine {
    screen: Screen,
}

/// A process or a cause, and what is known of its command line.
#[derive(Debug, Default)]
struct Side {
    name: String,
    /// In its brackets; empty if there is none.
    arguments: String,
    /// The arguments are more than the name.
    says_more: bool,
}

/// The pieces of a line.
#[derive(Debug)]
struct Pieces {
    time: String,
    signal: String,
    /// None: nobody sent it.
    source: Option<Side>,
    target: Side,
    effect: Effect,
}

impl Layout for OneLine {
    fn draw(&mut self, document: &Document, out: &mut Vec<u8>) {
        let columns = self.screen.columns();
        let time = self.screen.clock(document);
        if document.header().kind == EventKind::Lost {
            let mut line = Line::new(self.screen, columns);
            line.add(Paint::Faint, &time).add(Paint::None, if time.is_empty() { "" } else { GAP });
            line.add(Paint::Fatal, &format!("warning: {}", lost(self.screen, document))).finish(out);
            return;
        }
        let mut pieces = Pieces::of(self.screen, document, time);
        if let Some(columns) = columns {
            pieces.fit(self.screen, columns);
        }
        pieces.write(self.screen, columns, document.header().is_deadly(), out);
    }
}

impl Side {
    /// Of a process at this key of an event.
    fn of(screen: Screen, document: &Document, key: &str) -> Option<Self> {
        let process = document.object(key)?;
        let mut side = Self { name: screen.name(process), ..Self::default() };
        match find(process, "cmdline") {
            Some(Value::List(items)) => {
                side.says_more = match items.as_slice() {
                    [] => false,
                    [only] => !is_name_of(only, find(process, "comm")),
                    _ => true,
                };
                side.arguments = screen.arguments(items);
                if matches!(find(process, "cmdlineTruncated"), Some(Value::Flag(true))) {
                    side.arguments.push_str(screen.glyph("…", "..."));
                    side.says_more = true;
                }
            }
            _ => {
                if let Some(reason) = reason(document, &format!("{key}.cmdline")) {
                    side.arguments = format!("?{reason}");
                    side.says_more = true;
                }
            }
        }
        if !side.says_more {
            side.arguments.clear();
        }
        Some(side)
    }

    /// The columns of its command line, with the blank and the brackets.
    fn brackets(&self) -> usize {
        if self.arguments.is_empty() { 0 } else { width_of(&self.arguments) + 3 }
    }

    /// Cuts the command line so that it takes at most so many columns; returns how many it takes.
    fn cut_to(&mut self, screen: Screen, columns: usize) -> usize {
        if self.brackets() > columns {
            if columns < NARROWEST + 3 {
                self.arguments.clear();
            } else {
                self.arguments = cut(screen, &self.arguments, columns - 3);
            }
        }
        self.brackets()
    }

    /// Cuts the name, but keeps its pid.
    fn cut_name(&mut self, screen: Screen, columns: usize) {
        self.name = cut_name(screen, &self.name, columns);
    }

    fn write(&self, paint: Paint, line: &mut Line) {
        line.add(paint, &self.name);
        if !self.arguments.is_empty() {
            line.add(Paint::None, " ").add(Paint::Faint, &format!("[{}]", self.arguments));
        }
    }
}

impl Pieces {
    fn of(screen: Screen, document: &Document, time: String) -> Self {
        let kind = document.header().kind;
        let subject = if kind == EventKind::Request { "source" } else { "target" };
        let target = Side::of(screen, document, subject).unwrap_or_else(|| Side {
            name: effect::requested(document).unwrap_or_else(|| "?".to_owned()),
            ..Side::default()
        });
        let mut pieces = Self {
            time,
            signal: effect::signal(screen, document),
            source: None,
            target,
            effect: effect::effect(screen, document),
        };
        if !matches!(kind, EventKind::Ended | EventKind::Request) {
            let cause = || Side { name: effect::cause(screen, document), ..Side::default() };
            pieces.source = Some(Side::of(screen, document, "source").unwrap_or_else(cause));
            let key = |side: &str| document.text_at(&format!("{side}.key"));
            if key("source").is_some() && key("source") == key("target") {
                pieces.target = Side { name: "itself".to_owned(), ..Side::default() };
            }
        }
        pieces
    }

    /// The columns that it takes without command lines.
    fn least(&self, screen: Screen) -> usize {
        let time = if self.time.is_empty() { 0 } else { width_of(&self.time) + width_of(GAP) };
        let source =
            self.source.as_ref().map_or(0, |source| width_of(&source.name) + width_of(arrow(screen)));
        let effect = width_of(&self.effect.text) + width_of(&self.effect.detail);
        time + width_of(&self.signal)
            + width_of(GAP)
            + source
            + width_of(&self.target.name)
            + width_of(WIDE_GAP)
            + effect
    }

    /// Leaves out until it fits: details of the effect, the time, parts of names; command lines have the room that is left.
    fn fit(&mut self, screen: Screen, columns: usize) {
        if self.least(screen) > columns {
            self.effect.detail.clear();
        }
        if self.least(screen) > columns {
            self.time.clear();
        }
        let over = self.least(screen).saturating_sub(columns);
        if over > 0 {
            let target = width_of(&self.target.name);
            let source = self.source.as_ref().map_or(0, |source| width_of(&source.name));
            let room = (source + target).saturating_sub(over);
            // half for each, and what the one does not need is the other's
            let of_source = source.min((room / 2).max(room.saturating_sub(target)));
            if let Some(source) = &mut self.source {
                source.cut_name(screen, of_source);
            }
            self.target.cut_name(screen, room.saturating_sub(of_source));
        }
        let room = columns.saturating_sub(self.least(screen));
        let of_source = self.source.as_ref().map_or(0, |source| share_of_source(source, &self.target, room));
        let left = room - self.target.cut_to(screen, room - of_source);
        if let Some(source) = &mut self.source {
            source.cut_to(screen, left);
        }
    }

    fn write(&self, screen: Screen, columns: Option<usize>, is_deadly: bool, out: &mut Vec<u8>) {
        let mut line = Line::new(screen, columns);
        if !self.time.is_empty() {
            line.add(Paint::Faint, &self.time).add(Paint::None, GAP);
        }
        let is_deadly = is_deadly || self.effect.is_deadly;
        line.add(if is_deadly { Paint::Fatal } else { Paint::Signal }, &self.signal).add(Paint::None, GAP);
        if let Some(source) = &self.source {
            source.write(Paint::Source, &mut line);
            line.add(Paint::None, arrow(screen));
        }
        self.target.write(Paint::Target, &mut line);
        let paint = if self.effect.is_deadly { Paint::Fatal } else { Paint::None };
        line.add(Paint::None, WIDE_GAP).add(paint, &self.effect.text);
        line.add(Paint::None, &self.effect.detail).finish(out);
    }
}

/// The columns of the room for both command lines that the target leaves to the source. The longer one is cut; where both are
/// long and there is room for one only, that is the target's.
fn share_of_source(source: &Side, target: &Side, room: usize) -> usize {
    let (of_source, of_target) = (source.brackets(), target.brackets());
    let leaves_enough = of_source <= room / 2 && room - of_source >= NARROWEST + 3;
    if of_source + of_target <= room || leaves_enough {
        of_source
    } else if of_target <= room / 2 {
        room - of_target
    } else if room / 2 >= COMFORTABLE {
        room / 2
    } else {
        0
    }
}

fn arrow(screen: Screen) -> &'static str {
    screen.glyph(" → ", " -> ")
}

/// Is this only argument no more than the name: `bash`, `/bin/bash`, `-bash`?
fn is_name_of(argument: &[u8], comm: Option<&Value>) -> bool {
    let Some(Value::Text(comm)) = comm else { return false };
    let base = argument.rsplit(|&byte| byte == b'/').next().unwrap_or(argument);
    base.strip_prefix(b"-").unwrap_or(base) == comm.as_bytes()
}

#[cfg(test)]
mod tests;
