//! `missing`: what should be there and is not, with the reason.

use super::subject::{Subject, is_reported};
use crate::event::SignalEvent;
use crate::event::origin::{Origin, Reason};
use crate::record::{Argv, Blocking, OomScope, ProcessFacts};

/// What should be there and is not: `target.cmdline:no-memory`.
pub(super) fn missing_of_signal(event: &SignalEvent<'_>) -> Vec<String> {
    let facts = &event.facts;
    let mut missing = Vec::new();
    if event.verdict.origin == Origin::Tty && event.tty().is_none() {
        missing.push("tty.name:gone".to_owned());
    }
    if event.is_unexplained() {
        let why = if facts.stack_lost { "no-kernel-stack" } else { "no-kernel-symbols" };
        missing.push(format!("origin:{why}"));
    }
    if event.verdict.is_undecided {
        missing.push("source:traced".to_owned());
    }
    if event.verdict.origin == Origin::Rlimit && event.rlimit().is_none() {
        missing.push("rlimit:unknown".to_owned());
    }
    if event.verdict.reason == Some(Reason::HandlerFailed) && event.fault().is_none() {
        missing.push("fault.address:unknown".to_owned());
    }
    if event.verdict.origin == Origin::Oom && facts.oom.is_none() {
        missing.push("oom:not-reported".to_owned());
    }
    if let Some(oom) = &facts.oom {
        let is_cgroups = oom.scope == Some(OomScope::Cgroup);
        let gaps = [
            ("scope", oom.scope.is_none() && !oom.by_sysrq),
            ("cgroup", is_cgroups && oom.cgroup.is_empty()),
            ("limitBytes", is_cgroups && oom.usage_and_limit.is_none()),
            ("rssBytes", oom.rss_pages.is_none()),
        ];
        missing.extend(gaps.iter().filter(|gap| gap.1).map(|gap| format!("oom.{}:not-reported", gap.0)));
    }
    // a kernel thread is not ended by a signal
    if !facts.has_history && event.target().argv != Argv::NotApplicable {
        missing.push("previous:unknown".to_owned());
    }
    if facts.spawners_cut {
        missing.push("spawnedBy:too-many".to_owned());
    }
    if event.source().is_some() {
        Subject::source(facts, &event.context.source).missing("source", &mut missing);
    }
    if event.trigger().is_some() {
        missing_in("trigger", &facts.processes, &facts.current_chain[..1], &mut missing);
    }
    if event.source().is_some() {
        missing_in("source.tracer", &facts.processes, facts.current_tracer.as_slice(), &mut missing);
    }
    missing_in("target.tracer", &facts.processes, facts.target_tracer.as_slice(), &mut missing);
    Subject::target(facts, &event.context.target).missing("target", &mut missing);
    if facts.blocking == Blocking::Unknown {
        missing.push("target.blocked:many-threads".to_owned());
    }
    missing
}

impl Subject<'_> {
    /// What should be there and is not; `name` is its key.
    pub(super) fn missing(&self, name: &str, missing: &mut Vec<String>) {
        if let Some(process) = self.chain.first().and_then(|&place| self.processes.get(place)) {
            let subject = process.subject.as_deref();
            if process.argv != Argv::NotApplicable && subject.is_some_and(|subject| subject.exe.is_empty()) {
                let reason = if let Argv::Missing(gap) = process.argv { gap.reason() } else { "not-kept" };
                missing.push(format!("{name}.exe:{reason}"));
            }
            if subject.is_some_and(|subject| subject.environment_cut) {
                missing.push(format!("{name}.env:too-long"));
            }
            if subject.is_some_and(|subject| subject.environment_lost) {
                missing.push(format!("{name}.env:unreadable"));
            }
        }
        if self.surroundings.are_names_lost {
            missing.push(format!("{name}.user.name:gone"));
        }
        if self.surroundings.is_cgroup_lost {
            missing.push(format!("{name}.cgroup:gone"));
        }
        if let Some(why) = self.surroundings.names.no_container {
            missing.push(format!("{name}.container.name:{why}"));
        }
        if let Some(why) = self.surroundings.names.no_pod {
            missing.push(format!("{name}.k8s.pod.name:{why}"));
        }
        if self.surroundings.is_title_dropped {
            missing.push(format!("{name}.title:not-kept"));
        }
        missing_in(name, self.processes, self.chain, missing);
        if self.spawners.is_empty() {
            return;
        }
        let mut path = name.to_owned();
        for &place in self.chain {
            self.missing_spawners(path.clone(), place, missing);
            path.push_str(".parent");
        }
    }

    fn missing_spawners(&self, mut path: String, mut place: usize, missing: &mut Vec<String>) {
        while let Some(spawner) = self.spawners.iter().find(|spawner| spawner.of == place) {
            path.push_str(".spawnedBy");
            let Some(process) = self.processes.get(spawner.process) else { return };
            if !is_reported(spawner, process) {
                missing.push(format!("{path}:not-kept"));
                return;
            }
            if let Argv::Missing(gap) = process.argv {
                missing.push(format!("{path}.cmdline:{}", gap.reason()));
            }
            place = spawner.process;
        }
    }
}

/// What a process and those above it lack; `name` is the first one's key.
pub(super) fn missing_in(
    name: &str,
    processes: &[ProcessFacts<'_>],
    chain: &[usize],
    missing: &mut Vec<String>,
) {
    let all = || chain.iter().filter_map(|&place| processes.get(place));
    if !all().any(|process| matches!(process.argv, Argv::Missing(_)) || process.title_lost) {
        return;
    }
    let mut path = name.to_owned();
    for process in all() {
        if let Argv::Missing(gap) = process.argv {
            missing.push(format!("{path}.cmdline:{}", gap.reason()));
        }
        if process.title_lost {
            missing.push(format!("{path}.title:unreadable"));
        }
        path.push_str(".parent");
    }
}
