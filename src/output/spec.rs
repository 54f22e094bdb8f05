//! Outputs as they are given on the command line: `json=FILE`, formats to fold, columns. What they mean together is decided
//! where a command line is settled.

use std::path::PathBuf;
use std::str::FromStr;

use super::format::table::SIDES;
use super::format::{ALL, FormatKind};
use super::keys;
use crate::base::nearest::nearest;
use crate::error::UsageError;

/// `FORMAT[=FILE]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputSpec {
    /// How its lines look.
    pub kind: FormatKind,
    /// Where they go; None, which `-` also means, is where a command usually prints.
    pub file: Option<PathBuf>,
}

impl FromStr for OutputSpec {
    type Err = UsageError;

    fn from_str(text: &str) -> Result<Self, UsageError> {
        let wrong = || UsageError::Output {
            given: text.to_owned(),
            nearest: near(text),
            formats: FormatKind::names(),
        };
        let (kind, file) = match text.split_once('=') {
            Some((_, "")) => return Err(wrong()),
            Some((kind, "-")) => (kind, None),
            Some((kind, file)) => (kind, Some(PathBuf::from(file))),
            None => (text, None),
        };
        Ok(Self { kind: FormatKind::named(kind).ok_or_else(wrong)?, file })
    }
}

/// The output that may have been meant: another format with the same FILE.
fn near(text: &str) -> Option<String> {
    let (name, file) = text.split_at(text.find('=').unwrap_or(text.len()));
    let name = nearest(name, ALL.iter().map(|kind| kind.name))?;
    Some(format!("{name}{}", if file == "=" { "=FILE" } else { file }))
}

/// Formats in which floods are folded, comma-separated; or `none`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoldedKinds(Vec<FormatKind>);

impl FoldedKinds {
    /// Are floods folded in this format?
    pub fn contains(&self, kind: FormatKind) -> bool {
        self.0.contains(&kind)
    }
}

impl FromStr for FoldedKinds {
    type Err = UsageError;

    fn from_str(text: &str) -> Result<Self, UsageError> {
        if text == "none" {
            return Ok(Self(Vec::new()));
        }
        let wrong = |name: &str| UsageError::Format {
            given: name.to_owned(),
            nearest: near(name),
            formats: FormatKind::names(),
        };
        let kind = |name: &str| FormatKind::named(name).ok_or_else(|| wrong(name));
        text.split(',').map(kind).collect::<Result<_, _>>().map(Self)
    }
}

/// What can be a column: a key of the output that holds no further keys, or a side, which is shown by its name and pid. What
/// heads a column names it as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnKey(String);

impl From<ColumnKey> for String {
    fn from(key: ColumnKey) -> Self {
        key.0
    }
}

impl FromStr for ColumnKey {
    type Err = UsageError;

    fn from_str(text: &str) -> Result<Self, UsageError> {
        if SIDES.contains(&text) {
            return Ok(Self(text.to_owned()));
        }
        let path = match text {
            "SENDER" | "sender" => Some(SIDES[0].to_owned()),
            "TARGET" => Some(SIDES[1].to_owned()),
            _ if text.chars().all(char::is_uppercase) => {
                keys::paths().into_iter().find(|path| keys::heading(path) == text)
            }
            _ => None,
        };
        match path {
            Some(path) => Ok(Self(path)),
            None => keys::look_up(text).map(|_| Self(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_named_by_its_key_its_side_or_its_heading() {
        for (text, key) in [
            ("source.comm", "source.comm"),
            ("source", "source"),
            ("target", "target"),
            ("SENDER", "source"),
            ("TARGET", "target"),
            ("RESULT", "result"),
            ("SIG", "signalName"),
            ("TCMDLINE", "target.cmdline"),
            ("PID", "source.pid"),
        ] {
            assert_eq!(text.parse::<ColumnKey>().map(String::from).ok().as_deref(), Some(key), "{text}");
        }
        for wrong in ["", "SENDERS", "tty", "foo"] {
            assert!(wrong.parse::<ColumnKey>().is_err(), "{wrong}");
        }
    }
}
