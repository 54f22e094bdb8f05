//! Parts of texts: what a pattern covers, in which of several texts that is, and what is left when it is replaced.

use std::ops::Range;

use memchr::memmem;
use regex::bytes::Regex;

use super::REDACTED;

/// What stands for a byte that is no text while a pattern is matched: one of each kind, since a pattern must not end at it.
pub(super) fn fillers(items: &[Vec<u8>]) -> &'static [u8] {
    let is_odd = |item: &Vec<u8>| {
        !item.is_ascii() && (std::str::from_utf8(item).is_err() || memmem::find(item, REPLACEMENT).is_some())
    };
    if items.iter().any(is_odd) { b"0aA-\x01" } else { b"" }
}

/// U+FFFD: what a byte that is not UTF-8 has become elsewhere.
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

/// The same text, of the same length, without what is no text.
pub(super) fn fill(item: &[u8], filler: u8) -> Vec<u8> {
    let mut text = Vec::with_capacity(item.len());
    for chunk in item.utf8_chunks() {
        text.extend_from_slice(chunk.valid().as_bytes());
        text.resize(text.len() + chunk.invalid().len(), filler);
    }
    let replaced: Vec<usize> = memmem::find_iter(&text, REPLACEMENT).collect();
    for at in replaced {
        text[at..at + REPLACEMENT.len()].fill(filler);
    }
    text
}

/// What a pattern covers: its groups if it has any, else the whole; as long as it may go on.
pub(super) fn captured(pattern: &Regex, text: &[u8], may_go_on: impl Fn() -> bool) -> Vec<Range<usize>> {
    let has_groups = pattern.captures_len() > 1;
    let groups = pattern.captures_iter(text).take_while(|_| has_groups && may_go_on()).flat_map(|captures| {
        captures.iter().skip(1).flatten().map(|found| found.range()).collect::<Vec<_>>()
    });
    let wholes = pattern.find_iter(text).map(|found| found.range()).take_while(|_| may_go_on());
    let all: Box<dyn Iterator<Item = Range<usize>>> =
        if has_groups { Box::new(groups) } else { Box::new(wholes) };
    all.filter(|range| !range.is_empty()).collect()
}

/// Parts of the joined arguments, as parts of each.
pub(super) fn per_item(items: &[Vec<u8>], ranges: Vec<Range<usize>>, spans: &mut Vec<(usize, Range<usize>)>) {
    if ranges.is_empty() {
        return;
    }
    let mut begins = Vec::with_capacity(items.len());
    let mut begin = 0;
    for item in items {
        begins.push(begin);
        begin += item.len() + 1;
    }
    for range in merged(ranges) {
        let first = begins.partition_point(|&begin| begin <= range.start).saturating_sub(1);
        for (place, &begin) in
            begins.iter().enumerate().skip(first).take_while(|(_, begin)| **begin < range.end)
        {
            let (from, to) = (range.start.max(begin), range.end.min(begin + items[place].len()));
            if from < to {
                spans.push((place, from - begin..to - begin));
            }
        }
    }
}

/// The same ranges in order, joined where they meet.
pub(super) fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// Replaces these parts; is anything else there now? A mark that stands there already is no text any more.
pub(super) fn replace(item: &mut Vec<u8>, mut ranges: Vec<Range<usize>>) -> bool {
    if ranges.is_empty() {
        return false;
    }
    ranges.extend(memmem::find_iter(item, REDACTED).map(|at| at..at + REDACTED.len()));
    let mut left = Vec::with_capacity(item.len());
    let mut from = 0;
    for range in merged(ranges) {
        left.extend_from_slice(&item[from..range.start]);
        left.extend_from_slice(REDACTED.as_bytes());
        from = range.end;
    }
    left.extend_from_slice(&item[from..]);
    let is_changed = *item != left;
    *item = left;
    is_changed
}
