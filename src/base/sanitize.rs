//! Bytes of other processes never reach a terminal or a log line as they are.

use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::sync::LazyLock;

use regex_syntax::hir::{Class, HirKind};

/// Characters that would do something to a terminal, hide, pass for a blank or reorder what is around them, by what Unicode
/// says of them: control, format, private and unassigned ones; all that separates, but the blank itself; what a renderer may
/// leave out; what encloses others. And the few that are drawn as nothing though they count as letters and symbols.
const UNSAFE: &str = r"[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\p{Me}\x{2800}\x{FFFC}\x{16FE4}\x{13441}\x{13442}\x{1D159}--\x20]";

/// Characters that are drawn over the one before.
const MARKS: &str = r"\p{M}";

/// Marks that may follow a letter: more would reach other lines.
const MOST_MARKS: u8 = 6;

/// A set of characters, as ranges in their order.
struct Set(Vec<(char, char)>);

impl Set {
    fn of(pattern: &str) -> Option<Self> {
        let hir = regex_syntax::parse(pattern).ok()?;
        let HirKind::Class(Class::Unicode(class)) = hir.kind() else { return None };
        Some(Self(class.iter().map(|range| (range.start(), range.end())).collect()))
    }

    fn contains(&self, character: char) -> bool {
        let place = self.0.partition_point(|&(_, end)| end < character);
        self.0.get(place).is_some_and(|&(start, _)| start <= character)
    }
}

static UNSAFE_SET: LazyLock<Option<Set>> = LazyLock::new(|| Set::of(UNSAFE));
static MARK_SET: LazyLock<Option<Set>> = LazyLock::new(|| Set::of(MARKS));

/// Would this character do something to a terminal, hide, or reorder what is around it?
pub fn is_unsafe(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    UNSAFE_SET.as_ref().is_none_or(|set| set.contains(character))
}

/// Which characters of a text may stand there as they are: a mark needs a letter before it, in the same text.
#[derive(Debug, Default)]
pub struct Guard {
    has_base: bool,
    marks: u8,
}

impl Guard {
    /// The next character: is it to be escaped?
    pub fn refuses(&mut self, character: char) -> bool {
        if character.is_ascii() {
            self.has_base = character.is_ascii_alphanumeric();
            self.marks = 0;
            return character.is_ascii_control();
        }
        if is_unsafe(character) {
            *self = Self::default();
            return true;
        }
        if MARK_SET.as_ref().is_none_or(|set| set.contains(character)) {
            self.marks = self.marks.saturating_add(1);
            self.has_base &= self.marks <= MOST_MARKS;
            return !self.has_base;
        }
        self.has_base = character.is_alphanumeric();
        self.marks = 0;
        false
    }
}

/// May a text stand in a line as it is?
pub fn is_safe(text: &str) -> bool {
    if text.is_ascii() {
        return !text.bytes().any(|byte| byte.is_ascii_control());
    }
    let mut guard = Guard::default();
    !text.chars().any(|character| guard.refuses(character))
}

/// Foreign text for a message: what is unsafe is spelt out. For a path, an argument, a name, or what a library says of them.
pub fn visible(text: impl AsRef<OsStr>) -> String {
    let text = String::from_utf8_lossy(text.as_ref().as_bytes());
    let mut visible = String::with_capacity(text.len());
    push_visible(&mut visible, &text, |_| false);
    visible
}

/// Appends a text for eyes; what `is_wrong` as well is spelt out too.
pub fn push_visible(out: &mut String, text: &str, is_wrong: impl Fn(char) -> bool) {
    let mut guard = Guard::default();
    for character in text.chars() {
        // both are asked: the one has to know what came before
        if guard.refuses(character) | is_wrong(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(character);
        }
    }
}

/// Bytes that stand for themselves in a JSON string and on a terminal: printable ASCII but `"` and `\`. All
/// others, those of longer UTF-8 sequences included, are looked at one by one.
const IS_PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0x20;
    while byte < 0x7f {
        table[byte] = byte != b'"' as usize && byte != b'\\' as usize;
        byte += 1;
    }
    table
};

/// Are all of these plain? The highest bit of a byte says no: one above 0x7f, one below 0x20, and one that is 0 once
/// what is looked for is taken out.
fn are_plain(bytes: [u8; 8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES << 7;
    let word = u64::from_ne_bytes(bytes);
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word;
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (word | below(word, 0x20) | is(b'"') | is(b'\\') | is(0x7f)) & HIGH == 0
}

/// Length of the beginning that can be taken as it is.
fn plain_prefix(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((&eight, behind)) = rest.split_first_chunk::<8>() {
        if !are_plain(eight) {
            break;
        }
        rest = behind;
    }
    let of_rest = rest.iter().position(|&byte| !IS_PLAIN[usize::from(byte)]).unwrap_or(rest.len());
    bytes.len() - rest.len() + of_rest
}

/// Appends a JSON string, quotes included; what is unsafe is escaped as `\uXXXX`.
pub fn push_json_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text;
    let mut guard = Guard::default();
    loop {
        let (plain, other) = rest.split_at(plain_prefix(rest.as_bytes()));
        out.extend_from_slice(plain.as_bytes());
        if let Some(&last) = plain.as_bytes().last() {
            guard.refuses(char::from(last));
        }
        let Some(character) = other.chars().next() else { break };
        let is_refused = guard.refuses(character);
        match character {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            unsafe_one if is_refused => {
                for unit in unsafe_one.encode_utf16(&mut [0; 2]) {
                    out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
                }
            }
            harmless => out.extend_from_slice(harmless.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        rest = &other[character.len_utf8()..];
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn json(text: &str) -> String {
        let mut out = Vec::new();
        push_json_string(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn escape_sequences_and_bidi_are_spelt_out() {
        assert_eq!(json("a\u{1b}[2Jb"), r#""a\u001b[2Jb""#);
        assert_eq!(json("\u{202e}gpj.exe"), r#""\u202egpj.exe""#);
        assert_eq!(json("\u{e0041}"), r#""\udb40\udc41""#);
        assert_eq!(json("c\u{9b}1m"), r#""c\u009b1m""#);
    }

    #[test]
    fn what_unicode_says_is_unseen_is_spelt_out() {
        assert!(UNSAFE_SET.is_some() && MARK_SET.is_some());
        let all = [
            // grapheme joiner, braille blank, Khmer vowels that are not drawn, no-break and other spaces
            '\u{34f}',
            '\u{2800}',
            '\u{17b4}',
            '\u{17b5}',
            '\u{a0}',
            '\u{1680}',
            '\u{2003}',
            '\u{3000}',
            // fillers
            '\u{115f}',
            '\u{1160}',
            '\u{3164}',
            '\u{ffa0}',
            // separators, bidi, zero width
            '\u{2028}',
            '\u{2029}',
            '\u{202a}',
            '\u{202e}',
            '\u{2066}',
            '\u{2069}',
            '\u{61c}',
            '\u{200b}',
            '\u{200d}',
            '\u{200f}',
            '\u{feff}',
            '\u{ad}',
            '\u{180e}',
            '\u{fe0f}',
            '\u{e0100}',
            '\u{e0041}',
            '\u{1d173}',
            // private, unassigned, enclosing, controls
            '\u{e000}',
            '\u{f0000}',
            '\u{378}',
            '\u{ffff}',
            '\u{10ffff}',
            '\u{20dd}',
            '\u{488}',
            '\u{7f}',
            '\u{85}',
            '\0',
            '\u{1d159}',
            '\u{13441}',
            '\u{16fe4}',
            '\u{fffc}',
        ];
        for character in all {
            assert!(is_unsafe(character), "{:x}", u32::from(character));
            assert!(
                !is_safe(&format!("a{character}b")) && !json(&format!("a{character}b")).contains(character)
            );
        }
        for text in [
            "a b",
            "é",
            "日本語",
            "नमस्ते",
            "Привет",
            "שלום",
            "😀",
            "─",
            "…",
            "\u{fffd}",
            "z\u{301}",
            "ไทย",
            "¬£€",
        ] {
            assert!(is_safe(text), "{text}");
            assert_eq!(visible(text), text);
        }
    }

    #[test]
    fn a_mark_without_a_letter_of_its_own_is_spelt_out() {
        assert_eq!(json("\u{301}a"), r#""\u0301a""#);
        assert_eq!(json("a=\u{301}"), r#""a=\u0301""#);
        assert_eq!(json("a \u{301}"), r#""a \u0301""#);
        assert_eq!(json("\u{200b}\u{301}"), r#""\u200b\u0301""#);
        assert_eq!(json("abcdefghe\u{301}"), "\"abcdefghe\u{301}\"");
        let many: String = std::iter::once('a').chain(std::iter::repeat_n('\u{301}', 40)).collect();
        assert_eq!(visible(&many).matches("\\u0301").count(), 40 - usize::from(MOST_MARKS));
    }

    #[test]
    fn a_name_in_a_message_can_neither_end_its_line_nor_act() {
        assert_eq!(visible("a\u{1b}[2J\nkillsnoop: ok"), "a\\u001b[2J\\u000akillsnoop: ok");
        assert_eq!(visible(OsStr::from_bytes(b"\xff")), "\u{fffd}");
    }

    #[test]
    fn eight_bytes_are_plain_if_each_is() {
        for place in 0..8 {
            for byte in 0..=255u8 {
                for others in [b'a', b' ', b'~', b'!', b'#', b'[', b']'] {
                    let mut bytes = [others; 8];
                    bytes[place] = byte;
                    assert_eq!(are_plain(bytes), IS_PLAIN[usize::from(byte)], "{bytes:?}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn every_json_parser_reads_the_text_back(text in any::<String>()) {
            let written = json(&text);
            prop_assert!(is_safe(&written));
            prop_assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        }
    }
}
