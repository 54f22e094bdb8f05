//! What the scripts print while they install: how much comes, and of dpkg's own words nothing unless it fails.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

const APT_GET: &str = "#!/bin/sh
case \"$*\" in
update*) ;;
*--assume-no*)
    echo '0 upgraded, 2 newly installed, 0 to remove and 5 not upgraded.'
    echo 'Need to get 1,234 kB of archives.'
    echo 'After this operation, 5,678 kB of additional disk space will be used.'
    exit 1
    ;;
*broken*) echo 'E: no such package'; exit 100 ;;
*) echo 'Selecting previously unselected package a.' ;;
esac
";

/// `install_packages`, with an apt-get of our own.
fn install(packages: &str) -> Output {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in [("apt-get", APT_GET), ("sudo", "#!/bin/sh\nexec \"$@\"\n")] {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }
    let root = env!("CARGO_MANIFEST_DIR");
    let path = format!("{}:{}", directory.path().display(), std::env::var("PATH").unwrap());
    Command::new("bash")
        .args(["-c", &format!("source scripts/common.sh; install_packages 'the test needs them' {packages}")])
        .current_dir(root)
        .env("KILLSNOOP_SAFE_CHECKOUT", root)
        .env("PATH", path)
        .output()
        .unwrap()
}

#[test]
fn an_installation_says_how_much_it_is_and_nothing_more() {
    let output = install("a b");
    let said = String::from_utf8_lossy(&output.stderr);
    let size = "2 packages, 1,234 kB to download, 5,678 kB on disk";
    assert_eq!(said, format!("scripts: the test needs them: installing a b ({size})\n"));
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
}

#[test]
fn an_installation_that_fails_says_why() {
    let output = install("broken");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("E: no such package\nscripts: apt-get could not install broken"), "{said}");
    assert_eq!(output.status.code(), Some(1));
}
