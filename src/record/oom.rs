//! What the OOM killer knew of its victim: its record comes just after the signal's.

use super::reader::{DecodeError, Reader};
use crate::base::reversed_path;
use crate::wire::WireOom;

/// Whose memory ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OomScope {
    /// A memory cgroup's.
    Cgroup,
    /// That of the NUMA nodes of a cpuset.
    Cpuset,
    /// That of the NUMA nodes of a memory policy (`mbind`, `set_mempolicy`).
    MemoryPolicy,
    /// The host's.
    Global,
}

impl OomScope {
    /// The word of the output contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cgroup => "cgroup",
            Self::Cpuset => "cpuset",
            Self::MemoryPolicy => "memory-policy",
            Self::Global => "global",
        }
    }
}

/// What the OOM killer knew of its victim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OomFacts {
    /// `CLOCK_BOOTTIME`, nanoseconds.
    pub time: u64,
    /// The victim.
    pub pid: u32,
    /// Boot-time nanoseconds of its start; 0 where the kernel does not say.
    pub start: u64,
    /// The thread that ran the OOM killer: its allocation it was, unless somebody asked for it.
    pub current_tid: u32,
    /// File, anonymous and shared pages, by the kernel's approximate counters; None where it does not say.
    pub rss_pages: Option<u64>,
    /// Usage and limit, in pages, of the memory cgroup nearest to its limit among the victim's and those above.
    pub usage_and_limit: Option<(u64, u64)>,
    /// Path of that cgroup in its hierarchy.
    pub cgroup: Vec<u8>,
    /// NUMA nodes, of the first 64, that the cpuset of whose allocation it was lets it have; all ones: any.
    pub cpuset_nodes: u64,
    /// And its memory policy.
    pub policy_nodes: u64,
    /// Somebody asked for a victim by `SysRq`: memory need not have run out.
    pub by_sysrq: bool,
    /// Return addresses of the kernel functions that led to it.
    pub stack: Vec<u64>,
    /// Whose memory ran out, once the stack has been looked up.
    pub scope: Option<OomScope>,
}

/// `PAGE_COUNTER_MAX` of `include/linux/page_counter.h` in the largest pages that there are: no limit.
const NO_LIMIT: u64 = (i64::MAX / 65536) as u64;

pub(super) fn decode(bytes: &[u8]) -> Result<OomFacts, DecodeError> {
    let mut reader = Reader::new(bytes);
    let head: WireOom = reader.read("an OOM kill")?;
    let path = reader.bytes(head.path_bytes as usize, "a cgroup's path")?;
    // before 6.9 the kernel names no more than the id of a thread
    let knows_victim = head.start_time != 0;
    // swap entries (2) are no memory; the counters lag, and may be below 0 for a moment
    let pages = |place: usize| head.rss[place].max(0) as u64;
    let frames = (head.stack_bytes as usize / size_of::<u64>()).min(head.stack.len());
    Ok(OomFacts {
        time: head.time,
        pid: head.tgid,
        start: head.start_time,
        current_tid: head.current_tid,
        rss_pages: knows_victim.then(|| pages(0).saturating_add(pages(1)).saturating_add(pages(3))),
        usage_and_limit: (knows_victim && head.limit != 0 && head.limit < NO_LIMIT)
            .then_some((head.usage, head.limit)),
        cgroup: reversed_path::to_path(path),
        cpuset_nodes: head.cpuset_nodes,
        policy_nodes: head.policy_nodes,
        by_sysrq: false,
        stack: head.stack[..frames].to_vec(),
        scope: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::samples::sealed;
    use crate::record::{Record, decode};
    use crate::wire::{Kind, VERSION, bytes_of};

    #[test]
    fn an_oom_kill_has_pages_and_a_path_from_the_top() {
        let head = WireOom {
            version: VERSION,
            kind: Kind::RECORD_OOM.0 as u16,
            tgid: 42,
            start_time: 9,
            rss: [10, 20, 1000, -3],
            usage: 99,
            limit: 100,
            stack_bytes: 16,
            path_bytes: 10,
            ..WireOom::default()
        };
        let bytes = |head: &WireOom| sealed([bytes_of(head), b"job\0batch\0"].concat());
        let Ok(Record::Oom(oom)) = decode(&bytes(&head)) else { panic!("not an OOM kill") };
        assert_eq!((oom.rss_pages, oom.usage_and_limit), (Some(30), Some((99, 100))), "swap is no memory");
        assert_eq!((&oom.cgroup[..], oom.stack.len()), (&b"/batch/job"[..], 2));
        // no limit is none; and a kernel that names no more than a pid knows no weight
        let unlimited = WireOom { limit: NO_LIMIT, ..head };
        assert!(matches!(decode(&bytes(&unlimited)), Ok(Record::Oom(oom)) if oom.usage_and_limit.is_none()));
        let silent = WireOom { start_time: 0, ..head };
        assert!(matches!(decode(&bytes(&silent)), Ok(Record::Oom(oom)) if oom.rss_pages.is_none()));
        assert!(decode(&bytes(&head)[..size_of::<WireOom>() + 5]).is_err());
        let impossible = WireOom { rss: [i64::MAX; 4], ..head };
        assert!(
            matches!(decode(&bytes(&impossible)), Ok(Record::Oom(oom)) if oom.rss_pages == Some(u64::MAX))
        );
    }
}
