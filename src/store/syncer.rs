//! Writes the log of the database through to the disk, on a thread of its own: a busy disk needs seconds for that, and nothing may wait
//! meanwhile for its transaction. What is committed outlives the process at once, and a power cut once it was synced.
//!
//! SQLite checks each frame of its log, and leaves out all from the first that did not get to the disk: a power cut tears nothing.
//! Before it moves the log into the database, it syncs by itself.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::place::beside;
use super::schema::FILE;

/// The thread. It ends with its owner.
#[derive(Debug)]
pub struct Syncer {
    orders: Sender<()>,
    failure: Arc<Mutex<Option<io::Error>>>,
}

impl Syncer {
    /// Starts it.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn start(directory: &Path) -> io::Result<Self> {
        let (orders, taken) = channel();
        let failure = Arc::default();
        let log = beside(&directory.join(FILE), "-wal");
        let theirs = Arc::clone(&failure);
        thread::Builder::new().name("sync".to_owned()).spawn(move || sync_all(&taken, &log, &theirs))?;
        Ok(Self { orders, failure })
    }

    /// What was committed is to be synced.
    pub(super) fn order(&self) {
        // without the thread there is an error that says so
        let _ = self.orders.send(());
    }

    /// Why the last could not be.
    pub(super) fn failure(&self) -> Option<io::Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

fn sync_all(orders: &Receiver<()>, log: &Path, failure: &Mutex<Option<io::Error>>) {
    while orders.recv().is_ok() {
        // one is as good as many
        while orders.try_recv().is_ok() {}
        if let Err(error) = sync(log) {
            *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
    }
}

fn sync(log: &Path) -> io::Result<()> {
    match File::open(log) {
        Ok(file) => file.sync_data(),
        // it was moved into the database, and synced there
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_synced_is_reported_once() {
        let directory = tempfile::tempdir().unwrap();
        let syncer = Syncer::start(directory.path()).unwrap();
        let log = beside(&directory.path().join(FILE), "-wal");
        // of a directory as well; a link to itself cannot be opened
        std::os::unix::fs::symlink(&log, &log).unwrap();
        syncer.order();
        let failure = loop {
            if let Some(failure) = syncer.failure() {
                break failure;
            }
            thread::yield_now();
        };
        assert_eq!(failure.raw_os_error(), Some(libc::ELOOP));
        assert!(syncer.failure().is_none());
    }

    #[test]
    fn a_log_that_is_not_there_needs_no_sync() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        assert!(sync(&log).is_ok());
        std::fs::write(&log, "x").unwrap();
        assert!(sync(&log).is_ok());
    }
}
