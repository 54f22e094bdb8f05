//! The sentence of a signal: who sent what to whom, or what brought it about, and what came of it.

use std::fmt::Write;

use super::before::before;
use super::effect::Effect;
use super::kernel::{self, kernel_sent, of_call, trigger};
use super::name::{name, name_of};
use super::terminal::terminal;
use super::units::seconds;
use crate::event::SignalEvent;
use crate::event::numbers::PIPE;
use crate::event::origin::{Origin, Reason};
use crate::event::signal::Signal;
use crate::record::{Disposition, Outcome, SigInfo};

/// Of a signal. The news comes first: who, what, to whom, with which effect. What was before comes last.
pub fn of(event: &SignalEvent<'_>) -> String {
    let target = name(event.target());
    let mut text = headline(event, &target);
    let ends_in_target = event.verdict.origin.has_source() && text.ends_with(&target);
    text.push_str(&before(event, !ends_in_target));
    text.push_str(&circumstances(event));
    text
}

fn headline(event: &SignalEvent<'_>, target: &str) -> String {
    let signal = event.signal;
    let effect = Effect::of(event);
    let behind_target = || effect.map_or_else(String::new, Effect::behind_target);
    // of a sentence about what the target did, which ends in the signal
    let of_target = |what: String| {
        let effect = effect.map_or_else(String::new, |effect| effect.behind_signal(target));
        format!("{what}: {signal}{effect}")
    };
    match event.verdict.origin {
        Origin::Process if is_own(event) => itself(event, target, effect),
        Origin::Process => format!("{} sent {signal} to {target}{}", name(event.current()), behind_target()),
        Origin::Cgroup => cgroup(event, target, effect),
        Origin::Fault => fault(event, target, effect),
        Origin::Tty => terminal(event, target),
        Origin::Timer => of_target(format!("{target}'s timer expired")),
        Origin::ParentDeath => parent_death(event, target),
        Origin::PidNamespace => kernel::namespace_end(event, target),
        Origin::Io if signal.number() == PIPE && event.facts.info == SigInfo::None && is_own(event) => {
            of_target(format!("{target} wrote to a closed pipe or socket"))
        }
        Origin::Child | Origin::Io => kernel::notification(event, target),
        Origin::Rlimit => of_target(kernel::rlimit(event, target)),
        Origin::Seccomp => {
            let call = event.refused_call().map_or_else(|| "a system call".to_owned(), |call| of_call(&call));
            kernel_sent(event, target, &format!(": a seccomp filter refused {call}"))
        }
        Origin::Oom => kernel::oom(event, target),
        Origin::Bpf => format!("a BPF program sent {signal} to {target}{}", behind_target()),
        Origin::Perf => format!("a perf event sent {signal} to {target}{}", behind_target()),
        Origin::Ptrace => kernel::ptrace(event, target),
        Origin::Kernel => kernel::other(event, target),
    }
}

/// Did the running process signal itself?
fn is_own(event: &SignalEvent<'_>) -> bool {
    let (current, target) = (event.current(), event.target());
    current.key() == target.key()
}

/// `yes(9) killed itself with SIGKILL`, where that is certain.
fn itself(event: &SignalEvent<'_>, target: &str, effect: Option<Effect>) -> String {
    let signal = event.signal;
    if event.is_fatal() {
        return format!("{target} killed itself with {signal}");
    }
    let effect = effect.map_or_else(String::new, |effect| effect.behind_signal(target));
    let mut text = format!("{target} sent itself {signal}{effect}");
    if event.is_raised_again() {
        text.push_str(", again after a fault");
        if let Some((address, _)) = event.fault() {
            let _ = write!(text, " at {address:#x}");
        }
    }
    text
}

fn cgroup(event: &SignalEvent<'_>, target: &str, effect: Option<Effect>) -> String {
    let source = name(event.current());
    match effect {
        // it may not have been this that killed it
        Some(effect) => {
            format!("{source} sent {} to {target}{} (cgroup.kill)", event.signal, effect.behind_target())
        }
        None if is_own(event) => format!("{source} killed itself through cgroup.kill"),
        None => format!("{source} killed {target} through cgroup.kill"),
    }
}

/// `yes(9) crashed: SIGSEGV (SEGV_MAPERR) at 0x8`. One that a handler or a tracer gets is no crash.
fn fault(event: &SignalEvent<'_>, target: &str, effect: Option<Effect>) -> String {
    let code = event.code().map_or_else(String::new, |code| format!(" ({code})"));
    let place = event.fault().map_or_else(String::new, |(address, _)| format!(" at {address:#x}"));
    if event.verdict.reason == Some(Reason::MemoryFailure) {
        let by = trigger(event, ", reported by");
        return kernel_sent(event, target, &format!(": damaged page of memory{code}{place}{by}"));
    }
    if !is_own(event) {
        return kernel_sent(event, target, &format!(": fault{code}{place}"));
    }
    let is_crash = event.facts.disposition == Disposition::Default
        && event.outcome() == Some(Outcome::Queued)
        && event.target_tracer().is_none();
    let verb = if is_crash { "crashed" } else { "faulted" };
    let effect = effect.map_or_else(String::new, |effect| effect.behind_signal(target));
    let mut text = format!("{target} {verb}: {}{code}{place}{effect}", event.signal);
    if event.verdict.reason == Some(Reason::HandlerFailed) {
        text.push_str("; its handler could not run: no usable stack");
    }
    text
}

/// Which thread ended, and whether its process lives on.
fn parent_death(event: &SignalEvent<'_>, target: &str) -> String {
    let effect = Effect::of(event).map_or_else(String::new, Effect::behind_target);
    let (parent, tid) = (name(event.current()), event.facts.current.tid);
    let exited = match (tid == event.current().pid, event.current_lives_on()) {
        (true, false) => format!("{parent} exited"),
        (true, true) => format!("the main thread of {parent} exited, the process lives on"),
        (false, false) => format!("thread {tid} of {parent} exited"),
        (false, true) => format!("thread {tid} of {parent} exited, the process lives on"),
    };
    format!("parent-death signal {} to {target}{effect}: {exited}", event.signal)
}

/// Who traces the two, and what had just happened to the sender. What is nearer explains more.
fn circumstances(event: &SignalEvent<'_>) -> String {
    let mut text = String::new();
    let source = || name(event.current());
    if let Some(tracer) = event.source_tracer() {
        let _ = write!(text, "; {} is traced by {}", source(), name(tracer));
    }
    // a sentence about ptrace names the tracer, and so does one about a source that it traces
    let is_named = event.verdict.origin == Origin::Ptrace || (is_own(event) && event.source().is_some());
    let other = event
        .target_tracer()
        .filter(|tracer| !is_named && event.source().is_none_or(|source| source.key() != tracer.key()));
    if let Some(tracer) = other {
        let _ = write!(text, "; {} is traced by {}", name(event.target()), name(tracer));
    }
    if let Some((last, from)) = event.last_signal() {
        let is_nearer = event.child_death().is_none_or(|death| death.time <= last.time);
        if let Some(signal) = Signal::new(last.signal).filter(|_| is_nearer) {
            let ago = seconds(event.facts.time.saturating_sub(last.time));
            let from = name_of(&from.comm, from.pid);
            let _ = write!(text, "; {} got {signal} from {from} {ago} before", source());
            return text;
        }
    }
    if let Some(death) = event.child_death() {
        if let Some(signal) = Signal::new(death.signal) {
            let _ = write!(text, "; child {} of {} had just been killed by {signal}", death.pid, source());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::samples::{event, previous};
    use super::*;
    use crate::record::{ChildDeath, Previous, SigInfo};

    #[test]
    fn a_system_call_that_is_dispatched_to_user_space_is_called_that() {
        let dispatched = |code, own: bool| {
            event(Origin::Kernel, |facts| {
                facts.signal = 31;
                facts.info = SigInfo::Given { code, fields: [0; 16] };
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
            "bash(7) sent SIGTERM to yes(9), 10.0 s after SIGHUP; child 8 of bash(7) had just been killed by SIGKILL"
        );
        // a process that did not send it has no child worth a clause
        let kernels = event(Origin::Timer, |facts| facts.child_death = child_died);
        assert_eq!(of(&kernels), "yes(9)'s timer expired: SIGTERM");
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
        // the same signal once more, and one that was hidden, are no news
        for (signal, hidden) in [(15, false), (1, true)] {
            let event = event(Origin::Process, |facts| {
                facts.previous = Some(Previous { hidden, ..previous(signal, 0, None) });
            });
            assert_eq!(of(&event), "bash(7) sent SIGTERM to yes(9)");
        }
    }
}
