//! The command line of a process, or why it is missing.

use std::borrow::Cow;

use crate::wire::ProcessFlag;

/// Why a command line is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// Older than the tracer and not seeded, or a hook was missed.
    Unknown,
    /// It was exec'ing while it was read.
    ExecRace,
    /// A new image runs for which the exec hook has not run yet.
    MidExec,
    /// The argument block could not be read.
    Unreadable,
    /// The kernel had no memory to keep it.
    NoMemory,
    /// It is older than the tracer, and had written a title over its arguments.
    Overwritten,
    /// It was reported and is not kept any more, or there was no room for it.
    NotKept,
}

impl Gap {
    /// The word in `missing`.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::ExecRace => "exec-race",
            Self::MidExec => "mid-exec",
            Self::Unreadable => "unreadable",
            Self::NoMemory => "no-memory",
            Self::Overwritten => "overwritten",
            Self::NotKept => "not-kept",
        }
    }
}

/// Where a command line was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ArgvFrom {
    /// At its exec, by the hook.
    #[default]
    Exec,
    /// From the memory of a process that is older than the tracer, which may have written there what it liked.
    Memory,
    /// From /proc.
    Proc,
}

impl ArgvFrom {
    /// By the flags of a process (`enum wire_process_flag`).
    pub(crate) fn of(flags: u32) -> Self {
        if flags & ProcessFlag::PROCESS_FROM_PROC.0 != 0 {
            Self::Proc
        } else if flags & ProcessFlag::PROCESS_SEEDED.0 != 0 {
            Self::Memory
        } else {
            Self::Exec
        }
    }
}

/// The command line of a process, as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argv<'a> {
    /// As exec'd, NUL separated.
    Known {
        /// The bytes kept.
        bytes: Cow<'a, [u8]>,
        /// How many there are in the process.
        total: u32,
        /// Where they were read.
        from: ArgvFrom,
    },
    /// A kernel thread has none.
    NotApplicable,
    /// There is one, but it could not be read.
    Missing(Gap),
}

impl Argv<'_> {
    /// The bytes kept; none where there is no command line.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Known { bytes, .. } => bytes,
            Self::NotApplicable | Self::Missing(_) => &[],
        }
    }

    /// The arguments, if they are known to the last one.
    pub fn whole(&self) -> Option<Vec<&[u8]>> {
        match self {
            Self::Known { bytes, total, .. } if bytes.len() as u32 == *total => {
                Some(bytes.strip_suffix(b"\0").unwrap_or(bytes).split(|&byte| byte == 0).collect())
            }
            _ => None,
        }
    }

    /// The same, apart from the bytes of the record.
    pub fn into_owned(self) -> Argv<'static> {
        match self {
            Self::Known { bytes, total, from } => {
                Argv::Known { bytes: Cow::Owned(bytes.into_owned()), total, from }
            }
            Self::NotApplicable => Argv::NotApplicable,
            Self::Missing(gap) => Argv::Missing(gap),
        }
    }
}

/// Bytes outrank a reason for having none: a part of an argv is reported as cut.
pub(super) fn decode(bytes: &[u8], total: u32, flags: u32) -> Argv<'_> {
    let is = |flag: ProcessFlag| flags & flag.0 != 0;
    let gaps = [
        (ProcessFlag::PROCESS_UNKNOWN, Gap::Unknown),
        (ProcessFlag::PROCESS_EXEC_RACE, Gap::ExecRace),
        (ProcessFlag::PROCESS_MID_EXEC, Gap::MidExec),
        (ProcessFlag::PROCESS_UNREADABLE, Gap::Unreadable),
        (ProcessFlag::PROCESS_NO_MEMORY, Gap::NoMemory),
        (ProcessFlag::PROCESS_OVERWRITTEN, Gap::Overwritten),
    ];
    if is(ProcessFlag::PROCESS_NO_ARGV) {
        return Argv::NotApplicable;
    }
    match gaps.iter().find(|&&(flag, _)| is(flag)) {
        Some(&(_, gap)) if bytes.is_empty() => Argv::Missing(gap),
        _ => Argv::Known { bytes: Cow::Borrowed(bytes), total, from: ArgvFrom::of(flags) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_named_and_bytes_outrank_it() {
        assert_eq!(decode(b"", 0, ProcessFlag::PROCESS_MID_EXEC.0), Argv::Missing(Gap::MidExec));
        assert!(matches!(decode(b"cut", 9, ProcessFlag::PROCESS_NO_MEMORY.0), Argv::Known { .. }));
        assert_eq!(decode(b"", 0, ProcessFlag::PROCESS_NO_ARGV.0), Argv::NotApplicable);
    }

    #[test]
    fn an_image_that_was_not_seen_to_begin_outranks_a_title_over_the_one_before() {
        let overwritten = ProcessFlag::PROCESS_OVERWRITTEN.0;
        let decoded = |other: ProcessFlag| decode(b"", 0, overwritten | other.0);
        assert_eq!(decoded(ProcessFlag::PROCESS_SEEDED), Argv::Missing(Gap::Overwritten));
        assert_eq!(decoded(ProcessFlag::PROCESS_MID_EXEC), Argv::Missing(Gap::MidExec));
    }
}
