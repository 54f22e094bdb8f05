//! Of a pod: which line of its manifest is to be changed, for a check that is not well. packaging/kubernetes has such a manifest.

use super::checks::{Check, State};
use crate::bpf::refusal::{CallFacts, Refusal};

/// Is this a container of Kubernetes? The kubelet tells each where the API server is.
pub(super) fn is_pod() -> bool {
    std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()
}

/// Adds the line to the fix of each check that a manifest decides.
pub(super) fn name_lines(checks: &mut [Check], call: &CallFacts) {
    for check in checks.iter_mut().filter(|check| check.state != State::Good) {
        let Some(line) = line(check, call) else { continue };
        check.fix = Some(match &check.fix {
            Some(fix) => format!("{fix}; in the manifest of the pod: {line}"),
            None => format!("in the manifest of the pod: {line}"),
        });
    }
}

fn line(check: &Check, call: &CallFacts) -> Option<&'static str> {
    Some(match check.name {
        "capabilities" => "securityContext.capabilities.add: [BPF, PERFMON]",
        "bpf()" => match Refusal::of(call)? {
            Refusal::Seccomp => "securityContext.seccompProfile.type: Unconfined",
            Refusal::UserNamespace => "hostUsers: true",
            Refusal::Selinux => "securityContext.seLinuxOptions.type: spc_t",
            _ => return None,
        },
        "pid namespace" => "hostPID: true",
        "/proc" if check.state == State::Limited => "securityContext.capabilities.add: [SYS_PTRACE]",
        "cgroup version" => "volumeMounts: mountPath: /sys/fs/cgroup, of a hostPath volume",
        "memory of own cgroup" => "resources.limits.memory: 64Mi or more",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fix_of(name: &'static str, call: &CallFacts) -> Option<String> {
        let found = String::new();
        let mut checks = [Check {
            name,
            state: State::Limited,
            found,
            effect: String::new(),
            fix: Some("do it".to_owned()),
        }];
        name_lines(&mut checks, call);
        let [check] = checks;
        check.fix
    }

    #[test]
    fn what_a_manifest_decides_names_its_line_and_nothing_else_does() {
        let allowed = CallFacts::allowed();
        for (name, line) in [
            ("capabilities", "capabilities.add: [BPF, PERFMON]"),
            ("pid namespace", "hostPID: true"),
            ("memory of own cgroup", "resources.limits.memory"),
        ] {
            let fix = fix_of(name, &allowed).unwrap();
            assert!(fix.starts_with("do it; in the manifest of the pod: ") && fix.contains(line), "{fix}");
        }
        let filtered =
            CallFacts { unknown_command: libc::EPERM, has_seccomp_filter: true, ..CallFacts::allowed() };
        assert!(fix_of("bpf()", &filtered).unwrap().ends_with("seccompProfile.type: Unconfined"));
        assert_eq!(fix_of("BTF", &allowed).as_deref(), Some("do it"));
        let mut well = [Check {
            name: "pid namespace",
            state: State::Good,
            found: String::new(),
            effect: String::new(),
            fix: None,
        }];
        name_lines(&mut well, &allowed);
        assert_eq!(well[0].fix, None);
    }

    /// Each line that is named is one of the manifest that there is.
    #[test]
    fn the_manifest_has_the_lines_that_are_named() {
        let manifest = include_str!("../../../packaging/kubernetes/base/daemonset.yaml");
        let words =
            ["hostPID: true", "hostUsers: true", "type: Unconfined", "type: spc_t", "- BPF", "- PERFMON"];
        for word in words.into_iter().chain(["- SYS_PTRACE", "memory: 192Mi"]) {
            assert!(manifest.contains(word), "{word}");
        }
    }
}
