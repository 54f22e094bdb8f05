//! A host that looks as if it were another: what is wrong is named, and not something else.

use std::process::{Command, Output};

use support::killsnoop;

use crate::Test;

pub const TESTS: &[Test] = &[
    ("without_proc_or_sys_that_is_said_and_not_that_capabilities_are_missing", &[], without),
    ("a_proc_that_hides_others_is_named_by_the_doctor", &[], hidden),
];

/// In a mount namespace where this was done before.
fn after(shell: &str, arguments: &[&str]) -> Output {
    let script = format!("{shell} && exec \"$0\" \"$@\"");
    Command::new("unshare")
        .args(["--mount", "sh", "-c", &script, killsnoop()])
        .args(arguments)
        .env_remove("SUDO_UID")
        .output()
        .unwrap()
}

fn without() {
    let empty = |place: &str| format!("mount -t tmpfs tmpfs {place}");
    let filled = "mount -t tmpfs tmpfs /proc && mkdir /proc/self /proc/1 && echo >/proc/self/status && echo >/proc/1/status";
    for (shell, arguments, code, words) in [
        (&*empty("/proc"), &["--duration", "1s"][..], 1, &["no proc file system", "mount -t proc"][..]),
        (filled, &["--duration", "1s"], 1, &["no proc file system"]),
        ("mount --bind /usr /proc", &["--duration", "1s"], 1, &["no proc file system"]),
        (&empty("/proc"), &["run", "--", "true"], 125, &["no proc file system", "mount -t proc"]),
        (&empty("/proc"), &["who", "1"], 1, &["no proc file system"]),
        (&empty("/sys"), &["--duration", "1s"], 1, &["no sysfs is mounted at /sys", "mount -t sysfs"]),
    ] {
        let output = after(shell, arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{shell}: {said}");
        for word in words {
            assert!(said.contains(word), "{shell}: no '{word}' in: {said}");
        }
        assert!(!said.contains("CAP_") && !said.contains("BTF"), "{shell}: {said}");
    }
    let output = after(&empty("/proc"), &["doctor", "--json"]);
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = found["checks"].as_array().unwrap();
    let check = |name| checks.iter().find(|check| check["name"] == name).unwrap();
    assert_eq!((&check("/proc")["state"], &check("capabilities")["state"]), (&"no".into(), &"ok".into()));
    assert_eq!(output.status.code(), Some(1));
}

fn hidden() {
    let shell = "mount -t proc -o hidepid=2 proc /proc && exec setpriv --clear-groups --reuid 65534 --regid 65534 \
                 --inh-caps=+bpf,+perfmon --ambient-caps=+bpf,+perfmon \"$0\" \"$@\"";
    let copy = tempfile::tempdir().unwrap();
    let reachable = copy.path().join("killsnoop");
    std::fs::copy(killsnoop(), &reachable).unwrap();
    for path in [copy.path(), &reachable] {
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", shell])
        .arg(&reachable)
        .args(["doctor", "--json"])
        .output()
        .unwrap();
    let found: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let checks = found["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == "/proc").unwrap();
    assert_eq!(check["state"], "limited", "{check}");
    assert!(check["found"].as_str().unwrap().contains("hidepid"), "{check}");
    let capabilities = checks.iter().find(|check| check["name"] == "capabilities").unwrap();
    assert_eq!(capabilities["state"], "ok", "{found}");
}
