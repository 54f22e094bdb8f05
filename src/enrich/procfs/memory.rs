//! Files of /proc that show the memory of a process: a reader waits for its memory map, which may be stuck. Bounded
//! in time, and in reads that wait for the processes of one user.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use crate::base::bounded::owner_of;

/// The longest that a read may take.
const MEMORY_WITHIN: Duration = Duration::from_millis(100);
/// Reads that may wait, of the processes of one user and of all users; then none is begun.
const WAITING_OF_ONE: usize = 4;
const WAITING_AT_MOST: usize = 32;

/// Whose processes are being read: an owner for each read that waits.
#[derive(Debug)]
struct WaitingReads(Mutex<Vec<u64>>);

impl WaitingReads {
    const fn nobody() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// False: too many wait.
    fn begin(&self, owner: u64) -> bool {
        let mut owners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_one = owners.iter().filter(|&&other| other == owner).count();
        let may_begin = of_one < WAITING_OF_ONE && owners.len() < WAITING_AT_MOST;
        if may_begin {
            owners.push(owner);
        }
        may_begin
    }

    fn end(&self, owner: u64) {
        let mut owners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = owners.iter().position(|&other| other == owner) {
            owners.swap_remove(place);
        }
    }
}

/// Reads a file of /proc that shows the memory of a process, on a thread of its own. One that hangs is left behind: such a
/// wait ends with the process that waits.
///
/// # Errors
/// [`io::ErrorKind::TimedOut`] if it hangs, or too many do; else what the read says.
pub(crate) fn read_in_time(path: PathBuf) -> io::Result<Vec<u8>> {
    static WAITING: WaitingReads = WaitingReads::nobody();
    // the directory of a process belongs to its effective user, whatever may be read in it
    let owner =
        path.parent().and_then(|process| fs::metadata(process).ok()).map_or(0, |of| owner_of(of.uid()));
    read_while_few_wait(path, owner, &WAITING)
}

/// The same, with those that wait.
fn read_while_few_wait(path: PathBuf, owner: u64, waiting: &'static WaitingReads) -> io::Result<Vec<u8>> {
    if !waiting.begin(owner) {
        return Err(io::ErrorKind::TimedOut.into());
    }
    let (sender, receiver) = mpsc::sync_channel(1);
    let read = move || {
        let bytes = fs::read(path);
        waiting.end(owner);
        // nobody waits any more
        let _ = sender.send(bytes);
    };
    if let Err(error) = thread::Builder::new().name("memory".to_owned()).spawn(read) {
        waiting.end(owner);
        return Err(error);
    }
    receiver.recv_timeout(MEMORY_WITHIN).unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hangs_is_left_behind() {
        // its own: other tests read at the same time
        static WAITING: WaitingReads = WaitingReads::nobody();
        let read_in_time = |path| read_while_few_wait(path, 1000, &WAITING);
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for _ in 0..2 * WAITING_OF_ONE {
            assert_eq!(read_in_time(pipe.clone()).unwrap_err().kind(), io::ErrorKind::TimedOut);
        }
        // of another user it is read all the same
        assert!(read_while_few_wait(PathBuf::from("/proc/self/comm"), 0, &WAITING).is_ok());
        // once a writer comes all of them end, and reads are made again
        drop(fs::OpenOptions::new().write(true).open(&pipe).unwrap());
        let mut waited = 0;
        while read_in_time(directory.path().join("nothing")).unwrap_err().kind() != io::ErrorKind::NotFound {
            waited += 1;
            assert!(waited < 1000, "reads that have ended are still counted");
            thread::sleep(Duration::from_millis(5));
        }
    }
}
