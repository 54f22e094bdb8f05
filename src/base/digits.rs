//! Numbers and times as text, written straight into a line: every event has dozens of them.

/// `u64::MAX` has so many digits.
const DIGITS: usize = 20;

fn decimal(mut value: u64, digits: &mut [u8; DIGITS]) -> &[u8] {
    let mut at = DIGITS;
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            return &digits[at..];
        }
    }
}

/// Decimal, as `to_string()` has it.
pub(crate) fn push_number(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(decimal(value, &mut [0; DIGITS]));
}

/// Appends it to a text.
pub(crate) fn push_decimal(text: &mut String, value: u64) {
    // it is digits
    text.push_str(std::str::from_utf8(decimal(value, &mut [0; DIGITS])).unwrap_or_default());
}

/// The same of one that may be negative.
pub(crate) fn push_integer(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    push_number(out, value.unsigned_abs());
}

/// `10.000123`, of nanoseconds.
pub(crate) fn push_seconds(out: &mut Vec<u8>, nanoseconds: u64) {
    push_number(out, nanoseconds / 1_000_000_000);
    let mut fraction = *b".000000";
    put(&mut fraction[1..], nanoseconds % 1_000_000_000 / 1000);
    out.extend_from_slice(&fraction);
}

/// The last digits, as many as there is room for.
fn put(digits: &mut [u8], mut value: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

const DAY: u64 = 24 * 60 * 60;

/// RFC 3339 with nanoseconds, UTC, of nanoseconds since the epoch; the epoch itself where there is no such year.
pub(crate) fn push_utc(out: &mut Vec<u8>, nanoseconds: i128) {
    // of the years 1970 to 2554
    let Ok(ordinary) = u64::try_from(nanoseconds) else {
        let text = jiff::Timestamp::from_nanosecond(nanoseconds)
            .map_or_else(|_| "1970-01-01T00:00:00.000000000Z".to_owned(), |time| format!("{time:.9}"));
        out.extend_from_slice(text.as_bytes());
        return;
    };
    let (seconds, fraction) = (ordinary / 1_000_000_000, ordinary % 1_000_000_000);
    let (year, month, day) = date(seconds / DAY);
    let mut text = *b"0000-00-00T00:00:00.000000000Z";
    put(&mut text[..4], year);
    put(&mut text[5..7], month);
    put(&mut text[8..10], day);
    put(&mut text[11..13], seconds % DAY / 3600);
    put(&mut text[14..16], seconds % 3600 / 60);
    put(&mut text[17..19], seconds % 60);
    put(&mut text[20..29], fraction);
    out.extend_from_slice(&text);
}

/// Year, month and day of the Gregorian calendar, of days since the epoch. Years are counted from March, so that the odd
/// day of a leap year is the last of its year.
fn date(days: u64) -> (u64, u64, u64) {
    const DAYS_OF_400_YEARS: u64 = 146_097;
    // from the first of March of the year 0
    let days = days + 719_468;
    let (era, day) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // five months, of which March is the first, have 153 days
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (later, month) = if month < 10 { (0, month + 3) } else { (1, month - 9) };
    (era * 400 + year + later, month, day)
}

/// `10.000123`, of nanoseconds.
pub(crate) fn decimal_seconds(nanoseconds: u64) -> String {
    let mut text = Vec::new();
    push_seconds(&mut text, nanoseconds);
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(push: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        push(&mut out);
        String::from_utf8(out).unwrap()
    }

    fn jiffs(nanoseconds: i128) -> String {
        format!("{:.9}", jiff::Timestamp::from_nanosecond(nanoseconds).unwrap())
    }

    #[test]
    fn every_day_is_the_one_of_the_calendar() {
        for day in 0..=u64::MAX / 1_000_000_000 / DAY {
            let nanoseconds = i128::from(day * DAY) * 1_000_000_000 + 1;
            assert_eq!(text(|out| push_utc(out, nanoseconds)), jiffs(nanoseconds));
        }
    }

    #[test]
    fn what_is_beyond_is_jiffs_and_what_is_beyond_that_the_epoch() {
        let last = i128::from(u64::MAX);
        for nanoseconds in [-1, -1_000_000_000, 0, last, last + 1] {
            assert_eq!(text(|out| push_utc(out, nanoseconds)), jiffs(nanoseconds));
        }
        for nanoseconds in [i128::MIN, i128::MAX] {
            assert_eq!(text(|out| push_utc(out, nanoseconds)), "1970-01-01T00:00:00.000000000Z");
        }
    }

    proptest! {
        #[test]
        fn every_number_is_what_it_is(number: u64, signed: i64) {
            prop_assert_eq!(text(|out| push_number(out, number)), number.to_string());
            let mut decimal = String::new();
            push_decimal(&mut decimal, number);
            prop_assert_eq!(decimal, number.to_string());
            prop_assert_eq!(text(|out| push_integer(out, signed)), signed.to_string());
            let seconds = format!("{}.{:06}", number / 1_000_000_000, number % 1_000_000_000 / 1000);
            prop_assert_eq!(text(|out| push_seconds(out, number)), seconds);
        }

        #[test]
        fn every_time_is_jiffs(time: u64) {
            let time = i128::from(time);
            prop_assert_eq!(text(|out| push_utc(out, time)), jiffs(time));
        }
    }
}
