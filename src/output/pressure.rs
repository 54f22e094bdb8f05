//! The room of one output: what waits to be written, how fast a file may grow, and what waits for room. Decides whether an event gets
//! a line now, later, folded with those like it, or never.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::backlog::{Backlog, Entry, Latest, Loss};
use super::deliver::ledger::Counts;
use super::deliver::rate::Rate;
use super::deliver::share::{Free, Share};
use crate::event::Class;
use crate::event::flood::FloodKey;
use crate::event::header::{EventKind, Header};

/// Bytes of lines that may wait for a destination.
const ROOM: usize = 8 << 20;
/// What waits for room is looked through again after this time.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Or after so many events.
const LOOK_AFTER: u32 = 64;
/// What waits for room is printed once less than this waits to be written.
const RESUME_BELOW: usize = ROOM / 8 * 3;

/// When an event gets a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// At once.
    Now,
    /// When there is room, together with those like it.
    Later,
    /// Not at all.
    Never,
}

/// The room of an output.
#[derive(Debug)]
pub(super) struct Pressure {
    held: Share,
    rate: Option<Rate>,
    backlog: Backlog,
    /// Bytes of the lines that are not handed over yet.
    in_buffer: Vec<(Class, usize)>,
    /// The same of each buffer that was, in their order.
    in_flight: VecDeque<Vec<(Class, usize)>>,
    /// Buffers of these that are done with.
    done: u64,
    looked_at: Option<Instant>,
    /// Events since then that got no line.
    deferred: u32,
}

impl Pressure {
    /// Of an output whose file may grow by so many bytes a second.
    pub(super) fn new(bytes_per_second: Option<u64>, now: Instant) -> Self {
        Self {
            held: Share::new(ROOM),
            rate: bytes_per_second.map(|bytes| Rate::new(bytes, now)),
            backlog: Backlog::default(),
            in_buffer: Vec::new(),
            in_flight: VecDeque::new(),
            done: 0,
            looked_at: None,
            deferred: 0,
        }
    }

    /// When does this event get a line? That something was lost is always printed.
    pub(super) fn route(&self, header: &Header) -> Route {
        if header.kind == EventKind::Lost {
            return Route::Now;
        }
        if !self.backlog.is_behind(header) && self.admits(header, self.free(header)) {
            Route::Now
        } else if self.backlog.has_room(header) {
            Route::Later
        } else {
            Route::Never
        }
    }

    /// A class of which something waits leaves room for that.
    fn free(&self, header: &Header) -> Free {
        if self.backlog.has_any_of(header.author.class()) { Free::Quarter } else { Free::Half }
    }

    fn admits(&self, header: &Header, free: Free) -> bool {
        let (class, goes_first) = (header.author.class(), header.goes_first());
        self.held.admits(class, goes_first, free)
            && self.rate.as_ref().is_none_or(|rate| rate.admits(class, goes_first, free))
    }

    /// Is it the rate that refuses this event?
    pub(super) fn is_rate_limited(&self, header: &Header) -> bool {
        let (class, goes_first) = (header.author.class(), header.goes_first());
        self.rate.as_ref().is_some_and(|rate| !rate.admits(class, goes_first, self.free(header)))
    }

    /// A line of so many bytes was made.
    pub(super) fn hold(&mut self, class: Class, bytes: usize) {
        self.held.hold(class, bytes);
        if let Some(rate) = &mut self.rate {
            rate.hold(class, bytes);
        }
        match self.in_buffer.iter_mut().find(|(of, _)| *of == class) {
            Some((_, held)) => *held += bytes,
            None => self.in_buffer.push((class, bytes)),
        }
    }

    /// The lines so far were handed over.
    pub(super) fn hand_over(&mut self) {
        self.in_flight.push_back(std::mem::take(&mut self.in_buffer));
    }

    /// So many buffers are done with, and time went by.
    pub(super) fn update(&mut self, done: u64, now: Instant) {
        while self.done < done {
            self.done += 1;
            for (class, bytes) in self.in_flight.pop_front().into_iter().flatten() {
                self.held.release(class, bytes);
            }
        }
        if let Some(rate) = &mut self.rate {
            rate.drain(now);
        }
    }

    /// An event has to wait for room. Returns what is lost for that.
    pub(super) fn defer(
        &mut self,
        header: &Header,
        latest: Latest,
        first_time: impl FnOnce() -> String,
        events: (u64, Counts),
    ) -> Vec<Loss> {
        self.deferred += 1;
        self.backlog.add(header, latest, first_time, events)
    }

    /// An event got no room.
    pub(super) fn note_loss(&mut self) {
        self.deferred += 1;
    }

    /// Is it time to look through what waits, although records are still coming?
    pub(super) fn is_due(&self) -> bool {
        self.deferred >= LOOK_AFTER
    }

    /// When to look through what waits, if something does.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let looked_at = self.looked_at.filter(|_| !self.backlog.is_empty())?;
        Some(looked_at + LOOK_EVERY)
    }

    /// What waits and may be looked through now, in the order in which it is to be printed; at the end all of it.
    pub(super) fn candidates(&mut self, now: Instant, last: bool) -> Vec<(FloodKey, Header)> {
        self.deferred = 0;
        if self.backlog.is_empty() {
            return Vec::new();
        }
        let looked_at = *self.looked_at.get_or_insert(now);
        let is_soon = now.saturating_duration_since(looked_at) < LOOK_EVERY;
        if !last && (is_soon || self.held.bytes() >= RESUME_BELOW) {
            return Vec::new();
        }
        self.looked_at = Some(now);
        self.backlog.order(|class| self.held.held(class))
    }

    /// There was more room than what was printed took: the next look need not wait.
    pub(super) fn look_again(&mut self) {
        self.looked_at = self.looked_at.and_then(|at| at.checked_sub(LOOK_EVERY));
    }

    /// One of these, if there is room for its line now. An end waits for the signals to its process.
    pub(super) fn take(&mut self, key: &FloodKey, header: &Header, last: bool) -> Option<Entry> {
        let has_room = last || self.admits(header, Free::Half);
        if !has_room || (header.is_end_of_process() && self.backlog.has_signals_to(header)) {
            return None;
        }
        self.backlog.take(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::signal::Signal;
    use crate::event::{Author, Outcome};

    const LINE: usize = 2000;

    fn header(uid: u32, cgroup: u64, target: u32, kind: EventKind, id: u64) -> Header {
        let flood = FloodKey { kind, target: Some((target, 1)), ..FloodKey::default() };
        let author = Author { uid, cgroup, pid: uid, ..Author::default() };
        let signal = Signal::new(if uid == 0 { 9 } else { 17 });
        let outcome = Some(Outcome::Queued);
        Header { kind, id: Some(id), signal, outcome, flood, author, ..Header::default() }
    }

    /// Events, and those of them that have a line or are lost.
    #[derive(Default)]
    struct Tally {
        printed: Vec<(u64, u64)>,
        lost: u64,
    }

    impl Tally {
        fn offer(&mut self, pressure: &mut Pressure, header: &Header) {
            match pressure.route(header) {
                Route::Now => {
                    pressure.hold(header.author.class(), LINE);
                    self.printed.push((header.id.unwrap(), 1));
                }
                Route::Later => {
                    let line = Latest::Line(vec![0; LINE], None);
                    let lost = pressure.defer(header, line, String::new, (1, Counts::default()));
                    self.lost += lost.iter().map(|loss| loss.lines).sum::<u64>();
                }
                Route::Never => self.lost += 1,
            }
        }

        fn look(&mut self, pressure: &mut Pressure, now: Instant, last: bool) {
            let candidates = pressure.candidates(now, last);
            let mut again = Vec::new();
            for (key, header) in candidates {
                match pressure.take(&key, &header, last) {
                    Some(entry) => {
                        pressure.hold(header.author.class(), LINE);
                        self.printed.push((header.id.unwrap(), entry.repeated));
                    }
                    None => again.push((key, header)),
                }
            }
            for (key, header) in again {
                if let Some(entry) = pressure.take(&key, &header, last) {
                    pressure.hold(header.author.class(), LINE);
                    self.printed.push((header.id.unwrap(), entry.repeated));
                }
            }
        }

        fn has(&self, id: u64) -> bool {
            self.printed.iter().any(|(printed, _)| *printed == id)
        }
    }

    /// A user floods a reader that writes a line for every ten that come; root kills a hundred processes, which end.
    fn flood(fresh: bool, rate: Option<u64>) -> Tally {
        let mut now = Instant::now();
        let (mut pressure, mut tally) = (Pressure::new(rate, now), Tally::default());
        let mut id = 0;
        for step in 0..40_000u32 {
            id += 1;
            let target = if fresh { 10_000 + step } else { 5 };
            tally.offer(&mut pressure, &header(65534, 1, target, EventKind::Signal, id));
            if (20_000..20_100).contains(&step) {
                tally.offer(
                    &mut pressure,
                    &header(0, 7, step, EventKind::Signal, 1_000_000 + u64::from(step)),
                );
                tally.offer(
                    &mut pressure,
                    &header(1000, 9, step, EventKind::Ended, 2_000_000 + u64::from(step)),
                );
            }
            if step % 10 == 0 {
                pressure.hand_over();
                if rate.is_some() || step % 100 == 0 {
                    let done = pressure.done + 1;
                    now += Duration::from_millis(1);
                    pressure.update(done.min(pressure.done + pressure.in_flight.len() as u64), now);
                }
                tally.look(&mut pressure, now, false);
            }
        }
        tally.look(&mut pressure, now + LOOK_EVERY, true);
        let all = tally.printed.iter().map(|(_, repeated)| repeated).sum::<u64>() + tally.lost;
        assert_eq!(all, 40_200, "each is printed, folded or lost");
        for step in 20_000..20_100 {
            let place = |id| tally.printed.iter().position(|(printed, _)| *printed == id);
            let (signal, end) = (place(1_000_000 + step), place(2_000_000 + step));
            assert!(signal.is_some() && signal < end, "{fresh} {rate:?}: {step}: {signal:?} {end:?}");
        }
        tally
    }

    #[test]
    fn root_kills_in_a_flood_are_printed_before_the_ends_that_come_of_them() {
        for rate in [None, Some(50_000)] {
            assert_eq!(flood(false, rate).lost, 0, "one pair is folded");
            assert!(flood(true, rate).lost > 0, "nothing was tested");
        }
    }

    /// Although its class holds less, so that it would come first.
    #[test]
    fn an_end_that_waits_is_printed_behind_the_signal_that_waits() {
        let now = Instant::now();
        let (mut pressure, mut tally) = (Pressure::new(None, now), Tally::default());
        let mut id = 0;
        while tally.printed.len() as u64 == id {
            id += 1;
            tally.offer(&mut pressure, &header(0, 7, id as u32, EventKind::Signal, id));
            if id == 1000 {
                pressure.hand_over();
            }
        }
        pressure.hand_over();
        let (signal, end) =
            (header(0, 7, 5, EventKind::Signal, 20_000), header(1000, 9, 5, EventKind::Ended, 20_001));
        tally.offer(&mut pressure, &signal);
        tally.offer(&mut pressure, &end);
        pressure.update(1, now);
        assert!(pressure.candidates(now, false).is_empty(), "not so soon");
        let candidates = pressure.candidates(now + LOOK_EVERY, false);
        assert_eq!(candidates.first().map(|(key, _)| *key), Some(end.flood));
        assert!(
            pressure.take(&end.flood, &end, false).is_none()
                && pressure.take(&end.flood, &end, true).is_none()
        );
        assert!(pressure.take(&signal.flood, &signal, false).is_some());
        assert!(pressure.take(&end.flood, &end, false).is_some());
    }

    #[test]
    fn what_waited_is_printed_once_there_is_room() {
        let now = Instant::now();
        let (mut pressure, mut tally) = (Pressure::new(None, now), Tally::default());
        let mut id = 0;
        while tally.printed.len() as u64 == id {
            id += 1;
            tally.offer(&mut pressure, &header(1000, 1, id as u32, EventKind::Signal, id));
        }
        pressure.hand_over();
        assert!(pressure.next_due().is_none());
        tally.look(&mut pressure, now, false);
        assert!(!tally.has(id) && pressure.next_due() == Some(now + LOOK_EVERY));
        pressure.update(1, now);
        tally.look(&mut pressure, now + LOOK_EVERY, false);
        assert!(tally.has(id) && tally.lost == 0 && pressure.next_due().is_none());
    }
}
