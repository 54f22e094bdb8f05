//! An event taken apart: what it has in common with others of its kind (the template), the images of its processes, and what is its
//! own. [`Shape::line`] is the line again, byte for byte, and the view of the database does the same in SQL.
//!
//! Where something belongs, a text has a control character, which JSON has only as an escape.

use super::scan::{Member, member, members};
use crate::base::digits;

/// In a template.
pub(super) mod mark {
    pub(in crate::store) const TIME: char = '\u{1}';
    pub(in crate::store) const ID: char = '\u{2}';
    pub(in crate::store) const SUMMARY: char = '\u{3}';
    pub(in crate::store) const SOURCE: char = '\u{4}';
    pub(in crate::store) const TARGET: char = '\u{5}';
    pub(in crate::store) const DETAIL: char = '\u{6}';
    pub(in crate::store) const DETAIL_2: char = '\u{7}';
    pub(in crate::store) const ANCESTOR: char = '\u{8}';
    /// In an image: what its process was called at that moment.
    pub(in crate::store) const TITLE: char = '\u{10}';
    /// What it did.
    pub(in crate::store) const STATE: char = '\u{11}';
    /// The image of its parent.
    pub(in crate::store) const PARENT: char = '\u{12}';
}

/// Nobody has more ancestors than these in an event (`MAX_ANCESTORS`), and nothing recurses deeper.
const DEEPEST: usize = 64;

/// Keys of an event that are the same in many: they stay in the template.
const COMMON: &[&str] = &[
    "level",
    "msg",
    "event",
    "signal",
    "signalString",
    "signalName",
    "origin",
    "reason",
    "relation",
    "via",
    "scope",
    "code",
    "codeForged",
    "result",
    "fatal",
    "exitCode",
    "coreDumped",
    "tty",
    "missing",
    "host",
];

/// Keys of a process that are of this moment.
const TITLE: &[&str] = &["title", "titleRaw", "titleTruncated", "titleAgeSeconds"];
const STATE: &[&str] = &[
    "lastChildDeath",
    "lastSignal",
    "pgid",
    "disposition",
    "blocked",
    "waiting",
    "signalfd",
    "continued",
    "state",
];

/// The image of a process: what an event says of it that does not change from event to event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Image {
    pub(super) body: String,
    pub(super) parent: Option<Box<Image>>,
}

/// A side of an event: an image, and what was so at that moment. Both texts begin with a comma, if they are not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Side {
    pub(super) image: Image,
    pub(super) title: String,
    pub(super) state: String,
}

/// An event taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) template: String,
    /// Nanoseconds since the epoch, UTC.
    pub(super) time: i64,
    pub(super) id: Option<u64>,
    /// As it is between the quotes.
    pub(super) summary: Option<String>,
    pub(super) source: Option<Side>,
    pub(super) target: Option<Side>,
    pub(super) ancestor: Option<u64>,
    pub(super) details: [Option<String>; 2],
}

impl Image {
    /// With its parents.
    fn of(object: &str, depth: usize) -> Option<Self> {
        let members = members(object)?;
        let mut body = String::with_capacity(object.len());
        let mut parent = None;
        for one in &members {
            body.push(if body.is_empty() { '{' } else { ',' });
            if one.key == "parent" && depth < DEEPEST {
                parent = Some(Box::new(Self::of(one.value, depth + 1)?));
                body.push_str("\"parent\":");
                body.push(mark::PARENT);
            } else {
                body.push_str(one.whole);
            }
        }
        if body.is_empty() {
            body.push('{');
        }
        body.push('}');
        Some(Self { body, parent })
    }

    fn push(&self, title: &str, state: &str, out: &mut String) {
        for character in Pieces(&self.body) {
            match character {
                Piece::Text(text) => out.push_str(text),
                Piece::Mark(mark::TITLE) => out.push_str(title),
                Piece::Mark(mark::STATE) => out.push_str(state),
                Piece::Mark(_) => {
                    if let Some(parent) = &self.parent {
                        parent.push("", "", out);
                    }
                }
            }
        }
    }
}

impl Side {
    fn of(object: &str) -> Option<Self> {
        let members = members(object)?;
        let mut side = Self {
            image: Image { body: String::with_capacity(object.len()), parent: None },
            title: String::new(),
            state: String::new(),
        };
        let has_key = member(&members, "key").is_some();
        let has_tree = member(&members, "tree").is_some();
        for one in &members {
            let list = if has_key && TITLE.contains(&one.key) {
                &mut side.title
            } else if has_tree && STATE.contains(&one.key) {
                &mut side.state
            } else {
                side.push(one)?;
                continue;
            };
            list.push(',');
            list.push_str(one.whole);
        }
        if side.image.body.is_empty() {
            side.image.body.push('{');
        }
        side.image.body.push('}');
        Some(side)
    }

    fn push(&mut self, one: &Member<'_>) -> Option<()> {
        let body = &mut self.image.body;
        if one.key == "tree" {
            body.push(mark::STATE);
        }
        body.push(if body.is_empty() { '{' } else { ',' });
        if one.key == "parent" {
            self.image.parent = Some(Box::new(Image::of(one.value, 1)?));
            body.push_str("\"parent\":");
            body.push(mark::PARENT);
        } else {
            body.push_str(one.whole);
        }
        if one.key == "key" {
            body.push(mark::TITLE);
        }
        Some(())
    }

    fn push_to(&self, out: &mut String) {
        self.image.push(&self.title, &self.state, out);
    }
}

impl Shape {
    /// Takes a line apart; one that does not come out the same is kept whole, as its own template. The members that were found are
    /// returned beside it, for what is indexed. None if it is no event.
    pub(super) fn of(line: &str) -> Option<(Self, Vec<Member<'_>>)> {
        if line.bytes().any(|byte| byte < b' ') {
            return None;
        }
        let members = members(line)?;
        let time = member(&members, "time").and_then(Member::quoted).and_then(nanoseconds)?;
        let shape = Self::apart(&members, time).filter(|shape| shape.line() == line);
        let whole = || Self { template: line.to_owned(), time, ..Self::default() };
        Some((shape.unwrap_or_else(whole), members))
    }

    fn apart(members: &[Member<'_>], time: i64) -> Option<Self> {
        let mut shape = Self { time, template: String::with_capacity(512), ..Self::default() };
        let mut details: Vec<String> = Vec::new();
        let mut is_in_details = false;
        for one in members {
            let is_detail = is_detail(one);
            if is_detail && is_in_details {
                if let Some(last) = details.last_mut() {
                    last.push(',');
                    last.push_str(one.whole);
                }
                continue;
            }
            is_in_details = is_detail;
            shape.template.push(if shape.template.is_empty() { '{' } else { ',' });
            if is_detail {
                shape.template.push(*[mark::DETAIL, mark::DETAIL_2].get(details.len())?);
                details.push(one.whole.to_owned());
                continue;
            }
            shape.push(one)?;
        }
        shape.template.push('}');
        let mut details = details.into_iter();
        shape.details = [details.next(), details.next()];
        Some(shape)
    }

    fn push(&mut self, one: &Member<'_>) -> Option<()> {
        let marks = match one.key {
            "time" => ("\"time\":\"", mark::TIME, "\""),
            "id" => {
                self.id = one.number();
                ("\"id\":", mark::ID, "")
            }
            "summary" => {
                self.summary = Some(one.quoted()?.to_owned());
                ("\"summary\":\"", mark::SUMMARY, "\"")
            }
            "source" => {
                self.source = Some(Side::of(one.value)?);
                ("\"source\":", mark::SOURCE, "")
            }
            "target" => {
                self.target = Some(Side::of(one.value)?);
                ("\"target\":", mark::TARGET, "")
            }
            "commonAncestor" => {
                self.ancestor = members(one.value)?.first()?.number();
                ("\"commonAncestor\":{\"pid\":", mark::ANCESTOR, "}")
            }
            _ => {
                self.template.push_str(one.whole);
                return Some(());
            }
        };
        self.template.push_str(marks.0);
        self.template.push(marks.1);
        self.template.push_str(marks.2);
        Some(())
    }

    /// The line that it was taken from.
    pub(super) fn line(&self) -> String {
        let mut out = String::with_capacity(2048);
        for piece in Pieces(&self.template) {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Mark(mark::TIME) => push_time(self.time, &mut out),
                Piece::Mark(mark::ID) => push_number(self.id, &mut out),
                Piece::Mark(mark::ANCESTOR) => push_number(self.ancestor, &mut out),
                Piece::Mark(mark::SUMMARY) => out.push_str(self.summary.as_deref().unwrap_or_default()),
                Piece::Mark(mark::DETAIL) => out.push_str(self.details[0].as_deref().unwrap_or_default()),
                Piece::Mark(mark::DETAIL_2) => out.push_str(self.details[1].as_deref().unwrap_or_default()),
                Piece::Mark(which) => {
                    let side = if which == mark::SOURCE { &self.source } else { &self.target };
                    if let Some(side) = side {
                        side.push_to(&mut out);
                    }
                }
            }
        }
        out
    }
}

/// What stands for [`mark::TIME`].
pub(super) fn push_time(time: i64, out: &mut String) {
    let mut text = Vec::with_capacity(32);
    digits::push_utc(&mut text, i128::from(time));
    out.push_str(&String::from_utf8_lossy(&text));
}

/// What stands for [`mark::ID`] and [`mark::ANCESTOR`].
pub(super) fn push_number(number: Option<u64>, out: &mut String) {
    if let Some(number) = number {
        digits::push_decimal(out, number);
    }
}

fn is_detail(one: &Member<'_>) -> bool {
    match one.key {
        "time" | "id" | "summary" | "source" | "target" | "commonAncestor" => false,
        key => !COMMON.contains(&key),
    }
}

/// Nanoseconds since the epoch of a time as events have it, in the years that 64 bits hold.
fn nanoseconds(text: &str) -> Option<i64> {
    let time: jiff::Timestamp = text.parse().ok()?;
    i64::try_from(time.as_nanosecond()).ok()
}

/// A text, and the marks in it.
pub(super) struct Pieces<'a>(pub(super) &'a str);

/// Either of them.
pub(super) enum Piece<'a> {
    Text(&'a str),
    Mark(char),
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let first = self.0.chars().next()?;
        if first < ' ' {
            self.0 = &self.0[1..];
            return Some(Piece::Mark(first));
        }
        let length = self.0.bytes().position(|byte| byte < b' ').unwrap_or(self.0.len());
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        Some(Piece::Text(text))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::fs;

    use super::*;

    /// Every event of the fixtures.
    pub(in crate::store) fn fixtures() -> Vec<String> {
        let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
        let mut paths: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let json = paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "json"));
        json.flat_map(|path| fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }

    #[test]
    fn every_kind_of_event_is_taken_apart_and_comes_out_the_same() {
        let lines = fixtures();
        assert!(lines.len() > 30);
        for line in &lines {
            let (shape, _) = Shape::of(line).unwrap();
            assert_eq!(&shape.line(), line);
            assert!(shape.template != *line, "kept whole: {line}");
        }
    }

    #[test]
    fn what_cannot_be_taken_apart_is_kept_whole() {
        let time = r#""time":"2026-01-01T00:00:33.720376120Z""#;
        for line in [
            // an unusual order, a time without digits, no identity
            format!(r#"{{"a":1,{time},"level":"INFO","b":2,"id":1,"c":{{}}}}"#),
            r#"{"time":"2026-01-01T00:00:33Z","id":1}"#.to_owned(),
            format!(r#"{{{time},"target":{{"state":"x","title":"y"}},"source":{{}}}}"#),
            format!(r#"{{{time},"commonAncestor":{{"pid":1,"x":2}}}}"#),
        ] {
            assert_eq!(Shape::of(&line).unwrap().0.line(), line);
        }
        assert!(Shape::of("").is_none() && Shape::of("{}").is_none() && Shape::of("[1]").is_none());
        assert!(Shape::of(&format!("{{{time},\"a\":\"\u{4}\"}}")).is_none(), "a mark of another");
    }
}
