//! One ring record, decoded: bytes in, typed facts out.
//!
//! Total: any bytes give a record or a [`DecodeError`], never a panic.

use std::borrow::Cow;
use std::mem::size_of;

use plain::Plain;
use thiserror::Error;

use super::{
    Argv, ArgvFrom, AttemptFacts, Blocking, CgroupFacts, ChildDeath, Comm, Disposition, EndFacts, Ending,
    Gap, Ghost, IdentityFacts, Image, Limits, OomFacts, Previous, PreviousSource, ProcessFacts, Record,
    SigInfo, Snapshot, SpawnerFacts, SubjectFacts, Syscall, SyscallAbi, Task, Title, TitleFacts,
};
use crate::base::reversed_path;
use crate::wire::{
    Abi, Behind, Constant, Disposition as WireDisposition, Info as WireInfo, Kind, PreviousFlag, ProcessFlag,
    SignalFlag, SpawnerFlag, VERSION, WireAttempt, WireCgroup, WireEnd, WireGhost, WireIdentity, WireLimits,
    WireOom, WirePrevious, WireProcess, WireSignal, WireSpawner, WireSyscall, WireTask, WireTitle,
};

/// Why bytes are not a record.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum DecodeError {
    /// The bytes end before what they promise.
    #[error("record is cut short: {what} needs {needed} bytes at {at}, {length} are there")]
    Short {
        /// What was to be read.
        what: &'static str,
        /// Where, in bytes from the start.
        at: usize,
        /// How many bytes it needs.
        needed: usize,
        /// How many bytes the record has.
        length: usize,
    },
    /// Written by another build.
    #[error("record has wire version {found}, this build reads {VERSION}: record again")]
    Version {
        /// The version found.
        found: u16,
    },
    /// A kind this build does not know.
    #[error("record of unknown kind {0}")]
    Kind(u16),
    /// A field holds a value that the kernel side never writes.
    #[error("record has an impossible {field}: {value}")]
    Impossible {
        /// The field.
        field: &'static str,
        /// Its value.
        value: u64,
    },
}

fn take<T: Plain + Copy + Default>(bytes: &[u8], at: usize, what: &'static str) -> Result<T, DecodeError> {
    let short = DecodeError::Short { what, at, needed: size_of::<T>(), length: bytes.len() };
    let mut value = T::default();
    match bytes.get(at..).map(|rest| value.copy_from_bytes(rest)) {
        Some(Ok(())) => Ok(value),
        _ => Err(short),
    }
}

fn slice<'a>(bytes: &'a [u8], at: usize, needed: usize, what: &'static str) -> Result<&'a [u8], DecodeError> {
    at.checked_add(needed).and_then(|end| bytes.get(at..end)).ok_or(DecodeError::Short {
        what,
        at,
        needed,
        length: bytes.len(),
    })
}

/// What every kind of record begins with.
const PREFIX: usize = std::mem::offset_of!(WireSignal, time);

/// Decodes one record of the ring.
///
/// # Errors
/// [`DecodeError`] if the bytes are not a whole record of this build's wire version.
pub fn decode(bytes: &[u8]) -> Result<Record<'_>, DecodeError> {
    let prefix = slice(bytes, 0, PREFIX, "the beginning")?;
    let version = u16::from_ne_bytes([prefix[0], prefix[1]]);
    if version != VERSION {
        return Err(DecodeError::Version { found: version });
    }
    let kind = u16::from_ne_bytes([prefix[2], prefix[3]]);
    let length = u32::from_ne_bytes([prefix[4], prefix[5], prefix[6], prefix[7]]) as usize;
    let bytes = slice(bytes, 0, length, "the record")?;
    match Kind(u32::from(kind)) {
        Kind::RECORD_SIGNAL => {
            let (snapshot, _) = decode_signal(bytes)?;
            match snapshot.signal {
                1..=64 => Ok(Record::Signal(Box::new(snapshot))),
                other => Err(DecodeError::Impossible { field: "signal", value: u64::from(other) }),
            }
        }
        Kind::RECORD_END => Ok(Record::End(Box::new(decode_end(bytes)?))),
        Kind::RECORD_OOM => Ok(Record::Oom(decode_oom(bytes)?)),
        Kind::RECORD_ATTEMPT => Ok(Record::Attempt(Box::new(decode_attempt(bytes)?))),
        Kind::RECORD_IDENTITY => Ok(Record::Identity(decode_identity(bytes)?)),
        Kind::RECORD_CGROUP => Ok(Record::Cgroup(decode_cgroup(bytes)?)),
        _ => Err(DecodeError::Kind(kind)),
    }
}

/// The head of a signal's record, and what is behind it. None if it is none, or not whole; what it says is not looked at.
pub(crate) fn head_of_signal(bytes: &[u8]) -> Option<(WireSignal, &[u8])> {
    let head: WireSignal = take(bytes, 0, "the header").ok()?;
    let is_signal = (head.version, Kind(u32::from(head.kind))) == (VERSION, Kind::RECORD_SIGNAL);
    let rest = bytes.get(size_of::<WireSignal>()..head.length as usize)?;
    is_signal.then_some((head, rest))
}

fn decode_identity(bytes: &[u8]) -> Result<IdentityFacts<'_>, DecodeError> {
    let wire: WireIdentity = take(bytes, 0, "an identity")?;
    let argv = slice(bytes, size_of::<WireIdentity>(), wire.argv_kept as usize, "an argv")?;
    let exe = slice(bytes, size_of::<WireIdentity>() + argv.len(), wire.exe_kept as usize, "a path")?;
    Ok(IdentityFacts {
        image: Image { pid: wire.tgid, start: wire.start_time, exec_id: wire.exec_id },
        comm: Cow::Owned(until_nul(&wire.comm).to_vec()),
        uid: wire.uid,
        argv: argv_of(argv, wire.argv_total, wire.flags),
        exe: Cow::Borrowed(exe),
    })
}

fn decode_cgroup(bytes: &[u8]) -> Result<CgroupFacts<'_>, DecodeError> {
    let wire: WireCgroup = take(bytes, 0, "a cgroup")?;
    let path = slice(bytes, size_of::<WireCgroup>(), wire.path_bytes as usize, "a path")?;
    Ok(CgroupFacts { hierarchy: wire.hierarchy, id: wire.id, path })
}

/// What the iterator that reads titles wrote, one behind the other. Returns the beginning of one that is still to come.
///
/// # Errors
/// [`DecodeError`] if this is no title.
pub fn decode_titles(
    mut bytes: &[u8],
    mut take_one: impl FnMut(TitleFacts<'_>),
) -> Result<&[u8], DecodeError> {
    while let Ok(wire) = take::<WireTitle>(bytes, 0, "a title") {
        let kept = wire.title_kept as usize;
        let is_title = wire.version == VERSION && Kind(u32::from(wire.kind)) == Kind::RECORD_TITLE;
        if !is_title || kept > Constant::TITLE_BYTES.0 as usize {
            return Err(DecodeError::Impossible { field: "a title", value: u64::from(wire.title_kept) });
        }
        // the rest of it is still to come
        let Ok(text) = slice(bytes, size_of::<WireTitle>(), kept, "a title") else { break };
        let flag = |flag: ProcessFlag| wire.flags & flag.0 != 0;
        let spilt = flag(ProcessFlag::PROCESS_TITLE_SPILT);
        take_one(TitleFacts {
            image: Image { pid: wire.tgid, start: wire.start_time, exec_id: wire.exec_id },
            uid: wire.uid,
            title: Title {
                bytes: text,
                spilt,
                // one string without its end
                cut: flag(ProcessFlag::PROCESS_TITLE_CUT) || (spilt && !text.contains(&0)),
            },
        });
        bytes = &bytes[size_of::<WireTitle>() + text.len()..];
    }
    Ok(bytes)
}

/// What the exit hook left of a process (`struct ghost` of ghost.h).
pub fn decode_ghost(bytes: &[u8], pid: u32, start: u64) -> Option<Ghost> {
    let wire: WireGhost = take(bytes, 0, "a ghost").ok()?;
    let argv = wire.argv.get(..wire.argv_kept as usize)?;
    let process = ProcessFacts {
        pid,
        start,
        comm: Cow::Owned(until_nul(&wire.comm).to_vec()),
        uid: wire.uid,
        exec_id: wire.exec_id,
        arg_start: 0,
        argv: match argv_of(argv, wire.argv_total, wire.flags) {
            Argv::Known { bytes, total, from } => {
                Argv::Known { bytes: Cow::Owned(bytes.into_owned()), total, from }
            }
            Argv::NotApplicable => Argv::NotApplicable,
            Argv::Missing(gap) => Argv::Missing(gap),
        },
        title: None,
        title_lost: false,
        subject: None,
    };
    let spawner = (wire.spawner.tgid != 0).then(|| ProcessFacts {
        pid: wire.spawner.tgid,
        start: wire.spawner.start,
        exec_id: wire.spawner.exec_id,
        comm: Cow::Borrowed(&[]),
        uid: 0,
        argv: Argv::Missing(Gap::Unknown),
        ..process.clone()
    });
    Some(Ghost { process, spawner })
}

/// There was one before.
pub(crate) fn has_previous(wire: &WirePrevious) -> bool {
    wire.time != 0 && (1..=64).contains(&wire.signal)
}

fn decode_previous(wire: &WirePrevious) -> Option<Previous> {
    let flag = |flag: PreviousFlag| u32::from(wire.flags) & flag.0 != 0;
    has_previous(wire).then(|| Previous {
        time: wire.time,
        signal: wire.signal,
        result: u32::from(wire.result),
        hidden: flag(PreviousFlag::PREVIOUS_HIDDEN),
        met_default: flag(PreviousFlag::PREVIOUS_DEFAULT),
        is_page_fault: flag(PreviousFlag::PREVIOUS_PAGE_FAULT),
        source: flag(PreviousFlag::PREVIOUS_SENT).then(|| PreviousSource {
            pid: wire.source_tgid,
            start: wire.source_start,
            comm: Comm::from(until_nul(&wire.source_comm)),
        }),
    })
}

/// `CHILD_DEATH` of wire.h, which keeps the lower bits of a time before `now`.
fn decode_child_death(word: u64, now: u64) -> Option<ChildDeath> {
    /// 417 days, in nanoseconds.
    const SPAN: u64 = 1 << 55;
    let time = now & !(SPAN - 1) | (word >> 29) << 20;
    let death = ChildDeath {
        pid: (word & 0x3f_ffff) as u32,
        signal: (word >> 22 & 0x7f) as u8,
        time: if time > now { time.checked_sub(SPAN)? } else { time },
    };
    (death.pid != 0 && (1..=64).contains(&death.signal)).then_some(death)
}

fn decode_end(bytes: &[u8]) -> Result<EndFacts<'_>, DecodeError> {
    let head: WireEnd = take(bytes, 0, "an end")?;
    let status = head.status;
    let ending = match status & 0x7f {
        0 => Ending::Exit((status >> 8) as u8),
        number @ 1..=64 => Ending::Signal { number: number as u8, core_dumped: status & 0x80 != 0 },
        other => return Err(DecodeError::Impossible { field: "status", value: u64::from(other) }),
    };
    if head.processes == 0 || head.processes > 2 + Constant::MAX_CHAIN.0 {
        return Err(DecodeError::Impossible { field: "processes", value: u64::from(head.processes) });
    }
    let mut at = size_of::<WireEnd>();
    let mut processes = Vec::with_capacity(head.processes as usize);
    for place in 0..head.processes {
        let (process, next) = decode_process(bytes, at, (place == 0).then_some(&head.task))?;
        processes.push(process);
        at = next;
    }
    let tracer = (head.has_tracer != 0 && processes.len() > 1).then_some(1);
    let first_ancestor = if tracer.is_some() { 2 } else { 1 };
    Ok(EndFacts {
        time: head.time,
        ending,
        explained: head.explained != 0,
        previous: decode_previous(&head.previous),
        is_traced: head.ptrace & 1 != 0,
        seccomp_mode: head.seccomp_mode,
        syscall: decode_syscall(&head.call)?,
        instruction_pointer: head.call.instruction_pointer,
        is_thread: head.thread != 0,
        task: decode_task(&head.task),
        chain: std::iter::once(0).chain(first_ancestor..processes.len()).collect(),
        processes,
        tracer,
        truncated: head.truncated != 0,
    })
}

/// `PAGE_COUNTER_MAX` of `include/linux/page_counter.h` in the largest pages that there are: no limit.
const NO_LIMIT: u64 = (i64::MAX / 65536) as u64;

fn decode_oom(bytes: &[u8]) -> Result<OomFacts, DecodeError> {
    let head: WireOom = take(bytes, 0, "an OOM kill")?;
    let path = slice(bytes, size_of::<WireOom>(), head.path_bytes as usize, "a cgroup's path")?;
    let tells = head.start_time != 0;
    // swap entries (2) are no memory; the counters lag, and may be below 0 for a moment
    let pages = |place: usize| head.rss[place].max(0) as u64;
    let frames = (head.stack_bytes as usize / size_of::<u64>()).min(head.stack.len());
    Ok(OomFacts {
        time: head.time,
        pid: head.tgid,
        start: head.start_time,
        current_tid: head.current_tid,
        rss_pages: tells.then(|| pages(0).saturating_add(pages(1)).saturating_add(pages(3))),
        usage_and_limit: (tells && head.limit != 0 && head.limit < NO_LIMIT)
            .then_some((head.usage, head.limit)),
        cgroup: reversed_path::to_path(path),
        cpuset_nodes: head.cpuset_nodes,
        policy_nodes: head.policy_nodes,
        by_sysrq: false,
        stack: head.stack[..frames].to_vec(),
        scope: None,
    })
}

fn decode_attempt(bytes: &[u8]) -> Result<AttemptFacts<'_>, DecodeError> {
    let (mut facts, at) = decode_signal(bytes)?;
    let head: WireSignal = take(bytes, 0, "the header")?;
    let attempt: WireAttempt = take(bytes, at, "an attempt")?;
    // the two chains were taken each for itself: from where they meet they are one
    let key = |place: usize| facts.processes.get(place).map(|process| (process.pid, process.start));
    let meets = facts.target_chain.iter().enumerate().find_map(|(up, &place)| {
        let source = facts.current_chain.iter().position(|&other| key(other) == key(place))?;
        Some((up, source))
    });
    if let Some((up, source)) = meets {
        let shared = &facts.current_chain[source..];
        // where the source's chain was cut, the target's goes on by its own
        let beyond = facts.target_chain.get(up + shared.len()..).unwrap_or_default();
        facts.target_chain = [&facts.target_chain[..up], shared, beyond].concat();
        facts.target_chain.truncate(usize::from(head.max_ancestors) + 1);
    }
    Ok(AttemptFacts {
        facts,
        signal: head.signal as i32,
        returned: attempt.returned,
        has_target: attempt.has_target != 0,
    })
}

/// The places of both chains, and whether the target's was cut. In a record stand current, the target, ancestors of current, of
/// the target, and beyond.
fn decode_chains(head: &WireSignal) -> Result<(Vec<usize>, Vec<usize>, bool), DecodeError> {
    let [source, target, beyond] =
        [head.source_ancestors, head.target_ancestors, head.beyond_ancestors].map(usize::from);
    let total = 2 + source + target + beyond;
    let source_end = 2 + source;
    let target_end = source_end + target;
    let current_chain: Vec<usize> = std::iter::once(0).chain(2..source_end).collect();
    let mut target_chain = Vec::with_capacity(total);
    target_chain.push(1);
    target_chain.extend(source_end..target_end);
    if u32::from(head.joins_at) != Constant::JOINS_NOWHERE.0 {
        let Some(shared) =
            current_chain.get(usize::from(head.joins_at)..).filter(|shared| !shared.is_empty())
        else {
            return Err(DecodeError::Impossible { field: "joins_at", value: u64::from(head.joins_at) });
        };
        target_chain.extend(shared);
        target_chain.extend(target_end..total);
    }
    // what is shared was taken for the source, and may lie beyond the target's own depth
    let longest = usize::from(head.max_ancestors) + 1;
    let target_is_cut = target_chain.len() > longest;
    target_chain.truncate(longest);
    Ok((current_chain, target_chain, target_is_cut))
}

fn decode_signal(bytes: &[u8]) -> Result<(Snapshot<'_>, usize), DecodeError> {
    let head: WireSignal = take(bytes, 0, "the header")?;
    let [source, target, beyond] =
        [head.source_ancestors, head.target_ancestors, head.beyond_ancestors].map(usize::from);
    let total = 2 + source + target + beyond;
    let mut at = size_of::<WireSignal>();
    let mut processes = Vec::with_capacity(total);
    for place in 0..total {
        let subject = match place {
            0 => Some(&head.source),
            1 => Some(&head.target),
            _ => None,
        };
        let (process, next) = decode_process(bytes, at, subject)?;
        processes.push(process);
        at = next;
    }
    let mut spawners = Vec::new();
    for _ in 0..head.spawners.min(Constant::MAX_SPAWNERS.0) {
        let (spawner, process, next) = decode_spawner(bytes, at, processes.len())?;
        spawners.push(spawner);
        processes.push(process);
        at = next;
    }
    let behind = decode_behind(bytes, at, &head, &mut processes)?;
    at = behind.end;
    let (current_chain, target_chain, target_is_cut) = decode_chains(&head)?;
    let flag = |flag: SignalFlag| head.flags & flag.0 != 0;
    let tty = slice(bytes, std::mem::offset_of!(WireSignal, tty), head.tty.len(), "a terminal")?;
    let snapshot = Snapshot {
        time: head.time,
        signal: if head.signal <= 64 { head.signal as u8 } else { 0 },
        group: flag(SignalFlag::SIGNAL_GROUP),
        result: head.result,
        info: match WireInfo(head.info) {
            WireInfo::INFO_NONE => SigInfo::None,
            WireInfo::INFO_KERNEL => SigInfo::Kernel,
            WireInfo::INFO_POINTER => SigInfo::Given { code: head.info_code, fields: head.info_fields },
            other => return Err(DecodeError::Impossible { field: "info", value: u64::from(other.0) }),
        },
        in_syscall: flag(SignalFlag::SIGNAL_SYSCALL),
        has_registers: Abi(head.call.abi) != Abi::ABI_NONE,
        instruction_pointer: head.call.instruction_pointer,
        // whether current is still in it, is another question
        syscall: decode_syscall(&head.call)?,
        disposition: match WireDisposition(u32::from(head.disposition)) {
            WireDisposition::DISPOSITION_DEFAULT => Disposition::Default,
            WireDisposition::DISPOSITION_IGNORED => Disposition::Ignored,
            WireDisposition::DISPOSITION_HANDLED => Disposition::Handled,
            other => return Err(DecodeError::Impossible { field: "disposition", value: u64::from(other.0) }),
        },
        blocking: if flag(SignalFlag::SIGNAL_BLOCKED) {
            Blocking::Blocked
        } else if flag(SignalFlag::SIGNAL_WAITED) {
            Blocking::Waited
        } else if flag(SignalFlag::SIGNAL_BLOCKED_UNKNOWN) {
            Blocking::Unknown
        } else {
            Blocking::Open
        },
        current: decode_task(&head.source),
        target: decode_task(&head.target),
        processes,
        current_chain,
        target_chain,
        current_truncated: flag(SignalFlag::SIGNAL_SOURCE_TRUNCATED),
        target_truncated: flag(SignalFlag::SIGNAL_TARGET_TRUNCATED) || target_is_cut,
        tty: until_nul(tty),
        oom: None,
        previous: decode_previous(&head.previous),
        has_history: !flag(SignalFlag::SIGNAL_NO_HISTORY),
        child_death: decode_child_death(head.child_death, head.time),
        to_source: decode_previous(&head.to_source),
        last_fault: (head.last_fault != 0).then_some(head.last_fault),
        current_tracer: behind.source_tracer,
        target_tracer: behind.target_tracer,
        limits: behind.limits,
        stack: behind.stack,
        stack_lost: flag(SignalFlag::SIGNAL_STACK_LOST),
        explanation: None,
        is_traced_call: flag(SignalFlag::SIGNAL_TRACED_CALL),
        is_info_off_stack: flag(SignalFlag::SIGNAL_INFO_ELSEWHERE),
        source_in_tree: flag(SignalFlag::SIGNAL_SOURCE_IN_TREE),
        target_in_tree: flag(SignalFlag::SIGNAL_TARGET_IN_TREE),
        has_signalfd_reader: flag(SignalFlag::SIGNAL_SIGNALFD),
        spawners,
        spawners_cut: flag(SignalFlag::SIGNAL_SPAWNERS_CUT),
    };
    Ok((snapshot, at))
}

/// What stands behind the spawners.
#[derive(Debug, Default)]
struct BehindFacts {
    source_tracer: Option<usize>,
    target_tracer: Option<usize>,
    limits: Option<Limits>,
    stack: Vec<u64>,
    end: usize,
}

/// The tracers become the last of `processes`.
fn decode_behind<'a>(
    bytes: &'a [u8],
    mut at: usize,
    head: &WireSignal,
    processes: &mut Vec<ProcessFacts<'a>>,
) -> Result<BehindFacts, DecodeError> {
    let has = |part: Behind| u32::from(head.behind) & part.0 != 0;
    let mut behind = BehindFacts::default();
    let mut tracer = |is_there: bool| -> Result<Option<usize>, DecodeError> {
        if !is_there {
            return Ok(None);
        }
        let (mut process, next) = decode_process(bytes, at, None)?;
        // it may stand in the record already, with its command line
        if let Some(same) = processes.iter().find(|other| other.image() == process.image()) {
            process.argv = same.argv.clone();
        }
        processes.push(process);
        at = next;
        Ok(Some(processes.len() - 1))
    };
    behind.source_tracer = tracer(has(Behind::BEHIND_SOURCE_TRACER))?;
    behind.target_tracer = tracer(has(Behind::BEHIND_TARGET_TRACER))?;
    if has(Behind::BEHIND_LIMITS) {
        let wire: WireLimits = take(bytes, at, "limits")?;
        at += size_of::<WireLimits>();
        behind.limits = Some(decode_limits(&wire));
    }
    if u32::from(head.stack_frames) > Constant::CAUSE_STACK.0 {
        return Err(DecodeError::Impossible { field: "stack_frames", value: u64::from(head.stack_frames) });
    }
    let frames = slice(bytes, at, usize::from(head.stack_frames) * size_of::<u64>(), "a stack")?;
    behind.stack =
        frames.chunks_exact(8).filter_map(|frame| Some(u64::from_ne_bytes(frame.try_into().ok()?))).collect();
    behind.end = at + frames.len();
    Ok(behind)
}

fn decode_limits(wire: &WireLimits) -> Limits {
    const SECOND: u64 = 1_000_000_000;
    const MICROSECOND: u64 = 1_000;
    // RLIM_INFINITY is all ones
    let limit = |value: u64, unit: u64| (value != u64::MAX).then(|| value.saturating_mul(unit));
    Limits {
        cpu: [limit(wire.cpu_soft, SECOND), limit(wire.cpu_hard, SECOND)],
        real_time: [limit(wire.rttime_soft, MICROSECOND), limit(wire.rttime_hard, MICROSECOND)],
        file_size: limit(wire.fsize_soft, 1),
        cpu_time: wire.cpu_time,
    }
}

fn decode_syscall(call: &WireSyscall) -> Result<Option<Syscall>, DecodeError> {
    let abi = match Abi(call.abi) {
        Abi::ABI_NONE => return Ok(None),
        Abi::ABI_X86_64 => SyscallAbi::X86_64,
        Abi::ABI_I386 => SyscallAbi::I386,
        Abi::ABI_X32 => SyscallAbi::X32,
        Abi::ABI_ARM64 => SyscallAbi::Arm64,
        Abi::ABI_ARM => SyscallAbi::Arm,
        other => return Err(DecodeError::Impossible { field: "abi", value: u64::from(other.0) }),
    };
    Ok(Some(Syscall { abi, number: call.number, args: call.args, is_active: call.active != 0 }))
}

fn decode_task(wire: &WireTask) -> Task {
    Task {
        tid: wire.tid,
        flags: wire.flags,
        uid: wire.uid,
        gid: wire.gid,
        login_uid: wire.login_uid,
        pgid: wire.pgid,
        session: wire.session,
        namespace_pid: wire.namespace_pid,
        namespace_inode: wire.namespace_inode,
        namespace_level: wire.namespace_level,
        state: wire.state,
        exit_state: wire.exit_state,
        live: wire.live,
        signal_flags: wire.signal_flags,
        group_exit_code: wire.group_exit_code,
        cgroup: wire.cgroup,
        legacy_cgroup: wire.legacy_cgroup,
        mount_namespace: wire.mount_namespace,
        net_namespace: wire.net_namespace,
        uts_namespace: wire.uts_namespace,
        user_namespace: wire.user_namespace,
        namespaces_gone: wire.namespaces_gone != 0,
        tty: wire.tty,
        jobctl: wire.jobctl,
    }
}

/// One that is `place` in the record.
fn decode_spawner(
    bytes: &[u8],
    at: usize,
    place: usize,
) -> Result<(SpawnerFacts, ProcessFacts<'_>, usize), DecodeError> {
    let wire: WireSpawner = take(bytes, at, "a spawner")?;
    let (process, next) = decode_process(bytes, at + size_of::<WireSpawner>(), None)?;
    let of = wire.of as usize;
    // it stands behind whom it started
    if of >= place {
        return Err(DecodeError::Impossible { field: "of", value: u64::from(wire.of) });
    }
    let flag = |flag: SpawnerFlag| wire.flags & flag.0 != 0;
    let spawner = SpawnerFacts {
        of,
        process: place,
        exited: flag(SpawnerFlag::SPAWNER_EXITED),
        execed_since: flag(SpawnerFlag::SPAWNER_EXECED_SINCE),
    };
    Ok((spawner, process, next))
}

/// Names become keys of the output: none may be there that could not be asked for.
fn check_environment(environment: &[u8]) -> Result<(), DecodeError> {
    let mut variables = environment.split(|&byte| byte == 0).filter(|variable| !variable.is_empty());
    let is_wrong = |variable: &&[u8]| {
        let name = variable.iter().position(|&byte| byte == b'=').map(|end| &variable[..end]);
        !name.is_some_and(super::is_variable_name)
    };
    match variables.find(is_wrong) {
        Some(variable) => {
            Err(DecodeError::Impossible { field: "environment variable", value: u64::from(variable[0]) })
        }
        None => Ok(()),
    }
}

/// `task` is there for source and target, which have more bytes.
fn decode_process<'a>(
    bytes: &'a [u8],
    at: usize,
    task: Option<&WireTask>,
) -> Result<(ProcessFacts<'a>, usize), DecodeError> {
    let wire: WireProcess = take(bytes, at, "a process")?;
    let comm_at = at + std::mem::offset_of!(WireProcess, comm);
    let comm = slice(bytes, comm_at, wire.comm.len(), "a comm")?;
    let argv_at = at + size_of::<WireProcess>();
    let argv = slice(bytes, argv_at, usize::from(wire.argv_kept), "an argv")?;
    let mut end = argv_at + argv.len();
    let mut piece = |length: u16, what| {
        let piece = slice(bytes, end, usize::from(length), what);
        end += usize::from(length);
        piece
    };
    let exe = piece(task.map_or(0, |task| task.exe_kept), "a path")?;
    let title = piece(wire.title_kept, "a title")?;
    let nodename = piece(task.map_or(0, |task| task.nodename_kept), "a nodename")?;
    let environment = piece(task.map_or(0, |task| task.environment_kept), "an environment")?;
    check_environment(environment)?;
    let next = argv_at + (end - argv_at).next_multiple_of(8);
    let flag = |flag: ProcessFlag| wire.flags & flag.0 != 0;
    let argv = argv_of(argv, wire.argv_total, wire.flags);
    let process = ProcessFacts {
        pid: wire.tgid,
        start: wire.start_time,
        comm: Cow::Borrowed(until_nul(comm)),
        uid: wire.uid,
        exec_id: wire.exec_id,
        arg_start: wire.arg_start,
        argv,
        title: (!title.is_empty()).then_some(Title {
            bytes: title,
            spilt: flag(ProcessFlag::PROCESS_TITLE_SPILT),
            cut: flag(ProcessFlag::PROCESS_TITLE_CUT),
        }),
        title_lost: flag(ProcessFlag::PROCESS_TITLE_LOST),
        subject: task.map(|_| {
            Box::new(SubjectFacts {
                exe: Cow::Borrowed(exe),
                nodename,
                environment,
                environment_cut: flag(ProcessFlag::PROCESS_ENV_CUT),
                exe_unreachable: flag(ProcessFlag::PROCESS_EXE_UNREACHABLE),
                environment_lost: flag(ProcessFlag::PROCESS_ENV_LOST),
            })
        }),
    };
    Ok((process, next))
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len())]
}

impl ArgvFrom {
    /// By the flags of a process (`enum wire_process_flag`).
    pub(crate) fn of(flags: u32) -> Self {
        if flags & ProcessFlag::PROCESS_FROM_PROC.0 != 0 {
            Self::Proc
        } else if flags & ProcessFlag::PROCESS_SEEDED.0 != 0 {
            Self::Memory
        } else {
            Self::Exec
        }
    }
}

/// Bytes outrank a reason for having none: some of an argv is told as cut.
fn argv_of(bytes: &[u8], total: u32, flags: u32) -> Argv<'_> {
    let is = |flag: ProcessFlag| flags & flag.0 != 0;
    let gaps = [
        (ProcessFlag::PROCESS_UNKNOWN, Gap::Unknown),
        (ProcessFlag::PROCESS_EXEC_RACE, Gap::ExecRace),
        (ProcessFlag::PROCESS_MID_EXEC, Gap::MidExec),
        (ProcessFlag::PROCESS_UNREADABLE, Gap::Unreadable),
        (ProcessFlag::PROCESS_NO_MEMORY, Gap::NoMemory),
        (ProcessFlag::PROCESS_OVERWRITTEN, Gap::Overwritten),
    ];
    if is(ProcessFlag::PROCESS_NO_ARGV) {
        return Argv::NotApplicable;
    }
    match gaps.iter().find(|&&(flag, _)| is(flag)) {
        Some(&(_, gap)) if bytes.is_empty() => Argv::Missing(gap),
        _ => Argv::Known { bytes: Cow::Borrowed(bytes), total, from: ArgvFrom::of(flags) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::bytes_of;
    use proptest::prelude::*;

    fn head(source: u8, target: u8, joins_at: u8) -> Vec<u8> {
        let wire = WireSignal {
            version: VERSION,
            kind: Kind::RECORD_SIGNAL.0 as u16,
            signal: 15,
            source_ancestors: source,
            target_ancestors: target,
            joins_at,
            max_ancestors: 16,
            ..WireSignal::default()
        };
        bytes_of(&wire).to_vec()
    }

    fn process(argv: &[u8], flags: u32) -> Vec<u8> {
        let wire = WireProcess {
            tgid: 42,
            flags,
            argv_kept: argv.len() as u16,
            argv_total: argv.len() as u32,
            ..WireProcess::default()
        };
        let mut bytes = bytes_of(&wire).to_vec();
        bytes.extend_from_slice(argv);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
        let length = (bytes.len() as u32).to_ne_bytes();
        bytes[4..8].copy_from_slice(&length);
        bytes
    }

    fn whole() -> Vec<u8> {
        let mut bytes = head(1, 0, 1);
        bytes.extend(process(b"pkill\0yes\0", 0));
        bytes.extend(process(b"yes\0", 0));
        bytes.extend(process(b"bash\0", 0));
        sealed(bytes)
    }

    fn signal(bytes: &[u8]) -> Result<Box<Snapshot<'_>>, DecodeError> {
        match decode(bytes)? {
            Record::Signal(snapshot) => Ok(snapshot),
            _ => panic!("not a signal"),
        }
    }

    /// A process of another pid, without an argv of its own.
    fn outlined(pid: u32) -> Vec<u8> {
        let flags = ProcessFlag::PROCESS_UNKNOWN.0;
        bytes_of(&WireProcess { tgid: pid, start_time: u64::from(pid), flags, ..WireProcess::default() })
            .to_vec()
    }

    #[test]
    fn an_end_has_its_tracer_and_its_ancestors() {
        let end = |has_tracer| WireEnd {
            version: VERSION,
            kind: Kind::RECORD_END.0 as u16,
            status: 0x80 | 0xb,
            processes: 3,
            has_tracer,
            ptrace: 1,
            ..WireEnd::default()
        };
        let bytes = |head: &WireEnd| {
            sealed([bytes_of(head), &process(b"cat\0", 0)[..], &outlined(7), &outlined(1)].concat())
        };
        let traced = bytes(&end(1));
        let Ok(Record::End(facts)) = decode(&traced) else { panic!("not an end") };
        assert_eq!(facts.ending, Ending::Signal { number: 11, core_dumped: true });
        assert!(facts.is_traced);
        assert_eq!((facts.tracer, &facts.chain[..]), (Some(1), &[0, 2][..]));
        let alone = bytes(&end(0));
        let Ok(Record::End(facts)) = decode(&alone) else { panic!("not an end") };
        assert_eq!((facts.tracer, &facts.chain[..]), (None, &[0, 1, 2][..]));
        let exited = bytes(&WireEnd { status: 143 << 8, ..end(0) });
        assert!(matches!(decode(&exited), Ok(Record::End(facts)) if facts.ending == Ending::Exit(143)));
        // what stopped has not ended, and nobody is not a process
        assert!(decode(&bytes(&WireEnd { status: 0x7f, ..end(0) })).is_err());
        assert!(decode(&bytes(&WireEnd { processes: 0, ..end(0) })).is_err());
        assert!(decode(&traced[..traced.len() - 1]).is_err());
    }

    #[test]
    fn an_oom_kill_tells_pages_and_a_path_from_the_top() {
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
        // no limit is none; and a kernel that tells no more than a pid tells no weight
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

    #[test]
    fn titles_are_read_a_piece_at_a_time() {
        let title = |pid, text: &[u8]| {
            let head = WireTitle {
                version: VERSION,
                kind: Kind::RECORD_TITLE.0 as u16,
                tgid: pid,
                uid: 1000,
                title_kept: text.len() as u32,
                ..WireTitle::default()
            };
            [bytes_of(&head), text].concat()
        };
        let all = [title(7, b"a title"), title(8, b""), title(9, b"another")].concat();
        for cut in 0..all.len() {
            let mut read = Vec::new();
            let mut take_one = |facts: TitleFacts<'_>| {
                read.push((facts.image.pid, facts.uid, facts.title.bytes.to_vec()));
            };
            let rest = decode_titles(&all[..cut], &mut take_one).unwrap();
            let rest = [rest, &all[cut..]].concat();
            assert!(decode_titles(&rest, &mut take_one).unwrap().is_empty());
            let expected = [(7, &b"a title"[..]), (8, b""), (9, b"another")];
            assert_eq!(read, expected.map(|(pid, text)| (pid, 1000, text.to_vec())), "{cut}");
        }
        let long = WireTitle {
            title_kept: 1025,
            version: VERSION,
            kind: Kind::RECORD_TITLE.0 as u16,
            ..WireTitle::default()
        };
        assert!(decode_titles(bytes_of(&long), |_| ()).is_err());
        assert!(decode_titles(&[0; 100], |_| ()).is_err());
    }

    #[test]
    fn the_chains_of_an_attempt_are_one_from_where_they_meet() {
        let attempt = WireAttempt { returned: -1, has_target: 1, reserved: 0 };
        let record = |last: &[u8]| {
            let mut bytes = head(2, 2, Constant::JOINS_NOWHERE.0 as u8);
            bytes[2..4].copy_from_slice(&(Kind::RECORD_ATTEMPT.0 as u16).to_ne_bytes());
            // 5 and 6 have the parent 3; the source's chain knows its command line
            for process in [outlined(5), outlined(6), outlined(3), outlined(1), outlined(3), outlined(1)] {
                bytes.extend(process);
            }
            bytes.extend_from_slice(last);
            sealed(bytes)
        };
        let whole = record(bytes_of(&attempt));
        let Ok(Record::Attempt(attempt)) = decode(&whole) else { panic!("not an attempt") };
        assert_eq!((attempt.signal, attempt.returned, attempt.has_target), (15, -1, true));
        assert_eq!(
            (&attempt.facts.current_chain[..], &attempt.facts.target_chain[..]),
            (&[0, 2, 3][..], &[1, 2, 3][..])
        );
        // the source's own was cut at 3
        let mut cut = head(1, 2, Constant::JOINS_NOWHERE.0 as u8);
        cut[2..4].copy_from_slice(&(Kind::RECORD_ATTEMPT.0 as u16).to_ne_bytes());
        for process in [outlined(5), outlined(6), outlined(3), outlined(3), outlined(1)] {
            cut.extend(process);
        }
        cut.extend_from_slice(&whole[whole.len() - size_of::<WireAttempt>()..]);
        let cut = sealed(cut);
        let Ok(Record::Attempt(attempt)) = decode(&cut) else { panic!("not an attempt") };
        assert_eq!(attempt.facts.target_chain, [1, 2, 4], "the target's goes on to the top");
        assert!(decode(&record(&[])).is_err());
    }

    #[test]
    fn a_childs_death_is_before_the_signal_whatever_the_uptime() {
        let word = |time: u64| 42 + (9 << 22) + ((time >> 20) << 29);
        for now in [1 << 30, (1 << 55) - 1, (1 << 55) + 5, 3 << 55] {
            let death = decode_child_death(word(now - (1 << 25)), now).unwrap();
            assert_eq!((death.pid, death.signal), (42, 9));
            assert!(now - death.time >= 1 << 25 && now - death.time < (1 << 25) + (1 << 20), "{now}");
        }
        assert_eq!(decode_child_death(0, 1 << 30), None);
    }

    #[test]
    fn an_identity_is_of_one_image() {
        let wire = WireIdentity {
            version: VERSION,
            kind: Kind::RECORD_IDENTITY.0 as u16,
            length: (size_of::<WireIdentity>() + 4) as u32,
            start_time: 7,
            tgid: 42,
            exec_id: 3,
            argv_total: 4,
            argv_kept: 4,
            ..WireIdentity::default()
        };
        let bytes = [bytes_of(&wire), b"yes\0"].concat();
        let Ok(Record::Identity(identity)) = decode(&bytes) else { panic!("not an identity") };
        assert_eq!(identity.image, Image { pid: 42, start: 7, exec_id: 3 });
        assert!(matches!(identity.argv, Argv::Known { bytes, .. } if *bytes == *b"yes\0"));
        assert!(decode(&bytes[..bytes.len() - 1]).is_err());
    }

    #[test]
    fn the_targets_chain_goes_on_in_the_sources() {
        let bytes = whole();
        let snapshot = signal(&bytes).unwrap();
        assert_eq!(snapshot.current_chain, [0, 2]);
        assert_eq!(snapshot.target_chain, [1, 2]);
    }

    #[test]
    fn a_gap_is_named_and_bytes_outrank_it() {
        let mut bytes = head(0, 0, 255);
        bytes.extend(process(b"", ProcessFlag::PROCESS_MID_EXEC.0));
        bytes.extend(process(b"cut", ProcessFlag::PROCESS_NO_MEMORY.0));
        let bytes = sealed(bytes);
        let snapshot = signal(&bytes).unwrap();
        assert_eq!(snapshot.processes[0].argv, Argv::Missing(Gap::MidExec));
        assert!(matches!(snapshot.processes[1].argv, Argv::Known { .. }));
    }

    #[test]
    fn an_image_that_was_not_seen_to_begin_outranks_a_title_over_the_one_before() {
        let overwritten = ProcessFlag::PROCESS_OVERWRITTEN.0;
        let mut bytes = head(0, 0, 255);
        bytes.extend(process(b"", overwritten | ProcessFlag::PROCESS_SEEDED.0));
        bytes.extend(process(b"", overwritten | ProcessFlag::PROCESS_MID_EXEC.0));
        let bytes = sealed(bytes);
        let snapshot = signal(&bytes).unwrap();
        assert_eq!(snapshot.processes[0].argv, Argv::Missing(Gap::Overwritten));
        assert_eq!(snapshot.processes[1].argv, Argv::Missing(Gap::MidExec));
    }

    #[test]
    fn another_version_says_record_again() {
        let mut bytes = whole();
        bytes[0] = 200;
        assert!(decode(&bytes).unwrap_err().to_string().contains("record again"));
    }

    #[test]
    fn a_place_past_the_sources_chain_is_refused() {
        let mut bytes = head(0, 0, 7);
        bytes.extend(process(b"a\0", 0));
        bytes.extend(process(b"b\0", 0));
        assert!(matches!(decode(&sealed(bytes)), Err(DecodeError::Impossible { field: "joins_at", .. })));
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_value_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let _ = decode(&bytes);
        }

        #[test]
        fn a_truncated_record_is_an_error(cut in 0usize..400) {
            let bytes = whole();
            prop_assume!(cut < bytes.len());
            prop_assert!(decode(&bytes[..cut]).is_err());
        }

        #[test]
        fn a_damaged_record_never_panics(changes in proptest::collection::vec((0usize..500, any::<u8>()), 0..24)) {
            let mut bytes = whole();
            for (at, value) in changes {
                let at = at % bytes.len();
                bytes[at] = value;
            }
            let _ = decode(&bytes);
        }
    }
}
