//! Where lines go: standard output, standard error, a file. A write that fails is reported and counted; what comes
//! after it begins on a line of its own.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::status;

/// At most one word about failed writes in this time.
const SAY_EVERY: Duration = Duration::from_secs(10);

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

/// What was named.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Place {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// A file: lines are added at its end.
    File(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => formatter.write_str("standard output"),
            Self::Stderr => formatter.write_str("standard error"),
            Self::File(path) => write!(formatter, "{}", path.display()),
        }
    }
}

/// What became of a batch of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// All of it is there.
    Whole,
    /// Some of it may not be.
    Failed,
    /// Nobody will ever read it: the pipe is closed.
    Closed,
}

/// Takes lines.
pub struct Destination {
    place: Place,
    writer: Box<dyn Write + Send>,
    is_terminal: bool,
    /// The log goes to the same file.
    is_shared: bool,
    /// A failed write may have left the beginning of a line.
    is_in_line: bool,
    /// Events that are not known to be written.
    unwritten: u64,
    /// Bytes that were taken.
    taken: Arc<AtomicU64>,
    said_at: Option<Instant>,
}

impl fmt::Debug for Destination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Destination").field("place", &self.place).finish_non_exhaustive()
    }
}

/// Command lines can hold secrets: nobody but the owner reads the file.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

/// Is it what standard error is, too?
fn is_log(file: &File) -> bool {
    let of = |fd: std::os::fd::BorrowedFd<'_>| {
        rustix::fs::fstat(fd).ok().map(|status| (status.st_dev, status.st_ino, status.st_rdev))
    };
    of(file.as_fd()).is_some_and(|file| of(io::stderr().as_fd()) == Some(file))
}

impl Destination {
    /// Opens it.
    ///
    /// # Errors
    /// If the file can be neither opened nor made.
    pub fn open(place: Place) -> io::Result<Self> {
        // not through the buffers of the standard library: what they took and could not write would come twice
        let file = match &place {
            Place::Stdout => File::from(io::stdout().as_fd().try_clone_to_owned()?),
            Place::Stderr => File::from(io::stderr().as_fd().try_clone_to_owned()?),
            Place::File(path) => open(path)?,
        };
        let is_terminal = file.is_terminal();
        let is_shared = is_log(&file);
        Ok(Self { is_terminal, is_shared, ..Self::new(place, Box::new(file)) })
    }

    fn new(place: Place, writer: Box<dyn Write + Send>) -> Self {
        Self {
            place,
            writer,
            is_terminal: false,
            is_shared: false,
            is_in_line: false,
            unwritten: 0,
            taken: Arc::default(),
            said_at: None,
        }
    }

    #[cfg(test)]
    pub(super) fn to(writer: impl Write + Send + 'static) -> Self {
        Self::new(Place::Stdout, Box::new(writer))
    }

    /// What was named.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Somebody is looking.
    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// How many bytes were taken so far, for whoever watches from another thread.
    pub fn taken(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.taken)
    }

    /// Opens a file anew, by its name: the old one was moved away. If that fails, the old one goes on.
    pub fn reopen(&mut self) {
        let Place::File(path) = &self.place else { return };
        match open(path) {
            Ok(file) => {
                self.is_in_line = false;
                self.writer = Box::new(file);
                tracing::info!("{} was opened anew", path.display());
            }
            Err(error) => tracing::warn!(
                "cannot open {} anew: {error}; the file that was open before is written on",
                path.display()
            ),
        }
    }

    /// Writes whole lines, which are so many events.
    pub fn write(&mut self, lines: &[u8], events: u64) -> Written {
        if lines.is_empty() {
            return Written::Whole;
        }
        // nobody writes the status line into these, nor, where it is the same pipe, a line of the log
        let _screen = (self.is_terminal || self.is_shared).then(status::cleared);
        match self.try_write(lines) {
            Ok(()) => Written::Whole,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.unwritten += events;
                Written::Closed
            }
            Err(error) => {
                self.unwritten += events;
                if self.said_at.is_none_or(|said_at| said_at.elapsed() >= SAY_EVERY) {
                    self.said_at = Some(Instant::now());
                    tracing::warn!(
                        "cannot write to {}: {error}; tracing goes on, {} events are not known to be written so far",
                        self.place,
                        self.unwritten
                    );
                }
                Written::Failed
            }
        }
    }

    fn try_write(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.is_in_line {
            self.writer.write_all(b"\n")?;
            self.is_in_line = false;
        }
        let mut rest = lines;
        while !rest.is_empty() {
            match self.writer.write(at_once(rest)) {
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
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
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
        assert_eq!(destination.write(b"one\ntwo\n", 2), Written::Failed);
        assert_eq!(destination.unwritten, 2);
        *disk.room.lock().unwrap() = 100;
        assert_eq!(destination.write(b"three\n", 1), Written::Whole);
        assert_eq!(*disk.bytes.lock().unwrap(), b"one\ntwo\nthree\n");
        assert_eq!(destination.unwritten, 2);
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
        assert_eq!(destination.write(b"one\n", 1), Written::Closed);
    }

    #[test]
    fn a_file_that_was_moved_away_is_made_anew_and_only_its_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let (path, moved) = (directory.path().join("log"), directory.path().join("log.1"));
        let mut destination = Destination::open(Place::File(path.clone())).unwrap();
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
    fn a_file_that_cannot_be_made_anew_is_written_on() {
        let directory = tempfile::tempdir().unwrap();
        let (path, moved) = (directory.path().join("a/log"), directory.path().join("b"));
        fs::create_dir(path.parent().unwrap()).unwrap();
        let mut destination = Destination::open(Place::File(path.clone())).unwrap();
        fs::rename(path.parent().unwrap(), &moved).unwrap();
        destination.reopen();
        assert_eq!(destination.write(b"one\n", 1), Written::Whole);
        assert_eq!(fs::read(moved.join("log")).unwrap(), b"one\n");
    }
}
