//! Names of users and groups, from /etc/passwd and /etc/group under the root.
//!
//! Never through NSS: a static glibc crashes in it, and it would answer for the tracer's container, not for the host.
//! So a user who is only in LDAP has no name here. A name is foreign text: sinks sanitise it.

use std::collections::HashMap;
use std::fs::Metadata;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::host_files::open_under;
use crate::base::accounts::{Group, User};

/// A file is checked again after this time.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Bytes of a file that are read: some 80,000 users.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Names by id, as the two files have them now.
#[derive(Debug)]
pub(crate) struct Names {
    root: PathBuf,
    users: Table,
    groups: Table,
}

impl Names {
    /// `root` is where the host's file system is. Nothing is read before the first look-up.
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            users: Table::new("etc/passwd", user_of_line),
            groups: Table::new("etc/group", group_of_line),
        }
    }

    /// Looks at what was looked at before, if that is some time ago.
    pub(crate) fn refresh_files(&mut self, now: Instant) {
        for table in [&mut self.users, &mut self.groups] {
            if table.looked.is_some() {
                table.refresh(&self.root, now);
            }
        }
    }

    /// How often the names became others.
    pub(crate) fn changes(&self) -> u64 {
        self.users.changes + self.groups.changes
    }

    /// The user's name. None where /etc/passwd has none, or none that is text.
    pub(crate) fn user(&mut self, uid: u32, now: Instant) -> Option<&str> {
        self.users.name(&self.root, uid, now)
    }

    /// The group's name. None where /etc/group has none, or none that is text.
    pub(crate) fn group(&mut self, gid: u32, now: Instant) -> Option<&str> {
        self.groups.name(&self.root, gid, now)
    }
}

/// How many users and groups such files have.
#[cfg(any(test, fuzzing))]
pub(crate) fn count(passwd: &[u8], group: &[u8]) -> usize {
    parse(whole_lines(passwd), user_of_line).len() + parse(whole_lines(group), group_of_line).len()
}

/// What distinguishes one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

/// Name and id of a line.
type ReadLine = fn(&[u8]) -> Option<(&[u8], u32)>;

fn user_of_line(line: &[u8]) -> Option<(&[u8], u32)> {
    User::of_line(line).map(|user| (user.name, user.uid))
}

fn group_of_line(line: &[u8]) -> Option<(&[u8], u32)> {
    Group::of_line(line).map(|group| (group.name, group.gid))
}

#[derive(Debug)]
struct Table {
    /// Under the root.
    path: &'static str,
    read_line: ReadLine,
    /// None where the name is not text, so that a later line cannot claim the id.
    names: HashMap<u32, Option<Box<str>>>,
    stamp: Option<Stamp>,
    looked: Option<Instant>,
    changes: u64,
}

impl Table {
    fn new(path: &'static str, read_line: ReadLine) -> Self {
        Self { path, read_line, names: HashMap::new(), stamp: None, looked: None, changes: 0 }
    }

    fn name(&mut self, root: &Path, id: u32, now: Instant) -> Option<&str> {
        self.refresh(root, now);
        self.names.get(&id)?.as_deref()
    }

    fn refresh(&mut self, root: &Path, now: Instant) {
        if self.looked.is_none_or(|looked| now.saturating_duration_since(looked) >= LOOK_EVERY) {
            self.looked = Some(now);
            // no file, no names: what it said may not hold any longer
            if self.look(root).is_err() && self.stamp.take().is_some() {
                self.names = HashMap::new();
                self.changes += 1;
            }
        }
    }

    fn look(&mut self, root: &Path) -> io::Result<()> {
        let file = open_under(root, self.path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let stamp = Some(Stamp::of(&metadata));
        if self.stamp != stamp {
            let mut text = Vec::new();
            file.take(MAX_FILE_BYTES).read_to_end(&mut text)?;
            self.names = parse(whole_lines(&text), self.read_line);
            self.stamp = stamp;
            self.changes += 1;
        }
        Ok(())
    }
}

/// Without the rest of a line that was cut, whose number would be another's.
fn whole_lines(text: &[u8]) -> &[u8] {
    if (text.len() as u64) < MAX_FILE_BYTES {
        return text;
    }
    let end = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    text.get(..end).unwrap_or_default()
}

/// The first line of an id wins, as getpwuid has it. A name that is not UTF-8 is none: text made up for it would
/// name a user who does not exist, and the id says the same.
fn parse(text: &[u8], read_line: ReadLine) -> HashMap<u32, Option<Box<str>>> {
    let mut names = HashMap::new();
    for (name, id) in text.split(|&byte| byte == b'\n').filter_map(read_line) {
        names.entry(id).or_insert_with(|| std::str::from_utf8(name).ok().map(Box::from));
    }
    names
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use proptest::prelude::*;
    use tempfile::TempDir;

    use rustix::fs::Mode;

    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33::/var/www:/usr/sbin/nologin\n";

    fn host(passwd: &[u8]) -> TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("etc")).unwrap();
        fs::write(root.path().join("etc/passwd"), passwd).unwrap();
        root
    }

    fn users(text: &[u8]) -> HashMap<u32, Option<Box<str>>> {
        parse(text, user_of_line)
    }

    #[test]
    fn ids_have_the_names_that_the_hosts_files_give() {
        let root = host(format!("{PASSWD}without-gid:x:4\n").as_bytes());
        fs::write(root.path().join("etc/group"), "adm:*:4:syslog,ann\nempty:x:5:\nshort:x:6\n").unwrap();
        let mut names = Names::new(root.path());
        let now = Instant::now();
        assert_eq!(names.user(0, now), Some("root"));
        assert_eq!(names.user(33, now), Some("www-data"));
        assert_eq!(names.user(4, now), None);
        assert_eq!(names.group(4, now), Some("adm"));
        assert_eq!(names.group(5, now), Some("empty"));
        assert_eq!(names.group(6, now), Some("short"));
        assert_eq!(names.group(33, now), None);
    }

    #[test]
    fn a_missing_file_has_no_names_until_it_is_there() {
        let root = tempfile::tempdir().unwrap();
        let mut names = Names::new(root.path());
        let now = Instant::now();
        assert_eq!(names.user(0, now), None);
        assert_eq!(Names::new(Path::new("/nonexistent")).group(0, now), None);
        fs::create_dir(root.path().join("etc")).unwrap();
        fs::write(root.path().join("etc/passwd"), PASSWD).unwrap();
        assert_eq!(names.user(0, now + LOOK_EVERY), Some("root"));
    }

    #[test]
    fn a_changed_file_is_read_again_and_looked_at_once_a_second() {
        let root = host(b"ann:x:1000:1000\n");
        let passwd = root.path().join("etc/passwd");
        let mut names = Names::new(root.path());
        let start = Instant::now();
        assert_eq!(names.user(1000, start), Some("ann"));
        // as vipw and useradd do it: a new file takes the place of the old
        fs::write(root.path().join("etc/passwd.new"), "bob:x:1000:1000\n").unwrap();
        fs::rename(root.path().join("etc/passwd.new"), &passwd).unwrap();
        assert_eq!(names.user(1000, start + Duration::from_millis(999)), Some("ann"));
        assert_eq!(names.user(1000, start + LOOK_EVERY), Some("bob"));
        fs::write(&passwd, "carol:x:1000:1000\n").unwrap();
        assert_eq!(names.user(1000, start + 2 * LOOK_EVERY), Some("carol"));
        fs::remove_file(&passwd).unwrap();
        assert_eq!(names.user(1000, start + 3 * LOOK_EVERY), None);
    }

    #[test]
    fn names_that_were_looked_at_are_looked_at_again_and_every_change_is_counted() {
        let root = host(b"ann:x:1000:1000\n");
        let passwd = root.path().join("etc/passwd");
        let mut names = Names::new(root.path());
        let start = Instant::now();
        names.refresh_files(start);
        assert_eq!(names.changes(), 0, "nobody has asked yet");
        assert_eq!(names.user(1000, start), Some("ann"));
        assert_eq!(names.changes(), 1);
        fs::write(root.path().join("etc/passwd.new"), "bob:x:1000:1000\n").unwrap();
        fs::rename(root.path().join("etc/passwd.new"), &passwd).unwrap();
        for (seconds, changes) in [(0, 1), (1, 2), (2, 2)] {
            names.refresh_files(start + seconds * LOOK_EVERY);
            assert_eq!(names.changes(), changes, "{seconds}");
        }
        fs::remove_file(&passwd).unwrap();
        for seconds in [3, 4] {
            names.refresh_files(start + seconds * LOOK_EVERY);
            assert_eq!(names.changes(), 3);
        }
    }

    #[test]
    fn a_file_that_did_not_change_is_not_read_again() {
        let root = host(b"ann:x:1000:1000\n");
        let mut names = Names::new(root.path());
        let start = Instant::now();
        assert_eq!(names.user(1000, start), Some("ann"));
        names.users.names.insert(1000, Some("kept".into()));
        assert_eq!(names.user(1000, start + LOOK_EVERY), Some("kept"));
    }

    #[test]
    fn lines_that_name_nobody_are_passed_over() {
        let text = b"# a comment:x:1:1\n\n+\n+::::::\n+nis:x:2:2\n-nis:x:3:3\n:x:4:4\nnouid:x\nnogid:x:5\n\
                     bad:x:abc:6\nsigned:x:+7:7\nhuge:x:4294967296:8\nempty:x::9\n  good:x:10:10\n";
        assert_eq!(users(text), HashMap::from([(10, Some("good".into()))]));
    }

    #[test]
    fn the_first_name_of_an_id_wins() {
        assert_eq!(users(b"root:x:0:0\ntoor:x:0:0\n").get(&0), Some(&Some("root".into())));
    }

    #[test]
    fn a_name_that_is_not_text_is_none_and_keeps_its_id() {
        let names = users(b"caf\xe9:x:1:1\nlater:x:1:1\nann:x:2:2:Andr\xe9:/home/ann:\n");
        assert_eq!(names.get(&1), Some(&None));
        assert_eq!(names.get(&2), Some(&Some("ann".into())), "only the comment field is not UTF-8");
    }

    #[test]
    fn of_a_huge_file_the_whole_lines_of_its_beginning_are_read() {
        let mut text = b"first:x:1:1\n".to_vec();
        text.resize(MAX_FILE_BYTES as usize - 11, b'#');
        // the limit falls behind the first 10: the number would be another's
        text.extend_from_slice(b"\ncut:x:2:1000\n");
        let root = host(&text);
        let mut names = Names::new(root.path());
        let now = Instant::now();
        assert_eq!(names.user(1, now), Some("first"));
        assert_eq!(names.user(2, now), None);
    }

    #[test]
    fn a_link_leads_to_a_file_of_the_host_never_to_the_tracers_own() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("etc")).unwrap();
        symlink("/etc/hosts-own-passwd", root.path().join("etc/passwd")).unwrap();
        symlink("/proc/self/status", root.path().join("etc/group")).unwrap();
        fs::write(root.path().join("etc/hosts-own-passwd"), PASSWD).unwrap();
        let mut names = Names::new(root.path());
        assert_eq!(names.user(33, Instant::now()), Some("www-data"));
        assert!(open_under(root.path(), "etc/group").is_err());
    }

    #[test]
    fn what_is_no_file_is_not_read() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("etc/passwd")).unwrap();
        let group = root.path().join("etc/group");
        rustix::fs::mknodat(rustix::fs::CWD, &group, rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
        let mut names = Names::new(root.path());
        assert_eq!(names.user(0, Instant::now()), None);
        assert_eq!(names.group(0, Instant::now()), None);
        assert!(names.groups.look(root.path()).is_err(), "a pipe or a device could have no end");
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed(text: Vec<u8>) {
            users(&text);
            parse(&text, group_of_line);
        }

        #[test]
        fn every_ordinary_line_is_found(name in "[a-z_][a-z0-9_-]{0,30}", uid: u32, gid: u32, rest in "(:[^\n]*)?") {
            let line = format!("{name}:x:{uid}:{gid}{rest}\n");
            let names = users(line.as_bytes());
            prop_assert_eq!(names.get(&uid).and_then(|found| found.as_deref()), Some(name.as_str()));
        }
    }
}
