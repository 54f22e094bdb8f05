//! The process that writes the file: beside its place first, so that who reads it never sees a half. When nothing is recorded any more
//! there is no file: what is in it would be of another time.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::net::RecvFlags;

use crate::base::os_error::reason;
use crate::base::sanitize::visible;
use crate::base::seldom::Seldom;

/// Bytes of one message: a socket takes no more.
const LONGEST: usize = 1 << 20;
/// At most one word about failures in this time.
const SAY_EVERY: Duration = Duration::from_secs(60);

/// Writes the file.
#[derive(Debug)]
pub struct Service {
    directory: OwnedFd,
    name: String,
    failures: Seldom,
}

impl Service {
    /// A file of this name in that directory.
    pub fn new(directory: OwnedFd, name: &str) -> Self {
        Self { directory, name: name.to_owned(), failures: Seldom::new(SAY_EVERY) }
    }

    /// Writes each message of a socket, until it is closed.
    ///
    /// # Errors
    /// If it can no longer read.
    pub fn serve(mut self, socket: &OwnedFd) -> io::Result<()> {
        let mut buffer = vec![0; LONGEST];
        let result = loop {
            match rustix::net::recv(socket, buffer.as_mut_slice(), RecvFlags::empty()) {
                Ok((0, _)) => break Ok(()),
                Ok((count, _)) => {
                    if let Err(error) = self.write(&buffer[..count]) {
                        self.say(&error);
                    }
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => break Err(error.into()),
            }
        };
        let _ = rustix::fs::unlinkat(&self.directory, self.name.as_str(), AtFlags::empty());
        result
    }

    fn write(&self, text: &[u8]) -> io::Result<()> {
        let beside = format!(".{}.new", self.name);
        // of a recorder that was killed
        let _ = rustix::fs::unlinkat(&self.directory, beside.as_str(), AtFlags::empty());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o644);
        let mut file = File::from(rustix::fs::openat(&self.directory, beside.as_str(), flags, mode)?);
        // whatever the umask: others read it
        rustix::fs::fchmod(&file, mode)?;
        let written = file.write_all(text).and_then(|()| {
            rustix::fs::renameat(&self.directory, beside.as_str(), &self.directory, self.name.as_str())?;
            Ok(())
        });
        if written.is_err() {
            let _ = rustix::fs::unlinkat(&self.directory, beside.as_str(), AtFlags::empty());
        }
        written
    }

    fn say(&mut self, error: &io::Error) {
        if self.failures.is_due() {
            let name = visible(&self.name);
            tracing::warn!("the metrics could not be written to {name}: {}", reason(error));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, socketpair};

    use super::*;

    #[test]
    fn the_file_is_replaced_as_a_whole_readable_for_others_and_gone_at_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("killsnoop.prom");
        std::fs::write(directory.path().join(".killsnoop.prom.new"), "left over").unwrap();
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
        let service = Service::new(File::open(directory.path()).unwrap().into(), "killsnoop.prom");
        let thread = std::thread::spawn(move || service.serve(&theirs));
        for text in ["a 1\n", "a 2\n"] {
            rustix::net::send(&ours, text.as_bytes(), SendFlags::empty()).unwrap();
            while std::fs::read_to_string(&path).ok().as_deref() != Some(text) {
                std::thread::yield_now();
            }
        }
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
        drop(ours);
        thread.join().unwrap().unwrap();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
