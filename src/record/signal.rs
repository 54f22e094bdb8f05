//! One signal, as the kernel saw it at that instant: both chains of processes, and what surrounds them.

use super::cause::Explanation;
use super::chains::{Chains, decode_chains, processes_of};
use super::child_death::{self, ChildDeath};
use super::disposition::{Blocking, Disposition};
use super::limits::Limits;
use super::oom::OomFacts;
use super::previous::{self, Previous};
use super::process::{self, ProcessFacts};
use super::reader::{DecodeError, Reader};
use super::siginfo::{self, SigInfo};
use super::spawner::{self, SpawnerFacts};
use super::syscall::{self, Syscall};
use super::tail;
use super::task::{self, TTY_BYTES, Task};
use crate::wire::{Abi, Constant, Kind, SignalFlag, VERSION, WireSignal};

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
    /// The running task was inside a system call (also where the registers could not be read).
    pub in_syscall: bool,
    /// The registers could be read at all.
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
    /// Name of the target's terminal, as the kernel has it, and NULs, of a signal that a terminal may have sent.
    pub tty: [u8; TTY_BYTES],
    /// What the OOM killer reported of it.
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
    /// A thread waits at a signalfd of the target's, which blocks the signal.
    pub has_signalfd_reader: bool,
    /// The processes that started those whose parent is another now; each behind the process that it started.
    pub spawners: Vec<SpawnerFacts>,
    /// There were more.
    pub spawners_cut: bool,
    /// The current chain was cut before the top.
    pub current_truncated: bool,
    /// The target chain was cut before the top.
    pub target_truncated: bool,
}

impl<'a> Snapshot<'a> {
    /// The process that was running.
    pub fn current_process(&self) -> Option<&ProcessFacts<'a>> {
        self.processes.get(*self.current_chain.first()?)
    }

    /// The process that was signalled.
    pub fn target_process(&self) -> Option<&ProcessFacts<'a>> {
        self.processes.get(*self.target_chain.first()?)
    }

    /// Was the process that was signalled running?
    pub fn is_to_itself(&self) -> bool {
        let pid = |process: Option<&ProcessFacts<'_>>| process.map(|process| process.pid);
        pid(self.current_process()) == pid(self.target_process())
    }

    /// The same, apart from the bytes of the record.
    pub fn into_owned(self) -> Snapshot<'static> {
        Snapshot {
            time: self.time,
            signal: self.signal,
            group: self.group,
            result: self.result,
            info: self.info,
            syscall: self.syscall,
            in_syscall: self.in_syscall,
            has_registers: self.has_registers,
            instruction_pointer: self.instruction_pointer,
            disposition: self.disposition,
            blocking: self.blocking,
            current: self.current,
            target: self.target,
            processes: self.processes.into_iter().map(ProcessFacts::into_owned).collect(),
            current_chain: self.current_chain,
            target_chain: self.target_chain,
            tty: self.tty,
            oom: self.oom,
            previous: self.previous,
            has_history: self.has_history,
            child_death: self.child_death,
            to_source: self.to_source,
            last_fault: self.last_fault,
            current_tracer: self.current_tracer,
            target_tracer: self.target_tracer,
            limits: self.limits,
            stack: self.stack,
            stack_lost: self.stack_lost,
            explanation: self.explanation,
            is_traced_call: self.is_traced_call,
            is_info_off_stack: self.is_info_off_stack,
            source_in_tree: self.source_in_tree,
            target_in_tree: self.target_in_tree,
            has_signalfd_reader: self.has_signalfd_reader,
            spawners: self.spawners,
            spawners_cut: self.spawners_cut,
            current_truncated: self.current_truncated,
            target_truncated: self.target_truncated,
        }
    }

    /// Bytes of memory that it holds, once owned.
    pub fn size(&self) -> usize {
        let oom = self.oom.as_ref().map_or(0, |oom| oom.cgroup.len() + size_of_val(&*oom.stack));
        let places = size_of_val(&*self.current_chain) + size_of_val(&*self.target_chain);
        let functions = self.explanation.iter().flat_map(|explanation| &explanation.functions);
        let named: usize = functions.map(|name| size_of::<String>() + name.len()).sum();
        size_of::<Self>()
            + process::size_of_all(&self.processes)
            + places
            + size_of_val(&*self.spawners)
            + size_of_val(&*self.stack)
            + named
            + oom
    }
}

/// The head of a signal's record, and what is behind it. None if it is none, or not whole; what it says is not looked at.
pub(crate) fn head_of_signal(bytes: &[u8]) -> Option<(WireSignal, &[u8])> {
    let head: WireSignal = Reader::new(bytes).read("the header").ok()?;
    let is_signal = (head.version, Kind(u32::from(head.kind))) == (VERSION, Kind::RECORD_SIGNAL);
    let rest = bytes.get(size_of::<WireSignal>()..head.length as usize)?;
    is_signal.then_some((head, rest))
}

pub(super) fn decode(mut reader: Reader<'_>) -> Result<Snapshot<'_>, DecodeError> {
    let (_, snapshot) = decode_any(&mut reader)?;
    match snapshot.signal {
        1..=64 => Ok(snapshot),
        other => Err(DecodeError::impossible("signal", other)),
    }
}

/// A signal, or an attempt at one up to its own part: its number may be 0.
pub(super) fn decode_any<'a>(reader: &mut Reader<'a>) -> Result<(WireSignal, Snapshot<'a>), DecodeError> {
    let head: WireSignal = reader.read("the header")?;
    let total = processes_of(&head);
    let mut processes = Vec::with_capacity(total);
    for place in 0..total {
        let subject = match place {
            0 => Some(&head.source),
            1 => Some(&head.target),
            _ => None,
        };
        processes.push(process::decode(reader, subject)?);
    }
    let mut spawners = Vec::new();
    for _ in 0..u32::from(head.spawners).min(Constant::MAX_SPAWNERS.0) {
        let (spawner, process) = spawner::decode(reader, processes.len())?;
        spawners.push(spawner);
        processes.push(process);
    }
    let tail = tail::decode(reader, &head, &mut processes)?;
    let Chains { current: mut current_chain, target: mut target_chain, is_target_cut } =
        decode_chains(&head)?;
    let is_current_cut = process::cut_nameless(&mut current_chain, &processes);
    let is_target_cut = process::cut_nameless(&mut target_chain, &processes) || is_target_cut;
    let flag = |flag: SignalFlag| head.flags & flag.0 != 0;
    let snapshot = Snapshot {
        time: head.time,
        signal: if head.signal <= 64 { head.signal as u8 } else { 0 },
        group: flag(SignalFlag::SIGNAL_GROUP),
        result: u32::from(head.result),
        info: siginfo::decode(&head)?,
        in_syscall: flag(SignalFlag::SIGNAL_SYSCALL),
        has_registers: Abi(head.call.abi) != Abi::ABI_NONE,
        instruction_pointer: head.call.instruction_pointer,
        // whether current is still in it, is another question
        syscall: syscall::decode(&head.call)?,
        disposition: Disposition::decode(head.disposition)?,
        blocking: Blocking::decode(head.flags),
        current: task::decode(&head.source),
        target: task::decode(&head.target),
        processes,
        current_chain,
        target_chain,
        current_truncated: flag(SignalFlag::SIGNAL_SOURCE_TRUNCATED) || is_current_cut,
        target_truncated: flag(SignalFlag::SIGNAL_TARGET_TRUNCATED) || is_target_cut,
        tty: tail.tty,
        oom: None,
        previous: previous::decode(&head.previous),
        has_history: !flag(SignalFlag::SIGNAL_NO_HISTORY),
        child_death: child_death::decode(tail.child_death, head.time),
        to_source: previous::decode(&tail.to_source),
        last_fault: (tail.last_fault != 0).then_some(tail.last_fault),
        current_tracer: tail.source_tracer,
        target_tracer: tail.target_tracer,
        limits: tail.limits,
        stack: tail.stack,
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
    Ok((head, snapshot))
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
            tty: [0; TTY_BYTES],
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
mod tests {
    use super::*;
    use crate::record::samples::{head, process, sealed, whole};
    use crate::record::{Record, decode};

    #[test]
    fn the_targets_chain_goes_on_in_the_sources() {
        let bytes = whole();
        let Ok(Record::Signal(snapshot)) = decode(&bytes) else { panic!("not a signal") };
        assert_eq!(snapshot.current_chain, [0, 2]);
        assert_eq!(snapshot.target_chain, [1, 2]);
        let size = snapshot.size();
        let owned = snapshot.clone().into_owned();
        assert_eq!((&owned, owned.size()), (&*snapshot, size), "it is the same, wherever its bytes are");
    }

    #[test]
    fn a_place_past_the_sources_chain_is_refused() {
        let mut bytes = head(0, 0, 7);
        bytes.extend(process(b"a"));
        bytes.extend(process(b"b"));
        assert!(matches!(decode(&sealed(bytes)), Err(DecodeError::Impossible { field: "joins_at", .. })));
    }
}
