//! A call of the kill family that failed, or only asked, judged.

use super::context::Context;
use super::origin::{self, Verdict};
use super::relation::Relation;
use super::signal::Signal;
use crate::base::clock::Clock;
use crate::record::{AttemptFacts, ProcessFacts};

/// A call that failed, or only asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptEvent<'a> {
    /// Counter of this run.
    pub id: u64,
    /// To print times with.
    pub clock: Clock,
    /// The facts.
    pub attempt: AttemptFacts<'a>,
    /// The call, and how many it addressed.
    pub verdict: Verdict,
    /// What the source is to the target, where there is one and it is known.
    pub relation: Option<Relation>,
    /// What is known beside the record.
    pub context: Context,
}

impl<'a> AttemptEvent<'a> {
    /// Judges one record. None for a record of nobody.
    pub fn new(attempt: AttemptFacts<'a>, id: u64, clock: Clock, context: Context) -> Option<Self> {
        let facts = &attempt.facts;
        facts.processes.get(*facts.target_chain.first()?)?;
        facts.processes.get(*facts.current_chain.first()?)?;
        let verdict = origin::attempt(facts);
        let relation = if attempt.has_target { Relation::of(facts, &context) } else { None };
        Some(Self { id, clock, attempt, verdict, relation, context })
    }

    /// The caller.
    pub fn source(&self) -> &ProcessFacts<'a> {
        let facts = &self.attempt.facts;
        &facts.processes[facts.current_chain[0]]
    }

    /// The process that was addressed, if it was one, and was found.
    pub fn target(&self) -> Option<&ProcessFacts<'a>> {
        let facts = &self.attempt.facts;
        self.attempt.has_target.then(|| &facts.processes[facts.target_chain[0]])
    }

    /// The signal, where the number is one's.
    pub fn signal(&self) -> Option<Signal> {
        u8::try_from(self.attempt.signal).ok().and_then(Signal::new)
    }

    /// Signal 0: nothing was to be sent.
    pub fn is_probe(&self) -> bool {
        self.attempt.signal == 0
    }

    /// The name of the errno, or `permitted` of a signal 0 that could have been sent.
    pub fn result(&self) -> String {
        match self.attempt.returned {
            0 => "permitted".to_owned(),
            returned => error_name(returned),
        }
    }
}

/// A process that answers a system call in place of the kernel (seccomp's user notification) may return any number.
fn error_name(returned: i64) -> String {
    errno_name(returned).map_or_else(|| format!("errno {}", returned.unsigned_abs()), str::to_owned)
}

/// Those that the kill family returns (kernel/signal.c), by their numbers on x86 and ARM.
fn errno_name(returned: i64) -> Option<&'static str> {
    Some(match returned {
        -1 => "EPERM",
        -3 => "ESRCH",
        -9 => "EBADF",
        -11 => "EAGAIN",
        -12 => "ENOMEM",
        -13 => "EACCES",
        -14 => "EFAULT",
        -22 => "EINVAL",
        -38 => "ENOSYS",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_that_a_call_returned_has_a_name() {
        for (returned, name) in [(-1, "EPERM"), (-77, "errno 77"), (i64::MIN, "errno 9223372036854775808")] {
            assert_eq!(error_name(returned), name);
        }
    }
}
