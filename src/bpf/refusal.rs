//! What refuses `bpf()` to a process that has the capabilities: a container's seccomp filter, a user namespace, `SELinux`,
//! lockdown. The decision is a pure function of facts, so that it is tested with made-up hosts.

use std::fs;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

use rustix::thread::SecureComputingMode;

/// What `bpf()` answers, and what may be behind that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CallFacts {
    /// The errno of a command that does not exist. `EINVAL` is the kernel's own.
    pub unknown_command: i32,
    /// The errno of making the smallest map, 0 if that works.
    pub map: i32,
    /// The errno of loading the smallest program, 0 if that works.
    pub program: i32,
    /// This process has a seccomp filter.
    pub has_seccomp_filter: bool,
    /// `SELinux` denies what its policy does not allow.
    pub selinux_enforces: bool,
    /// Capabilities count against the host.
    pub in_initial_user_namespace: bool,
    /// The mode of lockdown in force: `none`, `integrity`, `confidentiality`; None where the kernel does not say.
    pub lockdown: Option<String>,
}

/// What refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A seccomp filter.
    Seccomp,
    /// The kernel has no `bpf()`.
    NoSystemCall,
    /// The capabilities are those of a user namespace.
    UserNamespace,
    /// `SELinux`.
    Selinux,
    /// Lockdown in confidentiality mode.
    Lockdown,
    /// Something else, with this errno.
    Other(i32),
}

impl Refusal {
    /// Of these facts.
    pub(crate) fn of(facts: &CallFacts) -> Option<Self> {
        let is_of_namespace =
            |errno| matches!(errno, libc::EPERM | libc::EACCES) && !facts.in_initial_user_namespace;
        if facts.unknown_command != libc::EINVAL {
            return Some(match facts.unknown_command {
                errno if is_of_namespace(errno) => Self::UserNamespace,
                _ if facts.has_seccomp_filter => Self::Seccomp,
                libc::ENOSYS => Self::NoSystemCall,
                errno => Self::Other(errno),
            });
        }
        // a filter may look at the command as well
        let refused = [facts.map, facts.program].into_iter().find(|&errno| errno != 0);
        match refused {
            Some(errno) if is_of_namespace(errno) => Some(Self::UserNamespace),
            Some(libc::EACCES) if facts.selinux_enforces => Some(Self::Selinux),
            Some(libc::EPERM | libc::ENOSYS) if facts.has_seccomp_filter => Some(Self::Seccomp),
            Some(errno) => Some(Self::Other(errno)),
            None if facts.lockdown.as_deref() == Some("confidentiality") => Some(Self::Lockdown),
            None => None,
        }
    }

    /// What was found, for people.
    pub(crate) fn found(self) -> String {
        match self {
            Self::Seccomp => "refused by a seccomp filter".to_owned(),
            Self::NoSystemCall => "not in this kernel".to_owned(),
            Self::UserNamespace => "refused: the capabilities are those of a user namespace".to_owned(),
            Self::Selinux => "denied by SELinux".to_owned(),
            Self::Lockdown => "restricted by lockdown=confidentiality".to_owned(),
            Self::Other(errno) => {
                format!("refused: {}", std::io::Error::from_raw_os_error(errno))
            }
        }
    }

    /// What to do about it.
    pub(crate) fn fix(self) -> &'static str {
        match self {
            Self::Seccomp => {
                "allow bpf() in the seccomp profile of the container (docker run --security-opt seccomp=PROFILE, in \
                 Kubernetes seccompProfile)"
            }
            Self::NoSystemCall => "a kernel built with CONFIG_BPF_SYSCALL=y",
            Self::UserNamespace => {
                "run it as root of the host: root of a rootless container, or of one with userns-remap, is not enough"
            }
            Self::Selinux => {
                "ausearch -m avc -ts recent shows what is denied: allow class bpf { map_create map_read map_write \
                 prog_load prog_run } for its domain, or run it in an unconfined one (docker run --security-opt \
                 label=disable)"
            }
            Self::Lockdown => "boot without lockdown=confidentiality",
            Self::Other(_) => {
                "another security module may refuse it: see the audit log, and cat /sys/kernel/security/lsm"
            }
        }
    }
}

/// `include/linux/proc_ns.h`: the inode of the initial user namespace.
const PROC_USER_INIT_INO: u64 = 0xEFFF_FFFD;

/// Asks, and looks.
pub(crate) fn facts() -> CallFacts {
    let read = |path: &str| fs::read_to_string(path).ok();
    CallFacts {
        unknown_command: unknown_command(),
        map: map(),
        program: program(),
        has_seccomp_filter: has_seccomp_filter(),
        selinux_enforces: read("/sys/fs/selinux/enforce").is_some_and(|text| text.trim() == "1"),
        in_initial_user_namespace: fs::metadata("/proc/self/ns/user")
            .map_or(true, |namespace| namespace.ino() == PROC_USER_INIT_INO),
        lockdown: read("/sys/kernel/security/lockdown").and_then(|text| in_brackets(&text)),
    }
}

fn has_seccomp_filter() -> bool {
    rustix::thread::secure_computing_mode().is_ok_and(|mode| mode == SecureComputingMode::Filter)
}

/// `none [integrity] confidentiality`: the one in force.
fn in_brackets(text: &str) -> Option<String> {
    let (_, rest) = text.split_once('[')?;
    Some(rest.split_once(']')?.0.to_owned())
}

fn unknown_command() -> i32 {
    // far from those that there are, and from the flags above them
    const UNKNOWN: libc::c_int = 0x7fff;
    let attributes = [0u64; 1];
    // SAFETY: the kernel reads as many bytes as it is given the size of, and has no such command.
    let result =
        unsafe { libc::syscall(libc::SYS_bpf, UNKNOWN, attributes.as_ptr(), size_of_val(&attributes)) };
    if result == 0 { 0 } else { std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL) }
}

fn map() -> i32 {
    let no_name = std::ptr::null();
    // SAFETY: no pointer is followed but the options, which may be null.
    closed(unsafe {
        libbpf_sys::bpf_map_create(libbpf_sys::BPF_MAP_TYPE_ARRAY, no_name, 4, 4, 1, std::ptr::null())
    })
}

fn program() -> i32 {
    // r0 = 0; exit
    const NOTHING: [u64; 2] = [0xb7, 0x95];
    // SAFETY: two instructions of eight bytes each, and a terminated licence; name and options may be null.
    closed(unsafe {
        libbpf_sys::bpf_prog_load(
            libbpf_sys::BPF_PROG_TYPE_SOCKET_FILTER,
            std::ptr::null(),
            c"GPL".as_ptr(),
            NOTHING.as_ptr().cast(),
            NOTHING.len() as libbpf_sys::size_t,
            std::ptr::null_mut(),
        )
    })
}

/// The errno of what libbpf returns: a descriptor, which is closed, or an error below zero.
fn closed(fd: i32) -> i32 {
    if fd < 0 {
        return -fd;
    }
    // SAFETY: just made, and nobody else's.
    drop(unsafe { OwnedFd::from_raw_fd(fd) });
    0
}

#[cfg(test)]
impl CallFacts {
    /// Nothing is refused.
    pub(crate) fn allowed() -> Self {
        Self {
            unknown_command: libc::EINVAL,
            map: 0,
            program: 0,
            has_seccomp_filter: false,
            selinux_enforces: false,
            in_initial_user_namespace: true,
            lockdown: Some("none".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_refuses_is_named_by_what_it_leaves() {
        let allowed = CallFacts::allowed;
        let filtered = |unknown_command| CallFacts { unknown_command, has_seccomp_filter: true, ..allowed() };
        let mapped = |has_seccomp_filter| CallFacts {
            unknown_command: libc::EPERM,
            in_initial_user_namespace: false,
            has_seccomp_filter,
            ..allowed()
        };
        let confined = || CallFacts { selinux_enforces: true, map: libc::EACCES, ..allowed() };
        for (facts, refusal) in [
            (allowed(), None),
            // a filter that lets bpf() through, and a policy that allows it
            (filtered(libc::EINVAL), None),
            (CallFacts { selinux_enforces: true, ..allowed() }, None),
            (filtered(libc::EPERM), Some(Refusal::Seccomp)),
            (filtered(libc::ENOSYS), Some(Refusal::Seccomp)),
            // by its arguments
            (CallFacts { program: libc::EPERM, ..filtered(libc::EINVAL) }, Some(Refusal::Seccomp)),
            (CallFacts { unknown_command: libc::ENOSYS, ..allowed() }, Some(Refusal::NoSystemCall)),
            (mapped(false), Some(Refusal::UserNamespace)),
            // another profile would not help there
            (mapped(true), Some(Refusal::UserNamespace)),
            (
                CallFacts { map: libc::EPERM, in_initial_user_namespace: false, ..allowed() },
                Some(Refusal::UserNamespace),
            ),
            (confined(), Some(Refusal::Selinux)),
            (CallFacts { map: 0, program: libc::EACCES, ..confined() }, Some(Refusal::Selinux)),
            (CallFacts { selinux_enforces: false, ..confined() }, Some(Refusal::Other(libc::EACCES))),
            (CallFacts { map: libc::EPERM, ..allowed() }, Some(Refusal::Other(libc::EPERM))),
            (
                CallFacts { lockdown: Some("confidentiality".to_owned()), ..allowed() },
                Some(Refusal::Lockdown),
            ),
            (CallFacts { lockdown: Some("integrity".to_owned()), ..allowed() }, None),
            (CallFacts { lockdown: None, ..allowed() }, None),
        ] {
            assert_eq!(Refusal::of(&facts), refusal, "{facts:?}");
            if let Some(refusal) = refusal {
                assert!(!refusal.found().is_empty() && !refusal.fix().is_empty());
            }
        }
    }

    #[test]
    fn modes_are_read_as_the_kernel_writes_them() {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        assert_eq!(has_seccomp_filter(), status.contains("\nSeccomp:\t2\n"));
        assert_eq!(in_brackets("none [integrity] confidentiality\n").as_deref(), Some("integrity"));
        assert_eq!(in_brackets("nonsense"), None);
    }
}
