//! A format for eyes sees an event as a whole: this stands between it and the trait that tells fields one by one.

use std::fmt;

use super::Format;
use super::document::Document;

/// Draws whole events.
pub trait Layout: fmt::Debug {
    /// Appends the lines of one event to `out`.
    fn draw(&mut self, document: &Document, out: &mut Vec<u8>);
}

/// Collects an event, then has it drawn.
#[derive(Debug)]
pub struct Drawn<L> {
    document: Document,
    layout: L,
}

impl<L: Layout> Drawn<L> {
    /// A format that draws so.
    pub fn new(layout: L) -> Self {
        Self { document: Document::default(), layout }
    }
}

impl<L: Layout> Format for Drawn<L> {
    fn text(&mut self, key: &'static str, value: &str) {
        self.document.text(key, value);
    }

    fn number(&mut self, key: &'static str, value: u64) {
        self.document.number(key, value);
    }

    fn integer(&mut self, key: &'static str, value: i64) {
        self.document.integer(key, value);
    }

    fn seconds(&mut self, key: &'static str, nanoseconds: u64) {
        self.document.seconds(key, nanoseconds);
    }

    fn flag(&mut self, key: &'static str, value: bool) {
        self.document.flag(key, value);
    }

    fn list(&mut self, key: &'static str, items: &[&[u8]]) {
        self.document.list(key, items);
    }

    fn names(&mut self, key: &'static str, values: &[(String, String)]) {
        self.document.names(key, values);
    }

    fn words(&mut self, key: &'static str, items: &[String]) {
        self.document.words(key, items);
    }

    fn open(&mut self, key: &'static str) {
        self.document.open(key);
    }

    fn open_last(&mut self, key: &'static str) {
        self.document.open_last(key);
    }

    fn close(&mut self) {
        self.document.close();
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.document.finish(out);
        self.layout.draw(&self.document, out);
        self.document = Document::default();
    }
}
