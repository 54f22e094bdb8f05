//! Fills in what the kernel side flagged as missing, and nothing else.
//!
//! A late look must not put a later program's command line into an earlier event: what is taken is either
//! the identity of the very image that the event saw (same exec id), or what /proc shows of that image (same
//! place of the argument block, where that is random at each exec).

pub mod cgroups;
pub mod container;
pub mod kallsyms;
pub mod procfs;
pub mod surroundings;
pub mod titles;
pub mod users;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use self::cgroups::CgroupPaths;
use self::container::Placement;
use self::kallsyms::KernelFunctions;
use self::procfs::{ArgumentBlock, HostNamespaces};
use self::titles::{Found, Titles};
use self::users::Names;
use crate::base::bounded::{Bounded, owner_of};
use crate::enrich::surroundings::Surroundings;
use crate::record::cause;
use crate::record::{
    Argv, ArgvFrom, CgroupFacts, Gap, Ghost, KernelIdentity, OomFacts, OomScope, ProcessFacts, Snapshot,
    SpawnerFacts, Task,
};

/// So many bytes of command lines are kept of what runs at the start.
const OLDER_ROOM: usize = 16 * 1024 * 1024;
/// So many surroundings are known at a time.
const WHEREABOUTS: usize = 512;

/// What the kernel keeps of a process now.
pub trait Identities {
    /// What is left of the process with this id in the initial pid namespace and this start (boot time, ns).
    fn ghost(&self, pid: u32, start: u64) -> Option<Ghost>;

    /// By its id in the tracer's pid namespace.
    fn identity(&self, pid: u32) -> Option<KernelIdentity>;
}

/// All of a record that [`Surroundings`] depend on, but for a title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Whereabouts {
    cgroup: u64,
    legacy_cgroup: u64,
    uid: u32,
    gid: u32,
    login_uid: u32,
    mount_namespace: u32,
    user_namespace: u32,
    namespaces_gone: bool,
}

/// Stacks of which every function is named are kept, so many.
const NAMED_STACKS: usize = 256;
/// At most one reading of all symbols in this time: a stack that comes in between has no names.
const NAME_ALL_EVERY: Duration = Duration::from_secs(1);

/// The bits of a list as the kernel prints it: `0-1,3`. What is beyond 64 is left out.
pub(crate) fn bits_of_list(text: &str) -> u64 {
    let mut bits = 0;
    for part in text.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (Ok(first), Ok(last)) = (first.parse::<u32>(), last.parse::<u32>()) else { continue };
        for bit in first..=last.min(63) {
            bits |= 1 << bit;
        }
    }
    bits
}

/// Completes events.
#[derive(Debug)]
pub struct Enricher {
    proc_directory: PathBuf,
    /// What ran before the tracer, where the kernel could not be told of it by pid.
    older: Bounded<u32, ArgumentBlock>,
    /// Where the kernel's functions are, once that was asked; None where it does not say.
    functions: OnceCell<Option<KernelFunctions>>,
    /// The stacks that needed every function's name, and what came of them.
    named: FxHashMap<Vec<u64>, Vec<String>>,
    /// When the symbols were read last for one.
    named_at: Option<Instant>,
    names: Names,
    /// The files under the root are those of PID 1.
    has_hosts_names: bool,
    cgroups: CgroupPaths,
    /// The hierarchy of version 1 that is looked at; 0 if none is.
    legacy_hierarchy: u32,
    host: HostNamespaces,
    /// Live titles, of those that have one: as read last, and the time before.
    titles: [Titles; 2],
    readings: u64,
    /// Surroundings that are known, in this state of the host's files and cgroups.
    whereabouts: FxHashMap<Whereabouts, Surroundings>,
    whereabouts_state: u64,
    /// How often something was asked for that the next event of the same bytes may be told otherwise, or that was not known.
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
    pub fn new(root: &Path, legacy_hierarchy: u32, shares_pids: bool) -> Self {
        let is_hosts = shares_pids || root != Path::new("/");
        Self {
            names: Names::new(root),
            has_hosts_names: is_hosts && (root != Path::new("/") || procfs::shares_mounts_with_init()),
            cgroups: CgroupPaths::new(root, Instant::now()),
            legacy_hierarchy,
            host: if is_hosts { HostNamespaces::read(&root.join("proc")) } else { HostNamespaces::default() },
            titles: Default::default(),
            readings: 0,
            whereabouts: FxHashMap::default(),
            whereabouts_state: 0,
            unsettled: 0,
            proc_directory: root.join("proc"),
            older: Bounded::new(OLDER_ROOM),
            functions: OnceCell::new(),
            named: FxHashMap::default(),
            named_at: None,
            from_kernel: 0,
            from_proc: 0,
            titles_dropped: 0,
        }
    }

    /// Reads the command lines of all that runs now, for a tracer whose own pids are not the host's.
    pub fn remember_everybody(&mut self) {
        for pid in procfs::pids(&self.proc_directory) {
            let Ok(Some(block)) = procfs::argument_block(&self.proc_directory, pid) else { continue };
            let owner = procfs::owner(&self.proc_directory, pid).map_or(0, owner_of);
            let bytes = block.bytes.len();
            self.older.put(pid, block, owner, bytes);
        }
    }

    fn functions(&self) -> Option<&KernelFunctions> {
        self.functions.get_or_init(|| KernelFunctions::parse(&self.symbols()?)).as_ref()
    }

    fn symbols(&self) -> Option<String> {
        procfs::read_text(self.proc_directory.join("kallsyms")).ok()
    }

    /// Says what the kernel's stack means, if the signal came with one.
    pub fn explain(&mut self, snapshot: &mut Snapshot<'_>) {
        if snapshot.stack.is_empty() || snapshot.explanation.is_some() {
            return;
        }
        let Some(functions) = self.functions() else { return };
        snapshot.explanation = Some(functions.explain(&snapshot.stack));
    }

    /// Adds the names of the functions of a stack that showed no cause: the only thing left to print of it.
    pub fn name_functions(&mut self, snapshot: &mut Snapshot<'_>) {
        if snapshot.explanation.as_ref().is_some_and(|explanation| explanation.cause.is_none()) {
            let names = self.name_all(&snapshot.stack);
            if let Some(explanation) = &mut snapshot.explanation {
                explanation.functions = cause::sending_functions(names.iter().map(String::as_str));
            }
        }
    }

    /// The name of every function of a stack: reads all symbols, so only for what is rare, and once for each stack.
    fn name_all(&mut self, stack: &[u64]) -> Vec<String> {
        if let Some(names) = self.named.get(stack) {
            return names.clone();
        }
        // it takes some 30 ms, and the reader of the ring waits
        let now = Instant::now();
        if self.named_at.is_some_and(|last| now.duration_since(last) < NAME_ALL_EVERY) {
            return Vec::new();
        }
        self.named_at = Some(now);
        let Some(text) = self.symbols() else { return Vec::new() };
        let names = kallsyms::name_all(&text, stack);
        if self.named.len() >= NAMED_STACKS {
            self.named.clear();
        }
        self.named.insert(stack.to_vec(), names.clone());
        names
    }

    /// Says whose memory ran out.
    pub fn fill_oom(&self, oom: &mut OomFacts) {
        let Some(functions) = self.functions() else { return };
        (oom.scope, oom.by_sysrq) = functions.oom_scope(&oom.stack);
        // mm/oom_kill.c: constrained_alloc() asks the policy first
        if oom.by_sysrq {
            oom.scope = None;
        }
        if oom.scope == Some(OomScope::Global) {
            let with_memory = self.nodes_with_memory();
            if with_memory & !oom.policy_nodes != 0 {
                oom.scope = Some(OomScope::MemoryPolicy);
            } else if with_memory & !oom.cpuset_nodes != 0 {
                oom.scope = Some(OomScope::Cpuset);
            }
        }
    }

    /// NUMA nodes that have memory, of the first 64; none where the kernel does not say.
    fn nodes_with_memory(&self) -> u64 {
        let path = self.proc_directory.with_file_name("sys").join("devices/system/node/has_memory");
        fs::read_to_string(path).map_or(0, |text| bits_of_list(&text))
    }

    /// Paths of cgroups that were not kept.
    pub fn cgroup_paths_dropped(&self) -> u64 {
        self.cgroups.dropped
    }

    /// Takes the path of a cgroup.
    pub fn on_cgroup(&mut self, cgroup: &CgroupFacts<'_>) {
        self.cgroups.hear(cgroup.hierarchy, cgroup.id, cgroup.path);
    }

    /// Takes the titles that there are; what is not among them has none.
    pub fn on_titles(&mut self, read: Titles) {
        self.titles_dropped += read.dropped;
        let last = std::mem::replace(&mut self.titles[0], read);
        self.titles[1] = last;
        self.readings += 1;
    }

    /// Which state of the host's files, cgroups and titles is known: what depends on these alone is the same while this is.
    pub fn state(&self) -> u64 {
        // each of them only grows
        self.readings + self.state_of_files()
    }

    /// The same, without the titles.
    fn state_of_files(&self) -> u64 {
        self.cgroups.changes + self.names.changes()
    }

    /// Before this time (boot time, ns) the titles are those of an earlier reading.
    pub fn titles_valid_from(&self) -> u64 {
        self.titles[0].read_at
    }

    /// How often something was asked for that may be another each time.
    pub fn unsettled(&self) -> u64 {
        self.unsettled
    }

    /// Looks, now and then, whether the host's files have changed.
    pub fn look_again(&mut self, now: Instant) {
        self.names.look_again(now);
    }

    /// What the host says of a process by the ids in its record of this time (boot time, ns).
    pub fn surroundings(
        &mut self,
        task: &Task,
        process: &ProcessFacts<'_>,
        time: u64,
        now: Instant,
    ) -> Surroundings {
        let whereabouts = Whereabouts {
            cgroup: task.cgroup,
            legacy_cgroup: task.legacy_cgroup,
            uid: process.uid,
            gid: task.gid,
            login_uid: task.login_uid,
            mount_namespace: task.mount_namespace,
            user_namespace: task.user_namespace,
            namespaces_gone: task.namespaces_gone,
        };
        let mut surroundings = self.whereabouts(whereabouts, now);
        // the last reading before the event: one after it knows nothing of a process that has ended since
        let before = self.titles.iter().find(|titles| titles.read_at <= time);
        match before.map(|titles| titles.find(process.image(), process.uid)) {
            Some(Found::Title(title)) => surroundings.title = Some(title.clone()),
            Some(Found::Dropped) => surroundings.is_title_dropped = true,
            Some(Found::Nothing) | None => {}
        }
        surroundings
    }

    /// As it was said before, if the host's files and cgroups are the same; most processes are where others are.
    fn whereabouts(&mut self, whereabouts: Whereabouts, now: Instant) -> Surroundings {
        self.names.look_again(now);
        let state = self.state_of_files();
        if self.whereabouts_state != state {
            self.whereabouts_state = state;
            self.whereabouts.clear();
        }
        if let Some(known) = self.whereabouts.get(&whereabouts) {
            return known.clone();
        }
        let (found, is_lost) = self.find_whereabouts(whereabouts, now);
        self.unsettled += u64::from(is_lost);
        // what was lost may be found the next time; what was read meanwhile is another state
        if !is_lost && state == self.state_of_files() {
            if self.whereabouts.len() >= WHEREABOUTS {
                self.whereabouts.clear();
            }
            self.whereabouts.insert(whereabouts, found.clone());
        }
        found
    }

    /// All but a title; and whether the path of a cgroup is not known.
    fn find_whereabouts(&mut self, of: Whereabouts, now: Instant) -> (Surroundings, bool) {
        let unified = (of.cgroup != 0).then(|| self.cgroups.path(0, of.cgroup, now)).flatten();
        let legacy = (of.legacy_cgroup != 0)
            .then(|| self.cgroups.path(self.legacy_hierarchy, of.legacy_cgroup, now))
            .flatten();
        let place = |hierarchy, path: &Option<Rc<str>>| {
            let path = path.as_deref()?;
            Some(Placement::below(path, self.cgroups.delegation(hierarchy, path)))
        };
        let placement = place(cgroups::UNIFIED, &unified).unwrap_or_default();
        let legacy_placement = place(self.legacy_hierarchy, &legacy).unwrap_or_default();
        // where a container manager knows version 1 only, version 2 has no cgroup for the container
        let says_more = placement.container.is_none() && legacy_placement.container.is_some();
        let is_lost = unified.is_none() && of.cgroup != 0 || legacy.is_none() && of.legacy_cgroup != 0;
        let mut surroundings = if says_more {
            let placement = Rc::new(legacy_placement);
            Surroundings { cgroup: legacy, placement, ..Surroundings::default() }
        } else {
            let is_root = unified.as_deref().is_none_or(|path| path == "/");
            Surroundings {
                cgroup: if is_root { legacy.or(unified) } else { unified },
                placement: Rc::new(placement),
                ..Surroundings::default()
            }
        };
        let is_lossy = surroundings.cgroup.as_deref().is_some_and(|path| path.contains('\u{fffd}'));
        surroundings.cgroup_raw = surroundings.cgroup.as_deref().filter(|_| is_lossy).and_then(|path| {
            let ids = [(0, of.cgroup), (self.legacy_hierarchy, of.legacy_cgroup)];
            let mut all = ids.into_iter().filter_map(|(hierarchy, id)| self.cgroups.raw(hierarchy, id));
            all.find(|raw| String::from_utf8_lossy(raw) == path)
        });
        surroundings.is_cgroup_lost = is_lost && surroundings.placement.container.is_none();
        surroundings.are_names_lost = of.namespaces_gone;
        if self.has_the_hosts_files(of, &surroundings) {
            surroundings.user = self.names.user(of.uid, now).map(Rc::from);
            surroundings.group = self.names.group(of.gid, now).map(Rc::from);
            surroundings.login_user = self.names.user(of.login_uid, now).map(Rc::from);
        }
        (surroundings, is_lost)
    }

    /// Are the names in its files those of the host's? In a container, or any mount namespace of its own, the same number
    /// may be somebody else. A service of systemd may have one as well (`PrivateTmp=`), and keeps `/etc`.
    fn has_the_hosts_files(&self, of: Whereabouts, surroundings: &Surroundings) -> bool {
        let placement = &surroundings.placement;
        let unit = placement.systemd_user_unit.as_deref().or(placement.systemd_unit.as_deref());
        let is_service = unit.zip(surroundings.cgroup.as_deref()).is_some_and(|(unit, cgroup)| {
            unit.ends_with(".service") && cgroup.ends_with(&format!("/{unit}"))
        });
        self.has_hosts_names
            && surroundings.placement.container.is_none()
            && !surroundings.is_cgroup_lost
            && !of.namespaces_gone
            && of.user_namespace == 0
            && (of.mount_namespace == 0 || is_service)
    }

    /// Of namespaces, those of the host are not told.
    pub fn strip_host_namespaces(&self, task: &mut Task) {
        self.host.strip(task);
    }

    /// Who started somebody and had not ended then: it stands in the record itself, or lives, or has left a ghost since.
    pub fn fill_spawners(
        &mut self,
        processes: &mut [ProcessFacts<'_>],
        spawners: &mut [SpawnerFacts],
        identities: &dyn Identities,
    ) {
        let mut turn = 0;
        while let Some(spawner) = spawners.get(turn).copied() {
            turn += 1;
            let Some(unknown) = processes.get(spawner.process).filter(|_| !spawner.exited) else { continue };
            let (key, exec_id) = ((unknown.pid, unknown.start), unknown.exec_id);
            let known = processes
                .iter()
                .find(|process| (process.pid, process.start) == key && !process.comm.is_empty())
                .cloned();
            self.unsettled += u64::from(known.is_none());
            let found = known.or_else(|| self.living(key, identities));
            let ghost = if found.is_none() { identities.ghost(key.0, key.1) } else { None };
            let Some(found) = found.or_else(|| ghost.as_ref().map(|ghost| ghost.process.clone())) else {
                continue;
            };
            // a ghost that was left since: at the signal it lived, and what it was is the same
            spawners[turn - 1].execed_since = found.exec_id != exec_id;
            let place = &mut processes[spawner.process];
            place.comm = found.comm;
            place.uid = found.uid;
            place.exec_id = found.exec_id;
            place.argv = found.argv;
        }
    }

    /// A process of which only the key is known, as it is now.
    fn living(&mut self, key: (u32, u64), identities: &dyn Identities) -> Option<ProcessFacts<'static>> {
        let kept = identities.identity(key.0)?;
        let status = procfs::status(&self.proc_directory, key.0, key.1)?;
        // an exec in between would make a mixture
        if identities.identity(key.0)?.exec_id != kept.exec_id {
            return None;
        }
        self.from_kernel += 1;
        Some(ProcessFacts {
            pid: key.0,
            start: key.1,
            comm: Cow::Owned(status.comm),
            uid: status.uid,
            exec_id: kept.exec_id,
            arg_start: 0,
            argv: if kept.is_known {
                Argv::Known { bytes: Cow::Owned(kept.argv), total: kept.argv_total, from: kept.from }
            } else {
                Argv::Missing(if kept.is_overwritten { Gap::Overwritten } else { Gap::Unknown })
            },
            title: None,
            title_lost: false,
            subject: None,
        })
    }

    /// Fills what can be filled.
    pub fn fill_gaps(&mut self, processes: &mut [ProcessFacts<'_>], identities: &dyn Identities) {
        for process in processes {
            let gap = match process.argv {
                Argv::Missing(gap) if gap != Gap::Overwritten => Some(gap),
                // what the process shows is its title: there is nothing to ask for
                _ => None,
            };
            if let Some(gap) = gap {
                self.unsettled += 1;
                if let Some(argv) = self.find(process, gap, identities) {
                    if matches!(argv, Argv::Known { from: ArgvFrom::Proc, .. }) {
                        self.from_proc += 1;
                    } else {
                        self.from_kernel += 1;
                    }
                    process.argv = argv;
                }
            }
            self.fill_exe(process, identities);
        }
    }

    /// The executable of a process of which the kernel side told no more than its outline.
    fn fill_exe(&mut self, process: &mut ProcessFacts<'_>, identities: &dyn Identities) {
        let Some(subject) = process.subject.as_mut().filter(|subject| subject.exe.is_empty()) else { return };
        if process.argv == Argv::NotApplicable {
            return;
        }
        self.unsettled += 1;
        let kept = identities.identity(process.pid).filter(|kept| kept.exec_id == process.exec_id);
        if let Some(kept) = kept {
            if procfs::is_same_process(&self.proc_directory, process.pid, process.start) {
                subject.exe = Cow::Owned(kept.exe);
            }
        }
    }

    fn find(
        &self,
        process: &ProcessFacts<'_>,
        gap: Gap,
        identities: &dyn Identities,
    ) -> Option<Argv<'static>> {
        // In the middle of execve comm and uid may still have been the old image's: the identity alone would make
        // a mixture. The place of the argument block gets its value after they changed.
        let is_mid_exec = matches!(gap, Gap::MidExec | Gap::ExecRace);
        if is_mid_exec && process.arg_start == 0 {
            return None;
        }
        if let Some(kept) = identities.identity(process.pid) {
            // the hook of that exec may be yet to run, or may have been skipped
            let is_older = is_mid_exec && is_before(kept.exec_id, process.exec_id);
            // it has exec'd since, or the pid is another's: /proc cannot show what was
            if (kept.exec_id != process.exec_id && !is_older)
                || !procfs::is_same_process(&self.proc_directory, process.pid, process.start)
            {
                return None;
            }
            if kept.is_known && !is_older {
                let bytes = Cow::Owned(kept.argv);
                return Some(Argv::Known { bytes, total: kept.argv_total, from: kept.from });
            }
            if kept.is_overwritten && !is_older {
                return Some(Argv::Missing(Gap::Overwritten));
            }
        }
        let is_of = |block: &ArgumentBlock| block.is_of(process.start, process.arg_start);
        let now = || {
            let block = procfs::argument_block(&self.proc_directory, process.pid).ok().flatten();
            let has_execed = |kept: KernelIdentity| is_before(process.exec_id, kept.exec_id);
            block.filter(is_of).filter(|_| !identities.identity(process.pid).is_some_and(has_execed))
        };
        let block = self.older.peek(&process.pid).filter(|block| is_of(block)).cloned().or_else(now)?;
        if block.is_overwritten {
            return Some(Argv::Missing(Gap::Overwritten));
        }
        Some(Argv::Known {
            total: block.bytes.len() as u32,
            bytes: Cow::Owned(block.bytes),
            from: ArgvFrom::Proc,
        })
    }
}

/// Is this number of an exec an earlier one? Numbers wrap around.
fn is_before(exec_id: u32, other: u32) -> bool {
    (other.wrapping_sub(exec_id) as i32) > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Image, TitleFacts};
    use crate::record::{SubjectFacts, Title};

    #[derive(Debug)]
    struct Nobody;

    impl Identities for Nobody {
        fn ghost(&self, _: u32, _: u64) -> Option<Ghost> {
            None
        }

        fn identity(&self, _: u32) -> Option<KernelIdentity> {
            None
        }
    }

    /// A process whose identity is of this exec; another one after so many questions, if it execs meanwhile.
    #[derive(Debug)]
    struct Keeper {
        exec_ids: [u32; 2],
        is_known: bool,
        asked: std::cell::Cell<usize>,
    }

    impl Identities for Keeper {
        fn ghost(&self, _: u32, _: u64) -> Option<Ghost> {
            None
        }

        fn identity(&self, _: u32) -> Option<KernelIdentity> {
            let turn = self.asked.replace(1);
            let argv = b"kept\0".to_vec();
            let (exec_id, is_known) = (self.exec_ids[turn], self.is_known);
            Some(KernelIdentity {
                exec_id,
                argv_total: 5,
                argv,
                from: ArgvFrom::Exec,
                is_known,
                is_overwritten: false,
                exe: Vec::new(),
            })
        }
    }

    /// What is found of this very process, of which a record has exec number 5, at this place.
    fn found(gap: Gap, arg_start: u32, identities: &dyn Identities) -> Option<bool> {
        let pid = std::process::id();
        let start = procfs::tests::own_start();
        let mut enricher = Enricher::new(Path::new("/"), 0, true);
        let argv = Argv::Missing(gap);
        let mut processes =
            [ProcessFacts { start, exec_id: 5, arg_start, argv, ..ProcessFacts::named(pid, b"x") }];
        enricher.fill_gaps(&mut processes, identities);
        match &processes[0].argv {
            Argv::Known { bytes, from, .. } => {
                let is_from_proc = *from == ArgvFrom::Proc;
                assert_eq!(**bytes == b"kept\0"[..], !is_from_proc);
                Some(is_from_proc)
            }
            _ => None,
        }
    }

    #[test]
    fn of_a_later_exec_nothing_is_taken_wherever_its_arguments_are() {
        let block = procfs::argument_block(Path::new("/proc"), std::process::id()).unwrap().unwrap();
        let here = block.arg_start as u32;
        let keeper =
            |before, after, is_known| Keeper { exec_ids: [before, after], is_known, asked: 0.into() };
        for gap in [Gap::MidExec, Gap::ExecRace] {
            // that very exec: what the kernel side keeps of it is no mixture with a place that it had already
            assert_eq!(found(gap, here, &keeper(5, 5, true)), Some(false));
            assert_eq!(found(gap, 0, &keeper(5, 5, true)), None);
            // one since then
            assert_eq!(found(gap, here, &keeper(6, 6, true)), None);
            assert_eq!(
                found(gap, here, &keeper(u32::MAX, u32::MAX, true)),
                Some(true),
                "the numbers wrap around"
            );
            assert_eq!(found(gap, here, &keeper(5, 6, false)), None, "while /proc was read");
            // the hook has yet to run, or was skipped
            assert_eq!(found(gap, here, &keeper(4, 4, true)), Some(true));
            assert_eq!(found(gap, here + 16, &keeper(4, 4, true)), None);
            assert_eq!(found(gap, here, &keeper(4, 6, true)), None);
            assert_eq!(found(gap, here, &Nobody), Some(true));
        }
        assert_eq!(found(Gap::Unknown, here, &keeper(4, 4, true)), None);
        assert_eq!(found(Gap::Unreadable, here, &keeper(5, 5, false)), Some(true));
        assert_eq!(found(Gap::Unreadable, here, &keeper(5, 6, false)), None);
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
    fn what_is_known_of_whereabouts_is_of_these_and_of_this_state_and_bounded() {
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
        for uid in 0..5 * WHEREABOUTS as u32 {
            of(&task, uid, later);
        }
        assert!(!enricher.whereabouts.is_empty() && enricher.whereabouts.len() <= WHEREABOUTS);
        enricher.on_cgroup(&CgroupFacts { hierarchy: 0, id: 5, path: b"/c.service" });
        let found = enricher.surroundings(&task, &process, 0, later);
        assert_eq!(found.placement.systemd_unit.as_deref(), Some("c.service"));
    }
}
