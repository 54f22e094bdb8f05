//! Any bytes are records or errors; whatever is a record is judged and printed without a panic. What is an image is kept for the next
//! record, which may refer to it.
#![no_main]

use killsnoop::event::{Clock, Event};
use killsnoop::output::render;
use killsnoop::record::{Images, Record, decode_with};
use killsnoop::output::format::{Format, json::Json, logfmt::Logfmt};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut images = Images::default();
    let mut rest = bytes;
    while !rest.is_empty() {
        // by the length that a record begins with
        let length = rest.get(4..8).map_or(rest.len(), |length| u32::from_ne_bytes(length.try_into().unwrap()) as usize);
        let (bytes, after) = rest.split_at(length.clamp(1, rest.len()));
        rest = after;
        let Ok(record) = decode_with(bytes, &images) else { continue };
        if let Record::Image(image) = &record {
            let mut kept = std::mem::take(&mut images);
            kept.take(image);
            images = kept;
            continue;
        }
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
