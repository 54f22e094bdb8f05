//! Which of the tracepoints that killsnoop hooks this kernel has: each has a type of its own in the BTF.

use super::btf::{self, BtfKind};

/// Those that are always hooked.
const NEEDED: [&str; 5] =
    ["signal_generate", "sched_process_exec", "sched_process_fork", "sched_process_exit", "mark_victim"];

/// Those that this kernel lacks; all of them where it has no BTF.
pub(crate) fn missing() -> Vec<&'static str> {
    let Some(kernel) = btf::of_kernel() else { return NEEDED.to_vec() };
    let types = NEEDED.map(|name| format!("btf_trace_{name}"));
    let wanted = types.each_ref().map(|name| (BtfKind::Typedef, name.as_bytes()));
    let found = kernel.find(&wanted);
    NEEDED.into_iter().zip(found).filter(|(_, id)| id.is_none()).map(|(name, _)| name).collect()
}
