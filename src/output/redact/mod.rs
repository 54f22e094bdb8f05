//! `--redact REGEX` and `--redact-secrets`: takes secrets out of an event before any filter or output sees it.
//!
//! Arguments keep their boundaries: a pattern is matched on the arguments joined by blanks, and what it covers of
//! each is replaced. With groups in the pattern, only what they capture is. Names of processes are replaced in the facts,
//! so that every sentence and tree is made of what is left; all other text that may be another process's is searched by
//! the table of keys: a key that the table does not call this program's own is searched.

mod partial;
mod secrets;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;
use regex::bytes::Regex;

use self::partial::Beginnings;
use self::secrets::{Steps, Texts};
use crate::error::UsageError;
use crate::event::Event;
use crate::output::format::document::{Document, Field, TITLE_ARGUMENTS, Value};
use crate::output::keys::{self, Key, Kind, RAW};
use crate::record::{COMM_BYTES, Comm, Previous, ProcessFacts};

/// Stands for what was taken out.
pub const REDACTED: &str = "[redacted]";

/// All patterns together may be busy for so long with a text: how often a regular expression looks at the same byte again
/// is not ours to count.
const PATIENCE: Duration = Duration::from_millis(50);

/// What was taken out of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Taken {
    Nothing,
    /// These.
    Parts(Vec<Vec<u8>>),
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
            self.fields(document.fields_mut(), [keys::EVENT, &[]], &Steps::of_event());
        }
    }

    /// The event with other names of its processes, if there is anything to be taken out of them.
    pub fn names<'a>(&self, event: &Event<'a>) -> Option<Event<'a>> {
        let is_secret = |comm: &[u8]| !self.is_empty() && self.comm(comm).is_some();
        let is_senders = |signal: Option<&Previous>| {
            signal.and_then(|signal| signal.source.as_ref()).is_some_and(|source| is_secret(&source.comm))
        };
        let is_ones =
            |processes: &[ProcessFacts<'_>]| processes.iter().any(|process| is_secret(&process.comm));
        let is_any = match event {
            Event::Signal(signal) => {
                let facts = &signal.facts;
                is_ones(&facts.processes)
                    || is_senders(facts.previous.as_ref())
                    || is_senders(facts.to_source.as_ref())
            }
            Event::Attempt(attempt) => is_ones(&attempt.attempt.facts.processes),
            Event::End(end) => {
                is_ones(&end.facts.processes) || is_senders(end.after.as_ref().map(|after| &after.signal))
            }
            Event::Lost(_) => false,
        };
        if !is_any {
            return None;
        }
        let mut event = event.clone();
        match &mut event {
            Event::Signal(signal) => {
                self.rename(&mut signal.facts.processes);
                self.rename_sender(signal.facts.previous.as_mut());
                self.rename_sender(signal.facts.to_source.as_mut());
            }
            Event::Attempt(attempt) => self.rename(&mut attempt.attempt.facts.processes),
            Event::End(end) => {
                self.rename(&mut end.facts.processes);
                self.rename_sender(end.after.as_mut().map(|after| &mut after.signal));
            }
            Event::Lost(_) => {}
        }
        Some(event)
    }

    /// A process's name as text, of which the secrets are taken out.
    pub fn name(&self, comm: &[u8]) -> String {
        let left = if self.is_empty() { None } else { self.comm(comm) };
        String::from_utf8_lossy(left.as_deref().unwrap_or(comm)).into_owned()
    }

    fn rename(&self, processes: &mut [ProcessFacts<'_>]) {
        for process in processes {
            if let Some(comm) = self.comm(&process.comm) {
                process.comm = Cow::Owned(comm);
            }
        }
    }

    fn rename_sender(&self, signal: Option<&mut Previous>) {
        let Some(source) = signal.and_then(|signal| signal.source.as_mut()) else { return };
        if let Some(comm) = self.comm(&source.comm) {
            // there is no room for more than a comm's length, and what is cut of a mark is no mark
            let short = if comm.len() > COMM_BYTES { REDACTED.as_bytes() } else { &comm };
            source.comm = Comm::from(short);
        }
    }

    /// What is left of a comm, if something is to be taken out of it.
    fn comm(&self, comm: &[u8]) -> Option<Vec<u8>> {
        let mut items = [comm.to_vec()];
        self.texts(&mut items, Texts::Free, comm.len() >= COMM_BYTES, &Steps::of_event()).then(|| {
            let [left] = items;
            left
        })
    }

    fn fields(&self, fields: &mut Vec<Field>, tables: [&'static [Key]; 2], steps: &Steps) {
        let is_cut = |fields: &[Field], text: &str| {
            fields.iter().any(|field| field.key.strip_suffix("Truncated") == Some(text))
        };
        let mut redacted: Vec<&'static str> = Vec::new();
        let mut of_cmdline = Taken::Nothing;
        if let Some(at) = fields.iter().position(|field| field.key == TITLE_ARGUMENTS) {
            if let Value::List(items) = fields.remove(at).value {
                redacted.extend(self.arguments_of_title(items, fields, steps).then_some("title"));
            }
        }
        for at in 0..fields.len() {
            let key = fields[at].key;
            let known = tables.iter().copied().flatten().find(|known| known.name == key);
            let goes_on = is_cut(fields, key);
            let raw = raw_of(fields, key);
            match &mut fields[at].value {
                Value::Object(inner) => {
                    self.fields(inner, known.map_or([&[], &[]], |known| keys::tables(known.kind)), steps);
                }
                Value::List(items) => {
                    let taken = self.replace_in(items, Some(Texts::Arguments), goes_on, steps);
                    if taken == Taken::All {
                        *items = vec![REDACTED.as_bytes().to_vec()];
                    }
                    redacted.extend((taken != Taken::Nothing).then_some(key));
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
                    let may_go_on = goes_on || (key == "comm" && text.len() >= COMM_BYTES);
                    let texts = if is_made_of_names(key) { None } else { Some(Texts::Free) };
                    let mut items = [raw.unwrap_or_else(|| std::mem::take(text).into_bytes())];
                    let mut was_any = self.replace_in(&mut items, texts, may_go_on, steps) != Taken::Nothing;
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
        // the same bytes in base64 would tell it all the same
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
        if self.replace_in(&mut items, Some(Texts::Arguments), is_cut, steps) == Taken::Nothing {
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
        self.replace_in(items, Some(texts), is_cut, steps) != Taken::Nothing
    }

    /// Takes secrets out of texts. The usual shapes are looked for where they may be. If it `is_cut`, the last text goes
    /// on: what may be the beginning of a secret is taken out as well. What took too long to search is taken out as a whole.
    fn replace_in(&self, items: &mut [Vec<u8>], texts: Option<Texts>, is_cut: bool, steps: &Steps) -> Taken {
        steps.begin(items.iter().map(|item| item.len() + 1).sum());
        let spans = self.search(items, texts, is_cut, steps);
        if steps.is_spent() {
            for item in items {
                *item = REDACTED.as_bytes().to_vec();
            }
            return Taken::All;
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
        if was_any { Taken::Parts(parts) } else { Taken::Nothing }
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
fn take_same_out(title: &mut Vec<u8>, taken: &Taken, steps: &Steps) -> bool {
    let mut ranges = Vec::new();
    match taken {
        Taken::Nothing => {}
        Taken::All => ranges.push(0..title.len()),
        Taken::Parts(parts) => {
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
    let is_free = known.is_none_or(|known| !known.is_own && matches!(known.kind, Kind::Text));
    is_free && !key.ends_with(RAW)
}

/// Names of processes, of which the secrets were taken out before, and words of ours.
fn is_made_of_names(key: &str) -> bool {
    matches!(key, "tree" | "summary")
}

/// The bytes of a text that is not UTF-8.
fn raw_of(fields: &[Field], key: &str) -> Option<Vec<u8>> {
    let raw = fields.iter().find(|field| field.key.strip_suffix(RAW) == Some(key))?;
    match &raw.value {
        Value::Text(text) => STANDARD.decode(text).ok(),
        _ => None,
    }
}

/// What stands for a byte that is no text while a pattern is matched: one of each kind, since a pattern must not end at it.
fn fillers(items: &[Vec<u8>]) -> &'static [u8] {
    let is_odd = |item: &Vec<u8>| {
        !item.is_ascii() && (std::str::from_utf8(item).is_err() || memmem::find(item, REPLACEMENT).is_some())
    };
    if items.iter().any(is_odd) { b"0aA-\x01" } else { b"" }
}

/// U+FFFD: what a byte that is not UTF-8 has become elsewhere.
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

/// The same text, of the same length, without what is no text.
fn fill(item: &[u8], filler: u8) -> Vec<u8> {
    let mut text = Vec::with_capacity(item.len());
    for chunk in item.utf8_chunks() {
        text.extend_from_slice(chunk.valid().as_bytes());
        text.resize(text.len() + chunk.invalid().len(), filler);
    }
    let replaced: Vec<usize> = memmem::find_iter(&text, REPLACEMENT).collect();
    for at in replaced {
        text[at..at + REPLACEMENT.len()].fill(filler);
    }
    text
}

/// What a pattern covers: its groups if it has any, else the whole; as long as it may go on.
pub(super) fn captured(pattern: &Regex, text: &[u8], may_go_on: impl Fn() -> bool) -> Vec<Range<usize>> {
    let has_groups = pattern.captures_len() > 1;
    let groups = pattern.captures_iter(text).take_while(|_| has_groups && may_go_on()).flat_map(|captures| {
        captures.iter().skip(1).flatten().map(|found| found.range()).collect::<Vec<_>>()
    });
    let wholes = pattern.find_iter(text).map(|found| found.range()).take_while(|_| may_go_on());
    let all: Box<dyn Iterator<Item = Range<usize>>> =
        if has_groups { Box::new(groups) } else { Box::new(wholes) };
    all.filter(|range| !range.is_empty()).collect()
}

/// Parts of the joined arguments, as parts of each.
fn per_item(items: &[Vec<u8>], ranges: Vec<Range<usize>>, spans: &mut Vec<(usize, Range<usize>)>) {
    if ranges.is_empty() {
        return;
    }
    let mut begins = Vec::with_capacity(items.len());
    let mut begin = 0;
    for item in items {
        begins.push(begin);
        begin += item.len() + 1;
    }
    for range in merged(ranges) {
        let first = begins.partition_point(|&begin| begin <= range.start).saturating_sub(1);
        for (place, &begin) in
            begins.iter().enumerate().skip(first).take_while(|(_, begin)| **begin < range.end)
        {
            let (from, to) = (range.start.max(begin), range.end.min(begin + items[place].len()));
            if from < to {
                spans.push((place, from - begin..to - begin));
            }
        }
    }
}

/// The same, in order, none of which meets another.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// Replaces these parts; is anything else there now? A mark that stands there already is no text any more.
fn replace(item: &mut Vec<u8>, mut ranges: Vec<Range<usize>>) -> bool {
    if ranges.is_empty() {
        return false;
    }
    ranges.extend(memmem::find_iter(item, REDACTED).map(|at| at..at + REDACTED.len()));
    let mut left = Vec::with_capacity(item.len());
    let mut from = 0;
    for range in merged(ranges) {
        left.extend_from_slice(&item[from..range.start]);
        left.extend_from_slice(REDACTED.as_bytes());
        from = range.end;
    }
    left.extend_from_slice(&item[from..]);
    let is_changed = *item != left;
    *item = left;
    is_changed
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
    use crate::output::format::Format;
    use proptest::prelude::*;

    fn redacted(patterns: &[&str], takes_secrets: bool, items: &[&[u8]]) -> Vec<String> {
        let patterns = patterns.iter().map(|pattern| parse_pattern(pattern).unwrap()).collect();
        let mut items: Vec<Vec<u8>> = items.iter().map(|item| item.to_vec()).collect();
        Redaction::new(patterns, takes_secrets).texts(
            &mut items,
            Texts::Arguments,
            false,
            &Steps::of_event(),
        );
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

    /// An object with every key of these tables, a text in each that has one.
    fn fill_in(
        tables: [&'static [Key]; 2],
        depth: u32,
        format: &mut Document,
        put: &dyn Fn(&Key, &mut Document),
    ) {
        for key in tables.iter().copied().flatten() {
            if let Kind::Object(_) | Kind::Process | Kind::ShortProcess = key.kind {
                if depth > 0 {
                    format.open(key.name);
                    fill_in(keys::tables(key.kind), depth - 1, format, put);
                    format.close();
                }
            } else {
                put(key, format);
            }
        }
    }

    /// The paths of all text in which this is.
    fn found_in(fields: &[Field], path: &str, secret: &str, found: &mut Vec<String>) {
        for field in fields {
            let path = format!("{path}.{}", field.key);
            match &field.value {
                Value::Object(inner) => found_in(inner, &path, secret, found),
                value if format!("{value:?}").contains(secret) => found.push(path),
                Value::List(items)
                    if items.iter().any(|item| String::from_utf8_lossy(item).contains(secret)) =>
                {
                    found.push(path);
                }
                _ => {}
            }
        }
    }

    #[test]
    fn no_text_key_of_the_contract_tells_a_secret() {
        let put = |key: &Key, document: &mut Document| {
            let text = "mysql -phunter2 x";
            match key.kind {
                Kind::Text if key.name.ends_with(RAW) => document.text(key.name, &STANDARD.encode(text)),
                Kind::Text if !key.is_own => document.text(key.name, text),
                Kind::List if !key.is_own => document.list(key.name, &[b"mysql", b"-phunter2"]),
                Kind::Names if key.name.ends_with(RAW) => {
                    document.names(key.name, &[("A".to_owned(), STANDARD.encode(text))]);
                }
                Kind::Names => document.names(key.name, &[("A".to_owned(), format!("sh -c '{text}'"))]),
                // no other kind holds a text that is not one of a list
                _ => {}
            }
        };
        let mut document = Document::default();
        fill_in([keys::EVENT, &[]], 4, &mut document, &put);
        for (redaction, kept) in [
            (Redaction::new(Vec::new(), true), &["tree", "summary"][..]),
            (Redaction::new(vec![parse_pattern("hunter2").unwrap()], false), &[]),
        ] {
            let mut document = document.clone();
            let (mut before, mut after) = (Vec::new(), Vec::new());
            found_in(document.fields(), "", "hunter2", &mut before);
            assert!(
                before.len() > 60 && before.iter().any(|path| path == ".target.tracer.cmdline"),
                "{before:?}"
            );
            redaction.apply(&mut document);
            found_in(document.fields(), "", "hunter2", &mut after);
            // these are made of names, out of which it is taken before
            after.retain(|path| !kept.iter().any(|name| path.ends_with(&format!(".{name}"))));
            assert_eq!(after, [""; 0]);
            let mut raw = Vec::new();
            found_in(document.fields(), "", &STANDARD.encode("mysql -phunter2 x"), &mut raw);
            assert_eq!(raw, [""; 0]);
        }
    }

    #[test]
    fn a_key_that_the_table_does_not_have_is_searched() {
        let mut document = Document::default();
        document.text("newKey", "hunter2");
        document.open("newObject");
        document.text("other", "hunter2");
        document.close();
        Redaction::new(vec![parse_pattern("hunter2").unwrap()], false).apply(&mut document);
        assert!(!format!("{document:?}").contains("hunter2"));
    }

    #[test]
    fn a_byte_that_is_no_text_ends_no_match() {
        for pattern in ["-k \\S+", "-k .+", "-k (\\w+)", "-k ([0-9a-f]+)", "-k ([A-Z0-9]+)", "-k ([^ ]+)"] {
            let left = redacted(&[pattern], false, &[b"x", b"-k", b"ab\xffcd", b"w"]);
            assert!(pattern.contains("A-Z") || left[2] == REDACTED, "{pattern}: {left:?}");
        }
        assert_eq!(redacted(&["(?-u:\\xff)"], false, &[b"a\xffb"]), ["a[redacted]b"]);
        for items in
            [&[&b"--password"[..], b"ab\xffcd"][..], &[b"--password=ab\xff cd"], &[b"ghp_abcd\xff\xffefgh"]]
        {
            let left = redacted(&[], true, items).join(" ");
            assert!(!left.contains("ab") && !left.contains("cd") && !left.contains("ef"), "{left}");
        }
        let mut document = Document::default();
        document.text("title", "x -k ab\u{fffd}cd");
        Redaction::new(vec![parse_pattern("-k (\\w+)").unwrap()], false).apply(&mut document);
        assert_eq!(document.text_at("title"), Some("x -k [redacted]"));
    }

    #[test]
    fn the_half_of_a_secret_that_was_cut_is_taken_out() {
        let of = |redaction: &Redaction, items: &[&[u8]], is_cut: bool| {
            let mut document = Document::default();
            document.open("source");
            document.list("cmdline", items);
            if is_cut {
                document.flag("cmdlineTruncated", true);
            }
            document.text("comm", "x");
            document.close();
            redaction.apply(&mut document);
            match document.get("source.cmdline") {
                Some(Value::List(items)) => String::from_utf8_lossy(&items.join(&b' ')).into_owned(),
                other => panic!("{other:?}"),
            }
        };
        let own = Redaction::new(vec![parse_pattern("hunter2secret").unwrap()], false);
        assert_eq!(of(&own, &[b"x", b"a", b"hunter2se"], true), "x a [redacted]");
        assert_eq!(of(&own, &[b"x", b"a", b"hunter2se"], false), "x a hunter2se");
        let usual = Redaction::new(Vec::new(), true);
        for (items, left) in [
            (&[&b"psql"[..], b"postgres://app:hunt"][..], "psql postgres://app:[redacted]"),
            (&[b"git", b"clone", b"https://hunt"], "git clone https://[redacted]"),
            (&[b"curl", b"-u", b"hunt"], "curl -u [redacted]"),
            (&[b"sh", b"-c", b"mysql -phunt"], "sh -c mysql -p[redacted]"),
            (&[b"curl", b"-H", b"Authorization: Bearer hunt"], "curl -H Authorization: Bearer [redacted]"),
        ] {
            assert_eq!(of(&usual, items, true), left);
        }
    }

    #[test]
    fn names_are_taken_out_of_the_facts() {
        let redaction = Redaction::new(vec![parse_pattern("hunter2").unwrap()], true);
        assert_eq!(redaction.comm(b"x-hunter2").as_deref(), Some(&b"x-[redacted]"[..]));
        assert_eq!(redaction.comm(b"sshd"), None);
        assert_eq!(redaction.comm(b"TOKEN=abcdef").as_deref(), Some(&b"TOKEN=[redacted]"[..]));
        // cut by the kernel
        assert_eq!(redaction.comm(b"123456789hunter").as_deref(), Some(&b"123456789[redacted]"[..]));
        assert_eq!(redaction.comm(b"12345678hunter"), None);
    }

    #[test]
    fn a_mark_is_no_text() {
        assert_eq!(
            redacted(&["red", "a"], false, &[b"[redacted]-red-a"]),
            ["[redacted]-[redacted]-[redacted]"]
        );
        assert_eq!(redacted(&[], true, &[b"--password=[redacted]hunter2"]), ["--password=[redacted]"]);
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
