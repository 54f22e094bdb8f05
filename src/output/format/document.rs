//! An event as a value: what [`render`](crate::output::render) writes, kept as an ordered tree of keys.
//!
//! Filters, redaction, folding and the formats for eyes work on it. A format for programs is written directly where
//! none of these is asked for.

use super::{Format, ValueRef};
use crate::event::header::Header;

/// What a key holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value {
    /// Text that may hold anything.
    Text(String),
    /// A number.
    Number(u64),
    /// A number that may be negative.
    Integer(i64),
    /// Nanoseconds, printed as seconds.
    Seconds(u64),
    /// A truth.
    Flag(bool),
    /// Byte strings of other processes.
    List(Vec<Vec<u8>>),
    /// Our own words.
    Words(Vec<String>),
    /// Names and values of other processes.
    Names(Vec<(String, String)>),
    /// More keys.
    Object(Vec<Field>),
    /// A list of objects.
    Objects(Vec<Vec<Field>>),
}

/// A key and what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Field {
    /// One word of the path.
    pub key: &'static str,
    /// What it holds.
    pub value: Value,
    /// A flat format puts it at the end of the line.
    pub is_last: bool,
}

/// The arguments that a title consists of. No key of an output: redaction needs it, and takes it away.
pub const TITLE_ARGUMENTS: &str = "titleArguments";

/// What a signal holds of the end that it is joined to. No key of an output: a format that joins them draws it.
pub const JOINED_END: &str = "joinedEnd";

/// An event as a value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    is_for_redaction: bool,
    header: Header,
    fields: Vec<Field>,
    /// The objects around the one that is being written: what they hold so far, the key that was opened in them.
    open: Vec<(Vec<Field>, &'static str, bool)>,
}

impl Document {
    /// One that will be redacted.
    pub fn for_redaction() -> Self {
        Self { is_for_redaction: true, ..Self::default() }
    }

    /// What it is, in short.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Its keys.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Its keys, to be changed.
    pub fn fields_mut(&mut self) -> &mut Vec<Field> {
        &mut self.fields
    }

    /// What is at a path, words joined by dots. What another process named has no path: see
    /// [`foreign`](Self::foreign).
    pub fn get(&self, path: &str) -> Option<&Value> {
        let mut fields = &self.fields;
        let mut words = path.split('.').peekable();
        while let Some(word) = words.next() {
            let value = &fields.iter().find(|field| field.key == word)?.value;
            match value {
                _ if words.peek().is_none() => return Some(value),
                Value::Object(inner) => fields = inner,
                _ => return None,
            }
        }
        None
    }

    /// The value that another process gave to a name: `source.env.HOME`.
    pub fn foreign(&self, path: &str) -> Option<&str> {
        // a name may hold dots itself, the path to it holds none of other processes' words
        path.match_indices('.').find_map(|(at, _)| match self.get(&path[..at]) {
            Some(Value::Names(names)) => {
                names.iter().find(|(name, _)| name == &path[at + 1..]).map(|(_, value)| value.as_str())
            }
            _ => None,
        })
    }

    /// The text at a path.
    pub fn text_at(&self, path: &str) -> Option<&str> {
        match self.get(path)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number at a path.
    pub fn number_at(&self, path: &str) -> Option<i128> {
        self.get(path)?.as_number()
    }

    /// Is the flag at a path set?
    pub fn is_set(&self, path: &str) -> bool {
        matches!(self.get(path), Some(Value::Flag(true)))
    }

    /// Is there an object at a path?
    pub fn object(&self, path: &str) -> Option<&[Field]> {
        match self.get(path)? {
            Value::Object(fields) => Some(fields),
            _ => None,
        }
    }

    /// Puts a key behind the first of `places` that exists, at the end otherwise.
    pub fn insert_behind(&mut self, places: &[&str], key: &'static str, value: Value) {
        let at = places
            .iter()
            .find_map(|place| self.fields.iter().position(|field| field.key == *place))
            .map_or(self.fields.len(), |at| at + 1);
        self.fields.insert(at, Field { key, value, is_last: false });
    }

    /// Bytes of memory, roughly.
    pub fn size(&self) -> usize {
        size_of::<Self>() + self.fields.capacity() * size_of::<Field>() + held_by(&self.fields)
    }

    /// Writes it with a format, in the order in which it was written.
    pub fn write_to(&self, format: &mut dyn Format) {
        format.begin(&self.header);
        write_fields(&self.fields, format);
    }

    fn push(&mut self, key: &'static str, value: Value) {
        self.fields.push(Field { key, value, is_last: false });
    }

    fn open_object(&mut self, key: &'static str, is_last: bool) {
        self.open.push((std::mem::take(&mut self.fields), key, is_last));
    }
}

impl Value {
    /// Bytes of memory that it holds beside itself, roughly.
    fn size(&self) -> usize {
        match self {
            Self::Text(text) => on_heap(text.capacity()),
            Self::Number(_) | Self::Integer(_) | Self::Seconds(_) | Self::Flag(_) => 0,
            Self::List(items) => {
                let each = items.iter().map(|item| on_heap(item.capacity())).sum::<usize>();
                on_heap(items.capacity() * size_of::<Vec<u8>>()) + each
            }
            Self::Words(words) => {
                let each = words.iter().map(|word| on_heap(word.capacity())).sum::<usize>();
                on_heap(words.capacity() * size_of::<String>()) + each
            }
            Self::Names(names) => {
                let each =
                    names.iter().map(|(name, value)| on_heap(name.capacity()) + on_heap(value.capacity()));
                on_heap(names.capacity() * 2 * size_of::<String>()) + each.sum::<usize>()
            }
            Self::Object(fields) => on_heap(fields.capacity() * size_of::<Field>()) + held_by(fields),
            Self::Objects(items) => {
                let each = items
                    .iter()
                    .map(|fields| on_heap(fields.capacity() * size_of::<Field>()) + held_by(fields));
                on_heap(items.capacity() * size_of::<Vec<Field>>()) + each.sum::<usize>()
            }
        }
    }

    /// As a number, if it is one.
    pub fn as_number(&self) -> Option<i128> {
        match self {
            Self::Number(number) => Some(i128::from(*number)),
            Self::Integer(number) => Some(i128::from(*number)),
            _ => None,
        }
    }
}

/// The value of a key among these.
pub fn find<'a>(fields: &'a [Field], key: &str) -> Option<&'a Value> {
    fields.iter().find(|field| field.key == key).map(|field| &field.value)
}

/// A process and those above it, as they are nested.
pub fn chain(process: &[Field]) -> impl Iterator<Item = &[Field]> {
    std::iter::successors(Some(process), |below| match find(below, "parent") {
        Some(Value::Object(parent)) => Some(parent.as_slice()),
        _ => None,
    })
}

/// What an allocator takes for so many bytes: of a command line of many short arguments that is most of it.
fn on_heap(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { (bytes + 8).next_multiple_of(16).max(32) }
}

/// Bytes that fields hold beside themselves.
fn held_by(fields: &[Field]) -> usize {
    fields.iter().map(|field| field.value.size()).sum()
}

/// Writes keys and what they hold with a format.
pub(super) fn write_fields(fields: &[Field], format: &mut dyn Format) {
    for Field { key, value, is_last } in fields {
        let borrowed = match value {
            Value::Text(text) => ValueRef::Text(text),
            Value::Number(number) => ValueRef::Number(*number),
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Seconds(nanoseconds) => ValueRef::Seconds(*nanoseconds),
            Value::Flag(flag) => ValueRef::Flag(*flag),
            Value::List(items) => {
                let items: Vec<&[u8]> = items.iter().map(Vec::as_slice).collect();
                format.field(key, ValueRef::List(&items));
                continue;
            }
            Value::Words(words) => ValueRef::Words(words),
            Value::Names(names) => ValueRef::Names(names),
            Value::Objects(items) => ValueRef::Objects(items),
            Value::Object(inner) => {
                if *is_last {
                    format.open_last(key);
                } else {
                    format.open(key);
                }
                write_fields(inner, format);
                format.close();
                continue;
            }
        };
        format.field(key, borrowed);
    }
}

impl From<ValueRef<'_>> for Value {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Text(text) => Self::Text(text.to_owned()),
            ValueRef::Number(number) => Self::Number(number),
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Seconds(nanoseconds) => Self::Seconds(nanoseconds),
            ValueRef::Flag(flag) => Self::Flag(flag),
            ValueRef::List(items) => Self::List(items.iter().map(|item| item.to_vec()).collect()),
            ValueRef::Words(words) => Self::Words(words.to_vec()),
            ValueRef::Names(names) => Self::Names(names.to_vec()),
            ValueRef::Objects(items) => Self::Objects(items.to_vec()),
        }
    }
}

impl Format for Document {
    fn title_arguments(&mut self, items: &[&[u8]]) {
        if self.is_for_redaction {
            self.field(TITLE_ARGUMENTS, ValueRef::List(items));
        }
    }

    fn begin(&mut self, header: &Header) {
        self.header = *header;
    }

    fn field(&mut self, key: &'static str, value: ValueRef<'_>) {
        self.push(key, value.into());
    }

    fn open(&mut self, key: &'static str) {
        self.open_object(key, false);
    }

    fn open_last(&mut self, key: &'static str) {
        self.open_object(key, true);
    }

    fn close(&mut self) {
        if let Some((outer, key, is_last)) = self.open.pop() {
            let inner = std::mem::replace(&mut self.fields, outer);
            self.fields.push(Field { key, value: Value::Object(inner), is_last });
        }
    }

    /// A document is no line: it is kept, not written.
    fn finish(&mut self, _out: &mut Vec<u8>) {
        while !self.open.is_empty() {
            self.close();
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::event::Outcome;
    use crate::event::signal::Signal;
    use crate::output::format::ValueRef::{List, Number, Text};
    use crate::output::format::json::Json;

    /// `pkill(7)`, child of `sh(5)`, sends SIGTERM to `yes(9)`.
    pub(crate) fn sample() -> Document {
        let mut document = Document::default();
        document.begin(&Header {
            id: Some(1),
            signal: Signal::new(15),
            outcome: Some(Outcome::Queued),
            ..Header::default()
        });
        document.field("event", Text("signal"));
        document.field("id", Number(1));
        document.field("signal", Number(15));
        document.field("signalName", Text("SIGTERM"));
        document.field("origin", Text("process"));
        document.field("result", Text("queued"));
        for (side, pid, comm) in [("source", 7, "pkill"), ("target", 9, "yes")] {
            document.open(side);
            document.field("pid", Number(pid));
            document.field("cmdline", List(&[comm.as_bytes(), b"a b"]));
            document.field("comm", Text(comm));
            document.field("key", Text(&format!("{pid}@1")));
            document.open_last("parent");
            document.field("pid", Number(5));
            document.field("comm", Text("sh"));
            document.field("key", Text("5@1"));
            document.close();
            document.close();
        }
        document
    }

    fn json(document: &Document) -> String {
        let (mut format, mut out) = (Json::default(), Vec::new());
        document.write_to(&mut format);
        format.finish(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_was_written_is_written_again() {
        let document = sample();
        let mut again = Document::default();
        document.write_to(&mut again);
        assert_eq!(again, document);
    }

    #[test]
    fn a_path_leads_to_its_value_and_to_no_other() {
        let document = sample();
        assert_eq!(document.text_at("source.parent.comm"), Some("sh"));
        assert_eq!(document.number_at("target.pid"), Some(9));
        for path in ["", "source.", "source.pid.x", "sourc", "source.parent.parent", ".event"] {
            assert_eq!(document.get(path), None, "{path}");
        }
    }

    #[test]
    fn a_chain_goes_up_to_the_last_parent() {
        let document = sample();
        let pids: Vec<_> = chain(document.object("source").unwrap())
            .map(|process| find(process, "pid").and_then(Value::as_number).unwrap())
            .collect();
        assert_eq!(pids, [7, 5]);
    }

    #[test]
    fn a_key_comes_behind_the_first_place_that_is_there() {
        let mut document = sample();
        document.insert_behind(&["fatal", "result"], "repeated", Value::Number(3));
        assert!(json(&document).contains("\"result\":\"queued\",\"repeated\":3,"));
    }

    #[test]
    fn an_object_that_was_left_open_is_closed() {
        let mut document = Document::default();
        document.open("source");
        document.field("pid", Number(1));
        document.finish(&mut Vec::new());
        assert_eq!(document.number_at("source.pid"), Some(1));
        document.close();
    }
}
