//! The sentence of a request.

use super::name::name;
use crate::event::RequestEvent;

/// `systemctl(9) asks for nginx.service`: that it was executed is known, and not what came of it.
pub fn of_request(event: &RequestEvent<'_>) -> String {
    let source = name(event.source());
    let parent = event.facts.chain.get(1).and_then(|&place| event.facts.processes.get(place));
    let by = parent.map(|parent| format!(" by {}", name(parent))).unwrap_or_default();
    match event.unit() {
        Some(unit) => format!("{source} was run{by}; it names {unit}"),
        None => format!("{source} was run{by}"),
    }
}
