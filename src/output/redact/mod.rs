//! `--redact REGEX` and `--redact-secrets`: takes secrets out of an event before any filter or output sees it.
//!
//! Arguments keep their boundaries: a pattern is matched on the arguments joined by blanks, and what it covers of
//! each is replaced. With groups in the pattern, only what they capture is. Names of processes are replaced in the facts,
//! so that every sentence and tree is made of what is left; all other text that may be another process's is searched by
//! the table of keys: a key that the table does not call this program's own is searched.

mod comms;
mod partial;
mod secrets;
mod spans;

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;
use regex::bytes::Regex;

use self::partial::Beginnings;
use self::secrets::{Steps, Texts};
use self::spans::{captured, fill, fillers, merged, per_item, replace};
use crate::error::UsageError;
use crate::output::format::document::{Document, Field, TITLE_ARGUMENTS, Value};
use crate::output::keys::{self, Author, Key, Keys, RAW, ValueKind};

/// Stands for what was taken out.
pub const REDACTED: &str = "[redacted]";

/// All patterns together may be busy for so long with a text: how often a regular expression looks at the same byte again
/// is not ours to count.
const PATIENCE: Duration = Duration::from_millis(50);

/// What was taken out of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Removal {
    Nothing,
    /// These.
    Fragments(Vec<Vec<u8>>),
    /// It took too long to search it.
    All,
}

/// A pattern of the command line.
#[derive(Debug, Clone)]
struct Pattern {
    regex: Regex,
    beginnings: Beginnings,
}

/// What is taken out.
#[derive(Debug, Clone, Default)]
pub struct Redaction {
    patterns: Vec<Pattern>,
    takes_secrets: bool,
}

impl Redaction {
    /// These patterns, and the usual shapes of secrets if `takes_secrets`.
    pub fn new(patterns: Vec<Regex>, takes_secrets: bool) -> Self {
        let pattern = |regex: Regex| Pattern { beginnings: Beginnings::of(regex.as_str()), regex };
        Self { patterns: patterns.into_iter().map(pattern).collect(), takes_secrets }
    }

    /// Nothing is.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty() && !self.takes_secrets
    }

    /// Takes it out of an event that is a value.
    pub fn apply(&self, document: &mut Document) {
        if !self.is_empty() {
            self.fields(document.fields_mut(), keys::EVENT, &Steps::of_event());
        }
    }

    fn fields(&self, fields: &mut Vec<Field>, table: Keys, steps: &Steps) {
        let is_cut = |fields: &[Field], text: &str| {
            fields.iter().any(|field| field.key.strip_suffix("Truncated") == Some(text))
        };
        let mut redacted: Vec<&'static str> = Vec::new();
        let mut of_cmdline = Removal::Nothing;
        if let Some(at) = fields.iter().position(|field| field.key == TITLE_ARGUMENTS) {
            if let Value::List(items) = fields.remove(at).value {
                redacted.extend(self.arguments_of_title(items, fields, steps).then_some("title"));
            }
        }
        for at in 0..fields.len() {
            let key = fields[at].key;
            let known = table.find(key);
            let goes_on = is_cut(fields, key);
            let raw = raw_of(fields, key);
            match &mut fields[at].value {
                Value::Object(inner) => {
                    self.fields(inner, known.map_or_else(Keys::default, Key::below), steps);
                }
                Value::Objects(items) => {
                    for inner in items {
                        self.fields(inner, known.map_or_else(Keys::default, Key::below), steps);
                    }
                }
                Value::List(items) => {
                    let taken = self.replace_in(items, Some(Texts::Arguments), goes_on, steps);
                    if taken == Removal::All {
                        *items = vec![REDACTED.as_bytes().to_vec()];
                    }
                    redacted.extend((taken != Removal::Nothing).then_some(key));
                    if key == "cmdline" {
                        of_cmdline = taken;
                    }
                }
                Value::Names(names) if !key.ends_with(RAW) => {
                    for (name, value) in names {
                        if self.variable(name, value, steps) {
                            redacted.push(key);
                        }
                    }
                }
                Value::Text(text) if may_hold_secrets(known, key) => {
                    let is_full =
                        known.and_then(|known| known.most_bytes).is_some_and(|most| text.len() >= most);
                    let may_go_on = goes_on || is_full;
                    let is_of_names =
                        known.is_some_and(|known| known.kind == ValueKind::Text(Author::OfNames));
                    let texts = if is_of_names { None } else { Some(Texts::Free) };
                    let mut items = [raw.unwrap_or_else(|| std::mem::take(text).into_bytes())];
                    let mut was_any =
                        self.replace_in(&mut items, texts, may_go_on, steps) != Removal::Nothing;
                    let [mut bytes] = items;
                    if key == "title" {
                        was_any |= take_same_out(&mut bytes, &of_cmdline, steps);
                    }
                    *text = String::from_utf8(bytes)
                        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
                    if was_any {
                        redacted.push(key);
                    }
                }
                _ => {}
            }
        }
        // the same bytes in base64 would give it away all the same
        fields.retain(|field| field.key.strip_suffix(RAW).is_none_or(|text| !redacted.contains(&text)));
        if redacted.contains(&"cmdline") {
            let at = fields.iter().position(|field| field.key == "cmdline").map_or(fields.len(), |at| at + 1);
            let flag = Field { key: "cmdlineRedacted", value: Value::Flag(true), is_last: false };
            fields.insert(at, flag);
        }
    }

    /// A title that is a list of arguments, as what it is: joined by blanks it does not show where a secret with a blank ends.
    fn arguments_of_title(&self, mut items: Vec<Vec<u8>>, fields: &mut Vec<Field>, steps: &Steps) -> bool {
        let is_cut = fields.iter().any(|field| field.key == "titleTruncated");
        if self.replace_in(&mut items, Some(Texts::Arguments), is_cut, steps) == Removal::Nothing {
            return false;
        }
        // the bytes of old must not be searched in place of it
        fields.retain(|field| field.key.strip_suffix(RAW) != Some("title"));
        if let Some(title) = fields.iter_mut().find(|field| field.key == "title") {
            let joined = items.join(&b' ');
            title.value = Value::Text(String::from_utf8_lossy(joined.trim_ascii_end()).into_owned());
        }
        true
    }

    /// As in `env NAME=VALUE`: the name says whether the value is a secret.
    fn variable(&self, name: &str, value: &mut String, steps: &Steps) -> bool {
        let mut items = [format!("{name}={value}").into_bytes()];
        if !self.texts(&mut items, Texts::Arguments, false, steps) {
            return false;
        }
        let text = String::from_utf8_lossy(&items[0]).into_owned();
        *value = match text.strip_prefix(&format!("{name}=")) {
            Some(left) => left.to_owned(),
            // the name itself was covered
            None => REDACTED.to_owned(),
        };
        true
    }

    fn texts(&self, items: &mut [Vec<u8>], texts: Texts, is_cut: bool, steps: &Steps) -> bool {
        self.replace_in(items, Some(texts), is_cut, steps) != Removal::Nothing
    }

    /// Takes secrets out of texts. The usual shapes are looked for where they may be. If it `is_cut`, the last text goes
    /// on: what may be the beginning of a secret is taken out as well. What took too long to search is taken out as a whole.
    fn replace_in(
        &self,
        items: &mut [Vec<u8>],
        texts: Option<Texts>,
        is_cut: bool,
        steps: &Steps,
    ) -> Removal {
        steps.begin(items.iter().map(|item| item.len() + 1).sum());
        let spans = self.search(items, texts, is_cut, steps);
        if steps.is_spent() {
            for item in items {
                *item = REDACTED.as_bytes().to_vec();
            }
            return Removal::All;
        }
        let mut of_items: Vec<Vec<Range<usize>>> = vec![Vec::new(); items.len()];
        for (place, range) in spans {
            of_items[place].push(range);
        }
        let (mut was_any, mut parts) = (false, Vec::new());
        for (item, ranges) in items.iter_mut().zip(of_items) {
            let ranges = merged(ranges);
            let taken: Vec<Vec<u8>> = ranges.iter().map(|range| item[range.clone()].to_vec()).collect();
            if replace(item, ranges) {
                was_any = true;
                parts.extend(taken);
            }
        }
        if was_any { Removal::Fragments(parts) } else { Removal::Nothing }
    }

    fn search(
        &self,
        items: &[Vec<u8>],
        texts: Option<Texts>,
        is_cut: bool,
        steps: &Steps,
    ) -> Vec<(usize, Range<usize>)> {
        let fillers = fillers(items);
        let filled = |filler: u8| -> Vec<Vec<u8>> { items.iter().map(|item| fill(item, filler)).collect() };
        let mut spans = Vec::new();
        if let Some(texts) = texts.filter(|_| self.takes_secrets) {
            spans = secrets::find(items, texts, is_cut, steps);
            // a digit is in all that the usual shapes are made of
            if let Some(&digit) = fillers.first().filter(|_| !steps.is_spent()) {
                spans.extend(secrets::find(&filled(digit), texts, is_cut, steps));
            }
        }
        if !self.patterns.is_empty() {
            let begun = Instant::now();
            self.own(&items.join(&b' '), items, is_cut, (begun, steps), &mut spans);
            for &filler in fillers {
                self.own(&filled(filler).join(&b' '), items, is_cut, (begun, steps), &mut spans);
            }
        }
        spans
    }

    /// The patterns of the command line, in the arguments joined by blanks.
    fn own(
        &self,
        joined: &[u8],
        items: &[Vec<u8>],
        is_cut: bool,
        (begun, steps): (Instant, &Steps),
        spans: &mut Vec<(usize, Range<usize>)>,
    ) {
        for pattern in &self.patterns {
            if !steps.take(joined.len()) {
                return;
            }
            let is_in_time = || {
                // in a short text nothing takes long, however busy this host is
                let is_late = joined.len() > 1024 && begun.elapsed() > PATIENCE;
                if is_late {
                    steps.spend();
                }
                !is_late
            };
            let mut ranges = captured(&pattern.regex, joined, is_in_time);
            if steps.is_spent() {
                return;
            }
            let cut = if is_cut { pattern.beginnings.find(joined, steps.left()) } else { (None, 0) };
            steps.take(cut.1);
            ranges.extend(cut.0.map(|from| from..joined.len()));
            per_item(items, ranges, spans);
        }
    }
}

/// A secret of a process's arguments is one in its title as well, however it stands there.
fn take_same_out(title: &mut Vec<u8>, taken: &Removal, steps: &Steps) -> bool {
    let mut ranges = Vec::new();
    match taken {
        Removal::Nothing => {}
        Removal::All => ranges.push(0..title.len()),
        Removal::Fragments(parts) => {
            let parts: BTreeSet<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            for part in parts {
                if !steps.take(64 + title.len() / 4) {
                    ranges = std::iter::once(0..title.len()).collect();
                    break;
                }
                let is_letter = |at: Option<usize>| {
                    at.and_then(|at| title.get(at)).is_some_and(u8::is_ascii_alphanumeric)
                };
                // a short one only where it stands alone
                let is_it = |at: &usize| {
                    part.len() > 3 || !(is_letter(at.checked_sub(1)) || is_letter(Some(at + part.len())))
                };
                ranges.extend(
                    memmem::find_iter(title, part).filter(|at| is_it(at)).map(|at| at..at + part.len()),
                );
            }
        }
    }
    replace(title, ranges)
}

/// Texts that a process wrote, or that quote it: all that the table does not call this program's own. One that the table
/// does not have is searched, too.
fn may_hold_secrets(known: Option<&Key>, key: &str) -> bool {
    let is_free = known.is_none_or(|known| match known.kind {
        ValueKind::Text(author) => author != Author::Own,
        _ => false,
    });
    is_free && !key.ends_with(RAW)
}

/// The bytes of a text that is not UTF-8.
fn raw_of(fields: &[Field], key: &str) -> Option<Vec<u8>> {
    let raw = fields.iter().find(|field| field.key.strip_suffix(RAW) == Some(key))?;
    match &raw.value {
        Value::Text(text) => STANDARD.decode(text).ok(),
        _ => None,
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
mod tests;
