//! The user who called sudo: `killsnoop run` runs its command as that user.

use std::io;

use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use crate::base::accounts::{Group, User};
use crate::enrich::procfs::read_text;

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invoker {
    /// User id.
    pub(crate) uid: u32,
    gid: u32,
    groups: Vec<u32>,
    /// `HOME`, `USER`, `LOGNAME`: sudo has set them to root's.
    environment: Vec<(&'static str, String)>,
}

impl Invoker {
    /// Who called sudo; None where nobody did, or this is not root.
    ///
    /// # Errors
    /// If sudo has set something that is no id: better to stop than to run it as root.
    pub(super) fn of_sudo() -> Result<Option<Self>, String> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let read = |path| read_text(path).unwrap_or_default();
        Self::from_variables(
            |name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()),
            &read("/etc/passwd"),
            &read("/etc/group"),
        )
    }

    /// From the environment and the files of users and groups.
    pub(crate) fn from_variables(
        variable: impl Fn(&str) -> Option<String>,
        passwd: &str,
        group: &str,
    ) -> Result<Option<Self>, String> {
        let (Some(uid), Some(gid)) = (variable("SUDO_UID"), variable("SUDO_GID")) else { return Ok(None) };
        // -1 would leave the id as it is
        let id = |text: &str| text.parse::<u32>().ok().filter(|&id| id != u32::MAX);
        let (Some(uid), Some(gid)) = (id(&uid), id(&gid)) else {
            return Err(format!(
                "SUDO_UID={uid} and SUDO_GID={gid} name nobody that the command could run as"
            ));
        };
        let user =
            passwd.lines().filter_map(|line| User::of_line(line.as_bytes())).find(|user| user.uid == uid);
        let mut environment = Vec::new();
        let mut groups = vec![gid];
        if let Some(user) = user {
            let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
            environment.extend([("USER", text(user.name)), ("LOGNAME", text(user.name))]);
            environment.extend(user.home.map(|home| ("HOME", text(home))));
            groups.extend(groups_of(user.name, group));
            groups.dedup();
        }
        Ok(Some(Self { uid, gid, groups, environment }))
    }

    /// What the command finds in its environment.
    pub(super) fn environment(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.environment.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Becomes this user for good: this thread, which is the only one of its process.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub(super) fn become_now(&self) -> io::Result<()> {
        let gid = Gid::from_raw(self.gid);
        let uid = Uid::from_raw(self.uid);
        let groups: Vec<Gid> = self.groups.iter().map(|&id| Gid::from_raw(id)).collect();
        set_thread_groups(&groups)?;
        set_thread_res_gid(gid, gid, gid)?;
        set_thread_res_uid(uid, uid, uid)?;
        Ok(())
    }
}

/// Groups that name this user as a member.
fn groups_of(user: &[u8], group: &str) -> Vec<u32> {
    let groups = group.lines().filter_map(|line| Group::of_line(line.as_bytes()));
    groups.filter(|group| group.has_member(user)).map(|group| group.gid).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nnonsense\nbob:x:1000:1000:Bob:/home/bob:/bin/sh\n";
    const GROUP: &str = "root:x:0:\nwheel:x:10:alice,bob\ndocker:x:998:bob\nbobby:x:5:bobby\n";

    fn invoker(uid: &str, gid: &str) -> Result<Option<Invoker>, String> {
        let variable = |name: &str| match name {
            "SUDO_UID" if !uid.is_empty() => Some(uid.to_owned()),
            "SUDO_GID" if !gid.is_empty() => Some(gid.to_owned()),
            _ => None,
        };
        Invoker::from_variables(variable, PASSWD, GROUP)
    }

    #[test]
    fn it_is_who_called_sudo_with_all_groups_and_home() {
        let bob = invoker("1000", "1000").unwrap().unwrap();
        assert_eq!((bob.uid, bob.gid, &bob.groups[..]), (1000, 1000, &[1000, 10, 998][..]));
        assert!(bob.environment().any(|pair| pair == ("HOME", "/home/bob")));
        let nobody = invoker("77", "78").unwrap().unwrap();
        assert_eq!((nobody.groups, nobody.environment), (vec![78], Vec::new()));
    }

    #[test]
    fn without_sudo_nobody_is_anybody_else() {
        assert_eq!(invoker("", ""), Ok(None));
        assert_eq!(invoker("1000", ""), Ok(None));
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for (uid, gid) in [("bob", "1000"), ("1000", "-1"), ("4294967295", "0"), ("99999999999", "0")] {
            assert!(invoker(uid, gid).unwrap_err().contains(uid), "{uid} {gid}");
        }
    }
}
