//! logfmt: the same value flattened, keys joined by dots; the trees' nested parents last.
//!
//! A list is `[python /main.py --port=8080]`; an argument that is empty or could be mistaken is a JSON string
//! inside it. The value as a whole is quoted where logfmt needs it.

use super::document::{Field, write_fields};
use super::fragments::{Basis, FragmentOf, Fragments};
use super::line_template::{PlacedSlot, Slot, Syntax};
use super::{Format, FormatKind, ValueRef};
use crate::base::digits::{push_integer, push_number, push_seconds};
use crate::base::sanitize::{is_safe, push_json_string};

/// `-o logfmt`.
pub const LOGFMT: FormatKind = FormatKind {
    name: "logfmt",
    is_for_programs: true,
    joins_ends: false,
    has_columns: false,
    open: |_, _| Box::<Logfmt>::default(),
};

/// Writes an event as one logfmt line.
#[derive(Debug, Default)]
pub struct Logfmt {
    first: Vec<u8>,
    last: Vec<u8>,
    path: String,
    /// Lengths of `path` before each open object, and whether it is one that goes last.
    open: Vec<(usize, bool)>,
    scratch: Vec<u8>,
    fragments: Fragments,
    /// Where the fragment that is being written begins.
    fragment_at: usize,
    /// Where the last value begins.
    value_at: usize,
    slots: Vec<PlacedSlot>,
    /// There is one in what goes last: its place in the line is not known before the end of the line.
    has_late_slot: bool,
}

/// Does logfmt need quotes around it? (The rule of Go's log/slog.)
fn needs_quotes(value: &str) -> bool {
    value.is_empty()
        || value.bytes().any(|byte| matches!(byte, 0..=b' ' | b'"' | b'=' | 0x7f))
        || (!value.is_ascii() && (value.contains('\u{fffd}') || !is_safe(value)))
}

/// May an argument stand in a list as it is?
pub(super) fn is_plain_argument(argument: &str) -> bool {
    let is_quoted = |byte| {
        matches!(byte, 0..=b' ' | b'"' | b'\'' | b'[' | b']' | b'(' | b')' | b'{' | b'}' | b'\\' | 0x7f)
    };
    !argument.is_empty()
        && !argument.bytes().any(is_quoted)
        && (argument.is_ascii() || (!argument.contains('\u{fffd}') && is_safe(argument)))
}

fn separate(out: &mut Vec<u8>) {
    if !out.is_empty() {
        out.push(b' ');
    }
}

impl Logfmt {
    fn is_last(&self) -> bool {
        self.open.iter().any(|&(_, last)| last)
    }

    fn out(&mut self) -> &mut Vec<u8> {
        if self.is_last() { &mut self.last } else { &mut self.first }
    }

    fn key(&mut self, key: &str) {
        if self.first.is_empty() && self.last.is_empty() {
            self.slots.clear();
            self.has_late_slot = false;
        }
        let path = std::mem::take(&mut self.path);
        let out = self.out();
        separate(out);
        out.extend_from_slice(path.as_bytes());
        out.extend_from_slice(key.as_bytes());
        out.push(b'=');
        let value_at = out.len();
        self.value_at = value_at;
        self.path = path;
    }

    fn value(&mut self, value: &str) {
        let out = self.out();
        if needs_quotes(value) {
            push_json_string(out, value);
        } else {
            out.extend_from_slice(value.as_bytes());
        }
    }

    fn list(&mut self, items: &[&[u8]]) {
        let mut list = std::mem::take(&mut self.scratch);
        list.clear();
        list.push(b'[');
        for (place, item) in items.iter().enumerate() {
            if place > 0 {
                list.push(b' ');
            }
            let argument = String::from_utf8_lossy(item);
            if is_plain_argument(&argument) {
                list.extend_from_slice(argument.as_bytes());
            } else {
                push_json_string(&mut list, &argument);
            }
        }
        list.push(b']');
        self.value(&String::from_utf8_lossy(&list));
        self.scratch = list;
    }

    fn names(&mut self, key: &'static str, values: &[(String, String)]) {
        self.push(key, false);
        for (name, value) in values {
            self.key(name);
            self.value(value);
        }
        self.close();
    }

    /// The place of each is a word of its path: `authors.0.uid`.
    fn objects(&mut self, key: &'static str, items: &[Vec<Field>]) {
        for (place, fields) in items.iter().enumerate() {
            self.push(key, false);
            self.path.push_str(&place.to_string());
            self.path.push('.');
            write_fields(fields, self);
            self.close();
        }
    }

    fn push(&mut self, key: &'static str, last: bool) {
        self.open.push((self.path.len(), last));
        self.path.push_str(key);
        self.path.push('.');
    }
}

impl Format for Logfmt {
    fn field(&mut self, key: &'static str, value: ValueRef<'_>) {
        match value {
            // their path goes before every name
            ValueRef::Names(names) => return self.names(key, names),
            ValueRef::Objects(items) => return self.objects(key, items),
            _ => {}
        }
        self.key(key);
        match value {
            ValueRef::Text(text) => self.value(text),
            ValueRef::Number(number) => push_number(self.out(), number),
            ValueRef::Integer(number) => push_integer(self.out(), number),
            ValueRef::Seconds(nanoseconds) => push_seconds(self.out(), nanoseconds),
            ValueRef::Flag(flag) => self.out().extend_from_slice(if flag { b"true" } else { b"false" }),
            ValueRef::List(items) => self.list(items),
            ValueRef::Words(words) => self.value(&format!("[{}]", words.join(" "))),
            ValueRef::Names(_) | ValueRef::Objects(_) => {}
        }
    }

    fn open(&mut self, key: &'static str) {
        self.push(key, false);
    }

    fn open_last(&mut self, key: &'static str) {
        self.push(key, true);
    }

    fn recall(&mut self, of: FragmentOf, basis: &Basis<'_>) -> bool {
        let out = if self.is_last() { &mut self.last } else { &mut self.first };
        // what separates it is no part of it
        self.fragment_at = out.len() + usize::from(!out.is_empty());
        let Some(text) = self.fragments.get(of, &self.path, basis) else { return false };
        separate(out);
        out.extend_from_slice(text);
        true
    }

    fn remember(&mut self, of: FragmentOf, basis: &Basis<'_>) {
        let out = if self.is_last() { &self.last } else { &self.first };
        self.fragments.put(of, &self.path, basis, &out[self.fragment_at..]);
    }

    fn slot(&mut self, slot: Slot) {
        self.has_late_slot |= self.is_last();
        self.slots.push(PlacedSlot::at_the_end(&self.first, self.value_at.min(self.first.len()), slot));
    }

    fn repeats(&mut self) {
        let end = self.first.len();
        self.slots.push(PlacedSlot::empty(end, Slot::Repeats(Syntax::Logfmt)));
    }

    fn slots(&self) -> Option<&[PlacedSlot]> {
        (!self.has_late_slot).then_some(&self.slots)
    }

    fn close(&mut self) {
        if let Some((length, _)) = self.open.pop() {
            self.path.truncate(length);
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.first);
        if !self.last.is_empty() {
            out.push(b' ');
            out.extend_from_slice(&self.last);
        }
        out.push(b'\n');
        self.first.clear();
        self.last.clear();
        self.open.clear();
        self.path.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::format::ValueRef::{List, Number};

    fn list(items: &[&[u8]]) -> String {
        let mut format = Logfmt::default();
        format.field("cmdline", List(items));
        let mut out = Vec::new();
        format.finish(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lists_are_the_seeds() {
        assert_eq!(list(&[b"runc"]), "cmdline=[runc]\n");
        assert_eq!(list(&[b"-zsh"]), "cmdline=[-zsh]\n");
        assert_eq!(list(&[]), "cmdline=[]\n");
        assert_eq!(
            list(&[b"python", b"/main.py", b"--port=8080"]),
            "cmdline=\"[python /main.py --port=8080]\"\n"
        );
    }

    #[test]
    fn argument_boundaries_are_never_lost() {
        assert_eq!(list(&[b"sh", b"-c", b"a b"]), "cmdline=\"[sh -c \\\"a b\\\"]\"\n");
        assert_eq!(list(&[b""]), "cmdline=\"[\\\"\\\"]\"\n");
        assert_eq!(list(&[b"x]", b"\x1b[2J"]), "cmdline=\"[\\\"x]\\\" \\\"\\\\u001b[2J\\\"]\"\n");
        assert_eq!(list(&[b"\xff"]), "cmdline=\"[\\\"\u{fffd}\\\"]\"\n");
    }

    #[test]
    fn parents_come_last() {
        let mut format = Logfmt::default();
        format.open("source");
        format.field("pid", Number(1));
        format.open_last("parent");
        format.field("pid", Number(2));
        format.open("user");
        format.field("id", Number(3));
        format.close();
        format.close();
        format.close();
        format.open("target");
        format.field("pid", Number(4));
        format.close();
        let mut out = Vec::new();
        format.finish(&mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "source.pid=1 target.pid=4 source.parent.pid=2 source.parent.user.id=3\n"
        );
    }
}
