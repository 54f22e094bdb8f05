//! One condition of the command line: `KEY=VALUE`, `KEY>NUMBER`, `KEY<NUMBER`; what it means for its key, and whether it
//! holds of an event.

use std::fmt;
use std::str::FromStr;

use super::super::possible;
use super::comparison::{Pattern, Test, finite};
use super::glob::Glob;
use crate::base::nearest::nearest;
use crate::error::UsageError;
use crate::event::signal::Signal;
use crate::output::format::document::{Document, Value};
use crate::output::keys::{self, Key, ValueKind};

/// `KEY=VALUE`, `KEY>NUMBER`, `KEY<NUMBER`.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    key: String,
    row: &'static Key,
    test: Test,
    text: String,
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl FromStr for Condition {
    type Err = UsageError;

    fn from_str(text: &str) -> Result<Self, UsageError> {
        let Some(at) = text.find(['=', '<', '>']) else {
            return Err(UsageError::Condition(text.to_owned()));
        };
        let (key, rest) = text.split_at(at);
        let row = keys::look_up(key)?;
        let kind = row.kind;
        let wrong = |allowed: String| UsageError::ConditionValue {
            key: key.to_owned(),
            value: rest.trim_start_matches(['=', '<', '>']).to_owned(),
            allowed,
        };
        let comparison = if let Some(values) = rest.strip_prefix('=') {
            let patterns: Result<Vec<Pattern>, String> =
                values.split(',').map(|value| pattern(kind, value)).collect();
            Test::AnyOf(patterns.map_err(wrong)?)
        } else {
            if !matches!(kind, ValueKind::Number(_) | ValueKind::Decimal | ValueKind::SignalNumber) {
                return Err(UsageError::Comparison { key: key.to_owned() });
            }
            let (number, or_equal) = match rest[1..].strip_prefix('=') {
                Some(number) => (number, true),
                None => (&rest[1..], false),
            };
            let number = finite(number).ok_or_else(|| wrong("give a number".to_owned()))?;
            if rest.starts_with('>') { Test::Above(number, or_equal) } else { Test::Below(number, or_equal) }
        };
        possible::check(key, row, &comparison).map_err(|(value, allowed)| UsageError::ConditionValue {
            key: key.to_owned(),
            value,
            allowed,
        })?;
        Ok(Self { key: key.to_owned(), row, test: comparison, text: text.to_owned() })
    }
}

/// What a value of the command line means for a key of this kind; what is allowed, if it means nothing.
fn pattern(kind: ValueKind, value: &str) -> Result<Pattern, String> {
    let glob = Glob::new(value);
    let is_glob = !glob.is_literal();
    match kind {
        ValueKind::SignalNumber | ValueKind::SignalName if !is_glob => value
            .parse()
            .map(Pattern::Signal)
            // signal 0 and worse are what attempts may have
            .or_else(|error| finite(value).map(Pattern::Number).ok_or_else(|| why_no_signal(error))),
        ValueKind::Number(_) | ValueKind::Decimal if !is_glob => finite(value)
            .map(Pattern::Number)
            .ok_or_else(|| "give a number, or compare with > or <".to_owned()),
        ValueKind::Flag if !is_glob => match value {
            "true" => Ok(Pattern::Flag(true)),
            "false" => Ok(Pattern::Flag(false)),
            _ => Err("give true or false".to_owned()),
        },
        ValueKind::Word(words) if !is_glob && !words.contains(&value) => Err(did_you_mean(value, words)),
        ValueKind::Word(words) if !words.iter().any(|word| glob.matches(word)) => {
            Err(format!("nothing matches it of {}", words.join(", ")))
        }
        _ => Ok(Pattern::Glob(glob)),
    }
}

fn why_no_signal(error: UsageError) -> String {
    match error {
        UsageError::Signal { nearest: Some(near), .. } => format!("did you mean {near}?"),
        _ => "give a number from 1 to 64, or a name such as TERM".to_owned(),
    }
}

/// The word that may have been meant, or all that there are.
fn did_you_mean(value: &str, words: &[&str]) -> String {
    match nearest(value, words.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("give one of {}", words.join(", ")),
    }
}

/// A value that a key must have as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exact {
    /// A whole number.
    Number(u64),
    /// A text.
    Text(String),
    /// A signal, by number or name.
    Signal(Signal),
}

impl Condition {
    /// The values that it accepts, if it accepts exact values only.
    pub fn exact(&self) -> Option<Vec<Exact>> {
        let Test::AnyOf(patterns) = &self.test else { return None };
        let exact = |pattern: &Pattern| match pattern {
            Pattern::Signal(signal) => Some(Exact::Signal(*signal)),
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // it is whole, and in range
            Pattern::Number(number) if number.fract() == 0.0 && (0.0..4_294_967_296.0).contains(number) => {
                Some(Exact::Number(*number as u64))
            }
            Pattern::Glob(glob) if glob.is_literal() => Some(Exact::Text(glob.text().to_owned())),
            _ => None,
        };
        patterns.iter().map(exact).collect()
    }

    /// The key that it asks of.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Does it hold? It never does of a key that is absent, but that a flag is false.
    pub fn holds(&self, document: &Document) -> bool {
        let foreign = document.foreign(&self.key).map(|text| Value::Text(text.to_owned()));
        self.test.holds(document.get(&self.key).or(foreign.as_ref()))
    }

    /// The row of its key in the table of keys.
    pub(in crate::output) fn row(&self) -> &'static Key {
        self.row
    }

    /// What it asks.
    pub(in crate::output::select) fn test(&self) -> &Test {
        &self.test
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::format::document::tests::sample;
    use proptest::prelude::*;

    fn holds(condition: &str) -> bool {
        condition.parse::<Condition>().unwrap().holds(&sample())
    }

    #[test]
    fn what_passes_and_what_does_not() {
        for (condition, expected) in [
            ("source.comm=pkill", true),
            ("source.comm=pkil", false),
            ("source.comm=pk*", true),
            ("source.comm=systemd,pkill", true),
            ("source.comm=systemd,bash", false),
            ("source.comm=?kill", true),
            ("target.parent.comm=sh", true),
            ("signal=TERM", true),
            ("signal=15", true),
            ("signal=sigterm", true),
            ("signal=KILL,9", false),
            ("signalName=15", true),
            ("signalName=SIG*", true),
            ("signal>14", true),
            ("signal>15", false),
            ("signal>=15", true),
            ("signal<15", false),
            ("signal<=15", true),
            ("target.pid=9", true),
            ("target.pid=7", false),
            ("target.pid=*", true),
            ("target.tid=*", false),
            ("target.tid>0", false),
            ("source.cmdline=pkill a b", true),
            ("source.cmdline=*a*", true),
            ("source.cmdline=pkill", false),
            ("fatal=false", true),
            ("fatal=true", false),
            ("origin=process", true),
            ("origin=oom,fault", false),
        ] {
            assert_eq!(holds(condition), expected, "{condition}");
        }
    }

    #[test]
    fn a_wrong_condition_names_what_is_wrong_and_what_is_allowed() {
        for (condition, words) in [
            ("source.com=x", &["source.com", "source.comm"][..]),
            ("source", &["source", "KEY=VALUE"]),
            ("source=x", &["source", "source.pid"]),
            ("signal=NOSIG", &["signal", "NOSIG", "1 to 64"]),
            ("origin=procss", &["origin", "procss", "did you mean process?"]),
            ("signal=TREM", &["signal cannot be 'TREM'", "did you mean TERM?"]),
            ("origin=z*", &["origin", "z*", "parent-death"]),
            ("target.pid=x", &["target.pid", "'x'", "number"]),
            ("target.pid>x", &["target.pid", "'x'", "number"]),
            ("source.comm>3", &["source.comm is not a number", "="]),
            ("fatal=yes", &["fatal", "yes", "true or false"]),
        ] {
            let message = condition.parse::<Condition>().unwrap_err().to_string();
            for word in words {
                assert!(message.contains(word), "{condition}: no '{word}' in {message}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_condition_panics(text in any::<String>()) {
            if let Ok(condition) = text.parse::<Condition>() {
                condition.holds(&sample());
            }
        }
    }
}
