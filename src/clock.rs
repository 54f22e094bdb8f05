//! From the kernel's times to UTC.
//!
//! Records have boot time. UTC minus that changes (NTP slews it, somebody sets the clock), so it is asked for again and
//! again, and an event has the UTC of its moment. A start is converted by one offset for a whole run, so that `startTime`
//! of a process is the same in every event.

use rustix::time::{ClockId, clock_gettime};

use crate::sink::digits::push_utc;

/// From boot time to UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// UTC minus boot time, nanoseconds.
    offset: i128,
    /// The same at the beginning of the run.
    first: i128,
}

impl Clock {
    /// With an offset (UTC minus boot time, ns) that never changes.
    pub const fn fixed(offset: i128) -> Self {
        Self { offset, first: offset }
    }

    /// Of a run that begins now.
    pub fn start() -> Self {
        Self::fixed(measure())
    }

    /// The same run's clock with this offset.
    #[must_use]
    pub const fn with(self, offset: i128) -> Self {
        Self { offset, ..self }
    }

    /// As it is now.
    #[must_use]
    pub fn again(self) -> Self {
        self.with(measure())
    }

    /// When an event was: RFC 3339 with nanoseconds, UTC.
    pub fn utc(self, boot_nanoseconds: u64) -> String {
        let mut text = Vec::with_capacity(32);
        self.push_utc(boot_nanoseconds, &mut text);
        // it is digits
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Appends [`utc`](Self::utc).
    pub fn push_utc(self, boot_nanoseconds: u64, out: &mut Vec<u8>) {
        push_utc(out, self.offset + i128::from(boot_nanoseconds));
    }

    /// When a process started: the same in every event of a run.
    pub fn start_time(self, boot_nanoseconds: u64) -> String {
        Self::fixed(self.first).utc(boot_nanoseconds)
    }
}

/// Both clocks, the one between two readings of the other; nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sample {
    boot_before: i128,
    real: i128,
    boot_after: i128,
}

impl Sample {
    fn take() -> Self {
        let boot_before = nanoseconds(ClockId::Boottime);
        let real = nanoseconds(ClockId::Realtime);
        Self { boot_before, real, boot_after: nanoseconds(ClockId::Boottime) }
    }

    /// As long as somebody else may have run in between.
    fn width(&self) -> i128 {
        self.boot_after - self.boot_before
    }

    /// UTC minus boot time, to half the width.
    fn offset(&self) -> i128 {
        self.real - (self.boot_before + self.width() / 2)
    }
}

/// UTC minus boot time, of the tightest.
fn offset_of(samples: [Sample; 3]) -> i128 {
    let [first, rest @ ..] = samples;
    rest.into_iter().fold(first, |best, next| if next.width() < best.width() { next } else { best }).offset()
}

/// A thread that is preempted between two clocks would make all the times of a drain wrong by that.
fn measure() -> i128 {
    offset_of([Sample::take(), Sample::take(), Sample::take()])
}

fn nanoseconds(clock: ClockId) -> i128 {
    let time = clock_gettime(clock);
    i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OFFSET: i128 = 1_767_225_600_000_000_000;

    /// Read at `at`, with so much time before the second and before the third reading.
    fn sample(at: i128, before: i128, after: i128) -> Sample {
        Sample { boot_before: at, real: OFFSET + at + before, boot_after: at + before + after }
    }

    #[test]
    fn who_is_preempted_between_two_readings_is_not_believed() {
        let long = 10_000_000;
        let (tight, early, late) = (sample(5_000, 40, 40), sample(0, long, 40), sample(0, 40, long));
        for samples in
            [[tight, early, late], [early, tight, late], [late, early, tight], [early, late, tight]]
        {
            assert_eq!(offset_of(samples), OFFSET, "{samples:?}");
        }
    }

    #[test]
    fn the_clocks_of_this_host_agree() {
        let (one, other) = (measure(), measure());
        // somebody may set the clock; nobody does so all the time
        assert!((one - other).abs() < 1_000_000_000, "{one} {other}");
        let boot_time = nanoseconds(ClockId::Realtime) - measure() - nanoseconds(ClockId::Boottime);
        assert!(boot_time.abs() < 1_000_000_000, "{boot_time}");
    }

    #[test]
    fn a_clock_that_is_set_moves_events_and_no_start() {
        let clock = Clock::fixed(OFFSET);
        let later = clock.with(OFFSET + 3_600_000_000_010);
        assert_eq!(clock.utc(5), "2026-01-01T00:00:00.000000005Z");
        assert_eq!(later.utc(5), "2026-01-01T01:00:00.000000015Z");
        for clock in [clock, later, later.with(0)] {
            assert_eq!(clock.start_time(5), "2026-01-01T00:00:00.000000005Z");
        }
    }

    proptest! {
        #[test]
        fn the_error_is_at_most_half_of_the_tightest(
            gaps in proptest::array::uniform3((0i128..1_000_000, 0i128..1_000_000)),
        ) {
            let samples = gaps.map(|(before, after)| sample(0, before, after));
            let tightest = samples.iter().map(Sample::width).min().unwrap_or_default();
            prop_assert!((offset_of(samples) - OFFSET).abs() <= tightest / 2 + 1);
        }
    }
}
