//! What a cell says of an event. An end has the sender of the signal that it came after, where it died of that very signal or
//! exited; of any other end that sender is not named: it did not bring it about.

use super::column::{Column, Content};
use crate::event::header::EventKind;
use crate::output::format::document::{Document, JOINED_END, Value};
use crate::output::format::effect::{self, came_of_signal_before, reason, requested};
use crate::output::format::screen::{Paint, Screen, cut, cut_name, width_of};

/// A cell, as it is drawn.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) paint: Paint,
    pub(super) text: String,
    /// Never cut: the row makes room for it.
    pub(super) is_whole: bool,
    kind: CellKind,
}

/// How a cell is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CellKind {
    Text,
    /// Keeps its pid.
    Name,
    /// Loses its milliseconds.
    Time,
}

impl Cell {
    pub(super) fn heading(column: &Column) -> Self {
        Self { paint: Paint::Heading, text: column.heading.clone(), is_whole: false, kind: CellKind::Text }
    }

    pub(super) fn of(screen: Screen, content: &Content, document: &Document) -> Self {
        let is_deadly = document.header().is_deadly();
        let (paint, text, kind) = match content {
            Content::Signal => (of_signal(is_deadly), signal(screen, document), CellKind::Text),
            Content::Sender => (Paint::Source, sender(screen, document), CellKind::Name),
            Content::Target => (Paint::Target, target(screen, document), CellKind::Name),
            Content::Effect => {
                let (is_deadly, text) = became(screen, document);
                (if is_deadly { Paint::Fatal } else { Paint::None }, text, CellKind::Text)
            }
            Content::Key(key) if key == "time" => (Paint::Faint, screen.clock(document), CellKind::Time),
            Content::Key(key) => (paint_of(key, is_deadly), value(screen, key, document), CellKind::Text),
        };
        let is_whole = matches!(content, Content::Signal | Content::Effect);
        Self { paint, text, is_whole, kind }
    }

    /// In so many columns.
    pub(super) fn within(&self, screen: Screen, columns: usize) -> String {
        match self.kind {
            _ if width_of(&self.text) <= columns => self.text.clone(),
            CellKind::Name => cut_name(screen, &self.text, columns),
            // 21:28:48, and the Z of UTC
            CellKind::Time if columns < 12 && self.text.len() > 12 && self.text.ends_with('Z') => {
                cut(screen, &format!("{}Z", self.text.get(..8).unwrap_or_default()), columns)
            }
            CellKind::Time if columns < 12 => self.text.get(..columns.min(8)).unwrap_or_default().to_owned(),
            CellKind::Text | CellKind::Time => cut(screen, &self.text, columns),
        }
    }
}

fn of_signal(is_deadly: bool) -> Paint {
    if is_deadly { Paint::Fatal } else { Paint::Signal }
}

fn paint_of(key: &str, is_deadly: bool) -> Paint {
    match key {
        "signalName" | "signal" => of_signal(is_deadly),
        "source.pid" | "source.comm" => Paint::Source,
        "target.pid" | "target.comm" => Paint::Target,
        key if key.ends_with("cmdline") => Paint::Faint,
        _ => Paint::None,
    }
}

fn signal(screen: Screen, document: &Document) -> String {
    match document.text_at("signalName") {
        // a row of its own is not the signal once more
        _ if document.header().kind == EventKind::Ended => "end".to_owned(),
        _ if document.header().kind == EventKind::Request => EventKind::Request.name().to_owned(),
        Some(name) => screen.safe(effect::short(name)),
        None => "-".to_owned(),
    }
}

fn sender(screen: Screen, document: &Document) -> String {
    let (source, origin) =
        if came_of_signal_before(document) { ("after.source", "after.origin") } else { ("source", "origin") };
    match (document.object(source), document.text_at(origin)) {
        (Some(source), _) => screen.name(source),
        (None, Some(origin)) => format!("<{}>", screen.safe(origin)),
        (None, None) => "-".to_owned(),
    }
}

fn target(screen: Screen, document: &Document) -> String {
    match document.object("target") {
        Some(target) => screen.name(target),
        None => requested(document).unwrap_or_else(|| "-".to_owned()),
    }
}

/// Is it deadly, and in a word or two.
fn became(screen: Screen, document: &Document) -> (bool, String) {
    let effect = effect::effect(screen, document);
    let text = match effect.text.as_str() {
        "already pending" => "merged".to_owned(),
        "checked with signal 0" => "allowed".to_owned(),
        _ => effect.text.replace("exited with status", "exit").replace(" (core dumped)", ", core"),
    };
    (effect.is_deadly, text)
}

/// A key that an end alone has: where signal and end are one row it is that of the end.
fn is_of_end(key: &str) -> bool {
    matches!(key, "exitCode" | "coreDumped") || key.starts_with("after.")
}

/// Of a key that was asked for.
fn value(screen: Screen, key: &str, document: &Document) -> String {
    let of_end = || document.get(&format!("{JOINED_END}.{key}")).filter(|_| is_of_end(key));
    if let Some(value) = document.get(key).or_else(of_end) {
        return screen.value(value);
    }
    if let Some(text) = document.foreign(key) {
        return screen.safe(text);
    }
    let kind = document.header().kind;
    if key.starts_with("source.") && came_of_signal_before(document) {
        if let Some(value) = document.get(&format!("after.{key}")) {
            return screen.value(value);
        }
        if let ("source.comm", Some(origin)) = (key, document.text_at("after.origin")) {
            return format!("<{}>", screen.safe(origin));
        }
    }
    match (key, document.text_at("origin"), document.get("pidArgument")) {
        ("source.comm", Some(origin), _) => format!("<{}>", screen.safe(origin)),
        ("target.pid", _, Some(pid @ (Value::Number(_) | Value::Integer(_)))) => screen.value(pid),
        _ => match reason(document, key) {
            Some(reason) => format!("?{reason}"),
            // its command line is in the row of its signal
            None if kind == EventKind::Ended && key == "source.cmdline" => String::new(),
            None => "-".to_owned(),
        },
    }
}
