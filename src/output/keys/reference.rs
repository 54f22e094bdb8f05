//! The table for people: `docs/fields.md`, and the section FIELDS of killsnoop(1).

use std::fmt::Write;

use super::{Author, EVENT, Key, Keys, ValueKind};

/// A part of the reference.
struct Section {
    title: &'static str,
    introduction: &'static str,
    keys: Keys,
}

fn sections() -> [Section; 3] {
    [
        Section {
            title: "Event",
            introduction: "One line is one event. A key that does not apply is absent.",
            keys: EVENT,
        },
        Section {
            title: "Process",
            introduction: "The keys of source and target. Of parent and spawnedBy, which are processes as well, those \
                           up to execedSince.",
            keys: ValueKind::Process.below(),
        },
        Section {
            title: "Other process",
            introduction: "The keys of trigger and tracer.",
            keys: ValueKind::ShortProcess.below(),
        },
    ]
}

/// Every value below these keys, with its path from here.
fn values(keys: Keys, path: &str, values: &mut Vec<(String, &'static Key)>) {
    for key in keys.iter() {
        let path = format!("{path}{}", key.name);
        match key.kind {
            ValueKind::Object(_) => values_below(key, &path, values),
            ValueKind::Objects(_) => values_below(key, &format!("{path}[]"), values),
            _ => values.push((path, key)),
        }
    }
}

fn values_below(key: &'static Key, path: &str, found: &mut Vec<(String, &'static Key)>) {
    values(key.below(), &format!("{path}."), found);
}

/// What a key holds, in words.
fn kind(kind: ValueKind) -> String {
    match kind {
        ValueKind::Text(Author::Own) => "text".to_owned(),
        ValueKind::Text(Author::Foreign) => "foreign text".to_owned(),
        ValueKind::Text(Author::OfNames) => "text with foreign names".to_owned(),
        ValueKind::List(Author::Foreign) => "list of foreign texts".to_owned(),
        ValueKind::List(_) => "list".to_owned(),
        ValueKind::Names => "names and values".to_owned(),
        ValueKind::Base64 => "base64".to_owned(),
        ValueKind::Word(words) => words.join(", "),
        ValueKind::SignalNumber => "number of a signal".to_owned(),
        ValueKind::SignalName => "name of a signal".to_owned(),
        ValueKind::Number(_) => "integer".to_owned(),
        ValueKind::Decimal => "number".to_owned(),
        ValueKind::Flag => "true or false".to_owned(),
        ValueKind::Object(_) => "object".to_owned(),
        ValueKind::Objects(_) => "list of objects".to_owned(),
        ValueKind::Process => "process".to_owned(),
        ValueKind::ShortProcess => "other process".to_owned(),
    }
}

/// `docs/fields.md`.
pub fn reference() -> String {
    let mut text = String::from(
        "# Fields\n\n\
         Every key of an event: what `-o json` and `-o logfmt` print, what `--where`, `--not` and `--fields` may name (words \
         joined by dots: `source.parent.comm`). Generated from the program's own table; the machine-readable form is \
         [killsnoop.schema.json](killsnoop.schema.json).\n\n\
         *Foreign* text is chosen by another process: `--redact` and `--redact-secrets` search it. A text that is not UTF-8 \
         is followed by its bytes in base64, in the key of the same name with `Raw` behind it.\n",
    );
    for Section { title, introduction, keys } in sections() {
        let _ = write!(text, "\n## {title}\n\n{introduction}\n\n| Key | Holds | Meaning |\n|---|---|---|\n");
        let mut found = Vec::new();
        values(keys, "", &mut found);
        for (path, key) in found {
            let holds = match key.kind {
                ValueKind::Word(words) => {
                    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
                }
                other => kind(other),
            };
            let _ = writeln!(text, "| `{path}` | {holds} | {} |", key.meaning);
        }
    }
    text
}

/// The names of all keys, for a help.
pub fn overview() -> String {
    let mut text = String::new();
    for Section { title, introduction, keys } in sections() {
        let mut found = Vec::new();
        values(keys, "", &mut found);
        let names: Vec<String> = found.into_iter().map(|(path, _)| path).collect();
        let _ = writeln!(text, "\n  {title}. {introduction}\n  {}", names.join(", "));
    }
    text
}

/// The section FIELDS of the man page, in roff.
pub fn manual() -> String {
    let escape = |text: &str| text.replace('\\', "\\\\").replace('-', "\\-");
    let mut text = String::from(
        ".SH FIELDS\nWhat an event may hold. \\-\\-where, \\-\\-not and \\-\\-fields name a field by its words, joined by dots: \
         source.parent.comm.\n",
    );
    for Section { title, introduction, keys } in sections() {
        let _ = write!(text, ".SS {title}\n{}\n", escape(introduction));
        let mut found = Vec::new();
        values(keys, "", &mut found);
        for (path, key) in found {
            let (path, kind, meaning) = (escape(&path), escape(&kind(key.kind)), escape(key.meaning));
            let _ = write!(text, ".TP\n\\fB{path}\\fR ({kind})\n{meaning}\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_in_the_reference_and_in_the_manual() {
        let (reference, manual, overview) = (reference(), manual(), overview());
        for path in super::super::paths() {
            let of_process =
                ["source.", "target.", "trigger."].iter().find_map(|side| path.strip_prefix(side));
            if of_process.is_some_and(|path| {
                path.contains("parent.") || path.contains("spawnedBy.") || path.contains("tracer.")
            }) {
                continue;
            }
            let path = of_process.unwrap_or(&path);
            assert!(reference.contains(&format!("| `{path}` |")), "{path}");
            assert!(manual.contains(&format!("\\fB{path}\\fR")), "{path}");
            assert!(overview.split([' ', ',', '\n']).any(|word| word == path), "{path}");
        }
    }

    #[test]
    fn no_line_of_the_manual_is_a_request_by_accident() {
        for line in manual().lines() {
            let is_request = line.starts_with(".SH ") || line.starts_with(".SS ") || line == ".TP";
            assert!(is_request || !line.starts_with(['.', '\'']), "{line}");
        }
    }
}
