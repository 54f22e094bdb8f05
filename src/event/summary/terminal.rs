//! Sentences of signals from a terminal: hang-up, resize, keys and job control.

use super::effect::Effect;
use super::kernel::trigger;
use super::name::name;
use crate::event::SignalEvent;
use crate::event::numbers::{CONT, HUP, WINCH};
use crate::record::PF_EXITING;

/// `terminal pts/3 of sh(9) was closed by tmux(7): SIGHUP`, `terminal pts/3 sent SIGINT to sh(9)`.
pub(super) fn terminal(event: &SignalEvent<'_>, target: &str) -> String {
    let terminal = event.tty().map_or_else(|| "terminal".to_owned(), |tty| format!("terminal {tty}"));
    let signal = event.signal;
    let what = match signal.number() {
        // the kernel sends both after a hang-up
        HUP | CONT => hung_up(event),
        WINCH => format!("was resized{}", trigger(event, " by")),
        _ => {
            let effect = Effect::of(event).map_or_else(String::new, Effect::behind_target);
            let by = trigger(event, "; caused by");
            return format!("{terminal} sent {signal} to {target}{effect}{by}");
        }
    };
    let effect = Effect::of(event).map_or_else(String::new, |effect| effect.of_target(target));
    format!("{terminal} of {target} {what}: {signal}{effect}")
}

/// A process of the terminal's own session cannot close it: it lets go of it, or exits.
fn hung_up(event: &SignalEvent<'_>) -> String {
    let Some(trigger) = event.trigger() else { return "was hung up".to_owned() };
    let (current, trigger) = (&event.facts.current, name(trigger));
    let is_of_session = current.session != 0 && current.session == event.facts.target.session;
    if !is_of_session {
        format!("was closed by {trigger}")
    } else if current.flags & PF_EXITING != 0 {
        format!("was hung up when {trigger} exited")
    } else {
        format!("was hung up by {trigger}")
    }
}
