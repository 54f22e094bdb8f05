//! From a date and a time of day to a moment, as mktime(3) of glibc does: the same answer in the hour that clocks skip and in the
//! hour that they go through twice.

use jiff::civil::{self, Weekday};
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp};

/// A date and a time of day as they were written: 30 February is 2 March, second 60 the next minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken {
    year: i64,
    month: i64,
    day: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
}

impl Broken {
    /// The beginning of a day.
    pub(super) fn of(date: civil::Date) -> Self {
        Self::on(date.year().into(), date.month().into(), date.day().into())
    }

    /// The same of one as it was written.
    pub(super) fn on(year: i64, month: i64, day: i64) -> Self {
        Self { year, month, day, hour: 0, minute: 0, second: 0 }
    }

    /// The date that it is.
    pub(super) fn date(self) -> Option<civil::Date> {
        let first = civil::Date::new(self.year.try_into().ok()?, self.month.try_into().ok()?, 1).ok()?;
        first.checked_add(Span::new().days(self.day - 1)).ok()
    }

    /// Seconds since the epoch, if these clocks showed UTC.
    fn as_utc(self) -> Option<i64> {
        let midnight = Offset::UTC.to_timestamp(self.date()?.to_datetime(civil::Time::midnight())).ok()?;
        Some(midnight.as_second() + self.hour * 3600 + self.minute * 60 + self.second)
    }

    /// Seconds since the epoch when clocks of this zone show it, in summer or winter time if that was named. Years from 1969 on,
    /// as systemd has it.
    pub(super) fn second_in(self, zone: &TimeZone, dst: Option<bool>) -> Option<i64> {
        let wanted = self.as_utc().filter(|_| self.year >= 1969)?;
        let found = settle(wanted, zone, dst)?;
        match dst {
            Some(dst) if is_dst(found, zone)? != dst => {
                nearest_offset(found, zone, dst).map_or(Some(found), |offset| Some(wanted - offset))
            }
            _ => Some(found),
        }
    }
}

fn info(second: i64, zone: &TimeZone) -> Option<(i64, bool)> {
    let info = zone.to_offset_info(Timestamp::from_second(second).ok()?);
    Some((info.offset().seconds().into(), info.dst().is_dst()))
}

fn is_dst(second: i64, zone: &TimeZone) -> Option<bool> {
    Some(info(second, zone)?.1)
}

/// The moment at which clocks show it. Each guess is corrected by how far its clocks are off. Two guesses that correct each other
/// are on both sides of an hour that clocks skip: of them the one in summer time, or the one that was not named.
fn settle(wanted: i64, zone: &TimeZone, named: Option<bool>) -> Option<i64> {
    let (mut guess, mut before, mut before_that) = (wanted, wanted, wanted);
    let mut was_dst = false;
    for _ in 0..6 {
        let (offset, is_dst) = info(guess, zone)?;
        let next = wanted - offset;
        let alternates = guess == before_that && guess != before;
        if next == guess || (alternates && named.map_or(was_dst <= is_dst, |named| named != is_dst)) {
            return Some(guess);
        }
        (before_that, before, guess, was_dst) = (before, guess, next, is_dst);
    }
    None
}

/// The offset of the nearest time that is summer or winter time as it was asked for.
fn nearest_offset(second: i64, zone: &TimeZone, dst: bool) -> Option<i64> {
    // the shortest such period of any zone, and half of the longest: glibc's numbers
    const STRIDE: i64 = 601_200;
    const BOUND: i64 = 536_454_000 / 2 + STRIDE;
    (1..BOUND / STRIDE).flat_map(|step| [-step * STRIDE, step * STRIDE]).find_map(|away| {
        info(second + away, zone).filter(|(_, is_dst)| *is_dst == dst).map(|(offset, _)| offset)
    })
}

/// Of an English name, long or short, in any case.
pub(super) fn weekday_named(word: &str) -> Option<Weekday> {
    const NAMES: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
    const SHORT: [&str; 4] = ["tues", "wednes", "thur", "thurs"];
    let word = word.to_ascii_lowercase();
    let place = NAMES.iter().position(|name| {
        *name == word || name[..3] == word || (SHORT.contains(&&*word) && name.starts_with(&word))
    })?;
    Weekday::from_sunday_zero_offset(i8::try_from(place).ok()?).ok()
}

/// The month that a text begins with, and what is behind its name.
pub(super) fn month_named(text: &str) -> Option<(i64, &str)> {
    const NAMES: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    NAMES.iter().zip(1..).find_map(|(name, number)| {
        [*name, &name[..3]].into_iter().find_map(|name| {
            let (begin, rest) = text.split_at_checked(name.len())?;
            begin.eq_ignore_ascii_case(name).then_some((number, rest))
        })
    })
}
