//! What became of a signal at its target, as the tracepoint reports it.

/// What became of a signal at its target (`TRACE_SIGNAL_*`). `Queued` is not "arrived".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Queued for the target.
    Queued,
    /// The target ignores it.
    Ignored,
    /// One like it was pending.
    AlreadyPending,
    /// The queue of real-time signals was full.
    Overflow,
    /// Queued, its siginfo lost.
    InfoLost,
}

impl Outcome {
    /// Of the number in `include/trace/events/signal.h`.
    pub fn of(result: u32) -> Option<Self> {
        Some(match result {
            0 => Self::Queued,
            1 => Self::Ignored,
            2 => Self::AlreadyPending,
            3 => Self::Overflow,
            4 => Self::InfoLost,
            _ => return None,
        })
    }

    /// The one of this word.
    pub fn named(name: &str) -> Option<Self> {
        (0..=4).filter_map(Self::of).find(|outcome| outcome.name() == name)
    }

    /// The word of the output contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Ignored => "ignored",
            Self::AlreadyPending => "already-pending",
            Self::Overflow => "overflow",
            Self::InfoLost => "info-lost",
        }
    }
}
