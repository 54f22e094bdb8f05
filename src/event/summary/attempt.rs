//! The sentence of a call that failed, or only checked.

use super::name::name;
use crate::event::AttemptEvent;
use crate::event::origin::pid_argument;

/// A call that failed, or only checked.
pub fn of_attempt(event: &AttemptEvent<'_>) -> String {
    // only kill() knows groups
    let is_kill = event.verdict.via == Some("kill");
    let target = match (event.target(), pid_argument(&event.attempt.facts)) {
        (Some(target), _) => name(target),
        (None, Some(pid)) if !is_kill => format!("pid {pid}"),
        (None, Some(-1)) => "all processes (kill -1)".to_owned(),
        (None, Some(0)) => "its own process group".to_owned(),
        (None, Some(group)) if group < 0 => format!("process group {}", i64::from(group).abs()),
        (None, Some(pid)) => format!("pid {pid}"),
        (None, None) => "a process".to_owned(),
    };
    let source = name(event.source());
    let result = event.result();
    let meaning = meaning(&result, event.source().uid);
    if event.is_probe() {
        let result = if event.attempt.returned == 0 { "allowed" } else { &result };
        return format!("{source} checked {target} with signal 0: {result}{meaning}");
    }
    let signal = event
        .signal()
        .map_or_else(|| format!("signal {}", event.attempt.signal), |signal| signal.to_string());
    format!("{source} tried to send {signal} to {target}: {result}{meaning}")
}

/// What kill(2) says of an error; of a refusal, to whom.
fn meaning(error: &str, uid: u32) -> String {
    let meaning = match error {
        "EPERM" => return format!(" (no permission for uid {uid})"),
        "ESRCH" => " (no such process)",
        "EINVAL" => " (invalid argument)",
        "EAGAIN" => " (no room in the queue of signals)",
        "EBADF" => " (bad file descriptor)",
        _ => "",
    };
    meaning.to_owned()
}
