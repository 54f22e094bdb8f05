//! What followed an end: the same service again, deaths of its children, other victims of the same sender or of the same limit.

use std::collections::HashSet;

use super::super::target::{container_names, number, text};
use super::super::walk::{Found, PastEvent, find_some};
use super::{END_WITHIN, SECOND, of_target};
use crate::event::header::EventKind;
use crate::output::format::document::{Document, Field, Value, chain, find};
use crate::store::{Identity, Kind, Order, Query, Reader, StoreError, Who};

/// Ends of children are looked for this long behind the end.
const CHILDREN_WITHIN: i64 = 10 * SECOND;
/// Other OOM kills of a cgroup are looked for this long before and behind.
const OOM_WITHIN: i64 = 3600 * SECOND;
/// So many events are looked at.
const LOOKED_AT: usize = 5000;
/// So many children are named.
const NAMED: usize = 3;
/// What the line of an OOM kill has.
const OOM: &str = "\"origin\":\"oom\"";

/// What followed an end.
#[derive(Debug, Default)]
pub struct After {
    /// Processes below it that ended at the time of the story.
    pub children: Found,
    /// Later ends of the same program in the same place.
    pub again: Found,
    /// A later event shows the same program in the same place, started behind the end.
    pub restarted: Option<PastEvent>,
    /// Other OOM kills in its cgroup, an hour before to an hour behind.
    pub ooms: Found,
}

/// What followed.
pub(super) fn after(reader: &Reader, end: &PastEvent, first: i64) -> Result<After, StoreError> {
    let Some(target) = end.document.object("target") else { return Ok(After::default()) };
    let key = text(target, &["key"]).unwrap_or_default();
    let is_other = |event: &PastEvent| event.document.text_at("target.key") != Some(key);
    let ends = Query { kinds: vec![Kind::Ended], ..Query::default() };
    // what is below it names it
    let children = find_some(
        reader,
        &Query { since: Some(first), until: Some(end.time + CHILDREN_WITHIN), ..ends.clone() },
        Order::OldestFirst,
        (LOOKED_AT, NAMED),
        &format!("\"{key}\""),
        |event| {
            event.document.header().is_end_of_process() && is_other(event) && is_below(&event.document, key)
        },
    )?;
    let same =
        Query { since: Some(end.time + 1), target: vec![Who::Like(place_of(target))], ..Query::default() };
    // of a service that ends all the time the first ends are enough
    let same = Query { limit: Some(LOOKED_AT as u64), ..same };
    let again = find_some(
        reader,
        &Query { kinds: vec![Kind::Ended], ..same.clone() },
        Order::OldestFirst,
        (LOOKED_AT, 1),
        "",
        |event| {
            event.document.header().is_end_of_process()
                && is_other(event)
                && is_same_service(&event.document, target)
                && started_behind(&event.document, end.time)
        },
    )?;
    let restarted = find_some(reader, &same, Order::OldestFirst, (1, 1), "", |event| {
        is_other(event)
            && is_same_service(&event.document, target)
            && started_behind(&event.document, end.time)
    })?;
    let restarted = restarted.first.into_iter().next();
    Ok(After { children, again, restarted, ooms: ooms(reader, end, key)? })
}

/// Where a process belongs, as far as it stays the same when it is started again.
fn place_of(target: &[Field]) -> Box<Identity> {
    let own = |path: &[&str]| text(target, path).map(str::to_owned);
    let [_, container_name] = container_names(target);
    Box::new(Identity {
        comm: own(&["comm"]),
        exe: own(&["exe"]),
        unit: own(&["systemd", "unit"]),
        container_name,
        uid: number(target, &["user", "id"]).and_then(|id| u32::try_from(id).ok()),
        ..Identity::default()
    })
}

/// Is it below this process, by birth or by who started it?
fn is_below(document: &Document, key: &str) -> bool {
    let Some(target) = document.object("target") else { return false };
    let is = |process: &[Field]| text(process, &["key"]) == Some(key);
    chain(target).skip(1).any(is)
        || chain(target)
            .any(|process| matches!(find(process, "spawnedBy"), Some(Value::Object(spawner)) if is(spawner)))
}

/// The same program, in the same unit or container if it was in one.
fn is_same_service(document: &Document, target: &[Field]) -> bool {
    let Some(other) = document.object("target") else { return false };
    [&["comm"][..], &["exe"], &["systemd", "unit"], &["container", "name"], &["user", "id"]].iter().all(
        |path| {
            let value = |process| super::super::target::value(process, path).cloned();
            value(other) == value(target)
        },
    )
}

fn started_behind(document: &Document, end: i64) -> bool {
    document
        .text_at("target.startTime")
        .and_then(super::super::words::nanoseconds)
        .is_some_and(|start| start > end)
}

fn ooms(reader: &Reader, end: &PastEvent, key: &str) -> Result<Found, StoreError> {
    let of_end = find_some(
        reader,
        &Query { before_row: Some(end.row + 1), ..of_target(key, Kind::Signal) },
        Order::NewestFirst,
        (1, 1),
        OOM,
        |signal| signal.document.text_at("origin") == Some("oom"),
    )?;
    let Some(cgroup) = of_end.first.first().and_then(|signal| signal.document.text_at("oom.cgroup")) else {
        return Ok(Found::default());
    };
    let around = Query {
        kinds: vec![Kind::Signal],
        since: Some(end.time - OOM_WITHIN),
        until: Some(end.time + OOM_WITHIN),
        is_fatal: true,
        signals: vec![9],
        ..Query::default()
    };
    find_some(reader, &around, Order::OldestFirst, (LOOKED_AT, 0), OOM, |signal| {
        signal.document.text_at("oom.cgroup") == Some(cgroup)
            && signal.document.text_at("target.key") != Some(key)
    })
}

/// Whom the sender of this signal signalled besides, within some seconds.
pub(super) fn siblings(reader: &Reader, last: Option<&PastEvent>) -> Result<Option<Found>, StoreError> {
    let Some(last) = last.filter(|last| last.document.header().kind == EventKind::Signal) else {
        return Ok(None);
    };
    let (source, target) = (last.document.text_at("source.key"), last.document.text_at("target.key"));
    // PID 1 signals for everybody
    let Some(source) = source.filter(|_| last.document.number_at("source.pid") != Some(1)) else {
        return Ok(None);
    };
    let query = Query {
        kinds: vec![Kind::Signal],
        since: Some(last.time - END_WITHIN),
        until: Some(last.time + END_WITHIN),
        by: vec![Who::Key(source.to_owned())],
        ..Query::default()
    };
    let mut seen: HashSet<String> = HashSet::new();
    let others = find_some(reader, &query, Order::OldestFirst, (LOOKED_AT, 1), "", |signal| {
        let key = signal.document.text_at("target.key").map(str::to_owned);
        match key {
            Some(key) if Some(key.as_str()) != target && key != source && !seen.contains(&key) => {
                seen.insert(key);
                true
            }
            _ => false,
        }
    })?;
    Ok((others.count > 0).then_some(others))
}
