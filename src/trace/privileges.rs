//! What this process may still do once the hooks are attached: as little as tracing needs. Records hold bytes that others chose: an
//! attacker who finds a fault in their decoder is to gain little.
//!
//! What has to work afterwards, and with which capability:
//!
//! | operation | capability |
//! |---|---|
//! | read the ring, read the counters | none: both are mapped |
//! | look a command line up in the kernel's maps, read `recursion_misses`, run the iterator again | `CAP_BPF`, `CAP_PERFMON` (kernels before 5.19 ask for them at every `bpf()`) |
//! | read from `/proc/kallsyms`, once there was an OOM kill, which functions led to it | `CAP_SYSLOG` |
//! | see `/proc/PID` of others where it is hidden (`hidepid`); check there that a command line is of the image that was seen (`stat`, `personality`) where the kernel side does not know all processes | `CAP_SYS_PTRACE`, `CAP_DAC_READ_SEARCH`, only then |
//! | read files under `--root`, in any user's directory | `CAP_DAC_READ_SEARCH`, only with a root |
//! | read the names of containers in the files of their runtimes | `CAP_DAC_READ_SEARCH`, only where there is a runtime |
//! | hand SIGTERM on to the command of `killsnoop run`, which may be another user's | `CAP_KILL`, only then; the filter lets no other descriptor and no other signal through, and no other process gets that descriptor |
//!
//! Entries are sent to the journal by another process ([`crate::journal`]), which keeps user 0 and no capability.
//! FILEs of `--output` are opened by a process of its own ([`crate::output::deliver::opener`]), which keeps `CAP_DAC_OVERRIDE` and can do
//! nothing else.
//!
//! User 0 owns the host's files even without a capability. So this process switches to a user id that nobody else has
//! ([`FIRST_USER`]). The one who called sudo, or `nobody`, would not do: other processes of that user could send it SIGKILL.
//!
//! Capabilities and user ids belong to threads: those that are to have less are started later. (A thread that still waits for the
//! memory of another process at that moment keeps what it has until its read returns, and then ends.) The filter of system
//! calls is set for all threads at once.

mod filter;

use std::os::fd::RawFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::process::{DumpableBehavior, Gid, Resource, Rlimit, Uid};
use rustix::thread::{CapabilitySet, CapabilitySets};

use self::filter::Life;
use crate::base::os_error::reason;

/// User ids from here on are unused: they are above those that systemd allocates for containers, and below those of foreign disk
/// images and those that are negative as 32-bit numbers (UIDS-GIDS of systemd). The pid is added.
const FIRST_USER: u32 = 0x7f00_0000;
// PID_MAX_LIMIT, and where those of foreign images begin
const _: () = assert!(FIRST_USER + (4 << 20) < 0x7ffe_0000);

/// What must still be possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Needs {
    /// A pidfd of the process of another user, perhaps, to which SIGTERM is handed on. No descriptor has a higher number.
    pub command: Option<RawFd>,
    /// /proc is asked for the command lines of others.
    pub asks_proc: bool,
    /// Files are read under a root that is not this process's.
    pub has_root: bool,
    /// Files of container runtimes are read.
    pub reads_containers: bool,
}

const NAMES: [(CapabilitySet, &str); 8] = [
    (CapabilitySet::BPF, "CAP_BPF"),
    (CapabilitySet::PERFMON, "CAP_PERFMON"),
    (CapabilitySet::SYS_PTRACE, "CAP_SYS_PTRACE"),
    (CapabilitySet::DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH"),
    (CapabilitySet::SYSLOG, "CAP_SYSLOG"),
    (CapabilitySet::DAC_OVERRIDE, "CAP_DAC_OVERRIDE"),
    (CapabilitySet::KILL, "CAP_KILL"),
    (CapabilitySet::SYS_ADMIN, "CAP_SYS_ADMIN"),
];

/// What to keep of what there is.
fn kept(permitted: CapabilitySet, needs: Needs) -> CapabilitySet {
    let bpf = CapabilitySet::BPF | CapabilitySet::PERFMON;
    let mut wanted = bpf | CapabilitySet::SYSLOG;
    if needs.asks_proc {
        wanted |= CapabilitySet::SYS_PTRACE | CapabilitySet::DAC_READ_SEARCH;
    }
    if needs.has_root || needs.reads_containers {
        wanted |= CapabilitySet::DAC_READ_SEARCH;
    }
    if needs.command.is_some() {
        wanted |= CapabilitySet::KILL;
    }
    // a container may have been given the one that both were split off from
    if !permitted.contains(bpf) {
        wanted |= CapabilitySet::SYS_ADMIN;
    }
    permitted & wanted
}

/// What could not be dropped, and why.
#[derive(Debug, Default)]
struct Failures(Vec<String>);

impl Failures {
    fn note<T>(&mut self, what: &str, result: Result<T, impl std::fmt::Display>) -> Option<T> {
        result.map_err(|error| self.0.push(format!("{what} ({})", reason(error)))).ok()
    }

    /// That is no reason not to trace.
    fn log(&self) {
        if !self.0.is_empty() {
            tracing::warn!("cannot drop privileges that are no longer needed: {}", self.0.join(", "));
        }
    }
}

/// Drops everything else: this thread and those that it starts from here on, and for good. Returns what was kept, in words.
pub(crate) fn drop(mut needs: Needs, proc_directory: &Path) -> String {
    let mut left = Failures::default();
    close_memory(&mut left);
    // as it will be seen without
    needs.asks_proc |= is_hidden(proc_directory);
    if let Some(number) = needs.command {
        // see filter: once it is closed nothing can be opened under its number
        let most = u64::try_from(number).ok();
        let limit = Rlimit { current: most, maximum: most };
        left.note("descriptors", rustix::process::setrlimit(Resource::Nofile, limit));
    }
    let kept = expire(|permitted| kept(permitted, needs), Some(own_user()), &mut left);
    left.note(
        "system calls",
        filter::install(Life::Tracer { has_root: needs.has_root, command: needs.command }),
    );
    left.log();
    kept.map_or_else(|| "all".to_owned(), words)
}

/// The same for the process that opens FILEs, which stays the user that they belong to.
pub(crate) fn drop_but_for_files() {
    drop_but(CapabilitySet::DAC_OVERRIDE, Life::Files);
}

/// The same for the process that writes the store.
pub(crate) fn drop_but_for_store() {
    drop_but(CapabilitySet::DAC_OVERRIDE, Life::Store);
}

/// The same for the process that sends to the journal, which believes user 0.
pub(crate) fn drop_but_for_journal() {
    drop_but(CapabilitySet::empty(), Life::Journal);
}

/// The same for the process that writes metrics: into one directory, which it has open.
pub(crate) fn drop_but_for_metrics() {
    drop_but(CapabilitySet::DAC_OVERRIDE, Life::Metrics);
}

/// Of a process beside the tracer: it stays who it is.
fn drop_but(needed: CapabilitySet, life: Life) {
    let mut left = Failures::default();
    close_memory(&mut left);
    expire(|permitted| permitted & needed, None, &mut left);
    left.note("system calls", filter::install(life));
    left.log();
}

/// Nobody reads what is in it: no core, no debugger of the same user's, no `/proc/PID/mem`.
fn close_memory(left: &mut Failures) {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    left.note("core dumps", rustix::process::setrlimit(Resource::Core, none));
    left.note("being dumpable", rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable));
}

fn own_user() -> u32 {
    FIRST_USER + std::process::id()
}

fn expire(
    kept: impl Fn(CapabilitySet) -> CapabilitySet,
    user: Option<u32>,
    left: &mut Failures,
) -> Option<CapabilitySet> {
    let permitted = left.note("capabilities", rustix::thread::capabilities(None))?.permitted;
    left.note("new privileges", rustix::thread::set_no_new_privs(true));
    // where it may not be emptied, nothing that is started gets any of it either: see above
    if permitted.contains(CapabilitySet::SETPCAP) {
        left.note("the bounding set", empty_bounding_set());
    }
    // a kernel without ambient capabilities has none to clear
    let _ = rustix::thread::clear_ambient_capability_set();
    // a container's root that may not become anybody stays who it is: with what is kept, and the filter
    let may_change = permitted.contains(CapabilitySet::SETUID | CapabilitySet::SETGID);
    if let Some(user) = user.filter(|_| may_change && rustix::process::geteuid().is_root()) {
        left.note("user 0", become_user(user));
    }
    let kept = kept(permitted);
    let sets = CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    left.note("capabilities", rustix::thread::set_capabilities(None, sets))?;
    // another user makes it dumpable as the host has it
    left.note("being dumpable", rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable));
    Some(kept)
}

fn empty_bounding_set() -> rustix::io::Result<()> {
    for number in 0..u64::BITS {
        let capability = CapabilitySet::from_bits_retain(1 << number);
        match rustix::thread::remove_capability_from_bounding_set(capability) {
            // no capability
            Ok(()) | Err(rustix::io::Errno::INVAL) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// This thread.
fn become_user(number: u32) -> rustix::io::Result<()> {
    let (uid, gid) = (Uid::from_raw(number), Gid::from_raw(number));
    // the kernel forgets that with every change of the user
    let with_parent = rustix::process::parent_process_death_signal()?;
    rustix::thread::set_keep_capabilities(true)?;
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_res_gid(gid, gid, gid)?;
    rustix::thread::set_thread_res_uid(uid, uid, uid)?;
    if with_parent.is_some() {
        rustix::process::set_parent_process_death_signal(with_parent)?;
    }
    Ok(())
}

/// Are processes of others hidden here from whom has no capability? A thread of its own tries, which then ends.
fn is_hidden(proc_directory: &Path) -> bool {
    let stat = proc_directory.join("1/stat");
    let try_it = || {
        expire(|_| CapabilitySet::empty(), Some(own_user()), &mut Failures::default());
        let open = rustix::fs::open(&stat, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        open.is_err()
    };
    std::thread::scope(|scope| scope.spawn(try_it).join()).unwrap_or(true)
}

fn words(kept: CapabilitySet) -> String {
    let names: Vec<&str> =
        NAMES.iter().filter(|(capability, _)| kept.contains(*capability)).map(|(_, name)| *name).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BPF: CapabilitySet = CapabilitySet::BPF.union(CapabilitySet::PERFMON).union(CapabilitySet::SYSLOG);
    const PROC: CapabilitySet = CapabilitySet::SYS_PTRACE.union(CapabilitySet::DAC_READ_SEARCH);

    #[test]
    fn only_what_is_needed_is_kept_and_nothing_is_gained() {
        let all = CapabilitySet::all();
        let no = Needs::default();
        assert_eq!(kept(all, no), BPF);
        assert_eq!(kept(all, Needs { asks_proc: true, ..no }), BPF | PROC);
        assert_eq!(kept(all, Needs { has_root: true, ..no }), BPF | CapabilitySet::DAC_READ_SEARCH);
        assert_eq!(kept(all, Needs { reads_containers: true, ..no }), BPF | CapabilitySet::DAC_READ_SEARCH);
        assert_eq!(kept(all, Needs { command: Some(1), ..no }), BPF | CapabilitySet::KILL);
        assert_eq!(kept(BPF, no), BPF);
        assert_eq!(kept(CapabilitySet::SYS_ADMIN, no), CapabilitySet::SYS_ADMIN);
        assert_eq!(kept(CapabilitySet::empty(), no), CapabilitySet::empty());
    }

    #[test]
    fn what_was_kept_is_named() {
        assert_eq!(words(BPF), "CAP_BPF CAP_PERFMON CAP_SYSLOG");
        assert_eq!(words(CapabilitySet::empty()), "none");
    }

    #[test]
    fn a_thread_has_dropped_it_afterwards() {
        std::thread::spawn(|| {
            let before = rustix::thread::capabilities(None).unwrap().permitted;
            let mut left = Failures::default();
            expire(|permitted| kept(permitted, Needs::default()), Some(own_user()), &mut left);
            let after = rustix::thread::capabilities(None).unwrap();
            assert_eq!(after.permitted, kept(before, Needs::default()));
            assert_eq!(after.effective, after.permitted);
            assert!(after.inheritable.is_empty());
            if before.contains(CapabilitySet::SETUID | CapabilitySet::SETGID | CapabilitySet::SETPCAP) {
                assert!(left.0.is_empty(), "{left:?}");
                assert_eq!(rustix::process::geteuid().as_raw(), own_user());
            }
        })
        .join()
        .unwrap();
    }
}
