//! JSON: one object a line.

use std::borrow::Cow;

use super::document::write_fields;
use super::fragments::{Basis, FragmentOf, Fragments};
use super::line_template::{PlacedSlot, Slot, Syntax};
use super::{Format, FormatKind, ValueRef};
use crate::base::digits::{push_integer, push_number, push_seconds};
use crate::base::sanitize::push_json_string;

/// `-o json`.
pub const JSON: FormatKind = FormatKind {
    name: "json",
    is_for_programs: true,
    joins_ends: false,
    has_columns: false,
    open: |_, _| Box::<Json>::default(),
};

/// Writes an event as one JSON object.
#[derive(Debug, Default)]
pub struct Json {
    line: Vec<u8>,
    fragments: Fragments,
    /// Where the fragment that is being written begins.
    fragment_at: usize,
    /// Where the last value begins.
    value_at: usize,
    slots: Vec<PlacedSlot>,
}

impl Json {
    fn separate(&mut self) {
        match self.line.last() {
            None => {
                self.slots.clear();
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

fn push_list<'a>(line: &mut Vec<u8>, items: impl Iterator<Item = Cow<'a, str>>) {
    line.push(b'[');
    for (place, item) in items.enumerate() {
        if place > 0 {
            line.push(b',');
        }
        push_json_string(line, &item);
    }
    line.push(b']');
}

impl Format for Json {
    fn field(&mut self, key: &'static str, value: ValueRef<'_>) {
        self.key(key);
        let line = &mut self.line;
        match value {
            ValueRef::Text(text) => push_json_string(line, text),
            ValueRef::Number(number) => push_number(line, number),
            ValueRef::Integer(number) => push_integer(line, number),
            ValueRef::Seconds(nanoseconds) => push_seconds(line, nanoseconds),
            ValueRef::Flag(flag) => line.extend_from_slice(if flag { b"true" } else { b"false" }),
            ValueRef::List(items) => push_list(line, items.iter().map(|item| String::from_utf8_lossy(item))),
            ValueRef::Words(words) => push_list(line, words.iter().map(|word| Cow::Borrowed(word.as_str()))),
            ValueRef::Names(names) => {
                line.push(b'{');
                for (place, (name, value)) in names.iter().enumerate() {
                    if place > 0 {
                        line.push(b',');
                    }
                    push_json_string(line, name);
                    line.push(b':');
                    push_json_string(line, value);
                }
                line.push(b'}');
            }
            ValueRef::Objects(items) => {
                line.push(b'[');
                for (place, fields) in items.iter().enumerate() {
                    self.line.extend_from_slice(if place > 0 { b",{" } else { b"{" });
                    write_fields(fields, self);
                    self.line.push(b'}');
                }
                self.line.push(b']');
            }
        }
    }

    fn open(&mut self, key: &'static str) {
        self.key(key);
        self.line.push(b'{');
    }

    fn close(&mut self) {
        self.line.push(b'}');
    }

    fn recall(&mut self, of: FragmentOf, basis: &Basis<'_>) -> bool {
        self.separate();
        self.fragment_at = self.line.len();
        let Some(text) = self.fragments.get(of, "", basis) else {
            // the first key separates itself
            if self.line.last() == Some(&b',') {
                self.line.pop();
            }
            return false;
        };
        self.line.extend_from_slice(text);
        true
    }

    fn remember(&mut self, of: FragmentOf, basis: &Basis<'_>) {
        self.fragments.put(of, "", basis, &self.line[self.fragment_at..]);
    }

    fn slot(&mut self, slot: Slot) {
        self.slots.push(PlacedSlot::at_the_end(&self.line, self.value_at, slot));
    }

    fn repeats(&mut self) {
        let end = self.line.len();
        self.slots.push(PlacedSlot::empty(end, Slot::Repeats(Syntax::Json)));
    }

    fn slots(&self) -> Option<&[PlacedSlot]> {
        Some(&self.slots)
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
