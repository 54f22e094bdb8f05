//! Events of a store that fit a search, as values, in order. The end that a signal led to comes with it also where the store
//! could not have found it: an end names no sender.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::search::Search;
use super::words::count;
use crate::output::format::document::Document;
use crate::output::read;
use crate::output::select::filter::Filter;
use crate::store::{Kind, Order, Query, Reader, StoreError, StoredEvent, Who};

/// So many commands that name a target are shown, the newest.
const REQUESTS: usize = 10_000;

/// An event of the past.
#[derive(Debug, Clone)]
pub struct PastEvent {
    /// Its row in the store.
    pub row: i64,
    /// When it was, nanoseconds since the epoch.
    pub time: i64,
    /// The run of the recorder: ids are of it.
    pub run: i64,
    /// The line that the trace printed.
    pub json: String,
    /// The same as a value.
    pub document: Document,
}

impl PastEvent {
    /// Of what the store has.
    ///
    /// # Errors
    /// If that is no event.
    pub fn read(stored: StoredEvent) -> Result<Self, read::ReadError> {
        let document = read::document(&stored.json)?;
        Ok(Self { row: stored.row, time: stored.time, run: stored.run, json: stored.json, document })
    }

    /// Is this the signal that an end names? Ids begin with each run of the recorder, and what was not stored leaves none.
    pub fn is_named_by(&self, end: &Self) -> bool {
        let names = |key: &str, of: &str| {
            end.document.text_at(key).is_none_or(|name| self.document.text_at(of) == Some(name))
        };
        let after = end.document.header().after;
        after.is_some()
            && after == self.document.header().id
            && self.run == end.run
            && names("after.signalName", "signalName")
            && names("after.source.key", "source.key")
    }
}

/// All that a query finds, at most so many; what cannot be read is left out.
///
/// # Errors
/// If the store cannot be read.
pub fn collect(
    reader: &Reader,
    query: &Query,
    order: Order,
    most: usize,
    mut fits: impl FnMut(&PastEvent) -> bool,
) -> Result<Vec<PastEvent>, StoreError> {
    let mut found = Vec::new();
    if most == 0 {
        return Ok(found);
    }
    reader.each(query, order, |stored| {
        if let Ok(event) = PastEvent::read(stored) {
            if fits(&event) {
                found.push(event);
            }
        }
        if found.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(found)
}

/// Bytes of lines that are looked at for what is only counted: processes may have command lines of megabytes.
const LOOKED_AT_BYTES: usize = 64 << 20;

/// Events of a kind, of which only some are of interest by themselves.
#[derive(Debug, Default)]
pub struct Found {
    /// The first of them.
    pub first: Vec<PastEvent>,
    /// The last of them, if it is none of these.
    later: Option<PastEvent>,
    /// How many there are.
    pub count: usize,
    /// There may be more, which were not looked at.
    pub is_least: bool,
}

impl Found {
    /// The last.
    pub fn last(&self) -> Option<&PastEvent> {
        self.later.as_ref().or(self.first.last())
    }

    /// How many there are of what is called so.
    pub fn words(&self, one: &str) -> String {
        let least = if self.is_least { "at least " } else { "" };
        format!("{least}{}", count(self.count as u64, one))
    }
}

/// Counts what a query finds and fits, at most so many, and keeps the first few. Only lines with this text are read as events.
///
/// # Errors
/// If the store cannot be read.
pub fn find_some(
    reader: &Reader,
    query: &Query,
    order: Order,
    (most, keep): (usize, usize),
    has: &str,
    mut fits: impl FnMut(&PastEvent) -> bool,
) -> Result<Found, StoreError> {
    let mut found = Found::default();
    let mut bytes = 0;
    reader.each(query, order, |stored| {
        bytes += stored.json.len();
        if stored.json.contains(has) {
            if let Some(event) = PastEvent::read(stored).ok().filter(|event| fits(event)) {
                found.count += 1;
                if found.first.len() < keep {
                    found.first.push(event);
                } else {
                    found.later = Some(event);
                }
            }
        }
        found.is_least = found.count >= most || bytes > LOOKED_AT_BYTES;
        if found.is_least { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(found)
}

/// Walks through what fits a search.
#[derive(Debug)]
pub struct Walk<'a> {
    search: &'a Search,
    filter: Filter,
    /// What was looked up besides, and comes at its row: ends, and commands that name a target.
    besides: BTreeMap<i64, PastEvent>,
    /// Rows that could not be read as events.
    pub unreadable: u64,
}

impl<'a> Walk<'a> {
    /// Of this search.
    pub fn new(search: &'a Search) -> Self {
        Self { search, filter: search.filter(), besides: BTreeMap::new(), unreadable: 0 }
    }

    /// Calls `take` with each event that fits, behind this row, in this order, until it has enough. The newest first, an end comes
    /// before its signal.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn each(
        &mut self,
        reader: &Reader,
        after_row: Option<i64>,
        order: Order,
        take: &mut dyn FnMut(PastEvent) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let query = Query { after_row, ..self.search.query() };
        self.look_up_requests(reader, after_row)?;
        let mut failure = None;
        let mut is_over = false;
        reader.each(&query, order, |stored| {
            let Ok(event) = PastEvent::read(stored) else {
                self.unreadable += 1;
                return ControlFlow::Continue(());
            };
            let flow = match order {
                Order::OldestFirst => self.step_forward(reader, event, take),
                Order::NewestFirst => self.step_back(reader, event, take),
            };
            match flow {
                Ok(ControlFlow::Continue(())) => ControlFlow::Continue(()),
                Ok(ControlFlow::Break(())) => {
                    is_over = true;
                    ControlFlow::Break(())
                }
                Err(error) => {
                    failure = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        if let Some(error) = failure {
            return Err(error);
        }
        while !is_over {
            let next = match order {
                Order::OldestFirst => self.besides.pop_first(),
                Order::NewestFirst => self.besides.pop_last(),
            };
            let Some((_, event)) = next else { break };
            is_over = take(event).is_break();
        }
        Ok(())
    }

    /// Commands that name a target have none themselves.
    fn look_up_requests(&mut self, reader: &Reader, after_row: Option<i64>) -> Result<(), StoreError> {
        let search = self.search;
        if search.targets.is_empty() || search.looks_up_ends() || search.deaths || search.fatal {
            return Ok(());
        }
        let requests = Query { kinds: vec![Kind::Request], target: Vec::new(), after_row, ..search.query() };
        let found = collect(reader, &requests, Order::NewestFirst, REQUESTS, |request| {
            search.fits_request(&request.document) && self.filter.passes(&request.document, None)
        })?;
        self.besides.extend(found.into_iter().map(|request| (request.row, request)));
        Ok(())
    }

    /// Calls `is_enough` with each event that fits and that this finds, the newest first, until it says so.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn newest(
        &mut self,
        reader: &Reader,
        query: &Query,
        mut is_enough: impl FnMut(PastEvent) -> bool,
    ) -> Result<(), StoreError> {
        let mut failure = None;
        reader.each(query, Order::NewestFirst, |stored| {
            let Ok(event) = PastEvent::read(stored) else {
                self.unreadable += 1;
                return ControlFlow::Continue(());
            };
            let (is_shown, end) = match self.judge(reader, &event) {
                Ok(judged) => judged,
                Err(error) => {
                    failure = Some(error);
                    return ControlFlow::Break(());
                }
            };
            let is_over = end.is_some_and(&mut is_enough) || (is_shown && is_enough(event));
            if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        failure.map_or(Ok(()), Err)
    }

    fn step_forward(
        &mut self,
        reader: &Reader,
        event: PastEvent,
        take: &mut dyn FnMut(PastEvent) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, StoreError> {
        while self.besides.first_key_value().is_some_and(|(row, _)| *row <= event.row) {
            let Some((row, before)) = self.besides.pop_first() else { break };
            if take(before).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            // it is found once more where the search looks for its signal
            if row == event.row {
                return Ok(ControlFlow::Continue(()));
            }
        }
        let (is_shown, end) = self.judge(reader, &event)?;
        if let Some(end) = end {
            self.besides.insert(end.row, end);
        }
        Ok(if is_shown { take(event) } else { ControlFlow::Continue(()) })
    }

    fn step_back(
        &mut self,
        reader: &Reader,
        event: PastEvent,
        take: &mut dyn FnMut(PastEvent) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, StoreError> {
        while self.besides.last_key_value().is_some_and(|(row, _)| *row > event.row) {
            let Some((_, behind)) = self.besides.pop_last() else { break };
            if take(behind).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        let (is_shown, end) = self.judge(reader, &event)?;
        // one that fits by itself has been there
        if let Some(end) = end.filter(|end| !self.search.fits(&end.document)) {
            if take(end).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(if is_shown { take(event) } else { ControlFlow::Continue(()) })
    }

    /// Is it shown, and which end is shown with it? Where the store looks for a sender or a signal it does not find the end.
    fn judge(&mut self, reader: &Reader, event: &PastEvent) -> Result<(bool, Option<PastEvent>), StoreError> {
        let document = &event.document;
        let header = *document.header();
        if !self.search.looks_up_ends() {
            return Ok((self.search.fits(document) && self.filter.passes(document, None), None));
        }
        if !self.search.fits_but_for_class(document) || !self.filter.passes(document, None) {
            return Ok((false, None));
        }
        let end = if header.may_lead_to_an_end() || header.is_deadly() {
            self.end_of(reader, event)?
        } else {
            None
        };
        let end = end.filter(|end| !self.search.deaths || end.document.text_at("signalName").is_some());
        Ok((self.search.fits(document), end))
    }

    fn end_of(&self, reader: &Reader, signal: &PastEvent) -> Result<Option<PastEvent>, StoreError> {
        let Some(key) = signal.document.text_at("target.key") else { return Ok(None) };
        let query = Query {
            after_row: Some(signal.row),
            kinds: vec![Kind::Ended],
            target: vec![Who::Key(key.to_owned())],
            until: self.search.until,
            ..Query::default()
        };
        let found =
            collect(reader, &query, Order::OldestFirst, 1, |end| end.document.header().is_end_of_process())?;
        // of several signals that came before it the end names the last
        Ok(found.into_iter().next().filter(|end| signal.is_named_by(end)))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::past::target::Target;
    use crate::store::{RunFacts, Writer};

    /// A store that holds these lines.
    pub(crate) fn store(lines: &[String]) -> (tempfile::TempDir, Reader) {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("store");
        let facts = RunFacts { boot: "b".to_owned(), ..RunFacts::default() };
        let mut writer = Writer::open(&directory, None, None, &facts).unwrap().0;
        for line in lines {
            writer.put(line).unwrap();
        }
        writer.commit().unwrap();
        writer.finish("stopped").unwrap();
        let reader = Reader::open(&directory).unwrap();
        (parent, reader)
    }

    /// A signal of a process, and the end of it.
    pub(crate) fn signal(
        id: u64,
        second: u32,
        signal: (u8, &str),
        source: (u32, &str),
        target: (u32, &str),
    ) -> String {
        format!(
            r#"{{"time":"2026-11-26T02:12:{second:02}.000000000Z","event":"signal","id":{id},"signal":{},"signalName":"{}","summary":"{}({}) sent {} to {}({})","origin":"process","result":"queued","source":{{"pid":{},"cmdline":["{}"],"comm":"{}","key":"{}@1"}},"target":{{"pid":{},"cmdline":["{}"],"comm":"{}","key":"{}@1","disposition":"default"}}}}"#,
            signal.0,
            signal.1,
            source.1,
            source.0,
            signal.1,
            target.1,
            target.0,
            source.0,
            source.1,
            source.1,
            source.0,
            target.0,
            target.1,
            target.1,
            target.0
        )
    }

    pub(crate) fn end(id: u64, second: u32, signal: (u8, &str), after: u64, target: (u32, &str)) -> String {
        format!(
            r#"{{"time":"2026-11-26T02:12:{second:02}.500000000Z","event":"ended","id":{id},"signal":{},"signalName":"{}","summary":"{}({}) was killed by {}","coreDumped":false,"after":{{"id":{after},"signalName":"{}","secondsAgo":0.5}},"target":{{"pid":{},"cmdline":["{}"],"comm":"{}","key":"{}@1","startTime":"2026-11-26T00:12:07.000000000Z"}}}}"#,
            signal.0,
            signal.1,
            target.1,
            target.0,
            signal.1,
            signal.1,
            target.0,
            target.1,
            target.1,
            target.0
        )
    }

    /// A command, as a recorder keeps it.
    pub(crate) fn request(id: u64, second: u32, pid: u32, words: &[&str]) -> String {
        let cmdline = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(",");
        format!(
            r#"{{"time":"2026-11-26T02:12:{second:02}.100000000Z","event":"request","id":{id},"summary":"needrestart(4) executed a command","source":{{"pid":{pid},"cmdline":[{cmdline}],"comm":"{}","key":"{pid}@1","systemd":{{"unit":"apt-daily-upgrade.service"}},"parent":{{"pid":4,"comm":"needrestart","key":"4@1"}}}}}}"#,
            words[0]
        )
    }

    fn ids(search: &Search, lines: &[String], order: Order) -> Vec<u64> {
        let mut ids = Vec::new();
        let mut walk = Walk::new(search);
        walk.each(&store(lines).1, None, order, &mut |event| {
            ids.extend(event.document.header().id);
            ControlFlow::Continue(())
        })
        .unwrap();
        ids
    }

    fn two_deaths() -> Vec<String> {
        vec![
            signal(1, 1, (15, "SIGTERM"), (7, "bash"), (9, "yes")),
            signal(2, 2, (9, "SIGKILL"), (8, "cron"), (10, "cat")),
            end(3, 2, (9, "SIGKILL"), 2, (10, "cat")),
            end(4, 3, (15, "SIGTERM"), 1, (9, "yes")),
        ]
    }

    #[test]
    fn what_fits_comes_in_order() {
        let (search, lines) = (Search::default(), two_deaths());
        assert_eq!(ids(&search, &lines, Order::OldestFirst), [1, 2, 3, 4]);
        assert_eq!(ids(&search, &lines, Order::NewestFirst), [4, 3, 2, 1]);
    }

    #[test]
    fn the_end_comes_with_the_signal_of_a_sender() {
        let by = |name: &str, deaths| Search {
            senders: vec![name.parse::<Target>().unwrap()],
            deaths,
            ..Search::default()
        };
        let lines = two_deaths();
        assert_eq!(ids(&by("bash", false), &lines, Order::OldestFirst), [1, 4]);
        assert_eq!(ids(&by("bash", true), &lines, Order::OldestFirst), [4]);
        assert_eq!(ids(&by("cron", false), &lines, Order::NewestFirst), [3, 2]);
        assert_eq!(ids(&by("sshd", false), &lines, Order::OldestFirst), [0; 0]);
    }

    #[test]
    fn commands_that_name_a_target_come_at_their_place() {
        let target = |name: &str| Search { targets: vec![vec![name.parse().unwrap()]], ..Search::default() };
        let lines = [
            request(1, 0, 5, &["systemctl", "stop", "yes"]),
            signal(2, 1, (15, "SIGTERM"), (7, "bash"), (9, "yes")),
            request(3, 1, 6, &["systemctl", "stop", "cat"]),
            end(4, 3, (15, "SIGTERM"), 2, (9, "yes")),
            request(5, 4, 8, &["/bin/systemctl", "start", "yes.service"]),
        ];
        assert_eq!(ids(&target("yes"), &lines, Order::OldestFirst), [1, 2, 4, 5]);
        assert_eq!(ids(&target("yes"), &lines, Order::NewestFirst), [5, 4, 2, 1]);
        assert_eq!(ids(&Search { deaths: true, ..target("yes") }, &lines, Order::OldestFirst), [4]);
    }

    #[test]
    fn the_end_comes_with_the_signal_that_was_asked_for() {
        let search = Search { signals: vec!["TERM".parse().unwrap()], ..Search::default() };
        assert_eq!(ids(&search, &two_deaths(), Order::OldestFirst), [1, 4]);
    }
}
