//! The resource limit that a signal was sent for.

use super::numbers::{KILL, XFSZ};
use super::origin::Origin;
use super::signal_event::SignalEvent;

/// A resource limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rlimit {
    /// As `setrlimit(2)` calls it.
    pub name: &'static str,
    /// The hard limit; else the soft one.
    pub is_hard: bool,
    /// How much it allows.
    pub value: RlimitValue,
}

/// In its own unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RlimitValue {
    /// Nanoseconds.
    Time(u64),
    /// Bytes.
    Bytes(u64),
}

impl SignalEvent<'_> {
    /// The resource limit that it was sent for, where it is known.
    pub fn rlimit(&self) -> Option<Rlimit> {
        if self.verdict.origin != Origin::Rlimit {
            return None;
        }
        let limits = self.facts.limits.as_ref()?;
        if self.facts.signal == XFSZ {
            let value = RlimitValue::Bytes(limits.file_size?);
            return Some(Rlimit { name: "RLIMIT_FSIZE", is_hard: false, value });
        }
        // kernel/time/posix-cpu-timers.c: SIGKILL at the hard limit, SIGXCPU at the soft one
        let is_hard = self.facts.signal == KILL;
        let place = usize::from(is_hard);
        #[allow(clippy::match_same_arms)] // the order of the rows is the meaning
        let (name, value) = match (limits.cpu[place], limits.real_time[place]) {
            (Some(cpu), None) => ("RLIMIT_CPU", cpu),
            (None, Some(real_time)) => ("RLIMIT_RTTIME", real_time),
            (Some(cpu), Some(_)) if limits.cpu_time >= cpu => ("RLIMIT_CPU", cpu),
            (Some(_), Some(real_time)) => ("RLIMIT_RTTIME", real_time),
            (None, None) => return None,
        };
        Some(Rlimit { name, is_hard, value: RlimitValue::Time(value) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::numbers::XCPU;
    use crate::event::samples::{event, facts, shown, to_itself};
    use crate::record::cause::Cause;
    use crate::record::{Limits, SigInfo, Snapshot};

    #[test]
    fn a_signal_is_for_the_limit_that_was_reached() {
        let limits = Limits {
            cpu: [Some(5), Some(9)],
            real_time: [Some(3), None],
            file_size: Some(4096),
            cpu_time: 4,
        };
        let limit = |facts: Snapshot<'static>, limits| {
            let limit = event(Snapshot { limits, ..facts }).rlimit()?;
            Some((limit.name, limit.is_hard, limit.value))
        };
        let soft = || facts(XCPU, SigInfo::Kernel);
        let hard = shown(Cause::CpuTimer, facts(KILL, SigInfo::Kernel));
        let used = Limits { cpu_time: 5, ..limits };
        for (facts, limits, expected) in [
            (soft(), limits, ("RLIMIT_RTTIME", false, RlimitValue::Time(3))),
            (soft(), used, ("RLIMIT_CPU", false, RlimitValue::Time(5))),
            (hard, limits, ("RLIMIT_CPU", true, RlimitValue::Time(9))),
            (
                to_itself(facts(XFSZ, SigInfo::None)),
                limits,
                ("RLIMIT_FSIZE", false, RlimitValue::Bytes(4096)),
            ),
        ] {
            assert_eq!(limit(facts, Some(limits)), Some(expected));
        }
        assert_eq!(limit(soft(), Some(Limits::default())), None, "it has none any more");
        assert_eq!(limit(facts(KILL, SigInfo::Kernel), Some(limits)), None, "sent for something else");
    }
}
