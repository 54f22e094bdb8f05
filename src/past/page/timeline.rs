//! Events in their order: of a story from its first command to its end, of a list all of them.

use maud::{Markup, html};

use super::super::story::{Link, Story, request_words};
use super::super::target::text;
use super::super::walk::PastEvent;
use super::super::words::date_and_time;
use super::bars::{WIDTH, at};
use super::process::tree;
use crate::event::header::EventKind;
use crate::event::summary::seconds;
use crate::output::format::screen::Screen;

/// The width of a mark.
const MARK: i64 = 40;

/// The class of an event on a page.
fn class(event: &PastEvent) -> &'static str {
    let header = event.document.header();
    match header.kind {
        EventKind::Ended => "end",
        EventKind::Signal if header.is_deadly() => "deadly",
        EventKind::Signal | EventKind::Attempt => "signal",
        EventKind::Request => "request",
        EventKind::Lost => "lost",
    }
}

/// Marks on one line, by time.
pub(super) fn marks(story: &Story) -> Markup {
    let range = story.range();
    let events: Vec<&PastEvent> = story.events().collect();
    html! {
        svg.bar viewBox="0 0 10000 20" preserveAspectRatio="none" role="img" aria-label="When it happened" {
            @for event in &events {
                @let x = at(event.time, &range).min(WIDTH - MARK);
                rect class=(class(event).replace("deadly", "end")) x=(x) y="2" width=(MARK) height="16" {}
            }
        }
        p.legend {
            @if !story.requests.is_empty() { i.request {} "control command" }
            i.signal {} "signal" i.end {} "deadly signal, end"
        }
    }
}

/// The events of a story, each with how long after the first it came.
pub(super) fn of_story(story: &Story, screen: Screen) -> Markup {
    let first = story.range().start;
    let link = |event: &PastEvent| {
        story.requests.iter().find(|request| request.event.row == event.row).map(|request| request.link)
    };
    let events: Vec<&PastEvent> = story.events().collect();
    // both have a section
    let key = |event: &PastEvent, path: &str| event.document.text_at(path).map(str::to_owned);
    let sender = story.last_signal().and_then(|signal| key(signal, "source.key"));
    let below: Vec<String> = sender.into_iter().chain(key(&story.end, "target.key")).collect();
    html! {
        ol.timeline {
            @for event in &events {
                @let after = u64::try_from(event.time - first).unwrap_or(0);
                li class=(class(event)) {
                    time { (screen.clock(&event.document)) }
                    @if after > 0 { span.offset { "+" (seconds(after)) } }
                    span.what { (sentence(event, screen)) }
                    @match link(event) {
                        Some(Link::Names) => span.note { "before it; not proof" },
                        Some(Link::Host) => span.note { "before it, for the whole host; not proof" },
                        Some(Link::Perhaps) => {
                            span.note { "before it; whether it means this container is not recorded" }
                        }
                        None => {}
                    }
                    (trees(event, &below, screen))
                }
            }
        }
        @if story.more_requests > 0 {
            p.note { (story.more_requests) " further commands named it in that time; they are not on this page." }
        }
        @if story.earlier > 0 { p.note { @if story.earlier_is_least { "at least " } (story.earlier) " earlier signals to it are not on this page." } }
    }
}

/// All events of a list.
pub(super) fn of_log(events: &[PastEvent], screen: Screen) -> Markup {
    html! {
        ol.timeline {
            @for event in events {
                li class=(class(event)) {
                    time { (date_and_time(event.time, screen.zone)) }
                    span.what { (sentence(event, screen)) }
                    (trees(event, &[], screen))
                }
            }
        }
    }
}

/// The sentence of an event; of a command its words.
fn sentence(event: &PastEvent, screen: Screen) -> String {
    if let Some(summary) = event.document.text_at("summary").filter(|_| class(event) != "request") {
        return screen.safe(summary);
    }
    let words: Vec<Vec<u8>> = request_words(&event.document).into_iter().map(String::into_bytes).collect();
    match (words.is_empty(), event.document.text_at("msg")) {
        (true, Some(msg)) => screen.safe(msg),
        _ => screen.arguments(&words),
    }
}

/// Both trees, folded in, but for those of processes that have one elsewhere on the page.
fn trees(event: &PastEvent, elsewhere: &[String], screen: Screen) -> Markup {
    let is_elsewhere =
        |process| text(process, &["key"]).is_some_and(|key| elsewhere.iter().any(|one| one == key));
    let sides: Vec<_> = [("sender", "source"), ("target", "target")]
        .into_iter()
        .filter_map(|(label, side)| Some((label, event.document.object(side)?)))
        .filter(|(_, process)| !is_elsewhere(process))
        .collect();
    html! {
        @if !sides.is_empty() {
            details {
                summary { "trees" }
                @for (label, process) in sides { p.note { (label) } (tree(process, screen)) }
            }
        }
    }
}
