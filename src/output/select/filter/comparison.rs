//! How a value of an event is compared with what a condition asks for.

use super::glob::Glob;
use crate::base::digits::decimal_seconds;
use crate::event::signal::Signal;
use crate::output::format::document::Value;

/// How a value is compared.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::output::select) enum Test {
    /// One of these holds.
    AnyOf(Vec<Pattern>),
    /// The number is greater than this, or as great.
    Above(f64, bool),
    /// The number is less than this, or as great.
    Below(f64, bool),
}

/// What one value of a list asks for.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::output::select) enum Pattern {
    Glob(Glob),
    Number(f64),
    Flag(bool),
    Signal(Signal),
}

/// A number that is one.
pub(super) fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

impl Test {
    /// Of this value, or of none.
    pub(in crate::output::select) fn holds(&self, value: Option<&Value>) -> bool {
        match self {
            Self::AnyOf(patterns) => patterns.iter().any(|pattern| pattern.matches(value)),
            Self::Above(than, or_equal) => {
                number(value).is_some_and(|number| number > *than || (*or_equal && number >= *than))
            }
            Self::Below(than, or_equal) => {
                number(value).is_some_and(|number| number < *than || (*or_equal && number <= *than))
            }
        }
    }
}

#[allow(clippy::cast_precision_loss)] // no number of the output passes 2^53
fn number(value: Option<&Value>) -> Option<f64> {
    match value? {
        Value::Text(text) => finite(text),
        Value::Seconds(nanoseconds) => Some(*nanoseconds as f64 / 1e9),
        value => value.as_number().map(|number| number as f64),
    }
}

impl Pattern {
    fn matches(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Self::Flag(wanted), None) => !wanted,
            (_, None) => false,
            (Self::Flag(wanted), Some(value)) => *value == Value::Flag(*wanted),
            (Self::Number(wanted), Some(_)) => {
                number(value).is_some_and(|number| number.total_cmp(wanted).is_eq())
            }
            (Self::Signal(wanted), Some(Value::Text(name))) => {
                name.parse::<Signal>().is_ok_and(|signal| signal == *wanted)
            }
            (Self::Signal(wanted), Some(value)) => value.as_number() == Some(i128::from(wanted.number())),
            (Self::Glob(glob), Some(value)) => match value {
                Value::Text(text) => glob.matches(text),
                Value::Number(number) => glob.matches(&number.to_string()),
                Value::Integer(number) => glob.matches(&number.to_string()),
                Value::Flag(flag) => glob.matches(&flag.to_string()),
                Value::List(items) => glob.matches(&String::from_utf8_lossy(&items.join(&b' '))),
                Value::Words(words) => words.iter().any(|word| glob.matches(word)),
                Value::Seconds(nanoseconds) => glob.matches(&decimal_seconds(*nanoseconds)),
                Value::Object(_) | Value::Objects(_) | Value::Names(_) => false,
            },
        }
    }
}
