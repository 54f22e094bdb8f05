//! The facts of one ring record: what the kernel side saw, typed, and judged by nobody yet.
//!
//! [`decode()`] makes them from bytes; what they mean is said in [`origin`](crate::event::origin) and
//! [`event`](crate::event).

pub mod cause;
mod decode;
pub mod names;

use std::borrow::Cow;

use self::cause::Explanation;
use crate::base::reversed_path;
pub use crate::wire::COMM_BYTES;
use crate::wire::Constant;

pub use decode::{DecodeError, decode, decode_ghost, decode_titles};
pub(crate) use decode::{has_previous, head_of_signal};

/// Environment variables that can be asked for.
pub const MAX_VARIABLES: usize = Constant::MAX_VARIABLES.0 as usize;

/// Bytes that the name of one may have, without the `=`.
pub const MAX_VARIABLE_NAME: usize = Constant::VARIABLE_NAME.0 as usize - 1;

/// Can a variable of this name be asked for? The name becomes a key of the output.
pub fn is_variable_name(name: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'=' | b'"' | b'\\');
    !name.is_empty() && name.len() <= MAX_VARIABLE_NAME && name.iter().all(is_plain)
}

/// What stood in the place of the siginfo pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigInfo {
    /// `SEND_SIG_NOINFO`.
    None,
    /// `SEND_SIG_PRIV`: the kernel itself.
    Kernel,
    /// A siginfo. What it says may be a sender's claim.
    Given {
        /// `si_code`.
        code: i32,
        /// The first bytes of `_sifields`.
        fields: [u8; 16],
    },
}

/// The table that a system call number belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyscallAbi {
    /// x86-64.
    X86_64,
    /// 32-bit calls on x86.
    I386,
    /// 32-bit pointers, 64-bit registers on x86.
    X32,
    /// 64-bit ARM.
    Arm64,
    /// 32-bit calls on ARM.
    Arm,
}

/// What the saved registers of the running task hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Syscall {
    /// Its table.
    pub abi: SyscallAbi,
    /// Its number there.
    pub number: i64,
    /// Its first four arguments.
    pub args: [u64; 4],
    /// Nothing was returned yet, by the register of the result, which a tracer may change.
    pub is_active: bool,
}

/// What the target does with this signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// The default action.
    Default,
    /// `SIG_IGN`.
    Ignored,
    /// A handler.
    Handled,
}

/// Whether the target lets the signal through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocking {
    /// Some thread has it open.
    Open,
    /// Nobody has.
    Blocked,
    /// Somebody waits for it (`sigwait`).
    Waited,
    /// More threads than were looked at.
    Unknown,
}

/// What only source and target have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Task {
    /// Thread id.
    pub tid: u32,
    /// `task->flags`.
    pub flags: u32,
    /// Real user id.
    pub uid: u32,
    /// Effective group id.
    pub gid: u32,
    /// Audit login uid; `u32::MAX` is unset.
    pub login_uid: u32,
    /// Process group.
    pub pgid: u32,
    /// Session.
    pub session: u32,
    /// Thread group id inside its own pid namespace; 0 if unknown.
    pub namespace_pid: u32,
    /// Inode of that namespace.
    pub namespace_inode: u32,
    /// Its depth; 0 is the initial one.
    pub namespace_level: u32,
    /// `task->__state`.
    pub state: u32,
    /// The leader's `exit_state`.
    pub exit_state: u32,
    /// Threads that have not begun to exit.
    pub live: u32,
    /// `signal->flags`.
    pub signal_flags: u32,
    /// `signal->group_exit_code`.
    pub group_exit_code: u32,
    /// Id of its cgroup in the default hierarchy.
    pub cgroup: u64,
    /// And in the hierarchy of version 1 that is looked at; 0 if none is.
    pub legacy_cgroup: u64,
    /// Inodes of its namespaces, where they are not those of PID 1; 0 where they are.
    pub mount_namespace: u32,
    /// As above.
    pub net_namespace: u32,
    /// As above.
    pub uts_namespace: u32,
    /// As above.
    pub user_namespace: u32,
    /// It had no namespaces any more: none of the above says anything.
    pub namespaces_gone: bool,
    /// Name of its terminal, as the kernel has it, and NULs.
    pub tty: [u8; 16],
    /// The low half of `task->jobctl`.
    pub jobctl: u32,
}

/// `PF_EXITING` of include/linux/sched.h.
pub const PF_EXITING: u32 = 0x4;
/// `PF_IO_WORKER` of include/linux/sched.h.
pub const PF_IO_WORKER: u32 = 0x10;
/// `PF_KTHREAD` of include/linux/sched.h.
pub const PF_KTHREAD: u32 = 0x0020_0000;

/// Why a command line is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// Older than the tracer and not seeded, or a hook was missed.
    Unknown,
    /// It was exec'ing while it was read.
    ExecRace,
    /// A new image runs for which the exec hook has not run yet.
    MidExec,
    /// The argument block could not be read.
    Unreadable,
    /// The kernel had no memory to keep it.
    NoMemory,
    /// It is older than the tracer, and had written a title over its arguments.
    Overwritten,
}

impl Gap {
    /// The word in `missing`.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::ExecRace => "exec-race",
            Self::MidExec => "mid-exec",
            Self::Unreadable => "unreadable",
            Self::NoMemory => "no-memory",
            Self::Overwritten => "overwritten",
        }
    }
}

/// Where a command line was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ArgvFrom {
    /// At its exec, by the hook.
    #[default]
    Exec,
    /// From the memory of a process that is older than the tracer, which may have written there what it liked.
    Memory,
    /// From /proc.
    Proc,
}

/// The command line of a process, as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argv<'a> {
    /// As exec'd, NUL separated.
    Known {
        /// The bytes kept.
        bytes: Cow<'a, [u8]>,
        /// How many there are in the process.
        total: u32,
        /// Where they were read.
        from: ArgvFrom,
    },
    /// A kernel thread has none.
    NotApplicable,
    /// There is one, but it could not be had.
    Missing(Gap),
}

/// The live text of the sender's argument block, where it differs from argv.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Title<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// It was written over the end of the block: one string, not a list.
    pub spilt: bool,
    /// Only its beginning is here.
    pub cut: bool,
}

/// One process of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessFacts<'a> {
    /// Thread group id in the initial pid namespace.
    pub pid: u32,
    /// Boot-time nanoseconds of its start.
    pub start: u64,
    /// `comm` of the leader, without the NULs.
    pub comm: Cow<'a, [u8]>,
    /// Effective user id.
    pub uid: u32,
    /// Low half of `self_exec_id`.
    pub exec_id: u32,
    /// Low half of `mm->arg_start`, where the command line is missing and there is one to be had: which image
    /// it was, so that /proc can be asked for the same one. 0: there is none.
    pub arg_start: u32,
    /// Command line.
    pub argv: Argv<'a>,
    /// Live title, of a source only.
    pub title: Option<Title<'a>>,
    /// There should be a title, but it could not be read.
    pub title_lost: bool,
    /// What only source and target have.
    pub subject: Option<Box<SubjectFacts<'a>>>,
}

/// What is kept of source and target alone, in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SubjectFacts<'a> {
    /// The executable: names, each with its NUL, the nearest first; empty if it could not be had.
    pub exe: Cow<'a, [u8]>,
    /// It is not below the root directory of the process.
    pub exe_unreachable: bool,
    /// `utsname.nodename`, where it is in a UTS namespace of its own.
    pub nodename: &'a [u8],
    /// The environment variables that were asked for: `NAME=value`, each with its NUL.
    pub environment: &'a [u8],
    /// Not all of them could be kept.
    pub environment_cut: bool,
    /// They could not be read.
    pub environment_lost: bool,
}

impl SubjectFacts<'_> {
    /// The path of the executable, as the process itself would see it.
    pub fn exe_path(&self) -> Option<Vec<u8>> {
        let path = reversed_path::to_path(&self.exe);
        (!path.is_empty()).then_some(path)
    }
}

/// The last signal to a process that could have ended it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Previous {
    /// `CLOCK_BOOTTIME`, nanoseconds.
    pub time: u64,
    /// Its number, 1 to 64.
    pub signal: u8,
    /// `TRACE_SIGNAL_*`.
    pub result: u32,
    /// No record told of it.
    pub hidden: bool,
    /// It met the default action.
    pub met_default: bool,
    /// A fault at an address of the target's own.
    pub is_page_fault: bool,
    /// The process that sent it, if one did.
    pub source: Option<PreviousSource>,
}

impl Previous {
    /// It is of this number, and arrived: neither ignored nor told to be pending already.
    pub fn may_be_what_ended_it(&self, number: u8) -> bool {
        // TRACE_SIGNAL_DELIVERED and TRACE_SIGNAL_LOSE_INFO
        self.signal == number && matches!(self.result, 0 | 4)
    }
}

/// A `comm`, without the NULs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Comm {
    bytes: [u8; 16],
    length: u8,
}

impl From<&[u8]> for Comm {
    /// What the kernel would not keep is cut.
    fn from(comm: &[u8]) -> Self {
        let mut bytes = [0; 16];
        let length = comm.len().min(bytes.len());
        bytes[..length].copy_from_slice(&comm[..length]);
        Self { bytes, length: length as u8 }
    }
}

impl std::ops::Deref for Comm {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// Who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreviousSource {
    /// Thread group id in the initial pid namespace.
    pub pid: u32,
    /// Boot-time nanoseconds of its start.
    pub start: u64,
    /// `comm`, without the NULs.
    pub comm: Comm,
}

/// A child of the source that died of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChildDeath {
    /// Its thread group id.
    pub pid: u32,
    /// What it died of.
    pub signal: u8,
    /// `CLOCK_BOOTTIME`, nanoseconds, to a millisecond.
    pub time: u64,
}

/// Who started a process whose parent is another now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpawnerFacts {
    /// Place in `processes` of the one that it started.
    pub of: usize,
    /// Its own place.
    pub process: usize,
    /// It has ended: what is told of it was kept.
    pub exited: bool,
    /// It has run another program since.
    pub execed_since: bool,
}

/// What the kernel keeps of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelIdentity {
    /// Low half of `self_exec_id` when argv was read.
    pub exec_id: u32,
    /// The bytes kept.
    pub argv: Vec<u8>,
    /// How many it has.
    pub argv_total: u32,
    /// There is an argv.
    pub is_known: bool,
    /// Where it was read.
    pub from: ArgvFrom,
    /// There was one, and the process had written over it before it was read.
    pub is_overwritten: bool,
    /// The path of the executable: its names, each with a NUL, the nearest first.
    pub exe: Vec<u8>,
}

/// What is left of a process that ended before those that it started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ghost {
    /// As it was when it ended.
    pub process: ProcessFacts<'static>,
    /// The key of whoever started it, and the image that that one ran then.
    pub spawner: Option<ProcessFacts<'static>>,
}

/// A cgroup that was made, or got another name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CgroupFacts<'a> {
    /// The kernel's number of its hierarchy; 0 is version 2.
    pub hierarchy: u32,
    /// Its id there.
    pub id: u64,
    /// Its path from the root of the hierarchy.
    pub path: &'a [u8],
}

/// The live text of an argument block that is not its argv.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TitleFacts<'a> {
    /// Whose it is.
    pub image: Image,
    /// Effective user id of that process.
    pub uid: u32,
    /// The text.
    pub title: Title<'a>,
}

/// The command line of an image that was in the middle of execve when a signal met it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityFacts<'a> {
    /// Whose it is.
    pub image: Image,
    /// `comm`, which execve changes as well, without the NULs.
    pub comm: Cow<'a, [u8]>,
    /// Effective user id, which it may change.
    pub uid: u32,
    /// The command line.
    pub argv: Argv<'a>,
    /// The executable, as in [`SubjectFacts::exe`].
    pub exe: Cow<'a, [u8]>,
}

/// One image of one process: what runs between two execs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Image {
    /// Thread group id in the initial pid namespace.
    pub pid: u32,
    /// Boot-time nanoseconds of the process's start.
    pub start: u64,
    /// Low half of `self_exec_id`.
    pub exec_id: u32,
}

impl ProcessFacts<'_> {
    /// The image that it ran.
    pub fn image(&self) -> Image {
        Image { pid: self.pid, start: self.start, exec_id: self.exec_id }
    }
}

#[cfg(test)]
impl<'a> Snapshot<'a> {
    /// A SIGTERM of which nothing else is known, for tests.
    pub(crate) fn between(current: ProcessFacts<'a>, target: ProcessFacts<'a>) -> Self {
        Self {
            time: 0,
            signal: 15,
            group: true,
            result: 0,
            info: SigInfo::Kernel,
            syscall: None,
            in_syscall: true,
            has_registers: true,
            instruction_pointer: 0,
            disposition: Disposition::Default,
            blocking: Blocking::Open,
            current: Task { tid: current.pid, ..Task::default() },
            target: Task { tid: target.pid, ..Task::default() },
            processes: vec![current, target],
            current_chain: vec![0],
            target_chain: vec![1],
            tty: b"",
            oom: None,
            previous: None,
            has_history: true,
            child_death: None,
            to_source: None,
            last_fault: None,
            current_tracer: None,
            target_tracer: None,
            limits: None,
            stack: Vec::new(),
            stack_lost: false,
            explanation: None,
            is_traced_call: false,
            is_info_off_stack: false,
            source_in_tree: false,
            target_in_tree: false,
            has_signalfd_reader: false,
            spawners: Vec::new(),
            spawners_cut: false,
            current_truncated: false,
            target_truncated: false,
        }
    }
}

#[cfg(test)]
impl<'a> EndFacts<'a> {
    /// An end of which nothing else is known, for tests.
    pub(crate) fn of(process: ProcessFacts<'a>, ending: Ending) -> Self {
        Self {
            time: 0,
            ending,
            explained: true,
            previous: None,
            is_traced: false,
            seccomp_mode: 0,
            syscall: None,
            instruction_pointer: 0,
            is_thread: false,
            task: Task::default(),
            processes: vec![process],
            chain: vec![0],
            tracer: None,
            truncated: false,
        }
    }
}

#[cfg(test)]
impl<'a> ProcessFacts<'a> {
    /// A process of which nothing else is known, for tests.
    pub(crate) fn named(pid: u32, comm: &'a [u8]) -> Self {
        Self {
            pid,
            start: 0,
            comm: Cow::Borrowed(comm),
            uid: 0,
            exec_id: 0,
            arg_start: 0,
            argv: Argv::NotApplicable,
            title: None,
            title_lost: false,
            subject: None,
        }
    }
}

/// What the ring brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record<'a> {
    /// A signal.
    Signal(Box<Snapshot<'a>>),
    /// What a signal before it lacked.
    Identity(IdentityFacts<'a>),
    /// An end: after a signal, or one that none explains.
    End(Box<EndFacts<'a>>),
    /// What the OOM killer's victim weighed; its signal came just before.
    Oom(OomFacts),
    /// A call that failed, or only asked.
    Attempt(Box<AttemptFacts<'a>>),
    /// A cgroup's path.
    Cgroup(CgroupFacts<'a>),
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It exited, with this code.
    Exit(u8),
    /// A signal ended it.
    Signal {
        /// Its number, 1 to 64.
        number: u8,
        /// It left a core file.
        core_dumped: bool,
    },
}

/// A process that ended after a signal, or of one that the signal hook has not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndFacts<'a> {
    /// `CLOCK_BOOTTIME`, nanoseconds.
    pub time: u64,
    /// As its parent is told.
    pub ending: Ending,
    /// Of a death by a signal: that such a one was sent has been seen.
    pub explained: bool,
    /// The last signal that could have ended it.
    pub previous: Option<Previous>,
    /// Somebody traced it.
    pub is_traced: bool,
    /// `task->seccomp.mode` of its last thread.
    pub seccomp_mode: u32,
    /// The system call that its registers hold; None where they could not be had.
    pub syscall: Option<Syscall>,
    /// Where in its program that call is.
    pub instruction_pointer: u64,
    /// This thread ended alone: its process goes on.
    pub is_thread: bool,
    /// Its last thread.
    pub task: Task,
    /// Itself, its tracer if it has one, its ancestors.
    pub processes: Vec<ProcessFacts<'a>>,
    /// Places in `processes`: itself and its ancestors.
    pub chain: Vec<usize>,
    /// Place of its tracer.
    pub tracer: Option<usize>,
    /// The chain was cut before the top.
    pub truncated: bool,
}

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
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Cgroup, Self::Cpuset, Self::MemoryPolicy, Self::Global];

    /// The word of the output contract.
    pub fn name(self) -> &'static str {
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
    /// Boot-time nanoseconds of its start; 0 where the kernel does not tell.
    pub start: u64,
    /// The thread that ran the OOM killer: its allocation it was, unless somebody asked for it.
    pub current_tid: u32,
    /// File, anonymous and shared pages, by the kernel's approximate counters; None where it does not tell.
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

/// Resource limits that the kernel sends a signal for. None: no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// `RLIMIT_CPU`, soft and hard, nanoseconds.
    pub cpu: [Option<u64>; 2],
    /// `RLIMIT_RTTIME`, soft and hard, nanoseconds.
    pub real_time: [Option<u64>; 2],
    /// `RLIMIT_FSIZE`, soft, bytes.
    pub file_size: Option<u64>,
    /// CPU time of the process, nanoseconds, as it was when that was last compared with a limit.
    pub cpu_time: u64,
}

/// A call of the kill family that did not become a signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptFacts<'a> {
    /// The caller as `current`; whoever it addressed as `target`, if that is known. Its `signal` is 0 where it is none.
    pub facts: Snapshot<'a>,
    /// The signal as it was given, be it one or not.
    pub signal: i32,
    /// What the call returned: a negative errno, or 0.
    pub returned: i64,
    /// The target was found.
    pub has_target: bool,
}

/// One signal, as the kernel saw it at that instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot<'a> {
    /// `CLOCK_BOOTTIME`, nanoseconds.
    pub time: u64,
    /// Signal number, 1 to 64.
    pub signal: u8,
    /// Sent to the thread group, not to a thread.
    pub group: bool,
    /// Result of the tracepoint: `TRACE_SIGNAL_*`.
    pub result: u32,
    /// Siginfo.
    pub info: SigInfo,
    /// The system call that the running task's registers hold, whether or not it is still in it (`in_syscall`).
    pub syscall: Option<Syscall>,
    /// The running task was inside a system call (also where the registers could not be had).
    pub in_syscall: bool,
    /// The registers could be had at all.
    pub has_registers: bool,
    /// User instruction pointer of the running task; 0 if unknown.
    pub instruction_pointer: u64,
    /// What the target does with it.
    pub disposition: Disposition,
    /// Whether the target lets it through.
    pub blocking: Blocking,
    /// The running task, which need not be the source.
    pub current: Task,
    /// The task signalled.
    pub target: Task,
    /// Every process of the record, once.
    pub processes: Vec<ProcessFacts<'a>>,
    /// Places in `processes`: the running task's process and its ancestors.
    pub current_chain: Vec<usize>,
    /// Places in `processes`: the target and its ancestors.
    pub target_chain: Vec<usize>,
    /// Name of the target's terminal, as the kernel has it, of a signal that a terminal may have sent.
    pub tty: &'a [u8],
    /// What the OOM killer said of it.
    pub oom: Option<OomFacts>,
    /// The last signal to the target before this one that could have ended it.
    pub previous: Option<Previous>,
    /// Something is kept of the target: no `previous` means that there was none.
    pub has_history: bool,
    /// The child of the running process that died of a signal last.
    pub child_death: Option<ChildDeath>,
    /// The last signal to the running process that could have ended it, before this one.
    pub to_source: Option<Previous>,
    /// Of a fault signal to itself: where the last page fault of the target's thread was.
    pub last_fault: Option<u64>,
    /// Place in `processes` of the process that traces the running task.
    pub current_tracer: Option<usize>,
    /// And of the one that traces the target.
    pub target_tracer: Option<usize>,
    /// The target's resource limits, behind signals that are sent for one.
    pub limits: Option<Limits>,
    /// Return addresses of the kernel functions that sent it, the innermost first; empty where a call names the sender.
    pub stack: Vec<u64>,
    /// There should be a stack, and it could not be read.
    pub stack_lost: bool,
    /// What the stack means on the running kernel; None where that is not known.
    pub explanation: Option<Explanation>,
    /// The running task is traced: what its registers hold may be its tracer's claim.
    pub is_traced_call: bool,
    /// Its siginfo is not on the stack of the running task: no call of that built it.
    pub is_info_off_stack: bool,
    /// The running process is in a tree that was asked for, and acts for itself.
    pub source_in_tree: bool,
    /// The target is in one.
    pub target_in_tree: bool,
    /// Somebody waits at a signalfd of the target's, which blocks the signal.
    pub has_signalfd_reader: bool,
    /// Who started those in `processes` whose parent is another now; one behind whom it started.
    pub spawners: Vec<SpawnerFacts>,
    /// There were more.
    pub spawners_cut: bool,
    /// The current chain was cut before the top.
    pub current_truncated: bool,
    /// The target chain was cut before the top.
    pub target_truncated: bool,
}
