//! Sentences of signals that the kernel sent, for a reason that takes some words.

use std::fmt::Write;

use super::name::name;
use super::units::{bytes_of_pages, mebibytes, seconds};
use crate::event::origin::Reason;
use crate::event::{RefusedCall, RlimitValue, SignalEvent};
use crate::record::OomScope;

/// The process that brought it about, if one did: ` by sh(7)`.
pub(super) fn because_of(event: &SignalEvent<'_>, word: &str) -> String {
    event.trigger().map_or_else(String::new, |trigger| format!("{word} {}", name(trigger)))
}

/// `: getppid (110 of x86_64)`.
pub(super) fn of_call(call: &RefusedCall) -> String {
    match (call.name(), call.arch_name()) {
        (Some(name), _) => format!(": {name}"),
        (None, Some(arch)) => format!(": number {} of {arch}", call.number),
        (None, None) => format!(": number {}", call.number),
    }
}

/// `audio(9) exceeded RLIMIT_RTTIME (hard limit 0.2 s): SIGKILL`.
pub(super) fn rlimit(event: &SignalEvent<'_>, target: &str) -> String {
    let signal = event.signal;
    let Some(limit) = event.rlimit() else { return format!("{target} exceeded a resource limit: {signal}") };
    let kind = if limit.is_hard { "hard" } else { "soft" };
    let value = match limit.value {
        RlimitValue::Time(nanoseconds) => seconds(nanoseconds),
        RlimitValue::Bytes(bytes) => format!("{bytes} bytes"),
    };
    format!("{target} exceeded {} ({kind} limit {value}): {signal}", limit.name)
}

pub(super) fn reboot(event: &SignalEvent<'_>, target: &str) -> String {
    let caller = event.trigger().map_or_else(|| "a process".to_owned(), name);
    let mut text = format!("kernel sent {} to {target}: {caller} called reboot(2)", event.signal);
    if let Some(reboot) = event.reboot() {
        let _ = write!(text, " to {}; its parent reads {}", reboot.command, reboot.parent_reads);
    }
    text
}

pub(super) fn ptrace(event: &SignalEvent<'_>, target: &str) -> String {
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

/// For a reason that is no origin of its own, or for none that is known.
pub(super) fn other(event: &SignalEvent<'_>, target: &str) -> String {
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

/// `kernel OOM killer killed java(4711): memory cgroup limit 512 MiB, rss 498 MiB`.
pub(super) fn oom(event: &SignalEvent<'_>, target: &str) -> String {
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
