//! What a host's journal gets of a recorder: ends of processes, and what was not recorded.
//!
//! A process of its own sends it, since journald believes only uid 0 whose unit something concerns, and the tracer is to have neither
//! that nor a socket. It reads lines of JSON, as the store does, of events that concern ends, and never waits for the journal.

mod entry;
mod helper;
mod limiter;
mod service;
mod socket;

use std::fmt;
use std::str::FromStr;

pub use self::helper::{COMMAND, JournalHelper, RecorderGap};
pub use self::service::Service;
pub use self::socket::SOCKET;
use crate::error::UsageError;

/// Which events go to the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Journaled {
    /// Deaths by a signal, OOM kills, and what was not recorded.
    Deaths,
    /// And exits after a signal.
    Ends,
}

impl Journaled {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deaths => "deaths",
            Self::Ends => "ends",
        }
    }
}

impl fmt::Display for Journaled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Journaled {
    type Err = UsageError;

    fn from_str(text: &str) -> Result<Self, UsageError> {
        match text {
            "deaths" => Ok(Self::Deaths),
            "ends" => Ok(Self::Ends),
            _ => Err(UsageError::Journaled(text.to_owned())),
        }
    }
}
