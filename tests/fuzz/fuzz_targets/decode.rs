//! Any bytes are a record or an error; whatever is a record is judged and printed without a panic.
#![no_main]

use killsnoop::event::{Clock, Event};
use killsnoop::output::render;
use killsnoop::record::decode;
use killsnoop::output::format::{Format, json::Json, logfmt::Logfmt};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(record) = decode(bytes) {
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
