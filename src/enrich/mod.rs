//! Fills in what the kernel side flagged as missing, and nothing else; and adds what the host's files say of a process.

pub(crate) mod cgroups;
pub(crate) mod container;
pub(crate) mod container_names;
mod gaps;
mod host_files;
pub(crate) mod kallsyms;
mod kernel_stack;
mod oom;
mod placement;
pub(crate) mod procfs;
mod spawners;
pub(crate) mod surroundings;
pub(crate) mod titles;
pub(crate) mod users;

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use rustc_hash::FxHashMap;

use self::cgroups::CgroupPaths;
use self::container::Placement;
use self::container_names::NameTable;
use self::kernel_stack::KernelStacks;
#[cfg(any(test, fuzzing))]
pub(crate) use self::oom::bits_of_list;
use self::placement::SurroundingsKey;
use self::procfs::{ArgumentBlock, HostNamespaces};
use self::surroundings::Surroundings;
use self::titles::Titles;
use self::users::Names;
use crate::base::bounded::{Bounded, owner_of};
use crate::record::{CgroupFacts, Ghost, KernelIdentity, Snapshot, Task};

/// Bytes of command lines that are kept of the processes that run at the start.
const OLDER_ROOM: usize = 16 * 1024 * 1024;

/// What the kernel keeps of a process now.
pub(crate) trait Identities {
    /// What is left of the process with this id in the initial pid namespace and this start (boot time, ns).
    fn ghost(&self, pid: u32, start: u64) -> Option<Ghost>;

    /// By its id in the tracer's pid namespace.
    fn identity(&self, pid: u32) -> Option<KernelIdentity>;
}

/// Completes events.
#[derive(Debug)]
pub(crate) struct Enricher {
    proc_directory: PathBuf,
    /// What ran before the tracer, where the kernel side cannot be asked by pid.
    older: Bounded<u32, ArgumentBlock>,
    stacks: KernelStacks,
    names: Names,
    /// The files under the root are those of PID 1.
    has_hosts_names: bool,
    cgroups: CgroupPaths,
    /// What runtimes and Kubernetes call containers.
    container_names: NameTable,
    /// The hierarchy of version 1 that is looked at; 0 if none is.
    legacy_hierarchy: u32,
    host: HostNamespaces,
    /// Live titles, of those that have one: as read last, and the time before.
    titles: [Titles; 2],
    readings: u64,
    /// Surroundings that are known, in this state of the host's files and cgroups.
    known_surroundings: FxHashMap<SurroundingsKey, Surroundings>,
    known_surroundings_state: u64,
    /// How often something was asked for that may be different for the next record of the same bytes, or that was not known.
    unsettled: u64,
    /// Command lines completed so far from what the hooks keep.
    pub from_kernel: u64,
    /// And from /proc.
    pub from_proc: u64,
    /// Titles that were not kept, of all readings.
    pub titles_dropped: u64,
}

impl Enricher {
    /// `root` is where the host's file system is. Where pids here are not those of the host, PID 1 of /proc is not the
    /// host's either, unless that is mounted elsewhere.
    pub(crate) fn new(root: &Path, legacy_hierarchy: u32, shares_pids: bool) -> Self {
        let is_hosts = shares_pids || root != Path::new("/");
        let mut all = Self {
            container_names: NameTable::new(root),
            names: Names::new(root),
            has_hosts_names: is_hosts && (root != Path::new("/") || procfs::shares_mounts_with_init()),
            cgroups: CgroupPaths::new(root, Instant::now()),
            legacy_hierarchy,
            host: if is_hosts { HostNamespaces::read(&root.join("proc")) } else { HostNamespaces::default() },
            titles: Default::default(),
            readings: 0,
            known_surroundings: FxHashMap::default(),
            known_surroundings_state: 0,
            unsettled: 0,
            proc_directory: root.join("proc"),
            older: Bounded::new(OLDER_ROOM),
            stacks: KernelStacks::new(root.join("proc")),
            from_kernel: 0,
            from_proc: 0,
            titles_dropped: 0,
        };
        for (hierarchy, path) in all.cgroups.all() {
            all.read_names(hierarchy, &path);
        }
        all
    }

    /// Reads the names of a container, if this is its cgroup: soon they may be gone.
    fn read_names(&mut self, hierarchy: u32, path: &str) {
        let is_own = Placement::of(path).container.is_some_and(|of| of.directory == path.trim_matches('/'));
        if is_own {
            let placement = Placement::below(path, self.cgroups.delegation(hierarchy, path));
            self.container_names.on_new_cgroup(&placement);
        }
    }

    /// Reads the command lines of all that runs now, for a tracer whose own pids are not the host's.
    pub(crate) fn remember_running(&mut self) {
        for pid in procfs::pids(&self.proc_directory) {
            let Ok(Some(block)) = procfs::argument_block(&self.proc_directory, pid) else { continue };
            let owner = procfs::owner(&self.proc_directory, pid).map_or(0, owner_of);
            let bytes = block.bytes.len();
            self.older.put(pid, block, owner, bytes);
        }
    }

    /// Begins to read the kernel's symbols, for the first stack that is to be explained.
    pub(crate) fn read_symbols_ahead(&self) {
        self.stacks.read_ahead();
    }

    /// Explains the kernel's stack of a signal, if it came with one.
    pub(crate) fn explain(&mut self, snapshot: &mut Snapshot<'_>) {
        self.stacks.explain(snapshot);
    }

    /// Adds the names of the functions of a stack that showed no cause: the only thing left to print of it.
    pub(crate) fn name_functions(&mut self, snapshot: &mut Snapshot<'_>) {
        self.stacks.name_functions(snapshot);
    }

    /// Paths of cgroups that were not kept.
    pub(crate) fn cgroup_paths_dropped(&self) -> u64 {
        self.cgroups.dropped
    }

    /// Takes the path of a cgroup.
    pub(crate) fn on_cgroup(&mut self, cgroup: &CgroupFacts<'_>) {
        self.cgroups.on_path(cgroup.hierarchy, cgroup.id, cgroup.path);
        if let Ok(path) = std::str::from_utf8(cgroup.path) {
            self.read_names(cgroup.hierarchy, path);
        }
    }

    /// The path of a cgroup of the default hierarchy, and its bytes where they are not UTF-8.
    pub(crate) fn cgroup_path(&mut self, id: u64) -> (Option<Rc<str>>, Option<Rc<[u8]>>) {
        let path = self.cgroups.path(cgroups::UNIFIED, id, Instant::now());
        (path, self.cgroups.raw(cgroups::UNIFIED, id))
    }

    /// Takes the titles that there are; what is not among them has none.
    pub(crate) fn on_titles(&mut self, read: Titles) {
        self.titles_dropped += read.dropped;
        let last = std::mem::replace(&mut self.titles[0], read);
        self.titles[1] = last;
        self.readings += 1;
    }

    /// Which state of the host's files, cgroups and titles is known: what depends on these alone is the same while this is.
    pub(crate) fn state(&self) -> u64 {
        // each of them only grows
        self.readings + self.state_of_files()
    }

    /// The same, without the titles.
    fn state_of_files(&self) -> u64 {
        self.cgroups.changes + self.names.changes() + self.container_names.changes
    }

    /// Before this time (boot time, ns) the titles are those of an earlier reading.
    pub(crate) fn titles_valid_from(&self) -> u64 {
        self.titles[0].read_at
    }

    /// How often something was asked for that may be another each time.
    pub(crate) fn unsettled(&self) -> u64 {
        self.unsettled
    }

    /// Does the host have files of containers to be read?
    pub(crate) fn has_runtimes(&self) -> bool {
        self.container_names.has_runtimes()
    }

    /// Checks, at intervals, whether the host's files have changed.
    pub(crate) fn refresh_files(&mut self, now: Instant) {
        self.names.refresh_files(now);
        self.container_names.refresh(now);
    }

    /// Removes the namespaces of the host: they are not printed.
    pub(crate) fn strip_host_namespaces(&self, task: &mut Task) {
        self.host.strip(task);
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::fs;

    use super::placement::KNOWN_SURROUNDINGS;
    use super::*;
    use crate::record::{
        Argv, ArgvFrom, Gap, Image, ProcessFacts, SpawnerFacts, SubjectFacts, Title, TitleFacts,
    };

    #[derive(Debug)]
    pub(super) struct Nobody;

    impl Identities for Nobody {
        fn ghost(&self, _: u32, _: u64) -> Option<Ghost> {
            None
        }

        fn identity(&self, _: u32) -> Option<KernelIdentity> {
            None
        }
    }

    fn enricher() -> Enricher {
        Enricher::new(Path::new("/nonexistent"), 0, true)
    }

    #[test]
    fn what_is_known_of_the_host_is_in_another_state_after_every_change() {
        let mut enricher = enricher();
        let mut last = enricher.state();
        let mut is_changed = |enricher: &Enricher| std::mem::replace(&mut last, enricher.state()) != last;
        let cgroup = CgroupFacts { hierarchy: 0, id: 5, path: b"/a" };
        enricher.on_cgroup(&cgroup);
        assert!(is_changed(&enricher));
        enricher.on_cgroup(&cgroup);
        assert!(!is_changed(&enricher), "it has that path already");
        let title = Title { bytes: b"x"[..].into(), spilt: false, cut: false };
        let image = Image { pid: 7, start: 7, exec_id: 1 };
        let mut titles = Titles::of_time(100);
        titles.keep(&TitleFacts { image, uid: 7, title });
        enricher.on_titles(titles);
        assert!(is_changed(&enricher));
        assert_eq!(enricher.titles_valid_from(), 100);
        enricher.on_titles(Titles::of_time(200));
        assert!(is_changed(&enricher));
        assert_eq!(enricher.titles_valid_from(), 200);
    }

    #[test]
    fn what_had_to_be_asked_for_is_not_settled() {
        let mut enricher = enricher();
        let mut asks = |process: ProcessFacts<'static>, spawner: bool| {
            let before = enricher.unsettled();
            let mut processes = vec![process];
            let all = [SpawnerFacts { of: 0, process: 0, exited: false, execed_since: false }];
            let mut spawners = all[..usize::from(spawner)].to_vec();
            enricher.fill_gaps(&mut processes, &Nobody);
            enricher.fill_spawners(&mut processes, &mut spawners, &Nobody);
            enricher.unsettled() != before
        };
        let named = || ProcessFacts::named(7, b"x");
        let known = || Argv::Known { bytes: Cow::Borrowed(b"x\0"), total: 2, from: ArgvFrom::Exec };
        let without_exe = || Some(Box::new(SubjectFacts::default()));
        assert!(!asks(named(), false));
        assert!(!asks(ProcessFacts { subject: without_exe(), ..named() }, false), "a kernel thread has none");
        assert!(asks(ProcessFacts { subject: without_exe(), argv: known(), ..named() }, false));
        assert!(asks(ProcessFacts { argv: Argv::Missing(Gap::Unknown), ..named() }, false));
        assert!(!asks(named(), true), "it stands in the record");
        assert!(asks(ProcessFacts { comm: Cow::Borrowed(b""), ..named() }, true));
        let before = enricher.unsettled();
        let surroundings =
            enricher.surroundings(&Task { cgroup: 5, ..Task::default() }, &named(), 0, Instant::now());
        assert!(surroundings.is_cgroup_lost && enricher.unsettled() != before);
    }

    #[test]
    fn what_is_known_of_surroundings_is_of_these_and_of_this_state_and_bounded() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("etc")).unwrap();
        let passwd = |text: &str| fs::write(root.path().join("etc/passwd"), text).unwrap();
        passwd("ann:x:1:1\n");
        let mut enricher = Enricher::new(root.path(), 0, true);
        enricher.on_cgroup(&CgroupFacts { hierarchy: 0, id: 5, path: b"/a.service" });
        enricher.on_cgroup(&CgroupFacts { hierarchy: 0, id: 6, path: b"/b.service" });
        let now = Instant::now();
        let task = Task { cgroup: 5, ..Task::default() };
        let process = ProcessFacts { uid: 1, ..ProcessFacts::named(7, b"x") };
        let mut of = |task: &Task, uid, now| {
            let found = enricher.surroundings(task, &ProcessFacts { uid, ..process.clone() }, 0, now);
            (
                found.placement.systemd_unit.clone().unwrap_or_default(),
                found.user.map(|name| name.to_string()),
            )
        };
        let (ann, unit) = (Some("ann".to_owned()), "a.service".to_owned());
        for _ in 0..3 {
            assert_eq!(of(&task, 1, now), (unit.clone(), ann.clone()));
            assert_eq!(of(&Task { cgroup: 6, ..task }, 1, now), ("b.service".to_owned(), ann.clone()));
            assert_eq!(of(&task, 2, now).1, None);
            assert_eq!(of(&Task { user_namespace: 9, ..task }, 1, now).1, None);
            assert_eq!(of(&Task { namespaces_gone: true, ..task }, 1, now).1, None);
        }
        passwd("robert:x:1:1\n");
        let later = now + std::time::Duration::from_secs(1);
        assert_eq!(of(&task, 1, later).1.as_deref(), Some("robert"));
        for uid in 0..5 * KNOWN_SURROUNDINGS as u32 {
            of(&task, uid, later);
        }
        assert!(
            !enricher.known_surroundings.is_empty()
                && enricher.known_surroundings.len() <= KNOWN_SURROUNDINGS
        );
        enricher.on_cgroup(&CgroupFacts { hierarchy: 0, id: 5, path: b"/c.service" });
        let found = enricher.surroundings(&task, &process, 0, later);
        assert_eq!(found.placement.systemd_unit.as_deref(), Some("c.service"));
    }
}
