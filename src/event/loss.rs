//! Records that were lost, by cause and by author.

use super::authors::LossAuthor;

/// How many were lost, by cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lost {
    /// The ring was full.
    pub ring_full: u64,
    /// The program was skipped because it was running on that CPU already.
    pub recursion: u64,
    /// The record could not be decoded.
    pub undecodable: u64,
    /// Attempts for which there was no room.
    pub attempts: u64,
    /// Ends that no signal explains, for which there was no room.
    pub ends: u64,
    /// Requests for which there was no room.
    pub requests: u64,
    /// Records of the OOM killer's victims, for which there was no room, or whose hook was skipped: the signal is then
    /// reported as the kernel's.
    pub ooms: u64,
    /// Paths of new cgroups, for which there was no room, or whose hook was skipped: they are then searched for among
    /// those that exist.
    pub cgroups: u64,
    /// Lines for which an output had no room.
    pub lines: u64,
}

impl Lost {
    /// All of them.
    pub fn total(self) -> u64 {
        self.of_signals() + self.attempts + self.ends + self.requests + self.ooms + self.cgroups + self.lines
    }

    /// Those that were signals.
    pub fn of_signals(self) -> u64 {
        self.ring_full + self.recursion + self.undecodable
    }

    /// Each cause by its name in the output.
    pub fn by_cause(self) -> [(&'static str, u64); 9] {
        [
            ("ringFull", self.ring_full),
            ("recursion", self.recursion),
            ("undecodable", self.undecodable),
            ("attempts", self.attempts),
            ("ends", self.ends),
            ("requests", self.requests),
            ("ooms", self.ooms),
            ("cgroups", self.cgroups),
            ("lines", self.lines),
        ]
    }

    /// What is new since `earlier`.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            ring_full: self.ring_full.saturating_sub(earlier.ring_full),
            recursion: self.recursion.saturating_sub(earlier.recursion),
            undecodable: self.undecodable.saturating_sub(earlier.undecodable),
            attempts: self.attempts.saturating_sub(earlier.attempts),
            ends: self.ends.saturating_sub(earlier.ends),
            requests: self.requests.saturating_sub(earlier.requests),
            ooms: self.ooms.saturating_sub(earlier.ooms),
            cgroups: self.cgroups.saturating_sub(earlier.cgroups),
            lines: self.lines.saturating_sub(earlier.lines),
        }
    }
}

/// Loss, reported among the events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostEvent {
    /// UTC nanoseconds of the report.
    pub time: i128,
    /// What was lost.
    pub lost: Lost,
    /// The main authors of it, the worst first. What has no author (a hook that the kernel skipped) is not among what they lost.
    pub authors: Vec<LossAuthor>,
}
