//! The socket of the journal (its native protocol): a datagram for each entry, or a sealed file in memory where that would be too long.
//! Nothing here waits.

use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix};

/// Where it is on a host.
pub const SOCKET: &str = "run/systemd/journal/socket";

/// Sends entries.
#[derive(Debug)]
pub(super) struct JournalSocket {
    socket: UnixDatagram,
    address: SocketAddrUnix,
}

impl JournalSocket {
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, address: SocketAddrUnix::new(path)? })
    }

    /// Sends an entry. By its address each time: a journal that was restarted has another socket.
    ///
    /// # Errors
    /// `WouldBlock` if there is no room for it now; else that nobody is there.
    pub(super) fn send(&self, entry: &[u8]) -> io::Result<()> {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        match rustix::net::sendto(&self.socket, entry, flags, &self.address) {
            Err(Errno::MSGSIZE | Errno::NOBUFS) => self.send_file(entry),
            sent => sent.map(drop).map_err(io::Error::from),
        }
    }

    fn send_file(&self, entry: &[u8]) -> io::Result<()> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let mut file = File::from(rustix::fs::memfd_create("journal-entry", flags)?);
        file.write_all(entry)?;
        let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
        rustix::fs::fcntl_add_seals(&file, seals)?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let descriptors = [file.as_fd()];
        control.push(SendAncillaryMessage::ScmRights(&descriptors));
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        rustix::net::sendmsg_addr(&self.socket, &self.address, &[IoSlice::new(&[])], &mut control, flags)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek};

    use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};

    use super::*;

    fn journal() -> (tempfile::TempDir, UnixDatagram, JournalSocket) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let listener = UnixDatagram::bind(&path).unwrap();
        let socket = JournalSocket::new(&path).unwrap();
        (directory, listener, socket)
    }

    #[test]
    fn an_entry_is_a_datagram_and_a_long_one_a_sealed_file() {
        let (_directory, listener, socket) = journal();
        socket.send(b"MESSAGE=x\n").unwrap();
        let mut bytes = [0; 64];
        let count = listener.recv(&mut bytes).unwrap();
        assert_eq!(&bytes[..count], b"MESSAGE=x\n");
        let long = vec![b'x'; 4 << 20];
        socket.send(&long).unwrap();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        rustix::net::recvmsg(&listener, &mut [], &mut control, RecvFlags::empty()).unwrap();
        let files: Vec<_> = control
            .drain()
            .flat_map(|message| match message {
                RecvAncillaryMessage::ScmRights(files) => files.collect::<Vec<_>>(),
                _ => Vec::new(),
            })
            .collect();
        let mut file = File::from(files.into_iter().next().unwrap());
        file.rewind().unwrap();
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        assert!(content == long);
        assert!(rustix::fs::fcntl_get_seals(&file).unwrap().contains(SealFlags::WRITE | SealFlags::SEAL));
    }

    #[test]
    fn nobody_waits_for_a_full_socket_or_an_absent_journal() {
        let (directory, listener, socket) = journal();
        let full = (0..10_000).find_map(|_| socket.send(b"MESSAGE=x\n").err()).unwrap();
        assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
        drop(listener);
        std::fs::remove_file(directory.path().join("socket")).unwrap();
        assert_ne!(socket.send(b"MESSAGE=x\n").unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let again = UnixDatagram::bind(directory.path().join("socket")).unwrap();
        socket.send(b"MESSAGE=x\n").unwrap();
        assert!(again.recv(&mut [0; 16]).is_ok());
    }
}
