//! What a test needs of the host, and why it is skipped where that is missing.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use support::{FREEZER, in_guest, memory_cgroup, pids_cgroup, unified, workload};

/// The journal's daemon.
pub const JOURNALD: &str = "/lib/systemd/systemd-journald";

/// What a test needs, and may not have here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// To be root.
    Root,
    /// A new pid namespace.
    PidNamespace,
    /// Cgroups of version 2 can be made.
    Unified,
    /// The journal's daemon is installed.
    Journald,
    /// Prometheus' promtool is installed.
    Promtool,
    /// Cgroups of version 1 can be made, with the memory controller.
    Version1,
    /// BPF programs can loop (5.17).
    Loop,
    /// The memory of others can be read (5.18).
    Titles,
    /// A file system can be served by a process.
    Fuse,
    /// A memory cgroup.
    MemoryCgroup,
    /// A cgroup that bounds how many processes there are.
    PidsCgroup,
    /// Memory for identities that a cgroup's limit bounds.
    BoundedStorage,
    /// A cgroup of version 2 whose processes can be killed at once.
    CgroupKill,
    /// System calls of 32-bit programs.
    Calls32,
    /// The faults of x86, with their codes.
    X86,
    /// Pages can be made bad.
    MemoryFailure,
    /// `io_uring` is there, and allowed.
    IoUring,
    /// System calls can be handed to user space.
    UserDispatch,
    /// A perf event that asks for a signal, for a user without privileges.
    PerfEvent,
    /// Threads may be scheduled in real time.
    RealTime,
    /// A time namespace.
    TimeNamespace,
    /// A new pid namespace in a new user namespace.
    UserNamespace,
    /// The freezer of cgroups of version 1.
    Freezer1,
    /// CPUs that see at once that the code which they run was patched.
    RealCpu,
    /// The next pid can be chosen.
    NextPid,
    /// A machine that may lose any of its processes.
    Guest,
}

impl Skip {
    pub fn name(self) -> &'static str {
        match self {
            Self::Root => "no-root",
            Self::PidNamespace => "no-pid-namespace",
            Self::RealCpu => "no-real-cpu",
            Self::Unified => "no-unified-cgroups",
            Self::Journald => "no-journald",
            Self::Promtool => "no-promtool",
            Self::Version1 => "no-cgroups-1",
            Self::Loop => "no-loop",
            Self::Titles => "no-titles",
            Self::Fuse => "no-fuse",
            Self::MemoryCgroup => "no-memory-cgroup",
            Self::PidsCgroup => "no-pids-cgroup",
            Self::BoundedStorage => "no-bounded-storage",
            Self::CgroupKill => "no-cgroup-kill",
            Self::Calls32 => "no-32-bit-calls",
            Self::MemoryFailure => "no-memory-failure",
            Self::IoUring => "no-io-uring",
            Self::UserDispatch => "no-user-dispatch",
            Self::PerfEvent => "no-perf-event",
            Self::RealTime => "no-real-time",
            Self::TimeNamespace => "no-time-namespace",
            Self::UserNamespace => "no-user-namespace",
            Self::Freezer1 => "no-freezer-1",
            Self::NextPid => "no-next-pid",
            Self::Guest => "no-guest",
            Self::X86 => "no-x86",
        }
    }

    fn why(self) -> Option<&'static str> {
        match self {
            Self::Root => (!rustix::process::geteuid().is_root())
                .then_some("needs root: scripts/test runs it through sudo"),
            Self::RealCpu => in_guest().then_some(
                "an emulated CPU that calls a function all the time was seen to lock up when a trampoline is taken off it",
            ),
            Self::Unified => unified().is_none().then_some("cgroups of version 2 are not mounted"),
            Self::Journald => (!Path::new(JOURNALD).exists()).then_some("systemd-journald is not installed"),
            Self::Promtool => {
                let call = Command::new("promtool").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
                call.is_err().then_some("promtool is not installed (Debian's package prometheus)")
            }
            Self::Version1 => (!Path::new("/sys/fs/cgroup/memory/cgroup.procs").exists())
                .then_some("the memory controller is not one of version 1"),
            Self::Loop => (!killsnoop::bpf::probe::host().has_loop)
                .then_some("before 5.17 a program cannot look through an environment"),
            Self::Titles => (!killsnoop::bpf::probe::host().has_copy_from_user_task)
                .then_some("before 5.18 the memory of others cannot be read"),
            Self::Fuse => {
                fs::File::open("/dev/fuse").is_err().then_some("/dev/fuse cannot be opened")
            }
            Self::PidNamespace => {
                let works = Command::new("unshare").args(["--fork", "--pid", "true"]).status();
                (!works.is_ok_and(|status| status.success())).then_some("unshare --pid does not work here")
            }
            Self::BoundedStorage => (!killsnoop::bpf::probe::host().has_storage_allocator)
                .then_some("before 6.4 the kernel gives memory for identities beyond the limit"),
            Self::CgroupKill => {
                let works = || {
                    let directory =
                        unified()?.join(format!("killsnoop-probe-{}", std::process::id()));
                    fs::create_dir(&directory).ok()?;
                    let has = directory.join("cgroup.kill").exists();
                    fs::remove_dir(&directory).ok()?;
                    has.then_some(())
                };
                works().is_none().then_some("no cgroup of version 2 with cgroup.kill (5.14)")
            }
            Self::Calls32 => cannot("kill-32").then_some("the kernel has no 32-bit system calls"),
            Self::MemoryFailure => {
                cannot("can-poison").then_some("the kernel has no MADV_HWPOISON (CONFIG_MEMORY_FAILURE)")
            }
            Self::X86 => (!cfg!(target_arch = "x86_64"))
                .then_some("another machine has other faults, and other codes for them"),
            Self::IoUring => cannot("can-io-uring").then_some("io_uring_setup() does not work here"),
            Self::UserDispatch => {
                cannot("can-dispatch").then_some("the kernel has no syscall user dispatch for this machine")
            }
            Self::PerfEvent => {
                cannot("can-have-events").then_some("perf_event_open() with sigtrap does not work here")
            }
            Self::RealTime => {
                cannot("can-real-time").then_some("no thread may be scheduled in real time here")
            }
            Self::TimeNamespace => {
                let works = Command::new("unshare").args(["--time", "--boottime", "1000", "--fork", "true"]).stderr(Stdio::null()).status();
                (!works.is_ok_and(|status| status.success())).then_some("unshare --time does not work here")
            }
            Self::UserNamespace => {
                let arguments = ["--user", "--fork", "--pid", "true"];
                let works = Command::new("unshare").args(arguments).stderr(Stdio::null()).status();
                (!works.is_ok_and(|status| status.success()))
                    .then_some("unshare --user --pid does not work here")
            }
            Self::Freezer1 => (!Path::new(FREEZER).join("cgroup.procs").exists())
                .then_some("the freezer is not one of version 1"),
            Self::NextPid => (!Path::new("/proc/sys/kernel/ns_last_pid").exists())
                .then_some("the kernel was built without CONFIG_CHECKPOINT_RESTORE"),
            Self::Guest => (!in_guest())
                .then_some("the OOM killer takes whom it likes: only in a guest of scripts/kernel-matrix"),
            Self::MemoryCgroup => memory_cgroup().is_none().then_some("no memory controller is mounted"),
            Self::PidsCgroup => pids_cgroup().is_none().then_some("no pids controller is mounted"),
        }
    }
}

/// Does the workload fail to do this?
fn cannot(kind: &str) -> bool {
    let mut command = Command::new(workload());
    let status = command.args(["signal", kind]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    !status.is_ok_and(|status| status.success())
}

/// The first reason that holds; root is needed by all.
pub fn skip_reason(needs: &[Skip]) -> Option<(Skip, &'static str)> {
    [Skip::Root].iter().chain(needs).find_map(|&skip| Some((skip, skip.why()?)))
}
