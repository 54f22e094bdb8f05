//! Pages of a map, or of a file, which this program and the kernel share.

use std::io;
use std::os::fd::BorrowedFd;
use std::ptr::{self, NonNull};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// Bytes that are mapped for as long as this lives.
#[derive(Debug)]
pub(super) struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

impl Mapping {
    /// So many bytes of the map, of which only the kernel writes.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub(super) fn read_only(map: BorrowedFd<'_>, offset: u64, length: usize) -> io::Result<Self> {
        Self::new(map, offset, length, ProtFlags::READ, MapFlags::SHARED)
    }

    /// The same, of which both write.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub(super) fn writable(map: BorrowedFd<'_>, offset: u64, length: usize) -> io::Result<Self> {
        Self::new(map, offset, length, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED)
    }

    /// The first so many bytes of a file, which can be read.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub(super) fn file(file: BorrowedFd<'_>, length: usize) -> io::Result<Self> {
        Self::new(file, 0, length, ProtFlags::READ, MapFlags::PRIVATE)
    }

    fn new(
        fd: BorrowedFd<'_>,
        offset: u64,
        length: usize,
        protection: ProtFlags,
        flags: MapFlags,
    ) -> io::Result<Self> {
        // SAFETY: a fresh mapping at an address of the kernel's choice, which nothing refers to yet.
        let start = unsafe { mmap(ptr::null_mut(), length, protection, flags, fd, offset) }?;
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, length })
    }

    /// The first byte; page-aligned.
    pub(super) fn start(&self) -> NonNull<u8> {
        self.start
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping made in new(); who uses its address keeps this alive meanwhile.
        let _ = unsafe { munmap(self.start.as_ptr().cast(), self.length) };
    }
}
