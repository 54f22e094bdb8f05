//! A process on a page: what is known of it, and its tree up to PID 1 with every command line.

use maud::{Markup, html};

use super::super::story::facts;
use super::super::target::text;
use super::super::words::nanoseconds;
use crate::output::format::document::{Document, Field, Value, chain, find};
use crate::output::format::screen::{Screen, cut};

/// Columns of a command line that is not long.
const LONG: usize = 200;

/// What is known of one side of an event.
pub(super) fn details(document: &Document, process: &[Field], screen: Screen) -> Markup {
    let time = document.text_at("time").and_then(nanoseconds).unwrap_or_default();
    let about = facts(process, time, screen);
    let keys: [(&str, &[&str]); 7] = [
        ("program", &["exe"]),
        ("started", &["startTime"]),
        ("cgroup", &["cgroup"]),
        ("terminal", &["tty", "name"]),
        ("login user", &["loginUser", "name"]),
        ("state", &["state"]),
        ("key", &["key"]),
    ];
    html! {
        p { b { (screen.name(process)) } " " span.note { (about) } }
        // the arguments are in the tree
        @if let Some(title) = text(process, &["title"]) { p { code { (screen.safe(title)) } } }
        dl {
            @for (label, path) in keys {
                @if let Some(value) = text(process, path) {
                    dt { (label) } dd { code { (screen.safe(value)) } }
                }
            }
        }
        (tree(process, screen))
        @if let Some(missing) = missing(document, screen) { p.note { "Not known: " (missing) } }
    }
}

/// From PID 1 down to the process, each with its command line.
pub(super) fn tree(process: &[Field], screen: Screen) -> Markup {
    let mut processes: Vec<&[Field]> = chain(process).collect();
    let is_cut = matches!(find(process, "treeTruncated"), Some(Value::Flag(true)));
    processes.reverse();
    let nested = processes.iter().rev().fold(None, |inner: Option<Markup>, one| {
        let is_self = inner.is_none();
        Some(html! {
            ul.tree {
                li.self[is_self] {
                    b { (screen.name(one)) } " "
                    @if let Some(Value::List(items)) = find(one, "cmdline") { (arguments(items, screen)) }
                    @if let Some(Value::Object(spawner)) = find(one, "spawnedBy") {
                        span.note { " started by " (screen.name(spawner)) }
                    }
                    @if let Some(inner) = &inner { (inner) }
                }
            }
        })
    });
    html! {
        @if is_cut { p.note { "The tree goes on above." } }
        @if let Some(nested) = nested { (nested) }
    }
}

/// A command line; of a long one the beginning, and all of it for those who ask.
fn arguments(items: &[Vec<u8>], screen: Screen) -> Markup {
    let text = screen.arguments(items);
    let short = cut(screen, &text, LONG);
    html! {
        @if short == text {
            code { (text) }
        } @else {
            details { summary { code { (short) } } code { (text) } }
        }
    }
}

fn missing(document: &Document, screen: Screen) -> Option<String> {
    match document.get("missing") {
        Some(Value::Words(words)) if !words.is_empty() => Some(screen.safe(&words.join(", "))),
        _ => None,
    }
}
