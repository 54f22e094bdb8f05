//! The records in a ring, read as `kernel/bpf/ringbuf.c` writes them.
//!
//! A ring is two positions, which only grow, and data whose size is a power of two: a position's place in the data is what is
//! left of it by that size. The kernel moves the producer's, this program the consumer's. A record is a header of 8 bytes, of
//! which the first word has its length and two flags, then its bytes, then what is lacking to a multiple of 8. So a header is
//! always in one piece; the bytes of a record may go on at the beginning of the data. (libbpf maps the data twice, one behind
//! the other, so that they are in one piece all the same; then they are counted twice as memory of this process. Here they are
//! copied, once in each turn of the ring.)

use std::io;
use std::os::fd::BorrowedFd;
use std::ptr::NonNull;
use std::slice;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering, fence};
use std::time::Duration;

use super::mapping::Mapping;

/// In front of each record.
const HEADER: usize = 8;
/// It is still being written.
const BUSY: u32 = 1 << 31;
/// It was given up: its bytes mean nothing.
const DISCARDED: u32 = 1 << 30;

/// Where the positions and the data are. All that is unsafe of a ring is in here.
#[derive(Debug)]
struct Shared<M> {
    consumer: NonNull<AtomicUsize>,
    producer: NonNull<AtomicUsize>,
    data: NonNull<u8>,
    size: usize,
    /// What the pointers point into.
    _memory: M,
}

impl<M> Shared<M> {
    /// # Safety
    /// As long as `memory` lives, wherever it is moved to, the pointers point to two positions and to `size` bytes, aligned to
    /// 8; `size` is a power of two, of 8 or more. Nobody writes to the bytes between the two positions, but for those of a
    /// record that is marked as busy, nor moves the consumer's position.
    unsafe fn new(
        consumer: NonNull<AtomicUsize>,
        producer: NonNull<AtomicUsize>,
        data: NonNull<u8>,
        size: usize,
        memory: M,
    ) -> Self {
        Self { consumer, producer, data, size, _memory: memory }
    }

    /// Only this program moves it.
    fn consumed(&self) -> usize {
        // SAFETY: it points to a position, see new().
        unsafe { self.consumer.as_ref() }.load(Ordering::Relaxed)
    }

    /// What lies before this position is the kernel's again.
    fn give_back(&self, position: usize) {
        // SAFETY: as above.
        unsafe { self.consumer.as_ref() }.store(position, Ordering::Release);
    }

    /// The headers of all that lies before it can be read.
    fn produced(&self) -> usize {
        // SAFETY: as above. The page is read-only, where Rust knows no load but a relaxed one; with the fence it is as good as
        // one that acquires.
        let position = unsafe { self.producer.as_ref() }.load(Ordering::Relaxed);
        fence(Ordering::Acquire);
        position
    }

    /// The first word of the header at this position, which lies between the two. If it is not busy, its bytes can be read.
    fn length_word(&self, position: usize) -> u32 {
        let place = position & (self.size - 1) & !(HEADER - 1);
        // SAFETY: inside the data, since place < size, and aligned to 8. The kernel writes it with 32-bit stores. For the fence
        // see produced().
        let word =
            unsafe { AtomicU32::from_ptr(self.data.as_ptr().add(place).cast()) }.load(Ordering::Relaxed);
        fence(Ordering::Acquire);
        word
    }

    /// So many bytes from this position on: up to the end of the data, and what goes on at its beginning.
    ///
    /// # Safety
    /// They belong to a record between the two positions that is not busy, and the slices are gone before the consumer's
    /// position moves.
    unsafe fn bytes(&self, position: usize, length: usize) -> (&[u8], &[u8]) {
        let place = position & (self.size - 1);
        let length = length.min(self.size);
        let first = length.min(self.size - place);
        // SAFETY: both are inside the data, by the arithmetic; nobody writes to them, by the contract.
        unsafe {
            let start = self.data.as_ptr();
            (slice::from_raw_parts(start.add(place), first), slice::from_raw_parts(start, length - first))
        }
    }
}

/// The records of a ring, one after the other.
#[derive(Debug)]
pub(super) struct Records<M> {
    shared: Shared<M>,
    /// One that goes on at the beginning of the data.
    whole: Vec<u8>,
}

impl Records<[Mapping; 2]> {
    /// Those of a map whose data has `size` bytes.
    ///
    /// # Errors
    /// If the kernel refuses to map it.
    pub(super) fn of(map: BorrowedFd<'_>, size: usize) -> io::Result<Self> {
        let page = rustix::param::page_size();
        if !size.is_power_of_two() || size < page {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("a ring of {size} bytes")));
        }
        // the kernel lets nobody write to more than the first page
        let consumer = Mapping::writable(map, 0, page)?;
        let rest = Mapping::read_only(map, page as u64, page + size)?;
        let (own, producer) = (consumer.start(), rest.start());
        // SAFETY: both positions are at the beginning of a page, and the data is behind the producer's page. A mapping stays
        // where it is when its owner moves. The kernel keeps to the contract; the page of the consumer is mapped here only.
        let shared = unsafe {
            let data = producer.add(page);
            Shared::new(own.cast(), producer.cast(), data, size, [consumer, rest])
        };
        Ok(Self { shared, whole: Vec::new() })
    }
}

/// To some milliseconds, and for a few nanoseconds: it is asked for after each record.
fn coarse_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::MonotonicCoarse);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

impl<M> Records<M> {
    /// Bytes that are taken and not yet given back, headers included.
    pub(super) fn waiting(&self) -> usize {
        self.shared.produced().wrapping_sub(self.shared.consumed())
    }

    /// Hands over what is there, at most so many records, and none more after so long a time. Returns how many these were, or
    /// None if a negative answer ended it.
    ///
    /// # Errors
    /// If what is there is no ring: nothing after it can be read.
    pub(super) fn drain(
        &mut self,
        most: usize,
        longest: Duration,
        on_record: &mut dyn FnMut(&[u8]) -> i32,
    ) -> io::Result<Option<usize>> {
        let Self { shared, whole } = self;
        let mut position = shared.consumed();
        let mut produced = shared.produced();
        let began = coarse_time();
        let mut count = 0;
        while count < most && (count == 0 || coarse_time().saturating_sub(began) < longest) {
            if position == produced {
                produced = shared.produced();
                if position == produced {
                    break;
                }
            }
            let word = shared.length_word(position);
            if word & BUSY != 0 {
                break;
            }
            let length = (word & !DISCARDED) as usize;
            let taken = (HEADER + length).next_multiple_of(HEADER);
            let left = produced.wrapping_sub(position);
            if taken > left || left > shared.size {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("a record of {length} bytes, with {left} bytes in a ring of {}", shared.size),
                ));
            }
            let mut answer = 0;
            if word & DISCARDED == 0 {
                // SAFETY: between the positions, as was just seen, and not busy; it is given back below.
                let (first, rest) = unsafe { shared.bytes(position.wrapping_add(HEADER), length) };
                answer = if rest.is_empty() {
                    on_record(first)
                } else {
                    whole.clear();
                    whole.extend_from_slice(first);
                    whole.extend_from_slice(rest);
                    on_record(whole)
                };
                count += 1;
            }
            position = position.wrapping_add(taken);
            shared.give_back(position);
            if answer < 0 {
                return Ok(None);
            }
        }
        Ok(Some(count))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use proptest::prelude::*;

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    /// A ring in ordinary memory, and the kernel's side of it.
    struct Fake {
        consumer: AtomicUsize,
        producer: AtomicUsize,
        data: Vec<AtomicU64>,
    }

    impl Fake {
        /// Both positions begin here.
        fn new(size: usize, position: usize) -> Self {
            let data = (0..size / 8).map(|_| AtomicU64::new(0xeeee_eeee_eeee_eeee)).collect();
            Self { consumer: position.into(), producer: position.into(), data }
        }

        fn size(&self) -> usize {
            self.data.len() * 8
        }

        fn records(&self) -> Records<&Self> {
            let data = NonNull::from(&self.data[..]).cast();
            let (consumer, producer) = (NonNull::from(&self.consumer), NonNull::from(&self.producer));
            // SAFETY: borrowed as long as the records live; put() keeps to the contract.
            let shared = unsafe { Shared::new(consumer, producer, data, self.size(), self) };
            Records { shared, whole: Vec::new() }
        }

        fn set_word(&self, position: usize, word: u64) {
            self.data[position / 8 % self.data.len()].store(word, Ordering::Relaxed);
        }

        /// False: there is no room.
        fn put(&self, bytes: &[u8], flags: u32) -> bool {
            let position = self.producer.load(Ordering::Relaxed);
            let taken = 8 + bytes.len().next_multiple_of(8);
            let end = position.wrapping_add(taken);
            if end.wrapping_sub(self.consumer.load(Ordering::Relaxed)) > self.size() {
                return false;
            }
            // what is behind the length is the kernel's own
            self.set_word(position, 0x1234_5678 << 32 | u64::from(bytes.len() as u32 | flags));
            for (number, chunk) in bytes.chunks(8).enumerate() {
                let mut word = [0xaa; 8];
                word[..chunk.len()].copy_from_slice(chunk);
                self.set_word(position.wrapping_add(8 * (number + 1)), u64::from_ne_bytes(word));
            }
            self.producer.store(end, Ordering::Release);
            true
        }
    }

    fn drain<M>(records: &mut Records<M>, most: usize) -> (Vec<Vec<u8>>, Option<usize>) {
        let mut got = Vec::new();
        let keep = &mut |bytes: &[u8]| {
            got.push(bytes.to_vec());
            0
        };
        let count = records.drain(most, LONG, keep).unwrap();
        (got, count)
    }

    #[test]
    fn a_record_that_wraps_is_whole() {
        for position in (0..64).step_by(8).chain([usize::MAX - 7, usize::MAX - 15]) {
            let fake = Fake::new(64, position);
            let mut records = fake.records();
            // whose end is in the next turn, wherever it begins but for 0
            let bytes: Vec<u8> = (1..=53).collect();
            assert!(fake.put(&bytes, 0), "{position}");
            assert_eq!(records.waiting(), 64);
            assert_eq!(drain(&mut records, 9), (vec![bytes], Some(1)), "at {position}");
            assert_eq!(records.waiting(), 0);
        }
    }

    #[test]
    fn what_is_busy_waits_with_all_that_comes_after_it() {
        let fake = Fake::new(64, 0);
        let mut records = fake.records();
        assert!(fake.put(b"one", 0) && fake.put(b"two", BUSY) && fake.put(b"three", 0));
        assert_eq!(drain(&mut records, 9), (vec![b"one".to_vec()], Some(1)));
        assert_eq!(drain(&mut records, 9), (Vec::new(), Some(0)));
        assert_eq!(records.waiting(), 32);
        fake.set_word(16, 3);
        assert_eq!(drain(&mut records, 9), (vec![b"two".to_vec(), b"three".to_vec()], Some(2)));
    }

    #[test]
    fn what_was_given_up_is_passed_over_and_not_counted() {
        let fake = Fake::new(64, 40);
        let mut records = fake.records();
        assert!(fake.put(b"no", DISCARDED) && fake.put(b"one", 0) && fake.put(b"neither", DISCARDED));
        assert_eq!(drain(&mut records, 1), (vec![b"one".to_vec()], Some(1)));
        assert_eq!(records.waiting(), 16, "it is not looked at after the last that was asked for");
        assert_eq!(drain(&mut records, 1), (Vec::new(), Some(0)));
        assert_eq!(records.waiting(), 0, "its room is given back");
    }

    #[test]
    fn no_more_are_handed_over_than_asked_for() {
        let fake = Fake::new(256, 0);
        let mut records = fake.records();
        for number in 0..5u8 {
            assert!(fake.put(&[number], 0));
        }
        assert_eq!(drain(&mut records, 2), (vec![vec![0], vec![1]], Some(2)));
        assert_eq!(drain(&mut records, 9), (vec![vec![2], vec![3], vec![4]], Some(3)));
        assert_eq!(drain(&mut records, 9), (Vec::new(), Some(0)));
    }

    #[test]
    fn no_more_are_handed_over_when_the_time_is_over() {
        let fake = Fake::new(256, 0);
        let mut records = fake.records();
        for number in 0..5u8 {
            assert!(fake.put(&[number], 0));
        }
        let mut count = 0;
        let mut be_slow = |_: &[u8]| {
            count += 1;
            std::thread::sleep(Duration::from_millis(60));
            0
        };
        assert_eq!(records.drain(9, Duration::from_millis(20), &mut be_slow).unwrap(), Some(1));
        assert_eq!(count, 1);
        // one at least, however little time there is
        assert_eq!(records.drain(9, Duration::ZERO, &mut |_| 0).unwrap(), Some(1));
        assert_eq!(drain(&mut records, 9), (vec![vec![2], vec![3], vec![4]], Some(3)));
    }

    #[test]
    fn the_record_whose_answer_ends_it_is_consumed() {
        let fake = Fake::new(64, 0);
        let mut records = fake.records();
        assert!(fake.put(b"one", 0) && fake.put(b"two", 0));
        assert!(records.drain(9, LONG, &mut |_| -1).unwrap().is_none());
        assert_eq!(drain(&mut records, 9), (vec![b"two".to_vec()], Some(1)));
    }

    #[test]
    fn what_comes_meanwhile_is_handed_over_too() {
        let fake = Fake::new(64, 0);
        let mut records = fake.records();
        assert!(fake.put(&[0], 0));
        let mut got = Vec::new();
        let count = records.drain(99, LONG, &mut |bytes| {
            got.push(bytes[0]);
            // all the room but that of the one that is being read
            while bytes[0] < 9 && fake.put(&[bytes[0] + 1], 0) {}
            0
        });
        assert_eq!((count.unwrap(), got.len()), (Some(got.len()), got.len()));
        assert!(got.is_sorted() && got.starts_with(&[0, 1, 1, 1, 2]) && got.ends_with(&[9]), "{got:?}");
    }

    #[test]
    fn a_length_that_lies_is_an_error_and_no_panic() {
        for (position, length) in
            [(0, 9), (0, 60), (8, 64), (56, 16), (0, u32::MAX >> 2), (usize::MAX - 7, 1 << 29)]
        {
            let fake = Fake::new(64, position);
            let mut records = fake.records();
            assert!(fake.put(b"12345678", 0));
            for flags in [0, DISCARDED] {
                fake.set_word(position, u64::from(length | flags));
                let error = records.drain(9, LONG, &mut |_| panic!("handed over")).unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{length} at {position}: {error}");
            }
            fake.set_word(position, 8);
            assert_eq!(drain(&mut records, 9).0, [b"12345678"], "it was left as it was");
        }
        // positions that are further apart than there is room
        let fake = Fake::new(64, 0);
        fake.producer.store(72, Ordering::Relaxed);
        fake.set_word(0, 1);
        assert!(fake.records().drain(9, LONG, &mut |_| panic!("handed over")).is_err());
    }

    proptest! {
        /// Whatever is put, in whatever order it is read, comes out as it was put, once.
        #[test]
        fn nothing_is_lost_or_changed(
            turns in 0usize..4,
            puts in prop::collection::vec((0usize..70, any::<bool>(), 0usize..4), 1..200),
        ) {
            // the positions run over in the middle
            let fake = Fake::new(128, 0usize.wrapping_sub(turns * 128 + 40));
            let mut records = fake.records();
            let (mut put, mut got) = (Vec::new(), Vec::new());
            for (number, (length, is_discarded, most)) in puts.into_iter().enumerate() {
                let bytes: Vec<u8> = (0..length).map(|at| (number * 31 + at) as u8).collect();
                let flags = if is_discarded { DISCARDED } else { 0 };
                if fake.put(&bytes, flags) && !is_discarded {
                    put.push(bytes);
                }
                got.extend(drain(&mut records, most).0);
                prop_assert!(records.waiting() <= 128);
            }
            got.extend(drain(&mut records, usize::MAX).0);
            prop_assert_eq!(got, put);
            prop_assert_eq!(records.waiting(), 0);
        }
    }
}
