//! What user space takes for a record, without a kernel: decoding, judging, and each format, over the recorded records of
//! tests/data. `cargo bench --bench formats`; bytes a second are of raw records for decoding, of what is printed for a format.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

#[path = "../fixtures/mod.rs"]
mod fixtures;

use std::fs;
use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use killsnoop::event::{Clock, Event};
use killsnoop::fields;
use killsnoop::record::decode;
use killsnoop::sink::layout::Drawn;
use killsnoop::sink::screen::PLAIN;
use killsnoop::sink::{Format, json::Json, logfmt::Logfmt, table::Table, tree::Tree};

use fixtures::split;

const CLOCK: Clock = Clock { offset: 1_767_225_600_000_000_000 };

/// Those of every fixture but one, whose only purpose is to be as long as a record can be.
fn records() -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut paths: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "records"));
    paths.retain(|path| path.file_stem().is_some_and(|name| name != "cut"));
    paths.sort();
    assert!(!paths.is_empty(), "tests/data has no records");
    paths.iter().flat_map(|path| split(&fs::read(path).unwrap())).collect()
}

fn events(records: &[Vec<u8>]) -> Vec<Event<'_>> {
    let event = |record| Event::judge(decode(record).unwrap(), 1, CLOCK, 0).unwrap();
    records.iter().map(|record| event(record.as_slice())).collect()
}

fn print(events: &[Event<'_>], format: &mut dyn Format, out: &mut Vec<u8>) {
    out.clear();
    for event in events {
        fields::tell(event, format);
        format.finish(out);
    }
}

fn decoding(criterion: &mut Criterion) {
    let records = records();
    let bytes: usize = records.iter().map(Vec::len).sum();
    let mut group = criterion.benchmark_group("records");
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function("decode", |bencher| {
        bencher.iter(|| {
            for record in &records {
                black_box(decode(black_box(record)).unwrap());
            }
        });
    });
    group.bench_function("decode and judge", |bencher| {
        bencher.iter(|| black_box(events(black_box(&records)).len()));
    });
    group.finish();
}

fn printing(criterion: &mut Criterion) {
    let records = records();
    let events = events(&records);
    let mut group = criterion.benchmark_group("formats");
    let formats: [(&str, Box<dyn Format>); 4] = [
        ("logfmt", Box::new(Logfmt::default())),
        ("json", Box::new(Json::default())),
        ("table", Box::new(Drawn::new(Table::new(PLAIN, &[])))),
        ("tree", Box::new(Drawn::new(Tree::new(PLAIN)))),
    ];
    let mut out = Vec::new();
    for (name, mut format) in formats {
        print(&events, &mut *format, &mut out);
        group.throughput(Throughput::Bytes(out.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                print(black_box(&events), &mut *format, &mut out);
                black_box(out.len())
            });
        });
    }
    group.finish();
}

criterion_group!(all, decoding, printing);
criterion_main!(all);
