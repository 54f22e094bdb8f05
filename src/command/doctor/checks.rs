//! From facts about the host to what they mean for a trace: pure, so that it is tested with made-up hosts.

use std::path::Path;

use crate::bpf::plan::allocates_with_preemption_off;
use crate::bpf::probe::{HostFacts, MOUNT_PROC, MOUNT_SYS, ProcFault, memory_limit};
use crate::bpf::refusal::{self, CallFacts, Refusal};

/// How good it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// All that killsnoop can use.
    Good,
    /// A trace works, but reports less or costs more.
    Limited,
    /// No trace.
    Fatal,
}

/// One fact, and its effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) state: State,
    pub(super) found: String,
    /// What killsnoop therefore does or does not; empty if there is nothing to say.
    pub(super) effect: String,
    /// How to fix it.
    pub(super) fix: Option<String>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) host: HostFacts,
    pub(super) missing_tracepoints: Vec<&'static str>,
    /// What `bpf()` answers.
    pub(super) call: CallFacts,
    /// 2 where the unified hierarchy is mounted.
    pub(super) cgroup_version: u8,
    /// The smallest limit of a memory cgroup above this process.
    pub(super) memory_limit: Option<u64>,
}

/// Loading takes so much at its peak, rounded up.
const MEMORY_NEEDED: u64 = 64 * 1024 * 1024;

impl Facts {
    pub(super) fn of_this_host(host: HostFacts, missing_tracepoints: Vec<&'static str>) -> Self {
        Self {
            host,
            missing_tracepoints,
            call: refusal::facts(),
            cgroup_version: if Path::new("/sys/fs/cgroup/cgroup.controllers").exists() { 2 } else { 1 },
            memory_limit: memory_limit(),
        }
    }
}

fn good(name: &'static str, found: impl Into<String>) -> Check {
    Check { name, state: State::Good, found: found.into(), effect: String::new(), fix: None }
}

fn bad(name: &'static str, state: State, found: impl Into<String>, effect: &str, fix: &str) -> Check {
    let fix = (!fix.is_empty()).then(|| fix.to_owned());
    Check { name, state, found: found.into(), effect: effect.to_owned(), fix }
}

/// Either there, or not with these consequences.
fn either(name: &'static str, is_there: bool, state: State, effect: &str, fix: &str) -> Check {
    if is_there { good(name, "available") } else { bad(name, state, "not available", effect, fix) }
}

pub(super) fn examine(facts: &Facts) -> Vec<Check> {
    let host = &facts.host;
    let newer = "Linux 5.17 or newer (5.13 to 5.16 are not refused, and are untested)";
    let mut checks = vec![good("kernel", host.release.clone())];
    checks.push(capabilities(host));
    checks.push(proc_file_system(host.proc_fault));
    checks.push(bpf_call(facts));
    checks.push(sys_file_system(host.has_sys));
    checks.push(either(
        "BTF",
        host.has_btf,
        State::Fatal,
        "programs cannot be fitted to this kernel",
        "a kernel built with CONFIG_DEBUG_INFO_BTF=y, as those of current distributions are",
    ));
    checks.push(either(
        "BPF ring buffer",
        host.has_ring_buffer,
        State::Fatal,
        "events cannot be delivered",
        newer,
    ));
    checks.push(either(
        "task storage",
        host.has_task_storage,
        State::Fatal,
        "command lines cannot be kept",
        newer,
    ));
    checks.push(either(
        "callbacks",
        host.has_callbacks,
        State::Fatal,
        "the kernel refuses the programs",
        newer,
    ));
    checks.push(if facts.missing_tracepoints.is_empty() {
        good("tracepoints", "all available")
    } else {
        bad(
            "tracepoints",
            State::Fatal,
            format!("{} missing", facts.missing_tracepoints.join(", ")),
            "killsnoop has nothing to hook",
            "a kernel built with CONFIG_TRACEPOINTS=y and BTF",
        )
    });
    checks.push(either(
        "sleepable iterator",
        host.has_copy_from_user_task,
        State::Limited,
        "command lines of processes older than the trace are read from /proc",
        "Linux 5.18 or newer",
    ));
    checks.push(either(
        "saved registers",
        host.has_task_pt_regs,
        State::Limited,
        "no via, no scope, no --failed, no --probes",
        "Linux 5.15 or newer",
    ));
    checks.push(if host.missing_capabilities.is_empty() {
        either(
            "trampolines (fexit)",
            host.has_trampolines,
            State::Limited,
            "--failed and --probes make every system call of this host some 75 ns slower while killsnoop runs",
            "on x86: a kernel built with CONFIG_FUNCTION_TRACER=y; on arm64: Linux 6.4 or newer",
        )
    } else {
        bad("trampolines (fexit)", State::Limited, "not tried", "capabilities are missing", "")
    });
    checks.push(either(
        "bpf_loop",
        host.has_loop,
        State::Limited,
        "no --env, a start that takes some seconds, and no kernel like this one is tested",
        "Linux 5.17 or newer",
    ));
    checks.push(either(
        "storage allocator",
        host.has_storage_allocator,
        State::Limited,
        "a fork that the kernel's hook skips cannot be recovered where the new task is woken",
        "Linux 6.4 or newer",
    ));
    checks.extend([realtime(host), lockdown(facts), pid_namespace(host), cgroups(facts), memory(facts)]);
    checks
}

fn capabilities(host: &HostFacts) -> Check {
    if host.missing_capabilities.is_empty() {
        return good("capabilities", "CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN");
    }
    let missing = host.missing_capabilities.join(" and ");
    bad(
        "capabilities",
        State::Fatal,
        format!("{missing} missing"),
        "no BPF program can be loaded; some of the checks below are not certain",
        &format!("run it as root (sudo), or give it {missing}"),
    )
}

fn sys_file_system(is_mounted: bool) -> Check {
    if is_mounted {
        return good("/sys", "mounted");
    }
    bad(
        "/sys",
        State::Fatal,
        "not mounted",
        "the kernel's types (BTF) and features cannot be read",
        MOUNT_SYS,
    )
}

fn proc_file_system(fault: Option<ProcFault>) -> Check {
    let name = "/proc";
    let nothing = "nothing is known of processes older than the trace, nor of this one";
    match fault {
        None => good(name, "mounted"),
        Some(ProcFault::NotMounted) => bad(name, State::Fatal, "not mounted", nothing, MOUNT_PROC),
        Some(ProcFault::WithoutSelf) => {
            bad(name, State::Fatal, "of another pid namespace", nothing, MOUNT_PROC)
        }
        Some(ProcFault::Hidden) => bad(
            name,
            State::Limited,
            "hides the processes of others (hidepid)",
            "processes older than the trace that the kernel side could not read stay unknown",
            "give it CAP_SYS_PTRACE, or mount -o remount,hidepid=0 /proc",
        ),
    }
}

/// Is `bpf()` refused although the capabilities are there?
fn bpf_call(facts: &Facts) -> Check {
    let name = "bpf()";
    if !facts.host.missing_capabilities.is_empty() {
        return bad(name, State::Limited, "not tried", "capabilities are missing", "");
    }
    match Refusal::of(&facts.call) {
        // which has a check of its own
        None | Some(Refusal::Lockdown) => good(name, "allowed"),
        Some(refusal) => {
            bad(name, State::Fatal, refusal.found(), "no BPF program can be loaded", refusal.fix())
        }
    }
}

fn realtime(host: &HostFacts) -> Check {
    let name = "PREEMPT_RT";
    if allocates_with_preemption_off(host) {
        return bad(
            name,
            State::Fatal,
            "yes, and no storage allocator",
            "the hooks would allocate memory with preemption off, where such a kernel may sleep",
            "Linux 6.4 or newer, or a kernel without PREEMPT_RT",
        );
    }
    good(name, if host.is_realtime { "yes, with the storage allocator" } else { "no" })
}

fn lockdown(facts: &Facts) -> Check {
    match facts.call.lockdown.as_deref() {
        Some("confidentiality") => bad(
            "lockdown",
            State::Fatal,
            "confidentiality",
            "BPF programs may not read the kernel's memory",
            Refusal::Lockdown.fix(),
        ),
        Some(mode) => good("lockdown", mode),
        None => good("lockdown", "unknown (no securityfs, or no such kernel)"),
    }
}

fn pid_namespace(host: &HostFacts) -> Check {
    if host.in_initial_pid_namespace {
        return good("pid namespace", "the initial one");
    }
    bad(
        "pid namespace",
        State::Limited,
        "not the initial one",
        "pids in events are the host's, not those of this namespace; command lines of processes older than the trace \
         come from /proc under --root",
        "run it with the host's pid namespace (docker run --pid=host), or mount the host's /proc and use --root",
    )
}

fn cgroups(facts: &Facts) -> Check {
    if facts.cgroup_version == 2 {
        return good("cgroup version", "2");
    }
    bad(
        "cgroup version",
        State::Limited,
        "1, or no cgroup file system here",
        "cgroups are those of one hierarchy of version 1: of the memory or the pids controller",
        "boot with systemd.unified_cgroup_hierarchy=1; in a container mount /sys/fs/cgroup",
    )
}

fn memory(facts: &Facts) -> Check {
    match facts.memory_limit {
        Some(limit) if limit < MEMORY_NEEDED => bad(
            "memory of own cgroup",
            State::Limited,
            format!("at most {} MiB", limit >> 20),
            "loading may fail for lack of memory",
            "a limit of 64 MiB or more",
        ),
        Some(limit) => good("memory of own cgroup", format!("at most {} MiB", limit >> 20)),
        None => good("memory of own cgroup", "no limit"),
    }
}

/// What came of doing it.
pub(super) fn trial(result: Result<String, String>) -> Check {
    match result {
        Ok(found) => good("trial", found),
        Err(error) => {
            let mut lines = error.lines();
            let found = lines.next().unwrap_or("failed").to_owned();
            let fix = lines.find_map(|line| line.strip_prefix("hint: ")).unwrap_or("see above");
            bad("trial", State::Fatal, found, "tracing does not work", fix)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn newest() -> Facts {
        Facts {
            host: HostFacts::newest(),
            missing_tracepoints: Vec::new(),
            call: CallFacts::allowed(),
            cgroup_version: 2,
            memory_limit: None,
        }
    }

    fn called(call: CallFacts) -> Facts {
        Facts { call, ..newest() }
    }

    #[test]
    fn on_a_new_host_all_is_well() {
        let checks = examine(&newest());
        assert!(checks.iter().all(|check| check.state == State::Good), "{checks:#?}");
    }

    #[test]
    fn whatever_is_not_well_says_what_follows_and_most_how_to_mend_it() {
        let host = || newest().host;
        let faulty = |fault| Facts { host: HostFacts { proc_fault: Some(fault), ..host() }, ..newest() };
        for (name, state, facts) in [
            (
                "capabilities",
                State::Fatal,
                Facts { host: HostFacts { missing_capabilities: vec!["CAP_BPF"], ..host() }, ..newest() },
            ),
            ("/proc", State::Fatal, faulty(ProcFault::NotMounted)),
            ("/proc", State::Fatal, faulty(ProcFault::WithoutSelf)),
            ("/proc", State::Limited, faulty(ProcFault::Hidden)),
            ("/sys", State::Fatal, Facts { host: HostFacts { has_sys: false, ..host() }, ..newest() }),
            ("BTF", State::Fatal, Facts { host: HostFacts { has_btf: false, ..host() }, ..newest() }),
            (
                "BPF ring buffer",
                State::Fatal,
                Facts { host: HostFacts { has_ring_buffer: false, ..host() }, ..newest() },
            ),
            (
                "task storage",
                State::Fatal,
                Facts { host: HostFacts { has_task_storage: false, ..host() }, ..newest() },
            ),
            ("tracepoints", State::Fatal, Facts { missing_tracepoints: vec!["signal_generate"], ..newest() }),
            (
                "sleepable iterator",
                State::Limited,
                Facts { host: HostFacts { has_copy_from_user_task: false, ..host() }, ..newest() },
            ),
            (
                "saved registers",
                State::Limited,
                Facts { host: HostFacts { has_task_pt_regs: false, ..host() }, ..newest() },
            ),
            (
                "trampolines (fexit)",
                State::Limited,
                Facts { host: HostFacts { has_trampolines: false, ..host() }, ..newest() },
            ),
            ("bpf_loop", State::Limited, Facts { host: HostFacts { has_loop: false, ..host() }, ..newest() }),
            (
                "storage allocator",
                State::Limited,
                Facts { host: HostFacts { has_storage_allocator: false, ..host() }, ..newest() },
            ),
            (
                "callbacks",
                State::Fatal,
                Facts { host: HostFacts { has_callbacks: false, ..host() }, ..newest() },
            ),
            (
                "PREEMPT_RT",
                State::Fatal,
                Facts {
                    host: HostFacts { is_realtime: true, has_storage_allocator: false, ..host() },
                    ..newest()
                },
            ),
            (
                "lockdown",
                State::Fatal,
                called(CallFacts { lockdown: Some("confidentiality".to_owned()), ..CallFacts::allowed() }),
            ),
            (
                "bpf()",
                State::Fatal,
                called(CallFacts {
                    unknown_command: libc::EPERM,
                    has_seccomp_filter: true,
                    ..CallFacts::allowed()
                }),
            ),
            (
                "bpf()",
                State::Fatal,
                called(CallFacts { map: libc::EACCES, selinux_enforces: true, ..CallFacts::allowed() }),
            ),
            (
                "pid namespace",
                State::Limited,
                Facts { host: HostFacts { in_initial_pid_namespace: false, ..host() }, ..newest() },
            ),
            ("cgroup version", State::Limited, Facts { cgroup_version: 1, ..newest() }),
            ("memory of own cgroup", State::Limited, Facts { memory_limit: Some(1 << 20), ..newest() }),
        ] {
            let checks = examine(&facts);
            let check = checks.iter().find(|check| check.name == name).expect(name);
            assert_eq!(check.state, state, "{name}");
            assert!(!check.effect.is_empty() && check.fix.is_some(), "{name}: {check:?}");
            assert!(!check.found.is_empty(), "{name}");
        }
    }

    #[test]
    fn a_failed_trial_says_why_and_what_to_do() {
        let check = trial(Err("cannot load: EPERM\nhint: be root".to_owned()));
        assert_eq!((&*check.found, check.fix.as_deref()), ("cannot load: EPERM", Some("be root")));
        assert_eq!(trial(Ok("fine".to_owned())).state, State::Good);
    }
}
