//! `--fold`: a flood of the same signal from the same source to the same target is one line a second, with
//! `repeated=N`. The first is printed at once; none is dropped: what `repeated` says adds up.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::backlog::set_repeats;
use super::deliver::ledger::{Counts, Stake};
use crate::base::bounded::{Bounded, StoredSize};
use crate::event::flood::FloodKey;
use crate::event::header::EventKind;
use crate::output::format::document::Document;
use crate::output::format::line_template::Repeats;
use crate::record::ProcessKey;

/// A flood has a line in this time.
pub const EVERY: Duration = Duration::from_secs(1);
/// What is printed at once has what was folded before it in front, but for what was folded within this time: rows are in order, and
/// a flood among many other events is still folded.
const SOON: Duration = Duration::from_millis(100);
/// Bytes that floods may take. Beyond that those of the user that has most are printed early, and are over.
const ROOM: usize = 8 << 20;

#[derive(Debug)]
struct Flood {
    reported_at: Instant,
    /// Since then, and those of them that no other output prints.
    repeated: u64,
    counts: Counts,
    /// When the first of these was.
    first_time: Box<str>,
    /// The latest of these.
    latest: Option<Rc<Document>>,
}

impl Flood {
    /// The latest, with how many came since the line before; None: none did.
    fn line(&mut self) -> Option<FoldedLine> {
        let mut document = Rc::unwrap_or_clone(self.latest.take()?);
        let first_time = std::mem::take(&mut self.first_time);
        set_repeats(
            &mut document,
            Repeats { count: std::mem::take(&mut self.repeated), first_time: &first_time },
        );
        Some((document, Stake::of(std::mem::take(&mut self.counts))))
    }
}

/// An event that stands for others, and for how many that no other output prints.
pub type FoldedLine = (Document, Stake);

/// Folds floods.
#[derive(Debug)]
pub struct Fold {
    floods: Bounded<FloodKey, Flood>,
    /// Nothing is due before.
    next: Option<Instant>,
    /// When floods were looked through for an event that came behind them.
    put_in_order_at: Option<Instant>,
}

impl Default for Fold {
    fn default() -> Self {
        Self { floods: Bounded::new(ROOM), next: None, put_in_order_at: None }
    }
}

impl Fold {
    /// Takes an event, which is counted so if no other output prints it. Is it to be printed now? If not, a line of
    /// [`due`](Self::due) stands for it. And what is to be printed before it: what was folded of signals to a process that ended,
    /// floods that came before, or for which there is no room any more.
    pub fn take(&mut self, document: &Rc<Document>, counts: Counts, now: Instant) -> (bool, Vec<FoldedLine>) {
        // an end happens once, and so does loss
        let header = document.header();
        if !matches!(header.kind, EventKind::Signal | EventKind::Attempt) {
            let target = header.flood.target.filter(|_| header.is_end_of_process());
            let mut before = target.map(|target| self.due_for(target)).unwrap_or_default();
            before.extend(self.in_front(now));
            return (true, before);
        }
        let key = header.flood;
        let known = self.floods.remove(&key);
        let is_first = known.is_none();
        let mut before = if is_first { self.in_front(now) } else { Vec::new() };
        let mut bytes = 0;
        let flood = match known {
            // it has been printed: nothing of it needs to be kept
            None => Flood {
                reported_at: now,
                repeated: 0,
                counts: Counts::default(),
                first_time: Box::default(),
                latest: None,
            },
            Some(mut flood) => {
                if flood.repeated == 0 {
                    let first = document.text_at("firstTime").or(document.text_at("time"));
                    flood.first_time = first.unwrap_or_default().into();
                }
                flood.counts += counts;
                bytes += document.size();
                // what the kernel side has counted together stands for all of them
                let repeated = flood.repeated + document.header().repeated.max(1);
                Flood { repeated, latest: Some(Rc::clone(document)), ..flood }
            }
        };
        let due = flood.reported_at + EVERY;
        self.next = Some(self.next.map_or(due, |next| next.min(due)));
        let owner = header.author.class().owner();
        let gone = self.floods.put(key, flood, owner, bytes);
        before.extend(gone.into_iter().filter_map(|(_, mut flood)| flood.line()));
        (is_first, in_order(before))
    }

    /// What was folded before an event that is printed now.
    fn in_front(&mut self, now: Instant) -> Vec<FoldedLine> {
        let is_soon = |at: Instant| now.saturating_duration_since(at) < SOON;
        let mut due = Vec::new();
        if self.put_in_order_at.is_some_and(is_soon) {
            return due;
        }
        self.put_in_order_at = Some(now);
        self.floods.retain(|_, flood| {
            if is_soon(flood.reported_at) {
                return Some(StoredSize::Same);
            }
            let Some(line) = flood.line() else { return Some(StoredSize::Same) };
            due.push(line);
            flood.reported_at = now;
            Some(StoredSize::Now(0))
        });
        in_order(due)
    }

    /// What is to be printed of floods, oldest first; all of it at the end.
    pub fn due(&mut self, now: Instant, all: bool) -> Vec<FoldedLine> {
        let mut due = Vec::new();
        if !all && self.next.is_none_or(|next| now < next) {
            return due;
        }
        let mut next = None;
        self.floods.retain(|_, flood| {
            let mut kept = StoredSize::Same;
            if all || now.saturating_duration_since(flood.reported_at) >= EVERY {
                due.push(flood.line()?);
                flood.reported_at = now;
                kept = StoredSize::Now(0);
            }
            let at = flood.reported_at + EVERY;
            next = Some(next.map_or(at, |next: Instant| next.min(at)));
            (!all).then_some(kept)
        });
        self.next = next.filter(|_| !all);
        in_order(due)
    }

    /// What was folded of signals to this process, which has ended: nothing of it is to come behind that.
    fn due_for(&mut self, target: ProcessKey) -> Vec<FoldedLine> {
        let mut due = Vec::new();
        self.floods.retain(|key, flood| {
            if key.target != Some(target) {
                return Some(StoredSize::Same);
            }
            due.extend(flood.line());
            None
        });
        in_order(due)
    }

    /// When [`due`](Self::due) has something to do.
    pub fn next(&self) -> Option<Instant> {
        self.next
    }
}

fn in_order(mut due: Vec<FoldedLine>) -> Vec<FoldedLine> {
    due.sort_by_key(|(document, _)| document.header().id);
    due
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Author;
    use crate::event::header::Header;
    use crate::output::format::Format;
    use crate::output::format::ValueRef::{List, Number, Text};
    use proptest::prelude::*;

    const ONE: Counts = Counts { signals: 1, attempts: 0 };

    impl Fold {
        /// Where there is room.
        fn is_shown_now(&mut self, document: &Rc<Document>, now: Instant) -> bool {
            let (is_shown_now, due) = self.take(document, ONE, now);
            assert!(due.is_empty());
            is_shown_now
        }
    }

    fn event(target: u64, signal: u64, id: u64) -> Rc<Document> {
        let mut document = Document::default();
        let flood =
            FloodKey { target: Some((target as u32, 1)), signal: signal as i32, ..FloodKey::default() };
        document.begin(&Header { id: Some(id), flood, ..Header::default() });
        document.field("time", Text("2026-01-01T00:00:00Z"));
        document.field("id", Number(id));
        document.field("signal", Number(signal));
        document.field("result", Text("queued"));
        document.open("target");
        document.field("key", Text(&format!("{target}@1")));
        document.close();
        Rc::new(document)
    }

    #[test]
    fn the_first_is_printed_at_once_then_one_a_second_with_the_number() {
        let (mut fold, now) = (Fold::default(), Instant::now());
        assert!(fold.is_shown_now(&event(1, 15, 1), now));
        for id in 2..=10 {
            assert!(!fold.is_shown_now(&event(1, 15, id), now));
        }
        assert!(fold.is_shown_now(&event(1, 9, 11), now), "another signal");
        assert!(fold.is_shown_now(&event(2, 15, 12), now), "another target");
        assert!(fold.due(now, false).is_empty());
        let due = fold.due(now + EVERY, false);
        assert_eq!(due.len(), 1);
        assert_eq!((due[0].0.number_at("repeated"), due[0].0.number_at("id")), (Some(9), Some(10)));
        assert_eq!(due[0].0.text_at("firstTime"), Some("2026-01-01T00:00:00Z"));
        assert_eq!((due[0].1.printed.signals, due[0].1.folded.signals), (1, 8), "of nine one is printed");
        assert!(fold.due(now + EVERY, false).is_empty());
        assert!(fold.due(now + 2 * EVERY, false).is_empty() && fold.floods.is_empty(), "the flood is over");
        assert!(fold.is_shown_now(&event(1, 15, 13), now + 2 * EVERY));
    }

    #[test]
    fn what_was_folded_comes_before_what_came_later() {
        let (mut fold, now) = (Fold::default(), Instant::now());
        for id in 1..=9 {
            fold.take(&event(1, 15, id), ONE, now);
        }
        let (is_now, before) = fold.take(&event(2, 15, 10), ONE, now + 2 * SOON);
        assert!(is_now);
        assert_eq!(before.iter().map(|(one, _)| one.number_at("repeated")).collect::<Vec<_>>(), [Some(8)]);
        // but many others do not make a flood of lines again
        let mut lines = 0;
        for id in 11..1000 {
            let at = now + 3 * SOON + Duration::from_micros(id * 100);
            lines += fold.take(&event(1, 15, 2 * id), ONE, at).1.len();
            lines += fold.take(&event(id, 15, 2 * id + 1), ONE, at).1.len();
        }
        assert!((1..=3).contains(&lines), "{lines}");
        let due = fold.due(now + 2 * EVERY, true);
        assert!(due.iter().filter_map(|(one, _)| one.number_at("repeated")).sum::<i128>() > 100);
    }

    #[test]
    fn what_a_process_got_comes_before_its_end() {
        let (mut fold, now) = (Fold::default(), Instant::now());
        assert!(fold.is_shown_now(&event(1, 15, 1), now) && fold.is_shown_now(&event(2, 15, 2), now));
        assert!(!fold.is_shown_now(&event(1, 15, 3), now) && !fold.is_shown_now(&event(2, 15, 4), now));
        let due = fold.due_for((1, 1));
        assert_eq!(due.iter().map(|(one, _)| one.number_at("id")).collect::<Vec<_>>(), [Some(3)]);
        assert!(fold.due_for((1, 1)).is_empty());
        assert_eq!(fold.due(now, true).len(), 1, "the other's");
    }

    #[test]
    fn ends_and_loss_are_never_folded() {
        let mut fold = Fold::default();
        for kind in [EventKind::Ended, EventKind::Lost] {
            let mut document = Document::default();
            document.begin(&Header { kind, ..Header::default() });
            let document = Rc::new(document);
            assert!((0..3).all(|_| fold.is_shown_now(&document, Instant::now())), "{kind:?}");
        }
    }

    #[test]
    fn where_there_is_no_room_for_another_flood_each_is_told() {
        let (mut fold, now) = (Fold { floods: Bounded::new(0), ..Fold::default() }, Instant::now());
        assert!((0..3).all(|id| fold.is_shown_now(&event(1, 15, id), now)));
        assert!(fold.floods.is_empty());
    }

    fn large_event_of(uid: u64, target: u64, id: u64) -> Rc<Document> {
        let mut document = Rc::unwrap_or_clone(event(target, 15, id));
        let author = Author { uid: uid as u32, ..Author::default() };
        document.begin(&Header { author, ..*document.header() });
        document.open("source");
        document.field("cmdline", List(&[&vec![b'x'; 100_000]]));
        document.close();
        Rc::new(document)
    }

    #[test]
    fn memory_is_bounded_in_bytes_and_who_fills_it_is_told_early() {
        let (mut fold, now, mut printed) = (Fold::default(), Instant::now(), 0);
        let mut take = |fold: &mut Fold, document| {
            let (is_now, due) = fold.take(&document, ONE, now);
            assert!(due.iter().all(|(one, _)| one.header().author.uid == 65534), "of another user");
            printed += i128::from(is_now)
                + due.iter().filter_map(|(one, _)| one.number_at("repeated")).sum::<i128>();
        };
        (0..3).for_each(|id| take(&mut fold, large_event_of(1000, 9999, id)));
        for id in 3..5003 {
            take(&mut fold, large_event_of(65534, id / 2, id));
            assert!(fold.floods.bytes() <= ROOM);
        }
        let rest = fold.due(now, true);
        assert!(rest.iter().any(|(one, _)| one.header().author.uid == 1000));
        printed += rest.iter().filter_map(|(one, _)| one.number_at("repeated")).sum::<i128>();
        assert_eq!(printed, 5003, "none was dropped");
        assert_eq!(fold.floods.bytes(), 0);
    }

    #[test]
    fn a_process_signalled_once_leaves_no_event() {
        let (mut fold, now) = (Fold::default(), Instant::now());
        (0..1000).for_each(|id| assert!(fold.is_shown_now(&large_event_of(1, id, id), now)));
        assert!(fold.floods.bytes() < 1 << 20, "{}", fold.floods.bytes());
    }

    proptest! {
        #[test]
        fn what_is_told_adds_up(steps in proptest::collection::vec((0u64..3, 0u64..700), 0..200)) {
            let (mut fold, mut now, mut printed) = (Fold::default(), Instant::now(), 0);
            let count = |due: Vec<FoldedLine>| due.iter().filter_map(|(one, _)| one.number_at("repeated")).sum::<i128>();
            for (id, (target, wait)) in steps.iter().enumerate() {
                now += Duration::from_millis(*wait);
                printed += count(fold.due(now, false));
                let (is_shown_now, before) = fold.take(&event(*target, 15, id as u64), ONE, now);
                printed += i128::from(is_shown_now) + count(before);
            }
            printed += count(fold.due(now, true));
            prop_assert_eq!(printed, steps.len() as i128);
        }
    }
}
