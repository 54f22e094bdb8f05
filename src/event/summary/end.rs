//! The sentence of an end.

use std::fmt::Write;

use super::before::ignored;
use super::kernel::of_call;
use super::name::{name, name_of};
use super::units::seconds;
use crate::event::EndEvent;
use crate::event::context::EarlierSignal;
use crate::event::origin::Origin;
use crate::event::signal::Signal;
use crate::record::Ending;

/// An end, and what came before it: "after", never "because", unless it died of that very signal.
pub fn of_end(event: &EndEvent<'_>) -> String {
    let target = name(event.target());
    let when = |after: &EarlierSignal| seconds(event.facts.time.saturating_sub(after.signal.time));
    let source = |after: &EarlierSignal| after.source().map(|source| name_of(&source.comm, source.pid));
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
            Some((when, source)) if !event.after.as_ref().is_some_and(EarlierSignal::is_what_ended_it) => {
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
fn of_kernel(after: Option<&EarlierSignal>) -> &'static str {
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

#[cfg(test)]
mod tests {
    use super::super::samples::{previous, process};
    use super::*;
    use crate::enrich::surroundings::Surroundings;
    use crate::event::Clock;
    use crate::record::{EndFacts, Previous, PreviousSource};

    fn end(ending: Ending, explained: bool, last: Option<Previous>, origin: Option<Origin>) -> String {
        let facts = EndFacts {
            time: 12_000_000_000,
            explained,
            previous: last,
            ..EndFacts::of(process(9, b"yes"), ending)
        };
        let mut after = EarlierSignal::before_end(&facts, None);
        if let Some(after) = &mut after {
            after.origin = origin;
        }
        let event = EndEvent::new(facts, 2, Clock::fixed(0), 0, after, Surroundings::default());
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
}
