//! Whose memory ran out: the kernel functions that led to the OOM killer say it, and /proc/kallsyms says where they
//! are. Read only once there was such a kill.

use std::ops::Range;

use crate::record::OomScope;

/// Only on the way to a kill for a memory cgroup's limit.
const FOR_A_CGROUP: &str = "mem_cgroup_out_of_memory";
/// On the way to every kill for memory.
const FOR_ALL: &str = "out_of_memory";

/// Where these functions are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OomFunctions {
    cgroup: Vec<Range<u64>>,
    all: Vec<Range<u64>>,
}

impl OomFunctions {
    /// From the text of /proc/kallsyms. None if addresses are hidden there (`kernel.kptr_restrict`).
    pub fn parse(text: &str) -> Option<Self> {
        let symbols = || {
            text.lines().filter_map(|line| {
                let (address, rest) = line.split_once(' ')?;
                let name = rest.get(2..)?.split_whitespace().next()?;
                Some((u64::from_str_radix(address, 16).ok()?, name))
            })
        };
        let mut addresses: Vec<u64> =
            symbols().map(|(address, _)| address).filter(|&address| address != 0).collect();
        addresses.sort_unstable();
        // a part that the compiler split off is called NAME.cold, NAME.isra.0
        let is_part_of = |symbol: &str, name: &str| {
            symbol.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let ranges = |name: &str| -> Vec<Range<u64>> {
            symbols()
                .filter(|&(address, symbol)| address != 0 && is_part_of(symbol, name))
                .filter_map(|(address, _)| {
                    let next = addresses.partition_point(|&other| other <= address);
                    Some(address..*addresses.get(next)?)
                })
                .collect()
        };
        let (cgroup, all) = (ranges(FOR_A_CGROUP), ranges(FOR_ALL));
        (!cgroup.is_empty() && !all.is_empty()).then_some(Self { cgroup, all })
    }

    /// None where the stack leads through neither.
    pub fn scope(&self, stack: &[u64]) -> Option<OomScope> {
        let leads_through = |ranges: &[Range<u64>]| {
            stack.iter().any(|address| ranges.iter().any(|range| range.contains(address)))
        };
        if leads_through(&self.cgroup) {
            Some(OomScope::Cgroup)
        } else if leads_through(&self.all) {
            Some(OomScope::Global)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYMBOLS: &str = "ffff0100 t oom_kill_process\nffff0200 T out_of_memory\nffff0300 T next\n\
                           ffff0400 t mem_cgroup_out_of_memory\nffff0500 t try_charge\nffff0900 t out_of_memory.cold\n\
                           ffff0a00 t other\t[module]\n";

    #[test]
    fn the_stack_says_whose_memory_ran_out() {
        let functions = OomFunctions::parse(SYMBOLS).unwrap();
        assert_eq!(functions.scope(&[0xffff_0110, 0xffff_0250, 0xffff_0410]), Some(OomScope::Cgroup));
        assert_eq!(functions.scope(&[0xffff_0110, 0xffff_0250, 0xffff_0550]), Some(OomScope::Global));
        assert_eq!(functions.scope(&[0xffff_0110, 0xffff_0910]), Some(OomScope::Global));
        assert_eq!(functions.scope(&[0xffff_0110, 0xffff_0310]), None);
        assert_eq!(functions.scope(&[]), None);
    }

    #[test]
    fn hidden_addresses_tell_nothing() {
        assert_eq!(
            OomFunctions::parse(
                "0000000000000000 T out_of_memory\n0000000000000000 t mem_cgroup_out_of_memory\n"
            ),
            None
        );
        assert_eq!(OomFunctions::parse(""), None);
        assert_eq!(OomFunctions::parse("nonsense\n\nffff T\n"), None);
    }
}
