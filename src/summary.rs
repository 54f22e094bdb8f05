//! One sentence from the facts of one event, and never more than they say.

use std::fmt::Write;

use crate::event::{IgnoredBecause, Outcome, SignalEvent};
use crate::origin::Origin;
use crate::record::{Blocking, ProcessFacts};
use crate::sink::sanitize::{is_unsafe, push_json_string};

/// `comm(pid)`. A comm that could pass for more than itself is a JSON string: a process may call itself
/// `x(1)─sshd`.
pub fn name(process: &ProcessFacts<'_>) -> String {
    let comm = String::from_utf8_lossy(&process.comm);
    let is_safe = !comm.is_empty()
        && !comm.trim_start_matches('(').contains('(')
        && !comm
            .chars()
            .any(|letter| matches!(letter, '─' | '…' | '"' | '\\' | '\u{fffd}') || is_unsafe(letter));
    if is_safe {
        return format!("{comm}({})", process.pid);
    }
    let mut quoted = Vec::new();
    push_json_string(&mut quoted, &comm);
    format!("{}({})", String::from_utf8_lossy(&quoted), process.pid)
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
    let lives = if event.current_lives_on() { ", the process lives on" } else { "" };
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

#[cfg(test)]
mod tests {

    use super::*;

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
