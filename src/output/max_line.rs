//! `--max-line BYTES`: leaves out the farthest ancestors' command lines first, and says of each that it did.
//!
//! Log drivers of containers split lines at 16 KiB, and half an event is none.

use crate::output::format::Format;
use crate::output::format::document::{Document, Field, Value};

/// Writes a document in at most so many bytes, the newline not counted. What cannot be left out is written all the
/// same: a line that is too long says more than one that is not there.
pub(super) fn write(document: &Document, format: &mut dyn Format, most: usize, out: &mut Vec<u8>) {
    let begin = out.len();
    let mut shortened: Option<Document> = None;
    loop {
        let document_now = shortened.as_ref().unwrap_or(document);
        out.truncate(begin);
        document_now.write_to(format);
        format.finish(out);
        let length = (out.len() - begin).saturating_sub(1);
        if length <= most {
            return;
        }
        let mut next = shortened.take().unwrap_or_else(|| document.clone());
        if !leave_out(&mut next, length - most) {
            return;
        }
        shortened = Some(next);
    }
}

/// Leaves out command lines, farthest first, until about so many bytes are saved; was there one?
fn leave_out(document: &mut Document, bytes: usize) -> bool {
    let mut saved = 0;
    while saved < bytes {
        let mut depth = |name: &str| find_mut(document.fields_mut(), name).map_or(0, |own| deepest(own, 0));
        let sides = [("source", depth("source")), ("target", depth("target"))];
        // of equally far ones the source's goes first: the target is what people ask about
        let Some((side, depth)) = sides.into_iter().max_by_key(|&(side, depth)| (depth, side == "source"))
        else {
            break;
        };
        if depth == 0 {
            break;
        }
        let Some(own) = find_mut(document.fields_mut(), side) else { break };
        saved += leave_out_at(own, depth - 1).max(1);
    }
    saved > 0
}

fn find_mut<'a>(fields: &'a mut [Field], key: &str) -> Option<&'a mut Vec<Field>> {
    fields.iter_mut().find(|field| field.key == key).and_then(|field| match &mut field.value {
        Value::Object(inner) => Some(inner),
        _ => None,
    })
}

/// How far up the farthest command line is that is still there, plus one; 0 if there is none.
fn deepest(process: &[Field], depth: usize) -> usize {
    let own = if process.iter().any(|field| field.key == "cmdline") { depth + 1 } else { 0 };
    let above = process.iter().find_map(|field| match &field.value {
        Value::Object(parent) if field.key == "parent" => Some(deepest(parent, depth + 1)),
        _ => None,
    });
    own.max(above.unwrap_or(0))
}

/// About how many bytes that saves.
fn leave_out_at(process: &mut Vec<Field>, depth: usize) -> usize {
    if depth > 0 {
        return find_mut(process, "parent").map_or(0, |parent| leave_out_at(parent, depth - 1));
    }
    let Some(at) = process.iter().position(|field| field.key == "cmdline") else { return 0 };
    let mut saved = match &process[at].value {
        Value::List(items) => items.iter().map(|item| item.len() + 1).sum(),
        _ => 0,
    };
    process[at] = Field { key: "cmdlineOmitted", value: Value::Flag(true), is_last: false };
    process.retain(|field| {
        let goes = matches!(field.key, "cmdlineRaw" | "cmdlineTruncated" | "cmdlineRedacted" | "cmdlineFrom");
        if let (true, Value::Text(text)) = (goes, &field.value) {
            saved += text.len();
        }
        !goes
    });
    saved
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::format::ValueRef::{List, Number, Text};
    use crate::output::format::json::Json;
    use crate::output::format::logfmt::Logfmt;
    use proptest::prelude::*;

    fn event(depth: usize, length: usize) -> Document {
        let mut document = Document::default();
        document.field("event", Text("signal"));
        for side in ["source", "target"] {
            for place in 0..=depth {
                if place == 0 {
                    document.open(side);
                } else {
                    document.open_last("parent");
                }
                document.field("pid", Number(place as u64));
                document.field("cmdline", List(&[&vec![b'x'; length]]));
                document.field("cmdlineRaw", Text("eA=="));
            }
            (0..=depth).for_each(|_| document.close());
        }
        document
    }

    fn json(document: &Document, most: usize) -> String {
        let mut out = b"before\n".to_vec();
        write(document, &mut Json::default(), most, &mut out);
        String::from_utf8(out).unwrap().strip_prefix("before\n").unwrap().to_owned()
    }

    #[test]
    fn the_farthest_command_lines_go_first_and_each_says_so() {
        let document = event(3, 1000);
        let line = json(&document, 5000);
        assert!(line.len() <= 5001);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        let farthest = &value["source"]["parent"]["parent"]["parent"];
        assert_eq!(farthest["cmdlineOmitted"], true);
        assert!(farthest["cmdline"].is_null() && farthest["cmdlineRaw"].is_null());
        assert!(value["source"]["cmdline"].is_array() && value["target"]["cmdline"].is_array());
        assert!(value["target"]["parent"]["cmdline"].is_array());
    }

    #[test]
    fn of_two_that_are_equally_far_the_source_goes_first() {
        let value: serde_json::Value = serde_json::from_str(&json(&event(3, 1000), 7900)).unwrap();
        let farthest = |side: &str| value[side]["parent"]["parent"]["parent"]["cmdline"].is_array();
        assert!(farthest("target") && !farthest("source"), "{value}");
    }

    #[test]
    fn a_line_that_is_short_enough_stays_as_it_is() {
        let document = event(2, 10);
        assert_eq!(json(&document, 16_384), json(&document, usize::MAX));
        assert!(!json(&document, 16_384).contains("Omitted"));
    }

    #[test]
    fn a_line_that_cannot_be_short_enough_is_written_whole() {
        assert!(json(&event(2, 100), 1).starts_with("{\"event\""));
    }

    proptest! {
        #[test]
        fn a_line_is_as_short_as_it_was_to_be_or_nothing_more_could_go(depth in 0usize..5, length in 0usize..300, most in 1usize..2000) {
            for format in [&mut Json::default() as &mut dyn Format, &mut Logfmt::default()] {
                let mut out = Vec::new();
                write(&event(depth, length), format, most, &mut out);
                let text = String::from_utf8(out).unwrap();
                prop_assert!(text.len() <= most + 1 || !text.contains("cmdline="), "{}", text);
                prop_assert!(text.len() <= most + 1 || !text.contains("\"cmdline\""), "{}", text);
            }
        }
    }
}
