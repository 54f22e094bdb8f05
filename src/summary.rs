//! One sentence from the facts of one event, and never more than they say.

use std::fmt::Write;

use crate::event::{AttemptEvent, EndEvent, IgnoredBecause, Outcome, SignalEvent};
use crate::origin::{self, Origin};
use crate::record::{Blocking, OomScope, ProcessFacts};
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
        Origin::Oom => return oom(event, &target),
        Origin::Kernel | Origin::Ptrace => format!("kernel sent {signal} to {target}"),
    };
    text.push_str(effect(event));
    text
}

/// `kernel OOM killer killed java(4711): memory cgroup limit 512 MiB, rss 498 MiB`.
fn oom(event: &SignalEvent<'_>, target: &str) -> String {
    let mut text = format!("kernel OOM killer killed {target}");
    let Some(oom) = &event.facts.oom else { return text };
    let mut facts = Vec::new();
    match (oom.scope, oom.usage_and_limit) {
        (Some(OomScope::Cgroup), Some((_, limit))) => {
            facts.push(format!("memory cgroup limit {}", mebibytes(bytes_of_pages(limit))));
        }
        (Some(OomScope::Cgroup), None) => facts.push("its memory cgroup is at its limit".to_owned()),
        (Some(OomScope::Global), _) => facts.push("the host ran out of memory".to_owned()),
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

/// An end that no signal explains.
pub fn of_end(event: &EndEvent<'_>) -> String {
    let target = name(event.target());
    let core = if event.facts.core_dumped { " and left a core" } else { "" };
    let why = match (event.origin, event.tracer()) {
        (Some(Origin::Ptrace), Some(tracer)) => format!(", which its tracer {} let through", name(tracer)),
        (Some(Origin::Seccomp), _) if event.signal.number() == 9 => {
            ": strict seccomp refused a system call".to_owned()
        }
        (Some(Origin::Seccomp), _) => ": a seccomp filter refused a system call".to_owned(),
        _ if event.is_older => ", which may have been sent before this trace".to_owned(),
        _ => ", and no such signal was seen".to_owned(),
    };
    format!("{target} died of {}{core}{why}", event.signal)
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
