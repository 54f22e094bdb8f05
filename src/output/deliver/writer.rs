//! A destination with a thread of its own: the thread that makes lines never waits for a disk or a pipe. What may wait is decided by
//! the output, which learns here what was written. What happens when a write fails is in `failed_write.rs`.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::destination::Destination;
use super::destination_name::DestinationName;
use super::failed_write::WriteOutcome;
use super::ledger::Fate;
use super::queue::{Job, Queue, SPARE_BUFFER};

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
    /// Events that are not known to be written.
    unwritten: AtomicU64,
    /// Of these, those that found no room.
    refused: AtomicU64,
    /// Some found none because the file grows as fast as it may.
    is_rate_limited: AtomicBool,
    /// Buffers of lines that are done with.
    done: AtomicU64,
    /// Nobody writes (any more).
    is_dead: AtomicBool,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes on a thread of its own, which begins with the first lines: it has no more rights than its maker has then.
#[derive(Debug)]
pub struct Writer {
    name: DestinationName,
    destination: Option<Destination>,
    /// Its place among the outputs.
    place: usize,
    is_regular: bool,
    shared: Arc<Shared>,
    /// Bytes that the destination has taken.
    taken: Arc<AtomicU64>,
}

impl Writer {
    /// Of an open destination, at this place among the outputs.
    pub fn new(destination: Destination, place: usize) -> Self {
        Self {
            name: destination.name().clone(),
            place,
            is_regular: destination.is_regular(),
            taken: destination.taken(),
            destination: Some(destination),
            shared: Arc::default(),
        }
    }

    /// What was named.
    pub fn name(&self) -> &DestinationName {
        &self.name
    }

    /// It is a file on a disk.
    pub fn is_regular(&self) -> bool {
        self.is_regular
    }

    /// Nobody writes any more.
    pub fn is_dead(&self) -> bool {
        self.shared.is_dead.load(Ordering::Acquire)
    }

    /// How many of the buffers that were handed over are done with.
    pub fn done(&self) -> u64 {
        self.shared.done.load(Ordering::Acquire)
    }

    /// Events that found no room.
    pub fn refused(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// Events that are not known to be written, those that wait among them.
    pub fn unwritten(&self) -> u64 {
        let waiting = self.shared.queue().events;
        self.shared.unwritten.load(Ordering::Relaxed) + waiting
    }

    /// Events for which there was no room.
    pub fn refuse(&self, events: u64, is_rate_limited: bool) {
        // the writer says so, when it can: here a log could be stuck in the same pipe
        self.shared.is_rate_limited.fetch_or(is_rate_limited, Ordering::Relaxed);
        self.shared.refused.fetch_add(events, Ordering::Relaxed);
        self.shared.unwritten.fetch_add(events, Ordering::Relaxed);
    }

    /// Hands lines over, which are so many events; an empty buffer is left.
    pub fn send(&mut self, lines: &mut Vec<u8>, events: u64, fate: Arc<Fate>) {
        self.start();
        let mut queue = self.shared.queue();
        if self.is_dead() {
            drop(queue);
            lines.clear();
            self.shared.unwritten.fetch_add(events, Ordering::Relaxed);
            self.shared.done.fetch_add(1, Ordering::Release);
            fate.settle(self.place, WriteOutcome::Failed);
            return;
        }
        // about as much will be wanted again
        let spare = queue
            .take_spare()
            .unwrap_or_else(|| Vec::with_capacity((lines.len() + lines.len() / 8).min(SPARE_BUFFER)));
        let lines = std::mem::replace(lines, spare);
        queue.events += events;
        queue.jobs.push_back(Job::Write { lines, events, fate });
        drop(queue);
        self.shared.changed.notify_all();
    }

    /// Reopens a file, behind what was handed over before.
    pub fn reopen(&mut self) {
        self.start();
        let mut queue = self.shared.queue();
        if !self.is_dead() {
            queue.jobs.push_back(Job::Reopen);
        }
        drop(queue);
        self.shared.changed.notify_all();
    }

    /// Waits until everything is written. Somebody in a hurry waits only as long as something of it is taken now and then.
    /// False: it stopped waiting.
    pub fn wait(&self, is_in_a_hurry: impl Fn() -> bool, patience: Duration) -> bool {
        let progress = || self.taken.load(Ordering::Relaxed);
        self.wait_while(&progress, &is_in_a_hurry, patience)
    }

    /// The same for a moment at most.
    pub fn wait_for(&self, moment: Duration) -> bool {
        self.wait_while(&|| 0, &|| true, moment)
    }

    fn wait_while(
        &self,
        progress: &dyn Fn() -> u64,
        is_in_a_hurry: &dyn Fn() -> bool,
        patience: Duration,
    ) -> bool {
        let mut taken = progress();
        let mut since = Instant::now();
        let mut queue = self.shared.queue();
        while queue.events > 0 || !queue.jobs.is_empty() {
            let now_taken = progress();
            if now_taken != taken || !is_in_a_hurry() {
                (taken, since) = (now_taken, Instant::now());
            } else if since.elapsed() >= patience {
                return false;
            }
            let waited = self.shared.changed.wait_timeout(queue, Duration::from_millis(20));
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn start(&mut self) {
        let Some(mut destination) = self.destination.take() else { return };
        let shared = Arc::clone(&self.shared);
        let (name, place) = (self.name.clone(), self.place);
        let started = std::thread::Builder::new().name("writer".to_owned()).spawn(move || {
            let guard = ThreadGuard { shared, place };
            write_all(&guard, &mut destination, &name);
        });
        if let Err(error) = started {
            self.shared.is_dead.store(true, Ordering::Release);
            tracing::error!(%error, "cannot start the thread that writes to {}: nothing is written there", self.name);
        }
    }
}

/// The thread: when it ends, whatever way, nothing waits for it any more.
struct ThreadGuard {
    shared: Arc<Shared>,
    place: usize,
}

impl Drop for ThreadGuard {
    fn drop(&mut self) {
        let mut queue = self.shared.queue();
        self.shared.is_dead.store(true, Ordering::Release);
        self.shared.unwritten.fetch_add(std::mem::take(&mut queue.events), Ordering::Relaxed);
        for job in std::mem::take(&mut queue.jobs) {
            if let Job::Write { fate, .. } = job {
                self.shared.done.fetch_add(1, Ordering::Release);
                fate.settle(self.place, WriteOutcome::Failed);
            }
        }
        drop(queue);
        self.shared.changed.notify_all();
    }
}

/// What the thread does, until the process ends.
fn write_all(guard: &ThreadGuard, destination: &mut Destination, name: &DestinationName) {
    let shared = &*guard.shared;
    let mut has_said = false;
    loop {
        let mut queue = shared.queue();
        let job = loop {
            match queue.jobs.pop_front() {
                Some(job) => break job,
                None => queue = shared.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
            }
        };
        drop(queue);
        match job {
            Job::Reopen => destination.reopen(),
            Job::Write { mut lines, events, fate } => {
                let written = destination.write(&lines, events);
                if written != WriteOutcome::Whole {
                    shared.unwritten.fetch_add(events, Ordering::Relaxed);
                }
                fate.settle(guard.place, written);
                if !has_said && shared.refused.load(Ordering::Relaxed) > 0 {
                    has_said = true;
                    if shared.is_rate_limited.load(Ordering::Relaxed) {
                        tracing::warn!(
                            "{name} grows as fast as --max-rate allows: dropping lines (counted as unprinted)"
                        );
                    } else {
                        tracing::warn!("{name} is too slow: dropping lines (counted as unprinted)");
                    }
                }
                lines.clear();
                let mut queue = shared.queue();
                queue.events -= events;
                queue.keep_spare(lines);
                drop(queue);
                shared.done.fetch_add(1, Ordering::Release);
            }
        }
        shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};
    use std::os::unix::net::UnixStream;

    use super::super::ledger::{Counts, Ledger, OutputSet, Stake};
    use super::*;

    const NEVER: Duration = Duration::from_secs(60);

    /// A destination with a reader: both ends.
    fn pipe() -> (Writer, UnixStream) {
        let (reader, writer) = UnixStream::pair().unwrap();
        (Writer::new(Destination::to(writer), 0), reader)
    }

    fn counts(signals: u64) -> Counts {
        Counts { signals, attempts: 0 }
    }

    /// Of lines of the first outputs, each of one event or of many folded ones.
    fn fate(counts: Counts, destinations: usize, ledger: &Arc<Ledger>) -> Arc<Fate> {
        let mut outputs = OutputSet::default();
        (0..destinations).for_each(|place| outputs.add(place));
        Fate::new(vec![(outputs, Stake::of(counts))], destinations, Arc::clone(ledger))
    }

    #[test]
    fn lines_come_in_their_order_and_are_counted() {
        let (mut writer, mut reader) = pipe();
        let ledger = Arc::new(Ledger::default());
        for line in ["one\n", "two\n", "three\n"] {
            let counts = Counts { signals: 1, attempts: 1 };
            writer.send(&mut line.as_bytes().to_vec(), 2, fate(counts, 1, &ledger));
        }
        assert!(writer.wait(|| false, NEVER));
        let mut read = [0; 14];
        reader.read_exact(&mut read).unwrap();
        assert_eq!(&read, b"one\ntwo\nthree\n");
        assert_eq!(ledger.printed(), Counts { signals: 3, attempts: 3 });
        assert_eq!((ledger.unprinted(), writer.unwritten()), (counts(0), 0));
    }

    #[test]
    fn handing_over_never_waits_and_what_is_done_is_known() {
        let (mut writer, mut reader) = pipe();
        let ledger = Arc::new(Ledger::default());
        for _ in 0..8 {
            writer.send(&mut vec![b'\n'; 1 << 20], 1, fate(counts(1), 1, &ledger));
        }
        writer.refuse(5, false);
        assert!(!writer.wait(|| true, Duration::from_millis(50)), "nobody reads");
        assert_eq!((writer.unwritten(), writer.done()), (13, 0));
        std::thread::spawn(move || io::copy(&mut reader, &mut io::sink()));
        assert!(writer.wait(|| true, NEVER));
        assert_eq!((ledger.printed(), ledger.unprinted()), (counts(8), counts(0)));
        assert_eq!((writer.unwritten(), writer.refused(), writer.done()), (5, 5, 8));
    }

    #[test]
    fn what_is_folded_fares_as_the_line_that_counts_it() {
        for (goes, expected) in [(false, (1, 6, 0)), (true, (0, 0, 7))] {
            let (mut writer, reader) = pipe();
            let reader = (!goes).then_some(reader);
            let ledger = Arc::new(Ledger::default());
            writer.send(&mut b"x\n".to_vec(), 1, fate(counts(7), 1, &ledger));
            assert!(writer.wait(|| false, NEVER));
            let of = (ledger.printed().signals, ledger.folded().signals, ledger.unprinted().signals);
            assert_eq!(of, expected);
            drop(reader);
        }
    }

    #[test]
    fn what_one_output_alone_has_is_lost_with_it() {
        let (mut good, _reader) = pipe();
        let (mut gone, reader) = pipe();
        (gone.place, good.place) = (0, 1);
        drop(reader);
        let ledger = Arc::new(Ledger::default());
        let mut both = OutputSet::of(0);
        both.add(1);
        let stakes = vec![
            (both, Stake::of(counts(1))),
            (OutputSet::of(0), Stake::of(counts(5))),
            (OutputSet::of(1), Stake::of(counts(3))),
        ];
        let fate = Fate::new(stakes, 2, Arc::clone(&ledger));
        gone.send(&mut b"x\n".to_vec(), 4, Arc::clone(&fate));
        good.send(&mut b"x\n".to_vec(), 4, fate);
        assert!(gone.wait(|| false, NEVER) && good.wait(|| false, NEVER));
        assert_eq!(
            (ledger.printed(), ledger.folded(), ledger.unprinted()),
            (counts(2), counts(2), counts(5))
        );
    }

    #[test]
    fn one_destination_that_takes_it_is_enough() {
        let (mut good, _reader) = pipe();
        let (mut gone, reader) = pipe();
        drop(reader);
        let ledger = Arc::new(Ledger::default());
        (gone.place, good.place) = (0, 1);
        let fate = fate(counts(4), 2, &ledger);
        gone.send(&mut b"x\n".to_vec(), 4, Arc::clone(&fate));
        good.send(&mut b"x\n".to_vec(), 4, fate);
        assert!(gone.wait(|| false, NEVER) && good.wait(|| false, NEVER));
        assert_eq!(
            (ledger.printed(), ledger.folded(), ledger.unprinted()),
            (counts(1), counts(3), counts(0))
        );
        assert!(ledger.is_closed());
        assert_eq!((gone.unwritten(), good.unwritten()), (4, 0));
    }

    #[test]
    fn nobody_waits_for_a_writer_that_is_gone() {
        struct Bomb;
        impl std::io::Write for Bomb {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                panic!("on purpose")
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut writer = Writer::new(Destination::to(Bomb), 0);
        let ledger = Arc::new(Ledger::default());
        for _ in 0..3 {
            writer.send(&mut b"x\n".to_vec(), 1, fate(counts(1), 1, &ledger));
            assert!(writer.wait(|| false, NEVER));
        }
        writer.reopen();
        assert!(writer.wait(|| false, NEVER) && writer.is_dead());
        assert_eq!((writer.unwritten(), ledger.printed()), (3, counts(0)));
    }

    #[test]
    fn a_file_is_reopened_behind_what_was_handed_over_before() {
        let directory = tempfile::tempdir().unwrap();
        let (path, moved) = (directory.path().join("log"), directory.path().join("log.1"));
        let opener = Arc::new(super::super::opener::Opener::here(std::slice::from_ref(&path)));
        let mut writer =
            Writer::new(Destination::open(DestinationName::File(path.clone()), &opener, 0).unwrap(), 0);
        let ledger = Arc::new(Ledger::default());
        let send = |writer: &mut Writer, line: &str| {
            writer.send(&mut line.as_bytes().to_vec(), 1, fate(counts(1), 1, &ledger));
        };
        std::fs::rename(&path, &moved).unwrap();
        send(&mut writer, "one\n");
        writer.reopen();
        send(&mut writer, "two\n");
        assert!(writer.wait(|| false, NEVER));
        assert_eq!(std::fs::read_to_string(moved).unwrap(), "one\n");
        assert_eq!(std::fs::read_to_string(path).unwrap(), "two\n");
    }

    /// A reader takes all of it in more than the patience, a piece at a time: whether that was waited for, and the longest time in
    /// which nothing was taken, as it seems from here.
    fn write_slowly(patience: Duration) -> (bool, Duration) {
        let (mut writer, mut reader) = pipe();
        let ledger = Arc::new(Ledger::default());
        let is_over = Arc::new(AtomicBool::new(false));
        let (taken, over) = (Arc::clone(&writer.taken), Arc::clone(&is_over));
        let watch = std::thread::spawn(move || {
            let (mut last, mut since, mut longest) = (0, Instant::now(), Duration::ZERO);
            while !over.load(Ordering::Acquire) {
                let now = taken.load(Ordering::Relaxed);
                longest = longest.max(since.elapsed());
                if now != last {
                    (last, since) = (now, Instant::now());
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            longest
        });
        let began = Instant::now();
        writer.send(&mut vec![b'\n'; 1 << 20], 1, fate(counts(1), 1, &ledger));
        std::thread::spawn(move || {
            let mut some = [0; 16 << 10];
            while reader.read(&mut some).is_ok_and(|count| count > 0) {
                std::thread::sleep(patience / 25);
            }
        });
        let was_waited_for = writer.wait(|| true, patience);
        assert!(!was_waited_for || began.elapsed() > patience, "it was not slow: nothing was tested");
        is_over.store(true, Ordering::Release);
        (was_waited_for, watch.join().unwrap())
    }

    #[test]
    fn slow_is_not_stuck() {
        let mut patience = Duration::from_millis(150);
        loop {
            let (was_waited_for, longest) = write_slowly(patience);
            if was_waited_for {
                return;
            }
            // or the machine was held up for longer than the patience, and the writer was right
            assert!(
                longest >= patience,
                "stopped after {patience:?}, and something was accepted every {longest:?}"
            );
            patience *= 2;
            assert!(patience < NEVER, "too slow a machine");
        }
    }
}
