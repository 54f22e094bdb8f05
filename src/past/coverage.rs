//! Whether anybody was watching, in words. "Nobody killed it" and "nobody was watching" must never look alike.

use std::ops::Range;

use super::words::{as_typed, count, date_and_time, range, time_near};
use crate::base::sanitize::visible;
use crate::base::zone::Zone;
use crate::store::{Coverage, Gap, GapCause, Left, Loss};

/// So many gaps and losses are listed; of more it is said how many.
const LISTED: usize = 6;

/// What of the past is asked about: with a store that has forgotten signals, deaths may all be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Deaths by a signal, and ends behind signals.
    Ends,
    /// Any event.
    Events,
}

/// Was all of it recorded, with nothing lost, filtered or forgotten?
pub fn is_whole(coverage: &Coverage, subject: Subject) -> bool {
    unrecorded(coverage, subject, 0, Zone::Utc).is_empty()
}

/// What was not recorded, each in a few words: `03:40:12–03:41:02 (recorder restarted)`. Times of the day `near` have no date.
pub fn unrecorded(coverage: &Coverage, subject: Subject, near: i64, zone: Zone) -> Vec<String> {
    let mut parts: Vec<(i64, String)> = Vec::new();
    for gap in &coverage.gaps {
        parts.push((gap.since, format!("{} ({})", span(gap, near, zone), cause(&gap.cause))));
    }
    for loss in &coverage.losses {
        parts.push((loss.since, of_loss(loss, near, zone)));
    }
    for forgotten in &coverage.forgotten {
        let gone = match (forgotten.left, subject) {
            (Left::Ends, Subject::Ends) => continue,
            (Left::Ends, Subject::Events) => "only ends are kept",
            (Left::Deaths, Subject::Ends) => "only deaths by a signal are kept",
            (Left::Deaths, Subject::Events) => "only deaths are kept",
            (Left::Shares, _) => "of users that killed very many of their own processes not all are kept",
            (Left::Nothing, _) => "nothing is kept",
        };
        parts.push((forgotten.since, format!("{} ({gone})", range(forgotten.since, forgotten.until, zone))));
    }
    parts.sort();
    let mut parts: Vec<String> = parts.into_iter().map(|(_, text)| text).collect();
    let filters: Vec<String> =
        coverage.filters.iter().filter(|filter| !filter.is_empty()).map(visible).collect();
    if parts.len() > LISTED {
        let more = parts.len() - LISTED;
        parts.truncate(LISTED);
        parts.push(format!("{more} more"));
    }
    if !filters.is_empty() {
        parts.push(format!("what these filters of the recorder left out: {}", filters.join(", ")));
    }
    parts
}

fn span(gap: &Gap, near: i64, zone: Zone) -> String {
    if near == 0 {
        return range(gap.since, gap.until, zone);
    }
    let (since, until) = (time_near(gap.since, near, zone), time_near(gap.until, near, zone));
    // what is shorter than a second is one moment
    if since == until { since } else { format!("{since}–{until}") }
}

/// Why nothing was recorded, in a few words.
pub fn cause(cause: &GapCause) -> String {
    match cause {
        GapCause::Stopped(why) if why.is_empty() || why == "stopped" => "recorder stopped".to_owned(),
        GapCause::Stopped(why) => format!("recorder stopped: {}", visible(why)),
        GapCause::Killed => "recorder killed".to_owned(),
        GapCause::Rebooted => "host went down".to_owned(),
        GapCause::NotWritten => "the recorder has not written it yet".to_owned(),
        GapCause::BeforeFirst => "before the first recording".to_owned(),
    }
}

fn of_loss(loss: &Loss, near: i64, zone: Zone) -> String {
    let events = count(loss.count, "event");
    let time = |time| if near == 0 { as_typed(time, zone) } else { time_near(time, near, zone) };
    let (since, until) = (time(loss.since), time(loss.until));
    // within a second it is one moment
    let when = if since == until { format!("at {until}") } else { format!("between {since} and {until}") };
    format!("{events} lost {when} ({})", visible(&loss.cause))
}

/// The last line of an answer: `recorded without a gap since Tue 2026-11-24 18:02 CET`, or what was not recorded.
pub fn sentence(coverage: &Coverage, subject: Subject, since: i64, near: i64, zone: Zone) -> String {
    let unrecorded = unrecorded(coverage, subject, near, zone);
    if unrecorded.is_empty() {
        return format!("recorded without a gap since {}", date_and_time(since, zone));
    }
    format!("Not recorded: {}.", unrecorded.join("; "))
}

/// Of an answer that is the newest of its kind: whether a later one may be missing, in this range. None: all was recorded since.
pub fn may_be_missing(coverage: &Coverage, range: Range<i64>, zone: Zone) -> Option<String> {
    let is_in = |since: i64, until: i64| until > range.start && since < range.end;
    let later = Coverage {
        gaps: coverage.gaps.iter().filter(|gap| is_in(gap.since, gap.until)).cloned().collect(),
        losses: coverage.losses.iter().filter(|loss| is_in(loss.since, loss.until)).cloned().collect(),
        ..Coverage::default()
    };
    let unrecorded = unrecorded(&later, Subject::Ends, range.start, zone);
    (!unrecorded.is_empty())
        .then(|| format!("a later one may be missing: not recorded {}", unrecorded.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Forgotten;

    const SECOND: i64 = 1_000_000_000;
    const T: i64 = 1_795_659_127 * SECOND;

    #[test]
    fn gaps_losses_and_what_is_forgotten_are_listed_in_their_order() {
        let coverage = Coverage {
            gaps: vec![Gap { since: T, until: T + 50 * SECOND, cause: GapCause::Killed }],
            losses: vec![Loss {
                since: T - 2 * SECOND,
                until: T - SECOND,
                count: 41,
                cause: "ring full".to_owned(),
            }],
            ..Coverage::default()
        };
        assert!(!is_whole(&coverage, Subject::Ends));
        assert_eq!(
            sentence(&coverage, Subject::Ends, 0, T, Zone::Utc),
            "Not recorded: 41 events lost between 02:12:05 and 02:12:06 (ring full); 02:12:07–02:12:57 (recorder killed)."
        );
    }

    #[test]
    fn what_was_not_recorded_behind_an_answer_may_hide_a_later_one() {
        let gap = |since, until| Gap { since, until, cause: GapCause::Killed };
        let coverage = Coverage {
            gaps: vec![gap(T, T + SECOND), gap(T + 50 * SECOND, T + 57 * SECOND)],
            ..Coverage::default()
        };
        let between =
            |since, until| may_be_missing(&coverage, T + since * SECOND..T + until * SECOND, Zone::Utc);
        assert_eq!(
            between(40, 100).as_deref(),
            Some("a later one may be missing: not recorded 02:12:57–02:13:04 (recorder killed)")
        );
        assert_eq!(between(2, 50), None, "nothing later was asked for");
        assert_eq!(between(57, 100), None);
    }

    #[test]
    fn where_nothing_is_missing_it_is_said_since_when() {
        assert!(is_whole(&Coverage::default(), Subject::Events));
        assert_eq!(
            sentence(&Coverage::default(), Subject::Ends, T, T, Zone::Utc),
            "recorded without a gap since Thu 2026-11-26 02:12:07 UTC"
        );
    }

    #[test]
    fn a_store_that_keeps_ends_only_still_answers_for_ends() {
        let of = |left| Coverage {
            forgotten: vec![Forgotten { since: T, until: T + SECOND, left }],
            ..Coverage::default()
        };
        assert!(is_whole(&of(Left::Ends), Subject::Ends));
        assert!(!is_whole(&of(Left::Ends), Subject::Events));
        assert!(!is_whole(&of(Left::Deaths), Subject::Ends));
        assert!(!is_whole(&of(Left::Nothing), Subject::Ends));
        assert!(!is_whole(&of(Left::Shares), Subject::Ends));
        let filtered = Coverage { filters: vec!["--fatal".to_owned()], ..Coverage::default() };
        assert!(sentence(&filtered, Subject::Ends, T, T, Zone::Utc).contains("left out: --fatal"));
    }

    #[test]
    fn of_many_gaps_the_first_are_listed() {
        let gap = |place: i64| Gap { since: T + place, until: T + place + 1, cause: GapCause::Killed };
        let coverage = Coverage { gaps: (0..20).map(gap).collect(), ..Coverage::default() };
        assert!(sentence(&coverage, Subject::Ends, T, T, Zone::Utc).ends_with("; 14 more."));
    }
}
