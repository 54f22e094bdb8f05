//! What happens when a write fails (a full disk, a closed pipe): tracing continues, the events are counted as not written, and a
//! message says so, at most once in ten seconds.

use std::io;
use std::time::Duration;

use super::destination_name::DestinationName;
use crate::base::os_error::reason;
use crate::base::seldom::Seldom;

/// At most one message about failed writes in this time.
pub(super) const SAY_EVERY: Duration = Duration::from_secs(10);

/// What became of a batch of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    /// All of it was written.
    Whole,
    /// Some of it may not be.
    Failed,
    /// Nobody will ever read it: the pipe is closed.
    Closed,
}

/// The failed writes of a destination.
#[derive(Debug)]
pub(super) struct FailedWrites {
    /// Events that are not known to be written.
    pub(super) unwritten: u64,
    messages: Seldom,
}

impl Default for FailedWrites {
    fn default() -> Self {
        Self { unwritten: 0, messages: Seldom::new(SAY_EVERY) }
    }
}

impl FailedWrites {
    /// A write of so many events ended with this error.
    pub(super) fn note_error(
        &mut self,
        name: &DestinationName,
        events: u64,
        error: &io::Error,
    ) -> WriteOutcome {
        match (error.kind(), name) {
            // other outputs go on without it
            (io::ErrorKind::BrokenPipe, DestinationName::Store { .. } | DestinationName::Journal { .. }) => {
                self.note(name, events, "the process that writes it has ended")
            }
            (io::ErrorKind::BrokenPipe, _) => {
                self.unwritten += events;
                WriteOutcome::Closed
            }
            _ => self.note(name, events, &reason(error)),
        }
    }

    /// So many events could not be written; `why` is for the user.
    pub(super) fn note(&mut self, name: &DestinationName, events: u64, why: &str) -> WriteOutcome {
        self.unwritten += events;
        if self.messages.is_due() {
            tracing::warn!(
                "cannot write to {name}: {why}; tracing continues, events that could not be written so far: {}",
                self.unwritten
            );
        }
        WriteOutcome::Failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_ends_a_trace_unless_it_leads_to_a_helper_of_its_own() {
        let closed = io::Error::from(io::ErrorKind::BrokenPipe);
        let journal = DestinationName::Journal { descriptor: 9 };
        let store = DestinationName::Store { directory: "/x".into(), descriptor: 9 };
        for (name, outcome) in [
            (DestinationName::Stdout, WriteOutcome::Closed),
            (journal, WriteOutcome::Failed),
            (store, WriteOutcome::Failed),
        ] {
            assert_eq!(FailedWrites::default().note_error(&name, 1, &closed), outcome, "{name}");
        }
    }
}
