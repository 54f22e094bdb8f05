//! Lines of signals that come again: their records are the same, byte by byte, but for the times. Most records of a storm
//! are, and then nothing needs to be decoded, judged and formatted: the slots of the line are filled again
//! ([`LineTemplate`]).
//!
//! What a line is made of beside the record is looked at each time: the state of the host that is known, the filters'
//! answer, what came before. A signal that comes once is only counted; memory is bounded.
//!
//! [`LineTemplate`]: crate::output::format::line_template::LineTemplate

use std::hash::{Hasher, RandomState};
use std::num::NonZeroUsize;

use lru::LruCache;
use rustc_hash::FxHasher;

use crate::correlate::history::SignalNote;
use crate::event::SignalEvent;
use crate::event::origin::Origin;
use crate::event::summary;
use crate::output::CachedLine;
use crate::record::{Previous, has_previous, head_of_signal};
use crate::wire::{WireSignal, bytes_of};

/// So many signals are known to have come.
const SIGNALS: NonZeroUsize = NonZeroUsize::new(2048).unwrap();
/// Bytes of those that are kept.
const ROOM: usize = 4 << 20;

/// A record of a signal without its times.
#[derive(Debug)]
pub struct Outline<'a> {
    head: WireSignal,
    /// The processes.
    rest: &'a [u8],
    hash: u64,
    /// When it was sent (boot time, ns).
    pub time: u64,
    /// Time and number of the signal before it that could have ended the target.
    pub previous: Option<(u64, u8)>,
}

impl<'a> Outline<'a> {
    /// Of a record; None if it is not a whole one of a signal.
    pub fn of(record: &'a [u8]) -> Option<Self> {
        let (mut head, rest) = head_of_signal(record)?;
        let previous = has_previous(&head.previous).then_some((head.previous.time, head.previous.signal));
        let time = std::mem::take(&mut head.time);
        // whether there was one is no time
        head.previous.time = u64::from(head.previous.time != 0);
        let mut hasher = FxHasher::default();
        hasher.write(bytes_of(&head));
        Some(Self { head, rest, hash: hasher.finish(), time, previous })
    }
}

/// What was made of a record.
#[derive(Debug)]
pub struct CachedEvent {
    /// Which state of the host was known.
    pub state: u64,
    /// Nothing earlier (boot time, ns) is printed so.
    pub from: u64,
    /// For the history.
    pub noted: SignalNote,
    /// The origin of the signal before, if an event reported it.
    pub previous: Option<Origin>,
    /// What was reported.
    pub kept: CachedLine,
}

#[derive(Debug)]
struct Entry {
    head: WireSignal,
    rest: Vec<u8>,
    made: CachedEvent,
}

impl Entry {
    fn is_of(&self, outline: &Outline<'_>) -> bool {
        self.rest == outline.rest && bytes_of(&self.head) == bytes_of(&outline.head)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.rest.capacity() + self.made.kept.size()
    }
}

/// The signals of late.
#[derive(Debug)]
pub struct LineCache {
    /// By the hash of the outline; None of one that came once. Users choose much of an outline, so they could have hashes that
    /// meet in one place of the table, but not with a secret seed.
    known: LruCache<u64, Option<Box<Entry>>, RandomState>,
    bytes: usize,
}

impl Default for LineCache {
    fn default() -> Self {
        Self { known: LruCache::with_hasher(SIGNALS, RandomState::new()), bytes: 0 }
    }
}

impl LineCache {
    /// What was made of such a record, in this state of the host.
    pub fn find(&mut self, outline: &Outline<'_>, state: u64) -> Option<&CachedEvent> {
        let known = self.known.get(&outline.hash)?.as_deref()?;
        let is_it = known.made.state == state && outline.time >= known.made.from && known.is_of(outline);
        is_it.then_some(&known.made)
    }

    /// Is what is made of it to be kept? It has come before.
    pub fn is_wanted(&mut self, outline: &Outline<'_>) -> bool {
        if self.known.get(&outline.hash).is_some() {
            return true;
        }
        self.put(outline.hash, None);
        false
    }

    /// Keeps it.
    pub fn keep(&mut self, outline: &Outline<'_>, made: CachedEvent) {
        let known = Entry { head: outline.head, rest: outline.rest.to_vec(), made };
        self.put(outline.hash, Some(Box::new(known)));
    }

    fn put(&mut self, hash: u64, known: Option<Box<Entry>>) {
        let size = |known: &Option<Box<Entry>>| known.as_ref().map_or(0, |known| known.size());
        self.bytes += size(&known);
        if let Some((_, old)) = self.known.push(hash, known) {
            self.bytes -= size(&old);
        }
        while self.bytes > ROOM {
            let Some((_, old)) = self.known.pop_lru() else { break };
            self.bytes -= size(&old);
        }
    }
}

/// From which time on (boot time, ns) an event of the same bytes is printed as this one is, but for the slots of its line.
/// None if it is not.
pub fn valid_from(event: &SignalEvent<'_>) -> Option<u64> {
    let facts = &event.facts;
    // another record belongs to it, or its sentence has times in it
    if facts.oom.is_some() || event.verdict.may_be_oom || summary::mentions_time(event) {
        return None;
    }
    // what the source got is recent for a second, and then never again
    let is_past = |last: &Previous| last.time <= facts.time;
    let from = if facts.to_source.is_some() { facts.time } else { 0 };
    if !facts.to_source.as_ref().is_none_or(is_past) {
        return None;
    }
    match facts.child_death {
        None => Some(from),
        // it stays too old to be printed
        Some(death) if death.time <= facts.time && event.child_death().is_none() => Some(facts.time),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::enrich::surroundings::{ReadTitle, Surroundings};
    use crate::event::context::Context;
    use crate::event::{Clock, Event};
    use crate::output::deliver::destination_name::DestinationName;
    use crate::output::format::Format;
    use crate::output::format::document::{Document, Field, Value};
    use crate::output::format::json::JSON;
    use crate::output::format::line_template::EventStamp;
    use crate::output::format::logfmt::LOGFMT;
    use crate::output::{FormatKind, OutputSettings, Reporter, Settings};
    use crate::record::{ChildDeath, Images, Previous, ProcessFacts, Record, Snapshot, decode, decode_with};

    const CLOCK: Clock = Clock::fixed(1_767_225_600_000_000_000);
    const LATER: Clock = CLOCK.with(1_767_225_600_000_123_456);

    /// The records of tests/data.
    fn all_records() -> Vec<Vec<u8>> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
        let mut records = Vec::new();
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "records") {
                continue;
            }
            let bytes = fs::read(path).unwrap();
            let mut rest = &bytes[..];
            while let Some((length, behind)) = rest.split_first_chunk::<4>() {
                let (record, behind) = behind.split_at(u32::from_ne_bytes(*length) as usize);
                records.push(record.to_vec());
                rest = behind;
            }
        }
        records
    }

    thread_local! {
        /// The images that they refer to.
        static IMAGES: &'static Images = {
            let mut images = Images::default();
            for record in all_records() {
                if let Ok(Record::Image(image)) = decode(&record) {
                    images.take(&image);
                }
            }
            Box::leak(Box::new(images))
        };
    }

    /// The records of signals of tests/data.
    fn records() -> Vec<Vec<u8>> {
        let mut records = all_records();
        records.retain(|record| Outline::of(record).is_some());
        assert!(records.len() > 15, "{}", records.len());
        // the sentence of one behind another signal says when that was, unless it is of the same number
        for place in 0..records.len() {
            let (mut head, rest) = head_of_signal(&records[place]).unwrap();
            if has_previous(&head.previous) {
                head.previous.signal = head.signal as u8;
                let same = [bytes_of(&head), rest].concat();
                records.push(same);
            }
        }
        records
    }

    /// The same signal some time later.
    fn later(record: &[u8]) -> Vec<u8> {
        let (mut head, rest) = head_of_signal(record).unwrap();
        head.time += 1_234_567_890_123;
        if head.previous.time != 0 {
            head.previous.time += 1_234_567_000_000;
        }
        [bytes_of(&head), rest].concat()
    }

    fn event(record: &[u8], id: u64, clock: Clock, previous_id: u64) -> SignalEvent<'_> {
        let decoded = decode_with(record, IMAGES.with(|images| *images));
        let Ok(Record::Signal(facts)) = decoded else { panic!("not a signal") };
        let title = ReadTitle { bytes: b"a title"[..].into(), spilt: false, cut: false, read_at: 5 };
        let context = Context {
            target: Surroundings { title: Some(title), ..Surroundings::default() },
            previous: facts.previous.map(|_| (previous_id, Origin::Process)),
            ..Context::default()
        };
        SignalEvent::new(*facts, id, clock, context).unwrap()
    }

    fn made(event: &SignalEvent<'_>, kept: CachedLine) -> CachedEvent {
        let noted = SignalNote::of(&event.facts, event.verdict.origin).unwrap();
        CachedEvent { state: 1, from: 0, noted, previous: None, kept }
    }

    fn reporter(directory: &Path) -> Reporter {
        let output = |kind: FormatKind| OutputSettings {
            takes: crate::output::Takes::All,
            kind,
            destination: DestinationName::File(directory.join(kind.name)),
            folds: false,
        };
        let outputs = vec![output(JSON), output(LOGFMT)];
        Reporter::open(&Settings { outputs, ..Settings::default() }).unwrap()
    }

    fn written(reporter: &mut Reporter, directory: &Path) -> Vec<Vec<String>> {
        reporter.flush(true);
        reporter.wait_until_written(&false.into());
        let read = |name| fs::read_to_string(directory.join(name)).unwrap();
        ["json", "logfmt"].map(|name| read(name).lines().map(str::to_owned).collect()).into()
    }

    #[test]
    fn a_signal_that_comes_again_is_printed_as_if_it_were_read() {
        let (read, filled) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (mut reads, mut fills) = (reporter(read.path()), reporter(filled.path()));
        let (mut line_cache, mut count) = (LineCache::default(), 0);
        for (record, id) in records().iter().zip(1..) {
            let again = later(record);
            let first = event(record, id, CLOCK, 3);
            if valid_from(&first).is_none() {
                continue;
            }
            count += 1;
            let noted = made(&first, CachedLine::default());
            let first = Event::Signal(Box::new(first));
            reads.report(&first);
            let (_, kept) = fills.report_to_repeat(&first);
            line_cache.keep(&Outline::of(record).unwrap(), CachedEvent { kept: kept.unwrap(), ..noted });

            let second = event(&again, 1000 + id, LATER, 4444);
            let moment = EventStamp {
                id: 1000 + id,
                time: second.facts.time,
                clock: LATER,
                previous_id: second.context.previous.map(|(id, _)| id),
                previous_time: second.facts.previous.map_or(0, |previous| previous.time),
            };
            reads.report(&Event::Signal(Box::new(second)));
            let outline = Outline::of(&again).unwrap();
            assert_eq!(outline.time, moment.time);
            assert!(fills.repeat(&line_cache.find(&outline, 1).unwrap().kept, &moment));
        }
        assert!(count > 15, "{count}");
        let (reads, fills) = (written(&mut reads, read.path()), written(&mut fills, filled.path()));
        assert_eq!(reads[0].len(), 2 * count);
        for (reads, fills) in reads.iter().flatten().zip(fills.iter().flatten()) {
            assert_eq!(reads, fills);
        }
    }

    #[test]
    fn a_record_with_another_byte_that_is_no_time_is_another() {
        let all = records();
        let with_previous = all.iter().find(|record| Outline::of(record).unwrap().previous.is_some());
        for record in [with_previous.unwrap(), &all[0]] {
            let mut line_cache = LineCache::default();
            let event = event(record, 1, CLOCK, 3);
            line_cache.keep(&Outline::of(record).unwrap(), made(&event, CachedLine::default()));
            assert!(line_cache.find(&Outline::of(&later(record)).unwrap(), 1).is_some());
            let time = std::mem::offset_of!(WireSignal, time);
            let previous = std::mem::offset_of!(WireSignal, previous);
            let had_one = event.facts.previous.is_some();
            for at in 0..record.len() {
                let mut other = record.clone();
                other[at] ^= 1;
                let Some(mut outline) = Outline::of(&other) else { continue };
                // even if by chance the hash is the same
                outline.hash = Outline::of(record).unwrap().hash;
                let is_time =
                    (time..time + 8).contains(&at) || (had_one && (previous..previous + 8).contains(&at));
                assert_eq!(line_cache.find(&outline, 1).is_some(), is_time, "byte {at}");
            }
        }
    }

    #[test]
    fn in_another_state_of_the_host_or_earlier_it_is_made_again() {
        let record = &records()[0];
        let (mut line_cache, outline) = (LineCache::default(), Outline::of(record).unwrap());
        let event = event(record, 1, CLOCK, 3);
        let of = |state, from| CachedEvent { state, from, ..made(&event, CachedLine::default()) };
        line_cache.keep(&outline, of(1, outline.time));
        assert!(line_cache.find(&outline, 1).is_some());
        assert!(line_cache.find(&outline, 2).is_none());
        line_cache.keep(&outline, of(1, outline.time + 1));
        assert!(line_cache.find(&outline, 1).is_none());
        assert!(line_cache.find(&Outline::of(&later(record)).unwrap(), 1).is_some());
    }

    #[test]
    fn what_has_times_in_other_ways_does_not_hold() {
        let process = |pid| ProcessFacts::named(pid, b"x");
        let between = |change: &dyn Fn(&mut Snapshot<'static>)| {
            let mut facts = Snapshot::between(process(7), process(9));
            facts.time = 10_000_000_000;
            change(&mut facts);
            let mut event = SignalEvent::new(facts, 1, CLOCK, Context::default()).unwrap();
            event.verdict.origin = Origin::Process;
            valid_from(&event)
        };
        assert_eq!(between(&|_| {}), Some(0));
        let previous = |signal| {
            let source = None;
            Some(Previous {
                time: 5,
                signal,
                result: 0,
                hidden: false,
                met_default: true,
                is_page_fault: false,
                source,
            })
        };
        assert_eq!(between(&|facts| facts.previous = previous(15)), Some(0));
        assert_eq!(between(&|facts| facts.previous = previous(1)), None, "the sentence says when");
        let died = |time| Some(ChildDeath { pid: 8, signal: 9, time });
        assert_eq!(between(&|facts| facts.child_death = died(9_900_000_000)), None);
        assert_eq!(between(&|facts| facts.child_death = died(10_900_000_000)), None, "it will have died");
        assert_eq!(between(&|facts| facts.child_death = died(1)), Some(10_000_000_000));
        assert_eq!(between(&|facts| facts.signal = 9), None, "the OOM killer may have more to say");
    }

    #[test]
    fn memory_is_bounded_and_what_comes_once_takes_none() {
        let mut record = records().into_iter().max_by_key(Vec::len).unwrap();
        let tid = std::mem::offset_of!(WireSignal, source.tid);
        let mut line_cache = LineCache::default();
        for number in 0..5000u32 {
            record[tid..tid + 4].copy_from_slice(&number.to_ne_bytes());
            let outline = Outline::of(&record).unwrap();
            assert!(!line_cache.is_wanted(&outline), "{number}");
            assert!(line_cache.is_wanted(&outline));
            if number >= 3000 {
                let event = event(&record, 1, CLOCK, 3);
                line_cache.keep(&outline, made(&event, CachedLine::default()));
                assert!(line_cache.find(&outline, 1).is_some());
            } else {
                assert_eq!(line_cache.bytes, 0);
            }
        }
        let kept = || line_cache.known.iter().filter_map(|(_, known)| known.as_ref());
        assert!(line_cache.known.len() <= SIGNALS.get() && kept().count() > 10);
        assert_eq!(line_cache.bytes, kept().map(|known| known.size()).sum::<usize>());
        assert!(line_cache.bytes <= ROOM);
    }

    fn different(path: &str, one: &[Field], other: &[Field], paths: &mut Vec<String>) {
        assert_eq!(one.len(), other.len(), "{path}");
        for (one, other) in one.iter().zip(other) {
            let path = if path.is_empty() { one.key.to_owned() } else { format!("{path}.{}", one.key) };
            match (&one.value, &other.value) {
                (Value::Object(one), Value::Object(other)) => different(&path, one, other, paths),
                (one, other) if one != other => paths.push(path),
                _ => {}
            }
        }
    }

    #[test]
    fn a_filter_that_asks_for_nothing_that_varies_answers_the_same() {
        let mut paths = Vec::new();
        for record in records() {
            let again = later(&record);
            let first = event(&record, 1, CLOCK, 3);
            if valid_from(&first).is_none() {
                continue;
            }
            let [mut one, mut other] = [Document::default(), Document::default()];
            crate::output::render::write(&Event::Signal(Box::new(first)), &mut one);
            crate::output::render::write(&Event::Signal(Box::new(event(&again, 2, LATER, 4444))), &mut other);
            one.finish(&mut Vec::new());
            other.finish(&mut Vec::new());
            different("", one.fields(), other.fields(), &mut paths);
        }
        paths.sort();
        paths.dedup();
        assert!(paths.iter().any(|path| path == "previous.secondsAgo"), "{paths:?}");
        assert!(paths.iter().all(|path| crate::output::keys::look_up(path).unwrap().varies), "{paths:?}");
    }
}
