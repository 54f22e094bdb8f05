//! What an output has no room for now: one entry for each flood, with `repeated`, that is printed when there is room. Every
//! format folds so, under pressure only. Memory is bounded in bytes, fairly; what goes for that is handed back to be counted.
//!
//! What may end a process is kept apart from the rest: no flood of anything else takes its place.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::deliver::ledger::Counts;
use super::format::document::{Document, Value};
use super::format::line_template::{EventStamp, LineTemplate, Repeats, RepeatsPlace};
use crate::base::bounded::Bounded;
use crate::event::flood::FloodKey;
use crate::event::header::Header;
use crate::event::{Author, Class};
use crate::record::ProcessKey;

/// Bytes of what may end a process, and of the rest.
const ROOMS: [usize; 2] = [4 << 20, 2 << 20];
/// Bytes of a line that is not made yet.
const USUAL_LINE: usize = 4096;

/// The latest event of a flood, as far as its line is made.
#[derive(Debug)]
pub(super) enum Latest {
    /// A value.
    Document(Rc<Document>),
    /// A line, and where in it `repeated` belongs.
    Line(Vec<u8>, Option<RepeatsPlace>),
    /// A line that was made before.
    Template(Rc<LineTemplate>, EventStamp),
}

impl Latest {
    fn size(&self) -> usize {
        match self {
            Self::Document(document) => document.size(),
            Self::Line(line, _) => line.capacity(),
            // which the line cache may have as well
            Self::Template(template, _) => template.size(),
        }
    }
}

/// A flood that waits.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) header: Header,
    pub(super) latest: Latest,
    /// When the first of them was: RFC 3339.
    pub(super) first_time: Box<str>,
    /// So many events.
    pub(super) repeated: u64,
    /// Those of them that no other output prints.
    pub(super) counts: Counts,
    /// Bytes beside key and value.
    bytes: usize,
}

/// Events that are lost: for them there was no room either.
#[derive(Debug, Clone, Copy)]
pub(super) struct Loss {
    pub(super) author: Author,
    pub(super) lines: u64,
    pub(super) counts: Counts,
}

/// What waits for room.
#[derive(Debug)]
pub(super) struct Backlog {
    /// What goes first, and the rest.
    tables: [Bounded<FloodKey, Entry>; 2],
    /// How many entries are about this process.
    targets: FxHashMap<ProcessKey, u32>,
    /// How many a class has.
    classes: FxHashMap<Class, u32>,
}

impl Default for Backlog {
    fn default() -> Self {
        Self { tables: ROOMS.map(Bounded::new), targets: FxHashMap::default(), classes: FxHashMap::default() }
    }
}

/// The place of its table.
fn table(header: &Header) -> usize {
    usize::from(!header.goes_first())
}

impl Backlog {
    /// Nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.tables.iter().all(Bounded::is_empty)
    }

    /// Does something of this class wait?
    pub(super) fn has_any_of(&self, class: Class) -> bool {
        self.classes.contains_key(&class)
    }

    /// Does this event have to wait, because others wait that come before it: the same, or signals to a process that ended?
    pub(super) fn is_behind(&self, header: &Header) -> bool {
        if self.is_empty() {
            return false;
        }
        if header.is_end_of_process() {
            return header.flood.target.is_some_and(|target| self.targets.contains_key(&target));
        }
        self.tables[table(header)].peek(&header.flood).is_some()
    }

    /// Is there room for it, without making it first? Where its class has filled the room, it is lost.
    pub(super) fn has_room(&self, header: &Header) -> bool {
        self.tables[table(header)].has_room(header.author.class().owner(), USUAL_LINE)
            || self.tables[table(header)].peek(&header.flood).is_some()
    }

    /// Adds an event: `latest` is made of it, `repeated` how many it stands for. Returns what is lost for that.
    pub(super) fn add(
        &mut self,
        header: &Header,
        latest: Latest,
        first_time: impl FnOnce() -> String,
        (repeated, counts): (u64, Counts),
    ) -> Vec<Loss> {
        let place = table(header);
        let size = latest.size();
        if let Some(known) = self.tables[place].get_mut(&header.flood) {
            known.repeated += repeated;
            known.counts += counts;
            // who has moved to another cgroup meanwhile goes on paying for it
            let header = Header { author: known.header.author, ..*header };
            if size <= known.bytes {
                (known.header, known.latest) = (header, latest);
                return Vec::new();
            }
        }
        let known = self.tables[place].remove(&header.flood);
        let mut entry = known.unwrap_or_else(|| {
            if let Some(target) = header.flood.target {
                *self.targets.entry(target).or_default() += 1;
            }
            *self.classes.entry(header.author.class()).or_default() += 1;
            let first_time = first_time().into_boxed_str();
            Entry {
                header: *header,
                latest: Latest::Line(Vec::new(), None),
                first_time,
                repeated,
                counts,
                bytes: 0,
            }
        });
        let author = entry.header.author;
        (entry.header, entry.latest, entry.bytes) = (Header { author, ..*header }, latest, size);
        let class = author.class();
        let gone = self.tables[place].put(header.flood, entry, class.owner(), size);
        gone.into_iter().map(|(key, entry)| self.lose(&key, &entry)).collect()
    }

    fn lose(&mut self, key: &FloodKey, entry: &Entry) -> Loss {
        self.forget(key, &entry.header);
        Loss { author: entry.header.author, lines: entry.repeated, counts: entry.counts }
    }

    fn forget(&mut self, key: &FloodKey, header: &Header) {
        fn count_down<K: std::hash::Hash + Eq>(counts: &mut FxHashMap<K, u32>, key: K) {
            if let std::collections::hash_map::Entry::Occupied(mut count) = counts.entry(key) {
                *count.get_mut() -= 1;
                if *count.get() == 0 {
                    count.remove();
                }
            }
        }
        if let Some(target) = key.target {
            count_down(&mut self.targets, target);
        }
        count_down(&mut self.classes, header.author.class());
    }

    /// Takes one out.
    pub(super) fn take(&mut self, key: &FloodKey) -> Option<Entry> {
        let entry = self.tables.iter_mut().find_map(|table| table.remove(key))?;
        self.forget(key, &entry.header);
        Some(entry)
    }

    /// All that wait, in the order in which they are to be printed: what goes first, before that of a class that holds less, before
    /// that what is older. `held` is what a class holds of the output.
    pub(super) fn order(&self, held: impl Fn(Class) -> usize) -> Vec<(FloodKey, Header)> {
        let mut all = Vec::new();
        for table in &self.tables {
            let begin = all.len();
            all.extend(table.iter().map(|(key, entry)| (*key, entry.header)));
            all[begin..].sort_by_cached_key(|(_, header)| (held(header.author.class()), header.id));
        }
        all
    }

    /// Do signals to the process of this end wait as well, which does itself?
    pub(super) fn has_signals_to(&self, end: &Header) -> bool {
        end.flood.target.and_then(|target| self.targets.get(&target)).is_some_and(|&count| count > 1)
    }
}

impl Entry {
    /// What its line says of those before it.
    pub(super) fn repeats(&self) -> Option<Repeats<'_>> {
        (self.repeated > 1).then_some(Repeats { count: self.repeated, first_time: &self.first_time })
    }
}

/// Puts into an event how many it stands for.
pub(super) fn set_repeats(document: &mut Document, repeats: Repeats<'_>) {
    document.fields_mut().retain(|field| !matches!(field.key, "repeated" | "firstTime"));
    let first = Value::Text(repeats.first_time.to_owned());
    document.insert_behind(&["fatal", "result", "origin"], "firstTime", first);
    document.insert_behind(&["fatal", "result", "origin"], "repeated", Value::Number(repeats.count));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Outcome;
    use crate::event::header::EventKind;
    use crate::event::signal::Signal;
    use proptest::prelude::*;

    fn header(uid: u32, target: u32, signal: u8, id: u64) -> Header {
        let flood = FloodKey { target: Some((target, 1)), signal: signal.into(), ..FloodKey::default() };
        let author = Author { uid, pid: uid, ..Author::default() };
        let outcome = Some(Outcome::Queued);
        Header { id: Some(id), signal: Signal::new(signal), outcome, flood, author, ..Header::default() }
    }

    const ONE: (u64, Counts) = (1, Counts { signals: 1, attempts: 0 });

    fn add(backlog: &mut Backlog, header: &Header, bytes: usize) -> u64 {
        let lost = backlog.add(header, Latest::Line(vec![0; bytes], None), String::new, ONE);
        for loss in &lost {
            assert_eq!(loss.author.uid, 65534, "it had most of the room");
        }
        lost.iter().map(|loss| loss.counts.signals).sum()
    }

    #[test]
    fn one_flood_is_one_entry_whatever_its_length() {
        let mut backlog = Backlog::default();
        for id in 0..100_000 {
            assert_eq!(add(&mut backlog, &header(1000, 9, 10, id), 1000 + id as usize % 100), 0);
        }
        assert!(backlog.is_behind(&header(1000, 9, 10, 7)) && !backlog.is_behind(&header(1000, 9, 12, 7)));
        let all = backlog.order(|_| 0);
        assert_eq!(all.len(), 1);
        let entry = backlog.take(&all[0].0).unwrap();
        assert_eq!((entry.repeated, entry.counts.signals, entry.header.id), (100_000, 100_000, Some(99_999)));
        assert!(backlog.is_empty() && backlog.targets.is_empty() && backlog.classes.is_empty());
    }

    #[test]
    fn what_may_end_a_process_comes_first_and_then_who_holds_least() {
        let mut backlog = Backlog::default();
        for (uid, signal, id) in [(65534, 17, 1), (1000, 17, 2), (65534, 9, 3), (1000, 9, 4)] {
            add(&mut backlog, &header(uid, id as u32, signal, id), 10);
        }
        let order = backlog.order(|class| usize::from(class == Class::User(65534)));
        assert_eq!(order.iter().map(|(_, header)| header.id.unwrap()).collect::<Vec<_>>(), [4, 3, 2, 1]);
    }

    #[test]
    fn an_end_waits_behind_the_signals_to_its_process_and_no_other_does() {
        let mut backlog = Backlog::default();
        add(&mut backlog, &header(1000, 9, 15, 1), 10);
        let end = |target| {
            let of = header(1000, target, 9, 2);
            Header { kind: EventKind::Ended, flood: FloodKey { kind: EventKind::Ended, ..of.flood }, ..of }
        };
        assert!(backlog.is_behind(&end(9)) && !backlog.is_behind(&end(10)));
        add(&mut backlog, &end(9), 10);
        assert!(backlog.has_signals_to(&end(9)));
        let first = backlog.order(|_| 0)[0].0;
        backlog.take(&first);
        assert!(!backlog.has_signals_to(&end(9)) && backlog.order(|_| 0).len() == 1);
    }

    #[test]
    fn a_flood_of_other_events_takes_no_room_of_deaths_nor_of_others() {
        let mut backlog = Backlog::default();
        let mut lost = 0;
        for id in 0..300 {
            lost += add(&mut backlog, &header(0, 100_000 + id, 9, id.into()), 4000);
            lost += add(&mut backlog, &header(1000, 100_000 + id, 17, id.into()), 1000);
        }
        assert_eq!(lost, 0);
        for id in 1000..20_000u32 {
            let header = header(65534, id, 17, id.into());
            if backlog.has_room(&header) {
                lost += add(&mut backlog, &header, 4000);
            }
        }
        assert!(backlog.tables.iter().zip(ROOMS).all(|(table, room)| table.bytes() <= room));
        let of = |uid| backlog.order(|_| 0).iter().filter(|(_, header)| header.author.uid == uid).count();
        assert_eq!((of(0), of(1000)), (300, 300));
        assert!(of(65534) > 100 && lost == 0, "what has no room is not even made: {lost}");
    }

    proptest! {
        #[test]
        fn what_is_added_is_taken_or_lost(steps in proptest::collection::vec((1u32..4, 0u32..40, 0usize..200_000), 0..200)) {
            let (mut backlog, mut lost) = (Backlog::default(), 0);
            for (id, (uid, target, bytes)) in steps.iter().enumerate() {
                let signal = if target % 2 == 0 { 9 } else { 17 };
                let header = header(*uid, *target, signal, id as u64);
                let gone = backlog.add(&header, Latest::Line(vec![0; *bytes], None), String::new, ONE);
                lost += gone.iter().map(|loss| loss.counts.signals).sum::<u64>();
                prop_assert_eq!(backlog.targets.values().sum::<u32>() as usize, backlog.order(|_| 0).len());
            }
            let all = backlog.order(|_| 0);
            let taken: u64 = all.iter().map(|(key, _)| backlog.take(key).unwrap().repeated).sum();
            prop_assert_eq!(taken + lost, steps.len() as u64);
            prop_assert!(backlog.is_empty() && backlog.targets.is_empty() && backlog.classes.is_empty());
        }
    }
}
