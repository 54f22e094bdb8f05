//! Secrets that show by what stands around them or by what they look like, in any text: `NAME=VALUE`, a URL's user, a
//! header, the token of a well-known service.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::{memchr2_iter, memmem};
use regex::bytes::Regex;

use super::names::{self, Kind};
use super::shell::Word;
use super::steps::Steps;

/// Secrets of services that mark them as such, and private keys.
static TOKENS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x-u)\b(?:
            (?:AKIA|ASIA)[0-9A-Z]{4,} | gh[pousr]_\w{4,} | github_pat_\w{4,} | gl[a-z]{2,5}t-[\w-]{4,}
            | xox[a-z]-[\w-]{4,} | xapp-[\w-]{4,} | [srp]k_(?:live|test)_\w{4,} | sk-[\w-]{16,} | hv[sbr]\.[\w-]{4,}
            | npm_\w{4,} | pypi-\w[\w-]{4,} | AIza[\w-]{8,} | ya29\.[\w-]{4,}
            | dop_v1_\w{4,} | SG\.[\w-]{4,}\.[\w-]{4,} | AGE-SECRET-KEY-1\w+ | 1//0[\w-]{4,}
            | bot\d{5,}:[\w-]{5,} | hooks\.slack\.com/services/[\w/]+
        )|-----BEGIN[A-Z\x20]*PRIVATE\x20KEY-----[\s\S]*",
    )
    .ok()
});

/// It may look far ahead in vain, which is paid for once if nothing else is found in between.
static WEB_TOKEN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?-u)\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?").ok());

/// `identified by 'SECRET'`, `alter role x password 'SECRET'`.
static SQL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?xi-u)\b(?:identified(?:\s+with\s+\S+)?\s+by(?:\s+password)?
            |(?:alter|create|set|with|encrypted)\b[^;'"]*\bpassword(?:\s+for\s+\S+)?)\s*[=(]?\s*
            (?:'((?:[^'\\]|\\[\s\S]|'')+) | "((?:[^"\\]|\\[\s\S])+) | \\"((?:[^"\\])+))"#,
    )
    .ok()
});

/// A user and a password as two literals of a program, and what expect sends behind a prompt for a password.
static LITERALS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?x-u)\bauth\s*=\s*\(\s*["'][^"'\n]*["']\s*,\s*["']([^"'\n]+)["']
            |DBI->connect\(\s*["'][^"'\n]*["']\s*,\s*["'][^"'\n]*["']\s*,\s*["']([^"'\n]+)["']
            |ass(?:word|phrase)[^"'\n]{0,16}["'}]\s*;?\s*send\s+(?:--\s+)?["']([^"'\n]+?)(?:\\r|\\n)*["']"#,
    )
    .ok()
});

static HEADER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i-u)(?:\bauthorization|\b(?:set-)?cookie2?)(\\?["'])?[\t ]*[:=][\t ]*"#).ok()
});

/// What comes between `Authorization:` and the secret.
const SCHEMES: [&[u8]; 20] = [
    b"basic",
    b"bearer",
    b"token",
    b"digest",
    b"apikey",
    b"api-key",
    b"negotiate",
    b"ntlm",
    b"aws4-hmac-sha256",
    b"hmac",
    b"jwt",
    b"oauth",
    b"key",
    b"splunk",
    b"geniekey",
    b"sso-key",
    b"hawk",
    b"mac",
    b"vapid",
    b"bot",
];

/// Adds where in a word there are secrets. A script is not one value as a whole, whatever it begins with.
pub(super) fn find(word: &Word<'_>, is_script: bool, steps: &Steps, found: &mut Vec<Range<usize>>) {
    let text = &*word.bytes;
    if !steps.take(8 + 4 * text.len()) {
        return;
    }
    assignments(word, is_script, steps, found);
    urls(word, is_script, steps, found);
    if text.len() >= 8 {
        let patterns = TOKENS.iter().chain(WEB_TOKEN.iter());
        found.extend(patterns.flat_map(|tokens| tokens.find_iter(text)).map(|token| token.range()));
    }
    if may_be_header(text) {
        headers(word, is_script, steps, found);
    }
    if text.contains(&b'"') || text.contains(&b'\'') {
        let all = LITERALS.iter().flat_map(|literals| literals.captures_iter(text));
        let all = all.take_while(|_| steps.take(64));
        found.extend(
            all.filter_map(|captures| captures.iter().skip(1).flatten().next().map(|one| one.range())),
        );
    }
    if text.contains(&b' ') {
        let all = SQL.iter().flat_map(|sql| sql.captures_iter(text)).take_while(|_| steps.take(64));
        found.extend(
            all.filter_map(|captures| captures.iter().skip(1).flatten().next().map(|one| one.range())),
        );
    }
}

fn may_be_header(text: &[u8]) -> bool {
    text.len() > 7 && text.iter().any(|byte| matches!(byte, b':' | b'='))
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

/// Does a shell put something else there?
pub(super) fn is_reference(value: &[u8]) -> bool {
    let Some(name) = value.strip_prefix(b"$") else { return false };
    match name.first() {
        Some(b'{') => name.ends_with(b"}"),
        Some(b'(') => true,
        Some(first) if first.is_ascii_alphabetic() || *first == b'_' => {
            name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        }
        _ => false,
    }
}

/// `NAME=VALUE`, `NAME: VALUE`, `"NAME": "VALUE"`, `-DNAME=VALUE`, `?NAME=VALUE&`.
fn assignments(word: &Word<'_>, is_script: bool, steps: &Steps, found: &mut Vec<Range<usize>>) {
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
        if is_path {
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

fn end_of_quoted(text: &[u8], from: usize, quote: u8, is_escaped: bool) -> usize {
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

/// `scheme://user:SECRET@host`, `https://SECRET@host`.
fn urls(word: &Word<'_>, is_script: bool, steps: &Steps, found: &mut Vec<Range<usize>>) {
    let text = &*word.bytes;
    // of the word without blanks that was walked through last: its end, and its last @
    let (mut end, mut last_of_end) = (0, None);
    for colon in memmem::find_iter(text, b"://") {
        if !steps.take(16) {
            return;
        }
        let letters = text[..colon].iter().rev().take(32);
        let length = letters.take_while(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(byte)).count();
        if length == 0 {
            continue;
        }
        let scheme = &text[colon - length..colon];
        let from = colon + 3;
        let is_in = |byte: &u8| !byte.is_ascii_whitespace() && !b"\"'<>`".contains(byte);
        if from > end || from == text.len() {
            end = from + text[from..].iter().take_while(|byte| is_in(byte)).count();
            last_of_end = memchr::memrchr(b'@', &text[from..end]).map(|at| from + at);
        }
        let last_of_end = last_of_end.filter(|&at| at >= from);
        let authority = from + text[from..end].iter().take_while(|byte| !b"/?#".contains(byte)).count();
        let is_web = scheme.eq_ignore_ascii_case(b"http") || scheme.eq_ignore_ascii_case(b"https");
        let last_of_authority = memchr::memrchr(b'@', &text[from..authority]).map(|at| from + at);
        let first_colon =
            |end: usize| text[from..end].iter().position(|&byte| byte == b':').map(|at| from + at);
        let span = match last_of_authority {
            Some(at) => match first_colon(at) {
                Some(colon) if matches!(&text[colon + 1..at], b"" | b"x-oauth-basic") => from..at,
                // a password may have both a slash and an @: in doubt all of it
                Some(colon) => colon + 1..last_of_end.unwrap_or(at),
                None if is_web && &text[from..at] != b"git" => from..at,
                None => continue,
            },
            // a password with a slash in it, which a port has not
            None => match (last_of_end, first_colon(authority)) {
                (Some(at), Some(colon))
                    if colon + 1 < authority
                        && !text[colon + 1..authority].iter().all(u8::is_ascii_digit) =>
                {
                    colon + 1..at
                }
                // the @ may be behind the cut
                _ if word.is_cut && authority == text.len() => match first_colon(authority) {
                    Some(colon) => colon + 1..authority,
                    None if is_web => from..authority,
                    None => continue,
                },
                _ => continue,
            },
        };
        if !span.is_empty() && !((is_script || word.is_expanded) && is_reference(&text[span.clone()])) {
            found.push(span);
        }
    }
}

fn headers(word: &Word<'_>, is_script: bool, steps: &Steps, found: &mut Vec<Range<usize>>) {
    let text = &*word.bytes;
    let all = HEADER.iter().flat_map(|header| header.captures_iter(text));
    for captures in all {
        if !steps.take(64) {
            return;
        }
        let Some(whole) = captures.get(0) else { continue };
        let mut from = whole.end();
        let before = whole.start().checked_sub(1).map(|before| text[before]);
        let open = before.filter(|byte| matches!(byte, b'"' | b'\'') && captures.get(1).is_none());
        let line_end = || {
            let length = text[from..].iter().take_while(|&&byte| byte != b'\n').count();
            if is_script { from + length } else { text.len() }
        };
        let is_escaped = text.get(from) == Some(&b'\\') && matches!(text.get(from + 1), Some(b'"' | b'\''));
        let to = match (open, text.get(from + usize::from(is_escaped))) {
            (Some(quote), _) => end_of_quoted(text, from, quote, false),
            (None, Some(&quote @ (b'"' | b'\''))) => {
                from += 1 + usize::from(is_escaped);
                end_of_quoted(text, from, quote, is_escaped)
            }
            _ => line_end(),
        };
        let to = to.min(text.len());
        if !steps.take(to.saturating_sub(from) / 8) {
            return;
        }
        // longer than any that is known
        let scheme = text[from.min(to)..to].iter().take(32);
        let scheme = scheme.take_while(|byte| !byte.is_ascii_whitespace()).count();
        if SCHEMES.iter().any(|known| text[from..from + scheme].eq_ignore_ascii_case(known)) {
            from += scheme;
            from += text[from..to].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        }
        let is_reference = (is_script || word.is_expanded) && is_reference(&text[from.min(to)..to]);
        if from < to && !is_reference {
            found.push(from..to);
            if to == text.len() {
                // all that follows is in it
                return;
            }
        }
    }
}

#[cfg(test)]
pub(super) fn are_patterns_right() -> bool {
    TOKENS.is_some() && WEB_TOKEN.is_some() && SQL.is_some() && LITERALS.is_some() && HEADER.is_some()
}
