//! What the packages hold, as far as it can be tried without making one (`scripts/package --check` does that): the configuration
//! is what the program accepts, the man page has all of it, and the tarball's script installs whole or not at all.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

fn packaging(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(name)).unwrap()
}

/// Flags that record.conf shows, most of them commented out.
fn settings() -> Vec<String> {
    let conf = packaging("etc/record.conf");
    let lines = conf.lines().map(|line| line.strip_prefix('#').unwrap_or(line));
    lines.filter(|line| line.starts_with("--")).map(str::to_owned).collect()
}

#[test]
fn record_accepts_every_setting_of_record_conf() {
    assert!(settings().len() >= 10);
    for setting in settings() {
        // below /proc nothing can be made, so that it ends before it traces; wrong usage would be 2
        let output = Command::new(env!("CARGO_BIN_EXE_killsnoop"))
            .args(["record", "--store=/proc/killsnoop-test", &setting])
            // which another one needs
            .args((setting == "--metrics-by=unit").then_some("--metrics=/tmp/killsnoop.prom"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{setting}: {said}");
        assert!(said.contains("/proc/killsnoop-test") || said.contains("root"), "{setting}: {said}");
    }
}

#[test]
fn of_record_conf_the_journal_alone_is_in_force_before_someone_edits_it() {
    let conf = packaging("etc/record.conf");
    let active: Vec<_> = conf.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert_eq!(active, ["--journal=deaths"]);
}

#[test]
fn defaults_that_record_conf_shows_are_those_of_the_program() {
    let output = Command::new(env!("CARGO_BIN_EXE_killsnoop")).args(["record", "--help"]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for flag in ["--max-size", "--keep-free"] {
        let prefix = format!("{flag}=");
        let shown = settings()
            .into_iter()
            .find_map(|setting| Some(setting.strip_prefix(&prefix)?.to_owned()))
            .unwrap();
        let section = help.split_once(&format!("{flag} <")).unwrap().1;
        let default = section.split_once("[default: ").unwrap().1.split_once(']').unwrap().0;
        assert_eq!(shown, default, "{flag}");
    }
}

#[test]
fn the_man_page_has_every_setting_of_record_conf_and_no_other() {
    let page = packaging("man/record.conf.5").replace("\\-", "-");
    let names = |text: &str| -> BTreeSet<String> {
        let name =
            |flag: &str| flag.split(|c: char| !c.is_ascii_lowercase() && c != '-').next().unwrap().to_owned();
        text.split("--").skip(1).map(name).collect()
    };
    let of_page = page.split_once(".SH SETTINGS").unwrap().1.split_once(".SH EXAMPLES").unwrap().0;
    assert_eq!(names(of_page), names(&settings().join("\n")));
}

#[test]
fn the_service_runs_a_program_that_exists_with_the_configuration_that_is_installed() {
    let unit = packaging("systemd/killsnoop-record.service");
    let script = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/package")).unwrap();
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let words: Vec<_> = start.split(' ').collect();
    assert_eq!(words, ["/usr/bin/killsnoop", "record", "--config", "/etc/killsnoop/record.conf"]);
    for path in [
        "$root/usr/bin/killsnoop",
        "$root/etc/killsnoop/record.conf",
        "$root/usr/lib/systemd/system/killsnoop-record.service",
        "$root/usr/lib/systemd/catalog/killsnoop.catalog",
    ] {
        assert!(script.contains(path), "{path}");
    }
}

/// Each entry of the journal is explained, and nothing that is not one.
#[test]
fn the_catalog_explains_every_message_id() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/journal/entry.rs");
    let source = fs::read_to_string(source).unwrap();
    let is_id = |text: &&str| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let sent: BTreeSet<&str> = source.split('"').filter(is_id).collect();
    let catalog = packaging("catalog/killsnoop.catalog");
    let explained: BTreeSet<&str> = catalog.lines().filter_map(|line| line.strip_prefix("-- ")).collect();
    assert_eq!((sent.len(), &sent), (3, &explained));
    for id in explained {
        assert!(packaging("man/killsnoop-record.service.8").contains(id), "{id}");
    }
    // fields that an entry has
    for field in catalog.split('@').skip(1).step_by(2) {
        assert!(source.contains(&format!("\"{field}\"")), "{field}");
    }
}

/// A release as packaging/tarball/make lays it out, with a program that only says its version.
struct Release {
    directory: TempDir,
}

impl Release {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let release = Self { directory };
        let script = release.path("release/install");
        for (name, text) in [
            ("release/files/usr/local/bin/killsnoop", "#!/bin/sh\necho killsnoop 0.0.0\n"),
            ("release/files/usr/local/lib/systemd/system/killsnoop-record.service", "[Unit]\n"),
            ("release/files/etc/killsnoop/record.conf", "# as released\n"),
            ("release/install", &packaging("tarball/install")),
        ] {
            let path = release.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
        }
        for path in [&script, &release.path("release/files/usr/local/bin/killsnoop")] {
            fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        }
        fs::create_dir(release.path("root")).unwrap();
        let sums =
            "cd release/files && find . -type f -printf '%P\\n' | sort | xargs sha256sum >../SHA256SUMS";
        let status =
            Command::new("sh").args(["-c", sums]).current_dir(release.directory.path()).status().unwrap();
        assert!(status.success());
        release
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn install(&self, arguments: &[&str]) -> Output {
        Command::new(self.path("release/install"))
            .arg("--root")
            .arg(self.path("root"))
            .args(arguments)
            .output()
            .unwrap()
    }

    /// What is below the root, without directories.
    fn installed(&self) -> Vec<String> {
        let output = Command::new("find")
            .args([".", "!", "-type", "d", "-printf", "%P\n"])
            .current_dir(self.path("root"))
            .output()
            .unwrap();
        let mut names: Vec<_> =
            String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
        names.sort();
        names
    }
}

const ALL: [&str; 4] = [
    "etc/killsnoop/record.conf",
    "usr/local/bin/killsnoop",
    "usr/local/lib/systemd/system/killsnoop-record.service",
    "usr/local/share/killsnoop/installed",
];

#[test]
fn the_tarball_installs_itself_and_removes_all_of_it() {
    let release = Release::new();
    assert!(release.install(&[]).status.success());
    assert_eq!(release.installed(), ALL);
    let mode = fs::metadata(release.path("root/usr/local/bin/killsnoop")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o755);
    assert!(release.install(&["--uninstall"]).status.success());
    assert_eq!(release.installed(), ["etc/killsnoop/record.conf"]);
    assert!(release.install(&[]).status.success() && release.install(&["--purge"]).status.success());
    assert!(release.installed().is_empty());
}

#[test]
fn the_tarball_never_replaces_a_configuration_that_was_changed() {
    let release = Release::new();
    assert!(release.install(&[]).status.success());
    let conf = release.path("root/etc/killsnoop/record.conf");
    fs::write(&conf, "--keep=deaths\n").unwrap();
    let output = release.install(&[]);
    assert!(
        output.status.success() && String::from_utf8_lossy(&output.stderr).contains("record.conf.new"),
        "{output:?}"
    );
    assert_eq!(fs::read_to_string(&conf).unwrap(), "--keep=deaths\n");
    let new = release.path("root/etc/killsnoop/record.conf.new");
    assert_eq!(fs::read_to_string(new).unwrap(), "# as released\n");
}

#[test]
fn what_cannot_be_installed_whole_leaves_what_was_there() {
    let release = Release::new();
    // where a directory is to be made is a file; it is the last but one that is copied
    fs::create_dir_all(release.path("root/usr/local/bin")).unwrap();
    fs::write(release.path("root/usr/local/bin/killsnoop"), "the one before").unwrap();
    fs::write(release.path("root/usr/local/lib"), "").unwrap();
    let output = release.install(&[]);
    assert!(
        !output.status.success() && String::from_utf8_lossy(&output.stderr).contains("nothing was installed"),
        "{output:?}"
    );
    assert_eq!(release.installed(), ["usr/local/bin/killsnoop", "usr/local/lib"]);
    assert_eq!(fs::read_to_string(release.path("root/usr/local/bin/killsnoop")).unwrap(), "the one before");
}

#[test]
fn a_file_that_is_not_as_released_is_not_installed() {
    let release = Release::new();
    fs::write(release.path("release/files/etc/killsnoop/record.conf"), "# changed\n").unwrap();
    let output = release.install(&[]);
    assert!(!output.status.success(), "{output:?}");
    assert!(release.installed().is_empty());
}

#[test]
fn nothing_is_written_through_a_link_out_of_the_root() {
    let release = Release::new();
    fs::create_dir(release.path("outside")).unwrap();
    std::os::unix::fs::symlink(release.path("outside"), release.path("root/etc")).unwrap();
    let output = release.install(&[]);
    assert!(
        !output.status.success() && String::from_utf8_lossy(&output.stderr).contains("symbolic link"),
        "{output:?}"
    );
    assert!(fs::read_dir(release.path("outside")).unwrap().next().is_none());
    // nor is a list followed that names other files than ours
    fs::remove_file(release.path("root/etc")).unwrap();
    assert!(release.install(&[]).status.success());
    fs::write(release.path("root/usr/local/share/killsnoop/installed"), "usr/local/../../outside/a\n")
        .unwrap();
    fs::write(release.path("outside/a"), "").unwrap();
    assert!(!release.install(&["--uninstall"]).status.success());
    assert!(release.path("outside/a").exists());
}
