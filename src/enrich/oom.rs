//! Whose memory ran out: of the host, of a cgroup, of the nodes that a cpuset or a memory policy allows.

use std::fs;

use super::Enricher;
use crate::record::{OomFacts, OomScope};

/// The bits of a list as the kernel prints it: `0-1,3`. What is beyond 64 is left out.
pub(crate) fn bits_of_list(text: &str) -> u64 {
    let mut bits = 0;
    for part in text.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (Ok(first), Ok(last)) = (first.parse::<u32>(), last.parse::<u32>()) else { continue };
        for bit in first..=last.min(63) {
            bits |= 1 << bit;
        }
    }
    bits
}

impl Enricher {
    /// Adds the scope of an OOM kill.
    pub(crate) fn fill_oom(&self, oom: &mut OomFacts) {
        let Some(functions) = self.stacks.functions() else { return };
        (oom.scope, oom.by_sysrq) = functions.oom_scope(&oom.stack);
        // mm/oom_kill.c: constrained_alloc() asks the policy first
        if oom.by_sysrq {
            oom.scope = None;
        }
        if oom.scope == Some(OomScope::Global) {
            let with_memory = self.nodes_with_memory();
            if with_memory & !oom.policy_nodes != 0 {
                oom.scope = Some(OomScope::MemoryPolicy);
            } else if with_memory & !oom.cpuset_nodes != 0 {
                oom.scope = Some(OomScope::Cpuset);
            }
        }
    }

    /// NUMA nodes that have memory, of the first 64; none where the kernel does not say.
    fn nodes_with_memory(&self) -> u64 {
        let path = self.proc_directory.with_file_name("sys").join("devices/system/node/has_memory");
        fs::read_to_string(path).map_or(0, |text| bits_of_list(&text))
    }
}
