//! What the user named as the place where lines go: a stream, a descriptor, a file, a store.

use std::fmt;
use std::path::PathBuf;

use crate::base::sanitize::visible;

/// Begins a line for a store that is no event: all that happened before this time (nanoseconds since the epoch, behind it) has been
/// handed over, or counted as lost.
pub const MARK: &str = "{\"recordedUntil\":";

/// What was named.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DestinationName {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// A descriptor that this process was started with.
    Descriptor(u32),
    /// A file: lines are added at its end.
    File(PathBuf),
    /// A store: the process that writes it reads the other end of this pipe.
    Store {
        /// Where the store is.
        directory: PathBuf,
        /// Our end of the pipe.
        descriptor: u32,
    },
    /// The host's journal: the process that sends to it reads the other end of this pipe.
    Journal {
        /// Our end of the pipe.
        descriptor: u32,
    },
}

impl DestinationName {
    /// What a path means. Those that are names of descriptors are no names of files.
    pub fn of(path: PathBuf) -> Self {
        let text = path.to_str().unwrap_or_default();
        let number = ["/dev/fd/", "/proc/self/fd/"].into_iter().find_map(|before| text.strip_prefix(before));
        let number = number.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()));
        match (text, number.and_then(|digits| digits.parse().ok())) {
            ("/dev/stdout", _) | (_, Some(1)) => Self::Stdout,
            ("/dev/stderr", _) | (_, Some(2)) => Self::Stderr,
            (_, Some(number)) => Self::Descriptor(number),
            _ => Self::File(path),
        }
    }
}

impl fmt::Display for DestinationName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => formatter.write_str("standard output"),
            Self::Stderr => formatter.write_str("standard error"),
            Self::Descriptor(number) => write!(formatter, "descriptor {number}"),
            // the user who named it need not be the one who reads the log
            Self::File(path) => formatter.write_str(&visible(path)),
            Self::Journal { .. } => formatter.write_str("the journal"),
            Self::Store { directory, .. } => write!(formatter, "the store in {}", visible(directory)),
        }
    }
}
