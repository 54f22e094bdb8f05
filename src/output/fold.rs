//! `--fold`: a flood of the same signal from the same source to the same target is one line a second, with
//! `repeated=N`. The first is printed at once; none is dropped: what `repeated` says adds up.

use std::hash::BuildHasher;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustc_hash::FxBuildHasher;

use crate::base::bounded::{Bounded, StoredSize, owner_of};
use crate::event::header::EventKind;
use crate::output::format::document::{Document, Value};

/// A flood has a line in this time.
pub const EVERY: Duration = Duration::from_secs(1);
/// What is printed at once has what was folded before it in front, but for what was folded within this time: rows are in order, and
/// a flood among many other events is still folded.
const SOON: Duration = Duration::from_millis(100);
/// Bytes that floods may take. Beyond that those of the user that has most are printed early, and are over.
const ROOM: usize = 8 << 20;

/// What events of one flood have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct FloodKey {
    kind: EventKind,
    source: Option<String>,
    target: Option<String>,
    /// Of an attempt it need not be one.
    signal: Option<i128>,
    result: Option<String>,
    /// Of what both are and how it was sent: an exec, another user, another call or code are another flood.
    facts: u64,
}

/// What makes a signal another one than that before, between the same two processes.
const DISTINGUISHING: [&str; 13] = [
    "source.comm",
    "source.cmdline",
    "source.exe",
    "source.user.id",
    "target.comm",
    "target.cmdline",
    "target.exe",
    "target.user.id",
    "origin",
    "via",
    "scope",
    "code",
    "trigger.key",
];

impl FloodKey {
    fn of(document: &Document) -> Self {
        let text = |path: &str| document.text_at(path).map(str::to_owned);
        Self {
            kind: document.header().kind,
            source: text("source.key").or_else(|| text("origin")),
            // an attempt may have no target but a number
            target: text("target.key")
                .or_else(|| document.number_at("pidArgument").map(|pid| pid.to_string())),
            signal: document.number_at("signal"),
            result: text("result"),
            facts: FxBuildHasher.hash_one(DISTINGUISHING.map(|path| document.get(path))),
        }
    }
}

#[derive(Debug)]
struct Flood {
    reported_at: Instant,
    /// Since then.
    repeated: u64,
    /// The latest of these.
    latest: Option<Rc<Document>>,
}

impl Flood {
    /// The latest, with how many came since the line before; None: none did.
    fn line(&mut self) -> Option<Document> {
        let mut document = Rc::unwrap_or_clone(self.latest.take()?);
        let repeated = std::mem::take(&mut self.repeated);
        document.insert_behind(&["fatal", "result", "origin"], "repeated", Value::Number(repeated));
        Some(document)
    }
}

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
    /// Takes an event. Is it to be printed now? If not, a line of [`due`](Self::due) stands for it. And what is to be printed
    /// before it: floods that came before, or for which there is no room any more.
    pub fn take(&mut self, document: &Rc<Document>, now: Instant) -> (bool, Vec<Document>) {
        // an end happens once, and so does loss
        if !matches!(document.header().kind, EventKind::Signal | EventKind::Attempt) {
            return (true, self.in_front(now));
        }
        let key = FloodKey::of(document);
        let known = self.floods.remove(&key);
        let is_first = known.is_none();
        let mut before = if is_first { self.in_front(now) } else { Vec::new() };
        let mut bytes = bytes_of(&key);
        let flood = match known {
            // it has been printed: nothing of it needs to be kept
            None => Flood { reported_at: now, repeated: 0, latest: None },
            Some(flood) => {
                bytes += document.size();
                Flood { repeated: flood.repeated + 1, latest: Some(Rc::clone(document)), ..flood }
            }
        };
        let due = flood.reported_at + EVERY;
        self.next = Some(self.next.map_or(due, |next| next.min(due)));
        let uid = document.number_at("source.user.id").or_else(|| document.number_at("target.user.id"));
        let owner = owner_of(uid.and_then(|uid| u32::try_from(uid).ok()).unwrap_or_default());
        let gone = self.floods.put(key, flood, owner, bytes);
        before.extend(gone.into_iter().filter_map(|(_, mut flood)| flood.line()));
        (is_first, in_order(before))
    }

    /// What was folded before an event that is printed now.
    fn in_front(&mut self, now: Instant) -> Vec<Document> {
        let is_soon = |at: Instant| now.saturating_duration_since(at) < SOON;
        let mut due = Vec::new();
        if self.put_in_order_at.is_some_and(is_soon) {
            return due;
        }
        self.put_in_order_at = Some(now);
        self.floods.retain(|key, flood| {
            if is_soon(flood.reported_at) {
                return Some(StoredSize::Same);
            }
            let Some(line) = flood.line() else { return Some(StoredSize::Same) };
            due.push(line);
            flood.reported_at = now;
            Some(StoredSize::Now(bytes_of(key)))
        });
        in_order(due)
    }

    /// What is to be printed of floods, oldest first; all of it at the end.
    pub fn due(&mut self, now: Instant, all: bool) -> Vec<Document> {
        let mut due = Vec::new();
        if !all && self.next.is_none_or(|next| now < next) {
            return due;
        }
        let mut next = None;
        self.floods.retain(|key, flood| {
            let mut kept = StoredSize::Same;
            if all || now.saturating_duration_since(flood.reported_at) >= EVERY {
                due.push(flood.line()?);
                flood.reported_at = now;
                kept = StoredSize::Now(bytes_of(key));
            }
            let at = flood.reported_at + EVERY;
            next = Some(next.map_or(at, |next: Instant| next.min(at)));
            (!all).then_some(kept)
        });
        self.next = next.filter(|_| !all);
        in_order(due)
    }

    /// What was folded of signals to this process, which has ended: nothing of it is to come behind that.
    pub fn due_for(&mut self, target: &str) -> Vec<Document> {
        let mut due = Vec::new();
        self.floods.retain(|key, flood| {
            if key.target.as_deref() != Some(target) {
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

fn in_order(mut due: Vec<Document>) -> Vec<Document> {
    due.sort_by_key(|document| document.header().id);
    due
}

/// A key holds so many bytes beside itself.
fn bytes_of(key: &FloodKey) -> usize {
    [&key.source, &key.target, &key.result].into_iter().flatten().map(String::capacity).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::header::Header;
    use crate::output::format::Format;
    use crate::output::format::ValueRef::{List, Number, Text};
    use proptest::prelude::*;

    impl Fold {
        /// Where there is room.
        fn is_shown_now(&mut self, document: &Rc<Document>, now: Instant) -> bool {
            let (is_shown_now, due) = self.take(document, now);
            assert!(due.is_empty());
            is_shown_now
        }
    }

    fn event(target: u64, signal: u64, id: u64) -> Rc<Document> {
        let mut document = Document::default();
        document.begin(&Header { id: Some(id), ..Header::default() });
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
        assert_eq!((due[0].number_at("repeated"), due[0].number_at("id")), (Some(9), Some(10)));
        assert!(fold.due(now + EVERY, false).is_empty());
        assert!(fold.due(now + 2 * EVERY, false).is_empty() && fold.floods.is_empty(), "the flood is over");
        assert!(fold.is_shown_now(&event(1, 15, 13), now + 2 * EVERY));
    }

    /// A process that execs in between would hide its command line in a flood of another.
    #[test]
    fn another_image_of_the_same_process_is_another_flood() {
        let (mut fold, now) = (Fold::default(), Instant::now());
        let run = |program: &str| {
            let mut document = Rc::unwrap_or_clone(event(1, 15, 1));
            document.open("source");
            document.field("key", Text("7@1"));
            document.field("cmdline", List(&[program.as_bytes()]));
            document.close();
            Rc::new(document)
        };
        assert!(fold.is_shown_now(&run("logrotate"), now) && fold.is_shown_now(&run("evil"), now));
        assert!(!fold.is_shown_now(&run("logrotate"), now) && !fold.is_shown_now(&run("evil"), now));
    }

    #[test]
    fn what_was_folded_comes_before_what_came_later() {
        let (mut fold, now) = (Fold::default(), Instant::now());
        for id in 1..=9 {
            fold.take(&event(1, 15, id), now);
        }
        let (is_now, before) = fold.take(&event(2, 15, 10), now + 2 * SOON);
        assert!(is_now);
        assert_eq!(before.iter().map(|one| one.number_at("repeated")).collect::<Vec<_>>(), [Some(8)]);
        // but many others do not make a flood of lines again
        let mut lines = 0;
        for id in 11..1000 {
            let at = now + 3 * SOON + Duration::from_micros(id * 100);
            lines += fold.take(&event(1, 15, 2 * id), at).1.len();
            lines += fold.take(&event(id, 15, 2 * id + 1), at).1.len();
        }
        assert!((1..=3).contains(&lines), "{lines}");
        let due = fold.due(now + 2 * EVERY, true);
        assert!(due.iter().filter_map(|one| one.number_at("repeated")).sum::<i128>() > 100);
    }

    #[test]
    fn what_a_process_got_comes_before_its_end() {
        let (mut fold, now) = (Fold::default(), Instant::now());
        assert!(fold.is_shown_now(&event(1, 15, 1), now) && fold.is_shown_now(&event(2, 15, 2), now));
        assert!(!fold.is_shown_now(&event(1, 15, 3), now) && !fold.is_shown_now(&event(2, 15, 4), now));
        let due = fold.due_for("1@1");
        assert_eq!(due.iter().map(|one| one.number_at("id")).collect::<Vec<_>>(), [Some(3)]);
        assert!(fold.due_for("1@1").is_empty());
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
        document.open("source");
        document.open("user");
        document.field("id", Number(uid));
        document.close();
        document.field("cmdline", List(&[&vec![b'x'; 100_000]]));
        document.close();
        Rc::new(document)
    }

    #[test]
    fn memory_is_bounded_in_bytes_and_who_fills_it_is_told_early() {
        let (mut fold, now, mut printed) = (Fold::default(), Instant::now(), 0);
        let mut take = |fold: &mut Fold, document| {
            let (is_now, due) = fold.take(&document, now);
            assert!(due.iter().all(|one| one.number_at("source.user.id") == Some(65534)), "of another user");
            printed +=
                i128::from(is_now) + due.iter().filter_map(|one| one.number_at("repeated")).sum::<i128>();
        };
        (0..3).for_each(|id| take(&mut fold, large_event_of(1000, 9999, id)));
        for id in 3..5003 {
            take(&mut fold, large_event_of(65534, id / 2, id));
            assert!(fold.floods.bytes() <= ROOM);
        }
        let rest = fold.due(now, true);
        assert!(rest.iter().any(|one| one.number_at("source.user.id") == Some(1000)));
        printed += rest.iter().filter_map(|one| one.number_at("repeated")).sum::<i128>();
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
            let count = |due: Vec<Document>| due.iter().filter_map(|one| one.number_at("repeated")).sum::<i128>();
            for (id, (target, wait)) in steps.iter().enumerate() {
                now += Duration::from_millis(*wait);
                printed += count(fold.due(now, false));
                let (is_shown_now, before) = fold.take(&event(*target, 15, id as u64), now);
                printed += i128::from(is_shown_now) + count(before);
            }
            printed += count(fold.due(now, true));
            prop_assert_eq!(printed, steps.len() as i128);
        }
    }
}
