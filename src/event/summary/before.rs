//! What a sentence says of the signals before.

use super::units::seconds;
use crate::event::signal::Signal;
use crate::event::{Outcome, SignalEvent};
use crate::record::{Previous, Task};

/// Does the sentence say how long ago something was?
pub fn mentions_time(event: &SignalEvent<'_>) -> bool {
    reported_before(event).is_some() || event.last_signal().is_some() || event.is_raised_again()
}

/// What came before, if it is worth a clause.
fn reported_before<'a>(event: &'a SignalEvent<'_>) -> Option<(&'a Previous, Signal)> {
    // the same signal again, or one that was hidden, is no news
    let previous = event.previous()?;
    let is_news = !previous.hidden && previous.signal != event.signal.number();
    Some((previous, Signal::new(previous.signal).filter(|_| is_news)?))
}

/// What came before: `, 10.0 s after SIGTERM, which it ignored as PID 1 of its namespace`. In parentheses where the
/// sentence does not end in what it is said of.
pub(super) fn before(event: &SignalEvent<'_>, is_apart: bool) -> String {
    let Some((previous, signal)) = reported_before(event) else { return String::new() };
    let ago = seconds(event.facts.time.saturating_sub(previous.time));
    let ignored = ignored(previous, &event.facts.target)
        .map_or_else(String::new, |how| format!(", which it ignored{how}"));
    if is_apart {
        format!(" ({ago} after {signal}{ignored})")
    } else {
        format!(", {ago} after {signal}{ignored}")
    }
}

/// If the target ignored a signal of before: why, where that is known. (Its `SIGNAL_UNKILLABLE` is gone once something
/// kills it.)
pub(super) fn ignored(previous: &Previous, target: &Task) -> Option<&'static str> {
    if Outcome::of(previous.result) != Some(Outcome::Ignored) {
        return None;
    }
    let is_init = target.namespace_level > 0 && target.namespace_pid == 1;
    Some(if previous.met_default && is_init { " as PID 1 of its namespace" } else { "" })
}
