//! A moment as it is typed behind --since and --until: the timestamps of systemd.time(7), as `systemd-analyze timestamp` reads
//! them, whatever the locale. Beyond them only: a fraction keeps its nanoseconds, so that the `time` of an event can be pasted.

use std::sync::OnceLock;

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

use super::calendar::{Broken, month_named, weekday_named};
use crate::base::zone::Zone;
use crate::error::UsageError;

const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// Of systemd: a twelfth of the year, which has 365.25 days.
const MONTH: u64 = 2_629_800 * SECOND;
const YEAR: u64 = 31_557_600 * SECOND;

/// Units; one that begins with another comes before it.
const UNITS: [(&str, u64); 30] = [
    ("seconds", SECOND),
    ("second", SECOND),
    ("sec", SECOND),
    ("s", SECOND),
    ("minutes", MINUTE),
    ("minute", MINUTE),
    ("min", MINUTE),
    ("months", MONTH),
    ("month", MONTH),
    ("M", MONTH),
    ("msec", 1_000_000),
    ("ms", 1_000_000),
    ("m", MINUTE),
    ("hours", HOUR),
    ("hour", HOUR),
    ("hr", HOUR),
    ("h", HOUR),
    ("days", DAY),
    ("day", DAY),
    ("d", DAY),
    ("weeks", 7 * DAY),
    ("week", 7 * DAY),
    ("w", 7 * DAY),
    ("years", YEAR),
    ("year", YEAR),
    ("y", YEAR),
    ("usec", 1000),
    ("us", 1000),
    ("μs", 1000),
    ("µs", 1000),
];

/// Nanoseconds since the epoch, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub i64);

impl std::str::FromStr for Moment {
    type Err = UsageError;

    /// Relative to now, in the zone of this process.
    fn from_str(text: &str) -> Result<Self, UsageError> {
        static NOW: OnceLock<Timestamp> = OnceLock::new();
        let zone = match Zone::of_this_process() {
            Zone::Utc => TimeZone::UTC,
            Zone::Local(zone) => zone.clone(),
        };
        // --since and --until of one command line have the same now
        let now = *NOW.get_or_init(Timestamp::now);
        parse(text, now, &zone).map(Self).ok_or_else(|| UsageError::Moment(text.to_owned()))
    }
}

/// A span of time that something is old; nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age(pub u64);

impl Age {
    /// Numbers with units, as `30d` or `2 weeks`.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(text: &str) -> Result<Self, UsageError> {
        span(text).map(Self).ok_or_else(|| UsageError::Duration(text.to_owned()))
    }
}

/// Nanoseconds since the epoch; None: no moment, or one before the epoch.
pub fn parse(text: &str, now: Timestamp, zone: &TimeZone) -> Option<i64> {
    let context = Context { now, zone, dst: None, shift: 0 };
    let greenwich = TimeZone::UTC;
    let utc = |shift| Context { zone: &greenwich, shift, ..context };
    if let Some(time) = text.strip_suffix('Z').filter(|time| time.len() > 1) {
        if let Some(moment) = utc(0).absolute(time) {
            return Some(moment);
        }
    }
    // 1990-12-31T15:59:60-08:00
    if let Some((time, offset)) = text.len().checked_sub(6).and_then(|at| text.split_at_checked(at)) {
        if !time.is_empty() && !time.ends_with(' ') {
            if let Some(shift) = offset_of(offset) {
                return utc(shift).absolute(time);
            }
        }
    }
    let Some((time, last)) = text.rsplit_once(' ') else { return context.any(text) };
    if last == "UTC" {
        return utc(0).absolute(time);
    }
    if let Some(shift) = offset_of(last) {
        return utc(shift).absolute(time);
    }
    // a word that is both a zone and the name of its winter time means that time: 12:00 CET in summer
    let named = zone_named(last);
    let context = Context { zone: named.as_ref().unwrap_or(zone), ..context };
    match context.dst_of(last) {
        Some(dst) => Context { dst: Some(dst), ..context }.absolute(time),
        None if named.is_some() => context.absolute(time),
        None => context.any(text),
    }
}

/// A zone of the system's database, spelt as it is there.
fn zone_named(name: &str) -> Option<TimeZone> {
    let zone = TimeZone::get(name).ok()?;
    (zone.iana_name() == Some(name)).then_some(zone)
}

/// `+06`, `-0330`, `+05:45`: seconds east.
fn offset_of(text: &str) -> Option<i64> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        b'Z' if text.len() == 1 => return Some(0),
        _ => return None,
    };
    let digits: String = match text.get(1..)?.split_once(':') {
        Some((hours, minutes)) if hours.len() == 2 && minutes.len() == 2 => format!("{hours}{minutes}"),
        Some(_) => return None,
        None => text.get(1..)?.to_owned(),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i64 = digits.parse().ok()?;
    let (hours, minutes) = match digits.len() {
        2 => (number, 0),
        4 => (number / 100, number % 100),
        _ => return None,
    };
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// What a text is read against.
#[derive(Debug, Clone, Copy)]
struct Context<'a> {
    now: Timestamp,
    zone: &'a TimeZone,
    /// Summer or winter time was named.
    dst: Option<bool>,
    /// Seconds to take away: the offset that was named.
    shift: i64,
}

impl Context<'_> {
    /// A moment with no zone behind it.
    fn any(self, text: &str) -> Option<i64> {
        let now = i64::try_from(self.now.as_nanosecond()).ok()?;
        let later = |span: u64| now.checked_add_unsigned(span);
        let before = |span: u64| now.checked_sub_unsigned(span).filter(|moment| *moment >= 0);
        if let Some(seconds) = text.strip_prefix('@') {
            return i64::try_from(span(seconds)?).ok();
        }
        match text {
            "now" => return Some(now),
            _ if text.starts_with('+') => return later(span(&text[1..])?),
            _ if text.starts_with('-') => return before(span(&text[1..])?),
            _ => {}
        }
        if let Some(text) = text.strip_suffix(" ago") {
            return before(span(text)?);
        }
        if let Some(text) = text.strip_suffix(" left") {
            return later(span(text)?);
        }
        self.absolute(text)
    }

    /// A date, a time of day, or both.
    fn absolute(self, text: &str) -> Option<i64> {
        let today = self.now.to_zoned(self.zone.clone()).date();
        let day = match text {
            "today" => Some(today),
            "yesterday" => Some(today.yesterday().ok()?),
            "tomorrow" => Some(today.tomorrow().ok()?),
            _ => None,
        };
        if let Some(day) = day {
            return self.moment(Broken::of(day), 0);
        }
        let (weekday, text) = match text.split_once(' ').map(|(word, rest)| (weekday_named(word), rest)) {
            Some((Some(weekday), rest)) => (Some(weekday), rest),
            _ => (None, text),
        };
        let mut reader = Reader { rest: text };
        let (mut broken, needs_seconds) = reader.date(today)?;
        if reader.rest.is_empty() {
            // a date alone, and no text at all is neither
            return (!text.is_empty() && Self::is_on(broken, weekday)).then(|| self.moment(broken, 0))?;
        }
        let is_whole = reader.time(&mut broken)?;
        if needs_seconds && !is_whole {
            return None;
        }
        let fraction = if is_whole { reader.fraction()? } else { 0 };
        if !reader.rest.is_empty() || !Self::is_on(broken, weekday) {
            return None;
        }
        self.moment(broken, fraction)
    }

    /// Is the date, as it was written, that day of the week?
    fn is_on(broken: Broken, weekday: Option<civil::Weekday>) -> bool {
        weekday.is_none_or(|weekday| broken.date().is_some_and(|date| date.weekday() == weekday))
    }

    fn moment(self, broken: Broken, fraction: i64) -> Option<i64> {
        let second = broken.second_in(self.zone, self.dst)?;
        let moment = second.checked_sub(self.shift)?.checked_mul(1_000_000_000)?.checked_add(fraction)?;
        (second >= 0 && moment >= 0).then_some(moment)
    }

    /// Is this what this zone calls its summer or its winter time?
    fn dst_of(self, name: &str) -> Option<bool> {
        let year = self.now.to_zoned(self.zone.clone()).year();
        [1, 7].into_iter().find_map(|month| {
            let noon = civil::date(year, month, 1).at(12, 0, 0, 0);
            let moment = self.zone.to_timestamp(noon).ok()?;
            let info = self.zone.to_offset_info(moment);
            (info.abbreviation() == name).then(|| info.dst().is_dst())
        })
    }
}

/// What is left of a text, read as strptime(3) does in the C locale.
#[derive(Debug)]
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    /// At most so many digits; blanks before them do not count.
    fn number(&mut self, digits: usize, least: i64, greatest: i64) -> Option<i64> {
        let text = self.rest.trim_start_matches(' ');
        let mut value = 0;
        let mut used = 0;
        for byte in text.bytes().take(digits).take_while(u8::is_ascii_digit) {
            // as strptime(3): a digit that would make it too great is no part of it
            if used > 0 && value * 10 > greatest {
                break;
            }
            value = value * 10 + i64::from(byte - b'0');
            used += 1;
        }
        if used == 0 || value < least || value > greatest {
            return None;
        }
        self.rest = &text[used..];
        Some(value)
    }

    fn literal(&mut self, letter: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(letter)?;
        Some(())
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// `2026-11-26`, `26-11-26`, `Nov 26`; today where it begins with a time of day. Is a time with seconds to follow?
    fn date(&mut self, today: civil::Date) -> Option<(Broken, bool)> {
        let begin = self.rest;
        for digits in [2, 4] {
            self.rest = begin;
            if let Some(date) = self.numeric_date(digits) {
                return Some((date, false));
            }
        }
        self.rest = begin;
        if let Some((month, rest)) = month_named(begin) {
            self.rest = rest;
            self.blanks();
            let day = self.number(2, 1, 31)?;
            self.blanks();
            return (!self.rest.is_empty()).then(|| (Broken::on(today.year().into(), month, day), true));
        }
        Some((Broken::of(today), false))
    }

    fn numeric_date(&mut self, digits: usize) -> Option<Broken> {
        let year = self.number(digits, 0, if digits == 2 { 99 } else { 9999 })?;
        let year = match (digits, year) {
            (2, 69..) => year + 1900,
            (2, _) => year + 2000,
            _ => year,
        };
        self.literal('-')?;
        let month = self.number(2, 1, 12)?;
        self.literal('-')?;
        let day = self.number(2, 1, 31)?;
        match self.rest.strip_prefix('T') {
            // a time has to follow
            Some("") => return None,
            Some(time) => self.rest = time,
            None => self.blanks(),
        }
        Some(Broken::on(year, month, day))
    }

    /// `03:00`, `03:00:07`. Has it seconds?
    fn time(&mut self, broken: &mut Broken) -> Option<bool> {
        broken.hour = self.number(2, 0, 23)?;
        self.literal(':')?;
        broken.minute = self.number(2, 0, 59)?;
        if self.rest.is_empty() {
            return Some(false);
        }
        self.literal(':')?;
        broken.second = self.number(2, 0, 61)?;
        Some(true)
    }

    /// `.5`: nanoseconds. What is beyond them is rounded.
    fn fraction(&mut self) -> Option<i64> {
        if self.rest.is_empty() {
            return Some(0);
        }
        self.literal('.')?;
        let digits = self.rest.len() - self.rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (fraction, rest) = self.rest.split_at(digits);
        self.rest = rest;
        let nanoseconds: i64 = format!("{:0<9}", fraction.get(..9).unwrap_or(fraction)).parse().ok()?;
        let rounds_up = fraction.as_bytes().get(9).is_some_and(|digit| *digit >= b'5');
        (!fraction.is_empty()).then(|| nanoseconds + i64::from(rounds_up))
    }
}

/// A span of time: numbers with units, seconds without one; nanoseconds. None: no span, or more than 292 years.
pub fn span(text: &str) -> Option<u64> {
    let mut rest = text.trim_start_matches(is_blank);
    let mut total: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let whole = rest.strip_prefix('+').unwrap_or(rest);
        let digits = whole.len() - whole.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, behind) = whole.split_at(digits);
        let (fraction, behind) = match behind.strip_prefix('.') {
            // as systemd: `.5` is half of one
            Some(behind) => {
                let digits = behind.len() - behind.trim_start_matches(|c: char| c.is_ascii_digit()).len();
                (behind.get(..digits)?, behind.get(digits..)?)
            }
            None if number.is_empty() => return None,
            None => ("", behind),
        };
        let behind_blanks = behind.trim_start_matches(is_blank);
        let unit = UNITS.iter().find(|(name, _)| behind_blanks.starts_with(name));
        let (unit, after) = match unit {
            Some((name, unit)) => (*unit, &behind_blanks[name.len()..]),
            // 12.34.56 is no span, 12.34 .56 is one
            None if behind_blanks.len() == behind.len() && !behind.is_empty() => return None,
            None => (SECOND, behind_blanks),
        };
        let number: u64 = if number.is_empty() { 0 } else { number.parse().ok()? };
        total = total.checked_add(number.checked_mul(unit)?)?;
        let mut place = unit / 10;
        for digit in fraction.bytes() {
            total = total.checked_add(u64::from(digit - b'0') * place)?;
            place /= 10;
        }
        rest = after.trim_start_matches(is_blank);
    }
    i64::try_from(total).is_ok().then_some(total)
}

fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, zone: &str) -> Option<String> {
        let now = "2026-11-27T10:00:00Z".parse().unwrap();
        let moment = parse(text, now, &TimeZone::get(zone).unwrap())?;
        Some(Timestamp::from_nanosecond(moment.into()).unwrap().to_string())
    }

    #[test]
    fn moments_are_those_of_systemd_time() {
        for (text, moment) in [
            ("now", "2026-11-27T10:00:00Z"),
            ("-1h", "2026-11-27T09:00:00Z"),
            ("1 hour ago", "2026-11-27T09:00:00Z"),
            ("2h 30min ago", "2026-11-27T07:30:00Z"),
            ("+5min", "2026-11-27T10:05:00Z"),
            ("yesterday", "2026-11-25T23:00:00Z"),
            ("03:00", "2026-11-27T02:00:00Z"),
            ("2026-11-26 03:00:00.5 UTC", "2026-11-26T03:00:00.5Z"),
            ("Thu 2026-11-26 03:12:07 CET", "2026-11-26T02:12:07Z"),
            ("2026-11-26T03:12:07.411123456Z", "2026-11-26T03:12:07.411123456Z"),
            ("2026-11-26 03:12:07 +05:45", "2026-11-25T21:27:07Z"),
            ("2026-11-26 03:12 America/New_York", "2026-11-26T08:12:00Z"),
            ("2026-07-01 12:00 CET", "2026-07-01T11:00:00Z"),
            ("@1795810693", "2026-11-27T20:18:13Z"),
            ("Nov 26 03:12:07", "2026-11-26T02:12:07Z"),
        ] {
            assert_eq!(at(text, "Europe/Berlin").as_deref(), Some(moment), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            " ",
            "Z",
            "foo",
            "-",
            "--1",
            "1h",
            "@",
            "@-1",
            "25:00",
            "03:60",
            "2026-13-01",
            "2026-11-26 03",
            "Mon 2026-11-26",
            "yesterday 03:00",
            "2026-11-26T",
            "2026-11-26 03:00:00.",
            "03:00 Nowhere/Nowhere",
            "ago",
            "2026-11-26 03:00 europe/berlin",
            "-9999999y",
            "é",
            "Zé",
            "aé-08:00",
        ] {
            assert_eq!(at(text, "Europe/Berlin"), None, "{text}");
        }
    }
}
