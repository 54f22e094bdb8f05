//! Which path a cgroup has, by what a kernel record holds of it: its hierarchy's number and its id.
//!
//! The kernel reports a path when a cgroup is created, so that one that is gone by the time the record is read still
//! has its path; those that existed before are found by walking the mounted hierarchies. Memory is bounded.
//!
//! A path may hold any byte but NUL and is kept as text, with U+FFFD for what is not UTF-8, and then in bytes beside it. It leads from the root of
//! the hierarchy, never from that of a namespace: where only a part can be seen and the way to it is not known, there
//! is no path. A cgroup of v1 that was renamed keeps its old path until it is walked over again.

mod mounts;

use std::borrow::Cow;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use self::mounts::Mount;
use super::container::Delegation;
use crate::base::bounded::{Bounded, owner_of};

/// The hierarchy of cgroup v2. A hierarchy of v1 has the number in the first column of /proc/PID/cgroup.
pub(crate) const UNIFIED: u32 = 0;

/// Bytes of paths that are kept.
const ROOM: usize = 8 * 1024 * 1024;
/// Bytes of those that are not UTF-8, which are kept beside the text.
const RAW_ROOM: usize = 1024 * 1024;

/// A hierarchy is walked again for an id that is not known, but no sooner than this after the last time.
const WALK_EVERY: Duration = Duration::from_secs(1);

/// The paths of cgroups, those of the least recent use dropped first.
#[derive(Debug)]
pub(crate) struct CgroupPaths {
    root: PathBuf,
    mounts: Vec<Mount>,
    looked_for_mounts: Instant,
    paths: Bounded<(u32, u64), Rc<str>>,
    raw: Bounded<(u32, u64), Rc<[u8]>>,
    /// Paths for which there was no room any more.
    pub dropped: u64,
    /// How often a path became another, or known.
    pub changes: u64,
}

impl CgroupPaths {
    /// Walks every hierarchy that is mounted. `root` is where the host's file system is.
    pub(crate) fn new(root: &Path, now: Instant) -> Self {
        Self::of(root, mounts::find(root), ROOM, now)
    }

    /// With what such texts of /proc/PID/cgroup and /proc/PID/mountinfo say is mounted, of a host that has none of it.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn of_texts(cgroup: &[u8], mountinfo: &[u8], now: Instant) -> Self {
        let nowhere = Path::new("/nonexistent");
        Self::of(nowhere, mounts::of_texts(cgroup, mountinfo, nowhere), ROOM, now)
    }

    fn of(root: &Path, mounts: Vec<Mount>, at_most: usize, now: Instant) -> Self {
        let mut all = Self {
            root: root.to_owned(),
            mounts,
            looked_for_mounts: now,
            paths: Bounded::new(at_most),
            raw: Bounded::new(RAW_ROOM),
            dropped: 0,
            changes: 0,
        };
        let mut hierarchies: Vec<u32> = all.mounts.iter().map(|mount| mount.hierarchy).collect();
        hierarchies.dedup();
        for hierarchy in hierarchies {
            all.walk(hierarchy, now);
        }
        all
    }

    /// The kernel reported that a cgroup has this path.
    pub(crate) fn on_path(&mut self, hierarchy: u32, id: u64, bytes: &[u8]) {
        let path = String::from_utf8_lossy(bytes);
        // a new name: what is below has a new one as well
        let old =
            self.paths.peek(&(hierarchy, id)).filter(|old| ***old != *path).map(|old| format!("{old}/"));
        if let Some(old) = old {
            let below: Vec<_> = self
                .paths
                .iter()
                .filter(|((of, _), path)| *of == hierarchy && path.starts_with(&old))
                .map(|(key, _)| *key)
                .collect();
            for key in below {
                self.paths.remove(&key);
            }
            for mount in self.mounts.iter_mut().filter(|mount| mount.hierarchy == hierarchy) {
                mount.walked = None;
            }
        }
        self.keep(hierarchy, id, bytes);
    }

    /// All that are known: hierarchy and path.
    pub(super) fn all(&self) -> Vec<(u32, Rc<str>)> {
        self.paths.iter().map(|((hierarchy, _), path)| (*hierarchy, Rc::clone(path))).collect()
    }

    /// The bytes of a path that is not UTF-8.
    pub(crate) fn raw(&mut self, hierarchy: u32, id: u64) -> Option<Rc<[u8]>> {
        self.raw.get(&(hierarchy, id)).map(Rc::clone)
    }

    /// The path of a cgroup. For an id that is not known the hierarchy is walked, at most once a second: until then
    /// None.
    pub(crate) fn path(&mut self, hierarchy: u32, id: u64, now: Instant) -> Option<Rc<str>> {
        // no cgroup has the id 0
        if id == 0 {
            return None;
        }
        if let Some(path) = self.paths.get(&(hierarchy, id)) {
            return Some(Rc::clone(path));
        }
        self.look_for_mounts_of(hierarchy, now);
        self.walk(hierarchy, now);
        self.paths.get(&(hierarchy, id)).map(Rc::clone)
    }

    /// From where on a path is what a user made of it, as far as its directories are there. Systemd gives a directory to
    /// whom it delegates it to.
    pub(crate) fn delegation(&self, hierarchy: u32, path: &str) -> Option<Delegation> {
        let is_of = |mount: &&Mount| mount.hierarchy == hierarchy && path.starts_with(&mount.prefix);
        let mount = self.mounts.iter().find(is_of)?;
        let above = mount.prefix.split('/').filter(|word| !word.is_empty()).count();
        let rest = path.get(mount.prefix.len()..)?.split('/').filter(|word| !word.is_empty());
        let mut directory = mount.directory.clone();
        for (depth, word) in rest.enumerate() {
            directory.push(word);
            match fs::symlink_metadata(&directory).ok()?.uid() {
                0 => {}
                uid => return Some(Delegation { depth: above + depth, uid }),
            }
        }
        None
    }

    /// One may have been mounted since.
    fn look_for_mounts_of(&mut self, hierarchy: u32, now: Instant) {
        let is_known = self.mounts.iter().any(|mount| mount.hierarchy == hierarchy);
        if !is_known && now.saturating_duration_since(self.looked_for_mounts) >= WALK_EVERY {
            self.looked_for_mounts = now;
            let found = mounts::find(&self.root);
            self.mounts.extend(found.into_iter().filter(|mount| mount.hierarchy == hierarchy));
        }
    }

    fn walk(&mut self, hierarchy: u32, now: Instant) {
        let mut found = Vec::new();
        for mount in self.mounts.iter_mut().filter(|mount| mount.hierarchy == hierarchy) {
            if mount.walked.is_none_or(|walked| now.saturating_duration_since(walked) >= WALK_EVERY) {
                mount.walked = Some(now);
                // more than there is room for would only push one another out
                mount.walk(self.paths.room(), &mut found);
            }
        }
        for (id, path) in found {
            self.keep(hierarchy, id, &path);
        }
    }

    fn keep(&mut self, hierarchy: u32, id: u64, bytes: &[u8]) {
        let key = (hierarchy, id);
        let path = String::from_utf8_lossy(bytes);
        let is_same = match &path {
            Cow::Borrowed(_) => self.raw.remove(&key).is_none(),
            // other bytes may be the same text
            Cow::Owned(_) if self.raw.peek(&key).is_some_and(|known| **known == *bytes) => true,
            Cow::Owned(_) => {
                self.raw.put(key, bytes.into(), owner_of_path(bytes), bytes.len());
                false
            }
        };
        if is_same && self.paths.get(&key).is_some_and(|known| **known == *path) {
            return;
        }
        self.changes += 1;
        let gone = self.paths.put(key, (*path).into(), owner_of_path(bytes), path.len());
        self.dropped += gone.len() as u64;
    }
}

/// Who makes room where the paths are too many: a user to whom systemd delegates cgroups, for all of them.
fn owner_of_path(path: &[u8]) -> u64 {
    let user = path.strip_prefix(b"/user.slice/user-").and_then(|rest| {
        let digits = rest.split(|&byte| byte == b'.').next()?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    });
    user.map_or(0, owner_of)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    fn inode(path: &Path) -> u64 {
        fs::metadata(path).unwrap().ino()
    }

    fn of_directory(directory: &Path, prefix: &str, now: Instant) -> CgroupPaths {
        let mount =
            Mount { directory: directory.to_owned(), hierarchy: 4, prefix: prefix.to_owned(), walked: None };
        CgroupPaths::of(Path::new("/nonexistent"), vec![mount], ROOM, now)
    }

    fn unmounted(room: usize) -> CgroupPaths {
        CgroupPaths::of(Path::new("/nonexistent"), Vec::new(), room, Instant::now())
    }

    #[test]
    fn cgroups_that_were_there_before_have_their_paths() {
        let directory = tempfile::tempdir().unwrap();
        let (root, now) = (directory.path(), Instant::now());
        fs::create_dir_all(root.join("a.slice/b.service")).unwrap();
        fs::write(root.join("a.slice/cgroup.procs"), "").unwrap();
        let mut paths = of_directory(root, "", now);
        assert_eq!(paths.path(4, inode(root), now).as_deref(), Some("/"));
        assert_eq!(paths.path(4, inode(&root.join("a.slice")), now).as_deref(), Some("/a.slice"));
        let deep = inode(&root.join("a.slice/b.service"));
        assert_eq!(paths.path(4, deep, now).as_deref(), Some("/a.slice/b.service"));
        assert_eq!(
            paths.path(4, inode(&root.join("a.slice/cgroup.procs")), now),
            None,
            "a file is no cgroup"
        );
        assert_eq!(paths.path(UNIFIED, deep, now), None, "an id is of one hierarchy");
    }

    #[test]
    fn a_path_leads_from_the_root_of_the_hierarchy_not_of_the_mount() {
        let directory = tempfile::tempdir().unwrap();
        let (root, now) = (directory.path(), Instant::now());
        fs::create_dir(root.join("a")).unwrap();
        let mut paths = of_directory(root, "/docker/1", now);
        assert_eq!(paths.path(4, inode(root), now).as_deref(), Some("/docker/1"));
        assert_eq!(paths.path(4, inode(&root.join("a")), now).as_deref(), Some("/docker/1/a"));
    }

    #[test]
    fn an_unknown_cgroup_is_looked_for_once_a_second() {
        let directory = tempfile::tempdir().unwrap();
        let (root, start) = (directory.path(), Instant::now());
        let mut paths = of_directory(root, "", start);
        fs::create_dir(root.join("later")).unwrap();
        let id = inode(&root.join("later"));
        assert_eq!(paths.path(4, id, start + Duration::from_millis(999)), None);
        assert_eq!(paths.path(4, id, start + WALK_EVERY).as_deref(), Some("/later"));
        fs::create_dir(root.join("even-later")).unwrap();
        let id = inode(&root.join("even-later"));
        assert_eq!(paths.path(4, id, start + WALK_EVERY), None);
    }

    #[test]
    fn a_cgroup_that_is_gone_keeps_the_path_that_was_reported() {
        let (mut paths, now) = (unmounted(4096), Instant::now());
        paths.on_path(UNIFIED, 7, b"/system.slice/a.service");
        paths.on_path(4, 7, b"/other");
        assert_eq!(paths.path(UNIFIED, 7, now).as_deref(), Some("/system.slice/a.service"));
        assert_eq!(paths.path(4, 7, now).as_deref(), Some("/other"));
        assert_eq!(paths.path(5, 7, now), None);
    }

    #[test]
    fn what_was_reported_last_holds() {
        let (mut paths, now) = (unmounted(4096), Instant::now());
        paths.on_path(1, 7, b"/old");
        paths.on_path(1, 7, b"/new");
        assert_eq!(paths.path(1, 7, now).as_deref(), Some("/new"));
        assert_eq!(paths.dropped, 0);
    }

    #[test]
    fn what_is_below_a_cgroup_with_a_new_name_has_no_old_path() {
        let (mut paths, now) = (unmounted(4096), Instant::now());
        for (hierarchy, id, path) in [(1, 7, "/old"), (1, 8, "/old/a"), (1, 9, "/older/b"), (2, 8, "/old/a")]
        {
            paths.on_path(hierarchy, id, path.as_bytes());
        }
        paths.on_path(1, 7, b"/new");
        assert_eq!(paths.path(1, 8, now), None);
        assert!(paths.path(1, 9, now).is_some() && paths.path(2, 8, now).is_some());
    }

    #[test]
    fn the_path_that_was_not_used_for_longest_goes_first_and_is_counted() {
        // room for two of them
        let (mut paths, now) = (unmounted(64 * 1024), Instant::now());
        let long = |name: char| format!("/{}", String::from(name).repeat(25 * 1024)).into_bytes();
        paths.on_path(0, 1, &long('a'));
        paths.on_path(0, 2, &long('b'));
        assert!(paths.path(0, 1, now).is_some());
        paths.on_path(0, 3, &long('c'));
        assert_eq!(paths.path(0, 2, now), None);
        assert!(paths.path(0, 1, now).is_some() && paths.path(0, 3, now).is_some());
        assert_eq!(paths.dropped, 1);
    }

    #[test]
    fn a_user_with_many_cgroups_has_none_of_the_host_forgotten_and_memory_is_bounded() {
        let (mut paths, now) = (unmounted(ROOM), Instant::now());
        paths.on_path(0, 1, b"/system.slice/sshd.service");
        let long = "x".repeat(250);
        for id in 10..60_000 {
            let path = format!("/user.slice/user-1000.slice/user@1000.service/{long}/{id}");
            paths.on_path(0, id, path.as_bytes());
        }
        assert!(paths.paths.bytes() <= ROOM && paths.dropped > 10_000, "{}", paths.dropped);
        assert!(paths.path(0, 1, now).is_some() && paths.path(0, 59_999, now).is_some());
        assert_eq!(owner_of_path(b"/user.slice/user-1000.slice"), 1000);
        for root in
            [&b"/user.slice"[..], b"/user.slice/user-x.slice", b"/a/user.slice/user-1.slice", b"/\xff"]
        {
            assert_eq!(owner_of_path(root), 0);
        }
    }

    #[test]
    fn every_path_that_is_new_is_a_change_and_no_other() {
        let mut paths = unmounted(4096);
        for (path, changes) in [("/a", 1), ("/a", 1), ("/b", 2), ("/a", 3)] {
            paths.on_path(0, 1, path.as_bytes());
            assert_eq!(paths.changes, changes, "{path}");
        }
        assert!(paths.path(0, 1, Instant::now()).is_some());
        assert_eq!(paths.changes, 3);
    }

    #[test]
    fn a_walk_finds_no_more_than_there_is_room_for() {
        let directory = tempfile::tempdir().unwrap();
        for name in 0..20 {
            fs::create_dir(directory.path().join(name.to_string())).unwrap();
        }
        let mount = Mount {
            directory: directory.path().to_owned(),
            hierarchy: 1,
            prefix: String::new(),
            walked: None,
        };
        let paths = CgroupPaths::of(Path::new("/nonexistent"), vec![mount], 1024, Instant::now());
        assert!((3..8).contains(&paths.paths.len()), "{}", paths.paths.len());
        assert_eq!(paths.dropped, 0, "none pushes another out");
    }

    #[test]
    fn a_name_of_any_bytes_is_kept_as_text() {
        let directory = tempfile::tempdir().unwrap();
        let now = Instant::now();
        let odd = directory.path().join(OsStr::from_bytes(b"a\xff\n"));
        fs::create_dir(&odd).unwrap();
        let mut paths = of_directory(directory.path(), "", now);
        assert_eq!(paths.path(4, inode(&odd), now).as_deref(), Some("/a\u{fffd}\n"));
        assert_eq!(paths.raw(4, inode(&odd)).as_deref(), Some(&b"/a\xff\n"[..]));
        for (bytes, changes) in
            [(&b"/\xff"[..], 1), (b"/\xff", 0), (b"/\xfe", 1), ("/\u{fffd}".as_bytes(), 1)]
        {
            let before = paths.changes;
            paths.on_path(4, 1, bytes);
            assert_eq!(paths.path(4, 1, now).as_deref(), Some("/\u{fffd}"));
            let is_text = std::str::from_utf8(bytes).is_ok();
            assert_eq!(paths.raw(4, 1).as_deref(), (!is_text).then_some(bytes));
            assert_eq!(paths.changes - before, changes, "{bytes:?}");
        }
    }

    /// What /proc says of this very process, in every hierarchy that can be seen whole.
    #[test]
    fn on_this_host_the_inode_of_a_cgroup_leads_to_the_path_that_proc_has() {
        let now = Instant::now();
        let mut paths = CgroupPaths::new(Path::new("/"), now);
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        for line in own.lines() {
            let mut fields = line.splitn(3, ':');
            let hierarchy: u32 = fields.next().unwrap().parse().unwrap();
            let path = fields.nth(1).unwrap();
            let is_whole = |mount: &&Mount| mount.hierarchy == hierarchy && mount.prefix.is_empty();
            let Some(mount) = paths.mounts.iter().find(is_whole) else { continue };
            let id = inode(&mount.directory.join(path.trim_start_matches('/')));
            assert_eq!(paths.path(hierarchy, id, now).as_deref(), Some(path), "hierarchy {hierarchy}");
        }
    }

    #[test]
    fn a_host_without_cgroups_has_no_paths() {
        let now = Instant::now();
        let mut paths = CgroupPaths::new(Path::new("/nonexistent"), now);
        assert_eq!(paths.path(UNIFIED, 1, now + WALK_EVERY), None);
        assert_eq!(paths.path(UNIFIED, 0, now + WALK_EVERY), None);
    }
}
