//! Moments, spans and processes as sentences about the past have them.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::base::zone::Zone;
use crate::event::summary::seconds;

const DAY: u64 = 86_400_000_000_000;

/// A moment in the zone of the reader.
fn zoned(nanoseconds: i64, zone: Zone) -> Option<jiff::Zoned> {
    let timestamp = Timestamp::from_nanosecond(nanoseconds.into()).ok()?;
    Some(timestamp.to_zoned(match zone {
        Zone::Utc => TimeZone::UTC,
        Zone::Local(zone) => zone.clone(),
    }))
}

/// `Thu 2026-11-26 03:12:07 CET`.
pub fn date_and_time(nanoseconds: i64, zone: Zone) -> String {
    zoned(nanoseconds, zone)
        .map(|moment| moment.strftime("%a %Y-%m-%d %H:%M:%S %Z").to_string())
        .unwrap_or_default()
}

/// `Thu 2026-11-26 03:12 CET`.
pub fn date_and_minute(nanoseconds: i64, zone: Zone) -> String {
    zoned(nanoseconds, zone)
        .map(|moment| moment.strftime("%a %Y-%m-%d %H:%M %Z").to_string())
        .unwrap_or_default()
}

/// As it is typed behind --since: `2026-11-26 03:12:07`.
pub fn as_typed(nanoseconds: i64, zone: Zone) -> String {
    let suffix = if zone == Zone::Utc { " UTC" } else { "" };
    zoned(nanoseconds, zone)
        .map(|moment| format!("{}{suffix}", moment.strftime("%Y-%m-%d %H:%M:%S")))
        .unwrap_or_default()
}

/// `03:12:07`, with its date where that is another than the one of `day`.
pub fn time_near(nanoseconds: i64, day: i64, zone: Zone) -> String {
    let (Some(moment), Some(day)) = (zoned(nanoseconds, zone), zoned(day, zone)) else {
        return String::new();
    };
    let format = if moment.date() == day.date() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
    moment.strftime(format).to_string()
}

/// Two moments; the date once where it is the same: `2026-11-26 03:40:12–03:41:02`.
pub fn range(since: i64, until: i64, zone: Zone) -> String {
    let since_text = zoned(since, zone).map(|moment| moment.strftime("%Y-%m-%d %H:%M:%S").to_string());
    format!("{}–{}", since_text.unwrap_or_default(), time_near(until, since, zone))
}

/// How long ago, or how long something lasted: `8 h`, `12 days`; below two hours as sentences of the trace have it.
pub fn long_span(nanoseconds: u64) -> String {
    match nanoseconds {
        0..7_200_000_000_000 => seconds(nanoseconds),
        _ if nanoseconds < 2 * DAY => format!("{} h", nanoseconds / 3_600_000_000_000),
        _ => format!("{} days", nanoseconds / DAY),
    }
}

/// `1 signal`, `2 signals`.
pub fn count(number: u64, one: &str) -> String {
    let mut text = format!("{number} {one}");
    if number != 1 {
        let _ = write!(text, "s");
    }
    text
}

/// Nanoseconds since the epoch of an RFC 3339 time.
pub fn nanoseconds(time: &str) -> Option<i64> {
    i64::try_from(time.parse::<Timestamp>().ok()?.as_nanosecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: i64 = 1_795_659_127_411_000_000;

    fn berlin() -> Zone {
        Zone::Local(Box::leak(Box::new(TimeZone::get("Europe/Berlin").unwrap())))
    }

    #[test]
    fn moments_are_the_readers_and_name_their_zone() {
        assert_eq!(date_and_time(MOMENT, berlin()), "Thu 2026-11-26 03:12:07 CET");
        assert_eq!(date_and_time(MOMENT, Zone::Utc), "Thu 2026-11-26 02:12:07 UTC");
        assert_eq!(date_and_minute(MOMENT, berlin()), "Thu 2026-11-26 03:12 CET");
        assert_eq!(as_typed(MOMENT, Zone::Utc), "2026-11-26 02:12:07 UTC");
        assert_eq!(nanoseconds("2026-11-26T02:12:07.411Z"), Some(MOMENT));
        let later = MOMENT + 86_400_000_000_000;
        assert_eq!(range(MOMENT, MOMENT + 50_000_000_000, berlin()), "2026-11-26 03:12:07–03:12:57");
        assert_eq!(range(MOMENT, later, berlin()), "2026-11-26 03:12:07–2026-11-27 03:12:07");
    }

    #[test]
    fn spans_are_rounded_down_to_what_says_enough() {
        let hour = 3_600_000_000_000;
        for (span, text) in [
            (90_000_000_000, "90.0 s"),
            (hour, "60 min"),
            (8 * hour + 5, "8 h"),
            (47 * hour, "47 h"),
            (12 * 24 * hour + hour, "12 days"),
        ] {
            assert_eq!(long_span(span), text);
        }
    }
}
