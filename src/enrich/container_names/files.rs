//! Where runtimes and the kubelet keep what they know of a container.

use std::io;
use std::path::Path;

use serde_json::Value;

use super::annotations::{Described, of_docker, of_oci, of_storage};
use crate::enrich::container::Container;
use crate::enrich::host_files::{list_under, read_under};

/// Bytes of a file.
const LONGEST: u64 = 1 << 20;

/// Where containerd keeps the bundles of what runs: its own, k3s' and rke2's, k0s', that of `MicroK8s`. Below are namespaces.
const CONTAINERD: &[&str] = &[
    "run/containerd/io.containerd.runtime.v2.task",
    "run/k3s/containerd/io.containerd.runtime.v2.task",
    "run/k0s/containerd/io.containerd.runtime.v2.task",
    "var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task",
];
/// The namespace of Kubernetes, and that of ctr and nerdctl.
const NAMESPACES: &[&str] = &["k8s.io", "default"];
/// Docker's namespace: what is known of its containers is in its own directory.
const DOCKERS_NAMESPACE: &str = "moby";
const MOST_NAMESPACES: usize = 32;

/// containers/storage, of cri-o and Podman, with each of its drivers: what runs, and what there is.
const STORAGE: &[&str] = &[
    "run/containers/storage/overlay-containers",
    "var/lib/containers/storage/overlay-containers",
    "var/lib/containers/storage/vfs-containers",
    "var/lib/containers/storage/btrfs-containers",
    "var/lib/containers/storage/zfs-containers",
];

const DOCKER: &str = "var/lib/docker/containers";

/// The kubelet's: `NAMESPACE_POD_UID`.
const POD_LOGS: &str = "var/log/pods";
/// Pods of a host are hundreds.
const MOST_PODS: usize = 8192;

pub(super) fn has_runtimes(root: &Path) -> bool {
    let all = CONTAINERD.iter().chain(STORAGE).chain([&DOCKER, &POD_LOGS]);
    all.into_iter().any(|path| root.join(path).is_dir())
}

/// What the host says of a container.
///
/// # Errors
/// `NotFound` if no file of it is there; else why a file that is there says nothing.
pub(super) fn describe(root: &Path, container: &Container) -> io::Result<Described> {
    let id = container.id.as_str();
    if id.contains('/') || id.starts_with('.') {
        return Err(io::ErrorKind::NotFound.into());
    }
    let docker = || {
        let path = format!("{DOCKER}/{id}/config.v2.json");
        parse(&read_under(root, &path, LONGEST)?).map(|config| of_docker(&config))
    };
    let containerd = || of_containerd(root, id);
    let storage = || of_containers_storage(root, id);
    match container.runtime {
        Some("docker") => docker(),
        Some("containerd") => containerd(),
        Some("cri-o" | "podman") => storage(),
        Some(_) => Err(io::ErrorKind::NotFound.into()),
        // the path does not say whose it is
        None => or_else(containerd(), || or_else(storage(), docker)),
    }
}

/// The next one where there is nothing.
fn or_else(
    found: io::Result<Described>,
    next: impl FnOnce() -> io::Result<Described>,
) -> io::Result<Described> {
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => next(),
        found => found,
    }
}

fn parse(bytes: &[u8]) -> io::Result<Value> {
    serde_json::from_slice(bytes).map_err(|_| io::ErrorKind::InvalidData.into())
}

fn of_containerd(root: &Path, id: &str) -> io::Result<Described> {
    let mut found = Err(io::ErrorKind::NotFound.into());
    for directory in CONTAINERD {
        let read =
            |namespace: &str| read_under(root, &format!("{directory}/{namespace}/{id}/config.json"), LONGEST);
        for namespace in NAMESPACES {
            found = or_else(found, || parse(&read(namespace)?).map(|config| of_oci(&config)));
        }
        if found.is_ok() {
            return found;
        }
        for namespace in list_under(root, directory, MOST_NAMESPACES).unwrap_or_default() {
            let is_known = NAMESPACES.contains(&&*namespace) || namespace == DOCKERS_NAMESPACE;
            if !is_known {
                found = or_else(found, || parse(&read(&namespace)?).map(|config| of_oci(&config)));
            }
        }
    }
    found
}

/// cri-o has all in the annotations; Podman the names in the list of all containers.
fn of_containers_storage(root: &Path, id: &str) -> io::Result<Described> {
    let mut found = Err(io::ErrorKind::NotFound.into());
    for directory in STORAGE {
        let path = format!("{directory}/{id}/userdata/config.json");
        found = or_else(found, || parse(&read_under(root, &path, LONGEST)?).map(|config| of_oci(&config)));
    }
    let is_complete = found.as_ref().is_ok_and(|found| found.name.is_some());
    if is_complete {
        return found;
    }
    let listed = STORAGE.iter().flat_map(|directory| {
        ["containers.json", "volatile-containers.json"].map(|list| format!("{directory}/{list}"))
    });
    for path in listed {
        let list = read_under(root, &path, LONGEST).and_then(|bytes| parse(&bytes));
        if let Some(named) = list.ok().and_then(|list| of_storage(&list, id)) {
            return Ok(named);
        }
    }
    found
}

/// Namespace and name of a pod, by the directory of its logs. Neither can hold a `_`.
pub(super) fn pod_in_logs(root: &Path, uid: &str) -> Option<(String, String)> {
    let all = list_under(root, POD_LOGS, MOST_PODS).ok()?;
    all.iter().find_map(|entry| {
        let (namespace, name) = entry.strip_suffix(uid)?.strip_suffix('_')?.split_once('_')?;
        let is_name = |text: &str| !text.is_empty() && !text.contains('_');
        (is_name(namespace) && is_name(name)).then(|| (namespace.to_owned(), name.to_owned()))
    })
}
