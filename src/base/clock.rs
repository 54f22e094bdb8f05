//! From the kernel's times to UTC.
//!
//! In a time namespace `CLOCK_BOOTTIME` is shifted, and so are the starts that /proc shows there. Records have the kernel's
//! own: [`calibrate`] asks for both once, and everything that compares them goes by that.
//!
//! Records have boot time. UTC minus that changes (NTP slews it, somebody sets the clock), so it is asked for again and
//! again, and an event has the UTC of its moment. A start is converted by one offset for a whole run, so that `startTime`
//! of a process is the same in every event.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::base::digits;

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
        digits::push_utc(out, self.offset + i128::from(boot_nanoseconds));
    }

    /// When a process started: the same in every event of a run.
    pub fn start_time(self, boot_nanoseconds: u64) -> String {
        digits::utc(self.first + i128::from(boot_nanoseconds))
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
        let boot_before = boot_nanoseconds();
        let real = utc_now();
        Self { boot_before, real, boot_after: boot_nanoseconds() }
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

/// The kernel's boot time minus that of this process's time namespace, ns. No process can change that once it runs.
static NAMESPACE_OFFSET: AtomicI64 = AtomicI64::new(0);

/// How much the kernel's boot time is ahead of `CLOCK_BOOTTIME` here, nanoseconds.
pub(crate) fn namespace_offset() -> i128 {
    i128::from(NAMESPACE_OFFSET.load(Ordering::Relaxed))
}

/// The kernel's boot time, nanoseconds.
pub(crate) fn boot_time() -> u64 {
    u64::try_from(boot_nanoseconds()).unwrap_or_default()
}

fn boot_nanoseconds() -> i128 {
    nanoseconds(ClockId::Boottime) + namespace_offset()
}

/// UTC, nanoseconds since the epoch.
pub(crate) fn utc_now() -> i128 {
    nanoseconds(ClockId::Realtime)
}

/// CPU time of this thread.
pub(crate) fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// Compares the clock of this process with the kernel's, which `read` reads; without that they are taken to agree.
pub(crate) fn calibrate(read: impl Fn() -> Option<u64>) {
    let take = |_| {
        let before = nanoseconds(ClockId::Boottime);
        let kernel = read()?;
        Some(Sample {
            boot_before: before,
            real: i128::from(kernel),
            boot_after: nanoseconds(ClockId::Boottime),
        })
    };
    let samples: Option<Vec<Sample>> = (0..3).map(take).collect();
    let Some(Ok(samples)) = samples.map(<[Sample; 3]>::try_from) else { return };
    let offsets = std::fs::read_to_string("/proc/self/timens_offsets").unwrap_or_default();
    let offset = exact_offset(samples, offset_of_namespace(&offsets));
    NAMESPACE_OFFSET.store(i64::try_from(offset).unwrap_or_default(), Ordering::Relaxed);
}

/// As measured, or what is said of it if that is within the error of the measurement.
fn exact_offset(samples: [Sample; 3], said: Option<i128>) -> i128 {
    let measured = offset_of(samples);
    let error = samples.iter().map(Sample::width).min().unwrap_or_default() / 2 + 1;
    let is_near = |offset: &i128| (measured - offset).abs() <= error;
    [Some(0), said].into_iter().flatten().find(is_near).unwrap_or(measured)
}

/// From `timens_offsets` (`time_namespaces(7)`), which adds to the clock: it is of the namespace of the children, which is
/// another than the process's own after an `unshare()`.
fn offset_of_namespace(text: &str) -> Option<i128> {
    let line = text.lines().find_map(|line| line.strip_prefix("boottime"))?;
    let mut numbers = line.split_whitespace().map(str::parse::<i64>);
    let (seconds, nanoseconds) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    Some(-(i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds)))
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
    fn the_offset_of_a_time_namespace_is_exact_where_it_is_known() {
        let said = offset_of_namespace("monotonic           0         0\nboottime       86400       500\n");
        assert_eq!(said, Some(-86_400_000_000_500));
        for text in ["", "boottime", "boottime 1", "boottime a b", "monotonic 1 1"] {
            assert_eq!(offset_of_namespace(text), None, "{text}");
        }
        // between two readings that are a microsecond apart
        let ahead = |offset| {
            [0, 10, 20].map(|at| Sample { boot_before: at, real: offset + at + 300, boot_after: at + 1_000 })
        };
        assert_eq!(exact_offset(ahead(0), said), 0);
        assert_eq!(exact_offset(ahead(-86_400_000_000_500), said), -86_400_000_000_500);
        assert_eq!(exact_offset(ahead(5_000_000), said), 4_999_800, "of the children's namespace");
        assert_eq!(exact_offset(ahead(5_000_000), None), 4_999_800);
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
