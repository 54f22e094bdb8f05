//! Sentences of signals that the kernel sent, for a reason that needs some words.

use std::fmt::Write;

use super::effect::Effect;
use super::name::name;
use super::units::{bytes_of_pages, mebibytes, seconds};
use crate::event::origin::{Origin, Reason};
use crate::event::{RefusedCall, RlimitValue, SignalEvent};
use crate::record::OomScope;

/// `kernel sent SIGHUP to sh(9), which handles it: …`.
pub(super) fn kernel_sent(event: &SignalEvent<'_>, target: &str, why: &str) -> String {
    let effect = Effect::of(event).map_or_else(String::new, Effect::behind_target);
    format!("kernel sent {} to {target}{effect}{why}", event.signal)
}

/// The process that brought it about, if one did: ` by sh(7)`.
pub(super) fn trigger(event: &SignalEvent<'_>, word: &str) -> String {
    event.trigger().map_or_else(String::new, |trigger| format!("{word} {}", name(trigger)))
}

/// `system call getppid`, `system call 999 of x86_64`.
pub(super) fn of_call(call: &RefusedCall) -> String {
    match (call.name(), call.arch_name()) {
        (Some(name), _) => format!("system call {name}"),
        (None, Some(arch)) => format!("system call {} of {arch}", call.number),
        (None, None) => format!("system call {}", call.number),
    }
}

/// `audio(9) exceeded RLIMIT_RTTIME (hard limit 0.2 s): SIGKILL`.
pub(super) fn rlimit(event: &SignalEvent<'_>, target: &str) -> String {
    let Some(limit) = event.rlimit() else { return format!("{target} exceeded a resource limit") };
    let kind = if limit.is_hard { "hard" } else { "soft" };
    let value = match limit.value {
        RlimitValue::Time(nanoseconds) => seconds(nanoseconds),
        RlimitValue::Bytes(bytes) => format!("{bytes} bytes"),
    };
    format!("{target} exceeded {} ({kind} limit {value})", limit.name)
}

/// `kernel sent SIGKILL to sh(9): init(7), the init of its pid namespace, exited`.
pub(super) fn namespace_end(event: &SignalEvent<'_>, target: &str) -> String {
    if event.verdict.reason != Some(Reason::Reboot) {
        let init = name(event.current());
        return kernel_sent(event, target, &format!(": {init}, the init of its pid namespace, exited"));
    }
    let caller = event.trigger().map_or_else(|| "a process".to_owned(), name);
    let mut why = format!(": {caller} called reboot(2)");
    if let Some(reboot) = event.reboot() {
        let _ = write!(
            why,
            " to {}; the parent of {target} will see it killed by {}",
            reboot.command, reboot.parent_reads
        );
    }
    kernel_sent(event, target, &why)
}

/// `gdb(7) attached to sh(9) with ptrace: SIGSTOP`.
pub(super) fn ptrace(event: &SignalEvent<'_>, target: &str) -> String {
    let tracer = event.trigger().or_else(|| event.target_tracer()).map(name);
    match (event.verdict.reason, tracer) {
        (Some(Reason::Attach), Some(tracer)) => {
            let effect = Effect::of(event).map_or_else(String::new, |effect| effect.of_target(target));
            format!("{tracer} attached to {target} with ptrace: {}{effect}", event.signal)
        }
        (Some(Reason::PtraceKill), Some(tracer)) => {
            kernel_sent(event, target, &format!(": its tracer {tracer} requested it (PTRACE_KILL)"))
        }
        (Some(Reason::TracerEnded), Some(tracer)) => {
            kernel_sent(event, target, &format!(": its tracer {tracer} exited (PTRACE_O_EXITKILL)"))
        }
        (_, Some(tracer)) => kernel_sent(event, target, &format!(": on behalf of its tracer {tracer}")),
        (_, None) => kernel_sent(event, target, ": on behalf of its tracer"),
    }
}

/// `sh(9) got SIGIO, which it handles: …`.
pub(super) fn notification(event: &SignalEvent<'_>, target: &str) -> String {
    let effect = Effect::of(event).map_or_else(String::new, |effect| effect.behind_signal(target));
    let why = match (event.verdict.origin, event.verdict.reason) {
        (Origin::Child, _) => child(event),
        (_, Some(Reason::MessageQueue)) => {
            format!("a message{} arrived in its POSIX message queue", trigger(event, " from"))
        }
        _ => format!("I/O event{}", trigger(event, " caused by")),
    };
    format!("{target} got {}{effect}: {why}", event.signal)
}

/// What a child did. A tracer gets the same about a process that is not its child.
fn child(event: &SignalEvent<'_>) -> String {
    let child = event.trigger().map_or_else(|| "a child".to_owned(), name);
    match event.code().as_deref() {
        Some("CLD_EXITED") => format!("{child} exited"),
        Some("CLD_KILLED") => format!("{child} was killed"),
        Some("CLD_DUMPED") => format!("{child} was killed (core dumped)"),
        Some("CLD_TRAPPED") => format!("{child} stopped for its tracer"),
        Some("CLD_STOPPED") => format!("{child} stopped"),
        Some("CLD_CONTINUED") => format!("{child} continued"),
        _ => format!("{child} changed state"),
    }
}

/// For a reason that is no origin of its own, or for none that is known.
pub(super) fn other(event: &SignalEvent<'_>, target: &str) -> String {
    let why = match event.verdict.reason {
        Some(Reason::OrphanedGroup) => {
            let exited =
                event.trigger().map_or_else(String::new, |trigger| format!(" when {} exited", name(trigger)));
            format!(": its process group was orphaned with a stopped member{exited}")
        }
        Some(Reason::Sysrq) => format!(": SysRq{}", trigger(event, " by")),
        Some(Reason::CtrlAltDel) => ": Ctrl-Alt-Del".to_owned(),
        Some(Reason::ConsoleSwitch) => ": switch to another virtual console".to_owned(),
        Some(Reason::ExecFailed) => ": execve failed after the old program was gone".to_owned(),
        Some(Reason::UserDispatch) => ": syscall user dispatch".to_owned(),
        _ => {
            let functions = event.facts.explanation.as_ref().map_or(&[][..], |shown| &shown.functions);
            functions.first().map_or_else(String::new, |function| format!(" ({function})"))
        }
    };
    kernel_sent(event, target, &why)
}

/// `kernel OOM killer killed java(4711): memory cgroup limit 512 MiB, rss 498 MiB`.
pub(super) fn oom(event: &SignalEvent<'_>, target: &str) -> String {
    let mut text = format!("kernel OOM killer killed {target}");
    let mut facts = Vec::new();
    if let Some(oom) = &event.facts.oom {
        match (oom.scope, oom.usage_and_limit) {
            (Some(OomScope::Cgroup), Some((_, limit))) => {
                facts.push(format!("memory cgroup limit {}", mebibytes(bytes_of_pages(limit))));
            }
            (Some(OomScope::Cgroup), None) => facts.push("its memory cgroup is at its limit".to_owned()),
            _ if oom.by_sysrq => facts.push("requested by SysRq".to_owned()),
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
    }
    if !facts.is_empty() {
        let _ = write!(text, ": {}", facts.join(", "));
    }
    let by_sysrq = event.facts.oom.as_ref().is_some_and(|oom| oom.by_sysrq);
    let other = event.trigger().filter(|trigger| trigger.pid != event.target().pid && !by_sysrq);
    if let Some(trigger) = other {
        let _ = write!(text, "; triggered by an allocation of {}", name(trigger));
    }
    text
}
