//! From facts about the host to what is loaded: pure, so that it is tested with made-up hosts.

use super::probe::HostFacts;
use crate::config::Config;
use crate::error::TraceError;

/// How the processes older than the tracer become known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seeding {
    /// The kernel's sleepable task iterator.
    Iterator,
    /// /proc, into the same map.
    Proc,
}

impl Seeding {
    /// For messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Iterator => "by the kernel's task iterator",
            Self::Proc => "from /proc",
        }
    }
}

/// What to load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How to seed.
    pub seeding: Seeding,
    /// The system call of a signal can be told.
    pub tells_via: bool,
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
    if !host.has_btf {
        return Err(TraceError::NoBtf { release: host.release.clone() });
    }
    let needed =
        [(host.has_ring_buffer, "BPF ring buffer"), (host.has_task_storage, "BPF task storage for tracing")];
    if let Some((_, lacking)) = needed.into_iter().find(|(has, _)| !has) {
        return Err(TraceError::TooOld { release: host.release.clone(), lacking: lacking.to_owned() });
    }
    let by_iterator = host.has_copy_from_user_task && !config.seed_from_proc;
    Ok(Plan {
        seeding: if by_iterator { Seeding::Iterator } else { Seeding::Proc },
        tells_via: host.has_task_pt_regs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn newest() -> HostFacts {
        HostFacts {
            release: "6.18".to_owned(),
            missing_capabilities: Vec::new(),
            has_btf: true,
            has_ring_buffer: true,
            has_task_storage: true,
            has_copy_from_user_task: true,
            has_task_pt_regs: true,
        }
    }

    #[test]
    fn a_new_kernel_seeds_by_the_iterator_unless_told_otherwise() {
        let mut config = Config::default();
        assert_eq!(plan(&newest(), &config).unwrap().seeding, Seeding::Iterator);
        config.seed_from_proc = true;
        assert_eq!(plan(&newest(), &config).unwrap().seeding, Seeding::Proc);
    }

    #[test]
    fn below_5_18_proc_seeds() {
        let host = HostFacts { has_copy_from_user_task: false, ..newest() };
        assert_eq!(plan(&host, &Config::default()).unwrap().seeding, Seeding::Proc);
    }

    #[test]
    fn each_refusal_says_what_is_missing_and_what_to_do() {
        for (host, words) in [
            (
                HostFacts { missing_capabilities: vec!["CAP_BPF", "CAP_PERFMON"], ..newest() },
                ["CAP_BPF and CAP_PERFMON", "sudo"],
            ),
            (HostFacts { has_btf: false, ..newest() }, ["BTF", "CONFIG_DEBUG_INFO_BTF"]),
            (
                HostFacts { has_task_storage: false, release: "5.10".to_owned(), ..newest() },
                ["5.10", "needs Linux 5.11"],
            ),
            (HostFacts { has_ring_buffer: false, ..newest() }, ["ring buffer", "hint"]),
        ] {
            let message = plan(&host, &Config::default()).unwrap_err().to_string();
            for word in words {
                assert!(message.contains(word), "{message}");
            }
        }
    }
}
