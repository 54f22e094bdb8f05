//! A call of the kill family that did not become a signal.

use super::process::ProcessFacts;
use super::reader::{DecodeError, Reader};
use super::signal::{self, Snapshot};
use crate::wire::WireAttempt;

/// A call of the kill family that did not become a signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptFacts<'a> {
    /// The caller as `current`; the process that it addressed as `target`, if that is known. `signal` is 0 where the
    /// number is no signal's.
    pub facts: Snapshot<'a>,
    /// The number as it was given, a signal's or not.
    pub signal: i32,
    /// What the call returned: a negative errno, or 0.
    pub returned: i64,
    /// The target was found.
    pub has_target: bool,
}

pub(super) fn decode(mut reader: Reader<'_>) -> Result<AttemptFacts<'_>, DecodeError> {
    let (head, mut facts) = signal::decode_any(&mut reader)?;
    let attempt: WireAttempt = reader.read("an attempt")?;
    // the two chains were taken each for itself: from where they meet they are one
    let key = |place: usize| facts.processes.get(place).map(ProcessFacts::key);
    let meets = facts.target_chain.iter().enumerate().find_map(|(up, &place)| {
        let source = facts.current_chain.iter().position(|&other| key(other) == key(place))?;
        Some((up, source))
    });
    if let Some((up, source)) = meets {
        let shared = &facts.current_chain[source..];
        // where the source's chain was cut, the target's goes on by its own
        let beyond = facts.target_chain.get(up + shared.len()..).unwrap_or_default();
        facts.target_chain = [&facts.target_chain[..up], shared, beyond].concat();
        facts.target_chain.truncate(usize::from(head.max_ancestors) + 1);
    }
    Ok(AttemptFacts {
        facts,
        signal: head.signal as i32,
        returned: attempt.returned,
        has_target: attempt.has_target != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::samples::{APART, head, outlined, sealed};
    use crate::record::{Record, decode};
    use crate::wire::{Kind, bytes_of};

    #[test]
    fn the_chains_of_an_attempt_are_one_from_where_they_meet() {
        let attempt = WireAttempt { returned: -1, has_target: 1 };
        let record = |last: &[u8]| {
            let mut bytes = head(2, 2, APART);
            bytes[2..4].copy_from_slice(&(Kind::RECORD_ATTEMPT.0 as u16).to_ne_bytes());
            // 5 and 6 have the parent 3; the source's chain knows its command line
            for process in [outlined(5), outlined(6), outlined(3), outlined(1), outlined(3), outlined(1)] {
                bytes.extend(process);
            }
            bytes.extend_from_slice(last);
            sealed(bytes)
        };
        let whole = record(bytes_of(&attempt));
        let Ok(Record::Attempt(attempt)) = decode(&whole) else { panic!("not an attempt") };
        assert_eq!((attempt.signal, attempt.returned, attempt.has_target), (15, -1, true));
        assert_eq!(
            (&attempt.facts.current_chain[..], &attempt.facts.target_chain[..]),
            (&[0, 2, 3][..], &[1, 2, 3][..])
        );
        // the source's own was cut at 3
        let mut cut = head(1, 2, APART);
        cut[2..4].copy_from_slice(&(Kind::RECORD_ATTEMPT.0 as u16).to_ne_bytes());
        for process in [outlined(5), outlined(6), outlined(3), outlined(3), outlined(1)] {
            cut.extend(process);
        }
        cut.extend_from_slice(&whole[whole.len() - size_of::<WireAttempt>()..]);
        let cut = sealed(cut);
        let Ok(Record::Attempt(attempt)) = decode(&cut) else { panic!("not an attempt") };
        assert_eq!(attempt.facts.target_chain, [1, 2, 4], "the target's goes on to the top");
        assert!(decode(&record(&[])).is_err());
    }
}
