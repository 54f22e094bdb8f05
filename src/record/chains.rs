//! Which processes of a signal's record are the ancestors of which side.

use super::reader::DecodeError;
use crate::wire::{Constant, WireSignal};

/// Places in the record, each from the process itself upwards.
#[derive(Debug)]
pub(super) struct Chains {
    pub(super) current: Vec<usize>,
    pub(super) target: Vec<usize>,
    /// The target's was longer than asked for.
    pub(super) is_target_cut: bool,
}

/// In a record stand current, the target, ancestors of current, of the target, and those of the target beyond what it shares
/// with current.
pub(super) fn decode_chains(head: &WireSignal) -> Result<Chains, DecodeError> {
    let [source, target, beyond] = ancestors(head);
    let source_end = 2 + source;
    let target_end = source_end + target;
    let total = target_end + beyond;
    let current_chain: Vec<usize> = std::iter::once(0).chain(2..source_end).collect();
    let mut target_chain = Vec::with_capacity(total);
    target_chain.push(1);
    target_chain.extend(source_end..target_end);
    if u32::from(head.joins_at) != Constant::JOINS_NOWHERE.0 {
        let Some(shared) =
            current_chain.get(usize::from(head.joins_at)..).filter(|shared| !shared.is_empty())
        else {
            return Err(DecodeError::impossible("joins_at", head.joins_at));
        };
        target_chain.extend(shared);
        target_chain.extend(target_end..total);
    }
    // what is shared was taken for the source, and may lie beyond the target's own depth
    let longest = usize::from(head.max_ancestors) + 1;
    let is_target_cut = target_chain.len() > longest;
    target_chain.truncate(longest);
    Ok(Chains { current: current_chain, target: target_chain, is_target_cut })
}

/// How many there are of current, of the target, and of the target beyond what it shares.
fn ancestors(head: &WireSignal) -> [usize; 3] {
    [head.source_ancestors, head.target_ancestors, head.beyond_ancestors].map(usize::from)
}

/// How many processes both chains have.
pub(super) fn processes_of(head: &WireSignal) -> usize {
    2 + ancestors(head).into_iter().sum::<usize>()
}
