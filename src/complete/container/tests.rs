//! Paths as they are on real hosts, with ids made short: `<a>` and `<b>` stand for 64 digits, `<u>` for a pod's uid
//! and `<_>` for the same with underscores, `<s>` for a static pod's.

use proptest::prelude::*;

use super::*;

const A: &str = "4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970";
const B: &str = "9ec39b91f3d70e1beff50a308f77067065ea6be0d91a3378375056cd4422cf3d";
const UID: &str = "2fc932ce-fdcc-454b-97bd-aadfdeb4c340";
const STATIC_UID: &str = "c704ef4c297ab11032b83ce52cbfc87b";
const TASK: &str = "bf1ddbfbbc8f45c9b1ac4f779368741e";

fn whole(text: &str) -> String {
    text.replace("<a>", A)
        .replace("<b>", B)
        .replace("<u>", UID)
        .replace("<_>", &UID.replace('-', "_"))
        .replace("<s>", STATIC_UID)
        .replace("<t>", TASK)
}

/// Path, container's id and runtime, pod, unit; `-` is none.
type Case = (&'static str, &'static str, &'static str, &'static str, &'static str);

#[track_caller]
fn check(cases: &[Case]) {
    let optional = |text: &str| (text != "-").then(|| whole(text));
    for &(path, id, runtime, pod_uid, systemd_unit) in cases {
        let placement = Placement::of(&whole(path));
        let (found_id, found_runtime) =
            placement.container.map(|container| (container.id, container.runtime)).unzip();
        assert_eq!(found_id, optional(id), "container of {path}");
        assert_eq!(found_runtime.flatten().unwrap_or("-"), runtime, "runtime of {path}");
        assert_eq!(placement.pod_uid, optional(pod_uid), "pod of {path}");
        assert_eq!(placement.systemd_unit, optional(systemd_unit), "unit of {path}");
    }
}

#[test]
fn containers_of_docker_are_known() {
    check(&[
        ("/docker/<a>", "<a>", "docker", "-", "-"),
        ("/docker/<a>/init", "<a>", "docker", "-", "-"),
        ("/system.slice/docker-<a>.scope", "<a>", "docker", "-", "docker-<a>.scope"),
        ("/system.slice/docker.service/docker/<a>", "<a>", "docker", "-", "docker.service"),
        // rootless
        (
            "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-<a>.scope",
            "<a>",
            "docker",
            "-",
            "docker-<a>.scope",
        ),
        // ECS, cgroup v2
        ("/ecstasks.slice/ecstasks-<t>.slice/docker-<a>.scope", "<a>", "docker", "-", "docker-<a>.scope"),
        // cri-dockerd
        (
            "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod<_>.slice/docker-<a>.scope",
            "<a>",
            "docker",
            "<u>",
            "docker-<a>.scope",
        ),
    ]);
}

#[test]
fn containers_and_pods_of_kubernetes_are_known() {
    check(&[
        (
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<_>.slice/cri-containerd-<a>.scope",
            "<a>",
            "containerd",
            "<u>",
            "cri-containerd-<a>.scope",
        ),
        (
            "/kubepods.slice/kubepods-pod<_>.slice/cri-containerd-<a>.scope",
            "<a>",
            "containerd",
            "<u>",
            "cri-containerd-<a>.scope",
        ),
        (
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<s>.slice/cri-containerd-<a>.scope",
            "<a>",
            "containerd",
            "<s>",
            "cri-containerd-<a>.scope",
        ),
        ("/kubepods/besteffort/pod<u>/<a>", "<a>", "-", "<u>", "-"),
        ("/kubepods/burstable/pod<s>/<a>", "<a>", "-", "<s>", "-"),
        ("/kubepods/pod<u>/<a>", "<a>", "-", "<u>", "-"),
        ("/kubepods/burstable/pod<u>/<a>/nested", "<a>", "-", "<u>", "-"),
        // kubelet with the driver systemd, containerd without
        (
            "/system.slice/containerd.service/kubepods-burstable-pod<_>.slice:cri-containerd:<a>",
            "<a>",
            "containerd",
            "<u>",
            "containerd.service",
        ),
        ("/kubepods-besteffort-pod<_>.slice:cri-containerd:<a>", "<a>", "containerd", "<u>", "-"),
        ("/kubepods-besteffort-pod<_>.slice:cri-containerd:<a>/<b>", "<a>", "containerd", "<u>", "-"),
        ("/system.slice:docker:<a>", "<a>", "docker", "-", "-"),
        ("/k8s.io/<a>", "<a>", "containerd", "-", "-"),
        ("/system.slice/nerdctl-<a>.scope", "<a>", "containerd", "-", "nerdctl-<a>.scope"),
        (
            "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod<_>.slice/crio-<a>.scope",
            "<a>",
            "cri-o",
            "<u>",
            "crio-<a>.scope",
        ),
        (
            "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod<_>.slice/crio-<a>.scope/container",
            "<a>",
            "cri-o",
            "<u>",
            "crio-<a>.scope",
        ),
        ("/kubepods/burstable/pod<u>/crio-<a>", "<a>", "cri-o", "<u>", "-"),
    ]);
}

#[test]
fn containers_of_podman_are_known() {
    check(&[
        ("/machine.slice/libpod-<a>.scope", "<a>", "podman", "-", "libpod-<a>.scope"),
        ("/machine.slice/libpod-<a>.scope/container", "<a>", "podman", "-", "libpod-<a>.scope"),
        (
            "/machine.slice/machine-libpod_pod_<b>.slice/libpod-<a>.scope/container",
            "<a>",
            "podman",
            "-",
            "libpod-<a>.scope",
        ),
        ("/libpod_parent/libpod-<a>", "<a>", "podman", "-", "-"),
        (
            "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-<a>.scope/container",
            "<a>",
            "podman",
            "-",
            "libpod-<a>.scope",
        ),
        (
            "/user.slice/user-1000.slice/user@1000.service/app.slice/redis.service/libpod-payload-<a>",
            "<a>",
            "podman",
            "-",
            "redis.service",
        ),
        ("/system.slice/nginx.service/libpod-payload-<a>/container", "<a>", "podman", "-", "nginx.service"),
    ]);
}

#[test]
fn containers_with_names_are_known() {
    check(&[
        ("/lxc/web-1", "web-1", "lxc", "-", "-"),
        ("/lxc/100/ns/system.slice/ssh.service", "100", "lxc", "-", "-"),
        ("/lxc.payload.snapcraft_some-container", "snapcraft_some-container", "lxc", "-", "-"),
        ("/lxc.payload/c1/init.scope", "c1", "lxc", "-", "-"),
        ("/user.slice/user-1000.slice/session-2.scope/lxc/p1", "p1", "lxc", "-", "session-2.scope"),
        (
            "/machine.slice/systemd-nspawn@debian.service/payload",
            "debian",
            "systemd-nspawn",
            "-",
            "systemd-nspawn@debian.service",
        ),
        (
            "/machine.slice/systemd-nspawn@my-web.service/payload/system.slice/nginx.service",
            "my-web",
            "systemd-nspawn",
            "-",
            "systemd-nspawn@my-web.service",
        ),
        (
            r"/machine.slice/machine-my\x2dweb.scope/payload/init.scope",
            "my-web",
            "systemd-nspawn",
            "-",
            r"machine-my\x2dweb.scope",
        ),
        ("/machine.slice/machine-old.scope/system.slice/cron.service", "old", "-", "-", "machine-old.scope"),
    ]);
}

#[test]
fn containers_of_ecs_are_known() {
    check(&[
        ("/ecs/<t>/<a>", "<a>", "-", "-", "-"),
        ("/ecs/48cb34f5-cd39-4d59-9bb9-89f3c1611afd/<a>", "<a>", "-", "-", "-"),
        ("/ecs/<t>/<t>-1234567890", "<t>-1234567890", "-", "-", "-"),
        ("/ecs/<t>", "-", "-", "-", "-"),
        ("/ecs/<u>/<t>-1", "-", "-", "-", "-"),
        ("/ecs/<t>/<t>-x", "-", "-", "-", "-"),
    ]);
}

#[test]
fn the_innermost_container_and_pod_win_and_the_unit_is_the_hosts() {
    check(&[
        // docker in docker
        ("/docker/<a>/docker/<b>", "<b>", "docker", "-", "-"),
        ("/system.slice/docker-<a>.scope/docker/<b>", "<b>", "docker", "-", "docker-<a>.scope"),
        // systemd in a container
        ("/system.slice/docker-<a>.scope/system.slice/ssh.service", "<a>", "docker", "-", "docker-<a>.scope"),
        ("/docker/<a>/system.slice/ssh.service", "<a>", "docker", "-", "-"),
        (
            "/libpod_parent/libpod-<a>/system.slice/var-lib-docker-containers-1575e8b4a92a-mounts-shm.mount",
            "<a>",
            "podman",
            "-",
            "-",
        ),
        // kind, minikube
        (
            "/docker/<a>/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/\
             kubelet-kubepods-burstable-pod<_>.slice/cri-containerd-<b>.scope",
            "<b>",
            "containerd",
            "<u>",
            "-",
        ),
        (
            "/system.slice/docker-<a>.scope/kubelet/kubepods/besteffort/pod<u>/<b>",
            "<b>",
            "-",
            "<u>",
            "docker-<a>.scope",
        ),
        ("/docker/<a>/kubepods.slice/kubepods-pod<_>.slice/crio-<b>.scope", "<b>", "cri-o", "<u>", "-"),
        ("/docker/<a>/system.slice/containerd.service", "<a>", "docker", "-", "-"),
        // docker in a pod
        ("/kubepods/burstable/pod<u>/<a>/docker/<b>", "<b>", "docker", "<u>", "-"),
        // docker in LXC
        ("/lxc/100/ns/system.slice/docker-<a>.scope", "<a>", "docker", "-", "-"),
    ]);
}

#[test]
fn what_a_runtime_keeps_beside_a_container_is_outside_of_it() {
    check(&[
        (
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<_>.slice/crio-conmon-<a>.scope",
            "-",
            "-",
            "<u>",
            "crio-conmon-<a>.scope",
        ),
        ("/kubepods/burstable/pod<u>/crio-conmon-<a>", "-", "-", "<u>", "-"),
        ("/machine.slice/libpod-conmon-<a>.scope", "-", "-", "-", "libpod-conmon-<a>.scope"),
        (
            "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-conmon-<a>.scope",
            "-",
            "-",
            "-",
            "libpod-conmon-<a>.scope",
        ),
        ("/libpod_parent/conmon", "-", "-", "-", "-"),
        ("/system.slice/nginx.service/runtime", "-", "-", "-", "nginx.service"),
        ("/lxc.monitor.web", "-", "-", "-", "-"),
        ("/lxc.monitor/web", "-", "-", "-", "-"),
        ("/lxc.pivot", "-", "-", "-", "-"),
        ("/lxc/web/lxc.monitor.inner", "web", "lxc", "-", "-"),
        (
            "/machine.slice/systemd-nspawn@debian.service/supervisor",
            "-",
            "-",
            "-",
            "systemd-nspawn@debian.service",
        ),
        ("/kubepods/burstable/pod<u>/kata_<a>", "-", "-", "<u>", "-"),
        ("/system.slice/containerd.service", "-", "-", "-", "containerd.service"),
    ]);
}

#[test]
fn what_only_looks_like_a_container_is_none() {
    check(&[
        ("/docker/buildx", "-", "-", "-", "-"),
        ("/docker/buildkit/7zyh7ma3zfgs0x5bh7cy6rg2a", "-", "-", "-", "-"),
        ("/docker/4f797c539e6c", "-", "-", "-", "-"),
        ("/docker/<a>0", "-", "-", "-", "-"),
        ("/docker", "-", "-", "-", "-"),
        ("/<a>", "-", "-", "-", "-"),
        ("/user.slice/user-1000.slice/user@1000.service/<a>", "-", "-", "-", "user@1000.service"),
        ("/kubepods/<a>", "-", "-", "-", "-"),
        ("/pod<u>/<a>", "-", "-", "-", "-"),
        ("/kubepods/burstable/podrunner/<a>", "-", "-", "-", "-"),
        ("/kubepods/mine/pod<u>/<a>", "-", "-", "-", "-"),
        ("/burstable/pod<u>/<a>", "-", "-", "-", "-"),
        (r"/machine.slice/machine-a\x1b.scope/payload", "-", "-", "-", r"machine-a\x1b.scope"),
        ("/machine.slice/systemd-nspawn@.service/payload", "-", "-", "-", "systemd-nspawn@.service"),
        ("/my-pod<_>.slice/<a>", "-", "-", "-", "my-pod<_>.slice"),
        ("/docker-<a>", "-", "-", "-", "-"),
        ("/system.slice/docker-<a>.service", "-", "-", "-", "docker-<a>.service"),
        ("/system.slice/mydocker-<a>.scope", "-", "-", "-", "mydocker-<a>.scope"),
        ("/my:docker:<a>", "-", "-", "-", "-"),
        ("/lxc/lxc.service", "-", "-", "-", "-"),
        ("/lxc", "-", "-", "-", "-"),
        ("/lxc.payload.", "-", "-", "-", "-"),
        (
            r"/machine.slice/machine-qemu\x2d6\x2dvm1.scope/libvirt/emulator",
            "-",
            "-",
            "-",
            r"machine-qemu\x2d6\x2dvm1.scope",
        ),
        ("/machine.slice/machine-vm.scope", "-", "-", "-", "machine-vm.scope"),
        (
            "/system.slice/docker-4F797C539E6C745DE61A93CA3FF892358ECBCACCD8414D5DB545C38428142970.scope",
            "-",
            "-",
            "-",
            "docker-4F797C539E6C745DE61A93CA3FF892358ECBCACCD8414D5DB545C38428142970.scope",
        ),
    ]);
}

#[test]
fn the_unit_is_the_innermost_and_a_slice_only_for_want_of_another() {
    check(&[
        ("/", "-", "-", "-", "-"),
        ("", "-", "-", "-", "-"),
        ("/init.scope", "-", "-", "-", "init.scope"),
        ("/system.slice/cron.service", "-", "-", "-", "cron.service"),
        ("/system.slice/system-getty.slice/getty@tty1.service", "-", "-", "-", "getty@tty1.service"),
        ("/system.slice/ssh.service/control", "-", "-", "-", "ssh.service"),
        ("/user.slice/user-0.slice/session-3.scope", "-", "-", "-", "session-3.scope"),
        ("/user.slice/user-1000.slice/user@1000.service/init.scope", "-", "-", "-", "init.scope"),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice", "-", "-", "-", "user@1000.service"),
        (
            "/user.slice/user-1000.slice/user@1000.service/app.slice/dbus.service",
            "-",
            "-",
            "-",
            "dbus.service",
        ),
        (r"/system.slice/dev-disk-by\x2duuid-1.swap", "-", "-", "-", r"dev-disk-by\x2duuid-1.swap"),
        ("/system.slice/docker.socket", "-", "-", "-", "docker.socket"),
        ("/system.slice/boot-efi.mount", "-", "-", "-", "boot-efi.mount"),
        ("/user.slice/user-1000.slice", "-", "-", "-", "user-1000.slice"),
        ("/-.slice", "-", "-", "-", "-"),
        ("/system.slice/_cpu.service", "-", "-", "-", "cpu.service"),
        ("/system.slice/not a unit.service", "-", "-", "-", "system.slice"),
        ("/.service", "-", "-", "-", "-"),
        ("/batch/<t>", "-", "-", "-", "-"),
    ]);
}

#[test]
fn escapes_of_systemd_are_undone_where_they_are_whole() {
    for (escaped, name) in [
        (r"a\x2db", "a-b"),
        (r"\x2d\x2D", "--"),
        (r"a-b", "a-b"),
        (r"ax2d", "ax2d"),
        (r"\x5cx2d", r"\x2d"),
        (r"a\x2", r"a\x2"),
        (r"a\", r"a\"),
        (r"\x+1", r"\x+1"),
        (r"\xc3\xa9", "é"),
        (r"\xff", "\u{fffd}"),
        (r"\xé", r"\xé"),
    ] {
        assert_eq!(unescape(escaped), name, "{escaped}");
    }
}

/// A runtime that is not known may keep a whole systemd there.
#[test]
fn a_unit_that_another_manager_may_have_made_is_not_the_hosts() {
    check(&[
        ("/garden/1/system.slice/cron.service", "-", "-", "-", "-"),
        ("/garden/1/system.slice", "-", "-", "-", "-"),
        ("/system.slice/runtime.service/system.slice/cron.service", "-", "-", "-", "runtime.service"),
        ("/system.slice/runtime.service/1/init.scope", "-", "-", "-", "runtime.service"),
        ("/kubepods/burstable/pod<u>/kata_<a>/system.slice/cron.service", "-", "-", "<u>", "-"),
        (
            "/user.slice/user-1000.slice/user@1000.service/app.slice/run.scope/init.scope",
            "-",
            "-",
            "-",
            "run.scope",
        ),
    ]);
}

/// Pieces of real paths in any order: nearer to the borders than arbitrary text.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just(A.to_owned()),
        Just(UID.to_owned()),
        Just(STATIC_UID.to_owned()),
        proptest::sample::select(vec![
            "/",
            "docker",
            "kubepods",
            "pod",
            "-",
            ".scope",
            ".slice",
            ".service",
            ":",
            "lxc",
            ".payload",
            ".",
            "crio",
            "conmon",
            "libpod",
            "machine",
            "systemd-nspawn@",
            "payload",
            "ecs",
            "\\x2d",
            "\\x",
            "_",
            "\u{fffd}",
        ])
        .prop_map(str::to_owned),
        "[ -~]{0,3}",
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_is_taken(path: String) {
        Placement::of(&path);
    }

    #[test]
    fn whatever_is_claimed_is_of_the_form_it_must_have(path in pieces()) {
        let placement = Placement::of(&path);
        if let Some(container) = placement.container {
            prop_assert!(!container.id.is_empty());
            let has_digits = container.runtime.is_some_and(|runtime| !["lxc", "systemd-nspawn"].contains(&runtime));
            prop_assert!(!has_digits || is_hexadecimal(&container.id, 64));
        }
        if let Some(uid) = placement.pod_uid {
            prop_assert!(uid_of(&uid, '-').as_ref() == Some(&uid));
        }
        if let Some(name) = placement.systemd_unit {
            prop_assert!(unit(&name).is_some() && path.contains(&name));
        }
    }

    #[test]
    fn no_path_without_a_known_name_has_a_container(path in "(/[a-z0-9.]{1,12}\\.(service|slice)|/[a-f0-9]{64}|/user){0,5}") {
        prop_assert_eq!(Placement::of(&path).container, None);
    }

    #[test]
    fn an_unescaped_name_is_what_systemd_escaped(name in "[ -~]{0,20}") {
        let escape = |byte: char| match byte {
            'a'..='z' | 'A'..='Z' | '0'..='9' => byte.to_string(),
            _ => format!("\\x{:02x}", byte as u32),
        };
        prop_assert_eq!(unescape(&name.chars().map(escape).collect::<String>()), name);
    }
}
