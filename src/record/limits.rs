//! The resource limits of a target that the kernel sends a signal for.

use crate::wire::WireLimits;

/// Resource limits that the kernel sends a signal for. None: no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// `RLIMIT_CPU`, soft and hard, nanoseconds.
    pub cpu: [Option<u64>; 2],
    /// `RLIMIT_RTTIME`, soft and hard, nanoseconds.
    pub real_time: [Option<u64>; 2],
    /// `RLIMIT_FSIZE`, soft, bytes.
    pub file_size: Option<u64>,
    /// CPU time of the process, nanoseconds, as it was when that was last compared with a limit.
    pub cpu_time: u64,
}

pub(super) fn decode(wire: &WireLimits) -> Limits {
    const SECOND: u64 = 1_000_000_000;
    const MICROSECOND: u64 = 1_000;
    // RLIM_INFINITY is all ones
    let limit = |value: u64, unit: u64| (value != u64::MAX).then(|| value.saturating_mul(unit));
    Limits {
        cpu: [limit(wire.cpu_soft, SECOND), limit(wire.cpu_hard, SECOND)],
        real_time: [limit(wire.rttime_soft, MICROSECOND), limit(wire.rttime_hard, MICROSECOND)],
        file_size: limit(wire.fsize_soft, 1),
        cpu_time: wire.cpu_time,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ones_is_no_limit_and_no_other_overflows() {
        let wire = WireLimits { cpu_soft: 2, cpu_hard: u64::MAX, rttime_soft: 3, ..WireLimits::default() };
        let limits = decode(&WireLimits { rttime_hard: u64::MAX - 1, ..wire });
        assert_eq!(limits.cpu, [Some(2_000_000_000), None]);
        assert_eq!(limits.real_time, [Some(3_000), Some(u64::MAX)]);
    }
}
