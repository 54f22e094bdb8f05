//! The sentence of a call that failed, or only asked.

use super::name::name;
use crate::event::AttemptEvent;
use crate::event::origin::pid_argument;

/// A call that failed, or only asked.
pub fn of_attempt(event: &AttemptEvent<'_>) -> String {
    // only kill() knows groups
    let is_kill = event.verdict.via == Some("kill");
    let target = match (event.target(), pid_argument(&event.attempt.facts)) {
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
