//! `--redact REGEX` and `--redact-secrets`: takes secrets out of an event before any filter or output sees it.
//!
//! Arguments keep their boundaries: a pattern is matched on the arguments joined by blanks, and what it covers of
//! each is replaced. With groups in the pattern, only what they capture is.

use std::ops::Range;

use regex::bytes::Regex;

use super::secrets;
use crate::error::UsageError;
use crate::sink::document::{Document, Field, Value};

/// Stands for what was taken out.
pub const REDACTED: &str = "[redacted]";

/// What is taken out.
#[derive(Debug, Clone, Default)]
pub struct Redaction {
    patterns: Vec<Regex>,
    takes_secrets: bool,
}

impl Redaction {
    /// These patterns, and the usual shapes of secrets if `takes_secrets`.
    pub fn new(patterns: Vec<Regex>, takes_secrets: bool) -> Self {
        Self { patterns, takes_secrets }
    }

    /// Nothing is.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty() && !self.takes_secrets
    }

    /// Takes it out of an event.
    pub fn apply(&self, document: &mut Document) {
        if !self.is_empty() {
            self.fields(document.fields_mut());
        }
    }

    fn fields(&self, fields: &mut Vec<Field>) {
        let mut was_in_cmdline = false;
        for field in fields.iter_mut() {
            match &mut field.value {
                Value::Object(inner) => self.fields(inner),
                Value::List(items) => {
                    was_in_cmdline |= self.arguments(items) && field.key == "cmdline";
                }
                Value::Names(names) => {
                    // as in `env NAME=VALUE`: the name tells whether the value is a secret
                    for (name, value) in names {
                        let mut items = [format!("{name}={value}").into_bytes()];
                        self.arguments(&mut items);
                        let text = String::from_utf8_lossy(&items[0]).into_owned();
                        *value = match text.strip_prefix(&format!("{name}=")) {
                            Some(left) => left.to_owned(),
                            // the name itself was covered
                            None => REDACTED.to_owned(),
                        };
                    }
                }
                Value::Text(text) if may_hold_secrets(field.key) => {
                    let mut items = [std::mem::take(text).into_bytes()];
                    self.arguments(&mut items);
                    let [bytes] = items;
                    *text = String::from_utf8(bytes)
                        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
                }
                _ => {}
            }
        }
        if was_in_cmdline {
            // the same bytes in base64 would tell it all the same
            fields.retain(|field| field.key != "cmdlineRaw");
            let at = fields.iter().position(|field| field.key == "cmdline").map_or(fields.len(), |at| at + 1);
            let flag = Field { key: "cmdlineRedacted", value: Value::Flag(true), is_last: false };
            fields.insert(at, flag);
        }
    }

    /// Takes secrets out of arguments; were there any?
    fn arguments(&self, items: &mut [Vec<u8>]) -> bool {
        let mut spans: Vec<(usize, Range<usize>)> = Vec::new();
        if self.takes_secrets {
            spans.extend(secrets::find(items, secrets::Texts::Arguments, false));
        }
        if !self.patterns.is_empty() {
            let joined = items.join(&b' ');
            for pattern in &self.patterns {
                for range in captured(pattern, &joined) {
                    spans.extend(per_item(items, &range));
                }
            }
        }
        let was_any = !spans.is_empty();
        for (place, item) in items.iter_mut().enumerate() {
            let of_item = spans.iter().filter(|(of, _)| *of == place).map(|(_, range)| range.clone());
            replace(item, of_item.collect());
        }
        was_any
    }
}

/// Texts that a process wrote, or that quote it.
fn may_hold_secrets(key: &str) -> bool {
    matches!(key, "title" | "comm" | "tree" | "summary" | "exe" | "cgroup" | "unit")
}

/// What a pattern covers: its groups if it has any, else the whole.
pub(super) fn captured(pattern: &Regex, text: &[u8]) -> Vec<Range<usize>> {
    pattern
        .captures_iter(text)
        .flat_map(|captures| {
            let whole = usize::from(captures.len() > 1);
            captures.iter().skip(whole).flatten().map(|found| found.range()).collect::<Vec<_>>()
        })
        .filter(|range| !range.is_empty())
        .collect()
}

/// A part of the joined arguments, as parts of each.
fn per_item(items: &[Vec<u8>], range: &Range<usize>) -> Vec<(usize, Range<usize>)> {
    let mut begin = 0;
    let mut parts = Vec::new();
    for (place, item) in items.iter().enumerate() {
        let end = begin + item.len();
        let (from, to) = (range.start.max(begin), range.end.min(end));
        if from < to {
            parts.push((place, from - begin..to - begin));
        }
        begin = end + 1;
    }
    parts
}

fn replace(item: &mut Vec<u8>, mut ranges: Vec<Range<usize>>) {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    for range in merged.into_iter().rev() {
        item.splice(range, REDACTED.bytes());
    }
}

/// A pattern of the command line.
///
/// # Errors
/// If it is no regular expression, or matches nothing at all.
pub fn parse_pattern(text: &str) -> Result<Regex, UsageError> {
    let wrong = |why: String| UsageError::Pattern { pattern: text.to_owned(), why };
    let pattern = Regex::new(text).map_err(|error| {
        let text = error.to_string();
        wrong(text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned())
    })?;
    if text.is_empty() { Err(wrong("it is empty".to_owned())) } else { Ok(pattern) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::Format;
    use proptest::prelude::*;

    fn redacted(patterns: &[&str], takes_secrets: bool, items: &[&[u8]]) -> Vec<String> {
        let patterns = patterns.iter().map(|pattern| parse_pattern(pattern).unwrap()).collect();
        let mut items: Vec<Vec<u8>> = items.iter().map(|item| item.to_vec()).collect();
        Redaction::new(patterns, takes_secrets).arguments(&mut items);
        items.into_iter().map(|item| String::from_utf8_lossy(&item).into_owned()).collect()
    }

    #[test]
    fn a_pattern_takes_out_what_it_covers_and_boundaries_stay() {
        assert_eq!(redacted(&["hunter2"], false, &[b"x", b"a-hunter2-b"]), ["x", "a-[redacted]-b"]);
        assert_eq!(
            redacted(&["-k \\S+"], false, &[b"x", b"-k", b"v", b"w"]),
            ["x", "[redacted]", "[redacted]", "w"]
        );
        assert_eq!(redacted(&["-k (\\S+)"], false, &[b"x", b"-k", b"v"]), ["x", "-k", "[redacted]"]);
        assert_eq!(redacted(&["a", "ab"], false, &[b"ab"]), ["[redacted]"]);
        assert_eq!(redacted(&["x*"], false, &[b"ab"]), ["ab"], "an empty match is none");
    }

    #[test]
    fn a_secret_is_out_of_every_key_that_could_tell_it() {
        let mut document = Document::default();
        document.text("event", "signal");
        document.text("summary", "hunter2(7) sent");
        document.open("source");
        document.list("cmdline", &[b"x", b"hunter2"]);
        document.text("cmdlineRaw", "aHVudGVyMg==");
        document.text("title", "hunter2");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        document.names("env", &[pair("A", "x-hunter2"), pair("hunter2", "y"), pair("B", "z")]);
        document.open_last("parent");
        document.list("cmdline", &[b"y"]);
        document.close();
        document.close();
        Redaction::new(vec![parse_pattern("hunter2|signal").unwrap()], false).apply(&mut document);
        let text = format!("{document:?}");
        assert_eq!(document.foreign("source.env.B"), Some("z"));
        let text = text.replacen("\"hunter2\", \"[redacted]\"", "", 1);
        assert!(!text.contains("hunter2") && !text.contains("aHVudGVyMg"), "{text}");
        assert!(
            document.is_set("source.cmdlineRedacted") && !document.is_set("source.parent.cmdlineRedacted")
        );
        assert_eq!(document.text_at("event"), Some("signal"), "our own words stay");
    }

    #[test]
    fn a_bad_pattern_is_named_with_the_reason() {
        for pattern in ["(", ""] {
            let message = parse_pattern(pattern).unwrap_err().to_string();
            assert!(message.contains(&format!("'{pattern}'")), "{message}");
        }
    }

    proptest! {
        #[test]
        fn nothing_of_a_match_is_left_and_no_argument_is_lost(items in proptest::collection::vec("[ab ]{0,6}", 0..5)) {
            let parts: Vec<&[u8]> = items.iter().map(String::as_bytes).collect();
            let left = redacted(&["b+"], false, &parts);
            prop_assert_eq!(left.len(), items.len());
            prop_assert!(left.iter().all(|item| !item.contains('b')));
        }

        #[test]
        fn no_bytes_make_it_panic(items in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 0..5)) {
            let parts: Vec<&[u8]> = items.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(redacted(&["."], true, &parts).len(), items.len());
        }
    }
}
