//! The child of a process that died of a signal last.

use crate::wire::ChildDeathShift;

/// A child of the source that died of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChildDeath {
    /// Its thread group id.
    pub pid: u32,
    /// What it died of.
    pub signal: u8,
    /// `CLOCK_BOOTTIME`, nanoseconds, rounded down to [`Self::GRAIN`].
    pub time: u64,
}

impl ChildDeath {
    /// What its time is rounded down to, in nanoseconds: a power of two.
    pub const GRAIN: u64 = 1 << ChildDeathShift::CHILD_DEATH_GRAIN.0;
}

/// `CHILD_DEATH` of wire/signal.h, which keeps the lower bits of a time before `now`.
pub(super) fn decode(word: u64, now: u64) -> Option<ChildDeath> {
    const SIGNAL: u32 = ChildDeathShift::CHILD_DEATH_SIGNAL.0;
    const TIME: u32 = ChildDeathShift::CHILD_DEATH_TIME.0;
    /// After which the bits of the time begin again: 417 days, in nanoseconds.
    const SPAN: u64 = ChildDeath::GRAIN << (u64::BITS - TIME);
    let bits = |from: u32, to: u32| word >> from & ((1 << (to - from)) - 1);
    let time = (now & !(SPAN - 1)) | ((word >> TIME) * ChildDeath::GRAIN);
    let death = ChildDeath {
        pid: bits(0, SIGNAL) as u32,
        signal: bits(SIGNAL, TIME) as u8,
        time: if time > now { time.checked_sub(SPAN)? } else { time },
    };
    (death.pid != 0 && (1..=64).contains(&death.signal)).then_some(death)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_childs_death_is_before_the_signal_whatever_the_uptime() {
        let word = |time: u64| 42 + (9 << 22) + ((time >> 20) << 29);
        for now in [1 << 30, (1 << 55) - 1, (1 << 55) + 5, 3 << 55] {
            let death = decode(word(now - (1 << 25)), now).unwrap();
            assert_eq!((death.pid, death.signal), (42, 9));
            assert!(now - death.time >= 1 << 25 && now - death.time < (1 << 25) + (1 << 20), "{now}");
        }
        assert_eq!(decode(0, 1 << 30), None);
    }
}
