//! From the JSON line of an event back to the event as a value: what was stored is filtered, folded, joined and drawn by the same
//! code as what is traced. Types and names come from the [table of keys](super::keys).
//!
//! A key that this build does not know is left out of the value, since a later one may have written the line.

use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::LazyLock;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::format::Format;
use super::format::document::{Document, Field, Value, find};
use super::keys::{self, EVENT, Keys, ValueKind};
use crate::event::Author;
use crate::event::Outcome;
use crate::event::flood::FloodKey;
use crate::event::header::{EventKind, Header};
use crate::event::signal::Signal;
use crate::record::ProcessKey;

/// Why a line is no event.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not JSON, or a key holds what it never holds.
    #[error("not an event: {0}")]
    Json(#[from] serde_json::Error),
    /// No kind of event that this build knows.
    #[error("'{0}' is no kind of event that this version knows")]
    Kind(String),
}

/// The event of a line of `-o json`.
///
/// # Errors
/// If the line is no JSON object, or none of an event that this version knows.
pub fn document(line: &str) -> Result<Document, ReadError> {
    let mut deserializer = serde_json::Deserializer::from_str(line);
    let fields = Object(EVENT).deserialize(&mut deserializer)?;
    deserializer.end()?;
    let mut document = Document::default();
    *document.fields_mut() = fields;
    let header = header_of(&document)?;
    document.begin(&header);
    Ok(document)
}

/// Keys of an object, in the order in which they were written.
struct Object(Keys);

impl<'de> DeserializeSeed<'de> for Object {
    type Value = Vec<Field>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Field>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object {
    type Value = Vec<Field>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<Field>, A::Error> {
        let mut fields = Vec::with_capacity(map.size_hint().unwrap_or(24));
        while let Some(name) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            match self.0.find(&name) {
                Some(key) => {
                    let value = map.next_value_seed(Content(key.kind))?;
                    // a flat format puts them at the end of the line
                    let is_last = matches!(key.name, "parent" | "spawnedBy");
                    fields.push(Field { key: key.name, value, is_last });
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(fields)
    }
}

/// What a key of this kind holds.
struct Content(ValueKind);

impl<'de> DeserializeSeed<'de> for Content {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Content {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "what a key holds that is {:?}", std::mem::discriminant(&self.0))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        match self.0 {
            ValueKind::Text(_) | ValueKind::Word(_) | ValueKind::Base64 | ValueKind::SignalName => {
                Ok(Value::Text(text.to_owned()))
            }
            _ => Err(E::custom("a text where there should be none")),
        }
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
        match self.0 {
            ValueKind::Flag => Ok(Value::Flag(flag)),
            _ => Err(E::custom("true or false where there should be neither")),
        }
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        match self.0 {
            ValueKind::Number(_) | ValueKind::SignalNumber => Ok(Value::Number(number)),
            ValueKind::Decimal => Ok(Value::Seconds(number.saturating_mul(1_000_000_000))),
            _ => Err(E::custom("a number where there should be none")),
        }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        match self.0 {
            ValueKind::Number(_) | ValueKind::SignalNumber => Ok(Value::Integer(number)),
            _ => Err(E::custom("a negative number where there should be none")),
        }
    }

    /// Microseconds are all that is printed: below 2^53 of them a float holds each.
    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        match self.0 {
            ValueKind::Decimal if number >= 0.0 => {
                Ok(Value::Seconds(((number * 1e6).round() as u64).saturating_mul(1000)))
            }
            _ => Err(E::custom("a fraction where there should be none")),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        match self.0 {
            ValueKind::List(author) => {
                let mut items: Vec<String> = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(match author {
                    keys::Author::Own => Value::Words(items),
                    _ => Value::List(items.into_iter().map(String::into_bytes).collect()),
                })
            }
            ValueKind::Objects(_) => {
                let mut items = Vec::new();
                while let Some(item) = list.next_element_seed(Object(self.0.below()))? {
                    items.push(item);
                }
                Ok(Value::Objects(items))
            }
            _ => Err(A::Error::custom("a list where there should be none")),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        match self.0 {
            ValueKind::Names => {
                let mut names = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    names.push(pair);
                }
                Ok(Value::Names(names))
            }
            ValueKind::Object(_) | ValueKind::Process | ValueKind::ShortProcess => {
                Object(self.0.below()).visit_map(map).map(Value::Object)
            }
            _ => Err(A::Error::custom("an object where there should be none")),
        }
    }
}

/// What it is in short, of its keys.
fn header_of(document: &Document) -> Result<Header, ReadError> {
    let kind = document.text_at("event").unwrap_or_default();
    let kind = EventKind::named(kind).ok_or_else(|| ReadError::Kind(kind.to_owned()))?;
    let number = |path| document.number_at(path).and_then(|number| u64::try_from(number).ok());
    let signal = number("signal").and_then(|number| u8::try_from(number).ok()).and_then(Signal::new);
    let outcome = document.text_at("result").and_then(Outcome::named);
    Ok(Header {
        kind,
        id: number("id"),
        signal,
        outcome: outcome.filter(|_| kind == EventKind::Signal),
        is_fatal: document.is_set("fatal"),
        dumps_core: kind == EventKind::Signal
            && outcome == Some(Outcome::Queued)
            && signal.is_some_and(Signal::dumps_core_by_default)
            && document.text_at("target.disposition") == Some("default")
            && !document.is_set("target.blocked")
            && document.number_at("target.nspid") != Some(1),
        is_of_thread: kind == EventKind::Ended && document.text_at("scope") == Some("thread"),
        after: number("after.id"),
        flood: flood_of(document, kind),
        author: Author::default(),
        repeated: number("repeated").unwrap_or(0),
    })
}

/// As in a trace: one signal from one source to one target, and what is printed of both.
fn flood_of(document: &Document, kind: EventKind) -> FloodKey {
    static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    let mut hasher = HASHER.build_hasher();
    for path in ["origin", "reason", "via", "scope", "code", "result", "pidArgument", "trigger.pid"] {
        document.get(path).hash(&mut hasher);
    }
    document.is_set("fatal").hash(&mut hasher);
    for side in ["source", "target"] {
        let fields = document.object(side).unwrap_or_default();
        for key in ["comm", "cmdline", "user"] {
            find(fields, key).hash(&mut hasher);
        }
    }
    // no two ends are one flood, nor are two reports of loss
    if !matches!(kind, EventKind::Signal | EventKind::Attempt) {
        document.get("id").hash(&mut hasher);
        document.get("time").hash(&mut hasher);
    }
    let key = |path| document.text_at(path).and_then(process_key);
    FloodKey {
        kind,
        source: key("source.key"),
        target: key("target.key"),
        signal: document.number_at("signal").and_then(|number| i32::try_from(number).ok()).unwrap_or(0),
        facts: std::hash::Hasher::finish(&hasher),
    }
}

/// Of `pid@start`.
fn process_key(text: &str) -> Option<ProcessKey> {
    let (pid, start) = text.split_once('@')?;
    Some((pid.parse().ok()?, start.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::format::json::Json;

    fn json(document: &Document) -> String {
        let (mut format, mut out) = (Json::default(), Vec::new());
        document.write_to(&mut format);
        format.finish(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_holds_what_it_never_holds_is_refused_and_what_is_unknown_is_left_out() {
        for wrong in [
            "",
            "[]",
            "{",
            "{}",
            r#"{"event":"dance"}"#,
            r#"{"event":"signal","id":"x"}"#,
            r#"{"event":"signal","source":7}"#,
            r#"{"event":"signal","missing":"x"}"#,
            r#"{"event":"signal","source":{"pid":-1.5}}"#,
            r#"{"event":"signal"} x"#,
        ] {
            assert!(document(wrong).is_err(), "{wrong}");
        }
        let read = document(r#"{"event":"signal","id":3,"future":{"a":[1]},"source":{"pid":7,"x":null}}"#);
        assert_eq!(json(&read.unwrap()), "{\"event\":\"signal\",\"id\":3,\"source\":{\"pid\":7}}\n");
    }

    #[test]
    fn every_kind_of_event_of_the_contract_is_read() {
        for kind in crate::output::keys::EVENTS {
            assert!(document(&format!("{{\"event\":\"{kind}\"}}")).is_ok(), "{kind}");
        }
    }

    #[test]
    fn a_process_key_is_a_pid_and_a_start() {
        assert_eq!(process_key("7@12"), Some((7, 12)));
        for wrong in ["", "7", "7@", "@7", "x@7"] {
            assert_eq!(process_key(wrong), None, "{wrong}");
        }
    }
}
