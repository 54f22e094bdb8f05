//! Every sentence that an event can have, each once, made by the builder: for `docs/sentences.md` and for tests. Only in
//! tests: the program makes sentences of records.

use super::samples::{event, previous, process};
use super::{of, of_attempt, of_end, of_request};
use crate::enrich::surroundings::Surroundings;
use crate::event::context::{Context, EarlierSignal};
use crate::event::origin::{Origin, Reason};
use crate::event::{AttemptEvent, Clock, EndEvent, RequestEvent, SignalEvent};
use crate::record::cause::Explanation;
use crate::record::{
    Argv, ArgvFrom, AttemptFacts, Blocking, ChildDeath, Disposition, EndFacts, Ending, Limits, OomFacts,
    OomScope, PF_EXITING, Previous, PreviousSource, ProcessFacts, RequestFacts, SigInfo, Snapshot, Syscall,
    SyscallAbi, Task,
};

/// When it is said, and the sentence.
pub(crate) type Row = (&'static str, String);
/// What makes a signal an example.
type Change = fn(&mut Snapshot<'static>);

const FREEZER_V1: u32 = 0x8000;
const STOPPED: u32 = 0x4;
const DISK_SLEEP: u32 = 0x2;
const ZOMBIE: u32 = 0x20;
/// `SIGNAL_CLD_CONTINUED | SIGNAL_STOP_CONTINUED`.
const CONTINUED: u32 = 0x22;

fn say(origin: Origin, reason: Option<Reason>, change: impl FnOnce(&mut Snapshot<'static>)) -> String {
    of(&made(origin, reason, change))
}

fn made(
    origin: Origin,
    reason: Option<Reason>,
    change: impl FnOnce(&mut Snapshot<'static>),
) -> SignalEvent<'static> {
    let mut event = event(origin, |facts| {
        facts.target.live = 1;
        change(facts);
    });
    event.verdict.reason = reason;
    event
}

/// The target signals itself.
fn itself(facts: &mut Snapshot<'static>) {
    facts.current_chain = vec![1];
    facts.current.tid = 9;
}

fn at(code: i32, address: u64) -> SigInfo {
    let mut fields = [0; 16];
    fields[..8].copy_from_slice(&address.to_ne_bytes());
    SigInfo::Given { code, fields }
}

/// A signal that a process sent.
fn sent(signal: u8, result: u32, pid: u32, comm: &[u8]) -> Previous {
    previous(signal, result, Some(PreviousSource { pid, start: u64::from(pid), comm: comm.into() }))
}

/// Of each origin, and of each reason that it can have.
#[allow(clippy::too_many_lines)] // a table
pub(crate) fn of_signals() -> Vec<Row> {
    let terminal = |signal| {
        move |facts: &mut Snapshot<'static>| {
            facts.signal = signal;
            facts.tty[..4].copy_from_slice(b"pts3");
        }
    };
    let of_session = |facts: &mut Snapshot<'static>| (facts.current.session, facts.target.session) = (7, 7);
    let no_trigger = |facts: &mut Snapshot<'static>| facts.current.tid = 0;
    let call = |number, args| Some(Syscall { abi: SyscallAbi::X86_64, number, args, is_active: true });
    let killed = |facts: &mut Snapshot<'static>| facts.signal = 9;
    let fatal = |facts: &mut Snapshot<'static>| {
        facts.target.signal_flags |= crate::wire::TaskConstant::SIGNAL_GROUP_EXIT.0;
        facts.target.group_exit_code = u32::from(facts.signal);
    };
    let child = |signal_code| {
        move |facts: &mut Snapshot<'static>| {
            facts.signal = 17;
            let mut fields = [0; 16];
            fields[..4].copy_from_slice(&7_u32.to_ne_bytes());
            facts.info = SigInfo::Given { code: signal_code, fields };
        }
    };
    let oom = |scope, limit: Option<u64>, by_sysrq| {
        move |facts: &mut Snapshot<'static>| {
            facts.signal = 9;
            facts.oom = Some(OomFacts {
                time: 0,
                pid: 9,
                start: 9,
                current_tid: 7,
                rss_pages: Some(127_488),
                usage_and_limit: limit.map(|limit| (limit, limit)),
                cgroup: Vec::new(),
                cpuset_nodes: 0,
                policy_nodes: 0,
                by_sysrq,
                stack: Vec::new(),
                scope,
            });
        }
    };
    let limit = |signal, hard| {
        move |facts: &mut Snapshot<'static>| {
            facts.signal = signal;
            facts.explanation = Some(Explanation::default());
            facts.limits =
                Some(Limits { cpu: [Some(1_000_000_000), hard], file_size: Some(4096), ..Limits::default() });
        }
    };
    vec![
        ("a process sent it", say(Origin::Process, None, |_| {})),
        ("to itself", say(Origin::Process, None, itself)),
        (
            "to itself, and it is certain to end it",
            say(Origin::Process, None, |facts| {
                itself(facts);
                killed(facts);
                fatal(facts);
            }),
        ),
        (
            "to itself, once more after a fault",
            say(Origin::Process, None, |facts| {
                itself(facts);
                facts.signal = 11;
                facts.last_fault = Some(0x8);
                facts.time = 10_000_500_000;
                facts.previous = Some(Previous { is_page_fault: true, ..previous(11, 0, None) });
            }),
        ),
        ("`cgroup.kill` was written", say(Origin::Cgroup, None, killed)),
        (
            "`cgroup.kill` was written, by a process of that cgroup",
            say(Origin::Cgroup, None, |facts| {
                itself(facts);
                killed(facts);
            }),
        ),
        (
            "a fault, of the default action",
            say(Origin::Fault, None, |facts| {
                itself(facts);
                facts.signal = 11;
                facts.info = at(1, 0x8);
            }),
        ),
        (
            "a fault that a handler gets",
            say(Origin::Fault, None, |facts| {
                itself(facts);
                facts.signal = 11;
                facts.info = at(1, 0x8);
                facts.disposition = Disposition::Handled;
            }),
        ),
        (
            "a fault whose handler cannot run",
            say(Origin::Fault, Some(Reason::HandlerFailed), |facts| {
                itself(facts);
                facts.signal = 11;
            }),
        ),
        (
            "a damaged page of memory",
            say(Origin::Fault, Some(Reason::MemoryFailure), |facts| {
                facts.signal = 7;
                facts.info = at(5, 0x7f00_0000_1000);
            }),
        ),
        (
            "a key of the terminal",
            say(Origin::Tty, None, |facts| {
                terminal(2)(facts);
                no_trigger(facts);
            }),
        ),
        ("the same, and whose work it was is known", say(Origin::Tty, None, terminal(2))),
        ("another process closed the terminal", say(Origin::Tty, None, terminal(1))),
        (
            "a process of the terminal's session exited",
            say(Origin::Tty, None, |facts| {
                terminal(1)(facts);
                of_session(facts);
                facts.current.flags |= PF_EXITING;
            }),
        ),
        (
            "a process of its session let go of the terminal",
            say(Origin::Tty, None, |facts| {
                terminal(1)(facts);
                of_session(facts);
            }),
        ),
        (
            "a hang-up by nobody that is known",
            say(Origin::Tty, None, |facts| {
                terminal(1)(facts);
                no_trigger(facts);
            }),
        ),
        ("the terminal was resized", say(Origin::Tty, None, terminal(28))),
        ("a timer", say(Origin::Timer, None, |facts| facts.signal = 14)),
        ("the parent's thread exited", say(Origin::ParentDeath, None, |facts| facts.current.live = 1)),
        (
            "one of its other threads",
            say(Origin::ParentDeath, None, |facts| {
                (facts.current.tid, facts.current.live) = (8, 1);
            }),
        ),
        ("the parent exited", say(Origin::ParentDeath, None, |_| {})),
        ("the init of its pid namespace exited", say(Origin::PidNamespace, None, killed)),
        (
            "`reboot(2)` in its pid namespace",
            say(Origin::PidNamespace, Some(Reason::Reboot), |facts| {
                killed(facts);
                facts.syscall = call(169, [0, 0, 0x0123_4567, 0]);
            }),
        ),
        ("a child exited", say(Origin::Child, None, child(1))),
        ("a child was killed", say(Origin::Child, None, child(2))),
        ("a child left a core", say(Origin::Child, None, child(3))),
        ("a child stopped for its tracer", say(Origin::Child, None, child(4))),
        ("a child stopped", say(Origin::Child, None, child(5))),
        ("a child continued", say(Origin::Child, None, child(6))),
        (
            "a child did something, which one is not known",
            say(Origin::Child, None, |facts| facts.signal = 17),
        ),
        (
            "nobody reads what it writes",
            say(Origin::Io, None, |facts| {
                itself(facts);
                (facts.signal, facts.info) = (13, SigInfo::None);
            }),
        ),
        (
            "I/O",
            say(Origin::Io, None, |facts| (facts.signal, facts.disposition) = (29, Disposition::Handled)),
        ),
        (
            "I/O, and whose is known",
            say(Origin::Io, None, |facts| {
                facts.signal = 29;
                facts.explanation = Some(Explanation::default());
            }),
        ),
        (
            "a message in a queue",
            say(Origin::Io, Some(Reason::MessageQueue), |facts| {
                facts.signal = 10;
                facts.explanation = Some(Explanation::default());
            }),
        ),
        ("a resource limit, soft", say(Origin::Rlimit, None, limit(24, None))),
        ("a resource limit, hard", say(Origin::Rlimit, None, limit(9, Some(2_000_000_000)))),
        ("the limit of a file's size", say(Origin::Rlimit, None, limit(25, None))),
        ("a resource limit that is not known", say(Origin::Rlimit, None, |facts| facts.signal = 24)),
        (
            "a seccomp filter",
            say(Origin::Seccomp, None, |facts| {
                facts.signal = 31;
                let mut fields = [0; 16];
                fields[8..12].copy_from_slice(&110_i32.to_ne_bytes());
                fields[12..].copy_from_slice(&0xc000_003e_u32.to_ne_bytes());
                facts.info = SigInfo::Given { code: 1, fields };
            }),
        ),
        (
            "a seccomp filter, and a call without a name",
            say(Origin::Seccomp, None, |facts| {
                facts.signal = 31;
                let mut fields = [0; 16];
                fields[8..12].copy_from_slice(&9999_i32.to_ne_bytes());
                fields[12..].copy_from_slice(&0xc000_003e_u32.to_ne_bytes());
                facts.info = SigInfo::Given { code: 1, fields };
            }),
        ),
        (
            "a seccomp filter, and nothing is known of the call",
            say(Origin::Seccomp, None, |facts| facts.signal = 31),
        ),
        (
            "the limit of a memory cgroup",
            say(Origin::Oom, None, oom(Some(OomScope::Cgroup), Some(131_072), false)),
        ),
        (
            "the same, and the limit is not known",
            say(Origin::Oom, None, oom(Some(OomScope::Cgroup), None, false)),
        ),
        ("the memory of the host", say(Origin::Oom, None, oom(Some(OomScope::Global), None, false))),
        ("of a cpuset", say(Origin::Oom, None, oom(Some(OomScope::Cpuset), None, false))),
        ("of a memory policy", say(Origin::Oom, None, oom(Some(OomScope::MemoryPolicy), None, false))),
        ("asked for by SysRq", say(Origin::Oom, None, oom(None, None, true))),
        (
            "the OOM killer, and no more is known",
            say(Origin::Oom, None, |facts| {
                killed(facts);
                itself(facts);
            }),
        ),
        ("a BPF program", say(Origin::Bpf, None, |_| {})),
        ("a perf event", say(Origin::Perf, None, |facts| facts.signal = 5)),
        (
            "`PTRACE_ATTACH`",
            say(Origin::Ptrace, Some(Reason::Attach), |facts| {
                facts.signal = 19;
                facts.explanation = Some(Explanation::default());
            }),
        ),
        (
            "`PTRACE_KILL`",
            say(Origin::Ptrace, Some(Reason::PtraceKill), |facts| {
                killed(facts);
                facts.explanation = Some(Explanation::default());
            }),
        ),
        (
            "the tracer ended",
            say(Origin::Ptrace, Some(Reason::TracerEnded), |facts| {
                killed(facts);
                facts.explanation = Some(Explanation::default());
            }),
        ),
        (
            "for a tracer",
            say(Origin::Ptrace, None, |facts| {
                facts.signal = 5;
                facts.explanation = Some(Explanation::default());
            }),
        ),
        ("for a tracer that is not known", say(Origin::Ptrace, None, |facts| facts.signal = 5)),
        (
            "an orphaned process group",
            say(Origin::Kernel, Some(Reason::OrphanedGroup), |facts| {
                facts.signal = 1;
                facts.current.flags |= PF_EXITING;
            }),
        ),
        ("SysRq", say(Origin::Kernel, Some(Reason::Sysrq), |_| {})),
        ("Ctrl-Alt-Del", say(Origin::Kernel, Some(Reason::CtrlAltDel), |facts| facts.signal = 2)),
        (
            "another virtual console came to the front",
            say(Origin::Kernel, Some(Reason::ConsoleSwitch), |facts| {
                facts.signal = 10;
            }),
        ),
        ("`execve` failed too late", say(Origin::Kernel, Some(Reason::ExecFailed), killed)),
        ("syscall user dispatch", say(Origin::Kernel, Some(Reason::UserDispatch), |facts| facts.signal = 31)),
        (
            "the kernel, in a function that says no more",
            say(Origin::Kernel, None, |facts| {
                let functions = vec!["some_driver_event".to_owned()];
                facts.explanation = Some(Explanation { functions, ..Explanation::default() });
            }),
        ),
        ("the kernel, and no more is known", say(Origin::Kernel, None, |_| {})),
    ]
}

/// Of each effect: behind the target, behind the signal where the sentence is about the target, behind a reason.
pub(crate) fn of_effects() -> Vec<Row> {
    let rows: [(&'static str, Change); 19] = [
        ("it has a handler", |facts| facts.disposition = Disposition::Handled),
        ("`SIG_IGN`", |facts| (facts.result, facts.disposition) = (1, Disposition::Ignored)),
        ("the default action is to do nothing", |facts| (facts.signal, facts.result) = (17, 1)),
        ("PID 1 of its namespace, without a handler", |facts| {
            (facts.result, facts.target.signal_flags) = (1, 0x40);
        }),
        ("ignored for a reason that is not known", |facts| facts.result = 1),
        ("a zombie", |facts| (facts.result, facts.target.live, facts.target.exit_state) = (1, 0, ZOMBIE)),
        ("it is exiting", |facts| (facts.result, facts.target.live) = (1, 0)),
        ("it is being killed, and frozen", |facts| {
            (facts.result, facts.target.live, facts.target.state) = (1, 0, FREEZER_V1);
        }),
        ("it is being killed, and sleeps", |facts| {
            (facts.result, facts.target.live, facts.target.state) = (1, 0, DISK_SLEEP);
        }),
        ("one was pending", |facts| facts.result = 2),
        ("the queue was full", |facts| facts.result = 3),
        ("frozen", |facts| facts.target.state = FREEZER_V1),
        ("`sigwait()`", |facts| facts.blocking = Blocking::Waited),
        ("a signalfd", |facts| (facts.blocking, facts.has_signalfd_reader) = (Blocking::Blocked, true)),
        ("blocked", |facts| facts.blocking = Blocking::Blocked),
        ("SIGKILL to one that sleeps", |facts| (facts.signal, facts.target.state) = (9, DISK_SLEEP)),
        ("stopped", |facts| facts.target.state = STOPPED),
        ("SIGCONT, and it was stopped", |facts| {
            (facts.signal, facts.result, facts.target.signal_flags) = (18, 1, CONTINUED);
        }),
        ("it met the default action, or no more is known", |_| {}),
    ];
    let mut said = Vec::new();
    for (when, change) in rows {
        said.push((when, say(Origin::Process, None, change)));
    }
    said.push(("in a sentence about the target", say(Origin::Timer, None, rows[0].1)));
    said.push(("the same, of a state", say(Origin::Timer, None, rows[6].1)));
    said.push(("in front of a reason", say(Origin::Kernel, Some(Reason::CtrlAltDel), rows[0].1)));
    said.push((
        "of a hang-up",
        say(Origin::Tty, None, |facts| {
            facts.signal = 1;
            facts.tty[..4].copy_from_slice(b"pts3");
            rows[0].1(facts);
        }),
    ));
    said.push((
        "of `cgroup.kill`",
        say(Origin::Cgroup, None, |facts| {
            facts.signal = 9;
            rows[6].1(facts);
        }),
    ));
    said
}

/// What is added of before, and of the two.
pub(crate) fn of_circumstances() -> Vec<Row> {
    let after = |signal, result| {
        move |facts: &mut Snapshot<'static>| facts.previous = Some(previous(signal, result, None))
    };
    let traced = |facts: &mut Snapshot<'static>| {
        facts.processes.push(process(5, b"gdb"));
        facts.processes.len() - 1
    };
    vec![
        ("the signal before", say(Origin::Process, None, after(1, 0))),
        (
            "the signal before, which was ignored",
            say(Origin::Process, None, |facts| {
                facts.signal = 9;
                after(15, 1)(facts);
            }),
        ),
        (
            "by PID 1 of a namespace",
            say(Origin::Process, None, |facts| {
                facts.signal = 9;
                after(15, 1)(facts);
                (facts.target.namespace_pid, facts.target.namespace_level) = (1, 1);
            }),
        ),
        (
            "behind an effect",
            say(Origin::Process, None, |facts| {
                after(1, 0)(facts);
                facts.disposition = Disposition::Handled;
            }),
        ),
        (
            "what the sender got",
            say(Origin::Process, None, |facts| {
                let last = sent(12, 0, 4, b"sh");
                facts.to_source = Some(Previous { time: facts.time - 100_000, ..last });
            }),
        ),
        (
            "a child of the sender",
            say(Origin::Process, None, |facts| {
                facts.child_death = Some(ChildDeath { pid: 8, signal: 9, time: facts.time - 100_000_000 });
            }),
        ),
        (
            "the target is traced",
            say(Origin::Process, None, |facts| facts.target_tracer = Some(traced(facts))),
        ),
        (
            "the sender is traced",
            say(Origin::Process, None, |facts| facts.current_tracer = Some(traced(facts))),
        ),
        (
            "several",
            say(Origin::Process, None, |facts| {
                after(1, 0)(facts);
                facts.disposition = Disposition::Handled;
                facts.target_tracer = Some(traced(facts));
                facts.child_death = Some(ChildDeath { pid: 8, signal: 9, time: facts.time - 100_000_000 });
            }),
        ),
    ]
}

fn attempt(signal: i32, returned: i64, number: i64, argument: i32, has_target: bool) -> String {
    let caller = ProcessFacts { uid: 1000, ..process(7, b"bash") };
    let mut facts = Snapshot::between(caller, process(9, b"yes"));
    let args = [u64::from(argument as u32), signal as u64, 0, 0];
    facts.syscall = Some(Syscall { abi: SyscallAbi::X86_64, number, args, is_active: true });
    let attempt = AttemptFacts { facts, signal, returned, has_target };
    AttemptEvent::new(attempt, 1, Clock::fixed(0), Context::default())
        .map_or_else(String::new, |event| of_attempt(&event))
}

/// Of calls that failed, and of checks.
pub(crate) fn of_attempts() -> Vec<Row> {
    const KILL: i64 = 62;
    const PIDFD_SEND_SIGNAL: i64 = 424;
    vec![
        ("no permission", attempt(15, -1, KILL, 9, true)),
        ("no such process", attempt(15, -3, KILL, 4711, false)),
        ("a process group", attempt(15, -1, KILL, -4711, false)),
        ("its own process group", attempt(15, -1, KILL, 0, false)),
        ("all processes", attempt(9, -1, KILL, -1, false)),
        ("no signal", attempt(99, -22, KILL, 9, true)),
        ("the queue is full", attempt(34, -11, KILL, 9, true)),
        ("no pidfd", attempt(15, -9, PIDFD_SEND_SIGNAL, 3, false)),
        ("another error", attempt(15, -38, PIDFD_SEND_SIGNAL, 3, false)),
        ("signal 0, and it may be signalled", attempt(0, 0, KILL, 9, true)),
        ("signal 0, and it may not", attempt(0, -1, KILL, 9, true)),
        ("signal 0, and it does not exist", attempt(0, -3, KILL, 4711, false)),
    ]
}

/// Requests.
pub(crate) fn of_requests() -> Vec<Row> {
    let ask = |words: &[u8]| {
        let mut systemctl = process(9, b"systemctl");
        systemctl.argv =
            Argv::Known { bytes: words.to_vec().into(), total: words.len() as u32, from: ArgvFrom::Exec };
        let facts = RequestFacts {
            time: 0,
            task: Task::default(),
            processes: vec![systemctl, process(7, b"bash")],
            chain: vec![0, 1],
            truncated: false,
        };
        let event = RequestEvent::new(facts, 1, Clock::fixed(0), Surroundings::default());
        of_request(&event.unwrap())
    };
    vec![
        ("it names a unit", ask(b"systemctl\0restart\0nginx\0")),
        ("it names none, or several", ask(b"systemctl\0daemon-reload\0")),
    ]
}

/// What ends are made of.
struct End {
    ending: Ending,
    after: Option<(Previous, Option<Origin>)>,
    change: fn(&mut EndFacts<'static>),
    watched_since: u64,
}

impl End {
    fn of(ending: Ending) -> Self {
        Self { ending, after: None, change: |_| {}, watched_since: 0 }
    }

    fn after(self, signal: Previous, origin: Origin) -> Self {
        Self { after: Some((signal, Some(origin))), ..self }
    }

    fn but(self, change: fn(&mut EndFacts<'static>)) -> Self {
        Self { change, ..self }
    }

    fn sentence(self) -> String {
        let mut facts = EndFacts { time: 10_000_700_000, ..EndFacts::of(process(9, b"yes"), self.ending) };
        (self.change)(&mut facts);
        let after =
            self.after.map(|(signal, origin)| EarlierSignal { is_taken: false, id: None, origin, signal });
        EndEvent::new(facts, 2, Clock::fixed(0), self.watched_since, after, Surroundings::default())
            .map_or_else(String::new, |event| of_end(&event))
    }
}

/// Of ends.
pub(crate) fn of_ends() -> Vec<Row> {
    let exit = |code| End::of(Ending::Exit(code));
    let killed = |number| End::of(Ending::Signal { number, core_dumped: false });
    let crashed = |number| End::of(Ending::Signal { number, core_dumped: true });
    let by_bash = |signal| sent(signal, 0, 7, b"bash");
    let came = |signal| previous(signal, 0, None);
    let handled = |signal| Previous { met_default: false, ..by_bash(signal) };
    let unexplained = |facts: &mut EndFacts<'static>| facts.explained = false;
    let by_kernel = |signal, origin| killed(signal).after(came(signal), origin).sentence();
    vec![
        ("it exited, and no signal came before", exit(7).sentence()),
        ("it exited after a signal", exit(143).after(by_bash(15), Origin::Process).sentence()),
        ("after one of its own", exit(0).after(sent(15, 0, 9, b"yes"), Origin::Process).sentence()),
        ("after one of the kernel", exit(129).after(came(1), Origin::Tty).sentence()),
        ("after one that it ignored", exit(0).after(sent(15, 1, 7, b"bash"), Origin::Process).sentence()),
        ("killed by a process", killed(15).after(by_bash(15), Origin::Process).sentence()),
        ("and it left a core", crashed(3).after(by_bash(3), Origin::Process).sentence()),
        ("killed by itself", killed(9).after(sent(9, 0, 9, b"yes"), Origin::Process).sentence()),
        (
            "by itself, and it left a core",
            crashed(6).after(sent(6, 0, 9, b"yes"), Origin::Process).sentence(),
        ),
        ("a fault", crashed(11).after(came(11), Origin::Fault).sentence()),
        ("the OOM killer", by_kernel(9, Origin::Oom)),
        ("a terminal", by_kernel(1, Origin::Tty)),
        ("the death of its parent", by_kernel(15, Origin::ParentDeath)),
        ("the end of its pid namespace", by_kernel(9, Origin::PidNamespace)),
        ("a timer", by_kernel(14, Origin::Timer)),
        ("a resource limit", by_kernel(24, Origin::Rlimit)),
        ("a BPF program", by_kernel(15, Origin::Bpf)),
        ("a perf event", by_kernel(5, Origin::Perf)),
        ("a seccomp filter", by_kernel(31, Origin::Seccomp)),
        ("a tracer", by_kernel(9, Origin::Ptrace)),
        ("a closed pipe", by_kernel(13, Origin::Io)),
        ("the kernel", by_kernel(9, Origin::Kernel)),
        ("it had a handler when the signal came", killed(15).after(handled(15), Origin::Process).sentence()),
        ("the signal before is not kept", killed(15).sentence()),
        ("no event explains it", killed(9).but(unexplained).sentence()),
        (
            "none does, of a process older than the trace",
            End { watched_since: u64::MAX, ..killed(9).but(unexplained) }.sentence(),
        ),
        (
            "strict seccomp",
            killed(9)
                .but(|facts| {
                    (facts.explained, facts.seccomp_mode) = (false, 1);
                    facts.syscall =
                        Some(Syscall { abi: SyscallAbi::X86_64, number: 110, args: [0; 4], is_active: true });
                })
                .sentence(),
        ),
        (
            "a seccomp filter, without a signal",
            crashed(31)
                .but(|facts| {
                    (facts.explained, facts.seccomp_mode) = (false, 2);
                })
                .sentence(),
        ),
        (
            "delivered by a tracer",
            killed(15)
                .but(|facts| {
                    (facts.explained, facts.is_traced, facts.tracer) = (false, true, Some(1));
                    facts.processes.push(process(5, b"gdb"));
                })
                .sentence(),
        ),
        (
            "a thread alone",
            killed(31)
                .but(|facts| {
                    (facts.explained, facts.is_thread, facts.task.tid, facts.seccomp_mode) =
                        (false, true, 12, 2);
                })
                .sentence(),
        ),
    ]
}

mod tests {
    use super::*;

    fn all() -> Vec<Row> {
        [of_signals(), of_effects(), of_circumstances(), of_attempts(), of_ends()].concat()
    }

    #[test]
    fn every_sentence_names_the_process_that_it_is_about() {
        for (when, sentence) in all() {
            assert!(sentence.contains("yes(9)") || sentence.contains("bash(7) "), "{when}: {sentence}");
            assert!(
                !sentence.contains("  ") && !sentence.ends_with([' ', ',', ':', ';', '.']),
                "{when}: {sentence}"
            );
        }
    }

    /// A clause says nothing of the wrong process.
    #[test]
    fn no_clause_dangles() {
        for (when, sentence) in all() {
            let reasons = ["itself, which", "limit, which", "exited, which", "(7), which", ": I/O, which"];
            assert!(!reasons.iter().any(|reason| sentence.contains(reason)), "{when}: {sentence}");
        }
    }
}
