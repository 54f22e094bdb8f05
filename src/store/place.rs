//! The directory of a store: made for its owner, or for a group that may read; locked by the one recorder that writes there.
//!
//! SQLite opens files by their paths. So all that is above the directory must be such that nobody else can put another in its place.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, Gid, fchown, flock};
use rustix::process::{Flock, FlockType, fcntl_getlk};

use super::error::StoreError;
use super::schema::FILE;
use crate::base::os_error::reason;
use crate::base::sanitize::visible;

/// Held by the recorder; empty.
const LOCK: &str = "recorder.lock";

/// One that ends has written all, and still holds the lock for a moment: a process that it has just started has its descriptors
/// until it becomes another program.
const LEAVES_WITHIN: Duration = Duration::from_secs(1);

/// Locks of SQLite on bytes of the index of the log (`wal.c`, `WALINDEX_LOCK_OFFSET`). Who writes, moves the log or makes its index again
/// has one for itself alone, which needs the right to write.
const WRITE_LOCK: u64 = 120;
const CHECKPOINT_LOCK: u64 = 121;
const RECOVERY_LOCK: u64 = 122;

/// `why` and `log` hold the store no longer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(1);

/// In a directory with it only the owner of a file may rename that.
const STICKY: u32 = 0o1000;

/// The directory of a store that is written to.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) directory: PathBuf,
    group: Option<u32>,
    /// The lock goes with it.
    _lock: File,
}

impl Place {
    /// Makes the directory if it is missing, sets who may read, and takes the lock.
    pub(super) fn take(named: &Path, group: Option<u32>) -> Result<Self, StoreError> {
        let opened = |error: io::Error| open_error(named, &error);
        let refused = |why: String| StoreError::Open {
            directory: named.to_owned(),
            why,
            hint: "\nhint: name another directory (--store DIR)",
        };
        let directory = &resolved(named).map_err(opened)?;
        let own = rustix::process::geteuid().as_raw();
        if let Some(above) = exchangeable(directory, own).map_err(opened)? {
            return Err(refused(format!(
                "another user could exchange it, as that user may write to {}",
                visible(above)
            )));
        }
        let mode = if group.is_some() { 0o2750 } else { 0o700 };
        match DirBuilder::new().mode(mode).create(directory) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(opened(error)),
        }
        let not_own =
            || refused(format!("it must be a directory of user {own} that nobody else may write to"));
        let flags = libc::O_DIRECTORY | libc::O_NOFOLLOW;
        let held = match OpenOptions::new().read(true).custom_flags(flags).open(directory) {
            Err(error) if error.raw_os_error() == Some(libc::ENOTDIR) => return Err(not_own()),
            result => result.map_err(opened)?,
        };
        let metadata = held.metadata().map_err(opened)?;
        if metadata.uid() != own || metadata.mode() & 0o022 != 0 {
            return Err(not_own());
        }
        if let Some(group) = group {
            fchown(&held, None, Some(Gid::from_raw(group))).map_err(|error| opened(error.into()))?;
            // files that are made there later are of that group as well
            held.set_permissions(fs::Permissions::from_mode(mode)).map_err(opened)?;
        }
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW)
            .open(directory.join(LOCK))
            .map_err(opened)?;
        let began = Instant::now();
        loop {
            match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(rustix::io::Errno::WOULDBLOCK) if began.elapsed() < LEAVES_WITHIN => {
                    thread::sleep(LEAVES_WITHIN / 50);
                }
                Err(rustix::io::Errno::WOULDBLOCK) => return Err(StoreError::Locked(named.to_owned())),
                Err(error) => return Err(opened(error.into())),
            }
        }
        let place = Self { directory: directory.to_owned(), group, _lock: lock };
        place.make_file().map_err(opened)?;
        Ok(place)
    }

    /// The database. What SQLite puts beside it has its mode and its owner.
    pub(super) fn file(&self) -> PathBuf {
        self.directory.join(FILE)
    }

    /// The database, empty if there is none, with the mode that it is to have.
    pub(super) fn make_file(&self) -> io::Result<()> {
        let mode = if self.group.is_some() { 0o640 } else { 0o600 };
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(mode)
            .custom_flags(libc::O_NOFOLLOW)
            .open(self.file())?;
        if let Some(group) = self.group {
            let is_there = file.metadata()?.gid() == group;
            if !is_there {
                rustix::fs::fchown(&file, None, Some(Gid::from_raw(group)))?;
            }
        }
        if file.metadata()?.mode() & 0o777 != mode {
            file.set_permissions(fs::Permissions::from_mode(mode))?;
            for beside in ["-wal", "-shm"].map(|end| self.beside(end)) {
                if fs::symlink_metadata(&beside).is_ok_and(|metadata| metadata.is_file()) {
                    fs::set_permissions(&beside, fs::Permissions::from_mode(mode))?;
                }
            }
        }
        Ok(())
    }

    /// Does a process that may only read keep all others from writing? SQLite never does: it is done on purpose.
    pub(super) fn is_held_by_reader(&self) -> bool {
        let Ok(index) = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(self.beside("-shm"))
        else {
            return false;
        };
        [WRITE_LOCK, CHECKPOINT_LOCK, RECOVERY_LOCK].into_iter().any(|byte| {
            let mut wanted = Flock::from(FlockType::WriteLock);
            (wanted.start, wanted.length) = (byte, 1);
            matches!(fcntl_getlk(&index, &wanted), Ok(Some(held)) if held.typ == FlockType::ReadLock)
        })
    }

    /// Makes the index of the log again, empty, for the owner alone: no lock that others hold is on that one.
    pub(super) fn replace_index(&self) -> io::Result<()> {
        fs::remove_file(self.beside("-shm"))?;
        // who reads by the old one is over before something is written
        thread::sleep(ANSWERED_WITHIN);
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW)
            .open(self.beside("-shm"))
            .map(|_| ())
    }

    /// What SQLite has beside the database: `-wal`, `-shm`.
    pub(super) fn beside(&self, end: &str) -> PathBuf {
        beside(&self.file(), end)
    }

    /// Sets a damaged database aside and makes an empty one. The name of the old one is returned.
    pub(super) fn set_aside(&self, now: i64) -> io::Result<PathBuf> {
        let second = now / 1_000_000_000;
        let name = |number: u32| self.directory.join(format!("{FILE}.damaged-{second}.{number}"));
        let aside = (0..100).map(name).find(|path| fs::symlink_metadata(path).is_err());
        let aside = aside.ok_or(io::ErrorKind::AlreadyExists)?;
        // what the log beside it holds belongs to it
        for end in ["-wal", "-shm", ""] {
            match fs::rename(beside(&self.file(), end), beside(&aside, end)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        self.make_file()?;
        Ok(aside)
    }

    /// Bytes of all that the store has on the disk.
    pub(super) fn bytes(&self) -> u64 {
        bytes(&self.file())
    }
}

/// Its path without links: of one that is not there yet, that of the directory that is to hold it.
fn resolved(directory: &Path) -> io::Result<PathBuf> {
    match (directory.symlink_metadata(), directory.parent(), directory.file_name()) {
        // a link to a store is no store
        (_, Some(parent), Some(name)) => {
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            Ok(parent.canonicalize()?.join(name))
        }
        (Ok(_), ..) => directory.canonicalize(),
        (Err(error), ..) => Err(error),
    }
}

/// The first directory above this one in which another user could put something else in its place.
fn exchangeable(directory: &Path, own: u32) -> io::Result<Option<&Path>> {
    let above: Vec<&Path> = directory.ancestors().skip(1).collect();
    for one in above.into_iter().rev() {
        let metadata = fs::metadata(one)?;
        let is_trusted = metadata.uid() == 0 || metadata.uid() == own;
        let is_shared = metadata.mode() & 0o022 != 0 && metadata.mode() & STICKY == 0;
        if !is_trusted || is_shared {
            return Ok(Some(one));
        }
    }
    Ok(None)
}

/// Does a recorder write there? None: this user may not look.
pub(super) fn has_recorder(directory: &Path) -> Option<bool> {
    // the store may be somebody else's: what is no file neither leads elsewhere nor waits for a writer
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    match OpenOptions::new().read(true).custom_flags(flags).open(directory.join(LOCK)) {
        // a recorder that begins at this moment tries again
        Ok(lock) => match flock(&lock, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Some(false),
            Err(rustix::io::Errno::WOULDBLOCK) => Some(true),
            Err(_) => None,
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some(false),
        Err(_) => None,
    }
}

/// Bytes of a database and of what is beside it.
pub(super) fn bytes(file: &Path) -> u64 {
    let of = |path: PathBuf| fs::metadata(path).map_or(0, |metadata| metadata.len());
    ["", "-wal", "-shm"].into_iter().map(|end| of(beside(file, end))).sum()
}

pub(super) fn beside(file: &Path, end: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(end);
    path.into()
}

pub(super) fn open_error(directory: &Path, error: &io::Error) -> StoreError {
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "\nhint: the store is read by its owner, or by the group of --store-group; try sudo"
        }
        io::ErrorKind::NotFound => "\nhint: make its parent directory, or name another (--store DIR)",
        _ => "",
    };
    StoreError::Open { directory: directory.to_owned(), why: reason(error), hint }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_recorder_has_it_and_nobody_else_may_look() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("store");
        let place = Place::take(&directory, None).unwrap();
        assert!(matches!(Place::take(&directory, None), Err(StoreError::Locked(_))));
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
        assert_eq!((mode(&directory), mode(&place.file())), (0o700, 0o600));
        assert_eq!(has_recorder(&directory), Some(true));
        drop(place);
        assert_eq!(has_recorder(&directory), Some(false));
        let place = Place::take(&directory, Some(rustix::process::getegid().as_raw())).unwrap();
        assert_eq!((mode(&directory), mode(&place.file())), (0o2750, 0o640));
    }

    #[test]
    fn a_lock_that_is_a_pipe_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        assert!(
            std::process::Command::new("mkfifo").arg(directory.path().join(LOCK)).status().unwrap().success()
        );
        assert_eq!(has_recorder(directory.path()), Some(false));
    }

    #[test]
    fn a_directory_that_others_may_write_to_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        fs::set_permissions(parent.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(Place::take(parent.path(), None), Err(StoreError::Open { .. })));
        let link = parent.path().join("link");
        std::os::unix::fs::symlink("/tmp", &link).unwrap();
        assert!(Place::take(&link, None).is_err());
    }

    /// What is above it may belong to somebody else.
    #[test]
    fn a_directory_that_another_user_may_exchange_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let shared = parent.path().join("shared");
        fs::create_dir(&shared).unwrap();
        let directory = shared.join("below/store");
        fs::create_dir(directory.parent().unwrap()).unwrap();
        fs::set_permissions(&shared, fs::Permissions::from_mode(0o777)).unwrap();
        let refused = Place::take(&directory, None).unwrap_err().to_string();
        assert!(
            refused.contains("another user could exchange it") && refused.contains("/shared\n"),
            "{refused}"
        );
        assert!(!directory.exists());
        // by way of a link as well
        let link = parent.path().join("link");
        std::os::unix::fs::symlink(&shared, &link).unwrap();
        assert!(Place::take(&link.join("store"), None).is_err());
        // there nobody may rename what is another's
        fs::set_permissions(&shared, fs::Permissions::from_mode(0o1777)).unwrap();
        drop(Place::take(&directory, None).unwrap());
        assert_eq!(exchangeable(&directory, 0).unwrap(), exchangeable(&directory, 1).unwrap());
        fs::set_permissions(&shared, fs::Permissions::from_mode(0o755)).unwrap();
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&shared, Some(65534), None).unwrap();
            assert!(Place::take(&directory, None).is_err());
        }
    }

    #[test]
    fn what_is_damaged_is_set_aside_under_a_name_of_its_own() {
        let parent = tempfile::tempdir().unwrap();
        let place = Place::take(&parent.path().join("store"), None).unwrap();
        for content in ["one", "two"] {
            fs::write(place.file(), content).unwrap();
            fs::write(place.beside("-wal"), content).unwrap();
            let aside = place.set_aside(1_500_000_000).unwrap();
            assert_eq!(fs::read_to_string(&aside).unwrap(), content);
            assert_eq!(fs::read_to_string(beside(&aside, "-wal")).unwrap(), content);
            assert_eq!(fs::metadata(place.file()).unwrap().len(), 0);
        }
    }
}
