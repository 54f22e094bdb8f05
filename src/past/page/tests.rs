//! What a page must never do, whatever processes call themselves.

use super::*;
use crate::past::walk::tests::{end, signal, store};

const HOSTILE: &str = "</style><script>alert(1)</script><img src=x onerror=alert(1)>";

fn page_of(lines: &[String]) -> String {
    let (_directory, reader) = store(lines);
    let search = crate::past::search::Search::default();
    let end = crate::past::story::newest_end(&reader, &search).unwrap().unwrap();
    let now = end.time + 1;
    let range = end.time - 10_000_000_000..now;
    let story = Story::of(&reader, end, now).unwrap();
    of_story(&story, &story.coverage, range, "recorded", now, Zone::Utc)
}

#[test]
fn a_hostile_command_line_is_text() {
    let target = (9, HOSTILE);
    let lines = [signal(1, 1, (9, "SIGKILL"), (7, HOSTILE), target), end(2, 1, (9, "SIGKILL"), 1, target)];
    let page = page_of(&lines);
    assert!(page.contains("&lt;script&gt;"), "it is there as text");
    for forbidden in
        ["<script", "<img", "onerror=\"", "javascript:", "http://", "https://", "src=\"", "href="]
    {
        assert!(!page.contains(forbidden), "{forbidden}: {page}");
    }
    assert_eq!(page.matches("<style>").count(), 1);
    assert_eq!(page.matches("</style>").count(), 1);
}

#[test]
fn what_could_turn_text_around_is_spelt_out() {
    let target = (9, "x\u{202e}y\u{1b}z");
    let lines = [
        signal(1, 1, (9, "SIGKILL"), (7, "sh"), target).replace('\u{1b}', "\\u001b"),
        end(2, 1, (9, "SIGKILL"), 1, target).replace('\u{1b}', "\\u001b"),
    ];
    let page = page_of(&lines);
    assert!(!page.contains(['\u{202e}', '\u{1b}']));
}

#[test]
fn a_page_has_what_the_story_has() {
    let target = (9, "yes");
    let lines = [
        signal(1, 1, (15, "SIGTERM"), (7, "bash"), target),
        signal(2, 2, (9, "SIGKILL"), (7, "bash"), target),
        end(3, 2, (9, "SIGKILL"), 2, target),
    ];
    let page = page_of(&lines);
    for part in [
        "yes(9) was killed by SIGKILL",
        "bash(7) sent SIGTERM to yes(9)",
        "The sender",
        "The victim",
        "+1.0 s",
        "What was recorded",
        "Content-Security-Policy",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

/// Each command line of the victim and of the last sender is in its section, and nowhere else.
#[test]
fn a_command_line_is_on_a_page_once() {
    let target = (9, "yes");
    let with_arguments = |line: String| {
        line.replace(r#"["yes"]"#, r#"["yes","for-the-victim"]"#)
            .replace(r#"["bash"]"#, r#"["bash","for-the-sender"]"#)
    };
    let lines = [
        signal(1, 1, (15, "SIGTERM"), (7, "bash"), target),
        signal(2, 2, (9, "SIGKILL"), (7, "bash"), target),
        end(3, 2, (9, "SIGKILL"), 2, target),
    ]
    .map(with_arguments);
    let page = page_of(&lines);
    for argument in ["for-the-victim", "for-the-sender"] {
        assert_eq!(page.matches(argument).count(), 1, "{page}");
    }
}
