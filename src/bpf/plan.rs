//! From facts about the host to what is loaded: pure, so that it is tested with made-up hosts.

use super::probe::{HostFacts, LegacyCgroups, MOUNT_PROC, MOUNT_SYS, ProcFault};
use crate::config::{Config, Failed};
use crate::error::TraceError;

/// Which processes older than the tracer are seeded from /proc, into the same map as the iterator's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcSeeding {
    /// None: a pid of /proc need not be the same process by this process's own count.
    Nobody,
    /// PID 1, which the kernel's iterator does not list on every host.
    Init,
    /// Everybody: the kernel has no iterator that could read them.
    Everybody,
}

/// How calls are watched that never become a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempts {
    /// Not at all.
    Unwatched,
    /// Where the calls of the kill family return: nobody else pays.
    Trampolines,
    /// Where any system call returns: all of them pay.
    SyscallExits,
}

/// What to load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// The kernel's sleepable task iterator seeds.
    pub iterates: bool,
    /// And /proc.
    pub proc_seeding: ProcSeeding,
    /// The pids of the records are pids here as well; else a process of a record must never be looked up by pid
    /// but under the host's /proc.
    pub shares_pids: bool,
    /// Forks that the fork hook missed are mended where the new task is woken.
    pub recovers_forks: bool,
    /// The system call of a signal is known.
    pub has_via: bool,
    /// How calls that fail, and signal 0, are seen.
    pub attempts: Attempts,
    /// Signals are reported.
    pub reports_signals: bool,
    /// Live titles of targets are read now and then.
    pub reads_titles: bool,
    /// The kernel side can follow trees of processes (`--tree`).
    pub follows_trees: bool,
    /// The hierarchy of cgroups version 1 that is looked at beside version 2.
    pub legacy_cgroups: Option<LegacyCgroups>,
    /// Programs cannot loop (before 5.17): no such kernel is tested, and the verifier takes seconds.
    pub is_untested: bool,
}

/// Before Linux 6.4 task storage comes from `kmalloc()`, and the hooks make it with preemption off: with `PREEMPT_RT` that
/// takes a lock that may sleep. (Seen on Debian's 6.1 under contention: "BUG: scheduling while atomic", from the fork hook
/// through `bpf_map_kzalloc()` to `rt_spin_lock()`.) Such a kernel is refused.
pub fn allocates_with_preemption_off(host: &HostFacts) -> bool {
    host.is_realtime && !host.has_storage_allocator
}

/// Is there a /proc with this process in it?
///
/// # Errors
/// If not: says what is there instead. One that hides others is no error: what it hides is flagged where it is missing.
pub fn check_proc(fault: Option<ProcFault>) -> Result<(), TraceError> {
    let fault = match fault {
        None | Some(ProcFault::Hidden) => return Ok(()),
        Some(ProcFault::NotMounted) => "no proc file system is mounted at /proc",
        Some(ProcFault::WithoutSelf) => "/proc is that of another pid namespace: this process is not in it",
    };
    Err(TraceError::FileSystem { fault, hint: MOUNT_PROC })
}

/// Decides.
///
/// # Errors
/// Where this host lacks what there is no way around: privileges first, since nothing else can be known
/// without them.
pub fn plan(host: &HostFacts, config: &Config) -> Result<Plan, TraceError> {
    if !host.missing_capabilities.is_empty() {
        return Err(TraceError::Privilege { missing: host.missing_capabilities.join(" and ") });
    }
    check_proc(host.proc_fault)?;
    if !host.has_sys {
        return Err(TraceError::FileSystem { fault: "no sysfs is mounted at /sys", hint: MOUNT_SYS });
    }
    if !host.has_btf {
        return Err(TraceError::NoBtf { release: host.release.clone() });
    }
    let needed = [
        (host.has_ring_buffer, "BPF ring buffer"),
        (host.has_task_storage, "BPF task storage for tracing"),
        (host.has_callbacks, "callbacks in BPF programs"),
    ];
    if let Some((_, lacking)) = needed.into_iter().find(|(has, _)| !has) {
        return Err(TraceError::TooOld { release: host.release.clone(), lacking: lacking.to_owned() });
    }
    if allocates_with_preemption_off(host) {
        return Err(TraceError::RealTime { release: host.release.clone() });
    }
    if config.wants_attempts() && !host.has_task_pt_regs {
        return Err(TraceError::NoAttempts { release: host.release.clone() });
    }
    if !config.variables.is_empty() && !host.has_loop {
        return Err(TraceError::NoEnvironment { release: host.release.clone() });
    }
    let iterates = host.has_copy_from_user_task && !config.seed_from_proc;
    Ok(Plan {
        iterates,
        proc_seeding: match (host.in_initial_pid_namespace, iterates) {
            (false, _) => ProcSeeding::Nobody,
            (true, true) => ProcSeeding::Init,
            (true, false) => ProcSeeding::Everybody,
        },
        shares_pids: host.in_initial_pid_namespace,
        recovers_forks: host.has_storage_allocator,
        has_via: host.has_task_pt_regs,
        attempts: match (config.wants_attempts(), host.has_trampolines) {
            (false, _) => Attempts::Unwatched,
            (true, true) => Attempts::Trampolines,
            (true, false) => Attempts::SyscallExits,
        },
        reports_signals: config.failed != Failed::Only,
        reads_titles: host.has_copy_from_user_task && config.failed != Failed::Only,
        follows_trees: iterates && host.has_loop && host.in_initial_pid_namespace,
        legacy_cgroups: host.legacy_cgroups,
        is_untested: !host.has_loop,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_kernel_seeds_by_the_iterator_by_default() {
        let mut config = Config::default();
        let by_iterator = plan(&HostFacts::newest(), &config).unwrap();
        assert!(by_iterator.iterates);
        assert_eq!(by_iterator.proc_seeding, ProcSeeding::Init);
        config.seed_from_proc = true;
        let from_proc = plan(&HostFacts::newest(), &config).unwrap();
        assert!(!from_proc.iterates);
        assert_eq!(from_proc.proc_seeding, ProcSeeding::Everybody);
    }

    #[test]
    fn attempts_are_watched_on_request_and_where_that_costs_least() {
        let mut config = Config::default();
        assert_eq!(plan(&HostFacts::newest(), &config).unwrap().attempts, Attempts::Unwatched);
        config.failed = Failed::Only;
        let only = plan(&HostFacts::newest(), &config).unwrap();
        assert_eq!((only.attempts, only.reports_signals), (Attempts::Trampolines, false));
        config.failed = Failed::Too;
        let host = HostFacts { has_trampolines: false, ..HostFacts::newest() };
        let both = plan(&host, &config).unwrap();
        assert_eq!((both.attempts, both.reports_signals), (Attempts::SyscallExits, true));
        let host = HostFacts { has_task_pt_regs: false, ..HostFacts::newest() };
        assert!(plan(&host, &config).unwrap_err().to_string().contains("5.15"));
    }

    #[test]
    fn below_5_17_there_are_no_variables() {
        let host = HostFacts { has_loop: false, release: "5.16".to_owned(), ..HostFacts::newest() };
        assert!(plan(&host, &Config::default()).unwrap().is_untested);
        let config = Config { variables: vec!["CI_JOB_ID".to_owned()], ..Config::default() };
        assert!(plan(&host, &config).unwrap_err().to_string().contains("5.17"));
    }

    #[test]
    fn a_real_time_kernel_without_the_allocator_is_refused() {
        for (is_realtime, has_storage_allocator, is_refused) in
            [(true, false, true), (true, true, false), (false, false, false), (false, true, false)]
        {
            let host = HostFacts { is_realtime, has_storage_allocator, ..HostFacts::newest() };
            let refusal = plan(&host, &Config::default()).err().map(|error| error.to_string());
            assert_eq!(refusal.is_some(), is_refused, "{is_realtime} {has_storage_allocator}");
            assert!(refusal.is_none_or(|refusal| refusal.contains("PREEMPT_RT")));
        }
    }

    #[test]
    fn below_5_18_proc_seeds() {
        let host = HostFacts { has_copy_from_user_task: false, ..HostFacts::newest() };
        assert_eq!(plan(&host, &Config::default()).unwrap().proc_seeding, ProcSeeding::Everybody);
    }

    #[test]
    fn in_a_pid_namespace_of_its_own_nothing_is_seeded_by_pid() {
        for has_copy_from_user_task in [true, false] {
            let host =
                HostFacts { in_initial_pid_namespace: false, has_copy_from_user_task, ..HostFacts::newest() };
            let plan = plan(&host, &Config::default()).unwrap();
            assert_eq!(plan.proc_seeding, ProcSeeding::Nobody);
            assert!(!plan.shares_pids);
        }
    }

    #[test]
    fn each_refusal_says_what_is_missing_and_what_to_do() {
        for (host, words) in [
            (
                HostFacts { missing_capabilities: vec!["CAP_BPF", "CAP_PERFMON"], ..HostFacts::newest() },
                ["CAP_BPF and CAP_PERFMON", "sudo"],
            ),
            (
                HostFacts { proc_fault: Some(ProcFault::NotMounted), ..HostFacts::newest() },
                ["no proc file system is mounted at /proc", "mount -t proc"],
            ),
            (
                HostFacts { proc_fault: Some(ProcFault::WithoutSelf), ..HostFacts::newest() },
                ["another pid namespace", "mount -t proc"],
            ),
            (
                HostFacts { has_sys: false, has_btf: false, ..HostFacts::newest() },
                ["no sysfs is mounted at /sys", "mount -t sysfs"],
            ),
            (HostFacts { has_btf: false, ..HostFacts::newest() }, ["BTF", "CONFIG_DEBUG_INFO_BTF"]),
            (
                HostFacts { has_task_storage: false, release: "5.10".to_owned(), ..HostFacts::newest() },
                ["5.10", "needs Linux 5.17"],
            ),
            (
                HostFacts { has_callbacks: false, release: "5.12".to_owned(), ..HostFacts::newest() },
                ["callbacks", "5.13"],
            ),
            (HostFacts { has_ring_buffer: false, ..HostFacts::newest() }, ["ring buffer", "hint"]),
        ] {
            let message = plan(&host, &Config::default()).unwrap_err().to_string();
            for word in words {
                assert!(message.contains(word), "{message}");
            }
        }
    }
}
