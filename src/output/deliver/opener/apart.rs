//! The process that opens FILEs for the tracer: it is asked with a number, and answers with a descriptor or a reason.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, socketpair};

use super::{FileKind, Id, OpenOutcome, Refusal, Targets};
use crate::base::descriptors;

/// The command that starts one; hidden, as it is of no use to anybody else.
pub const COMMAND: &str = "open-outputs";

/// First byte of an answer.
const REFUSED: u8 = 0;
const UNREAD: u8 = 1;
const REGULAR: u8 = 2;
const FIFO: u8 = 3;
const DEVICE: u8 = 4;
const SAME: u8 = 5;

/// A number, and the device and inode of what is open; 0 if nothing is.
const QUESTION: usize = 1 + 2 * size_of::<u64>();
/// An answer is no longer.
const ANSWER: usize = 8192;

/// The other end.
#[derive(Debug)]
pub struct Helper(Mutex<OwnedFd>);

impl Helper {
    /// Starts one, with what this process may do now.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(paths: &[PathBuf], as_invoker: bool) -> io::Result<Self> {
        let (ours, others) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        // It ends when our end is closed, whatever ends us. A group of its own: ^C is not meant for it.
        let _ = Command::new("/proc/self/exe")
            .arg(COMMAND)
            .args(as_invoker.then_some("--as-invoker"))
            .arg("--")
            .args(paths)
            .stdin(others)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Self(Mutex::new(ours)))
    }

    pub(super) fn open(&self, number: usize, held: Option<Id>) -> Result<OpenOutcome, Refusal> {
        let socket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ask(socket.as_fd(), number, held).unwrap_or_else(|error| {
            Err(Refusal::new(format!("the process that opens it is gone: {error}"), "start killsnoop again"))
        })
    }
}

/// The answer; an error of its own is one of the way there.
fn ask(socket: BorrowedFd<'_>, number: usize, held: Option<Id>) -> io::Result<Result<OpenOutcome, Refusal>> {
    let number = u8::try_from(number).map_err(io::Error::other)?;
    let [device, inode] = held.map_or([0; 2], |held| [held.device, held.inode]).map(u64::to_ne_bytes);
    let question = [&[number][..], &device, &inode].concat();
    rustix::io::retry_on_intr(|| rustix::net::send(socket, &question, SendFlags::NOSIGNAL))?;
    let mut bytes = vec![0; ANSWER];
    let (count, file) = descriptors::receive(socket, &mut bytes)?;
    let Some((&first, text)) = bytes[..count].split_first() else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    Ok(match (first, file) {
        (REGULAR, Some(file)) => Ok(OpenOutcome::File(file.into(), FileKind::Regular)),
        (FIFO, Some(file)) => Ok(OpenOutcome::File(file.into(), FileKind::Fifo)),
        (DEVICE, Some(file)) => Ok(OpenOutcome::File(file.into(), FileKind::Device)),
        (UNREAD, None) => Ok(OpenOutcome::Unread),
        (SAME, None) => Ok(OpenOutcome::Same),
        (REFUSED, None) => {
            let text = String::from_utf8_lossy(text);
            let (why, hint) = text.split_once('\0').unwrap_or((&text, ""));
            Err(Refusal::new(why, hint))
        }
        _ => return Err(io::ErrorKind::InvalidData.into()),
    })
}

/// FILEs that can be opened, for requests at this socket.
#[derive(Debug)]
pub struct Service {
    socket: OwnedFd,
    targets: Targets,
}

impl Service {
    /// Opens their directories.
    pub fn new(socket: OwnedFd, paths: &[PathBuf]) -> Self {
        Self { socket, targets: Targets::find(paths) }
    }

    /// Answers until the other end of the socket is closed.
    ///
    /// # Errors
    /// If no answer can be sent.
    pub fn serve(mut self) -> io::Result<()> {
        loop {
            let mut question = [0; QUESTION];
            let receive = || rustix::net::recv(&self.socket, &mut question[..], RecvFlags::empty());
            if rustix::io::retry_on_intr(receive)?.0 == 0 {
                return Ok(());
            }
            let [number, rest @ ..] = question;
            let (device, inode) = rest.split_at(size_of::<u64>());
            let word = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_ne_bytes);
            let held = Id { device: word(device), inode: word(inode) };
            let held = Some(held).filter(|held| held.inode != 0);
            answer(self.socket.as_fd(), &self.targets.open(usize::from(number), held))?;
        }
    }
}

fn answer(socket: BorrowedFd<'_>, opened: &Result<OpenOutcome, Refusal>) -> io::Result<()> {
    let (first, text, file) = match opened {
        Ok(OpenOutcome::File(file, kind)) => {
            let first = match kind {
                FileKind::Regular => REGULAR,
                FileKind::Fifo => FIFO,
                FileKind::Device => DEVICE,
            };
            (first, String::new(), Some(file.as_fd()))
        }
        Ok(OpenOutcome::Unread) => (UNREAD, String::new(), None),
        Ok(OpenOutcome::Same) => (SAME, String::new(), None),
        Err(refusal) => (REFUSED, format!("{}\0{}", refusal.why, refusal.hint), None),
    };
    let text = &text.as_bytes()[..text.len().min(ANSWER - 1)];
    descriptors::send(socket, &[IoSlice::new(&[first]), IoSlice::new(text)], file)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::output::deliver::opener::Opener;

    #[test]
    fn who_asks_gets_the_file_or_the_reason() {
        let directory = tempfile::tempdir().unwrap();
        let (good, bad) = (directory.path().join("good"), directory.path().join("bad"));
        std::os::unix::fs::symlink("/dev/null", &bad).unwrap();
        let (ours, others) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
        let paths = [good.clone(), bad];
        let serving = std::thread::spawn(move || Service::new(others, &paths).serve());
        let opener = Opener::helper(Helper(Mutex::new(ours)));
        let Ok(OpenOutcome::File(mut file, FileKind::Regular)) = opener.open(0, None) else {
            panic!("not opened")
        };
        file.write_all(b"x\n").unwrap();
        assert_eq!(std::fs::read(&good).unwrap(), b"x\n");
        assert!(opener.open(1, None).unwrap_err().why.contains("symbolic link"));
        assert!(opener.open(2, None).is_err());
        // its lock goes with it
        assert!(opener.open(0, None).unwrap_err().why.contains("locked"));
        assert!(matches!(opener.open(0, Id::of(&file)), Ok(OpenOutcome::Same)));
        drop(file);
        opener.open(0, None).unwrap();
        drop(opener);
        serving.join().unwrap().unwrap();
    }
}
