//! One sentence from the facts of one event, and never more than they say.

use std::fmt::Write;

use crate::base::digits::push_decimal;
use crate::base::sanitize::{is_safe, push_json_string};
use crate::event::context::After;
use crate::event::origin::{self, Origin, Reason};
use crate::event::signal::Signal;
use crate::event::{
    AttemptEvent, EndEvent, Freezer, IgnoredBecause, Outcome, RefusedCall, RlimitValue, SignalEvent,
};
use crate::record::{Blocking, Disposition, Ending, OomScope, Previous, ProcessFacts, Task};

/// `comm(pid)`. A comm that could pass for more than itself is a JSON string: a process may call itself
/// `x(1)─sshd`.
pub fn name(process: &ProcessFacts<'_>) -> String {
    let mut text = String::with_capacity(32);
    push_name(process, &mut text);
    text
}

/// Appends [`name`].
pub fn push_name(process: &ProcessFacts<'_>, text: &mut String) {
    let is_word =
        |&byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b':');
    match std::str::from_utf8(&process.comm) {
        Ok(comm) if !comm.is_empty() && process.comm.iter().all(is_word) => {
            text.push_str(comm);
            text.push('(');
            push_decimal(text, u64::from(process.pid));
            text.push(')');
        }
        _ => text.push_str(&name_of(&process.comm, process.pid)),
    }
}

/// As [`name`], of a comm's bytes.
fn name_of(comm: &[u8], pid: u32) -> String {
    let comm = String::from_utf8_lossy(comm);
    let is_safe = !comm.is_empty()
        && !comm.trim_start_matches('(').contains('(')
        && is_safe(&comm)
        && !comm.contains(['─', '…', '"', '\\', '\u{fffd}']);
    if is_safe {
        return format!("{comm}({pid})");
    }
    let mut quoted = Vec::new();
    push_json_string(&mut quoted, &comm);
    format!("{}({pid})", String::from_utf8_lossy(&quoted))
}

/// The sentence.
pub fn of(event: &SignalEvent<'_>) -> String {
    let signal = event.signal;
    let target = name(event.target());
    let is_own = event.current().pid == event.target().pid && event.current().start == event.target().start;
    let mut text = match event.verdict.origin {
        Origin::Process if is_own => format!("{} sent {signal} to itself", source(event)),
        Origin::Process => format!("{} sent {signal} to {target}", source(event)),
        Origin::Cgroup if is_own => format!("{} killed itself through cgroup.kill", source(event)),
        Origin::Cgroup => format!("{} killed {target} through cgroup.kill", source(event)),
        Origin::Fault => {
            let mut text = if is_own {
                format!("{target} caused {signal}")
            } else {
                format!("kernel sent {signal} to {target}")
            };
            if let Some(code) = event.code() {
                let _ = write!(text, ": {code}");
            }
            if let Some((address, _)) = event.fault() {
                let _ = write!(text, " at {address:#x}");
            }
            match event.verdict.reason {
                Some(Reason::HandlerFailed) => {
                    text.push_str(", and its handler could not run: no usable stack");
                }
                Some(Reason::MemoryFailure) => {
                    text.push_str(", a damaged page of memory");
                    text.push_str(&because_of(event, ", reported by"));
                }
                _ => {}
            }
            text
        }
        Origin::Tty => {
            let terminal = event.tty().map_or_else(String::new, |tty| format!(" {tty}"));
            let text = format!("terminal{terminal} sent {signal} to {target}{}", effect(event));
            return match event.trigger() {
                Some(trigger) => format!("{text}, by way of {}{}", name(trigger), before(event)),
                None => text + &before(event),
            };
        }
        Origin::Timer => format!("timer of {target} sent it {signal}"),
        Origin::ParentDeath => return parent_death(event),
        Origin::PidNamespace if event.verdict.reason == Some(Reason::Reboot) => reboot(event, &target),
        Origin::PidNamespace => {
            format!(
                "kernel sent {signal} to {target}: {}, the init of its pid namespace, exited",
                name(event.current())
            )
        }
        Origin::Child => match event.trigger() {
            Some(trigger) => format!("{target} got {signal} about its child {}", name(trigger)),
            None => format!("{target} got {signal} about a child"),
        },
        Origin::Io if event.verdict.reason == Some(Reason::MessageQueue) => {
            let by = because_of(event, " by");
            format!("kernel sent {signal} to {target}: a message{by} came to its queue")
        }
        Origin::Io => format!("kernel sent {signal} to {target}: I/O{}", because_of(event, " by")),
        Origin::Rlimit => rlimit(event, &target),
        Origin::Seccomp => {
            let refused = event.refused_call().map_or_else(String::new, |call| of_call(&call));
            format!("kernel sent {signal} to {target}: a seccomp filter refused a system call{refused}")
        }
        Origin::Oom => return oom(event, &target),
        Origin::Bpf => format!("a BPF program sent {signal} to {target}"),
        Origin::Perf => format!("a perf event sent {signal} to {target}"),
        Origin::Ptrace => ptrace(event, &target),
        Origin::Kernel => kernel(event, &target),
    };
    // a sentence about ptrace names it, and so does one whose source it is
    let is_named = event.verdict.origin == Origin::Ptrace || (is_own && event.source().is_some());
    let others = event.target_tracer().filter(|tracer| {
        !is_named
            && event.source().is_none_or(|source| (source.pid, source.start) != (tracer.pid, tracer.start))
    });
    if let Some(tracer) = others {
        let _ = write!(text, " (traced by {})", name(tracer));
    }
    if event.is_raised_again() {
        let _ = write!(text, ", after its handler had met the fault");
        if let Some((address, _)) = event.fault() {
            let _ = write!(text, " at {address:#x}");
        }
    }
    text.push_str(effect(event));
    text.push_str(&before(event));
    text
}

/// The process that brought it about, if one did: ` by sh(7)`.
fn because_of(event: &SignalEvent<'_>, word: &str) -> String {
    event.trigger().map_or_else(String::new, |trigger| format!("{word} {}", name(trigger)))
}

/// `: getppid (110 of x86_64)`.
fn of_call(call: &RefusedCall) -> String {
    match (call.name(), call.arch_name()) {
        (Some(name), _) => format!(": {name}"),
        (None, Some(arch)) => format!(": number {} of {arch}", call.number),
        (None, None) => format!(": number {}", call.number),
    }
}

/// `audio(9) exceeded RLIMIT_RTTIME (hard limit 0.2 s): SIGKILL`.
fn rlimit(event: &SignalEvent<'_>, target: &str) -> String {
    let signal = event.signal;
    let Some(limit) = event.rlimit() else { return format!("{target} exceeded a resource limit: {signal}") };
    let kind = if limit.is_hard { "hard" } else { "soft" };
    let value = match limit.value {
        RlimitValue::Time(nanoseconds) => seconds(nanoseconds),
        RlimitValue::Bytes(bytes) => format!("{bytes} bytes"),
    };
    format!("{target} exceeded {} ({kind} limit {value}): {signal}", limit.name)
}

fn reboot(event: &SignalEvent<'_>, target: &str) -> String {
    let caller = event.trigger().map_or_else(|| "a process".to_owned(), name);
    let mut text = format!("kernel sent {} to {target}: {caller} called reboot(2)", event.signal);
    if let Some(reboot) = event.reboot() {
        let _ = write!(text, " to {}; its parent reads {}", reboot.command, reboot.parent_reads);
    }
    text
}

fn ptrace(event: &SignalEvent<'_>, target: &str) -> String {
    let signal = event.signal;
    let tracer = event.trigger().or_else(|| event.target_tracer()).map(name);
    match (event.verdict.reason, tracer) {
        (Some(Reason::Attach), Some(tracer)) => {
            format!("kernel sent {signal} to {target}: {tracer} attached to it (ptrace)")
        }
        (Some(Reason::PtraceKill), Some(tracer)) => {
            format!("kernel sent {signal} to {target}: its tracer {tracer} asked for it (PTRACE_KILL)")
        }
        (Some(Reason::TracerEnded), Some(tracer)) => {
            format!("kernel sent {signal} to {target}: its tracer {tracer} ended (PTRACE_O_EXITKILL)")
        }
        (_, Some(tracer)) => format!("kernel sent {signal} to {target} for its tracer {tracer}"),
        (_, None) => format!("kernel sent {signal} to {target} for its tracer"),
    }
}

fn kernel(event: &SignalEvent<'_>, target: &str) -> String {
    let text = format!("kernel sent {} to {target}", event.signal);
    match event.verdict.reason {
        Some(Reason::OrphanedGroup) => format!(
            "{text}: its process group was orphaned while a member was stopped{}",
            event.trigger().map_or_else(String::new, |trigger| format!(", as {} ended", name(trigger)))
        ),
        Some(Reason::Sysrq) => format!("{text}: SysRq{}", because_of(event, " by")),
        Some(Reason::CtrlAltDel) => format!("{text}: Ctrl-Alt-Del"),
        Some(Reason::ConsoleSwitch) => format!("{text}: another virtual console came to the front"),
        Some(Reason::ExecFailed) => format!("{text}: execve failed after the old program was gone"),
        Some(Reason::UserDispatch) => format!("{text}: syscall user dispatch"),
        _ => {
            let functions = event.facts.explanation.as_ref().map_or(&[][..], |shown| &shown.functions);
            functions.first().map_or(text.clone(), |function| format!("{text} ({function})"))
        }
    }
}

/// Who sent it, and what had just happened to it: `tini(7), 0.1 ms after SIGUSR2 from sh(9),`, or
/// `postgres(700), after its child 729 died of SIGKILL,`. What is nearer explains more.
fn source(event: &SignalEvent<'_>) -> String {
    let mut source = name(event.current());
    if let Some(tracer) = event.source_tracer() {
        let _ = write!(source, " (traced by {})", name(tracer));
    }
    if let Some((last, from)) = event.last_signal() {
        let is_nearer = event.child_death().is_none_or(|death| death.time <= last.time);
        if let Some(signal) = Signal::new(last.signal).filter(|_| is_nearer) {
            let ago = seconds(event.facts.time.saturating_sub(last.time));
            return format!("{source}, {ago} after {signal} from {},", name_of(&from.comm, from.pid));
        }
    }
    let death = event.child_death().and_then(|death| Some((death.pid, Signal::new(death.signal)?)));
    match death {
        Some((child, signal)) => format!("{source}, after its child {child} died of {signal},"),
        None => source,
    }
}

/// Does the sentence say how long ago something was?
pub fn mentions_time(event: &SignalEvent<'_>) -> bool {
    reported_before(event).is_some() || event.last_signal().is_some() || event.is_raised_again()
}

/// What came before and is worth telling.
fn reported_before<'a>(event: &'a SignalEvent<'_>) -> Option<(&'a Previous, Signal)> {
    // the same signal again, or one that nobody was told of, is no story
    let previous = event.previous()?;
    let is_story = !previous.hidden && previous.signal != event.signal.number();
    Some((previous, Signal::new(previous.signal).filter(|_| is_story)?))
}

/// What came before: `, 10.0 s after SIGTERM, which it ignored as PID 1 of its namespace`.
fn before(event: &SignalEvent<'_>) -> String {
    let mut text = String::new();
    let Some((previous, signal)) = reported_before(event) else { return text };
    let _ = write!(text, ", {} after {signal}", seconds(event.facts.time.saturating_sub(previous.time)));
    text.push_str(ignored(previous, &event.facts.target));
    text
}

/// Why the target ignored a signal of before. (Its `SIGNAL_UNKILLABLE` is gone once something kills it.)
fn ignored(previous: &Previous, target: &Task) -> &'static str {
    if Outcome::of(previous.result) != Some(Outcome::Ignored) {
        ""
    } else if previous.met_default && target.namespace_level > 0 && target.namespace_pid == 1 {
        ", which it ignored as PID 1 of its namespace"
    } else {
        ", which it ignored"
    }
}

/// For eyes, rounded: `0.054 ms`, `2.7 ms`, `13 ms`, `10.0 s`, `12 min`, `2 h 5 min`.
pub fn seconds(nanoseconds: u64) -> String {
    let rounded = |unit: u64| nanoseconds.saturating_add(unit / 2) / unit;
    let (micro, milli) = (rounded(1000), rounded(1_000_000));
    match micro {
        0..100 => format!("0.{micro:03} ms"),
        100..995 => format!("0.{:02} ms", rounded(10_000)),
        995..9_950 => format!("{}.{} ms", rounded(100_000) / 10, rounded(100_000) % 10),
        9_950..999_500 => format!("{milli} ms"),
        999_500..600_000_000 => format!("{}.{} s", rounded(100_000_000) / 10, rounded(100_000_000) % 10),
        600_000_000..7_200_000_000 => format!("{} min", rounded(60_000_000_000)),
        _ => format!("{} h {} min", rounded(60_000_000_000) / 60, rounded(60_000_000_000) % 60),
    }
}

/// `kernel OOM killer killed java(4711): memory cgroup limit 512 MiB, rss 498 MiB`.
fn oom(event: &SignalEvent<'_>, target: &str) -> String {
    let mut text = format!("kernel OOM killer killed {target}");
    if let Some(trigger) = event.trigger().filter(|trigger| trigger.pid != event.target().pid) {
        let _ = write!(text, ", for memory that {} asked for", name(trigger));
    }
    let Some(oom) = &event.facts.oom else { return text };
    let mut facts = Vec::new();
    match (oom.scope, oom.usage_and_limit) {
        (Some(OomScope::Cgroup), Some((_, limit))) => {
            facts.push(format!("memory cgroup limit {}", mebibytes(bytes_of_pages(limit))));
        }
        (Some(OomScope::Cgroup), None) => facts.push("its memory cgroup is at its limit".to_owned()),
        _ if oom.by_sysrq => facts.push("SysRq asked for it".to_owned()),
        (Some(OomScope::Global), _) => facts.push("the host ran out of memory".to_owned()),
        (Some(OomScope::Cpuset), _) => {
            facts.push("the NUMA nodes of its cpuset ran out of memory".to_owned());
        }
        (Some(OomScope::MemoryPolicy), _) => {
            facts.push("the NUMA nodes of its memory policy ran out of memory".to_owned());
        }
        (None, _) => {}
    }
    if let Some(pages) = oom.rss_pages {
        facts.push(format!("rss {}", mebibytes(bytes_of_pages(pages))));
    }
    if !facts.is_empty() {
        let _ = write!(text, ": {}", facts.join(", "));
    }
    text
}

/// The kernel's pages in bytes.
pub fn bytes_of_pages(pages: u64) -> u64 {
    pages.saturating_mul(rustix::param::page_size() as u64)
}

/// For eyes: whole from 10 MiB on, rounded down.
fn mebibytes(bytes: u64) -> String {
    let tenths = bytes / 104_858;
    if tenths < 100 { format!("{}.{} MiB", tenths / 10, tenths % 10) } else { format!("{} MiB", bytes >> 20) }
}

/// A call that failed, or only asked.
pub fn of_attempt(event: &AttemptEvent<'_>) -> String {
    // only kill() knows groups
    let is_kill = event.verdict.via == Some("kill");
    let target = match (event.target(), origin::pid_argument(&event.attempt.facts)) {
        (Some(target), _) => name(target),
        (None, Some(pid)) if !is_kill => format!("pid {pid}"),
        (None, Some(-1)) => "everybody".to_owned(),
        (None, Some(0)) => "its process group".to_owned(),
        (None, Some(group)) if group < 0 => format!("process group {}", i64::from(group).abs()),
        (None, Some(pid)) => format!("pid {pid}"),
        (None, None) => "a process".to_owned(),
    };
    let (source, result) = (name(event.source()), event.result());
    if event.is_probe() {
        return format!("{source} asked whether it may signal {target}: {result}");
    }
    let signal = event
        .signal()
        .map_or_else(|| format!("signal {}", event.attempt.signal), |signal| signal.to_string());
    format!("{source} tried to send {signal} to {target}: {result}")
}

/// An end, and what came before it: "after", never "because", unless it died of that very signal.
pub fn of_end(event: &EndEvent<'_>) -> String {
    let target = name(event.target());
    let when = |after: &After| seconds(event.facts.time.saturating_sub(after.signal.time));
    let source = |after: &After| after.source().map(|source| name_of(&source.comm, source.pid));
    let (signal, core_dumped) = match (event.signal, event.facts.ending) {
        (Some(signal), Ending::Signal { core_dumped, .. }) => (signal, core_dumped),
        (_, Ending::Exit(code)) => {
            let previous = event.after.as_ref().and_then(|after| Signal::new(after.signal.signal));
            let mut text = format!("{target} exited with status {code}");
            if previous.is_none() {
                let lived = event.facts.time.saturating_sub(event.target().start);
                let _ = write!(text, " after {}; no signal ended it", seconds(lived));
            }
            if let (Some(after), Some(signal)) = (&event.after, previous) {
                let _ = write!(text, ", {} after {signal}", when(after));
                if let Some(source) = source(after) {
                    let _ = write!(text, " from {source}");
                }
                text.push_str(ignored(&after.signal, &event.facts.task));
            }
            return text;
        }
        _ => return format!("{target} ended"),
    };
    let core = if core_dumped { " and left a core" } else { "" };
    let target =
        if event.facts.is_thread { format!("thread {} of {target}", event.facts.task.tid) } else { target };
    let lives = if event.facts.is_thread { "; its process goes on" } else { "" };
    let refused = event.refused_call().map_or_else(String::new, |call| of_call(&call));
    if event.facts.explained || event.after.is_some() && !event.facts.is_thread {
        let how = match event.after.as_ref().map(|after| (when(after), source(after))) {
            Some((when, source)) if !event.after.as_ref().is_some_and(After::is_what_ended_it) => {
                let from = source.map(|source| format!(" from {source}")).unwrap_or_default();
                format!(", {when} after {signal}{from}, which it handled or ignored")
            }
            Some((when, Some(source))) => format!(", {when} after {source} sent it"),
            Some((when, None)) => format!(", {when} after {}", of_kernel(event.after.as_ref())),
            None => String::new(),
        };
        return format!("{target} died of {signal}{core}{how}");
    }
    let why = match (event.origin, event.tracer()) {
        (Some(Origin::Ptrace), Some(tracer)) => format!(", which its tracer {} let through", name(tracer)),
        (Some(Origin::Seccomp), _) if signal.number() == 9 => {
            format!(": strict seccomp refused a system call{refused}")
        }
        (Some(Origin::Seccomp), _) => format!(": a seccomp filter refused a system call{refused}"),
        _ if event.facts.is_thread => String::new(),
        _ if event.is_older => ", which may have been sent before this trace".to_owned(),
        _ => ", and no such signal was seen".to_owned(),
    };
    format!("{target} died of {signal}{core}{why}{lives}")
}

/// What brought a signal about that no process sent.
fn of_kernel(after: Option<&After>) -> &'static str {
    match after.and_then(|after| after.origin) {
        Some(Origin::Oom) => "the kernel's OOM killer sent it",
        Some(Origin::Tty) => "its terminal sent it",
        Some(Origin::ParentDeath) => "its parent-death signal came",
        Some(Origin::PidNamespace) => "its pid namespace ended",
        Some(Origin::Fault) => "its fault",
        Some(Origin::Timer) => "its timer",
        Some(Origin::Rlimit) => "it exceeded a resource limit",
        Some(Origin::Bpf) => "a BPF program sent it",
        Some(Origin::Seccomp) => "a seccomp filter refused a system call",
        _ => "it came",
    }
}

/// Which thread ended, and whether its process goes on.
fn parent_death(event: &SignalEvent<'_>) -> String {
    let current = &event.facts.current;
    let lives = if event.current_lives_on() { ", the process lives on" } else { "" };
    format!(
        "parent-death signal: thread {} of {} exited{lives}: {} to {}{}{}",
        current.tid,
        name(event.current()),
        event.signal,
        name(event.target()),
        effect(event),
        before(event)
    )
}

/// Does the signal wait for a thaw? What kills passes the freezer of version 2.
fn is_held_by_freezer(event: &SignalEvent<'_>) -> bool {
    match event.freezer() {
        Some(Freezer::Version1) => true,
        Some(Freezer::Version2) => event.facts.signal != origin::KILL && !event.is_fatal(),
        None => false,
    }
}

fn effect(event: &SignalEvent<'_>) -> &'static str {
    match (event.outcome(), event.ignored_because()) {
        (_, Some(IgnoredBecause::Set)) => ", which ignores it",
        // it goes on whatever it does with the signal
        (_, Some(IgnoredBecause::Default)) if event.facts.signal == origin::CONT => "",
        (_, Some(IgnoredBecause::Default)) => ", which ignores it by default",
        (_, Some(IgnoredBecause::NamespaceInit)) => ", which ignored it as PID 1 of its namespace",
        (_, Some(IgnoredBecause::Exiting)) if event.target_state() == Some("zombie") => ", a zombie already",
        (_, Some(IgnoredBecause::Exiting)) if event.freezer() == Some(Freezer::Version1) => {
            ", already being killed, which is frozen: nothing happens until it is thawed"
        }
        (_, Some(IgnoredBecause::Exiting)) if event.target_state() == Some("disk-sleep") => {
            ", already being killed, which is in uninterruptible sleep"
        }
        (_, Some(IgnoredBecause::Exiting)) => ", which was ending already",
        (Some(Outcome::Ignored), None) => ", which ignored it",
        (Some(Outcome::AlreadyPending), _) => ", where one was pending already",
        (Some(Outcome::Overflow), _) => ", whose queue was full: not delivered",
        (Some(Outcome::Queued | Outcome::InfoLost), _) if is_held_by_freezer(event) => {
            ", which is frozen: nothing happens until it is thawed"
        }
        (Some(Outcome::Queued | Outcome::InfoLost), _) if event.facts.blocking == Blocking::Waited => {
            ", which is waiting for it"
        }
        (Some(Outcome::Queued | Outcome::InfoLost), _) if event.facts.has_signalfd_reader => {
            ", which has it blocked and a signalfd read"
        }
        (Some(Outcome::Queued | Outcome::InfoLost), _)
            if event.facts.signal == origin::KILL && event.target_state() == Some("disk-sleep") =>
        {
            ", which is in uninterruptible sleep: it ends when that does"
        }
        (Some(Outcome::Queued | Outcome::InfoLost), _) if event.facts.blocking == Blocking::Blocked => {
            ", which has it blocked"
        }
        (Some(Outcome::Queued | Outcome::InfoLost), _) if event.facts.disposition == Disposition::Handled => {
            ", which handles it"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::event::Clock;
    use crate::event::context::Context;
    use crate::record::{ChildDeath, EndFacts, PreviousSource, Snapshot};

    fn process(pid: u32, comm: &'static [u8]) -> ProcessFacts<'static> {
        ProcessFacts { start: u64::from(pid), ..ProcessFacts::named(pid, comm) }
    }

    /// bash(7) and yes(9), of this origin.
    fn event(origin: Origin, change: impl FnOnce(&mut Snapshot<'static>)) -> SignalEvent<'static> {
        let mut facts = Snapshot::between(process(7, b"bash"), process(9, b"yes"));
        facts.time = 20_000_000_000;
        change(&mut facts);
        let mut event = SignalEvent::new(facts, 1, Clock::fixed(0), Context::default()).unwrap();
        event.verdict.origin = origin;
        event
    }

    fn previous(signal: u8, result: u32, source: Option<PreviousSource>) -> Previous {
        Previous {
            time: 10_000_000_000,
            signal,
            result,
            hidden: false,
            met_default: true,
            is_page_fault: false,
            source,
        }
    }

    #[test]
    fn each_origin_has_its_sentence_and_names_nobody_else() {
        for (origin, sentence) in [
            (Origin::Process, "bash(7) sent SIGTERM to yes(9)"),
            (Origin::Cgroup, "bash(7) killed yes(9) through cgroup.kill"),
            (Origin::Fault, "kernel sent SIGTERM to yes(9): SI_KERNEL"),
            (Origin::Tty, "terminal sent SIGTERM to yes(9), by way of bash(7)"),
            (Origin::Timer, "timer of yes(9) sent it SIGTERM"),
            (Origin::ParentDeath, "parent-death signal: thread 7 of bash(7) exited: SIGTERM to yes(9)"),
            (
                Origin::PidNamespace,
                "kernel sent SIGTERM to yes(9): bash(7), the init of its pid namespace, exited",
            ),
            (Origin::Child, "yes(9) got SIGTERM about a child"),
            (Origin::Io, "kernel sent SIGTERM to yes(9): I/O"),
            (Origin::Rlimit, "yes(9) exceeded a resource limit: SIGTERM"),
            (Origin::Bpf, "a BPF program sent SIGTERM to yes(9)"),
            (Origin::Perf, "a perf event sent SIGTERM to yes(9)"),
            (Origin::Seccomp, "kernel sent SIGTERM to yes(9): a seccomp filter refused a system call"),
            (Origin::Oom, "kernel OOM killer killed yes(9), for memory that bash(7) asked for"),
            (Origin::Ptrace, "kernel sent SIGTERM to yes(9) for its tracer"),
            (Origin::Kernel, "kernel sent SIGTERM to yes(9)"),
        ] {
            assert_eq!(of(&event(origin, |_| {})), sentence);
        }
    }

    #[test]
    fn a_system_call_that_is_dispatched_to_user_space_is_called_that() {
        let dispatched = |code, own: bool| {
            event(Origin::Kernel, |facts| {
                facts.signal = 31;
                facts.info = crate::record::SigInfo::Given { code, fields: [0; 16] };
                if own {
                    facts.current_chain = vec![1];
                }
            })
        };
        assert_eq!(of(&dispatched(2, true)), "kernel sent SIGSYS to yes(9): syscall user dispatch");
        for (code, own) in [(2, false), (3, true)] {
            let event = dispatched(code, own);
            assert_eq!((event.verdict.reason, of(&event).as_str()), (None, "kernel sent SIGSYS to yes(9)"));
        }
    }

    #[test]
    fn what_came_before_is_said_of_whom_it_came_to() {
        let child_died = Some(ChildDeath { pid: 8, signal: 9, time: 19_900_000_000 });
        let both = event(Origin::Process, |facts| {
            facts.child_death = child_died;
            facts.previous = Some(previous(1, 0, None));
        });
        assert_eq!(
            of(&both),
            "bash(7), after its child 8 died of SIGKILL, sent SIGTERM to yes(9), 10.0 s after SIGHUP"
        );
        // who did not send it has no child worth telling
        let kernels = event(Origin::Timer, |facts| facts.child_death = child_died);
        assert_eq!(of(&kernels), "timer of yes(9) sent it SIGTERM");
        let ignored = |nspid, level| {
            event(Origin::Process, |facts| {
                facts.signal = 9;
                facts.previous = Some(previous(15, 1, None));
                (facts.target.namespace_pid, facts.target.namespace_level) = (nspid, level);
            })
        };
        assert_eq!(
            of(&ignored(1, 1)),
            "bash(7) sent SIGKILL to yes(9), 10.0 s after SIGTERM, which it ignored as PID 1 of its namespace"
        );
        assert_eq!(
            of(&ignored(4, 1)),
            "bash(7) sent SIGKILL to yes(9), 10.0 s after SIGTERM, which it ignored"
        );
        // the same signal once more, and one that nobody was told of, are no story
        for (signal, hidden) in [(15, false), (1, true)] {
            let event = event(Origin::Process, |facts| {
                facts.previous = Some(Previous { hidden, ..previous(signal, 0, None) });
            });
            assert_eq!(of(&event), "bash(7) sent SIGTERM to yes(9)");
        }
    }

    fn end(ending: Ending, explained: bool, last: Option<Previous>, origin: Option<Origin>) -> String {
        let facts = EndFacts {
            time: 12_000_000_000,
            explained,
            previous: last,
            ..EndFacts::of(process(9, b"yes"), ending)
        };
        let mut after = After::of(&facts, None);
        if let Some(after) = &mut after {
            after.origin = origin;
        }
        let event = EndEvent::new(
            facts,
            2,
            Clock::fixed(0),
            0,
            after,
            crate::enrich::surroundings::Surroundings::default(),
        );
        of_end(&event.unwrap())
    }

    #[test]
    fn an_end_is_after_a_signal_and_because_of_one_only_if_it_died_of_that() {
        let bash = || Some(PreviousSource { pid: 7, start: 7, comm: b"bash"[..].into() });
        let killed = |number| Ending::Signal { number, core_dumped: false };
        let handled = Some(Previous { met_default: false, ..previous(15, 0, bash()) });
        for (sentence, text) in [
            (
                "exited with status 143, 2.0 s after SIGTERM from bash(7)",
                end(Ending::Exit(143), true, handled, None),
            ),
            ("exited with status 0 after 12.0 s; no signal ended it", end(Ending::Exit(0), true, None, None)),
            (
                "died of SIGTERM, 2.0 s after bash(7) sent it",
                end(killed(15), true, Some(previous(15, 0, bash())), None),
            ),
            (
                "died of SIGTERM, 2.0 s after SIGTERM from bash(7), which it handled or ignored",
                end(killed(15), true, handled, None),
            ),
            (
                "died of SIGKILL, 2.0 s after the kernel's OOM killer sent it",
                end(killed(9), true, Some(previous(9, 0, None)), Some(Origin::Oom)),
            ),
            // of another signal than the last
            ("died of SIGKILL", end(killed(9), true, Some(previous(15, 0, bash())), None)),
            // an ignored one is not what it died of
            ("died of SIGTERM", end(killed(15), true, Some(previous(15, 1, bash())), None)),
            (
                "died of SIGKILL, and no such signal was seen",
                end(killed(9), false, Some(previous(9, 0, bash())), None),
            ),
            (
                "died of SIGSEGV and left a core, 2.0 s after its fault",
                end(
                    Ending::Signal { number: 11, core_dumped: true },
                    true,
                    Some(previous(11, 0, None)),
                    Some(Origin::Fault),
                ),
            ),
        ] {
            assert_eq!(text, format!("yes(9) {sentence}"));
        }
    }

    #[test]
    fn durations_have_two_digits_or_more() {
        for (nanoseconds, text) in [
            (54_000, "0.054 ms"),
            (959_000, "0.96 ms"),
            (2_732_000, "2.7 ms"),
            (12_886_000, "13 ms"),
            (999_400_000, "999 ms"),
            (999_600_000, "1.0 s"),
            (2_097_000_000, "2.1 s"),
            (90_040_000_000, "90.0 s"),
            (725_000_000_000, "12 min"),
            (7_500_000_000_000, "2 h 5 min"),
            (u64::MAX, "5124095 h 34 min"),
        ] {
            assert_eq!(seconds(nanoseconds), text);
        }
    }

    #[test]
    fn a_comm_cannot_pass_for_more_than_itself() {
        for (comm, shown) in [
            (&b"bash"[..], "bash(7)"),
            (b"(sd-pam)", "(sd-pam)(7)"),
            (b"tmux: server", "tmux: server(7)"),
            ("x(1)\u{2500}sshd".as_bytes(), "\"x(1)\u{2500}sshd\"(7)"),
            (b"a(1) b", "\"a(1) b\"(7)"),
            (b"\x1b[2J", "\"\\u001b[2J\"(7)"),
            (b"\xff", "\"\u{fffd}\"(7)"),
            (b"", "\"\"(7)"),
        ] {
            let process = ProcessFacts::named(7, comm);
            assert_eq!(name(&process), shown);
        }
    }
}
