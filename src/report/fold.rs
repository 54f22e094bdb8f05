//! `--fold`: a flood of the same signal from the same source to the same target is one line a second, with
//! `repeated=N`. The first is told at once; none is dropped: what `repeated` says adds up.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::sink::document::{Document, Value};

/// A flood has a line in this time.
pub const EVERY: Duration = Duration::from_secs(1);
/// So many floods are folded at a time; events of further ones are told one by one.
const FLOODS: usize = 4096;

/// What events of one flood have in common.
type Alike = (Option<String>, Option<String>, Option<i128>, Option<String>, Option<String>);

#[derive(Debug)]
struct Flood {
    told_at: Instant,
    /// Since then.
    repeated: u64,
    latest: Rc<Document>,
}

impl Flood {
    /// The latest, with how many came since the line before; None: none did.
    fn line(&self) -> Option<Document> {
        (self.repeated > 0).then(|| {
            let mut document = (*self.latest).clone();
            document.insert_behind(&["fatal", "result", "origin"], "repeated", Value::Number(self.repeated));
            document
        })
    }
}

/// Folds floods.
#[derive(Debug, Default)]
pub struct Fold {
    floods: HashMap<Alike, Flood>,
}

impl Fold {
    /// Is this event to be told now? If not, it is told by [`due`](Self::due).
    pub fn is_told_now(&mut self, document: &Rc<Document>, now: Instant) -> bool {
        // an end is told once, and so is loss
        if !matches!(document.text_at("event"), Some("signal" | "attempt")) {
            return true;
        }
        let alike = alike(document);
        if let Some(flood) = self.floods.get_mut(&alike) {
            flood.repeated += 1;
            flood.latest = Rc::clone(document);
            return false;
        }
        if self.floods.len() < FLOODS {
            let flood = Flood { told_at: now, repeated: 0, latest: Rc::clone(document) };
            self.floods.insert(alike, flood);
        }
        true
    }

    /// What is to be told of floods, oldest first; all of it at the end.
    pub fn due(&mut self, now: Instant, all: bool) -> Vec<Document> {
        let mut due = Vec::new();
        self.floods.retain(|_, flood| {
            if !all && now.saturating_duration_since(flood.told_at) < EVERY {
                return true;
            }
            let line = flood.line();
            let is_over = line.is_none();
            due.extend(line);
            flood.repeated = 0;
            flood.told_at = now;
            !is_over && !all
        });
        due.sort_by_key(|document| document.number_at("id"));
        due
    }

    /// What was folded of signals to this process, which has ended: nothing of it is to come behind that.
    pub fn due_for(&mut self, target: &str) -> Vec<Document> {
        let mut due = Vec::new();
        self.floods.retain(|alike, flood| {
            if alike.1.as_deref() != Some(target) {
                return true;
            }
            due.extend(flood.line());
            false
        });
        due.sort_by_key(|document| document.number_at("id"));
        due
    }

    /// When [`due`](Self::due) has something to do.
    pub fn next(&self) -> Option<Instant> {
        self.floods.values().map(|flood| flood.told_at + EVERY).min()
    }
}

fn alike(document: &Document) -> Alike {
    let text = |path: &str| document.text_at(path).map(str::to_owned);
    (
        text("source.key").or_else(|| text("origin")),
        // an attempt may have no target but a number
        text("target.key").or_else(|| document.number_at("pidArgument").map(|pid| pid.to_string())),
        document.number_at("signal"),
        text("result"),
        text("event"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::Format;
    use proptest::prelude::*;

    fn event(target: u64, signal: u64, id: u64) -> Rc<Document> {
        let mut document = Document::default();
        document.text("event", "signal");
        document.number("id", id);
        document.number("signal", signal);
        document.text("result", "queued");
        document.open("target");
        document.text("key", &format!("{target}@1"));
        document.close();
        Rc::new(document)
    }

    #[test]
    fn the_first_is_told_at_once_then_one_a_second_with_the_number() {
        let (mut fold, now) = (Fold::default(), Instant::now());
        assert!(fold.is_told_now(&event(1, 15, 1), now));
        for id in 2..=10 {
            assert!(!fold.is_told_now(&event(1, 15, id), now));
        }
        assert!(fold.is_told_now(&event(1, 9, 11), now), "another signal");
        assert!(fold.is_told_now(&event(2, 15, 12), now), "another target");
        assert!(fold.due(now, false).is_empty());
        let due = fold.due(now + EVERY, false);
        assert_eq!(due.len(), 1);
        assert_eq!((due[0].number_at("repeated"), due[0].number_at("id")), (Some(9), Some(10)));
        assert!(fold.due(now + EVERY, false).is_empty());
        assert!(fold.due(now + 2 * EVERY, false).is_empty() && fold.floods.is_empty(), "the flood is over");
        assert!(fold.is_told_now(&event(1, 15, 13), now + 2 * EVERY));
    }

    #[test]
    fn what_a_process_got_comes_before_its_end() {
        let (mut fold, now) = (Fold::default(), Instant::now());
        assert!(fold.is_told_now(&event(1, 15, 1), now) && fold.is_told_now(&event(2, 15, 2), now));
        assert!(!fold.is_told_now(&event(1, 15, 3), now) && !fold.is_told_now(&event(2, 15, 4), now));
        let due = fold.due_for("1@1");
        assert_eq!(due.iter().map(|one| one.number_at("id")).collect::<Vec<_>>(), [Some(3)]);
        assert!(fold.due_for("1@1").is_empty());
        assert_eq!(fold.due(now, true).len(), 1, "the other's");
    }

    #[test]
    fn ends_and_loss_are_never_folded() {
        let mut fold = Fold::default();
        for kind in ["ended", "lost"] {
            let mut document = Document::default();
            document.text("event", kind);
            let document = Rc::new(document);
            assert!((0..3).all(|_| fold.is_told_now(&document, Instant::now())), "{kind}");
        }
    }

    #[test]
    fn where_there_is_no_room_for_another_flood_each_is_told() {
        let (mut fold, now) = (Fold::default(), Instant::now());
        (0..FLOODS as u64).for_each(|target| assert!(fold.is_told_now(&event(target, 15, 1), now)));
        assert!((0..3).all(|_| fold.is_told_now(&event(u64::MAX, 15, 1), now)));
        assert_eq!(fold.floods.len(), FLOODS);
    }

    proptest! {
        #[test]
        fn what_is_told_adds_up(steps in proptest::collection::vec((0u64..3, 0u64..700), 0..200)) {
            let (mut fold, mut now, mut told) = (Fold::default(), Instant::now(), 0);
            let count = |due: Vec<Document>| due.iter().filter_map(|one| one.number_at("repeated")).sum::<i128>();
            for (id, (target, wait)) in steps.iter().enumerate() {
                now += Duration::from_millis(*wait);
                told += count(fold.due(now, false));
                told += i128::from(fold.is_told_now(&event(*target, 15, id as u64), now));
            }
            told += count(fold.due(now, true));
            prop_assert_eq!(told, steps.len() as i128);
        }
    }
}
