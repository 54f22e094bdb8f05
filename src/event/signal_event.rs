//! One signal, judged: its facts, what brought it about, and the processes that have to do with it.

use std::borrow::Cow;

use super::context::Context;
use super::origin::{AttributedSignal, Origin, Verdict};
use super::relation::Relation;
use super::siginfo::{SI_MESGQ, SI_QUEUE, code_of};
use super::signal::Signal;
use super::terminal::tty_name;
use crate::base::clock::Clock;
use crate::record::{ChildDeath, Outcome, Previous, PreviousSource, ProcessFacts, SigInfo, Snapshot};
use crate::wire::TaskConstant;

pub(super) const SIGNAL_GROUP_EXIT: u32 = TaskConstant::SIGNAL_GROUP_EXIT.0;
/// What a source got is worth saying for so long, in nanoseconds.
const LAST_SIGNAL_COUNTS_FOR: u64 = 1_000_000_000;
/// A death of the source's child is worth reporting for so long, in nanoseconds.
const CHILD_DEATH_COUNTS_FOR: u64 = 1_000_000_000;

/// One signal, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignalEvent<'a> {
    /// Counter of this run.
    pub id: u64,
    /// To print times with.
    pub clock: Clock,
    /// The facts.
    pub facts: Snapshot<'a>,
    /// The signal.
    pub signal: Signal,
    /// Where it came from.
    pub verdict: Verdict,
    /// What the source is to the target, where there is one and it is known.
    pub relation: Option<Relation>,
    /// What is known beside the record.
    pub context: Context,
}

impl<'a> SignalEvent<'a> {
    /// Judges one record. None for a record without a target or of an impossible signal number, which
    /// [`decode`](crate::record::decode) does not let through.
    pub fn of(signal: AttributedSignal<'a>, id: u64, clock: Clock, context: Context) -> Option<Self> {
        let (facts, verdict) = (*signal.snapshot, signal.verdict);
        let signal = Signal::new(facts.signal)?;
        facts.processes.get(*facts.target_chain.first()?)?;
        facts.processes.get(*facts.current_chain.first()?)?;
        let relation = if verdict.origin.has_source() { Relation::of(&facts, &context) } else { None };
        Some(Self { id, clock, facts, signal, verdict, relation, context })
    }

    /// The same of a record by itself, for tests.
    #[cfg(test)]
    pub(crate) fn new(facts: Snapshot<'a>, id: u64, clock: Clock, context: Context) -> Option<Self> {
        Self::of(AttributedSignal::new(Box::new(facts)), id, clock, context)
    }

    /// The last signal to the target before this one that could have ended it.
    pub fn previous(&self) -> Option<&Previous> {
        self.facts.previous.as_ref()
    }

    /// What the source itself got from another process less than a second before: it may be passing that on.
    pub fn last_signal(&self) -> Option<(&Previous, &PreviousSource)> {
        let own = self.source()?;
        let last = self.facts.to_source.as_ref()?;
        let from = last.source.as_ref()?;
        let is_recent = last.time <= self.facts.time && self.facts.time - last.time < LAST_SIGNAL_COUNTS_FOR;
        // what was ignored was never there
        let arrived = Outcome::of(last.result) != Some(Outcome::Ignored);
        (is_recent && arrived && (from.pid, from.start) != own.key()).then_some((last, from))
    }

    /// The child of the source that died of a signal less than a second before.
    pub fn child_death(&self) -> Option<ChildDeath> {
        self.source()?;
        let death = self.facts.child_death?;
        // its time is rounded down; a death that came after this signal was taken is not "before"
        (death.time <= self.facts.time
            && self.facts.time - death.time < CHILD_DEATH_COUNTS_FOR + ChildDeath::GRAIN)
            .then_some(death)
    }

    /// The process that was running, source or not.
    pub fn current(&self) -> &ProcessFacts<'a> {
        &self.facts.processes[self.facts.current_chain[0]]
    }

    /// The target.
    pub fn target(&self) -> &ProcessFacts<'a> {
        &self.facts.processes[self.facts.target_chain[0]]
    }

    /// The source, where there is one.
    pub fn source(&self) -> Option<&ProcessFacts<'a>> {
        self.verdict.origin.has_source().then(|| self.current())
    }

    /// Does the running process go on, though the running thread ends?
    pub fn current_lives_on(&self) -> bool {
        self.facts.current.live > 0 && self.facts.current.signal_flags & SIGNAL_GROUP_EXIT == 0
    }

    /// The process that traces the target.
    pub fn target_tracer(&self) -> Option<&ProcessFacts<'a>> {
        self.facts.processes.get(self.facts.target_tracer?)
    }

    /// The process that traces the source.
    pub fn source_tracer(&self) -> Option<&ProcessFacts<'a>> {
        self.source()?;
        self.facts.processes.get(self.facts.current_tracer?)
    }

    /// Should the kernel's stack say why, and does it not?
    pub fn is_unexplained(&self) -> bool {
        let facts = &self.facts;
        !self.verdict.origin.has_source()
            && facts.explanation.is_none()
            && (facts.stack_lost || !facts.stack.is_empty())
    }

    /// The terminal that sent it, as `ps` writes it: `pts/3`, `tty1`.
    pub fn tty(&self) -> Option<String> {
        (self.verdict.origin == Origin::Tty).then(|| tty_name(&self.facts.tty)).flatten()
    }

    /// The nearest process that is above both.
    pub fn common_ancestor(&self) -> Option<u32> {
        self.verdict.origin.has_source().then_some(())?;
        let source = self.facts.current_chain.get(1..)?;
        let mut target = self.facts.target_chain.get(1..)?.iter();
        target
            .find(|place| source.contains(place))
            .and_then(|&place| self.facts.processes.get(place))
            .map(|process| process.pid)
    }

    /// The kernel's name of the code, or its number; None where there was no siginfo.
    pub fn code(&self) -> Option<Cow<'static, str>> {
        match (code_of(&self.facts), self.facts.info) {
            (Some(name), _) => Some(name.into()),
            (None, SigInfo::Given { code, .. }) => Some(code.to_string().into()),
            (None, _) => None,
        }
    }

    /// The value that came along (`sigqueue()`): as the sender wrote it, `sival_int` and `sival_ptr`.
    pub fn value(&self) -> Option<(i32, u64)> {
        match self.facts.info {
            SigInfo::Given { code: SI_QUEUE | SI_MESGQ, fields } => {
                let value = u64::from_ne_bytes(fields[8..].try_into().ok()?);
                // a union: the integer is its first four bytes
                let integer = i32::from_ne_bytes(fields[8..12].try_into().ok()?);
                Some((integer, value))
            }
            _ => None,
        }
    }
}
