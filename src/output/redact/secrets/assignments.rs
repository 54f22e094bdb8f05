//! Secrets that a name before them shows: `NAME=VALUE`, `NAME: VALUE`, however it is quoted.

use std::ops::Range;

use memchr::memchr2_iter;

use super::names::{self, Kind};
use super::shapes::is_reference;
use super::shell::Word;
use super::steps::Steps;

/// `NAME=VALUE`, `NAME: VALUE`, `"NAME": "VALUE"`, `-DNAME=VALUE`, `?NAME=VALUE&`.
pub(super) fn assignments(word: &Word<'_>, is_script: bool, steps: &Steps, found: &mut Vec<Range<usize>>) {
    let text = &*word.bytes;
    let mut quotes = Quotes::default();
    let mut last = 0..0;
    for at in memchr2_iter(b'=', b':', text) {
        let Some(assignment) = Assignment::before(text, at, &mut quotes) else { continue };
        if !steps.take(16 + 4 * assignment.name.len()) {
            return;
        }
        let name = &text[assignment.name.clone()];
        let before = assignment.name.start.checked_sub(1).map(|before| text[before]);
        let is_in_query = matches!(before, Some(b'?' | b'&'))
            && [&b"key"[..], b"sig", b"signature", b"auth", b"x-amz-signature"]
                .iter()
                .any(|one| name.eq_ignore_ascii_case(one));
        // /etc/passwd:/etc/passwd:ro
        let is_path = text[at] == b':'
            && before == Some(b'/')
            && (text.get(at + 1) == Some(&b'/') || matches!(&text[at + 1..], b"ro" | b"rw"));
        // a redis key, an ARN: `auth:token:42`, but not hiera's `db::password: SECRET`
        let is_in_list = text[at] == b':'
            && before == Some(b':')
            && !text[..assignment.name.start].ends_with(b"::")
            && !text.get(at + 1).is_some_and(u8::is_ascii_whitespace);
        if is_path || is_in_list || is_of_file(text, assignment.name.start) {
            continue;
        }
        let kind = if is_in_query { Some(Kind::Secret) } else { names::kind(name) };
        let Some(kind) = kind else { continue };
        let is_whole = !is_script && text[..assignment.name.start].iter().all(|&byte| byte == b'-');
        let value = if is_whole {
            from_value(text, &assignment, at)
        } else {
            value(text, &assignment, at, &mut last, steps)
        };
        let bytes = &text[value.clone()];
        // what is called in code is no literal
        let is_call = assignment.has_blank && bytes.ends_with(b"(");
        if bytes.is_empty()
            || is_call
            || names::is_harmless(kind, bytes, steps)
            || ((is_script || word.is_expanded) && is_reference(bytes))
        {
            continue;
        }
        found.push(value);
    }
}

/// `--from-file=NAME=PATH`: is the value of the name that begins here a path?
fn is_of_file(text: &[u8], start: usize) -> bool {
    let Some(option) = text[..start].strip_suffix(b"=").and_then(|option| option.strip_prefix(b"--")) else {
        return false;
    };
    option.ends_with(b"-file") && option.iter().all(|&byte| is_name_byte(byte))
}

struct Assignment {
    name: Range<usize>,
    /// The quote that was opened before the name and not closed behind it: it ends the value.
    open: Option<u8>,
    has_blank: bool,
}

/// Which quotes are open: counted once, as names follow each other.
#[derive(Debug, Default)]
struct Quotes {
    at: usize,
    /// Double, single.
    is_open: [bool; 2],
}

impl Quotes {
    fn open_at(&mut self, text: &[u8], at: usize) -> Option<u8> {
        for quote in memchr2_iter(b'"', b'\'', text.get(self.at..at).unwrap_or_default()) {
            self.is_open[usize::from(text[self.at + quote] == b'\'')] ^= true;
        }
        self.at = self.at.max(at);
        match self.is_open {
            [true, _] => Some(b'"'),
            [_, true] => Some(b'\''),
            _ => None,
        }
    }
}

impl Assignment {
    fn before(text: &[u8], at: usize, quotes: &mut Quotes) -> Option<Self> {
        // a::b and a==b are something else, and so is a scheme
        let is_double = |other: Option<&u8>| other == Some(&text[at]);
        if is_double(text.get(at + 1))
            || (at > 0 && is_double(text.get(at - 1)))
            || text[at..].starts_with(b"://")
        {
            return None;
        }
        let mut end = at;
        while end > 0 && matches!(text[end - 1], b' ' | b'\t') {
            end -= 1;
        }
        let has_blank = end < at;
        // environ['NAME'] = VALUE
        end -= usize::from(end > 1 && text[end - 1] == b']');
        let closing = (end > 0 && matches!(text[end - 1], b'"' | b'\'')).then(|| text[end - 1]);
        if closing.is_some() {
            end -= 1;
            if end > 0 && text[end - 1] == b'\\' {
                end -= 1;
            }
        }
        let length = text[..end].iter().rev().take(128).take_while(|&&byte| is_name_byte(byte)).count();
        if length == 0 {
            return None;
        }
        let start = end - length;
        let open = quotes.open_at(text, start).filter(|_| closing.is_none());
        Some(Self { name: start..end, open, has_blank })
    }
}

/// From behind what separates a name from its value to the end.
fn from_value(text: &[u8], assignment: &Assignment, at: usize) -> Range<usize> {
    let mut from = at + 1;
    if text[at] == b':' || assignment.has_blank {
        while matches!(text.get(from), Some(b' ' | b'\t')) {
            from += 1;
        }
    }
    from..text.len()
}

/// The value alone: quoted, or up to what cannot belong to it. In doubt more: what is left of a secret is a secret. Where
/// it ends does not depend on where it begins, so one in the `last` that was walked through has the same end.
fn value(
    text: &[u8],
    assignment: &Assignment,
    at: usize,
    last: &mut Range<usize>,
    steps: &Steps,
) -> Range<usize> {
    let mut from = from_value(text, assignment, at).start;
    if assignment.open.is_some() && text.get(from) == assignment.open.as_ref() {
        return from..from;
    }
    let is_escaped = text.get(from) == Some(&b'\\') && matches!(text.get(from + 1), Some(b'"' | b'\''));
    if let Some(&quote @ (b'"' | b'\'')) = text.get(from + usize::from(is_escaped)) {
        from += 1 + usize::from(is_escaped);
        let to = end_of_quoted(text, from, quote, is_escaped);
        steps.take(to.saturating_sub(from));
        return from..to;
    }
    if last.contains(&from) {
        return from..last.end;
    }
    let mut to = from;
    while let Some(&byte) = text.get(to) {
        let rest = &text[to + 1..];
        let ends = match byte {
            b'"' | b'\'' | b'`' | b'<' | b'>' => true,
            b',' | b'&' => begins_with_name(rest) || rest.is_empty(),
            b';' => rest.first().is_none_or(u8::is_ascii_whitespace) || begins_with_name(rest),
            b')' => rest.first().is_none_or(|byte| b" ;,)".contains(byte)),
            _ => byte.is_ascii_whitespace(),
        };
        if ends {
            break;
        }
        to += 1;
    }
    *last = from..to;
    from..to
}

fn begins_with_name(text: &[u8]) -> bool {
    let length = text.iter().take(128).take_while(|&&byte| is_name_byte(byte) || byte == b' ').count();
    length > 0 && matches!(text.get(length), Some(b'=' | b':'))
}

pub(super) fn end_of_quoted(text: &[u8], from: usize, quote: u8, is_escaped: bool) -> usize {
    let mut at = from;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' if is_escaped && text.get(at + 1) == Some(&quote) => return at,
            b'\\' => at += 2,
            _ if byte == quote => return at,
            _ => at += 1,
        }
    }
    text.len()
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}
