//! A process by descriptor: the key of task storage as user space sees it.

use std::io;
use std::os::fd::OwnedFd;

use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// Opens a pidfd of a thread-group leader in this pid namespace.
///
/// # Errors
/// `ESRCH` if there is none, `EINVAL` if `pid` is not the leader of a thread group.
pub(crate) fn open(pid: u32) -> io::Result<OwnedFd> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(pidfd_open(pid, PidfdFlags::empty())?)
}
