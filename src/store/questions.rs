//! Notices that somebody opens the store: who asks now wants to know what happened up to now, and not up to the last time that
//! something was written. Nobody needs a right for that, and at rest nothing is written more often.

use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};

use super::schema::FILE;

/// Who opens the store.
#[derive(Debug, Default)]
pub struct Questions {
    watch: Option<OwnedFd>,
    is_asked: bool,
}

impl Questions {
    /// Of a directory.
    ///
    /// # Errors
    /// If it cannot be watched.
    pub fn watch(directory: &Path) -> io::Result<Self> {
        let watch = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        inotify::add_watch(&watch, directory, WatchFlags::OPEN)?;
        Ok(Self { watch: Some(watch), is_asked: false })
    }

    /// To be waited for.
    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.watch.as_ref().map(AsFd::as_fd)
    }

    /// Looks who opened what. True: somebody did, and nobody waited before.
    pub(super) fn hear(&mut self) -> bool {
        let was_asked = self.is_asked;
        let Some(watch) = &self.watch else { return false };
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = Reader::new(watch, &mut buffer);
        while let Ok(event) = events.next() {
            // what is missing may have been one
            self.is_asked |= event.file_name().is_none_or(|name: &CStr| name.to_bytes() == FILE.as_bytes());
        }
        self.is_asked && !was_asked
    }

    /// Somebody waits for an answer.
    pub(super) fn is_asked(&self) -> bool {
        self.is_asked
    }

    /// What was known is written.
    pub(super) fn answered(&mut self) {
        self.is_asked = false;
    }
}
