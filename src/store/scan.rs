//! The members of a JSON object as they stand in the text: an event is taken apart and put together again, and is never parsed
//! into values and written again.
//!
//! It reads what [`crate::output::format::json`] writes: no blanks, keys without escapes. Anything else is refused, and is then kept whole.

/// A key and its value, with where they are in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member<'a> {
    /// The key, without quotes.
    pub(super) key: &'a str,
    /// The value as it stands there: a string has its quotes.
    pub(super) value: &'a str,
    /// `"key":value`.
    pub(super) whole: &'a str,
}

impl<'a> Member<'a> {
    /// What is between the quotes of a string.
    pub(super) fn quoted(&self) -> Option<&'a str> {
        self.value.strip_prefix('"')?.strip_suffix('"')
    }

    /// A string with its escapes undone.
    pub(super) fn text(&self) -> Option<String> {
        self.quoted().map(unescape)
    }

    /// A number that is not negative.
    pub(super) fn number<T: std::str::FromStr>(&self) -> Option<T> {
        self.value.parse().ok()
    }
}

/// The members of `{…}`; None if this is no such object.
pub(super) fn members(object: &str) -> Option<Vec<Member<'_>>> {
    let inner = object.strip_prefix('{')?.strip_suffix('}')?;
    let mut members = Vec::with_capacity(24);
    let mut at = 0;
    let bytes = inner.as_bytes();
    while at < bytes.len() {
        let begin = at;
        if bytes[at] != b'"' {
            return None;
        }
        let end_of_key = at + 1 + memchr::memchr(b'"', &bytes[at + 1..])?;
        let key = inner.get(at + 1..end_of_key)?;
        if key.contains('\\') || bytes.get(end_of_key + 1) != Some(&b':') {
            return None;
        }
        let value_at = end_of_key + 2;
        let end = end_of_value(bytes, value_at)?;
        members.push(Member { key, value: inner.get(value_at..end)?, whole: inner.get(begin..end)? });
        at = end;
        match bytes.get(at) {
            None => break,
            Some(b',') if at + 1 < bytes.len() => at += 1,
            Some(_) => return None,
        }
    }
    Some(members)
}

/// The member of this key.
pub(super) fn member<'a, 'm>(members: &'m [Member<'a>], key: &str) -> Option<&'m Member<'a>> {
    members.iter().find(|member| member.key == key)
}

/// Behind the value that begins there.
fn end_of_value(bytes: &[u8], begin: usize) -> Option<usize> {
    match bytes.get(begin)? {
        b'"' => end_of_string(bytes, begin),
        b'{' | b'[' => {
            let mut depth = 0_usize;
            let mut at = begin;
            loop {
                match bytes.get(at)? {
                    b'"' => {
                        at = end_of_string(bytes, at)?;
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth = depth.checked_sub(1)?,
                    _ => {}
                }
                at += 1;
                if depth == 0 {
                    return Some(at);
                }
            }
        }
        b',' | b'}' | b']' => None,
        _ => {
            let length = bytes[begin..].iter().position(|byte| matches!(byte, b',' | b'}' | b']'));
            Some(length.map_or(bytes.len(), |length| begin + length))
        }
    }
}

fn end_of_string(bytes: &[u8], begin: usize) -> Option<usize> {
    let mut at = begin + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// What the escapes of a JSON string mean; a wrong one stays as it is.
pub(super) fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut units: Vec<u16> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (plain, escape) = rest.split_at(at);
        if !plain.is_empty() {
            flush(&mut units, &mut out);
            out.push_str(plain);
        }
        let unit = escape.get(2..6).filter(|_| escape.starts_with("\\u"));
        if let Some(unit) = unit.and_then(|digits| u16::from_str_radix(digits, 16).ok()) {
            units.push(unit);
            rest = &escape[6..];
            continue;
        }
        flush(&mut units, &mut out);
        let Some(which) = escape[1..].chars().next() else { return out };
        out.push(match which {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'b' => '\u{8}',
            'f' => '\u{c}',
            other => other,
        });
        rest = &escape[1 + which.len_utf8()..];
    }
    flush(&mut units, &mut out);
    out.push_str(rest);
    out
}

fn flush(units: &mut Vec<u16>, out: &mut String) {
    out.extend(char::decode_utf16(units.drain(..)).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::sanitize::push_json_string;

    fn keys(object: &str) -> Option<Vec<(&str, &str)>> {
        members(object).map(|members| members.iter().map(|member| (member.key, member.value)).collect())
    }

    #[test]
    fn members_are_found_whatever_they_hold() {
        assert_eq!(keys("{}"), Some(Vec::new()));
        assert_eq!(
            keys(r#"{"a":1,"b":"x\"},","c":{"d":[1,{"e":"]"}]},"f":[],"g":-1.5}"#),
            Some(vec![
                ("a", "1"),
                ("b", r#""x\"},""#),
                ("c", r#"{"d":[1,{"e":"]"}]}"#),
                ("f", "[]"),
                ("g", "-1.5")
            ])
        );
        for wrong in [
            "",
            "{",
            "[]",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            r#"{"a":{}"#,
            r#"{"a":"x}"#,
            r#"{"a":1 "b":2}x"#,
        ] {
            assert_eq!(keys(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_text_is_what_was_written(text in ".*") {
            let mut out = Vec::new();
            push_json_string(&mut out, &text);
            let object = format!("{{\"k\":{}}}", String::from_utf8(out).unwrap());
            prop_assert_eq!(members(&object).unwrap()[0].text().unwrap(), text);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            let _ = members(&text);
            let _ = unescape(&text);
        }
    }
}
