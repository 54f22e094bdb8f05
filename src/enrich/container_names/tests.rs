use std::fs;

use tempfile::TempDir;

use super::*;
use crate::enrich::container::Delegation;

const UID: &str = "11111111-2222-3333-4444-555555555555";

fn id(digit: char) -> String {
    String::from(digit).repeat(64)
}

fn pod_path(digit: char) -> String {
    format!("/kubepods/burstable/pod{UID}/{}", id(digit))
}

fn placed(path: &str) -> Rc<Placement> {
    Rc::new(Placement::of(path))
}

fn write(root: &TempDir, path: &str, text: &str) {
    let path = root.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn cri(name: &str, uid: &str) -> String {
    format!(
        r#"{{"annotations": {{"io.kubernetes.cri.container-name": "{name}", "io.kubernetes.cri.sandbox-name": "web-0",
        "io.kubernetes.cri.sandbox-namespace": "shop", "io.kubernetes.cri.sandbox-uid": "{uid}",
        "io.kubernetes.cri.image-name": "reg/{name}:1"}}}}"#
    )
}

fn bundle(digit: char) -> String {
    format!("run/containerd/io.containerd.runtime.v2.task/k8s.io/{}/config.json", id(digit))
}

fn names(table: &mut NameTable, path: &str) -> ContainerNames {
    table.names(&placed(path), Instant::now())
}

fn texts(names: &ContainerNames) -> [Option<&str>; 5] {
    [&names.container, &names.image, &names.namespace, &names.pod, &names.in_pod].map(|name| name.as_deref())
}

const APP: [Option<&str>; 5] = [Some("app"), Some("reg/app:1"), Some("shop"), Some("web-0"), Some("app")];

#[test]
fn a_container_keeps_the_names_that_it_had_when_its_cgroup_was_made() {
    let root = tempfile::tempdir().unwrap();
    write(&root, &bundle('a'), &cri("app", UID));
    let mut table = NameTable::new(root.path());
    assert!(table.has_runtimes());
    table.on_new_cgroup(&placed(&pod_path('a')));
    fs::remove_dir_all(root.path().join("run")).unwrap();
    let found = names(&mut table, &pod_path('a'));
    assert_eq!(texts(&found), APP);
    assert_eq!((found.no_container, found.no_pod), (None, None));
    // the pod is known, whatever else of it is not
    let other = names(&mut table, &pod_path('b'));
    assert_eq!((texts(&other)[3], other.no_pod), (Some("web-0"), None));
    assert_eq!((texts(&other)[0], other.no_container), (None, Some(NOT_FOUND)));
}

#[test]
fn another_container_of_the_same_name_has_its_own_names() {
    let root = tempfile::tempdir().unwrap();
    let path = "/default/job";
    let config = |name: &str| {
        let text = format!(r#"{{"annotations": {{"nerdctl/name": "{name}"}}}}"#);
        write(&root, "run/containerd/io.containerd.runtime.v2.task/default/job/config.json", &text);
    };
    let mut table = NameTable::new(root.path());
    for name in ["first", "second"] {
        config(name);
        let before = table.changes;
        table.on_new_cgroup(&placed(path));
        assert_eq!(texts(&names(&mut table, path))[0], Some(name));
        assert!(table.changes > before);
    }
}

#[test]
fn every_runtime_that_the_path_names_is_asked_in_its_own_files() {
    let root = tempfile::tempdir().unwrap();
    write(
        &root,
        &format!("var/lib/docker/containers/{}/config.v2.json", id('d')),
        r#"{"Name": "/db", "Config": {"Image": "postgres:16"}}"#,
    );
    let podman = format!(
        r#"[{{"id": "{}", "names": ["web"], "metadata": "{{\"image-name\": \"nginx\"}}"}}]"#,
        id('e')
    );
    write(&root, "var/lib/containers/storage/overlay-containers/containers.json", &podman);
    let crio = r#"{"annotations": {"io.kubernetes.container.name": "app", "io.kubernetes.pod.name": "p",
        "io.kubernetes.pod.namespace": "n"}}"#;
    write(
        &root,
        &format!("run/containers/storage/overlay-containers/{}/userdata/config.json", id('f')),
        crio,
    );
    let mut table = NameTable::new(root.path());
    let mut of = |path: String| {
        let found = names(&mut table, &path);
        (found.container.map(|name| name.to_string()), found.image.map(|name| name.to_string()))
    };
    let some = |name: &str| Some(name.to_owned());
    assert_eq!(of(format!("/system.slice/docker-{}.scope", id('d'))), (some("db"), some("postgres:16")));
    assert_eq!(
        of(format!("/machine.slice/libpod-{}.scope/container", id('e'))),
        (some("web"), some("nginx"))
    );
    assert_eq!(of(format!("/machine.slice/crio-{}.scope", id('f'))), (some("app"), None));
    // one runtime's container is none of another's
    assert_eq!(of(format!("/system.slice/docker-{}.scope", id('e'))), (None, None));
}

#[test]
fn the_directory_of_its_logs_names_a_pod_that_was_there_before() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join(format!("var/log/pods/shop_web-0_{UID}/app"))).unwrap();
    fs::create_dir_all(root.path().join(format!("var/log/pods/odd_{UID}"))).unwrap();
    let found = names(&mut NameTable::new(root.path()), &pod_path('a'));
    assert_eq!(texts(&found), [None, None, Some("shop"), Some("web-0"), None]);
    assert_eq!((found.no_container, found.no_pod), (Some(NOT_FOUND), None));
}

#[test]
fn names_of_the_host_are_not_for_what_a_container_or_a_user_named() {
    let root = tempfile::tempdir().unwrap();
    write(&root, &bundle('a'), &cri("app", UID));
    let mut table = NameTable::new(root.path());
    assert_eq!(texts(&names(&mut table, &pod_path('a'))), APP);
    let inner = pod_path('a');
    for path in [format!("/system.slice/docker-{}.scope{inner}", id('d')), format!("/lxc.payload.x{inner}")] {
        let found = names(&mut table, &path);
        assert_eq!(texts(&found), [None; 5], "{path}");
        assert_eq!((found.no_container, found.no_pod), (Some(NESTED), Some(NESTED)), "{path}");
        table.on_new_cgroup(&placed(&path));
    }
    // a docker in a pod: the pod is the host's, its container is not
    let found = names(&mut table, &format!("{}/docker/{}", pod_path('a'), id('d')));
    assert_eq!(texts(&found), [None, None, Some("shop"), Some("web-0"), None]);
    let path = format!("/a.slice/x/docker-{}.scope", id('a'));
    let users = Placement::below(&path, Some(Delegation { depth: 1, uid: 1000 }));
    let found = table.names(&Rc::new(users), Instant::now());
    assert_eq!((texts(&found), found.no_container), ([None; 5], None));
}

#[test]
fn a_file_of_another_pod_is_another_containers() {
    let root = tempfile::tempdir().unwrap();
    write(&root, &bundle('a'), &cri("app", "99999999-2222-3333-4444-555555555555"));
    let found = names(&mut NameTable::new(root.path()), &pod_path('a'));
    assert_eq!((texts(&found), found.no_container), ([None; 5], Some(UNREADABLE)));
}

#[test]
fn what_is_no_configuration_is_unreadable_and_nothing_is_followed() {
    let root = tempfile::tempdir().unwrap();
    write(&root, &bundle('a'), "{");
    write(&root, "elsewhere", &cri("app", UID));
    let link = root.path().join(bundle('b'));
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(root.path().join("elsewhere"), &link).unwrap();
    write(&root, &bundle('c'), &format!("{}{}", cri("app", UID), " ".repeat(1 << 20)));
    for digit in ['a', 'b', 'c'] {
        let found = names(&mut NameTable::new(root.path()), &pod_path(digit));
        assert_eq!((texts(&found), found.no_container), ([None; 5], Some(UNREADABLE)), "{digit}");
    }
}

#[test]
fn what_was_not_there_is_looked_for_again() {
    let root = tempfile::tempdir().unwrap();
    let mut table = NameTable::new(root.path());
    let now = Instant::now();
    assert_eq!(table.names(&placed(&pod_path('a')), now).no_container, Some(NOT_FOUND));
    write(&root, &bundle('a'), &cri("app", UID));
    let before = table.changes;
    table.refresh(now);
    assert_eq!(table.names(&placed(&pod_path('a')), now).no_container, Some(NOT_FOUND));
    table.refresh(now + AGAIN_AFTER[0]);
    assert!(table.changes > before);
    assert_eq!(texts(&table.names(&placed(&pod_path('a')), now)), APP);
}

#[test]
fn only_what_a_runtime_names_has_a_name_that_is_missing() {
    let root = tempfile::tempdir().unwrap();
    let mut table = NameTable::new(root.path());
    for (path, is_missing) in [
        (format!("/system.slice/docker-{}.scope", id('a')), true),
        (pod_path('a'), true),
        ("/lxc.payload.web".to_owned(), false),
        ("/default/job".to_owned(), false),
        (format!("/anything/{}", id('a')), false),
        ("/system.slice/nginx.service".to_owned(), false),
    ] {
        assert_eq!(names(&mut table, &path).no_container.is_some(), is_missing, "{path}");
    }
}

#[test]
fn names_are_bounded() {
    let root = tempfile::tempdir().unwrap();
    let mut table = NameTable::new(root.path());
    for number in 0..3 * MOST {
        table.on_new_cgroup(&placed(&format!("/system.slice/docker-{number:064x}.scope")));
    }
    assert!(table.containers.bytes() <= ROOM);
    for number in 0..3 * MOST_AGAIN {
        names(&mut table, &format!("/system.slice/docker-{number:064x}.scope"));
    }
    assert_eq!(table.unresolved.len(), MOST_AGAIN);
}
