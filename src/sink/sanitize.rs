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

/// Appends a JSON string, quotes included; what is unsafe is escaped as `\uXXXX`.
pub fn push_json_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut clean_from = 0;
    for (at, character) in text.char_indices() {
        let quoted = matches!(character, '"' | '\\');
        if !quoted && !is_unsafe(character) {
            continue;
        }
        out.extend_from_slice(&text.as_bytes()[clean_from..at]);
        clean_from = at + character.len_utf8();
        match character {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
                }
            }
        }
    }
    out.extend_from_slice(&text.as_bytes()[clean_from..]);
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

    proptest! {
        #[test]
        fn every_json_parser_reads_the_text_back(text in any::<String>()) {
            let written = json(&text);
            prop_assert!(!written.chars().any(is_unsafe));
            prop_assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        }
    }
}
