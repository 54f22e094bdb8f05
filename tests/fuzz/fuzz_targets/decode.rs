//! Any bytes are records or errors; whatever is a record is judged and printed without a panic. An image is kept for the records
//! behind it, which may refer to it.
#![no_main]

use killsnoop::event::{Clock, Event};
use killsnoop::output::format::{Format, json::Json, logfmt::Logfmt};
use killsnoop::output::render;
use killsnoop::record::{Images, Record, decode, decode_with, trimmed};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut images = Images::default();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (bytes, behind) = rest.split_at(trimmed(rest).len().max(1));
        rest = behind;
        if let Ok(Record::Image(image)) = decode(bytes) {
            images.take(&image);
            continue;
        }
        let Ok(record) = decode_with(bytes, &images) else { continue };
        if let Some(event) = Event::judge(record, 1, Clock::fixed(0), 0) {
            for format in [&mut Json::default() as &mut dyn Format, &mut Logfmt::default()] {
                let mut out = Vec::new();
                render::write(&event, format);
                format.finish(&mut out);
                assert!(out.ends_with(b"\n"));
            }
        }
    }
});
