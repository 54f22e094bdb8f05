//! The way to a FILE: a symbolic link on it is followed only if root or we have made it.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, PROC_SUPER_MAGIC, RawMode};
use rustix::io::Errno;

use super::Refusal;

/// As many as the kernel follows.
const LINKS: usize = 40;

/// The directory, and the name in it.
pub(super) fn split(path: &Path) -> Result<(PathBuf, OsString), Refusal> {
    let name = path.file_name().filter(|_| !path.as_os_str().as_bytes().ends_with(b"/"));
    let name = name.ok_or_else(|| Refusal::new("it is the name of a directory", "name a file in it"))?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok((parent.to_owned(), name.to_owned()))
}

const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

fn names(path: &Path) -> Vec<OsString> {
    let name = |component: Component<'_>| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().filter_map(name).collect()
}

/// Opens a directory, a name at a time.
pub(super) fn open_directory(path: &Path) -> Result<OwnedFd, Refusal> {
    let begin =
        |path: &Path| rustix::fs::open(if path.is_absolute() { "/" } else { "." }, DIRECTORY, Mode::empty());
    let mut at = begin(path)?;
    let mut rest = VecDeque::from(names(path));
    let mut links = 0;
    while let Some(name) = rest.pop_front() {
        at = match rustix::fs::openat(&at, &name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty()) {
            Ok(directory) => directory,
            Err(Errno::NOTDIR | Errno::LOOP) => {
                links += 1;
                match follow(&at, &name)? {
                    _ if links > LINKS => return Err(Errno::LOOP.into()),
                    Way::Directory(directory) => directory,
                    Way::Path(path) => {
                        names(&path).into_iter().rev().for_each(|name| rest.push_front(name));
                        if path.is_absolute() { begin(&path)? } else { at }
                    }
                }
            }
            Err(error) => return Err(error.into()),
        };
    }
    Ok(at)
}

enum Way {
    Directory(OwnedFd),
    Path(PathBuf),
}

fn follow(at: &OwnedFd, name: &OsStr) -> Result<Way, Refusal> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let link = rustix::fs::openat(at, name, flags, Mode::empty())?;
    let status = rustix::fs::fstat(&link)?;
    if FileType::from_raw_mode(status.st_mode as RawMode) != FileType::Symlink {
        return Err(Errno::NOTDIR.into());
    }
    if status.st_uid != 0 && status.st_uid != rustix::process::geteuid().as_raw() {
        return Err(Refusal::new(
            format!("the way to it leads over a symbolic link of user {}", status.st_uid),
            "name it without that link",
        ));
    }
    // a link of the kernel's leads where no text says
    if rustix::fs::fstatfs(at)?.f_type == PROC_SUPER_MAGIC {
        return Ok(Way::Directory(rustix::fs::openat(at, name, DIRECTORY, Mode::empty())?));
    }
    let text = rustix::fs::readlinkat(&link, c"", Vec::new())?;
    Ok(Way::Path(OsString::from_vec(text.into_bytes()).into()))
}
