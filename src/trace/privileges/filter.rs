//! The system calls that are left once everything is attached (seccomp). What is not listed fails with EPERM.
//!
//! It does not end the process: a call that a later C library makes somewhere would be a way to blind the tracer, and one that
//! is refused has as little effect.
//!
//! A number says little of what a call does, so arguments are looked at where they are no pointers: nothing is opened to be
//! written, nothing becomes executable, a new process or thread gets no namespace of its own, `bpf()` reads, deletes
//! elements of maps, and loads nothing.

use std::collections::BTreeMap;
use std::os::fd::RawFd;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};

/// Whose calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// The tracer's. Under a root that is not this one's, `openat2()`: what that opens cannot be seen here.
    Tracer {
        /// Files are opened under another root.
        has_root: bool,
        /// A pidfd of the command of `run`, which SIGTERM is handed on to. The limit of descriptors keeps its number from others.
        command: Option<RawFd>,
    },
    /// That of the process that opens FILEs.
    Files,
    /// That of the process that writes the store.
    Store,
    /// That of the process that sends to the journal.
    Journal,
    /// That of the process that writes metrics.
    Metrics,
}

/// Rules of one call; none: whatever its arguments are.
type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// `include/uapi/linux/bpf.h`
const BPF_MAP_LOOKUP_ELEM: u64 = 1;
const BPF_MAP_DELETE_ELEM: u64 = 3;
const BPF_MAP_GET_NEXT_KEY: u64 = 4;
const BPF_OBJ_GET_INFO_BY_FD: u64 = 15;
const BPF_ITER_CREATE: u64 = 33;

/// `CLONE_NEW*` of `include/uapi/linux/sched.h`, and what makes a process of another's parent.
const NEW_NAMESPACES: u64 = 0x7e02_0000 | 0x80;

/// Flags of `open()` with which something can be changed.
const WRITES: u64 = (libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC | libc::O_APPEND) as u64;

fn one_of(argument: u8, values: &[u64]) -> seccompiler::Result<Vec<SeccompRule>> {
    let rule = |value: &u64| Ok(SeccompRule::new(vec![condition(argument, SeccompCmpOp::Eq, *value)?])?);
    values.iter().map(rule).collect()
}

/// None of these bits.
fn without(argument: u8, bits: u64) -> seccompiler::Result<Vec<SeccompRule>> {
    Ok(vec![SeccompRule::new(vec![condition(argument, SeccompCmpOp::MaskedEq(bits), 0)?])?])
}

fn condition(argument: u8, operator: SeccompCmpOp, value: u64) -> seccompiler::Result<SeccompCondition> {
    // what the kernel takes of all of these is an int
    Ok(SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)?)
}

/// What any Rust program does.
const ALWAYS: &[i64] = &[
    libc::SYS_brk,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_fstat,
    libc::SYS_futex,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_geteuid,
    libc::SYS_madvise,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_newfstatat,
    libc::SYS_read,
    libc::SYS_restart_syscall,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_yield,
    libc::SYS_sigaltstack,
    libc::SYS_statx,
    libc::SYS_write,
];

/// What the tracer does besides: sleeps, reads files, starts threads and processes that read an iterator, reaps.
const TRACER: &[i64] = &[
    libc::SYS_accept4,
    libc::SYS_clock_getres,
    libc::SYS_close_range,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_faccessat,
    libc::SYS_fstatfs,
    libc::SYS_getdents64,
    libc::SYS_getpgid,
    libc::SYS_getsockopt,
    libc::SYS_getuid,
    libc::SYS_lseek,
    libc::SYS_pidfd_open,
    libc::SYS_ppoll,
    libc::SYS_pread64,
    libc::SYS_readlinkat,
    libc::SYS_readv,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_rseq,
    libc::SYS_sched_getaffinity,
    libc::SYS_sendto,
    libc::SYS_set_robust_list,
    libc::SYS_shutdown,
    libc::SYS_statfs,
    libc::SYS_uname,
    libc::SYS_wait4,
    libc::SYS_waitid,
    libc::SYS_writev,
    // see without_clone3()
    libc::SYS_clone3,
];

/// The same calls by their old names.
#[cfg(target_arch = "x86_64")]
const OF_OLD: &[i64] = &[
    libc::SYS_access,
    libc::SYS_epoll_create,
    libc::SYS_epoll_wait,
    libc::SYS_getpgrp,
    libc::SYS_lstat,
    libc::SYS_poll,
    libc::SYS_readlink,
    libc::SYS_stat,
];
#[cfg(not(target_arch = "x86_64"))]
const OF_OLD: &[i64] = &[];

/// What the process that opens FILEs does besides. Which of them it is asked with a number alone.
const FILES: &[i64] =
    &[libc::SYS_flock, libc::SYS_fcntl, libc::SYS_openat, libc::SYS_recvfrom, libc::SYS_sendmsg];

/// What the process that sends to the journal does besides: its socket is there already.
const JOURNAL: &[i64] =
    &[libc::SYS_fcntl, libc::SYS_memfd_create, libc::SYS_ppoll, libc::SYS_sendmsg, libc::SYS_sendto];

/// What the process that writes metrics does besides.
const METRICS: &[i64] = &[
    libc::SYS_fchmod,
    libc::SYS_fcntl,
    libc::SYS_openat,
    libc::SYS_recvfrom,
    libc::SYS_renameat,
    libc::SYS_unlinkat,
];

/// What SQLite does besides, and the process around it: files are opened, locked, cut and removed; which, the tracer does not say. A
/// thread syncs.
const STORE: &[i64] = &[
    libc::SYS_fchmod,
    libc::SYS_fcntl,
    libc::SYS_fdatasync,
    libc::SYS_fsync,
    libc::SYS_ftruncate,
    libc::SYS_getcwd,
    libc::SYS_lseek,
    libc::SYS_openat,
    libc::SYS_ppoll,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_readlinkat,
    libc::SYS_recvfrom,
    libc::SYS_renameat,
    libc::SYS_rseq,
    libc::SYS_sched_getaffinity,
    libc::SYS_sendto,
    libc::SYS_set_robust_list,
    libc::SYS_statfs,
    libc::SYS_unlinkat,
    libc::SYS_faccessat,
    libc::SYS_shutdown,
    libc::SYS_ioctl,
    // see without_clone3()
    libc::SYS_clone3,
];

/// The same calls by their old names.
#[cfg(target_arch = "x86_64")]
const STORE_OF_OLD: &[i64] = &[
    libc::SYS_access,
    libc::SYS_lstat,
    libc::SYS_open,
    libc::SYS_poll,
    libc::SYS_readlink,
    libc::SYS_rename,
    libc::SYS_stat,
    libc::SYS_unlink,
];
#[cfg(not(target_arch = "x86_64"))]
const STORE_OF_OLD: &[i64] = &[];

fn rules(life: Life) -> seccompiler::Result<Rules> {
    let any = |calls: &[i64]| calls.iter().map(|&call| (call, Vec::new())).collect::<Rules>();
    let mut rules = any(ALWAYS);
    let no_code = without(2, libc::PROT_EXEC as u64)?;
    rules.insert(libc::SYS_mmap, no_code.clone());
    rules.insert(libc::SYS_mprotect, no_code);
    // raise(): abort() of the C library
    rules.insert(libc::SYS_tgkill, one_of(2, &[libc::SIGABRT as u64])?);
    let (has_root, command) = match life {
        Life::Tracer { has_root, command } => (has_root, command),
        Life::Files => {
            rules.extend(any(FILES));
            return Ok(rules);
        }
        Life::Metrics => {
            rules.extend(any(METRICS));
            return Ok(rules);
        }
        Life::Journal => {
            rules.extend(any(JOURNAL));
            #[cfg(target_arch = "x86_64")]
            rules.insert(libc::SYS_poll, Vec::new());
            return Ok(rules);
        }
        Life::Store => {
            rules.extend(any(STORE));
            rules.extend(any(STORE_OF_OLD));
            // a thread, no process
            let thread = libc::CLONE_THREAD as u64;
            let is_thread = condition(0, SeccompCmpOp::MaskedEq(thread), thread)?;
            rules.insert(libc::SYS_clone, vec![SeccompRule::new(vec![is_thread])?]);
            rules.insert(libc::SYS_prctl, one_of(0, &[libc::PR_SET_NAME as u64])?);
            return Ok(rules);
        }
    };
    rules.extend(any(TRACER));
    rules.extend(any(OF_OLD));
    rules.insert(libc::SYS_openat, without(2, WRITES)?);
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_open, without(1, WRITES)?);
    if has_root {
        rules.insert(libc::SYS_openat2, Vec::new());
    }
    // what was refused room in the ring is taken out of a map, once no program can write to it any more
    let read = [BPF_MAP_LOOKUP_ELEM, BPF_MAP_GET_NEXT_KEY, BPF_OBJ_GET_INFO_BY_FD, BPF_ITER_CREATE];
    rules.insert(libc::SYS_bpf, one_of(0, &[&read[..], &[BPF_MAP_DELETE_ELEM]].concat())?);
    rules.insert(libc::SYS_membarrier, one_of(0, &[libc::MEMBARRIER_CMD_GLOBAL as u64])?);
    rules.insert(libc::SYS_clone, without(0, NEW_NAMESPACES)?);
    rules.insert(libc::SYS_socketpair, one_of(0, &[libc::AF_UNIX as u64])?);
    let process = match command {
        // with the capability to signal anybody: that one alone
        Some(number) => vec![
            condition(0, SeccompCmpOp::Eq, number as u64)?,
            condition(1, SeccompCmpOp::Eq, libc::SIGTERM as u64)?,
        ],
        // without: what reads an iterator and hangs
        None => vec![condition(1, SeccompCmpOp::Eq, libc::SIGKILL as u64)?],
    };
    // flags: no group of processes
    let rule = [process, vec![condition(3, SeccompCmpOp::Eq, 0)?]].concat();
    rules.insert(libc::SYS_pidfd_send_signal, vec![SeccompRule::new(rule)?]);
    let settings = [libc::PR_SET_NAME, libc::PR_GET_NAME, libc::PR_SET_PDEATHSIG];
    rules.insert(libc::SYS_prctl, one_of(0, &settings.map(|setting| setting as u64))?);
    let descriptors = [libc::F_GETFD, libc::F_SETFD, libc::F_GETFL, libc::F_SETFL, libc::F_DUPFD_CLOEXEC];
    rules.insert(libc::SYS_fcntl, one_of(1, &descriptors.map(|command| command as u64))?);
    // what a terminal is asked; TIOCSTI would type into it
    let terminal = [libc::TCGETS, libc::TIOCGWINSZ, libc::TIOCGPGRP, libc::FIONBIO];
    #[allow(clippy::unnecessary_cast)] // of another type in other C libraries
    rules.insert(libc::SYS_ioctl, one_of(1, &terminal.map(|request| request as u64))?);
    Ok(rules)
}

fn arch() -> seccompiler::Result<TargetArch> {
    Ok(std::env::consts::ARCH.try_into()?)
}

fn program(life: Life) -> seccompiler::Result<BpfProgram> {
    let refused = SeccompAction::Errno(libc::EPERM as u32);
    Ok(SeccompFilter::new(rules(life)?, refused, SeccompAction::Allow, arch()?)?.try_into()?)
}

/// Flags of `clone3()` are behind a pointer; where it is not there, C libraries make do with `clone()`.
fn without_clone3() -> seccompiler::Result<BpfProgram> {
    let rules = Rules::from([(libc::SYS_clone3, Vec::new())]);
    let absent = SeccompAction::Errno(libc::ENOSYS as u32);
    Ok(SeccompFilter::new(rules, SeccompAction::Allow, absent, arch()?)?.try_into()?)
}

/// From here on, for every thread of this process.
pub(super) fn install(life: Life) -> seccompiler::Result<()> {
    // both are made before either is there
    let (first, second) = (without_clone3()?, program(life)?);
    seccompiler::apply_filter_all_threads(&first)?;
    seccompiler::apply_filter_all_threads(&second)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::ErrorKind;
    use std::os::unix::net::{UnixDatagram, UnixStream};
    use std::process::Command;

    use super::*;

    const TRACER: Life = Life::Tracer { has_root: false, command: None };
    const WITH_ROOT: Life = Life::Tracer { has_root: true, command: Some(1) };

    #[test]
    fn a_filter_of_every_kind_can_be_made() {
        for life in [TRACER, WITH_ROOT, Life::Files, Life::Store, Life::Journal, Life::Metrics] {
            // the kernel's BPF_MAXINSNS
            assert!((50..4096).contains(&program(life).unwrap().len()), "{life:?}");
        }
        assert!(!without_clone3().unwrap().is_empty());
    }

    #[test]
    fn what_would_give_an_attacker_most_is_in_none() {
        for life in [WITH_ROOT, Life::Files] {
            let rules = rules(life).unwrap();
            for call in [
                libc::SYS_execve,
                libc::SYS_execveat,
                libc::SYS_socket,
                libc::SYS_connect,
                libc::SYS_ptrace,
                libc::SYS_process_vm_readv,
                libc::SYS_process_vm_writev,
                libc::SYS_pidfd_getfd,
                libc::SYS_kill,
                libc::SYS_rt_sigqueueinfo,
                libc::SYS_dup3,
                libc::SYS_prlimit64,
                libc::SYS_setrlimit,
                libc::SYS_setresuid,
                libc::SYS_setuid,
                libc::SYS_capset,
                libc::SYS_unshare,
                libc::SYS_setns,
                libc::SYS_mount,
                libc::SYS_perf_event_open,
                libc::SYS_init_module,
                libc::SYS_finit_module,
                libc::SYS_open_by_handle_at,
                libc::SYS_memfd_create,
                libc::SYS_io_uring_setup,
                libc::SYS_linkat,
                libc::SYS_renameat2,
                libc::SYS_unlinkat,
                libc::SYS_fchmodat,
                libc::SYS_fchownat,
            ] {
                assert!(!rules.contains_key(&call), "{call} in {life:?}");
            }
        }
        assert!(!rules(TRACER).unwrap().contains_key(&libc::SYS_openat2));
    }

    /// In a thread with this filter.
    fn within(life: Life, act: impl FnOnce() + Send + 'static) {
        let filters = [without_clone3().unwrap(), program(life).unwrap()];
        let thread = std::thread::spawn(move || {
            for filter in filters {
                seccompiler::apply_filter(&filter).unwrap();
            }
            act();
        });
        thread.join().unwrap();
    }

    #[test]
    fn what_writes_the_store_starts_threads_and_no_process() {
        within(Life::Store, || {
            std::thread::Builder::new().name("sync".into()).spawn(|| ()).unwrap().join().unwrap();
            assert_eq!(Command::new("true").status().unwrap_err().kind(), ErrorKind::PermissionDenied);
        });
    }

    #[test]
    fn nothing_is_written_to_started_or_connected() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("there");
        fs::write(&path, "x").unwrap();
        within(TRACER, move || {
            let refused = |error: std::io::Error| assert_eq!(error.kind(), ErrorKind::PermissionDenied);
            refused(File::create(&path).unwrap_err());
            refused(fs::OpenOptions::new().append(true).open(&path).unwrap_err());
            refused(fs::remove_file(&path).unwrap_err());
            refused(fs::rename(&path, path.with_file_name("other")).unwrap_err());
            refused(std::os::unix::fs::symlink("/", path.with_file_name("link")).unwrap_err());
            refused(Command::new("true").status().unwrap_err());
            refused(UnixDatagram::unbound().unwrap_err());
            refused(std::net::TcpStream::connect("127.0.0.1:9").unwrap_err());
            let own = rustix::process::getpid();
            refused(rustix::process::kill_process(own, rustix::process::Signal::TERM).unwrap_err().into());
            // and what is needed is left
            assert_eq!(fs::read(&path).unwrap(), b"x");
            assert!(fs::read_dir("/proc").unwrap().count() > 1);
            assert!(fs::read_link("/proc/self/exe").is_ok());
            UnixStream::pair().unwrap();
            std::thread::Builder::new().name("one more".into()).spawn(|| ()).unwrap().join().unwrap();
        });
    }
}
