//! Secrets that show by what stands around them or by what they look like, in any text: `NAME=VALUE`, a URL's user, a
//! header, the token of a well-known service.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem;
use regex::bytes::Regex;

use super::assignments::{assignments, end_of_quoted};
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
            | discord(?:app)?\.com/api/webhooks/[\w/-]+
            | rtmp\.youtube\.com/live2/[\w-]+ | live\.twitch\.tv/app/\w+
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
            |(?:alter|create|set|with|encrypted)\b[^;'"]*\bpassword(?:\s+for\s+\S+)?)\s*(?:=\s*)?(?:(?:old_)?password\s*)?\(?\s*
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
