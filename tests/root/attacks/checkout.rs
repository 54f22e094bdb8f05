//! A checkout is built and run as root: a user who may write it may do all that root may.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::Command;

use super::ATTACKER;
use crate::Test;

pub const TESTS: &[Test] = &[
    ("a_checkout_that_others_may_write_is_not_run_as_root", &[], foreign_checkouts),
    ("cargo_obeys_no_file_above_the_checkout", &[], files_above),
];

/// A checkout in a directory of its own, of which the scripts do nothing but look.
fn checkout(above: &Path) {
    let root = above.join("checkout");
    for directory in [".git", "scripts", "target/release"] {
        fs::create_dir_all(root.join(directory)).unwrap();
    }
    for file in [".git/config", "scripts/other", "target/release/killsnoop", "Cargo.toml"] {
        fs::write(root.join(file), "").unwrap();
        fs::set_permissions(root.join(file), Permissions::from_mode(0o644)).unwrap();
    }
    let common = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/common.sh");
    fs::copy(common, root.join("scripts/common.sh")).unwrap();
    for directory in ["", ".git", "scripts", "target", "target/release"] {
        fs::set_permissions(root.join(directory), Permissions::from_mode(0o755)).unwrap();
    }
}

/// What a script of it says, called by root, or by root for a user who called sudo; None if it went on.
fn refusal(above: &Path, invoker: Option<u32>, variables: &[(&str, &str)]) -> Option<String> {
    let script = "source scripts/common.sh; echo goes on";
    let mut bash = Command::new("bash");
    bash.args(["-c", script]).current_dir(above.join("checkout")).envs(variables.iter().copied());
    for name in ["SUDO_UID", "SUDO_GID", "SUDO_USER", "KILLSNOOP_SAFE_CHECKOUT"] {
        if !variables.iter().any(|(given, _)| *given == name) {
            bash.env_remove(name);
        }
    }
    bash.envs(invoker.map(|uid| ("SUDO_UID", uid.to_string())));
    let output = bash.output().unwrap();
    let goes_on = output.stdout == b"goes on\n";
    assert_eq!(output.status.success(), goes_on, "{output:?}");
    (!goes_on).then(|| String::from_utf8(output.stderr).unwrap())
}

fn foreign_checkouts() {
    for (path, change, word) in [
        ("checkout", None, "chown"),
        ("checkout/.git", None, "chown"),
        ("checkout/.git/config", None, "chown"),
        ("checkout/scripts/other", None, "chown"),
        ("checkout/target/release/killsnoop", None, "chown"),
        ("checkout/target/release/killsnoop", Some(0o646), "chmod"),
        ("checkout/target", Some(0o757), "chmod"),
        ("checkout", Some(0o777), "chmod"),
        // anybody may make a file there, as long as nobody else has made it
        ("checkout/target", Some(0o1777), "chmod"),
        ("", Some(0o777), "move"),
        ("", None, "move"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        checkout(directory.path());
        assert_eq!(refusal(directory.path(), None, &[]), None);
        let changed = directory.path().join(path);
        match change {
            None => chown(&changed, Some(ATTACKER), Some(ATTACKER)).unwrap(),
            Some(mode) => fs::set_permissions(&changed, Permissions::from_mode(mode)).unwrap(),
        }
        let said = refusal(directory.path(), None, &[]).unwrap_or_else(|| panic!("{path}: it goes on"));
        let name = changed.to_string_lossy();
        for word in [&*name, "refused", "fix:", word, "KILLSNOOP_SAFE_CHECKOUT"] {
            assert!(said.contains(word), "{path}: no '{word}' in: {said}");
        }
        // the one who called sudo may as well be the owner
        assert_eq!(refusal(directory.path(), Some(ATTACKER), &[]).is_some(), change.is_some(), "{path}");
        assert!(refusal(directory.path(), Some(ATTACKER - 1), &[]).is_some(), "{path}: another's");
        let root = directory.path().join("checkout");
        let trusted = [("KILLSNOOP_SAFE_CHECKOUT", root.to_str().unwrap())];
        assert_eq!(refusal(directory.path(), None, &trusted), None, "{path}");
    }
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o1777)).unwrap();
    checkout(directory.path());
    assert_eq!(refusal(directory.path(), None, &[]), None, "as in /tmp");
    let (elsewhere, target) = (tempfile::tempdir().unwrap(), directory.path().join("checkout/target"));
    fs::remove_dir_all(&target).unwrap();
    symlink(elsewhere.path(), target).unwrap();
    assert_eq!(refusal(directory.path(), None, &[]), None);
    chown(elsewhere.path(), Some(ATTACKER), None).unwrap();
    assert!(refusal(directory.path(), None, &[]).is_some(), "where a link leads to");
}

fn files_above() {
    for file in [".cargo/config.toml", "rust-toolchain.toml", "Cargo.toml"] {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), Permissions::from_mode(0o1777)).unwrap();
        checkout(directory.path());
        let planted = directory.path().join(file);
        fs::create_dir_all(planted.parent().unwrap()).unwrap();
        fs::write(&planted, "").unwrap();
        chown(&planted, Some(ATTACKER), Some(ATTACKER)).unwrap();
        let said = refusal(directory.path(), None, &[]).unwrap_or_else(|| panic!("{file}: it goes on"));
        assert!(said.contains(&*planted.to_string_lossy()), "{said}");
    }
    // and one that comes after the look is not found: cargo does not begin there
    let directory = tempfile::tempdir().unwrap();
    checkout(directory.path());
    let tools = directory.path().join("home/.cargo/bin");
    fs::create_dir_all(&tools).unwrap();
    fs::write(tools.join("cargo"), "#!/bin/sh\necho in $(pwd): $*\n").unwrap();
    fs::set_permissions(tools.join("cargo"), Permissions::from_mode(0o755)).unwrap();
    let output = Command::new("bash")
        .args(["-c", "source scripts/common.sh; cargo_here build --locked"])
        .current_dir(directory.path().join("checkout"))
        .env("HOME", directory.path().join("home"))
        .env_remove("SUDO_USER")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let manifest = directory.path().join("checkout/Cargo.toml");
    assert_eq!(said, format!("in /: build --manifest-path {} --locked\n", manifest.display()), "{output:?}");
}
