//! Facts about this host, each found by looking, none by comparing version numbers.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::thread::CapabilitySet;

use super::btf::{self, BtfKind};
use crate::enrich::cgroups::UNIFIED;
use crate::enrich::procfs::{self, CgroupLine};

/// What this host offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostFacts {
    /// `uname -r`.
    pub release: String,
    /// What is wrong with /proc, if something is.
    pub proc_fault: Option<ProcFault>,
    /// /sys is there.
    pub has_sys: bool,
    /// Capabilities that loading needs and this process lacks.
    pub missing_capabilities: Vec<&'static str>,
    /// /sys/kernel/btf/vmlinux can be read.
    pub has_btf: bool,
    /// BPF ring buffers (5.8).
    pub has_ring_buffer: bool,
    /// Task storage in tracing programs (5.11).
    pub has_task_storage: bool,
    /// Functions of a program as arguments (5.13): 5.12 refuses those even where they are never reached.
    pub has_callbacks: bool,
    /// A kernel built with `PREEMPT_RT`: memory cannot be allocated with preemption off.
    pub is_realtime: bool,
    /// A sleepable iterator that can read the memory of others (5.18).
    pub has_copy_from_user_task: bool,
    /// This process is in the initial pid namespace: its pids are those of the records.
    pub in_initial_pid_namespace: bool,
    /// Local storage has an allocator of its own (6.4): it can be created under a lock of the scheduler.
    pub has_storage_allocator: bool,
    /// The saved registers of a task (5.15): without them there is no `via`.
    pub has_task_pt_regs: bool,
    /// BPF programs can be attached to the end of a kernel function. Only a trial shows it, and only
    /// attempts need it: false until [`try_trampoline`](super::load::try_trampoline) was asked.
    pub has_trampolines: bool,
    /// BPF programs can loop without the verifier following each turn (5.17).
    pub has_loop: bool,
    /// The hierarchy of cgroups version 1 in which container managers make one for each container.
    pub legacy_cgroups: Option<LegacyCgroups>,
}

/// What to do where there is no /proc.
pub const MOUNT_PROC: &str = "mount -t proc proc /proc";
/// What to do where there is no /sys.
pub const MOUNT_SYS: &str = "mount -t sysfs sysfs /sys; in a container: -v /sys:/sys:ro";

/// What may be wrong with /proc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcFault {
    /// Nothing is mounted there, or something else.
    NotMounted,
    /// It is that of a pid namespace in which this process is not.
    WithoutSelf,
    /// It hides the processes of others from this one (`hidepid`).
    Hidden,
}

impl ProcFault {
    /// Of the /proc that there is.
    pub fn look() -> Option<Self> {
        let proc_directory = Path::new("/proc");
        Self::of(procfs::is_mounted(proc_directory), |file| fs::read(proc_directory.join(file)).is_ok())
    }

    fn of(is_mounted: bool, can_read: impl Fn(&str) -> bool) -> Option<Self> {
        if !is_mounted {
            Some(Self::NotMounted)
        } else if !can_read("self/status") {
            Some(Self::WithoutSelf)
        } else {
            (!can_read("1/status")).then_some(Self::Hidden)
        }
    }
}

/// A hierarchy of cgroups version 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LegacyCgroups {
    /// Its number, which is never 0.
    pub hierarchy: u32,
    /// It is that of the memory controller; else of the pids controller.
    pub is_memory: bool,
}

/// `include/linux/proc_ns.h`: the inode of the initial pid namespace.
const PROC_PID_INIT_INO: u64 = 0xEFFF_FFFC;

/// Looks at this host.
pub fn host() -> HostFacts {
    let helper = |name| (BtfKind::Enum, "bpf_func_id", name);
    let wanted = [
        helper("BPF_FUNC_ringbuf_output"),
        helper("BPF_FUNC_task_storage_get"),
        // came with BPF_PSEUDO_FUNC (69c087ba6225)
        helper("BPF_FUNC_for_each_map_elem"),
        helper("BPF_FUNC_copy_from_user_task"),
        helper("BPF_FUNC_task_pt_regs"),
        helper("BPF_FUNC_loop"),
        // struct members that came with it: 6.4 (08a7ce384e33), 6.19, and 7.x, which has no other way any more
        (BtfKind::Struct, "bpf_local_storage_map", "selem_ma"),
        (BtfKind::Struct, "bpf_local_storage_map", "use_kmalloc_nolock"),
        (BtfKind::Struct, "bpf_local_storage", "owner_refcnt"),
    ];
    let (types, uname) = (btf::of_kernel(), rustix::system::uname());
    let found = types.as_ref().map_or_else(|| vec![false; wanted.len()], |types| types.have(&wanted));
    let has = |name| wanted.iter().zip(&found).any(|((.., wanted), &found)| *wanted == name && found);
    HostFacts {
        release: uname.release().to_string_lossy().into_owned(),
        proc_fault: ProcFault::look(),
        has_sys: is_sys_mounted(),
        // the kernel is asked: a file of /proc that cannot be read is no capability that is missing
        missing_capabilities: missing_capabilities(
            rustix::thread::capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.effective),
        ),
        has_btf: types.is_some(),
        has_ring_buffer: has("BPF_FUNC_ringbuf_output"),
        has_task_storage: has("BPF_FUNC_task_storage_get"),
        has_callbacks: has("BPF_FUNC_for_each_map_elem"),
        is_realtime: is_realtime(
            &fs::read_to_string("/sys/kernel/realtime").unwrap_or_default(),
            &uname.version().to_string_lossy(),
        ),
        has_copy_from_user_task: has("BPF_FUNC_copy_from_user_task"),
        in_initial_pid_namespace: in_initial_pid_namespace(),
        has_storage_allocator: has("selem_ma") || has("use_kmalloc_nolock") || has("owner_refcnt"),
        has_task_pt_regs: has("BPF_FUNC_task_pt_regs"),
        has_trampolines: false,
        has_loop: has("BPF_FUNC_loop"),
        legacy_cgroups: legacy_cgroups(&procfs::read_text("/proc/self/cgroup").unwrap_or_default()),
    }
}

/// Is a pid in here the same as the kernel's own?
pub fn in_initial_pid_namespace() -> bool {
    fs::metadata("/proc/self/ns/pid").is_ok_and(|namespace| namespace.ino() == PROC_PID_INIT_INO)
}

/// Bytes that this process may have the kernel keep for it: the smallest limit of a memory cgroup on the way up.
pub fn memory_limit() -> Option<u64> {
    let cgroups = procfs::read_text("/proc/self/cgroup").ok()?;
    let limits = CgroupLine::parse_all(&cgroups).filter_map(|line| {
        let (root, file) = match line.hierarchy {
            UNIFIED => ("/sys/fs/cgroup", "memory.max"),
            _ if line.has("memory") => ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            _ => return None,
        };
        Path::new(root)
            .join(line.path.strip_prefix('/')?)
            .ancestors()
            .take_while(|directory| directory.starts_with(root))
            .filter_map(|directory| fs::read_to_string(directory.join(file)).ok()?.trim().parse().ok())
            .min()
    });
    // version 1 has no word for none
    limits.min().filter(|&limit: &u64| limit < 1 << 50)
}

/// From lines such as `4:memory:/system.slice`.
fn legacy_cgroups(text: &str) -> Option<LegacyCgroups> {
    let hierarchy_of = |wanted: &str| {
        CgroupLine::parse_all(text)
            .find(|line| line.hierarchy != UNIFIED && line.has(wanted))
            .map(|line| line.hierarchy)
    };
    let memory = hierarchy_of("memory").map(|hierarchy| LegacyCgroups { hierarchy, is_memory: true });
    memory.or_else(|| hierarchy_of("pids").map(|hierarchy| LegacyCgroups { hierarchy, is_memory: false }))
}

/// By the file that the patches outside the mainline kernel add, or by what `uname -v` says.
fn is_realtime(file: &str, version: &str) -> bool {
    file.trim() == "1" || version.split_whitespace().any(|word| word == "PREEMPT_RT")
}

/// The highest CPU id that there can be, plus one: ids may have gaps.
///
/// # Errors
/// If /sys is not mounted.
pub fn possible_cpu_ids() -> io::Result<usize> {
    let text = fs::read_to_string("/sys/devices/system/cpu/possible")?;
    highest_id(&text)
        .map(|id| id + 1)
        .ok_or_else(|| io::Error::other(format!("'{}' is no list of CPUs", text.trim())))
}

/// Of a list such as `0-3,8-11`.
fn highest_id(list: &str) -> Option<usize> {
    list.trim().rsplit([',', '-']).next()?.parse().ok()
}

fn is_sys_mounted() -> bool {
    /// `SYSFS_MAGIC` (`include/uapi/linux/magic.h`).
    const SYSFS_MAGIC: u64 = 0x6265_6572;
    rustix::fs::statfs("/sys").is_ok_and(|found| found.f_type as u64 == SYSFS_MAGIC)
}

fn missing_capabilities(effective: CapabilitySet) -> Vec<&'static str> {
    if effective.contains(CapabilitySet::SYS_ADMIN) {
        return Vec::new();
    }
    [(CapabilitySet::BPF, "CAP_BPF"), (CapabilitySet::PERFMON, "CAP_PERFMON")]
        .into_iter()
        .filter(|&(capability, _)| !effective.contains(capability))
        .map(|(_, name)| name)
        .collect()
}

#[cfg(test)]
impl HostFacts {
    /// A host on which nothing is missing.
    pub(crate) fn newest() -> Self {
        Self {
            release: "6.18".to_owned(),
            proc_fault: None,
            has_sys: true,
            missing_capabilities: Vec::new(),
            has_btf: true,
            has_ring_buffer: true,
            has_task_storage: true,
            has_callbacks: true,
            is_realtime: false,
            has_copy_from_user_task: true,
            in_initial_pid_namespace: true,
            has_storage_allocator: true,
            has_task_pt_regs: true,
            has_trampolines: true,
            has_loop: true,
            legacy_cgroups: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_real_time_kernel_says_so_in_a_file_or_in_its_version() {
        for (file, version, realtime) in [
            ("1\n", "#1 SMP PREEMPT_RT Debian 6.1.176-1 (2026-08-01)\n", true),
            ("", "#1 SMP PREEMPT_RT Debian 6.12.117-1\n", true),
            ("", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.176-1\n", false),
            ("0\n", "#1 SMP PREEMPT_RTX\n", false),
            ("", "", false),
        ] {
            assert_eq!(is_realtime(file, version), realtime, "{file} {version}");
        }
    }

    #[test]
    fn cpu_ids_may_have_gaps() {
        for (list, highest) in [("0\n", Some(0)), ("0-3\n", Some(3)), ("0-3,8-11", Some(11)), ("", None)] {
            assert_eq!(highest_id(list), highest, "{list}");
        }
    }

    #[test]
    fn a_hierarchy_of_version_1_is_found_by_its_controller() {
        let legacy = |hierarchy, is_memory| Some(LegacyCgroups { hierarchy, is_memory });
        for (text, found) in [
            ("0::/init.scope\n", None),
            ("12:pids:/a\n4:memory:/a\n1:name=systemd:/a\n0::/a\n", legacy(4, true)),
            ("3:cpu,cpuacct:/\n2:freezer,pids:/b:c\n0::/\n", legacy(2, false)),
            ("nonsense\n:memory:/\n0:memory:/\n", None),
        ] {
            assert_eq!(legacy_cgroups(text), found, "{text}");
        }
    }

    #[test]
    fn capabilities_are_read_from_the_effective_set() {
        let (bpf, perfmon) = (CapabilitySet::BPF, CapabilitySet::PERFMON);
        assert_eq!(missing_capabilities(CapabilitySet::empty()), ["CAP_BPF", "CAP_PERFMON"]);
        assert_eq!(missing_capabilities(CapabilitySet::all()), [""; 0]);
        assert_eq!(missing_capabilities(bpf), ["CAP_PERFMON"]);
        assert_eq!(missing_capabilities(perfmon), ["CAP_BPF"]);
        assert_eq!(missing_capabilities(bpf | perfmon), [""; 0]);
        assert_eq!(missing_capabilities(CapabilitySet::SYS_ADMIN), [""; 0]);
    }

    #[test]
    fn what_is_wrong_with_proc_is_not_taken_for_something_else() {
        let of = |is_mounted, readable: &[&str]| ProcFault::of(is_mounted, |file| readable.contains(&file));
        assert_eq!(of(true, &["self/status", "1/status"]), None);
        assert_eq!(of(false, &[]), Some(ProcFault::NotMounted));
        // a directory that somebody has filled
        assert_eq!(of(false, &["self/status", "1/status"]), Some(ProcFault::NotMounted));
        assert_eq!(of(true, &["1/status"]), Some(ProcFault::WithoutSelf));
        assert_eq!(of(true, &["self/status"]), Some(ProcFault::Hidden));
    }
}
