//! The signal that a process took from the queue and ended of, by its siginfo: which of those that waited it was.

use super::siginfo::{SigInfo, word};
use super::signal::Snapshot;
use crate::wire::{SiCode, WireDelivery};

const SI_USER: i32 = SiCode::SI_USER.0 as i32;
const SI_TIMER: i32 = SiCode::SI_TIMER.0 as i32;
const SI_KERNEL: i32 = SiCode::SI_KERNEL.0 as i32;

/// The siginfo that was taken from the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// `si_code`.
    pub code: i32,
    /// The first two words of `_sifields`: `si_pid` and `si_uid`, where there are such.
    pub words: [u32; 2],
}

impl Delivery {
    /// The kernel had no room for the siginfo, or the sender has no pid at its target: it names nobody.
    pub fn is_of_nobody(&self) -> bool {
        self.code == SI_USER && self.words == [0, 0]
    }

    /// `si_pid`, as its target counts, where the code says that a process sent it.
    pub fn pid(&self) -> Option<u32> {
        (self.code == SI_USER).then_some(self.words[0])
    }
}

pub(super) fn decode(wire: &WireDelivery, died_of: u8) -> Option<Delivery> {
    let words = [0, 1].map(|place| word(&wire.info_fields, place));
    (wire.signal == died_of).then_some(Delivery { code: wire.info_code, words })
}

/// What the siginfo of a signal is when it is taken from the queue, as far as that is known when it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuedInfo {
    code: i32,
    words: [Option<u32>; 2],
}

impl QueuedInfo {
    /// Of this signal.
    pub fn of(snapshot: &Snapshot<'_>) -> Self {
        match snapshot.info {
            // the kernel makes one of the sender's pid, as the target counts
            SigInfo::None => {
                let sender = snapshot.current_process().filter(|_| snapshot.target.namespace_level == 0);
                Self { code: SI_USER, words: [sender.map(|sender| sender.pid), None] }
            }
            SigInfo::Kernel => Self { code: SI_KERNEL, words: [Some(0), None] },
            SigInfo::Given { code, fields } => {
                // the overrun of a timer is written when its signal is taken
                let second = (code != SI_TIMER).then(|| word(&fields, 1));
                Self { code, words: [Some(word(&fields, 0)), second] }
            }
        }
    }

    /// Can this be what was taken?
    pub fn fits(&self, delivery: &Delivery) -> bool {
        self.code == delivery.code
            && self
                .words
                .iter()
                .zip(delivery.words)
                .all(|(known, taken)| known.is_none_or(|word| word == taken))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::ProcessFacts;

    fn sent_by(pid: u32, info: SigInfo) -> QueuedInfo {
        let process = |pid| ProcessFacts::named(pid, b"x");
        QueuedInfo::of(&Snapshot { info, ..Snapshot::between(process(pid), process(9)) })
    }

    fn given(code: i32, first: u32, second: u32) -> SigInfo {
        let mut fields = [0; 16];
        fields[..4].copy_from_slice(&first.to_ne_bytes());
        fields[4..8].copy_from_slice(&second.to_ne_bytes());
        SigInfo::Given { code, fields }
    }

    #[test]
    fn a_siginfo_fits_its_own_signal_alone() {
        let taken = |code, words| Delivery { code, words };
        for (info, fits, delivery) in [
            (SigInfo::None, true, taken(SI_USER, [7, 1000])),
            (SigInfo::None, false, taken(SI_USER, [8, 1000])),
            (SigInfo::None, false, taken(SI_KERNEL, [0, 0])),
            (SigInfo::Kernel, true, taken(SI_KERNEL, [0, 0])),
            (given(SI_USER, 7, 1000), true, taken(SI_USER, [7, 1000])),
            (given(SI_USER, 7, 1000), false, taken(SI_USER, [7, 1001])),
            (given(SI_TIMER, 3, 0), true, taken(SI_TIMER, [3, 12])),
            (given(SI_TIMER, 3, 0), false, taken(SI_TIMER, [4, 0])),
        ] {
            assert_eq!(sent_by(7, info).fits(&delivery), fits, "{info:?} {delivery:?}");
        }
    }

    #[test]
    fn what_was_taken_before_another_signal_is_not_what_it_died_of() {
        let wire = WireDelivery {
            signal: 15,
            info_code: SI_USER,
            info_fields: [7, 0, 0, 0, 0, 0, 0, 0],
            ..<_>::default()
        };
        assert_eq!(decode(&wire, 15).map(|delivery| delivery.words), Some([7, 0]));
        assert_eq!(decode(&wire, 9), None);
        assert_eq!(decode(&WireDelivery::default(), 9), None);
    }
}
