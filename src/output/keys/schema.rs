//! The table as JSON Schema (draft 2020-12): what a line of `-o json` may be.

use std::fmt::Write;

use super::{EVENT, Keys, ValueKind};

/// The schema of every event.
pub fn schema() -> String {
    let mut text = String::from(
        "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n  \"title\": \"killsnoop event\",\n  \
         \"description\": \"One line of killsnoop -o json. Generated: killsnoop generate\",\n  \
         \"type\": \"object\",\n  \"required\": [\"time\", \"level\", \"msg\", \"event\"],\n  \
         \"additionalProperties\": false,\n  \"properties\": ",
    );
    push_properties(&mut text, EVENT, 1);
    text.push_str(
        ",\n  \"allOf\": [\n    {\n      \"if\": {\"properties\": {\"event\": {\"const\": \"lost\"}}},\n      \
         \"then\": {\"required\": [\"lost\", \"cause\"]},\n      \
         \"else\": {\"required\": [\"id\", \"summary\"]}\n    },\n    \
         {\n      \"if\": {\"properties\": {\"event\": {\"enum\": [\"signal\", \"ended\"]}}},\n      \
         \"then\": {\"required\": [\"target\"]}\n    },\n    \
         {\n      \"if\": {\"properties\": {\"event\": {\"const\": \"attempt\"}}},\n      \
         \"then\": {\"required\": [\"source\", \"result\", \"signal\", \"signalString\", \"signalName\"]}\n    }\n  ],\n  \"$defs\": {\n",
    );
    let definitions = [("process", ValueKind::Process), ("trigger", ValueKind::ShortProcess)];
    for (place, (name, kind)) in definitions.into_iter().enumerate() {
        let comma = if place == 0 { "" } else { ",\n" };
        let _ = write!(
            text,
            "{comma}    \"{name}\": {{\"type\": \"object\", \"required\": [\"pid\", \"comm\"], \"additionalProperties\": \
             false, \"properties\": "
        );
        push_properties(&mut text, kind.below(), 2);
        text.push('}');
    }
    text.push_str("\n  }\n}\n");
    text
}

fn push_properties(text: &mut String, keys: Keys, depth: usize) {
    let indent = "  ".repeat(depth + 1);
    text.push('{');
    for (place, key) in keys.iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        // constants: no quote and no backslash in them
        let _ = write!(text, "{comma}\n{indent}\"{}\": {{\"description\": \"{}\", ", key.name, key.meaning);
        match key.kind {
            ValueKind::Text(_) | ValueKind::Base64 | ValueKind::SignalName => {
                text.push_str("\"type\": \"string\"");
            }
            ValueKind::Word(words) => {
                let _ = write!(text, "\"enum\": [\"{}\"]", words.join("\", \""));
            }
            ValueKind::SignalNumber | ValueKind::Number(_) => text.push_str("\"type\": \"integer\""),
            ValueKind::Decimal => text.push_str("\"type\": \"number\""),
            ValueKind::Flag => text.push_str("\"type\": \"boolean\""),
            ValueKind::Names => {
                text.push_str("\"type\": \"object\", \"additionalProperties\": {\"type\": \"string\"}");
            }
            ValueKind::List(_) => text.push_str("\"type\": \"array\", \"items\": {\"type\": \"string\"}"),
            ValueKind::Process => text.push_str("\"$ref\": \"#/$defs/process\""),
            ValueKind::ShortProcess => text.push_str("\"$ref\": \"#/$defs/trigger\""),
            ValueKind::Object(_) => {
                text.push_str("\"type\": \"object\", \"additionalProperties\": false, \"properties\": ");
                push_properties(text, key.below(), depth + 1);
            }
            ValueKind::Objects(_) => {
                text.push_str(
                    "\"type\": \"array\", \"items\": {\"type\": \"object\", \"additionalProperties\": false, \"properties\": ",
                );
                push_properties(text, key.below(), depth + 1);
                text.push('}');
            }
        }
        text.push('}');
    }
    let _ = write!(text, "\n{}}}", "  ".repeat(depth));
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_schema_is_json() {
        let schema: serde_json::Value = serde_json::from_str(&super::schema()).unwrap();
        assert_eq!(schema["properties"]["signal"]["type"], "integer");
    }
}
