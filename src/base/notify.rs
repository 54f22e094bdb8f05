//! What a service says to its manager (`sd_notify(3)`): that it is ready, how it fares, that it still runs.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// The socket of the manager. Without one nothing is said.
#[derive(Debug, Default)]
pub(crate) struct Notifier(Option<UnixDatagram>);

impl Notifier {
    /// As the environment names it. To be called before a process may no longer connect to anything.
    pub(crate) fn of_environment() -> Self {
        let Some(name) = std::env::var_os("NOTIFY_SOCKET") else { return Self(None) };
        let connect = || -> io::Result<UnixDatagram> {
            let name = name.as_encoded_bytes();
            let address = match name.strip_prefix(b"@") {
                Some(name) => SocketAddr::from_abstract_name(name)?,
                None => SocketAddr::from_pathname(std::path::Path::new(std::ffi::OsStr::new(
                    std::str::from_utf8(name).map_err(io::Error::other)?,
                )))?,
            };
            let socket = UnixDatagram::unbound()?;
            socket.connect_addr(&address)?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        };
        match connect() {
            Ok(socket) => Self(Some(socket)),
            Err(error) => {
                tracing::warn!(%error, "cannot connect to the socket of the service manager (NOTIFY_SOCKET)");
                Self(None)
            }
        }
    }

    /// A socket whose other end passes on what is said.
    pub(crate) fn of_socket(socket: impl AsFd) -> io::Result<Self> {
        let socket: OwnedFd = socket.as_fd().try_clone_to_owned()?;
        let socket = UnixDatagram::from(socket);
        socket.set_nonblocking(true)?;
        Ok(Self(Some(socket)))
    }

    /// Says it, unless the manager does not listen.
    pub(crate) fn say(&self, text: &str) {
        if let Some(socket) = &self.0 {
            let _ = socket.send(text.as_bytes());
        }
    }

    /// Somebody listens.
    pub(crate) fn is_heard(&self) -> bool {
        self.0.is_some()
    }
}

/// The manager wants to hear in this time that the service still runs.
pub(crate) fn watchdog() -> Option<Duration> {
    let microseconds: u64 = std::env::var("WATCHDOG_USEC").ok()?.parse().ok()?;
    (microseconds > 0).then(|| Duration::from_micros(microseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_comes_as_it_is() {
        let (ours, theirs) = UnixDatagram::pair().unwrap();
        let notifier = Notifier::of_socket(&ours).unwrap();
        assert!(notifier.is_heard() && !Notifier::default().is_heard());
        notifier.say("READY=1\nSTATUS=x");
        let mut bytes = [0; 64];
        let count = theirs.recv(&mut bytes).unwrap();
        assert_eq!(&bytes[..count], b"READY=1\nSTATUS=x");
        drop(theirs);
        notifier.say("nobody listens");
        Notifier::default().say("nothing");
    }
}
