//! `--max-line BYTES`: no line is longer. The farthest ancestors' command lines are left out first, and each says so; then ancestors,
//! then whatever is longest, which `missing` says of the source, the target or the event. Who sent what to whom always stays.
//!
//! Log drivers of containers split lines at 16 KiB, and half an event is none.

use crate::output::format::Format;
use crate::output::format::document::{Document, Field, Value};

/// What `missing` says of what was left out.
const REASON: &str = "max-line";

/// These stay: in all they have less than the least that can be asked for.
const KEPT: &[&str] = &[
    "time",
    "level",
    "msg",
    "event",
    "id",
    "signal",
    "signalString",
    "signalName",
    "origin",
    "result",
    "fatal",
    "repeated",
    "exitCode",
    "coreDumped",
    "lost",
    "missing",
    "source",
    "target",
    "pid",
    "comm",
    "key",
];

/// Writes a document in at most so many bytes, the newline not counted.
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
        if !leave_out(&mut next, length - most) && !leave_out_more(&mut next, length - most) {
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

/// Leaves out ancestors, and else what is longest, until about so many bytes are saved; was there something?
fn leave_out_more(document: &mut Document, bytes: usize) -> bool {
    let mut saved = 0;
    while saved < bytes {
        let left_out =
            leave_out_ancestor(document.fields_mut()).or_else(|| leave_out_longest(document.fields_mut()));
        let Some((of, length)) = left_out else { break };
        // what is added to `missing` is not saved
        saved += length.saturating_sub(add_missing(document.fields_mut(), of)).max(1);
    }
    saved > 0
}

/// The farthest one.
fn leave_out_ancestor(fields: &mut [Field]) -> Option<(&'static str, usize)> {
    let mut height = |side: &str| find_mut(fields, side).map_or(0, |own| ancestors(own));
    let sides = [("source", height("source")), ("target", height("target"))];
    let (side, height) = sides.into_iter().max_by_key(|&(side, height)| (height, side == "source"))?;
    let mut below = find_mut(fields, side).filter(|_| height > 0)?;
    for _ in 1..height {
        below = find_mut(below, "parent")?;
    }
    let place = below.iter().position(|field| field.key == "parent")?;
    Some((side, length(&below.remove(place))))
}

fn ancestors(process: &mut [Field]) -> usize {
    find_mut(process, "parent").map_or(0, |parent| 1 + ancestors(parent))
}

/// The longest key of the event, its source or its target that can go; of the missing ones the earlier reasons at last.
fn leave_out_longest(fields: &mut Vec<Field>) -> Option<(&'static str, usize)> {
    let mut longest: Option<(&'static str, usize, usize)> = None;
    for of in ["event", "source", "target"] {
        let Some(own) = (if of == "event" { Some(&mut *fields) } else { find_mut(fields, of) }) else {
            continue;
        };
        for (place, field) in own.iter().enumerate().filter(|(_, field)| !KEPT.contains(&field.key)) {
            if longest.is_none_or(|(_, _, most)| length(field) > most) {
                longest = Some((of, place, length(field)));
            }
        }
    }
    if let Some((of, place, length)) = longest {
        (if of == "event" { Some(fields) } else { find_mut(fields, of) })?.remove(place);
        return Some((of, length));
    }
    let Some(Value::Words(reasons)) =
        fields.iter_mut().find(|field| field.key == "missing").map(|field| &mut field.value)
    else {
        return None;
    };
    let place = reasons.iter().position(|reason| !reason.ends_with(REASON))?;
    Some(("event", reasons.remove(place).len() + 1))
}

/// Bytes that it takes in a line, about.
fn length(field: &Field) -> usize {
    let value = match &field.value {
        Value::Text(text) => text.len(),
        Value::List(items) => items.iter().map(|item| item.len() + 3).sum(),
        Value::Words(words) => words.iter().map(|word| word.len() + 3).sum(),
        Value::Names(names) => names.iter().map(|(name, value)| name.len() + value.len() + 6).sum(),
        Value::Object(fields) => fields.iter().map(length).sum(),
        Value::Objects(items) => items.iter().flatten().map(|field| length(field) + 6).sum(),
        Value::Number(_) | Value::Integer(_) | Value::Seconds(_) | Value::Flag(_) => 5,
    };
    field.key.len() + 4 + value
}

/// Says that something of this was left out; how many bytes that takes.
fn add_missing(fields: &mut Vec<Field>, of: &str) -> usize {
    let reason = format!("{of}:{REASON}");
    let place = fields.iter().position(|field| field.key == "missing").unwrap_or_else(|| {
        let processes = fields.iter().position(|field| matches!(field.key, "source" | "target"));
        let place = processes.unwrap_or(fields.len());
        fields.insert(place, Field { key: "missing", value: Value::Words(Vec::new()), is_last: false });
        place
    });
    match &mut fields[place].value {
        Value::Words(reasons) if !reasons.contains(&reason) => {
            reasons.push(reason);
            of.len() + REASON.len() + 4
        }
        _ => 0,
    }
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
    fn who_sent_what_to_whom_stays_whatever_else_goes() {
        let mut document = event(16, 100);
        document.field("kernelStack", List(&[&vec![b'x'; 3000]]));
        let place = |key: &str| document.fields().iter().position(|field| field.key == key).unwrap();
        let source = place("source");
        let Value::Object(source) = &mut document.fields_mut()[source].value else { panic!("no object") };
        source.push(Field { key: "exe", value: Value::Text("/x".repeat(2000)), is_last: false });
        let line = json(&document, 1024);
        assert!(line.len() <= 1025, "{line}");
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            value["missing"],
            serde_json::json!(["source:max-line", "target:max-line", "event:max-line"])
        );
        assert_eq!((&value["source"]["pid"], &value["target"]["pid"]), (&0.into(), &0.into()));
        assert!(value["source"]["exe"].is_null() && value["kernelStack"].is_null(), "{line}");
        // what is near stays longer than what is far
        let value: serde_json::Value = serde_json::from_str(&json(&event(16, 100), 1024)).unwrap();
        assert!(value["target"]["parent"].is_object(), "{value}");
    }

    proptest! {
        #[test]
        fn no_line_is_longer_than_it_was_to_be(depth in 0usize..20, length in 0usize..300, most in 1024usize..4000) {
            for format in [&mut Json::default() as &mut dyn Format, &mut Logfmt::default()] {
                let mut out = Vec::new();
                write(&event(depth, length), format, most, &mut out);
                let text = String::from_utf8(out).unwrap();
                prop_assert!(text.len() <= most + 1, "{}", text);
            }
        }
    }
}
