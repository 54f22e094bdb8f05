//! What user space knows of a process beside its record: names of its users, its cgroup, its container, its variables.

use std::borrow::Cow;

use super::base64;
use crate::enrich::surroundings::Surroundings;
use crate::output::format::Format;
use crate::output::format::ValueRef::{Names, Number, Text};

pub(super) fn write_id(format: &mut dyn Format, what: &'static str, id: u32, name: Option<&str>) {
    format.open(what);
    format.field("id", Number(u64::from(id)));
    if let Some(name) = name {
        format.field("name", Text(name));
    }
    format.close();
}

pub(super) fn write_placement(surroundings: &Surroundings, format: &mut dyn Format) {
    if let Some(cgroup) = &surroundings.cgroup {
        format.field("cgroup", Text(cgroup));
    }
    if let Some(raw) = &surroundings.cgroup_raw {
        format.field("cgroupRaw", Text(&base64(raw)));
    }
    let (placement, names) = (&surroundings.placement, &surroundings.names);
    if let Some(unit) = &placement.systemd_unit {
        format.open("systemd");
        format.field("unit", Text(unit));
        if let Some(unit) = &placement.systemd_user_unit {
            format.field("userUnit", Text(unit));
        }
        format.close();
    }
    if let Some(container) = &placement.container {
        format.open("container");
        format.field("id", Text(&container.id));
        if let Some(runtime) = container.runtime {
            format.field("runtime", Text(runtime));
        }
        // Nomad's task is in the path
        if let Some(name) = container.name.as_deref().or(names.container.as_deref()) {
            format.field("name", Text(name));
        }
        if let Some(image) = &names.image {
            format.field("image", Text(image));
        }
        if let Some(uid) = container.of_user {
            format.field("ofUser", Number(u64::from(uid)));
        }
        format.close();
    }
    if let Some(uid) = &placement.pod_uid {
        format.open("k8s");
        if let Some(namespace) = &names.namespace {
            format.field("namespace", Text(namespace));
        }
        format.open("pod");
        if let Some(name) = &names.pod {
            format.field("name", Text(name));
        }
        format.field("uid", Text(uid));
        format.close();
        if let Some(name) = &names.in_pod {
            format.open("container");
            format.field("name", Text(name));
            format.close();
        }
        format.close();
    }
}

/// `NAME=value`, each with its NUL; of a name that occurs twice the first, as `getenv()` returns it.
pub(super) fn write_variables(bytes: &[u8], format: &mut dyn Format) {
    let mut variables: Vec<(String, String)> = Vec::new();
    let mut raw: Vec<(String, String)> = Vec::new();
    for variable in bytes.split(|&byte| byte == 0).filter(|variable| !variable.is_empty()) {
        let Some(at) = variable.iter().position(|&byte| byte == b'=') else { continue };
        let (name, value) = (String::from_utf8_lossy(&variable[..at]), &variable[at + 1..]);
        if !variables.iter().any(|(known, _)| *known == name) {
            let text = String::from_utf8_lossy(value);
            if matches!(text, Cow::Owned(_)) {
                raw.push((name.clone().into_owned(), base64(value)));
            }
            variables.push((name.into_owned(), text.into_owned()));
        }
    }
    format.field("env", Names(&variables));
    if !raw.is_empty() {
        format.field("envRaw", Names(&raw));
    }
}
