//! Signals that wait for another record: one that met a process in the middle of execve for the command line that the exec
//! hook sends after it, a SIGKILL that may be the OOM killer's for the record of its victim. The end of a process waits for
//! the signals to it that wait: in no output does an end come before the signal that caused it.
//!
//! Memory is bounded; a signal that waits too long, or for which there is no room, goes on without.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::event::origin::AttributedSignal;
use crate::record::{
    Argv, EndFacts, Gap, IdentityFacts, Image, OomFacts, ProcessFacts, ProcessKey, Snapshot,
};

/// An execve has so long from its point of no return to its end. A line is to be out within 100 ms.
pub const WAIT_AT_MOST: Duration = Duration::from_millis(50);
/// So many bytes of signals and ends wait at a time, with what came for them.
const ROOM: usize = 4 * 1024 * 1024;
/// So many command lines, of so many bytes, are kept for a signal still to come: it asks for one early while its record is
/// made, and the answer may be in the ring before it.
const EARLY: usize = 128;
const EARLY_ROOM: usize = 1024 * 1024;
/// So many ended processes are remembered: two threads may both see the end of their process.
const ENDED: usize = 64;

/// A signal that waits.
#[derive(Debug)]
struct PendingSignal {
    id: u64,
    /// Pid and start of its target.
    target: ProcessKey,
    since: Instant,
    signal: AttributedSignal<'static>,
    /// The images that it waits for.
    images: Vec<Image>,
    /// Their command lines, as they came.
    found: Vec<IdentityFacts<'static>>,
    /// What may be the OOM killer's victim, until that is known.
    victim: Option<Victim>,
    /// Bytes that it holds.
    bytes: usize,
}

impl PendingSignal {
    fn is_whole(&self) -> bool {
        self.images.is_empty() && self.victim.is_none()
    }

    /// Keeps it if it is awaited and needs no more bytes than that; how many it needed.
    fn on_identity(&mut self, identity: &IdentityFacts<'_>, room: usize) -> usize {
        let bytes = identity.size();
        if !self.images.contains(&identity.image) || bytes > room {
            return 0;
        }
        // one process may stand in a record twice: as the target, and above the source
        self.images.retain(|image| *image != identity.image);
        self.found.push(identity.clone().into_owned());
        self.bytes += bytes;
        bytes
    }
}

/// What waits no more, in the order in which it is to be printed.
#[derive(Debug)]
pub enum Ready {
    /// A signal.
    Signal(ReadySignal),
    /// The end that came behind it.
    End(Box<EndFacts<'static>>),
}

/// A signal that waits no more, and what is to be put in.
#[derive(Debug)]
pub struct ReadySignal {
    /// Its id.
    pub id: u64,
    signal: AttributedSignal<'static>,
    found: Vec<IdentityFacts<'static>>,
}

impl ReadySignal {
    /// The signal, with the command lines that came for it.
    pub fn complete(self) -> AttributedSignal<'static> {
        let mut signal = self.signal;
        for process in &mut signal.snapshot.processes {
            if is_awaited(&process.argv) {
                if let Some(identity) = self.found.iter().find(|found| found.image == process.image()) {
                    // all that execve changes, or it would be a mixture of two images
                    process.argv = identity.argv.clone();
                    process.comm = identity.comm.clone();
                    process.uid = identity.uid;
                    if let Some(subject) = &mut process.subject {
                        subject.exe.clone_from(&identity.exe);
                    }
                }
            }
        }
        signal
    }
}

/// The signals that wait.
#[derive(Debug, Default)]
pub struct PendingSignals {
    waiting: VecDeque<PendingSignal>,
    /// Ends of processes that a waiting signal was sent to.
    ends: VecDeque<PendingEnd>,
    bytes: usize,
    /// Command lines that no signal waits for, or not only.
    early: VecDeque<IdentityFacts<'static>>,
    early_bytes: usize,
    /// Pid and start of ended processes; of a thread that ended alone its id.
    ended: VecDeque<(u32, u64, Option<u32>)>,
}

/// The end of a process that waits for the signals to it.
#[derive(Debug)]
struct PendingEnd {
    /// Pid and start.
    key: ProcessKey,
    end: Box<EndFacts<'static>>,
    /// Bytes that it holds.
    bytes: usize,
}

fn is_awaited(argv: &Argv<'_>) -> bool {
    matches!(argv, Argv::Missing(Gap::MidExec | Gap::ExecRace))
}

impl PendingSignals {
    /// Keeps a signal that lacks what another record has; the signals that now lack nothing more.
    ///
    /// # Errors
    /// The signal, if it lacks nothing of that kind, or there is no room for another.
    pub fn hold<'a>(
        &mut self,
        id: u64,
        signal: AttributedSignal<'a>,
        now: Instant,
    ) -> Result<Vec<Ready>, AttributedSignal<'a>> {
        let snapshot = &signal.snapshot;
        let awaited = snapshot.processes.iter().filter(|process| is_awaited(&process.argv));
        let images: Vec<Image> = awaited.map(ProcessFacts::image).collect();
        let victim = signal.verdict.may_be_oom.then(|| victim_of(snapshot)).flatten();
        if images.is_empty() && victim.is_none() {
            return Err(signal);
        }
        let bytes = snapshot.size();
        let Some(target) = target_key(snapshot).filter(|_| self.bytes + bytes <= ROOM) else {
            return Err(signal);
        };
        let mut waiting = PendingSignal {
            id,
            target,
            since: now,
            signal: signal.into_owned(),
            images,
            found: Vec::new(),
            victim,
            bytes,
        };
        self.bytes += bytes;
        for identity in &self.early {
            self.bytes += waiting.on_identity(identity, ROOM.saturating_sub(self.bytes));
        }
        self.waiting.push_back(waiting);
        Ok(self.take(PendingSignal::is_whole))
    }

    /// Keeps the OOM killer's record; the signals that now lack nothing more.
    pub fn on_oom(&mut self, oom: &OomFacts) -> Vec<Ready> {
        for waiting in &mut self.waiting {
            if waiting.victim.is_some_and(|victim| victim.is_of(oom)) {
                waiting.victim = None;
                waiting.signal.attach_oom(oom.clone());
            }
        }
        self.take(PendingSignal::is_whole)
    }

    /// Keeps the end of a process that a waiting signal was sent to.
    ///
    /// # Errors
    /// The end, if there is no such signal, or no room: it is to be printed now.
    pub fn hold_end<'a>(&mut self, end: Box<EndFacts<'a>>) -> Result<(), Box<EndFacts<'a>>> {
        let Some(key) = end.processes.first().map(ProcessFacts::key) else {
            return Err(end);
        };
        let bytes = end.size();
        if !self.waiting.iter().any(|waiting| waiting.target == key) || self.bytes + bytes > ROOM {
            return Err(end);
        }
        self.bytes += bytes;
        self.ends.push_back(PendingEnd { key, end: Box::new(end.into_owned()), bytes });
        Ok(())
    }

    /// Is it the first record of this end?
    pub fn is_first_of(&mut self, end: &EndFacts<'_>) -> bool {
        let thread = end.is_thread.then_some(end.task.tid);
        let Some(key) = end.processes.first().map(|process| (process.pid, process.start, thread)) else {
            return false;
        };
        if self.ended.contains(&key) {
            return false;
        }
        if self.ended.len() >= ENDED {
            self.ended.pop_front();
        }
        self.ended.push_back(key);
        true
    }

    /// Keeps a command line; the signals that now lack nothing more.
    pub fn on_identity(&mut self, identity: &IdentityFacts<'_>) -> Vec<Ready> {
        for waiting in &mut self.waiting {
            self.bytes += waiting.on_identity(identity, ROOM.saturating_sub(self.bytes));
        }
        self.early_bytes += identity.size();
        self.early.push_back(identity.clone().into_owned());
        while self.early.len() > EARLY || self.early_bytes > EARLY_ROOM {
            let Some(oldest) = self.early.pop_front() else { break };
            self.early_bytes -= oldest.size();
        }
        self.take(PendingSignal::is_whole)
    }

    /// The signals that have waited long enough; all of them at the end.
    pub fn expire(&mut self, now: Instant, all: bool) -> Vec<Ready> {
        self.take(|waiting| all || now.duration_since(waiting.since) >= WAIT_AT_MOST)
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    fn take(&mut self, is_over: impl Fn(&PendingSignal) -> bool) -> Vec<Ready> {
        let (over, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(|one| is_over(one));
        self.waiting = waiting;
        let over: VecDeque<PendingSignal> = over;
        let mut ready: Vec<Ready> = over
            .into_iter()
            .map(|PendingSignal { id, signal, found, .. }| Ready::Signal(ReadySignal { id, signal, found }))
            .collect();
        let still_waits = |end: &PendingEnd| self.waiting.iter().any(|waiting| waiting.target == end.key);
        let (ends, over): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.ends).into_iter().partition(still_waits);
        self.ends = ends;
        ready.extend(over.into_iter().map(|waiting| Ready::End(waiting.end)));
        let waiting = self.waiting.iter().map(|waiting| waiting.bytes);
        self.bytes = waiting.chain(self.ends.iter().map(|end| end.bytes)).sum();
        ready
    }
}

/// A process that may be the OOM killer's victim.
#[derive(Debug, Clone, Copy)]
struct Victim {
    pid: u32,
    start: u64,
    /// The thread that the signal names.
    tid: u32,
    /// When the signal was sent (boot time, ns), and by which thread.
    time: u64,
    sender: u32,
}

impl Victim {
    /// The OOM killer marks its victim just after the signal, in the same thread. It also marks one that is exiting
    /// already, to which it sends nothing: then an earlier signal is not its own. Before 6.9 the kernel names no more
    /// of its victim than the id of a thread.
    fn is_of(self, oom: &OomFacts) -> bool {
        let age = oom.time.checked_sub(self.time).map(Duration::from_nanos);
        if oom.current_tid != self.sender || age.is_none_or(|age| age > WAIT_AT_MOST) {
            return false;
        }
        if oom.start == 0 {
            oom.pid == self.pid || oom.pid == self.tid
        } else {
            (oom.pid, oom.start) == (self.pid, self.start)
        }
    }
}

fn target_key(snapshot: &Snapshot<'_>) -> Option<ProcessKey> {
    snapshot.target_process().map(ProcessFacts::key)
}

fn victim_of(snapshot: &Snapshot<'_>) -> Option<Victim> {
    let target = snapshot.target_process()?;
    Some(Victim {
        pid: target.pid,
        start: target.start,
        tid: snapshot.target.tid,
        time: snapshot.time,
        sender: snapshot.current.tid,
    })
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::event::origin::{Origin, Reason};
    use crate::record::{Ending, Record, decode};
    use crate::wire::{
        Constant, Info, Kind, ProcessFlag, SignalFlag, VERSION, WireNamed, WireProcess, WireSignal, bytes_of,
    };

    /// Process 1 signals process 2, whose exec hook has yet to run; 2 is also the parent of 1.
    fn record() -> Vec<u8> {
        let process = |tgid, flags: u32| WireNamed {
            process: WireProcess {
                tgid,
                exec_id: 7,
                flags: flags | ProcessFlag::PROCESS_NAMED.0,
                ..WireProcess::default()
            },
            ..WireNamed::default()
        };
        let mid_exec = ProcessFlag::PROCESS_MID_EXEC.0;
        let processes =
            [process(1, ProcessFlag::PROCESS_NO_ARGV.0), process(2, mid_exec), process(2, mid_exec)];
        let head = WireSignal {
            version: VERSION,
            kind: Kind::RECORD_SIGNAL.0 as u16,
            length: (size_of::<WireSignal>() + 3 * size_of::<WireNamed>()) as u32,
            signal: 15,
            source_ancestors: 1,
            joins_at: Constant::JOINS_NOWHERE.0 as u8,
            max_ancestors: 16,
            ..WireSignal::default()
        };
        [bytes_of(&head), bytes_of(&processes[0]), bytes_of(&processes[1]), bytes_of(&processes[2])].concat()
    }

    fn identity(pid: u32, exec_id: u32) -> IdentityFacts<'static> {
        let argv =
            Argv::Known { bytes: Cow::Borrowed(b"new\0"), total: 4, from: crate::record::ArgvFrom::Exec };
        IdentityFacts {
            image: Image { pid, start: 0, exec_id },
            comm: Cow::Borrowed(b"new"),
            uid: 5,
            argv,
            exe: Cow::Borrowed(b"new\0"),
        }
    }

    fn read(bytes: &[u8]) -> AttributedSignal<'_> {
        let Ok(Record::Signal(snapshot)) = decode(bytes) else { panic!("not a signal") };
        AttributedSignal::new(snapshot)
    }

    /// The first that is ready: its id, and what is printed of it.
    fn signal(ready: Vec<Ready>) -> (u64, AttributedSignal<'static>) {
        match ready.into_iter().next() {
            Some(Ready::Signal(signal)) => (signal.id, signal.complete()),
            other => panic!("no signal: {other:?}"),
        }
    }

    #[test]
    fn an_end_comes_behind_the_signals_to_its_process_that_wait() {
        let mut pending = kept(Instant::now());
        let end = |pid, code| {
            let process = ProcessFacts { start: 0, ..ProcessFacts::named(pid, b"x") };
            Box::new(EndFacts::of(process, Ending::Exit(code)))
        };
        assert!(pending.hold_end(end(3, 0)).is_err(), "nothing waits for it");
        assert!(pending.hold_end(end(2, 7)).is_ok());
        let ready = pending.on_identity(&identity(2, 7));
        assert!(matches!(&ready[1..], [Ready::End(its)] if *its == end(2, 7)));
        assert_eq!(signal(ready).0, 9);
        assert_eq!((pending.bytes, pending.ends.len()), (0, 0));
        assert!(pending.hold_end(end(2, 7)).is_err(), "nothing waits any more");
        let mut pending = kept(Instant::now());
        assert!(pending.hold_end(end(2, 7)).is_ok());
        assert_eq!(pending.expire(Instant::now(), true).len(), 2, "at the end nobody waits");
    }

    fn kept(now: Instant) -> PendingSignals {
        let mut pending = PendingSignals::default();
        assert!(pending.hold(9, read(&record()), now).is_ok_and(|ready| ready.is_empty()));
        pending
    }

    #[test]
    fn a_signal_waits_for_the_image_that_it_met_and_no_other() {
        let mut pending = kept(Instant::now());
        assert!(pending.on_identity(&identity(2, 6)).is_empty(), "the image before");
        assert!(pending.on_identity(&identity(3, 7)).is_empty(), "another process");
        let ready = pending.on_identity(&identity(2, 7));
        assert_eq!(ready.len(), 1);
        let (id, signal) = signal(ready);
        assert_eq!(id, 9);
        for process in &signal.snapshot.processes[1..] {
            assert!(matches!(&process.argv, Argv::Known { bytes, .. } if **bytes == *b"new\0"));
            assert_eq!((&*process.comm, process.uid), (&b"new"[..], 5), "all of one image");
        }
        assert_eq!((pending.waiting(), pending.bytes), (0, 0));
    }

    #[test]
    fn the_command_line_may_come_before_the_signal() {
        let mut pending = PendingSignals::default();
        assert!(pending.on_identity(&identity(2, 7)).is_empty());
        let ready = pending.hold(9, read(&record()), Instant::now()).unwrap();
        assert!(matches!(signal(ready).1.snapshot.processes[1].argv, Argv::Known { .. }));
        (0..1000).for_each(|pid| assert!(pending.on_identity(&identity(pid, 1)).is_empty()));
        assert_eq!(pending.early.len(), EARLY);
    }

    #[test]
    fn a_sigkill_waits_for_what_the_oom_killer_says_of_its_victim() {
        let mut bytes = record();
        let mut head = WireSignal::default();
        plain::Plain::copy_from_bytes(&mut head, &bytes).unwrap();
        (head.signal, head.info, head.flags) = (9, Info::INFO_KERNEL.0 as u8, SignalFlag::SIGNAL_GROUP.0);
        (head.time, head.source.tid) = (1000, 1);
        bytes[..size_of::<WireSignal>()].copy_from_slice(bytes_of(&head));
        // nobody is in the middle of an execve here
        let no_argv = ProcessFlag::PROCESS_NO_ARGV.0 | ProcessFlag::PROCESS_NAMED.0;
        for place in [1, 2] {
            let at = size_of::<WireSignal>() + place * size_of::<WireNamed>();
            let flags = at + std::mem::offset_of!(WireProcess, flags);
            bytes[flags..flags + 4].copy_from_slice(&no_argv.to_ne_bytes());
        }
        let mut pending = PendingSignals::default();
        assert!(pending.hold(9, read(&bytes), Instant::now()).is_ok_and(|ready| ready.is_empty()));
        let oom = |pid, start| OomFacts {
            time: 2000,
            pid,
            start,
            current_tid: 1,
            rss_pages: Some(7),
            usage_and_limit: None,
            cgroup: Vec::new(),
            cpuset_nodes: u64::MAX,
            policy_nodes: u64::MAX,
            by_sysrq: false,
            stack: Vec::new(),
            scope: None,
        };
        assert!(pending.on_oom(&oom(3, 0)).is_empty(), "another process");
        assert!(pending.on_oom(&oom(2, 5)).is_empty(), "the same pid, another process");
        let late = 1001 + WAIT_AT_MOST.as_nanos() as u64;
        for (time, current_tid, why) in
            [(999, 1, "before the signal"), (late, 1, "late"), (2000, 4, "by another")]
        {
            assert!(pending.on_oom(&OomFacts { time, current_tid, ..oom(2, 0) }).is_empty(), "{why}");
        }
        let ready = pending.on_oom(&OomFacts { by_sysrq: true, ..oom(2, 0) });
        let (_, signal) = signal(ready);
        assert_eq!((signal.verdict.origin, signal.verdict.reason), (Origin::Oom, Some(Reason::Sysrq)));
        assert_eq!(signal.snapshot.oom.and_then(|oom| oom.rss_pages), Some(7));
        assert_eq!(pending.waiting(), 0);
    }

    #[test]
    fn an_end_is_reported_once() {
        let end = |pid| EndFacts::of(ProcessFacts::named(pid, b"x"), Ending::Exit(0));
        let mut pending = PendingSignals::default();
        assert!(pending.is_first_of(&end(1)) && !pending.is_first_of(&end(1)));
        (2..1000).for_each(|pid| assert!(pending.is_first_of(&end(pid))));
        assert_eq!(pending.ended.len(), ENDED);
    }

    #[test]
    fn it_waits_so_long_and_is_reported_without() {
        let now = Instant::now();
        let mut pending = kept(now);
        assert!(pending.expire(now, false).is_empty());
        let ready = pending.expire(now + WAIT_AT_MOST, false);
        assert_eq!(ready.len(), 1);
        assert!(matches!(signal(ready).1.snapshot.processes[1].argv, Argv::Missing(Gap::MidExec)));
        assert_eq!(kept(now).expire(now, true).len(), 1, "at the end nobody waits");
    }

    #[test]
    fn there_is_room_for_so_many_bytes() {
        let now = Instant::now();
        let mut pending = kept(now);
        let bytes = record();
        while pending.hold(1, read(&bytes), now).is_ok() {}
        assert!(pending.bytes <= ROOM && pending.bytes + read(&bytes).snapshot.size() > ROOM);
    }

    /// They are awaited by many signals, each of which keeps one.
    #[test]
    fn what_comes_for_the_signals_takes_of_the_room_as_well() {
        let now = Instant::now();
        let mut pending = kept(now);
        let bytes = record();
        for id in 0..100 {
            assert!(pending.hold(id, read(&bytes), now).is_ok());
        }
        let argv = |bytes: Vec<u8>| Argv::Known {
            total: bytes.len() as u32,
            bytes: Cow::Owned(bytes),
            from: crate::record::ArgvFrom::Exec,
        };
        let long = IdentityFacts { argv: argv(vec![b'x'; 128 * 1024]), ..identity(2, 7) };
        let whole = pending.on_identity(&long);
        assert!((20..40).contains(&whole.len()), "{}", whole.len());
        // the others go on without, flagged
        assert_eq!(whole.len() + pending.expire(now, true).len(), 101);
        for pid in 10..200 {
            pending.on_identity(&IdentityFacts { argv: argv(vec![b'x'; 128 * 1024]), ..identity(pid, 7) });
        }
        assert!(
            pending.early.iter().map(IdentityFacts::size).sum::<usize>() <= EARLY_ROOM
                && !pending.early.is_empty()
        );
        assert_eq!((pending.bytes, pending.waiting()), (0, 0));
    }
}
