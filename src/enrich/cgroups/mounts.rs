//! Where the host's cgroup hierarchies are mounted, what numbers they have, and which cgroups are in them.

use std::collections::{HashSet, VecDeque};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirEntryExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use procfs::process::MountInfo;

use super::UNIFIED;
use crate::base::bounded::Bounded;
use crate::enrich::procfs::CgroupLine;

/// `CGROUP2_SUPER_MAGIC` and `CGROUP_SUPER_MAGIC` (`include/uapi/linux/magic.h`).
const CGROUP2_MAGIC: u64 = 0x6367_7270;
const CGROUP_MAGIC: u64 = 0x27_e0eb;

/// The id of the root of every hierarchy: kernfs counts from 1 (`kernfs_create_root`).
const ROOT_ID: u64 = 1;

/// `PROC_CGROUP_INIT_INO` (`include/linux/proc_ns.h`).
const INITIAL_NAMESPACE: u64 = 0xefff_fffb;

/// A directory where cgroups of a hierarchy are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    pub(super) directory: PathBuf,
    /// Its number in the kernel.
    pub(super) hierarchy: u32,
    /// The path of the cgroup at the directory; empty for the root of the hierarchy.
    pub(super) prefix: String,
    /// When it was walked last.
    pub(super) walked: Option<Instant>,
}

impl Mount {
    /// Ids and paths, those near to the root first, as far as they fit in so many bytes. A cgroup's id is the inode of its directory, on
    /// kernels of 64 bits (`kernfs_ino`).
    pub(super) fn walk(&self, room: usize, found: &mut Vec<(u64, Vec<u8>)>) {
        let Ok(top) = fs::metadata(&self.directory) else { return };
        let path = if self.prefix.is_empty() { "/" } else { &self.prefix };
        let size = |path: &[u8]| Bounded::<(u32, u64), Rc<str>>::in_all(path.len());
        let mut taken = size(path.as_bytes());
        found.push((top.ino(), path.as_bytes().to_vec()));
        let mut rest =
            VecDeque::from([(self.directory.clone(), top.ino(), self.prefix.clone().into_bytes())]);
        while let Some((directory, id, path)) = rest.pop_front() {
            // What is mounted on a cgroup, as net_cls of v1 is on some hosts with v2, has cgroups of another hierarchy
            // or place in it, and the same ids.
            let is_itself =
                fs::metadata(&directory).is_ok_and(|now| (now.dev(), now.ino()) == (top.dev(), id));
            if !is_itself {
                continue;
            }
            // one that is gone by now has no cgroups in it
            for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
                if entry.file_type().is_ok_and(|file_type| file_type.is_dir()) {
                    let path = [&*path, b"/", entry.file_name().as_bytes()].concat();
                    taken += size(&path);
                    if taken > room {
                        return;
                    }
                    found.push((entry.ino(), path.clone()));
                    rest.push_back((entry.path(), entry.ino(), path));
                }
            }
        }
    }
}

/// Where a hierarchy is said to be mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Candidate {
    mount_point: PathBuf,
    /// Major and minor number of the file system; None where nothing says it.
    device: Option<(u32, u32)>,
    hierarchy: u32,
    /// The cgroup that is mounted there, as seen from the reader's cgroup namespace.
    mounted: String,
}

/// The mounts of the host at `root`. Of a hierarchy that can be seen whole, just one.
pub(super) fn find(root: &Path) -> Vec<Mount> {
    // PID 1's, as a tracer in a container has other mounts; its own where PID 1's may not be read
    let read = |name: &str| {
        let of = |process: &str| fs::read(root.join("proc").join(process).join(name));
        of("1").or_else(|_| of("self"))
    };
    let hierarchies = Hierarchy::parse(&read("cgroup").unwrap_or_default());
    let candidates = match read("mountinfo") {
        Ok(text) => candidates(&text, &hierarchies),
        Err(_) => well_known(root, &hierarchies),
    };
    let is_initial =
        fs::metadata("/proc/self/ns/cgroup").is_ok_and(|namespace| namespace.ino() == INITIAL_NAMESPACE);
    let found = candidates.iter().filter_map(|candidate| candidate.resolve(root, is_initial)).collect();
    without_parts(found)
}

/// What such texts say is mounted there.
#[cfg(any(test, fuzzing))]
pub(super) fn of_texts(cgroup: &[u8], mountinfo: &[u8], root: &Path) -> Vec<Mount> {
    let candidates = candidates(mountinfo, &Hierarchy::parse(cgroup));
    without_parts(candidates.iter().filter_map(|candidate| candidate.resolve(root, true)).collect())
}

/// A number and the controllers or the name that belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hierarchy {
    number: u32,
    /// `cpu`, `cpuacct`; `name=systemd`.
    names: Vec<String>,
}

impl Hierarchy {
    /// Of v1, from /proc/PID/cgroup: `N:NAMES:PATH`.
    fn parse(text: &[u8]) -> Vec<Self> {
        let hierarchy = |line: CgroupLine<'_>| {
            let names: Vec<String> = line.controllers().map(str::to_owned).collect();
            (line.hierarchy != UNIFIED && !names.is_empty()).then_some(Self { number: line.hierarchy, names })
        };
        CgroupLine::parse_all(&String::from_utf8_lossy(text)).filter_map(hierarchy).collect()
    }

    /// The number of that which has all its names among these.
    fn number_of(hierarchies: &[Self], has: impl Fn(&str) -> bool) -> Option<u32> {
        let found = hierarchies.iter().find(|hierarchy| hierarchy.names.iter().all(|name| has(name)))?;
        Some(found.number)
    }
}

/// From /proc/PID/mountinfo. A line may hold any bytes, a mount point that is not text: only that line is lost. Of
/// several at one place the last hides the others.
fn candidates(mountinfo: &[u8], hierarchies: &[Hierarchy]) -> Vec<Candidate> {
    let candidate = |line: &[u8]| {
        let mount = MountInfo::from_line(std::str::from_utf8(line).ok()?).ok()?;
        let has = |name: &str| match name.split_once('=') {
            Some((key, value)) => mount.super_options.get(key).is_some_and(|it| it.as_deref() == Some(value)),
            None => mount.super_options.contains_key(name),
        };
        let hierarchy = match mount.fs_type.as_str() {
            "cgroup2" => UNIFIED,
            "cgroup" => Hierarchy::number_of(hierarchies, has)?,
            _ => return None,
        };
        let (major, minor) = mount.majmin.split_once(':')?;
        Some(Candidate {
            mount_point: unescape(mount.mount_point.to_str()?).into(),
            device: Some((major.parse().ok()?, minor.parse().ok()?)),
            hierarchy,
            mounted: unescape(&mount.root),
        })
    };
    let mut places = HashSet::new();
    let last = mountinfo.rsplit(|&byte| byte == b'\n').filter_map(candidate);
    last.filter(|candidate| places.insert(candidate.mount_point.clone())).collect()
}

/// The kernel escapes these four, and systemd's names are full of backslashes. The crate procfs leaves them.
fn unescape(field: &str) -> String {
    field.replace(r"\040", " ").replace(r"\011", "\t").replace(r"\012", "\n").replace(r"\134", r"\")
}

/// Where they are on most hosts.
fn well_known(root: &Path, hierarchies: &[Hierarchy]) -> Vec<Candidate> {
    let base = Path::new("/sys/fs/cgroup");
    let candidate = |mount_point: PathBuf, hierarchy| Candidate {
        mount_point,
        device: None,
        hierarchy,
        mounted: "/".to_owned(),
    };
    let mut all = vec![candidate(base.to_owned(), UNIFIED), candidate(base.join("unified"), UNIFIED)];
    for entry in fs::read_dir(under(root, base)).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let controllers: Vec<&str> = name.to_str().unwrap_or_default().split(',').collect();
        let has = |name: &str| controllers.contains(&name.strip_prefix("name=").unwrap_or(name));
        if let Some(number) = Hierarchy::number_of(hierarchies, has) {
            all.push(candidate(base.join(&name), number));
        }
    }
    all
}

fn under(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

impl Candidate {
    /// Where the tracer can see it: below the root, or through PID 1's own, where the root was bound without what is
    /// mounted below it.
    fn resolve(&self, root: &Path, is_initial: bool) -> Option<Mount> {
        [root.to_owned(), root.join("proc/1/root")].iter().find_map(|root| {
            let directory = under(root, &self.mount_point);
            let magic = if self.hierarchy == UNIFIED { CGROUP2_MAGIC } else { CGROUP_MAGIC };
            let is_one = rustix::fs::statfs(&directory)
                .is_ok_and(|statistics| u64::try_from(statistics.f_type).is_ok_and(|found| found == magic));
            if !is_one {
                return None;
            }
            let top = fs::metadata(&directory).ok()?;
            if !self.is_on(top.dev()) {
                return None;
            }
            let prefix = prefix(top.ino(), &self.mounted, is_initial)?;
            Some(Mount { directory, hierarchy: self.hierarchy, prefix, walked: None })
        })
    }

    /// Whether it is what is seen at its place: something else may be mounted there, or there under another root.
    fn is_on(&self, device: u64) -> bool {
        self.device.is_none_or(|own| own == (rustix::fs::major(device), rustix::fs::minor(device)))
    }
}

/// The path from the root of the hierarchy to the cgroup that is mounted. `mounted` leads from the root of the
/// reader's namespace, so it says that only in the initial one.
fn prefix(id: u64, mounted: &str, is_initial: bool) -> Option<String> {
    if id == ROOT_ID {
        return Some(String::new());
    }
    let is_path =
        mounted.len() > 1 && mounted.starts_with('/') && !mounted.split('/').any(|part| part == "..");
    (is_initial && is_path).then(|| mounted.to_owned())
}

/// Without the mounts of what another one of the same hierarchy shows as well.
fn without_parts(mut mounts: Vec<Mount>) -> Vec<Mount> {
    mounts.sort_by_key(|mount| (mount.hierarchy, mount.prefix.len()));
    let mut kept: Vec<Mount> = Vec::new();
    for mount in mounts {
        let is_part = kept.iter().any(|whole| {
            let rest = mount.prefix.strip_prefix(&whole.prefix);
            whole.hierarchy == mount.hierarchy
                && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        if !is_part {
            kept.push(mount);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OWN: &[u8] =
        b"12:cpuacct,cpu:/a\n9:name=systemd:/init.scope\n4:memory:/\nbad\nx:y:z\n3::/odd\n0::/init.scope\n";

    const HYBRID: &str = "\
31 23 0:28 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755
32 31 0:29 / /sys/fs/cgroup/unified rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate
33 31 0:30 / /sys/fs/cgroup/systemd rw shared:10 - cgroup cgroup rw,xattr,name=systemd
34 31 0:31 / /sys/fs/cgroup/cpu,cpuacct rw shared:11 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 /docker/1 /sys/fs/cgroup/memory rw shared:12 - cgroup cgroup rw,memory
36 31 0:33 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
";

    fn mount(hierarchy: u32, prefix: &str) -> Mount {
        Mount { directory: PathBuf::from(prefix), hierarchy, prefix: prefix.to_owned(), walked: None }
    }

    fn candidate(mount_point: &str, device: Option<(u32, u32)>) -> Candidate {
        Candidate { mount_point: mount_point.into(), device, hierarchy: UNIFIED, mounted: "/".to_owned() }
    }

    #[test]
    fn every_mount_has_the_number_of_its_hierarchy() {
        let found = candidates(HYBRID.as_bytes(), &Hierarchy::parse(OWN));
        let found: Vec<_> = found
            .iter()
            .rev()
            .map(|found| (found.hierarchy, found.mount_point.to_str().unwrap(), found.mounted.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                (UNIFIED, "/sys/fs/cgroup/unified", "/"),
                (9, "/sys/fs/cgroup/systemd", "/"),
                (12, "/sys/fs/cgroup/cpu,cpuacct", "/"),
                (4, "/sys/fs/cgroup/memory", "/docker/1"),
            ],
            "and that of no known number is left out"
        );
    }

    #[test]
    fn a_line_that_is_not_text_costs_only_itself() {
        let text = b"30 1 0:5 / /media/\xff rw - vfat /dev/sdb rw\n\n31 1 0:6 / /sys/fs/cgroup rw - cgroup2 none rw\n";
        let found = candidates(text, &[]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].mount_point, Path::new("/sys/fs/cgroup"));
    }

    #[test]
    fn the_name_of_a_mounted_cgroup_is_the_one_it_has() {
        let text = br"31 1 0:6 /a\134x2db.scope/\134040\040c /sys/fs/c\040d rw - cgroup2 none rw";
        let found = candidates(text, &[]);
        assert_eq!(found[0].mounted, r"/a\x2db.scope/\040 c");
        assert_eq!(found[0].mount_point, Path::new("/sys/fs/c d"));
    }

    #[test]
    fn what_is_hidden_by_a_later_mount_is_not_looked_for() {
        let text =
            "31 1 0:6 /a /x rw - cgroup cgroup rw,memory\n32 31 0:6 /b /x rw - cgroup cgroup rw,memory\n";
        let found = candidates(text.as_bytes(), &Hierarchy::parse(OWN));
        assert_eq!(found.iter().map(|found| found.mounted.as_str()).collect::<Vec<_>>(), ["/b"]);
    }

    #[test]
    fn a_mount_is_known_by_its_device() {
        let text = "31 1 0:6 / /x rw - cgroup2 none rw";
        let found = candidates(text.as_bytes(), &[]);
        assert!(found[0].is_on(rustix::fs::makedev(0, 6)));
        assert!(!found[0].is_on(rustix::fs::makedev(0, 7)) && !found[0].is_on(rustix::fs::makedev(1, 6)));
    }

    /// The root directory, in place of a cgroup: /proc is mounted on it.
    #[test]
    fn what_is_mounted_on_a_cgroup_is_no_part_of_its_hierarchy() {
        let device = |path: &str| fs::metadata(path).unwrap().dev();
        assert_ne!(device("/"), device("/proc"));
        let root = Mount { directory: PathBuf::from("/"), ..mount(1, "") };
        let mut found = Vec::new();
        root.walk(5_000, &mut found);
        assert!(found.iter().any(|(_, path)| **path == *b"/proc"));
        assert!(!found.iter().any(|(_, path)| path.starts_with(b"/proc/")));
    }

    #[test]
    fn without_mountinfo_they_are_looked_for_where_they_are_on_most_hosts() {
        let root = tempfile::tempdir().unwrap();
        for name in ["unified", "systemd", "cpu,cpuacct", "memory", "rdma"] {
            fs::create_dir_all(root.path().join("sys/fs/cgroup").join(name)).unwrap();
        }
        let found = well_known(root.path(), &Hierarchy::parse(OWN));
        let number = |name: &str| {
            let path = Path::new("/sys/fs/cgroup").join(name);
            found.iter().find(|found| found.mount_point == path).map(|found| found.hierarchy)
        };
        assert_eq!(number(""), Some(UNIFIED));
        assert_eq!(number("unified"), Some(UNIFIED));
        assert_eq!(number("systemd"), Some(9));
        assert_eq!(number("cpu,cpuacct"), Some(12));
        assert_eq!(number("memory"), Some(4));
        assert_eq!(number("rdma"), None);
    }

    #[test]
    fn what_is_not_a_cgroup_file_system_is_not_taken_for_one() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("sys/fs/cgroup/unified")).unwrap();
        assert!(find(root.path()).is_empty());
        let proc = candidate("/proc", None);
        assert_eq!(fs::metadata("/proc").unwrap().ino(), ROOT_ID);
        assert_eq!(proc.resolve(Path::new("/"), true), None);
    }

    /// Of every hierarchy that this host has.
    #[test]
    fn on_this_host_what_is_on_another_device_than_it_should_be_is_not_taken() {
        for Mount { directory, hierarchy, prefix, .. } in find(Path::new("/")) {
            let device = fs::metadata(&directory).unwrap().dev();
            let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
            let on = |device| Candidate {
                hierarchy,
                mounted: prefix.clone(),
                ..candidate(directory.to_str().unwrap(), Some(device))
            };
            let is_found = |device| on(device).resolve(Path::new("/"), true).is_some();
            assert!(is_found((major, minor)) && !is_found((major, minor + 1)), "{}", directory.display());
        }
    }

    #[test]
    fn the_way_to_a_mounted_cgroup_is_known_or_there_is_no_path() {
        assert_eq!(prefix(ROOT_ID, "/", true).as_deref(), Some(""));
        assert_eq!(
            prefix(ROOT_ID, "/../..", false).as_deref(),
            Some(""),
            "the host's, seen from a container"
        );
        assert_eq!(prefix(77, "/docker/1", true).as_deref(), Some("/docker/1"));
        assert_eq!(prefix(77, "/docker/1", false), None, "a path in a namespace");
        assert_eq!(prefix(77, "/", false), None, "the root of a namespace");
        assert_eq!(prefix(77, "/", true), None);
        assert_eq!(prefix(77, "/../1", true), None);
    }

    #[test]
    fn a_part_of_what_is_seen_whole_is_not_walked_again() {
        let all = vec![
            mount(1, "/a/b"),
            mount(1, "/a"),
            mount(1, "/ab"),
            mount(2, "/a/b"),
            mount(3, ""),
            mount(3, "/x"),
        ];
        let kept = without_parts(all);
        assert_eq!(kept, [mount(1, "/a"), mount(1, "/ab"), mount(2, "/a/b"), mount(3, "")]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed(mountinfo: Vec<u8>, own: Vec<u8>) {
            candidates(&mountinfo, &Hierarchy::parse(&own));
        }

        #[test]
        fn anything_like_a_line_is_parsed(line in "[0-9 /:,=a-z-]{0,80}( - cgroup2? [a-z]* [a-z,=]*)?") {
            candidates(line.as_bytes(), &Hierarchy::parse(OWN));
        }
    }
}
