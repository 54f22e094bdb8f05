//! What the path of a cgroup says: which container, which pod, which systemd unit. Of the path alone, so it holds for
//! a container that is gone.
//!
//! A path is what its makers named it. The runtimes' names are all known here, for cgroup v1 and v2 and for the
//! drivers `systemd` and `cgroupfs`; but whoever may make cgroups below one, in a container or as a user with a
//! manager of their own, may give them such names as well. What merely looks like a name of a runtime is none.

/// Where a process is, by the path of its cgroup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placement {
    /// The innermost container. None outside of any, and for what a runtime keeps beside it: conmon, LXC's monitor,
    /// nspawn's supervisor.
    pub container: Option<Container>,
    /// The innermost Kubernetes pod whose cgroup it is, as the API writes its uid; a static pod's has no dashes. A
    /// monitor that is accounted to a pod has the pod's uid and no container.
    pub pod_uid: Option<String>,
    /// The innermost unit that the host's systemd, or a user's manager on the host, knows. Below a service or a scope,
    /// and below what is no unit, may be a systemd of a container, whose units are none of the host's. As systemctl
    /// takes it, so with its `\x2d`. A slice only where there is nothing else.
    pub systemd_unit: Option<String>,
}

/// A container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// 64 hexadecimal digits from docker, containerd, cri-o and podman; the name from lxc and systemd-nspawn; from
    /// Fargate the task and a number.
    pub id: String,
    /// `docker`, `containerd`, `cri-o`, `podman`, `lxc` or `systemd-nspawn`; None where the path does not say.
    pub runtime: Option<&'static str>,
}

impl Placement {
    /// `path` is that of a cgroup from the root of its hierarchy. In cgroup v1, that of the hierarchy `name=systemd`
    /// or of a controller in which every container has a cgroup; systemd makes none for every unit in the latter.
    pub fn of(path: &str) -> Self {
        let components: Vec<&str> = path.split('/').filter(|component| !component.is_empty()).collect();
        let mut placement = Self::default();
        let mut slice = None;
        let mut is_of_host = true;
        let mut is_in_pod = false;
        for (depth, &component) in components.iter().enumerate() {
            match unit(component).filter(|_| is_of_host) {
                Some((name, Unit::Slice)) => slice = Some(name),
                Some((name, Unit::Other)) => {
                    placement.systemd_unit = Some(name.to_owned());
                    // a user's manager
                    is_of_host = name.starts_with("user@");
                }
                None => is_of_host = false,
            }
            let place = Place {
                grandparent: depth.checked_sub(2).and_then(|above| components.get(above)).copied(),
                parent: depth.checked_sub(1).and_then(|above| components.get(above)).copied(),
                is_in_pod,
                component,
                child: components.get(depth + 1).copied(),
            };
            let pod_uid = place.pod_uid();
            let container = place.container();
            is_in_pod = pod_uid.is_some() && container.is_none();
            placement.pod_uid = pod_uid.or(placement.pod_uid);
            placement.container = container.or(placement.container);
        }
        placement.systemd_unit = placement.systemd_unit.or_else(|| slice.map(str::to_owned));
        placement
    }
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
        self.of_prefix().or_else(|| self.of_parent()).or_else(|| self.of_lxc()).or_else(|| self.of_machine())
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

    /// The runtime, or who told it where to go, is in the name of the directory above.
    fn of_parent(&self) -> Option<Container> {
        match self.parent? {
            "docker" => container(self.component, Some("docker")),
            // containerd's namespace for Kubernetes, for a pod without a parent cgroup
            "k8s.io" => container(self.component, Some("containerd")),
            _ if self.is_in_pod => container(self.component, None),
            _ if self.grandparent? == "ecs" => container(self.component, None).or_else(|| self.of_fargate()),
            _ => None,
        }
    }

    /// `TASK/TASK-NUMBER`.
    fn of_fargate(&self) -> Option<Container> {
        let (task, number) = self.component.split_once('-')?;
        let is_one = is_hexadecimal(task, 32)
            && self.parent == Some(task)
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit());
        is_one.then(|| Container { id: self.component.to_owned(), runtime: None })
    }

    /// LXC, LXD, Incus, Proxmox. `lxc.monitor` and `lxc.pivot` are outside of the container. LXC appends `-1` to a
    /// name whose cgroup is there already: nothing tells that from a name.
    fn of_lxc(&self) -> Option<Container> {
        let name = match self.parent {
            Some("lxc" | "lxc.payload") => self.component,
            _ => self.component.strip_prefix("lxc.payload.")?,
        };
        (is_machine_name(name) && unit(name).is_none())
            .then(|| Container { id: name.to_owned(), runtime: Some("lxc") })
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
        is_machine_name(&id).then_some(Container { id, runtime })
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
    is_hexadecimal(id, 64).then(|| Container { id: id.to_owned(), runtime })
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
