//! The decision about a signal, carried along with it.

use super::decide::decide;
use super::{Origin, Reason, Scope};
use crate::record::{OomFacts, Snapshot};

/// What is decided about a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// What brought it about.
    pub origin: Origin,
    /// More about that, where it is known.
    pub reason: Option<Reason>,
    /// The system call, where it is known.
    pub via: Option<&'static str>,
    /// How many were meant, where it is known.
    pub scope: Option<Scope>,
    /// The code is a claim that this system call lets a sender make.
    pub code_forged: bool,
    /// The running task is traced, and its registers name this very signal: whether it sent it cannot be known.
    pub is_undecided: bool,
    /// The OOM killer may have sent it: its own record of the victim comes just after.
    pub may_be_oom: bool,
}

impl Verdict {
    /// Of an origin of which no more is known.
    pub(super) fn of(origin: Origin) -> Self {
        Self {
            origin,
            reason: None,
            via: None,
            scope: None,
            code_forged: false,
            is_undecided: false,
            may_be_oom: false,
        }
    }
}

/// A signal of which is decided, once and for all that use it, what brought it about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributedSignal<'a> {
    /// The facts.
    pub snapshot: Box<Snapshot<'a>>,
    /// Where it came from.
    pub verdict: Verdict,
}

impl<'a> AttributedSignal<'a> {
    /// Decides. What the kernel's stack shows must be known by now, where it can be.
    pub fn new(snapshot: Box<Snapshot<'a>>) -> Self {
        let verdict = decide(&snapshot);
        Self { snapshot, verdict }
    }

    /// The OOM killer sent it: its own record has come.
    pub fn attach_oom(&mut self, oom: OomFacts) {
        self.verdict = Verdict { reason: oom.by_sysrq.then_some(Reason::Sysrq), ..Verdict::of(Origin::Oom) };
        self.snapshot.oom = Some(oom);
    }

    /// The same, apart from the bytes of the record.
    pub fn into_owned(self) -> AttributedSignal<'static> {
        AttributedSignal { snapshot: Box::new(self.snapshot.into_owned()), verdict: self.verdict }
    }
}
