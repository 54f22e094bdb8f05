//! What this process may still do once the hooks are attached: as little as tracing needs.
//!
//! What has to work afterwards, and with which capability:
//!
//! | operation | capability |
//! |---|---|
//! | read the ring, read the counters | none: both are mapped |
//! | look a command line up in the kernel's maps, read `recursion_misses`, run the iterator again | `CAP_BPF`, `CAP_PERFMON` (kernels before 5.19 ask for them at every `bpf()`) |
//! | read `/proc/PID` of others, also where it is mounted with `hidepid` | `CAP_SYS_PTRACE`, `CAP_DAC_READ_SEARCH` |
//! | read from `/proc/kallsyms`, once there was an OOM kill, which functions led to it | `CAP_SYSLOG` |
//! | open a FILE of `--output` anew, in whoever's directory | `CAP_DAC_OVERRIDE`, only if there is a FILE |
//! | hand SIGTERM on to the command of `killsnoop run`, whoever it runs as | `CAP_KILL`, only then |
//!
//! And no program that this process might start gets more (`no_new_privs`).

use rustix::thread::{CapabilitySet, CapabilitySets};

/// What must still be possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// Files of outputs are opened anew.
    pub reopens_files: bool,
    /// Processes of others are signalled.
    pub signals_others: bool,
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
    let mut wanted = bpf | CapabilitySet::SYS_PTRACE | CapabilitySet::DAC_READ_SEARCH | CapabilitySet::SYSLOG;
    if needs.reopens_files {
        wanted |= CapabilitySet::DAC_OVERRIDE;
    }
    if needs.signals_others {
        wanted |= CapabilitySet::KILL;
    }
    // a container may have been given the one that both were split off from
    if !permitted.contains(bpf) {
        wanted |= CapabilitySet::SYS_ADMIN;
    }
    permitted & wanted
}

/// Gives up everything else, in this thread and those that it starts from here on. Returns what was kept, in words.
/// What cannot be given up is no reason not to trace.
pub fn drop(needs: Needs) -> String {
    match try_drop(needs) {
        Ok(kept) => words(kept),
        Err(error) => {
            tracing::warn!("cannot give up capabilities that are no longer needed: {error}");
            "all".to_owned()
        }
    }
}

fn try_drop(needs: Needs) -> rustix::io::Result<CapabilitySet> {
    let permitted = rustix::thread::capabilities(None)?.permitted;
    let kept = kept(permitted, needs);
    rustix::thread::set_no_new_privs(true)?;
    // a kernel without ambient capabilities has none to clear
    let _ = rustix::thread::clear_ambient_capability_set();
    let sets = CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    rustix::thread::set_capabilities(None, sets)?;
    Ok(kept)
}

fn words(kept: CapabilitySet) -> String {
    let names: Vec<&str> =
        NAMES.iter().filter(|(capability, _)| kept.contains(*capability)).map(|(_, name)| *name).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BPF: CapabilitySet = CapabilitySet::BPF.union(CapabilitySet::PERFMON);
    const PROC: CapabilitySet =
        CapabilitySet::SYS_PTRACE.union(CapabilitySet::DAC_READ_SEARCH).union(CapabilitySet::SYSLOG);

    #[test]
    fn only_what_is_needed_is_kept_and_nothing_is_gained() {
        let all = CapabilitySet::all();
        let no = Needs::default();
        assert_eq!(kept(all, no), BPF | PROC);
        assert_eq!(kept(all, Needs { reopens_files: true, ..no }), BPF | PROC | CapabilitySet::DAC_OVERRIDE);
        assert_eq!(kept(all, Needs { signals_others: true, ..no }), BPF | PROC | CapabilitySet::KILL);
        assert_eq!(kept(BPF, no), BPF);
        assert_eq!(kept(CapabilitySet::SYS_ADMIN, no), CapabilitySet::SYS_ADMIN);
        assert_eq!(kept(CapabilitySet::empty(), no), CapabilitySet::empty());
    }

    #[test]
    fn what_was_kept_is_named() {
        assert_eq!(words(BPF), "CAP_BPF CAP_PERFMON");
        assert_eq!(words(CapabilitySet::empty()), "none");
    }

    #[test]
    fn a_thread_has_given_it_up_afterwards() {
        std::thread::spawn(|| {
            let before = rustix::thread::capabilities(None).unwrap().permitted;
            drop(Needs::default());
            let after = rustix::thread::capabilities(None).unwrap();
            assert_eq!(after.permitted, kept(before, Needs::default()));
            assert_eq!(after.effective, after.permitted);
            assert!(after.inheritable.is_empty());
        })
        .join()
        .unwrap();
    }
}
