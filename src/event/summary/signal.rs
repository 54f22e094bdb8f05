//! The sentence of a signal: who sent what to whom, or what brought it about, and what came of it.

use std::fmt::Write;

use super::before::before;
use super::effect::effect;
use super::kernel::{self, because_of, of_call};
use super::name::{name, name_of};
use super::units::seconds;
use crate::event::SignalEvent;
use crate::event::origin::{Origin, Reason};
use crate::event::signal::Signal;

/// Of a signal.
pub fn of(event: &SignalEvent<'_>) -> String {
    let signal = event.signal;
    let target = name(event.target());
    let is_own = event.current().pid == event.target().pid && event.current().start == event.target().start;
    let mut text = match event.verdict.origin {
        Origin::Process if is_own => format!("{} sent {signal} to itself", source(event)),
        Origin::Process => format!("{} sent {signal} to {target}", source(event)),
        Origin::Cgroup if is_own => format!("{} killed itself through cgroup.kill", source(event)),
        Origin::Cgroup => format!("{} killed {target} through cgroup.kill", source(event)),
        Origin::Fault => fault(event, &target, is_own),
        Origin::Tty => return terminal(event, &target),
        Origin::Timer => format!("timer of {target} sent it {signal}"),
        Origin::ParentDeath => return parent_death(event),
        Origin::PidNamespace if event.verdict.reason == Some(Reason::Reboot) => {
            kernel::reboot(event, &target)
        }
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
        Origin::Rlimit => kernel::rlimit(event, &target),
        Origin::Seccomp => {
            let refused = event.refused_call().map_or_else(String::new, |call| of_call(&call));
            format!("kernel sent {signal} to {target}: a seccomp filter refused a system call{refused}")
        }
        Origin::Oom => return kernel::oom(event, &target),
        Origin::Bpf => format!("a BPF program sent {signal} to {target}"),
        Origin::Perf => format!("a perf event sent {signal} to {target}"),
        Origin::Ptrace => kernel::ptrace(event, &target),
        Origin::Kernel => kernel::other(event, &target),
    };
    text.push_str(&circumstances(event, is_own));
    text.push_str(effect(event));
    text.push_str(&before(event));
    text
}

fn fault(event: &SignalEvent<'_>, target: &str, is_own: bool) -> String {
    let signal = event.signal;
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
        Some(Reason::HandlerFailed) => text.push_str(", and its handler could not run: no usable stack"),
        Some(Reason::MemoryFailure) => {
            text.push_str(", a damaged page of memory");
            text.push_str(&because_of(event, ", reported by"));
        }
        _ => {}
    }
    text
}

fn terminal(event: &SignalEvent<'_>, target: &str) -> String {
    let terminal = event.tty().map_or_else(String::new, |tty| format!(" {tty}"));
    let text = format!("terminal{terminal} sent {} to {target}{}", event.signal, effect(event));
    match event.trigger() {
        Some(trigger) => format!("{text}, by way of {}{}", name(trigger), before(event)),
        None => text + &before(event),
    }
}

/// The target's tracer, and the fault that its handler raised again.
fn circumstances(event: &SignalEvent<'_>, is_own: bool) -> String {
    let mut text = String::new();
    // a sentence about ptrace names the tracer, and so does one about a source that it traces
    let is_named = event.verdict.origin == Origin::Ptrace || (is_own && event.source().is_some());
    let others = event.target_tracer().filter(|tracer| {
        !is_named
            && event.source().is_none_or(|source| (source.pid, source.start) != (tracer.pid, tracer.start))
    });
    if let Some(tracer) = others {
        let _ = write!(text, " (traced by {})", name(tracer));
    }
    if event.is_raised_again() {
        text.push_str(", after its handler had met the fault");
        if let Some((address, _)) = event.fault() {
            let _ = write!(text, " at {address:#x}");
        }
    }
    text
}

/// The sender, and what had just happened to it: `tini(7), 0.1 ms after SIGUSR2 from sh(9),`, or
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

#[cfg(test)]
mod tests {
    use super::super::samples::{event, previous};
    use super::*;
    use crate::record::{ChildDeath, Previous, SigInfo};

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
            "bash(7), after its child 8 died of SIGKILL, sent SIGTERM to yes(9), 10.0 s after SIGHUP"
        );
        // a process that did not send it has no child worth a clause
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
        // the same signal once more, and one that was hidden, are no news
        for (signal, hidden) in [(15, false), (1, true)] {
            let event = event(Origin::Process, |facts| {
                facts.previous = Some(Previous { hidden, ..previous(signal, 0, None) });
            });
            assert_eq!(of(&event), "bash(7) sent SIGTERM to yes(9)");
        }
    }
}
