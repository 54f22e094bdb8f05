//! What user space takes for a record, without a kernel: decoding, judging, and each format, over the recorded records of
//! tests/data; and one of them again and again, as in a storm. `cargo bench --bench formats`; bytes a second are of raw records for decoding, of what is printed for a format.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

use std::fs;
use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use killsnoop::correlate::history::SignalNote;
use killsnoop::event::origin::Origin;
use killsnoop::event::{Clock, Event};
use killsnoop::output::deliver::destination_name::DestinationName;
use killsnoop::output::format::line_template::EventStamp;
use killsnoop::output::format::screen::PLAIN;
use killsnoop::output::format::{self, Format, View, json::JSON, logfmt::LOGFMT};
use killsnoop::output::line_cache::{CachedEvent, LineCache, Outline};
use killsnoop::output::render;
use killsnoop::output::{OutputSettings, Reporter, Settings, Takes};
use killsnoop::record::{Images, Record, decode_with};
use support::raw_records::split;

const CLOCK: Clock = Clock::fixed(1_767_225_600_000_000_000);

/// The events of every fixture but one, whose only purpose is to be as long as a command line can be, and the images that they
/// refer to.
fn records() -> (Vec<Vec<u8>>, Images) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut paths: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "records"));
    paths.retain(|path| path.file_stem().is_some_and(|name| name != "cut"));
    paths.sort();
    assert!(!paths.is_empty(), "tests/data has no records");
    let mut images = Images::default();
    let mut records: Vec<Vec<u8>> = paths.iter().flat_map(|path| split(&fs::read(path).unwrap())).collect();
    records.retain(|record| match decode_with(record, &Images::default()).unwrap() {
        Record::Image(image) => {
            images.take(&image);
            false
        }
        _ => true,
    });
    (records, images)
}

fn events<'a>(records: &'a [Vec<u8>], images: &'a Images) -> Vec<Event<'a>> {
    let event = |record| Event::judge(decode_with(record, images).unwrap(), 1, CLOCK, 0).unwrap();
    records.iter().map(|record| event(record.as_slice())).collect()
}

fn print(events: &[Event<'_>], format: &mut dyn Format, out: &mut Vec<u8>) {
    out.clear();
    for event in events {
        render::write(event, format);
        format.finish(out);
    }
}

fn decoding(criterion: &mut Criterion) {
    let (records, images) = records();
    let bytes: usize = records.iter().map(Vec::len).sum();
    let mut group = criterion.benchmark_group("records");
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function("decode", |bencher| {
        bencher.iter(|| {
            for record in &records {
                black_box(decode_with(black_box(record), &images).unwrap());
            }
        });
    });
    group.bench_function("decode and judge", |bencher| {
        bencher.iter(|| black_box(events(black_box(&records), &images).len()));
    });
    group.finish();
}

fn printing(criterion: &mut Criterion) {
    let (records, images) = records();
    let events = events(&records, &images);
    let mut group = criterion.benchmark_group("formats");
    let mut out = Vec::new();
    for kind in format::ALL {
        let mut format = (kind.open)(PLAIN, &View::default());
        print(&events, &mut *format, &mut out);
        group.throughput(Throughput::Bytes(out.len() as u64));
        group.bench_function(kind.name, |bencher| {
            bencher.iter(|| {
                print(black_box(&events), &mut *format, &mut out);
                black_box(out.len())
            });
        });
    }
    group.finish();
}

/// A storm: the same signal again and again, but for its times.
fn repeating(criterion: &mut Criterion) {
    let (records, images) = records();
    let record = records.into_iter().find(|record| Outline::of(record).is_some()).unwrap();
    let mut group = criterion.benchmark_group("the same again");
    for (name, kind) in [("logfmt", LOGFMT), ("json", JSON)] {
        let destination = DestinationName::File("/dev/null".into());
        let outputs = vec![OutputSettings { kind, destination, folds: false, takes: Takes::All }];
        let mut reporter = Reporter::open(&Settings { outputs, ..Settings::default() }).unwrap();
        let Ok(Record::Signal(facts)) = decode_with(&record, &images) else { panic!("not a signal") };
        let noted = SignalNote::of(&facts, Origin::Process).unwrap();
        let event = Event::judge(Record::Signal(facts), 1, CLOCK, 0).unwrap();
        let kept = reporter.report_to_repeat(&event).1.unwrap();
        let mut line_cache = LineCache::default();
        let made = CachedEvent { state: 0, from: 0, noted, previous: None, kept };
        line_cache.keep(&Outline::of(&record).unwrap(), made);
        let mut id = 1;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let outline = Outline::of(black_box(&record)).unwrap();
                let made = line_cache.find(&outline, 0).unwrap();
                id += 1;
                let (time, clock) = (outline.time + id, CLOCK);
                let moment = EventStamp { id, time, clock, previous_id: None, previous_time: 0 };
                reporter.repeat(&made.kept, &moment);
                if reporter.waiting() > 128 << 10 {
                    reporter.flush(false);
                }
            });
        });
    }
    group.finish();
}

criterion_group!(all, decoding, printing, repeating);
criterion_main!(all);
