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

/// Path, container's id (and name) and runtime, pod, unit (and the user's); `-` is none.
type Case = (&'static str, &'static str, &'static str, &'static str, &'static str);

#[track_caller]
fn check(cases: &[Case]) {
    let optional = |text: &str| (text != "-").then(|| whole(text));
    for &(path, id, runtime, pod_uid, systemd_unit) in cases {
        let placement = Placement::of(&whole(path));
        let with =
            |one: String, more: Option<String>| more.map_or(one.clone(), |more| format!("{one} {more}"));
        let (found_id, found_runtime) = placement
            .container
            .map(|container| (with(container.id, container.name), container.runtime))
            .unzip();
        assert_eq!(found_id, optional(id), "container of {path}");
        assert_eq!(found_runtime.flatten().unwrap_or("-"), runtime, "runtime of {path}");
        assert_eq!(placement.pod_uid, optional(pod_uid), "pod of {path}");
        assert!(placement.systemd_unit.is_some() || placement.systemd_user_unit.is_none(), "units of {path}");
        let found_unit = placement.systemd_unit.map(|unit| with(unit, placement.systemd_user_unit));
        assert_eq!(found_unit, optional(systemd_unit), "unit of {path}");
    }
}

#[test]
fn what_a_user_named_is_a_claim_of_that_user() {
    let scope = whole("docker-<a>.scope");
    let below = |path: &str, depth, uid| Placement::below(path, Some(Delegation { depth, uid }));
    // by the path alone: the user's manager
    let placement = Placement::of(&format!("/user.slice/user-1000.slice/user@1000.service/{scope}"));
    let container = placement.container.unwrap();
    assert_eq!((container.id.as_str(), container.of_user), (A, Some(1000)));
    assert_eq!(placement.systemd_unit.as_deref(), Some("user@1000.service"));
    let pod = Placement::of(&whole("/user.slice/user-1000.slice/user@1000.service/kubepods/pod<u>/<a>"));
    assert_eq!((pod.pod_uid, pod.container.unwrap().of_user), (None, Some(1000)));
    // by the owner of a directory
    let placement = below(&format!("/app.slice/{scope}"), 0, 7);
    assert_eq!(placement.container.unwrap().of_user, Some(7));
    assert_eq!(below(&format!("/a/{A}"), 0, 7).container.unwrap().of_user, Some(7));
    assert_eq!(below("/app.slice/sshd.service", 0, 7).systemd_unit, None);
    assert_eq!(below("/system.slice/app.service/sshd.service", 1, 7).systemd_unit.unwrap(), "app.service");
    assert_eq!(below("/system.slice/app.service", 1, 7).systemd_unit.unwrap(), "app.service");
    // root named this one, and gave it to the container's own root
    let own = below(&format!("/system.slice/{scope}/init"), 1, 100_000).container.unwrap();
    assert_eq!((own.of_user, own.directory), (None, format!("system.slice/{scope}")));
    let users = below("/user.slice/user-1000.slice/user@1000.service/app.slice/a.service", 2, 1000);
    assert_eq!(users.systemd_user_unit.as_deref(), Some("a.service"));
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
            "user@1000.service docker-<a>.scope",
        ),
        // by --cgroup-parent
        ("/actions_job/<a>", "<a>", "docker", "-", "-"),
        ("/actions_job/<a>/init.scope", "<a>", "docker", "-", "-"),
        ("/mine.slice/docker-<a>.scope", "<a>", "docker", "-", "docker-<a>.scope"),
        ("/mine/docker-<a>.scope", "<a>", "docker", "-", "-"),
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
            "user@1000.service libpod-<a>.scope",
        ),
        (
            "/user.slice/user-1000.slice/user@1000.service/app.slice/redis.service/libpod-payload-<a>",
            "<a>",
            "podman",
            "-",
            "user@1000.service redis.service",
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
            "user@1000.service libpod-conmon-<a>.scope",
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
        ("/<a>/x", "-", "-", "-", "-"),
        // a pod of podman, which is no container
        ("/libpod_parent/<a>/conmon", "-", "-", "-", "-"),
        (r"/machine.slice/machine-a\x1b.scope/payload", "-", "-", "-", r"machine-a\x1b.scope"),
        ("/machine.slice/systemd-nspawn@.service/payload", "-", "-", "-", "systemd-nspawn@.service"),
        ("/my-pod<_>.slice/x", "-", "-", "-", "-"),
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
fn the_unit_is_the_innermost_and_a_slice_only_where_the_path_ends_there() {
    check(&[
        ("/", "-", "-", "-", "-"),
        ("", "-", "-", "-", "-"),
        ("/init.scope", "-", "-", "-", "init.scope"),
        ("/system.slice/cron.service", "-", "-", "-", "cron.service"),
        ("/system.slice/system-getty.slice/getty@tty1.service", "-", "-", "-", "getty@tty1.service"),
        ("/system.slice/ssh.service/control", "-", "-", "-", "ssh.service"),
        ("/user.slice/user-0.slice/session-3.scope", "-", "-", "-", "session-3.scope"),
        (
            "/user.slice/user-1000.slice/user@1000.service/init.scope",
            "-",
            "-",
            "-",
            "user@1000.service init.scope",
        ),
        ("/user.slice/user-1000.slice/user@1000.service", "-", "-", "-", "user@1000.service"),
        (
            "/user.slice/user-1000.slice/user@1000.service/app.slice",
            "-",
            "-",
            "-",
            "user@1000.service app.slice",
        ),
        (
            "/user.slice/user-1000.slice/user@1000.service/app.slice/dbus.service",
            "-",
            "-",
            "-",
            "user@1000.service dbus.service",
        ),
        (
            "/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome.slice/app-gnome-x.scope/a",
            "-",
            "-",
            "-",
            "user@1000.service app-gnome-x.scope",
        ),
        (r"/system.slice/dev-disk-by\x2duuid-1.swap", "-", "-", "-", r"dev-disk-by\x2duuid-1.swap"),
        ("/system.slice/docker.socket", "-", "-", "-", "docker.socket"),
        ("/system.slice/boot-efi.mount", "-", "-", "-", "boot-efi.mount"),
        ("/user.slice/user-1000.slice", "-", "-", "-", "user-1000.slice"),
        ("/-.slice", "-", "-", "-", "-"),
        ("/system.slice/_cpu.service", "-", "-", "-", "cpu.service"),
        ("/system.slice/not a unit.service", "-", "-", "-", "-"),
        ("/system.slice", "-", "-", "-", "system.slice"),
        ("/system.slice/x", "-", "-", "-", "-"),
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
            "user@1000.service run.scope",
        ),
        ("/user.slice/user-1000.slice/user@1000.service/x/run.scope", "-", "-", "-", "user@1000.service"),
    ]);
}

/// systemd puts a slice only into the one that its name begins with.
#[test]
fn a_slice_where_systemd_would_not_put_it_is_not_systemds() {
    check(&[
        ("/a.slice/a-b.slice/a-b-c.slice/x.service", "-", "-", "-", "x.service"),
        ("/a.slice/b.slice/x.service", "-", "-", "-", "-"),
        ("/a-b.slice/x.service", "-", "-", "-", "-"),
        ("/a.slice/a-b-c.slice/x.service", "-", "-", "-", "-"),
        ("/a.slice/a-.slice/x.service", "-", "-", "-", "-"),
        ("/a.slice/a-b.slice/b-c.slice/x.service", "-", "-", "-", "-"),
        ("/a.slice/x/y.service", "-", "-", "-", "-"),
        ("/x/y.service", "-", "-", "-", "-"),
        // in -.slice
        ("/x.service", "-", "-", "-", "x.service"),
        (
            "/user.slice/user-1000.slice/user@1000.service/b-c.slice/x.scope",
            "-",
            "-",
            "-",
            "user@1000.service",
        ),
    ]);
}

#[test]
fn tasks_of_nomad_are_known_and_their_scopes_are_not_systemds() {
    check(&[
        ("/nomad.slice/share.slice/<u>.redis.scope", "<u> redis", "nomad", "-", "-"),
        ("/nomad.slice/reserve.slice/<u>.my.web task.scope", "<u> my.web task", "nomad", "-", "-"),
        ("/nomad.slice/<u>.redis.scope", "<u> redis", "nomad", "-", "-"),
        ("/nomad/<u>.redis", "<u> redis", "nomad", "-", "-"),
        ("/nomad/share/<u>.redis", "<u> redis", "nomad", "-", "-"),
        ("/nomad.slice/share.slice/<u>.redis.scope/init.scope", "<u> redis", "nomad", "-", "-"),
        ("/nomad.slice/<u>.redis.scope/docker/<a>", "<a>", "docker", "-", "-"),
        ("/nomad.slice/docker-<a>.scope", "<a>", "docker", "-", "docker-<a>.scope"),
        ("/nomad.slice/share.slice", "-", "-", "-", "-"),
        ("/nomad.slice/share.slice/<u>.scope", "-", "-", "-", "-"),
        ("/nomad.slice/share.slice/<u>.redis", "-", "-", "-", "-"),
        ("/nomad.slice/share.slice/redis.scope", "-", "-", "-", "-"),
        ("/nomad.slice/share.slice/<s>.redis.scope", "-", "-", "-", "-"),
        ("/mine.slice/share.slice/<u>.redis.scope", "-", "-", "-", "-"),
    ]);
}

#[test]
fn containers_of_ctr_are_known() {
    check(&[
        ("/default/redis-1", "redis-1", "containerd", "-", "-"),
        ("/default/<a>", "<a>", "containerd", "-", "-"),
        ("/default/redis/nested", "redis", "containerd", "-", "-"),
        ("/mine/<a>", "<a>", "-", "-", "-"),
        ("/mine/redis", "-", "-", "-", "-"),
        ("/x/default/redis", "-", "-", "-", "-"),
        ("/default", "-", "-", "-", "-"),
        ("/default/.hidden", "-", "-", "-", "-"),
        ("/default/cron.service", "-", "-", "-", "-"),
    ]);
}

#[test]
fn a_last_component_of_64_digits_is_a_container_of_nobody_knows_whom() {
    check(&[
        ("/<a>", "<a>", "-", "-", "-"),
        ("/user.slice/user-1000.slice/user@1000.service/<a>", "<a>", "-", "-", "user@1000.service"),
        ("/kubepods/<a>", "<a>", "-", "-", "-"),
        ("/pod<u>/<a>", "<a>", "-", "-", "-"),
        ("/kubepods/burstable/podrunner/<a>", "<a>", "-", "-", "-"),
        ("/kubepods/mine/pod<u>/<a>", "<a>", "-", "-", "-"),
        ("/burstable/pod<u>/<a>", "<a>", "-", "-", "-"),
        ("/docker/<a>/mine/<b>", "<a>", "docker", "-", "-"),
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
            let has_name = ["lxc", "systemd-nspawn", "nomad"];
            let has_digits = container.runtime.is_some_and(|runtime| !has_name.contains(&runtime))
                && !path.trim_start_matches('/').starts_with("default/");
            prop_assert_eq!(container.name.is_some(), container.runtime == Some("nomad"));
            prop_assert!(!has_digits || is_hexadecimal(&container.id, 64));
        }
        if let Some(uid) = placement.pod_uid {
            prop_assert!(uid_of(&uid, '-').as_ref() == Some(&uid));
        }
        if let Some(name) = placement.systemd_unit {
            prop_assert!(unit(&name).is_some() && path.contains(&name));
            prop_assert!(placement.systemd_user_unit.is_none() || name.starts_with("user@"));
        }
    }

    #[test]
    fn no_path_without_a_known_name_has_a_container(path in "(/[a-z0-9.]{1,12}\\.(service|slice)|/[a-f0-9]{64}|/user){0,5}") {
        let container = Placement::of(&path).container.map(|found| (found.id, found.runtime));
        let last = path.rsplit('/').next().filter(|last| is_hexadecimal(last, 64));
        prop_assert_eq!(container, last.map(|id| (id.to_owned(), None)));
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
