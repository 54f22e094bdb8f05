//! One sentence from the facts of one event, and never more than they say.

use std::fmt::Write;

use crate::event::{IgnoredBecause, Outcome, SignalEvent};
use crate::origin::Origin;
use crate::record::{Blocking, ProcessFacts};

/// `comm(pid)`.
pub fn name(process: &ProcessFacts<'_>) -> String {
    format!("{}({})", String::from_utf8_lossy(process.comm), process.pid)
}

/// The sentence.
pub fn of(event: &SignalEvent<'_>) -> String {
    let signal = event.signal;
    let target = name(event.target());
    let is_own = event.current().pid == event.target().pid && event.current().start == event.target().start;
    let mut text = match event.verdict.origin {
        Origin::Process if is_own => format!("{target} sent {signal} to itself"),
        Origin::Process => format!("{} sent {signal} to {target}", name(event.current())),
        Origin::Cgroup if is_own => format!("{target} killed itself through cgroup.kill"),
        Origin::Cgroup => format!("{} killed {target} through cgroup.kill", name(event.current())),
        Origin::Fault => {
            let mut text = format!("{target} caused {signal}");
            if let Some(code) = event.code() {
                let _ = write!(text, ": {code}");
            }
            if let Some((address, _)) = event.fault() {
                let _ = write!(text, " at {address:#x}");
            }
            text
        }
        Origin::Tty => match event.trigger() {
            Some(trigger) => format!("terminal sent {signal} to {target}, by way of {}", name(trigger)),
            None => format!("terminal sent {signal} to {target}"),
        },
        Origin::Timer => format!("timer of {target} sent it {signal}"),
        Origin::ParentDeath => return parent_death(event),
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
        Origin::Io => format!("kernel sent {signal} to {target}: I/O"),
        Origin::Rlimit => format!("kernel sent {signal} to {target}: resource limit"),
        Origin::Seccomp => {
            format!("kernel sent {signal} to {target}: a seccomp filter refused a system call")
        }
        Origin::Kernel => format!("kernel sent {signal} to {target}"),
    };
    text.push_str(effect(event));
    text
}

/// Which thread ended, and whether its process goes on.
fn parent_death(event: &SignalEvent<'_>) -> String {
    let current = &event.facts.current;
    let lives = if current.live > 0 { ", the process lives on" } else { "" };
    format!("parent-death signal: thread {} of {} exited{lives}", current.tid, name(event.current()))
}

fn effect(event: &SignalEvent<'_>) -> &'static str {
    match (event.outcome(), event.ignored_because()) {
        (_, Some(IgnoredBecause::Set)) => ", which ignores it",
        (_, Some(IgnoredBecause::Default)) => ", which ignores it by default",
        (_, Some(IgnoredBecause::NamespaceInit)) => ", which ignored it as PID 1 of its namespace",
        (_, Some(IgnoredBecause::Exiting)) if event.target_state() == Some("zombie") => ", a zombie already",
        (_, Some(IgnoredBecause::Exiting)) => ", which was ending already",
        (Some(Outcome::Ignored), None) => ", which ignored it",
        (Some(Outcome::AlreadyPending), _) => ", where one was pending already",
        (Some(Outcome::Overflow), _) => ", whose queue was full: not delivered",
        (Some(Outcome::Queued | Outcome::InfoLost), _) if event.facts.blocking == Blocking::Blocked => {
            ", which has it blocked"
        }
        _ => "",
    }
}
