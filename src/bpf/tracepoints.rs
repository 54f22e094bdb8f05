//! Which of the tracepoints that killsnoop hooks this kernel has: each has a type of its own in the BTF.

use libbpf_rs::btf::Btf;
use libbpf_rs::btf::types::Typedef;

/// Those that are always hooked.
const NEEDED: [&str; 5] =
    ["signal_generate", "sched_process_exec", "sched_process_fork", "sched_process_exit", "mark_victim"];

/// Those that this kernel lacks; all of them where it has no BTF.
pub fn missing() -> Vec<&'static str> {
    let btf = Btf::from_vmlinux().ok();
    let is_there = |name: &str| {
        btf.as_ref()
            .is_some_and(|btf| btf.type_by_name::<Typedef<'_>>(&format!("btf_trace_{name}")).is_some())
    };
    NEEDED.into_iter().filter(|name| !is_there(name)).collect()
}
