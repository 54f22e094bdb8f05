//! What the path of a cgroup says: which container, which pod, which systemd units. Of the path alone, so it holds for
//! a container that is gone.
//!
//! A path is what its makers named it. The runtimes' names are all known here, for cgroup v1 and v2 and for the
//! drivers `systemd` and `cgroupfs`; but a process that may create cgroups below one, in a container or as a user with a
//! manager of their own, may give them such names as well. What merely looks like a name of a runtime is none. A last
//! component of 64 hexadecimal digits, outside of a known container, is one of a runtime that is not known: nobody
//! else names cgroups so.

/// Where a process is, by the path of its cgroup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placement {
    /// The innermost container. None outside of any, and for what a runtime keeps beside it: conmon, LXC's monitor,
    /// nspawn's supervisor.
    pub container: Option<Container>,
    /// The innermost Kubernetes pod whose cgroup it is, as the API writes its uid; a static pod's has no dashes. A
    /// monitor that is accounted to a pod has the pod's uid and no container.
    pub pod_uid: Option<String>,
    /// The unit that the host's systemd knows. Only where systemd makes one: a service or a scope is directly in a slice,
    /// a slice in the one that its name begins with. Below a unit, and below what is no unit, may be a systemd of a
    /// container, whose units are none of the host's. As systemctl takes it, so with its `\x2d`. A slice only where the
    /// path ends there.
    pub systemd_unit: Option<String>,
    /// The same of the user's manager, where the unit of the host is one (`user@1000.service`).
    pub systemd_user_unit: Option<String>,
}

/// A container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// 64 hexadecimal digits from docker, containerd, cri-o and podman; the name from lxc, systemd-nspawn and `ctr`; from
    /// Fargate the task and a number; from Nomad the allocation.
    pub id: String,
    /// `docker`, `containerd`, `cri-o`, `podman`, `lxc`, `systemd-nspawn` or `nomad`; None where the path does not say.
    pub runtime: Option<&'static str>,
    /// Nomad's task.
    pub name: Option<String>,
    /// The directory that it was found by: another of the same name is another container.
    pub directory: String,
    /// A user who may make cgroups there and give them any name, so all of this is a claim of theirs: rootless Podman's, or
    /// no container at all.
    pub of_user: Option<u32>,
}

/// From where on a path is what a user made of it: the first directory that is not root's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delegation {
    /// How many directories are above it; that one's name is root's choice still.
    pub depth: usize,
    /// Whose it is.
    pub uid: u32,
}

impl Container {
    /// One without a name.
    pub fn new(id: &str, runtime: Option<&'static str>) -> Self {
        Self { id: id.to_owned(), runtime, name: None, directory: String::new(), of_user: None }
    }

    /// Are both the same one? What has the name of another container somewhere else may be anybody's.
    pub fn is(&self, other: &Self) -> bool {
        (&self.id, &self.name, &self.directory) == (&other.id, &other.name, &other.directory)
    }
}

impl Placement {
    /// `path` is that of a cgroup from the root of its hierarchy. In cgroup v1, that of the hierarchy `name=systemd`
    /// or of a controller in which every container has a cgroup; systemd makes none for every unit in the latter.
    pub fn of(path: &str) -> Self {
        Self::below(path, None)
    }

    /// The same of a path of which a part was delegated to a user.
    pub fn below(path: &str, delegation: Option<Delegation>) -> Self {
        let components: Vec<&str> = path.split('/').filter(|component| !component.is_empty()).collect();
        let mut placement = Self::default();
        let roots = delegation.map_or(components.len(), |delegation| delegation.depth + 1);
        let (unit, mut below) = unit_of(components.get(..roots).unwrap_or(&components));
        // a slice is where the path ends; what a user puts into one is no unit of it
        let unit = unit.filter(|unit| roots >= components.len() || unit.strip_suffix(".slice").is_none());
        let users = unit.and_then(user_of_manager);
        // a user's manager keeps its own units below itself as the host's does below the root
        if users.is_some() {
            below = components.get(components.len().min(roots) - below.len()..).unwrap_or_default();
        }
        let user_unit = users.and_then(|_| unit_of(below).0);
        let manager = users.map(|uid| Delegation { depth: components.len() - below.len() - 1, uid });
        let delegation = manager.or(delegation);
        placement.systemd_unit = unit.map(str::to_owned);
        placement.systemd_user_unit = user_unit.map(str::to_owned);
        let mut is_in_pod = false;
        for (depth, &component) in components.iter().enumerate() {
            let place = Place {
                grandparent: depth.checked_sub(2).and_then(|above| components.get(above)).copied(),
                parent: depth.checked_sub(1).and_then(|above| components.get(above)).copied(),
                is_in_pod,
                component,
                child: components.get(depth + 1).copied(),
            };
            let of_user = delegation.filter(|delegation| depth > delegation.depth).map(|of| of.uid);
            // no kubelet of the host is below a user's cgroup
            let pod_uid = place.pod_uid().filter(|_| of_user.is_none());
            let container = place.container().map(|container| Container {
                directory: components.get(..=depth).unwrap_or_default().join("/"),
                of_user,
                ..container
            });
            // its scopes may look like systemd's, which does not know them
            if container.as_ref().is_some_and(|container| container.runtime == Some(NOMAD)) {
                placement.systemd_unit = None;
            }
            is_in_pod = pod_uid.is_some() && container.is_none();
            placement.pod_uid = pod_uid.or(placement.pod_uid);
            placement.container = container.or(placement.container);
        }
        // in a container anybody may have named it
        let of_user = delegation.filter(|delegation| components.len() > delegation.depth + 1);
        let last = || {
            let found = components.last().and_then(|last| container(last, None))?;
            Some(Container { directory: components.join("/"), of_user: of_user.map(|of| of.uid), ..found })
        };
        placement.container = placement.container.or_else(last);
        placement
    }
}

const NOMAD: &str = "nomad";

/// Whose manager a unit of the host is: `user@1000.service`.
fn user_of_manager(unit: &str) -> Option<u32> {
    unit.strip_prefix("user@")?.strip_suffix(".service")?.parse().ok()
}

/// The unit of the manager that has its root above the first of these components, and what is below that unit.
fn unit_of<'a, 'b>(components: &'b [&'a str]) -> (Option<&'a str>, &'b [&'a str]) {
    let mut slice = None;
    for (depth, component) in components.iter().enumerate() {
        match unit(component) {
            Some((name, Unit::Slice)) if is_slice_in(name, slice) => slice = Some(name),
            Some((name, Unit::Other)) => return (Some(name), &components[depth + 1..]),
            _ => return (None, &[]),
        }
    }
    (slice, &[])
}

/// systemd puts `a-b.slice` into `a.slice`, and `a.slice` to the top.
fn is_slice_in(slice: &str, parent: Option<&str>) -> bool {
    let stem = |name: &str| name.strip_suffix(".slice").map(str::to_owned);
    stem(slice).is_some_and(|slice| match (slice.rsplit_once('-'), parent) {
        (None, None) => true,
        (Some((above, last)), Some(parent)) => !last.is_empty() && stem(parent).as_deref() == Some(above),
        _ => false,
    })
}

/// A component of a path and what is around it.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    grandparent: Option<&'a str>,
    parent: Option<&'a str>,
    /// The parent is a pod's.
    is_in_pod: bool,
    component: &'a str,
    child: Option<&'a str>,
}

impl Place<'_> {
    /// The container whose cgroup this is.
    fn container(&self) -> Option<Container> {
        self.of_prefix()
            .or_else(|| self.of_parent())
            .or_else(|| self.of_lxc())
            .or_else(|| self.of_machine())
            .or_else(|| self.of_nomad())
    }

    /// The uid of the pod whose cgroup this is, or whose is a part of its name.
    fn pod_uid(&self) -> Option<String> {
        let is_under_kubepods = match self.parent {
            Some("besteffort" | "burstable") => self.grandparent == Some("kubepods"),
            parent => parent == Some("kubepods"),
        };
        pod_of_slice(self.component).or_else(|| {
            self.component.strip_prefix("pod").filter(|_| is_under_kubepods).and_then(|uid| uid_of(uid, '-'))
        })
    }

    /// The runtime is in the name: `docker-ID.scope`, `SLICE:cri-containerd:ID`. `crio-conmon` and `libpod-conmon`
    /// are the monitors, outside of the container.
    fn of_prefix(&self) -> Option<Container> {
        // what runc makes where kubelet has the driver systemd and the runtime has cgroupfs
        if let Some((slice_and_prefix, id)) = self.component.rsplit_once(':') {
            let (slice, prefix) = slice_and_prefix.rsplit_once(':')?;
            slice.strip_suffix(".slice")?;
            return container(id, Some(runtime_of_scope(prefix)?));
        }
        let scope = self.component.strip_suffix(".scope");
        let (prefix, id) = scope.unwrap_or(self.component).rsplit_once('-')?;
        let runtime = match (prefix, scope) {
            (prefix, Some(_)) => runtime_of_scope(prefix)?,
            ("crio", None) => "cri-o",
            // the latter with `--cgroups=split`, as a quadlet has it
            ("libpod" | "libpod-payload", None) => "podman",
            _ => return None,
        };
        container(id, Some(runtime))
    }

    /// The runtime, or the manager that placed it, is in the name of the directory above.
    fn of_parent(&self) -> Option<Container> {
        match self.parent? {
            // the latter: GitHub's runners, by --cgroup-parent
            "docker" | "actions_job" => container(self.component, Some("docker")),
            // containerd's namespace for whom names none, as ctr
            "default" if self.grandparent.is_none() => self.of_ctr(),
            // containerd's namespace for Kubernetes, for a pod without a parent cgroup
            "k8s.io" => container(self.component, Some("containerd")),
            _ if self.is_in_pod => container(self.component, None),
            _ if self.grandparent? == "ecs" => container(self.component, None).or_else(|| self.of_fargate()),
            _ => None,
        }
    }

    /// `ctr` takes any name that containerd does.
    fn of_ctr(&self) -> Option<Container> {
        let is_id = is_machine_name(self.component)
            && self.component.len() <= 76
            && self.component.starts_with(|letter: char| letter.is_ascii_alphanumeric())
            && unit(self.component).is_none();
        is_id.then(|| Container::new(self.component, Some("containerd")))
    }

    /// `ALLOCATION.TASK`, in version 2 with `.scope`, in `nomad` or `nomad.slice`, or in a part of it.
    fn of_nomad(&self) -> Option<Container> {
        let is_part = matches!(self.parent, Some("share" | "share.slice" | "reserve" | "reserve.slice"));
        let top = if is_part { self.grandparent } else { self.parent };
        let is_unified = top == Some("nomad.slice");
        if !is_unified && top != Some("nomad") {
            return None;
        }
        let (allocation, task) = self.component.split_once('.')?;
        let task = if is_unified { task.strip_suffix(".scope")? } else { task };
        let is_one = uid_of(allocation, '-').is_some() && allocation.contains('-') && !task.is_empty();
        let name = Some(task.to_owned());
        is_one.then(|| Container { name, ..Container::new(allocation, Some(NOMAD)) })
    }

    /// `TASK/TASK-NUMBER`.
    fn of_fargate(&self) -> Option<Container> {
        let (task, number) = self.component.split_once('-')?;
        let is_one = is_hexadecimal(task, 32)
            && self.parent == Some(task)
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit());
        is_one.then(|| Container::new(self.component, None))
    }

    /// LXC, LXD, Incus, Proxmox. `lxc.monitor` and `lxc.pivot` are outside of the container. LXC appends `-1` to a
    /// name whose cgroup is there already: nothing distinguishes that from a name.
    fn of_lxc(&self) -> Option<Container> {
        let name = match self.parent {
            Some("lxc" | "lxc.payload") => self.component,
            _ => self.component.strip_prefix("lxc.payload.")?,
        };
        (is_machine_name(name) && unit(name).is_none()).then(|| Container::new(name, Some("lxc")))
    }

    /// What systemd-machined knows. The unit alone does not say that it is a container: a virtual machine's is named
    /// in the same way, and nspawn's supervisor may be in it. What is below does.
    fn of_machine(&self) -> Option<Container> {
        let is_payload = self.child == Some("payload");
        let service =
            self.component.strip_prefix("systemd-nspawn@").and_then(|name| name.strip_suffix(".service"));
        let scope = self.component.strip_prefix("machine-").and_then(|name| name.strip_suffix(".scope"));
        let (name, runtime) = match (service, scope) {
            (Some(name), _) | (_, Some(name)) if is_payload => (name, Some("systemd-nspawn")),
            // in cgroup v1 without `payload`; libvirt's containers as well
            (_, Some(name)) if matches!(self.child, Some("init.scope" | "system.slice" | "user.slice")) => {
                (name, None)
            }
            _ => return None,
        };
        let id = unescape(name);
        is_machine_name(&id).then(|| Container::new(&id, runtime))
    }
}

/// LXC and systemd-machined take what may be a host's name.
fn is_machine_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// By the prefix that a runtime gives to its scopes.
fn runtime_of_scope(prefix: &str) -> Option<&'static str> {
    match prefix {
        "docker" => Some("docker"),
        "cri-containerd" | "nerdctl" => Some("containerd"),
        "crio" => Some("cri-o"),
        "libpod" => Some("podman"),
        _ => None,
    }
}

/// A short id is never in a path.
fn container(id: &str, runtime: Option<&'static str>) -> Option<Container> {
    is_hexadecimal(id, 64).then(|| Container::new(id, runtime))
}

fn is_hexadecimal(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// `kubepods-burstable-podUID.slice`, also where it is a part of `SLICE:PREFIX:ID`. A dash separates slices, so the
/// uid's are underscores.
fn pod_of_slice(component: &str) -> Option<String> {
    let slice = component.split(':').next()?.strip_suffix(".slice")?;
    let (parents, pod) = slice.rsplit_once('-')?;
    if !parents.split('-').any(|parent| parent == "kubepods") {
        return None;
    }
    uid_of(pod.strip_prefix("pod")?, '_')
}

/// A uid is a UUID; a static pod's, made of its manifest's hash, is written without dashes.
fn uid_of(text: &str, separator: char) -> Option<String> {
    if is_hexadecimal(text, 32) {
        return Some(text.to_owned());
    }
    let groups: Vec<&str> = text.split(separator).collect();
    let is_uuid = groups.len() == 5
        && groups.iter().zip([8, 4, 4, 4, 12]).all(|(group, digits)| is_hexadecimal(group, digits));
    is_uuid.then(|| groups.join("-"))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Slice,
    Other,
}

/// A directory that systemd made for a unit, and the unit's name.
fn unit(component: &str) -> Option<(&str, Unit)> {
    // systemd puts a `_` before a name that the kernel might use for a file
    let name = component.strip_prefix('_').unwrap_or(component);
    let (stem, kind) = name.rsplit_once('.')?;
    let kind = match kind {
        "service" | "scope" | "socket" | "mount" | "swap" => Unit::Other,
        "slice" if stem != "-" => Unit::Slice,
        _ => return None,
    };
    let is_name = !stem.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte));
    is_name.then_some((name, kind))
}

/// Undoes the `\x2d` of systemd's names. A dash stays one, as in the name of a machine it cannot stand for a slash.
fn unescape(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = after.strip_prefix(b"x").and_then(|digits| digits.split_at_checked(2)).and_then(
            |(digits, after)| {
                let digits = std::str::from_utf8(digits).ok()?;
                // from_str_radix would take a sign
                let is_number = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                Some((u8::from_str_radix(digits, 16).ok().filter(|_| is_number)?, after))
            },
        );
        let (byte, after) = escaped.filter(|_| first == b'\\').unwrap_or((first, after));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests;
