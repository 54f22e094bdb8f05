//! How long a line takes: from the kernel's time of the signal, which it contains, to the reader of a pipe.

use std::io::Read;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use jiff::Timestamp;

use crate::numbers::quantile;
use crate::subject::Subject;
use crate::workload::{Part, Target, URG};
use crate::{Outcome, Speed};

/// µs, by how fast signals come.
#[derive(Debug, Clone)]
pub struct Latency {
    pub what: &'static str,
    pub command: String,
    pub microseconds: Vec<f64>,
}

impl Latency {
    pub fn quantile(&self, share: f64) -> f64 {
        quantile(&self.microseconds, share)
    }
}

/// What is sent, and the pause between two in µs.
const PACES: [(&str, u32); 4] =
    [("one every 50 ms", 50_000), ("one a ms", 1000), ("one every 100 µs", 100), ("full speed", 0)];

pub fn measure(speed: &Speed) -> Outcome<Vec<Latency>> {
    PACES.iter().map(|&(what, pause)| one(what, pause, speed)).collect()
}

fn one(what: &'static str, pause: u32, speed: &Speed) -> Outcome<Latency> {
    let target = Target::start();
    let own = format!("target.pid={}", target.pid);
    let mut subject = Subject::start(&["-o", "json", "--where", &own], None, Stdio::piped())?;
    let (sender, receiver) = channel();
    let mut pipe = subject.take_stdout();
    let reader = thread::spawn(move || stamp(&mut pipe, &sender));
    let (time, pause) = (speed.latency_ms.to_string(), pause.to_string());
    Part::start(&["storm-for", &time, URG, &target.id(), &pause]).finish()?;
    subject.stop()?;
    reader.join().unwrap();
    Ok(Latency {
        what,
        command: format!(
            "killsnoop -o json --where target.pid=PID | reader; workload storm-for {time} {URG} PID {pause}"
        ),
        microseconds: delays(&receiver),
    })
}

/// Each piece that came, and when: to look at it there would delay the next.
fn stamp(pipe: &mut impl Read, sender: &Sender<(Timestamp, Vec<u8>)>) {
    let mut buffer = vec![0; 1 << 20];
    while let Ok(length @ 1..) = pipe.read(&mut buffer) {
        let now = Timestamp::now();
        let _ = sender.send((now, buffer[..length].to_vec()));
    }
}

/// Of every line whose end is in a piece, the time from the signal to that piece.
fn delays(receiver: &Receiver<(Timestamp, Vec<u8>)>) -> Vec<f64> {
    let mut delays = Vec::new();
    let mut line = Vec::new();
    for (came, piece) in receiver.try_iter() {
        for part in piece.split_inclusive(|&byte| byte == b'\n') {
            line.extend_from_slice(part);
            if line.ends_with(b"\n") {
                delays.extend(time_of(&line).map(|time| came.duration_since(time).as_secs_f64() * 1e6));
                line.clear();
            }
        }
    }
    delays
}

/// `{"time":"…"` of a signal.
fn time_of(line: &[u8]) -> Option<Timestamp> {
    let line = std::str::from_utf8(line).ok()?;
    line.contains("\"event\":\"signal\"")
        .then(|| line.strip_prefix("{\"time\":\"")?.split('"').next()?.parse().ok())
        .flatten()
}
