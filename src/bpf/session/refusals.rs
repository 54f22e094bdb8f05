//! What found no room in the ring: signals and attempts that were counted with others that are the same, and by whom the rest
//! was lost. Taken out of the kernel's maps by generation, so that nothing is counted twice and nothing escapes.

use std::mem::{offset_of, size_of};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use libbpf_rs::{MapCore, MapFlags, MapMut};
use plain::Plain;

use super::{Missed, Session, Totals};
use crate::bpf::blocked_signals::with_signals_blocked;
use crate::record::Comm;
use crate::wire::{Kind, Loss, LossKey, Repeat, RepeatKey, WireAttempt, WireNamed, WireSignal};

/// How often a generation ends.
const EVERY: Duration = Duration::from_secs(1);

/// What was refused.
#[derive(Debug, Default)]
pub struct Refusals {
    /// What is counted together.
    pub repeats: Vec<Repeats>,
    /// What is lost, by class.
    pub losses: Vec<ClassLoss>,
}

/// Signals or attempts that are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeats {
    /// The record of one of them, of the time of the last.
    pub record: Vec<u8>,
    /// How many there were.
    pub count: u64,
    /// When the first was (boot time, ns).
    pub first: u64,
}

/// What one class lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassLoss {
    /// How many records.
    pub count: u64,
    /// A process of the class, the one that lost more than half of it, if one did: its real user,
    pub uid: u32,
    /// its cgroup of the default hierarchy,
    pub cgroup: u64,
    /// its pid,
    pub pid: u32,
    /// and its name.
    pub comm: Comm,
}

/// Takes out what was refused.
#[derive(Debug)]
pub struct RefusalReader<'a> {
    generation: &'a AtomicU32,
    /// Until the programs that may know the generation before have ended.
    grace: Option<JoinHandle<()>>,
    looked_at: Instant,
    /// What had been refused when the last generation ended.
    refused: RefusedCounts,
    /// The same of the last that was taken out: its authors are known.
    taken: RefusedCounts,
}

/// How much was refused so far, whatever became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct RefusedCounts {
    folded: u64,
    signals: u64,
    attempts: u64,
    ends: u64,
    requests: u64,
    cgroups: u64,
}

impl RefusedCounts {
    fn of(totals: &Totals) -> Self {
        Self {
            folded: totals.folded + totals.attempts.folded,
            signals: totals.ring_full,
            attempts: totals.attempts.dropped,
            ends: totals.ends.dropped,
            requests: totals.requests.dropped,
            cgroups: totals.cgroups.dropped,
        }
    }
}

impl<'a> RefusalReader<'a> {
    /// Of a session; `generation` is the word that its programs read.
    pub(super) fn new(generation: &'a AtomicU32) -> Self {
        Self {
            generation,
            grace: None,
            looked_at: Instant::now(),
            refused: RefusedCounts::default(),
            taken: RefusedCounts::default(),
        }
    }

    /// Something is about to be taken out.
    pub fn is_waiting(&self) -> bool {
        self.grace.is_some()
    }

    /// The totals without losses of which the authors are not known yet.
    pub fn without_new_losses(&self, totals: Totals) -> Totals {
        let RefusedCounts { folded: _, signals, attempts, ends, requests, cgroups } = self.taken;
        let mut known = totals;
        known.ring_full = signals;
        known.attempts.dropped = attempts;
        known.ends.dropped = ends;
        known.requests.dropped = requests;
        known.cgroups.dropped = cgroups;
        known
    }

    /// Takes out what was refused, at most once a second; `last`, when no program runs any more, all of it.
    pub fn take(&mut self, session: &Session<'_>, last: bool) -> Option<Refusals> {
        if last {
            self.grace = None;
            self.taken = session.refused();
            return Some(take_out(session, u64::MAX));
        }
        if self.grace.is_none() {
            if self.looked_at.elapsed() < EVERY {
                return None;
            }
            self.looked_at = Instant::now();
            if session.refused() == self.refused {
                return None;
            }
            self.generation.fetch_add(1, Ordering::SeqCst);
            // and only then: what is counted in the generation before is in these
            self.refused = session.refused();
            self.grace = wait_for_programs();
        }
        if self.grace.as_ref().is_some_and(|grace| !grace.is_finished()) {
            return None;
        }
        self.grace = None;
        self.taken = self.refused;
        Some(take_out(session, u64::from(self.generation.load(Ordering::Relaxed))))
    }
}

impl Session<'_> {
    fn refused(&self) -> RefusedCounts {
        RefusedCounts::of(&Totals::of(&self.counters.sum(), Missed::default()))
    }
}

/// Ends when every program has ended that was running: programs run inside RCU's read side. None: it has ended already.
fn wait_for_programs() -> Option<JoinHandle<()>> {
    let wait = || {
        // SAFETY: no memory is handed over. `MEMBARRIER_CMD_GLOBAL` is an RCU grace period.
        let result = unsafe { libc::syscall(libc::SYS_membarrier, libc::MEMBARRIER_CMD_GLOBAL, 0, 0) };
        if result != 0 {
            // refused where CPUs run without ticks: a program takes microseconds
            thread::sleep(EVERY);
        }
    };
    let thread = thread::Builder::new().name("grace".to_owned());
    // it is no thread that signals to this process are for
    with_signals_blocked(|| thread.spawn(wait)).inspect_err(|_| wait()).ok()
}

/// Takes out the elements of the generations before this one.
fn take_out(session: &Session<'_>, before: u64) -> Refusals {
    let maps = &session.skel.maps;
    let repeats = elements(&maps.repeats, |key: &RepeatKey| key.generation < before);
    let losses = elements(&maps.losses, |key: &LossKey| key.generation < before);
    Refusals {
        repeats: repeats.filter_map(|bytes| repeats_of(&bytes)).collect(),
        losses: losses.filter_map(|bytes| loss_of(&bytes)).collect(),
    }
}

fn elements<'m, K: Plain + Default>(
    map: &'m MapMut<'_>,
    is_wanted: impl Fn(&K) -> bool,
) -> impl Iterator<Item = Vec<u8>> + 'm {
    let is_wanted = |bytes: &[u8]| {
        let mut key = K::default();
        key.copy_from_bytes(bytes).is_ok() && is_wanted(&key)
    };
    // first all keys: where one was deleted, the walk would begin again
    let keys: Vec<Vec<u8>> = map.keys().filter(|key| is_wanted(key)).collect();
    keys.into_iter().filter_map(|key| {
        let value = map.lookup(&key, MapFlags::ANY).ok().flatten();
        // the kernel's own look-up and deletion in one is younger (5.14) and no surer: nobody writes to it any more
        let _ = map.delete(&key);
        value
    })
}

fn repeats_of(bytes: &[u8]) -> Option<Repeats> {
    let mut repeat = Repeat::default();
    repeat.copy_from_bytes(bytes).ok()?;
    let of_attempt =
        if Kind(repeat.signal.kind.into()) == Kind::RECORD_ATTEMPT { size_of::<WireAttempt>() } else { 0 };
    let length = size_of::<WireSignal>() + 2 * size_of::<WireNamed>() + size_of::<u64>() + of_attempt;
    let mut record = bytes.get(..length)?.to_vec();
    let time = offset_of!(WireSignal, time);
    record.get_mut(time..time + 8)?.copy_from_slice(&repeat.last.to_ne_bytes());
    Some(Repeats { record, count: repeat.count, first: repeat.signal.time })
}

fn loss_of(bytes: &[u8]) -> Option<ClassLoss> {
    let mut loss = Loss::default();
    loss.copy_from_bytes(bytes).ok()?;
    let comm = loss.comm.split(|&byte| byte == 0).next().unwrap_or_default();
    // a class that has lost nothing was counted with others
    (loss.count > 0).then(|| ClassLoss {
        count: loss.count,
        uid: loss.uid,
        cgroup: loss.cgroup,
        pid: loss.tgid,
        comm: Comm::from(comm),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{self, Record};
    use crate::wire::{Behind, ProcessFlag, VERSION, bytes_of};

    fn repeat(kind: Kind, of_attempt: usize) -> Repeat {
        let mut repeat = Repeat::default();
        let length = size_of::<WireSignal>() + 2 * size_of::<WireNamed>() + size_of::<u64>() + of_attempt;
        (repeat.signal.version, repeat.signal.kind, repeat.signal.length) =
            (VERSION, kind.0 as u16, length as u32);
        (repeat.signal.signal, repeat.signal.time, repeat.signal.joins_at) = (15, 5, u8::MAX);
        repeat.signal.behind = Behind::BEHIND_LAST_FAULT.0 as u8;
        for (named, tgid) in repeat.process.iter_mut().zip([7, 9]) {
            (named.process.tgid, named.process.flags) = (tgid, ProcessFlag::PROCESS_NAMED.0);
        }
        repeat.attempt.returned = -1;
        (repeat.count, repeat.last) = (4711, 6);
        repeat
    }

    #[test]
    fn what_is_counted_together_is_a_record_of_the_last() {
        let repeats = repeats_of(bytes_of(&repeat(Kind::RECORD_SIGNAL, 0))).unwrap();
        assert_eq!((repeats.count, repeats.first), (4711, 5));
        let Ok(Record::Signal(snapshot)) = record::decode(&repeats.record) else { panic!("no signal") };
        assert_eq!((snapshot.time, snapshot.signal), (6, 15));
        assert_eq!(snapshot.target_process().unwrap().pid, 9);
        let repeats = repeats_of(bytes_of(&repeat(Kind::RECORD_ATTEMPT, size_of::<WireAttempt>()))).unwrap();
        let Ok(Record::Attempt(attempt)) = record::decode(&repeats.record) else { panic!("no attempt") };
        assert_eq!((attempt.facts.time, attempt.returned), (6, -1));
        assert!(repeats_of(&[0; 8]).is_none());
    }

    #[test]
    fn who_lost_nothing_is_no_author() {
        let mut loss = Loss { uid: 1000, tgid: 7, repeats: 3, ..Loss::default() };
        assert_eq!(loss_of(bytes_of(&loss)), None);
        loss.count = 2;
        loss.comm[..3].copy_from_slice(b"yes");
        let of_class = loss_of(bytes_of(&loss)).unwrap();
        assert_eq!((of_class.count, of_class.uid, of_class.pid, &*of_class.comm), (2, 1000, 7, &b"yes"[..]));
    }
}
