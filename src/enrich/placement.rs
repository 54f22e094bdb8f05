//! [`Surroundings`] of a process, by the ids in its record: where it is placed, and the names of its users.
//!
//! Most processes are where others are, so that what was found is kept as long as the host's files and cgroups are the same.

use std::rc::Rc;
use std::time::Instant;

use super::Enricher;
use super::cgroups;
use super::container::Placement;
use super::surroundings::Surroundings;
use super::titles::TitleLookup;
use crate::record::{ProcessFacts, Task};

/// Surroundings that are kept.
pub(super) const KNOWN_SURROUNDINGS: usize = 512;

/// All of a record that [`Surroundings`] depend on, but for a title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct SurroundingsKey {
    cgroup: u64,
    legacy_cgroup: u64,
    uid: u32,
    gid: u32,
    login_uid: u32,
    mount_namespace: u32,
    user_namespace: u32,
    namespaces_gone: bool,
}

impl Enricher {
    /// What the host says of a process, by the ids in its record of this time (boot time, ns).
    pub(crate) fn surroundings(
        &mut self,
        task: &Task,
        process: &ProcessFacts<'_>,
        time: u64,
        now: Instant,
    ) -> Surroundings {
        let key = SurroundingsKey {
            cgroup: task.cgroup,
            legacy_cgroup: task.legacy_cgroup,
            uid: process.uid,
            gid: task.gid,
            login_uid: task.login_uid,
            mount_namespace: task.mount_namespace,
            user_namespace: task.user_namespace,
            namespaces_gone: task.namespaces_gone,
        };
        let mut surroundings = self.known_surroundings(key, now);
        // the last reading before the event: one after it knows nothing of a process that has ended since
        let before = self.titles.iter().find(|titles| titles.read_at <= time);
        match before.map(|titles| titles.find(process.image(), process.uid)) {
            Some(TitleLookup::Title(title)) => surroundings.title = Some(title.clone()),
            Some(TitleLookup::Dropped) => surroundings.is_title_dropped = true,
            Some(TitleLookup::Nothing) | None => {}
        }
        surroundings
    }

    /// As it was found before, if the host's files and cgroups are the same.
    fn known_surroundings(&mut self, key: SurroundingsKey, now: Instant) -> Surroundings {
        self.names.refresh_files(now);
        let state = self.state_of_files();
        if self.known_surroundings_state != state {
            self.known_surroundings_state = state;
            self.known_surroundings.clear();
        }
        if let Some(known) = self.known_surroundings.get(&key) {
            return known.clone();
        }
        let (found, is_lost) = self.find_surroundings(key, now);
        self.unsettled += u64::from(is_lost);
        // what was lost may be found the next time; what was read meanwhile is another state
        if !is_lost && state == self.state_of_files() {
            if self.known_surroundings.len() >= KNOWN_SURROUNDINGS {
                self.known_surroundings.clear();
            }
            self.known_surroundings.insert(key, found.clone());
        }
        found
    }

    /// All but a title; and whether the path of a cgroup is not known.
    fn find_surroundings(&mut self, of: SurroundingsKey, now: Instant) -> (Surroundings, bool) {
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
        let placement = Rc::clone(&surroundings.placement);
        if placement.container.is_some() || placement.pod_uid.is_some() {
            surroundings.names = Rc::new(self.container_names.names(&placement, now));
        }
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
    fn has_the_hosts_files(&self, of: SurroundingsKey, surroundings: &Surroundings) -> bool {
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
}
