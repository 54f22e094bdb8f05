//! Where lines go: standard output, standard error, a file. What comes after a failed write (`failed_write.rs`) begins on a line of
//! its own.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::destination_name::DestinationName;
use super::failed_write::{FailedWrites, WriteOutcome};
use super::fifo::Fifo;
use super::opener::{FileKind, Id, OpenOutcome, Opener, Refusal};
use crate::base::sanitize::visible;
use crate::output::status;

/// Bytes of one write: as long as a slow reader takes them, it is seen to.
const AT_ONCE: usize = 64 << 10;

/// Whole lines, if one of them ends in so many bytes: what else goes to the same place comes between lines.
fn at_once(lines: &[u8]) -> &[u8] {
    let most = &lines[..lines.len().min(AT_ONCE)];
    match memchr::memrchr(b'\n', most) {
        Some(end) => &most[..=end],
        None => most,
    }
}

/// What lines are written to.
pub struct Destination {
    name: DestinationName,
    /// None of a FIFO without a reader.
    writer: Option<Box<dyn Write + Send>>,
    file: Option<NamedFile>,
    is_terminal: bool,
    is_regular: bool,
    /// The log goes to the same file.
    is_shared: bool,
    /// A failed write may have left the beginning of a line.
    is_in_line: bool,
    failed: FailedWrites,
    /// Bytes that were taken.
    taken: Arc<AtomicU64>,
}

/// A FILE.
struct NamedFile {
    opener: Arc<Opener>,
    number: usize,
    is_fifo: bool,
    /// What is open of it.
    id: Option<Id>,
}

impl fmt::Debug for Destination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Destination").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Is it what standard error is, too?
fn is_log(file: &File) -> bool {
    let of = |fd: std::os::fd::BorrowedFd<'_>| {
        rustix::fs::fstat(fd).ok().map(|status| (status.st_dev, status.st_ino, status.st_rdev))
    };
    of(file.as_fd()).is_some_and(|file| of(io::stderr().as_fd()) == Some(file))
}

impl Destination {
    /// Opens it; `number` is that of a FILE at its opener.
    ///
    /// # Errors
    /// If it cannot be opened, or should not.
    pub fn open(name: DestinationName, opener: &Arc<Opener>, number: usize) -> Result<Self, Refusal> {
        // not through the buffers of the standard library: what they took and could not write would come twice
        let file = match &name {
            DestinationName::Stdout => File::from(io::stdout().as_fd().try_clone_to_owned()?),
            DestinationName::Stderr => File::from(io::stderr().as_fd().try_clone_to_owned()?),
            // the process that started this one has opened it
            DestinationName::Descriptor(number)
            | DestinationName::Store { descriptor: number, .. }
            | DestinationName::Journal { descriptor: number } => {
                OpenOptions::new().append(true).open(format!("/proc/self/fd/{number}"))?
            }
            DestinationName::File(_) => {
                let named = NamedFile { opener: Arc::clone(opener), number, is_fifo: true, id: None };
                let mut destination = Self { file: Some(named), ..Self::new(name, None) };
                destination.open_file()?;
                if destination.writer.is_none() {
                    tracing::warn!(
                        "{} has no reader: events are not written there until it has one",
                        destination.name
                    );
                }
                return Ok(destination);
            }
        };
        let (is_terminal, is_shared) = (file.is_terminal(), is_log(&file));
        let is_regular = file.metadata().is_ok_and(|metadata| metadata.is_file());
        Ok(Self { is_terminal, is_regular, is_shared, ..Self::new(name, Some(Box::new(file))) })
    }

    fn new(name: DestinationName, writer: Option<Box<dyn Write + Send>>) -> Self {
        Self {
            name,
            writer,
            file: None,
            is_terminal: false,
            is_regular: false,
            is_shared: false,
            is_in_line: false,
            failed: FailedWrites::default(),
            taken: Arc::default(),
        }
    }

    /// Opens a FILE. What was open stays so if that fails.
    fn open_file(&mut self) -> Result<(), Refusal> {
        let Some(named) = &mut self.file else { return Ok(()) };
        match named.opener.open(named.number, named.id)? {
            OpenOutcome::Same => {}
            OpenOutcome::Unread => (self.writer, named.id) = (None, None),
            OpenOutcome::File(file, kind) => {
                named.id = Id::of(&file);
                named.is_fifo = kind == FileKind::Fifo;
                self.is_in_line = false;
                self.is_terminal = file.is_terminal();
                self.is_regular = kind == FileKind::Regular;
                self.is_shared = is_log(&file);
                self.writer = Some(match kind {
                    FileKind::Fifo => Box::new(Fifo::new(file, self.name.to_string())),
                    FileKind::Regular | FileKind::Device => Box::new(file),
                });
            }
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn to(writer: impl Write + Send + 'static) -> Self {
        Self::new(DestinationName::Stdout, Some(Box::new(writer)))
    }

    /// What was named.
    pub fn name(&self) -> &DestinationName {
        &self.name
    }

    /// Somebody is looking.
    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// It is a file on a disk.
    pub fn is_regular(&self) -> bool {
        self.is_regular
    }

    /// How many bytes were taken so far, for a watcher in another thread.
    pub fn taken(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.taken)
    }

    /// Reopens a FILE by its name: the old one was moved away. If that fails, the old one goes on.
    pub fn reopen(&mut self) {
        let DestinationName::File(path) = &self.name else { return };
        let path = visible(path);
        match self.open_file() {
            Ok(()) => tracing::info!("{path} reopened"),
            Err(refusal) => tracing::warn!(
                "cannot reopen {path}: {}; writing goes on to the file that was open before",
                refusal.why
            ),
        }
    }

    /// Writes whole lines, which are so many events.
    pub fn write(&mut self, lines: &[u8], events: u64) -> WriteOutcome {
        if lines.is_empty() {
            return WriteOutcome::Whole;
        }
        // nobody writes the status line into these, nor, where it is the same pipe, a line of the log
        let _screen = (self.is_terminal || self.is_shared).then(status::cleared);
        let is_fifo = self.file.as_ref().is_some_and(|named| named.is_fifo);
        if is_fifo && self.writer.is_none() {
            // it may have a reader by now
            if let Err(refusal) = self.open_file() {
                return self.failed.note(&self.name, events, &refusal.why);
            }
        }
        match self.try_write(lines) {
            Ok(()) => WriteOutcome::Whole,
            Err(error) => {
                let is_closed = error.kind() == io::ErrorKind::BrokenPipe;
                if is_closed && is_fifo {
                    // another reader may come
                    self.writer = None;
                    self.is_in_line = false;
                    if let Some(named) = &mut self.file {
                        named.id = None;
                    }
                    return self.failed.note(&self.name, events, "it has no reader");
                }
                self.failed.note_error(&self.name, events, &error)
            }
        }
    }

    fn try_write(&mut self, lines: &[u8]) -> io::Result<()> {
        let writer = self.writer.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        if self.is_in_line {
            writer.write_all(b"\n")?;
            self.is_in_line = false;
        }
        let mut rest = lines;
        while !rest.is_empty() {
            match writer.write(at_once(rest)) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.taken.fetch_add(count as u64, Ordering::Relaxed);
                    self.is_in_line = rest[count - 1] != b'\n';
                    rest = &rest[count..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::sync::Mutex;

    use super::*;

    /// Has room for so many bytes at a time.
    #[derive(Clone)]
    struct Disk {
        bytes: Arc<Mutex<Vec<u8>>>,
        room: Arc<Mutex<usize>>,
        error: io::ErrorKind,
    }

    impl Disk {
        fn new(room: usize, error: io::ErrorKind) -> Self {
            Self { bytes: Arc::default(), room: Arc::new(Mutex::new(room)), error }
        }
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut room = self.room.lock().unwrap();
            let count = bytes.len().min(*room);
            if count == 0 {
                return Err(self.error.into());
            }
            *room -= count;
            self.bytes.lock().unwrap().extend_from_slice(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn after_a_full_disk_the_next_line_stands_alone_and_the_lost_ones_are_counted() {
        let disk = Disk::new(7, io::ErrorKind::StorageFull);
        let mut destination = Destination::to(disk.clone());
        assert_eq!(destination.write(b"one\ntwo\n", 2), WriteOutcome::Failed);
        assert_eq!(destination.failed.unwritten, 2);
        *disk.room.lock().unwrap() = 100;
        assert_eq!(destination.write(b"three\n", 1), WriteOutcome::Whole);
        assert_eq!(*disk.bytes.lock().unwrap(), b"one\ntwo\nthree\n");
        assert_eq!(destination.failed.unwritten, 2);
    }

    #[test]
    fn what_is_written_at_once_is_whole_lines() {
        assert_eq!(at_once(b"one\ntwo\nthr"), b"one\ntwo\n");
        let long = [vec![b'x'; AT_ONCE + 5], b"\n".to_vec()].concat();
        assert_eq!(at_once(&long).len(), AT_ONCE);
        assert_eq!(at_once(&[b"a\n".to_vec(), long].concat()), b"a\n");
    }

    #[test]
    fn a_closed_pipe_is_closed() {
        let mut destination = Destination::to(Disk::new(0, io::ErrorKind::BrokenPipe));
        assert_eq!(destination.write(b"one\n", 1), WriteOutcome::Closed);
    }

    fn open(path: &Path) -> Result<Destination, Refusal> {
        let opener = Arc::new(Opener::here(&[path.to_owned()]));
        Destination::open(DestinationName::File(path.to_owned()), &opener, 0)
    }

    #[test]
    fn a_file_that_was_moved_away_is_made_again_and_only_its_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let (path, moved) = (directory.path().join("log"), directory.path().join("log.1"));
        let mut destination = open(&path).unwrap();
        destination.write(b"one\n", 1);
        fs::rename(&path, &moved).unwrap();
        destination.write(b"two\n", 1);
        destination.reopen();
        destination.write(b"three\n", 1);
        assert_eq!(fs::read(&moved).unwrap(), b"one\ntwo\n");
        assert_eq!(fs::read(&path).unwrap(), b"three\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_cannot_be_reopened_is_written_on() {
        let directory = tempfile::tempdir().unwrap();
        let (path, moved) = (directory.path().join("a/log"), directory.path().join("b"));
        fs::create_dir(path.parent().unwrap()).unwrap();
        let mut destination = open(&path).unwrap();
        fs::rename(path.parent().unwrap(), &moved).unwrap();
        destination.reopen();
        assert_eq!(destination.write(b"one\n", 1), WriteOutcome::Whole);
        assert_eq!(fs::read(moved.join("log")).unwrap(), b"one\n");
    }
}
