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
    match (event.signal, event.facts.ending) {
        (Some(signal), Ending::Signal { core_dumped, .. }) => of_death(event, signal, core_dumped),
        (_, Ending::Exit(code)) => of_exit(event, code),
        _ => format!("{} ended", name(event.target())),
    }
}

/// `sh(9) exited with status 143, 2.0 s after SIGTERM from bash(7)`.
fn of_exit(event: &EndEvent<'_>, code: u8) -> String {
    let mut text = format!("{} exited with status {code}", name(event.target()));
    let previous = event.after.as_ref().and_then(|after| Some((after, Signal::new(after.signal.signal)?)));
    if let Some((after, signal)) = previous {
        let (ago, from) = (ago(event, after), from(event, after));
        let _ = match ignored(&after.signal, &event.facts.task) {
            Some(how) => write!(text, ", {ago} after ignoring {signal}{from}{how}"),
            None => write!(text, ", {ago} after {signal}{from}"),
        };
    } else {
        let lived = event.facts.time.saturating_sub(event.target().start);
        let _ = write!(text, " after {}; no signal ended it", seconds(lived));
    }
    text
}

/// `yes(9) was killed by SIGTERM from bash(7) (0.7 ms after it was sent)`.
fn of_death(event: &EndEvent<'_>, signal: Signal, core_dumped: bool) -> String {
    let core = if core_dumped { " (core dumped)" } else { "" };
    let target = name(event.target());
    let is_known = event.facts.explained || (event.after.is_some() && !event.facts.is_thread);
    if !is_known {
        return format!("{}{}", of_unexplained(event, signal, core), of_process(event));
    }
    let victim = victim(event);
    let killed = match &event.after {
        None => format!("{victim} was killed by {signal}{core}"),
        Some(after) if !after.is_what_ended_it() => {
            let (ago, from) = (ago(event, after), from(event, after));
            format!(
                "{victim} was killed by {signal}{core}; {signal}{from} came {ago} before, when {target} handled or ignored it"
            )
        }
        Some(after) if is_own(event, after) => format!("{victim} killed itself with {signal}{core}"),
        Some(after) => {
            let core = if core_dumped { "core dumped; " } else { "" };
            let since = if after.origin == Some(Origin::Fault) { "the fault" } else { "it was sent" };
            let (ago, from) = (ago(event, after), from(event, after));
            format!("{victim} was killed by {signal}{from} ({core}{ago} after {since})")
        }
    };
    killed + of_process(event)
}

/// A death by a signal that no event reported: what is known of it.
fn of_unexplained(event: &EndEvent<'_>, signal: Signal, core: &str) -> String {
    let why = match (event.origin, event.tracer()) {
        (Some(Origin::Ptrace), Some(tracer)) => format!(", delivered by its tracer {}", name(tracer)),
        (Some(Origin::Seccomp), _) => {
            let call = event.refused_call().map_or_else(|| "a system call".to_owned(), |call| of_call(&call));
            let who = if signal.number() == 9 { "strict seccomp" } else { "a seccomp filter" };
            format!(": {who} refused {call}")
        }
        _ if event.facts.is_thread => String::new(),
        _ if event.is_older => "; it may have been sent before this trace".to_owned(),
        _ => "; no such signal to it was seen".to_owned(),
    };
    format!("{} was killed by {signal}{core}{why}", victim(event))
}

/// The process, or the thread of it that ended alone.
fn victim(event: &EndEvent<'_>) -> String {
    let target = name(event.target());
    if event.facts.is_thread { format!("thread {} of {target}", event.facts.task.tid) } else { target }
}

fn of_process(event: &EndEvent<'_>) -> &'static str {
    if event.facts.is_thread { "; the process lives on" } else { "" }
}

fn ago(event: &EndEvent<'_>, after: &EarlierSignal) -> String {
    seconds(event.facts.time.saturating_sub(after.signal.time))
}

fn is_own(event: &EndEvent<'_>, after: &EarlierSignal) -> bool {
    let target = event.target();
    after.source().is_some_and(|source| (source.pid, source.start) == target.key())
}

/// Where the signal before the end came from: ` from bash(7)`.
fn from(event: &EndEvent<'_>, after: &EarlierSignal) -> String {
    match after.source() {
        Some(_) if is_own(event, after) => " from itself".to_owned(),
        Some(source) => format!(" from {}", name_of(&source.comm, source.pid)),
        None => after.origin.map_or("", from_kernel).to_owned(),
    }
}

/// What brought a signal about that no process sent.
fn from_kernel(origin: Origin) -> &'static str {
    match origin {
        Origin::Oom => " from the kernel's OOM killer",
        Origin::Tty => " from its terminal",
        Origin::ParentDeath => " as parent-death signal",
        Origin::PidNamespace => " as its pid namespace ended",
        Origin::Timer => " from its timer",
        Origin::Rlimit => " for exceeding a resource limit",
        Origin::Bpf => " from a BPF program",
        Origin::Perf => " from a perf event",
        Origin::Seccomp => " for a system call that a seccomp filter refused",
        Origin::Ptrace => " on behalf of its tracer",
        Origin::Kernel => " from the kernel",
        // their signals say it themselves, or come from a process
        Origin::Fault | Origin::Child | Origin::Io | Origin::Process | Origin::Cgroup => "",
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
                "was killed by SIGTERM from bash(7) (2.0 s after it was sent)",
                end(killed(15), true, Some(previous(15, 0, bash())), None),
            ),
            (
                "was killed by SIGTERM; SIGTERM from bash(7) came 2.0 s before, when yes(9) handled or ignored it",
                end(killed(15), true, handled, None),
            ),
            (
                "was killed by SIGKILL from the kernel's OOM killer (2.0 s after it was sent)",
                end(killed(9), true, Some(previous(9, 0, None)), Some(Origin::Oom)),
            ),
            // of another signal than the last
            ("was killed by SIGKILL", end(killed(9), true, Some(previous(15, 0, bash())), None)),
            // an ignored one is not what it died of
            ("was killed by SIGTERM", end(killed(15), true, Some(previous(15, 1, bash())), None)),
            (
                "was killed by SIGKILL; no such signal to it was seen",
                end(killed(9), false, Some(previous(9, 0, bash())), None),
            ),
            (
                "was killed by SIGSEGV (core dumped; 2.0 s after the fault)",
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
