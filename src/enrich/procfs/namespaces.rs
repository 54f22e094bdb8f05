//! The namespaces of the host: of PID 1.

use std::fs;
use std::path::Path;

use crate::record::Task;

/// Does this process see the files that PID 1 sees? Where that cannot be asked it is taken to.
pub(crate) fn shares_mounts_with_init() -> bool {
    let of = |whose: &str| fs::read_link(Path::new("/proc").join(whose).join("ns/mnt")).ok();
    of("1").is_none_or(|init| Some(init) == of("self"))
}

/// The inodes of the namespaces of PID 1; 0 where /proc does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct HostNamespaces {
    mount: u32,
    net: u32,
    user: u32,
}

impl HostNamespaces {
    /// As they are now.
    pub(crate) fn read(proc_directory: &Path) -> Self {
        let inode = |name: &str| {
            let link = fs::read_link(proc_directory.join("1/ns").join(name)).ok()?;
            link.to_str()?.split_once('[')?.1.strip_suffix(']')?.parse().ok()
        };
        let inode = |name| inode(name).unwrap_or_default();
        Self { mount: inode("mnt"), net: inode("net"), user: inode("user") }
    }

    /// Takes those of the host out.
    pub(crate) fn strip(self, task: &mut Task) {
        for (own, host) in [
            (&mut task.mount_namespace, self.mount),
            (&mut task.net_namespace, self.net),
            (&mut task.user_namespace, self.user),
        ] {
            if *own == host && host != 0 {
                *own = 0;
            }
        }
    }
}
