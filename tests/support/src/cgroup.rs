//! Cgroups of a test's own, in whichever version this host has.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

/// Where the freezer of cgroups of version 1 is.
pub const FREEZER: &str = "/sys/fs/cgroup/freezer";

/// Where a memory cgroup can be made, in version 1 or 2.
pub fn memory_cgroup() -> Option<&'static Path> {
    controller("memory", Path::new("/sys/fs/cgroup/memory"))
}

/// The same, for how many processes there are.
pub fn pids_cgroup() -> Option<&'static Path> {
    controller("pids", Path::new("/sys/fs/cgroup/pids"))
}

fn controller(name: &str, one: &'static Path) -> Option<&'static Path> {
    // a file that version 2 does not have
    if one.join("cgroup.clone_children").exists() {
        return Some(one);
    }
    let two = Path::new("/sys/fs/cgroup");
    let _ = fs::write(two.join("cgroup.subtree_control"), format!("+{name}"));
    let controllers = fs::read_to_string(two.join("cgroup.subtree_control")).unwrap_or_default();
    controllers.split_whitespace().any(|controller| controller == name).then_some(two)
}

/// The file of a memory cgroup's limit, in either version.
pub const MEMORY_LIMIT: [&str; 2] = ["memory.limit_in_bytes", "memory.max"];

/// A cgroup of a test's own: a directory that goes at the end, once nobody is in it.
pub struct Cgroup(PathBuf);

impl Cgroup {
    /// One below `parent`.
    pub fn new(parent: &Path, name: &str) -> Self {
        let path = parent.join(format!("killsnoop-{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// A cgroup below this one.
    #[must_use]
    pub fn inner(&self, name: &str) -> Self {
        let path = self.0.join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// Its directory.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The one of these files that there is: the versions have different names for the same.
    pub fn file(&self, names: [&str; 2]) -> Option<PathBuf> {
        names.iter().map(|name| self.0.join(name)).find(|path| path.exists())
    }

    /// Moves a process into it.
    pub fn add(&self, pid: u32) {
        fs::write(self.0.join("cgroup.procs"), pid.to_string()).unwrap();
    }

    /// A shell that enters it and becomes this program.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("sh");
        let script = format!("echo $$ > {}/cgroup.procs; exec {program} \"$@\"", self.0.display());
        command.args(["-c", &script, "sh"]).args(arguments);
        command
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        for _ in 0..100 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Where a version 2 hierarchy is.
pub fn unified() -> Option<&'static Path> {
    ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
        .map(Path::new)
        .into_iter()
        .find(|path| path.join("cgroup.controllers").exists())
}
