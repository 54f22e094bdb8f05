//! What people call a container and its pod: names of the runtime and of Kubernetes, by the container's id and the pod's uid in the
//! path of the cgroup. From files of the host alone: no API server and no runtime is asked.
//!
//! A container's files are read when its cgroup is reported, since those of one that lives for milliseconds are soon gone; of
//! the containers that existed before, at the start. Never of what a process of a container, or a user with cgroups of their own, named like a
//! container: its name would be another's. Memory is bounded.

mod annotations;
mod files;

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use self::annotations::Described;
use super::container::{Container, Placement};
use crate::base::bounded::Bounded;

/// Containers, and pods, of which names are kept.
const MOST: usize = 4096;
/// Bytes of them, each.
const ROOM: usize = 2 * 1024 * 1024;

/// When files that were not there are looked for again, after each other.
const AGAIN_AFTER: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_secs(1), Duration::from_secs(10)];
/// Containers that are looked for again, at a time.
const MOST_AGAIN: usize = 64;

/// The names of a container. Foreign text: whoever started it chose them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContainerNames {
    /// What its runtime calls it.
    pub container: Option<Rc<str>>,
    /// The image that it was made of, as it was named then.
    pub image: Option<Rc<str>>,
    /// The namespace of its pod.
    pub namespace: Option<Rc<str>>,
    /// The name of its pod.
    pub pod: Option<Rc<str>>,
    /// Its name in its pod.
    pub in_pod: Option<Rc<str>>,
    /// Why there should be a name of the container and is none.
    pub no_container: Option<&'static str>,
    /// Why there should be a name of the pod and is none.
    pub no_pod: Option<&'static str>,
}

/// Its files are not there, or are gone.
const NOT_FOUND: &str = "not-found";
/// They may not be read, or hold something else.
const UNREADABLE: &str = "unreadable";
/// It is a container in a container: the host's runtimes do not know it.
const NESTED: &str = "nested";

#[derive(Debug, Clone, PartialEq, Eq)]
struct PodName {
    namespace: Rc<str>,
    name: Rc<str>,
}

/// One that is looked for again.
#[derive(Debug)]
struct Unresolved {
    placement: Rc<Placement>,
    tries: usize,
    due: Instant,
}

/// Whatever a configuration may be, for the fuzzer.
#[cfg(any(test, fuzzing))]
pub(crate) fn read_any(bytes: &[u8]) {
    let Ok(config) = serde_json::from_slice(bytes) else { return };
    for described in [
        annotations::of_oci(&config),
        annotations::of_docker(&config),
        annotations::of_storage(&config, "a").unwrap_or_default(),
    ] {
        assert!(described.bytes() < ROOM);
    }
}

/// Names by ids, those of the least recent use dropped first.
#[derive(Debug)]
pub(crate) struct NameTable {
    root: PathBuf,
    /// By the directory of the container's cgroup; or why there are none.
    containers: Bounded<Rc<str>, Result<Rc<Described>, &'static str>>,
    /// By the uid of the pod; None: not found.
    pods: Bounded<Rc<str>, Option<PodName>>,
    unresolved: Vec<Unresolved>,
    /// How often something became known, or another.
    pub(super) changes: u64,
}

impl NameTable {
    /// `root` is where the host's file system is.
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            containers: Bounded::new(ROOM),
            pods: Bounded::new(ROOM),
            unresolved: Vec::new(),
            changes: 0,
        }
    }

    /// Does the host have a runtime whose files can be read?
    pub(super) fn has_runtimes(&self) -> bool {
        files::has_runtimes(&self.root)
    }

    /// The cgroup of a container was made: what is known of its id is of an earlier one.
    pub(super) fn on_new_cgroup(&mut self, placement: &Placement) {
        if let Some(container) = own_container(placement) {
            self.look(container, placement.pod_uid.as_deref());
        }
    }

    /// The names of what is placed so.
    pub(super) fn names(&mut self, placement: &Rc<Placement>, now: Instant) -> ContainerNames {
        let mut names = ContainerNames::default();
        let container = own_container(placement);
        if let Some(container) = container {
            let key = key_of(container);
            if self.containers.get(&key).is_none() {
                self.look(container, placement.pod_uid.as_deref());
            }
            match self.containers.get(&key) {
                Some(Ok(known)) => {
                    (names.container, names.image) = (known.name.clone(), known.image.clone());
                    names.in_pod = known.in_pod.clone().filter(|_| placement.pod_uid.is_some());
                    // each of Podman's has one, which is in another file than the rest
                    let has_none = known.name.is_none() && container.runtime == Some("podman");
                    names.no_container = has_none.then_some(NOT_FOUND);
                }
                Some(Err(why)) if is_named(container, placement) => names.no_container = Some(why),
                Some(Err(_)) | None => {}
            }
        } else if placement
            .container
            .as_ref()
            .is_some_and(|of| of.of_user.is_none() && is_named(of, placement))
        {
            names.no_container = Some(NESTED);
        }
        if let Some(uid) = placement.pod_uid.as_deref() {
            if is_pod_of_host(placement) {
                match self.pod(uid) {
                    Some(pod) => (names.namespace, names.pod) = (Some(pod.namespace), Some(pod.name)),
                    None => names.no_pod = Some(NOT_FOUND),
                }
            } else {
                names.no_pod = Some(NESTED);
            }
        }
        let is_unresolved = [names.no_container, names.no_pod].iter().flatten().any(|why| *why != NESTED);
        if is_unresolved {
            self.note_unresolved(placement, now);
        }
        names
    }

    /// Looks again for what was not there, where that is due.
    pub(super) fn refresh(&mut self, now: Instant) {
        if !self.unresolved.iter().any(|one| one.due <= now) {
            return;
        }
        for mut one in std::mem::take(&mut self.unresolved) {
            if one.due > now {
                self.unresolved.push(one);
                continue;
            }
            if let Some(container) = own_container(&one.placement) {
                if !matches!(self.containers.peek(&key_of(container)), Some(Ok(_))) {
                    self.look(container, one.placement.pod_uid.as_deref());
                }
            }
            if let Some(uid) = one.placement.pod_uid.as_deref().filter(|_| is_pod_of_host(&one.placement)) {
                if !matches!(self.pods.peek(&Rc::from(uid)), Some(Some(_))) {
                    self.look_for_pod(uid);
                }
            }
            one.tries += 1;
            if let Some(wait) = AGAIN_AFTER.get(one.tries) {
                one.due = now + *wait;
                self.unresolved.push(one);
            }
        }
    }

    fn note_unresolved(&mut self, placement: &Rc<Placement>, now: Instant) {
        let is_known = self.unresolved.iter().any(|one| one.placement == *placement);
        if !is_known && self.unresolved.len() < MOST_AGAIN {
            let placement = Rc::clone(placement);
            self.unresolved.push(Unresolved { placement, tries: 0, due: now + AGAIN_AFTER[0] });
        }
    }

    fn pod(&mut self, uid: &str) -> Option<PodName> {
        let key = Rc::from(uid);
        if self.pods.get(&key).is_none() {
            self.look_for_pod(uid);
        }
        self.pods.get(&key).cloned().flatten()
    }

    fn look_for_pod(&mut self, uid: &str) {
        let found = files::pod_in_logs(&self.root, uid);
        let found = found.map(|(namespace, name)| PodName { namespace: namespace.into(), name: name.into() });
        self.keep_pod(uid, found);
    }

    fn keep_pod(&mut self, uid: &str, found: Option<PodName>) {
        let key: Rc<str> = Rc::from(uid);
        let bytes = uid.len() + found.as_ref().map_or(0, |pod| pod.namespace.len() + pod.name.len());
        if self.pods.peek(&key) != Some(&found) {
            self.changes += u64::from(found.is_some() || self.pods.peek(&key).is_some());
            self.pods.put(key, found, 0, bytes);
        }
    }

    /// Reads the files of a container.
    fn look(&mut self, container: &Container, pod_uid: Option<&str>) {
        let found = files::describe(&self.root, container).map_err(|error| {
            if error.kind() == std::io::ErrorKind::NotFound { NOT_FOUND } else { UNREADABLE }
        });
        // what the cgroup says is the kernel's: a file that says another pod is another container's
        let fits = |described: &Described| {
            described.pod_uid.is_none() || pod_uid.is_none() || described.pod_uid.as_deref() == pod_uid
        };
        let found =
            found.and_then(|described| if fits(&described) { Ok(described) } else { Err(UNREADABLE) });
        if let (Ok(described), Some(uid)) = (&found, pod_uid) {
            if let (Some(namespace), Some(name)) = (&described.namespace, &described.pod) {
                self.keep_pod(uid, Some(PodName { namespace: Rc::clone(namespace), name: Rc::clone(name) }));
            }
        }
        let key = key_of(container);
        let bytes = key.len() + found.as_ref().map_or(0, Described::bytes);
        let found = found.map(Rc::new);
        let known = self.containers.peek(&key);
        if known != Some(&found) {
            self.changes += u64::from(found.is_ok() || known.is_some());
            self.containers.put(key, found, 0, bytes.max(ROOM / MOST / 4));
        }
    }
}

/// Two runtimes may have containers of one id.
fn key_of(container: &Container) -> Rc<str> {
    Rc::from(container.directory.as_str())
}

/// The container, if a runtime of the host made it.
fn own_container(placement: &Placement) -> Option<&Container> {
    let container = placement.container.as_ref()?;
    (container.of_user.is_none() && around(container).is_none()).then_some(container)
}

/// The container around a container.
fn around(container: &Container) -> Option<Container> {
    let (above, _) = container.directory.rsplit_once('/')?;
    Placement::of(above).container
}

/// Is the pod one of the host's kubelet, or what a container named like one?
fn is_pod_of_host(placement: &Placement) -> bool {
    let Some(container) = &placement.container else { return true };
    let mut outermost = container.clone();
    while let Some(next) = around(&outermost) {
        outermost = next;
    }
    Placement::of(&outermost.directory).pod_uid == placement.pod_uid
}

/// Should there be a name? The ids of LXC, nspawn, Nomad and `ctr` are names; what no runtime is known of may have none.
fn is_named(container: &Container, placement: &Placement) -> bool {
    let is_id = container.id.len() == 64;
    match container.runtime {
        Some("docker" | "containerd" | "cri-o" | "podman") => is_id,
        Some(_) => false,
        None => is_id && placement.pod_uid.is_some(),
    }
}

#[cfg(test)]
mod tests;
