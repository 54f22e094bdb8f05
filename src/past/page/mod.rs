//! One page for a report: what happened in its order, both trees, and what was recorded. It holds everything itself: no script, no
//! other file. All text of other processes is escaped by the templates, and a policy in the page forbids what could run.

mod bars;
mod process;
mod timeline;

use std::ops::Range;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::coverage::{Subject, is_whole, unrecorded};
use super::story::{Story, followed, headline};
use super::walk::PastEvent;
use super::words::{count, date_and_time};
use crate::base::zone::Zone;
use crate::output::format::screen::{PLAIN, Screen};
use crate::store::Coverage;

const STYLE: &str = include_str!("style.css");
/// Nothing may be loaded or run; the style is in the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The page of a story.
pub fn of_story(
    story: &Story,
    all: &Coverage,
    asked: Range<i64>,
    last: &str,
    now: i64,
    zone: Zone,
) -> String {
    let screen = Screen { zone, ..PLAIN };
    let title = headline(story, screen, now);
    let is_whole = is_whole(&story.coverage, Subject::Events);
    let sender =
        story.last_signal().and_then(|signal| Some((&signal.document, signal.document.object("source")?)));
    let victim = story.end.document.object("target").map(|target| (&story.end.document, target));
    let follows = followed(story, screen);
    let body = html! {
        h1 { (title) }
        p.coverage.missing[!is_whole] { (last) }
        section {
            h2 { "What happened" }
            (timeline::marks(story))
            (timeline::of_story(story, screen))
        }
        div.sides {
            @if let Some((document, process)) = sender {
                section { h2 { "The sender" } (process::details(document, process, screen)) }
            }
            @if let Some((document, process)) = victim {
                section { h2 { "The victim" } (process::details(document, process, screen)) }
            }
        }
        @if !follows.is_empty() {
            section {
                h2 { "What followed" }
                ul { @for sentence in &follows { li { (sentence) } } }
            }
        }
        (recorded(all, asked, Subject::Ends, zone))
    };
    whole(&title, &body, now, zone)
}

/// The page of a list of events.
pub fn of_log(
    events: &[PastEvent],
    is_cut: bool,
    coverage: &Coverage,
    asked: Range<i64>,
    (now, zone): (i64, Zone),
) -> String {
    let screen = Screen { zone, ..PLAIN };
    let number = count(events.len() as u64, "event");
    let (since, until) = (date_and_time(asked.start, zone), date_and_time(asked.end, zone));
    let title = format!("{number}, {since} – {until}");
    let body = html! {
        h1 { (title) }
        @if is_cut { p.coverage.missing { "Only the newest are on this page; killsnoop log -n N prints more." } }
        (recorded(coverage, asked, Subject::Events, zone))
        section { h2 { "Events" } (timeline::of_log(events, screen)) }
    };
    whole(&title, &body, now, zone)
}

/// What was recorded of the time that was asked about.
fn recorded(coverage: &Coverage, asked: Range<i64>, subject: Subject, zone: Zone) -> Markup {
    let missing = unrecorded(coverage, subject, 0, zone);
    html! {
        section {
            h2 { "What was recorded" }
            (bars::of(coverage, &asked))
            p.axis { span { (date_and_time(asked.start, zone)) } span { (date_and_time(asked.end, zone)) } }
            @if missing.is_empty() {
                p { "All of this time, without a gap." }
            } @else {
                p { "Not recorded:" }
                ul { @for part in &missing { li { (part) } } }
            }
        }
    }
}

fn whole(title: &str, body: &Markup, now: i64, zone: Zone) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main { (body) }
                footer {
                    "killsnoop " (env!("CARGO_PKG_VERSION")) ", " (date_and_time(now, zone))
                    ". What came before an end is not proven to be the reason for it."
                }
            }
        }
    };
    page.into_string()
}

#[cfg(test)]
mod tests;
