//! How often who sent what to whom, and whether the clock has to do with it: cron jobs and timers kill at the same minute.
//!
//! A pattern is a count, never a guess: "5 of 6 on Mondays at 07:35".

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::fairly::choose;
use super::target::{number, text};
use super::walk::PastEvent;
use super::words::date_and_time;
use crate::base::bounded::owner_of;
use crate::base::zone::Zone;
use crate::event::header::EventKind;
use crate::output::format::document::{Document, Field};
use crate::output::format::screen::{Line, Paint, Screen, width_of};

/// So many pairs are counted apart. Where there are more, the user that has most of them has its least frequent counted together.
const PAIRS: usize = 10_000;
/// So many of them are printed.
const TOP: usize = 40;
/// So many of one user, if there are others.
const OF_ONE_USER: usize = 10;
/// So many occasions of a pair are compared with each other.
const OCCASIONS: usize = 4096;
/// Fewer occasions are no pattern.
const LEAST: usize = 3;

const MINUTE: i64 = 60_000_000_000;

/// Who sent what to whom, by the names that stay.
type Pair = (String, String, String);

#[derive(Debug, Default)]
struct Count {
    events: u64,
    /// Who did it first, or to whom the kernel did it.
    user: Option<u64>,
    last: i64,
    /// Minutes in which it happened, each once.
    minutes: Vec<i64>,
}

/// Counts events.
#[derive(Debug, Default)]
pub struct Patterns {
    pairs: HashMap<Pair, Count>,
    others: u64,
    zone: Option<Zone>,
}

impl Patterns {
    /// Counts an event; the zone is that of its clock.
    pub fn add(&mut self, event: &PastEvent, zone: Zone) {
        self.zone = Some(zone);
        let document = &event.document;
        let header = document.header();
        // the signal before it is counted
        let is_counted = matches!(header.kind, EventKind::Signal | EventKind::Attempt)
            || (header.kind == EventKind::Ended && header.after.is_none());
        if !is_counted {
            return;
        }
        let pair = (
            document.object("source").map_or_else(|| origin(document), name),
            document.text_at("signalName").unwrap_or("exit").to_owned(),
            document.object("target").map(name).unwrap_or_default(),
        );
        let repeated = header.repeated.max(1);
        if self.pairs.len() >= PAIRS && !self.pairs.contains_key(&pair) {
            self.make_room();
        }
        let count =
            self.pairs.entry(pair).or_insert_with(|| Count { user: user(document), ..Count::default() });
        count.events += repeated;
        count.last = event.time;
        let minute = event.time.div_euclid(MINUTE);
        if count.minutes.last() != Some(&minute) && count.minutes.len() < OCCASIONS {
            count.minutes.push(minute);
        }
    }

    /// The rarer half of what the user has that has most.
    fn make_room(&mut self) {
        let mut held: HashMap<Option<u64>, Vec<u64>> = HashMap::new();
        for count in self.pairs.values() {
            held.entry(count.user).or_default().push(count.events);
        }
        let Some((user, mut counts)) = held.into_iter().max_by_key(|(_, counts)| counts.len()) else {
            return;
        };
        counts.sort_unstable();
        let mut left = counts.len() / 2 + 1;
        let most = counts.get(left - 1).copied().unwrap_or(u64::MAX);
        let others = &mut self.others;
        self.pairs.retain(|_, count| {
            let goes = left > 0 && count.user == user && count.events <= most;
            if goes {
                left -= 1;
                *others += count.events;
            }
            !goes
        });
    }

    /// Was nothing counted?
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Writes them as a table, the most frequent first.
    pub fn write(&self, screen: Screen, out: &mut Vec<u8>) {
        let mut pairs: Vec<(&Pair, &Count)> = self.pairs.iter().collect();
        let by_count = |(one, of_one): &(&Pair, &Count), (other, of_other): &(&Pair, &Count)| {
            of_other.events.cmp(&of_one.events).then_with(|| one.cmp(other))
        };
        pairs.sort_by(by_count);
        let all = pairs.iter().map(|(_, count)| count.events).sum::<u64>() + self.others;
        let mut pairs = choose(pairs, TOP, OF_ONE_USER, |(_, count)| count.user);
        pairs.sort_by(by_count);
        let heading = ["COUNT", "SIGNAL", "FROM", "TO", "LAST", "WHEN"].map(str::to_owned);
        let mut rows = vec![heading];
        let zone = self.zone.unwrap_or(screen.zone);
        for ((from, signal, to), count) in &pairs {
            rows.push([
                count.events.to_string(),
                screen.safe(signal.strip_prefix("SIG").unwrap_or(signal)),
                screen.safe(from),
                screen.safe(to),
                date_and_time(count.last, screen.zone),
                when(&count.minutes, zone).unwrap_or_default(),
            ]);
        }
        let widths: Vec<usize> = (0..rows[0].len())
            .map(|column| rows.iter().map(|row| width_of(&row[column])).max().unwrap_or(0))
            .collect();
        for (place, row) in rows.iter().enumerate() {
            let mut line = Line::new(screen, screen.columns());
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let paint = match (place, column) {
                    (0, _) => Paint::Heading,
                    (_, 2) => Paint::Source,
                    (_, 3) => Paint::Target,
                    _ => Paint::None,
                };
                let blanks = " ".repeat(width - width_of(cell));
                // numbers are to the right
                if column == 0 {
                    line.add(Paint::None, &blanks).add(paint, cell).add(Paint::None, "  ");
                } else {
                    line.add(paint, cell).add(Paint::None, &blanks).add(Paint::None, "  ");
                }
            }
            line.finish(out);
        }
        let more = all - pairs.iter().map(|(_, count)| count.events).sum::<u64>();
        if more > 0 {
            Line::new(screen, screen.columns())
                .add(Paint::Faint, &format!("{more} more of other pairs"))
                .finish(out);
        }
    }
}

/// Whose it is: the sender's, or of what the kernel did, the target's.
fn user(document: &Document) -> Option<u64> {
    let process = document.object("source").or_else(|| document.object("target"))?;
    number(process, &["user", "id"]).and_then(|id| u32::try_from(id).ok()).map(owner_of)
}

/// A process by what stays when it is started again: its name, and its container or unit where that says more.
fn name(process: &[Field]) -> String {
    let comm = text(process, &["comm"]).unwrap_or("?");
    let place = text(process, &["container", "name"])
        .or_else(|| text(process, &["container", "id"]).map(|id| id.get(..12).unwrap_or(id)))
        .or_else(|| text(process, &["systemd", "unit"]));
    match place {
        Some(place) if place.rsplit_once('.').map_or(place, |(name, _)| name) != comm => {
            format!("{comm} ({place})")
        }
        Some(place) => place.to_owned(),
        None => comm.to_owned(),
    }
}

fn origin(document: &Document) -> String {
    match document.text_at("origin") {
        Some("oom") => "<OOM killer>".to_owned(),
        Some(origin) => format!("<{origin}>"),
        None => "?".to_owned(),
    }
}

/// What most occasions have in common: `5 of 6 on Mondays at 07:35`, `7 of 7 daily at 22:00`, `12 of 12 at minute 35`.
fn when(minutes: &[i64], zone: Zone) -> Option<String> {
    if minutes.len() < LEAST {
        return None;
    }
    let zone = match zone {
        Zone::Utc => TimeZone::UTC,
        Zone::Local(zone) => zone.clone(),
    };
    let local: Vec<jiff::civil::DateTime> = minutes
        .iter()
        .filter_map(|minute| Timestamp::from_second(minute * 60).ok())
        .map(|moment| zone.to_datetime(moment))
        .collect();
    let of = |kept: usize| format!("{kept} of {}", local.len());
    // on at least so many different days, or in so many hours
    let (weekday, kept) =
        most(local.iter().map(|time| (time.weekday().to_monday_zero_offset(), time.hour(), time.minute())))?;
    if is_most(kept, &local) && spread(&local, |time| time.date()) >= LEAST {
        return Some(format!("{} on {}s at {:02}:{:02}", of(kept), day(weekday.0), weekday.1, weekday.2));
    }
    let (time, kept) = most(local.iter().map(|time| (time.hour(), time.minute())))?;
    if is_most(kept, &local) && spread(&local, |time| time.date()) >= LEAST {
        return Some(format!("{} at {:02}:{:02}", of(kept), time.0, time.1));
    }
    let (minute, kept) = most(local.iter().map(|time| time.minute()))?;
    if is_most(kept, &local) && spread(&local, |time| (time.date(), time.hour())) >= LEAST {
        return Some(format!("{} at minute {minute:02} of the hour", of(kept)));
    }
    None
}

/// Four of five, and no fewer than a pattern needs.
fn is_most<T>(kept: usize, of: &[T]) -> bool {
    kept >= LEAST && kept * 5 >= of.len() * 4
}

/// How many different ones there are.
fn spread<T: std::hash::Hash + Eq>(
    of: &[jiff::civil::DateTime],
    part: impl Fn(&jiff::civil::DateTime) -> T,
) -> usize {
    of.iter().map(part).collect::<std::collections::HashSet<T>>().len()
}

/// The one that is most frequent, and how often it is.
fn most<T: std::hash::Hash + Eq + Ord + Copy>(all: impl Iterator<Item = T>) -> Option<(T, usize)> {
    let mut counts: HashMap<T, usize> = HashMap::new();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(one, count)| (*count, std::cmp::Reverse(*one)))
}

fn day(since_monday: i8) -> &'static str {
    const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    usize::try_from(since_monday).ok().and_then(|place| DAYS.get(place)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::format::screen::PLAIN;
    use crate::past::walk::tests::signal;
    use crate::store::StoredEvent;

    fn minutes(times: &[&str]) -> Vec<i64> {
        times.iter().map(|time| crate::past::words::nanoseconds(time).unwrap().div_euclid(MINUTE)).collect()
    }

    #[test]
    fn what_repeats_by_the_clock_is_counted_and_what_does_not_is_not() {
        let mondays =
            ["2026-11-02T07:35:03Z", "2026-11-09T07:35:04Z", "2026-11-16T07:35:00Z", "2026-11-23T07:35:59Z"];
        let daily = [
            "2026-11-02T22:00:03Z",
            "2026-11-03T22:00:04Z",
            "2026-11-04T22:00:00Z",
            "2026-11-05T21:00:00Z",
            "2026-11-06T22:00:00Z",
        ];
        let hourly = ["2026-11-02T01:17:03Z", "2026-11-02T02:17:04Z", "2026-11-02T03:17:00Z"];
        let once =
            ["2026-11-02T01:17:03Z", "2026-11-02T01:18:04Z", "2026-11-02T01:19:00Z", "2026-11-02T01:20:00Z"];
        for (times, expected) in [
            (&mondays[..], Some("4 of 4 on Mondays at 07:35")),
            (&daily, Some("4 of 5 at 22:00")),
            (&hourly, Some("3 of 3 at minute 17 of the hour")),
            (&once, None),
            (&mondays[..2], None),
        ] {
            assert_eq!(when(&minutes(times), Zone::Utc).as_deref(), expected);
        }
    }

    /// Names cost nothing.
    #[test]
    fn who_has_very_many_names_does_not_push_out_what_others_did() {
        let mut patterns = Patterns::default();
        let mut add = |name: &str, uid: u32, target: &str, times: u64| {
            let json = signal(1, 1, (15, "SIGTERM"), (7, name), (9, target));
            let json =
                json.replacen("\"key\":\"7@1\"", &format!("\"key\":\"7@1\",\"user\":{{\"id\":{uid}}}"), 1);
            for _ in 0..times {
                let event = StoredEvent { row: 1, time: 5, run: 1, json: json.clone() };
                patterns.add(&PastEvent::read(event).unwrap(), Zone::Utc);
            }
        };
        add("cron", 0, "redis", 2);
        for number in 0..PAIRS + 500 {
            add(&format!("n{number}"), 65534, "x", if number < 100 { 5 } else { 1 });
        }
        add("bash", 0, "realweb", 3);
        let mut out = Vec::new();
        patterns.write(PLAIN, &mut out);
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("cron  redis") && text.contains("bash  realweb"), "{text}");
        assert!(patterns.pairs.len() <= PAIRS);
        let all = PAIRS as u64 + 500 + 400 + 2 + 3;
        let printed: u64 =
            text.lines().filter_map(|line| line.split_whitespace().next()?.parse::<u64>().ok()).sum();
        assert_eq!(printed, all, "each is counted: {text}");
    }

    #[test]
    fn a_pair_is_counted_by_names_and_the_end_of_a_counted_signal_is_not() {
        let mut patterns = Patterns::default();
        for (pid, second) in [(9, 1), (10, 2)] {
            let json = signal(1, second, (15, "SIGTERM"), (7, "cron"), (pid, "redis"));
            patterns.add(&PastEvent::read(StoredEvent { row: 1, time: 5, run: 1, json }).unwrap(), Zone::Utc);
        }
        let json = crate::past::walk::tests::end(3, 3, (15, "SIGTERM"), 1, (9, "redis"));
        patterns.add(&PastEvent::read(StoredEvent { row: 2, time: 6, run: 1, json }).unwrap(), Zone::Utc);
        let mut out = Vec::new();
        patterns.write(PLAIN, &mut out);
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[1].starts_with("    2  TERM    cron  redis  Thu 1970-01-01"), "{text}");
    }
}
