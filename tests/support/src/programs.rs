//! The two programs that tests run: killsnoop and the workload.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Where cargo put killsnoop, and where it lets tests put what they make.
static BUILD: OnceLock<(&str, &Path)> = OnceLock::new();

/// Which build of killsnoop is under test. Only the test program itself knows it: `env!("CARGO_BIN_EXE_killsnoop")` and
/// `env!("CARGO_TARGET_TMPDIR")`.
pub fn use_build(killsnoop: &'static str, temporary: &'static str) {
    BUILD.set((killsnoop, Path::new(temporary))).expect("a test program is of one build");
}

fn build() -> (&'static str, &'static Path) {
    *BUILD.get().expect("the test program calls use_build() first")
}

/// The program under test; `KILLSNOOP_BIN` names another build of it (in a guest, say).
pub fn killsnoop() -> &'static str {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| std::env::var("KILLSNOOP_BIN").unwrap_or_else(|_| build().0.to_owned()))
}

/// The helper program, compiled once (`scripts/test` lets the user do it, by listing the tests), or what
/// `KILLSNOOP_WORKLOAD` names.
pub fn workload() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        if let Some(path) = std::env::var_os("KILLSNOOP_WORKLOAD") {
            return path.into();
        }
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("workload");
        let path = build().1.join("workload");
        let files = || fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
        let modified = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
        if files().any(|file| modified(&path) < modified(&file)) {
            let status = Command::new("cc")
                .args(["-O2", "-static", "-pthread", "-Wall", "-Wextra", "-Werror", "-o"])
                .arg(&path)
                .args(files().filter(|file| file.extension().is_some_and(|extension| extension == "c")))
                .status()
                .expect("cc is there: scripts/test installs it");
            assert!(status.success(), "the workload does not compile");
        }
        path
    })
}

/// Runs the workload to its end; what it printed.
pub fn run_workload(arguments: &[&str]) -> String {
    let output = Command::new(workload()).arg0("workload").args(arguments).output().unwrap();
    assert!(output.status.success(), "workload {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}
