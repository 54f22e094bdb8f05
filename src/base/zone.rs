//! The reader's time zone, for formats for eyes. It is read once, before this process drops what it needs to open files, and
//! holds every change of the clocks; nothing is guessed where it cannot be read.

use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

/// How a time of day is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// Of UTC, with `Z`.
    Utc,
    /// Of this zone, without a suffix.
    Local(&'static TimeZone),
}

impl Zone {
    /// That of `TZ`, else of `/etc/localtime`; UTC where that cannot be read.
    pub fn of_this_process() -> Self {
        static ZONE: OnceLock<Option<TimeZone>> = OnceLock::new();
        match ZONE.get_or_init(|| TimeZone::try_system().ok().filter(|zone| !zone.is_unknown())) {
            Some(zone) => Self::Local(zone),
            None => Self::Utc,
        }
    }

    /// The time of day of this moment (RFC 3339, UTC), to the millisecond: `21:28:48.883`, of UTC `21:28:48.883Z`. In the hour
    /// that clocks go through twice it has its offset: `02:30:00.000+01:00`.
    pub fn time_of_day(self, moment: &str) -> String {
        let Self::Local(zone) = self else { return of_utc(moment) };
        let Ok(timestamp) = moment.parse::<Timestamp>() else { return of_utc(moment) };
        let local = timestamp.to_zoned(zone.clone());
        let mut text = format!(
            "{:02}:{:02}:{:02}.{:03}",
            local.hour(),
            local.minute(),
            local.second(),
            local.millisecond()
        );
        if zone.to_ambiguous_timestamp(local.datetime()).is_ambiguous() {
            text.push_str(&suffix(local.offset()));
        }
        text
    }
}

fn of_utc(moment: &str) -> String {
    match (moment.get(11..23), moment.ends_with('Z')) {
        (Some(of_day), true) => format!("{of_day}Z"),
        _ => moment.to_owned(),
    }
}

fn suffix(offset: Offset) -> String {
    let seconds = offset.seconds();
    let minutes = seconds.unsigned_abs() / 60;
    format!("{}{:02}:{:02}", if seconds < 0 { '-' } else { '+' }, minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(name: &str) -> Zone {
        Zone::Local(Box::leak(Box::new(TimeZone::posix(name).unwrap())))
    }

    #[test]
    fn the_time_is_the_readers_summer_and_winter() {
        let berlin = local("CET-1CEST,M3.5.0,M10.5.0/3");
        for (moment, text) in [
            ("2026-01-01T21:28:48.883123456Z", "22:28:48.883"),
            ("2026-07-01T21:28:48.883999999Z", "23:28:48.883"),
            ("2026-12-31T23:59:59.999999999Z", "00:59:59.999"),
            // the clocks go from 02:00 to 03:00
            ("2026-03-29T00:59:59.999000000Z", "01:59:59.999"),
            ("2026-03-29T01:00:00.000000000Z", "03:00:00.000"),
            // and from 03:00 back to 02:00
            ("2026-10-24T23:59:59.000000000Z", "01:59:59.000"),
            ("2026-10-25T00:30:00.000000000Z", "02:30:00.000+02:00"),
            ("2026-10-25T01:30:00.000000000Z", "02:30:00.000+01:00"),
            ("2026-10-25T02:00:00.000000000Z", "03:00:00.000"),
        ] {
            assert_eq!(berlin.time_of_day(moment), text, "{moment}");
        }
        assert_eq!(local("IST-5:30").time_of_day("2026-01-01T21:28:48.883Z"), "02:58:48.883");
        assert_eq!(local("NST3:30").time_of_day("2026-01-01T21:28:48.883Z"), "17:58:48.883");
    }

    #[test]
    fn utc_says_so_and_what_is_no_time_stays_as_it_is() {
        assert_eq!(Zone::Utc.time_of_day("2026-01-01T21:28:48.883123456Z"), "21:28:48.883Z");
        for zone in [Zone::Utc, local("CET-1")] {
            for text in ["", "yesterday", "2026-01-01T21:28"] {
                assert_eq!(zone.time_of_day(text), text);
            }
        }
    }
}
