//! Files of the host, read below `--root`: a symbolic link leads to where it does on the host, never to a file of the tracer's own
//! container.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Dir, Mode, OFlags, ResolveFlags};

/// Opens a file of the host. Does not wait for the writer of a pipe.
pub(super) fn open_under(root: &Path, path: &str) -> io::Result<File> {
    Ok(File::from(open(root, path, OFlags::NONBLOCK | OFlags::NOCTTY)?))
}

/// The whole of a regular file that is no longer than this and no symbolic link itself.
pub(super) fn read_under(root: &Path, path: &str, at_most: u64) -> io::Result<Vec<u8>> {
    let file = File::from(open(root, path, OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW)?);
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut bytes = Vec::new();
    if file.take(at_most + 1).read_to_end(&mut bytes)? as u64 > at_most {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

/// The names in a directory, as far as they are text, and no more than so many of them.
pub(super) fn list_under(root: &Path, path: &str, at_most: usize) -> io::Result<Vec<String>> {
    let directory = open(root, path, OFlags::DIRECTORY)?;
    let name = |entry: rustix::io::Result<rustix::fs::DirEntry>| {
        let name = entry.ok()?.file_name().to_str().ok()?.to_owned();
        (name != "." && name != "..").then_some(name)
    };
    Ok(Dir::new(directory)?.filter_map(name).take(at_most).collect())
}

fn open(root: &Path, path: &str, flags: OFlags) -> io::Result<OwnedFd> {
    let flags = flags | OFlags::RDONLY | OFlags::CLOEXEC;
    if root == Path::new("/") {
        // the same, by a call whose flags a filter can see
        return Ok(rustix::fs::open(root.join(path), flags, Mode::empty())?);
    }
    let root = rustix::fs::open(root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    Ok(rustix::fs::openat2(root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT)?)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_is_no_regular_file_of_this_length_is_not_read() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("file"), "12345").unwrap();
        symlink("file", root.path().join("link")).unwrap();
        let read = |path: &str, at_most| read_under(root.path(), path, at_most);
        assert_eq!(read("file", 5).unwrap(), b"12345");
        assert_eq!(read("file", 4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert!(read("link", 5).is_err() && read(".", 5).is_err() && read("none", 5).is_err());
        assert_eq!(list_under(root.path(), ".", 1).unwrap().len(), 1);
    }
}
