//! Recorded raw records, replayed without root: what is decoded, judged and printed of them is pinned down.
//!
//! `tests/data/NAME.records` holds records as the ring gave them, each behind its length (u32, host order);
//! `NAME.logfmt`, `.json`, `.table` and `.tree` what is printed of them. `scripts/record-fixtures` records them again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

use std::fs;
use std::path::{Path, PathBuf};

use killsnoop::base::sanitize::is_unsafe;
use killsnoop::event::{Clock, Event};
use killsnoop::output::format::screen::PLAIN;
use killsnoop::output::format::{self, Format, View, json::Json, logfmt::Logfmt};
use killsnoop::output::keys;
use killsnoop::output::render;
use killsnoop::record::{DecodeError, Images, Record, decode, decode_with};
use proptest::prelude::*;
use support::raw_records::split;

/// 2026-01-01T00:00:00Z, as if the guest had booted then.
const CLOCK: Clock = Clock::fixed(1_767_225_600_000_000_000);

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// What was recorded of one situation.
struct Fixture {
    name: String,
    /// As they came out of the ring.
    records: Vec<Vec<u8>>,
    /// Those of them that are events.
    events: Vec<Vec<u8>>,
    /// Those that the others refer to.
    images: Images,
}

impl Fixture {
    fn read(path: &Path) -> Self {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let records = split(&fs::read(path).unwrap());
        let mut images = Images::default();
        let mut events = records.clone();
        events.retain(|record| {
            let decoded = decode(record).unwrap_or_else(|error| match error {
                DecodeError::Version { .. } => panic!("{name}: {error} with scripts/record-fixtures"),
                _ => panic!("{name}: {error}"),
            });
            match decoded {
                Record::Image(image) => images.take(&image),
                _ => return true,
            }
            false
        });
        Self { name, records, events, images }
    }

    fn decode<'a>(&'a self, record: &'a [u8]) -> Record<'a> {
        decode_with(record, &self.images).unwrap()
    }
}

/// All of them.
fn fixtures() -> Vec<Fixture> {
    let mut fixtures: Vec<Fixture> = fs::read_dir(data())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "records"))
        .map(|path| Fixture::read(&path))
        .collect();
    fixtures.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(fixtures.len() >= 16, "tests/data has {} fixtures: run scripts/record-fixtures", fixtures.len());
    fixtures
}

fn print(record: Record<'_>, id: u64, format: &mut dyn Format) -> String {
    let event = Event::judge(record, id, CLOCK, 0).expect("the fixtures hold events only");
    render::write(&event, format);
    let mut out = Vec::new();
    format.finish(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn every_format_prints_what_it_printed() {
    let bless = std::env::var_os("KILLSNOOP_BLESS").is_some();
    let mut differing = Vec::new();
    for fixture in fixtures() {
        let name = &fixture.name;
        assert!(!fixture.events.is_empty(), "{name} has no event");
        for kind in format::ALL {
            let mut format = (kind.open)(PLAIN, &View::default());
            let lines: String = fixture
                .events
                .iter()
                .zip(1..)
                .map(|(record, id)| print(fixture.decode(record), id, &mut *format))
                .collect();
            let golden = data().join(format!("{name}.{}", kind.name));
            if bless {
                fs::write(&golden, &lines).unwrap();
            } else if fs::read_to_string(&golden).unwrap_or_default() != lines {
                println!("{} is not what is printed now:\n{lines}", golden.display());
                differing.push(golden);
            }
        }
    }
    assert!(
        differing.is_empty(),
        "{} golden files differ (above); if that is meant: KILLSNOOP_BLESS=1 cargo test --test replay",
        differing.len()
    );
}

#[test]
fn the_schema_in_the_docs_is_the_programs_and_every_event_keeps_it() {
    let path = data().join("../../docs/killsnoop.schema.json");
    if std::env::var_os("KILLSNOOP_BLESS").is_some() {
        fs::write(&path, keys::schema()).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        text == keys::schema(),
        "docs/killsnoop.schema.json is old: KILLSNOOP_BLESS=1 cargo test --test replay"
    );
    let schema = serde_json::from_str(&text).unwrap();
    assert!(jsonschema::meta::is_valid(&schema));
    let validator = jsonschema::validator_for(&schema).unwrap();
    for fixture in fixtures() {
        let name = &fixture.name;
        for record in &fixture.events {
            let line = print(fixture.decode(record), 1, &mut Json::default());
            let event: serde_json::Value = serde_json::from_str(&line).unwrap();
            let errors: Vec<String> = validator.iter_errors(&event).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{name}: {errors:#?} in {line}");
        }
    }
    // and it does refuse something
    for event in [
        r#"{"event":"signal"}"#,
        r#"{"time":"","level":"INFO","msg":"","event":"lost","lost":1,"cause":{"x":1}}"#,
    ] {
        assert!(!validator.is_valid(&serde_json::from_str(event).unwrap()), "{event}");
    }
}

#[test]
fn the_field_reference_in_the_docs_is_the_programs() {
    let path = data().join("../../docs/fields.md");
    if std::env::var_os("KILLSNOOP_BLESS").is_some() {
        fs::write(&path, keys::reference()).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == keys::reference(),
        "docs/fields.md is old: KILLSNOOP_BLESS=1 cargo test --test replay"
    );
}

#[test]
fn every_key_that_is_printed_can_be_filtered_by() {
    for fixture in fixtures() {
        let name = &fixture.name;
        for record in &fixture.events {
            let line = print(fixture.decode(record), 1, &mut Logfmt::default());
            for pair in logfmt_pairs(line.trim_end()) {
                let key = pair.split_once('=').expect("a pair").0;
                assert!(keys::look_up(key).is_ok(), "{name}: {key}");
            }
        }
    }
}

#[test]
fn the_line_in_the_guide_is_what_is_printed() {
    let path = data().join("../../docs/guide.md");
    let mut guide = fs::read_to_string(&path).unwrap();
    let fixture = Fixture::read(&data().join("pkill.records"));
    let line = print(fixture.decode(&fixture.events[0]), 1, &mut Logfmt::default());
    let broken_up = logfmt_pairs(line.trim_end()).join("\n");
    if std::env::var_os("KILLSNOOP_BLESS").is_some() {
        let begin = guide.find("time=").unwrap();
        let end = begin + guide[begin..].find("\n```").unwrap();
        guide.replace_range(begin..end, &broken_up);
        fs::write(&path, &guide).unwrap();
    }
    assert!(guide.contains(&broken_up), "the example in docs/guide.md is to be:\n{broken_up}");
}

#[test]
fn every_line_of_json_is_one_object_and_no_line_holds_an_unsafe_character() {
    for fixture in fixtures() {
        let name = &fixture.name;
        for record in &fixture.events {
            let line = print(fixture.decode(record), 1, &mut Json::default());
            let value: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert!(value.is_object(), "{name}");
            for kind in format::ALL {
                let lines = print(fixture.decode(record), 1, &mut *(kind.open)(PLAIN, &View::default()));
                let is_wrong = |character| character != '\n' && is_unsafe(character);
                assert!(!lines.chars().any(is_wrong), "{name}: {lines:?}");
                let count = lines.matches('\n').count();
                assert!(!kind.is_for_programs || (count == 1 && lines.ends_with('\n')), "{name}: {lines:?}");
            }
        }
    }
}

#[test]
fn logfmt_is_json_flattened() {
    fn flatten(path: &str, value: &serde_json::Value, keys: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(object) => {
                for (key, value) in object {
                    flatten(&format!("{path}.{key}"), value, keys);
                }
            }
            _ => keys.push(path[1..].to_owned()),
        }
    }
    for fixture in fixtures() {
        let name = &fixture.name;
        for record in &fixture.events {
            let json = print(fixture.decode(record), 1, &mut Json::default());
            let mut wanted = Vec::new();
            flatten("", &serde_json::from_str(&json).unwrap(), &mut wanted);
            wanted.sort();
            let line = print(fixture.decode(record), 1, &mut Logfmt::default());
            let mut keys: Vec<&str> = logfmt_pairs(line.trim_end())
                .into_iter()
                .map(|pair| pair.split_once('=').expect("a pair").0)
                .collect();
            keys.sort_unstable();
            assert_eq!(keys, wanted, "{name}");
        }
    }
}

/// Between `<!-- example: NAME.FORMAT -->` and `<!-- /example -->` stands what is printed of that fixture.
#[test]
fn the_examples_in_the_guide_are_what_is_printed() {
    let path = data().join("../../docs/guide.md");
    let mut guide = fs::read_to_string(&path).unwrap();
    let mut at = 0;
    let mut count = 0;
    while let Some(found) = guide[at..].find("<!-- example: ") {
        let begin = at + found + "<!-- example: ".len();
        let name = guide[begin..].split_once(" -->").unwrap().0.to_owned();
        let end = begin + guide[begin..].find("<!-- /example -->").unwrap();
        let lines = fs::read_to_string(data().join(&name)).unwrap();
        let lines: Vec<&str> = lines.lines().map(str::trim_end).collect();
        let wanted = format!("{name} -->\n```\n{}\n```\n", lines.join("\n"));
        if std::env::var_os("KILLSNOOP_BLESS").is_some() {
            guide.replace_range(begin..end, &wanted);
            fs::write(&path, &guide).unwrap();
        }
        at = begin + wanted.len();
        assert!(guide[begin..].starts_with(&wanted), "the example in docs/guide.md is to be:\n{wanted}");
        count += 1;
    }
    assert!(count >= 2, "{count} examples");
}

/// The `key=value` pairs of a logfmt line.
fn logfmt_pairs(line: &str) -> Vec<&str> {
    let mut pairs = Vec::new();
    let (mut begin, mut in_quotes, mut escaped) = (0, false, false);
    for (at, character) in line.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if in_quotes => escaped = true,
            '"' => in_quotes = !in_quotes,
            ' ' if !in_quotes => {
                pairs.push(&line[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    pairs.push(&line[begin..]);
    pairs
}

#[test]
fn every_beginning_of_a_record_is_an_error() {
    for Fixture { name, records, .. } in fixtures() {
        for record in &records {
            for cut in (0..record.len()).step_by(if record.len() > 10_000 { 37 } else { 1 }) {
                assert!(decode(&record[..cut]).is_err(), "{name} cut at {cut} of {}", record.len());
            }
        }
    }
}

/// `scripts/fuzz` wants the records one by one.
#[test]
fn the_corpus_is_written_where_it_is_wanted() {
    let nowhere = tempfile::tempdir().unwrap();
    let directory = std::env::var_os("KILLSNOOP_CORPUS").map_or(nowhere.path().to_owned(), PathBuf::from);
    let mut count = 0;
    for Fixture { name, records, .. } in fixtures() {
        for (place, record) in records.iter().enumerate() {
            let path = directory.join(format!("{name}.{place}"));
            fs::write(&path, record).unwrap();
            assert!(decode(&fs::read(path).unwrap()).is_ok());
            count += 1;
        }
    }
    assert!(count >= 16);
}

/// So many damaged records, or as many as `PROPTEST_CASES` says.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").map_or(2000, |text| text.parse().unwrap())
}

/// Whatever still decodes is also judged and printed without a panic, as safe lines.
fn assert_safe(record: &[u8], images: &Images) {
    let Ok(record) = decode_with(record, images) else { return };
    let Some(event) = Event::judge(record, 1, CLOCK, 0) else { return };
    let mut out = Vec::new();
    let mut json = Json::default();
    render::write(&event, &mut json);
    json.finish(&mut out);
    assert!(serde_json::from_slice::<serde_json::Value>(&out).is_ok());
    let mut logfmt = Logfmt::default();
    render::write(&event, &mut logfmt);
    logfmt.finish(&mut out);
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.matches('\n').count(), 2);
    let mut for_eyes = Vec::new();
    for kind in format::ALL.iter().filter(|kind| !kind.is_for_programs) {
        let mut format = (kind.open)(PLAIN, &View::default());
        render::write(&event, &mut *format);
        format.finish(&mut for_eyes);
    }
    let text = text + &String::from_utf8(for_eyes).unwrap();
    if let Some(character) = text.chars().find(|&character| character != '\n' && is_unsafe(character)) {
        panic!("{character:?} in {text:?}");
    }
}

/// Random changes hardly ever hit the few bytes that become a key.
#[test]
fn an_escape_anywhere_gives_an_error_or_a_safe_line() {
    for Fixture { events, images, records, .. } in fixtures() {
        for record in &events {
            for at in 0..record.len() {
                let mut record = record.clone();
                record[at] = 0x1b;
                assert_safe(&record, &images);
            }
        }
        // of an image: what refers to it is printed
        for image in records.iter().filter(|record| record.len() < 10_000 && !events.contains(record)) {
            for at in 0..image.len() {
                let mut image = image.clone();
                image[at] = 0x1b;
                let Ok(Record::Image(image)) = decode(&image) else { continue };
                let mut images = Images::default();
                images.take(&image);
                for record in &events {
                    assert_safe(record, &images);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_record_gives_an_error_or_a_line(
        place in any::<proptest::sample::Index>(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..16),
    ) {
        let fixtures = fixtures();
        let records: Vec<(&Vec<u8>, &Images)> = fixtures
            .iter()
            .flat_map(|fixture| fixture.events.iter().map(|record| (record, &fixture.images)))
            .collect();
        let &(record, images) = place.get(&records);
        let mut record = record.clone();
        for (at, value) in changes {
            // mostly in the header and the first process, where lengths and counts are
            let length = if value % 4 == 0 { record.len() } else { record.len().min(400) };
            let at = at.index(length);
            record[at] = value;
        }
        assert_safe(&record, images);
    }
}
