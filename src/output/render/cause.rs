//! More about the kernel's own reasons: memory, limits, seccomp, reboot, its stack.

use super::write_bytes;
use crate::event::origin::Origin;
use crate::event::{RefusedCall, RlimitValue, SignalEvent, summary};
use crate::output::format::Format;
use crate::output::format::ValueRef::{Integer, Number, Seconds, Text, Words};
use crate::record::OomScope;

/// What the kernel's own reasons say more.
pub(super) fn write_cause(event: &SignalEvent<'_>, format: &mut dyn Format) {
    if let Some(limit) = event.rlimit() {
        format.open("rlimit");
        format.field("name", Text(limit.name));
        match limit.value {
            RlimitValue::Time(nanoseconds) => format.field("valueSeconds", Seconds(nanoseconds)),
            RlimitValue::Bytes(bytes) => format.field("valueBytes", Number(bytes)),
        }
        format.field("kind", Text(if limit.is_hard { "hard" } else { "soft" }));
        format.close();
    }
    if let Some(call) = event.refused_call() {
        write_refused_call(&call, format);
    }
    if let Some(reboot) = event.reboot() {
        format.open("reboot");
        format.field("command", Text(reboot.command));
        format.field("parentReads", Text(&reboot.parent_reads.name()));
        format.close();
    }
    let Some(explanation) = &event.facts.explanation else { return };
    if event.verdict.origin == Origin::Kernel && !explanation.functions.is_empty() {
        format.field("kernelStack", Words(&explanation.functions));
    }
}

pub(super) fn write_refused_call(call: &RefusedCall, format: &mut dyn Format) {
    format.open("seccomp");
    format.field("syscall", Integer(call.number));
    if let Some(name) = call.name() {
        format.field("syscallName", Text(name));
    }
    let arch = call.arch_name().map_or_else(|| format!("{:#x}", call.arch), str::to_owned);
    format.field("arch", Text(&arch));
    if call.address != 0 {
        format.field("address", Text(&format!("{:#x}", call.address)));
    }
    format.close();
}

pub(super) fn write_oom(event: &SignalEvent<'_>, format: &mut dyn Format) {
    let Some(oom) = &event.facts.oom else { return };
    let bytes = |pages| summary::bytes_of_pages(pages);
    format.open("oom");
    if let Some(scope) = oom.scope {
        format.field("scope", Text(scope.name()));
    }
    // a limit that was near explains nothing where the host's memory ran out
    if oom.scope == Some(OomScope::Cgroup) {
        if !oom.cgroup.is_empty() {
            write_bytes("cgroup", "cgroupRaw", &oom.cgroup, format);
        }
        if let Some((usage, limit)) = oom.usage_and_limit {
            format.field("limitBytes", Number(bytes(limit)));
            format.field("usageBytes", Number(bytes(usage)));
        }
    }
    if let Some(pages) = oom.rss_pages {
        format.field("rssBytes", Number(bytes(pages)));
    }
    format.close();
}
