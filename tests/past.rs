//! What is asked afterwards, where no kernel is needed: times against systemd's own reading of them, and events that come back from
//! their JSON lines as they were.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use killsnoop::output::format::screen::PLAIN;
use killsnoop::output::format::{self, FormatKind, View};
use killsnoop::output::read;
use killsnoop::past::moment;

/// What the fixtures print, as lines of one format and of JSON.
fn golden(kind: FormatKind) -> Vec<(String, String, String)> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut golden = Vec::new();
    for entry in fs::read_dir(data).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json")
            && path.with_extension("records").exists()
        {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let text = |extension: &str| fs::read_to_string(path.with_extension(extension)).unwrap();
            golden.push((name, text("json"), text(kind.name)));
        }
    }
    assert!(golden.len() >= 16, "the fixtures are elsewhere");
    golden
}

#[test]
fn an_event_that_is_read_back_is_drawn_as_it_was_in_every_format() {
    for &kind in format::ALL {
        for (name, json, expected) in golden(kind) {
            let mut format = (kind.open)(PLAIN, &View::default());
            let mut out = Vec::new();
            for line in json.lines() {
                let document = read::document(line).unwrap_or_else(|error| panic!("{name}: {error}"));
                document.write_to(&mut *format);
                format.finish(&mut out);
            }
            let out = String::from_utf8(out).unwrap();
            assert_eq!(out, expected, "{name}.{}", kind.name);
        }
    }
}

/// What systemd makes of it, in microseconds; None: no time.
fn systemd(text: &str, zone: &str) -> Option<i64> {
    let output = Command::new("systemd-analyze")
        .args(["timestamp", "--", text])
        .env("TZ", format!(":{zone}"))
        .env("LC_ALL", "C")
        .output()
        .expect("systemd-analyze is the oracle of this test: apt-get install systemd");
    let output = String::from_utf8(output.stdout).unwrap();
    let seconds = output.lines().find_map(|line| line.trim().strip_prefix("UNIX seconds: @"))?;
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    Some(whole.parse::<i64>().unwrap() * 1_000_000 + format!("{fraction:0<6}").parse::<i64>().unwrap())
}

/// The release of the oracle.
fn release() -> u32 {
    let output = Command::new("systemd-analyze").arg("--version").output();
    let output = String::from_utf8(output.expect("apt-get install systemd").stdout).unwrap();
    output.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The same numbers in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(sides).unwrap()).unwrap()
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.roll(of.len())]
    }

    fn number(&mut self, least: usize, most: usize) -> usize {
        least + self.roll(most - least + 1)
    }
}

const ZONES: &[&str] = &[
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Europe/Dublin",
    "Africa/Casablanca",
    "Pacific/Chatham",
    "America/Santiago",
    "Asia/Tokyo",
    "America/Havana",
];

/// Days on which clocks change, and others.
fn date(dice: &mut Dice) -> String {
    match dice.roll(4) {
        0 => dice
            .one(&[
                "2026-03-29",
                "2026-10-25",
                "2026-03-08",
                "2026-11-01",
                "2026-04-05",
                "2026-10-04",
                "2026-02-28",
            ])
            .to_owned(),
        1 => format!("{:02}-{:02}-{:02}", dice.number(0, 99), dice.number(1, 12), dice.number(1, 31)),
        2 => format!("{:04}-{}-{}", dice.number(1969, 2099), dice.number(0, 13), dice.number(0, 32)),
        _ => format!("{:04}-{:02}-{:02}", dice.number(2020, 2030), dice.number(1, 12), dice.number(1, 31)),
    }
}

fn time(dice: &mut Dice) -> String {
    let minutes = format!(
        "{:02}:{:02}",
        if dice.roll(3) == 0 { dice.number(0, 24) } else { dice.number(0, 3) },
        dice.number(0, 60)
    );
    match dice.roll(4) {
        0 => minutes,
        1 => format!("{minutes}:{:02}.{}", dice.number(0, 59), dice.number(0, 99_999_999)),
        _ => format!("{minutes}:{:02}", dice.number(0, 62)),
    }
}

fn zone(dice: &mut Dice) -> String {
    match dice.roll(6) {
        0 => " UTC".to_owned(),
        1 => format!(" {}", dice.one(ZONES)),
        2 => format!(" {}", dice.one(&["+01:00", "-0330", "+06", "-12", "+14:00", "+1", "+25", "-03:60"])),
        3 => format!(" {}", dice.one(&["CET", "CEST", "EST", "EDT", "JST", "utc", "GMT", "IST"])),
        _ => String::new(),
    }
}

fn span(dice: &mut Dice) -> String {
    const UNITS: &[&str] = &[
        "", "s", "sec", "second", "seconds", "m", "min", "minute", "minutes", "h", "hr", "hour", "hours",
        "d", "day", "days", "w", "week", "weeks", "M", "month", "months", "y", "year", "years", "ms", "msec",
        "us", "usec", "µs", "x",
    ];
    let mut text = String::new();
    for _ in 0..dice.number(1, 3) {
        let blank = dice.one(&["", "", " ", "  "]);
        let number = match dice.roll(4) {
            0 => format!("{}.{}", dice.number(0, 20), dice.number(0, 999)),
            1 => format!(".{}", dice.number(0, 99)),
            _ => dice.number(0, 20).to_string(),
        };
        let _ = write!(text, "{blank}{number}{}{}", dice.one(&["", "", " "]), dice.one(UNITS));
    }
    text
}

/// How it is typed, and whether it is counted from now.
fn expression(dice: &mut Dice) -> (String, bool) {
    match dice.roll(12) {
        0 => (format!("{}{}", dice.one(&["-", "+"]), span(dice)), true),
        1 => (format!("{} ago", span(dice)), true),
        2 => (format!("@{}", span(dice)), false),
        3 => {
            (format!("{}{}", dice.one(&["today", "yesterday", "tomorrow", "now", "later"]), zone(dice)), true)
        }
        4 => (format!("{}{}", time(dice), zone(dice)), false),
        5 => (format!("{}{}", date(dice), zone(dice)), false),
        6 => (
            format!("{} {}{}", dice.one(&["Mon", "Thu", "Sunday", "FRI", "Nov"]), date(dice), zone(dice)),
            false,
        ),
        7 => (
            format!("{} {} {}{}", dice.one(&["Mon", "Sat", "tue"]), date(dice), time(dice), zone(dice)),
            false,
        ),
        8 => (
            format!("{} {} {}", dice.one(&["Nov", "Feb", "july", "Foo"]), dice.number(1, 31), time(dice)),
            false,
        ),
        _ => (format!("{} {}{}", date(dice), time(dice), zone(dice)), false),
    }
}

#[test]
fn times_are_those_of_systemd_analyze_timestamp() {
    let mut dice = Dice(0x1234_5678_9abc_def1);
    let (mut readable, mut differing) = (0, Vec::new());
    let release = release();
    for _ in 0..if release >= 256 { 700 } else { 1200 } {
        let (text, is_relative) = expression(&mut dice);
        // releases before 254 read no offsets, and of zones only UTC
        let last = text.rsplit(' ').next().unwrap_or_default();
        let has_zone =
            last.contains('/') || last.starts_with(['+', '-']) || last.ends_with('T') || last == "utc";
        if release < 256 && has_zone && text.contains(' ') {
            continue;
        }
        let zone = dice.one(ZONES);
        // both sides of the oracle's own reading of the clock
        let early = moment::parse(&text, Timestamp::now(), &TimeZone::get(zone).unwrap());
        let expected = systemd(&text, zone);
        let late = moment::parse(&text, Timestamp::now(), &TimeZone::get(zone).unwrap());
        readable += usize::from(expected.is_some());
        let is_right = match (expected, early, late) {
            (None, None, None) => true,
            (Some(expected), Some(early), Some(late)) => {
                // it has microseconds: of a fraction rounded, of a span cut
                let room = if is_relative { 2000 } else { 0 };
                let (from, until) = (early / 1000 - room, (late + 500) / 1000 + room);
                (from..=until).contains(&expected)
            }
            _ => false,
        };
        if !is_right {
            differing.push(format!("{text:?} in {zone}: systemd {expected:?}, here {early:?}"));
        }
    }
    assert!(differing.is_empty(), "{} differ:\n{}", differing.len(), differing.join("\n"));
    assert!(readable >= 300, "only {readable} of them are times: they show too little");
    // what releases before 254 do not read
    let pasted =
        ["2026-11-26T03:12:07.411123Z", "2026-11-26T03:12:07-08:00", "2026-11-26T03:12", "5min left"];
    for text in pasted.into_iter().filter(|_| release >= 256) {
        let here = moment::parse(text, Timestamp::now(), &TimeZone::UTC).map(|moment| moment / 1000);
        assert!(here.unwrap().abs_diff(systemd(text, "UTC").unwrap()) < 1_000_000, "{text}");
    }
}
