//! Bytes of other processes never reach a terminal or a log line as they are.

/// Would this character do something to a terminal, hide, or reorder what is around it?
pub fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' // soft hyphen
            | '\u{61c}' // Arabic letter mark
            | '\u{115f}'..='\u{1160}' | '\u{3164}' | '\u{ffa0}' // fillers
            | '\u{180b}'..='\u{180f}' // Mongolian variation selectors and vowel separator
            | '\u{200b}'..='\u{200f}' // zero width, directional marks
            | '\u{2028}'..='\u{202e}' // line and paragraph separator, bidi embedding
            | '\u{2060}'..='\u{206f}' // word joiner, bidi isolates, deprecated controls
            | '\u{fe00}'..='\u{fe0f}' // variation selectors
            | '\u{feff}' // byte order mark
            | '\u{fff9}'..='\u{fffb}' // interlinear annotation
            | '\u{e0000}'..='\u{e0fff}' // tags and further selectors
        )
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

/// Are all of these plain? The highest bit of a byte tells of it: one above 0x7f, one below 0x20, and one that is 0 once
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
    loop {
        let (plain, other) = rest.split_at(plain_prefix(rest.as_bytes()));
        out.extend_from_slice(plain.as_bytes());
        let Some(character) = other.chars().next() else { break };
        match character {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            unsafe_one if is_unsafe(unsafe_one) => {
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
            prop_assert!(!written.chars().any(is_unsafe));
            prop_assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        }
    }
}
