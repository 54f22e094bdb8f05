//! Every relative link of every page leads to a file of the checkout, every anchor to a heading, and every path that a page
//! names exists.

#![allow(clippy::unwrap_used, clippy::panic)] // a test

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use support::files_below;

/// Every page; scripts/ has parts of pages only.
fn pages() -> Vec<PathBuf> {
    files_below(Path::new(env!("CARGO_MANIFEST_DIR")), &["md"], &["target", ".git", "scripts"])
}

/// The lines of a page outside of its fenced blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// What GitHub makes of a heading.
fn anchor(heading: &str) -> String {
    let is_kept = |character: &char| character.is_alphanumeric() || " -_".contains(*character);
    heading.trim().to_lowercase().chars().filter(is_kept).collect::<String>().replace(' ', "-")
}

fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for line in prose(text) {
        let Some((level, heading)) = line.split_once(' ') else { continue };
        if level.is_empty() || !level.chars().all(|character| character == '#') {
            continue;
        }
        let name = anchor(heading);
        let numbered = (1..).map(|number| format!("{name}-{number}"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|name| !anchors.contains(name));
        anchors.extend(free);
    }
    anchors
}

/// The targets of `[text](target)`, code in backticks left out.
fn links(line: &str) -> Vec<String> {
    let text: String = line.split('`').step_by(2).collect();
    text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
}

#[test]
fn every_link_of_every_page_resolves() {
    let mut dangling = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in prose(&text).flat_map(links).filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { page.clone() } else { page.with_file_name(file) };
            let resolves = match heading {
                "" => target.exists(),
                heading => fs::read_to_string(&target).is_ok_and(|text| anchors(&text).contains(heading)),
            };
            if !resolves {
                dangling.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(dangling.is_empty(), "{dangling:#?}");
}

/// What is in backticks and looks like a path of the checkout; a name in capitals or braces stands for several.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    let words = line.split('`').skip(1).step_by(2).flat_map(|code| code.split([' ', '=', ',', ':']));
    let trees = ["src/", "bpf/", "tests/", "scripts/", "docs/", "packaging/"];
    let stands_for_several =
        |word: &str| word.contains(|c: char| c.is_ascii_uppercase() || "{*<$…".contains(c));
    words.filter(move |word| trees.iter().any(|tree| word.starts_with(tree)) && !stands_for_several(word))
}

#[test]
fn every_path_that_a_page_names_exists() {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut missing = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for path in prose(&text).flat_map(paths).filter(|path| !checkout.join(path).exists()) {
            missing.push(format!("{}: {path}", page.display()));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn an_anchor_is_as_github_makes_it() {
    assert_eq!(anchor("A cron job's pkill -f is too broad"), "a-cron-jobs-pkill--f-is-too-broad");
    assert_eq!(
        anchors("# A\n## `B` b\n```\n# C\n```\n## A").into_iter().collect::<Vec<_>>(),
        ["a", "a-1", "b-b"]
    );
    assert_eq!(links("[a](b.md#c), `[d](e)`, ![f](g.svg)"), ["b.md#c", "g.svg"]);
}
