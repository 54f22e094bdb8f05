//! The ring: sleep without being missed, be woken without costing the sender, drain.
//!
//! The reader's half of the handshake of `bpf/include/base/ring.h`. The state word says what the reader is
//! about to do *before* it looks at the ring one last time; the kernel side commits a record *before* it
//! looks at the word. So either the reader sees the record, or the kernel sees that it must wake.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering, fence};
use std::thread;
use std::time::{Duration, Instant};

use libbpf_rs::MapCore;
use rustix::event::epoll;

use super::mapping::Mapping;
use super::records::Records;
use crate::base::wait::timeout;
use crate::wire::ReaderState;

/// Longest wait after records came: a line is at most this late.
const TIMED_WAIT: Duration = Duration::from_millis(20);
/// So that a storm does not keep the caller from everything else.
const DRAIN_AT_MOST: usize = 4096;
/// The same where each record is slow.
const DRAIN_NO_LONGER: Duration = Duration::from_millis(30);
/// A record that is still being written by another CPU.
const BUSY_WAIT: Duration = Duration::from_millis(1);

/// See [`Ring::new`].
type OnRecord<'a> = dyn FnMut(&[u8]) -> i32 + 'a;

/// The reading end of the ring.
pub(crate) struct Ring<'a> {
    records: RefCell<Records<[Mapping; 2]>>,
    on_record: RefCell<Box<OnRecord<'a>>>,
    state: &'a AtomicU32,
    epoll: OwnedFd,
    is_cut: Cell<bool>,
    wake_at: usize,
}

impl std::fmt::Debug for Ring<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Ring").field("records", &self.records).finish_non_exhaustive()
    }
}

impl<'a> Ring<'a> {
    /// `on_record` gets each record's bytes; a negative answer ends the drain. `interrupt` becomes readable when the program
    /// is to look up from its wait.
    ///
    /// # Errors
    /// If the ring cannot be mapped or watched.
    pub(crate) fn new(
        map: &'a dyn MapCore,
        state: &'a AtomicU32,
        wake_at: usize,
        interrupt: BorrowedFd<'_>,
        on_record: impl FnMut(&[u8]) -> i32 + 'a,
    ) -> io::Result<Self> {
        let records = RefCell::new(Records::of(map.as_fd(), map.max_entries() as usize)?);
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        // Edge-triggered: only a wake-up counts, not that there is data; else a timed wait would be none.
        let wake_ups = epoll::EventFlags::IN | epoll::EventFlags::ET;
        epoll::add(&epoll, map.as_fd(), epoll::EventData::new_u64(0), wake_ups)?;
        epoll::add(&epoll, interrupt, epoll::EventData::new_u64(1), epoll::EventFlags::IN)?;
        Ok(Self {
            records,
            on_record: RefCell::new(Box::new(on_record)),
            state,
            epoll,
            is_cut: Cell::new(false),
            wake_at,
        })
    }

    /// Hands over what is there, at most [`DRAIN_AT_MOST`] records, or what can be handed over in 30 ms. Returns how many
    /// records that were, or None if `on_record` ended it.
    ///
    /// # Errors
    /// If the ring cannot be read.
    pub(crate) fn drain(&self) -> io::Result<Option<usize>> {
        let began = Instant::now();
        let on_record = &mut **self.on_record.borrow_mut();
        let count = self.records.borrow_mut().drain(DRAIN_AT_MOST, DRAIN_NO_LONGER, on_record)?;
        self.is_cut
            .set(count == Some(DRAIN_AT_MOST) || count > Some(0) && began.elapsed() >= DRAIN_NO_LONGER);
        Ok(count)
    }

    /// The last drain ended before all was handed over, perhaps: there is nothing to wait for.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut.get()
    }

    /// Waits for more. `came` says whether the last drain found anything: after records, at most
    /// [`TIMED_WAIT`] unless much comes; after none, until woken, at most `limit`.
    ///
    /// # Errors
    /// If the wait itself fails; an interrupted one counts as a wake-up.
    pub(crate) fn wait(&self, came: bool, limit: Duration) -> io::Result<()> {
        let (state, longest) = if came {
            (ReaderState::READER_TIMED_WAIT, TIMED_WAIT.min(limit))
        } else {
            (ReaderState::READER_ASLEEP, limit)
        };
        self.state.store(state.0, Ordering::SeqCst);
        // and only then is the ring looked at: a store alone does not keep a load of another place behind it
        fence(Ordering::SeqCst);
        let waiting = self.available();
        let result = if came && waiting > self.wake_at {
            Ok(())
        } else if !came && waiting > 0 {
            // It was committed after the drain, or is still being written.
            thread::sleep(BUSY_WAIT);
            Ok(())
        } else {
            self.sleep(longest)
        };
        self.state.store(ReaderState::READER_DRAINING.0, Ordering::SeqCst);
        result
    }

    fn sleep(&self, longest: Duration) -> io::Result<()> {
        let timeout = timeout(longest);
        let mut events =
            [epoll::Event { flags: epoll::EventFlags::empty(), data: epoll::EventData::new_u64(0) }; 2];
        match epoll::wait(&self.epoll, &mut events, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Bytes committed or reserved and not yet consumed.
    fn available(&self) -> usize {
        self.records.borrow().waiting()
    }
}

/// What `on_record` returns to end a drain.
pub(crate) const STOP: i32 = -libc::ECANCELED;
