//! A process that ended, judged.

use super::context::EarlierSignal;
use super::origin::{self, Origin};
use super::refused_call::RefusedCall;
use super::signal::Signal;
use crate::base::clock::Clock;
use crate::enrich::surroundings::Surroundings;
use crate::record::{EndFacts, Ending, ProcessFacts};

/// A process that ended: after a signal, or by one that no event explains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndEvent<'a> {
    /// Counter of this run.
    pub id: u64,
    /// To print times with.
    pub clock: Clock,
    /// The facts.
    pub facts: EndFacts<'a>,
    /// What it died of, if that was a signal.
    pub signal: Option<Signal>,
    /// What a signal that was not seen came from, where it has left a mark.
    pub origin: Option<Origin>,
    /// It may have been sent before signals were watched.
    pub is_older: bool,
    /// The signal before the end: the one that it died of, or the last that could have ended it.
    pub after: Option<EarlierSignal>,
    /// What the host says of the process.
    pub surroundings: Surroundings,
}

impl<'a> EndEvent<'a> {
    /// Judges one record; signals have been watched since then (boot time, ns). None for a record of nobody.
    pub fn new(
        facts: EndFacts<'a>,
        id: u64,
        clock: Clock,
        watched_since: u64,
        after: Option<EarlierSignal>,
        surroundings: Surroundings,
    ) -> Option<Self> {
        let signal = match facts.ending {
            Ending::Signal { number, .. } => Some(Signal::new(number)?),
            Ending::Exit(_) => None,
        };
        let is_older = facts.processes.first()?.start < watched_since;
        let origin = match origin::of_end(&facts) {
            _ if facts.explained || signal.is_none() => None,
            // one that waited, blocked, from before would come by way of a tracer as well
            Some(Origin::Ptrace) if is_older => None,
            origin => origin,
        };
        Some(Self { id, clock, facts, signal, origin, is_older, after, surroundings })
    }

    /// A death by a signal that nobody was seen to send.
    pub fn is_unexplained(&self) -> bool {
        self.signal.is_some() && !self.facts.explained && self.after.is_none()
    }

    /// The process that ended.
    pub fn target(&self) -> &ProcessFacts<'a> {
        &self.facts.processes[0]
    }

    /// Which system call seccomp refused, of a thread or a process that it ended without a signal.
    pub fn refused_call(&self) -> Option<RefusedCall> {
        let is_refused = self.origin == Some(Origin::Seccomp) && self.is_unexplained();
        let call = self.facts.syscall.filter(|_| is_refused)?;
        Some(RefusedCall::of_registers(&call, self.facts.instruction_pointer))
    }

    /// The process that traced it.
    pub fn tracer(&self) -> Option<&ProcessFacts<'a>> {
        self.facts.processes.get(self.facts.tracer?)
    }
}
