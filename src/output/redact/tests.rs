use super::*;
use crate::output::format::Format;
use crate::output::format::ValueRef::{Flag, List, Names, Objects, Text};
use proptest::prelude::*;

fn redacted(patterns: &[&str], takes_secrets: bool, items: &[&[u8]]) -> Vec<String> {
    let patterns = patterns.iter().map(|pattern| parse_pattern(pattern).unwrap()).collect();
    let mut items: Vec<Vec<u8>> = items.iter().map(|item| item.to_vec()).collect();
    Redaction::new(patterns, takes_secrets).texts(&mut items, Texts::Arguments, false, &Steps::of_event());
    items.into_iter().map(|item| String::from_utf8_lossy(&item).into_owned()).collect()
}

#[test]
fn a_pattern_takes_out_what_it_covers_and_boundaries_stay() {
    assert_eq!(redacted(&["hunter2"], false, &[b"x", b"a-hunter2-b"]), ["x", "a-[redacted]-b"]);
    assert_eq!(
        redacted(&["-k \\S+"], false, &[b"x", b"-k", b"v", b"w"]),
        ["x", "[redacted]", "[redacted]", "w"]
    );
    assert_eq!(redacted(&["-k (\\S+)"], false, &[b"x", b"-k", b"v"]), ["x", "-k", "[redacted]"]);
    assert_eq!(redacted(&["a", "ab"], false, &[b"ab"]), ["[redacted]"]);
    assert_eq!(redacted(&["x*"], false, &[b"ab"]), ["ab"], "an empty match is none");
}

#[test]
fn a_secret_is_out_of_every_key_that_could_tell_it() {
    let mut document = Document::default();
    document.field("event", Text("signal"));
    document.field("summary", Text("hunter2(7) sent"));
    document.open("source");
    document.field("cmdline", List(&[b"x", b"hunter2"]));
    document.field("cmdlineRaw", Text("aHVudGVyMg=="));
    document.field("title", Text("hunter2"));
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    document.field("env", Names(&[pair("A", "x-hunter2"), pair("hunter2", "y"), pair("B", "z")]));
    document.open_last("parent");
    document.field("cmdline", List(&[b"y"]));
    document.close();
    document.close();
    Redaction::new(vec![parse_pattern("hunter2|signal").unwrap()], false).apply(&mut document);
    let text = format!("{document:?}");
    assert_eq!(document.foreign("source.env.B"), Some("z"));
    let text = text.replacen("\"hunter2\", \"[redacted]\"", "", 1);
    assert!(!text.contains("hunter2") && !text.contains("aHVudGVyMg"), "{text}");
    assert!(document.is_set("source.cmdlineRedacted") && !document.is_set("source.parent.cmdlineRedacted"));
    assert_eq!(document.text_at("event"), Some("signal"), "our own words stay");
}

/// An object with every key of these tables, a text in each that has one.
fn fill_in(table: Keys, depth: u32, format: &mut Document, put: &dyn Fn(&Key, &mut Document)) {
    for key in table.iter() {
        if let ValueKind::Objects(_) = key.kind {
            let mut one = Document::default();
            fill_in(key.below(), depth, &mut one, put);
            format.field(key.name, Objects(&[one.fields().to_vec()]));
        } else if key.kind.is_object() {
            if depth > 0 {
                format.open(key.name);
                fill_in(key.below(), depth - 1, format, put);
                format.close();
            }
        } else {
            put(key, format);
        }
    }
}

/// The paths of all text in which this is.
fn found_in(fields: &[Field], path: &str, secret: &str, found: &mut Vec<String>) {
    for field in fields {
        let path = format!("{path}.{}", field.key);
        match &field.value {
            Value::Object(inner) => found_in(inner, &path, secret, found),
            value if format!("{value:?}").contains(secret) => found.push(path),
            Value::List(items) if items.iter().any(|item| String::from_utf8_lossy(item).contains(secret)) => {
                found.push(path);
            }
            _ => {}
        }
    }
}

#[test]
fn no_text_key_of_the_contract_tells_a_secret() {
    let put = |key: &Key, document: &mut Document| {
        let text = "mysql -phunter2 x";
        match key.kind {
            ValueKind::Base64 => document.field(key.name, Text(&STANDARD.encode(text))),
            ValueKind::Text(Author::Foreign | Author::OfNames) => document.field(key.name, Text(text)),
            ValueKind::List(Author::Foreign) => document.field(key.name, List(&[b"mysql", b"-phunter2"])),
            ValueKind::Names if key.name.ends_with(RAW) => {
                document.field(key.name, Names(&[("A".to_owned(), STANDARD.encode(text))]));
            }
            ValueKind::Names => {
                document.field(key.name, Names(&[("A".to_owned(), format!("sh -c '{text}'"))]));
            }
            // no other kind holds a text that is not one of a list
            _ => {}
        }
    };
    let mut document = Document::default();
    fill_in(keys::EVENT, 4, &mut document, &put);
    for (redaction, kept) in [
        (Redaction::new(Vec::new(), true), &["tree", "summary"][..]),
        (Redaction::new(vec![parse_pattern("hunter2").unwrap()], false), &[]),
    ] {
        let mut document = document.clone();
        let (mut before, mut after) = (Vec::new(), Vec::new());
        found_in(document.fields(), "", "hunter2", &mut before);
        assert!(
            before.len() > 60 && before.iter().any(|path| path == ".target.tracer.cmdline"),
            "{before:?}"
        );
        redaction.apply(&mut document);
        found_in(document.fields(), "", "hunter2", &mut after);
        // these are made of names, out of which it is taken before
        after.retain(|path| !kept.iter().any(|name| path.ends_with(&format!(".{name}"))));
        assert_eq!(after, [""; 0]);
        let mut raw = Vec::new();
        found_in(document.fields(), "", &STANDARD.encode("mysql -phunter2 x"), &mut raw);
        assert_eq!(raw, [""; 0]);
    }
}

#[test]
fn a_key_that_the_table_does_not_have_is_searched() {
    let mut document = Document::default();
    document.field("newKey", Text("hunter2"));
    document.open("newObject");
    document.field("other", Text("hunter2"));
    document.close();
    Redaction::new(vec![parse_pattern("hunter2").unwrap()], false).apply(&mut document);
    assert!(!format!("{document:?}").contains("hunter2"));
}

#[test]
fn a_byte_that_is_no_text_ends_no_match() {
    for pattern in ["-k \\S+", "-k .+", "-k (\\w+)", "-k ([0-9a-f]+)", "-k ([A-Z0-9]+)", "-k ([^ ]+)"] {
        let left = redacted(&[pattern], false, &[b"x", b"-k", b"ab\xffcd", b"w"]);
        assert!(pattern.contains("A-Z") || left[2] == REDACTED, "{pattern}: {left:?}");
    }
    assert_eq!(redacted(&["(?-u:\\xff)"], false, &[b"a\xffb"]), ["a[redacted]b"]);
    for items in
        [&[&b"--password"[..], b"ab\xffcd"][..], &[b"--password=ab\xff cd"], &[b"ghp_abcd\xff\xffefgh"]]
    {
        let left = redacted(&[], true, items).join(" ");
        assert!(!left.contains("ab") && !left.contains("cd") && !left.contains("ef"), "{left}");
    }
    let mut document = Document::default();
    document.field("title", Text("x -k ab\u{fffd}cd"));
    Redaction::new(vec![parse_pattern("-k (\\w+)").unwrap()], false).apply(&mut document);
    assert_eq!(document.text_at("title"), Some("x -k [redacted]"));
}

#[test]
fn the_half_of_a_secret_that_was_cut_is_taken_out() {
    let of = |redaction: &Redaction, items: &[&[u8]], is_cut: bool| {
        let mut document = Document::default();
        document.open("source");
        document.field("cmdline", List(items));
        if is_cut {
            document.field("cmdlineTruncated", Flag(true));
        }
        document.field("comm", Text("x"));
        document.close();
        redaction.apply(&mut document);
        match document.get("source.cmdline") {
            Some(Value::List(items)) => String::from_utf8_lossy(&items.join(&b' ')).into_owned(),
            other => panic!("{other:?}"),
        }
    };
    let own = Redaction::new(vec![parse_pattern("hunter2secret").unwrap()], false);
    assert_eq!(of(&own, &[b"x", b"a", b"hunter2se"], true), "x a [redacted]");
    assert_eq!(of(&own, &[b"x", b"a", b"hunter2se"], false), "x a hunter2se");
    let usual = Redaction::new(Vec::new(), true);
    for (items, left) in [
        (&[&b"psql"[..], b"postgres://app:hunt"][..], "psql postgres://app:[redacted]"),
        (&[b"git", b"clone", b"https://hunt"], "git clone https://[redacted]"),
        (&[b"curl", b"-u", b"hunt"], "curl -u [redacted]"),
        (&[b"sh", b"-c", b"mysql -phunt"], "sh -c mysql -p[redacted]"),
        (&[b"curl", b"-H", b"Authorization: Bearer hunt"], "curl -H Authorization: Bearer [redacted]"),
    ] {
        assert_eq!(of(&usual, items, true), left);
    }
}

#[test]
fn names_are_taken_out_of_the_facts() {
    let redaction = Redaction::new(vec![parse_pattern("hunter2").unwrap()], true);
    assert_eq!(redaction.comm(b"x-hunter2").as_deref(), Some(&b"x-[redacted]"[..]));
    assert_eq!(redaction.comm(b"sshd"), None);
    assert_eq!(redaction.comm(b"TOKEN=abcdef").as_deref(), Some(&b"TOKEN=[redacted]"[..]));
    // cut by the kernel
    assert_eq!(redaction.comm(b"123456789hunter").as_deref(), Some(&b"123456789[redacted]"[..]));
    assert_eq!(redaction.comm(b"12345678hunter"), None);
}

#[test]
fn a_mark_is_no_text() {
    assert_eq!(redacted(&["red", "a"], false, &[b"[redacted]-red-a"]), ["[redacted]-[redacted]-[redacted]"]);
    assert_eq!(redacted(&[], true, &[b"--password=[redacted]hunter2"]), ["--password=[redacted]"]);
}

#[test]
fn a_bad_pattern_is_named_with_the_reason() {
    for pattern in ["(", ""] {
        let message = parse_pattern(pattern).unwrap_err().to_string();
        assert!(message.contains(&format!("'{pattern}'")), "{message}");
    }
}

proptest! {
    #[test]
    fn nothing_of_a_match_is_left_and_no_argument_is_lost(items in proptest::collection::vec("[ab ]{0,6}", 0..5)) {
        let parts: Vec<&[u8]> = items.iter().map(String::as_bytes).collect();
        let left = redacted(&["b+"], false, &parts);
        prop_assert_eq!(left.len(), items.len());
        prop_assert!(left.iter().all(|item| !item.contains('b')));
    }

    #[test]
    fn no_bytes_make_it_panic(items in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 0..5)) {
        let parts: Vec<&[u8]> = items.iter().map(Vec::as_slice).collect();
        prop_assert_eq!(redacted(&["."], true, &parts).len(), items.len());
    }
}
