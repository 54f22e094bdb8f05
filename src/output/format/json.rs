//! JSON: one object a line.

use super::Format;
use super::line_template::{Gap, PlacedSlot};
use super::parts::{Basis, PartOf, Parts};
use crate::base::digits::{push_integer, push_number, push_seconds};
use crate::base::sanitize::push_json_string;

/// Writes an event as one JSON object.
#[derive(Debug, Default)]
pub struct Json {
    line: Vec<u8>,
    parts: Parts,
    /// Where the part that is told now begins.
    part_at: usize,
    /// Where the value that was told last begins.
    value_at: usize,
    gaps: Vec<PlacedSlot>,
}

impl Json {
    fn separate(&mut self) {
        match self.line.last() {
            None => {
                self.gaps.clear();
                self.line.push(b'{');
            }
            Some(b'{') => {}
            Some(_) => self.line.push(b','),
        }
    }

    fn key(&mut self, key: &str) {
        self.separate();
        self.line.push(b'"');
        self.line.extend_from_slice(key.as_bytes());
        self.line.extend_from_slice(b"\":");
        self.value_at = self.line.len();
    }
}

impl Format for Json {
    fn text(&mut self, key: &'static str, value: &str) {
        self.key(key);
        push_json_string(&mut self.line, value);
    }

    fn number(&mut self, key: &'static str, value: u64) {
        self.key(key);
        push_number(&mut self.line, value);
    }

    fn integer(&mut self, key: &'static str, value: i64) {
        self.key(key);
        push_integer(&mut self.line, value);
    }

    fn seconds(&mut self, key: &'static str, nanoseconds: u64) {
        self.key(key);
        push_seconds(&mut self.line, nanoseconds);
    }

    fn flag(&mut self, key: &'static str, value: bool) {
        self.key(key);
        self.line.extend_from_slice(if value { b"true" } else { b"false" });
    }

    fn list(&mut self, key: &'static str, items: &[&[u8]]) {
        self.key(key);
        self.line.push(b'[');
        for (place, item) in items.iter().enumerate() {
            if place > 0 {
                self.line.push(b',');
            }
            push_json_string(&mut self.line, &String::from_utf8_lossy(item));
        }
        self.line.push(b']');
    }

    fn words(&mut self, key: &'static str, items: &[String]) {
        let items: Vec<&[u8]> = items.iter().map(String::as_bytes).collect();
        self.list(key, &items);
    }

    fn names(&mut self, key: &'static str, values: &[(String, String)]) {
        self.key(key);
        self.line.push(b'{');
        for (place, (name, value)) in values.iter().enumerate() {
            if place > 0 {
                self.line.push(b',');
            }
            push_json_string(&mut self.line, name);
            self.line.push(b':');
            push_json_string(&mut self.line, value);
        }
        self.line.push(b'}');
    }

    fn open(&mut self, key: &'static str) {
        self.key(key);
        self.line.push(b'{');
    }

    fn close(&mut self) {
        self.line.push(b'}');
    }

    fn recall(&mut self, of: PartOf, basis: &Basis<'_>) -> bool {
        self.separate();
        self.part_at = self.line.len();
        let Some(text) = self.parts.get(of, "", basis) else {
            // the first key separates itself
            if self.line.last() == Some(&b',') {
                self.line.pop();
            }
            return false;
        };
        self.line.extend_from_slice(text);
        true
    }

    fn remember(&mut self, of: PartOf, basis: &Basis<'_>) {
        self.parts.put(of, "", basis, &self.line[self.part_at..]);
    }

    fn gap(&mut self, gap: Gap) {
        self.gaps.push(PlacedSlot::at_the_end(&self.line, self.value_at, gap));
    }

    fn gaps(&self) -> Option<&[PlacedSlot]> {
        Some(&self.gaps)
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        if self.line.is_empty() {
            self.line.push(b'{');
        }
        self.line.extend_from_slice(b"}\n");
        out.extend_from_slice(&self.line);
        self.line.clear();
    }
}
