//! A format for eyes sees an event as a whole: this stands between it and the trait that hands over fields one by one.

use std::fmt;

use super::document::Document;
use super::{Format, ValueRef};
use crate::event::header::Header;

/// Draws whole events.
pub trait Layout: fmt::Debug {
    /// Appends the lines of one event to `out`.
    fn draw(&mut self, document: &Document, out: &mut Vec<u8>);
}

/// Collects an event, then has it drawn.
#[derive(Debug)]
pub struct DrawnFormat<L> {
    document: Document,
    layout: L,
}

impl<L: Layout> DrawnFormat<L> {
    /// A format that draws so.
    pub fn new(layout: L) -> Self {
        Self { document: Document::default(), layout }
    }
}

impl<L: Layout> Format for DrawnFormat<L> {
    fn begin(&mut self, header: &Header) {
        self.document.begin(header);
    }

    fn field(&mut self, key: &'static str, value: ValueRef<'_>) {
        self.document.field(key, value);
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
