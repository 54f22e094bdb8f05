//! Numbers and times as text, written straight into a line: every event has dozens of them.

use std::cell::RefCell;

/// Decimal, as `to_string()` has it.
pub(crate) fn push_number(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends it to a text.
pub(crate) fn push_decimal(text: &mut String, value: u64) {
    text.push_str(itoa::Buffer::new().format(value));
}

/// The same of one that may be negative.
pub(crate) fn push_integer(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
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

/// The epoch, for a time whose year does not exist.
const EPOCH: &str = "1970-01-01T00:00:00.000000000Z";

thread_local! {
    /// The last second that was written, and its text without the `Z`: events come in their order, many in one second.
    static LAST_SECOND: RefCell<(i64, String)> = const { RefCell::new((i64::MIN, String::new())) };
}

/// RFC 3339 with nanoseconds, UTC, of nanoseconds since the epoch.
pub(crate) fn push_utc(out: &mut Vec<u8>, nanoseconds: i128) {
    let Ok(second) = i64::try_from(nanoseconds.div_euclid(1_000_000_000)) else {
        out.extend_from_slice(EPOCH.as_bytes());
        return;
    };
    LAST_SECOND.with_borrow_mut(|(last, text)| {
        if *last != second {
            let Ok(time) = jiff::Timestamp::from_second(second) else {
                out.extend_from_slice(EPOCH.as_bytes());
                return;
            };
            *text = format!("{time:.0}");
            text.pop();
            *last = second;
        }
        out.extend_from_slice(text.as_bytes());
        let mut fraction = *b".000000000Z";
        put(&mut fraction[1..10], nanoseconds.rem_euclid(1_000_000_000) as u64);
        out.extend_from_slice(&fraction);
    });
}

/// The same as a text of its own, for a time that is no event's.
pub(crate) fn utc(nanoseconds: i128) -> String {
    jiff::Timestamp::from_nanosecond(nanoseconds)
        .map_or_else(|_| EPOCH.to_owned(), |time| format!("{time:.9}"))
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

    #[test]
    fn every_day_is_the_one_of_the_calendar() {
        const DAY: u64 = 24 * 60 * 60;
        for day in 0..=u64::MAX / 1_000_000_000 / DAY {
            let nanoseconds = i128::from(day * DAY) * 1_000_000_000 + 1;
            assert_eq!(text(|out| push_utc(out, nanoseconds)), utc(nanoseconds));
        }
        assert_eq!(utc(1_767_225_599_000_000_001), "2025-12-31T23:59:59.000000001Z");
    }

    #[test]
    fn a_time_without_a_year_is_the_epoch() {
        let last = i128::from(u64::MAX);
        for nanoseconds in [-1, -1_000_000_000, -1_000_000_001, 0, last, last + 1] {
            assert_eq!(text(|out| push_utc(out, nanoseconds)), utc(nanoseconds));
        }
        for nanoseconds in [i128::MIN, i128::MAX, i128::from(i64::MAX) * 1_000_000_000] {
            assert_eq!(text(|out| push_utc(out, nanoseconds)), EPOCH);
            assert_eq!(utc(nanoseconds), EPOCH);
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
        fn every_time_in_turn_has_its_own_text(times: [u64; 2]) {
            for time in [times[0], times[1], times[0]].map(i128::from) {
                prop_assert_eq!(text(|out| push_utc(out, time)), utc(time));
            }
        }
    }
}
