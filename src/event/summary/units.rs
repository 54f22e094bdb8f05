//! Durations and sizes for eyes, rounded.

/// For eyes, rounded: `0.054 ms`, `2.7 ms`, `13 ms`, `10.0 s`, `12 min`, `2 h 5 min`.
pub fn seconds(nanoseconds: u64) -> String {
    // of whole microseconds, as numbers have it: a sentence, and what is made of the numbers later, are the same
    let nanoseconds = nanoseconds / 1000 * 1000;
    let rounded = |unit: u64| nanoseconds.saturating_add(unit / 2) / unit;
    let (micro, milli) = (rounded(1000), rounded(1_000_000));
    match micro {
        0..100 => format!("0.{micro:03} ms"),
        100..995 => format!("0.{:02} ms", rounded(10_000)),
        995..9_950 => format!("{}.{} ms", rounded(100_000) / 10, rounded(100_000) % 10),
        9_950..999_500 => format!("{milli} ms"),
        999_500..600_000_000 => format!("{}.{} s", rounded(100_000_000) / 10, rounded(100_000_000) % 10),
        600_000_000..7_200_000_000 => format!("{} min", rounded(60_000_000_000)),
        _ => format!("{} h {} min", rounded(60_000_000_000) / 60, rounded(60_000_000_000) % 60),
    }
}

/// The kernel's pages in bytes.
pub fn bytes_of_pages(pages: u64) -> u64 {
    pages.saturating_mul(rustix::param::page_size() as u64)
}

/// For eyes: whole from 10 MiB on, rounded down.
pub(super) fn mebibytes(bytes: u64) -> String {
    let tenths = bytes / 104_858;
    if tenths < 100 { format!("{}.{} MiB", tenths / 10, tenths % 10) } else { format!("{} MiB", bytes >> 20) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_digits_or_more() {
        for (nanoseconds, text) in [
            (54_000, "0.054 ms"),
            (54_999, "0.054 ms"),
            (959_000, "0.96 ms"),
            (2_732_000, "2.7 ms"),
            (12_886_000, "13 ms"),
            (999_400_000, "999 ms"),
            (999_600_000, "1.0 s"),
            (2_097_000_000, "2.1 s"),
            (90_040_000_000, "90.0 s"),
            (725_000_000_000, "12 min"),
            (7_500_000_000_000, "2 h 5 min"),
            (u64::MAX, "5124095 h 34 min"),
        ] {
            assert_eq!(seconds(nanoseconds), text);
        }
    }
}
