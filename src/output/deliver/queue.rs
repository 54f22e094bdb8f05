//! What waits for a destination: lines, and what else is to be done behind them. Its buffers are used again.

use std::collections::VecDeque;
use std::sync::Arc;

use super::ledger::Fate;

/// Bytes of buffers that are kept to be used again, and how large one may be: memory that is new costs as much as the
/// lines in it.
const SPARE: usize = 1 << 20;
pub(super) const SPARE_BUFFER: usize = 256 << 10;

/// One piece of the writer's work.
#[derive(Debug)]
pub(super) enum Job {
    Write { lines: Vec<u8>, events: u64, fate: Arc<Fate> },
    Reopen,
}

/// In its order.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) jobs: VecDeque<Job>,
    pub(super) spare: Vec<Vec<u8>>,
    pub(super) spare_bytes: usize,
    /// Events that wait or are being written.
    pub(super) events: u64,
}

impl Queue {
    pub(super) fn take_spare(&mut self) -> Option<Vec<u8>> {
        let spare = self.spare.pop()?;
        self.spare_bytes -= spare.capacity();
        Some(spare)
    }

    pub(super) fn keep_spare(&mut self, buffer: Vec<u8>) {
        let bytes = buffer.capacity();
        if bytes <= SPARE_BUFFER && self.spare_bytes + bytes <= SPARE {
            self.spare_bytes += bytes;
            self.spare.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_used_again_and_what_is_kept_of_them_is_bounded() {
        let mut queue = Queue::default();
        for _ in 0..100 {
            queue.keep_spare(Vec::with_capacity(SPARE_BUFFER / 2));
            queue.keep_spare(Vec::with_capacity(2 * SPARE_BUFFER));
        }
        let kept: usize = queue.spare.iter().map(Vec::capacity).sum();
        assert!(kept <= SPARE && kept > SPARE / 2);
        assert_eq!(queue.spare_bytes, kept);
        while queue.take_spare().is_some() {}
        assert_eq!(queue.spare_bytes, 0);
    }
}
